//! `source/git-not-allowed`: a git source that the policy does not list, or that is tied to no commit.

use crate::base::Location;
use crate::base::text::without_credentials;
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};

pub(super) static RULE: Rule = Rule {
    id: "source/git-not-allowed",
    severity: Severity::High,
    area: Area::Sources,
    summary: "a locked git package is tied to no full revision, or its repository is not in the policy's list",
    docs: "\
A git package has no checksum; the commit is all that ties the lockfile to what is built. Cargo always locks the full revision, so
one without it was written by hand and means whatever the branch holds today. With an `allow` list only the repositories in it may
be used at all; without one any repository may, at a full revision. Whether the *manifest* asks for a fixed revision is
`source/git-not-pinned`.

**Behind it:** repositories are renamed, deleted and taken over, and a branch is one push away from anything.

```toml
[[package]]
name = \"lib\"
version = \"1.0.0\"
source = \"git+https://example.org/lib?branch=main\"
```

**What to do:** let cargo lock it (`cargo update -p NAME`), or allow the repositories that you mean:

```toml
[rules]
\"source/git-not-allowed\" = { allow = [\"https://example.org/lib\"] }
```
",
    options: &[RuleOption::allow("URLs of git repositories; one that ends in `/` allows all below it")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let allowed = facts.settings.list(RULE.id, "allow");
    let mut findings = Vec::new();
    for package in &lockfile.packages {
        let Some(git) = package.git() else { continue };
        let shown = without_credentials(git.url);
        let (message, help) = if !allowed.is_empty() && !allowed.iter().any(|entry| is_allowed(entry, git.url)) {
            let help = format!("if it is meant to be used, add \"{shown}\" to `allow` of \"{}\" in supplychain.toml", RULE.id);
            (format!("{} {} comes from {shown}, which is not allowed", package.name, package.version), help)
        } else if git.rev.is_none() {
            let help = format!("run `cargo update -p {}`, which locks the commit", package.name);
            (format!("{} {} comes from {shown} at no full revision", package.name, package.version), help)
        } else {
            continue;
        };
        let finding = Finding::new(RULE.id, RULE.severity, message).about(&package.name, &package.version);
        findings.push(finding.at(Location::line(&lockfile.path, package.line)).help(help));
    }
    findings
}

pub(in crate::check) fn is_allowed(entry: &str, url: &str) -> bool {
    let bare = |url: &str| url.trim_end_matches('/').trim_end_matches(".git").to_owned();
    // With `..` in it a URL may lead out of the folder that is allowed.
    (entry.ends_with('/') && url.starts_with(entry) && !url.contains("/..")) || bare(entry) == bare(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};

    const REV: &str = "0123456789012345678901234567890123456789";

    #[test]
    fn revisions_and_lists() {
        let allow = |entry: &str| format!("[rules]\n\"source/git-not-allowed\" = {{ allow = [\"{entry}\"] }}\n");
        let full = format!("git+https://example.org/lib.git?branch=main#{REV}");
        let outside = format!("git+https://example.org/org/../lib#{REV}");
        let not_allowed = "high Cargo.lock:3: lib 1.0.0 comes from https://example.org/lib.git, which is not allowed";
        let not_tied = "high Cargo.lock:3: lib 1.0.0 comes from https://example.org/lib at no full revision";
        let escaped = "high Cargo.lock:3: lib 1.0.0 comes from https://example.org/org/../lib, which is not allowed";
        for (source, policy, expected) in [
            (full.as_str(), String::new(), &[][..]),
            (&full, allow("https://example.org/lib"), &[]),
            (&full, allow("https://example.org/"), &[]),
            (&full, allow("https://example.org/li"), &[not_allowed]),
            (&full, allow("https://example.com/"), &[not_allowed]),
            (&outside, allow("https://example.org/org/"), &[escaped]),
            ("git+https://example.org/lib?branch=main", String::new(), &[not_tied]),
            ("git+https://example.org/lib#0123456", String::new(), &[not_tied]),
            ("CRATES_IO", allow("https://example.org/lib"), &[]),
        ] {
            let case = Case::new().lock(&lock_with_lib("1.0.0").replace("CRATES_IO", source)).policy(&policy);
            assert_eq!(case.run(&RULE), expected, "{source} {policy}");
        }
    }
}
