//! `maintainer/owner-added`: somebody new may publish a locked crate.

use crate::check::owners::{compared, listed};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "maintainer/owner-added",
    severity: Severity::Info,
    area: Area::Maintainers,
    summary: "a locked crate has an owner that supplychain.lock does not know",
    docs: "\
Every owner of a crate can publish. An owner who was not one when the crate was accepted is said, and nothing more: projects gain
maintainers, and nearly all of them are welcome. What the new owner *does* is judged by `maintainer/takeover-pattern`, to which a
release by an owner of less than 90 days is one signal among others. Owners are compared by kind and number; of a crate whose owners
were never looked up nothing is said.

**Behind it:** event-stream (npm, 2018) and xz (2024): the attacker was made a maintainer first, with thanks.

```toml
# supplychain.lock; since then the registry has a second owner, user r9 (77)
[[crate]]
name = \"estream\"
owners = [
    { kind = \"user\", id = 10, login = \"alice\", first-seen = 2014-05-01 },
]
```

**What to do:** look at who it is if the crate matters to you, then `cargo supplychain baseline accept estream`.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in compared(facts) {
        let added = one.added();
        let Some((before, _)) = one.owners().filter(|_| !added.is_empty()) else { continue };
        let finding = one
            .finding(RULE.id, RULE.severity, format!("{} has new owners: {}", one.name, listed(&added)))
            .because(format!("owners in supplychain.lock: {}", listed(&before)));
        findings.push(finding.help(format!("`cargo supplychain baseline accept {}` once you know who it is", one.name)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::owners::fixture::case;

    #[test]
    fn a_new_owner_fires_and_order_names_and_the_unknown_do_not() {
        let alice: &[&str] = &["u10 alice"];
        let both: &[&str] = &["u77 r9", "u10 alice"];
        for (before, now, expected) in [
            (Some(alice), Some(both), &["info Cargo.lock:3: lib has new owners: user r9 (77)"][..]),
            // Users and teams are numbered apart.
            (
                Some(alice),
                Some(&["t10 github:o:t", "u10 alice"]),
                &["info Cargo.lock:3: lib has new owners: team github:o:t (10)"],
            ),
            (Some(both), Some(&["u10 alice", "u77 r9"]), &[]),
            (Some(alice), Some(&["u10 alice-x"]), &[]),
            (Some(both), Some(alice), &[]),
            (None, Some(both), &[]),
            (Some(alice), None, &[]),
        ] {
            assert_eq!(case(before, now).run(&RULE), expected, "{before:?} {now:?}");
        }
        let mut without = case(Some(alice), Some(both));
        without.baseline = None;
        assert!(without.run(&RULE).is_empty());
    }
}
