//! Whether the commits that workflows pin belong to the repositories that they name: asked where workflows are judged, about jobs that
//! decide about a release.

use std::sync::Mutex;

use super::Progress;
use crate::base::{Context, Http};
use crate::check::{Scope, pinned_commits};
use crate::config::Settings;
use crate::feeds::github_refs::{GitHub, RefsRequest, belonging};
use crate::finding::Area;
use crate::http::{Client, Patience};
use crate::model::action_commit::ActionCommits;
use crate::model::workflow::Workflow;

pub(super) fn bring(
    context: &Context,
    settings: &Settings,
    workflows: &[Workflow],
    scope: &Scope,
    progress: &mut dyn Progress,
) -> ActionCommits {
    if !scope.includes(Area::Workflows) {
        return ActionCommits::new();
    }
    let commits = pinned_commits(settings, workflows);
    let client = (!context.offline).then(|| Client::new(&context.env, Patience::default()));
    let progress = Mutex::new(progress);
    belonging(&RefsRequest {
        github: &GitHub::of(&context.env),
        http: client.as_ref().map(|client| client as &dyn Http),
        cache_dir: &context.cache_dir,
        commits: &commits,
        progress: &|line| progress.lock().expect("no progress panics").status(line),
    })
}
