//! What registries say of crates: every release in the index ([`History`]), and owners and publishers from the registry's API
//! ([`CrateRecord`]). Evidence only; what it means is `check`'s, how it is had `collect::index`'s and `feeds::crates_io`'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::index::IndexGap;
use crate::base::{Sha256, Timestamp};

/// A crate of a registry: name, and the source as the lockfile writes it ([`crate::model::lockfile::CRATES_IO`] both map to the
/// first of them).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CrateKey {
    pub name: String,
    pub source: String,
}

/// All that registries said, as far as it was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registry {
    /// The whole index entry of crates whose releases are judged (what changed, and what that brings in).
    pub histories: BTreeMap<CrateKey, Result<History, IndexGap>>,
    /// The API's answer; a crate that was not asked about is not there.
    pub records: BTreeMap<CrateKey, Result<CrateRecord, NoRecord>>,
    /// Why the API was not asked at all, with what to do: `--offline`, no baseline.
    pub not_asked: Option<NotAsked>,
}

/// Why no owners and publishers were looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAsked {
    pub why: String,
    pub help: String,
}

/// The index entry of a crate: its releases in the order of the file, which is that of publication.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    pub releases: Vec<Release>,
}

/// One line of the index (the Cargo book, "Registry Index"; `pubtime` since 2026).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Release {
    pub version: semver::Version,
    pub checksum: Sha256,
    pub yanked: bool,
    pub published: Option<Timestamp>,
    pub dependencies: Vec<ReleaseDependency>,
    /// The manifest's `links`.
    pub links: Option<String>,
}

/// A dependency of a release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReleaseDependency {
    /// The package's name, not what it was renamed to.
    pub name: String,
    pub kind: DependencyKind,
    pub optional: bool,
    pub requirement: String,
    /// Index URL of another registry; `None`: the same one.
    pub registry: Option<String>,
    /// `cfg(…)` or a triple.
    pub target: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DependencyKind {
    Normal,
    Build,
    Dev,
}

impl History {
    #[must_use]
    pub fn release(&self, version: &semver::Version) -> Option<&Release> {
        self.releases.iter().find(|release| release.version == *version)
    }

    /// When the crate appeared: the earliest publication; `None` when the first line has no time.
    #[must_use]
    pub fn first_published(&self) -> Option<Timestamp> {
        self.releases.first()?.published?;
        self.releases.iter().filter_map(|release| release.published).min()
    }

    /// The release that `version` followed: the greatest smaller version that was published before it (pre-releases only before
    /// pre-releases). `None` for the first one.
    #[must_use]
    pub fn predecessor(&self, version: &semver::Version) -> Option<&Release> {
        let own = self.release(version)?;
        let earlier = |release: &&Release| match (release.published, own.published) {
            (Some(theirs), Some(own)) => theirs <= own,
            _ => true,
        };
        let comparable = |release: &&Release| release.version.pre.is_empty() || !version.pre.is_empty();
        let smaller = self.releases.iter().filter(|release| release.version < *version);
        smaller.filter(comparable).filter(earlier).max_by(|a, b| a.version.cmp(&b.version))
    }
}

/// What the API of a registry says of a crate (crates.io: `GET /api/v1/crates/{n}`, `/{n}/owners`, `/{n}/versions`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrateRecord {
    pub repository: Option<String>,
    /// Whether the crate accepts releases by trusted publishing only, where the API says so.
    pub trusted_publishing_only: Option<bool>,
    /// Sorted by (kind, id); `None` when the API did not answer for them.
    pub owners: Option<Vec<Owner>>,
    /// By version; a version that the API does not list is not there.
    pub versions: BTreeMap<semver::Version, PublishedVersion>,
}

/// Why there is no record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRecord {
    /// 404 of the API, and of the index as well: the crate is gone.
    Gone,
    /// 404 of the API alone, while the index has the crate.
    NotFound,
    /// The registry has no such API, did not answer, or answered what cannot be read: why.
    Unknown(String),
}

/// An owner of a crate. Ids of users and teams are numbered apart: the key is the pair.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    pub kind: OwnerKind,
    pub id: u64,
    pub login: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OwnerKind {
    User,
    Team,
}

impl Owner {
    /// What identifies it: logins change hands.
    #[must_use]
    pub fn key(&self) -> (OwnerKind, u64) {
        (self.kind, self.id)
    }
}

impl std::fmt::Display for Owner {
    /// `user alice (42)`, `team github:org:team (1)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            OwnerKind::User => "user",
            OwnerKind::Team => "team",
        };
        write!(f, "{kind} {} ({})", self.login, self.id)
    }
}

/// What the API says of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedVersion {
    pub publisher: Publisher,
    pub published: Option<Timestamp>,
    /// `repository` of this version's manifest, where the API has it by version.
    pub repository: Option<String>,
    pub yanked: bool,
    pub actions: Vec<AuditAction>,
}

/// Who published a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Publisher {
    /// A person, by an API token.
    User(Account),
    /// A workflow, by trusted publishing: `github`, `org/repo`.
    Trusted { provider: String, repository: String },
    /// The registry does not say.
    Unknown,
}

/// A user's account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Account {
    pub id: u64,
    pub login: String,
    pub created: Option<Timestamp>,
}

/// `audit_actions` of a version: publish, yank, unyank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditAction {
    pub action: String,
    pub user: Option<u64>,
    pub time: Timestamp,
}
