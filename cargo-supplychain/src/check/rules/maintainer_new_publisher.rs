//! `maintainer/new-publisher`: somebody published a crate for the first time.

use std::collections::BTreeSet;

use crate::base::Location;
use crate::check::publishers::{Identity, Newness, Publications, brief, shown};
use crate::check::release_walk::{Step, Walk, walks};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::registry::Publisher;

pub(super) static RULE: Rule = Rule {
    id: "maintainer/new-publisher",
    severity: Severity::Info,
    area: Area::Maintainers,
    summary: "a release that is brought in was published by somebody who never published the crate before",
    docs: "\
Maintainers come and go, so a new publisher alone is worth a line and no alarm; `maintainer/takeover-pattern` adds it to the other signs.
Accounts are compared by number, not by login: a login that changes is no new publisher, and one that somebody else registered again is.
The workflow of the repository that the crate names is no new publisher either.

**Behind it:** `event-stream` (2018) was handed to a volunteer, and the next release was the attack.

```text
estream 3.3.6 was published by r9 (user 77), who never published it before
```

**What to do:** nothing, if you know why; else look who it is, and since when that account owns the crate.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    walks(facts).flat_map(|walk| of_walk(facts, &walk)).collect()
}

/// One for each identity, at its first release.
fn of_walk(facts: &Facts<'_>, walk: &Walk<'_>) -> Vec<Finding> {
    let publications = Publications::of(facts, &walk.key);
    let mut seen = BTreeSet::new();
    let is_new = |step: &&Step<'_>| publications.newness(facts, walk, &step.release.version) == Newness::New;
    let mut findings = Vec::new();
    for step in walk.steps.iter().filter(is_new) {
        let Some(published) = publications.version(&step.release.version) else { continue };
        if Identity::of(&published.publisher).is_some_and(|identity| seen.insert(identity)) {
            findings.push(finding(facts, walk, &publications, step, &published.publisher));
        }
    }
    findings
}

fn finding(
    facts: &Facts<'_>,
    walk: &Walk<'_>,
    publications: &Publications<'_>,
    step: &Step<'_>,
    publisher: &Publisher,
) -> Finding {
    let name = &walk.package.name;
    let version = &step.release.version;
    let message = format!("{} {version} was published by {}, who never published it before", brief(name), shown(publisher));
    let path = facts.lock.lockfile().map(|lockfile| lockfile.path.clone()).unwrap_or_default();
    let mut finding = Finding::new(RULE.id, RULE.severity, message)
        .about(name, &walk.package.version)
        .at(Location::line(path, walk.package.line));
    if let Some((before, published)) = publications.before(version).next_back() {
        finding = finding.because(format!("{before} was published by {}", shown(&published.publisher)));
    }
    finding.help(format!("look who published {} {version}, and whether the maintainers know", brief(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn accounts_count_by_number_and_the_crates_own_workflow_is_nobody_new() {
        let unknown = "";
        for (first, second, expected) in [
            ("10", "77", Some("user77 (user 77)")),
            ("10", "10", None),
            ("10", "github:Org/Foo", None),
            ("10", "github:evil/foo", Some("a workflow of github evil/foo")),
            ("github:org/foo", "github:ORG/foo", None),
            // Nobody known before: nobody is new.
            (unknown, "10", None),
            ("10", unknown, None),
        ] {
            let case = Case::new()
                .locks(&["lib 1.1.0"], Some(&["lib 1.0.0"]))
                .release("lib", "1.0.0", "2024-01-01", &[])
                .release("lib", "1.1.0", "2024-02-01", &[])
                .publisher("lib", "1.0.0", first)
                .publisher("lib", "1.1.0", second)
                .record("lib", |record| record.repository = Some("https://github.com/org/foo/tree/main/lib".into()));
            let says = |who| format!("info Cargo.lock:3: lib 1.1.0 was published by {who}, who never published it before");
            assert_eq!(case.run(&RULE), expected.map(says).into_iter().collect::<Vec<_>>(), "{first} {second}");
        }
    }

    #[test]
    fn a_login_that_changed_hands_is_somebody_new() {
        let mut case = Case::new()
            .locks(&["lib 1.1.0"], Some(&["lib 1.0.0"]))
            .release("lib", "1.0.0", "2024-01-01", &[])
            .release("lib", "1.1.0", "2024-02-01", &[])
            .publisher("lib", "1.0.0", "42")
            .publisher("lib", "1.1.0", "4242");
        let login = |case: Case, version: &str, login: &str| {
            case.record("lib", |record| {
                let Some(published) = record.versions.get_mut(&version.parse().unwrap()) else { panic!("{version}") };
                let Publisher::User(account) = &mut published.publisher else { panic!("{published:?}") };
                account.login = login.into();
            })
        };
        case = login(login(case, "1.0.0", "alice"), "1.1.0", "alice");
        assert_eq!(case.findings(&RULE)[0].evidence, ["1.0.0 was published by alice (user 42)"]);
        let renamed = login(case.publisher("lib", "1.1.0", "42"), "1.1.0", "alice-x");
        assert!(renamed.findings(&RULE).is_empty());
    }
}
