//! Locked commits of git repositories, and packages beside their repositories.

use std::collections::BTreeMap;

use super::{is_required, shortened};
use crate::check::{Facts, Scope, rules};
use crate::finding::{Area, NotEvaluated};
use crate::model::machine::{LockedRevision, Reach};

/// Whether locked commits are on a branch, as far as cargo's copies of the repositories know: one entry for each reason.
pub(super) fn git_revisions(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut gaps = BTreeMap::<&str, Vec<String>>::new();
    for package in &lockfile.packages {
        let Some(locked) = package.git().and_then(|git| LockedRevision::of(&git)) else { continue };
        let why = match facts.machine.revisions.get(&locked) {
            Some(Reach::Reachable | Reach::Unreachable { .. }) => continue,
            Some(Reach::Unknown(why)) => why.as_str(),
            None => "cargo has no copy of the repository",
        };
        gaps.entry(why).or_default().push(format!("{} {}", package.name, package.version));
    }
    let entries = gaps.into_iter().map(|(why, packages)| NotEvaluated {
        area: Area::Sources,
        check: "locked commits are on a branch or tag".into(),
        why: format!("{why}: {}", shortened(&packages)),
        required: is_required(facts, scope, Area::Sources),
        help: "look the commits up in their repositories: `git branch --remotes --contains COMMIT` in a full clone".into(),
    });
    entries.collect()
}

/// Changed packages that the policy wants compared with their repositories, where that was not possible: one entry for each reason. That
/// nothing was asked for is said to those who require the area.
pub(super) fn published(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let is_required = is_required(facts, scope, Area::Sources);
    let entry = |why: String, required, help: &str| NotEvaluated {
        area: Area::Sources,
        check: "changed packages against their repositories".into(),
        why,
        required,
        help: help.to_owned(),
    };
    if !rules::source_package_differs_from_repo::is_asked_for(facts.settings) {
        let help =
            "list crates: `[rules] \"source/package-differs-from-repo\" = { crates = [\"*\"] }`; their repositories are fetched";
        let line = entry("the policy lists no crates for it".to_owned(), false, help);
        return if is_required && !facts.changes.changes.is_empty() { vec![line] } else { Vec::new() };
    }
    let mut gaps = BTreeMap::<&str, Vec<String>>::new();
    for ((key, version), found) in facts.published {
        if let Err(why) = found {
            gaps.entry(why).or_default().push(format!("{} {version}", key.name));
        }
    }
    let help =
        "compare them by hand, or read the packages themselves; with the network, `cargo fetch --locked` brings the packages";
    gaps.into_iter().map(|(why, packages)| entry(format!("{why}: {}", shortened(&packages)), is_required, help)).collect()
}
