//! A Sigstore bundle of anybody's (<https://github.com/sigstore/protobuf-specs>, `sigstore_bundle.proto`), versions 0.1 to 0.3, signed by a
//! certificate or a key, over a DSSE envelope or a message. The reader of `sigstore-types` skips what it does not know and takes
//! one of two readings where there are two, so that the structure is looked at here first: no key twice, nothing unknown,
//! exactly one content, one signature, canonical base64, numbers within range, bounded lists.

use serde_json::{Map, Value};
use sigstore_types::{MediaType, PayloadBytes, SignatureContent, TransparencyLogEntry, VerificationMaterialContent};

use super::bundle::{BUNDLE_MEDIA_TYPE, Bundle, MAX_BUNDLE_BYTES, PAYLOAD_TYPE};
use super::{Error, strict_json};
use crate::base::Sha256;

const WHAT: &str = "Sigstore bundle";
/// Most values of a bundle's own JSON; a real one has about a hundred.
const MAX_VALUES: usize = 10_000;
/// Most log entries, timestamps and certificates; real ones have one or two.
const MAX_ENTRIES: usize = 16;
/// Longest inclusion proof: a tree of 2^64 leaves.
const MAX_HASHES: usize = 64;
/// Longest checkpoint with the signatures of witnesses, in bytes.
const MAX_CHECKPOINT: usize = 64 * 1024;

/// What a bundle's signature is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content<'a> {
    /// The statement's bytes (the payload of a DSSE envelope of type [`PAYLOAD_TYPE`]).
    Statement(&'a [u8]),
    /// A file itself; the bundle may name its digest, which proves nothing before the signature holds.
    Message,
}

/// A bundle of sound structure. Nothing in it is to be believed before the signature was verified.
#[derive(Debug, Clone, PartialEq)]
pub struct SigstoreBundle {
    inner: sigstore_types::Bundle,
    /// Log entries of the form `dsse` 0.0.2 (Rekor v2), which `sigstore-types` cannot hold: kept beside the others.
    dsse_v2: Vec<TransparencyLogEntry>,
}

