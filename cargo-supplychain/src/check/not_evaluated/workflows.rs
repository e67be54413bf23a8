//! Workflows of the repository.

use super::is_required;
use crate::check::{Facts, Scope};
use crate::finding::{Area, NotEvaluated};

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
