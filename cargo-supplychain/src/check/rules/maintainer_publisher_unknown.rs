//! `maintainer/publisher-unknown`: the registry records publishers, and this version has none.

use crate::base::Location;
use crate::check::publishers::{Publications, brief};
use crate::check::release_walk::{Walk, walks};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::registry::Publisher;

pub(super) static RULE: Rule = Rule {
    id: "maintainer/publisher-unknown",
    severity: Severity::Medium,
    area: Area::Maintainers,
    summary: "a locked version has neither a publisher nor trusted publishing",
    docs: "\
crates.io records since 2019 which account or which workflow published a version. A later version with neither says that the account is
gone, or that something is wrong with the answer. Versions from before that time have nobody and are no finding: they are listed as not
evaluated.

**Behind it:** no incident is known; an attack by an account that was removed afterwards would look like this.

```json
{ \"num\": \"1.1.0\", \"created_at\": \"2026-02-01T00:00:00Z\", \"published_by\": null, \"trustpub_data\": null }
```

**What to do:** ask the owners whether they published it; stay on the version before until they say so.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    walks(facts).filter_map(|walk| of_walk(facts, &walk)).collect()
}

fn of_walk(facts: &Facts<'_>, walk: &Walk<'_>) -> Option<Finding> {
    let (name, version) = (&walk.package.name, &walk.package.version);
    let publications = Publications::of(facts, &walk.key);
    let published = publications.version(version)?;
    if published.publisher != Publisher::Unknown || facts.is_legacy(&walk.key, &publications, version) {
        return None;
    }
    let message = format!("{} {version} has no publisher, neither an account nor a workflow", brief(name));
    let finding = Finding::new(RULE.id, RULE.severity, message)
        .about(name, version)
        .at(Location::line(facts.lock.lockfile()?.path.clone(), walk.package.line))
        .because("the registry records publishers since 2019");
    let finding = match published.published {
        Some(time) => finding.because(format!("published {}", time.date())),
        None => finding,
    };
    Some(finding.help(format!("ask the owners of {} whether they published {version}", brief(name))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn nobody_is_a_finding_since_publishers_are_recorded() {
        for (first, second, publisher, expected) in [
            (
                "2026-01-01",
                "2026-02-01",
                "",
                Some("medium Cargo.lock:3: lib 0.9.1 has no publisher, neither an account nor a workflow"),
            ),
            ("2016-01-01", "2018-12-01", "", None),
            // When it was published is not known.
            ("", "", "", None),
            ("2026-01-01", "2026-02-01", "10", None),
            ("2026-01-01", "2026-02-01", "github:org/foo", None),
        ] {
            let case = Case::new()
                .locks(&["lib 0.9.1"], Some(&["lib 0.9.0"]))
                .release("lib", "0.9.0", first, &[])
                .release("lib", "0.9.1", second, &[])
                .publisher("lib", "0.9.0", "")
                .publisher("lib", "0.9.1", publisher);
            assert_eq!(case.run(&RULE), expected.into_iter().collect::<Vec<_>>(), "{second} {publisher}");
        }
    }
}
