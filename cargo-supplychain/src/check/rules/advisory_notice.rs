//! `advisory/notice`: the RustSec database has a notice about a locked version.

use crate::advisory::Kind;
use crate::check::{Facts, Rule, advised};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "advisory/notice",
    severity: Severity::Info,
    area: Area::Advisories,
    summary: "the RustSec database has a notice about a locked version",
    docs: "\
Something worth knowing that is neither a vulnerability nor unsoundness.

**Behind it:** a crate that was renamed, or whose name passed to another author with other contents.

```text
info  advisory/notice  lib 1.0.0  Cargo.lock:3
      RUSTSEC-2026-0001: this crate was renamed
```

**What to do:** read it; it fails nothing.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    advised::findings(facts, RULE.id, Kind::Notice, |_| RULE.severity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Advisory;
    use crate::check::case::{Case, advisory, lock_with_lib, rated};

    #[test]
    fn fires_for_its_kind_and_the_affected_versions_only() {
        let says = "info Cargo.lock:3: RUSTSEC-2026-0001: Something is wrong";
        for (version, kind, score, expected) in [
            ("1.0.0", Kind::Notice, None, &[says][..]),
            ("1.0.0", Kind::Notice, Some(10), &[says]),
            ("1.2.0", Kind::Notice, None, &[]),
            ("1.0.0", Kind::Vulnerability, None, &[]),
        ] {
            let advisory = Advisory { ratings: rated(score), ..advisory(kind) };
            let case = Case::new().lock(&lock_with_lib(version)).advisory(advisory);
            assert_eq!(case.run(&RULE), expected, "{version} {kind:?} {score:?}");
        }
    }
}
