#![no_main]

use cargo_supplychain::model::capability::scan::Scanner;
use libfuzzer_sys::fuzz_target;

// The files of a package, split at NUL bytes: path and content in turn. The first is the manifest.
fuzz_target!(|data: &[u8]| {
    let mut parts = data.split(|byte| *byte == 0);
    let mut scanner = Scanner::default();
    scanner.file("Cargo.toml", parts.next().unwrap_or_default(), true);
    scanner.file("build.rs", parts.next().unwrap_or_default(), true);
    scanner.file("src/lib.rs", parts.next().unwrap_or_default(), true);
    while let (Some(path), Some(bytes)) = (parts.next(), parts.next()) {
        scanner.file(&String::from_utf8_lossy(path), bytes, true);
    }
    if let Ok(found) = scanner.finish() {
        let _ = found.gains(&Default::default());
    }
});
