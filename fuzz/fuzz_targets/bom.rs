#![no_main]

use cargo_supplychain::bom;
use cargo_supplychain::bom::comparison::compare;
use cargo_supplychain::bom::listing::of_bom;
use cargo_supplychain::bom::minimum_elements::{Profile, assess};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| {
    let Ok(bom) = bom::read(data) else { return };
    let listed = of_bom(&bom);
    assert!(compare(&listed, &listed).is_empty(), "a document differs from itself");
    for profile in Profile::ALL {
        let assessment = assess(&bom, profile, None);
        assert!(assessment.stated <= assessment.required);
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
