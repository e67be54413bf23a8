//! Whom and what a verification accepts.

use super::{IdentityPolicy, TrustRoots};
use crate::attest::PublicKey;

/// The signer and the conditions. Deliberately without `Default`: whom to trust comes from the caller, always.
#[derive(Debug, Clone)]
pub struct VerificationPolicy {
    pub(super) signer: Signer,
    pub(super) require_fresh_target: bool,
    pub(super) expect_version: Option<String>,
    pub(super) required_predicates: Vec<String>,
}

/// Whose signatures count.
#[derive(Debug, Clone)]
pub(super) enum Signer {
    /// This key's. With roots, its bundles may carry log entries and timestamps, which then have to hold.
    Key { key: PublicKey, roots: Option<TrustRoots> },
    /// Those of a certificate under one of the roots, by this identity.
    Identity { identity: Box<IdentityPolicy>, roots: TrustRoots },
}

impl VerificationPolicy {
    /// Accepts what `key` signed. Bundles with log entries or timestamps are rejected, unless [`Self::with_roots`] follows.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        Self::of(Signer::Key { key, roots: None })
    }

    /// Accepts what `identity` signed by a certificate under one of `roots`.
    #[must_use]
    pub fn keyless(identity: IdentityPolicy, roots: TrustRoots) -> Self {
        Self::of(Signer::Identity { identity: Box::new(identity), roots })
    }

    fn of(signer: Signer) -> Self {
        Self { signer, require_fresh_target: false, expect_version: None, required_predicates: Vec::new() }
    }

    /// The key whose signatures count; none: an identity's do.
    #[must_use]
    pub fn key(&self) -> Option<&PublicKey> {
        match &self.signer {
            Signer::Key { key, .. } => Some(key),
            Signer::Identity { .. } => None,
        }
    }

    /// The roots by which it is judged.
    #[must_use]
    pub fn roots(&self) -> Option<&TrustRoots> {
        match &self.signer {
            Signer::Key { roots, .. } => roots.as_ref(),
            Signer::Identity { roots, .. } => Some(roots),
        }
    }

    /// The roots by which the log entries of a key's bundles are judged.
    #[must_use]
    pub fn with_roots(mut self, trusted: TrustRoots) -> Self {
        match &mut self.signer {
            Signer::Key { roots, .. } => *roots = Some(trusted),
            Signer::Identity { roots, .. } => *roots = trusted,
        }
        self
    }

    /// Refuses what was not built in a fresh target folder; not known counts as not fresh.
    #[must_use]
    pub fn require_fresh_target(mut self, required: bool) -> Self {
        self.require_fresh_target = required;
        self
    }

    /// Refuses any other version.
    #[must_use]
    pub fn expect_version(mut self, version: Option<String>) -> Self {
        self.expect_version = version;
        self
    }

    /// Refuses an artifact without a statement of this predicate type (may be called more than once).
    #[must_use]
    pub fn require_predicate(mut self, predicate_type: impl Into<String>) -> Self {
        self.required_predicates.push(predicate_type.into());
        self
    }
}
