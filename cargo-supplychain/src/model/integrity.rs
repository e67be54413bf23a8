//! Whether the sources that are compiled are those that were checked: the [`Deviation`]s of each package. Evidence only.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::Sha256;

/// Why a package was not compared: it was never fetched. Without a planned build nobody knows whether it would be compiled.
pub const NOT_FETCHED: &str = "its source is not on this machine";

/// Each package (name, version, source as locked) whose source was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntegrityFacts {
    pub packages: BTreeMap<(String, semver::Version, String), Result<Vec<Deviation>, String>>,
    /// Vendored ones that were compared with the list beside them only: their `.crate` is not on this machine.
    pub by_list_only: BTreeSet<(String, semver::Version, String)>,
}

/// One way in which a source is not what the lockfile names. Paths are shown to people: `$CARGO_HOME` is written as such.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deviation {
    /// The `.crate` file has another digest than Cargo.lock and index say.
    CrateChecksum { path: String, expected: Sha256, actual: Sha256 },
    /// A file differs from the one in the `.crate`, or is missing (`actual` is none).
    Tampered { path: String, expected: Sha256, actual: Option<Sha256> },
    /// A file that the `.crate` does not have.
    Extra { path: String },
    /// A link, pipe, device or the like among the sources, or in the archive.
    NotRegular { path: String, what: String },
    /// `.cargo-checksum.json` of a vendored package does not list every file of the `.crate`.
    VendorIncomplete { path: String, missing: Vec<String> },
    /// A vendored file that neither the list nor the `.crate` has.
    VendorExtra { path: String },
    /// A file of a git checkout differs from the commit; no `expected`: the commit has none; no `actual`: it is missing.
    GitTampered { path: String, expected: Option<String>, actual: Option<String> },
    /// It was as it should be before the build and is not after it; or is again (`restored`), but was written to in between.
    ChangedDuringBuild { path: String, restored: bool },
    /// The archive is not one that a registry would have accepted (path, size, kind of an entry).
    Malformed { path: String, why: String },
}

impl Deviation {
    /// The file it is about, as shown to people.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::CrateChecksum { path, .. }
            | Self::Tampered { path, .. }
            | Self::Extra { path }
            | Self::NotRegular { path, .. }
            | Self::VendorIncomplete { path, .. }
            | Self::VendorExtra { path }
            | Self::GitTampered { path, .. }
            | Self::ChangedDuringBuild { path, .. }
            | Self::Malformed { path, .. } => path,
        }
    }
}
