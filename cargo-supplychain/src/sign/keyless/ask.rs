//! What is sent to Fulcio, Rekor and a timestamp authority, and how their answers are read. Nothing in an answer is believed here: the
//! finished bundle is judged as a whole (`check`). Every answer is bounded by the client.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sigstore_crypto::KeyPair;
use sigstore_types::{
    DerCertificate, DsseEnvelope, KindVersion, Sha256Hash, SignatureBytes, TimestampToken, TransparencyLogEntry,
};
use sigstore_verify::rekor::{DsseEntry, HashedRekord, HashedRekordV2, LogEntry, RekorV2KeyDetails};

use super::Failure;
use super::services::{Log, LogVersion};
use super::token::Token;
use crate::attest::strict_json;
use crate::base::Http;
use crate::base::http::{Call, Error, Request, Response};
use crate::base::text::one_line;

/// Larger than any answer; a log of version 1 gives the statement's envelope no second time.
const MAX_ANSWER: u64 = 8 << 20;
/// The longest word of a service that is shown.
const MAX_WORDS: usize = 200;
const AUTHORITY: &str = "the certificate authority (Fulcio)";
const LOG: &str = "the transparency log (Rekor)";
const TSA: &str = "the timestamp authority";

/// The body of an answer that says yes.
pub(super) fn answered(service: &'static str, answer: Result<Response, Error>) -> Result<Vec<u8>, Failure> {
    let answer = answer.map_err(|error| Failure::of(service, error.to_string(), error != Error::Refused))?;
    if (200..300).contains(&answer.status) {
        return Ok(answer.body);
    }
    let may_pass = matches!(answer.status, 408 | 409 | 425 | 429 | 500..);
    Err(Failure::of(service, format!("it answered {}{}", answer.status, words(&answer.body)), may_pass))
}

/// What a service says of its refusal: the `message` of its JSON, cut.
fn words(body: &[u8]) -> String {
    let message = strict_json::parse(body).ok().and_then(|value| value.get("message").and_then(Value::as_str).map(one_line));
    message.map_or_else(String::new, |message| format!(": {}", message.chars().take(MAX_WORDS).collect::<String>()))
}

/// How a service is asked.
pub(super) struct Asker<'a> {
    pub(super) http: &'a dyn Http,
    pub(super) within: Duration,
}

