//! Whom and what a verification accepts.

use serde_json::{Value, json};

use super::{IdentityPolicy, IsolatedBuilder, Oldest, TrustRoots};
use crate::attest::PublicKey;

/// The signer and the conditions. Deliberately without `Default`: whom to trust comes from the caller, always.
#[derive(Debug, Clone)]
pub struct VerificationPolicy {
    pub(super) signer: Signer,
    pub(super) require_fresh_target: bool,
    pub(super) expect_version: Option<String>,
    pub(super) required_predicates: Vec<String>,
    pub(super) build_level: u8,
    pub(super) oldest: Option<Oldest>,
    pub(super) isolated_builders: Vec<IsolatedBuilder>,
}

/// Whose signatures count.
#[derive(Debug, Clone)]
pub(super) enum Signer {
    /// Those of one of these keys. With roots, their bundles may carry log entries and timestamps, which then have to hold.
    Key { keys: Vec<PublicKey>, roots: Option<TrustRoots> },
    /// Those of a certificate under one of the roots, by this identity.
    Identity { identity: Box<IdentityPolicy>, roots: TrustRoots },
}

impl VerificationPolicy {
    /// Accepts what `key` signed. Bundles with log entries or timestamps are rejected, unless [`Self::with_roots`] follows.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        Self::of(Signer::Key { keys: vec![key], roots: None })
    }

    /// Accepts what another key signed as well: one that is no longer used, or not yet. Of a policy about an identity nothing changes.
    #[must_use]
    pub fn or_key(mut self, other: PublicKey) -> Self {
        if let Signer::Key { keys, .. } = &mut self.signer {
            keys.push(other);
        }
        self
    }

    /// Accepts what `identity` signed by a certificate under one of `roots`.
    #[must_use]
    pub fn keyless(identity: IdentityPolicy, roots: TrustRoots) -> Self {
        Self::of(Signer::Identity { identity: Box::new(identity), roots })
    }

    fn of(signer: Signer) -> Self {
        Self {
            signer,
            require_fresh_target: false,
            expect_version: None,
            required_predicates: Vec::new(),
            build_level: 0,
            oldest: None,
            isolated_builders: Vec::new(),
        }
    }

    /// The keys whose signatures count; none: an identity's do.
    #[must_use]
    pub fn keys(&self) -> &[PublicKey] {
        match &self.signer {
            Signer::Key { keys, .. } => keys,
            Signer::Identity { .. } => &[],
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
    /// Refuses an artifact whose evidence supports a lower SLSA build level than this.
    #[must_use]
    pub fn require_build_level(mut self, level: u8) -> Self {
        self.build_level = level;
        self
    }

    /// Refuses what is older than this version, and what does not say which version it is.
    #[must_use]
    pub fn oldest_version(mut self, oldest: Option<Oldest>) -> Self {
        self.oldest = oldest;
        self
    }

    /// Reusable workflows whose signing is out of reach of the builds that call them, besides those that are known.
    #[must_use]
    pub fn isolated_builders(mut self, builders: Vec<IsolatedBuilder>) -> Self {
        self.isolated_builders = builders;
        self
    }

    /// The source repository that the identity names, `https://HOST/PATH`.
    #[must_use]
    pub fn repository(&self) -> Option<&str> {
        match &self.signer {
            Signer::Identity { identity, .. } => identity.repository(),
            Signer::Key { .. } => None,
        }
    }

    /// Signer and conditions in JSON: each policy in one way, so that its digest names it (`docs/vsa.md`). The trusted roots are not part
    /// of it: which one counted stands with each signature.
    #[must_use]
    pub fn describe(&self) -> Value {
        let signer = match &self.signer {
            Signer::Key { keys, .. } => {
                let mut fingerprints: Vec<_> = keys.iter().map(PublicKey::fingerprint).collect();
                fingerprints.sort();
                fingerprints.dedup();
                json!({ "keys": fingerprints })
            }
            Signer::Identity { identity, .. } => identity.describe_all(),
        };
        let mut predicates = self.required_predicates.clone();
        predicates.sort();
        predicates.dedup();
        let mut builders: Vec<_> = self.isolated_builders.iter().map(ToString::to_string).collect();
        builders.sort();
        json!({
            "signer": signer,
            "requirePredicates": predicates,
            "expectVersion": self.expect_version,
            "oldestVersion": self.oldest.as_ref().map(ToString::to_string),
            "requireFreshTarget": self.require_fresh_target,
            "requireBuildLevel": self.build_level,
            "isolatedBuilders": builders,
        })
    }
}
