//! `maintainer/publisher-repository-mismatch`: trusted publishing from a repository that is not the crate's.

use crate::base::Location;
use crate::base::Timestamp;
use crate::check::publishers::{Identity, Publications, brief};
use crate::check::release_walk::{DAY, Step, Walk, walks};
use crate::check::repository::Repository;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::registry::{OwnerKind, Publisher};

/// A workflow that published the crate so many days before is its own.
const ESTABLISHED_DAYS: i64 = 90;

pub(super) static RULE: Rule = Rule {
    id: "maintainer/publisher-repository-mismatch",
    severity: Severity::High,
    area: Area::Maintainers,
    summary: "a locked version was published by the workflow of a repository that is not the crate's",
    docs: "\
With trusted publishing the registry proves which repository's workflow published a version. That should be the repository that the
crate names. Compared are host, owner and name, without regard to case, `.git`, a trailing slash and folders below. Where the crate names
none, the one that it named before counts.

What moved is not what was taken: a workflow that the baseline knows, or that published the crate for more than 90 days, is the crate's
own; a repository of one of its owners, or a mirror with the same owner and name on another host, is medium. A fork has the name and not
the owner, and is high.

**Behind it:** no incident on crates.io is known. It is what remains to somebody with an owner's session and without the repository: to
name a fork of it as the trusted publisher.

```text
repository = \"https://github.com/org/foo\"        # Cargo.toml of foo 1.5.0
published by: a workflow of github evil/foo
```

**What to do:** find out whose repository it is. If the project moved, ask its maintainers to correct `repository`, and accept it with
`cargo supplychain baseline accept` or an exemption.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    walks(facts).filter_map(|walk| of_walk(facts, &walk)).collect()
}

/// The newest release of the walk that comes from elsewhere.
fn of_walk(facts: &Facts<'_>, walk: &Walk<'_>) -> Option<Finding> {
    let publications = Publications::of(facts, &walk.key);
    walk.steps.iter().rev().find_map(|step| of_step(facts, walk, &publications, step))
}

fn of_step(facts: &Facts<'_>, walk: &Walk<'_>, publications: &Publications<'_>, step: &Step<'_>) -> Option<Finding> {
    let version = &step.release.version;
    let published = publications.version(version)?;
    let Publisher::Trusted { provider, repository } = &published.publisher else { return None };
    let workflow = Repository::of_provider(provider, repository)?;
    let own_source = || {
        let known = facts.capabilities.get(&(walk.key.clone(), version.clone()))?;
        known.as_ref().ok()?.repository.as_deref()
    };
    let named = published.repository.as_deref().or_else(own_source);
    let named = named.or_else(|| publications.repository_before(facts, walk, version))?;
    let crates = Repository::parse(named)?;
    if workflow.is_same(&crates) || is_established(publications, step, published.published) {
        return None;
    }
    let (severity, why) = rating(publications, &workflow, &crates);
    let name = brief(&walk.package.name);
    let message = format!("{name} {version} was published by a workflow of {}, not of the crate's repository", brief(repository));
    let finding = Finding::new(RULE.id, severity, message)
        .about(&walk.package.name, &walk.package.version)
        .at(Location::line(facts.lock.lockfile()?.path.clone(), walk.package.line))
        .because(format!("the crate names {}", brief(named)))
        .because(why);
    Some(finding.help(format!("find out whose repository {} is before you build {name}", brief(repository))))
}

/// Whether the baseline knows the workflow, or it has published the crate for long.
fn is_established(publications: &Publications<'_>, step: &Step<'_>, published: Option<Timestamp>) -> bool {
    let version = &step.release.version;
    let identity = publications.version(version).and_then(|own| Identity::of(&own.publisher));
    let is_in_baseline = publications.baseline_publishers().any(|known| Some(known) == identity);
    let is_old = |time: Option<Timestamp>| {
        time.zip(published).is_some_and(|(time, published)| published.unix() - time.unix() >= ESTABLISHED_DAYS * DAY)
    };
    let mut same = publications.before(version).filter(|(_, earlier)| Identity::of(&earlier.publisher) == identity);
    is_in_baseline || same.any(|(_, earlier)| is_old(earlier.published))
}

