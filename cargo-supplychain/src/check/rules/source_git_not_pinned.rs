//! `source/git-not-pinned`: a manifest asks for a branch or a tag.

use crate::base::text::without_credentials;
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::lockfile::is_full_revision;
use crate::model::manifest::{GitRequirement, Requirement};

pub(super) static RULE: Rule = Rule {
    id: "source/git-not-pinned",
    severity: Severity::Medium,
    area: Area::Sources,
    summary: "a manifest's git dependency names no full revision",
    docs: "\
A branch moves and a tag can be moved; an abbreviated hash can be made to fit another commit. The lockfile holds the commit until
somebody runs `cargo update`, which then takes whatever is there, without a version number that would show it in a review. Looked at
in `[dependencies]` and its kin, `[workspace.dependencies]`, `[patch]` and `[replace]` of the workspace's own manifests.

**Behind it:** tags of `tj-actions/changed-files` (2025) were moved to a malicious commit; everyone who named a tag got it.

```toml
[dependencies]
lib = { git = \"https://example.org/lib\", branch = \"main\" }
```

**What to do:** name the commit, with all its digits:

```toml
lib = { git = \"https://example.org/lib\", rev = \"0123456789abcdef0123456789abcdef01234567\" }
```
",
    options: &[RuleOption::allow("URLs of git repositories that may be followed by branch or tag")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let allowed = facts.settings.list(RULE.id, "allow");
    let entries = facts.manifests.iter().flat_map(|manifest| manifest.requirements.iter().chain(&manifest.patches));
    let unpinned = entries.filter_map(|requirement| {
        let git = requirement.git.as_ref()?;
        let is_pinned = git.rev.as_deref().is_some_and(is_full_revision);
        (!is_pinned && !allowed.contains(&git.url)).then(|| finding(requirement, git))
    });
    unpinned.collect()
}

fn finding(requirement: &Requirement, git: &GitRequirement) -> Finding {
    let follows = match (&git.rev, &git.tag, &git.branch) {
        (Some(rev), _, _) => format!("`{rev}`, which is no full revision"),
        (_, Some(tag), _) => format!("the tag `{tag}`"),
        (_, _, Some(branch)) => format!("the branch `{branch}`"),
        _ => "the default branch".to_owned(),
    };
    let message = format!("`{}` follows {follows} of {}", requirement.name, without_credentials(&git.url));
    let finding = Finding::new(RULE.id, RULE.severity, message).at(requirement.location.clone());
    finding.help("name the commit: `rev = \"…\"` with all 40 digits; Cargo.lock has the one in use after `#`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn only_a_full_revision_is_pinned() {
        let full = format!("rev = \"{}\"", "0123456789".repeat(4));
        for (how, expected) in [
            (full.as_str(), ""),
            ("branch = \"rel\"", "the branch `rel`"),
            ("tag = \"v1\"", "the tag `v1`"),
            ("rev = \"0123456\"", "`0123456`, which is no full revision"),
            ("rev = \"refs/pull/1/head\"", "`refs/pull/1/head`, which is no full revision"),
            ("version = \"1\"", "the default branch"),
        ] {
            for table in ["dependencies", "build-dependencies", "workspace.dependencies", "patch.crates-io"] {
                let text = format!("[{table}]\ngd = {{ git = \"https://u:p@example.org/gd\", {how} }}\n");
                let found = Case::new().manifest("Cargo.toml", &text).run(&RULE);
                let message = format!("medium Cargo.toml:2:1: `gd` follows {expected} of https://example.org/gd");
                assert_eq!(found, if expected.is_empty() { vec![] } else { vec![message] }, "{text}");
            }
        }
        let text = "[dependencies]\ngd = { git = \"https://example.org/gd\" }\nplain = \"1\"\n";
        let policy = "[rules]\n\"source/git-not-pinned\" = { allow = [\"https://example.org/gd\"] }\n";
        assert!(Case::new().manifest("Cargo.toml", text).policy(policy).run(&RULE).is_empty());
    }
}
