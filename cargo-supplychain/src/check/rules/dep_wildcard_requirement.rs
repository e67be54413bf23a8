//! `dep/wildcard-requirement`: any version will do.

use semver::{Op, VersionReq};

use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::manifest::Requirement;

pub(super) static RULE: Rule = Rule {
    id: "dep/wildcard-requirement",
    severity: Severity::Medium,
    area: Area::Lock,
    summary: "a requirement allows any version",
    docs: "\
`*`, `>=0` or no version at all: the next `cargo update` may take a release with another interface, by another owner. crates.io
refuses such requirements in what is published; in a program of your own nothing does. Dependencies by path, by git and those that
inherit from the workspace need no version.

**Behind it:** version 99.0.0 of a private name on a public registry (dependency confusion, 2021) fits every wildcard.

```toml
[dependencies]
lib = \"*\"
```

**What to do:** write the version that you use; `cargo add NAME` does it for you.
",
    options: &[RuleOption::allow("package names")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let allowed = facts.settings.list(RULE.id, "allow");
    let requirements = facts.manifests.iter().flat_map(|manifest| &manifest.requirements);
    let wild = requirements.filter(|requirement| is_wild(requirement) && !allowed.contains(&requirement.name));
    let finding = |requirement: &Requirement| {
        let written = requirement.version.as_deref().map_or("no version".to_owned(), |version| format!("`{version}`"));
        Finding::new(RULE.id, RULE.severity, format!("`{}` is required with {written}: any version fits", requirement.name))
            .at(requirement.location.clone())
            .help(format!("write the version that is used, as `cargo add {}` does", requirement.name))
    };
    wild.map(finding).collect()
}

fn is_wild(requirement: &Requirement) -> bool {
    if requirement.inherited || requirement.path.is_some() || requirement.git.is_some() {
        return false;
    }
    // What is no requirement at all is cargo's to refuse.
    let Some(version) = &requirement.version else { return true };
    let Ok(parsed) = version.parse::<VersionReq>() else { return false };
    parsed.comparators.iter().all(|bound| {
        let is_zero = (bound.major, bound.minor.unwrap_or(0), bound.patch.unwrap_or(0)) == (0, 0, 0);
        bound.op == Op::GreaterEq && is_zero
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn what_any_version_fits_fires() {
        for (value, written) in [
            ("\"*\"", Some("`*`")),
            ("\">=0\"", Some("`>=0`")),
            ("\">= 0.0.0\"", Some("`>= 0.0.0`")),
            ("{ features = [] }", Some("no version")),
            ("\"1.*\"", None),
            ("\"0\"", None),
            ("\">=0.1\"", None),
            ("\">=0, <2\"", None),
            ("{ path = \"x\" }", None),
            ("{ git = \"https://example.org/x\" }", None),
            ("{ workspace = true }", None),
        ] {
            let found = Case::new().manifest("Cargo.toml", &format!("[dependencies]\nlib = {value}\n")).run(&RULE);
            let says = |written| format!("medium Cargo.toml:2:1: `lib` is required with {written}: any version fits");
            assert_eq!(found, written.map(says).into_iter().collect::<Vec<_>>(), "{value}");
        }
    }
}
