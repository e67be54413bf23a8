//! A release folder as it was read: every path, its digest, and the bytes of what has to be understood.

use std::collections::BTreeMap;

use crate::attest::{RELEASE_MANIFEST, SHA256SUMS};
use crate::base::Sha256;

/// Largest control file (see [`needs_bytes`]) whose bytes are kept; a larger one is rejected.
pub const MAX_CONTROL_BYTES: u64 = 64 * 1024 * 1024;

/// The lockfile of the build, which a rebuild compares with the one of the source.
pub const LOCKFILE: &str = "evidence/Cargo.lock";

/// Whether the bytes of the file have to be understood, not only hashed: `release.json`, `SHA256SUMS`, the bundles, the SBOMs and
/// the lockfile.
#[must_use]
pub fn needs_bytes(path: &str) -> bool {
    path == RELEASE_MANIFEST
        || path == SHA256SUMS
        || path == LOCKFILE
        || (path.starts_with("attestations/") || path.starts_with("sbom/")) && path.ends_with(".json")
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    File(FileEntry),
    Folder,
    /// Not a file of its own; what it is: `symbolic link`, `named pipe`.
    Other(&'static str),
}

/// A regular file. Digest and bytes are of one reading (ARCHITECTURE.md, invariant 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    size: u64,
    sha256: Sha256,
    bytes: Option<Vec<u8>>,
}

impl FileEntry {
    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its digest.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// Its bytes, where they were kept.
    #[must_use]
    pub fn bytes(&self) -> Option<&[u8]> {
        self.bytes.as_deref()
    }
}

/// The folder: paths relative to it, with forward slashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseContents {
    entries: BTreeMap<String, Entry>,
}

impl ReleaseContents {
    /// Adds a file whose bytes are kept; its digest is made here, so that the two cannot differ.
    pub fn insert_bytes(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        let entry = FileEntry { size: bytes.len() as u64, sha256: Sha256::of(&bytes), bytes: Some(bytes) };
        self.entries.insert(path.into(), Entry::File(entry));
    }

    /// Adds a file that was only hashed.
    pub fn insert_digest(&mut self, path: impl Into<String>, size: u64, sha256: Sha256) {
        self.entries.insert(path.into(), Entry::File(FileEntry { size, sha256, bytes: None }));
    }

    /// Adds a folder.
    pub fn insert_folder(&mut self, path: impl Into<String>) {
        self.entries.insert(path.into(), Entry::Folder);
    }

    /// Adds what is neither file nor folder.
    pub fn insert_other(&mut self, path: impl Into<String>, what: &'static str) {
        self.entries.insert(path.into(), Entry::Other(what));
    }

    /// What stands at `path`.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Everything, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_str(), entry))
    }

    #[cfg(test)]
    pub(super) fn remove(&mut self, path: &str) {
        self.entries.remove(path);
    }
}
