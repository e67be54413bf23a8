//! A certificate authority and a transparency log of our own, that sign in memory: what Fulcio and Rekor (v1) would answer, by the same
//! formats, under a root that a test hands to `--trusted-root`. It has no certificate log and no timestamp authority: the log's promise is
//! the trusted time.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use cargo_supplychain::attest::Bundle;
use cargo_supplychain::base::Sha256;
use serde_json::{Value, json};

/// 2025-08-01T12:00:00Z, when everything is signed; certificates are good for ten minutes from there.
pub const SIGNED_AT: i64 = 1_754_049_600;
pub const GITHUB: &str = "https://token.actions.githubusercontent.com";
const ORIGIN: &str = "log.example.org - 1";

/// What a certificate says of its holder: the subject, and the extensions by the last number of their object identifier
/// (<https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md>).
#[derive(Debug, Clone)]
pub struct Holder {
    pub subject: String,
    pub claims: Vec<(u8, String)>,
}

impl Holder {
    /// The workflow `release.yml` of `org/app`, run for the tag v1.2.0.
    pub fn github() -> Self {
        let claims = [
            (8, GITHUB),
            (9, "https://github.com/org/app/.github/workflows/release.yml@refs/tags/v1.2.0"),
            (11, "github-hosted"),
            (12, "https://github.com/org/app"),
            (13, "0123456789abcdef0123456789abcdef01234567"),
            (14, "refs/tags/v1.2.0"),
            (15, "1001"),
            (16, "https://github.com/org"),
            (17, "2002"),
            (18, "https://github.com/org/app/.github/workflows/release.yml@refs/tags/v1.2.0"),
            (20, "push"),
            (21, "https://github.com/org/app/actions/runs/1/attempts/1"),
        ];
        let subject = claims[1].1.to_owned();
        Self { subject, claims: claims.map(|(number, text)| (number, text.to_owned())).to_vec() }
    }

    /// The same with another claim; an empty one is left out.
    pub fn with(mut self, number: u8, text: &str) -> Self {
        self.claims.retain(|(other, _)| *other != number);
        if !text.is_empty() {
            self.claims.push((number, text.to_owned()));
        }
        self
    }

    pub fn called(mut self, subject: &str) -> Self {
        subject.clone_into(&mut self.subject);
        self
    }
}

pub struct Authority {
    key: EcdsaKeyPair,
    log: EcdsaKeyPair,
    /// Made once: a signature is another one each time.
    certificate: Vec<u8>,
}

impl Authority {
    pub fn new() -> Self {
        let mut authority = Self { key: new_key(), log: new_key(), certificate: Vec::new() };
        authority.certificate = authority.own_certificate();
        authority
    }

