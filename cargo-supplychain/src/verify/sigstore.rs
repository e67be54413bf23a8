//! The one place that calls `sigstore-verify`: a bundle, what it is about and the trusted roots in, the facts of the signature out. No type
//! of that library leaves the module. Whom to accept is not judged here but in `identity`, after the cryptography holds.
//!
//! That library reads the clock, for one purpose: times of a log that lie in the future are refused. Nothing else in this layer does.

use std::borrow::Cow;

use sigstore_types::{
    Artifact, ArtifactDigest, Bundle, HashAlgorithm, SignatureContent, TransparencyLogEntry, VerificationMaterialContent,
};
use sigstore_verify::{
    CertificateError, Error, PublicKeyVerificationPolicy, TimestampError, TransparencyLogError, VerificationPolicy,
    VerificationResult,
};

use super::ReasonId;
use super::log::{self, Logged, Verifier};
use super::signer::{LogRecord, SignatureFacts, SignedTime, SignerIdentity, TimeSource};
use super::timestamp;
use super::trust_root::{Root, TrustRoots};
use crate::attest::{PublicKey, SigstoreBundle};
use crate::base::{Sha256, Sha512, Timestamp};

/// What the signature has to be about.
#[derive(Debug, Clone, Copy)]
pub(super) enum About<'a> {
    Sha256(Sha256),
    Sha512(Sha512),
    /// The file itself, for signatures that cannot be judged by a digest.
    Bytes(&'a [u8]),
}

impl<'a> About<'a> {
    fn artifact(self) -> Artifact<'a> {
        let digest = |algorithm, bytes: &[u8]| ArtifactDigest::new(algorithm, bytes).map(Artifact::Digest);
        match self {
            Self::Sha256(sha256) => digest(HashAlgorithm::Sha2256, sha256.as_bytes()).unwrap_or(Artifact::Blob(&[])),
            Self::Sha512(sha512) => digest(HashAlgorithm::Sha2512, sha512.as_bytes()).unwrap_or(Artifact::Blob(&[])),
            Self::Bytes(bytes) => Artifact::Blob(bytes),
        }
    }
}

/// Why a signature was refused: the id and a fragment.
pub(super) type Refusal = (ReasonId, String);

/// Verifies `bundle`, of this path and digest, against one of `roots`: by `key`, else by its certificate.
pub(super) fn verify(
    (path, sha256): (&str, Sha256),
    bundle: &SigstoreBundle,
    about: About<'_>,
    key: Option<&PublicKey>,
    roots: &TrustRoots,
) -> Result<SignatureFacts, Refusal> {
    let mut refusal = None;
    for root in roots.iter().filter(|root| key.is_none() || root.needs_log()) {
        match with_root(bundle, about, key, root) {
            Ok(facts) => return Ok(SignatureFacts { bundle: path.to_owned(), sha256, ..facts }),
            // Of several roots the one that knows the signer's authority has the say.
            Err(found) if refusal.is_none() || !is_foreign(&found) => refusal = Some(found),
            Err(_) => {}
        }
    }
    let none = || (ReasonId::LogInvalid, "no trusted root names a transparency log".to_owned());
    Err(refusal.map_or_else(none, |refusal| refusal.reason))
}

/// A refusal, and whether it may only mean that this root is not the signer's.
struct Found {
    reason: Refusal,
    is_foreign: bool,
}

fn is_foreign(found: &Found) -> bool {
    found.is_foreign
}

impl Found {
    fn own(id: ReasonId, message: impl Into<String>) -> Self {
        Self { reason: (id, message.into()), is_foreign: false }
    }
}

impl From<Error> for Found {
    fn from(error: Error) -> Self {
        let is_foreign = matches!(
            error,
            Error::Certificate(CertificateError::ChainInvalid(_) | CertificateError::NoValidAuthority { .. })
                | Error::TransparencyLog(TransparencyLogError::UnknownLog { .. } | TransparencyLogError::InclusionPromise(_))
                | Error::Timestamp(TimestampError::Invalid(_) | TimestampError::NoVerifiedTimestamp(_))
        );
        Self { reason: (id_of(&error), error.to_string()), is_foreign }
    }
}

