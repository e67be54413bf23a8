#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cargo_supplychain::advisory::{AdvisoryDatabase, FeedInfo, hits};
use cargo_supplychain::base::{Sha256, Timestamp};
use cargo_supplychain::check::{Advisories, Facts, LockState, OwnFile, Scope, check, pinned_commits, rules};
use cargo_supplychain::collect::cargo_config::{ConfigRequest, read};
use cargo_supplychain::config::{self, KnownRule};
use cargo_supplychain::document::{github, sarif};
use cargo_supplychain::feeds::crates_io::answer;
use cargo_supplychain::feeds::rustsec::parse_advisory;
use cargo_supplychain::finding::{FailOn, Report};
use cargo_supplychain::model::action_commit::{ActionCommits, Belonging};
use cargo_supplychain::model::audits::{self, AuditFiles};
use cargo_supplychain::model::capability::CapabilityFacts;
use cargo_supplychain::model::capability::scan::Scanner;
use cargo_supplychain::model::change::{Before, ChangeSet, EarlierPackage};
use cargo_supplychain::model::index::{IndexFacts, IndexGap, IndexVersion, parse_release};
use cargo_supplychain::model::integrity::{Deviation, IntegrityFacts};
use cargo_supplychain::model::machine::MachineFacts;
use cargo_supplychain::model::registry::{CrateKey, CrateRecord, History, NoRecord, Registry};
use cargo_supplychain::model::{CargoConfig, Lockfile, ToolchainFile, baseline, lockfile, manifest, workflow};
use cargo_supplychain_fuzz::{folder, parts, text, write};
use libfuzzer_sys::fuzz_target;

static KNOWN: LazyLock<Vec<KnownRule<'static>>> = LazyLock::new(|| rules::known().collect());

/// Of a registry that is asked about what the lockfile names.
const CRATES_IO: &str = lockfile::CRATES_IO[0];

