#![no_main]

use cargo_supplychain::model::manifest;
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    let _ = manifest::parse("Cargo.toml", text);
});
