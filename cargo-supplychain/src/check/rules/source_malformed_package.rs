//! `source/malformed-package`.

use crate::check::deviations::{Picked, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::integrity::Deviation;

pub(super) static RULE: Rule = Rule {
    id: "source/malformed-package",
    severity: Severity::High,
    area: Area::Sources,
    summary: "a .crate is not one that a registry would have accepted",
    docs: r#"crates.io refuses packages with paths outside of `NAME-VERSION/`, links, and more than 512 MiB unpacked; cargo stops at similar limits. A `.crate` that is otherwise did not come through a registry
that checks, or was made to be read differently by two programs: the same path twice, sizes that an extension changes, a name that leads elsewhere.

**Behind it:** CVE-2022-36113 and CVE-2022-36114: links and archives that grow without end in crates.

```text
itoa-1.0.19.crate: itoa-1.0.19/../../../.cargo/bin/cargo
```

**What to do:** do not use the package; tell the registry.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pick = |one: &Deviation| match one {
        Deviation::Malformed { why, .. } => Some(Picked::of(&RULE, why.clone())),
        _ => None,
    };
    let message = |package: &str, _| format!("the .crate of {package} is not one that a registry accepts");
    findings(facts, &RULE, pick, message, "do not use the package; tell the registry")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::deviations::tests::assert_takes;

    #[test]
    fn of_all_kinds_it_takes_its_own() {
        assert_takes(
            &RULE,
            "high Cargo.lock:3: the .crate of lib 1.0.0 is not one that a registry accepts: lib-1.0.0.crate: ../x",
        );
    }
}
