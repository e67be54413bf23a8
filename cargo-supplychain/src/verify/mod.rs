//! Layer 2: judging signed releases and files. Pure: bytes and a [`VerificationPolicy`] in, [`Verified`] or [`Rejection`] out;
//! no IO, no clock, no environment, no default signer. Nothing inside a release is an anchor (ARCHITECTURE.md, invariant 7):
//! `signer.pub` and `VERIFY.md` of a release are never read here.

mod contents;
mod file;
mod manifest;
mod policy;
mod provenance;
mod recipe;
mod rejection;
mod release;
mod signature;
#[cfg(test)]
mod specimen;
#[cfg(test)]
mod tests;
mod verified;

pub use contents::{Entry, FileEntry, LOCKFILE, MAX_CONTROL_BYTES, ReleaseContents, needs_bytes};
pub use file::{BundleFile, FileEvidence, file};
pub use policy::VerificationPolicy;
pub use provenance::ProvenanceFacts;
pub use recipe::Recipe;
pub use rejection::{Reason, ReasonId, Rejection};
pub use release::{Pending, Unsigned, release, unsigned};
pub use verified::{Verified, VerifiedArtifact};
