//! What this machine adds to the words of manifests, lockfile and configuration: where paths really lead, what cargo's copies of git
//! repositories know of a locked revision, which file a program's name stands for. Evidence only; reading it is `collect`'s.

use std::collections::BTreeMap;

use super::lockfile::GitSource;
use super::toolchain_file::ToolchainFile;
use crate::base::Sha256;

/// All of it; what could not be established is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineFacts {
    /// The folder of each manifest, by the manifest's path.
    pub folders: BTreeMap<String, RealFolder>,
    /// Path dependencies, by the manifest's path and the path as written there.
    pub paths: BTreeMap<(String, String), RealFolder>,
    /// Locked git revisions.
    pub revisions: BTreeMap<LockedRevision, Reach>,
    /// Programs that the policy allows to wrap or replace the compiler, by their word without a digest.
    pub programs: BTreeMap<String, Result<Program, String>>,
    /// Toolchain files in folders of members: rustup takes the nearest one.
    pub member_toolchains: Vec<ToolchainFile>,
}

/// Where a folder is when all symbolic links are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealFolder {
    /// Relative to the workspace root where it lies below it (empty: the root itself), else absolute; with forward slashes.
    pub path: String,
    pub in_workspace: bool,
    /// Below the root of the repository around the workspace; without a repository that is the workspace.
    pub in_repository: bool,
}

/// A git package's source: URL, reference as the lockfile writes it (`branch=main`), and the full revision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LockedRevision {
    pub url: String,
    pub reference: Option<String>,
    pub revision: String,
}

impl LockedRevision {
    /// Of a git source with a full revision.
    #[must_use]
    pub fn of(git: &GitSource<'_>) -> Option<Self> {
        let revision = git.rev?.to_lowercase();
        Some(Self { url: git.url.to_owned(), reference: git.reference.map(str::to_owned), revision })
    }
}

/// Whether a revision is on a branch or tag of its repository, as far as cargo's copy knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    Reachable,
    /// Cargo has the commit, and none of what it fetched last leads to it: `fetched` says what that was.
    Unreachable {
        fetched: Fetched,
    },
    /// Why nothing can be said.
    Unknown(String),
}

/// What cargo fetched last from a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// Every branch and tag.
    All,
    /// The branch, tag or `HEAD` that the package is locked by.
    Reference,
}

/// The file that a program's name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Absolute.
    pub path: String,
    pub sha256: Sha256,
}
