//! `policy/vex-unused`: a decision about a vulnerability matches no finding.

use crate::check::{Facts, Rule};
use crate::config::VexDecision;
use crate::finding::{Area, Finding, Severity};

pub(in crate::check) static RULE: Rule = Rule {
    id: "policy/vex-unused",
    severity: Severity::Low,
    area: Area::Policy,
    summary: "a decision about a vulnerability (VEX) matches no finding",
    docs: "\
What was decided about is gone: the component was updated or removed, or the advisory withdrawn. An entry that stays would silently decide
about the same thing when it comes back. Not told where advisories were not judged, of expired entries, which have their own finding, and of
what is `fixed`: that is no finding any more, and worth telling users as long as the component is locked.

**Behind it:** lists of decisions only grow unless something says what may go.

```toml
[[vex]]
id = \"RUSTSEC-2021-0003\"       # smallvec was updated long ago
package = \"smallvec\"
status = \"affected\"
reason = \"insert_many is called with an iterator of a user\"
action = \"do not use the batch interface\"
author = \"PSIRT\"
date = 2026-11-01
expires = 2027-05-01
```

**What to do:** remove the entry, or make it `fixed` where users should be told.
",
    options: &[],
    run,
};

/// Which ones are unused shows only when all other findings are there: `check::decisions` makes these.
fn run(_: &Facts<'_>) -> Vec<Finding> {
    Vec::new()
}

pub(in crate::check) fn finding(decision: &VexDecision) -> Finding {
    Finding::new(
        RULE.id,
        RULE.severity,
        format!("the decision about {} in {} matches no finding", decision.id, decision.component),
    )
    .at(decision.location.clone())
    .help("remove it from the policy, or make it `fixed` where users should be told")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Kind;
    use crate::check::case::{Case, advisory, lock_with_lib};
    use crate::check::{Scope, check};

    #[test]
    fn told_when_judged_and_useless() {
        let says = "low supplychain.toml:1:1 the decision about RUSTSEC-2026-0001 in lib matches no finding";
        let lock_only = Scope { only: vec![Area::Lock], ..Scope::default() };
        for (version, has_database, scope, expires, expected) in [
            ("1.2.0", true, Scope::default(), "2027-01-01", &[says][..]),
            ("1.0.0", true, Scope::default(), "2027-01-01", &[]),
            ("1.2.0", false, Scope::default(), "2027-01-01", &[]),
            ("1.2.0", true, lock_only, "2027-01-01", &[]),
            ("1.2.0", true, Scope::default(), "2026-10-01", &[]),
        ] {
            let policy = format!(
                "[[vex]]\nid = \"RUSTSEC-2026-0001\"\npackage = \"lib\"\nstatus = \"not_affected\"\nreason = \"r\"\nauthor = \"a\"\n\
                 date = 2026-01-01\nexpires = {expires}\n"
            );
            let mut case = Case::new().lock(&lock_with_lib(version)).advisory(advisory(Kind::Vulnerability)).policy(&policy);
            if !has_database {
                case.database = Err("gone".into());
            }
            let found = case.with(|facts| check(facts, &scope)).findings;
            let unused = found.iter().filter(|finding| finding.id == RULE.id);
            let shown: Vec<_> =
                unused.map(|finding| format!("{} {} {}", finding.severity, finding.locations[0], finding.message)).collect();
            assert_eq!(shown, expected, "{version} {has_database} {expires}");
        }
    }
}
