//! `lock/out-of-date`: the lockfile does not satisfy the manifests.

use crate::base::Location;
use crate::check::satisfied::mismatches;
use crate::check::{Facts, LockState, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::Lockfile;

pub(super) static RULE: Rule = Rule {
    id: "lock/out-of-date",
    severity: Severity::High,
    area: Area::Lock,
    summary: "Cargo.lock does not satisfy the manifests",
    docs: "\
The manifests ask for something that the lockfile lacks, so `cargo build` would change the lockfile: what was reviewed is not what
is built. `cargo build --locked` refuses, and so do we. The lockfile is never rewritten here. Where cargo is not asked (`--only lock`),
each requirement of a member is compared with what the lockfile has for it.

**Behind it:** a pull request that changes `Cargo.toml` and not `Cargo.lock` leaves the choice of version to the machine that
builds next, which takes the newest one there is.

```toml
# Cargo.toml asks for a crate that Cargo.lock does not have
[dependencies]
itoa = \"1\"
```

**What to do:** `cargo update --workspace` (it changes no more than it must), look at the difference, commit it.
",
    options: &[],
    run,
};

/// The most differences that the finding lists.
const SHOWN: usize = 10;

const HELP: &str = "run `cargo update --workspace`, look at the difference and commit it";

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let LockState::Present { lockfile, stale } = facts.lock else { return Vec::new() };
    match stale {
        Some(said) => vec![by_cargo(lockfile, said)],
        // With a plan cargo has judged it.
        None if facts.build.is_ok() => Vec::new(),
        None => by_comparison(facts, lockfile).into_iter().collect(),
    }
}

fn finding(lockfile: &Lockfile) -> Finding {
    let message = format!("{} does not satisfy the manifests: `--locked` would fail", lockfile.path);
    Finding::new(RULE.id, RULE.severity, message).help(HELP)
}

fn by_cargo(lockfile: &Lockfile, said: &str) -> Finding {
    // What cargo says may be long; the beginning names what it needs.
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty()).take(8);
    lines.fold(finding(lockfile).at(Location::file(&lockfile.path)), |finding, line| finding.because(format!("cargo: {line}")))
}

