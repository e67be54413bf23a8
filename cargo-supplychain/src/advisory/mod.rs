//! Layer 1: advisories and their matching with locked packages. Pure: reading a database is `feeds`'.

mod matching;

pub use matching::{applies, applying, first_patched, hits};

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

/// An advisory, as far as the product needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advisory {
    pub id: String,
    pub aliases: Vec<String>,
    pub package: String,
    pub title: String,
    pub kind: Kind,
    /// CVSS vector as written.
    pub cvss: Option<String>,
    /// Base score of the vector in tenths (98 is 9.8); none when there is no vector or it is all zero: "unscored", never low.
    pub score: Option<u32>,
    pub url: Option<String>,
    pub date: String,
    /// The source that the package comes from, where the advisory names one; otherwise crates.io is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Which versions are affected.
    pub versions: rustsec::advisory::Versions,
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
