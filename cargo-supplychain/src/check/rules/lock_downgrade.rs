//! `lock/downgrade`: a package goes back to a lower version.

use crate::base::Location;
use crate::base::text::plain;
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::change::{Before, EarlierPackage};
use crate::model::index::IndexVersion;
use crate::model::{LockedPackage, Lockfile};

pub(super) static RULE: Rule = Rule {
    id: "lock/downgrade",
    severity: Severity::Medium,
    area: Area::Lock,
    summary: "a package is locked at a lower version than before",
    docs: "\
The lockfile goes back to a version that somebody had already moved on from, and the higher one is gone from it. Cargo resolves upwards
by itself, so a lower version was asked for, by hand or by a changed requirement: sometimes for good reasons, and it is also how a fixed
vulnerability is brought back. With cargo 1.95.0 `--locked` accepts it. Compared with `--base`, else with the baseline; the workspace's
own packages are left out.

**Behind it:** no incident of this form is known for crates.io. Rolling back to a signed but vulnerable release is the classic attack on
update systems (The Update Framework names it first).

```toml
# Cargo.lock, 1.4.2 before
[[package]]
name = \"lib\"
version = \"1.4.0\"
```

**What to do:** ask why; `cargo update -p NAME` goes up again. If it is meant, exempt it with the reason.
",
    options: &[RuleOption::allow("package names")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (Some(lockfile), Some(before)) = (facts.lock.lockfile(), &facts.changes.before) else { return Vec::new() };
    let allowed = facts.settings.list(RULE.id, "allow");
    let mut findings = Vec::new();
    for change in &facts.changes.changes {
        let (Some(package), Some(previous)) = (lockfile.packages.get(change.package), &change.previous) else { continue };
        let is_ours = package.source.is_none();
        if previous.version > package.version && !is_ours && is_gone(lockfile, previous) && !allowed.contains(&package.name) {
            findings.push(finding(facts, lockfile, package, previous, before));
        }
    }
    findings
}

fn is_gone(lockfile: &Lockfile, earlier: &EarlierPackage) -> bool {
    !lockfile.packages.iter().any(|package| package.name == earlier.name && package.version == earlier.version)
}

fn finding(
    facts: &Facts<'_>,
    lockfile: &Lockfile,
    package: &LockedPackage,
    previous: &EarlierPackage,
    before: &Before,
) -> Finding {
    let message = format!("{} goes back from {} to {}", plain(&package.name), previous.version, package.version);
    let since = match before {
        Before::Revision { given, .. } => format!("locked at {}: {}", plain(given), previous.version),
        Before::File { path } => format!("locked in {}: {}", plain(path), previous.version),
        Before::Baseline => format!("locked in the baseline: {}", previous.version),
    };
    let mut finding = Finding::new(RULE.id, RULE.severity, message)
        .about(&package.name, &package.version)
        .at(Location::line(&lockfile.path, package.line))
        .because(since);
    let key = (package.name.clone(), package.version.clone(), package.source.clone().unwrap_or_default());
    if let Some(Ok(IndexVersion { yanked, published, .. })) = facts.index.versions.get(&key) {
        if let Some(published) = published {
            finding = finding.because(format!("{} was published {}", package.version, published.date()));
        }
        if *yanked {
            finding = finding.because(format!("{} is yanked", package.version));
        }
    }
    finding.help(format!(
        "ask why it went back; `cargo update -p {}` goes up again, an exemption with a reason accepts it",
        package.name
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};

    #[test]
    fn lower_and_the_higher_one_gone() {
        let says = |to: &str| vec![format!("medium Cargo.lock:3: lib goes back from 1.4.2 to {to}")];
        let two = lock_with_lib("1.4.0") + &lock_with_lib("1.4.2").replace("version = 4\n", "");
        let member = lock_with_lib("1.4.0").replace("source = \"CRATES_IO\"\nchecksum = \"HEX\"\n", "");
        let git = lock_with_lib("1.4.0")
            .replace("CRATES_IO", "git+https://example.org/lib#0123456789012345678901234567890123456789")
            .replace("checksum = \"HEX\"\n", "");
        for (now, expected) in [
            (lock_with_lib("1.4.0"), says("1.4.0")),
            (lock_with_lib("0.9.0"), says("0.9.0")),
            (git, says("1.4.0")),
            (lock_with_lib("1.4.2"), vec![]),
            (lock_with_lib("1.4.3"), vec![]),
            (two, vec![]),
            (member, vec![]),
            (lock_with_lib("1.4.0").replace("\"lib\"", "\"other\""), vec![]),
        ] {
            assert_eq!(Case::new().lock(&now).before(&lock_with_lib("1.4.2")).run(&RULE), expected, "{now}");
        }
        assert!(Case::new().lock(&lock_with_lib("1.4.0")).run(&RULE).is_empty(), "nothing to compare with");
        let allowed = Case::new().lock(&lock_with_lib("1.4.0")).before(&lock_with_lib("1.4.2"));
        assert!(allowed.policy("[rules]\n\"lock/downgrade\" = { allow = [\"lib\"] }\n").run(&RULE).is_empty());
    }

    #[test]
    fn the_evidence_says_what_the_index_knows() {
        let known = IndexVersion {
            checksum: crate::check::case::HEX.parse().unwrap(),
            yanked: true,
            published: Some("2026-01-02".parse().unwrap()),
        };
        let case = Case::new().lock(&lock_with_lib("1.4.0")).before(&lock_with_lib("1.4.2"));
        let finding = case.indexed("lib", "1.4.0", Ok(known)).findings(&RULE).remove(0);
        assert_eq!(finding.evidence, ["locked at main: 1.4.2", "1.4.0 was published 2026-01-02", "1.4.0 is yanked"]);
    }
}
