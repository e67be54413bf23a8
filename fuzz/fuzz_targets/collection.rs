#![no_main]

use cargo_supplychain::attest::{Collection, MAX_BUNDLES, SigstoreBundle, collection};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

// A file of attestations of others (PEP 740, a saved answer), and the bundles that it becomes.
fuzz_target!(|data: &[u8]| {
    match collection(data) {
        Ok(Some(Collection::One(bundle))) => drop(SigstoreBundle::parse(&bundle)),
        Ok(Some(Collection::Many(bundles))) => {
            assert!(bundles.len() <= MAX_BUNDLES);
            for bundle in bundles {
                drop(SigstoreBundle::parse(&bundle));
            }
        }
        Ok(None) | Err(_) => {}
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
