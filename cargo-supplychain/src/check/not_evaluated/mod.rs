//! The checks that could not be made, with the reason of each. docs/check.md says which are required; `--require` and
//! `[rules] require` of an area make its best-effort ones required too: who asks for an answer does not get a pass for want of one.
//!
//! One file an area; [`list`] puts them together. What was evaluated and found is never here: that is a rule's.

mod advisories;
mod capabilities;
mod integrity;
mod licences;
mod lock;
mod maintainers;
mod sources;
mod workflows;

use super::{Facts, Scope};
use crate::base::text::counted;
use crate::finding::{Area, NotEvaluated};

pub(super) fn list(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let mut list = Vec::new();
    list.extend(advisories::advisories(facts));
    list.extend(advisories::sources(facts, scope));
    list.extend(advisories::not_planned(facts, scope));
    list.extend(licences::licences(facts, scope));
    list.extend(lock::without_cargo(facts));
    list.extend(lock::index(facts, scope));
    list.extend(lock::ages(facts, scope));
    list.extend(workflows::workflows(facts, scope));
    list.extend(workflows::action_commits(facts, scope));
    list.extend(maintainers::maintainers(facts, scope));
    list.extend(maintainers::publishers(facts, scope));
    list.extend(lock::dependency_ages(facts, scope));
    list.extend(sources::git_revisions(facts, scope));
    list.extend(capabilities::capabilities(facts, scope));
    list.extend(capabilities::script_list(facts, scope));
    list.extend(integrity::integrity(facts, scope));
    list.extend(sources::published(facts, scope));
    list.retain(|check| scope.includes(check.area));
    list
}

fn is_required(facts: &Facts<'_>, scope: &Scope, area: Area) -> bool {
    scope.require.contains(&area) || facts.settings.require.contains(&area)
}

/// `3 packages: a 1.0.0, b 1.0.0, c 1.0.0`; of many the first five.
fn shortened(packages: &[String]) -> String {
    shortened_as(packages, "package")
}

fn shortened_as(things: &[String], noun: &str) -> String {
    let shown = things.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if things.len() > 5 { ", …" } else { "" };
    format!("{}: {shown}{more}", counted(things.len(), noun))
}
