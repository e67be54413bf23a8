//! For tests of rules: a set of facts that is all in order, to be changed where the test wants it.

use std::collections::BTreeMap;

use super::{Advisories, Facts, LockState, OwnFile, ReusedTarget, Rule, Sources};
use crate::advisory::{self, Advisory, AdvisoryDatabase, Affects, FeedInfo, Kind, Rating};
use crate::base::{Sha256, Timestamp};
use crate::config::Settings;
use crate::finding::Finding;
use crate::model::action_commit::{ActionCommit, ActionCommits, Belonging};
use crate::model::audits::Audits;
use crate::model::baseline::{Baseline, KnownCrate};
use crate::model::capability::{Capabilities, CapabilityFacts};
use crate::model::change::{Before, ChangeSet, EarlierPackage};
use crate::model::index::{IndexFacts, IndexGap, IndexVersion};
use crate::model::integrity::IntegrityFacts;
use crate::model::lockfile::CRATES_IO;
use crate::model::machine::MachineFacts;
use crate::model::manifest::Manifest;
use crate::model::published::PublishedFacts;
use crate::model::registry::{
    Account, AuditAction, CrateKey, CrateRecord, DependencyKind, History, Owner, OwnerKind, PublishedVersion, Publisher,
    Registry, Release, ReleaseDependency,
};
use crate::model::sandbox::SandboxFacts;
use crate::model::toolchain_file::ToolchainFile;
use crate::model::workflow::{self, Workflow};
use crate::model::{Build, CargoConfig, Lockfile, lockfile, manifest};

/// A checksum for locked packages.
pub(crate) const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(crate) struct Case {
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    pub(crate) lock: LockState,
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) machine: MachineFacts,
    pub(crate) index: IndexFacts,
    pub(crate) database: Result<AdvisoryDatabase, String>,
    pub(crate) build: Result<Build, String>,
    pub(crate) changes: ChangeSet,
    pub(crate) baseline: Option<Baseline>,
    pub(crate) registry: Registry,
    pub(crate) capabilities: CapabilityFacts,
    pub(crate) published: PublishedFacts,
    pub(crate) integrity: Result<IntegrityFacts, String>,
    pub(crate) own_files_changed: Vec<OwnFile>,
    pub(crate) workflows: Vec<Workflow>,
    pub(crate) unreadable_workflows: Vec<String>,
    pub(crate) action_commits: ActionCommits,
    pub(crate) manifests_changed: bool,
    pub(crate) reused_target: Option<ReusedTarget>,
    pub(crate) sandbox: Option<SandboxFacts>,
    pub(crate) reproduction: Option<crate::model::Reproduction>,
    pub(crate) audits: Audits,
    pub(crate) sources: Sources,
}

impl Case {
    /// The clock is 2026-11-23; the database is of the day before and empty; the build could not be planned.
    pub(crate) fn new() -> Self {
        let info = FeedInfo {
            name: "RustSec".into(),
            origin: "db".into(),
            revision: None,
            date: Some("2026-11-22".parse().unwrap()),
            sha256: Sha256::of(b""),
            entries: 0,
        };
        Self {
            settings: Settings::default(),
            now: "2026-11-23".parse().unwrap(),
            lock: LockState::Present { lockfile: parse("version = 4\n"), stale: None },
            manifests: Vec::new(),
            machine: MachineFacts::default(),
            index: IndexFacts::default(),
            database: Ok(AdvisoryDatabase { info, advisories: Vec::new() }),
            build: Err("not planned".into()),
            changes: ChangeSet::default(),
            baseline: None,
            registry: Registry::default(),
            capabilities: CapabilityFacts::new(),
            published: PublishedFacts::new(),
            integrity: Ok(IntegrityFacts::default()),
            own_files_changed: Vec::new(),
            workflows: Vec::new(),
            unreadable_workflows: Vec::new(),
            action_commits: ActionCommits::new(),
            manifests_changed: false,
            reused_target: None,
            sandbox: None,
            reproduction: None,
            audits: Audits::default(),
            sources: Sources::default(),
        }
    }

