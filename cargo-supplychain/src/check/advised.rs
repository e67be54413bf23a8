//! What the `advisory/` rules about crates share: a finding for each hit of one kind, with what is decided about it; and which advisories an update
//! fixes.

use super::fix_path::{FixPath, fix_path};
use super::reach::reach;
use super::{Advisories, Facts, is_off};
use crate::advisory::signals::is_cve;
use crate::advisory::triage::{Case, Policy, ratings, triage};
use crate::advisory::{self, Advisory, Hit, Kind, Rating, first_patched};
use crate::base::Location;
use crate::finding::{Finding, Reach, ReachAnswer, Severity, Triage};
use crate::model::change::EarlierPackage;
use crate::model::{LockedPackage, Lockfile};

/// The rule of what is known to be exploited.
pub(super) const EXPLOITED: &str = "advisory/known-exploited";

/// One finding for each hit of `kind`. `severity` rates an advisory whose package takes part in the build by all ratings that are known of it; one
/// that the lockfile only resolves is [`Severity::Info`], which the message says. What is known to be exploited is another rule's, unless that
/// is off.
pub(super) fn findings(
    facts: &Facts<'_>,
    id: &'static str,
    kind: Kind,
    severity: impl Fn(&[Rating]) -> Severity,
) -> Vec<Finding> {
    let is_here = |hit: &&Hit| hit.advisory.kind == kind && (is_off(facts, EXPLOITED) || !is_exploited(facts, &hit.advisory));
    hits(facts, is_here).filter_map(|(lockfile, hit)| finding(facts, lockfile, id, hit, &severity)).collect()
}

/// One finding for each hit that is known to be exploited.
pub(super) fn exploited(facts: &Facts<'_>) -> Vec<Finding> {
    let is_here = |hit: &&Hit| is_exploited(facts, &hit.advisory);
    hits(facts, is_here).filter_map(|(lockfile, hit)| finding(facts, lockfile, EXPLOITED, hit, |_| Severity::Critical)).collect()
}

fn hits<'f>(facts: &Facts<'f>, wanted: impl Fn(&&Hit) -> bool) -> impl Iterator<Item = (&'f Lockfile, &'f Hit)> {
    let hits = match facts.advisories {
        Advisories::Loaded { hits, .. } => hits.as_slice(),
        Advisories::Unavailable { .. } => &[],
    };
    let lockfile = facts.lock.lockfile();
    hits.iter().filter(wanted).filter_map(move |hit| Some((lockfile?, hit)))
}

/// A crate that does harm itself is `advisory/malicious`, and what is only said of a crate is nothing that is exploited.
fn is_exploited(facts: &Facts<'_>, advisory: &Advisory) -> bool {
    let is_listed = |id: &str| facts.sources.signals.kev.as_ref().is_some_and(|kev| kev.contains_key(id));
    matches!(advisory.kind, Kind::Vulnerability | Kind::Unsound) && advisory.ids().any(is_listed)
}

fn finding(
    facts: &Facts<'_>,
    lockfile: &Lockfile,
    id: &'static str,
    hit: &Hit,
    severity: impl Fn(&[Rating]) -> Severity,
) -> Option<Finding> {
    let package = lockfile.packages.get(hit.package)?;
    let advisory = &hit.advisory;
    let in_build = takes_part(facts, hit.package, package);
    let aside = match (in_build, facts.archived) {
        (true, _) => "",
        (false, None) => " (not in this build)",
        (false, Some(_)) => " (in no released file)",
    };
    let message = format!("{}: {}{aside}", advisory.id, advisory.title);
    let ids: Vec<_> = advisory.ids().map(str::to_owned).collect();
    let record = facts.sources.signals.record(advisory.ids()).map(|(_, record)| record);
    let all = ratings(&advisory.ratings, record);
    let severity = if in_build { severity(&all) } else { Severity::Info };
    let mut finding = Finding::new(id, severity, message)
        .about(&package.name, &package.version)
        .at(Location::line(&lockfile.path, package.line))
        .known_as(ids.iter().cloned());
    for fact in evidence(advisory, &all) {
        finding = finding.because(fact);
    }
    let is_decided_about = advisory.kind == Kind::Vulnerability || (advisory.kind == Kind::Unsound && record.is_some());
    if in_build && is_decided_about {
        let published = advisory.date.parse().ok();
        finding = decided(facts, finding, &Case { ids: &ids, published, ratings: &advisory.ratings });
    }
    let reach = reach(facts, advisory, package);
    // That it is in the lockfile only, the message says.
    let is_told = |reach: &&Reach| reach.answer != ReachAnswer::ResolvedOnly;
    for line in reach.iter().filter(is_told).flat_map(Reach::lines) {
        finding = finding.because(line);
    }
    finding = finding.reaching(reach);
    for id in advisory.ids() {
        for entry in facts.sources.signals.japanese.get(id).into_iter().flatten() {
            finding = finding.because(format!("{}: {} ({})", entry.id, entry.title, entry.url));
        }
    }
    Some(finding.help(help(facts, advisory, lockfile, hit.package, package)))
}

