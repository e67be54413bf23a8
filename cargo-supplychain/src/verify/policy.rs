//! Whom and what a verification accepts.

use crate::attest::PublicKey;

/// The signer and the conditions. Deliberately without `Default`: whom to trust comes from the caller, always.
#[derive(Debug, Clone)]
pub struct VerificationPolicy {
    pub(super) key: PublicKey,
    pub(super) require_fresh_target: bool,
    pub(super) expect_version: Option<String>,
    pub(super) required_predicates: Vec<String>,
}

impl VerificationPolicy {
    /// Accepts what `key` signed.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        Self { key, require_fresh_target: false, expect_version: None, required_predicates: Vec::new() }
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
