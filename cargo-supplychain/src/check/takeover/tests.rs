//! The incidents as the registry had them, their twins, and each signal with what must not set it off.

use super::{Score, worst};
use crate::check::case::{Case, owner_of};
use crate::check::kin::Family;
use crate::check::release_walk::walks;
use crate::model::baseline::{KnownCrate, KnownOwner, KnownPublisher};
use crate::model::capability::{Capabilities, Reach, ReachKind, VcsInfo};
use crate::model::registry::Publisher;

/// The worst release of each change: its version, signals with points, sum and severity.
fn scores(case: &Case) -> Vec<String> {
    let shown = |score: &Score<'_, '_>| {
        let signals: Vec<_> = score.signals.iter().map(|one| format!("S{} {}", one.number, one.points)).collect();
        let severity = score.severity().map_or("silent".to_owned(), |severity| severity.to_string());
        format!("{}: {} = {} {severity}", score.step.release.version, signals.join(" + "), score.sum())
    };
    case.with(|facts| {
        let family = Family::of(facts);
        walks(facts).filter_map(|walk| worst(facts, &family, &walk).map(|score| shown(&score))).collect()
    })
}

fn unknown(case: &Case) -> Vec<String> {
    case.with(|facts| {
        let walk = walks(facts).next().unwrap();
        worst(facts, &Family::of(facts), &walk).unwrap().unknown
    })
}

fn owners(list: &[(&str, &str)]) -> Option<Vec<KnownOwner>> {
    let known = |(owner, seen): &(&str, &str)| KnownOwner { owner: owner_of(owner), first_seen: seen.parse().unwrap() };
    Some(list.iter().map(known).collect())
}

fn user(id: u64) -> KnownPublisher {
    KnownPublisher::User { id, login: format!("user{id}") }
}

/// event-stream (2018) on crates.io: 3.3.4 and 3.3.5 by its author, 3.3.6 by a new owner with a dependency of a friend.
fn event_stream(lock: &str, publisher: &str, dependency: &str) -> Case {
    let lock = format!("estream {lock}");
    let known = KnownCrate { owners: owners(&[("10", "2018-08-01")]), publishers: vec![user(10)], ..KnownCrate::default() };
    Case::new()
        .locks(&[&lock], Some(&["estream 3.3.5"]))
        .release("estream", "3.3.4", "2018-05-15", &[])
        .release("estream", "3.3.5", "2018-08-31", &[])
        .release("estream", "3.3.6", "2018-09-09", &[dependency])
        .release("estream", "4.0.0", "2018-09-16", &[])
        .release("flatmap-s", "0.1.0", "2018-09-05", &[])
        .release("old-s", "0.1.0", "2014-09-05", &[])
        .publisher("estream", "3.3.4", "10")
        .publisher("estream", "3.3.5", "10")
        .publisher("estream", "3.3.6", publisher)
        .publisher("estream", "4.0.0", publisher)
        .publisher("flatmap-s", "0.1.0", "88 since 2018-01-01")
        .owned("estream", &["10", "77"])
        .owned("flatmap-s", &["88"])
        .known("estream", known)
}

#[test]
fn event_stream_scores_seven_and_its_twin_nothing() {
    let attack = event_stream("3.3.6", "77 since 2018-01-01", "flatmap-s");
    assert_eq!(scores(&attack), ["3.3.6: S1 2 + S2 2 + S5 3 = 7 high"]);
    assert_eq!(scores(&event_stream("3.3.6", "10", "old-s")), ["3.3.6:  = 0 silent"]);
    // An update that skips the attack, whose successor is clean.
    assert_eq!(scores(&event_stream("4.0.0", "77 since 2018-01-01", "flatmap-s")), ["3.3.6: S1 2 + S2 2 + S5 3 = 7 high"]);
    // A change of publisher alone, by somebody who owned the crate when the baseline began.
    let handed = event_stream("3.3.6", "77 since 2014-01-01", "old-s").known(
        "estream",
        KnownCrate {
            owners: owners(&[("10", "2018-01-01"), ("77", "2018-01-01")]),
            publishers: vec![user(10)],
            ..KnownCrate::default()
        },
    );
    assert_eq!(scores(&handed), ["3.3.6: S1 2 = 2 silent"]);
}

