#![no_main]

use cargo_supplychain::feeds::sources::parse_bytes;
use cargo_supplychain::model::feed::FeedKind;
use libfuzzer_sys::fuzz_target;

// The first byte says which kind of source; the rest is a file of it, perhaps compressed or packed.
fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let kind = FeedKind::ALL[usize::from(*first) % FeedKind::ALL.len()];
    let _ = parse_bytes(kind, rest.to_vec());
});
