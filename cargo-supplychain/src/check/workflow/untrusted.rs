//! Contexts that somebody outside of the project can fill with any text (GitHub Docs, "Script injections"; GitHub Security Lab, "Keeping
//! your GitHub Actions and workflows secure").

use crate::model::workflow::expression::{contexts, expressions};
use crate::model::workflow::{Entry, Job, Step, Workflow};

/// Parts of `github.event` (and beside it) that a stranger writes. `*` is an item of a list.
const UNTRUSTED: [&str; 28] = [
    "github.event.comment.body",
    "github.event.commits.*.author.email",
    "github.event.commits.*.author.name",
    "github.event.commits.*.committer.email",
    "github.event.commits.*.committer.name",
    "github.event.commits.*.message",
    "github.event.discussion.body",
    "github.event.discussion.title",
    "github.event.discussion_comment.body",
    "github.event.head_commit.author.email",
    "github.event.head_commit.author.name",
    "github.event.head_commit.committer.email",
    "github.event.head_commit.committer.name",
    "github.event.head_commit.message",
    "github.event.issue.body",
    "github.event.issue.title",
    "github.event.pages.*.page_name",
    "github.event.pull_request.body",
    "github.event.pull_request.head.label",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.head.repo.default_branch",
    "github.event.pull_request.title",
    "github.event.review.body",
    "github.event.review_comment.body",
    "github.event.workflow_run.display_title",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.head_commit.message",
    "github.head_ref",
];

/// Whether a context is, holds or lies below one of them.
fn is_untrusted(context: &str) -> bool {
    UNTRUSTED.iter().any(|known| {
        let mut known = known.split('.');
        context.split('.').all(|part| match known.next() {
            // Beyond a text there is nothing that matters.
            None => true,
            Some(expected) => part == expected || part == "*" || expected == "*",
        })
    })
}

/// What of a script comes from outside: byte offset, the expression's context, and what it holds where it is a variable of `env` or the
/// output of another job.
pub(in crate::check) fn injected(workflow: &Workflow, job: &Job, step: &Step, script: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (offset, expression) in expressions(script) {
        for context in contexts(expression) {
            if is_untrusted(&context) {
                found.push((offset, format!("`{context}`")));
            } else if let Some(source) = handed_on(workflow, job, step, &context) {
                found.push((offset, format!("`{context}`, which is `{source}`")));
            }
        }
    }
    found
}

/// The untrusted context that a variable of `env` or the output of a job holds.
fn handed_on(workflow: &Workflow, job: &Job, step: &Step, context: &str) -> Option<String> {
    let entry = match context.split('.').collect::<Vec<_>>()[..] {
        ["env", name] => variables(workflow, job, step).find(|entry| entry.key.eq_ignore_ascii_case(name))?,
        ["needs", id, "outputs", name] => {
            let other = workflow.jobs.iter().find(|job| job.id.eq_ignore_ascii_case(id))?;
            other.outputs.iter().find(|entry| entry.key.eq_ignore_ascii_case(name))?
        }
        _ => return None,
    };
    let held = expressions(&entry.value.text).into_iter().flat_map(|(_, expression)| contexts(expression));
    held.into_iter().find(|context| is_untrusted(context))
}

/// Variables of `env`, the nearest definition first.
fn variables<'w>(workflow: &'w Workflow, job: &'w Job, step: &'w Step) -> impl Iterator<Item = &'w Entry> {
    [&step.env, &job.env, &workflow.env].into_iter().flatten()
}

/// Whether a text of a step names the code of a pull request or of the run that triggered this one, itself or by a variable: one of
/// `env` in an expression, or one of the shell (`$SHA`, `${SHA}`, `$env:SHA`, `%SHA%`).
pub(in crate::check) fn leads_to_head(workflow: &Workflow, job: &Job, step: &Step, text: &str) -> bool {
    let is_named = |name: &str| {
        let by_expression = || {
            let found = expressions(text).into_iter().flat_map(|(_, expression)| contexts(expression));
            found.into_iter().any(|context| context.strip_prefix("env.").is_some_and(|other| other.eq_ignore_ascii_case(name)))
        };
        let by_shell = || ["$", "${", "$env:", "%"].iter().any(|sign| text.contains(&format!("{sign}{name}")));
        by_shell() || by_expression()
    };
    names_head(text) || variables(workflow, job, step).any(|entry| names_head(&entry.value.text) && is_named(&entry.key))
}

/// Whether a text names the code of a pull request or of the run that triggered this one.
fn names_head(text: &str) -> bool {
    let heads = ["github.head_ref", "github.event.pull_request.head", "github.event.workflow_run.head_"];
    let by_expression = expressions(text).into_iter().flat_map(|(_, expression)| contexts(expression));
    let is_head = |context: String| {
        heads.iter().any(|head| context.starts_with(head)) || context == "github.event.pull_request.merge_commit_sha"
    };
    text.contains("refs/pull/") || by_expression.into_iter().any(is_head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_writes() {
        for (context, untrusted) in [
            ("github.head_ref", true),
            ("github.event.issue.title", true),
            ("github.event.commits.*.message", true),
            ("github.event.pull_request", true),
            ("github.event", true),
            ("github", true),
            ("github.ref_name", false),
            ("github.event.pull_request.number", false),
            ("github.event.pull_request.head.sha", false),
            ("github.actor", false),
            ("inputs.name", false),
        ] {
            assert_eq!(is_untrusted(context), untrusted, "{context}");
        }
        assert!(
            names_head("${{ github.event.pull_request.head.sha }}") && names_head("refs/pull/${{ github.event.number }}/merge")
        );
        assert!(!names_head("${{ github.sha }}"));
    }
}
