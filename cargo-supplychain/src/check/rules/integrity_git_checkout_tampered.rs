//! `integrity/git-checkout-tampered`.

use crate::check::deviations::{Picked, digests, files, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::integrity::Deviation;

pub(super) static RULE: Rule = Rule {
    id: "integrity/git-checkout-tampered",
    severity: Severity::Critical,
    area: Area::Integrity,
    summary: "a git checkout is not the locked commit",
    docs: r#"Cargo checks a git dependency out once, below `$CARGO_HOME/git/checkouts`, and compiles what lies there from then on: the commit of the lockfile names the folder, not its content (cargo
1.95). Every file is compared with the tree of the locked commit, submodules included; the objects are counted again as they are read. Modification times, executable bits and cargo's `.cargo-ok`
do not count; line ends and `$Id$` do only where `.gitattributes` of the commit asks for no conversion.

**Behind it:** the same as for edited registry sources: what ran as you once may have written there.

```console
$ echo 'pub fn evil() {}' >> ~/.cargo/git/checkouts/itoa-a1b2c3d4e5f60718/0123456/src/lib.rs
```

**What to do:** do not build. `git diff` in the checkout may show the change, if its own index was left alone; remove the checkout's folder, and cargo makes it again. A build script that writes
into its own sources does it, too: it has to write to `OUT_DIR`.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let pick = |one: &Deviation| match one {
        Deviation::GitTampered { expected, actual, .. } => {
            Some(Picked::of(&RULE, digests(expected.as_deref(), actual.as_deref())))
        }
        _ => None,
    };
    let message = |package: &str, count| format!("{} in the checkout of {package} not as in the locked commit", files(count));
    findings(facts, &RULE, pick, message, "do not build; remove the checkout's folder, and cargo makes it again")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::deviations::tests::assert_takes;

    #[test]
    fn of_all_kinds_it_takes_its_own() {
        assert_takes(&RULE, "critical Cargo.lock:3: a file in the checkout of lib 1.0.0 not as in the locked commit: git/lib.rs");
    }
}
