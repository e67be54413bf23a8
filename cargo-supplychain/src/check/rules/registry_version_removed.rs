//! `registry/version-removed`: a locked version is gone from its registry, while the crate is still there.

use crate::base::Location;
use crate::check::removed::{What, removal};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "registry/version-removed",
    severity: Severity::Critical,
    area: Area::Lock,
    summary: "a locked version no longer exists in its registry",
    docs: "\
A bad release is yanked: it stays, for those who have it locked. Publishers cannot remove a version; the registry's administrators can,
and do so for malware. The lockfile that has such a version was made in the hours when it was there. Known from a registry snapshot or
the registry's API; from cargo's own copy of the index only when that has a later patch release, because an older copy lacks what is
newer than itself.

**Behind it:** `arrayref` 0.3.10 (2026): published with a malicious dependency, downloaded 2,285 times, removed 86 minutes later. Who
had run `cargo update` in that time kept it in the lockfile.

```toml
[[package]]
name = \"arrayref\"
version = \"0.3.10\"          # the index has 0.3.9 and 0.3.11
source = \"registry+https://github.com/rust-lang/crates.io-index\"
```

**What to do:** treat it as malware until you know better: stop using what was built with it, look at the machines that built it, search
the advisories. Then go back to the version that was locked before (`git log -p Cargo.lock`), not blindly to the newest one.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut findings = Vec::new();
    for package in &lockfile.packages {
        let Some(gone) = removal(facts, package).filter(|gone| gone.what == What::Version) else { continue };
        let message = format!("the registry no longer has {} {}", package.name, package.version);
        let finding = Finding::new(RULE.id, RULE.severity, message)
            .about(&package.name, &package.version)
            .at(Location::line(&lockfile.path, package.line))
            .because(gone.known_from)
            .because("publishers can yank a version, which keeps it; only the registry removes one, mostly for malware");
        findings.push(finding.help(format!(
            "do not build with it; find out why it was removed, and go back to the version before: see `git log -p {}`",
            lockfile.path
        )));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::check::case::{Case, lock_with_lib};
    use crate::model::index::{IndexGap, IndexVersion};

    #[test]
    fn removed_fires_and_what_an_old_copy_lacks_does_not() {
        let here = Ok(IndexVersion { checksum: Sha256::of(b""), yanked: true, published: None });
        for (is_current, indexed, expected) in [
            (true, Err(IndexGap::NoSuchVersion), &["critical Cargo.lock:3: the registry no longer has lib 1.0.0"][..]),
            (false, Err(IndexGap::NoSuchVersion), &[]),
            (true, Err(IndexGap::NotCached), &[]),
            (true, Err(IndexGap::Unreadable("a line is not an index line".into())), &[]),
            (true, here, &[]),
        ] {
            let mut case = Case::new().lock(&lock_with_lib("1.0.0")).indexed("lib", "1.0.0", indexed.clone());
            case.index.is_current = is_current;
            assert_eq!(case.run(&RULE), expected, "{is_current} {indexed:?}");
        }
    }
}
