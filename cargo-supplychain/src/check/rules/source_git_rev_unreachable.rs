//! `source/git-rev-unreachable`: a commit that is on no branch and no tag.

use std::collections::BTreeMap;

use crate::base::text::{plain, without_credentials};
use crate::check::listed::listing;
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::LockedPackage;
use crate::model::lockfile::is_full_revision;
use crate::model::machine::{Fetched, LockedRevision, Reach};

pub(super) static RULE: Rule = Rule {
    id: "source/git-rev-unreachable",
    severity: Severity::High,
    area: Area::Sources,
    summary: "the locked commit of a git dependency is on no branch or tag that cargo has fetched",
    docs: "\
A commit that the lockfile names should be on a branch or tag of the repository whose URL stands beside it. GitHub also serves commits of
forks and of unmerged pull requests under the URL of the original: an \"imposter commit\" looks like the project's and was written by
anybody. A branch that was rewritten leaves such commits behind, too; then the history that was reviewed is gone.

Judged by cargo's own copy of the repository (`$CARGO_HOME/git/db`), so without the network, and only where that knows: cargo has the
commit, its last fetch was of all branches and tags, or of the branch or tag that the package is locked by, and nothing of it leads to the
commit. A lockfile that contradicts itself needs no copy: with `?rev=` and one commit, and another one after `#`, cargo 1.95.0 builds the
latter, even with `--locked`. Where cargo fetched only the commit itself, as it does for a `rev` at GitHub, nothing can be said, which is reported.

**Behind it:** imposter commits were shown for GitHub Actions in 2022 (Chainguard); the forced tags of `tj-actions/changed-files` (2025)
pointed to a commit of a fork.

```toml
[[package]]
name = \"gd\"
version = \"1.0.0\"
source = \"git+https://github.com/example/gd?branch=main#0123456789abcdef0123456789abcdef01234567\"
```

**What to do:** look the commit up in the repository; GitHub says \"This commit does not belong to any branch on this repository\". Lock a
commit of a branch with `cargo update -p NAME`.
",
    options: &[RuleOption::allow("full revisions")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let allowed = facts.settings.list(RULE.id, "allow");
    let mut by_revision = BTreeMap::<LockedRevision, Vec<&LockedPackage>>::new();
    for package in &lockfile.packages {
        if let Some(revision) = package.git().and_then(|git| LockedRevision::of(&git)) {
            by_revision.entry(revision).or_default().push(package);
        }
    }
    let mut findings = Vec::new();
    for (locked, packages) in by_revision {
        if let Some(asked) = contradicted(&locked).filter(|_| !allowed.contains(&locked.revision)) {
            findings.push(contradiction(&lockfile.path, &locked, asked, &packages));
            continue;
        }
        let Some(Reach::Unreachable { fetched }) = facts.machine.revisions.get(&locked) else { continue };
        if !allowed.contains(&locked.revision) {
            let finding = Finding::new(RULE.id, RULE.severity, message(&locked, *fetched))
                .because(format!("commit {}", locked.revision))
                .because("cargo has the commit, and no branch or tag of its last fetch leads to it");
            findings.push(
                listing(finding, &lockfile.path, &packages)
                    .help("look the commit up in the repository; `cargo update -p NAME` locks one that is on the branch"),
            );
        }
    }
    findings
}

/// The commit that the source asks for by `rev`, where another one is locked. A few digits are a commit, too, unless they could be a date.
fn contradicted(locked: &LockedRevision) -> Option<&str> {
    let asked = locked.reference.as_deref()?.strip_prefix("rev=")?;
    let is_hex = asked.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_commit = (7..=40).contains(&asked.len()) && is_hex && asked.bytes().any(|byte| byte.is_ascii_alphabetic());
    let is_commit = is_commit || is_full_revision(asked);
    (is_commit && !locked.revision.starts_with(&asked.to_ascii_lowercase())).then_some(asked)
}

fn contradiction(path: &str, locked: &LockedRevision, asked: &str, packages: &[&LockedPackage]) -> Finding {
    let url = without_credentials(&locked.url);
    let message = format!("{} is locked at another commit than its `rev` asks for", plain(&url));
    let finding = Finding::new(RULE.id, RULE.severity, message)
        .because(format!("rev = {asked}"))
        .because(format!("commit {}", locked.revision))
        .because("cargo builds the locked one, even with --locked");
    listing(finding, path, packages)
        .help("see who changed it with `git log -p Cargo.lock`; `cargo update -p NAME` locks what is asked for")
}

fn message(locked: &LockedRevision, fetched: Fetched) -> String {
    let url = without_credentials(&locked.url);
    let place = match (fetched, locked.reference.as_deref().and_then(|reference| reference.split_once('='))) {
        (Fetched::All, _) => "any branch or tag".to_owned(),
        (Fetched::Reference, Some((kind, name))) => format!("the {} `{}`", plain(kind), plain(name)),
        (Fetched::Reference, None) => "the default branch".to_owned(),
    };
    format!("the locked commit {} is not on {place} of {}", &locked.revision[..12], plain(&url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};

    const REV: &str = "0123456789012345678901234567890123456789";

    fn case(reference: Option<&str>, reach: Option<Reach>) -> Case {
        let query = reference.map(|reference| format!("?{reference}")).unwrap_or_default();
        let source = format!("git+https://u:p@example.org/lib{query}#{REV}");
        let mut case =
            Case::new().lock(&lock_with_lib("1.0.0").replace("CRATES_IO", &source).replace("checksum = \"HEX\"\n", ""));
        let url = "https://u:p@example.org/lib".to_owned();
        let locked = LockedRevision { url, reference: reference.map(str::to_owned), revision: REV.into() };
        case.machine.revisions.extend(reach.map(|reach| (locked, reach)));
        case
    }

    #[test]
    fn only_what_is_known_fires() {
        let says = |place: &str| {
            vec![format!("high Cargo.lock:3: the locked commit 012345678901 is not on {place} of https://example.org/lib")]
        };
        let unreachable = |fetched| Some(Reach::Unreachable { fetched });
        for (reference, reach, expected) in [
            (Some("branch=main"), unreachable(Fetched::All), says("any branch or tag")),
            (Some("branch=main"), unreachable(Fetched::Reference), says("the branch `main`")),
            (None, unreachable(Fetched::Reference), says("the default branch")),
            (Some("branch=main"), Some(Reach::Reachable), vec![]),
            (Some("branch=main"), Some(Reach::Unknown("cargo has fetched only the commit itself".into())), vec![]),
            (None, None, vec![]),
        ] {
            assert_eq!(case(reference, reach).run(&RULE), expected, "{reference:?}");
        }
        let policy = format!("[rules]\n\"source/git-rev-unreachable\" = {{ allow = [\"{REV}\"] }}\n");
        assert!(case(None, unreachable(Fetched::All)).policy(&policy).run(&RULE).is_empty());
    }

    /// The manifest names a commit and so does the lockfile's source; another one is locked.
    #[test]
    fn a_source_that_contradicts_itself() {
        let other = "89abcdef0123456789abcdef0123456789abcdef";
        let says =
            || vec!["high Cargo.lock:3: https://example.org/lib is locked at another commit than its `rev` asks for".to_owned()];
        for (reference, expected) in [
            (format!("rev={other}"), says()),
            ("rev=89abcde".to_owned(), says()),
            (format!("rev={REV}"), vec![]),
            (format!("rev={}", &REV[..7]), vec![]),
            // A tag, a date, a ref, no commit at all.
            (format!("tag={other}"), vec![]),
            ("rev=20260823".to_owned(), vec![]),
            ("rev=refs/pull/1/head".to_owned(), vec![]),
            ("rev=v1".to_owned(), vec![]),
        ] {
            assert_eq!(case(Some(&reference), None).run(&RULE), expected, "{reference}");
        }
        let allow = format!("[rules]\n\"source/git-rev-unreachable\" = {{ allow = [\"{REV}\"] }}\n");
        assert!(case(Some("rev=89abcde"), None).policy(&allow).run(&RULE).is_empty());
    }
}
