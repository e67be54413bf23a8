#![no_main]

use cargo_supplychain::attest::{Bundle, Content, SigstoreBundle};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

// A bundle of anybody's. What the narrower reader of our own bundles takes, this one takes as the same.
fuzz_target!(|data: &[u8]| {
    let general = SigstoreBundle::parse(data);
    if let Ok(own) = Bundle::parse(data) {
        let general = general.as_ref().expect("one of ours is one of anybody's");
        assert_eq!(general.plain().expect("it is plain").as_ref(), Ok(&own));
        assert_eq!(general.content(), Content::Statement(&own.payload));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
