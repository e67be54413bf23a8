//! Licences of what is built.

use super::is_required;
use crate::check::{Facts, Scope};
use crate::finding::{Area, NotEvaluated};

/// Licences are those of what is built. Who has a policy about them asks for an answer.
pub(super) fn licences(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let why = facts.build.err()?;
    Some(NotEvaluated {
        area: Area::Licences,
        check: "licences".into(),
        why: format!("which packages take part in the build is not known: {why}"),
        required: is_required(facts, scope, Area::Licences) || facts.settings.licences.is_asked_for(),
        help: "correct what keeps the build from being planned".into(),
    })
}
