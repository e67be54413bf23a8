//! Filling in what was not looked up when a crate was accepted. Accepts nothing that differs from what was. Pure.

use super::{KnownCrate, KnownPublisher, renew};
use crate::base::Timestamp;
use crate::model::registry::{CrateRecord, Owner};

/// A crate with what the registry says, as far as that contradicts nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    pub known: KnownCrate,
    /// What the registry says otherwise, for people. It is left as it was.
    pub differs: Vec<String>,
}

impl KnownCrate {
    /// Fills in owners, publishers and repository where they are not known, and the new logins of known accounts.
    #[must_use]
    pub fn completed(&self, record: &CrateRecord, today: Timestamp) -> Completed {
        let mut known = self.clone();
        let mut differs = Vec::new();
        match (&mut known.owners, &record.owners) {
            (Some(owners), Some(now)) => {
                for owner in owners.iter_mut() {
                    match now.iter().find(|other| other.key() == owner.owner.key()) {
                        Some(same) => owner.owner = same.clone(),
                        None => differs.push(format!("{} is no owner now", owner.owner)),
                    }
                }
                let is_new = |owner: &&Owner| owners.iter().all(|known| known.owner.key() != owner.key());
                differs.extend(now.iter().filter(is_new).map(|owner| format!("{owner} is an owner now")));
            }
            (owners @ None, Some(_)) => *owners = renew::owners(self, record, today),
            (_, None) => {}
        }
        for (version, accepted) in &mut known.versions {
            let told = record.versions.get(version).and_then(|told| KnownPublisher::of(&told.publisher));
            match (&mut accepted.publisher, told) {
                (Some(before), Some(now)) if !before.is_same(&now) => differs.push(format!("{version} was published by {now}")),
                (before, Some(now)) => *before = Some(now),
                (_, None) => {}
            }
            accepted.publisher.iter().for_each(|publisher| renew::add(&mut known.publishers, publisher));
        }
        known.publishers.sort();
        if known.repository.is_none() {
            known.repository = record.repository.clone().filter(|address| renew::is_writable(address));
        }
        Completed { known, differs }
    }
}