impl Asker<'_> {
    fn post(&self, service: &'static str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Vec<u8>, Failure> {
        let request = Request { url, headers, limit: MAX_ANSWER };
        answered(service, self.http.call(&Call { request, body: Some(body), within: self.within }))
    }

    fn post_json(&self, service: &'static str, url: &str, body: &impl serde::Serialize) -> Result<Vec<u8>, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| Failure::of(service, error.to_string(), false))?;
        self.post(service, url, &[("content-type", "application/json"), ("accept", "application/json")], &body)
    }

    /// A certificate for the key, by Fulcio's API v2 (<https://github.com/sigstore/fulcio/blob/main/fulcio.proto>).
    pub(super) fn certificate(&self, base: &str, token: &Token, key: &KeyPair) -> Result<DerCertificate, Failure> {
        let failed = |_| Failure::of(AUTHORITY, "no key could be made to ask it with", false);
        let proof = key.sign(token.subject.as_bytes()).map_err(failed)?;
        let request = json!({
            "credentials": { "oidcIdentityToken": token.text.as_str() },
            "publicKeyRequest": {
                "publicKey": { "algorithm": "ECDSA", "content": key.public_key_der().map_err(failed)?.to_pem() },
                "proofOfPossession": proof.to_base64(),
            },
        });
        let answer = self.post_json(AUTHORITY, &format!("{}/api/v2/signingCert", base.trim_end_matches('/')), &request)?;
        let unreadable = |why: &str| Failure::of(AUTHORITY, why, true);
        let value = strict_json::parse(&answer).map_err(|_| unreadable("its answer is not JSON"))?;
        // A certificate whose entry in the certificate log stands apart has no place in a bundle.
        let chain = value.get("signedCertificateEmbeddedSct").and_then(|sct| sct.get("chain")?.get("certificates")?.as_array());
        let leaf =
            chain.and_then(|chain| chain.first()?.as_str()).ok_or_else(|| unreadable("its answer holds no certificate"))?;
        DerCertificate::from_pem(leaf).map_err(|_| unreadable("its answer holds no certificate that can be read"))
    }

    /// An entry for a DSSE envelope; `digest` is that of what was signed.
    pub(super) fn log_envelope(
        &self,
        log: &Log,
        envelope: &DsseEnvelope,
        digest: &Sha256Hash,
        certificate: &DerCertificate,
    ) -> Result<TransparencyLogEntry, Failure> {
        match log.version {
            LogVersion::V1 => {
                let entry = DsseEntry::new(envelope, certificate).map_err(|error| Failure::of(LOG, error.to_string(), false))?;
                self.entry_v1(log, &entry, KindVersion::DsseV001)
            }
            // Not `dsse` 0.0.2, which is defined as well: sigstore-python and gh know `hashedrekord` only.
            LogVersion::V2 => self.entry_v2(log, digest, &envelope.signature.sig, certificate),
        }
    }

    /// An entry for a signature over bytes of this digest.
    pub(super) fn log_signature(
        &self,
        log: &Log,
        digest: &Sha256Hash,
        signature: &SignatureBytes,
        certificate: &DerCertificate,
    ) -> Result<TransparencyLogEntry, Failure> {
        match log.version {
            LogVersion::V1 => {
                self.entry_v1(log, &HashedRekord::new(digest, signature, certificate), KindVersion::HashedRekordV001)
            }
            LogVersion::V2 => self.entry_v2(log, digest, signature, certificate),
        }
    }

    /// Rekor v1: one entry by its identifier.
    fn entry_v1(&self, log: &Log, entry: &impl serde::Serialize, kind: KindVersion) -> Result<TransparencyLogEntry, Failure> {
        let answer = self.post_json(LOG, &format!("{}/api/v1/log/entries", log.url.trim_end_matches('/')), entry)?;
        let unreadable = || Failure::of(LOG, "its answer is no log entry", true);
        let entries: BTreeMap<String, LogEntry> = serde_json::from_slice(&answer).map_err(|_| unreadable())?;
        let [entry] = <[LogEntry; 1]>::try_from(entries.into_values().collect::<Vec<_>>()).map_err(|_| unreadable())?;
        entry.to_bundle_entry(kind).map_err(|_| unreadable())
    }

    /// Rekor v2: the entry as a bundle has it.
    fn entry_v2(
        &self,
        log: &Log,
        digest: &Sha256Hash,
        signature: &SignatureBytes,
        certificate: &DerCertificate,
    ) -> Result<TransparencyLogEntry, Failure> {
        let details = RekorV2KeyDetails::PkixEcdsaP256Sha256;
        let request = HashedRekordV2::new_with_certificate(digest, signature, certificate, details);
        let answer = self.post_json(LOG, &format!("{}/api/v2/log/entries", log.url.trim_end_matches('/')), &request)?;
        serde_json::from_slice(&answer).map_err(|_| Failure::of(LOG, "its answer is no log entry", true))
    }

    /// A timestamp over the signature (RFC 3161).
    pub(super) fn timestamp(&self, url: &str, signature: &SignatureBytes) -> Result<TimestampToken, Failure> {
        let headers = [("content-type", "application/timestamp-query"), ("accept", "application/timestamp-reply")];
        let request = timestamp_request(sigstore_crypto::sha256(signature.as_bytes()).as_bytes());
        self.post(TSA, url, &headers, &request).map(TimestampToken::new)
    }
}

/// `TimeStampReq` (RFC 3161 section 2.4.1) for a SHA-256 digest, asking for the authority's certificate. Without a nonce: what is stamped
/// is a signature that was made a moment ago, so that no earlier answer can be about it.
fn timestamp_request(digest: &[u8]) -> Vec<u8> {
    const HEAD: [u8; 24] = [
        0x30, 0x39, // SEQUENCE, 57 bytes
        0x02, 0x01, 0x01, // version 1
        0x30, 0x31, // messageImprint
        0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, // id-sha256, NULL
        0x04, 0x20, // OCTET STRING, 32 bytes
    ];
    const CERT_REQ: [u8; 3] = [0x01, 0x01, 0xff];
    [&HEAD, digest, &CERT_REQ].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_request_is_der() {
        let request = timestamp_request(&[7; 32]);
        assert_eq!(request.len(), 59);
        // Lengths of the two outer sequences lead to the end and to the third element.
        assert_eq!(usize::from(request[1]) + 2, request.len());
        assert_eq!(&request[5 + 2 + usize::from(request[6])..], [0x01, 0x01, 0xff]);
    }

    #[test]
    fn refusals_are_told_in_one_bounded_line() {
        let answer = |status, body: &str| Ok(Response { status, headers: Vec::new(), body: body.into() });
        let failure = |status, body: &str| answered("the x", answer(status, body)).unwrap_err();
        assert_eq!(answered("the x", answer(201, "yes")).unwrap(), b"yes");
        let told = failure(401, r#"{"message":"no\nentry\u001b[31m"}"#);
        assert!(!told.may_pass);
        assert!(!told.to_string().contains(['\n', '\u{1b}']), "{told}");
        assert!(failure(503, "<html>").may_pass && failure(429, "").may_pass);
        assert!(failure(400, &json!({ "message": "x".repeat(100_000) }).to_string()).to_string().len() < 300);
        assert!(answered("the x", Err(Error::TimedOut)).unwrap_err().may_pass);
        assert!(!answered("the x", Err(Error::Refused)).unwrap_err().may_pass);
    }
}
