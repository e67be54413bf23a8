#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use cargo_supplychain::assemble::{Evidence, Platforms, Resolver, plan};
use cargo_supplychain::base::Timestamp;
use cargo_supplychain::config::ReleaseSettings;
use cargo_supplychain::model::build::TargetFolder;
use cargo_supplychain::model::{Invocation, Lockfile, Selection, Source, Toolchain, lockfile};
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

static LOCKFILE: LazyLock<Lockfile> =
    LazyLock::new(|| lockfile::parse("Cargo.lock", include_bytes!("../../examples/workspace/Cargo.lock")).expect("it is one"));

static PLATFORMS: LazyLock<Platforms> = LazyLock::new(|| {
    let linux = ["unix", "target_os=\"linux\"", "target_pointer_width=\"64\"", "debug_assertions"].map(str::to_owned);
    let windows = ["windows", "target_os=\"windows\"", "target_pointer_width=\"64\""].map(str::to_owned);
    Platforms::new(("x86_64-pc-windows-gnu", &windows), ("x86_64-unknown-linux-gnu", &linux))
});

// The output of `cargo metadata`; its names and conditions are the packages' own words.
fuzz_target!(|data: &[u8]| {
    let Some(metadata) = text(data) else { return };
    // The three resolvers and both kinds of selection take turns.
    let turn = data.len();
    let resolver = [Resolver::V1, Resolver::V2, Resolver::V3][turn % 3];
    let all = turn % 2 == 0;
    let selection = Selection { workspace: all, all_targets: all, all_features: all, ..Selection::default() };
    let _ = plan(evidence(metadata, resolver, &selection));
});

fn evidence<'a>(metadata: &'a str, resolver: Resolver, selection: &'a Selection) -> Evidence<'a> {
    static RELEASE: LazyLock<ReleaseSettings> = LazyLock::new(ReleaseSettings::default);
    Evidence {
        metadata,
        lockfile: &LOCKFILE,
        selection,
        manifest: "/w/Cargo.toml".into(),
        resolver,
        platforms: &PLATFORMS,
        invocation: Invocation {
            arguments: Vec::new(),
            profile: "release".into(),
            target: "x86_64-pc-windows-gnu".into(),
            target_is_explicit: true,
            features: Vec::new(),
            all_features: false,
            default_features: true,
            manifest: "Cargo.toml".into(),
            sides: Default::default(),
            rustflags: Vec::new(),
            rustflags_from: Default::default(),
            path_remapping: None,
            audit_data: false,
            target_folder: TargetFolder::Fresh,
            environment: BTreeMap::new(),
            profile_overrides: Default::default(),
            sandbox: cargo_supplychain::model::sandbox::SandboxRecord::of_a_plan(),
        },
        source: Source::default(),
        toolchain: toolchain(),
        ci: None,
        stamp: Timestamp::from_unix(0).expect("the epoch is a time"),
        release: &RELEASE,
        gaps: Vec::new(),
    }
}

fn toolchain() -> Toolchain {
    Toolchain {
        rustc: "1.95.0".into(),
        rustc_commit: None,
        host: "x86_64-unknown-linux-gnu".into(),
        llvm: None,
        cargo: "1.95.0".into(),
        channel: None,
    }
}

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
