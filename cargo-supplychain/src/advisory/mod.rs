//! Layer 1: advisories and their matching with locked packages. Pure: reading a database is `feeds`'.

mod affects;
mod matching;
mod merge;
pub mod native;
pub mod rating;
pub mod signals;
pub mod triage;

pub use affects::Affects;
pub use matching::{applies, applying, first_patched, hits};
pub use rating::Rating;
pub use signals::Signals;

use serde::{Deserialize, Serialize};

use crate::base::{Sha256, Timestamp};

/// Which database, of which day: recorded in every release (`evidence/feeds.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedInfo {
    pub name: String,
    /// Where it came from, without credentials; a folder is named by its last part only.
    pub origin: String,
    /// Commit, where it is a git repository.
    pub revision: Option<String>,
    /// Date of the newest commit, or of the newest advisory of a plain folder.
    pub date: Option<Timestamp>,
    /// Digest over the (path, digest) pairs of its files.
    pub sha256: Sha256,
    pub entries: usize,
}

impl FeedInfo {
    /// Whether it is the RustSec database: the one whose going back in time makes findings vanish.
    #[must_use]
    pub fn is_rustsec(&self) -> bool {
        self.name == RUSTSEC
    }
}

/// The name of the RustSec database in [`FeedInfo::name`].
pub const RUSTSEC: &str = "RustSec";

/// What kind of notice an advisory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Vulnerability,
    Malicious,
    Unsound,
    Unmaintained,
    Notice,
}

impl Kind {
    /// Whether another version of the crate can be without it: nobody maintains any version of an unmaintained one.
    #[must_use]
    pub fn is_fixed_by_update(self) -> bool {
        matches!(self, Self::Vulnerability | Self::Malicious | Self::Unsound)
    }
}

/// An advisory, as far as the product needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    pub id: String,
    pub aliases: Vec<String>,
    pub package: String,
    pub title: String,
    pub kind: Kind,
    /// CVSS vectors, the source that counts first.
    pub ratings: Vec<Rating>,
    pub url: Option<String>,
    pub date: String,
    /// The source that the package comes from, where the advisory names one; otherwise crates.io is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Where in the crate it is, and on which systems.
    #[serde(default, skip_serializing_if = "Affects::is_empty")]
    pub affects: Affects,
    /// Which versions are affected.
    pub versions: rustsec::advisory::Versions,
}

impl Advisory {
    /// The rating that counts; none: unscored.
    #[must_use]
    pub fn rating(&self) -> Option<&Rating> {
        rating::deciding(&self.ratings)
    }

    /// All ids that it is known by, its own first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id).chain(&self.aliases).map(String::as_str)
    }
}

/// Advisories by package name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdvisoryDatabase {
    pub info: FeedInfo,
    /// Withdrawn ones are left out, and those of packages that the caller did not ask for. Sorted by package, then id.
    pub advisories: Vec<Advisory>,
}

impl AdvisoryDatabase {
    /// The packages that it has advisories of, each once, sorted.
    pub fn packages(&self) -> impl Iterator<Item = &str> {
        self.advisories.chunk_by(|a, b| a.package == b.package).filter_map(|of_one| Some(of_one.first()?.package.as_str()))
    }
}

/// An advisory that applies to a locked version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub advisory: Advisory,
    /// Index into [`crate::model::Lockfile::packages`].
    pub package: usize,
}
