#![no_main]

use cargo_supplychain::model::index::{parse_line, parse_release};
use cargo_supplychain::model::registry::History;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::Value;

// Lines of a registry's index, as text or as one JSON list: they make up a history, and each is read as that of a locked version.
fuzz_target!(|data: &[u8]| {
    let lines = match serde_json::from_slice(data) {
        Ok(Value::Array(lines)) => lines.iter().map(|line| line.to_string().into_bytes()).collect(),
        _ => data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>(),
    };
    let mut releases = Vec::new();
    for line in lines.iter().take(64) {
        let _ = parse_line(line, b"1.0.0");
        let Ok(release) = parse_release(line) else { continue };
        // Who reads a line whole and who reads a part of it read the same.
        if let Ok(part) = parse_line(line, release.version.to_string().as_bytes()) {
            assert_eq!((part.checksum, part.yanked, part.published), (release.checksum, release.yanked, release.published));
        }
        releases.push(release);
    }
    let history = History { releases };
    let _ = history.first_published();
    for release in &history.releases {
        assert!(history.release(&release.version).is_some());
        assert!(history.predecessor(&release.version).is_none_or(|before| before.version < release.version));
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