/// Adds what is decided about a vulnerability, with the signals that it stands on.
pub(super) fn decided(facts: &Facts<'_>, finding: Finding, case: &Case<'_>) -> Finding {
    let settings = &facts.settings.triage;
    let signals = &facts.sources.signals;
    if signals.are_none() && settings.answers.is_empty() {
        return finding.because("not triaged: there is no KEV catalogue, no EPSS scores and no CVE records");
    }
    let policy = Policy { table: settings.table, answers: &settings.answers, days: &settings.days };
    let triage = triage(case, signals, &policy);
    let finding = finding.because(triage.line());
    let has_cve = case.ids.iter().any(|id| is_cve(id));
    let finding = finding.because(exploitation(facts, &triage)).because(likelihood(facts, &triage, has_cve));
    finding.triaged(triage)
}

fn exploitation(facts: &Facts<'_>, triage: &Triage) -> String {
    let kev = facts.sources.signals.kev.as_ref();
    match (triage.known_exploited, kev) {
        (Some(true), _) => "KEV: known to be exploited".to_owned(),
        (Some(false), _) => "KEV: not listed".to_owned(),
        (None, None) => "KEV: no signal, there is no catalogue".to_owned(),
        (None, Some(_)) => "KEV: no signal, it has no CVE id".to_owned(),
    }
}

fn likelihood(facts: &Facts<'_>, triage: &Triage, has_cve: bool) -> String {
    match (&triage.epss, &facts.sources.signals.epss) {
        (Some(epss), _) => {
            let date = epss.date.map(|date| format!(" of {}", date.date())).unwrap_or_default();
            format!("EPSS: {} (percentile {}), model {}{date}", epss.probability, epss.percentile, epss.model)
        }
        (None, None) => "EPSS: no signal, there are no scores".to_owned(),
        (None, Some(_)) if !has_cve => "EPSS: no signal, it has no CVE id".to_owned(),
        (None, Some(_)) => "EPSS: no signal, its CVE has no score".to_owned(),
    }
}

/// The advisories that hit what was locked before and not what is now in its place. Notices and unmaintained crates are not fixed by a
/// version. None where advisories are not known.
pub(super) fn fixed_by<'f>(facts: &Facts<'f>, previous: Option<&EarlierPackage>, package: &LockedPackage) -> Vec<&'f Advisory> {
    let (Advisories::Loaded { database, .. }, Some(previous)) = (facts.advisories, previous) else { return Vec::new() };
    let name = &package.name;
    let still = advisory::applying(database, name, &package.version, package.source.as_deref());
    let still: Vec<_> = still.map(|advisory| &advisory.id).collect();
    let before = advisory::applying(database, name, &previous.version, previous.source.as_deref());
    let before = before.filter(|advisory| !still.contains(&&advisory.id));
    before.filter(|advisory| advisory.kind.is_fixed_by_update()).collect()
}

/// Whether the package is linked into or helps to build an artifact. Not known is yes: without a plan nothing is rated down.
pub(super) fn takes_part(facts: &Facts<'_>, index: usize, package: &LockedPackage) -> bool {
    if let Some(parts) = facts.archived {
        return parts.contains(&index);
    }
    let Ok(build) = facts.build else { return true };
    if build.artifacts.is_empty() {
        return true;
    }
    let version = package.version.to_string();
    let mut same = build.components.values().filter(|other| other.name == package.name && other.version == version).peekable();
    same.peek().is_none() || same.any(|component| build.takes_part(&component.purl))
}