/// Without the registry's API the names alone speak: a guess, which is a finding beside another sign and silent without.
#[test]
fn event_stream_by_the_index_alone_is_a_guess() {
    let at = |now: &str, before: &str, newcomers: &[&str]| {
        let mut case = Case::new()
            .locks(&["estream 3.3.6"], Some(&["estream 3.3.5"]))
            .release("estream", "3.3.5", before, &[])
            .release("estream", "3.3.6", "2018-09-09", newcomers)
            .release("flatmap-s", "0.1.0", "2018-09-05", &[])
            .release("estream_core", "0.1.0", "2018-09-05", &[]);
        case.now = now.parse().unwrap();
        case
    };
    let flatmap = &["flatmap-s"][..];
    for (case, expected) in [
        (at("2018-09-10", "2018-08-31", flatmap), "S5 2 + S9 1 = 3 medium"),
        (at("2018-10-26", "2018-08-31", flatmap), "S5 2 = 2 silent"),
        (at("2018-10-26", "2018-01-31", flatmap), "S4 1 + S5 2 = 3 medium"),
        (at("2018-09-10", "2018-08-31", &["estream_core"]), "S9 1 = 1 silent"),
        // Of two newcomers one is known to be somebody else's: no guess.
        (
            at("2018-10-26", "2018-08-31", &["estream_core", "flatmap-s"])
                .publisher("estream", "3.3.5", "10")
                .publisher("estream", "3.3.6", "10")
                .publisher("flatmap-s", "0.1.0", "88"),
            "S5 3 = 3 medium",
        ),
    ] {
        assert_eq!(scores(&case), [format!("3.3.6: {expected}")]);
    }
}

/// arrayref (2026): the same account as always, a dependency that is hours old and looks like proc-macro2.
fn arrayref(now: &str) -> Case {
    let mut case = Case::new()
        .locks(&["aref 0.3.10 -> proc-macro1", "proc-macro1 1.0.107", "proc-macro2"], Some(&["aref 0.3.9", "proc-macro2"]))
        .release("aref", "0.3.9", "2024-09-14T12:24:40Z", &[])
        .release("aref", "0.3.10", "2026-08-20T07:15:00Z", &["proc-macro1"])
        .release("proc-macro1", "1.0.106", "2026-08-20T02:11:00Z", &[])
        .release("proc-macro1", "1.0.107", "2026-08-20T07:11:00Z", &[]);
    case.now = now.parse().unwrap();
    case
}

#[test]
fn arrayref_scores_twelve_by_index_and_sources_alone() {
    let reach = Reach { kind: ReachKind::Shell, word: "curl".into(), path: "build.rs".into(), line: 3 };
    let build = Capabilities { build_script: true, build_reaches: vec![reach], ..Capabilities::default() };
    let alone = arrayref("2026-08-20T12:30:00Z");
    assert_eq!(scores(&alone), ["0.3.10: S4 1 + S5 3 + S6 3 + S9 1 = 8 critical", "1.0.107: S9 1 = 1 silent"]);
    let script = Capabilities { build_script: true, ..Capabilities::default() };
    let without = alone.capable("proc-macro1", "1.0.107", script);
    assert_eq!(scores(&without)[0], "0.3.10: S4 1 + S5 3 + S6 3 + S7 2 + S9 1 = 10 critical");
    let with = arrayref("2026-08-20T12:30:00Z").capable("proc-macro1", "1.0.107", build);
    assert_eq!(scores(&with)[0], "0.3.10: S4 1 + S5 3 + S6 3 + S7 2 + S9 1 + S10 2 = 12 critical");
    // The account is the one it always was.
    let known = with
        .publisher("aref", "0.3.9", "20")
        .publisher("aref", "0.3.10", "20")
        .publisher("proc-macro1", "1.0.106", "99 since 2026-08-19")
        .owned("aref", &["20"])
        .owned("proc-macro1", &["99"]);
    assert_eq!(scores(&known)[0], "0.3.10: S4 1 + S5 3 + S6 3 + S7 2 + S9 1 + S10 2 = 12 critical");
}

