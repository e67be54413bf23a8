//! What the five `advisory/` rules share: a finding for each hit of one kind; and which advisories an update fixes.

use super::{Advisories, Facts};
use crate::advisory::{self, Advisory, Hit, Kind, first_patched};
use crate::base::Location;
use crate::finding::{Finding, Severity};
use crate::model::change::EarlierPackage;
use crate::model::{LockedPackage, Lockfile};

/// One finding for each hit of `kind`. `severity` rates an advisory whose package takes part in the build; one that the lockfile
/// only resolves is [`Severity::Info`], which the message says.
pub(super) fn findings(
    facts: &Facts<'_>,
    id: &'static str,
    kind: Kind,
    severity: impl Fn(&Advisory) -> Severity,
) -> Vec<Finding> {
    let (Advisories::Loaded { hits, .. }, Some(lockfile)) = (facts.advisories, facts.lock.lockfile()) else {
        return Vec::new();
    };
    let of_kind = hits.iter().filter(|hit| hit.advisory.kind == kind);
    of_kind.filter_map(|hit| finding(facts, lockfile, id, hit, &severity)).collect()
}

fn finding(
    facts: &Facts<'_>,
    lockfile: &Lockfile,
    id: &'static str,
    hit: &Hit,
    severity: impl Fn(&Advisory) -> Severity,
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
    let severity = if in_build { severity(advisory) } else { Severity::Info };
    let mut finding = Finding::new(id, severity, message)
        .about(&package.name, &package.version)
        .at(Location::line(&lockfile.path, package.line))
        .known_as(std::iter::once(advisory.id.clone()).chain(advisory.aliases.iter().cloned()));
    for fact in evidence(advisory) {
        finding = finding.because(fact);
    }
    Some(finding.help(help(advisory, lockfile, package)))
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
    before.filter(|advisory| matches!(advisory.kind, Kind::Vulnerability | Kind::Malicious | Kind::Unsound)).collect()
}

/// Whether the package is linked into or helps to build an artifact. Not known is yes: without a plan nothing is rated down.
fn takes_part(facts: &Facts<'_>, index: usize, package: &LockedPackage) -> bool {
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

fn evidence(advisory: &Advisory) -> Vec<String> {
    let list = |texts: Vec<String>| texts.join(", ");
    let mut facts = Vec::new();
    if !advisory.aliases.is_empty() {
        facts.push(format!("also known as {}", list(advisory.aliases.clone())));
    }
    match (advisory.score, &advisory.cvss) {
        (Some(tenths), Some(vector)) => facts.push(format!("score {}.{}, {vector}", tenths / 10, tenths % 10)),
        _ if advisory.kind == Kind::Vulnerability => facts.push("not scored, which counts as high".to_owned()),
        _ => {}
    }
    let patched = advisory.versions.patched().iter().map(ToString::to_string).collect::<Vec<_>>();
    facts.push(if patched.is_empty() { "no patched version".to_owned() } else { format!("patched in {}", list(patched)) });
    facts.extend(advisory.url.clone());
    facts
}

fn help(advisory: &Advisory, lockfile: &Lockfile, package: &LockedPackage) -> String {
    let name = &package.name;
    if advisory.kind == Kind::Malicious {
        return format!(
            "remove {name} {} from the lockfile, and treat every machine that built it as compromised: \
             https://rustsec.org/advisories/{}.html",
            package.version, advisory.id
        );
    }
    let Some(patched) = first_patched(advisory, &package.version) else {
        return format!(
            "no patched version is known: look for a replacement of {name}, or exempt {} with a reason and an expiry",
            advisory.id
        );
    };
    let is_ambiguous = lockfile.packages.iter().filter(|other| other.name == *name).count() > 1;
    let spec = if is_ambiguous { format!("{name}@{}", package.version) } else { name.clone() };
    let command = format!("cargo update -p {spec} --precise {patched}");
    if is_compatible(&package.version, &patched) {
        format!("run `{command}`")
    } else {
        format!(
            "{patched} is the first patched version: raise the requirement on {name} (or update what requires it), then run `{command}`"
        )
    }
}

/// Whether a caret requirement on `from` allows `to`.
fn is_compatible(from: &semver::Version, to: &semver::Version) -> bool {
    match (from.major, from.minor) {
        (0, 0) => (to.major, to.minor, to.patch) == (0, 0, from.patch),
        (0, minor) => (to.major, to.minor) == (0, minor),
        (major, _) => to.major == major,
    }
}
