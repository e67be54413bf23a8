#![no_main]

use std::io::Write as _;

use cargo_supplychain::collect::sources::ChecksumList;
use cargo_supplychain::collect::sources::crate_file::CrateFile;
use libfuzzer_sys::fuzz_target;

const BLOCK: usize = 512;

// A `.crate` of the package `a-1.0.0`: as it is where it looks like gzip, otherwise the tar, whose sums are put right and which is
// packed here. And, the same bytes, the `.cargo-checksum.json` of a vendored package.
fuzz_target!(|data: &[u8]| {
    let _ = ChecksumList::parse(data);
    let packed = if data.starts_with(&[0x1f, 0x8b]) { data.to_vec() } else { gzip(&with_sums(data)) };
    let Ok(mut archive) = CrateFile::from_bytes("a-1.0.0", &packed) else { return };
    // Some files are read, some skipped.
    let mut number = 0;
    while let Ok(Some(mut file)) = archive.next_file() {
        let path = file.path().to_owned();
        assert!(!path.is_empty() && !path.starts_with('/') && !path.split('/').any(|part| part == ".."), "{path:?}");
        number += 1;
        if number % 2 == 0 {
            continue;
        }
        if let Ok(bytes) = file.bytes(1 << 16) {
            assert!(bytes.len() <= 1 << 16);
        }
    }
});

fn with_sums(tar: &[u8]) -> Vec<u8> {
    let mut tar = tar.to_vec();
    let mut at = 0;
    while let Some(header) = tar.get_mut(at..at + BLOCK) {
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let digits = header[124..136].iter().take_while(|byte| (b'0'..=b'7').contains(*byte));
        let size = digits.fold(0_usize, |size, byte| size.saturating_mul(8).saturating_add(usize::from(byte - b'0')));
        at = at.saturating_add(BLOCK).saturating_add(size.div_ceil(BLOCK).saturating_mul(BLOCK));
        if at > tar.len() {
            break;
        }
    }
    tar.resize(tar.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    tar
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(bytes).and_then(|()| packed.finish()).expect("a vector takes it")
}
