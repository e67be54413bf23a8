//! `registry/pubtime-implausible`: the registry gives a locked version a time at which it cannot have been published.

use crate::base::{Location, Timestamp};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::LockedPackage;

pub(super) static RULE: Rule = Rule {
    id: "registry/pubtime-implausible",
    severity: Severity::Medium,
    area: Area::Lock,
    summary: "a locked version was published at a time that cannot be",
    docs: "\
The cooldown and every rule about age believe the registry's publication times (`pubtime`). A registry, a mirror or somebody between who
wants a new version to look old sets that time. Implausible are: more than a day in the future, before crates.io existed (November
2014), and more than a day before the crate's own first release, which is the first line of its index entry. Versions that were published
out of order are ordinary (a fix for an older line, a batch) and do not count: the entries of 1,372 crates of crates.io have 49,913
versions, and none of them is implausible.

There is no incident behind it: it keeps the other rules from being led astray.

```json
{\"name\":\"lib\",\"vers\":\"1.2.0\",\"pubtime\":\"2001-01-01T00:00:00Z\"}
```

**What to do:** compare with what crates.io says of the version; distrust the mirror that says otherwise. A clock that is wrong makes
everything look new: check that of the machine.
",
    options: &[],
    run,
};

/// 2014-11-01: the oldest releases of crates.io are of 2014-11-11.
const FIRST_OF_ALL: i64 = 1_414_800_000;

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut findings = Vec::new();
    for package in &lockfile.packages {
        let Some((published, why)) = implausible(facts, package) else { continue };
        let message = format!("{} {} is said to be published {}, {why}", package.name, package.version, published.date());
        let finding = Finding::new(RULE.id, RULE.severity, message)
            .about(&package.name, &package.version)
            .at(Location::line(&lockfile.path, package.line))
            .because(format!("pubtime {published}"))
            .help("compare with what crates.io says of the version, and check the clock of this machine");
        findings.push(finding);
    }
    findings
}

fn implausible(facts: &Facts<'_>, package: &LockedPackage) -> Option<(Timestamp, String)> {
    let key = (package.name.clone(), package.version.clone(), package.source.clone()?);
    let published = facts.index.versions.get(&key)?.as_ref().ok()?.published?;
    if published.days_since(facts.now) >= 1 {
        return Some((published, format!("later than now ({})", facts.now.date())));
    }
    if published.unix() < FIRST_OF_ALL {
        return Some((published, "before crates.io existed".to_owned()));
    }
    let history = facts.registry.histories.get(&package.crate_key()?)?.as_ref().ok()?;
    let first = history.releases.first()?.published?;
    let is_before = first.days_since(published) >= 1;
    is_before.then(|| (published, format!("before the crate's first release ({})", first.date())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::check::case::{Case, lock_with_lib};
    use crate::model::index::IndexVersion;

    #[test]
    fn times_that_cannot_be() {
        let says = |what: &str| vec![format!("medium Cargo.lock:3: lib 1.0.0 is said to be published {what}")];
        for (published, others, expected) in [
            ("2026-11-24T00:00:00Z", &[][..], says("2026-11-24, later than now (2026-11-23)")),
            ("2026-11-23T23:59:59Z", &[], Vec::new()),
            ("2014-10-31", &[], says("2014-10-31, before crates.io existed")),
            ("2014-11-11", &[], Vec::new()),
            ("2019-12-31", &[("0.9.0", "2020-01-01")], says("2019-12-31, before the crate's first release (2020-01-01)")),
            ("2019-12-31T23:59:59Z", &[("0.9.0", "2020-01-01")], Vec::new()),
            // A fix for an older line comes after a newer version, and a batch in any order.
            ("2021-01-01", &[("0.9.0", "2020-01-01"), ("2.0.0", "2022-01-01")], Vec::new()),
            ("2022-01-01", &[("0.9.0", "2020-01-01"), ("2.0.0", "2021-01-01")], Vec::new()),
        ] {
            let time = Some(published.parse().unwrap());
            let case = Case::new().lock(&lock_with_lib("1.0.0"));
            let case =
                case.indexed("lib", "1.0.0", Ok(IndexVersion { checksum: Sha256::of(b""), yanked: false, published: time }));
            let case = case.history("lib", &[others, &[("1.0.0", published)]].concat());
            assert_eq!(case.run(&RULE), expected, "{published} {others:?}");
        }
    }
}
