//! Owners and publishers, as far as registries answer.

use std::collections::{BTreeMap, BTreeSet};

use super::{is_required, shortened};
use crate::check::publishers::Publications;
use crate::check::release_walk::walks;
use crate::check::{Facts, Scope};
use crate::finding::{Area, NotEvaluated};
use crate::model::registry::{NoRecord, Publisher};

/// Owners and publishers, as far as they were asked about and answered: one entry for each reason. Best effort even when the area is all
/// that is judged: a registry that is down stops nobody who does not require its answer.
pub(super) fn maintainers(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let entry = |why: String, help: &str| NotEvaluated {
        area: Area::Maintainers,
        check: "owners and publishers".into(),
        why,
        required: is_required(facts, scope, Area::Maintainers),
        help: help.to_owned(),
    };
    let mut list = Vec::new();
    if let Some(not_asked) = &facts.registry.not_asked {
        list.push(entry(not_asked.why.clone(), &not_asked.help));
    }
    let mut gaps = BTreeMap::<String, Vec<String>>::new();
    for (key, record) in &facts.registry.records {
        let why = match record {
            Ok(record) if record.owners.is_some() => continue,
            Ok(_) => "the registry's API did not tell the owners".to_owned(),
            // That is a finding.
            Err(NoRecord::Gone) => continue,
            Err(NoRecord::NotFound) => "the registry's API answered 404 for what is not known to be removed".to_owned(),
            Err(NoRecord::Unknown(why)) => why.clone(),
        };
        gaps.entry(why).or_default().push(key.name.clone());
    }
    let help = "run again later, or name a snapshot of the registry with --registry-snapshot";
    list.extend(gaps.into_iter().map(|(why, crates)| entry(format!("{why}: {}", shortened(&crates)), help)));
    list
}

/// Versions without a publisher from the time before registries recorded one: of what changed, before and after.
pub(super) fn publishers(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let mut found = BTreeSet::new();
    for walk in walks(facts) {
        let publications = Publications::of(facts, &walk.key);
        let before = walk.change.previous.as_ref().map(|previous| &previous.version);
        let before = before.or_else(|| Some(&walk.steps.last()?.against?.version));
        for version in [before, Some(&walk.package.version)].into_iter().flatten() {
            let published = publications.version(version);
            if published.is_some_and(|published| published.publisher == Publisher::Unknown)
                && facts.is_legacy(&walk.key, &publications, version)
            {
                found.insert(format!("{} {version}", walk.package.name));
            }
        }
    }
    if found.is_empty() {
        return None;
    }
    let found: Vec<_> = found.into_iter().collect();
    Some(NotEvaluated {
        area: Area::Maintainers,
        check: "publisher".into(),
        why: format!("the registry did not record publishers yet, or never does, of {}", shortened(&found)),
        required: is_required(facts, scope, Area::Maintainers),
        help: "nothing can be looked up: who published them is not known to anybody".into(),
    })
}
