#![no_main]

use cargo_supplychain::attest::Statement;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| {
    let Ok(statement) = Statement::parse(data) else { return };
    assert_eq!(Statement::parse(&statement.to_bytes()).as_ref(), Ok(&statement), "what was read is written and read again");
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
