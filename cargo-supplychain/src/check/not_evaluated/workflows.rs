//! Workflows of the repository.

use std::collections::BTreeMap;

use super::{is_required, shortened_as};
use crate::check::{Facts, Scope};
use crate::finding::{Area, NotEvaluated};
use crate::model::action_commit::Belonging;

/// Workflow files that cannot be read.
pub(super) fn workflows(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let entry = |why: &String| NotEvaluated {
        area: Area::Workflows,
        check: "workflow".into(),
        why: why.clone(),
        required: is_required(facts, scope, Area::Workflows),
        help: "mend the file; GitHub does not read it either".into(),
    };
    facts.unreadable_workflows.iter().map(entry).collect()
}

/// Pinned commits of which GitHub did not say whether they belong to their repository: one entry for each reason.
pub(super) fn action_commits(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let mut gaps = BTreeMap::<&str, Vec<String>>::new();
    for (commit, belonging) in facts.action_commits {
        if let Belonging::Unknown(why) = belonging {
            gaps.entry(why).or_default().push(commit.to_string());
        }
    }
    let entries = gaps.into_iter().map(|(why, commits)| NotEvaluated {
        area: Area::Workflows,
        check: "pinned commits of actions".into(),
        why: format!("{why}: {}", shortened_as(&commits, "commit")),
        required: is_required(facts, scope, Area::Workflows),
        help: "run again later and with the network; a token in GITHUB_TOKEN lets more be asked (docs/workflows.md)".into(),
    });
    entries.collect()
}
