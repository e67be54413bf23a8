//! `lock/out-of-date`: the lockfile does not satisfy the manifests.

use crate::base::Location;
use crate::check::{Facts, LockState, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "lock/out-of-date",
    severity: Severity::High,
    area: Area::Lock,
    summary: "Cargo.lock does not satisfy the manifests",
    docs: "\
The manifests ask for something that the lockfile lacks, so `cargo build` would change the lockfile: what was reviewed is not what
is built. `cargo build --locked` refuses, and so do we. The lockfile is never rewritten here.

**Behind it:** a pull request that changes `Cargo.toml` and not `Cargo.lock` leaves the choice of version to the machine that
builds next, which takes the newest one there is.

```toml
# Cargo.toml asks for a crate that Cargo.lock does not have
[dependencies]
itoa = \"1\"
```

**What to do:** `cargo update --workspace` (it changes no more than it must), look at the difference, commit it.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let LockState::Present { lockfile, stale: Some(said) } = facts.lock else { return Vec::new() };
    let message = format!("{} does not satisfy the manifests: `--locked` would fail", lockfile.path);
    let mut finding = Finding::new(RULE.id, RULE.severity, message).at(Location::file(&lockfile.path));
    // What cargo says may be long; the beginning names what it needs.
    for line in said.lines().map(str::trim).filter(|line| !line.is_empty()).take(8) {
        finding = finding.because(format!("cargo: {line}"));
    }
    vec![finding.help("run `cargo update --workspace`, look at the difference and commit it")]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn stale_fires_with_cargos_words_and_current_does_not() {
        let mut case = Case::new();
        assert!(case.run(&RULE).is_empty());
        if let LockState::Present { stale, .. } = &mut case.lock {
            *stale = Some("error: cannot update the lock file\n\n  because --locked".into());
        }
        assert_eq!(case.run(&RULE), ["high Cargo.lock: Cargo.lock does not satisfy the manifests: `--locked` would fail"]);
        assert_eq!(case.findings(&RULE)[0].evidence, ["cargo: error: cannot update the lock file", "cargo: because --locked"]);
    }
}