// A repository in parts `Cargo.lock`, `before` (another one), `supplychain.lock`, `Cargo.toml`, `config`, `environment`, `toolchain`,
// `policy`, `advisory`, `workflow`, `audits` and `integrity` (names of files); of a crate `index NAME`, `crate NAME`, `owners NAME`,
// `versions NAME` and `source NAME VERSION` (files as the target `capabilities` has them): through the parsers and every rule.
fuzz_target!(|data: &[u8]| {
    let parts: BTreeMap<_, _> = parts(data).into_iter().collect();
    let part = |name: &str| parts.get(name).and_then(|bytes| text(bytes));
    let env: BTreeMap<String, String> = part("environment")
        .map(|text| text.lines().filter_map(|line| line.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect())
        .unwrap_or_default();
    let settings = part("policy").and_then(|text| config::parse("supplychain.toml", text, &KNOWN).ok()).unwrap_or_default();
    let locked = |name| part(name).and_then(|text| lockfile::parse("Cargo.lock", text.as_bytes()).ok());
    let lock = locked("Cargo.lock");
    let manifests: Vec<_> = part("Cargo.toml").and_then(|text| manifest::parse("Cargo.toml", text).ok()).into_iter().collect();
    let cargo_config = part("config").and_then(|text| config_of(text, &env)).unwrap_or_default();
    let toolchain_file = part("toolchain").and_then(|text| ToolchainFile::parse("rust-toolchain.toml", text, false).ok());
    let advisories = advisories(part("advisory"), lock.as_ref());
    let workflows: Vec<_> =
        part("workflow").and_then(|text| workflow::parse(".github/workflows/w.yml", text).ok()).into_iter().collect();
    let commits = pinned_commits(&settings, &workflows).into_keys();
    let action_commits: ActionCommits = commits.map(|commit| (commit, Belonging::ToNone { branches: 1, tags: 2 })).collect();
    let files = AuditFiles { audits: part("audits").map(str::to_owned), ..AuditFiles::default() };
    let audits = audits::parse("supply-chain", &files).unwrap_or_default();
    let baseline = part("supplychain.lock").and_then(|text| baseline::parse("supplychain.lock", text).ok());
    let changes = lock.as_ref().map(|lock| changes(lock, locked("before"))).unwrap_or_default();
    let (registry, capabilities) = (registry(&parts), capabilities(&parts));
    let index = lock.as_ref().map(|lock| index(lock, &registry)).unwrap_or_default();
    let integrity = lock.as_ref().zip(part("integrity")).map(|(lock, text)| integrity(lock, text));
    let lock = match lock {
        Some(lockfile) => LockState::Present { lockfile, stale: None },
        None => LockState::Missing { path: "Cargo.lock".into() },
    };
    let facts = Facts {
        settings: &settings,
        now: Timestamp::from_unix(1_790_000_000).expect("it is a time"),
        in_ci: true,
        lock: &lock,
        manifests: &manifests,
        machine: &MachineFacts::default(),
        cargo_config: &cargo_config,
        environment: &env,
        toolchain_file: toolchain_file.as_ref(),
        index: &index,
        changes: &changes,
        baseline: baseline.as_ref(),
        registry: &registry,
        capabilities: &capabilities,
        published: &cargo_supplychain::model::published::PublishedFacts::new(),
        action_commits: &action_commits,
        archived: None,
        integrity: integrity.as_ref().ok_or("it was not compared"),
        own_files_changed: &[OwnFile::Policy, OwnFile::Baseline],
        workflows: &workflows,
        unreadable_workflows: &[],
        manifests_changed: data.len() % 2 == 0,
        reused_target: None,
        sandbox: None,
        reproduction: None,
        functions: None,
        advisories: &advisories,
        sources: &cargo_supplychain::check::Sources::default(),
        audits: &audits,
        build: Err("it was not planned"),
    };
    let input = check(&facts, &Scope::default());
    // What follows from it for machines: each line of annotations is ours, and the rest is JSON.
    let report = Report::new(input, FailOn::default(), facts.now, false);
    assert!(github::annotations(&report).lines().all(|line| line.starts_with("::")));
    assert!(serde_json::from_slice::<serde_json::Value>(&sarif::document(&report, &[]).bytes).is_ok());
});

/// Against another lockfile, or each package compared with nothing.
fn changes(lock: &Lockfile, before: Option<Lockfile>) -> ChangeSet {
    let Some(before) = before else { return ChangeSet::recent(0..lock.packages.len()) };
    let revision = Before::Revision { given: "main".into(), commit: "0123456789012345678901234567890123456789".into() };
    ChangeSet::between(revision, before.packages.iter().map(EarlierPackage::from).collect(), lock)
}

fn key(name: &str) -> CrateKey {
    CrateKey { name: name.to_owned(), source: CRATES_IO.to_owned() }
}

/// The parts of a kind, with the rest of their names.
fn of_kind<'p>(parts: &'p BTreeMap<&str, &[u8]>, kind: &'p str) -> impl Iterator<Item = (&'p str, &'p [u8])> {
    parts.iter().filter_map(move |(name, bytes)| Some((name.strip_prefix(kind)?.strip_prefix(' ')?, *bytes)))
}

fn registry(parts: &BTreeMap<&str, &[u8]>) -> Registry {
    let mut registry = Registry::default();
    for (name, lines) in of_kind(parts, "index") {
        let releases: Result<Vec<_>, _> =
            lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(parse_release).collect();
        registry.histories.insert(key(name), releases.map(|releases| History { releases }));
    }
    for (name, bytes) in of_kind(parts, "crate") {
        let part = |kind: &str| parts.get(format!("{kind} {name}").as_str());
        let record = answer::krate(bytes, name).map(|record| CrateRecord {
            owners: part("owners").and_then(|bytes| answer::owners(bytes).ok()),
            versions: part("versions")
                .and_then(|bytes| answer::versions(bytes, name).ok())
                .map(|page| page.versions)
                .unwrap_or_default(),
            ..record
        });
        registry.records.insert(key(name), record.map_err(|why| NoRecord::Unknown(why.to_owned())));
    }
    registry
}

