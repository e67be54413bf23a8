//! `licence/copyleft-static`: a package under copyleft is linked into an artifact of another licence.

use std::collections::BTreeMap;

use crate::check::licensed::{self, Reach, least_reach};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::licence::{Declared, Expression, declared};
use crate::model::{Artifact, ArtifactKind, Build};

pub(super) static RULE: Rule = Rule {
    id: "licence/copyleft-static",
    severity: Severity::Medium,
    area: Area::Licences,
    summary: "a package under the LGPL, GPL, AGPL or the like is linked statically into an artifact of another licence",
    docs: "\
Rust links its packages statically. The **LGPL** then asks that who gets the program can link it anew with a changed version of the
library: object files or source, and how to do it (LGPL 2.1 section 6, LGPL 3 section 4). With a shared library this comes by itself,
with a Rust program it does not. The **GPL** asks for the source of the whole program, the **AGPL** also towards users over a network.

Silent where the declaration leaves a choice without that (`LGPL-3.0-or-later OR MPL-2.0`), for licences that reach only their own
files (MPL, CDDL, EPL), for exceptions that allow linking, for what only helps to build, and where the artifact's own package is
under as strong a licence itself. Declared licences only; whether licences are compatible is not judged.

**Behind it:** devices recalled or sources disclosed late because a library's licence was found after the release.

```text
medium  licence/copyleft-static  rug 1.30.0  Cargo.lock:812
        rug 1.30.0 (LGPL-3.0-or-later) is linked statically into app
```

**What to do:** replace it, ship what relinking needs, or have it looked at and allow the package:

```toml
[rules]
\"licence/copyleft-static\" = { allow = [\"rug\"] }
```
",
    options: &[RuleOption::allow("names of packages whose terms are met otherwise")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Ok(build) = facts.build else { return Vec::new() };
    let allowed = facts.settings.list(RULE.id, "allow");
    // A `.crate` links nothing, and what a command of the user's made has its parts listed elsewhere.
    let linking = |artifact: &&Artifact| !matches!(artifact.kind, ArtifactKind::Crate | ArtifactKind::Derived);
    let artifacts: Vec<_> =
        build.artifacts.iter().filter(linking).map(|artifact| (artifact, own_reach(build, artifact))).collect();
    let mut findings = Vec::new();
    for package in licensed::packages(facts).iter().filter(|package| !allowed.contains(&package.component.name)) {
        let Some(expression) = package.expression() else { continue };
        let reach = least_reach(&expression);
        let purl = &package.component.purl;
        let into = artifacts.iter().filter(|(artifact, own)| *own < reach && artifact.linked.iter().any(|one| one.purl == *purl));
        let into: BTreeMap<_, _> = into.map(|(artifact, _)| (artifact.name.as_str(), ())).collect();
        let Some((asks, help)) = asks(reach).filter(|_| !into.is_empty()) else { continue };
        let names = into.into_keys().collect::<Vec<_>>().join(", ");
        let (name, version) = (&package.component.name, &package.component.version);
        let message = format!("{name} {version} ({}) is linked statically into {names}", expression.text);
        findings.push(package.finding(RULE.id, RULE.severity, message).because(asks).help(help));
    }
    findings
}

/// How far the licence of the artifact's own package reaches: who is under the GPL anyway gives the source anyway.
fn own_reach(build: &Build, artifact: &Artifact) -> Reach {
    let own = build.components.get(&artifact.package).map(declared);
    let Some(Declared::Expression { text, .. }) = own else { return Reach::None };
    Expression::parse(&text).map_or(Reach::None, |expression| least_reach(&expression))
}

fn asks(reach: Reach) -> Option<(&'static str, &'static str)> {
    match reach {
        Reach::None => None,
        Reach::Library => Some((
            "the LGPL asks that who gets the program can link it anew with a changed library; Rust links statically",
            "replace it, or ship object files or source with which the program can be linked anew",
        )),
        Reach::Program => Some((
            "such licences ask for the source of the program as a whole",
            "replace it, or release the program under its terms",
        )),
        Reach::Network => Some((
            "such licences ask for the source of the program as a whole, also for its users over a network",
            "replace it, or release the program under its terms",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::licensed::fixture;
    use crate::model::Role;

    #[test]
    fn what_is_linked_and_under_which_licence() {
        let lgpl = "medium Cargo.lock:3: lib 1.0.0 (LGPL-3.0-or-later) is linked statically into app";
        let gpl = "medium Cargo.lock:3: lib 1.0.0 (GPL-3.0-only) is linked statically into app";
        let allow = "[rules]\n\"licence/copyleft-static\" = { allow = [\"lib\"] }\n";
        for (own, license, role, policy, expected) in [
            ("MIT", "LGPL-3.0+", Some(Role::Runtime), "", &[lgpl][..]),
            ("MIT", "GPL-3.0-only", Some(Role::Runtime), "", &[gpl]),
            ("LGPL-3.0-only", "GPL-3.0-only", Some(Role::Runtime), "", &[gpl]),
            ("MIT", "LGPL-3.0+", Some(Role::Runtime), allow, &[]),
            // The twins: a choice, files only, build time, not built, a program under the GPL itself, a linking exception.
            ("MIT", "LGPL-3.0-or-later OR MPL-2.0", Some(Role::Runtime), "", &[]),
            ("MIT", "MIT OR Apache-2.0 OR LGPL-2.1-or-later", Some(Role::Runtime), "", &[]),
            ("MIT", "MPL-2.0", Some(Role::Runtime), "", &[]),
            ("MIT", "GPL-3.0-only", Some(Role::Build), "", &[]),
            ("MIT", "GPL-3.0-only", Some(Role::ProcMacro), "", &[]),
            ("MIT", "GPL-3.0-only", None, "", &[]),
            ("GPL-3.0-or-later", "LGPL-2.1-only", Some(Role::Runtime), "", &[]),
            ("MIT", "GPL-2.0-only WITH Classpath-exception-2.0", Some(Role::Runtime), "", &[]),
            ("MIT", "own", Some(Role::Runtime), "", &[]),
        ] {
            let case = fixture::case(own, &[("lib", "1.0.0", Some(license), role)]).policy(policy);
            assert_eq!(case.run(&RULE), expected, "{own} {license} {role:?} {policy}");
        }
    }

    #[test]
    fn a_packed_library_links_nothing() {
        let mut case = fixture::case("MIT", &[("lib", "1.0.0", Some("GPL-3.0-only"), Some(Role::Runtime))]);
        case.build.as_mut().unwrap().artifacts[0].kind = ArtifactKind::Crate;
        assert!(case.run(&RULE).is_empty());
    }
}
