//! `advisory/malicious`: a locked version is malicious.

use crate::advisory::Kind;
use crate::check::{Facts, Rule, advised};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "advisory/malicious",
    severity: Severity::Critical,
    area: Area::Advisories,
    summary: "a locked version is malicious",
    docs: "\
The RustSec database has it in the category `malicious`: the code was written or changed to do harm. The category wins over a missing
or low score. Building it is enough: build scripts and proc macros run on the machine that builds.

**Behind it:** `arrayref` 0.3.10 (RUSTSEC-2026-0260): a release of a well-known crate gained a dependency whose build script stole credentials; it
was up for 86 minutes.

```text
critical  advisory/malicious  arrayref 0.3.10  Cargo.lock:41
          RUSTSEC-2026-0260: `arrayref` 0.3.10 was removed from crates.io due to a malicious dependency
```

**What to do:** do not build. Go back to a version from before, and treat every machine that built it as compromised: its tokens and keys first.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    advised::findings(facts, RULE.id, Kind::Malicious, |_| RULE.severity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Advisory;
    use crate::check::case::{Case, advisory, lock_with_lib, rated};

    #[test]
    fn fires_for_its_kind_and_the_affected_versions_only() {
        let says = "critical Cargo.lock:3: RUSTSEC-2026-0001: Something is wrong";
        for (version, kind, score, expected) in [
            ("1.0.0", Kind::Malicious, None, &[says][..]),
            ("1.0.0", Kind::Malicious, Some(10), &[says]),
            ("1.2.0", Kind::Malicious, None, &[]),
            ("1.0.0", Kind::Vulnerability, None, &[]),
        ] {
            let advisory = Advisory { ratings: rated(score), ..advisory(kind) };
            let case = Case::new().lock(&lock_with_lib(version)).advisory(advisory);
            assert_eq!(case.run(&RULE), expected, "{version} {kind:?} {score:?}");
        }
    }
}
