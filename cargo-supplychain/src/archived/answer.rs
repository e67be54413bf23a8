//! What the archive answers: components with the releases that they are in, as the index says them, joined with what is known of those
//! releases. Pure: which components are meant is decided by whoever asks.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::index::segment::{ComponentKey, Detail, IndexedRelease};
use super::{Hit, InventoryUse};
use crate::base::{Sha256, Timestamp};
use crate::config::{Support, SupportedReleases};
use crate::model::Role;

/// A component and the releases that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InReleases {
    pub key: ComponentKey,
    /// What is said of it in which releases, by their entries; never empty.
    pub places: Vec<(Detail, Vec<u64>)>,
}

impl InReleases {
    /// Its package URL.
    #[must_use]
    pub fn purl(&self) -> &str {
        self.places.first().map_or("", |(detail, _)| &detail.purl)
    }

    /// Whether it is in, or helped to build, a file of any release.
    #[must_use]
    pub fn takes_part(&self) -> bool {
        self.places.iter().any(|(detail, _)| !detail.uses.is_empty())
    }

    /// The entries of all its releases.
    pub fn releases(&self) -> impl Iterator<Item = u64> {
        self.places.iter().flat_map(|(_, releases)| releases.iter().copied())
    }

    /// The releases that it is in, and how far it takes part in each.
    pub fn in_releases(&self) -> impl Iterator<Item = Place> {
        self.places.iter().flat_map(|(detail, releases)| {
            let part = Part::of(&detail.uses);
            releases.iter().map(move |sequence| Place { sequence: *sequence, part })
        })
    }

    /// Only what is said of these releases.
    #[must_use]
    pub fn within(&self, sequences: &BTreeSet<u64>) -> Self {
        let places = self.places.iter().map(|(detail, releases)| {
            (detail, releases.iter().copied().filter(|release| sequences.contains(release)).collect::<Vec<_>>())
        });
        let places = places.filter(|(_, releases)| !releases.is_empty()).map(|(detail, releases)| (detail.clone(), releases));
        Self { key: self.key.clone(), places: places.collect() }
    }

    /// It as a hit of an advisory.
    #[must_use]
    pub fn hit(&self, advisory: &str) -> Hit {
        Hit { advisory: advisory.to_owned(), purl: self.purl().to_owned() }
    }
}

/// How far a component takes part in a release, at the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// It is linked into a released file.
    Linked,
    /// It only helped to build one.
    BuildOnly,
    /// Cargo.lock names it, and it is in no released file.
    LockedOnly,
}

impl Part {
    /// Of all its uses in one release.
    #[must_use]
    pub fn of(uses: &[InventoryUse]) -> Self {
        if uses.iter().any(|one| one.role == Role::Runtime) {
            Self::Linked
        } else if uses.is_empty() {
            Self::LockedOnly
        } else {
            Self::BuildOnly
        }
    }

    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::BuildOnly => "only helped to build",
            Self::LockedOnly => "only locked, in no released file",
        }
    }
}

/// The use of a component in a released file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactUse {
    pub artifact: String,
    pub path: String,
    pub sha256: Sha256,
    pub role: Role,
    pub features: Vec<String>,
}

/// A component of a release that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundComponent {
    pub purl: String,
    pub name: String,
    pub version: String,
    pub source: Option<String>,
    /// Ids of the advisories that it was found by; empty where a package URL was asked for.
    pub advisories: Vec<String>,
    pub part: Part,
    pub uses: Vec<ArtifactUse>,
}

/// A release that has what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundRelease {
    pub name: String,
    pub version: String,
    pub target: String,
    /// Its entry in the chain.
    pub sequence: u64,
    pub archived: Timestamp,
    pub record: Sha256,
    /// None: the policy names no supported releases.
    pub supported: Option<bool>,
    pub supported_until: Option<Timestamp>,
    pub components: Vec<FoundComponent>,
}

impl FoundRelease {
    /// The furthest that any component takes part.
    #[must_use]
    pub fn part(&self) -> Part {
        self.components.iter().map(|component| component.part).min().unwrap_or(Part::LockedOnly)
    }
}

