//! `identity/renamed`: a known account has another login.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Location;
use crate::check::owners::compared;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::registry::OwnerKind;

pub(super) static RULE: Rule = Rule {
    id: "identity/renamed",
    severity: Severity::Info,
    area: Area::Maintainers,
    summary: "an owner or publisher is the known account under another login",
    docs: "\
The account is the one that `supplychain.lock` knows, by its number; its login is new. Nobody has gained anything. It is said because the
old login is now free for anybody to register, which `identity/login-reused` looks for.

**Behind it:** no incident: this is the harmless half of a re-registered name.

```toml
# supplychain.lock; account 42 is called alice-x today
[[crate]]
name = \"foo\"
owners = [
    { kind = \"user\", id = 42, login = \"alice\", first-seen = 2020-05-01 },
]
```

**What to do:** nothing. `cargo supplychain baseline refresh` writes the new login.
",
    options: &[],
    run,
};

/// The renamed: kind, number, login of then and now.
type Renamed<'f> = (OwnerKind, u64, &'f str, &'f str);

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    // Somebody with fifty crates is renamed once.
    let mut renamed = BTreeMap::<Renamed<'_>, (BTreeSet<&str>, Location)>::new();
    for one in compared(facts) {
        let known = one.known_identities();
        for (kind, id, now) in one.present_identities() {
            let mut logins =
                known.iter().filter(|(known, number, _)| (*known, *number) == (kind, id)).map(|(_, _, login)| *login);
            let Some(before) = logins.next().filter(|before| *before != now && logins.all(|login| login != now)) else {
                continue;
            };
            let entry = renamed.entry((kind, id, before, now)).or_insert_with(|| (BTreeSet::new(), one.location.clone()));
            entry.0.insert(one.name);
        }
    }
    let finding = |((kind, id, before, now), (crates, location)): (Renamed<'_>, (BTreeSet<&str>, Location))| {
        let kind = if kind == OwnerKind::User { "user" } else { "team" };
        let crates: Vec<_> = crates.into_iter().collect();
        Finding::new(RULE.id, RULE.severity, format!("{kind} {id} is called `{now}` now, `{before}` before"))
            .at(location)
            .because(format!("owns or published: {}", crates.join(", ")))
            .help("`cargo supplychain baseline refresh` writes the new login")
    };
    renamed.into_iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::owners::fixture::{case, published};

    #[test]
    fn a_new_login_of_a_known_account_is_told_once() {
        let alice: &[&str] = &["u42 alice"];
        let fires = &["info Cargo.lock:3: user 42 is called `alice-x` now, `alice` before"][..];
        for (now, expected) in
            [(&["u42 alice-x"][..], fires), (&["u42 alice"], &[]), (&["u4242 alice"], &[]), (&["t42 alice-x", "u42 alice"], &[])]
        {
            assert_eq!(case(Some(alice), Some(now)).run(&RULE), expected, "{now:?}");
        }
        assert_eq!(published(Some(alice), Some("u42 alice"), Some(&["u42 alice-x"]), Some("u42 alice-x")).run(&RULE), fires);
        assert_eq!(published(None, Some("u42 alice"), None, Some("u42 alice-x")).run(&RULE), fires);
    }
}
