//! `source/new-binary-blob`: an update brings an executable file.

use crate::check::gained::{Earlier, Update, shown, updates};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "source/new-binary-blob",
    severity: Severity::Medium,
    area: Area::Sources,
    summary: "an update brings an executable file that the version before had no like of",
    docs: "\
A package of source code with an executable in it (ELF, Mach-O, PE, WebAssembly, an archive of objects; told by its first bytes, not by
its name) asks to be trusted without being read. High when source code loads, links or starts it. Files of tests and examples count only
when they are loaded from elsewhere; a file whose name differs in numbers only (`libx.1.2.a`, `libx.1.3.a`) is not new.

**Behind it:** xz (2024): the payload was a file among the test data that the build unpacked. `serde_derive` 1.0.172 to 1.0.183 (2023)
shipped a precompiled program for Linux, without ill intent and to an outcry.

```rust
static TOOL: &[u8] = include_bytes!(\"../assets/tool\");   // an ELF file that 1.4.2 did not have
```

**What to do:** ask what it is for and how it was made; build it yourself, or stay with the version before.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    updates(facts).0.iter().filter_map(judge).collect()
}

fn judge(update: &Update<'_>) -> Option<Finding> {
    let (new, loaded) = match &update.earlier {
        Earlier::Nothing => return None,
        Earlier::Version(_, before) => {
            let gains = update.now.gains(before);
            (gains.blobs, gains.loaded_blobs)
        }
        Earlier::Accepted(flags) if flags.blobs == Some(false) => {
            let nothing = crate::model::capability::Capabilities::default();
            let gains = update.now.gains(&nothing);
            (gains.blobs, gains.loaded_blobs)
        }
        Earlier::Accepted(_) => return None,
    };
    let (severity, message, first) = match (loaded.first(), new.first()) {
        (Some(first), _) => (Severity::High, format!("brings an executable file that its code loads: {}", shown(&loaded)), first),
        (None, Some(first)) => (RULE.severity, format!("brings an executable file: {}", shown(&new)), first),
        (None, None) => return None,
    };
    let finding = update.finding(&RULE, severity, &message);
    let finding = finding.because("of 2,394 versions of real crates 5 bring an executable, import libraries of Windows apart");
    Some(
        finding.help(format!(
            "ask what it is for and how it was made, or stay with the version before; {}",
            update.source_page(first)
        )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::gained::fixture::{case, key};
    use crate::model::baseline::{Baseline, KnownCrate, KnownFlags};
    use crate::model::capability::Capabilities;

    fn blobs(blobs: &[&str], loaded: &[&str]) -> Capabilities {
        let list = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect();
        Capabilities { blobs: list(blobs), loaded_blobs: list(loaded), ..Capabilities::default() }
    }

    #[test]
    fn new_executables_fire_and_renamed_or_tested_ones_do_not() {
        for (before, now, expected) in [
            (blobs(&[], &[]), blobs(&["bin/x"], &[]), Some("medium Cargo.lock:3: lib 1.0.1 brings an executable file: bin/x")),
            (
                blobs(&[], &[]),
                blobs(&["bin/x"], &["bin/x"]),
                Some("high Cargo.lock:3: lib 1.0.1 brings an executable file that its code loads: bin/x"),
            ),
            (
                blobs(&["bin/x"], &[]),
                blobs(&["bin/x"], &["bin/x"]),
                Some("high Cargo.lock:3: lib 1.0.1 brings an executable file that its code loads: bin/x"),
            ),
            (
                blobs(&[], &[]),
                blobs(&["tests/x"], &["tests/x"]),
                Some("high Cargo.lock:3: lib 1.0.1 brings an executable file that its code loads: tests/x"),
            ),
            (blobs(&[], &[]), blobs(&["tests/x"], &[]), None),
            (blobs(&["lib/x.1.2.a"], &["lib/x.1.2.a"]), blobs(&["lib/x.1.3.a"], &["lib/x.1.3.a"]), None),
            (blobs(&["bin/x"], &[]), blobs(&[], &[]), None),
        ] {
            let found = case(Some(("1.0.0", before)), "1.0.1", now.clone()).run(&RULE);
            assert_eq!(found, expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{now:?}");
        }
        assert_eq!(case(None, "1.0.0", blobs(&["bin/x"], &["bin/x"])).run(&RULE).len(), 0);
    }

    #[test]
    fn the_baseline_stands_in_for_a_version_that_is_not_at_hand() {
        for (flag, expected) in [(Some(false), 1), (Some(true), 0), (None, 0)] {
            let mut case = case(Some(("1.0.0", Capabilities::default())), "1.0.1", blobs(&["bin/x"], &[]));
            case.capabilities.insert((key(), "1.0.0".parse().unwrap()), Err("gone".into()));
            let flags = KnownFlags { blobs: flag, proc_macro: Some(false), ..KnownFlags::default() };
            let known = KnownCrate { flags, ..KnownCrate::default() };
            case.baseline = Some(Baseline { crates: [(key(), known)].into() });
            assert_eq!(case.run(&RULE).len(), expected, "{flag:?}");
        }
    }
}
