//! What vanished from its registry: shared by the rules `registry/crate-removed` and `registry/version-removed`, and by what is not
//! evaluated. Only something that is as new as the lockfile can say so: cargo's copy of the index is only as old as its last download.

use super::Facts;
use crate::model::LockedPackage;
use crate::model::index::IndexGap;
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::NoRecord;

/// What of a locked package is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Crate,
    Version,
}

/// A package that its registry has no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Removal {
    pub(super) what: What,
    /// How it is known, a fact for people.
    pub(super) known_from: String,
}

/// Whether a locked package is gone from its registry, as far as that can be known.
pub(super) fn removal(facts: &Facts<'_>, package: &LockedPackage) -> Option<Removal> {
    let key = package.crate_key()?;
    let removal = |what, known_from: String| Some(Removal { what, known_from });
    let record = facts.registry.records.get(&key);
    if let Some(Err(NoRecord::Gone)) = record {
        return removal(What::Crate, "neither the registry's API nor its index knows the crate".to_owned());
    }
    let listed = record.and_then(|record| record.as_ref().ok()).map(|record| &record.versions);
    let is_listed = listed.is_some_and(|versions| versions.contains_key(&package.version));
    let source = package.source.clone().unwrap_or_default();
    let is_current = facts.index.is_current && CRATES_IO.contains(&source.as_str());
    let indexed = facts.index.versions.get(&(package.name.clone(), package.version.clone(), source));
    match indexed {
        // Where the API has what the index lacks, one of the two is not whole: that is no removal.
        Some(Err(IndexGap::NotCached)) if is_current && listed.is_none() => {
            removal(What::Crate, "the index of the registry snapshot has no entry of the crate".to_owned())
        }
        Some(Err(IndexGap::NoSuchVersion)) if is_current && !is_listed => {
            removal(What::Version, "the index of the registry snapshot has the crate without this version".to_owned())
        }
        _ if is_current => None,
        _ if listed.is_some_and(|versions| !versions.is_empty()) && !is_listed => {
            removal(What::Version, "the registry's API has the crate without this version".to_owned())
        }
        Some(Err(IndexGap::NoSuchVersion)) if !is_listed => {
            let later = later_patch(facts, package)?;
            removal(What::Version, format!("cargo's copy of the index has the later {later}, but not this version"))
        }
        _ => None,
    }
}

/// A later release of the same major and minor version in cargo's copy: it was taken after the locked version had been published.
fn later_patch(facts: &Facts<'_>, package: &LockedPackage) -> Option<semver::Version> {
    let history = facts.registry.histories.get(&package.crate_key()?)?.as_ref().ok()?;
    let own = &package.version;
    let is_later = |version: &&semver::Version| (version.major, version.minor) == (own.major, own.minor) && *version > own;
    history.releases.iter().map(|release| &release.version).filter(is_later).max().cloned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::check::case::{Case, lock_with_lib};
    use crate::model::registry::{CrateKey, CrateRecord, History, PublishedVersion, Publisher, Release};

    fn key() -> CrateKey {
        CrateKey { name: "lib".into(), source: CRATES_IO[0].into() }
    }

    fn record(versions: &[&str]) -> Result<CrateRecord, NoRecord> {
        let version = |text: &&str| {
            let published = PublishedVersion {
                publisher: Publisher::Unknown,
                published: None,
                repository: None,
                yanked: false,
                actions: vec![],
            };
            (text.parse().unwrap(), published)
        };
        let versions = versions.iter().map(version).collect::<BTreeMap<_, _>>();
        Ok(CrateRecord { repository: None, trusted_publishing_only: None, owners: None, versions })
    }

    fn history(versions: &[&str]) -> History {
        let release = |text: &&str| Release {
            version: text.parse().unwrap(),
            checksum: crate::base::Sha256::of(b""),
            yanked: false,
            published: None,
            dependencies: vec![],
            links: None,
        };
        History { releases: versions.iter().map(release).collect() }
    }

    #[test]
    fn gone_is_only_what_something_current_lacks() {
        use IndexGap::{NoSuchVersion, NotCached};
        let not_found = || Some(Err(NoRecord::NotFound));
        let gone = || Some(Err(NoRecord::Gone));
        let down = || Some(Err(NoRecord::Unknown("500".into())));
        let here = crate::model::index::IndexVersion { checksum: crate::base::Sha256::of(b""), yanked: false, published: None };
        for (name, is_current, index, api, cached, expected) in [
            ("both are without the crate", false, Err(NotCached), gone(), &[][..], Some(What::Crate)),
            ("a cached copy does not save it", false, Ok(here), gone(), &[], Some(What::Crate)),
            ("a snapshot without it", true, Err(NotCached), not_found(), &[], Some(What::Crate)),
            ("a snapshot of the index alone", true, Err(NotCached), None, &[], Some(What::Crate)),
            ("a snapshot whose API has it", true, Err(NotCached), Some(record(&["1.0.0"])), &[], None),
            ("a snapshot without the version", true, Err(NoSuchVersion), not_found(), &[], Some(What::Version)),
            ("a snapshot whose API has the version", true, Err(NoSuchVersion), Some(record(&["1.0.0"])), &[], None),
            ("the index of a snapshot decides", true, Ok(here), Some(record(&["0.9.0"])), &[], None),
            ("the API is without the version", false, Ok(here), Some(record(&["0.9.0"])), &[], Some(What::Version)),
            ("the API lists nothing", false, Ok(here), Some(record(&[])), &[], None),
            ("never fetched", false, Err(NotCached), None, &[], None),
            ("never fetched, and the API fails", false, Err(NotCached), not_found(), &[], None),
            ("the API is down", false, Ok(here), down(), &[], None),
            ("an old copy", false, Err(NoSuchVersion), None, &["0.9.0", "0.9.9"], None),
            ("a copy with another line", false, Err(NoSuchVersion), None, &["1.1.0", "2.0.0"], None),
            ("a newer copy", false, Err(NoSuchVersion), None, &["0.9.0", "1.0.1"], Some(What::Version)),
            ("a newer copy, the API knows better", false, Err(NoSuchVersion), Some(record(&["1.0.0"])), &["1.0.1"], None),
            ("all is well", false, Ok(here), Some(record(&["1.0.0", "1.0.1"])), &["1.0.0", "1.0.1"], None),
        ] {
            let mut case = Case::new().lock(&lock_with_lib("1.0.0")).indexed("lib", "1.0.0", index);
            case.index.is_current = is_current;
            case.registry.records.extend(api.map(|api| (key(), api)));
            case.registry.histories.insert(key(), Ok(history(cached)));
            let found = case.with(|facts| removal(facts, &facts.lock.lockfile().unwrap().packages[0]));
            assert_eq!(found.map(|removal| removal.what), expected, "{name}");
        }
    }
}
