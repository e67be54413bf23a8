//! `integrity/source-tampered`.

use crate::check::deviations::{Picked, digests, files, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::integrity::Deviation;

pub(super) static RULE: Rule = Rule {
    id: "integrity/source-tampered",
    severity: Severity::Critical,
    area: Area::Integrity,
    summary: "an unpacked source file is not the one of the .crate",
    docs: r#"Cargo compiles what lies in `$CARGO_HOME/registry/src`, and never looks whether it still is what it unpacked (rust-lang/cargo#9691, open since 2021):
`cargo build --locked`, `cargo fetch` and `cargo verify-project` say nothing about an edited file. Every file of every package that takes part in the
build is compared with the `.crate` whose checksum Cargo.lock has. Modification times, executable bits and cargo's own `.cargo-ok` do not count.

**Behind it:** any program that ran as you may have written there: a build script, an editor plugin, an earlier compromise that stays.

```console
$ echo 'pub fn evil() {}' >> ~/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/itoa-1.0.19/src/lib.rs
```

**What to do:** do not build. Look at the difference first (`tar xf` the `.crate` elsewhere, then `diff -r`); if it was your own experiment, remove the package's folder and
cargo unpacks it again. To change a dependency on purpose, use `[patch]`.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pick = |one: &Deviation| match one {
        Deviation::Tampered { expected, actual, .. } => {
            let actual = actual.map(|actual| actual.to_string());
            Some(Picked::of(&RULE, digests(Some(&expected.to_string()), actual.as_deref())))
        }
        _ => None,
    };
    let message = |package: &str, count| format!("{} of {package} not as in its .crate", files(count));
    findings(
        facts,
        &RULE,
        pick,
        message,
        "do not build; compare with the .crate, then remove the package's folder: cargo unpacks it again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::deviations::tests::assert_takes;

    #[test]
    fn of_all_kinds_it_takes_its_own() {
        assert_takes(&RULE, "critical Cargo.lock:3: a file of lib 1.0.0 not as in its .crate: src/lib.rs");
    }
}
