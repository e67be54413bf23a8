//! `sandbox/denied-read`: a build asked for a file that it has no business with.

use crate::check::denied::{Words, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::sandbox::Act;

pub(super) static RULE: Rule = Rule {
    id: "sandbox/denied-read",
    severity: Severity::High,
    area: Area::Sandbox,
    summary: "a build script, procedural macro or compiler asked for a file outside of what a build may read",
    docs: r#"A sealed build reads the system, the toolchain, the sources and its own target folder (`docs/sandbox.md` has the list). Whatever else is
asked for is refused, and told here: by which crate, in which role, which file, how often. It counts even where the build script went on as
if nothing had happened. A path is said to be "a place where keys are kept" by the habit of the field (`~/.ssh`, `~/.aws`,
`~/.cargo/credentials.toml`, …), whether there is such a file or not: who asks for it asks for keys.

**Behind it:** `arrayref` 0.3.10 (2026-08-20) brought a dependency whose build script stole credentials, on the machine of everybody who
compiled it. The script of Codecov (2021) sent the variables of CI jobs away; those are not there in a build to begin with.

```rust
// build.rs
fn main() {
    let key = std::fs::read(std::env::var("HOME").unwrap() + "/.ssh/id_ed25519");
}
```

What to do: read the build script. A library that looks for its vendor's files in a fixed folder gets that folder by `[[sandbox.allow]]` or
`[sandbox] read`; one that asks for keys is to be thrown out, and the keys need not be changed: it did not get them.
"#,
    options: &[],
    run,
};

const WORDS: Words = Words { verb: "read", thing: "path", advice: "read what it does there before anything else" };

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    findings(facts, &RULE, &WORDS, |act| matches!(act, Act::Read { .. }).then_some(RULE.severity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;
    use crate::check::denied::fixture::{case, tried};

    #[test]
    fn reads_and_nothing_else() {
        let read = |path: &str, is_secret| tried(Act::Read { path: path.into(), is_secret });
        for (attempts, expected) in [
            (vec![], None),
            (vec![tried(Act::Write { path: "/x".into() })], None),
            (vec![tried(Act::Network { family: "AF_INET".into() })], None),
            (
                vec![read("~/.aws/credentials", true)],
                Some(
                    "high Cargo.lock:3: the build script of lib 1.0.0 tried to read ~/.aws/credentials (a place where keys are kept)",
                ),
            ),
            (vec![read("/opt/a", false)], Some("high Cargo.lock:3: the build script of lib 1.0.0 tried to read /opt/a")),
            (
                vec![read("/opt/a", false), read("~/.ssh", true)],
                Some(
                    "high Cargo.lock:3: the build script of lib 1.0.0 tried to read 2 paths, 2 times, first ~/.ssh (a place where keys are kept)",
                ),
            ),
        ] {
            let shown = format!("{attempts:?}");
            assert_eq!(case(attempts).run(&RULE), expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{shown}");
        }
        assert!(Case::new().run(&RULE).is_empty(), "nothing was built");
    }
}
