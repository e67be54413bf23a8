//! `lock/checksum-mismatch`: the lockfile and the index disagree on what a version is.

use crate::base::Location;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "lock/checksum-mismatch",
    severity: Severity::Critical,
    area: Area::Lock,
    summary: "a checksum in Cargo.lock differs from the registry index",
    docs: "\
The registry's index records the SHA-256 of every published `.crate`, and a version can never be published again. A lockfile with
another checksum names something else under the same name and version: the lockfile was edited, or the file came from a registry
that does not serve what crates.io serves. Compared with the index that cargo keeps in `$CARGO_HOME`, without the network.

**Behind it:** lockfile injection (shown for npm and yarn in 2019): nobody reads hexadecimal digits in a review.

```toml
[[package]]
name = \"itoa\"
version = \"1.0.15\"
source = \"registry+https://github.com/rust-lang/crates.io-index\"
checksum = \"0000000000000000000000000000000000000000000000000000000000000000\"
```

**What to do:** do not build. `git log -p Cargo.lock` shows who changed the line; restore it from a commit before.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut findings = Vec::new();
    for package in &lockfile.packages {
        let (Some(locked), Some(source)) = (package.checksum, &package.source) else { continue };
        let key = (package.name.clone(), package.version.clone(), source.clone());
        let Some(Ok(indexed)) = facts.index.versions.get(&key) else { continue };
        if indexed.checksum == locked {
            continue;
        }
        let message = format!("the checksum of {} {} is not the one in the registry index", package.name, package.version);
        let finding = Finding::new(RULE.id, RULE.severity, message)
            .about(&package.name, &package.version)
            .at(Location::line(&lockfile.path, package.line))
            .because(format!("locked: {locked}"))
            .because(format!("index:  {}", indexed.checksum));
        findings.push(
            finding.help(format!("do not build; see who changed it with `git log -p {}` and restore the line", lockfile.path)),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::check::case::{Case, HEX, lock_with_lib};
    use crate::model::index::{IndexGap, IndexVersion};

    #[test]
    fn another_checksum_fires_and_the_same_or_an_unknown_one_does_not() {
        let indexed = |checksum| Ok(IndexVersion { checksum, yanked: false, published: None });
        let other = indexed(Sha256::of(b"other"));
        let fires = ["critical Cargo.lock:3: the checksum of lib 1.0.0 is not the one in the registry index"];
        for (version, facts, expected) in [
            ("1.0.0", other.clone(), &fires[..]),
            ("1.0.0", indexed(HEX.parse().unwrap()), &[]),
            ("1.0.1", other, &[]),
            ("1.0.0", Err(IndexGap::NotCached), &[]),
        ] {
            let case = Case::new().lock(&lock_with_lib("1.0.0")).indexed("lib", version, facts.clone());
            assert_eq!(case.run(&RULE), expected, "{version} {facts:?}");
        }
    }
}
