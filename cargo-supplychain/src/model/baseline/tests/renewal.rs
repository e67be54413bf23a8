//! What accepting, completing and comparing make of a baseline.

use std::collections::BTreeSet;

use super::super::*;
use crate::model::capability::{Capabilities, CapabilityFacts};
use crate::model::index::{IndexFacts, IndexGap, IndexVersion};
use crate::model::lockfile::{self, CRATES_IO};
use crate::model::registry::{
    Account, CrateRecord, DependencyKind, History, OwnerKind, PublishedVersion, Registry, Release, ReleaseDependency,
};

/// A world with crates of crates.io: locked, indexed, and told about.
#[derive(Default)]
struct World {
    lock: String,
    index: IndexFacts,
    registry: Registry,
    capabilities: CapabilityFacts,
}

fn key(name: &str) -> CrateKey {
    CrateKey { name: name.into(), source: CRATES_IO[0].into() }
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl World {
    /// Locks a version that the index knows, published at noon of 2026-01-01, with a dependency on each other kind of crate.
    fn lock(mut self, name: &str, version: &str) -> Self {
        let checksum = Sha256::of(format!("{name}-{version}"));
        self.lock += &format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{}\"\nchecksum = \"{checksum}\"\n",
            CRATES_IO[0]
        );
        let published = Some(time("2026-01-01T12:00:00Z"));
        let version: semver::Version = version.parse().unwrap();
        let indexed = IndexVersion { checksum, yanked: false, published };
        self.index.versions.insert((name.into(), version.clone(), CRATES_IO[0].into()), Ok(indexed));
        let dependency = |kind| ReleaseDependency {
            name: format!("{name}-{kind:?}").to_lowercase(),
            kind,
            optional: false,
            requirement: "1".into(),
            registry: None,
            target: None,
        };
        let kinds = [DependencyKind::Normal, DependencyKind::Dev, DependencyKind::Build];
        let dependencies = kinds.map(dependency).to_vec();
        let release = Release { version, checksum, yanked: false, published, dependencies, links: Some("z".into()) };
        let history = self.registry.histories.entry(key(name)).or_insert(Ok(History { releases: Vec::new() }));
        history.as_mut().unwrap().releases.push(release);
        self
    }

    fn owners(mut self, name: &str, owners: &[(u64, &str)]) -> Self {
        let owner = |(id, login): &(u64, &str)| Owner { kind: OwnerKind::User, id: *id, login: (*login).into() };
        self.record(name).owners = Some(owners.iter().map(owner).collect());
        self
    }

    fn published(mut self, name: &str, version: &str, day: &str, id: u64, login: &str) -> Self {
        let version_told = PublishedVersion {
            publisher: Publisher::User(Account { id, login: login.into(), created: None }),
            published: Some(time(day)),
            repository: None,
            yanked: false,
            actions: Vec::new(),
        };
        self.record(name).versions.insert(version.parse().unwrap(), version_told);
        self
    }

    fn record(&mut self, name: &str) -> &mut CrateRecord {
        let nothing = CrateRecord { repository: None, trusted_publishing_only: None, owners: None, versions: BTreeMap::new() };
        self.registry.records.entry(key(name)).or_insert(Ok(nothing)).as_mut().unwrap()
    }

    fn capable(mut self, name: &str, version: &str, build_script: bool) -> Self {
        let capabilities = Capabilities { build_script, repository: Some("https://x".into()), ..Capabilities::default() };
        self.capabilities.insert((key(name), version.parse().unwrap()), Ok(capabilities));
        self
    }

    fn renewed(&self, old: &Baseline, named: Option<&[&str]>) -> (Baseline, Vec<Obstacle>) {
        let lockfile = lockfile::parse("Cargo.lock", format!("version = 4\n{}", self.lock).as_bytes()).unwrap();
        let (index, registry, capabilities) = (&self.index, &self.registry, &self.capabilities);
        let known = Known { lockfile: &lockfile, index, registry, capabilities, today: time("2026-09-01") };
        let named: Option<BTreeSet<_>> = named.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        old.renewed(known, named.as_ref())
    }

    fn accepted(&self, old: &Baseline) -> Baseline {
        let (baseline, obstacles) = self.renewed(old, None);
        assert_eq!(obstacles, []);
        baseline
    }
}

