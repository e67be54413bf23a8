//! `licence/missing`: a package of the build declares no licence.

use crate::check::{Facts, Rule, licensed};
use crate::finding::{Area, Finding, Severity};
use crate::model::licence::Declared;
use crate::model::{Component, Origin};

pub(super) static RULE: Rule = Rule {
    id: "licence/missing",
    severity: Severity::Medium,
    area: Area::Licences,
    summary: "a package of the build declares no licence",
    docs: "\
Its manifest has neither `license` nor `license-file`. Without a licence nobody may pass it on, as a release does. crates.io asks for
one, so this is mostly a git dependency, or a package of a private registry. With `[licences] allow` it is high: no list can
accept what nobody declared. Packages of the workspace are not judged, and
path dependencies outside of it only with such a list.

**Behind it:** not an attack; a release that may not be shipped.

```toml
[package]                     # of a git dependency
name = \"lib\"
version = \"0.1.0\"
```

**What to do:** ask its author for a licence, or say what you know (`[licences] clarify`).
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let has_list = !facts.settings.licences.allow.is_empty();
    let severity = if has_list { Severity::High } else { RULE.severity };
    let packages = licensed::packages(facts);
    // A folder beside the workspace is mostly one's own; who has a list has said that it matters.
    let is_own = |component: &Component| matches!(component.origin, Origin::Path { .. }) && !has_list;
    let missing = packages.iter().filter(|package| package.declared == Declared::Missing && !is_own(package.component));
    let findings = missing.map(|package| {
        let (name, version) = (&package.component.name, &package.component.version);
        let help = format!(
            "ask its author, or add {{ package = \"{name}\", expression = \"…\", reason = \"…\" }} to `[licences] clarify`"
        );
        package.finding(RULE.id, severity, format!("{name} {version} declares no licence")).help(help)
    });
    findings.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::licensed::fixture;
    use crate::model::Role;

    #[test]
    fn neither_expression_nor_file() {
        for (license, file, policy, expected) in [
            (None, None, "", &["medium Cargo.lock:3: lib 1.0.0 declares no licence"][..]),
            (Some(" "), None, "", &["medium Cargo.lock:3: lib 1.0.0 declares no licence"]),
            (None, None, "[licences]\nallow = ['MIT']\n", &["high Cargo.lock:3: lib 1.0.0 declares no licence"]),
            (None, None, "[licences]\nclarify = [{ package = 'lib', expression = 'MIT' }]\n", &[]),
            (None, Some("LICENSE"), "", &[]),
            (Some("MIT"), None, "", &[]),
            (Some("non-standard"), None, "", &[]),
        ] {
            let mut case = fixture::case("MIT", &[("lib", "1.0.0", license, Some(Role::Runtime))]).policy(policy);
            let build = case.build.as_mut().unwrap();
            build.components.get_mut("pkg:cargo/lib@1.0.0").unwrap().license_file = file.map(str::to_owned);
            // A package of one's own says nothing to anybody.
            build.components.get_mut("pkg:cargo/app@1.0.0").unwrap().license = None;
            assert_eq!(case.run(&RULE), expected, "{license:?} {file:?} {policy}");
        }
    }

    #[test]
    fn a_folder_beside_the_workspace_is_mostly_ones_own() {
        for (policy, fires) in [("", false), ("[licences]\nallow = ['MIT']\n", true)] {
            let mut case = fixture::case("MIT", &[("lib", "1.0.0", None, Some(Role::Runtime))]).policy(policy);
            let build = case.build.as_mut().unwrap();
            build.components.get_mut("pkg:cargo/lib@1.0.0").unwrap().origin = Origin::Path { path: "../lib".into() };
            assert_eq!(!case.run(&RULE).is_empty(), fires, "{policy}");
        }
    }
}
