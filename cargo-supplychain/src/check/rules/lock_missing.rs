//! `lock/missing`: there is no Cargo.lock.

use crate::base::Location;
use crate::check::{Facts, LockState, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "lock/missing",
    severity: Severity::High,
    area: Area::Lock,
    summary: "there is no Cargo.lock",
    docs: "\
Without a lockfile every build takes the newest versions that the requirements allow, whoever published them a minute ago; two
builds of one commit differ, and nothing can be said about what a release will contain.

**Behind it:** `event-stream` (npm, 2018) and the wave of compromised crates and packages since: a malicious patch release reaches
every build that is not locked, within minutes.

```text
$ ls
Cargo.toml  src
$ cargo supplychain check
high  lock/missing  there is no Cargo.lock
```

**What to do:** `cargo generate-lockfile`, and commit the file; for libraries too (the Cargo book recommends it since 2023): it says
what your CI tried.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let LockState::Missing { path } = facts.lock else { return Vec::new() };
    let message = format!("there is no {path}: every build may take other versions");
    let finding = Finding::new(RULE.id, RULE.severity, message).at(Location::file(path));
    vec![finding.help("run `cargo generate-lockfile` and commit the file")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn missing_fires_and_an_empty_one_does_not() {
        let mut case = Case::new();
        assert!(case.run(&RULE).is_empty());
        case.lock = LockState::Missing { path: "Cargo.lock".into() };
        assert_eq!(case.run(&RULE), ["high Cargo.lock: there is no Cargo.lock: every build may take other versions"]);
    }
}
