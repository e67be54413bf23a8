//! Layer 1: in-toto statements, DSSE envelopes, Sigstore bundles and public keys: their types, encodings and strict parsers.
//! Pure. Making a signature is `sign`'s, judging one is `verify`'s; neither private keys nor files are ever seen here.

mod attestation;
mod bundle;
mod collection;
mod pending;
mod public_key;
mod sigstore_bundle;
mod statement;
pub mod strict_json;
mod sums;

pub use attestation::{Attestation, AttestedSubject};
pub use bundle::{BUNDLE_MEDIA_TYPE, Bundle, MAX_BUNDLE_BYTES, PAYLOAD_TYPE};
pub use collection::{Collection, MAX_BUNDLES, MAX_COLLECTION_BYTES, collection};
pub use pending::{payload_of, pending_path};
pub use public_key::{InvalidKey, KeyAlgorithm, PublicKey};
pub use sigstore_bundle::{Content, SigstoreBundle};
pub use statement::{MAX_SUBJECTS, Statement, Subject};
pub use sums::sha256sums;

/// SLSA provenance v1.
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
/// A CycloneDX document as predicate (in-toto attestation predicates, "CycloneDX").
pub const CYCLONEDX: &str = "https://cyclonedx.org/bom";
/// An SPDX 2.3 document as predicate (in-toto attestation predicates, "SPDX").
pub const SPDX: &str = "https://spdx.dev/Document/v2.3";
/// Our statement that a key gives way to another one, `docs/key-rotation-v1.md`: its subject is the new public key's file.
pub const KEY_ROTATION: &str = "https://github.com/cargo-supplychain/cargo-supplychain/blob/main/docs/key-rotation-v1.md";
/// Our release statement, `docs/release-statement-v1.md`: its subject is `release.json`.
pub const RELEASE: &str = "https://github.com/cargo-supplychain/cargo-supplychain/blob/main/docs/release-statement-v1.md";

/// Our statement about an exported release, `docs/archive-export-v1.md`: its subject is the file.
pub const ARCHIVE_EXPORT: &str = "https://github.com/cargo-supplychain/cargo-supplychain/blob/main/docs/archive-export-v1.md";

/// The release statement's bundle within a release folder.
pub const RELEASE_BUNDLE: &str = "attestations/release.sigstore.json";
/// The list of a release's files.
pub const RELEASE_MANIFEST: &str = "release.json";
/// The list for `sha256sum -c`.
pub const SHA256SUMS: &str = "SHA256SUMS";

/// Why bytes are no statement or bundle that we accept. Never a verdict on a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Larger than the bound, in bytes.
    TooLarge { what: &'static str, limit: usize },
    /// Not the format; why, a fragment.
    Malformed { what: &'static str, why: String },
    /// The envelope holds something other than an in-toto statement.
    PayloadType(String),
    /// The bundle was signed by a certificate, or carries log entries or timestamps: only a keyless verification can judge it.
    NotKeySigned(&'static str),
}

impl Error {
    pub(crate) fn malformed(what: &'static str, why: impl Into<String>) -> Self {
        Self::Malformed { what, why: why.into() }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { what, limit } => write!(f, "the {what} is larger than {limit} bytes"),
            Self::Malformed { what, why } => write!(f, "not a valid {what}: {}", crate::base::text::plain(why)),
            Self::PayloadType(found) => {
                write!(f, "the payload type is `{}`, expected `{PAYLOAD_TYPE}`", crate::base::text::plain(found))
            }
            Self::NotKeySigned(found) => {
                write!(f, "the bundle carries {found}, which a verification by key cannot judge")
            }
        }
    }
}

impl std::error::Error for Error {}

/// The subject name of a statement about a release's file: its file name, so that the file can be verified alone as well.
#[must_use]
pub fn subject_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
