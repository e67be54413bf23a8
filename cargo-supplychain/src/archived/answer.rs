//! What the archive answers: components with the releases that they are in, as the index says them, joined with what is known of those
//! releases. Pure: which components are meant is decided by whoever asks.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::index::segment::{ComponentKey, Detail, IndexedArtifact, IndexedRelease, Releases};
use super::{Hit, InventoryNative, InventoryUse, RELEASES_PER_THREAD};
use crate::base::parallel::{in_pieces, joined};
use crate::base::{Sha256, Timestamp, purl};
use crate::config::{Support, SupportedReleases};
use crate::model::Role;
use crate::model::native::known;

/// How an inventory calls a library that is not in the file, but that of the system which runs it.
const OF_THE_SYSTEM: [&str; 2] = ["dynamic", "framework"];

/// A library that is no crate, compiled from the sources that a crate brings along.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Library {
    /// Upstream's.
    pub name: &'static str,
    pub version: String,
    /// `pkg:generic/NAME@VERSION`.
    pub purl: String,
}

/// What is said of a component, and in which releases, by their entries.
pub type Places = Vec<(Detail, Vec<u64>)>;

/// A component and the releases that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InReleases {
    pub key: ComponentKey,
    /// Not the crate itself is meant, but this library of it ([`InReleases::libraries`]).
    pub library: Option<Library>,
    /// Never empty.
    pub places: Places,
}

impl InReleases {
    /// Its package URL.
    #[must_use]
    pub fn purl(&self) -> &str {
        match &self.library {
            Some(library) => &library.purl,
            None => self.places.first().map_or("", |(detail, _)| &detail.purl),
        }
    }

    /// The libraries that it is known to bring along, by name and version, each with the releases whose builds said so. A version is known only
    /// of what was compiled from sources in a package: what the system gave is none of them.
    #[must_use]
    pub fn libraries(&self) -> Vec<Self> {
        let mut found: BTreeMap<(&'static str, &str), Places> = BTreeMap::new();
        for part in known::parts(&self.key.name) {
            for (detail, releases) in &self.places {
                let named = detail.native.iter().filter(|native| native.name == part.name);
                for version in named.filter_map(|native| native.version.as_deref()).collect::<BTreeSet<_>>() {
                    found.entry((part.name, version)).or_default().push((detail.clone(), releases.clone()));
                }
            }
        }
        let library = |((name, version), places): ((&'static str, &str), Places)| Self {
            key: self.key.clone(),
            library: Some(Library { name, version: version.to_owned(), purl: purl::generic(name, Some(version)) }),
            places,
        };
        found.into_iter().map(library).collect()
    }

    /// The known libraries of wanted names that it was built with, in which releases, where their version was not known: they are in a file,
    /// and nobody can say whether they are affected.
    #[must_use]
    pub fn of_unknown_version(&self, wanted: impl Fn(&str) -> bool) -> BTreeMap<&'static str, BTreeSet<u64>> {
        let mut found: BTreeMap<&'static str, BTreeSet<u64>> = BTreeMap::new();
        for part in known::parts(&self.key.name).iter().filter(|part| wanted(part.name)) {
            for (detail, releases) in &self.places {
                let is_it = |native: &InventoryNative| {
                    native.name == part.name && native.version.is_none() && !OF_THE_SYSTEM.contains(&native.linkage.as_str())
                };
                if detail.native.iter().any(is_it) {
                    found.entry(part.name).or_default().extend(releases);
                }
            }
        }
        found
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
        Self { places: places.collect(), ..self.clone() }
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

/// A component that was asked for, in all releases of which the same is said of it.
#[derive(Debug, Clone)]
pub struct FoundComponent {
    pub key: ComponentKey,
    /// What of it was asked for, where not the crate itself is.
    pub library: Option<Library>,
    pub detail: Detail,
    /// Ids of the advisories that it was found by; empty where a package URL was asked for.
    pub advisories: Vec<String>,
    pub part: Part,
}

/// A release that has what was asked for.
#[derive(Debug, Clone)]
pub struct FoundRelease {
    pub release: Arc<IndexedRelease>,
    /// None: the policy names no supported releases.
    pub supported: Option<bool>,
    pub supported_until: Option<Timestamp>,
    /// Sorted by name, version and package URL. Shared: an answer has many releases and few components.
    pub components: Vec<Arc<FoundComponent>>,
}

impl FoundRelease {
    fn new(
        release: Arc<IndexedRelease>,
        components: Vec<Arc<FoundComponent>>,
        supported: &SupportedReleases,
        now: Timestamp,
    ) -> Self {
        let (known, until) = support_fields(supported.of(&release.name, &release.version, now));
        Self { release, supported: known, supported_until: until, components }
    }

    /// The furthest that any component takes part.
    #[must_use]
    pub fn part(&self) -> Part {
        self.components.iter().map(|component| component.part).min().unwrap_or(Part::LockedOnly)
    }

    /// The files that a component is used in, and how.
    pub fn uses<'a>(&'a self, component: &'a FoundComponent) -> impl Iterator<Item = (&'a IndexedArtifact, &'a InventoryUse)> {
        let artifact = |one: &InventoryUse| self.release.artifacts.get(usize::try_from(one.artifact).ok()?);
        component.detail.uses.iter().filter_map(move |one| Some((artifact(one)?, one)))
    }
}

/// A release as data.
#[derive(Serialize)]
struct ReleaseData<'a> {
    name: &'a str,
    version: &'a str,
    target: &'a str,
    sequence: u64,
    archived: Timestamp,
    record: Sha256,
    supported: Option<bool>,
    supported_until: Option<Timestamp>,
    components: Vec<ComponentData<'a>>,
}

#[derive(Serialize)]
struct ComponentData<'a> {
    purl: &'a str,
    name: &'a str,
    version: &'a str,
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    library: Option<&'a Library>,
    advisories: &'a [String],
    part: Part,
    uses: Vec<UseData<'a>>,
}

