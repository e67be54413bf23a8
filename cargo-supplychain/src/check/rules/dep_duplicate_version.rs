//! `dep/duplicate-version`: one crate in several versions.

use std::collections::BTreeMap;

use crate::base::Location;
use crate::base::text::plain;
use crate::check::listed::{LISTED, dependents, names};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::Lockfile;

pub(super) static RULE: Rule = Rule {
    id: "dep/duplicate-version",
    severity: Severity::Info,
    area: Area::Lock,
    summary: "the lockfile has several versions of one crate",
    docs: "\
Each version is compiled, linked and has to be looked after by itself: a fix for one is no fix for the other, which is mostly the older.
That is ordinary in a large tree, and therefore only told. Every two versions count, and so do two sources of one name: of these one may
be somebody's fork.

**Behind it:** after an advisory the direct dependency is updated and an old copy stays, three levels down, because one crate still asks for
it; that is where the advisory keeps being reported.

```toml
[[package]]
name = \"rand\"
version = \"0.7.3\"

[[package]]
name = \"rand\"
version = \"0.8.5\"
```

**What to do:** `cargo tree --duplicates` shows who needs what; update or ask those who hold the old one. A team that wants none sets the
level: `\"dep/duplicate-version\" = { level = \"medium\", allow = [\"windows-sys\"] }`.
",
    options: &[RuleOption::allow("package names")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let allowed = facts.settings.list(RULE.id, "allow");
    let mut by_name = BTreeMap::<&str, Vec<usize>>::new();
    for (index, package) in lockfile.packages.iter().enumerate() {
        by_name.entry(&package.name).or_default().push(index);
    }
    by_name.retain(|name, packages| packages.len() > 1 && !allowed.iter().any(|allowed| allowed == name));
    if by_name.is_empty() {
        return Vec::new();
    }
    let dependents = dependents(lockfile);
    by_name.into_iter().map(|(name, packages)| finding(lockfile, name, packages, &dependents)).collect()
}

fn finding(lockfile: &Lockfile, name: &str, mut packages: Vec<usize>, dependents: &[Vec<usize>]) -> Finding {
    packages.sort_by(|&a, &b| lockfile.packages[a].version.cmp(&lockfile.packages[b].version));
    let versions: Vec<_> = packages.iter().map(|&index| lockfile.packages[index].version.to_string()).collect();
    let shown = versions.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let message = format!("{} is locked in {} versions: {shown}", plain(name), versions.len());
    let mut finding = Finding::new(RULE.id, RULE.severity, message);
    // The exemption of one package names its greatest version.
    if let Some(greatest) = versions.last() {
        finding = finding.about(name, greatest);
    }
    for (&index, version) in packages.iter().zip(&versions).take(LISTED) {
        let needed = match dependents[index].as_slice() {
            [] => "needed by nothing".to_owned(),
            by => format!("needed by {}", names(lockfile, by)),
        };
        let line = lockfile.packages[index].line;
        finding = finding.at(Location::line(&lockfile.path, line)).because(format!("{version} {needed}"));
    }
    finding.help(format!("`cargo tree --duplicates` shows the paths; update what holds the older version of {}", plain(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};

    #[test]
    fn two_versions_and_who_needs_them() {
        let app = "[[package]]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\"lib 2.0.0\", \"other\"]\n";
        let other =
            "[[package]]\nname = \"other\"\nversion = \"0.1.0\"\nsource = \"CRATES_IO\"\ndependencies = [\"lib 1.0.0\"]\n";
        let second = lock_with_lib("1.0.0").replace("version = 4\n", "");
        let lock = lock_with_lib("2.0.0") + &second + app + other;
        let finding = Case::new().lock(&lock).findings(&RULE).remove(0);
        assert_eq!(finding.message, "lib is locked in 2 versions: 1.0.0, 2.0.0");
        assert_eq!(finding.evidence, ["1.0.0 needed by other 0.1.0", "2.0.0 needed by app 1.0.0"]);
        assert_eq!(finding.locations.iter().map(|place| place.line).collect::<Vec<_>>(), [9, 3]);
        assert_eq!(finding.subject.map(|subject| subject.version).as_deref(), Some("2.0.0"));
        assert!(Case::new().lock(&(lock_with_lib("2.0.0") + other)).run(&RULE).is_empty());
        let allow = "[rules]\n\"dep/duplicate-version\" = { allow = [\"lib\"] }\n";
        assert!(Case::new().lock(&lock).policy(allow).run(&RULE).is_empty());
    }
}