fn evidence(advisory: &Advisory, ratings: &[Rating]) -> Vec<String> {
    let list = |texts: Vec<String>| texts.join(", ");
    let mut facts = Vec::new();
    if !advisory.aliases.is_empty() {
        facts.push(format!("also known as {}", list(advisory.aliases.clone())));
    }
    for rating in ratings {
        facts.push(rated(rating));
    }
    if advisory.kind == Kind::Vulnerability && !ratings.iter().any(|rating| rating.score.is_some()) {
        facts.push("not scored, which counts as high".to_owned());
    }
    let patched = advisory.versions.patched().iter().map(ToString::to_string).collect::<Vec<_>>();
    facts.push(if patched.is_empty() { "no patched version".to_owned() } else { format!("patched in {}", list(patched)) });
    facts.extend(advisory.url.clone());
    facts
}

/// A rating in one line; RustSec's needs no source.
pub(super) fn rated(rating: &Rating) -> String {
    let by = if rating.source == "RustSec" { String::new() } else { format!(", by {}", rating.source) };
    match rating.score {
        Some(tenths) => format!("score {}.{}, {}{by}", tenths / 10, tenths % 10, rating.vector),
        None => format!("unscored, {}{by}", rating.vector),
    }
}

fn help(facts: &Facts<'_>, advisory: &Advisory, lockfile: &Lockfile, index: usize, package: &LockedPackage) -> String {
    let name = &package.name;
    if advisory.kind == Kind::Malicious {
        return format!(
            "remove {name} {} from the lockfile, and treat every machine that built it as compromised: \
             https://rustsec.org/advisories/{}.html",
            package.version, advisory.id
        );
    }
    let is_ambiguous = lockfile.packages.iter().filter(|other| other.name == *name).count() > 1;
    let spec = if is_ambiguous { format!("{name}@{}", package.version) } else { name.clone() };
    let command = |version: &semver::Version| format!("cargo update -p {spec} --precise {version}");
    if advisory.kind.is_fixed_by_update() {
        match fix_path(facts, lockfile, index) {
            Some(FixPath::Update(version)) => return format!("run `{}`", command(&version)),
            Some(FixPath::Blocked { fixed, by }) if !by.is_empty() => return blocked(name, &fixed, &by),
            _ => {}
        }
    }
    let Some(patched) = first_patched(advisory, &package.version) else {
        return format!(
            "no patched version is known: look for a replacement of {name}, or exempt {} with a reason and an expiry",
            advisory.id
        );
    };
    if is_compatible(&package.version, &patched) {
        format!("run `{}`", command(&patched))
    } else {
        format!(
            "{patched} is the first patched version: raise the requirement on {name} (or update what requires it), then run `{}`",
            command(&patched)
        )
    }
}

fn blocked(name: &str, fixed: &semver::Version, by: &[super::fix_path::Blocker]) -> String {
    let one = |blocker: &super::fix_path::Blocker| {
        let who = format!("{} {} requires {name} {}", blocker.name, blocker.version, blocker.requirement);
        match (&blocker.allows_from, blocker.is_own) {
            (_, true) => format!("{who}: raise it in its Cargo.toml"),
            (Some(version), false) => format!("{who}: {version} of it is the first that allows a fixed version"),
            (None, false) => format!("{who}, and so does its newest release"),
        }
    };
    format!(
        "{name} {fixed} is the first fixed version, and what is locked does not allow it: {}",
        by.iter().map(one).collect::<Vec<_>>().join("; ")
    )
}

/// Whether a caret requirement on `from` allows `to`.
fn is_compatible(from: &semver::Version, to: &semver::Version) -> bool {
    match (from.major, from.minor) {
        (0, 0) => (to.major, to.minor, to.patch) == (0, 0, from.patch),
        (0, minor) => (to.major, to.minor) == (0, minor),
        (major, _) => to.major == major,
    }
}