    /// The lockfile's text; `CRATES_IO` and `HEX` stand for themselves.
    pub(crate) fn lock(mut self, text: &str) -> Self {
        self.lock = LockState::Present { lockfile: parse(text), stale: None };
        self
    }

    pub(crate) fn manifest(mut self, path: &str, text: &str) -> Self {
        self.manifests.push(manifest::parse(path, text).unwrap());
        self
    }

    /// The lockfile of `--base`; call it after [`Case::lock`].
    pub(crate) fn before(mut self, text: &str) -> Self {
        let before = Before::Revision { given: "main".into(), commit: "0123456789012345678901234567890123456789".into() };
        let earlier = parse(text).packages.iter().map(EarlierPackage::from).collect();
        self.changes = ChangeSet::between(before, earlier, self.lock.lockfile().unwrap());
        self
    }

    /// The lockfile, a package a line, and perhaps that of `--base`: `./app 0.1.0 -> lib other` for a package of the workspace,
    /// `lib 1.2.0` for one of crates.io; without a version it is 1.0.0.
    ///
    /// The clock is put to 2026-09-15: the releases of such cases are of that summer, and not yet three months old.
    pub(crate) fn locks(mut self, now: &[&str], before: Option<&[&str]>) -> Self {
        self.now = "2026-09-15".parse().unwrap();
        let case = self.lock(&lock_of(now));
        match before {
            Some(before) => case.before(&lock_of(before)),
            None => case,
        }
    }

    /// A line of the crates.io index, after those before it. An empty `published` is none. Dependencies: `name`, then what applies of
    /// `?` (optional), `dev`, `build`, `cfg(…)`.
    pub(crate) fn release(mut self, name: &str, version: &str, published: &str, dependencies: &[&str]) -> Self {
        let release = Release {
            version: version.parse().unwrap(),
            checksum: HEX.parse().unwrap(),
            yanked: false,
            published: (!published.is_empty()).then(|| published.parse().unwrap()),
            dependencies: dependencies.iter().map(|text| dependency(text)).collect(),
            links: None,
        };
        let history = self.registry.histories.entry(crates_io(name)).or_insert(Ok(History { releases: Vec::new() }));
        history.as_mut().unwrap().releases.push(release);
        self
    }

    /// Changes the API's answer about a crate, which is asked from now on.
    pub(crate) fn record(mut self, name: &str, change: impl FnOnce(&mut CrateRecord)) -> Self {
        let nothing =
            CrateRecord { repository: None, trusted_publishing_only: None, owners: None, versions: BTreeMap::default() };
        let record = self.registry.records.entry(crates_io(name)).or_insert(Ok(nothing));
        change(record.as_mut().unwrap());
        self
    }

    /// What the API says of owners, as numbers of users (`10`) or teams (`team 10`).
    pub(crate) fn owned(self, name: &str, owners: &[&str]) -> Self {
        self.record(name, |record| record.owners = Some(owners.iter().map(|owner| owner_of(owner)).collect()))
    }

    /// What the API says of a version: published by user `10`, by `10 since 2018-01-01`, by trusted publishing `github:org/foo`, or by
    /// nobody known: ``. The time is that of the release, which has to be there.
    pub(crate) fn publisher(self, name: &str, version: &str, publisher: &str) -> Self {
        let version: semver::Version = version.parse().unwrap();
        let history = self.registry.histories.get(&crates_io(name)).and_then(|history| history.as_ref().ok());
        let published = history.and_then(|history| history.release(&version)?.published);
        let publisher = publisher_of(publisher);
        let published = PublishedVersion { publisher, published, repository: None, yanked: false, actions: Vec::new() };
        self.record(name, |record| {
            record.versions.insert(version, published);
        })
    }

