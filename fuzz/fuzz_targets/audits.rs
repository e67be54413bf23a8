#![no_main]

use std::collections::BTreeMap;

use cargo_supplychain::model::audits::{AuditFiles, parse};
use cargo_supplychain_fuzz::{parts, text};
use libfuzzer_sys::fuzz_target;

// Parts `audits`, `imports` and `config`: the files of `supply-chain/`.
fuzz_target!(|data: &[u8]| {
    let parts: BTreeMap<_, _> = parts(data).into_iter().collect();
    let part = |name: &str| parts.get(name).and_then(|bytes| text(bytes)).map(str::to_owned);
    let files = AuditFiles { audits: part("audits"), imports: part("imports"), config: part("config") };
    let Ok(audits) = parse("supply-chain", &files) else { return };
    let versions = ["1.0.0", "1.0.1-rc.1", "2.0.0"].map(|version| version.parse().expect("it is a version"));
    for name in audits.of.keys() {
        for version in &versions {
            let _ = audits.violations(name, version).count();
            // What somebody warned of is never covered.
            let covered = audits.cover(name, version, &[&versions[0]]).is_some();
            assert!(!covered || audits.violations(name, version).next().is_none());
        }
    }
});
