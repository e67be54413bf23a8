//! What the registry index says of the locked versions, and the pure parser of its lines. Reading is `collect::index`'s.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::registry::{DependencyKind, Release, ReleaseDependency};
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
    /// Whether these are the registry's words of now (a snapshot), not a cache that may be older than the lockfile: only then what is
    /// not there was removed.
    pub is_current: bool,
    pub versions: BTreeMap<(String, semver::Version, String), Result<IndexVersion, IndexGap>>,
}

/// The fields of an index line that are looked at (the Cargo book, "Registry Index"; `pubtime` since 2026).
#[derive(Deserialize)]
struct Line<'l> {
    #[serde(borrow)]
    vers: Cow<'l, str>,
    #[serde(borrow)]
    cksum: Cow<'l, str>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(default, borrow)]
    pubtime: Option<Cow<'l, str>>,
}

/// A line of which version, checksum, yanked and time are wanted. `version` is what it has to be of.
pub fn parse_line(line: &[u8], version: &[u8]) -> Result<IndexVersion, IndexGap> {
    let unreadable = |why: &str| IndexGap::Unreadable(why.to_owned());
    let line: Line<'_> = serde_json::from_slice(line).map_err(|_| unreadable("its line is not an index line"))?;
    if line.vers.as_bytes() != version {
        return Err(unreadable("its line is of another version"));
    }
    let checksum = line.cksum.parse::<Sha256>().map_err(|_| unreadable("its checksum is not a sha256 digest"))?;
    Ok(IndexVersion {
        checksum,
        yanked: line.yanked.unwrap_or(false),
        published: line.pubtime.and_then(|time| time.parse().ok()),
    })
}

/// A whole line of the index.
#[derive(Deserialize)]
struct FullLine<'l> {
    #[serde(borrow)]
    vers: Cow<'l, str>,
    #[serde(borrow)]
    cksum: Cow<'l, str>,
    #[serde(default)]
    yanked: Option<bool>,
    #[serde(default, borrow)]
    pubtime: Option<Cow<'l, str>>,
    #[serde(default)]
    deps: Vec<Dependency>,
    #[serde(default)]
    links: Option<String>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    target: Option<String>,
    #[serde(default)]
    kind: Option<DependencyKind>,
    #[serde(default)]
    registry: Option<String>,
    #[serde(default)]
    package: Option<String>,
}

/// A whole line of the index, dependencies included.
pub fn parse_release(line: &[u8]) -> Result<Release, IndexGap> {
    let unreadable = |why: &str| IndexGap::Unreadable(why.to_owned());
    let line: FullLine<'_> = serde_json::from_slice(line).map_err(|_| unreadable("a line is not an index line"))?;
    let dependency = |one: Dependency| ReleaseDependency {
        name: one.package.unwrap_or(one.name),
        kind: one.kind.unwrap_or(DependencyKind::Normal),
        optional: one.optional,
        requirement: one.req,
        registry: one.registry,
        target: one.target,
    };
    Ok(Release {
        version: line.vers.parse().map_err(|_| unreadable("a line has a version that is none"))?,
        checksum: line.cksum.parse().map_err(|_| unreadable("a line has a checksum that is not a sha256 digest"))?,
        yanked: line.yanked.unwrap_or(false),
        published: line.pubtime.and_then(|time| time.parse().ok()),
        dependencies: line.deps.into_iter().map(dependency).collect(),
        links: line.links,
    })
}
