#![no_main]

use cargo_supplychain::model::difference::{MAX_EXAMPLES, explain};
use libfuzzer_sys::fuzz_target;

// The second file is the first one with some bytes changed: the input's first two bytes say where and with what.
fuzz_target!(|data: &[u8]| {
    let [at, with, first @ ..] = data else { return };
    let mut second = first.to_vec();
    if let Some(step) = std::num::NonZeroUsize::new(usize::from(*at)) {
        for index in (0..second.len()).step_by(step.get() * 16) {
            second[index] ^= *with;
        }
    }
    match explain(first, &second) {
        None => assert_eq!(first, second),
        Some(difference) => {
            assert!(!difference.causes.is_empty());
            assert!(
                difference.causes.iter().all(|cause| cause.examples.len() <= MAX_EXAMPLES && cause.total >= cause.examples.len())
            );
        }
    }
});
