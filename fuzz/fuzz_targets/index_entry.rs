#![no_main]

use std::sync::LazyLock;

use cargo_supplychain::collect::index;
use cargo_supplychain::model::{CargoConfig, Lockfile, lockfile};
use cargo_supplychain_fuzz::{folder, write};
use libfuzzer_sys::fuzz_target;

// Two versions of one package, so that one reading finds what the other does not.
static LOCKFILE: LazyLock<Lockfile> = LazyLock::new(|| {
    let package = |version: &str| {
        format!(
            "[[package]]\nname = \"abcd\"\nversion = \"{version}\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n"
        )
    };
    lockfile::parse("Cargo.lock", format!("version = 4\n{}{}", package("1.0.0"), package("1.0.1+b.2")).as_bytes())
        .expect("the lockfile is one")
});

fuzz_target!(|data: &[u8]| {
    write("registry/index/index.crates.io-1949cf8c6b5b557f/.cache/ab/cd/abcd", data);
    let facts = index::read(&LOCKFILE, &CargoConfig::default(), folder());
    assert_eq!(facts.versions.len(), 2);
});
