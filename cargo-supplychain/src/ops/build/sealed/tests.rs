//! What follows from what a build tried.
#![expect(clippy::disallowed_methods, reason = "a test makes the files that it is about")]

use super::*;
use crate::finding::{FailOn, Finding, ReportInput, Severity};

fn report(severity: Option<Severity>, fail_on: FailOn) -> Report {
    let findings = severity.map(|severity| Finding::new("sandbox/denied-read", severity, "x")).into_iter().collect();
    Report::new(ReportInput { findings, ..ReportInput::default() }, fail_on, "2026-11-23".parse().unwrap(), false)
}

/// What becomes of a build, in a word or two, with the class of an error.
fn weighed(severity: Option<Severity>, fail_on: FailOn, built: Result<(), Class>) -> String {
    let built = built.map_err(|class| Error::new(class, &"cargo build failed"));
    match weigh(&report(severity, fail_on), severity.is_some(), built) {
        Err(error) => format!("error {}", error.class.as_str()),
        Ok(Ended::GoOn(())) => "go on".to_owned(),
        Ok(Ended::Stop(outcome)) => match *outcome {
            Outcome::Withheld { error: None, .. } => "withheld".to_owned(),
            Outcome::Withheld { error: Some(error), .. } => format!("withheld, and {}", error.class.as_str()),
            Outcome::Failed { error, .. } => format!("report, then {}", error.class.as_str()),
            other => format!("{other:?}"),
        },
    }
}

#[test]
fn what_was_tried_decides_before_what_cargo_said() {
    let high = FailOn::default();
    for (tried, fail_on, built, expected) in [
        (None, high, Ok(()), "go on"),
        (None, high, Err(Class::BuildFailed), "error build-failed"),
        (Some(Severity::High), high, Ok(()), "withheld"),
        (Some(Severity::High), high, Err(Class::BuildFailed), "withheld, and build-failed"),
        (Some(Severity::High), high, Err(Class::Usage), "withheld, and usage"),
        (Some(Severity::High), high, Err(Class::Interrupted), "error interrupted"),
        (Some(Severity::Medium), high, Ok(()), "go on"),
        (Some(Severity::Medium), high, Err(Class::BuildFailed), "report, then build-failed"),
        (Some(Severity::High), FailOn::None, Ok(()), "go on"),
        (Some(Severity::High), FailOn::None, Err(Class::BuildFailed), "report, then build-failed"),
    ] {
        assert_eq!(weighed(tried, fail_on, built), expected, "{tried:?} {fail_on} {built:?}");
    }
    // With --fail-on none it is told all the same.
    assert_eq!(report(Some(Severity::High), FailOn::None).verdict, Verdict::Fail);
}

#[test]
fn the_flag_outranks_the_file_and_what_is_required_outranks_auto() {
    use SandboxMode::{Auto, Off, Require};
    let sandbox = vec![Area::Sandbox];
    let of = |flag, required: &[Area], file, file_requires: &[Area]| {
        let judge = judge::Request { require: required.to_vec(), ..judge::Request::default() };
        let request = Request { sandbox: flag, judge, ..Request::default() };
        let mut settings = Settings { require: file_requires.to_vec(), ..Settings::default() };
        settings.sandbox.mode = file;
        mode(&request, &settings)
    };
    for (flag, required, file, file_requires, expected) in [
        (None, &[][..], Auto, &[][..], Auto),
        (None, &[], Off, &[], Off),
        (None, &[], Require, &[], Require),
        (Some(Off), &[], Require, &[], Off),
        (Some(Require), &[], Off, &[], Require),
        (Some(Auto), &[], Off, &sandbox, Auto),
        (None, &sandbox, Auto, &[], Require),
        (None, &sandbox, Off, &[], Require),
        (Some(Off), &sandbox, Auto, &[], Off),
        (None, &[], Auto, &sandbox, Require),
        // The file says both; what it says of the mode by name counts.
        (None, &[], Off, &sandbox, Off),
    ] {
        assert_eq!(of(flag, required, file, file_requires), expected, "{flag:?} {required:?} {file} {file_requires:?}");
    }
}

