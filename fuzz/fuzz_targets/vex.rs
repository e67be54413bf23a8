#![no_main]

use cargo_supplychain::vex;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| {
    if let Err(error) = vex::read(data) {
        assert!(!error.to_string().is_empty());
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
