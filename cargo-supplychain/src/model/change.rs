//! What a lockfile brings in against an earlier state: the packages that the rules about change judge. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::index::IndexGap;
use super::lockfile::{CRATES_IO, LockedPackage, Lockfile};
use super::registry::{CrateKey, History};
use crate::base::Sha256;

/// The earlier state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// `--base REV`, with the revision as given and the full commit.
    Revision { given: String, commit: String },
    /// A lockfile beside it: `diff OLD NEW`.
    File { path: String },
    /// The committed `supplychain.lock`.
    Baseline,
}

/// A package as an earlier lockfile or the baseline had it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EarlierPackage {
    pub name: String,
    pub version: semver::Version,
    pub source: Option<String>,
    pub checksum: Option<Sha256>,
}

/// A locked package that was not locked before in just this form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Index into [`Lockfile::packages`].
    pub package: usize,
    /// What it stands in the place of; `None`: the crate is new here.
    pub previous: Option<EarlierPackage>,
}

impl Change {
    /// The release of the same registry that this one is compared with, and its digest: what it stands in the place of, else the
    /// release before it. `None` for a first release, or where neither is known.
    #[must_use]
    pub fn release_before<'a>(
        &'a self,
        key: &CrateKey,
        version: &semver::Version,
        histories: &'a BTreeMap<CrateKey, Result<History, IndexGap>>,
    ) -> Option<(&'a semver::Version, Option<Sha256>)> {
        let history = histories.get(key).and_then(|history| history.as_ref().ok());
        let same_registry = |previous: &&EarlierPackage| normal_source(previous.source.as_deref()) == Some(&key.source);
        if let Some(previous) = self.previous.as_ref().filter(same_registry) {
            let of_index = || history?.release(&previous.version).map(|release| release.checksum);
            return Some((&previous.version, previous.checksum.or_else(of_index)));
        }
        history?.predecessor(version).map(|release| (&release.version, Some(release.checksum)))
    }
}

/// What is judged as new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangeSet {
    /// What it was compared with; `None`: nothing to compare with. Then releases of the last [`RECENT_DAYS`] days are judged, each
    /// against the release before it.
    pub before: Option<Before>,
    /// All that was locked before, sorted; empty without `before`.
    pub earlier: Vec<EarlierPackage>,
    /// In the order of the lockfile.
    pub changes: Vec<Change>,
}

/// Without an earlier state, locked versions published within so many days count as new.
pub const RECENT_DAYS: i64 = 90;

impl ChangeSet {
    /// Compares a lockfile with an earlier state. A changed package stands in the place of the earlier version of the same name and
    /// kind of source that is gone, the nearest one where several are; when none is gone, it is compared with the greatest earlier one.
    #[must_use]
    pub fn between(before: Before, mut earlier: Vec<EarlierPackage>, lockfile: &Lockfile) -> Self {
        earlier.sort();
        earlier.dedup();
        let mut by_name = BTreeMap::<&str, Vec<&EarlierPackage>>::new();
        for package in &earlier {
            by_name.entry(&package.name).or_default().push(package);
        }
        let mut now = BTreeMap::<&str, Vec<&LockedPackage>>::new();
        for package in &lockfile.packages {
            now.entry(&package.name).or_default().push(package);
        }
        let mut changes = Vec::new();
        for (index, package) in lockfile.packages.iter().enumerate() {
            let was: &[&EarlierPackage] = by_name.get(package.name.as_str()).map_or(&[], Vec::as_slice);
            if was.iter().any(|one| one.version == package.version && same_source(one, package)) {
                continue;
            }
            let is_gone = |one: &&&EarlierPackage| {
                !now[package.name.as_str()].iter().any(|other| other.version == one.version && same_source(one, other))
            };
            let gone = was.iter().filter(is_gone).copied();
            let previous = nearest(gone, &package.version).or_else(|| nearest(was.iter().copied(), &package.version));
            changes.push(Change { package: index, previous: previous.cloned() });
        }
        drop(by_name);
        Self { before: Some(before), earlier, changes }
    }

    /// Without an earlier state: the given packages, each compared with nothing.
    #[must_use]
    pub fn recent(packages: impl IntoIterator<Item = usize>) -> Self {
        let changes = packages.into_iter().map(|package| Change { package, previous: None }).collect();
        Self { before: None, earlier: Vec::new(), changes }
    }

