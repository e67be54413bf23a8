//! From what was locked to what is locked, release by release: [`Walk`]. An update that skips a release is judged by that release too, so
//! that an attack in between does not escape, and each release is compared with the one before it. Evidence for the rules, no judgement.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;

use super::Facts;
use crate::base::Timestamp;
use crate::model::change::{Change, ChangeSet};
use crate::model::index::IndexGap;
use crate::model::lockfile::{CRATES_IO, LockedPackage, Lockfile};
use crate::model::registry::{CrateKey, DependencyKind, History, Release, ReleaseDependency};

/// A day, in seconds.
pub(super) const DAY: i64 = 24 * 60 * 60;
/// A dependency is young when its crate first appeared less than so many days before the release that adds it.
pub(super) const YOUNG_DAYS: i64 = 14;

/// The releases that one change of the lockfile brings in.
pub(super) struct Walk<'f> {
    pub change: &'f Change,
    pub package: &'f LockedPackage,
    pub key: CrateKey,
    /// In ascending order of version; the locked release is the last one, where the index has it.
    pub steps: Vec<Step<'f>>,
}

/// A release, and what it is compared with.
pub(super) struct Step<'f> {
    pub release: &'f Release,
    /// The release that it followed; `None` for the first one of a crate.
    pub against: Option<&'f Release>,
    /// The last publication of any release of the crate before it.
    pub last_before: Option<Timestamp>,
    /// What it needs that the one before it did not: required dependencies, and optional ones that are locked, which somebody enabled.
    /// Empty for the first release of a crate.
    pub added: Vec<&'f ReleaseDependency>,
}

impl Walk<'_> {
    /// Whether this is the release that is locked, not one that the update skipped.
    pub(super) fn is_locked(&self, step: &Step<'_>) -> bool {
        step.release.version == self.package.version
    }

    /// `3.3.5 -> 3.3.6`, or the locked version alone for a crate that is new here.
    pub(super) fn versions(&self) -> String {
        match &self.change.previous {
            Some(previous) => format!("{} -> {}", previous.version, self.package.version),
            None => self.package.version.to_string(),
        }
    }
}

impl Step<'_> {
    /// Whether `cargo update` takes people from the release before to this one.
    pub(super) fn is_compatible(&self) -> bool {
        self.against.is_some_and(|against| are_compatible(&against.version, &self.release.version))
    }
}

/// Whether a requirement of the first takes the second as well, as `cargo update` sees it.
pub(super) fn are_compatible(from: &Version, to: &Version) -> bool {
    match (from.major, from.minor) {
        (0, 0) => (to.major, to.minor) == (0, 0),
        (0, minor) => (to.major, to.minor) == (0, minor),
        (major, _) => to.major == major,
    }
}

/// Every change of a registry package whose index entry is known.
pub(super) fn walks<'f>(facts: &Facts<'f>) -> impl Iterator<Item = Walk<'f>> + use<'f> {
    let (changes, histories) = (facts.changes, &facts.registry.histories);
    facts.lock.lockfile().into_iter().flat_map(move |lockfile| walks_of(lockfile, changes, histories))
}

fn walks_of<'f>(
    lockfile: &'f Lockfile,
    changes: &'f ChangeSet,
    histories: &'f Histories,
) -> impl Iterator<Item = Walk<'f>> + use<'f> {
    changes.changes.iter().filter_map(move |change| {
        let package = lockfile.packages.get(change.package)?;
        let key = package.crate_key()?;
        let history = histories.get(&key)?.as_ref().ok()?;
        Some(walk(lockfile, change, package, key, history))
    })
}

fn walk<'f>(
    lockfile: &'f Lockfile,
    change: &'f Change,
    package: &'f LockedPackage,
    key: CrateKey,
    history: &'f History,
) -> Walk<'f> {
    let mut ordered: Vec<&Release> = history.releases.iter().collect();
    ordered.sort_by(|a, b| a.version.cmp(&b.version));
    let mut times: Vec<Timestamp> = history.releases.iter().filter_map(|release| release.published).collect();
    times.sort_unstable();
    let locked: BTreeSet<&str> = (package.dependencies.iter())
        .filter_map(|&dependency| lockfile.packages.get(dependency))
        .map(|dependency| dependency.name.as_str())
        .collect();
    let own = history.release(&package.version);
    let is_in_walk = |at: usize| {
        let release = ordered[at];
        let is_comparable = release.version.pre.is_empty() || !package.version.pre.is_empty();
        is_comparable && release.version <= package.version && published_by(release, own.and_then(|own| own.published))
    };
    // A crate that is new here, and a downgrade, bring in their own release only.
    let start = change.previous.as_ref().map(|previous| &previous.version).filter(|start| **start < package.version);
    let is_after_start = |version: &Version| start.map_or(*version == package.version, |start| version > start);
    let places = (0..ordered.len()).filter(|&at| is_after_start(&ordered[at].version) && is_in_walk(at));
    let steps = places.map(|at| step(&ordered, &times, at, &locked)).collect();
    Walk { change, package, key, steps }
}

