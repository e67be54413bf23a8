//! `integrity/vendor-extra-file`.

use crate::check::deviations::{Picked, files, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::integrity::Deviation;

pub(super) static RULE: Rule = Rule {
    id: "integrity/vendor-extra-file",
    severity: Severity::Critical,
    area: Area::Integrity,
    summary: "a vendored package has a file that nothing lists",
    docs: r#"A file that neither `.cargo-checksum.json` nor the `.crate` has was not put there by `cargo vendor`. Cargo does not look at it before it compiles it: as `build.rs`, as a module, as a program
below `src/bin`.

**Behind it:** no known incident; it is the other half of an incomplete list.

```console
$ cp evil.rs vendor/itoa/build.rs
```

**What to do:** look at who added it (`git log -- vendor/itoa`); run `cargo vendor` again, which removes what does not belong there.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pick = |one: &Deviation| matches!(one, Deviation::VendorExtra { .. }).then(|| Picked::of(&RULE, String::new()));
    let message = |package: &str, count| format!("{} that nothing lists in the vendored {package}", files(count));
    findings(facts, &RULE, pick, message, "see who added it, and run `cargo vendor` again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::deviations::tests::assert_takes;

    #[test]
    fn of_all_kinds_it_takes_its_own() {
        assert_takes(&RULE, "critical Cargo.lock:3: a file that nothing lists in the vendored lib 1.0.0: vendor/lib/extra.rs");
    }
}
