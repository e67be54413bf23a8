#![no_main]

use cargo_supplychain::bom;
use cargo_supplychain::bom::comparison::compare;
use cargo_supplychain::bom::listing::of_bom;
use libfuzzer_sys::fuzz_target;

// XML, tag-value and binaries: mutated as bytes.
fuzz_target!(|data: &[u8]| {
    if let Ok(bom) = bom::read(data) {
        let listed = of_bom(&bom);
        assert!(compare(&listed, &listed).is_empty(), "a document differs from itself");
    }
});