/// A build script of a new dependency counts when it is known to be somebody else's, or does more than being there.
#[test]
fn a_build_script_of_a_dependency_of_nobody_known() {
    let script = || Capabilities { build_script: true, ..Capabilities::default() };
    let reaching = || {
        let reach = Reach { kind: ReachKind::Network, word: "TcpStream".into(), path: "build.rs".into(), line: 3 };
        Capabilities { build_reaches: vec![reach], ..script() }
    };
    let adds = |newcomer: &str, sources: Capabilities| {
        let mut case = Case::new().locks(&["serde_json 1.0.147"], Some(&["serde_json 1.0.146"]));
        case.now = "2026-01-20".parse().unwrap();
        case.release("serde_json", "1.0.146", "2025-12-14", &[])
            .release("serde_json", "1.0.147", "2025-12-23", &[newcomer])
            .release(newcomer, "0.1.0", "2025-12-20", &[])
            .capable(newcomer, "0.1.0", sources)
    };
    let asked = |case: Case, by: &str| case.publisher("serde_json", "1.0.147", "3618").publisher("zmij", "0.1.0", by);
    for (case, expected) in [
        (adds("zmij", script()), "S5 2 = 2 silent"),
        (adds("zmij", reaching()), "S5 2 + S7 2 + S10 2 = 6 high"),
        (adds("proc-macro1", script()), "S5 3 + S6 3 + S7 2 = 8 critical"),
        (asked(adds("zmij", script()), "3618"), " = 0 silent"),
        (asked(adds("zmij", script()), "88"), "S5 3 + S7 2 = 5 high"),
    ] {
        assert_eq!(scores(&case), [format!("1.0.147: {expected}")]);
    }
}

/// serde 1.0.220 after a pause adds a crate of the same minute, by the same people or, offline, of a related name.
#[test]
fn serde_core_is_of_the_family() {
    let serde = || {
        Case::new()
            .locks(&["serde 1.0.220 -> serde_core", "serde_core 1.0.220"], Some(&["serde 1.0.219"]))
            .release("serde", "1.0.219", "2025-03-09T19:00:00Z", &["serde_derive ?"])
            .release("serde", "1.0.220", "2025-09-13T22:00:00Z", &["serde_core", "serde_derive ?"])
            .release("serde_core", "1.0.220", "2025-09-13T22:00:00Z", &[])
            .capable("serde_core", "1.0.220", Capabilities { build_script: true, ..Capabilities::default() })
    };
    let expected = ["1.0.220: S4 1 = 1 silent", "1.0.220:  = 0 silent"];
    assert_eq!(scores(&serde()), expected);
    let asked = serde().publisher("serde", "1.0.219", "3618").publisher("serde", "1.0.220", "3618").publisher(
        "serde_core",
        "1.0.220",
        "3618",
    );
    assert_eq!(scores(&asked), expected);
}

/// MNT-05: versions by a token, then by the workflow of the crate's own repository.
#[test]
fn trusted_publishing_is_no_sign_when_adopted_and_one_when_left() {
    let by = |publishers: [&str; 4]| {
        let mut case = Case::new().locks(&["foo 1.5.0"], Some(&["foo 1.4.0"])).owned("foo", &["42"]);
        for (version, publisher) in ["1.2.0", "1.3.0", "1.4.0", "1.5.0"].into_iter().zip(publishers) {
            case = case.release("foo", version, "2026-01-01", &[]).publisher("foo", version, publisher);
        }
        case.record("foo", |record| record.repository = Some("https://github.com/org/foo".into()))
    };
    for (publishers, expected) in [
        (["42", "42", "42", "github:org/foo"], " = 0 silent"),
        (["42", "42", "42", "github:evil/foo"], "S1 2 = 2 silent"),
        (["42", "github:org/foo", "github:org/foo", "42"], "S11 3 = 3 medium"),
        (["github:org/foo", "42", "github:org/foo", "42"], " = 0 silent"),
        (["42", "github:org/foo", "github:org/foo", "github:evil/foo"], "S1 2 + S11 3 = 5 high"),
        (["42", "github:org/foo", "github:org/foo", "github:ORG/foo"], " = 0 silent"),
        (["42", "42", "42", "7 since 2025-12-01"], "S1 2 + S2 2 + S3 2 = 6 high"),
        (["", "", "", "42"], " = 0 silent"),
    ] {
        assert_eq!(scores(&by(publishers)), [format!("1.5.0: {expected}")], "{publishers:?}");
    }
}

fn lib() -> Case {
    Case::new().locks(&["lib 1.0.1"], Some(&["lib 1.0.0"])).release("lib", "1.0.0", "2026-01-01", &[]).release(
        "lib",
        "1.0.1",
        "2026-02-01",
        &[],
    )
}