impl SigstoreBundle {
    /// Reads a bundle strictly.
    ///
    /// # Errors
    /// Why the bytes are not such a bundle.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(Error::TooLarge { what: WHAT, limit: MAX_BUNDLE_BYTES });
        }
        let mut value = strict_json::parse_within(bytes, MAX_VALUES).map_err(|error| malformed(error.to_string()))?;
        let is_keyless = check(&value)?;
        drop_nulls(&mut value);
        let dsse_v2 = take_dsse_v2(&mut value)?;
        let inner: sigstore_types::Bundle = serde_json::from_value(value).map_err(|error| malformed(error.to_string()))?;
        if let SignatureContent::DsseEnvelope(envelope) = &inner.content {
            if envelope.payload_type != PAYLOAD_TYPE {
                return Err(Error::PayloadType(envelope.payload_type.clone()));
            }
            if is_keyless && !envelope.signature.keyid.is_empty() {
                return Err(malformed("`keyid` names a key, and it is signed by a certificate"));
            }
        }
        Ok(Self { inner, dsse_v2 })
    }

    /// What was signed.
    #[must_use]
    pub fn content(&self) -> Content<'_> {
        match &self.inner.content {
            SignatureContent::DsseEnvelope(envelope) => Content::Statement(envelope.payload.as_bytes()),
            _ => Content::Message,
        }
    }

    /// Whether a certificate signed it, not a key.
    #[must_use]
    pub fn is_keyless(&self) -> bool {
        !matches!(self.inner.verification_material.content, VerificationMaterialContent::PublicKey(_))
    }

    /// The signer's name for their key, where a key signed.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match &self.inner.verification_material.content {
            VerificationMaterialContent::PublicKey(key) => Some(&key.hint),
            _ => None,
        }
    }

    /// How many log entries and timestamps it carries.
    #[must_use]
    pub fn evidence(&self) -> (usize, usize) {
        let material = &self.inner.verification_material;
        let stamps = material.timestamp_verification_data.rfc3161_timestamps.len();
        (material.tlog_entries.len() + self.dsse_v2.len(), stamps)
    }

    /// The bundle as a plain one of a key over a statement, as [`Bundle::parse`] reads it; `None` when it is signed by a
    /// certificate, or carries log entries or timestamps.
    #[must_use]
    pub fn plain(&self) -> Option<Result<Bundle, Error>> {
        let hint = self.hint()?;
        if self.evidence() != (0, 0) {
            return None;
        }
        let SignatureContent::DsseEnvelope(envelope) = &self.inner.content else {
            return Some(Err(malformed("a message that a key signed without a log entry: only statements are accepted so")));
        };
        let keyid = envelope.signature.keyid.as_str();
        if self.inner.media_type != MediaType::Bundle0_3 {
            return Some(Err(malformed(format!("`mediaType` is not {BUNDLE_MEDIA_TYPE}"))));
        }
        if !keyid.is_empty() && keyid != hint {
            return Some(Err(malformed("`keyid` and `publicKey.hint` name different keys")));
        }
        Some(Ok(Bundle {
            payload: envelope.payload.as_bytes().to_vec(),
            signature: envelope.signature.sig.as_bytes().to_vec(),
            hint: hint.to_owned(),
        }))
    }

    /// The SHA-256 that a message's bundle names, if it names one.
    #[must_use]
    pub fn message_sha256(&self) -> Option<Sha256> {
        match &self.inner.content {
            SignatureContent::MessageSignature(message) => {
                message.message_digest.as_ref().and_then(|digest| digest.digest.to_hex().parse().ok())
            }
            _ => None,
        }
    }

    pub(crate) fn inner(&self) -> &sigstore_types::Bundle {
        &self.inner
    }

    pub(crate) fn dsse_v2(&self) -> &[TransparencyLogEntry] {
        &self.dsse_v2
    }
}

fn malformed(why: impl Into<String>) -> Error {
    Error::malformed(WHAT, why)
}

/// Looks at the whole structure; the answer is whether a certificate signed it.
fn check(value: &Value) -> Result<bool, Error> {
    let top = Object::of(value, "the bundle", &["mediaType", "verificationMaterial", "messageSignature", "dsseEnvelope"])?;
    let media_type = top.text("mediaType")?;
    media_type
        .parse::<MediaType>()
        .map_err(|_| malformed(format!("the media type {media_type:?} is not one of a Sigstore bundle 0.1 to 0.3")))?;
    match (top.get("messageSignature"), top.get("dsseEnvelope")) {
        (Some(message), None) => check_message(message)?,
        (None, Some(envelope)) => check_envelope(envelope)?,
        _ => return Err(malformed("expected one content, a `dsseEnvelope` or a `messageSignature`")),
    }
    check_material(top.need("verificationMaterial")?)
}

fn check_message(message: &Value) -> Result<(), Error> {
    let message = Object::of(message, "`messageSignature`", &["messageDigest", "signature"])?;
    message.base64("signature")?;
    if let Some(digest) = message.get("messageDigest") {
        let digest = Object::of(digest, "`messageDigest`", &["algorithm", "digest"])?;
        let algorithm = digest.text("algorithm")?;
        // In the spelling of protobuf alone: what reads it further on is not so strict.
        if !["SHA2_256", "SHA2_384", "SHA2_512"].contains(&algorithm) {
            return Err(malformed(format!(
                "`messageDigest` of the algorithm {algorithm:?}, expected SHA2_256, SHA2_384 or SHA2_512"
            )));
        }
        digest.base64("digest")?;
    }
    Ok(())
}

