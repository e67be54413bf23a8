#![no_main]

use std::sync::LazyLock;

use cargo_supplychain::check::rules;
use cargo_supplychain::config::{self, KnownRule};
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

static KNOWN: LazyLock<Vec<KnownRule<'static>>> = LazyLock::new(|| rules::known().collect());

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    if let Err(error) = config::parse("supplychain.toml", text, &KNOWN) {
        let _ = error.to_string();
        // The renderer cuts the text at the span.
        assert!(error.span.is_none_or(|span| span.end <= text.len() && text.is_char_boundary(span.start)));
    }
});
