//! `advisory/unmaintained`: a locked package is no longer maintained.

use crate::advisory::Kind;
use crate::check::{Facts, Rule, advised};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "advisory/unmaintained",
    severity: Severity::Medium,
    area: Area::Advisories,
    summary: "a locked package is no longer maintained",
    docs: "\
Nobody will fix the next vulnerability, and an abandoned name is what a takeover looks for.

**Behind it:** `event-stream` (2018) and `xz` (2024): a tired maintainer handed over to a helpful stranger.

```text
medium  advisory/unmaintained  paste 1.0.15  Cargo.lock:530
        RUSTSEC-2024-0436: paste - no longer maintained
```

**What to do:** plan its replacement; the advisory often names one. Exempt it until then, with an expiry.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    advised::findings(facts, RULE.id, Kind::Unmaintained, |_| RULE.severity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Advisory;
    use crate::check::case::{Case, advisory, lock_with_lib};

    #[test]
    fn fires_for_its_kind_and_the_affected_versions_only() {
        let says = "medium Cargo.lock:3: RUSTSEC-2026-0001: Something is wrong";
        for (version, kind, score, expected) in [
            ("1.0.0", Kind::Unmaintained, None, &[says][..]),
            ("1.0.0", Kind::Unmaintained, Some(10), &[says]),
            ("1.2.0", Kind::Unmaintained, None, &[]),
            ("1.0.0", Kind::Vulnerability, None, &[]),
        ] {
            let advisory = Advisory { score, ..advisory(kind) };
            let case = Case::new().lock(&lock_with_lib(version)).advisory(advisory);
            assert_eq!(case.run(&RULE), expected, "{version} {kind:?} {score:?}");
        }
    }
}
