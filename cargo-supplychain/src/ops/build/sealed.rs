//! The sealed build as far as it is decided here: how much of a seal is asked for, whether the build may begin without one, and what follows
//! from what was tried in it. Never here: the seal itself.

use camino::Utf8Path;

use super::{Outcome, Request};
use crate::base::Context;
use crate::config::Settings;
use crate::finding::{Area, Report, Verdict};
use crate::model::sandbox::{Enforcement, SandboxFacts, SandboxMode};
use crate::ops::gather::Gathered;
use crate::ops::judge::{self, Judged};
use crate::ops::{Class, Error, denied};
use crate::sandbox;

/// How much of a seal is asked for: `--sandbox`, else `sandbox` among what is required, else `[sandbox] mode`.
pub(super) fn mode(request: &Request, settings: &Settings) -> SandboxMode {
    let is_required = [&request.judge.require, &settings.require].into_iter().any(|areas| areas.contains(&Area::Sandbox));
    match (request.sandbox, settings.sandbox.mode) {
        (Some(mode), _) => mode,
        (None, _) if request.judge.require.contains(&Area::Sandbox) => SandboxMode::Require,
        (None, SandboxMode::Auto) if is_required => SandboxMode::Require,
        (None, mode) => mode,
    }
}

/// Why nothing can enclose a build here; none: it can be, or nobody asks.
pub(in crate::ops) fn missing(mode: SandboxMode) -> Option<String> {
    if mode == SandboxMode::Off { None } else { sandbox::probe().err().map(|error| error.to_string()) }
}

/// Ends the run where a seal is required and `missing` says why there is none (a fragment: `this system has no Landlock`).
pub(super) fn refuse_unsealed(mode: SandboxMode, missing: Option<&str>) -> Result<(), Error> {
    match missing {
        Some(why) if mode == SandboxMode::Require => Err(Error::new(
            Class::Undetermined,
            &format!("the build cannot be sealed, which is required: {why}; nothing was built"),
        )
        .with_help("build on Linux with Landlock (5.19 or later, ABI 2); `--sandbox auto` builds without, and says so")),
        _ => Ok(()),
    }
}

/// What is known of a build that nothing enclosed.
pub(super) fn unsealed(mode: SandboxMode, missing: Option<&str>) -> SandboxFacts {
    let (why, asked_off) = match (mode, missing) {
        (SandboxMode::Off, _) => ("it was switched off", true),
        (_, why) => (why.unwrap_or("it was not asked for"), false),
    };
    let enforcement = Enforcement::None { why: why.to_owned(), asked_off };
    SandboxFacts { enforcement, attempts: Vec::new(), unlisted: 0 }
}

/// Whoever fails at the finding that nothing encloses the build hears of it before anything is compiled.
pub(super) fn stops_unsealed(judged: &mut Judged, run: Run<'_>, mode: SandboxMode, missing: Option<&str>) -> bool {
    if missing.is_none() || mode == SandboxMode::Off {
        return false;
    }
    let (context, gathered, request) = run;
    judged.judge_sandbox(context, gathered, request, unsealed(mode, missing));
    judged.report.enforced_verdict() != Verdict::Pass
}

/// What a run is judged with.
type Run<'a> = (&'a Context, &'a Gathered, &'a judge::Request);

/// How the compilation ended.
pub(super) enum Ended<T> {
    /// The release can be written.
    GoOn(T),
    /// Nothing is released.
    Stop(Box<Outcome>),
}

/// After the compilation, whether it succeeded or not: what was tried is judged, and recorded in `own` (`target/supplychain`) for
/// `init --sandbox-allow`.
pub(super) fn after_build<T>(
    judged: &mut Judged,
    (context, gathered, request): Run<'_>,
    own: &Utf8Path,
    facts: SandboxFacts,
    built: Result<T, Error>,
) -> Result<Ended<T>, Error> {
    let recorded = denied::record(own, &facts);
    let was_tried = facts.has_attempts();
    judged.judge_sandbox(context, gathered, request, facts);
    let ended = weigh(&judged.report, was_tried, built)?;
    // A record that cannot be written takes nothing from the verdict, and nobody would look for it after a build without attempts.
    if matches!(ended, Ended::GoOn(_)) { recorded.map(|()| ended) } else { Ok(ended) }
}

/// A build that failed because it was refused what it tried has its cause in the report: the report is what is shown, and decides the exit
/// code where it fails. Without attempts it is cargo's failure, as ever.
fn weigh<T>(report: &Report, was_tried: bool, built: Result<T, Error>) -> Result<Ended<T>, Error> {
    let is_refused = report.enforced_verdict() != Verdict::Pass;
    let outcome = match built {
        Err(error) if !was_tried || error.class == Class::Interrupted => return Err(error),
        Ok(built) if !is_refused => return Ok(Ended::GoOn(built)),
        Ok(_) => Outcome::Withheld { report: report.clone(), error: None },
        Err(error) if is_refused => Outcome::Withheld { report: report.clone(), error: Some(error) },
        Err(error) => Outcome::Failed { report: report.clone(), error },
    };
    Ok(Ended::Stop(Box::new(outcome)))
}

#[cfg(test)]
mod tests;
