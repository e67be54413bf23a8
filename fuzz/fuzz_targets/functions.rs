//! What others wrote of functions: names in sources, lists of files, symbols of binaries.
#![no_main]

use cargo_supplychain::model::functions::{Asked, Names, Path, dep_info, find};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let names = Names::of(&text, "f");
    let _ = (names.mention(true), names.mention(false), dep_info::files(&text));
    let path = Path::parse(&text);
    let asked = Asked { purl: String::new(), function: text.into_owned() };
    let _ = find(data, &[(asked, path)]);
});