fn rating(publications: &Publications<'_>, workflow: &Repository, crates: &Repository) -> (Severity, String) {
    let owners = publications.record.and_then(|record| record.owners.as_ref()).into_iter().flatten();
    let known = publications.known.and_then(|known| known.owners.as_ref());
    // Who the baseline knows not to have been an owner vouches for nothing.
    let established = owners.filter(|owner| {
        known.is_none_or(|known| known.iter().any(|one| (one.owner.kind, one.owner.id) == (owner.kind, owner.id)))
    });
    let mut accounts = established.filter_map(|owner| match owner.kind {
        OwnerKind::User => Some(owner.login.as_str()),
        OwnerKind::Team => owner.login.split(':').nth(1),
    });
    if workflow.is_path_of(crates) {
        return (Severity::Medium, "it has the same owner and name on another host: a mirror, perhaps".to_owned());
    }
    if accounts.any(|account| account.eq_ignore_ascii_case(workflow.owner())) {
        return (Severity::Medium, format!("it belongs to {}, who owns the crate", brief(workflow.owner())));
    }
    if workflow.name() == crates.name() {
        return (RULE.severity, "it has the same name under another owner: a fork, or a project that moved".to_owned());
    }
    (RULE.severity, "neither its owner nor its name is the crate's".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, owner_of};
    use crate::model::baseline::{KnownCrate, KnownOwner, KnownPublisher};

    fn case(workflow: &str, repository: &str) -> Case {
        Case::new()
            .locks(&["foo 1.5.0"], Some(&["foo 1.4.0"]))
            .release("foo", "1.4.0", "2026-01-01", &[])
            .release("foo", "1.5.0", "2026-02-01", &[])
            .publisher("foo", "1.4.0", "42")
            .publisher("foo", "1.5.0", workflow)
            .owned("foo", &["42"])
            .record("foo", |record| record.repository = Some(repository.into()))
    }

    fn severities(case: &Case) -> Vec<Severity> {
        case.findings(&RULE).iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn the_crates_own_repository_is_silent_however_it_is_written() {
        for repository in [
            "https://github.com/org/foo",
            "https://github.com/Org/Foo.git/",
            "git@github.com:org/foo.git",
            "https://github.com/org/foo/tree/main/crates/foo",
            "https://example.org",
            "",
        ] {
            assert_eq!(severities(&case("github:org/foo", repository)), [], "{repository}");
        }
        assert_eq!(severities(&case("42", "https://github.com/org/foo")), []);
    }

    #[test]
    fn forks_are_high_and_what_probably_moved_is_medium() {
        let message = "high Cargo.lock:3: foo 1.5.0 was published by a workflow of evil/foo, not of the crate's repository";
        assert_eq!(case("github:evil/foo", "https://github.com/org/foo").run(&RULE), [message]);
        for (workflow, severity) in
            [("github:org/other", Severity::High), ("github:user42/foo", Severity::Medium), ("gitlab:org/foo", Severity::Medium)]
        {
            assert_eq!(severities(&case(workflow, "https://github.com/org/foo")), [severity], "{workflow}");
        }
        // An owner that the baseline does not know vouches for nothing.
        let other = KnownOwner { owner: owner_of("10"), first_seen: "2020-01-01".parse().unwrap() };
        let known = KnownCrate { owners: Some(vec![other]), ..KnownCrate::default() };
        let taken = case("github:user42/foo", "https://github.com/org/foo").known("foo", known);
        assert_eq!(severities(&taken), [Severity::High]);
    }

    #[test]
    fn a_workflow_that_is_known_for_long_is_the_crates_own() {
        let moved = case("github:neworg/foo", "https://github.com/org/foo");
        let publisher = KnownPublisher::Trusted { provider: "github".into(), repository: "neworg/foo".into() };
        let accepted = moved.known("foo", KnownCrate { publishers: vec![publisher], ..KnownCrate::default() });
        assert_eq!(severities(&accepted), []);
        for (first, expected) in [("2025-10-01", &[][..]), ("2026-01-20", &[Severity::High])] {
            let earlier = case("github:neworg/foo", "https://github.com/org/foo").release("foo", "1.3.0", first, &[]).publisher(
                "foo",
                "1.3.0",
                "github:neworg/foo",
            );
            assert_eq!(severities(&earlier), expected, "{first}");
        }
    }
}