    /// What the baseline knows of a crate.
    pub(crate) fn known(mut self, name: &str, known: KnownCrate) -> Self {
        self.baseline.get_or_insert_default().crates.insert(crates_io(name), known);
        self
    }

    /// What the source of a version can do.
    pub(crate) fn capable(mut self, name: &str, version: &str, capabilities: Capabilities) -> Self {
        self.capabilities.insert((crates_io(name), version.parse().unwrap()), Ok(capabilities));
        self
    }

    /// `supplychain.toml`, with the real rules.
    pub(crate) fn policy(mut self, text: &str) -> Self {
        let known: Vec<_> = super::rules::known().collect();
        self.settings = crate::config::parse("supplychain.toml", text, &known).unwrap();
        self
    }

    /// A workflow file.
    pub(crate) fn workflow(mut self, text: &str) -> Self {
        self.workflows.push(workflow::parse(".github/workflows/w.yml", text).unwrap());
        self
    }

    /// What GitHub says of a commit that a workflow pins.
    pub(crate) fn pinned(mut self, uses: &str, belonging: Belonging) -> Self {
        self.action_commits.insert(ActionCommit::of(uses).unwrap(), belonging);
        self
    }

    /// What the index says of a crates.io package.
    pub(crate) fn indexed(mut self, name: &str, version: &str, facts: Result<IndexVersion, IndexGap>) -> Self {
        self.index.versions.insert((name.into(), version.parse().unwrap(), CRATES_IO[0].into()), facts);
        self
    }

    /// The index entry of a crates.io crate: (version, time) in the order of publication, "" for no time.
    pub(crate) fn history(mut self, name: &str, releases: &[(&str, &str)]) -> Self {
        let release = |(version, published): &(&str, &str)| Release {
            version: version.parse().unwrap(),
            checksum: Sha256::of(b""),
            yanked: false,
            published: (!published.is_empty()).then(|| published.parse().unwrap()),
            dependencies: Vec::new(),
            links: None,
        };
        let history = History { releases: releases.iter().map(release).collect() };
        self.registry.histories.insert(key(name), Ok(history));
        self
    }

    /// One release of a [`Case::history`].
    pub(crate) fn release_of(&mut self, name: &str, version: &str) -> &mut Release {
        let history = self.registry.histories.get_mut(&key(name)).unwrap().as_mut().unwrap();
        history.releases.iter_mut().find(|release| release.version.to_string() == version).unwrap()
    }

    /// The release has a required dependency.
    pub(crate) fn requires(mut self, name: &str, version: &str, dependency: &str) -> Self {
        self.release_of(name, version).dependencies.push(ReleaseDependency {
            name: dependency.into(),
            kind: DependencyKind::Normal,
            optional: false,
            requirement: "^1".into(),
            registry: None,
            target: None,
        });
        self
    }

    /// The index says that the release was yanked; so do the index facts, if it is locked.
    pub(crate) fn yanked(mut self, name: &str, version: &str) -> Self {
        let release = self.release_of(name, version);
        release.yanked = true;
        let facts = IndexVersion { checksum: release.checksum, yanked: true, published: release.published };
        self.indexed(name, version, Ok(facts))
    }

    /// The API says who published a version: a user of this number, or nothing.
    pub(crate) fn published(mut self, name: &str, version: &str, user: Option<u64>) -> Self {
        let account = |id| Publisher::User(Account { id, login: format!("user{id}"), created: None });
        self.api_version(name, version).publisher = user.map_or(Publisher::Unknown, account);
        self
    }

    /// The API says that this user owns the crate.
    pub(crate) fn owned_by(mut self, name: &str, user: u64) -> Self {
        let owner = Owner { kind: OwnerKind::User, id: user, login: format!("user{user}") };
        self.record_of(name).owners = Some(vec![owner]);
        self
    }