fn check_envelope(envelope: &Value) -> Result<(), Error> {
    let envelope = Object::of(envelope, "`dsseEnvelope`", &["payload", "payloadType", "signatures"])?;
    envelope.text("payloadType")?;
    envelope.base64("payload")?;
    let signatures = envelope.list("signatures", usize::MAX)?;
    let [signature] = signatures else {
        return Err(malformed(format!("{} signatures, expected exactly one", signatures.len())));
    };
    let signature = Object::of(signature, "a signature", &["sig", "keyid"])?;
    if signature.get("keyid").is_some() {
        signature.text("keyid")?;
    }
    signature.base64("sig")
}

fn check_material(material: &Value) -> Result<bool, Error> {
    let known = ["publicKey", "x509CertificateChain", "certificate", "tlogEntries", "timestampVerificationData"];
    let material = Object::of(material, "`verificationMaterial`", &known)?;
    match (material.get("publicKey"), material.get("x509CertificateChain"), material.get("certificate")) {
        (Some(key), None, None) => {
            Object::of(key, "`publicKey`", &["hint"])?;
        }
        (None, Some(chain), None) => {
            let certificates = Object::of(chain, "`x509CertificateChain`", &["certificates"])?;
            for certificate in certificates.list("certificates", MAX_ENTRIES)? {
                Object::of(certificate, "a certificate", &["rawBytes"])?.base64("rawBytes")?;
            }
        }
        (None, None, Some(certificate)) => Object::of(certificate, "`certificate`", &["rawBytes"])?.base64("rawBytes")?,
        _ => return Err(malformed("expected one signer: `publicKey`, `certificate` or `x509CertificateChain`")),
    }
    let mut seen = Vec::new();
    for entry in material.list_or_empty("tlogEntries", MAX_ENTRIES)? {
        if seen.contains(&entry) {
            return Err(malformed("the same log entry appears twice"));
        }
        check_entry(entry)?;
        seen.push(entry);
    }
    if let Some(data) = material.get("timestampVerificationData") {
        let data = Object::of(data, "`timestampVerificationData`", &["rfc3161Timestamps"])?;
        for stamp in data.list_or_empty("rfc3161Timestamps", MAX_ENTRIES)? {
            Object::of(stamp, "a timestamp", &["signedTimestamp"])?.base64("signedTimestamp")?;
        }
    }
    Ok(material.get("publicKey").is_none())
}

fn check_entry(entry: &Value) -> Result<(), Error> {
    let known = ["logIndex", "logId", "kindVersion", "integratedTime", "inclusionPromise", "inclusionProof", "canonicalizedBody"];
    let entry = Object::of(entry, "a log entry", &known)?;
    Object::of(entry.need("logId")?, "`logId`", &["keyId"])?.base64("keyId")?;
    let kind = Object::of(entry.need("kindVersion")?, "`kindVersion`", &["kind", "version"])?;
    kind.text("kind")?;
    kind.text("version")?;
    entry.base64("canonicalizedBody")?;
    for key in ["logIndex", "integratedTime"] {
        entry.number(key)?;
    }
    if let Some(promise) = entry.get("inclusionPromise") {
        Object::of(promise, "`inclusionPromise`", &["signedEntryTimestamp"])?.base64("signedEntryTimestamp")?;
    }
    let Some(proof) = entry.get("inclusionProof") else { return Ok(()) };
    let proof = Object::of(proof, "`inclusionProof`", &["logIndex", "rootHash", "treeSize", "hashes", "checkpoint"])?;
    proof.base64("rootHash")?;
    for key in ["logIndex", "treeSize"] {
        proof.number(key)?;
    }
    for hash in proof.list_or_empty("hashes", MAX_HASHES)? {
        canonical(hash.as_str().ok_or_else(|| malformed("a hash is not a string"))?, "hashes")?;
    }
    if let Some(checkpoint) = proof.get("checkpoint") {
        let checkpoint = Object::of(checkpoint, "`checkpoint`", &["envelope"])?;
        if checkpoint.text("envelope")?.len() > MAX_CHECKPOINT {
            return Err(malformed(format!("a checkpoint is longer than {MAX_CHECKPOINT} bytes")));
        }
    }
    Ok(())
}

