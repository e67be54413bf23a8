//! `integrity/source-extra-file`.

use crate::check::deviations::{Picked, files, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::integrity::Deviation;

pub(super) static RULE: Rule = Rule {
    id: "integrity/source-extra-file",
    severity: Severity::Critical,
    area: Area::Integrity,
    summary: "an unpacked package has a file that its .crate does not have",
    docs: r#"A file beside the published ones is compiled as they are: `build.rs` at the top becomes the build script of a package that has none, `src/main.rs` or `src/bin/x.rs`
a program, `src/a/mod.rs` a module in the place of another. Nothing but cargo's own `.cargo-ok` belongs beside the files of the `.crate`.

**Behind it:** the same open question of cargo as for edited files (rust-lang/cargo#9691).

```console
$ cp evil.rs ~/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/itoa-1.0.19/build.rs
```

**What to do:** look at what it is. A `target` folder or a Cargo.lock come from cargo having been called inside of the package's folder; remove the folder, and cargo unpacks it again.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pick = |one: &Deviation| matches!(one, Deviation::Extra { .. }).then(|| Picked::of(&RULE, String::new()));
    let message = |package: &str, count| format!("{} beside those of the .crate of {package}", files(count));
    findings(facts, &RULE, pick, message, "look at what it is, then remove the package's folder: cargo unpacks it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::deviations::tests::assert_takes;

    #[test]
    fn of_all_kinds_it_takes_its_own() {
        assert_takes(&RULE, "critical Cargo.lock:3: a file beside those of the .crate of lib 1.0.0: src/extra.rs");
    }
}
