#![no_main]

use cargo_supplychain::collect::sources::ChecksumList;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(list) = ChecksumList::parse(data) {
        assert!(list.files.len() <= data.len());
    }
});