#[test]
fn only_a_required_seal_stops_a_build_that_cannot_have_one() {
    let why = Some("this system has no Landlock");
    for (mode, missing, stops) in [
        (SandboxMode::Require, why, true),
        (SandboxMode::Require, None, false),
        (SandboxMode::Auto, why, false),
        (SandboxMode::Off, why, false),
    ] {
        let refused = refuse_unsealed(mode, missing);
        assert_eq!(refused.is_err(), stops, "{mode}");
        if let Err(error) = refused {
            assert_eq!(error.class, Class::Undetermined);
            assert!(error.message.contains("this system has no Landlock") && !error.help.is_empty(), "{error}");
        }
    }
    let none = |mode| unsealed(mode, why).enforcement;
    assert_eq!(none(SandboxMode::Off), Enforcement::None { why: "it was switched off".into(), asked_off: true });
    assert_eq!(none(SandboxMode::Auto), Enforcement::None { why: "this system has no Landlock".into(), asked_off: false });
}

/// From what a build tried to what becomes of it, with the real rules.
#[test]
fn what_was_tried_is_judged_recorded_and_forgotten_by_the_next_build() {
    use crate::model::sandbox::{Act, Actor, ActorKind, Attempt, Seal};
    use crate::ops::gather::{self, gather};
    use crate::ops::progress::Silent;

    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap().to_owned();
    std::fs::write(root.join("Cargo.toml"), "[package]\nname = 'app'\nversion = '0.1.0'\n").unwrap();
    std::fs::write(root.join("Cargo.lock"), "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n").unwrap();
    let now = "2026-11-23".parse().unwrap();
    let env = std::collections::BTreeMap::new();
    let context =
        Context { cwd: root.clone(), env, now, now_is_given: true, stamp: now, offline: true, cache_dir: root.join("c") };
    let gathered = gather(&context, &gather::Request { without_plan: true, ..gather::Request::default() }, &mut Silent).unwrap();
    let tries = |act| {
        let actor = Actor { name: "app".into(), version: "0.1.0".into(), kind: ActorKind::BuildScript, program: "b".into() };
        let attempts = vec![Attempt { actor, act, count: 1 }];
        SandboxFacts { enforcement: Enforcement::Linux(Seal::default()), attempts, unlisted: 0 }
    };
    let key = || tries(Act::Read { path: "~/.ssh/id_rsa".into(), is_secret: true });
    let nothing = || SandboxFacts { attempts: Vec::new(), ..key() };
    for (fail_on, facts, expected, is_recorded) in [
        (None, key(), "withheld: sandbox/denied-read Cargo.lock:3 Fail", true),
        (Some(FailOn::None), key(), "go on: sandbox/denied-read Cargo.lock:3 Fail", true),
        (None, tries(Act::System { call: "mount".into() }), "go on: sandbox/denied-call Cargo.lock:3 Pass", true),
        (None, nothing(), "go on: Pass", false),
        (None, unsealed(SandboxMode::Auto, Some("no")), "go on: sandbox/unavailable Pass", false),
        (None, unsealed(SandboxMode::Off, Some("no")), "go on: Pass", false),
    ] {
        let request = judge::Request { fail_on, only: vec![Area::Sandbox], ..judge::Request::default() };
        let mut judged = judge::judge(&context, &gathered, &request, &mut Silent).unwrap();
        assert_eq!(judged.report.verdict, Verdict::Pass, "nothing was built yet");
        let own = root.join("target/supplychain");
        let ended = after_build(&mut judged, (&context, &gathered, &request), &own, facts, Ok(())).unwrap();
        let mut shown = match ended {
            Ended::GoOn(()) => "go on:".to_owned(),
            Ended::Stop(outcome) if matches!(*outcome, Outcome::Withheld { error: None, .. }) => "withheld:".to_owned(),
            Ended::Stop(outcome) => format!("{outcome:?}"),
        };
        for finding in &judged.report.findings {
            shown += &format!(" {}", finding.id);
            shown.extend(finding.locations.iter().map(|place| format!(" {place}")));
        }
        assert_eq!(format!("{shown} {:?}", judged.report.verdict), expected);
        assert_eq!(own.join(denied::FILE).exists(), is_recorded, "{expected}");
    }
    for (fail_on, mode, missing, stops) in [
        (Some(FailOn::Level(Severity::Low)), SandboxMode::Auto, Some("no"), true),
        (Some(FailOn::Level(Severity::Low)), SandboxMode::Auto, None, false),
        (Some(FailOn::Level(Severity::Low)), SandboxMode::Off, Some("no"), false),
        (None, SandboxMode::Auto, Some("no"), false),
    ] {
        let request = judge::Request { fail_on, only: vec![Area::Sandbox], ..judge::Request::default() };
        let mut judged = judge::judge(&context, &gathered, &request, &mut Silent).unwrap();
        assert_eq!(stops_unsealed(&mut judged, (&context, &gathered, &request), mode, missing), stops, "{mode} {missing:?}");
    }
}