    /// The root under which bundles of this authority are good.
    pub fn root(&self) -> Value {
        let start = json!({ "start": "2025-01-01T00:00:00Z" });
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [{
                "baseUrl": "https://log.example.org",
                "hashAlgorithm": "SHA2_256",
                "publicKey": { "rawBytes": base64(&spki(&self.log)), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": start },
                "logId": { "keyId": base64(self.log_id().as_bytes()) },
            }],
            "certificateAuthorities": [{
                "subject": { "organization": "example.org", "commonName": "test" },
                "uri": "https://ca.example.org",
                "certChain": { "certificates": [{ "rawBytes": base64(&self.certificate) }] },
                "validFor": start,
            }],
        })
    }

    fn log_id(&self) -> Sha256 {
        Sha256::of(spki(&self.log))
    }

    /// A bundle v0.3 of `holder` over the statement.
    pub fn bundle(&self, holder: &Holder, statement: &[u8]) -> Value {
        let key = new_key();
        let certificate = self.leaf(holder, &spki(&key));
        let signature = sign(&key, &Bundle::to_be_signed(statement));
        let pem = pem(&certificate);
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": { "algorithm": "sha256", "value": Sha256::of(b"envelope") },
                "payloadHash": { "algorithm": "sha256", "value": Sha256::of(statement) },
                "signatures": [{ "signature": base64(&signature), "verifier": base64(pem.as_bytes()) }],
            },
        });
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": self.material(&certificate, &body),
            "dsseEnvelope": {
                "payload": base64(statement),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{ "sig": base64(&signature) }],
            },
        })
    }

    /// A bundle v0.3 of `holder` over a file itself.
    pub fn blob_bundle(&self, holder: &Holder, bytes: &[u8]) -> Value {
        let key = new_key();
        let certificate = self.leaf(holder, &spki(&key));
        let signature = sign(&key, bytes);
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": { "hash": { "algorithm": "sha256", "value": Sha256::of(bytes) } },
                "signature": { "content": base64(&signature), "publicKey": { "content": base64(pem(&certificate).as_bytes()) } },
            },
        });
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": self.material(&certificate, &body),
            "messageSignature": {
                "messageDigest": { "algorithm": "SHA2_256", "digest": base64(Sha256::of(bytes).as_bytes()) },
                "signature": base64(&signature),
            },
        })
    }

    fn material(&self, certificate: &[u8], body: &Value) -> Value {
        json!({
            "certificate": { "rawBytes": base64(certificate) },
            "tlogEntries": [self.logged(body)],
            "timestampVerificationData": {},
        })
    }

    /// The second entry of a log of two.
    fn logged(&self, entry: &Value) -> Value {
        let body = entry.to_string();
        let body = body.as_bytes();
        let hash = |parts: &[&[u8]]| Sha256::of(parts.concat());
        let (first, leaf) = (hash(&[b"\0", b"another"]), hash(&[b"\0", body]));
        let root = hash(&[b"\x01", first.as_bytes(), leaf.as_bytes()]);
        let id = self.log_id();
        let text = format!("{ORIGIN}\n2\n{}\n", base64(root.as_bytes()));
        let mut by_log = id.as_bytes()[..4].to_vec();
        by_log.extend(sign(&self.log, text.as_bytes()));
        let checkpoint = format!("{text}\n\u{2014} log.example.org {}\n", base64(&by_log));
        // The promise is over this object in canonical JSON: members sorted, no spaces.
        let promise = format!(r#"{{"body":"{}","integratedTime":{SIGNED_AT},"logID":"{id}","logIndex":1}}"#, base64(body));
        json!({
            "logIndex": "1",
            "logId": { "keyId": base64(id.as_bytes()) },
            "kindVersion": { "kind": entry["kind"], "version": entry["apiVersion"] },
            "integratedTime": SIGNED_AT.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": base64(&sign(&self.log, promise.as_bytes())) },
            "inclusionProof": {
                "logIndex": "1",
                "rootHash": base64(root.as_bytes()),
                "treeSize": "2",
                "hashes": [base64(first.as_bytes())],
                "checkpoint": { "envelope": checkpoint },
            },
            "canonicalizedBody": base64(body),
        })
    }

    fn own_certificate(&self) -> Vec<u8> {
        let authority = extension("2.5.29.19", true, &seq(&[tlv(1, &[0xff])]));
        let usage = extension("2.5.29.15", true, &tlv(3, &[1, 0x06]));
        self.signed(&name("test"), "250101000000Z", "350101000000Z", &spki(&self.key), &[authority, usage])
    }

    fn leaf(&self, holder: &Holder, key: &[u8]) -> Vec<u8> {
        // A URI or an e-mail address, by the kinds of GeneralName.
        let kind = if holder.subject.contains("://") { 0x86 } else { 0x81 };
        let mut extensions = vec![
            extension("2.5.29.15", true, &tlv(3, &[7, 0x80])),
            extension("2.5.29.37", false, &seq(&[oid("1.3.6.1.5.5.7.3.3")])),
            extension("2.5.29.17", true, &seq(&[tlv(kind, holder.subject.as_bytes())])),
        ];
        for (number, text) in &holder.claims {
            extensions.push(extension(&format!("1.3.6.1.4.1.57264.1.{number}"), false, &tlv(0x0c, text.as_bytes())));
        }
        self.signed(&seq(&[]), "250801115900Z", "250801120900Z", key, &extensions)
    }

    fn signed(&self, subject: &[u8], from: &str, to: &str, key: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
        let algorithm = seq(&[oid("1.2.840.10045.4.3.2")]);
        let validity = seq(&[tlv(0x17, from.as_bytes()), tlv(0x17, to.as_bytes())]);
        let body = seq(&[
            tlv(0xa0, &tlv(2, &[2])),
            tlv(2, &[1]),
            algorithm.clone(),
            name("test"),
            validity,
            subject.to_vec(),
            key.to_vec(),
            tlv(0xa3, &seq(extensions)),
        ]);
        let mut signature = vec![0];
        signature.extend(sign(&self.key, &body));
        seq(&[body, algorithm, tlv(3, &signature)])
    }
}

fn pem(certificate: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines(&base64(certificate)))
}

fn new_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap()
}

fn spki(key: &EcdsaKeyPair) -> Vec<u8> {
    key.public_key().as_der().unwrap().as_ref().to_vec()
}

fn sign(key: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
    key.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec()
}

pub fn base64(bytes: &[u8]) -> String {
    sigstore_types::PayloadBytes::from_bytes(bytes).to_base64()
}

fn lines(text: &str) -> String {
    text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n")
}

/// DER: tag, length, content.
pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(u8::try_from(length).unwrap()),
        0x80..0x100 => out.extend([0x81, u8::try_from(length).unwrap()]),
        _ => {
            out.push(0x82);
            out.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
    }
    out.extend(content);
    out
}

pub(super) fn seq(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(super) fn oid(text: &str) -> Vec<u8> {
    let numbers: Vec<u32> = text.split('.').map(|number| number.parse().unwrap()).collect();
    let mut content = vec![u8::try_from(numbers[0] * 40 + numbers[1]).unwrap()];
    for &number in &numbers[2..] {
        let mut digits = vec![u8::try_from(number & 0x7f).unwrap()];
        let mut left = number >> 7;
        while left > 0 {
            digits.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
            left >>= 7;
        }
        content.extend(digits.into_iter().rev());
    }
    tlv(6, &content)
}

fn name(text: &str) -> Vec<u8> {
    let attribute = seq(&[oid("2.5.4.10"), tlv(0x0c, text.as_bytes())]);
    seq(&[tlv(0x31, &attribute)])
}

fn extension(id: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut parts = vec![oid(id)];
    if critical {
        parts.push(tlv(1, &[0xff]));
    }
    parts.push(tlv(4, value));
    seq(&parts)
}
