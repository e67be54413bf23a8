//! `registry/crate-removed`: a locked crate is gone from its registry, as a whole.

use crate::base::Location;
use crate::check::removed::{What, removal};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "registry/crate-removed",
    severity: Severity::Critical,
    area: Area::Lock,
    summary: "a locked crate no longer exists in its registry",
    docs: "\
Registries keep what they have published: others build with it. On crates.io an owner can delete a crate only in its first 72 hours, or
when it was hardly used and nothing depends on it; otherwise its administrators do, and their reason is mostly malware. Who has the
package still in cargo's cache goes on building with it and hears nothing. Known from a registry snapshot, or when the registry's API
and its index both say that there is no such crate; what only cargo's cache lacks was never fetched, and is no finding.

**Behind it:** `flatmap-stream` (2018, npm): the package that stole from a wallet was deleted, the lockfiles that had it were not changed. `proc-macro1` (2026)
and the crates that it came with were deleted within two hours.

```toml
[[package]]
name = \"flatmap-stream\"     # 404 of the API, no entry in the index
version = \"0.1.1\"
source = \"registry+https://github.com/rust-lang/crates.io-index\"
```

**What to do:** do not build or release with it before you know why it went: search the advisories, the registry's blog and the crate's
repository. Treat machines that have built it as what the answer says. Then replace it.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut findings = Vec::new();
    for package in &lockfile.packages {
        let Some(gone) = removal(facts, package).filter(|gone| gone.what == What::Crate) else { continue };
        let message = format!("the registry no longer has the crate {}", package.name);
        let finding = Finding::new(RULE.id, RULE.severity, message)
            .about(&package.name, &package.version)
            .at(Location::line(&lockfile.path, package.line))
            .because(gone.known_from)
            .because("crates are removed for malware, for legal reasons, or by their owner while hardly anybody uses them");
        findings.push(finding.help(format!(
            "do not build with it; find out why {} was removed (advisories, the registry's blog), then replace it",
            package.name
        )));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};
    use crate::model::index::IndexGap;
    use crate::model::lockfile::CRATES_IO;
    use crate::model::registry::{CrateKey, NoRecord};

    #[test]
    fn gone_fires_and_unanswered_does_not() {
        let key = CrateKey { name: "lib".into(), source: CRATES_IO[0].into() };
        for (record, expected) in [
            (NoRecord::Gone, &["critical Cargo.lock:3: the registry no longer has the crate lib"][..]),
            (NoRecord::NotFound, &[]),
            (NoRecord::Unknown("crates.io answered 500".into()), &[]),
        ] {
            let mut case = Case::new().lock(&lock_with_lib("1.0.0")).indexed("lib", "1.0.0", Err(IndexGap::NotCached));
            case.registry.records.insert(key.clone(), Err(record.clone()));
            assert_eq!(case.run(&RULE), expected, "{record:?}");
        }
        // In a snapshot what is not there does not exist; in cargo's cache it was never fetched.
        for (is_current, gap, count) in
            [(true, IndexGap::NotCached, 1), (true, IndexGap::NoSuchVersion, 0), (false, IndexGap::NotCached, 0)]
        {
            let mut case = Case::new().lock(&lock_with_lib("1.0.0")).indexed("lib", "1.0.0", Err(gap.clone()));
            case.index.is_current = is_current;
            assert_eq!(case.findings(&RULE).len(), count, "{is_current} {gap:?}");
        }
    }
}
