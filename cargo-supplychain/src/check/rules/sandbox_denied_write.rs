//! `sandbox/denied-write`: a build wanted to change something outside of its own folders.

use crate::check::denied::{Words, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::sandbox::Act;

pub(super) static RULE: Rule = Rule {
    id: "sandbox/denied-write",
    severity: Severity::High,
    area: Area::Sandbox,
    summary: "a build script or procedural macro wanted to write outside of its own folders",
    docs: r#"A build writes to its `OUT_DIR`, and to the temporary folder and the home that a sealed build has of its own. Writing anywhere else is
refused and told: sources of other packages, those of the workspace, `.git/hooks`, shell profiles.

**Behind it:** the SolarWinds build in 2020: a source file was replaced while the compiler ran, and set back after it. What a build script
writes into your shell's profile runs long after the build.

```rust
// build.rs
fn main() {
    std::fs::write("../other-crate/src/lib.rs", "pub fn evil() {}").ok();
}
```

What to do: read the build script. One that generates code into its own `src/` can mostly be told to write to `OUT_DIR`; where it cannot,
`[[sandbox.allow]]` with `write` opens that folder for this one version.
"#,
    options: &[],
    run,
};

const WORDS: Words =
    Words { verb: "write to", thing: "path", advice: "find out what it wants there: a build script has to write to OUT_DIR" };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    findings(facts, &RULE, &WORDS, |act| matches!(act, Act::Write { .. }).then_some(RULE.severity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::denied::fixture::{case, tried};

    #[test]
    fn writes_and_nothing_else() {
        let read = tried(Act::Read { path: "/x".into(), is_secret: false });
        let write = |path: &str| tried(Act::Write { path: path.into() });
        for (attempts, expected) in [
            (vec![], None),
            (vec![read.clone()], None),
            (
                vec![write("~/.bashrc"), read.clone()],
                Some("high Cargo.lock:3: the build script of lib 1.0.0 tried to write to ~/.bashrc"),
            ),
        ] {
            let shown = format!("{attempts:?}");
            assert_eq!(case(attempts).run(&RULE), expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{shown}");
        }
        let help = case(vec![write("/w/gen")]).findings(&RULE).remove(0).help;
        assert!(help.contains("write = [\"/w/gen\"]"), "{help}");
    }
}
