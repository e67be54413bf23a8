#![no_main]

use std::collections::BTreeSet;

use cargo_supplychain::archive::oci::manifest::{Index, of_release, read_bundle, read_release, to_bytes};
use cargo_supplychain::base::Sha256;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = Index::parse(data);
    let _ = read_bundle(data, Sha256::of(b""));
    let Ok(release) = read_release(data) else { return };
    let paths: BTreeSet<_> = release.files.iter().map(|file| file.path.to_lowercase()).collect();
    assert_eq!(paths.len(), release.files.len());
    assert!(release.files.iter().all(|file| !file.path.split('/').any(|part| part.is_empty() || part == "..")));
    // What we write of it is read as the same.
    assert_eq!(read_release(&to_bytes(&of_release(&release))), Ok(release));
});