/// Published by then; unknown times count as such.
fn published_by(release: &Release, then: Option<Timestamp>) -> bool {
    !matches!((release.published, then), (Some(published), Some(then)) if published > then)
}

fn step<'f>(ordered: &[&'f Release], times: &[Timestamp], at: usize, locked: &BTreeSet<&str>) -> Step<'f> {
    let release = ordered[at];
    // As `History::predecessor`, without looking at every release for every step.
    let comparable = |other: &&&Release| other.version.pre.is_empty() || !release.version.pre.is_empty();
    let earlier = |other: &&&Release| published_by(other, release.published);
    let against = ordered[..at].iter().rev().filter(comparable).find(earlier).copied();
    let last_before = release.published.and_then(|published| {
        let before = times.partition_point(|time| *time < published);
        before.checked_sub(1).map(|last| times[last])
    });
    let added = against.map(|against| added(against, release, locked)).unwrap_or_default();
    Step { release, against, last_before, added }
}

fn added<'f>(against: &Release, release: &'f Release, locked: &BTreeSet<&str>) -> Vec<&'f ReleaseDependency> {
    let is_needed = |dependency: &&ReleaseDependency| {
        dependency.kind != DependencyKind::Dev && (!dependency.optional || locked.contains(dependency.name.as_str()))
    };
    let name = |dependency: &'_ ReleaseDependency| (dependency.name.clone(), dependency.registry.clone());
    let mut seen: BTreeSet<_> = against.dependencies.iter().filter(is_needed).map(name).collect();
    release.dependencies.iter().filter(is_needed).filter(|dependency| seen.insert(name(dependency))).collect()
}

/// The crate that a dependency of a crate names.
pub(super) fn dependency_key(parent: &CrateKey, dependency: &ReleaseDependency) -> CrateKey {
    let source = match &dependency.registry {
        None => parent.source.clone(),
        Some(url) if CRATES_IO.iter().any(|known| known == url || known.strip_prefix("registry+") == Some(url)) => {
            CRATES_IO[0].to_owned()
        }
        Some(url) if url.starts_with("sparse+") => url.clone(),
        Some(url) => format!("registry+{url}"),
    };
    CrateKey { name: dependency.name.clone(), source }
}

/// Index entries, as far as they were read.
type Histories = BTreeMap<CrateKey, Result<History, IndexGap>>;

/// The crates whose index entries the rules need beside those of the changed packages: what the releases of each walk add, and what
/// stands between them and the workspace.
#[must_use]
pub fn further_crates(lockfile: &Lockfile, changes: &ChangeSet, histories: &Histories) -> BTreeSet<CrateKey> {
    let mut wanted = super::way_in::crates_between(lockfile, changes);
    for walk in walks_of(lockfile, changes, histories) {
        let added = walk.steps.iter().flat_map(|step| &step.added);
        wanted.extend(added.map(|dependency| dependency_key(&walk.key, dependency)));
    }
    wanted.retain(|key| !histories.contains_key(key));
    wanted
}

/// The crates whose owners and publishers the rules need beside those of the changed packages: the young dependencies that the releases of
/// a walk added, locked or not.
#[must_use]
pub fn young_crates(lockfile: &Lockfile, changes: &ChangeSet, histories: &Histories) -> BTreeSet<CrateKey> {
    let mut young = BTreeSet::new();
    for walk in walks_of(lockfile, changes, histories) {
        for step in &walk.steps {
            let keys = step.added.iter().map(|dependency| dependency_key(&walk.key, dependency));
            young.extend(keys.filter(|key| age_at(histories, key, step).is_some_and(is_young)));
        }
    }
    young
}

/// From the first publication of a crate to a release, in seconds; negative when it appeared later.
pub(super) fn age_at(histories: &Histories, key: &CrateKey, step: &Step<'_>) -> Option<i64> {
    let first = histories.get(key)?.as_ref().ok()?.first_published()?;
    Some(step.release.published?.unix() - first.unix())
}

pub(super) fn is_young(age: i64) -> bool {
    age < YOUNG_DAYS * DAY
}

#[cfg(test)]
mod tests;
