//! Who published what, in order: [`Publications`] of a crate, from the registry's API and the baseline. Identities are numbers and
//! repositories, never logins. Evidence for the rules, no judgement.

use std::collections::BTreeMap;

use semver::Version;

use super::Facts;
use super::release_walk::Walk;
use super::repository::{self, Repository};
use crate::base::Timestamp;
use crate::base::text::plain;
use crate::model::baseline::{KnownCrate, KnownPublisher};
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, CrateRecord, OwnerKind, PublishedVersion, Publisher};

/// crates.io records who publishes since early 2019 (rust-lang/crates.io#1561); earlier versions have nobody, and half a year is left for
/// the doubtful ones.
const RECORDED_SINCE: &str = "2019-07-01T00:00:00Z";

/// Somebody who owns or publishes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Identity {
    Account(OwnerKind, u64),
    /// Provider and repository, in lower case.
    Workflow(String, String),
}

impl Identity {
    /// Of a publisher; `None` where the registry does not say.
    pub(super) fn of(publisher: &Publisher) -> Option<Self> {
        KnownPublisher::of(publisher).as_ref().map(Self::known)
    }

    pub(super) fn known(publisher: &KnownPublisher) -> Self {
        match publisher {
            KnownPublisher::User { id, .. } => Self::Account(OwnerKind::User, *id),
            KnownPublisher::Trusted { provider, repository } => {
                Self::Workflow(provider.to_ascii_lowercase(), repository.to_ascii_lowercase())
            }
        }
    }
}

/// When a version was published, as far as known, to put versions in order.
type Moment = (Option<Timestamp>, Version);

/// The versions of a crate with their publishers.
pub(super) struct Publications<'f> {
    pub record: Option<&'f CrateRecord>,
    pub known: Option<&'f KnownCrate>,
    /// In order of publication.
    order: Vec<(Moment, &'f PublishedVersion)>,
    /// When each identity published for the first time.
    first: BTreeMap<Identity, Moment>,
}

/// Whether a publisher is new to a crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newness {
    Known,
    New,
    /// No earlier publisher is known, or not this one.
    Unknown,
}

impl<'f> Publications<'f> {
    pub(super) fn of(facts: &Facts<'f>, key: &CrateKey) -> Self {
        let record = facts.registry.records.get(key).and_then(|record| record.as_ref().ok());
        let known = facts.baseline.and_then(|baseline| baseline.crates.get(key));
        let versions = record.into_iter().flat_map(|record| &record.versions);
        let mut order: Vec<(Moment, &PublishedVersion)> =
            versions.map(|(version, published)| ((published.published, version.clone()), published)).collect();
        order.sort_by(|a, b| a.0.cmp(&b.0));
        let mut first = BTreeMap::new();
        for (moment, version) in &order {
            if let Some(identity) = Identity::of(&version.publisher) {
                first.entry(identity).or_insert_with(|| moment.clone());
            }
        }
        Self { record, known, order, first }
    }

