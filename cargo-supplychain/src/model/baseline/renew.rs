//! The baseline as it would be if what is known now were accepted. Pure: what is known is handed in, nothing is looked up.

use std::collections::{BTreeMap, BTreeSet};

use super::{Baseline, KnownCrate, KnownFlags, KnownOwner, KnownPublisher, KnownVersion, read};
use crate::base::{Sha256, Timestamp};
use crate::model::capability::{Capabilities, CapabilityFacts};
use crate::model::index::{IndexFacts, IndexGap, IndexVersion};
use crate::model::registry::{CrateKey, CrateRecord, DependencyKind, Registry};
use crate::model::{LockedPackage, Lockfile};

/// What is known now of the locked crates.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub lockfile: &'a Lockfile,
    pub index: &'a IndexFacts,
    pub registry: &'a Registry,
    pub capabilities: &'a CapabilityFacts,
    /// The day on which new owners are seen first.
    pub today: Timestamp,
}

/// Why a locked version cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// The index does not say what it is.
    NotIndexed { name: String, version: semver::Version, gap: IndexGap },
    /// Cargo.lock and the index name different things.
    NotTheIndexs { name: String, version: semver::Version, locked: Sha256, indexed: Sha256 },
    /// The version was accepted with another checksum, and its crate is not named.
    Changed { name: String, version: semver::Version, accepted: Sha256, now: Sha256 },
}

impl Baseline {
    /// This baseline with what is known of the locked crates: of all, or of those that are named. A crate or version that is no longer
    /// locked is left out, unless others are named; who once published a locked version stays known as long as the crate is locked.
    #[must_use]
    pub fn renewed(&self, known: Known<'_>, named: Option<&BTreeSet<String>>) -> (Self, Vec<Obstacle>) {
        let is_meant = |key: &CrateKey| named.is_none_or(|names| names.contains(&key.name));
        let mut locked = BTreeMap::<CrateKey, Vec<&LockedPackage>>::new();
        for package in &known.lockfile.packages {
            if let Some(key) = package.crate_key().filter(is_meant) {
                locked.entry(key).or_default().push(package);
            }
        }
        let mut renewal = Renewal { known, is_named: named.is_some(), obstacles: Vec::new() };
        let nothing = KnownCrate::default();
        let mut crates: BTreeMap<_, _> =
            self.crates.iter().filter(|(key, _)| !is_meant(key)).map(|(key, known)| (key.clone(), known.clone())).collect();
        for (key, packages) in locked {
            let renewed = renewal.krate(&key, &packages, self.crates.get(&key).unwrap_or(&nothing));
            crates.insert(key, renewed);
        }
        (Self { crates }, renewal.obstacles)
    }
}

struct Renewal<'a> {
    known: Known<'a>,
    is_named: bool,
    obstacles: Vec<Obstacle>,
}

