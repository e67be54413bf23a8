//! What the `workflow/` rules share: which jobs decide about a release, and which contexts somebody outside can fill. No rule lives here.

mod untrusted;

pub(super) use untrusted::{injected, leads_to_head};

use crate::base::Location;
use crate::model::workflow::{Job, Permissions, Step, Text, Workflow};

/// Actions that publish, upload or attest, without their versions.
const PUBLISHING_ACTIONS: [&str; 11] = [
    "actions/attest",
    "actions/attest-build-provenance",
    "actions/attest-sbom",
    "actions/create-release",
    "actions/upload-release-asset",
    "cargo-supplychain/cargo-supplychain",
    "goreleaser/goreleaser-action",
    "ncipollo/release-action",
    "rust-lang/crates-io-auth-action",
    "softprops/action-gh-release",
    "svenstaro/upload-release-action",
];
/// Commands that publish.
const PUBLISHING_COMMANDS: [&str; 8] = [
    "cargo publish",
    "cargo release",
    "cargo supplychain build",
    "cargo-supplychain supplychain build",
    "docker push",
    "gh attestation",
    "gh release",
    "npm publish",
];

/// Why a job decides about a release; `None` when nothing says that it does.
pub(super) fn releases(workflow: &Workflow, job: &Job) -> Option<String> {
    if let Some(step) = job.steps.iter().find(|step| publishes(step)) {
        return Some(format!("line {} publishes or attests", step.line));
    }
    if let Some(Permissions::Scopes(_)) = &job.permissions
        && let Some(scope) = ["id-token", "attestations", "packages"].into_iter().find(|scope| may_write(job, scope))
    {
        return Some(format!("the job may write `{scope}`"));
    }
    if workflow.triggers.iter().any(|trigger| trigger.event == "release" || trigger.of_tags) {
        return Some("it runs for tags or releases".to_owned());
    }
    None
}

fn publishes(step: &Step) -> bool {
    let by_action = step.action().is_some_and(|action| {
        PUBLISHING_ACTIONS.iter().any(|known| {
            action.eq_ignore_ascii_case(known) || action.strip_prefix(known).is_some_and(|rest| rest.starts_with('/'))
        })
    });
    let by_command = step.run.as_ref().is_some_and(|run| {
        let words = run.text.split_whitespace().collect::<Vec<_>>().join(" ");
        PUBLISHING_COMMANDS.iter().any(|command| words.contains(command)) && !words.contains("publish --dry-run")
    });
    by_action || by_command
}

/// Whether the job's token may write in a scope, as far as the file says.
pub(super) fn may_write(job: &Job, scope: &str) -> bool {
    job.permissions.as_ref().is_some_and(|permissions| permissions.writes(scope))
}

/// Where a text stands; `offset` bytes into it.
pub(super) fn place(workflow: &Workflow, text: &Text, offset: usize) -> Location {
    let before = text.text.get(..offset).unwrap_or_default();
    let lines = u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX);
    Location::line(&workflow.path, text.line.saturating_add(lines))
}

/// Whether an entry of `allow` means this action: `owner/name`, `owner/*` or `owner/name/path`; upper and lower case are one for GitHub.
pub(super) fn means_action(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_ascii_lowercase(), name.to_ascii_lowercase());
    match pattern.strip_suffix('*') {
        Some(prefix) => prefix.ends_with('/') && name.starts_with(prefix),
        None => name == pattern || name.strip_prefix(&pattern).is_some_and(|rest| rest.starts_with('/')),
    }
}

/// Every job with its workflow.
pub(super) fn jobs(workflows: &[Workflow]) -> impl Iterator<Item = (&Workflow, &Job)> {
    workflows.iter().flat_map(|workflow| workflow.jobs.iter().map(move |job| (workflow, job)))
}
