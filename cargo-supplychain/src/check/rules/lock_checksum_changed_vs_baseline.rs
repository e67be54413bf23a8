//! `lock/checksum-changed-vs-baseline`: a version is another package than the one that was accepted.

use crate::base::Location;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "lock/checksum-changed-vs-baseline",
    severity: Severity::Critical,
    area: Area::Lock,
    summary: "a locked version has another checksum than supplychain.lock accepted",
    docs: "\
A version of a registry is published once: name and version mean the same bytes for ever. `supplychain.lock` keeps the checksum of each
version that was accepted, so that a change is seen even where the index that this machine asks has changed with it (a mirror, a
registry of one's own, a replaced source).

**Behind it:** lockfile injection (shown for npm and yarn in 2019), and registries that allowed a version to be published again.

```toml
# supplychain.lock; Cargo.lock has another checksum for itoa 1.0.15
[[crate]]
name = \"itoa\"
versions = [
    { version = \"1.0.15\", checksum = \"4a5f13b858c8d314ee3e8f639011f7ccefe71f97f96e50151fb991f267928e2c\" },
]
```

**What to do:** do not build. `git log -p Cargo.lock supplychain.lock` shows which of the two was changed; restore it. When the registry
itself serves another file, tell its operators.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let (Some(lockfile), Some(baseline)) = (facts.lock.lockfile(), facts.baseline) else { return Vec::new() };
    let mut findings = Vec::new();
    for package in &lockfile.packages {
        let accepted = package.crate_key().and_then(|key| baseline.crates.get(&key)?.versions.get(&package.version)?.checksum);
        let (Some(locked), Some(accepted)) = (package.checksum, accepted) else { continue };
        if locked == accepted {
            continue;
        }
        let message = format!("{} {} is not the package that supplychain.lock accepted", package.name, package.version);
        let finding = Finding::new(RULE.id, RULE.severity, message)
            .about(&package.name, &package.version)
            .at(Location::line(&lockfile.path, package.line))
            .because(format!("locked:   {locked}"))
            .because(format!("accepted: {accepted}"));
        let help =
            format!("do not build; see which was changed with `git log -p {} supplychain.lock`, and restore it", lockfile.path);
        findings.push(finding.help(help));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::check::case::{Case, HEX, lock_with_lib};
    use crate::model::baseline::{Baseline, KnownCrate, KnownVersion};
    use crate::model::lockfile::CRATES_IO;
    use crate::model::registry::CrateKey;

    #[test]
    fn another_checksum_of_an_accepted_version_fires() {
        let same = Some(HEX.parse().unwrap());
        let fires = &["critical Cargo.lock:3: lib 1.0.0 is not the package that supplychain.lock accepted"][..];
        for (name, version, checksum, expected) in [
            ("lib", "1.0.0", Some(Sha256::of("other")), fires),
            ("lib", "1.0.0", same, &[]),
            ("lib", "1.0.0", None, &[]),
            ("lib", "1.0.1", Some(Sha256::of("other")), &[]),
            ("other", "1.0.0", Some(Sha256::of("other")), &[]),
        ] {
            let versions = [(version.parse().unwrap(), KnownVersion { checksum, ..KnownVersion::default() })].into();
            let key = CrateKey { name: name.into(), source: CRATES_IO[0].into() };
            let known = KnownCrate { versions, ..KnownCrate::default() };
            for source in CRATES_IO {
                let mut case = Case::new().lock(&lock_with_lib("1.0.0").replace("CRATES_IO", source));
                case.baseline = Some(Baseline { crates: [(key.clone(), known.clone())].into() });
                assert_eq!(case.run(&RULE), expected, "{name} {version} {checksum:?} {source}");
            }
        }
    }
}
