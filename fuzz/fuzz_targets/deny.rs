#![no_main]

use std::sync::LazyLock;

use cargo_supplychain::base::Timestamp;
use cargo_supplychain::check::rules;
use cargo_supplychain::config::{self, KnownRule, deny};
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

static KNOWN: LazyLock<Vec<KnownRule<'static>>> = LazyLock::new(|| rules::known().collect());

// A `deny.toml`; what comes out of it is a policy that we read.
fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    let now = Timestamp::from_unix(1_790_000_000).expect("it is a time");
    let Ok(imported) = deny::import("deny.toml", text, now, &KNOWN) else { return };
    let again = config::parse("supplychain.toml", &imported.text, &KNOWN);
    assert!(again.is_ok(), "{}\n{}", again.unwrap_err(), imported.text);
});