#[test]
fn owners_are_new_by_the_baseline_and_replaced_when_none_is_left() {
    let with = |now: &[&str], known: &[(&str, &str)]| {
        let known = KnownCrate { owners: owners(known), ..KnownCrate::default() };
        lib().publisher("lib", "1.0.0", "77").publisher("lib", "1.0.1", "77").owned("lib", now).known("lib", known)
    };
    for (now, known, expected) in [
        (&["10", "77"][..], &[("10", "2025-01-01"), ("77", "2025-12-01")][..], "S2 2 = 2 silent"),
        (&["10", "77"], &[("10", "2025-01-01"), ("77", "2025-11-01")], " = 0 silent"),
        // The baseline began a month ago: it does not say since when they are owners.
        (&["10", "77"], &[("10", "2026-01-01"), ("77", "2026-01-01")], " = 0 silent"),
        (&["10", "77"], &[("10", "2025-01-01")], "S2 2 = 2 silent"),
        (&["10"], &[("10", "2025-01-01")], "S2 2 = 2 silent"),
        // Publishing for a team that owns it.
        (&["10", "team 3"], &[("10", "2025-01-01")], " = 0 silent"),
        (&["77"], &[("10", "2025-01-01")], "S2 2 + S12 3 = 5 high"),
        (&["77", "10"], &[("10", "2025-01-01"), ("team 10", "2025-01-01")], "S2 2 = 2 silent"),
        (&["team 10", "77"], &[("10", "2025-01-01"), ("77", "2025-01-01")], " = 0 silent"),
    ] {
        assert_eq!(scores(&with(now, known)), [format!("1.0.1: {expected}")], "{now:?} {known:?}");
    }
}

#[test]
fn sources_that_gain_something() {
    let reach = |kind, word: &str| Reach { kind, word: word.into(), path: "build.rs".into(), line: 1 };
    let vcs = |dirty| Some(VcsInfo { commit: "0".repeat(40), dirty });
    let nothing = Capabilities::default;
    for (before, after, expected) in [
        (nothing(), Capabilities { build_script: true, ..nothing() }, "S7 2 = 2 silent"),
        (nothing(), Capabilities { proc_macro: true, ..nothing() }, "S7 2 = 2 silent"),
        (Capabilities { build_script: true, ..nothing() }, Capabilities { build_script: true, ..nothing() }, " = 0 silent"),
        (nothing(), Capabilities { blobs: vec!["a.so".into()], ..nothing() }, "S10 2 = 2 silent"),
        (
            Capabilities { blobs: vec!["lib-1.lib".into()], ..nothing() },
            Capabilities { blobs: vec!["lib-2.lib".into()], ..nothing() },
            " = 0 silent",
        ),
        (nothing(), Capabilities { encoded: vec!["src/x.rs".into()], ..nothing() }, "S10 2 = 2 silent"),
        (
            nothing(),
            Capabilities { build_reaches: vec![reach(ReachKind::Network, "TcpStream")], ..nothing() },
            "S10 2 = 2 silent",
        ),
        (nothing(), Capabilities { build_reaches: vec![reach(ReachKind::Shell, "wget")], ..nothing() }, "S10 2 = 2 silent"),
        (nothing(), Capabilities { build_reaches: vec![reach(ReachKind::Shell, "sh")], ..nothing() }, " = 0 silent"),
        (nothing(), Capabilities { build_reaches: vec![reach(ReachKind::Environment, "HOME")], ..nothing() }, " = 0 silent"),
        (Capabilities { vcs: vcs(false), ..nothing() }, nothing(), "S8 1 = 1 silent"),
        (Capabilities { vcs: vcs(false), ..nothing() }, Capabilities { vcs: vcs(true), ..nothing() }, "S8 1 = 1 silent"),
        (Capabilities { vcs: vcs(true), ..nothing() }, Capabilities { vcs: vcs(true), ..nothing() }, " = 0 silent"),
        (nothing(), Capabilities { vcs: vcs(false), ..nothing() }, " = 0 silent"),
    ] {
        let case = lib().capable("lib", "1.0.0", before).capable("lib", "1.0.1", after.clone());
        assert_eq!(scores(&case), [format!("1.0.1: {expected}")], "{after:?}");
    }
}

/// The release before may be compatible where what was locked is not: the step that is compared decides.
#[test]
fn a_build_script_in_a_step_that_breaks_compatibility_is_no_sign() {
    for (locked, expected) in [("2.0.0", "S7 2 = 2 silent"), ("1.0.0", " = 0 silent")] {
        let before = format!("lib {locked}");
        let case = Case::new()
            .locks(&["lib 2.0.1"], Some(&[&before]))
            .release("lib", "1.0.0", "2026-01-01", &[])
            .release("lib", "2.0.0", "2026-01-10", &[])
            .release("lib", "2.0.1", "2026-02-01", &[])
            .capable("lib", locked, Capabilities::default())
            .capable("lib", "2.0.1", Capabilities { build_script: true, ..Capabilities::default() });
        assert_eq!(scores(&case), [format!("2.0.1: {expected}")], "{locked}");
    }
}

