//! `verify`.

use camino::Utf8Path;
use serde_json::json;

use super::super::args::{Format, IdentityArgs, VerifyArgs};
use super::super::exit::Exit;
use super::super::shell::{BAD, DIM, GOOD, STRONG, Shell, WARN};
use super::{ENVELOPE_VERSION, ask_passphrase, json_out};
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::ops;
use crate::ops::Interrupt;
use crate::ops::attestations::Asked;
use crate::ops::verify::{NotVerified, Outcome};
use crate::ops::vsa;
use crate::verify::{IdentityConditions, ProvenanceFacts, Rejection, SignatureFacts, Verified};

pub(in crate::cli) fn run(
    shell: &mut Shell,
    context: &Context,
    args: VerifyArgs,
    interrupt: &Interrupt,
) -> Result<Exit, ops::Error> {
    if !matches!(shell.format, Format::Human | Format::Json) {
        return Err(ops::Error::usage(&"verify has the formats human and json"));
    }
    let summary = args.vsa.clone().map(|output| vsa::Request {
        output,
        signing_key: args.signing_key.clone(),
        resource: args.resource_uri.clone(),
        verifier: args.verifier_id.clone(),
    });
    let rest = (args.source.clone(), args.attest, args.signing_key.clone(), args.output.clone());
    let rebuild = args.rebuild;
    let request = request(args);
    if rebuild {
        return super::rebuild::run(shell, context, request, rest, interrupt);
    }
    if let Some(summary) = &summary {
        vsa::check(&request, summary)?;
    }
    let outcomes = ops::verify::verify(context, &request, shell)?;
    let exit = exit(&outcomes);
    let written = match (&summary, outcomes.first()) {
        (Some(summary), Some(outcome @ Outcome { result: Ok(verified), .. })) => {
            Some(vsa::write(context, &request, summary, (outcome, verified), &mut ask_passphrase, shell)?)
        }
        _ => None,
    };
    if shell.format == Format::Json {
        show_json(shell, &outcomes, exit, written.as_ref());
    } else {
        for outcome in &outcomes {
            show(shell, outcome);
        }
        if let Some(vsa::Written { path, signer }) = &written {
            shell.say("Summarised", &format!("{} by {}", plain(path.as_str()), plain(signer)));
        }
    }
    Ok(exit)
}

fn request(args: VerifyArgs) -> ops::verify::Request {
    ops::verify::Request {
        paths: args.paths,
        digest: args.digest,
        bundles: args.bundle,
        keys: args.signer.key.clone(),
        trusted_root: args.signer.trusted_root.clone(),
        signer: conditions(args.signer),
        expect_version: args.expect_version,
        require_fresh_target: args.require_fresh_target,
        require_predicates: args.require_predicate,
        require_build_level: args.require_build_level,
        isolated_builders: args.isolated_builder,
        min_version: args.min_version,
        attestation_api: args.attestation_api,
        save_bundle: args.save_bundle,
        policy: args.policy,
        archive: args.archive,
    }
}

/// One that is rejected outweighs one that is not known.
fn exit(outcomes: &[Outcome]) -> Exit {
    let any = |test: fn(&Outcome) -> bool| outcomes.iter().any(test);
    if any(|outcome| matches!(outcome.result, Err(NotVerified::Rejected(_)))) {
        Exit::Rejected
    } else if any(|outcome| outcome.result.is_err()) {
        Exit::Undetermined
    } else {
        Exit::Pass
    }
}

fn show_json(shell: &mut Shell, outcomes: &[Outcome], exit: Exit, written: Option<&vsa::Written>) {
    let verdict = match exit {
        Exit::Pass => "verified",
        Exit::Rejected => "rejected",
        _ => "undetermined",
    };
    let mut value = json!({
        "schema_version": ENVELOPE_VERSION,
        "exit_code": exit as u8,
        "verdict": verdict,
        "results": outcomes.iter().map(as_json).collect::<Vec<_>>(),
    });
    if let Some(written) = written {
        value["summary"] = json!({ "path": written.path, "signer": written.signer });
    }
    json_out(shell, &value);
}

