//! `maintainer/all-owners-replaced`: nobody who owned a crate when it was accepted owns it now.

use crate::check::owners::{compared, listed};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "maintainer/all-owners-replaced",
    severity: Severity::High,
    area: Area::Maintainers,
    summary: "every owner of a locked crate is another than supplychain.lock knows",
    docs: "\
When a crate was accepted it had owners, and none of them owns it now: it changed hands as a whole. That is how an abandoned crate finds
somebody who cares, and how one is sold. What you decided to depend on was the work of other people. Owners are compared by kind and
number, so nobody is replaced by a new login; a team that joins while its members stay replaces nobody.

**Behind it:** event-stream (npm, 2018) was given to a stranger who had asked for it.

```toml
# supplychain.lock; by now the only owner is user r9 (77)
[[crate]]
name = \"estream\"
owners = [
    { kind = \"user\", id = 10, login = \"alice\", first-seen = 2014-05-01 },
]
```

**What to do:** find out who the new owners are and whether the former ones said so; read the releases since. Stay at the locked
version until then. `cargo supplychain baseline accept estream` takes the new owners as known.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in compared(facts) {
        let Some((before, now)) = one.owners() else { continue };
        // A crate without any owner was not handed to anybody.
        if before.is_empty() || now.is_empty() || one.removed().len() < before.len() {
            continue;
        }
        let finding = one
            .finding(RULE.id, RULE.severity, format!("every owner of {} was replaced", one.name))
            .because(format!("owners in supplychain.lock: {}", listed(&before)))
            .because(format!("owners now: {}", listed(&now.iter().collect::<Vec<_>>())));
        let help = format!(
            "find out who they are before you take another version; then `cargo supplychain baseline accept {}`",
            one.name
        );
        findings.push(finding.help(help));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::owners::fixture::case;

    #[test]
    fn a_crate_in_other_hands_fires_and_one_that_keeps_somebody_does_not() {
        let before: &[&str] = &["u10 alice", "t1 github:o:t"];
        for (now, fires) in [
            (&["u77 r9"][..], true),
            // A user of the team's number, and of the former login.
            (&["u1 github:o:t", "u77 alice"], true),
            (&["u77 r9", "t1 github:o:t2"], false),
            (&["u10 alice-x"], false),
            (&[], false),
        ] {
            let expected = if fires { &["high Cargo.lock:3: every owner of lib was replaced"][..] } else { &[] };
            assert_eq!(case(Some(before), Some(now)).run(&RULE), expected, "{now:?}");
        }
        assert!(case(None, Some(&["u77 r9"])).run(&RULE).is_empty());
        assert!(case(Some(&[]), Some(&["u77 r9"])).run(&RULE).is_empty());
    }
}
