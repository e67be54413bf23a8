#![no_main]

use cargo_supplychain::feeds::tuf::{GITHUB, SIGSTORE, State, kept};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

// What is kept of a repository of trusted roots: nothing in it is believed that the embedded root does not lead to, and no byte of it here does.
fuzz_target!(|data: &[u8]| {
    let state = State::parse(data);
    assert!(kept(&state, &SIGSTORE).is_none() && kept(&state, &GITHUB).is_none());
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
