//! `workflow/pwn-request`.

use crate::base::text::plain;
use crate::check::workflow::{jobs, leads_to_head, may_write, place};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::workflow::{Job, Step, Text, Workflow};

pub(super) static RULE: Rule = Rule {
    id: "workflow/pwn-request",
    severity: Severity::Critical,
    area: Area::Workflows,
    summary: "a workflow with the repository's own rights checks out and runs the code of a pull request",
    docs: r#"`pull_request_target` (and `workflow_run`, `issue_comment`) start with the base repository's token, secrets and cache, for pull requests and
comments of strangers. A job that then checks out the pull request's code and runs anything of it (a build script is enough) has given
all of that away.

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

A workflow of `pull_request_target` that only labels or comments, and checks nothing of the pull request out, is silent. So is one of
`issue_comment` whose job, or a step before the checkout, has an `if:` about who comments (`author_association`, `github.actor`). High
instead of critical when nothing runs after the checkout and neither cache nor OIDC token is within reach.

What to do: use `pull_request`, which has no secrets; hand results over to a second workflow that does not run what it gets.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    jobs(facts.workflows).filter_map(|(workflow, job)| judge(workflow, job)).collect()
}

/// The event that gives strangers a run with the repository's own rights.
fn privileged(workflow: &Workflow, asks_who: bool) -> Option<&str> {
    let mut events = workflow.triggers.iter().map(|trigger| trigger.event.as_str());
    events.find(|event| match *event {
        "pull_request_target" | "workflow_run" => true,
        "issue_comment" => !asks_who,
        _ => false,
    })
}

/// Whether the job, or a step up to this one, goes on only for some people.
fn asks_who(job: &Job, index: usize) -> bool {
    let conditions = job.condition.iter().chain(job.steps.iter().take(index + 1).filter_map(|step| step.condition.as_ref()));
    conditions.into_iter().any(|condition| {
        let text = condition.text.to_ascii_lowercase();
        ["author_association", "github.actor", "github.triggering_actor", "user.login", "sender"]
            .iter()
            .any(|one| text.contains(one))
    })
}

fn judge(workflow: &Workflow, job: &Job) -> Option<Finding> {
    let checkout = |step| checkout_of_head(workflow, job, step);
    let (index, text) = job.steps.iter().enumerate().find_map(|(index, step)| Some((index, checkout(step)?)))?;
    let event = privileged(workflow, asks_who(job, index))?;
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
    let message = format!("job `{}` of a `{event}` workflow checks out the code of the pull request", plain(&job.id));
    let finding = Finding::new(RULE.id, severity, message).at(place(workflow, text, 0));
    let finding = reach.into_iter().fold(finding, Finding::because);
    Some(finding.help(
        "use `pull_request`, which has neither secrets nor a writing token, for everything that runs a pull request's code",
    ))
}

/// The text that fetches a pull request's code.
fn checkout_of_head<'w>(workflow: &Workflow, job: &Job, step: &'w Step) -> Option<&'w Text> {
    let leads = |text: &Text| leads_to_head(workflow, job, step, &text.text);
    if step.uses_action("actions/checkout") {
        return ["ref", "repository"].into_iter().filter_map(|name| step.input(name)).find(|text| leads(text));
    }
    let by_command = |run: &&Text| {
        let words = run.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let takes = TAKES.iter().any(|command| words.contains(command));
        words.contains("gh pr checkout")
            || words.contains("refs/pull/")
            || run.text.lines().any(fetches_a_pull_request)
            || (takes && leads(run))
    };
    step.run.as_ref().filter(by_command)
}

/// Commands that put another commit into the work tree.
const TAKES: [&str; 7] =
    ["git checkout", "git clone", "git merge", "git pull", "git reset --hard", "git switch", "git worktree add"];

/// `git fetch origin pull/$N/head:x`, whatever stands for the number.
fn fetches_a_pull_request(line: &str) -> bool {
    let fetched = line.split_once("git fetch").or_else(|| line.split_once("git pull")).map(|(_, rest)| rest);
    fetched.and_then(|rest| rest.split_once("pull/")).is_some_and(|(_, rest)| rest.contains("/head") || rest.contains("/merge"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn code_of_strangers_with_our_rights() {
        let head = "- {uses: actions/checkout@v4, with: {ref: '${{ github.event.pull_request.head.sha }}'}}";
        let head_by_variable = "- {uses: actions/checkout@v4, with: {ref: '${{ env.R }}'}, env: {R: '${{ github.head_ref }}'}}";
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
            ("pull_request_target", vec![head_by_variable, "- run: make"], Some("critical")),
            (
                "pull_request_target",
                vec!["- {uses: Actions/Checkout@v4, with: {ref: '${{ github.head_ref }}'}}", "- run: make"],
                Some("critical"),
            ),
            (
                "pull_request_target",
                vec!["- {run: 'git fetch origin \"pull/$N/head:x\" && git checkout x', env: {N: '${{ github.event.number }}'}}"],
                Some("critical"),
            ),
            (
                "pull_request_target",
                vec!["- {run: 'git checkout \"$SHA\"', env: {SHA: '${{ github.event.pull_request.head.sha }}'}}"],
                Some("critical"),
            ),
            (
                "issue_comment",
                vec![
                    "- {uses: actions/checkout@v4, with: {ref: 'refs/pull/${{ github.event.issue.number }}/head'}}",
                    "- run: make",
                ],
                Some("critical"),
            ),
            (
                "issue_comment",
                vec!["- {run: 'gh pr checkout 1', if: \"github.event.comment.author_association == 'MEMBER'\"}", "- run: make"],
                None,
            ),
            ("issue_comment", vec!["- uses: actions/checkout@v4", "- run: make"], None),
            (
                "pull_request_target",
                vec!["- {run: 'echo $SHA; git checkout main', env: {SHA: '${{ github.event.number }}'}}"],
                None,
            ),
            (
                "pull_request_target",
                vec!["- {run: 'git diff $SHA', env: {SHA: '${{ github.event.pull_request.head.sha }}'}}"],
                None,
            ),
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
