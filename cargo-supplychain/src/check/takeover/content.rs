//! The signals about what is published: S5, S6, S7, S8, S10. From the index, and from sources where they are on this machine.

use super::{Answer, Evidence, NOT_THERE, points, there, unknown};
use crate::check::Facts;
use crate::check::kin::Newcomer;
use crate::check::publishers::{brief, differ};
use crate::check::release_walk::are_compatible;
use crate::model::capability::{Capabilities, Reach, ReachKind};

/// Words of the kind shell that fetch something from the network.
const DOWNLOADERS: [&str; 7] = ["curl", "wget", "powershell", "pwsh", "invoke-webrequest", "bitsadmin", "certutil"];

fn foreign<'e>(evidence: &'e Evidence<'_, '_>) -> impl Iterator<Item = &'e Newcomer> {
    evidence.newcomers.iter().filter(|newcomer| newcomer.is_foreign())
}

/// S5: adds a dependency that first appeared less than 14 days before, by other people. Where all of them are only guessed to be, it
/// is no finding alone: over 487 real updates, none of them an attack, nearly every alarm of the score was such a guess.
pub(super) fn s5_young_dependency(evidence: &Evidence<'_, '_>) -> Answer {
    let points = if foreign(evidence).all(Newcomer::is_guessed) { points::GUESSED_DEPENDENCY } else { points::YOUNG_DEPENDENCY };
    let added: Vec<_> = foreign(evidence)
        .map(|newcomer| {
            let whose = if newcomer.unknown.is_some() { "with no sign of the same people" } else { "by somebody else" };
            format!("{}, first published {}, {whose}", brief(&newcomer.key.name), newcomer.when())
        })
        .collect();
    if added.is_empty() {
        return NOT_THERE;
    }
    there(5, points, format!("adds {}; 0.12 % of releases do", added.join("; ")))
}

/// S6: the name of that dependency looks like a known one.
pub(super) fn s6_look_alike(evidence: &Evidence<'_, '_>) -> Answer {
    let found = foreign(evidence).find_map(|newcomer| Some((newcomer, newcomer.look_alike.as_ref()?)));
    let Some((newcomer, like)) = found else { return NOT_THERE };
    let says =
        format!("{} {} from {}; no release measured adds such a one", brief(&newcomer.key.name), like.how, brief(&like.of));
    there(6, points::LOOK_ALIKE, says)
}

/// S7: a compatible release gains a build script, a proc macro or `links`, or that dependency has one.
pub(super) fn s7_runs_at_build(evidence: &Evidence<'_, '_>) -> Answer {
    if !evidence.step.is_compatible() {
        return NOT_THERE;
    }
    for newcomer in foreign(evidence).filter(|newcomer| counts_at_build(evidence, newcomer)) {
        if let Some(what) = runs_at_build(evidence.facts, newcomer) {
            return there(7, points::RUNS_AT_BUILD, format!("{} has {what}", brief(&newcomer.key.name)));
        }
    }
    let links = |release: &crate::model::registry::Release| release.links.is_some();
    if links(evidence.step.release) && evidence.step.against.is_some_and(|against| !links(against)) {
        return there(7, points::RUNS_AT_BUILD, "gains `links`, and so native code or a build script");
    }
    // A step from what was locked that breaks compatibility may well be a rewrite, even where the release before was compatible.
    if compared_with(evidence).is_some_and(|before| !are_compatible(before, &evidence.step.release.version)) {
        return NOT_THERE;
    }
    match sources(evidence) {
        Ok(Some((before, after))) => {
            let gains = [
                (after.build_script && !before.build_script, "a build script"),
                (after.proc_macro && !before.proc_macro, "a proc macro"),
            ];
            let gained = gains.into_iter().find(|(is_gained, _)| *is_gained);
            gained.map_or(NOT_THERE, |(_, what)| there(7, points::RUNS_AT_BUILD, format!("gains {what}")))
        }
        Ok(None) => NOT_THERE,
        Err(what) => gained_since_baseline(evidence).map_or_else(
            || unknown(what),
            |what| there(7, points::RUNS_AT_BUILD, format!("gains {what}, which the baseline does not know")),
        ),
    }
}

/// Where nobody said whose the dependency is, a build script alone adds nothing: of 17,231 releases measured by names only, 26 added one that
/// seemed to be somebody else's, all were of the same people or well meant, and 4 had a build script.
fn counts_at_build(evidence: &Evidence<'_, '_>, newcomer: &Newcomer) -> bool {
    !newcomer.is_guessed() || newcomer_reaches_out(evidence, newcomer).is_some()
}

fn newcomer_reaches_out(evidence: &Evidence<'_, '_>, newcomer: &Newcomer) -> Option<String> {
    let sources = newcomer.capabilities(evidence.facts);
    sources.into_iter().find_map(|known| reaches_out(&Capabilities::default(), known))
}

/// Without the sources of before: what the locked release has and the baseline says that it had not.
fn gained_since_baseline(evidence: &Evidence<'_, '_>) -> Option<&'static str> {
    if !evidence.walk.is_locked(evidence.step) {
        return None;
    }
    let flags = &evidence.publications.known?.flags;
    let key = (evidence.walk.key.clone(), evidence.step.release.version.clone());
    let after = evidence.facts.capabilities.get(&key)?.as_ref().ok()?;
    let gains = [
        (after.build_script && flags.build_script == Some(false), "a build script"),
        (after.proc_macro && flags.proc_macro == Some(false), "a proc macro"),
    ];
    gains.into_iter().find(|(is_gained, _)| *is_gained).map(|(_, what)| what)
}

