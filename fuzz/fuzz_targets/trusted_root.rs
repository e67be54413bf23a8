#![no_main]

use cargo_supplychain::verify::TrustRoots;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

// A file of trusted roots.
fuzz_target!(|data: &[u8]| {
    let _ = TrustRoots::parse("root.json", data);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
