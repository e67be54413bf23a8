//! `Cargo.lock`, formats 1 to 4, with the line of each package. A pure parser of a file that others can write: bounded, no panic.

use serde::Serialize;

use crate::base::Sha256;

/// The exact source strings of crates.io, git protocol and sparse protocol; nothing that merely looks like them is crates.io.
pub const CRATES_IO: [&str; 2] = ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

/// A parsed lockfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lockfile {
    /// As shown to people: relative to the workspace root.
    pub path: String,
    /// Format version, 1 to 4.
    pub version: u32,
    /// In file order.
    pub packages: Vec<LockedPackage>,
    /// Digest of the file's bytes.
    pub sha256: Sha256,
}

/// A `[[package]]` of the lockfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockedPackage {
    pub name: String,
    pub version: semver::Version,
    /// The source as written (`registry+…`, `sparse+…`, `git+…?…#rev`); none for path packages.
    pub source: Option<String>,
    pub checksum: Option<Sha256>,
    /// Indices into [`Lockfile::packages`].
    pub dependencies: Vec<usize>,
    /// Line of its `[[package]]` header, from 1.
    pub line: u32,
}

impl LockedPackage {
    /// Whether it comes from crates.io, by the exact URL.
    #[must_use]
    pub fn is_crates_io(&self) -> bool {
        self.source.as_deref().is_some_and(|source| CRATES_IO.contains(&source))
    }

    /// Whether it comes from a registry of either protocol.
    #[must_use]
    pub fn is_registry(&self) -> bool {
        self.source.as_deref().is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
    }
}
