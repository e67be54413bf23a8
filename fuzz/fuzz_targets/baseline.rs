#![no_main]

use cargo_supplychain::model::baseline;
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    match baseline::parse("supplychain.lock", text) {
        // What was read is written so that it reads the same.
        Ok(read) => assert_eq!(baseline::parse("supplychain.lock", &read.to_text()).as_ref(), Ok(&read)),
        Err(error) => {
            let _ = error.to_string();
            // The renderer cuts the text at the span.
            assert!(error.span.is_none_or(|span| text.get(span).is_some()));
        }
    }
});
