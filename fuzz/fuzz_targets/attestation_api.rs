#![no_main]

use cargo_supplychain::attest::MAX_BUNDLE_BYTES;
use cargo_supplychain::feeds::github_attestations::answer::{PER_PAGE, bundle, next_query, page};
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

// An answer of a repository host's API for attestations, as each of its parts.
fuzz_target!(|data: &[u8]| {
    if let Ok(places) = page(data) {
        assert!(places.len() <= PER_PAGE && places.iter().all(|one| one.inline.is_some() || one.url.is_some()));
    }
    if let Ok(bytes) = bundle(data) {
        assert!(bytes.len() <= MAX_BUNDLE_BYTES.max(data.len()));
    }
    if let Some(Ok(Some(query))) = text(data).map(next_query) {
        // It is put behind our own path.
        assert!(query.starts_with('?') && !query.contains(['#', '/', ' ', '\r', '\n']));
    }
});
