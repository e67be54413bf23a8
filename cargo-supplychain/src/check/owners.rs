//! What rules about identities share: who owned and published a locked crate by the baseline, and who does by the registry now.
//! Identities are compared by kind and number, never by login, and in no order.

use std::collections::BTreeMap;

use super::Facts;
use crate::base::Location;
use crate::finding::{Finding, Severity};
use crate::model::baseline::{KnownCrate, KnownPublisher};
use crate::model::registry::{CrateKey, CrateRecord, Owner, OwnerKind, Publisher};

/// A locked crate that both the baseline and the registry know.
pub(super) struct Compared<'f> {
    pub name: &'f str,
    /// The greatest locked version.
    pub version: &'f semver::Version,
    pub location: Location,
    pub known: &'f KnownCrate,
    pub record: &'f CrateRecord,
}

/// The crates whose identities can be compared, by name.
pub(super) fn compared<'f>(facts: &Facts<'f>) -> Vec<Compared<'f>> {
    let (Some(lockfile), Some(baseline)) = (facts.lock.lockfile(), facts.baseline) else { return Vec::new() };
    let mut crates = BTreeMap::<CrateKey, Compared<'f>>::new();
    for package in &lockfile.packages {
        let Some(key) = package.crate_key() else { continue };
        let (Some(known), Some(Ok(record))) = (baseline.crates.get(&key), facts.registry.records.get(&key)) else { continue };
        if crates.get(&key).is_some_and(|other| *other.version > package.version) {
            continue;
        }
        let location = Location::line(&lockfile.path, package.line);
        let compared = Compared { name: &package.name, version: &package.version, location, known, record };
        crates.insert(key, compared);
    }
    crates.into_values().collect()
}

impl<'f> Compared<'f> {
    /// The owners of then and now; `None` where one side does not know them.
    pub fn owners(&self) -> Option<(Vec<&'f Owner>, &'f [Owner])> {
        let before = self.known.owners.as_ref()?.iter().map(|known| &known.owner).collect();
        Some((before, self.record.owners.as_deref()?))
    }

    /// The owners that only the registry has.
    pub fn added(&self) -> Vec<&'f Owner> {
        let Some((before, now)) = self.owners() else { return Vec::new() };
        now.iter().filter(|owner| before.iter().all(|other| other.key() != owner.key())).collect()
    }

    /// The owners that only the baseline has.
    pub fn removed(&self) -> Vec<&'f Owner> {
        let Some((before, now)) = self.owners() else { return Vec::new() };
        before.into_iter().filter(|owner| now.iter().all(|other| other.key() != owner.key())).collect()
    }

    /// Everybody that the baseline knows of the crate, as (kind, number, login).
    pub fn known_identities(&self) -> Vec<(OwnerKind, u64, &'f str)> {
        let owners = self.known.owners.iter().flatten().map(|known| &known.owner);
        let publishers =
            self.known.publishers.iter().chain(self.known.versions.values().filter_map(|one| one.publisher.as_ref()));
        let users = publishers.filter_map(|publisher| match publisher {
            KnownPublisher::User { id, login } => Some((OwnerKind::User, *id, login.as_str())),
            KnownPublisher::Trusted { .. } => None,
        });
        owners.map(|owner| (owner.kind, owner.id, owner.login.as_str())).chain(users).collect()
    }

    /// Who owns the crate now, and who published the locked version.
    pub fn present_identities(&self) -> Vec<(OwnerKind, u64, &'f str)> {
        let owners = self.record.owners.iter().flatten().map(|owner| (owner.kind, owner.id, owner.login.as_str()));
        let publisher = match self.record.versions.get(self.version).map(|version| &version.publisher) {
            Some(Publisher::User(account)) => Some((OwnerKind::User, account.id, account.login.as_str())),
            _ => None,
        };
        let mut present: Vec<_> = owners.chain(publisher).collect();
        present.sort_unstable();
        present.dedup();
        present
    }

    /// A finding about it.
    pub fn finding(&self, id: &'static str, severity: Severity, message: String) -> Finding {
        Finding::new(id, severity, message).about(self.name, self.version).at(self.location.clone())
    }
}

/// `user alice (42), team github:org:team (1)`.
pub(super) fn listed(owners: &[&Owner]) -> String {
    if owners.is_empty() {
        return "nobody".to_owned();
    }
    owners.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
pub(super) mod fixture {
    //! A case with one crate: `lib` 1.0.0, its owners of then and now.

    use super::super::case::{Case, lock_with_lib};
    use crate::model::baseline::{Baseline, KnownCrate, KnownOwner, KnownPublisher};
    use crate::model::lockfile::CRATES_IO;
    use crate::model::registry::{Account, CrateKey, CrateRecord, Owner, OwnerKind, PublishedVersion, Publisher};

    /// `u42 alice`, `t1 github:org:team`.
    fn owner(text: &str) -> Owner {
        let (key, login) = text.split_once(' ').unwrap();
        let kind = if key.starts_with('t') { OwnerKind::Team } else { OwnerKind::User };
        Owner { kind, id: key[1..].parse().unwrap(), login: login.into() }
    }

    /// `None` stands for owners that are not known.
    pub(crate) fn case(before: Option<&[&str]>, now: Option<&[&str]>) -> Case {
        published(before, None, now, None)
    }

    /// The same with the publisher of `lib` 1.0.0 of then and now.
    pub(crate) fn published(
        before: Option<&[&str]>,
        publisher_before: Option<&str>,
        now: Option<&[&str]>,
        publisher_now: Option<&str>,
    ) -> Case {
        let mut case = Case::new().lock(&lock_with_lib("1.0.0"));
        let key = CrateKey { name: "lib".into(), source: CRATES_IO[0].into() };
        let first_seen = "2026-01-01".parse().unwrap();
        let known = KnownCrate {
            owners: before.map(|list| list.iter().map(|text| KnownOwner { owner: owner(text), first_seen }).collect()),
            publishers: publisher_before
                .map(owner)
                .map(|owner| KnownPublisher::User { id: owner.id, login: owner.login })
                .into_iter()
                .collect(),
            ..KnownCrate::default()
        };
        case.baseline = Some(Baseline { crates: [(key.clone(), known)].into() });
        let version = publisher_now.map(owner).map(|owner| PublishedVersion {
            publisher: Publisher::User(Account { id: owner.id, login: owner.login, created: None }),
            published: None,
            repository: None,
            yanked: false,
            actions: Vec::new(),
        });
        let record = CrateRecord {
            repository: None,
            trusted_publishing_only: None,
            owners: now.map(|list| list.iter().map(|text| owner(text)).collect()),
            versions: version.into_iter().map(|version| ("1.0.0".parse().unwrap(), version)).collect(),
        };
        case.registry.records.insert(key, Ok(record));
        case
    }
}
