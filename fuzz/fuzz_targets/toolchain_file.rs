#![no_main]

use cargo_supplychain::model::ToolchainFile;
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    for legacy in [false, true] {
        let _ = ToolchainFile::parse("rust-toolchain", text, legacy);
    }
});