impl Renewal<'_> {
    fn krate(&mut self, key: &CrateKey, packages: &[&LockedPackage], old: &KnownCrate) -> KnownCrate {
        let record = self.known.registry.records.get(key).and_then(|record| record.as_ref().ok());
        let mut versions = BTreeMap::new();
        for package in packages {
            let accepted = old.versions.get(&package.version);
            if let Some(version) = self.version(package, accepted, record) {
                versions.insert(package.version.clone(), version);
            }
        }
        let mut publishers = old.publishers.clone();
        versions.values().filter_map(|version| version.publisher.as_ref()).for_each(|one| add(&mut publishers, one));
        publishers.sort();
        let is_new = versions.keys().any(|version| !old.versions.contains_key(version));
        let newest = versions.keys().next_back();
        let release = newest.and_then(|version| self.known.registry.histories.get(key)?.as_ref().ok()?.release(version));
        let (dependencies, links) = match release {
            Some(release) => {
                let direct = release.dependencies.iter().filter(|one| one.kind != DependencyKind::Dev);
                let names: BTreeSet<_> = direct.map(|one| one.name.clone()).collect();
                (names.into_iter().collect(), release.links.clone().filter(|links| is_writable(links)))
            }
            // What is not looked up again is as it was; of a new version that would be said of another one.
            None if is_new => (Vec::new(), None),
            None => (old.dependencies.clone(), old.flags.links.clone()),
        };
        let capable = newest.and_then(|version| self.capabilities(key, version));
        let repository = record.and_then(|record| record.repository.clone());
        let repository = repository.or_else(|| capable?.repository.clone()).filter(|address| is_writable(address));
        KnownCrate {
            owners: record.and_then(|record| owners(old, record, self.known.today)).or_else(|| old.owners.clone()),
            publishers,
            repository: repository.or_else(|| old.repository.clone()),
            flags: KnownFlags { links, ..self.flags(key, &versions, old) },
            dependencies,
            versions,
        }
    }

    /// What is accepted of a version; `None` when it cannot be.
    fn version(
        &mut self,
        package: &LockedPackage,
        accepted: Option<&KnownVersion>,
        record: Option<&CrateRecord>,
    ) -> Option<KnownVersion> {
        let (name, version) = (package.name.clone(), package.version.clone());
        let key = (name.clone(), version.clone(), package.source.clone().unwrap_or_default());
        let indexed: Result<&IndexVersion, IndexGap> = match self.known.index.versions.get(&key) {
            Some(Ok(indexed)) => Ok(indexed),
            Some(Err(gap)) => Err(gap.clone()),
            None => Err(IndexGap::NotCached),
        };
        let was = accepted.and_then(|accepted| accepted.checksum);
        let checksum = match (package.checksum, &indexed) {
            (Some(locked), Ok(indexed)) if indexed.checksum != locked => {
                self.obstacles.push(Obstacle::NotTheIndexs { name, version, locked, indexed: indexed.checksum });
                return None;
            }
            (_, Ok(indexed)) => indexed.checksum,
            // What was accepted before needs no index.
            (Some(locked), Err(_)) if was == Some(locked) => locked,
            (_, Err(gap)) => {
                self.obstacles.push(Obstacle::NotIndexed { name, version, gap: gap.clone() });
                return None;
            }
        };
        if let Some(accepted) = was.filter(|was| *was != checksum && !self.is_named) {
            self.obstacles.push(Obstacle::Changed { name, version, accepted, now: checksum });
            return None;
        }
        let told = record.and_then(|record| record.versions.get(&package.version));
        let publisher = told.and_then(|told| KnownPublisher::of(&told.publisher));
        let published = indexed.ok().and_then(|indexed| indexed.published).or_else(|| told?.published);
        Some(KnownVersion {
            checksum: Some(checksum),
            published: published.or_else(|| accepted?.published),
            publisher: publisher.or_else(|| accepted?.publisher.clone()),
        })
    }

    fn capabilities(&self, key: &CrateKey, version: &semver::Version) -> Option<&Capabilities> {
        self.known.capabilities.get(&(key.clone(), version.clone()))?.as_ref().ok()
    }

    /// What any of the locked versions can do. One of which that is not known makes a "no" unknown.
    fn flags(&self, key: &CrateKey, versions: &BTreeMap<semver::Version, KnownVersion>, old: &KnownCrate) -> KnownFlags {
        let any = |of: fn(&Capabilities) -> bool, was: Option<bool>| {
            let of_version = |version: &semver::Version| match self.capabilities(key, version) {
                Some(capabilities) => Some(of(capabilities)),
                None => was.filter(|_| old.versions.contains_key(version)),
            };
            let known: Vec<_> = versions.keys().map(of_version).collect();
            if known.contains(&Some(true)) { Some(true) } else { (!known.contains(&None)).then_some(false) }
        };
        let was = &old.flags;
        KnownFlags {
            build_script: any(|one| one.build_script, was.build_script),
            proc_macro: any(|one| one.proc_macro, was.proc_macro),
            links: None,
            blobs: any(|one| !one.blobs.is_empty(), was.blobs),
            native_code: any(|one| one.native_code, was.native_code),
        }
    }
}

/// The owners of the record, sorted; `None` when the registry did not say them.
pub(super) fn owners(old: &KnownCrate, record: &CrateRecord, today: Timestamp) -> Option<Vec<KnownOwner>> {
    let mut owners = BTreeMap::new();
    for owner in record.owners.as_ref()? {
        let before = old.owners.iter().flatten().find(|known| known.owner.key() == owner.key());
        let first_seen = before.map_or(today, |known| known.first_seen);
        owners.insert(owner.key(), KnownOwner { owner: owner.clone(), first_seen });
    }
    Some(owners.into_values().collect())
}

/// Adds an identity, or its newest login.
pub(super) fn add(publishers: &mut Vec<KnownPublisher>, one: &KnownPublisher) {
    match publishers.iter_mut().find(|known| known.is_same(one)) {
        Some(known) => *known = one.clone(),
        None => publishers.push(one.clone()),
    }
}

/// An address or a name that the file takes; others are left out, they are for people.
pub(super) fn is_writable(text: &str) -> bool {
    (1..=read::MAX_TEXT).contains(&text.len())
}
