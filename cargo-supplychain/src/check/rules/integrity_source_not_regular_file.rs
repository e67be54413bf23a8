//! `integrity/source-not-regular-file`.

use crate::check::deviations::{Picked, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::integrity::Deviation;

pub(super) static RULE: Rule = Rule {
    id: "integrity/source-not-regular-file",
    severity: Severity::High,
    area: Area::Integrity,
    summary: "among the sources of a package is a link, pipe or device",
    docs: r#"Registries accept regular files only, and cargo unpacks nothing else. A link among the sources lets them change without the folder changing; a pipe or device gives each reader
something else. The same holds for entries of the `.crate` itself.

**Behind it:** CVE-2022-36113: a crate with a link in the place of `.cargo-ok` made cargo write through it.

```console
$ ln -sf /tmp/elsewhere.rs ~/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/itoa-1.0.19/src/lib.rs
```

**What to do:** remove the package's folder, and cargo unpacks it again; a `.crate` that holds one is to be reported to its registry.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pick = |one: &Deviation| match one {
        Deviation::NotRegular { what, .. } => Some(Picked::of(&RULE, what.clone())),
        _ => None,
    };
    let message = |package: &str, _| format!("what should be a regular file of {package} is none");
    findings(facts, &RULE, pick, message, "remove the package's folder, and cargo unpacks it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::deviations::tests::assert_takes;

    #[test]
    fn of_all_kinds_it_takes_its_own() {
        assert_takes(&RULE, "high Cargo.lock:3: what should be a regular file of lib 1.0.0 is none: src/link");
    }
}
