//! `lock/not-minimal`: packages that nothing needs.

use std::collections::BTreeSet;

use crate::base::text::counted;
use crate::check::listed::listing;
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::{LockedPackage, Lockfile};

pub(super) static RULE: Rule = Rule {
    id: "lock/not-minimal",
    severity: Severity::Medium,
    area: Area::Lock,
    summary: "the lockfile lists packages that nothing in the workspace needs",
    docs: "\
Cargo removes what nothing needs whenever it writes the lockfile, so an entry that no package of the workspace leads to was put there by
hand, or left by a bad merge. It is not built today. It is a place to park a version: the day that a manifest asks for the crate, cargo
prefers what is locked over what is newest, and the review of that day sees no change of the version. `cargo build --locked` refuses such
a lockfile; a plain `cargo build` drops the entries silently.

**Behind it:** for JavaScript, where nothing removes such entries, parked and redirected ones were shown to pass review (lockfile
injection, 2019). No incident is known for Cargo.lock.

```toml
# Cargo.lock: no package has \"parked\" among its dependencies
[[package]]
name = \"parked\"
version = \"0.1.7\"
source = \"registry+https://github.com/rust-lang/crates.io-index\"
```

**What to do:** see who added it with `git log -p Cargo.lock`; `cargo update --workspace` removes it.
",
    options: &[RuleOption::allow("package names")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let allowed = facts.settings.list(RULE.id, "allow");
    // What `[replace]` puts in the place of another is listed and no dependency names it.
    let patches = facts.manifests.iter().flat_map(|manifest| &manifest.patches).filter(|patch| patch.table == "replace");
    let replaced: BTreeSet<_> = patches.filter_map(|patch| patch.name.rsplit('#').next()?.split(':').next()).collect();
    let is_told = |package: &&LockedPackage| !allowed.contains(&package.name) && !replaced.contains(package.name.as_str());
    let parked: Vec<_> = unneeded(lockfile).into_iter().filter(is_told).collect();
    if parked.is_empty() {
        return Vec::new();
    }
    let (packages, verb) = (counted(parked.len(), "locked package"), if parked.len() == 1 { "is" } else { "are" });
    let finding = Finding::new(RULE.id, RULE.severity, format!("{packages} {verb} needed by nothing in the workspace"));
    vec![
        listing(finding, &lockfile.path, &parked)
            .help("see who added it with `git log -p Cargo.lock`; `cargo update --workspace` removes it"),
    ]
}

/// What no path package leads to. The workspace's members are path packages; one that nobody needs is no danger.
fn unneeded(lockfile: &Lockfile) -> Vec<&LockedPackage> {
    let packages = &lockfile.packages;
    // Without any member it is the lockfile of something else, which `lock/out-of-date` says.
    if packages.iter().all(|package| package.source.is_some()) {
        return Vec::new();
    }
    let mut open: Vec<_> = (0..packages.len()).filter(|&index| packages[index].source.is_none()).collect();
    let mut is_needed: Vec<_> = packages.iter().map(|package| package.source.is_none()).collect();
    while let Some(index) = open.pop() {
        for &dependency in &packages[index].dependencies {
            if !std::mem::replace(&mut is_needed[dependency], true) {
                open.push(dependency);
            }
        }
    }
    packages.iter().zip(is_needed).filter(|(_, is_needed)| !is_needed).map(|(package, _)| package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    fn package(name: &str, dependencies: &[&str]) -> String {
        let source = if name == "app" { "" } else { "source = \"CRATES_IO\"\n" };
        format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n{source}dependencies = {dependencies:?}\n")
    }

    #[test]
    fn what_no_member_leads_to() {
        let app = package("app", &["a"]) + &package("a", &["b"]);
        let one = vec!["medium Cargo.lock:15: 1 locked package is needed by nothing in the workspace".to_owned()];
        for (lock, expected) in [
            (package("a", &[]), vec![]),
            (app.clone() + &package("b", &[]), vec![]),
            // A cycle back to what is needed.
            (app.clone() + &package("b", &["a"]), vec![]),
            (app.clone() + &package("b", &[]) + &package("parked", &["b"]), one),
            (
                app.clone() + &package("b", &[]) + &package("p", &["q"]) + &package("q", &["p"]),
                vec!["medium Cargo.lock:15 Cargo.lock:20: 2 locked packages are needed by nothing in the workspace".to_owned()],
            ),
        ] {
            assert_eq!(Case::new().lock(&lock).run(&RULE), expected, "{lock}");
        }
    }

    #[test]
    fn replacements_and_the_allowed_are_left_alone() {
        let lock = package("app", &[]) + &package("parked", &[]);
        let finding = Case::new().lock(&lock).findings(&RULE).remove(0);
        assert_eq!(finding.subject.map(|subject| subject.name).as_deref(), Some("parked"));
        let replaced = "[replace]\n\"parked:1.0.0\" = { git = \"https://example.org/p\" }\n";
        assert!(Case::new().lock(&lock).manifest("Cargo.toml", replaced).run(&RULE).is_empty());
        let allow = "[rules]\n\"lock/not-minimal\" = { allow = [\"parked\"] }\n";
        assert!(Case::new().lock(&lock).policy(allow).run(&RULE).is_empty());
    }
}
