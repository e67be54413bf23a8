//! `identity/login-reused`: a known login is another account now.

use crate::check::owners::compared;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::registry::OwnerKind;

pub(super) static RULE: Rule = Rule {
    id: "identity/login-reused",
    severity: Severity::High,
    area: Area::Maintainers,
    summary: "an owner or publisher has the login of a known one and is another account",
    docs: "\
Accounts have a number that never changes and a login that does. When its holder renames or deletes the account, the login is free, and
anybody can register it. An owner or publisher who bears the login of somebody that `supplychain.lock` knows of this crate, with another
number, is somebody else who looks the same to every reader of a web page.

**Behind it:** `ctx` (PyPI, 2022): the address of a maintainer was for sale, and with it the account. Repositories under names that were
given up are taken over routinely.

```toml
# supplychain.lock; 1.0.1 was published by user alice (4242)
[[crate]]
name = \"foo\"
publishers = [
    { id = 42, login = \"alice\" },
]
```

**What to do:** do not take the version; ask the project through another way than that account. People who lost an account come back with
a new one: when that is so, `cargo supplychain baseline accept foo`.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for one in compared(facts) {
        let known = one.known_identities();
        for (kind, id, login) in one.present_identities() {
            // Logins differ in more than upper and lower case.
            let is_of_login =
                |&&(known_kind, _, known): &&(OwnerKind, u64, &str)| known_kind == kind && known.eq_ignore_ascii_case(login);
            let namesakes: Vec<_> = known.iter().filter(is_of_login).collect();
            let Some((_, first, _)) = namesakes.first() else { continue };
            if namesakes.iter().any(|(_, known, _)| *known == id) {
                continue;
            }
            let finding = one
                .finding(RULE.id, RULE.severity, format!("`{login}` of {} is another account than before", one.name))
                .because(format!("in supplychain.lock {login} is account {first}"))
                .because(format!("the registry says account {id}"));
            let help = "do not take the version; ask the project through another way than this account";
            findings.push(finding.help(help));
        }
    }
    findings.dedup();
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::owners::fixture::{case, published};

    #[test]
    fn another_account_of_a_known_login_fires_and_a_rename_does_not() {
        let alice: &[&str] = &["u42 alice"];
        let fires = &["high Cargo.lock:3: `alice` of lib is another account than before"][..];
        for (now, expected) in [
            (&["u4242 alice"][..], fires),
            (&["u42 alice-x", "u4242 alice"], fires),
            (&["u4242 Alice"], &["high Cargo.lock:3: `Alice` of lib is another account than before"][..]),
            (&["u42 alice-x"], &[]),
            (&["u42 alice", "u77 bob"], &[]),
            // A team is no user.
            (&["u42 alice", "t4242 alice"], &[]),
        ] {
            assert_eq!(case(Some(alice), Some(now)).run(&RULE), expected, "{now:?}");
        }
        for (before, now, expected) in [
            (Some("u42 alice"), Some("u4242 alice"), fires),
            (Some("u42 alice"), Some("u42 alice"), &[]),
            (Some("u42 alice"), Some("u4242 bob"), &[]),
            (None, Some("u4242 alice"), &[]),
        ] {
            assert_eq!(published(None, before, None, now).run(&RULE), expected, "{before:?} {now:?}");
        }
        // Owner and publisher of one account are one finding.
        assert_eq!(published(Some(alice), None, Some(&["u4242 alice"]), Some("u4242 alice")).run(&RULE), fires);
    }
}
