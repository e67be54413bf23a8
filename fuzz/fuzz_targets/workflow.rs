#![no_main]

use cargo_supplychain::model::workflow;
use cargo_supplychain::model::workflow::expression::{contexts, expressions};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for (_, expression) in expressions(text) {
        let _ = contexts(expression);
    }
    let Ok(workflow) = workflow::parse("w.yml", text) else { return };
    for step in workflow.jobs.iter().flat_map(|job| &job.steps) {
        let _ = (step.action(), step.input("ref"));
    }
});
