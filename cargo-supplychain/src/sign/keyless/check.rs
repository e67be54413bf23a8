//! A bundle is judged before anybody gets it, as a stranger would judge it: by the trust root alone. What services answer is believed
//! nowhere else.

use sigstore_types::{ArtifactDigest, Bundle, Sha256Hash};
use sigstore_verify::trust_root::{SigstoreInstance, TrustedRoot};
use sigstore_verify::{VerificationPolicy, Verifier};

use super::token::Expected;
use crate::attest::strict_json;
use crate::base::Sha256;
use crate::base::text::plain;
use crate::verify::{self, IdentityConditions, IdentityPolicy, Rejection, TrustRoots};

/// More than any trust root needs.
pub const MAX_ROOT_BYTES: u64 = 4 << 20;

/// The beginning of a trust root's media type, before its version.
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// The authorities that a bundle is judged by.
pub struct TrustRoot {
    verifier: Verifier,
    /// Whether it knows certificate logs: where it does, a certificate has to be in one.
    has_certificate_logs: bool,
    /// The same root, as `verify` reads it.
    roots: TrustRoots,
    json: Vec<u8>,
}

impl TrustRoot {
    /// Reads a `trusted_root.json` (`sigstore_trustroot.proto`, `TrustedRoot` v0.1 or v0.2).
    ///
    /// # Errors
    /// Why it is none, a fragment.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let shown = |error: &dyn std::fmt::Display| plain(&error.to_string()).into_owned();
        let value = strict_json::parse(bytes).map_err(|error| shown(&error))?;
        // The library takes any object for a root without authorities.
        let kind = value.get("mediaType").and_then(serde_json::Value::as_str).unwrap_or_default();
        if !kind.starts_with(MEDIA_TYPE) {
            return Err(format!("its `mediaType` is not {MEDIA_TYPE}"));
        }
        let root = TrustedRoot::from_json(&value.to_string()).map_err(|error| shown(&error))?;
        // Another document of the same family reads as one with nothing in it.
        if root.certificate_authorities.is_empty() {
            return Err("it names no certificate authority".to_owned());
        }
        let verifier = Verifier::new(&root).map_err(|error| shown(&error))?;
        let roots = TrustRoots::parse("the trusted root", bytes).map_err(|error| error.to_string())?;
        Ok(Self { roots, verifier, has_certificate_logs: !root.ctlogs.is_empty(), json: bytes.to_vec() })
    }

    /// That of the public good instance, embedded.
    ///
    /// # Errors
    /// It cannot be read: our bug.
    pub fn public_good() -> Result<Self, String> {
        Self::parse(SigstoreInstance::PublicGood.embedded_trusted_root_json().as_bytes())
    }

    /// Its bytes, to be kept beside what it judged.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.json
    }
}

/// Whom a certificate names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The subject alternative name: a workflow's URL, an e-mail address.
    pub name: String,
    /// Who vouched for it.
    pub issuer: String,
}

/// What a bundle has to be.
pub(super) struct Wanted<'a> {
    pub(super) issuer: &'a str,
    pub(super) identity: &'a Expected,
    /// Whether a log was asked.
    pub(super) logged: bool,
    /// The digest that it is about: a blob's, or a statement's subject's.
    pub(super) subject: Sha256Hash,
}

/// Judges the bytes of a bundle; whom it names.
pub(super) fn check(bytes: &[u8], wanted: &Wanted<'_>, root: &TrustRoot) -> Result<Identity, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let bundle = Bundle::from_json(text).map_err(|error| plain(&error.to_string()).into_owned())?;
    let mut policy = VerificationPolicy::any_identity().require_issuer(wanted.issuer);
    if !wanted.logged {
        policy = policy.skip_tlog_unsafe();
    }
    if !root.has_certificate_logs {
        policy = policy.skip_sct();
    }
    let result = root.verifier.verify(ArtifactDigest::sha256(wanted.subject), &bundle, &policy);
    let result = result.map_err(|error| plain(&error.to_string()).into_owned())?;
    let name = result.identity().map(|name| name.as_str().to_owned()).unwrap_or_default();
    if !result.certificate_verified() || (wanted.logged && !result.tlog_verified()) {
        return Err("its certificate or log entry was not proved".to_owned());
    }
    if !wanted.identity.is_met(&name) {
        return Err(format!("its certificate names {}, not who asked", plain(&name)));
    }
    // The library is content with more than `verify` is.
    let issuer = wanted.issuer.to_owned();
    let conditions =
        IdentityConditions { identity: Some(name.clone()), issuer: Some(issuer.clone()), ..IdentityConditions::default() };
    let identity = IdentityPolicy::new(&conditions).map_err(|error| error.to_string())?;
    let policy = verify::VerificationPolicy::keyless(identity, root.roots.clone());
    let subject = Sha256::from(*wanted.subject.as_bytes());
    verify::signature("the bundle", bytes, &policy, subject).map_err(|rejection| reasons(&rejection))?;
    Ok(Identity { name, issuer })
}

fn reasons(rejection: &Rejection) -> String {
    let reasons: Vec<_> = rejection.reasons().iter().map(|reason| plain(&reason.message).into_owned()).collect();
    reasons.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_root_is_read_and_others_are_refused() {
        let root = TrustRoot::public_good().unwrap();
        assert!(root.has_certificate_logs);
        let text = std::str::from_utf8(root.json()).unwrap();
        assert!(TrustRoot::parse(text.replacen("\"tlogs\"", "\"tlogs\": [], \"tlogs\"", 1).as_bytes()).is_err());
        assert!(TrustRoot::parse(b"{}").is_err());
        assert!(TrustRoot::parse(b"[]").is_err());
    }
}
