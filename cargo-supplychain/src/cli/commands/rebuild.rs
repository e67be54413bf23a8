//! `verify --rebuild`.

use camino::Utf8PathBuf;
use serde_json::json;

use super::super::args::Format;
use super::super::exit::Exit;
use super::super::shell::{BAD, DIM, GOOD, STRONG, Shell, WARN};
use super::{ENVELOPE_VERSION, ask_passphrase, json_out, verify};
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::ops;
use crate::ops::Interrupt;
use crate::ops::rebuild::{Outcome, Rebuilt, Request};

/// `rest` is source, whether to attest, the signing key, and where the statement goes.
pub(super) fn run(
    shell: &mut Shell,
    context: &Context,
    request: ops::verify::Request,
    rest: (Option<Utf8PathBuf>, bool, Option<Utf8PathBuf>, Option<Utf8PathBuf>),
    interrupt: &Interrupt,
) -> Result<Exit, ops::Error> {
    let (source, attest, signing_key, output) = rest;
    let request = Request { verify: request, source, attest, signing_key, output };
    match ops::rebuild::rebuild(context, &request, interrupt, &mut ask_passphrase, shell)? {
        Outcome::Rejected { path, rejection } => {
            if shell.format == Format::Json {
                let results = json!([{ "path": path, "verdict": "rejected", "reasons": rejection.reasons() }]);
                show_json(shell, Exit::Rejected, "rejected", &results);
            } else {
                verify::show_rejection(shell, &path, &rejection);
            }
            Ok(Exit::Rejected)
        }
        Outcome::Rebuilt(rebuilt) => Ok(show(shell, &rebuilt)),
    }
}

fn show(shell: &mut Shell, rebuilt: &Rebuilt) -> Exit {
    let (exit, verdict) = if rebuilt.is_reproduced() {
        (Exit::Pass, "reproduced")
    } else if rebuilt.reproduction.differing().next().is_some() {
        (Exit::Rejected, "not-reproduced")
    } else {
        (Exit::Undetermined, "undetermined")
    };
    if shell.format == Format::Json {
        let result = json!({
            "path": rebuilt.path,
            "verdict": verdict,
            "verified": rebuilt.verified,
            "commit": rebuilt.commit,
            "reproduction": rebuilt.reproduction,
            "statement": rebuilt.statement.as_ref().map(|(path, _)| path),
        });
        show_json(shell, exit, verdict, &json!([result]));
    } else {
        verify::show_verified(shell, &rebuilt.path, &rebuilt.verified);
        show_human(shell, rebuilt, exit);
    }
    exit
}

fn show_json(shell: &mut Shell, exit: Exit, verdict: &str, results: &serde_json::Value) {
    let value = json!({ "schema_version": ENVELOPE_VERSION, "exit_code": exit as u8, "verdict": verdict, "results": results });
    json_out(shell, &value);
}

fn show_human(shell: &Shell, rebuilt: &Rebuilt, exit: Exit) {
    let reproduction = &rebuilt.reproduction;
    shell.err(|err| {
        for artifact in reproduction.differing() {
            writeln!(err, "{BAD}{:>12}{BAD:#} {STRONG}{}{STRONG:#}", "differs", plain(&artifact.name))?;
            for cause in artifact.causes() {
                writeln!(err, "{DIM}{:>12}{DIM:#} {}", "in", plain(&cause))?;
            }
        }
        for name in &reproduction.not_compared {
            writeln!(err, "{WARN}{:>12}{WARN:#} {}: cargo does not make this file", "not compared", plain(name))?;
        }
        let what = format!("{} from {}", counted(reproduction.artifacts.len(), "artifact"), rebuilt.commit);
        match exit {
            Exit::Pass => writeln!(err, "{GOOD}{:>12}{GOOD:#} {what}: the same bytes in other folders", "Reproduced")?,
            Exit::Rejected => {
                writeln!(err, "{BAD}{:>12}{BAD:#} {STRONG}the source does not give these files{STRONG:#}", "Rejected")?;
                writeln!(
                    err,
                    "{GOOD}help{GOOD:#}: `first` is the release, `second` the rebuild; docs/rebuild.md says what each cause means"
                )?;
            }
            _ => writeln!(err, "{WARN}{:>12}{WARN:#} not everything of the release was built again", "undetermined")?,
        }
        match &rebuilt.statement {
            Some((path, signer)) => {
                writeln!(err, "{GOOD}{:>12}{GOOD:#} {} by {}", "Attested", plain(path.as_str()), plain(signer))
            }
            None => Ok(()),
        }
    });
}