fn id_of(error: &Error) -> ReasonId {
    match error {
        Error::SignatureInvalid(_) | Error::Crypto(_) => ReasonId::SignatureInvalid,
        Error::ArtifactMismatch(_) => ReasonId::SubjectDigestMismatch,
        Error::Certificate(CertificateError::Expired { .. } | CertificateError::NotYetValid { .. })
        | Error::Timestamp(_)
        | Error::TransparencyLog(TransparencyLogError::IntegratedTime(_)) => ReasonId::TimeInvalid,
        // The library has no word of its own for a chain that did not count at the time.
        Error::Certificate(CertificateError::ChainInvalid(why))
            if why.contains("CertExpired") || why.contains("CertNotValidYet") =>
        {
            ReasonId::TimeInvalid
        }
        Error::Certificate(CertificateError::Malformed(_)) => ReasonId::Malformed,
        Error::Certificate(CertificateError::Sct(_)) | Error::TransparencyLog(_) => ReasonId::LogInvalid,
        Error::Certificate(_) => ReasonId::SignatureInvalid,
        Error::Bundle(
            sigstore_verify::bundle::Error::UnsupportedMediaType(_)
            | sigstore_verify::bundle::Error::UnsupportedVerificationMaterial
            | sigstore_verify::bundle::Error::CertificateChainNotAllowed(_),
        ) => ReasonId::Malformed,
        Error::Bundle(_) => ReasonId::LogInvalid,
        _ => ReasonId::Malformed,
    }
}

fn with_root(bundle: &SigstoreBundle, about: About<'_>, key: Option<&PublicKey>, root: &Root) -> Result<SignatureFacts, Found> {
    let inner = without_known_issuers(bundle.inner(), root);
    let invalid_log = |why: String| Found::own(ReasonId::LogInvalid, why);
    let result = match key {
        None => by_certificate(&inner, bundle, about, root)?,
        Some(key) => by_key(&inner, bundle, about, key, root)?,
    };
    let entries = &inner.verification_material.tlog_entries;
    // A root without logs cannot say anything of an entry; the bundle was judged by its timestamps.
    if root.needs_log() {
        entries.iter().try_for_each(|entry| log::consistent(entry, root)).map_err(invalid_log)?;
    }
    for stamp in &inner.verification_material.timestamp_verification_data.rfc3161_timestamps {
        timestamp::consistent(stamp.signed_timestamp.as_bytes(), root).map_err(|why| Found::own(ReasonId::TimeInvalid, why))?;
    }
    let times = times(&inner, &result, key.is_some());
    let at: Vec<_> = times.iter().map(|one| one.time.unix()).collect();
    for entry in bundle.dsse_v2() {
        let about = logged(&inner, key).ok_or_else(|| invalid_log("the log entry is of a statement".into()))?;
        log::dsse_v2(entry, &about, root, &at).map_err(invalid_log)?;
    }
    let logged = entries.iter().filter(|_| result.tlog_verified()).chain(bundle.dsse_v2());
    Ok(SignatureFacts {
        bundle: String::new(),
        sha256: Sha256::of(b""),
        key: key.map(PublicKey::fingerprint),
        trusted_root: Some(root.facts.clone()),
        identity: result.certificate().map(identity),
        logs: logged.map(|entry| record(entry, root)).collect(),
        times,
    })
}

fn by_certificate(inner: &Bundle, bundle: &SigstoreBundle, about: About<'_>, root: &Root) -> Result<VerificationResult, Found> {
    let mut policy = VerificationPolicy::any_identity();
    // Entries of the form `dsse` 0.0.2 are judged by `with_root`; one of them satisfies the need for a log as well.
    let only_ours = !bundle.dsse_v2().is_empty() && inner.verification_material.tlog_entries.is_empty();
    if !root.needs_log() || only_ours {
        policy = policy.skip_tlog_unsafe();
    }
    if !root.needs_sct() {
        policy = policy.skip_sct();
    }
    let result = root.verifier.verify(about.artifact(), inner, &policy)?;
    if !result.certificate_verified() || root.needs_sct() != result.sct_verified() {
        return Err(Found::own(ReasonId::SignatureInvalid, "the certificate was not verified"));
    }
    if let VerificationMaterialContent::X509CertificateChain { certificates } = &inner.verification_material.content
        && certificates.len() > 1
    {
        let mut shorter = inner.clone();
        let leaf = certificates[..1].to_vec();
        shorter.verification_material.content = VerificationMaterialContent::X509CertificateChain { certificates: leaf };
        if root.verifier.verify(about.artifact(), &shorter, &policy).is_ok() {
            return Err(Found::own(ReasonId::Malformed, "it carries certificates that no signature needs"));
        }
    }
    Ok(result)
}

