//! `maintainer/trusted-publishing-downgrade`: a token again, where a workflow published before.

use crate::base::Location;
use crate::check::publishers::{Publications, brief, shown};
use crate::check::release_walk::{Step, Walk, walks};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::baseline::KnownPublisher;
use crate::model::registry::Publisher;

pub(super) static RULE: Rule = Rule {
    id: "maintainer/trusted-publishing-downgrade",
    severity: Severity::Medium,
    area: Area::Maintainers,
    summary: "a version was published with a token while the one before came by trusted publishing",
    docs: "\
Who has stolen a token cannot run the project's workflow: a version by a token after versions by the workflow is what such an attack
looks like. Maintainers do it too, when a workflow fails. It is high when the crate is set to take releases by trusted publishing only.

**Behind it:** `axios` 1.14.1 (npm, March 2026): the four releases before it came by trusted publishing, the attacker's did not.

```text
foo 1.5.0 was published by a workflow of github org/foo
foo 1.5.1 was published by alice (user 42)
```

**What to do:** look whether the repository has a commit and a tag of this version; ask the maintainers.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    walks(facts).filter_map(|walk| of_walk(facts, &walk)).collect()
}

/// The newest release of the walk that fell back.
fn of_walk(facts: &Facts<'_>, walk: &Walk<'_>) -> Option<Finding> {
    let publications = Publications::of(facts, &walk.key);
    let (step, before) = walk.steps.iter().rev().find_map(|step| Some((step, fell_back(&publications, step)?)))?;
    let version = &step.release.version;
    let publisher = &publications.version(version)?.publisher;
    let is_only = publications.record.and_then(|record| record.trusted_publishing_only) == Some(true);
    let severity = if is_only { Severity::High } else { RULE.severity };
    let name = brief(&walk.package.name);
    let message =
        format!("{name} {version} was published with a token of {}, not by trusted publishing as before", shown(publisher));
    let mut finding = Finding::new(RULE.id, severity, message)
        .about(&walk.package.name, &walk.package.version)
        .at(Location::line(facts.lock.lockfile()?.path.clone(), walk.package.line))
        .because(before);
    if is_only {
        finding = finding.because("the crate is set to take releases by trusted publishing only");
    }
    Some(finding.help(format!("look for the commit and tag of {version} in the repository of {name}, and ask its maintainers")))
}

/// Whether an account published it, and who had published the version before.
fn fell_back(publications: &Publications<'_>, step: &Step<'_>) -> Option<String> {
    let version = &step.release.version;
    if !matches!(publications.version(version)?.publisher, Publisher::User(_)) {
        return None;
    }
    if let Some((last, published)) = publications.before(version).next_back() {
        let is_trusted = matches!(published.publisher, Publisher::Trusted { .. });
        return is_trusted.then(|| format!("{last} was published by {}", shown(&published.publisher)));
    }
    let against = &step.against?.version;
    let Some(KnownPublisher::Trusted { repository, .. }) = &publications.known?.versions.get(against)?.publisher else {
        return None;
    };
    Some(format!("the baseline has {against} as published by a workflow of {}", brief(repository)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn a_token_after_a_workflow_fires_and_other_orders_do_not() {
        let says = |severity: &str| {
            format!(
                "{severity} Cargo.lock:3: foo 1.5.1 was published with a token of user42 (user 42), not by trusted publishing as before"
            )
        };
        for (before, now, only, expected) in [
            ("github:org/foo", "42", None, Some(says("medium"))),
            ("github:org/foo", "42", Some(true), Some(says("high"))),
            ("github:org/foo", "github:org/foo", Some(true), None),
            ("42", "42", None, None),
            ("42", "github:org/foo", None, None),
            ("github:org/foo", "", None, None),
        ] {
            let case = Case::new()
                .locks(&["foo 1.5.1"], Some(&["foo 1.5.0"]))
                .release("foo", "1.5.0", "2026-01-01", &[])
                .release("foo", "1.5.1", "2026-02-01", &[])
                .publisher("foo", "1.5.0", before)
                .publisher("foo", "1.5.1", now)
                .record("foo", |record| record.trusted_publishing_only = only);
            assert_eq!(case.run(&RULE), expected.into_iter().collect::<Vec<_>>(), "{before} {now}");
        }
    }
}
