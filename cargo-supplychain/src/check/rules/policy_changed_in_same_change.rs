//! `policy/changed-in-same-change`: what judges a change is changed by it.

use crate::base::Location;
use crate::check::{Facts, OwnFile, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::change::EarlierPackage;

pub(super) static RULE: Rule = Rule {
    id: "policy/changed-in-same-change",
    severity: Severity::High,
    area: Area::Policy,
    summary: "a change edits supplychain.toml or supplychain.lock together with what they judge",
    docs: "\
With `--base` a change is judged by the policy and the baseline of the revision that it starts from: what it writes into them itself does
not count (yet). This finding says that it writes into them, and how bad that is:

- high: the policy or the baseline changes together with Cargo.lock, or the policy together with the dependencies of a manifest. Once
  merged, the change would have accepted itself.
- medium: the policy changes alone. Nothing slips through with it, but later changes are judged by it: read it.
- info: the baseline changes alone, as `cargo supplychain baseline accept` leaves it.

**Behind it:** pipelines that are configured by the change that they run on (\"poisoned pipeline execution\", OWASP CICD-SEC-4).

```diff
--- a/supplychain.toml
+fail-on = \"none\"
--- a/supplychain.lock
+    { kind = \"user\", id = 77, login = \"r9\", first-seen = 2026-08-20 },
--- a/Cargo.lock
-version = \"3.3.5\"
+version = \"3.3.6\"
```

**What to do:** make two changes of it. First what Cargo.lock brings, judged by what was agreed before; then, when it is merged, the
baseline by `cargo supplychain baseline accept`, or the policy, each to be read for itself.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let has = |file| facts.own_files_changed.contains(&file);
    let (policy, baseline) = (has(OwnFile::Policy), has(OwnFile::Baseline));
    if !policy && !baseline {
        return Vec::new();
    }
    let lock = is_lockfile_changed(facts);
    let manifests = policy && facts.manifests_changed;
    let severity = match (lock || manifests, policy) {
        (true, _) => Severity::High,
        (false, true) => Severity::Medium,
        (false, false) => Severity::Info,
    };
    let name = |file: &OwnFile| match file {
        OwnFile::Policy => "supplychain.toml",
        OwnFile::Baseline => "supplychain.lock",
    };
    let names: Vec<_> = facts.own_files_changed.iter().map(name).collect();
    let message = match (lock, manifests) {
        (true, _) => format!("{} and Cargo.lock are changed together", names.join(", ")),
        (false, true) => format!("{} and dependencies of a manifest are changed together", names.join(", ")),
        (false, false) if policy && baseline => "supplychain.toml and supplychain.lock are changed".to_owned(),
        (false, false) => format!("{} is changed", names.join(", ")),
    };
    let mut finding = Finding::new(RULE.id, severity, message);
    for name in names {
        finding = finding.at(Location::file(name));
    }
    let help = match severity {
        Severity::High => "make two changes of it: what Cargo.lock brings first, then the baseline or the policy",
        Severity::Medium => "read it as what it is: later changes are judged by it",
        _ => "nothing: `cargo supplychain baseline accept` leaves it like this",
    };
    vec![finding.because("judged by the policy and the baseline of the base revision").help(help)]
}

/// Whether other packages are locked than in the base. The workspace's own get new versions with every release.
fn is_lockfile_changed(facts: &Facts<'_>) -> bool {
    let packages = facts.lock.lockfile().into_iter().flat_map(|lockfile| &lockfile.packages);
    let mut now: Vec<_> = packages.filter(|package| package.source.is_some()).map(EarlierPackage::from).collect();
    now.sort();
    now.dedup();
    now.iter().ne(facts.changes.earlier.iter().filter(|package| package.source.is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};

    #[test]
    fn severity_is_that_of_what_changes_together() {
        let (policy, baseline) = (OwnFile::Policy, OwnFile::Baseline);
        let (same, other) = (lock_with_lib("1.0.0"), lock_with_lib("1.0.1"));
        for (files, before, manifests, expected) in [
            (&[][..], &other, true, None),
            (&[baseline], &same, false, Some("info supplychain.lock: supplychain.lock is changed")),
            (&[baseline], &same, true, Some("info supplychain.lock: supplychain.lock is changed")),
            (&[baseline], &other, false, Some("high supplychain.lock: supplychain.lock and Cargo.lock are changed together")),
            (&[policy], &same, false, Some("medium supplychain.toml: supplychain.toml is changed")),
            (
                &[policy],
                &same,
                true,
                Some("high supplychain.toml: supplychain.toml and dependencies of a manifest are changed together"),
            ),
            (&[policy], &other, false, Some("high supplychain.toml: supplychain.toml and Cargo.lock are changed together")),
            (
                &[policy, baseline],
                &same,
                false,
                Some("medium supplychain.toml supplychain.lock: supplychain.toml and supplychain.lock are changed"),
            ),
            (
                &[policy, baseline],
                &other,
                true,
                Some(
                    "high supplychain.toml supplychain.lock: supplychain.toml, supplychain.lock and Cargo.lock are changed together",
                ),
            ),
            // The version of a package of the workspace is not what the baseline judges.
            (
                &[baseline],
                &format!("{same}\n[[package]]\nname = \"z\"\nversion = \"1.0.0\"\n"),
                false,
                Some("info supplychain.lock: supplychain.lock is changed"),
            ),
            // A checksum is part of what is locked, and so is a package that went.
            (
                &[baseline],
                &same.replace("HEX", &"0".repeat(64)),
                false,
                Some("high supplychain.lock: supplychain.lock and Cargo.lock are changed together"),
            ),
            (
                &[baseline],
                &format!("{same}\n[[package]]\nname = \"z\"\nversion = \"1.0.0\"\nsource = \"CRATES_IO\"\n"),
                false,
                Some("high supplychain.lock: supplychain.lock and Cargo.lock are changed together"),
            ),
        ] {
            let mut case = Case::new().lock(&same).before(before);
            case.own_files_changed = files.to_vec();
            case.manifests_changed = manifests;
            assert_eq!(case.run(&RULE), expected.into_iter().collect::<Vec<_>>(), "{files:?} {before}");
        }
    }
}
