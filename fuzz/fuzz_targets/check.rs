#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cargo_supplychain::advisory::{AdvisoryDatabase, FeedInfo, hits};
use cargo_supplychain::base::{Sha256, Timestamp};
use cargo_supplychain::check::{Advisories, Facts, LockState, Scope, check, rules};
use cargo_supplychain::collect::cargo_config::{ConfigRequest, read};
use cargo_supplychain::config::{self, KnownRule, Settings};
use cargo_supplychain::feeds::rustsec::parse_advisory;
use cargo_supplychain::model::index::IndexFacts;
use cargo_supplychain::model::{CargoConfig, Lockfile, Toolchain, ToolchainFile, lockfile, manifest};
use cargo_supplychain_fuzz::{folder, parts, text, write};
use libfuzzer_sys::fuzz_target;

static KNOWN: LazyLock<Vec<KnownRule<'static>>> = LazyLock::new(|| rules::known().collect());

// A repository in parts `Cargo.lock`, `Cargo.toml`, `config`, `environment`, `toolchain`, `policy` and `advisory`, through its
// parsers and through every rule.
fuzz_target!(|data: &[u8]| {
    let parts: BTreeMap<_, _> = parts(data).into_iter().collect();
    let part = |name: &str| parts.get(name).and_then(|bytes| text(bytes));
    let env: BTreeMap<String, String> = part("environment")
        .map(|text| text.lines().filter_map(|line| line.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect())
        .unwrap_or_default();
    let settings = part("policy").and_then(|text| config::parse("supplychain.toml", text, &KNOWN).ok()).unwrap_or_default();
    let lock = part("Cargo.lock").and_then(|text| lockfile::parse("Cargo.lock", text.as_bytes()).ok());
    let manifests: Vec<_> = part("Cargo.toml").and_then(|text| manifest::parse("Cargo.toml", text).ok()).into_iter().collect();
    let cargo_config = part("config").and_then(|text| config_of(text, &env)).unwrap_or_default();
    let toolchain_file = part("toolchain").and_then(|text| ToolchainFile::parse("rust-toolchain.toml", text, false).ok());
    let advisories = advisories(part("advisory"), lock.as_ref());
    let lock = match lock {
        Some(lockfile) => LockState::Present { lockfile, stale: None },
        None => LockState::Missing { path: "Cargo.lock".into() },
    };
    judge(&settings, &lock, |facts| {
        let _ = check(
            &Facts {
                manifests: &manifests,
                cargo_config: &cargo_config,
                environment: &env,
                toolchain_file: toolchain_file.as_ref(),
                advisories: &advisories,
                ..facts
            },
            &Scope::default(),
        );
    });
});

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

/// Facts with what is not fuzzed filled in.
fn judge(settings: &Settings, lock: &LockState, run: impl FnOnce(Facts<'_>)) {
    let toolchain = Toolchain {
        rustc: "1.95.0".into(),
        rustc_commit: None,
        host: "x86_64-unknown-linux-gnu".into(),
        llvm: None,
        cargo: "1.95.0".into(),
        channel: None,
    };
    run(Facts {
        settings,
        now: Timestamp::from_unix(1_790_000_000).expect("it is a time"),
        in_ci: true,
        lock,
        manifests: &[],
        cargo_config: &CargoConfig::default(),
        environment: &BTreeMap::new(),
        toolchain_file: None,
        toolchain: &toolchain,
        index: &IndexFacts::default(),
        advisories: &Advisories::Unavailable { why: String::new(), help: String::new() },
        build: Err("it was not planned"),
    });
}
