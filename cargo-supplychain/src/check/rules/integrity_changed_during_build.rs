//! `integrity/changed-during-build`.

use crate::check::deviations::{Picked, files, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::integrity::Deviation;

pub(super) static RULE: Rule = Rule {
    id: "integrity/changed-during-build",
    severity: Severity::Critical,
    area: Area::Integrity,
    summary: "sources were changed while the build ran",
    docs: r#"Everything is compared before the compilation, and looked at once more after it, before anything is released: what was compiled in between must not have been something else. A build script or
proc macro runs as you do and can write into the sources of packages that are compiled after it. A file that is written to and then set back counts as well, because nobody knows what
was compiled: it shows in the file's change time, which cannot be set. In a git checkout that is medium, because build scripts there may write the same generated file again.

**Behind it:** the SolarWinds build in 2020: one file was swapped while the compiler ran, and set back after it.

```rust
// build.rs
fn main() {
    std::fs::write("src/lib.rs", "pub fn evil() {}").unwrap();
}
```

**What to do:** find the build script that writes there (`grep -r CARGO_MANIFEST_DIR` in build scripts is a start) and do without it, or patch it: a build script has to write to `OUT_DIR`.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pick = |one: &Deviation| match one {
        Deviation::ChangedDuringBuild { path, restored } => {
            let may_be_generated = *restored && path.starts_with("$CARGO_HOME/git/");
            let severity = if may_be_generated { Severity::Medium } else { RULE.severity };
            let fact = if *restored { "written to, and now as before" } else { "changed, added or removed" };
            Some(Picked { fact: fact.to_owned(), severity })
        }
        _ => None,
    };
    let message = |package: &str, count| format!("{} of {package} changed while the build ran", files(count));
    findings(facts, &RULE, pick, message, "find the build script that writes there: it has to write to OUT_DIR")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::deviations::tests::{assert_takes, case};

    #[test]
    fn of_all_kinds_it_takes_its_own() {
        let restored = |path: &str| Deviation::ChangedDuringBuild { path: path.to_owned(), restored: true };
        for (path, severity) in [
            ("$CARGO_HOME/git/checkouts/a/b/src/g.rs", Severity::Medium),
            ("$CARGO_HOME/registry/src/a/lib.rs", Severity::Critical),
        ] {
            assert_eq!(case(&[restored(path)]).findings(&RULE)[0].severity, severity, "{path}");
        }
        assert_takes(&RULE, "critical Cargo.lock:3: a file of lib 1.0.0 changed while the build ran: src/changed.rs");
    }
}