    /// What the API says of a version.
    pub(super) fn version(&self, version: &Version) -> Option<&'f PublishedVersion> {
        self.record.and_then(|record| record.versions.get(version))
    }

    /// The versions that were published before this one, in order.
    pub(super) fn before(&self, version: &Version) -> impl DoubleEndedIterator<Item = (&Version, &'f PublishedVersion)> {
        let moment = self.version(version).map(|published| (published.published, version.clone()));
        let end = moment.map_or(0, |moment| self.order.partition_point(|(other, _)| *other < moment));
        self.order[..end].iter().map(|((_, version), published)| (version, *published))
    }

    /// Whether this identity published the crate before `version`, by the API or by the baseline.
    pub(super) fn has_published_before(&self, identity: &Identity, version: &Version) -> bool {
        let at = self.version(version).map(|published| published.published);
        let moment = at.map(|at| (at, version.clone()));
        let in_record = self.first.get(identity).zip(moment).is_some_and(|(first, moment)| *first < moment);
        in_record || self.baseline_publishers().any(|known| known == *identity)
    }

    pub(super) fn baseline_publishers(&self) -> impl Iterator<Item = Identity> {
        self.known.into_iter().flat_map(|known| &known.publishers).map(Identity::known)
    }

    /// Whether any publisher before `version` is known.
    fn has_known_history(&self, version: &Version) -> bool {
        self.baseline_publishers().next().is_some()
            || self.before(version).any(|(_, published)| published.publisher != Publisher::Unknown)
    }

    /// Whether the publisher of `version` is new to the crate. A workflow of the repository that the crate already named is no new
    /// publisher: that is how trusted publishing is adopted.
    pub(super) fn newness(&self, facts: &Facts<'_>, walk: &Walk<'_>, version: &Version) -> Newness {
        let Some(publisher) = self.version(version).map(|published| &published.publisher) else { return Newness::Unknown };
        let Some(identity) = Identity::of(publisher) else { return Newness::Unknown };
        if self.has_published_before(&identity, version) {
            return Newness::Known;
        }
        if !self.has_known_history(version) {
            return Newness::Unknown;
        }
        let Publisher::Trusted { provider, repository } = publisher else { return Newness::New };
        let workflow = Repository::of_provider(provider, repository);
        let named = self.repository_before(facts, walk, version).and_then(Repository::parse);
        let is_own = workflow.zip(named).is_some_and(|(workflow, named)| workflow.is_same(&named));
        if is_own { Newness::Known } else { Newness::New }
    }

    /// The repository that the crate named before `version`; what it names now only where nothing earlier is known.
    pub(super) fn repository_before(&self, facts: &Facts<'f>, walk: &Walk<'_>, version: &Version) -> Option<&'f str> {
        let by_api = || self.before(version).rev().find_map(|(_, published)| published.repository.as_deref());
        let by_source = || {
            let previous = walk.change.previous.as_ref()?;
            let found = facts.capabilities.get(&(walk.key.clone(), previous.version.clone()))?;
            found.as_ref().ok()?.repository.as_deref()
        };
        by_api()
            .or_else(by_source)
            .or_else(|| self.known.and_then(|known| known.repository.as_deref()))
            .or_else(|| self.record.and_then(|record| record.repository.as_deref()))
    }

    /// Whether the registry said of any version who published it.
    pub(super) fn has_any_publisher(&self) -> bool {
        !self.first.is_empty()
    }
}

impl Facts<'_> {
    /// Whether nobody is recorded as the publisher because the registry did not record anybody yet, or never does.
    pub(super) fn is_legacy(&self, key: &CrateKey, publications: &Publications<'_>, version: &Version) -> bool {
        let by_api = publications.version(version).and_then(|published| published.published);
        let in_index = || {
            let history = self.registry.histories.get(key)?.as_ref().ok()?;
            history.release(version)?.published
        };
        let published = by_api.or_else(in_index);
        let since = RECORDED_SINCE.parse::<Timestamp>().ok();
        let is_recorded = key.source == CRATES_IO[0] || publications.has_any_publisher();
        !is_recorded || published.zip(since).is_none_or(|(published, since)| published < since)
    }
}

/// `alice (user 10)`, `a workflow of github org/foo`, `nobody known`.
pub(super) fn shown(publisher: &Publisher) -> String {
    match publisher {
        Publisher::User(account) => format!("{} (user {})", brief(&account.login), account.id),
        Publisher::Trusted { provider, repository } => format!("a workflow of {} {}", brief(provider), brief(repository)),
        Publisher::Unknown => "nobody known".to_owned(),
    }
}

/// Text of others, harmless and not longer than a line.
pub(super) fn brief(text: &str) -> String {
    const MOST: usize = 120;
    let text = plain(text);
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// Whether two repository URLs are both given and differ.
pub(super) fn differ(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_some_and(|(one, other)| repository::same(one, other) == Some(false))
}