    /// What was locked before and is gone, without what a change stands in the place of.
    pub fn removed<'s>(&'s self, lockfile: &'s Lockfile) -> impl Iterator<Item = &'s EarlierPackage> {
        let is_there = |earlier: &EarlierPackage| {
            let mut same = lockfile.packages.iter().filter(|package| package.name == earlier.name);
            same.any(|package| package.version == earlier.version && same_source(earlier, package))
        };
        let replaced: BTreeSet<_> = self.changes.iter().filter_map(|change| change.previous.as_ref()).collect();
        self.earlier.iter().filter(move |earlier| !replaced.contains(earlier) && !is_there(earlier))
    }

    /// The change of this package, if it is one.
    #[must_use]
    pub fn of(&self, package: usize) -> Option<&Change> {
        self.changes.get(self.changes.binary_search_by_key(&package, |change| change.package).ok()?)
    }
}

/// The greatest version below, else the smallest above.
fn nearest<'e>(of: impl Iterator<Item = &'e EarlierPackage>, version: &semver::Version) -> Option<&'e EarlierPackage> {
    let (below, above): (Vec<_>, Vec<_>) = of.partition(|one| one.version < *version);
    below
        .into_iter()
        .max_by(|a, b| a.version.cmp(&b.version))
        .or_else(|| above.into_iter().min_by(|a, b| a.version.cmp(&b.version)))
}

fn same_source(earlier: &EarlierPackage, package: &LockedPackage) -> bool {
    normal_source(earlier.source.as_deref()) == normal_source(package.source.as_deref())
}

/// Both spellings of crates.io are one source; of a git source the revision counts.
fn normal_source(source: Option<&str>) -> Option<&str> {
    source.map(|source| if CRATES_IO.contains(&source) { CRATES_IO[0] } else { source })
}

impl LockedPackage {
    /// The crate in its registry; `None` for what comes from elsewhere.
    #[must_use]
    pub fn crate_key(&self) -> Option<CrateKey> {
        let source = normal_source(self.source.as_deref().filter(|_| self.is_registry()))?;
        Some(CrateKey { name: self.name.clone(), source: source.to_owned() })
    }
}

impl From<&LockedPackage> for EarlierPackage {
    fn from(package: &LockedPackage) -> Self {
        Self {
            name: package.name.clone(),
            version: package.version.clone(),
            source: package.source.clone(),
            checksum: package.checksum,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> Lockfile {
        let packages = packages.iter().map(|(name, version)| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{}\"\n", CRATES_IO[0])
        });
        super::super::lockfile::parse("Cargo.lock", packages.collect::<String>().as_bytes()).unwrap()
    }

    #[test]
    fn each_change_stands_in_the_place_of_what_is_gone() {
        let before = lock(&[("a", "1.0.0"), ("b", "1.0.0"), ("b", "2.0.0"), ("c", "1.0.0"), ("d", "2.0.0")]);
        let after = lock(&[
            ("a", "1.0.0"),
            ("b", "1.0.1"),
            ("b", "2.0.0"),
            ("c", "1.0.0"),
            ("c", "2.0.0"),
            ("d", "1.0.0"),
            ("e", "1.0.0"),
        ]);
        let earlier = before.packages.iter().map(EarlierPackage::from).collect();
        let set = ChangeSet::between(Before::Baseline, earlier, &after);
        let lines: Vec<_> = set
            .changes
            .iter()
            .map(|change| {
                let package = &after.packages[change.package];
                let previous = change.previous.as_ref().map_or("new".to_owned(), |one| one.version.to_string());
                format!("{} {} -> {}", package.name, previous, package.version)
            })
            .collect();
        let removed = lock(&[("a", "1.0.0"), ("b", "1.0.1"), ("b", "2.0.0"), ("d", "1.0.0")]);
        let earlier = before.packages.iter().map(EarlierPackage::from).collect();
        let without = ChangeSet::between(Before::Baseline, earlier, &removed);
        let gone: Vec<_> = without.removed(&removed).map(|one| one.name.as_str()).collect();
        assert_eq!(gone, ["c"]);
        assert_eq!(lines, ["b 1.0.0 -> 1.0.1", "c 1.0.0 -> 2.0.0", "d 2.0.0 -> 1.0.0", "e new -> 1.0.0"]);
    }
}
