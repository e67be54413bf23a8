//! `dep/unpinned-requirement`: nothing but the lockfile holds a version, and the lockfile does not.

use semver::{Op, VersionReq};

use crate::check::{Facts, LockState, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::manifest::Requirement;

pub(super) static RULE: Rule = Rule {
    id: "dep/unpinned-requirement",
    severity: Severity::Info,
    area: Area::Lock,
    summary: "a requirement has no upper bound, or is no exact version and there is no lockfile",
    docs: "\
A requirement like `\"1.2\"` means \"1.2 or a later 1.x\", and the lockfile says which one: that is how it should be. Two cases are
told. `\">= 1.2\"` has no upper end, so `cargo update` crosses into releases with another interface. And without a lockfile every
requirement that is not exact (`\"=1.2.3\"`) is decided anew by each build.

**Behind it:** most compromised releases are young patch versions, taken by whoever builds without a lockfile.

```toml
[dependencies]
lib = \">= 1.2\"
```

**What to do:** write `\"1.2\"`, and commit `Cargo.lock`.
",
    options: &[RuleOption::allow("package names")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let allowed = facts.settings.list(RULE.id, "allow");
    let is_locked = !matches!(facts.lock, LockState::Missing { .. });
    let requirements = facts.manifests.iter().flat_map(|manifest| &manifest.requirements);
    requirements
        .filter(|requirement| !allowed.contains(&requirement.name))
        .filter_map(|requirement| finding(requirement, is_locked))
        .collect()
}

fn finding(requirement: &Requirement, is_locked: bool) -> Option<Finding> {
    let written = requirement.version.as_deref()?;
    let parsed: VersionReq = written.parse().ok()?;
    let (message, help) = if has_no_end(&parsed) {
        (format!("`{}` is required as `{written}`, without an upper end", requirement.name), "write the version without `>=`")
    } else if !is_locked && !is_exact(&parsed) {
        (format!("`{}` is required as `{written}`, and no lockfile says which version", requirement.name), "commit a Cargo.lock")
    } else {
        return None;
    };
    Some(Finding::new(RULE.id, RULE.severity, message).at(requirement.location.clone()).help(help))
}

/// `>= 1.2`; what any version fits is `dep/wildcard-requirement`.
fn has_no_end(requirement: &VersionReq) -> bool {
    !requirement.comparators.is_empty()
        && requirement.comparators.iter().all(|bound| matches!(bound.op, Op::Greater | Op::GreaterEq))
        && requirement
            .comparators
            .iter()
            .any(|bound| (bound.major, bound.minor.unwrap_or(0), bound.patch.unwrap_or(0)) != (0, 0, 0))
}

fn is_exact(requirement: &VersionReq) -> bool {
    requirement.comparators.iter().any(|bound| bound.op == Op::Exact && bound.minor.is_some() && bound.patch.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn open_ends_and_missing_lockfiles() {
        let open = "info Cargo.toml:2:1: `lib` is required as `>=1.2`, without an upper end";
        let loose = "info Cargo.toml:2:1: `lib` is required as `1.2`, and no lockfile says which version";
        for (requirement, locked, expected) in [
            (">=1.2", true, &[open][..]),
            (">=1.2", false, &[open]),
            ("1.2", true, &[]),
            ("1.2", false, &[loose]),
            ("=1.2.3", false, &[]),
            (">=1.2, <2", true, &[]),
            ("*", true, &[]),
            (">=0", true, &[]),
        ] {
            let mut case = Case::new().manifest("Cargo.toml", &format!("[dependencies]\nlib = \"{requirement}\"\n"));
            if !locked {
                case.lock = LockState::Missing { path: "Cargo.lock".into() };
            }
            assert_eq!(case.run(&RULE), expected, "{requirement} {locked}");
        }
    }
}