/// Whether a release is supported, as data.
#[must_use]
pub fn support_fields(support: Support) -> (Option<bool>, Option<Timestamp>) {
    let until = match support {
        Support::Supported { until } => until,
        Support::Ended { until } => Some(until),
        Support::Unknown | Support::NotNamed => None,
    };
    (support.known(), until)
}

/// Joins components, each with the ids of the advisories that it was found by, with their releases. Sorted by name, version (as cargo
/// compares them), target and entry.
#[must_use]
pub fn join(
    found: &[(InReleases, Vec<String>)],
    releases: &BTreeMap<u64, IndexedRelease>,
    supported: &SupportedReleases,
    now: Timestamp,
) -> Vec<FoundRelease> {
    let mut joined: BTreeMap<u64, FoundRelease> = BTreeMap::new();
    for (component, advisories) in found {
        for (detail, sequences) in &component.places {
            for release in sequences.iter().filter_map(|sequence| releases.get(sequence)) {
                let entry = joined.entry(release.sequence).or_insert_with(|| {
                    let (known, until) = support_fields(supported.of(&release.name, &release.version, now));
                    FoundRelease {
                        name: release.name.clone(),
                        version: release.version.clone(),
                        target: release.target.clone(),
                        sequence: release.sequence,
                        archived: release.archived,
                        record: release.record,
                        supported: known,
                        supported_until: until,
                        components: Vec::new(),
                    }
                });
                entry.components.push(found_component(&component.key, detail, release, advisories));
            }
        }
    }
    let mut all: Vec<_> = joined.into_values().collect();
    for release in &mut all {
        release.components.sort_by(|a, b| (&a.name, &a.version, &a.purl).cmp(&(&b.name, &b.version, &b.purl)));
    }
    all.sort_by_cached_key(|release| {
        let version = release.version.parse::<semver::Version>().ok();
        (release.name.clone(), version, release.version.clone(), release.target.clone(), release.sequence)
    });
    all
}

fn found_component(key: &ComponentKey, detail: &Detail, release: &IndexedRelease, advisories: &[String]) -> FoundComponent {
    let artifact = |one: &InventoryUse| {
        let artifact = release.artifacts.get(usize::try_from(one.artifact).ok()?)?;
        Some(ArtifactUse {
            artifact: artifact.name.clone(),
            path: artifact.path.clone(),
            sha256: artifact.sha256,
            role: one.role,
            features: one.features.clone(),
        })
    };
    FoundComponent {
        purl: detail.purl.clone(),
        name: key.name.clone(),
        version: key.version.clone(),
        source: key.source.clone(),
        advisories: advisories.to_vec(),
        part: Part::of(&detail.uses),
        uses: detail.uses.iter().filter_map(artifact).collect(),
    }
}

/// A release that a finding is about, by its entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Place {
    pub sequence: u64,
    pub part: Part,
}

/// A release that findings are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedRelease {
    pub sequence: u64,
    pub name: String,
    pub version: String,
    pub target: String,
    pub archived: Timestamp,
    /// None: the policy names no supported releases.
    pub supported: Option<bool>,
    pub supported_until: Option<Timestamp>,
}

/// Releases sorted by name, version (as cargo compares them), target and entry.
#[must_use]
pub fn listed<'a>(
    releases: impl IntoIterator<Item = &'a IndexedRelease>,
    supported: &SupportedReleases,
    now: Timestamp,
) -> Vec<ListedRelease> {
    let listed = |release: &IndexedRelease| {
        let (known, until) = support_fields(supported.of(&release.name, &release.version, now));
        ListedRelease {
            sequence: release.sequence,
            name: release.name.clone(),
            version: release.version.clone(),
            target: release.target.clone(),
            archived: release.archived,
            supported: known,
            supported_until: until,
        }
    };
    let mut all: Vec<_> = releases.into_iter().map(listed).collect();
    all.sort_by_cached_key(|one| {
        let version = one.version.parse::<semver::Version>().ok();
        (one.name.clone(), version, one.version.clone(), one.target.clone(), one.sequence)
    });
    all
}

/// The entries of all releases of these components.
#[must_use]
pub fn sequences<'a>(found: impl IntoIterator<Item = &'a InReleases>) -> BTreeSet<u64> {
    found.into_iter().flat_map(InReleases::releases).collect()
}
