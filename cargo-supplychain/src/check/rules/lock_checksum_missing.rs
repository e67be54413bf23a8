//! `lock/checksum-missing`: a registry package without a checksum.

use crate::base::Location;
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "lock/checksum-missing",
    severity: Severity::High,
    area: Area::Lock,
    summary: "a registry package in Cargo.lock has no checksum",
    docs: "\
Cargo writes the checksum of every registry package. Where it is missing nothing ties the lockfile to the bytes that are built:
`--locked` refuses, but a plain `cargo build` silently fills in whatever the registry serves that day. Packages from git and from
folders never have one, and format 1 keeps them in `[metadata]`.

**Behind it:** removing a line is the quietest way to make a pinned dependency exchangeable.

```toml
[[package]]
name = \"itoa\"
version = \"1.0.15\"
source = \"registry+https://github.com/rust-lang/crates.io-index\"
```

**What to do:** restore the line from the history; or, when you know why it is missing, run `cargo update -p NAME --precise VERSION`
and look at the difference.
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let missing = lockfile.packages.iter().filter(|package| package.is_registry() && package.checksum.is_none());
    let finding = |package: &crate::model::LockedPackage| {
        Finding::new(RULE.id, RULE.severity, format!("{} {} has no checksum", package.name, package.version))
            .about(&package.name, &package.version)
            .at(Location::line(&lockfile.path, package.line))
            .help(format!(
                "restore the line from the history of {}, or run `cargo generate-lockfile` and look at the difference",
                lockfile.path
            ))
    };
    missing.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};

    #[test]
    fn registry_packages_need_one_and_others_do_not() {
        let without = lock_with_lib("1.0.0").replace("checksum = \"HEX\"\n", "");
        let git = without.replace("CRATES_IO", "git+https://example.org/lib#0123456789012345678901234567890123456789");
        let path = without.replace("source = \"CRATES_IO\"\n", "");
        let first = "[[package]]\nname = \"lib\"\nversion = \"1.0.0\"\nsource = \"CRATES_IO\"\n";
        let first_with = format!("{first}[metadata]\n\"checksum lib 1.0.0 (CRATES_IO)\" = \"HEX\"\n");
        for (lock, expected) in [
            (without.as_str(), &["high Cargo.lock:3: lib 1.0.0 has no checksum"][..]),
            (first, &["high Cargo.lock:1: lib 1.0.0 has no checksum"]),
            (&lock_with_lib("1.0.0"), &[]),
            (&first_with, &[]),
            (&git, &[]),
            (&path, &[]),
        ] {
            assert_eq!(Case::new().lock(lock).run(&RULE), expected, "{lock}");
        }
    }
}
