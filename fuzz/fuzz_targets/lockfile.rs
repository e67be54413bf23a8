#![no_main]

use cargo_supplychain::model::lockfile;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(lockfile) = lockfile::parse("Cargo.lock", data) else { return };
    for package in &lockfile.packages {
        let _ = (package.git(), package.is_registry(), package.is_crates_io());
        assert!(package.dependencies.iter().all(|index| *index < lockfile.packages.len()));
    }
});
