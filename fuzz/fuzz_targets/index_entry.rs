#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use cargo_supplychain::collect::index::IndexReader;
use cargo_supplychain::model::registry::CrateKey;
use cargo_supplychain::model::{CargoConfig, Lockfile, lockfile};
use cargo_supplychain_fuzz::{folder, write};
use libfuzzer_sys::fuzz_target;

const SOURCE: &str = "registry+https://github.com/rust-lang/crates.io-index";

// Two versions of one package, so that one reading finds what the other does not.
static LOCKFILE: LazyLock<Lockfile> = LazyLock::new(|| {
    let package = |version: &str| format!("[[package]]\nname = \"abcd\"\nversion = \"{version}\"\nsource = \"{SOURCE}\"\n");
    lockfile::parse("Cargo.lock", format!("version = 4\n{}{}", package("1.0.0"), package("1.0.1+b.2")).as_bytes())
        .expect("the lockfile is one")
});

// An entry of cargo's cache and, the same bytes, a file of a snapshot: the locked lines, and the whole history.
fuzz_target!(|data: &[u8]| {
    write("registry/index/index.crates.io-1949cf8c6b5b557f/.cache/ab/cd/abcd", data);
    write("world/index/ab/cd/abcd", data);
    let world = folder().join("world");
    let crates = BTreeSet::from([CrateKey { name: "abcd".into(), source: SOURCE.into() }]);
    for snapshot in [None, Some(world.as_path())] {
        let reader = IndexReader { config: &CargoConfig::default(), cargo_home: Some(folder()), snapshot };
        assert_eq!(reader.locked(&LOCKFILE).versions.len(), 2);
        for history in reader.histories(&crates).into_values().flatten() {
            let _ = history.first_published();
            for release in &history.releases {
                let before = history.predecessor(&release.version);
                assert!(before.is_none_or(|before| before.version < release.version));
            }
        }
    }
});
