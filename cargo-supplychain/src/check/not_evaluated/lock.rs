//! The lockfile, its index and the ages of what it brings in, as far as cargo and the index know.

use std::collections::{BTreeMap, BTreeSet};

use super::{is_required, shortened};
use crate::check::arrival::arrivals;
use crate::check::release_walk::{dependency_key, walks};
use crate::check::removed::removal;
use crate::check::{Facts, LockState, Scope};
use crate::finding::{Area, NotEvaluated};
use crate::model::index::IndexGap;
use crate::model::registry::CrateKey;

/// Where cargo has not judged the lockfile only the workspace's own requirements are compared with it.
pub(super) fn without_cargo(facts: &Facts<'_>) -> Option<NotEvaluated> {
    let (LockState::Present { stale: None, .. }, Err(_)) = (facts.lock, facts.build) else { return None };
    Some(NotEvaluated {
        area: Area::Lock,
        check: "lockfile complete below the workspace".into(),
        why: "cargo was not asked: what the workspace's own manifests ask for was compared, what other packages ask for was not"
            .into(),
        required: false,
        help: "check all areas, for which cargo resolves the lockfile".into(),
    })
}

/// Yanked and checksum, as far as the index is known: one entry for each reason, whatever the number of packages. What is not there
/// because it was removed is a finding instead.
pub(super) fn index(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut gaps = BTreeMap::<&IndexGap, Vec<String>>::new();
    let nothing = Err(IndexGap::NotCached);
    for package in lockfile.packages.iter().filter(|package| package.is_registry()) {
        let source = package.source.clone().unwrap_or_default();
        let known = facts.index.versions.get(&(package.name.clone(), package.version.clone(), source)).unwrap_or(&nothing);
        if let Err(gap) = known
            && removal(facts, package).is_none()
        {
            gaps.entry(gap).or_default().push(format!("{} {}", package.name, package.version));
        }
    }
    let place = if facts.index.is_current { "the registry snapshot" } else { "cargo's index cache" };
    let entries = gaps.into_iter().map(|(gap, packages)| {
        let why = match gap {
            IndexGap::NotCached => format!("{place} has no entry of"),
            IndexGap::NoSuchVersion => format!("{place} does not know the version of"),
            IndexGap::Unreadable(why) => format!("the entry in {place} could not be read ({why}) of"),
        };
        NotEvaluated {
            area: Area::Lock,
            check: "yanked, checksum in the index".into(),
            why: format!("{why} {}", shortened(&packages)),
            required: is_required(facts, scope, Area::Lock),
            help: "run `cargo fetch` once with the network, which fills the cache".into(),
        }
    });
    entries.collect()
}

/// The age of what a change brings in, where the index has the release and no time of it: cooldown and young names are not judged.
pub(super) fn ages(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let timeless =
        arrivals(facts).into_iter().filter(|one| one.release.published.is_none() || one.history.first_published().is_none());
    let packages: Vec<_> = timeless.map(|one| format!("{} {}", one.package.name, one.package.version)).collect();
    (!packages.is_empty()).then(|| NotEvaluated {
        area: Area::Lock,
        check: "age of changed packages".into(),
        why: format!("the index has no publication time of {}", shortened(&packages)),
        required: is_required(facts, scope, Area::Lock),
        help: "run `cargo fetch` once with the network; registries that publish no `pubtime` cannot be judged by age".into(),
    })
}

/// Dependencies that a release added and of which nothing says when they first appeared.
pub(super) fn dependency_ages(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let first = |key: &CrateKey| facts.registry.histories.get(key)?.as_ref().ok()?.first_published();
    let mut found = BTreeSet::new();
    for walk in walks(facts) {
        let added = walk.steps.iter().flat_map(|step| &step.added);
        let unknown = added.map(|dependency| dependency_key(&walk.key, dependency)).filter(|key| first(key).is_none());
        found.extend(unknown.map(|key| key.name));
    }
    if found.is_empty() {
        return None;
    }
    let found: Vec<_> = found.into_iter().collect();
    Some(NotEvaluated {
        area: Area::Lock,
        check: "age of new dependencies".into(),
        why: format!("the index does not say when they first appeared: {}", shortened(&found)),
        required: is_required(facts, scope, Area::Lock),
        help: "run `cargo fetch` once with the network; registries without `pubtime` in their index cannot say".into(),
    })
}
