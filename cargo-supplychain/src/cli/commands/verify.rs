//! `verify`.

use camino::Utf8Path;
use serde_json::json;

use super::super::args::{Format, IdentityArgs, VerifyArgs};
use super::super::exit::Exit;
use super::super::shell::{BAD, DIM, GOOD, STRONG, Shell};
use super::{ENVELOPE_VERSION, json_out};
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::ops;
use crate::ops::Interrupt;
use crate::ops::verify::Outcome;
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
    let request = ops::verify::Request {
        paths: args.paths,
        digest: args.digest,
        bundles: args.bundle,
        key: args.signer.key.clone(),
        trusted_root: args.signer.trusted_root.clone(),
        signer: conditions(args.signer),
        expect_version: args.expect_version,
        require_fresh_target: args.require_fresh_target,
        require_predicates: args.require_predicate,
        policy: args.policy,
        archive: args.archive,
    };
    if args.rebuild {
        let rest = (args.source, args.attest, args.signing_key, args.output);
        return super::rebuild::run(shell, context, request, rest, interrupt);
    }
    let outcomes = ops::verify::verify(context, &request)?;
    let rejected = outcomes.iter().any(|outcome| outcome.result.is_err());
    let exit = if rejected { Exit::Rejected } else { Exit::Pass };
    if shell.format == Format::Json {
        let results: Vec<_> = outcomes.iter().map(as_json).collect();
        json_out(
            shell,
            &json!({
                "schema_version": ENVELOPE_VERSION,
                "exit_code": exit as u8,
                "verdict": if rejected { "rejected" } else { "verified" },
                "results": results,
            }),
        );
    } else {
        for outcome in &outcomes {
            match &outcome.result {
                Ok(verified) => {
                    show_verified(shell, &outcome.path, verified);
                    if let Some(day) = &outcome.day {
                        super::archive::tell_day(shell, day);
                    }
                }
                Err(rejection) => show_rejection(shell, &outcome.path, rejection),
            }
        }
    }
    Ok(exit)
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
        Err(rejection) => json!({ "path": outcome.path, "verdict": "rejected", "reasons": rejection.reasons() }),
    };
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
            let newest = root.newest.map(|newest| format!(" of {} or later", newest.date())).unwrap_or_default();
            add("trusted root", format!("{}{newest} sha256:{}", root.name, root.sha256));
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
