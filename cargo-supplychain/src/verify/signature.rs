//! From a bundle's bytes to what the policy's signer signed. A statement counts only after its signature holds.

use super::policy::Signer;
use super::signer::SignatureFacts;
use super::sigstore::{self, About};
use super::{Reason, ReasonId, Rejection, VerificationPolicy};
use crate::attest::{Attestation, Bundle, Content, Error, PublicKey, SigstoreBundle};
use crate::base::Sha256;

/// What was signed, with its signature verified and its signer accepted.
#[derive(Debug)]
pub(super) struct Authentic {
    pub(super) facts: SignatureFacts,
    /// The statement's bytes (the DSSE payload); `None` where the signature is over a file itself.
    pub(super) payload: Option<Vec<u8>>,
    /// The statement, where it was read on the way.
    pub(super) statement: Option<Attestation>,
}

impl Authentic {
    /// Digest of the statement's bytes.
    pub(super) fn sha256(&self) -> Sha256 {
        Sha256::of(self.payload.as_deref().unwrap_or_default())
    }

    /// Who signed: the key's fingerprint, or the certificate's subject.
    pub(super) fn signer(&self, policy: &VerificationPolicy) -> String {
        signer(&self.facts, policy)
    }
}

/// The name of a signature's signer.
pub(super) fn signer(facts: &SignatureFacts, policy: &VerificationPolicy) -> String {
    match (&facts.identity, &policy.signer) {
        (Some(identity), _) => identity.subject.clone(),
        (None, Signer::Key { .. }) => facts.key.clone().unwrap_or_default(),
        (None, Signer::Identity { identity, .. }) => identity.describe(),
    }
}

/// Verifies one bundle on its own, by whom its signature is and that it holds, as every verification does before it looks at what was
/// signed. `sha256` is the digest of the file, where the signature is over a file's bytes.
///
/// # Errors
/// Why it is rejected.
pub fn signature(path: &str, bytes: &[u8], policy: &VerificationPolicy, sha256: Sha256) -> Result<SignatureFacts, Rejection> {
    let authentic = authenticate(path, bytes, policy, Some(About::Sha256(sha256)));
    authentic.map(|authentic| authentic.facts).map_err(Rejection::from)
}

/// Verifies the bundle at `path`. `message` is what a signature over a file itself has to be about; without it such bundles
/// are rejected.
pub(super) fn authenticate(
    path: &str,
    bytes: &[u8],
    policy: &VerificationPolicy,
    message: Option<About<'_>>,
) -> Result<Authentic, Vec<Reason>> {
    let reject = |(id, why): (ReasonId, String)| vec![Reason::new(id, path, why)];
    let bundle = SigstoreBundle::parse(bytes).map_err(|error| reject((id_of(&error), error.to_string())))?;
    let place = (path, Sha256::of(bytes));
    match &policy.signer {
        Signer::Key { keys, roots } => by_key(place, &bundle, keys, roots.as_ref(), message).map_err(reject),
        Signer::Identity { identity, roots } => {
            if !bundle.is_keyless() {
                let why = format!("it was signed by a key, expected {}", identity.describe());
                return Err(reject((ReasonId::WrongSigner, why)));
            }
            let (about, statement) = about(&bundle, message).map_err(reject)?;
            let facts = sigstore::verify(place, &bundle, about, None, roots).map_err(reject)?;
            let Some(signer) = &facts.identity else {
                return Err(reject((ReasonId::WrongSigner, "its certificate names nobody".into())));
            };
            match identity.judge(path, signer) {
                reasons if reasons.is_empty() => Ok(Authentic { facts, payload: payload(&bundle), statement }),
                reasons => Err(reasons),
            }
        }
    }
}

fn by_key(
    (path, sha256): (&str, Sha256),
    bundle: &SigstoreBundle,
    keys: &[PublicKey],
    roots: Option<&super::TrustRoots>,
    message: Option<About<'_>>,
) -> Result<Authentic, (ReasonId, String)> {
    let not_by_key = |found| {
        let error = Error::NotKeySigned(found);
        Err((id_of(&error), error.to_string()))
    };
    let Some(hint) = bundle.hint() else { return not_by_key("a certificate") };
    let Some(key) = keys.iter().find(|key| key.hint() == hint) else {
        let expected: Vec<_> = keys.iter().map(PublicKey::fingerprint).collect();
        return Err((ReasonId::WrongSigner, format!("it was signed by another key than {}", expected.join(" or "))));
    };
    let (facts, statement) = match (bundle.plain(), roots) {
        (Some(plain), _) => {
            let plain = plain.map_err(|error| (id_of(&error), error.to_string()))?;
            if !key.verifies(&Bundle::to_be_signed(&plain.payload), &plain.signature) {
                return Err((ReasonId::SignatureInvalid, format!("its signature is not by the key {}", key.fingerprint())));
            }
            let (bundle, key) = (path.to_owned(), Some(key.fingerprint()));
            (
                SignatureFacts { bundle, sha256, key, trusted_root: None, identity: None, logs: Vec::new(), times: Vec::new() },
                None,
            )
        }
        (None, None) => return not_by_key("log entries or timestamps"),
        (None, Some(roots)) => {
            let (about, statement) = about(bundle, message)?;
            (sigstore::verify((path, sha256), bundle, about, Some(key), roots)?, statement)
        }
    };
    Ok(Authentic { facts, payload: payload(bundle), statement })
}

fn payload(bundle: &SigstoreBundle) -> Option<Vec<u8>> {
    match bundle.content() {
        Content::Statement(bytes) => Some(bytes.to_vec()),
        Content::Message => None,
    }
}

/// What the library is to compare the signature with. For a statement any digest of its own will do: which file it has to be
/// about is judged by our caller, who knows it.
fn about<'a>(
    bundle: &SigstoreBundle,
    message: Option<About<'a>>,
) -> Result<(About<'a>, Option<Attestation>), (ReasonId, String)> {
    let Content::Statement(payload) = bundle.content() else {
        let message = message.ok_or_else(|| (ReasonId::Malformed, "its signature is not over a statement".to_owned()));
        return Ok((message?, None));
    };
    let statement = Attestation::parse(payload).map_err(|error| (id_of(&error), error.to_string()))?;
    let digest =
        statement.subjects.iter().find_map(|subject| subject.sha256.map(About::Sha256).or(subject.sha512.map(About::Sha512)));
    let digest = digest.ok_or_else(|| (ReasonId::Malformed, "no subject has a digest".to_owned()))?;
    Ok((digest, Some(statement)))
}

pub(super) fn id_of(error: &Error) -> ReasonId {
    match error {
        Error::TooLarge { .. } | Error::Malformed { .. } => ReasonId::Malformed,
        Error::PayloadType(_) => ReasonId::PayloadType,
        Error::NotKeySigned("a certificate") => ReasonId::WrongSigner,
        Error::NotKeySigned(_) => ReasonId::LogInvalid,
    }
}