#[derive(Serialize)]
struct UseData<'a> {
    artifact: &'a str,
    path: &'a str,
    sha256: Sha256,
    role: Role,
    features: &'a [String],
}

impl<'a> ComponentData<'a> {
    fn new(release: &'a FoundRelease, one: &'a FoundComponent) -> Self {
        let used = |(artifact, one): (&'a IndexedArtifact, &'a InventoryUse)| UseData {
            artifact: &artifact.name,
            path: &artifact.path,
            sha256: artifact.sha256,
            role: one.role,
            features: &one.features,
        };
        Self {
            purl: &one.detail.purl,
            name: &one.key.name,
            version: &one.key.version,
            source: one.key.source.as_deref(),
            library: one.library.as_ref(),
            advisories: &one.advisories,
            part: one.part,
            uses: release.uses(one).map(used).collect(),
        }
    }
}

impl Serialize for FoundRelease {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let IndexedRelease { sequence, name, version, target, archived, record, .. } = self.release.as_ref();
        let data = ReleaseData {
            name,
            version,
            target,
            sequence: *sequence,
            archived: *archived,
            record: *record,
            supported: self.supported,
            supported_until: self.supported_until,
            components: self.components.iter().map(|one| ComponentData::new(self, one)).collect(),
        };
        data.serialize(serializer)
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

/// Joins components, each with the ids of the advisories that it was found by, with their releases; by name, version, target and entry.
#[must_use]
pub fn join(
    found: Vec<(InReleases, Vec<String>)>,
    releases: &Releases,
    supported: &SupportedReleases,
    now: Timestamp,
) -> Vec<FoundRelease> {
    let (components, places) = parts(found);
    let found = |release: &Arc<IndexedRelease>| {
        let first = places.partition_point(|(sequence, _)| *sequence < release.sequence);
        let own = places[first..].iter().take_while(|(sequence, _)| *sequence == release.sequence);
        let components: Vec<_> = own.map(|(_, part)| Arc::clone(&components[*part])).collect();
        (!components.is_empty()).then(|| FoundRelease::new(Arc::clone(release), components, supported, now))
    };
    joined(in_pieces(&in_order(releases), RELEASES_PER_THREAD, |piece| piece.iter().copied().filter_map(found).collect()))
}

/// What is said of the components, sorted by name, version and package URL; and of which releases it is, sorted: the release's entry, and which of
/// them.
fn parts(found: Vec<(InReleases, Vec<String>)>) -> (Vec<Arc<FoundComponent>>, Vec<(u64, usize)>) {
    let mut parts = Vec::new();
    for (InReleases { key, library, places }, advisories) in found {
        for (detail, sequences) in places {
            let part = Part::of(&detail.uses);
            let (key, library, advisories) = (key.clone(), library.clone(), advisories.clone());
            parts.push((FoundComponent { key, library, detail, advisories, part }, sequences));
        }
    }
    fn order(one: &FoundComponent) -> (&str, &str, &str, Option<&Library>) {
        (&one.key.name, &one.key.version, &one.detail.purl, one.library.as_ref())
    }
    parts.sort_by(|(a, _), (b, _)| order(a).cmp(&order(b)));
    let (mut components, mut places) = (Vec::new(), Vec::new());
    for (component, sequences) in parts {
        places.extend(sequences.into_iter().map(|sequence| (sequence, components.len())));
        components.push(Arc::new(component));
    }
    places.sort_unstable();
    (components, places)
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

/// Releases by name, version, target and entry, as they are listed.
#[must_use]
pub fn listed(releases: &Releases, supported: &SupportedReleases, now: Timestamp) -> Vec<ListedRelease> {
    let listed = |release: &IndexedRelease| {
        let (known, until) = support_fields(supported.of(&release.name, &release.version, now));
        ListedRelease {
            sequence: release.sequence,
            name: release.name.to_string(),
            version: release.version.to_string(),
            target: release.target.to_string(),
            archived: release.archived,
            supported: known,
            supported_until: until,
        }
    };
    in_order(releases).into_iter().map(|release| listed(release)).collect()
}

/// Releases by name, version (as cargo compares them), target and entry.
fn in_order(releases: &Releases) -> Vec<&Arc<IndexedRelease>> {
    type Keyed<'a> = (&'a str, Option<semver::Version>, &'a Arc<IndexedRelease>);
    fn keyed(release: &Arc<IndexedRelease>) -> Keyed<'_> {
        (&release.name, release.version.parse().ok(), release)
    }
    fn rest<'a>(one: &'a Keyed<'_>) -> (&'a str, &'a str, u64) {
        (&one.2.version, &one.2.target, one.2.sequence)
    }
    fn order(a: &Keyed<'_>, b: &Keyed<'_>) -> Ordering {
        // Releases share their names: most are of the same one.
        let by_name = if std::ptr::eq(a.0, b.0) { Ordering::Equal } else { a.0.cmp(b.0) };
        by_name.then_with(|| a.1.cmp(&b.1)).then_with(|| rest(a).cmp(&rest(b)))
    }
    let all: Vec<_> = releases.values().collect();
    let sorted = in_pieces(&all, RELEASES_PER_THREAD, |piece| {
        let mut keyed: Vec<Keyed<'_>> = piece.iter().map(|release| keyed(release)).collect();
        keyed.sort_unstable_by(order);
        keyed
    });
    let mut all = joined(sorted);
    // Of pieces that are sorted already it only has to make one.
    all.sort_by(order);
    all.into_iter().map(|(.., release)| release).collect()
}

/// The entries of all releases of these components.
#[must_use]
pub fn sequences<'a>(found: impl IntoIterator<Item = &'a InReleases>) -> BTreeSet<u64> {
    found.into_iter().flat_map(InReleases::releases).collect()
}
