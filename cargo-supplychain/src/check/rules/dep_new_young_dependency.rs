//! `dep/new-young-dependency`: a release needs a crate that hardly existed when it was published.

use std::collections::BTreeSet;

use crate::base::Location;
use crate::check::kin::{Family, Kin, Newcomer};
use crate::check::publishers::{Publications, brief};
use crate::check::release_walk::{Step, Walk, YOUNG_DAYS, walks};
use crate::check::{Facts, Rule, takeover};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "dep/new-young-dependency",
    severity: Severity::Info,
    area: Area::Lock,
    summary: "a release that is brought in added a dependency that first appeared less than 14 days before",
    docs: "\
Malicious code comes as a new dependency more often than in the crate itself: the difference of the crate is one line. Named is each
required dependency (an optional one when it is locked, so that somebody enabled it; never one for development only) that a release added
less than 14 days after its crate first appeared, unless it is by the same people. Such a release is one in 400, one in 800 with an
unrelated name. It is medium when the dependency has a build script or is a proc macro: then it runs on the machine that builds. Where
the registry was not asked about people, a related name or one repository keeps it at info.

**Behind it:** `flatmap-stream` (2018) was four days old, `proc-macro1` (2026) five hours.

```text
estream 3.3.6 needs flatmap-s, which first appeared 4 days before it
```

**What to do:** look at the new crate: who owns it, what it does, whether its repository exists. Wait a few days: what is malicious is mostly
found by then.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let family = Family::of(facts);
    let mut findings = Vec::new();
    for walk in walks(facts) {
        let publications = Publications::of(facts, &walk.key);
        let mut seen = BTreeSet::new();
        for step in &walk.steps {
            let newcomers = family.newcomers(&walk, &publications, step).young;
            let told = newcomers.iter().filter(|newcomer| newcomer.kin != Kin::Same && seen.insert(newcomer.key.clone()));
            findings.extend(told.map(|newcomer| finding(facts, &walk, step, newcomer)));
        }
    }
    findings
}

fn finding(facts: &Facts<'_>, walk: &Walk<'_>, step: &Step<'_>, newcomer: &Newcomer) -> Finding {
    let at_build = takeover::runs_at_build(facts, newcomer);
    let severity = if at_build.is_some() && newcomer.is_foreign() { Severity::Medium } else { RULE.severity };
    let (parent, name) = (brief(&walk.package.name), brief(&newcomer.key.name));
    let message = format!("{parent} {} needs {name}, which first appeared {}", step.release.version, newcomer.when());
    let mut finding = about(facts, walk, newcomer, Finding::new(RULE.id, severity, message));
    finding = finding.because(match newcomer.kin {
        Kin::Assumed(why) => format!("probably by the same people: {why}"),
        Kin::Same | Kin::Foreign => {
            format!("0.27 % of releases add a dependency less than {YOUNG_DAYS} days old, 0.12 % a foreign one")
        }
    });
    if let Some(unknown) = &newcomer.unknown {
        finding = finding.because(format!("not known: {unknown}"));
    }
    if let Some(what) = at_build {
        finding = finding.because(format!("it has {what}, which runs on the machine that builds"));
    }
    finding.help(format!("look who owns {name} and what it does before you build it"))
}

/// About the new dependency where it is locked, else about the package that an earlier release of needed it.
fn about(facts: &Facts<'_>, walk: &Walk<'_>, newcomer: &Newcomer, finding: Finding) -> Finding {
    let Some(lockfile) = facts.lock.lockfile() else { return finding };
    let needed = walk.package.dependencies.iter().filter_map(|&dependency| lockfile.packages.get(dependency));
    let locked = needed.rev().find(|package| package.crate_key().as_ref() == Some(&newcomer.key));
    let package = locked.unwrap_or(walk.package);
    finding.about(&package.name, &package.version).at(Location::line(&lockfile.path, package.line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;
    use crate::model::capability::Capabilities;

    /// `lib` moves from 1.0.0 to 1.0.1, published on 2026-08-20, which needs what `dependency` says.
    fn case(dependency: &str, appeared: &str) -> Case {
        let name = dependency.split(' ').next().unwrap_or_default();
        Case::new()
            .locks(&["lib 1.0.1"], Some(&["lib 1.0.0"]))
            .release("lib", "1.0.0", "2026-01-01", &["old"])
            .release("lib", "1.0.1", "2026-08-20", &["old", dependency])
            .release("old", "1.0.0", "2020-01-01", &[])
            .release(name, "1.0.0", appeared, &[])
    }

    #[test]
    fn what_is_needed_and_young_fires() {
        let says = "info Cargo.lock:3: lib 1.0.1 needs helper, which first appeared 13 days before it";
        for (dependency, appeared, expected) in [
            ("helper", "2026-08-07", Some(says)),
            ("helper build", "2026-08-07", Some(says)),
            ("helper cfg(windows)", "2026-08-07", Some(says)),
            ("helper", "2026-08-06", None),
            ("helper dev", "2026-08-19", None),
            ("helper ?", "2026-08-19", None),
            // Its age is not known.
            ("helper", "", None),
        ] {
            assert_eq!(
                case(dependency, appeared).run(&RULE),
                expected.into_iter().collect::<Vec<_>>(),
                "{dependency} {appeared}"
            );
        }
    }

    #[test]
    fn an_optional_one_that_is_locked_is_enabled() {
        let locked = case("helper ?", "2026-08-19").locks(&["lib 1.0.1 -> helper", "helper"], Some(&["lib 1.0.0"]));
        let says = "info Cargo.lock:10: lib 1.0.1 needs helper, which first appeared 24 hours before it";
        assert_eq!(locked.run(&RULE), [says]);
    }

    #[test]
    fn the_same_people_are_silent_related_names_stay_at_info_and_build_scripts_raise() {
        let script = || Capabilities { build_script: true, ..Capabilities::default() };
        let severities = |case: Case| case.findings(&RULE).into_iter().map(|one| one.severity).collect::<Vec<_>>();
        let foreign = || case("helper", "2026-08-19").capable("helper", "1.0.0", script());
        assert_eq!(severities(foreign()), [Severity::Medium]);
        assert_eq!(severities(case("lib-core", "2026-08-19").capable("lib-core", "1.0.0", script())), [Severity::Info]);
        let same = foreign().owned("lib", &["1", "team 7"]).owned("helper", &["2", "team 7"]);
        assert_eq!(severities(same), []);
        let other = case("lib-core", "2026-08-19").owned("lib", &["1"]).owned("lib-core", &["team 1"]);
        assert_eq!(severities(other.capable("lib-core", "1.0.0", script())), [Severity::Medium]);
    }
}
