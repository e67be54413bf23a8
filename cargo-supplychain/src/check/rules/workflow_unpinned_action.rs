//! `workflow/unpinned-action`.

use crate::base::text::plain;
use crate::check::workflow::{jobs, means_action, place, releases};
use crate::check::{Facts, Rule};
use crate::config::RuleOption;
use crate::finding::{Area, Finding, Severity};
use crate::model::lockfile::is_full_revision;
use crate::model::workflow::{Job, Text, Workflow};

pub(super) static RULE: Rule = Rule {
    id: "workflow/unpinned-action",
    severity: Severity::High,
    area: Area::Workflows,
    summary: "a workflow uses an action by a name that its owner, or a thief of his token, can move",
    docs: r#"`uses: owner/action@v4` runs whatever the tag `v4` names at that moment, with the job's token and secrets. Tags and branches move;
a full commit does not.

**Behind it:** tj-actions/changed-files (2025-03-14, CVE-2025-30066): all tags were moved to a commit that printed the secrets of
23,000 repositories. trivy-action (2026-03-19): 76 of 77 tags moved.

High for everybody's actions. Actions of GitHub itself (`actions/*`, `github/*`) are medium in jobs that decide nothing about a release
(they neither publish, attest, nor run for tags or releases, nor hold a permission to do so). Local actions (`./…`) and images by digest
are silent.

```yaml
steps:
  - uses: owner/action@v4                                              # fires
  - uses: owner/action@0123456789012345678901234567890123456789 # v4   # does not
```

What to do: pin the full commit and keep the tag as a comment, which update bots understand; or allow by pattern:

```toml
[rules]
"workflow/unpinned-action" = { allow = ["actions/*", "my-org/*"] }
```
"#,
    options: &[RuleOption::allow("actions that may be used by tag or branch: `owner/name`, `owner/*`")],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (workflow, job) in jobs(facts.workflows) {
        let used = job.steps.iter().filter_map(|step| step.uses.as_ref()).chain(&job.uses);
        findings.extend(used.filter_map(|uses| judge(facts, workflow, job, uses)));
    }
    findings
}

fn judge(facts: &Facts<'_>, workflow: &Workflow, job: &Job, uses: &Text) -> Option<Finding> {
    let text = uses.text.trim();
    let what = unpinned(text)?;
    let name = text.split('@').next().unwrap_or(text);
    if facts.settings.list(RULE.id, "allow").iter().any(|pattern| means_action(pattern, name)) {
        return None;
    }
    let reason = releases(workflow, job);
    let is_githubs = name.split('/').next().is_some_and(|owner| matches!(owner, "actions" | "github"));
    let severity = if is_githubs && reason.is_none() { Severity::Medium } else { Severity::High };
    let mut finding = Finding::new(RULE.id, severity, format!("{} is used by {what}, which can be moved", plain(text)))
        .at(place(workflow, uses, 0))
        .because(format!("job `{}`", plain(&job.id)));
    if let Some(reason) = reason {
        finding = finding.because(format!("the job decides about a release: {reason}"));
    }
    Some(finding.help("pin the full commit (`@<40 hex digits> # v4`), or allow the action in `[rules]` of supplychain.toml"))
}

/// What it is named by, where that is not fixed.
fn unpinned(uses: &str) -> Option<&'static str> {
    if uses.starts_with("./") || uses.starts_with("$") {
        return None;
    }
    if let Some(image) = uses.strip_prefix("docker://") {
        return (!image.contains("@sha256:")).then_some("an image tag");
    }
    match uses.split_once('@') {
        Some((_, reference)) if is_full_revision(reference) => None,
        Some(_) => Some("a tag or branch"),
        None => Some("no version at all"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn moved_tags_fire_and_commits_do_not() {
        let hex = "0123456789012345678901234567890123456789";
        let high =
            |uses: &str, by: &str| vec![format!("high .github/workflows/w.yml:4: {uses} is used by {by}, which can be moved")];
        for (uses, policy, expected) in [
            ("x/y@v4", "", high("x/y@v4", "a tag or branch")),
            ("x/y@main", "", high("x/y@main", "a tag or branch")),
            ("x/y@0123456", "", high("x/y@0123456", "a tag or branch")),
            ("x/y", "", high("x/y", "no version at all")),
            ("docker://alpine:3", "", high("docker://alpine:3", "an image tag")),
            (&format!("x/y@{hex}"), "", vec![]),
            (&format!("docker://alpine@sha256:{hex}"), "", vec![]),
            ("./.github/actions/mine", "", vec![]),
            ("actions/checkout@v4", "[\"actions/*\"]", vec![]),
            ("actions-x/checkout@v4", "[\"actions/*\", \"actions*\"]", high("actions-x/checkout@v4", "a tag or branch")),
            ("X/Y/sub@v1", "[\"x/y\"]", vec![]),
        ] {
            let mut case = Case::new().workflow(&format!("jobs:\n  a:\n    steps:\n      - uses: {uses}\n"));
            if !policy.is_empty() {
                case = case.policy(&format!("[rules]\n\"workflow/unpinned-action\" = {{ allow = {policy} }}\n"));
            }
            assert_eq!(case.run(&RULE), expected, "{uses}");
        }
    }

    #[test]
    fn actions_of_github_weigh_by_the_job() {
        for (head, severity) in [
            ("on: push\njobs:\n  a:\n", "medium"),
            ("on: {push: {tags: ['v*']}}\njobs:\n  a:\n", "high"),
            ("on: push\njobs:\n  a:\n    permissions: {id-token: write}\n", "high"),
        ] {
            let found = Case::new().workflow(&format!("{head}    steps: [{{uses: actions/checkout@v4}}]\n")).run(&RULE);
            assert!(found.len() == 1 && found[0].starts_with(severity), "{head}: {found:?}");
        }
        let called = Case::new().workflow("jobs:\n  a:\n    uses: org/repo/.github/workflows/w.yml@main\n").run(&RULE);
        assert_eq!(called.len(), 1);
    }
}