fn by_key(
    inner: &Bundle,
    bundle: &SigstoreBundle,
    about: About<'_>,
    key: &PublicKey,
    root: &Root,
) -> Result<VerificationResult, Found> {
    let mut policy = PublicKeyVerificationPolicy::new(key.spki().clone());
    if inner.verification_material.tlog_entries.is_empty() {
        if bundle.dsse_v2().is_empty() {
            return Err(Found::own(ReasonId::LogInvalid, "there is no log entry beside the timestamp"));
        }
        policy = policy.skip_tlog_unsafe();
    }
    Ok(root.verifier.verify(about.artifact(), inner, &policy)?)
}

/// Bundles 0.1 and 0.2 may carry the certificates of the authority beside the signer's. Those that the root holds say nothing new.
fn without_known_issuers<'a>(inner: &'a Bundle, root: &Root) -> Cow<'a, Bundle> {
    let VerificationMaterialContent::X509CertificateChain { certificates } = &inner.verification_material.content else {
        return Cow::Borrowed(inner);
    };
    let known = |index: usize| index > 0 && root.has_certificate(certificates[index].raw_bytes.as_bytes());
    if !(0..certificates.len()).any(known) {
        return Cow::Borrowed(inner);
    }
    let mut left = inner.clone();
    let certificates = certificates.iter().enumerate().filter(|(index, _)| !known(*index)).map(|(_, one)| one.clone());
    left.verification_material.content =
        VerificationMaterialContent::X509CertificateChain { certificates: certificates.collect() };
    Cow::Owned(left)
}

fn logged<'a>(inner: &'a Bundle, key: Option<&'a PublicKey>) -> Option<Logged<'a>> {
    let SignatureContent::DsseEnvelope(envelope) = &inner.content else { return None };
    let verifier = match key {
        Some(key) => Verifier::PublicKey(key.spki().as_bytes()),
        None => Verifier::Certificate(inner.signing_certificate()?.as_bytes()),
    };
    Some(Logged { payload: envelope.payload.as_bytes(), signature: envelope.signature.sig.as_bytes(), verifier })
}

fn record(entry: &TransparencyLogEntry, root: &Root) -> LogRecord {
    let log = root.logs.get(entry.log_id.key_id.as_bytes()).cloned().unwrap_or_default();
    LogRecord { log, index: entry.log_index.get() }
}

/// The library lists the times of both sources in one list: those of timestamp authorities come first with a certificate, last
/// with a key, one for each timestamp in the bundle.
fn times(inner: &Bundle, result: &VerificationResult, by_key: bool) -> Vec<SignedTime> {
    let stamps = inner.verification_material.timestamp_verification_data.rfc3161_timestamps.len();
    let verified = result.verified_timestamps();
    let is_stamp = |index: usize| if by_key { index + stamps >= verified.len() } else { index < stamps };
    let time = |(index, time): (usize, _)| {
        let source = if is_stamp(index) { TimeSource::TimestampAuthority } else { TimeSource::Log };
        Some(SignedTime { time, source })
    };
    let seconds = verified.iter().map(|time| Timestamp::from_unix(time.as_second()));
    seconds.enumerate().filter_map(|(index, time_)| time_.and_then(|value| time((index, value)))).collect()
}

fn identity(certificate: &sigstore_crypto::CertificateInfo) -> SignerIdentity {
    let claims = &certificate.ci_claims;
    let old = &claims.deprecated_github;
    let subject = certificate.identity.as_ref().map(|san| san.as_str().to_owned()).unwrap_or_default();
    // Certificates of before 2023 name the repository by the older extension only.
    let repository = claims.source_repository_uri.clone();
    let old_repository = || old.workflow_repository.as_ref().map(|name| format!("https://github.com/{name}"));
    let is_old_github = certificate.issuer.as_deref() == Some(super::identity::GITHUB_ISSUER);
    SignerIdentity {
        issuer: certificate.issuer.clone().unwrap_or_default(),
        repository: repository.or_else(|| old_repository().filter(|_| is_old_github)),
        repository_id: claims.source_repository_identifier.clone(),
        owner_id: claims.source_repository_owner_identifier.clone(),
        workflow: claims.build_config_uri.clone().filter(|uri| *uri != subject),
        reference: claims.source_repository_ref.clone().or_else(|| old.workflow_ref.clone()),
        commit: claims.source_repository_digest.clone().or_else(|| old.workflow_sha.clone()),
        runner: claims.runner_environment.clone(),
        trigger: claims.build_trigger.clone().or_else(|| old.workflow_trigger.clone()),
        run: claims.run_invocation_uri.clone(),
        subject,
    }
}