fn capabilities(parts: &BTreeMap<&str, &[u8]>) -> CapabilityFacts {
    let mut facts = CapabilityFacts::new();
    for (release, files) in of_kind(parts, "source") {
        let Some((name, version)) = release.split_once(' ') else { continue };
        let Ok(version) = version.parse() else { continue };
        let mut files = files.split(|byte| *byte == 0);
        let mut scanner = Scanner::default();
        for path in ["Cargo.toml", "build.rs", "src/lib.rs"] {
            scanner.file(path, files.next().unwrap_or_default(), true);
        }
        while let (Some(path), Some(bytes)) = (files.next(), files.next()) {
            scanner.file(&String::from_utf8_lossy(path), bytes, true);
        }
        facts.insert((key(name), version), scanner.finish().map_err(|_| "its source cannot be read".to_owned()));
    }
    facts
}

/// What the histories say of the locked versions.
fn index(lock: &Lockfile, registry: &Registry) -> IndexFacts {
    let mut facts = IndexFacts { is_current: true, ..IndexFacts::default() };
    for package in &lock.packages {
        let (Some(key), Some(source)) = (package.crate_key(), &package.source) else { continue };
        let line = match registry.histories.get(&key) {
            Some(Ok(history)) => history.release(&package.version).ok_or(IndexGap::NoSuchVersion),
            Some(Err(gap)) => Err(gap.clone()),
            None => Err(IndexGap::NotCached),
        };
        let line =
            line.map(|release| IndexVersion { checksum: release.checksum, yanked: release.yanked, published: release.published });
        facts.versions.insert((package.name.clone(), package.version.clone(), source.clone()), line);
    }
    facts
}

/// Every package has every deviation, of the named files.
fn integrity(lock: &Lockfile, text: &str) -> IntegrityFacts {
    let (expected, actual) = (Sha256::of("a"), Sha256::of("b"));
    let of_path = |path: &str| {
        let path = path.to_owned();
        [
            Deviation::CrateChecksum { path: path.clone(), expected, actual },
            Deviation::Tampered { path: path.clone(), expected, actual: None },
            Deviation::Extra { path: path.clone() },
            Deviation::NotRegular { path: path.clone(), what: path.clone() },
            Deviation::VendorIncomplete { path: path.clone(), missing: vec![path.clone()] },
            Deviation::VendorExtra { path: path.clone() },
            Deviation::GitTampered { path: path.clone(), expected: Some(path.clone()), actual: None },
            Deviation::ChangedDuringBuild { path: path.clone(), restored: true },
            Deviation::Malformed { path: path.clone(), why: path },
        ]
    };
    let deviations: Vec<_> = text.lines().take(8).flat_map(of_path).collect();
    let mut facts = IntegrityFacts::default();
    for package in lock.packages.iter().filter(|package| package.source.is_some()).take(16) {
        let key = (package.name.clone(), package.version.clone(), package.source.clone().unwrap_or_default());
        facts.packages.insert(key, Ok(deviations.clone()));
    }
    facts
}

fn config_of(text: &str, env: &BTreeMap<String, String>) -> Option<CargoConfig> {
    write("w/.cargo/config.toml", text.as_bytes());
    let workspace = folder().join("w");
    let (repository_root, cargo_home) = (None, None);
    read(&ConfigRequest { cwd: &workspace, workspace_root: &workspace, repository_root, cargo_home, env, config_args: &[] }).ok()
}

fn advisories(text: Option<&str>, lock: Option<&Lockfile>) -> Advisories {
    let advisory = text.and_then(|text| {
        let id = text.split_once("id = \"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
        parse_advisory(id, text).ok().flatten()
    });
    let info =
        FeedInfo { name: "RustSec".into(), origin: "db".into(), date: None, revision: None, sha256: Sha256::of(""), entries: 1 };
    let database = AdvisoryDatabase { info, advisories: advisory.into_iter().collect() };
    let hits = lock.map(|lock| hits(&database, lock)).unwrap_or_default();
    Advisories::Loaded { database, hits }
}
