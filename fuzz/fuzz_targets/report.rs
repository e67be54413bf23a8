#![no_main]

use std::sync::LazyLock;

use cargo_supplychain::document::{github, gitlab, json_text, sarif, summary};
use cargo_supplychain::finding::Report;
use cargo_supplychain::ops;
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<Vec<sarif::RuleInfo<'static>>> = LazyLock::new(ops::rule_infos);

// A report as the action reads it back from a child that ran the project's code beside it; into everything that people are shown.
fuzz_target!(|data: &[u8]| {
    let known = |id: &str| RULES.iter().map(|rule| rule.id).find(|one| *one == id);
    let Ok(report) = Report::read(data, &known) else { return };
    let annotations = github::annotations(&report);
    assert!(annotations.lines().count() <= 11 && annotations.lines().all(|line| line.starts_with("::")));
    for text in [sarif::document(&report, &RULES).bytes, gitlab::document(&report).bytes] {
        serde_json::from_slice::<serde_json::Value>(&text).expect("it is JSON");
    }
    drop(summary::document(&report));
    // What was read is what is written.
    let again = Report::read(json_text(&report).as_bytes(), &known).expect("our own report is one");
    assert_eq!(json_text(&again), json_text(&report));
});