fn show(shell: &Shell, outcome: &Outcome) {
    match &outcome.result {
        Ok(verified) => {
            show_verified(shell, &outcome.path, verified);
            if let Some(day) = &outcome.day {
                super::archive::tell_day(shell, day);
            }
        }
        Err(NotVerified::Rejected(rejection)) => show_rejection(shell, &outcome.path, rejection),
        Err(NotVerified::Undetermined(error)) => show_undetermined(shell, &outcome.path, error),
    }
    if let Some(asked) = &outcome.asked {
        shell.err(|err| writeln!(err, "{DIM}{:>12}{DIM:#} {}", "asked", plain(&said(asked))));
    }
}

/// Who was asked for attestations, and what came of it.
fn said(asked: &Asked) -> String {
    match asked {
        Asked::Offline { from } => format!("nobody: --offline, and {from} was not asked about this file before"),
        Asked::Answered { from, repository, asked, count, has_more, is_remembered } => {
            let number = match (count, has_more) {
                (0, _) => format!("knows no attestation of this file for {repository}"),
                (_, true) => format!("offers more than {}, of which these were looked at", counted(*count, "attestation")),
                (_, false) => format!("offers {}", counted(*count, "attestation")),
            };
            let when = if *is_remembered { format!(" (asked at {asked})") } else { String::new() };
            format!("{from}, which {number}{when}")
        }
    }
}

fn show_undetermined(shell: &Shell, path: &Utf8Path, error: &ops::Error) {
    shell.err(|err| {
        writeln!(err, "{WARN}{:>12}{WARN:#} {STRONG}{}{STRONG:#}", "Undetermined", plain(path.as_str()))?;
        writeln!(err, "    {}", plain(&error.message))?;
        error.help.iter().try_for_each(|help| writeln!(err, "{GOOD}help{GOOD:#}: {help}"))
    });
}

pub(super) fn conditions(args: IdentityArgs) -> IdentityConditions {
    IdentityConditions {
        identity: args.identity,
        identity_pattern: args.identity_pattern,
        issuer: args.issuer,
        repository: args.repo,
        repository_id: args.repo_id,
        owner_id: args.owner_id,
        workflows: args.workflow,
        reference: args.reference,
        tag: args.tag,
        commit: args.commit,
        runner: args.runner,
        trigger: args.trigger,
    }
}

fn as_json(outcome: &Outcome) -> serde_json::Value {
    let mut value = match &outcome.result {
        Ok(verified) => json!({ "path": outcome.path, "verdict": "verified", "verified": verified }),
        Err(NotVerified::Rejected(rejection)) => {
            json!({ "path": outcome.path, "verdict": "rejected", "reasons": rejection.reasons() })
        }
        Err(NotVerified::Undetermined(error)) => {
            json!({ "path": outcome.path, "verdict": "undetermined", "why": error.message, "help": error.help })
        }
    };
    match &outcome.asked {
        Some(Asked::Answered { from, repository, asked, count, has_more, is_remembered }) => {
            value["attestations"] = json!({
                "from": from, "repository": repository, "asked": asked, "count": count, "has_more": has_more,
                "remembered": is_remembered,
            });
        }
        Some(Asked::Offline { from }) => value["attestations"] = json!({ "from": from, "asked": null }),
        None => {}
    }
    if let Some(day) = &outcome.day {
        value["roots_of"] = json!(day.archived);
        value["rotated"] = json!(day.rotated);
    }
    value
}

