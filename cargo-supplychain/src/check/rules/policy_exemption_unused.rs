//! `policy/exemption-unused`: an exemption matches no finding.

use crate::check::{Facts, Rule};
use crate::config::Exemption;
use crate::finding::{Area, Finding, Severity};

pub(in crate::check) static RULE: Rule = Rule {
    id: "policy/exemption-unused",
    severity: Severity::Low,
    area: Area::Policy,
    summary: "an exemption matches no finding",
    docs: "\
What it exempted is gone: the dependency was updated or removed. An entry that stays would silently exempt the same thing when it
comes back. Not told for what was not judged (`--only`, no advisory database) and not for expired entries, which have their own finding.

**Behind it:** ignore lists only grow unless something says what may go.

```toml
[[exemptions]]
id = \"RUSTSEC-2021-0003\"       # smallvec was updated long ago
reason = \"waiting for 1.6.1\"
expires = 2027-01-31
```

**What to do:** remove the entry.
",
    options: &[],
    run,
};

/// What is unused shows only when all other findings are there: `check::exemptions` makes these.
fn run(_facts: &Facts<'_>) -> Vec<Finding> {
    Vec::new()
}

pub(in crate::check) fn finding(exemption: &Exemption) -> Finding {
    let of = match (&exemption.package, &exemption.version) {
        (Some(package), Some(version)) => format!("{} for {package} {version}", exemption.id),
        (Some(package), None) => format!("{} for {package}", exemption.id),
        _ => exemption.id.clone(),
    };
    Finding::new(RULE.id, RULE.severity, format!("the exemption of {of} matches no finding"))
        .at(exemption.location.clone())
        .help("remove it from the policy")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Kind;
    use crate::check::case::{Case, advisory, lock_with_lib};
    use crate::check::{Scope, check};

    #[test]
    fn told_when_judged_and_useless() {
        let lib = "low supplychain.toml:1:1 the exemption of RUSTSEC-2026-0001 for lib matches no finding";
        let lock_only = Scope { only: vec![Area::Lock], ..Scope::default() };
        for (version, has_database, scope, expected) in [
            ("1.2.0", true, Scope::default(), &[lib][..]),
            ("1.0.0", true, Scope::default(), &[]),
            ("1.2.0", false, Scope::default(), &[]),
            ("1.2.0", true, lock_only, &[]),
        ] {
            let policy = "[[exemptions]]\nid = \"RUSTSEC-2026-0001\"\npackage = \"lib\"\nreason = \"r\"\nexpires = 2027-01-01\n";
            let mut case = Case::new().lock(&lock_with_lib(version)).advisory(advisory(Kind::Vulnerability)).policy(policy);
            if !has_database {
                case.database = Err("gone".into());
            }
            let found = case.with(|facts| check(facts, &scope)).findings;
            let unused = found.iter().filter(|finding| finding.id == RULE.id);
            let shown: Vec<_> =
                unused.map(|finding| format!("{} {} {}", finding.severity, finding.locations[0], finding.message)).collect();
            assert_eq!(shown, expected, "{version} {has_database}");
        }
    }
}
