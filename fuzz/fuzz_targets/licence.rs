#![no_main]

use cargo_supplychain::model::licence::{Expression, Term, deprecated};
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

// Two lines: a package's licence expression, and a licence of the policy's.
fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    let (declared, listed) = text.split_once('\n').unwrap_or((text, "MIT"));
    let _ = deprecated(declared);
    // One in eight: what a slip stands for is looked for in the whole list of SPDX, which takes long.
    let listed = match data.len() % 8 {
        0 => Term::parse(listed).ok(),
        _ => Expression::parse(listed).and_then(|listed| listed.terms().into_iter().next()),
    };
    let Some(expression) = Expression::parse(declared) else { return };
    assert!(expression.holds(|_| true), "who takes everything takes this");
    assert!(!expression.holds(|_| false), "who takes nothing does not take this");
    for term in expression.terms() {
        assert!(term.accepts(&term), "{declared}");
        if let Some(listed) = &listed {
            let _ = (listed.accepts(&term), listed.denies(&term), term.denies(listed));
        }
    }
});
