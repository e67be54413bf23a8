#![no_main]

use cargo_supplychain::attest::strict_json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(value) = strict_json::parse(data) else { return };
    // The strict reading is never another one than everybody's.
    assert_eq!(serde_json::from_slice::<serde_json::Value>(data).ok(), Some(value));
});