pub(super) fn show_verified(shell: &Shell, path: &Utf8Path, verified: &Verified) {
    shell.err(|err| {
        writeln!(err, "{GOOD}{:>12}{GOOD:#} {}", "Verified", plain(path.as_str()))?;
        let release = [Some(verified.name()), verified.version(), verified.target()];
        let release: Vec<_> = release.into_iter().flatten().collect();
        writeln!(err, "{:>12} {}", "release", plain(&release.join(" ")))?;
        writeln!(err, "{:>12} {}", "signer", plain(verified.signer()))?;
        for (label, line) in signed(verified.signatures()) {
            writeln!(err, "{label:>12} {}", plain(&line))?;
        }
        writeln!(
            err,
            "{:>12} {}, {}",
            "content",
            counted(verified.files(), "file"),
            counted(verified.statements(), "statement")
        )?;
        for artifact in verified.artifacts() {
            writeln!(err, "{:>12} {} {DIM}sha256:{}{DIM:#}", "artifact", plain(artifact.path()), artifact.sha256())?;
            for line in artifact.provenance().map(provenance).into_iter().flatten() {
                writeln!(err, "{:>12} {}", "", plain(&line))?;
            }
        }
        if let Some(level) = verified.build_level() {
            writeln!(err, "{:>12} {}: {}", "build level", level.level, plain(&level.because))?;
            if let Some(why) = &level.not_higher {
                writeln!(err, "{:>12} {DIM}not higher: {}{DIM:#}", "", plain(why))?;
            }
        }
        verified.not_proven().iter().try_for_each(|note| writeln!(err, "{DIM}{:>12}{DIM:#} {}", "not proven", plain(note)))
    });
}

/// Who signed, when and where it is logged, each once: the bundles of a release are signed alike.
fn signed(signatures: &[SignatureFacts]) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    let mut add = |label, line: String| {
        if !lines.iter().any(|(_, other)| *other == line) {
            lines.push((label, line));
        }
    };
    for signature in signatures {
        if let Some(who) = &signature.identity {
            add("issuer", who.issuer.clone());
            let place = [("at", &who.commit), ("from", &who.reference), ("on", &who.runner), ("by", &who.trigger)];
            let place = place.iter().filter_map(|(word, value)| value.as_ref().map(|value| format!(" {word} {value}")));
            if let Some(repository) = &who.repository {
                add("repository", format!("{repository}{}", place.collect::<String>()));
            }
            who.workflow.iter().for_each(|workflow| add("workflow", workflow.clone()));
        }
        for time in &signature.times {
            add("time", format!("{} by {}", time.time, time.source.as_str()));
        }
        for log in &signature.logs {
            add("log", format!("{} entry {}", log.log, log.index));
        }
        if let Some(root) = &signature.trusted_root {
            let age = match (root.current_until, root.newest) {
                (Some(until), _) => format!(" ({}, current until {})", root.source.as_str(), until.date()),
                (None, Some(newest)) => format!(" of {} or later", newest.date()),
                (None, None) => String::new(),
            };
            add("trusted root", format!("{}{age} sha256:{}", root.name, root.sha256));
        }
    }
    lines
}

/// What the signer claims of the build.
fn provenance(facts: &ProvenanceFacts) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(commit) = &facts.commit {
        let state = match facts.dirty {
            Some(true) => " with uncommitted changes",
            Some(false) => "",
            None => " (unknown whether changed)",
        };
        lines.push(format!("built from {} at {commit}{state}", facts.source_uri.as_deref().unwrap_or("an unnamed repository")));
    }
    if let Some(builder) = &facts.builder_id {
        lines.push(format!("by {builder}"));
    }
    if let Some(folder) = &facts.target_folder {
        lines.push(format!("in a {folder} target folder"));
    }
    lines
}

pub(super) fn show_rejection(shell: &Shell, path: &Utf8Path, rejection: &Rejection) {
    shell.err(|err| {
        writeln!(err, "{BAD}{:>12}{BAD:#} {STRONG}{}{STRONG:#}", "Rejected", plain(path.as_str()))?;
        for reason in rejection.reasons() {
            writeln!(err, "  {BAD}{}{BAD:#} {}", reason.id, plain(&reason.path))?;
            writeln!(err, "    {}", plain(&reason.message))?;
        }
        match rejection.reasons().first() {
            Some(reason) => writeln!(err, "{GOOD}help{GOOD:#}: {}", reason.id.help()),
            None => Ok(()),
        }
    });
}
