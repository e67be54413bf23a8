#![no_main]

use cargo_supplychain::model::licence::{Expression, Term, deprecated};
use cargo_supplychain_fuzz::text;
use libfuzzer_sys::fuzz_target;

// Two lines: a package's licence expression, and a licence of the policy's.
fuzz_target!(|data: &[u8]| {
    let Some(text) = text(data) else { return };
    let (declared, listed) = text.split_once('\n').unwrap_or((text, "MIT"));
    let _ = deprecated(declared);
    let listed = Term::parse(listed).ok();
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
