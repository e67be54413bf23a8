//! `advisory/unsound`: a locked version is unsound.

use crate::advisory::Kind;
use crate::check::{Facts, Rule, advised};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "advisory/unsound",
    severity: Severity::Medium,
    area: Area::Advisories,
    summary: "a locked version is unsound",
    docs: "\
Safe code that uses the crate can cause undefined behaviour. That is no vulnerability by itself; it becomes one when your program uses
the crate in that way.

**Behind it:** `smallvec`, `lru`, `atty`: long lists of advisories begin with an API that promised more than it held.

```text
medium  advisory/unsound  atty 0.2.14  Cargo.lock:97
        RUSTSEC-2021-0145: Potential unaligned read
```

**What to do:** update, or see from the advisory that your program is not concerned and exempt it with that reason.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    advised::findings(facts, RULE.id, Kind::Unsound, |_| RULE.severity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Advisory;
    use crate::check::case::{Case, advisory, lock_with_lib, rated};

    #[test]
    fn fires_for_its_kind_and_the_affected_versions_only() {
        let says = "medium Cargo.lock:3: RUSTSEC-2026-0001: Something is wrong";
        for (version, kind, score, expected) in [
            ("1.0.0", Kind::Unsound, None, &[says][..]),
            ("1.0.0", Kind::Unsound, Some(10), &[says]),
            ("1.2.0", Kind::Unsound, None, &[]),
            ("1.0.0", Kind::Vulnerability, None, &[]),
        ] {
            let advisory = Advisory { ratings: rated(score), ..advisory(kind) };
            let case = Case::new().lock(&lock_with_lib(version)).advisory(advisory);
            assert_eq!(case.run(&RULE), expected, "{version} {kind:?} {score:?}");
        }
    }
}