/// Takes the entries of the form `dsse` 0.0.2 out of the list. The type that holds them is that of the other Rekor v2 form: what
/// their body says is judged by `verify`, never by that name.
fn take_dsse_v2(value: &mut Value) -> Result<Vec<TransparencyLogEntry>, Error> {
    let Some(Value::Array(entries)) = value.pointer_mut("/verificationMaterial/tlogEntries") else { return Ok(Vec::new()) };
    let is_dsse_v2 = |entry: &Value| {
        let word = |key: &str| entry.pointer(key).and_then(Value::as_str);
        word("/kindVersion/kind") == Some("dsse") && word("/kindVersion/version") == Some("0.0.2")
    };
    let (taken, left): (Vec<_>, Vec<_>) = std::mem::take(entries).into_iter().partition(is_dsse_v2);
    *entries = left;
    let read = |mut entry: Value| {
        entry["kindVersion"]["kind"] = "hashedrekord".into();
        serde_json::from_value(entry).map_err(|error| malformed(error.to_string()))
    };
    taken.into_iter().map(read).collect()
}

/// In protobuf's JSON a member that is `null` is one that is not there.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, member| !member.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// An object whose members are all known.
struct Object<'a> {
    map: &'a Map<String, Value>,
    what: &'static str,
}

impl<'a> Object<'a> {
    fn of(value: &'a Value, what: &'static str, known: &[&str]) -> Result<Self, Error> {
        let map = value.as_object().ok_or_else(|| malformed(format!("{what} is not an object")))?;
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(malformed(format!("unknown field {key:?} in {what}"))),
            None => Ok(Self { map, what }),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    fn need(&self, key: &str) -> Result<&'a Value, Error> {
        self.get(key).ok_or_else(|| malformed(format!("`{key}` is missing in {}", self.what)))
    }

    fn text(&self, key: &str) -> Result<&'a str, Error> {
        self.need(key)?.as_str().ok_or_else(|| malformed(format!("`{key}` is not a string")))
    }

    fn base64(&self, key: &str) -> Result<(), Error> {
        canonical(self.text(key)?, key)
    }

    /// An `int64` of protobuf's JSON that may be left out: a number, or its digits in a string; from 0.
    fn number(&self, key: &str) -> Result<(), Error> {
        let fits = |number: u64| i64::try_from(number).is_ok();
        let is_good = match self.get(key) {
            None => true,
            Some(Value::Number(number)) => number.as_u64().is_some_and(fits),
            Some(Value::String(text)) => text.parse().is_ok_and(|number: u64| fits(number) && number.to_string() == *text),
            Some(_) => false,
        };
        if is_good { Ok(()) } else { Err(malformed(format!("`{key}` is not a whole number from 0 to 2^63-1"))) }
    }

    fn list(&self, key: &str, most: usize) -> Result<&'a [Value], Error> {
        self.need(key)?;
        self.list_or_empty(key, most)
    }

    fn list_or_empty(&self, key: &str, most: usize) -> Result<&'a [Value], Error> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(items)) if items.len() <= most => Ok(items),
            Some(Value::Array(items)) => Err(malformed(format!("`{key}` has {} entries, at most {most} are read", items.len()))),
            Some(_) => Err(malformed(format!("`{key}` is not a list"))),
        }
    }
}

/// Base64 has more than one spelling of the same bytes; only the padded standard one is accepted.
fn canonical(text: &str, key: &str) -> Result<(), Error> {
    match PayloadBytes::from_base64(text) {
        Ok(bytes) if bytes.to_base64() == text => Ok(()),
        _ => Err(malformed(format!("`{key}` is not canonical base64"))),
    }
}
