#![no_main]

use std::sync::LazyLock;

use cargo_supplychain::assemble::Platforms;
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

static PLATFORMS: LazyLock<Platforms> = LazyLock::new(|| {
    let unix = ["unix".to_owned(), "target_os=\"linux\"".to_owned()];
    Platforms::new(("x86_64-pc-windows-gnu", &[]), ("x86_64-unknown-linux-gnu", &unix))
});

// The condition of `[target.'…'.dependencies]`, as cargo's metadata repeats it; and any text at all.
fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    let _ = PLATFORMS.rewrite(text);
    let condition = serde_json::Value::from(text).to_string();
    let metadata = PLATFORMS.rewrite(&format!("{{\"target\":{condition}}}"));
    assert!(serde_json::from_str::<serde_json::Value>(&metadata).is_ok(), "JSON stays JSON");
});