fn owners(baseline: &Baseline, name: &str) -> Vec<String> {
    let owners = baseline.crates[&key(name)].owners.iter().flatten();
    owners.map(|known| format!("{} {}", known.owner, known.first_seen.date())).collect()
}

#[test]
fn what_the_index_says_is_enough() {
    let baseline = World::default().lock("a", "1.0.0").lock("a", "2.0.0").accepted(&Baseline::default());
    let known = &baseline.crates[&key("a")];
    assert_eq!(known.owners, None);
    assert_eq!(known.dependencies, ["a-build", "a-normal"]);
    assert_eq!(known.flags, KnownFlags { links: Some("z".into()), ..KnownFlags::default() });
    let version = &known.versions[&"2.0.0".parse().unwrap()];
    assert_eq!(version.checksum, Some(Sha256::of("a-2.0.0")));
    assert_eq!(version.published, Some(time("2026-01-01T12:00:00Z")));
    assert_eq!(
        World::default().lock("a", "1.0.0").lock("a", "2.0.0").accepted(&baseline),
        baseline,
        "nothing is new the second time"
    );
}

#[test]
fn owners_keep_the_day_on_which_they_were_first_seen() {
    let world = World::default().lock("a", "1.0.0").published("a", "1.0.0", "2014-05-01T10:00:00Z", 10, "alice");
    let first = world.owners("a", &[(10, "alice"), (11, "bob")]).accepted(&Baseline::default());
    assert_eq!(owners(&first, "a"), ["user alice (10) 2026-09-01", "user bob (11) 2026-09-01"]);
    let mut later = first.clone();
    later.crates.get_mut(&key("a")).unwrap().owners.as_mut().unwrap()[1].first_seen = time("2026-02-02");
    let world = World::default().lock("a", "1.0.0").published("a", "1.0.0", "2020-01-01", 77, "r9");
    let second = world.owners("a", &[(77, "r9"), (11, "bob-x")]).accepted(&later);
    assert_eq!(owners(&second, "a"), ["user bob-x (11) 2026-02-02", "user r9 (77) 2026-09-01"]);
    // Nobody was asked: what was known stays.
    assert_eq!(owners(&World::default().lock("a", "1.0.0").accepted(&second), "a"), owners(&second, "a"));
}

#[test]
fn what_is_no_longer_locked_goes_and_publishers_stay() {
    let world = World::default().lock("a", "1.0.0").lock("b", "1.0.0").published("a", "1.0.0", "2026-01-01", 10, "alice");
    let old = world.accepted(&Baseline::default());
    let world = World::default().lock("a", "1.1.0").published("a", "1.1.0", "2026-02-01", 77, "r9");
    let new = world.accepted(&old);
    let known = &new.crates[&key("a")];
    assert_eq!(known.publishers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["user alice (10)", "user r9 (77)"]);
    assert_eq!(known.versions.keys().map(ToString::to_string).collect::<Vec<_>>(), ["1.1.0"]);
    assert_eq!(new.crates.len(), 1);
    let difference = Difference::between(&old, &new);
    let told = difference.crates.iter().map(|one| format!("{} {:?}", one.key.name, one.kind)).collect::<Vec<_>>();
    assert_eq!(told, ["a Changed", "b Removed"]);
    let told: Vec<_> =
        difference.crates[0].changes.iter().map(|one| (one.what, one.before.as_deref(), one.after.as_deref())).collect();
    assert_eq!(
        told,
        [
            (What::Version, Some("1.0.0"), None),
            (What::Version, None, Some("1.1.0")),
            (What::Publisher, None, Some("user r9 (77)"))
        ]
    );
    assert_eq!(Difference::between(&new, &new), Difference::default());
    // Of others than the named nothing changes.
    let (named, _) = world.renewed(&old, Some(&["b"]));
    assert_eq!(named.crates.keys().map(|key| key.name.as_str()).collect::<Vec<_>>(), ["a"]);
    assert_eq!(named.crates[&key("a")], old.crates[&key("a")]);
}

