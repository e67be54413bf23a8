#![no_main]

use cargo_supplychain::document::audit_data;
use cargo_supplychain::model::native::{imports, known, version};
use libfuzzer_sys::fuzz_target;

// Files of a build: executables, and headers that say versions.
fuzz_target!(|data: &[u8]| {
    if let Ok(Some(names)) = imports::needed(data) {
        assert!(names.is_sorted());
    }
    if let Some(content) = audit_data::object::embedded(data) {
        let _ = audit_data::unpacked(content);
    }
    let _ = audit_data::unpacked(data);
    let text = String::from_utf8_lossy(data);
    let _ = version::of_build_metadata(&text);
    for part in ["libz-sys", "libgit2-sys", "openssl-src", "libwebp-sys"].into_iter().flat_map(known::sources_in) {
        let said = part.version("p", "1.0.0", &mut |_| Ok(Some(data.to_vec())));
        assert!(said.known().is_none_or(|version| version.len() <= 40));
    }
});
