//! `integrity/crate-checksum-mismatch`.

use crate::check::deviations::{Picked, digests, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::integrity::Deviation;

pub(super) static RULE: Rule = Rule {
    id: "integrity/crate-checksum-mismatch",
    severity: Severity::Critical,
    area: Area::Integrity,
    summary: "a downloaded .crate is not the one that was locked",
    docs: r#"Cargo compares a `.crate` with its checksum when it downloads it, and never again: a file that lies in `$CARGO_HOME/registry/cache` is unpacked
as it is (cargo 1.95), and `cargo vendor` writes the true checksum over what came out of it. A cache that others can write to, or one that
CI restored, thereby decides what is compiled. Each `.crate` of the build is hashed and compared with Cargo.lock here.

**Behind it:** cache poisoning of build systems (Ultralytics in December 2024, TanStack in May 2026): the sources of the repository were clean, what the runner
restored was not.

```console
$ cp evil.crate ~/.cargo/registry/cache/index.crates.io-1949cf8c6b5b557f/itoa-1.0.19.crate
$ rm -r ~/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/itoa-1.0.19
$ cargo build --locked --offline   # compiles what is in it
```

**What to do:** do not build. Find out who wrote the file, then remove it together with the folder of that name below `registry/src`: cargo fetches both again.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pick = |one: &Deviation| match one {
        Deviation::CrateChecksum { expected, actual, .. } => {
            Some(Picked::of(&RULE, digests(Some(&expected.to_string()), Some(&actual.to_string()))))
        }
        _ => None,
    };
    let message = |package: &str, _| format!("the .crate of {package} is not the one that was locked");
    findings(
        facts,
        &RULE,
        pick,
        message,
        "do not build; find out who wrote it, then remove it and its folder below registry/src: cargo fetches both again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::deviations::tests::assert_takes;

    #[test]
    fn of_all_kinds_it_takes_its_own() {
        assert_takes(&RULE, "critical Cargo.lock:3: the .crate of lib 1.0.0 is not the one that was locked: lib-1.0.0.crate");
    }
}