#[test]
fn a_no_that_is_not_known_of_every_version_is_none() {
    let flag = |world: World, old: &Baseline| world.accepted(old).crates[&key("a")].flags.build_script;
    let two = || World::default().lock("a", "1.0.0").lock("a", "2.0.0");
    let nothing = Baseline::default();
    assert_eq!(flag(two(), &nothing), None);
    assert_eq!(flag(two().capable("a", "1.0.0", false), &nothing), None);
    assert_eq!(flag(two().capable("a", "1.0.0", true), &nothing), Some(true));
    assert_eq!(flag(two().capable("a", "1.0.0", false).capable("a", "2.0.0", false), &nothing), Some(false));
    let old = World::default().lock("a", "1.0.0").capable("a", "1.0.0", false).accepted(&nothing);
    assert_eq!(old.crates[&key("a")].repository.as_deref(), Some("https://x"));
    assert_eq!(flag(two(), &old), None);
    assert_eq!(flag(two().capable("a", "2.0.0", false), &old), Some(false));
    assert_eq!(flag(World::default().lock("a", "1.0.0"), &old), Some(false));
}

#[test]
fn what_is_not_what_it_was_said_to_be_is_an_obstacle() {
    let world = World::default().lock("a", "1.0.0");
    let good = world.accepted(&Baseline::default());
    let version: semver::Version = "1.0.0".parse().unwrap();
    let (locked, other) = (Sha256::of("a-1.0.0"), Sha256::of("other"));
    // Cargo.lock was changed.
    let swapped =
        World { lock: world.lock.replace(&locked.to_string(), &other.to_string()), ..World::default().lock("a", "1.0.0") };
    let expected = Obstacle::NotTheIndexs { name: "a".into(), version: version.clone(), locked: other, indexed: locked };
    for (old, named) in [(&Baseline::default(), None), (&good, None), (&good, Some(&["a"][..]))] {
        assert_eq!(swapped.renewed(old, named).1, std::slice::from_ref(&expected));
    }
    // The index has no entry: what was accepted needs none.
    let mut unindexed = World::default().lock("a", "1.0.0");
    unindexed.index.versions.clear();
    assert_eq!(unindexed.renewed(&good, None).1, []);
    let gap = IndexGap::NotCached;
    let not_indexed = Obstacle::NotIndexed { name: "a".into(), version: version.clone(), gap };
    assert_eq!(unindexed.renewed(&Baseline::default(), None).1, [not_indexed]);
    // The baseline says otherwise than both: only who names the crate accepts it.
    let mut wrong = good.clone();
    wrong.crates.get_mut(&key("a")).unwrap().versions.get_mut(&version).unwrap().checksum = Some(other);
    let changed = Obstacle::Changed { name: "a".into(), version, accepted: other, now: locked };
    assert_eq!(world.renewed(&wrong, None).1, [changed]);
    assert_eq!(world.renewed(&wrong, Some(&["a"])), (good, Vec::new()));
}

#[test]
fn completing_fills_in_and_accepts_nothing_else() {
    let bare = World::default().lock("a", "1.0.0").accepted(&Baseline::default()).crates[&key("a")].clone();
    let today = time("2026-09-01");
    let mut world = World::default().owners("a", &[(10, "alice")]).published("a", "1.0.0", "2026-01-01", 10, "alice");
    let filled = bare.completed(world.record("a"), today);
    assert_eq!(filled.differs, Vec::<String>::new());
    let publisher = KnownPublisher::User { id: 10, login: "alice".into() };
    assert_eq!((filled.known.publishers.as_slice(), filled.known.owners.as_ref().unwrap().len()), (&[publisher][..], 1));
    // Another login of the same account is taken, other accounts are not.
    let mut renamed = World::default().owners("a", &[(10, "alice-x")]).published("a", "1.0.0", "2026-01-01", 10, "alice-x");
    let renamed = filled.known.completed(renamed.record("a"), today);
    assert_eq!(renamed.differs, Vec::<String>::new());
    assert!(
        renamed.known.owners.as_ref().unwrap()[0].owner.login == "alice-x"
            && renamed.known.publishers[0].to_string() == "user alice-x (10)"
    );
    let mut taken = World::default().owners("a", &[(77, "r9")]).published("a", "1.0.0", "2026-01-01", 77, "r9");
    let taken = filled.known.completed(taken.record("a"), today);
    assert_eq!(taken.known, filled.known);
    assert_eq!(
        taken.differs,
        ["user alice (10) is no owner now", "user r9 (77) is an owner now", "1.0.0 was published by user r9 (77)"]
    );
}
