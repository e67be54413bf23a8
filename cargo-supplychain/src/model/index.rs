//! What the registry index says of the locked versions: checksum and yanked, from the cache that cargo keeps.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::{Sha256, Timestamp};

/// The index line of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct IndexVersion {
    pub checksum: Sha256,
    pub yanked: bool,
    /// When it was published, where the registry says so.
    pub published: Option<Timestamp>,
}

/// Why the index has no line for a locked registry package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum IndexGap {
    /// Cargo's cache has no entry of this crate (never resolved on this machine, or another protocol).
    NotCached,
    /// The cached entry has no such version.
    NoSuchVersion,
    /// The cached entry could not be read.
    Unreadable(String),
}

/// Index facts by (name, version, source as locked).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexFacts {
    pub versions: BTreeMap<(String, semver::Version, String), Result<IndexVersion, IndexGap>>,
}
