#![no_main]

use camino::Utf8Path;
use cargo_supplychain::archive::single_file::read_tar;
use cargo_supplychain::archive::unpacked::Unpacked;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = Utf8Path::from_path(folder.path()).expect("UTF-8");
    let unpacked = Unpacked::begin(&root.join("out")).expect("an empty folder");
    if let Ok(contents) = read_tar(data, 1 << 20, &unpacked) {
        assert!(contents.record.files.iter().all(|file| unpacked.path().join("release").join(&file.path).is_file()));
    }
    drop(unpacked);
    assert_eq!(root.read_dir_utf8().expect("it is there").count(), 0, "something was written outside");
});
