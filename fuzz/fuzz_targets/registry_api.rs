#![no_main]

use cargo_supplychain::feeds::crates_io::answer::{Page, krate, owners, versions};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

// An answer of the registry's API, read as each of its parts.
fuzz_target!(|data: &[u8]| {
    if let Ok(record) = krate(data, "a") {
        assert!(record.owners.is_none() && record.versions.is_empty());
    }
    if let Ok(owners) = owners(data) {
        // The key is the pair of kind and id.
        assert!(owners.windows(2).all(|pair| (pair[0].kind, pair[0].id) < (pair[1].kind, pair[1].id)));
    }
    if let Ok(page) = versions(data, "a")
        && let Page::Next(query) = page.next
    {
        // It is put behind our own path.
        assert!(query.starts_with('?') && !query.contains(['#', '/', ':', ' ', '\r', '\n']));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
