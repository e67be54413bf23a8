#![no_main]

use cargo_supplychain::base::{Sha256, Timestamp, text as base_text};
use cargo_supplychain::model::release_path;
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    if let Ok(time) = text.parse::<Timestamp>() {
        let _ = (time.to_string(), time.date());
    }
    if let Ok(digest) = text.parse::<Sha256>() {
        assert_eq!(digest.to_string(), text);
    }
    let plain = base_text::plain(text);
    assert_eq!(base_text::plain(&plain), plain);
    let _ = base_text::without_credentials(text);
    if release_path::check(text).is_ok() {
        let _ = release_path::fold(text);
    }
});