/// What of a new dependency runs on the machine that builds it.
pub(in crate::check) fn runs_at_build(facts: &Facts<'_>, newcomer: &Newcomer) -> Option<&'static str> {
    let sources = newcomer.capabilities(facts);
    if sources.iter().any(|known| known.build_script) {
        return Some("a build script");
    }
    if sources.iter().any(|known| known.proc_macro) {
        return Some("a proc macro");
    }
    let history = facts.registry.histories.get(&newcomer.key).and_then(|history| history.as_ref().ok());
    let links = history.is_some_and(|history| history.releases.iter().any(|release| release.links.is_some()));
    links.then_some("`links`")
}

/// S8: another repository than before, or no trace of a clean commit where there was one.
pub(super) fn s8_other_source(evidence: &Evidence<'_, '_>) -> Answer {
    let Some(against) = evidence.step.against else { return NOT_THERE };
    let named = |version| evidence.publications.version(version).and_then(|published| published.repository.as_deref());
    let (was, is) = (named(&against.version), named(&evidence.step.release.version));
    let moved = |was: &str, is: &str| {
        there(8, points::OTHER_SOURCE, format!("names the repository {}, before it was {}", brief(is), brief(was)))
    };
    if let (Some(was), Some(is)) = (was, is)
        && differ(Some(was), Some(is))
    {
        return moved(was, is);
    }
    let Ok(Some((before, after))) = sources(evidence) else { return NOT_THERE };
    if let (Some(was), Some(is)) = (&before.repository, &after.repository)
        && differ(Some(was), Some(is))
    {
        return moved(was, is);
    }
    match (&before.vcs, &after.vcs) {
        (Some(_), None) => there(8, points::OTHER_SOURCE, "no longer says which commit it was packaged from"),
        (Some(was), Some(is)) if is.dirty && !was.dirty => {
            there(8, points::OTHER_SOURCE, "was packaged from a work tree with changes that are in no commit")
        }
        _ => NOT_THERE,
    }
}

/// S10: a new executable, encoded data, or a build that reaches for the network.
pub(super) fn s10_reaches_out(evidence: &Evidence<'_, '_>) -> Answer {
    for newcomer in foreign(evidence) {
        if let Some(what) = newcomer_reaches_out(evidence, newcomer) {
            return there(10, points::REACHES_OUT, format!("{} has {what}", brief(&newcomer.key.name)));
        }
    }
    // S7 names sources that are not known.
    let Ok(Some((before, after))) = sources(evidence) else { return NOT_THERE };
    reaches_out(before, after).map_or(NOT_THERE, |what| there(10, points::REACHES_OUT, format!("gains {what}")))
}

/// What is there now and was not there before. Where there was a file of a kind, another name for it is nothing new.
fn reaches_out(before: &Capabilities, after: &Capabilities) -> Option<String> {
    let is_new = |reach: &&Reach| !before.build_reaches.iter().any(|known| known.kind == reach.kind && known.word == reach.word);
    let is_outward = |reach: &&Reach| match reach.kind {
        ReachKind::Network | ReachKind::Webhook => true,
        ReachKind::Shell => DOWNLOADERS.contains(&reach.word.to_ascii_lowercase().as_str()),
        ReachKind::Process | ReachKind::Environment => false,
    };
    if let Some(reach) = after.build_reaches.iter().filter(is_outward).find(is_new) {
        return Some(format!("a build that reaches for `{}` ({}:{})", brief(&reach.word), brief(&reach.path), reach.line));
    }
    if let (Some(blob), true) = (after.blobs.first(), before.blobs.is_empty()) {
        return Some(format!("the executable file {}", brief(blob)));
    }
    if let (Some(encoded), true) = (after.encoded.first(), before.encoded.is_empty()) {
        return Some(format!("encoded data in {}", brief(encoded)));
    }
    None
}

/// The sources of the locked release and of what was locked before it; `None` for a release that the update skipped. `Err`: which
/// are not known.
fn sources<'e>(evidence: &'e Evidence<'_, '_>) -> Result<Option<(&'e Capabilities, &'e Capabilities)>, String> {
    let Some(before) = compared_with(evidence) else { return Ok(None) };
    let of = |version: &semver::Version| {
        let known = evidence.facts.capabilities.get(&(evidence.walk.key.clone(), version.clone()));
        known.and_then(|known| known.as_ref().ok()).ok_or_else(|| format!("sources of {version}"))
    };
    let after = of(&evidence.step.release.version)?;
    Ok(Some((of(before)?, after)))
}

/// The version whose sources the locked release is compared with: what was locked before it, else the release before.
fn compared_with<'e>(evidence: &'e Evidence<'_, '_>) -> Option<&'e semver::Version> {
    let previous = evidence.walk.change.previous.as_ref().map(|previous| &previous.version);
    let before = previous.or(evidence.step.against.map(|against| &against.version));
    before.filter(|_| evidence.walk.is_locked(evidence.step))
}
