#![no_main]

use cargo_supplychain::attest::{Attestation, Statement};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

// A statement of anybody's. What the narrower reader of our own statements takes names the same subjects here, unless it has a
// sha512 digest that is none.
fuzz_target!(|data: &[u8]| {
    let general = Attestation::parse(data);
    if let (Ok(own), Ok(general)) = (Statement::parse(data), general) {
        assert_eq!((&own.predicate_type, &own.predicate), (&general.predicate_type, &general.predicate));
        let named = general.subjects.iter().map(|subject| (subject.name.clone(), subject.sha256));
        assert!(named.eq(own.subjects.iter().map(|subject| (Some(subject.name.clone()), Some(subject.sha256)))));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
