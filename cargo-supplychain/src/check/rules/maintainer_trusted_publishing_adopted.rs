//! `maintainer/trusted-publishing-adopted`: the first version that a workflow published.

use crate::base::Location;
use crate::check::publishers::{Publications, brief, shown};
use crate::check::release_walk::{Step, Walk, walks};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::registry::Publisher;

pub(super) static RULE: Rule = Rule {
    id: "maintainer/trusted-publishing-adopted",
    severity: Severity::Info,
    area: Area::Maintainers,
    summary: "a crate went over to trusted publishing",
    docs: "\
A version was published by a workflow for the first time, the ones before it with tokens. That is good news: no token that can be stolen,
and the registry proves the repository. From now on a version by a token is `maintainer/trusted-publishing-downgrade`.

**Behind it:** stolen tokens are behind most compromised releases of registries; trusted publishing (crates.io, 2025) is the answer.

```text
foo 1.4.0 was published by alice (user 42)
foo 1.5.0 was published by a workflow of github org/foo
```

**What to do:** nothing.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    walks(facts).filter_map(|walk| of_walk(facts, &walk)).collect()
}

fn of_walk(facts: &Facts<'_>, walk: &Walk<'_>) -> Option<Finding> {
    let publications = Publications::of(facts, &walk.key);
    let is_trusted = |publisher: &Publisher| matches!(publisher, Publisher::Trusted { .. });
    let is_first = |step: &&Step<'_>| {
        let version = &step.release.version;
        let mut before = publications.before(version).peekable();
        publications.version(version).is_some_and(|published| is_trusted(&published.publisher))
            && before.peek().is_some()
            && !before.any(|(_, earlier)| is_trusted(&earlier.publisher))
    };
    let step = walk.steps.iter().find(is_first)?;
    let version = &step.release.version;
    let publisher = shown(&publications.version(version)?.publisher);
    let name = brief(&walk.package.name);
    let message = format!("{name} went over to trusted publishing with {version}, published by {publisher}");
    let finding = Finding::new(RULE.id, RULE.severity, message)
        .about(&walk.package.name, &walk.package.version)
        .at(Location::line(facts.lock.lockfile()?.path.clone(), walk.package.line));
    Some(finding.help("nothing to do: there is no token any more that can be stolen"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn the_first_version_by_a_workflow_is_told_once() {
        let says = "info Cargo.lock:3: foo went over to trusted publishing with 1.5.0, published by a workflow of github org/foo";
        for (publishers, expected) in [
            (["42", "42", "github:org/foo"], Some(says)),
            (["42", "github:org/foo", "github:org/foo"], None),
            (["github:org/foo", "42", "github:org/foo"], None),
            (["42", "42", "42"], None),
        ] {
            let mut case = Case::new().locks(&["foo 1.5.0"], Some(&["foo 1.4.0"]));
            for (version, publisher) in ["1.3.0", "1.4.0", "1.5.0"].into_iter().zip(publishers) {
                case = case.release("foo", version, "2026-01-01", &[]).publisher("foo", version, publisher);
            }
            assert_eq!(case.run(&RULE), expected.into_iter().collect::<Vec<_>>(), "{publishers:?}");
        }
    }
}
