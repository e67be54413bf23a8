//! `lock/git-rev-moved`: the same branch or tag, another commit.

use std::collections::BTreeMap;

use crate::base::text::{plain, without_credentials};
use crate::check::listed::listing;
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::change::EarlierPackage;
use crate::model::lockfile::GitSource;
use crate::model::{LockedPackage, Lockfile};

pub(super) static RULE: Rule = Rule {
    id: "lock/git-rev-moved",
    severity: Severity::Medium,
    area: Area::Lock,
    summary: "a git dependency is locked at another commit of the same branch or tag",
    docs: "\
The manifest asks for the same branch or tag as before and the lockfile has another commit of it. Nothing else changes: neither the
version number nor a line of a manifest tells the reviewer that other code is built. For a tag it means that the tag was moved. Compared
with `--base`; a manifest that names the commit itself cannot move silently.

**Behind it:** the tags of `tj-actions/changed-files` (March 2025) were moved to a malicious commit; everyone who followed a tag got it.

```toml
# Cargo.lock: only what follows `#` is new
[[package]]
name = \"gd\"
version = \"1.0.0\"
source = \"git+https://example.org/gd?branch=rel#89abcdef0123456789abcdef0123456789abcdef\"
```

**What to do:** read `git log OLD..NEW` of the repository (the finding has both), and pin the commit in the manifest with `rev`.
",
    options: &[RuleOption::allow("URLs of git repositories, as the lockfile writes them")],
    run,
};

/// URL, reference, old and new revision.
type Move<'a> = (&'a str, Option<&'a str>, &'a str, &'a str);

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let allowed = facts.settings.list(RULE.id, "allow");
    let earlier = facts.changes.earlier.iter().filter_map(|earlier| {
        let was = git_of(earlier)?;
        Some(((earlier.name.as_str(), was.url, was.reference), was.rev?))
    });
    let earlier: BTreeMap<_, _> = earlier.collect();
    // One finding a repository: its packages move together.
    let mut moves = BTreeMap::<Move<'_>, Vec<&LockedPackage>>::new();
    for change in &facts.changes.changes {
        let Some(package) = lockfile.packages.get(change.package) else { continue };
        let Some(now @ GitSource { rev: Some(new), .. }) = package.git() else { continue };
        if let Some(&old) = earlier.get(&(package.name.as_str(), now.url, now.reference))
            && old != new
            && !allowed.iter().any(|url| url == now.url)
        {
            moves.entry((now.url, now.reference, old, new)).or_default().push(package);
        }
    }
    moves.into_iter().map(|(from, packages)| finding(lockfile, from, &packages)).collect()
}

fn git_of(earlier: &EarlierPackage) -> Option<GitSource<'_>> {
    GitSource::parse(earlier.source.as_deref()?)
}

fn finding(lockfile: &Lockfile, (url, reference, old, new): Move<'_>, packages: &[&LockedPackage]) -> Finding {
    let follows = match reference.and_then(|reference| reference.split_once('=')) {
        Some((kind @ ("branch" | "tag" | "rev"), name)) => format!("the {kind} `{}`", plain(name)),
        _ => "the default branch".to_owned(),
    };
    let message = format!("{follows} of {} is locked at another commit", plain(&without_credentials(url)));
    let finding = Finding::new(RULE.id, RULE.severity, message).because(format!("{old}..{new}"));
    listing(finding, &lockfile.path, packages)
        .help("read what is between the two commits, and pin the commit in the manifest: `rev = \"…\"` with all 40 digits")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    const OLD: &str = "0123456789012345678901234567890123456789";
    const NEW: &str = "89abcdef0123456789abcdef0123456789abcdef";

    fn lock(source: &str) -> String {
        let package = |name: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n");
        package("gd") + &package("gd-derive")
    }

    #[test]
    fn same_reference_other_commit() {
        let says = |what: &str| {
            vec![format!("medium Cargo.lock:1 Cargo.lock:5: {what} of https://example.org/gd is locked at another commit")]
        };
        let branch = "git+https://example.org/gd?branch=rel#";
        for (before, now, expected) in [
            (format!("{branch}{OLD}"), format!("{branch}{NEW}"), says("the branch `rel`")),
            (
                format!("git+https://u:pw@example.org/gd?tag=v1#{OLD}"),
                format!("git+https://u:pw@example.org/gd?tag=v1#{NEW}"),
                says("the tag `v1`"),
            ),
            (
                format!("git+https://example.org/gd#{OLD}"),
                format!("git+https://example.org/gd#{NEW}"),
                says("the default branch"),
            ),
            (format!("{branch}{OLD}"), format!("{branch}{OLD}"), vec![]),
            // Another branch, a commit that the manifest names, another repository: a manifest has changed.
            (format!("{branch}{OLD}"), format!("git+https://example.org/gd?branch=main#{NEW}"), vec![]),
            (
                format!("git+https://example.org/gd?rev={OLD}#{OLD}"),
                format!("git+https://example.org/gd?rev={NEW}#{NEW}"),
                vec![],
            ),
            (format!("{branch}{OLD}"), format!("git+https://example.org/fork?branch=rel#{NEW}"), vec![]),
        ] {
            assert_eq!(Case::new().lock(&lock(&now)).before(&lock(&before)).run(&RULE), expected, "{before} {now}");
        }
        let moved = || Case::new().lock(&lock(&format!("{branch}{NEW}"))).before(&lock(&format!("{branch}{OLD}")));
        assert_eq!(moved().findings(&RULE)[0].evidence, [format!("{OLD}..{NEW}"), "gd 1.0.0".into(), "gd-derive 1.0.0".into()]);
        let allow = "[rules]\n\"lock/git-rev-moved\" = { allow = [\"https://example.org/gd\"] }\n";
        assert!(moved().policy(allow).run(&RULE).is_empty());
    }
}
