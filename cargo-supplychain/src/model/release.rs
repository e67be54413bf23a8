//! `release.json`: the list of a release folder's files (docs/release-folder.md).

use serde::{Deserialize, Serialize};

use crate::base::{Sha256, Timestamp};

/// Version of the form of [`ReleaseManifest`]; its schema is `cargo-supplychain/schemas/release-1.json`.
pub const FORMAT_VERSION: u32 = 1;

/// The content of `release.json`. Lists every file of the folder except itself, `SHA256SUMS` and `attestations/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseManifest {
    pub format_version: u32,
    pub name: String,
    pub version: String,
    pub target: String,
    pub created: Timestamp,
    pub tool: String,
    /// Whether attestations were signed: `signed`, `unsigned` (`--no-sign`) or `pending`.
    pub signing: Signing,
    /// Sorted by path.
    pub files: Vec<ReleaseFile>,
    /// The statements of `attestations/`, `release.sigstore.json` excepted: what each says, so that none can be left out.
    pub statements: Vec<StatementRef>,
}

/// How the release's statements stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signing {
    Signed,
    Pending,
    Unsigned,
}

/// What a file of a release is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileRole {
    Artifact,
    Sbom,
    Report,
    Evidence,
    Notice,
    Guide,
}

/// A file of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseFile {
    /// Relative to the folder, forward slashes, no `.` or `..` parts.
    pub path: String,
    pub role: FileRole,
    pub media_type: String,
    pub size: u64,
    pub sha256: Sha256,
}

/// An in-toto statement that the release has to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementRef {
    /// The bundle's path: `attestations/rg.provenance.sigstore.json`.
    pub path: String,
    pub predicate_type: String,
    /// Path of the subject within the release.
    pub subject: String,
    /// SHA-256 of the statement's bytes (the DSSE payload).
    pub sha256: Sha256,
}
