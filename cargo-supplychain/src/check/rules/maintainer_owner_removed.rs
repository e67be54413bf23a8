//! `maintainer/owner-removed`: somebody may no longer publish a locked crate.

use crate::check::owners::{compared, listed};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "maintainer/owner-removed",
    severity: Severity::Info,
    area: Area::Maintainers,
    summary: "an owner that supplychain.lock knows no longer owns the locked crate",
    docs: "\
An owner of the day when the crate was accepted is not one any more. People leave and teams are dissolved; it is said because it is
worth knowing who keeps what you depend on. When nobody of before is left, `maintainer/all-owners-replaced` says so beside it.

**Behind it:** no incident of its own: who takes a crate over keeps the former owners for show, or removes them to keep the crate.

```toml
# supplychain.lock; since then the team is gone, the user of the same number is not
[[crate]]
name = \"foo\"
owners = [
    { kind = \"user\", id = 1, login = \"foo\", first-seen = 2020-05-01 },
    { kind = \"team\", id = 1, login = \"github:test_org:team_sloth\", first-seen = 2020-05-01 },
]
```

**What to do:** nothing, or `cargo supplychain baseline accept foo` to have it said no more.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in compared(facts) {
        let removed = one.removed();
        let Some((_, now)) = one.owners().filter(|_| !removed.is_empty()) else { continue };
        let finding = one
            .finding(RULE.id, RULE.severity, format!("{} has lost owners: {}", one.name, listed(&removed)))
            .because(format!("owners now: {}", listed(&now.iter().collect::<Vec<_>>())));
        findings.push(finding.help(format!("`cargo supplychain baseline accept {}` to have it said no more", one.name)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::owners::fixture::case;

    #[test]
    fn a_lost_owner_fires_by_kind_and_number() {
        let both: &[&str] = &["u1 foo", "t1 github:test_org:team_sloth"];
        let team = "info Cargo.lock:3: lib has lost owners: team github:test_org:team_sloth (1)";
        for (before, now, expected) in [
            (Some(both), Some(&["u1 foo"][..]), &[team][..]),
            (Some(both), Some(&["t1 github:test_org:team_sloth"]), &["info Cargo.lock:3: lib has lost owners: user foo (1)"]),
            (Some(both), Some(&["t1 github:test_org:team_sloth", "u1 foo"]), &[]),
            (Some(both), Some(&["u1 bar", "t1 github:test_org:team_sloth", "u2 new"]), &[]),
            (Some(both), None, &[]),
            (None, Some(&[]), &[]),
        ] {
            assert_eq!(case(before, now).run(&RULE), expected, "{now:?}");
        }
    }
}