fn by_comparison(facts: &Facts<'_>, lockfile: &Lockfile) -> Option<Finding> {
    let found = mismatches(facts, lockfile);
    if found.is_empty() {
        return None;
    }
    let mut finding = finding(lockfile);
    for mismatch in found.iter().take(SHOWN) {
        finding = finding.at(mismatch.location.clone()).because(mismatch.what.clone());
    }
    if found.len() > SHOWN {
        finding = finding.because(format!("and {} more", found.len() - SHOWN));
    }
    Some(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn stale_fires_with_cargos_words_and_current_does_not() {
        let mut case = Case::new();
        assert!(case.run(&RULE).is_empty());
        if let LockState::Present { stale, .. } = &mut case.lock {
            *stale = Some("error: cannot update the lock file\n\n  because --locked".into());
        }
        assert_eq!(case.run(&RULE), ["high Cargo.lock: Cargo.lock does not satisfy the manifests: `--locked` would fail"]);
        assert_eq!(case.findings(&RULE)[0].evidence, ["cargo: error: cannot update the lock file", "cargo: because --locked"]);
    }

    const LOCK: &str = "version = 4\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\"dev\", \"gd\", \"lib\", \"local\", \"tool\"]\n\
        [[package]]\nname = \"dev\"\nversion = \"0.3.1\"\nsource = \"CRATES_IO\"\n\
        [[package]]\nname = \"gd\"\nversion = \"0.1.0\"\nsource = \"git+https://example.org/gd?branch=rel#0123456789012345678901234567890123456789\"\n\
        [[package]]\nname = \"lib\"\nversion = \"1.2.0\"\nsource = \"CRATES_IO\"\n\
        [[package]]\nname = \"local\"\nversion = \"2.0.0\"\n\
        [[package]]\nname = \"tool\"\nversion = \"0.9.0\"\nsource = \"CRATES_IO\"\n";
    const MANIFEST: &str = "[package]\nname = 'app'\nversion.workspace = true\n[dependencies]\nren = { package = 'lib', version = '1.1' }\n\
        gd = { git = 'https://example.org/gd.git', branch = 'rel' }\nlocal = { path = 'local', version = '2' }\n[dev-dependencies]\n\
        short = { workspace = true }\napp = { path = '.' }\n[target.'cfg(unix)'.build-dependencies]\ntool = { version = '0.9', optional = true }\n\
        [workspace]\nexclude = ['out']\npackage.version = '1.0.0'\n\
        [workspace.dependencies]\nshort = { package = 'dev', version = '>=0.3, <0.5' }\nunused = '7'\n";

    /// The differences for a change of the manifest.
    fn compared(from: &str, to: &str, lock: &str) -> Vec<String> {
        assert!(MANIFEST.contains(from), "{from}");
        let case = Case::new().lock(lock).manifest("Cargo.toml", &MANIFEST.replace(from, to));
        // No member: its tests' dependencies are not locked.
        let case = case.manifest("out/Cargo.toml", "[package]\nname = 'out'\n[dev-dependencies]\nnobody = '1'\n");
        let mut findings = case.findings(&RULE);
        assert!(findings.len() < 2);
        let Some(finding) = findings.pop() else { return Vec::new() };
        finding.locations.iter().zip(&finding.evidence).map(|(place, what)| format!("{place} {what}")).collect()
    }

    #[test]
    fn compared_without_cargo() {
        for (from, to, expected) in [
            ("'1.1'", "'1.1'", &[][..]),
            ("'1.1'", "'~1.2, <1.3'", &[]),
            (".git'", "'", &[]),
            ("unused = '7'", "", &[]),
            (
                "'1.1'",
                "'1.3'",
                &[
                    "Cargo.toml:5:1 `app` asks for lib 1.3, which it does not lock",
                    "Cargo.lock:14 it locks lib 1.2.0 for `app`, whose manifest does not ask for it",
                ],
            ),
            ("[dev-dep", "grape = '0.1'\n[dev-dep", &["Cargo.toml:8:1 `app` asks for grape 0.1, which it does not lock"]),
            (
                "tool = { version = '0.9', optional = true }",
                "",
                &["Cargo.lock:21 it locks tool 0.9.0 for `app`, whose manifest does not ask for it"],
            ),
            (
                "'>=0.3, <0.5'",
                "'0.4'",
                &[
                    "Cargo.toml:9:1 `app` asks for dev 0.4, which it does not lock",
                    "Cargo.lock:6 it locks dev 0.3.1 for `app`, whose manifest does not ask for it",
                ],
            ),
            (
                "branch = 'rel'",
                "rev = 'abc'",
                &[
                    "Cargo.toml:6:1 `app` asks for gd from https://example.org/gd.git, which it does not lock",
                    "Cargo.lock:10 it locks gd 0.1.0 for `app`, whose manifest does not ask for it",
                ],
            ),
            ("'1.0.0'", "'1.1.0'", &["Cargo.toml `app` is 1.1.0 in its manifest and 1.0.0 in the lockfile"]),
            ("name = 'app'", "name = 'apple'", &["Cargo.toml the member `apple` is not in it"]),
            // Of a registry of one's own, locked from crates.io.
            (
                "'1.1'",
                "'1.1', registry = 'corp'",
                &[
                    "Cargo.toml:5:1 `app` asks for lib 1.1 from the registry corp, which it does not lock",
                    "Cargo.lock:14 it locks lib 1.2.0 for `app`, whose manifest does not ask for it",
                ],
            ),
            ("'1.1'", "'1.1', registry = 'crates-io'", &[]),
            // What a patch satisfies is not known.
            ("'1.1'", "'1.3' }\n[patch.crates-io]\nlib = { path = 'x'", &[]),
            ("'1.1'", "'1.3' }\n[replace]\n'lib:1.2.0' = { path = 'x'", &[]),
        ] {
            assert_eq!(compared(from, to, LOCK), expected, "{from} -> {to}");
        }
        assert_eq!(compared("'rel'", "'trunk'", &LOCK.replace("version = 4\n", "")), [""; 0], "format 2 wrote no branch");
    }

    #[test]
    fn what_the_lockfile_leaves_out() {
        let lock = LOCK.replace("\"lib\", ", "");
        assert_eq!(compared("'1.1'", "'1.1'", &lock), ["Cargo.toml:5:1 `app` asks for lib 1.1, which it does not lock"]);
    }
}
