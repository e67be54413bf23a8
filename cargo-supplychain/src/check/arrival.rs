//! What a change of the lockfile brings in from registries, each with its release in the index: what the rules about freshness and
//! names look at. Packages of paths and git, and what the index does not know, are not here.

use super::Facts;
use crate::base::{Location, Timestamp};
use crate::finding::{Finding, Severity};
use crate::model::change::EarlierPackage;
use crate::model::registry::{CrateKey, DependencyKind, History, Release, ReleaseDependency};
use crate::model::{LockedPackage, Lockfile};

/// A changed package, and its release.
pub(super) struct Arrival<'f> {
    lockfile: &'f Lockfile,
    /// Index into [`Lockfile::packages`].
    pub index: usize,
    pub package: &'f LockedPackage,
    /// What it stands in the place of.
    pub previous: Option<&'f EarlierPackage>,
    pub key: CrateKey,
    pub history: &'f History,
    pub release: &'f Release,
}

/// Of every change, in the order of the lockfile.
pub(super) fn arrivals<'f>(facts: &Facts<'f>) -> Vec<Arrival<'f>> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let arrival = |change: &'f crate::model::change::Change| {
        let package = lockfile.packages.get(change.package)?;
        let key = package.crate_key()?;
        let history = facts.registry.histories.get(&key)?.as_ref().ok()?;
        let release = history.release(&package.version)?;
        Some(Arrival { lockfile, index: change.package, package, previous: change.previous.as_ref(), key, history, release })
    };
    facts.changes.changes.iter().filter_map(arrival).collect()
}

impl Arrival<'_> {
    pub(super) fn finding(&self, id: &'static str, severity: Severity, message: impl Into<String>) -> Finding {
        Finding::new(id, severity, message)
            .about(&self.package.name, &self.package.version)
            .at(Location::line(&self.lockfile.path, self.package.line))
    }

    /// Days from the crate's first release to `now`; `None` where the index has no times.
    pub(super) fn age_of_crate(&self, now: Timestamp) -> Option<i64> {
        Some(now.days_since(self.history.first_published()?))
    }

    /// Days from the latest earlier publication of any version to this one's; `None` for the first, or without times.
    pub(super) fn silence_before(&self) -> Option<i64> {
        let own = self.release.published?;
        let earlier = self.history.releases.iter().filter_map(|release| release.published).filter(|time| *time < own);
        Some(own.days_since(earlier.max()?))
    }

    /// The release to compare with: of the version locked before, else of the one that this one followed.
    pub(super) fn before(&self) -> Option<&Release> {
        let locked = self.previous.and_then(|previous| self.history.release(&previous.version));
        locked
            .filter(|release| release.version < self.release.version)
            .or_else(|| self.history.predecessor(&self.release.version))
    }

    /// Dependencies that are always built with the crate, on some platform at least, and that the release before had in no form.
    pub(super) fn added_dependencies(&self) -> Vec<&ReleaseDependency> {
        let Some(before) = self.before() else { return Vec::new() };
        let is_new = |dependency: &&ReleaseDependency| !before.dependencies.iter().any(|old| old.name == dependency.name);
        let required = self.release.dependencies.iter().filter(|one| one.kind != DependencyKind::Dev && !one.optional);
        required.filter(is_new).collect()
    }
}

/// The first word of a name: `serde` of `serde_json`. Crates of one project mostly share it.
pub(super) fn first_word(name: &str) -> &str {
    name.split(['-', '_']).next().unwrap_or(name)
}
