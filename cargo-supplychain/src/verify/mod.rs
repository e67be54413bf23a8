//! Layer 2: judging signed releases and files. Pure: bytes and a [`VerificationPolicy`] in, [`Verified`] or [`Rejection`] out;
//! no IO, no environment, no default signer, and no clock of our own (`sigstore.rs` says what
//! the library reads). Nothing inside a release is an anchor (ARCHITECTURE.md, invariant 7):
//! `signer.pub` and `VERIFY.md` of a release are never read here.

mod contents;
mod file;
mod identity;
mod level;
mod log;
mod manifest;
mod pattern;
mod policy;
mod provenance;
mod recipe;
mod rejection;
mod release;
mod rotation;
mod signature;
mod signer;
mod sigstore;
#[cfg(test)]
mod specimen;
#[cfg(test)]
mod tests;
mod timestamp;
mod trust_root;
mod verified;
mod version;

pub use contents::{Entry, FileEntry, LOCKFILE, MAX_CONTROL_BYTES, ReleaseContents, needs_bytes};
pub use file::{BundleFile, FileEvidence, Origin, file, needs_file_bytes, needs_sha512};
pub use identity::{GITHUB_ISSUER, GITLAB_ISSUER, IdentityConditions, IdentityPolicy, InvalidIdentity};
pub use level::{BuildLevel, IsolatedBuilder, MAX_BUILD_LEVEL};
pub use pattern::Pattern;
pub use policy::VerificationPolicy;
pub use provenance::ProvenanceFacts;
pub use recipe::Recipe;
pub use rejection::{Reason, ReasonId, Rejection};
pub use release::{Pending, Unsigned, release, unsigned};
pub use rotation::{Rotated, rotated};
pub use signature::signature;
pub use signer::{LogRecord, SignatureFacts, SignedTime, SignerIdentity, TimeSource};
pub use trust_root::{InvalidTrustRoot, MAX_TRUSTED_ROOT_BYTES, PublicInstance, RootFacts, RootSource, TrustRoots};
pub use verified::{Verified, VerifiedArtifact};
pub use version::{Oldest, UnknownVersion};
