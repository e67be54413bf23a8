#![no_main]

use cargo_supplychain::feeds::rustsec::parse_advisory;
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    // Its file has the name that it calls itself.
    let id = text.split_once("id = \"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    let Ok(Some(advisory)) = parse_advisory(id, text) else { return };
    for version in ["0.0.0", "0.9.1", "1.0.0-rc.1", "1.1.1", "18446744073709551615.0.0"] {
        let _ = advisory.versions.is_vulnerable(&version.parse().expect("it is a version"));
    }
});