#[test]
fn another_repository_is_a_sign_and_another_way_of_writing_it_is_not() {
    for (after, expected) in [
        ("https://github.com/evil/lib", "S8 1 = 1 silent"),
        ("http://github.com/Org/lib.git", " = 0 silent"),
        ("", " = 0 silent"),
    ] {
        let case = ["1.0.0", "1.0.1"].into_iter().fold(lib(), |case, version| case.publisher("lib", version, "10"));
        let case = case.record("lib", |record| {
            for (published, url) in record.versions.values_mut().zip(["https://github.com/org/lib", after]) {
                published.repository = Some(url.into());
            }
        });
        assert_eq!(scores(&case), [format!("1.0.1: {expected}")], "{after}");
    }
}

#[test]
fn times_that_are_skewed_missing_or_long_ago() {
    let case = |before: &str, published: &str| {
        let mut case = Case::new().locks(&["lib 1.0.1"], Some(&["lib 1.0.0"]));
        case.now = "2026-11-23".parse().unwrap();
        case.release("lib", "1.0.0", before, &[]).release("lib", "1.0.1", published, &["helper"]).release(
            "helper",
            "1.0.0",
            "2026-11-01",
            &[],
        )
    };
    // The clock is 2026-11-23.
    for (before, published, expected) in [
        ("2026-11-01", "2026-11-22", "S9 1 = 1 silent"),
        ("2026-11-01", "2026-11-20", " = 0 silent"),
        // After the clock's own time.
        ("2026-11-01", "2026-11-24", "S9 1 = 1 silent"),
        // Before the crate that it needs was there: that one came back under its name.
        ("2026-09-01", "2026-10-01", "S5 2 = 2 silent"),
        ("2026-01-01", "2026-11-16", "S4 1 = 1 silent"),
        ("", "2026-11-16", " = 0 silent"),
        ("", "", " = 0 silent"),
    ] {
        assert_eq!(scores(&case(before, published)), [format!("1.0.1: {expected}")], "{before} {published}");
    }
    let cooldown = case("2026-11-01", "2026-11-20").policy("");
    assert_eq!(scores(&cooldown), ["1.0.1:  = 0 silent"]);
    let missing = ["publisher of 1.0.1", "sources of 1.0.1", "when 1.0.1 was published", "when helper first appeared"];
    assert_eq!(unknown(&case("", "")), missing);
}

#[test]
fn without_an_earlier_state_recent_releases_are_judged_against_their_predecessors() {
    let mut case = arrayref("2026-08-25");
    case.changes = crate::model::change::ChangeSet::recent([0, 1]);
    assert_eq!(scores(&case)[0], "0.3.10: S4 1 + S5 3 + S6 3 = 7 high");
}

#[test]
fn hostile_text_of_accounts_is_harmless() {
    let case = lib().publisher("lib", "1.0.0", "10").publisher("lib", "1.0.1", "77").record("lib", |record| {
        for published in record.versions.values_mut() {
            let Publisher::User(account) = &mut published.publisher else { continue };
            account.login = "\u{1b}[2J::error::".repeat(100);
        }
    });
    case.with(|facts| {
        let walk = walks(facts).next().unwrap();
        let score = worst(facts, &Family::of(facts), &walk).unwrap();
        let text = score.signals.iter().map(|one| one.says.as_str()).collect::<String>();
        assert!(score.sum() == 2 && !text.contains('\u{1b}') && text.len() < 300, "{text}");
    });
}

/// As many changes as the largest lockfiles have packages: nothing may be looked at once for each pair of them.
#[test]
fn ten_thousand_changes_are_judged_in_passing() {
    let lines: Vec<_> = (0..10_000).map(|number| format!("crate{number} 1.0.1 -> helper{number}")).collect();
    let now: Vec<_> = lines.iter().map(String::as_str).collect();
    let mut case = Case::new().locks(&now, Some(&["other"]));
    for number in 0..10_000 {
        let (name, helper) = (format!("crate{number}"), format!("helper{number}"));
        case = case
            .release(&name, "1.0.0", "2026-01-01", &[])
            .release(&name, "1.0.1", "2026-02-01", &[&helper])
            .release(&helper, "1.0.0", "2026-01-31", &[])
            .publisher(&name, "1.0.1", "10");
    }
    assert_eq!(scores(&case).len(), 10_000);
}