    /// The API's audit log has this action of a version.
    pub(crate) fn action(mut self, name: &str, version: &str, action: &str, time: &str) -> Self {
        let action = AuditAction { action: action.into(), user: Some(10), time: time.parse().unwrap() };
        self.api_version(name, version).actions.push(action);
        self
    }

    fn record_of(&mut self, name: &str) -> &mut CrateRecord {
        let nothing = CrateRecord { repository: None, trusted_publishing_only: None, owners: None, versions: BTreeMap::new() };
        self.registry.records.entry(key(name)).or_insert(Ok(nothing)).as_mut().unwrap()
    }

    fn api_version(&mut self, name: &str, version: &str) -> &mut PublishedVersion {
        self.record_of(name).versions.entry(version.parse().unwrap()).or_insert(PublishedVersion {
            publisher: Publisher::Unknown,
            published: None,
            repository: None,
            yanked: false,
            actions: Vec::new(),
        })
    }

    pub(crate) fn advisory(mut self, advisory: Advisory) -> Self {
        let database = self.database.as_mut().unwrap();
        database.advisories.push(advisory);
        database.advisories.sort_by(|a, b| (&a.package, &a.id).cmp(&(&b.package, &b.id)));
        self
    }

    pub(crate) fn with<T>(&self, look: impl FnOnce(&Facts<'_>) -> T) -> T {
        let advisories = match &self.database {
            Ok(database) => {
                let hits = self.lock.lockfile().map(|lock| advisory::hits(database, lock)).unwrap_or_default();
                Advisories::Loaded { database: database.clone(), hits }
            }
            Err(why) => Advisories::Unavailable { why: why.clone(), help: "do something".into() },
        };
        // A project in order: what a case is about is the only thing to find.
        let pinned = ToolchainFile { file: "rust-toolchain.toml".into(), channel: Some("1.95.0".into()), path: None, line: 2 };
        look(&Facts {
            settings: &self.settings,
            now: self.now,
            in_ci: false,
            lock: &self.lock,
            manifests: &self.manifests,
            machine: &self.machine,
            cargo_config: &CargoConfig::default(),
            environment: &BTreeMap::new(),
            toolchain_file: Some(&pinned),
            index: &self.index,
            changes: &self.changes,
            baseline: self.baseline.as_ref(),
            registry: &self.registry,
            capabilities: &self.capabilities,
            published: &self.published,
            integrity: self.integrity.as_ref().map_err(String::as_str),
            own_files_changed: &self.own_files_changed,
            workflows: &self.workflows,
            unreadable_workflows: &self.unreadable_workflows,
            action_commits: &self.action_commits,
            manifests_changed: self.manifests_changed,
            reused_target: self.reused_target.as_ref(),
            sandbox: self.sandbox.as_ref(),
            reproduction: self.reproduction.as_ref(),
            functions: None,
            advisories: &advisories,
            sources: &self.sources,
            audits: &self.audits,
            build: self.build.as_ref().map_err(String::as_str),
            archived: None,
        })
    }

    pub(crate) fn findings(&self, rule: &Rule) -> Vec<Finding> {
        let findings = self.with(rule.run);
        assert!(findings.iter().all(|finding| finding.id == rule.id && !finding.help.is_empty()), "{findings:?}");
        findings
    }

    /// The findings of a rule, each as `SEVERITY PLACES: MESSAGE`.
    pub(crate) fn run(&self, rule: &Rule) -> Vec<String> {
        let places = |finding: &Finding| finding.locations.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        self.findings(rule)
            .iter()
            .map(|finding| format!("{} {}: {}", finding.severity, places(finding), finding.message))
            .collect()
    }
}

fn key(name: &str) -> CrateKey {
    CrateKey { name: name.into(), source: CRATES_IO[0].into() }
}

/// A crate of crates.io.
pub(crate) fn crates_io(name: &str) -> CrateKey {
    CrateKey { name: name.into(), source: CRATES_IO[0].into() }
}

/// `10` is a user, `team 10` a team.
pub(crate) fn owner_of(text: &str) -> Owner {
    let (kind, number) = text.strip_prefix("team ").map_or((OwnerKind::User, text), |number| (OwnerKind::Team, number));
    let login = if kind == OwnerKind::Team { format!("github:org:team{number}") } else { format!("user{number}") };
    Owner { kind, id: number.parse().unwrap(), login }
}

fn publisher_of(text: &str) -> Publisher {
    if text.is_empty() {
        return Publisher::Unknown;
    }
    if let Some((provider, repository)) = text.split_once(':') {
        return Publisher::Trusted { provider: provider.into(), repository: repository.into() };
    }
    let (number, created) = text.split_once(" since ").map_or((text, None), |(number, since)| (number, Some(since)));
    let created = Some(created.unwrap_or("2014-11-20").parse().unwrap());
    Publisher::User(Account { id: number.parse().unwrap(), login: format!("user{number}"), created })
}

fn dependency(text: &str) -> ReleaseDependency {
    let mut words = text.split(' ');
    let mut dependency = ReleaseDependency {
        name: words.next().unwrap().into(),
        kind: DependencyKind::Normal,
        optional: false,
        requirement: "^1".into(),
        registry: None,
        target: None,
    };
    for word in words {
        match word {
            "?" => dependency.optional = true,
            "dev" => dependency.kind = DependencyKind::Dev,
            "build" => dependency.kind = DependencyKind::Build,
            condition => dependency.target = Some(condition.into()),
        }
    }
    dependency
}

fn lock_of(packages: &[&str]) -> String {
    let mut text = "version = 4\n".to_owned();
    for package in packages {
        let (package, dependencies) = package.split_once(" -> ").unwrap_or((package, ""));
        let (name, version) = package.split_once(' ').unwrap_or((package, "1.0.0"));
        let own = name.strip_prefix("./");
        text.push_str(&format!("\n[[package]]\nname = \"{}\"\nversion = \"{version}\"\n", own.unwrap_or(name)));
        if own.is_none() {
            text.push_str("source = \"CRATES_IO\"\nchecksum = \"HEX\"\n");
        }
        if !dependencies.is_empty() {
            let listed: Vec<_> = dependencies.split(' ').map(|name| format!("\"{name}\"")).collect();
            text.push_str(&format!("dependencies = [{}]\n", listed.join(", ")));
        }
    }
    text
}

fn parse(text: &str) -> Lockfile {
    lockfile::parse("Cargo.lock", text.replace("CRATES_IO", CRATES_IO[0]).replace("HEX", HEX).as_bytes()).unwrap()
}

/// An advisory on `lib` before 1.2.0, without a score.
pub(crate) fn advisory(kind: Kind) -> Advisory {
    Advisory {
        id: "RUSTSEC-2026-0001".into(),
        aliases: vec!["CVE-2026-1000".into()],
        package: "lib".into(),
        title: "Something is wrong".into(),
        kind,
        ratings: Vec::new(),
        url: Some("https://example.org/advisory".into()),
        date: "2026-10-01".into(),
        source: None,
        affects: Affects::default(),
        versions: rustsec::advisory::Versions::new(vec![">= 1.2.0".parse().unwrap()], Vec::new()).unwrap(),
    }
}

/// A rating of this score.
pub(crate) fn rated(score: Option<u32>) -> Vec<Rating> {
    vec![Rating { vector: "CVSS:3.1/…".into(), source: "RustSec".into(), score }]
}

/// A lockfile with `lib` of this version from crates.io, in line 3.
pub(crate) fn lock_with_lib(version: &str) -> String {
    format!("version = 4\n\n[[package]]\nname = \"lib\"\nversion = \"{version}\"\nsource = \"CRATES_IO\"\nchecksum = \"HEX\"\n")
}
