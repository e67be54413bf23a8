//! [`Build`]: what was compiled, from what, by what. Made once by `assemble`, never changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::native::NativeLibrary;
use super::reproduction::Reproduction;
use super::surroundings::{CiRun, Invocation, Source, Toolchain};
use crate::base::{Sha256, Sha512, Timestamp};

/// One build of one workspace: a single `cargo build` invocation, planned or made.
/// Everything refers to components by their package URL, which is unique within a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Build {
    /// Name and version of the release (docs/release-folder.md).
    pub name: String,
    pub version: String,
    pub invocation: Invocation,
    pub source: Source,
    pub toolchain: Toolchain,
    pub ci: Option<CiRun>,
    /// The instant stamped into documents.
    pub stamp: Timestamp,
    /// Every package of Cargo.lock and of the workspace, by package URL.
    pub components: BTreeMap<String, Component>,
    /// What was built, in the order of name and kind.
    pub artifacts: Vec<Artifact>,
    /// Components that Cargo.lock names and that took no part in any artifact, sorted.
    pub resolved_only: Vec<String>,
    /// What evidence could not establish.
    pub gaps: Vec<Gap>,
    /// What a second build gave, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reproduction: Option<Reproduction>,
}

impl Build {
    /// Whether compiler and linker ran, or the build is a plan only.
    #[must_use]
    pub fn is_compiled(&self) -> bool {
        self.artifacts.iter().all(|artifact| artifact.file.is_some())
    }

    /// Whether the component is linked into or helped to build any artifact.
    #[must_use]
    pub fn takes_part(&self, purl: &str) -> bool {
        self.artifacts.iter().any(|artifact| artifact.uses(purl).is_some())
    }
}

/// A package: what `Cargo.lock` and its manifest say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    pub purl: String,
    pub name: String,
    pub version: String,
    pub origin: Origin,
    /// The source that manifests ask for, where `[patch]` puts this package in its place: without credentials, as cargo writes sources
    /// (`registry+https://…`, `git+https://…`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// SHA-256 of the `.crate` file, as locked; only registry packages have one.
    pub checksum: Option<Sha256>,
    /// The manifest's `license`: a declared SPDX expression, as written.
    pub license: Option<String>,
    pub license_file: Option<String>,
    pub authors: Vec<String>,
    pub description: Option<String>,
    pub repository: Option<String>,
    /// The manifest's `links`.
    pub links: Option<String>,
    pub has_build_script: bool,
    pub is_proc_macro: bool,
}

/// Where a package's source came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Origin {
    /// A registry; `index` is its index URL without credentials. `crates_io` is decided by the exact URL.
    Registry { index: String, crates_io: bool },
    /// A git repository at a full commit.
    Git { url: String, rev: String },
    /// A member of the workspace; `path` is relative to the workspace root (`.` for the root package).
    Workspace { path: String },
    /// A folder that is no member; `path` is relative to the workspace root, or absolute where it lies outside.
    Path { path: String },
    /// The configuration replaced the source (`[patch]`, `paths`, source replacement by something not identical): what was
    /// compiled is not what the lockfile names, so no registry identity is claimed.
    Replaced { by: String },
}

/// How a component took part in an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Linked into the artifact.
    Runtime,
    /// Ran at build time: a build dependency or a dependency of one.
    Build,
    /// A procedural macro, or a dependency of one.
    ProcMacro,
    /// Only for tests.
    Test,
}

/// The part of one component in one artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Use {
    pub purl: String,
    pub role: Role,
    /// The features that were on, sorted.
    pub features: Vec<String>,
}

/// What kind of file an artifact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArtifactKind {
    Bin,
    Example,
    Cdylib,
    Dylib,
    Staticlib,
    /// The `.crate` of a library-only package.
    Crate,
    /// Brought in by `[release] artifacts` or `package`: derived from the build by a command of the user's.
    Derived,
}

/// One released file and what it is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Artifact {
    /// The cargo target's name (`rg`), or the file name of a derived artifact. Unique within a build.
    pub name: String,
    pub kind: ArtifactKind,
    /// Package URL of the package that it is a target of; empty for derived artifacts.
    pub package: String,
    /// What is linked into it, its own package included; sorted by package URL.
    pub linked: Vec<Use>,
    /// The host side: build dependencies and proc macros, with their host features; sorted. A component may be in both.
    pub host: Vec<Use>,
    /// Direct dependencies among `linked` and `host`: from → to, sorted.
    pub dependencies: BTreeMap<String, Vec<String>>,
    pub native: Vec<NativeLibrary>,
    /// The file, once it was built.
    pub file: Option<ArtifactFile>,
}

impl Artifact {
    /// Host-side components that are not linked into the artifact as well: what only helped to build it.
    pub fn build_only(&self) -> impl Iterator<Item = &Use> {
        self.host.iter().filter(|host| self.linked.binary_search_by(|linked| linked.purl.cmp(&host.purl)).is_err())
    }

    /// How the component took part, linked first.
    #[must_use]
    pub fn uses(&self, purl: &str) -> Option<&Use> {
        let find = |uses: &'_ [Use]| uses.binary_search_by(|one| one.purl.as_str().cmp(purl)).ok();
        find(&self.linked).map(|at| &self.linked[at]).or_else(|| find(&self.host).map(|at| &self.host[at]))
    }
}

/// The bytes of an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ArtifactFile {
    /// File name within `artifacts/` of the release folder.
    pub name: String,
    pub size: u64,
    pub sha256: Sha256,
    /// For SBOMs, which BSI TR-03183-2 wants it in; nothing here is compared by it.
    pub sha512: Sha512,
}

/// Whether our target folder existed when the build began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetFolder {
    Fresh,
    Reused,
    /// Nothing was compiled.
    Unused,
}

/// Something that evidence could not establish or on which two sources disagree; written into every document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// What it concerns: a package, an artifact, a setting.
    pub subject: String,
    /// What is not known, a fragment.
    pub message: String,
}
