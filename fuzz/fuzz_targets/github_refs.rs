#![no_main]

use cargo_supplychain::feeds::github_refs::advertisement::parse;
use cargo_supplychain::feeds::github_refs::comparison;
use libfuzzer_sys::fuzz_target;

// A list of references, as a git server gives it, and an answer of GitHub's API.
fuzz_target!(|data: &[u8]| {
    if let Ok(list) = parse(data) {
        let ids = list.references.iter().flat_map(|one| [one.id.as_str(), one.commit()]).chain(list.head.as_deref());
        // They are put into URLs.
        assert!(ids.into_iter().all(|id| id.len() == 40 && id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))));
    }
    let _ = comparison(data);
});
