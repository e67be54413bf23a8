//! `workflow/pwn-request`.

use crate::base::text::plain;
use crate::check::workflow::{jobs, may_write, names_head, place};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::workflow::{Job, Step, Text, Workflow};

pub(super) static RULE: Rule = Rule {
    id: "workflow/pwn-request",
    severity: Severity::Critical,
    area: Area::Workflows,
    summary: "a workflow with the repository's own rights checks out and runs the code of a pull request",
    docs: r#"`pull_request_target` (and `workflow_run`) start with the base repository's token, secrets and cache, for pull requests of strangers. A job
that then checks out the pull request's code and runs anything of it (a build script is enough) has given all of that away.

**Behind it:** spotbugs → reviewdog → tj-actions (2025), Ultralytics (2024), TanStack (2026-05-11: the cache was written by a pull
request and read by the release).

```yaml
on: pull_request_target
jobs:
  test:
    steps:
      - uses: actions/checkout@0123456789012345678901234567890123456789
        with:
          ref: ${{ github.event.pull_request.head.sha }}      # fires
      - run: cargo test
```

A workflow of `pull_request_target` that only labels or comments, and checks nothing of the pull request out, is silent. High instead of
critical when nothing runs after the checkout and neither cache nor OIDC token is within reach.

What to do: use `pull_request`, which has no secrets; hand results over to a second workflow that does not run what it gets.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let privileged = |workflow: &Workflow| {
        let mut events = workflow.triggers.iter().map(|trigger| trigger.event.as_str());
        events.any(|event| matches!(event, "pull_request_target" | "workflow_run"))
    };
    jobs(facts.workflows)
        .filter(|(workflow, _)| privileged(workflow))
        .filter_map(|(workflow, job)| judge(workflow, job))
        .collect()
}

fn judge(workflow: &Workflow, job: &Job) -> Option<Finding> {
    let (index, text) = job.steps.iter().enumerate().find_map(|(index, step)| Some((index, checkout_of_head(step)?)))?;
    let after = &job.steps[index..];
    let mut reach = Vec::new();
    if let Some(step) = after.iter().skip(1).find(|step| step.run.is_some() || step.uses.is_some()) {
        reach.push(format!("line {} runs after the checkout", step.line));
    } else if after[0].run.is_some() {
        reach.push("the script that fetches it goes on".to_owned());
    }
    if may_write(job, "id-token") {
        reach.push("the job may ask for an OIDC token".to_owned());
    }
    if job.steps.iter().any(|step| step.action().is_some_and(|action| action.to_ascii_lowercase().contains("cache"))) {
        reach.push("the job writes a cache, which releases may read".to_owned());
    }
    let severity = if reach.is_empty() { Severity::High } else { RULE.severity };
    let event = workflow.triggers.iter().find(|one| matches!(one.event.as_str(), "pull_request_target" | "workflow_run"));
    let message = format!(
        "job `{}` of a `{}` workflow checks out the code of the pull request",
        plain(&job.id),
        event.map_or("", |event| &event.event)
    );
    let finding = Finding::new(RULE.id, severity, message).at(place(workflow, text, 0));
    let finding = reach.into_iter().fold(finding, Finding::because);
    Some(finding.help(
        "use `pull_request`, which has neither secrets nor a writing token, for everything that runs a pull request's code",
    ))
}

/// The text that fetches a pull request's code.
fn checkout_of_head(step: &Step) -> Option<&Text> {
    if step.action() == Some("actions/checkout") {
        return ["ref", "repository"].into_iter().filter_map(|name| step.input(name)).find(|text| names_head(&text.text));
    }
    let by_command = |run: &&Text| {
        let words = run.text.split_whitespace().collect::<Vec<_>>().join(" ");
        words.contains("gh pr checkout") || words.contains("git fetch origin pull/") || words.contains("refs/pull/")
    };
    step.run.as_ref().filter(by_command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn code_of_strangers_with_our_rights() {
        let head = "- {uses: actions/checkout@v4, with: {ref: '${{ github.event.pull_request.head.sha }}'}}";
        for (event, steps, expected) in [
            ("pull_request_target", vec![head, "- run: cargo test"], Some("critical")),
            (
                "workflow_run",
                vec!["- {uses: actions/checkout@v4, with: {ref: '${{ github.event.workflow_run.head_sha }}'}}", "- run: x"],
                Some("critical"),
            ),
            ("[push, pull_request_target]", vec!["- run: gh pr checkout 1 && make"], Some("critical")),
            ("pull_request_target", vec!["- uses: actions/cache@v4", head], Some("critical")),
            ("pull_request_target", vec![head], Some("high")),
            ("pull_request_target", vec!["- uses: actions/labeler@v5"], None),
            ("pull_request_target", vec!["- uses: actions/checkout@v4", "- run: x"], None),
            ("pull_request", vec![head, "- run: cargo test"], None),
        ] {
            let steps: String = steps.iter().map(|step| format!("      {step}\n")).collect();
            let found = Case::new().workflow(&format!("on: {event}\njobs:\n  a:\n    steps:\n{steps}")).findings(&RULE);
            let severities: Vec<_> = found.iter().map(|finding| finding.severity.as_str()).collect();
            assert_eq!(severities, expected.into_iter().collect::<Vec<_>>(), "{event} {steps}");
        }
    }
}
