//! `advisory/unmaintained`: a locked package is no longer maintained.

use crate::advisory::Kind;
use crate::check::{Facts, Rule, advised};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity, Subject};
use crate::model::Lockfile;

/// Of which packages it is told; the first is the default.
const SCOPES: &[&str] = &["all", "workspace", "transitive", "none"];

pub(super) static RULE: Rule = Rule {
    id: "advisory/unmaintained",
    severity: Severity::Medium,
    area: Area::Advisories,
    summary: "a locked package is no longer maintained",
    docs: "\
Nobody will fix the next vulnerability, and an abandoned name is what a takeover looks for.

**Behind it:** `event-stream` (2018) and `xz` (2024): a tired maintainer handed over to a helpful stranger.

```text
medium  advisory/unmaintained  paste 1.0.15  Cargo.lock:530
        RUSTSEC-2024-0436: paste - no longer maintained
```

**What to do:** plan its replacement; the advisory often names one. Exempt it until then, with an expiry. Where only what the workspace
asks for itself can be replaced, `scope` narrows the rule: `\"workspace\"` tells of direct dependencies, `\"transitive\"` of the others,
`\"none\"` of nothing.

```toml
[rules]
\"advisory/unmaintained\" = { scope = \"workspace\" }
```
",
    options: &[RuleOption::word("scope", SCOPES, "of which packages: all (the default), workspace (its direct dependencies), transitive, none")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let findings = advised::findings(facts, RULE.id, Kind::Unmaintained, |_| RULE.severity);
    let Some(lockfile) = facts.lock.lockfile() else { return findings };
    let direct = |finding: &Finding| finding.subject.as_ref().is_some_and(|subject| is_direct(lockfile, subject));
    match facts.settings.word(RULE.id, "scope") {
        Some("none") => Vec::new(),
        // Who asks for a component is not known of an archive: nothing is narrowed by it.
        _ if facts.archived.is_some() => findings,
        Some("workspace") => findings.into_iter().filter(direct).collect(),
        Some("transitive") => findings.into_iter().filter(|finding| !direct(finding)).collect(),
        _ => findings,
    }
}

/// Whether a package of the workspace (or of a path) asks for it itself.
fn is_direct(lockfile: &Lockfile, subject: &Subject) -> bool {
    let own = lockfile.packages.iter().filter(|package| package.source.is_none());
    own.flat_map(|package| &package.dependencies)
        .filter_map(|index| lockfile.packages.get(*index))
        .any(|dependency| dependency.name == subject.name && dependency.version.to_string() == subject.version)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Advisory;
    use crate::check::case::{Case, advisory, lock_with_lib, rated};

    #[test]
    fn fires_for_its_kind_and_the_affected_versions_only() {
        let says = "medium Cargo.lock:3: RUSTSEC-2026-0001: Something is wrong";
        for (version, kind, score, expected) in [
            ("1.0.0", Kind::Unmaintained, None, &[says][..]),
            ("1.0.0", Kind::Unmaintained, Some(10), &[says]),
            ("1.2.0", Kind::Unmaintained, None, &[]),
            ("1.0.0", Kind::Vulnerability, None, &[]),
        ] {
            let advisory = Advisory { ratings: rated(score), ..advisory(kind) };
            let case = Case::new().lock(&lock_with_lib(version)).advisory(advisory);
            assert_eq!(case.run(&RULE), expected, "{version} {kind:?} {score:?}");
        }
    }

    #[test]
    fn scopes() {
        let direct = "[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\"lib\"]\n";
        let other = "[[package]]\nname = \"mid\"\nversion = \"1.0.0\"\nsource = \"CRATES_IO\"\nchecksum = \"HEX\"\ndependencies = [\"lib\"]\n";
        for (scope, user, fires) in [
            ("all", direct, true),
            ("all", other, true),
            ("workspace", direct, true),
            ("workspace", other, false),
            ("transitive", direct, false),
            ("transitive", other, true),
            ("none", direct, false),
        ] {
            let policy = format!("[rules]\n\"advisory/unmaintained\" = {{ scope = \"{scope}\" }}\n");
            let lock = format!("{}\n{user}", lock_with_lib("1.0.0"));
            let case = Case::new().lock(&lock).advisory(advisory(Kind::Unmaintained)).policy(&policy);
            assert_eq!(!case.run(&RULE).is_empty(), fires, "{scope} {user}");
        }
    }
}
