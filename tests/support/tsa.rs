//! A timestamp authority in memory (RFC 3161, RFC 5816): answers a request with a token under a certificate of its own.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use cargo_supplychain::base::Sha256;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, Issuer, KeyUsagePurpose, SerialNumber,
};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::authority::{base64, oid, seq, tlv};

const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
const SHA256: &str = "2.16.840.1.101.3.4.2.1";
const SERIAL: u8 = 7;

pub struct Tsa {
    key: EcdsaKeyPair,
    root: Vec<u8>,
    certificate: Vec<u8>,
}

impl Tsa {
    pub fn new() -> Self {
        let pair = || rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let named = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name = DistinguishedName::new();
            params.distinguished_name.push(DnType::CommonName, name);
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2100, 1, 1);
            params
        };
        let mut params = named("tsa root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_key = pair();
        let root = params.self_signed(&root_key).unwrap().der().to_vec();
        let issuer = Issuer::new(params, root_key);
        let mut params = named("tsa");
        params.serial_number = Some(SerialNumber::from(u64::from(SERIAL)));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        // For timestamps and nothing else, which has to be critical (RFC 3161, 2.3).
        let mut usage = CustomExtension::from_oid_content(&[2, 5, 29, 37], seq(&[oid("1.3.6.1.5.5.7.3.8")]));
        usage.set_criticality(true);
        params.custom_extensions = vec![usage];
        let pair = pair();
        let certificate = params.signed_by(&pair, &issuer).unwrap().der().to_vec();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pair.serialize_der()).unwrap();
        Self { key, root, certificate }
    }

    /// Its entry in a trusted root.
    pub fn trusted(&self) -> Value {
        json!({
            "subject": { "organization": "example", "commonName": "tsa" },
            "certChain": { "certificates": [{ "rawBytes": base64(&self.certificate) }, { "rawBytes": base64(&self.root) }] },
            "validFor": { "start": "2020-01-01T00:00:00Z" },
        })
    }

    /// The response to a request: about its digest, or about another one.
    pub fn answer(&self, request: &[u8], imprint: Option<Sha256>, at: OffsetDateTime) -> Vec<u8> {
        let (digest, nonce) = read(request);
        let digest = imprint.map_or(digest, |other| other.as_bytes().to_vec());
        let token = self.token(&digest, nonce, at);
        seq(&[seq(&[tlv(2, &[0])]), token])
    }

    fn token(&self, digest: &[u8], nonce: Option<Vec<u8>>, at: OffsetDateTime) -> Vec<u8> {
        let sha256 = seq(&[oid(SHA256)]);
        let format = time::macros::format_description!("[year][month][day][hour][minute][second]Z");
        let mut info = vec![
            tlv(2, &[1]),
            oid("1.3.6.1.4.1.57264.2"),
            seq(&[seq(&[oid(SHA256), tlv(5, &[])]), tlv(4, digest)]),
            tlv(2, &[42]),
            tlv(0x18, at.format(&format).unwrap().as_bytes()),
        ];
        info.extend(nonce.map(|nonce| tlv(2, &nonce)));
        let info = seq(&info);

        let attribute = |kind: &str, value: &[u8]| seq(&[oid(kind), tlv(0x31, value)]);
        let own = seq(&[seq(&[seq(&[tlv(4, Sha256::of(&self.certificate).as_bytes())])])]);
        // DER: the members of a set in the order of their bytes.
        let mut attributes = [
            attribute("1.2.840.113549.1.9.3", &oid(TST_INFO)),
            attribute("1.2.840.113549.1.9.4", &tlv(4, Sha256::of(&info).as_bytes())),
            attribute("1.2.840.113549.1.9.16.2.47", &own),
        ];
        attributes.sort();
        let attributes = attributes.concat();
        let signature = self.key.sign(&SystemRandom::new(), &tlv(0x31, &attributes)).unwrap();
        let issuer = seq(&[tlv(0x31, &seq(&[oid("2.5.4.3"), tlv(0x0c, b"tsa root")]))]);
        let signer = seq(&[
            tlv(2, &[1]),
            seq(&[issuer, tlv(2, &[SERIAL])]),
            sha256.clone(),
            tlv(0xa0, &attributes),
            seq(&[oid("1.2.840.10045.4.3.2")]),
            tlv(4, signature.as_ref()),
        ]);
        let signed = seq(&[
            tlv(2, &[3]),
            tlv(0x31, &sha256),
            seq(&[oid(TST_INFO), tlv(0xa0, &tlv(4, &info))]),
            tlv(0xa0, &self.certificate),
            tlv(0x31, &signer),
        ]);
        seq(&[oid("1.2.840.113549.1.7.2"), tlv(0xa0, &signed)])
    }
}

/// The digest and the nonce of a request. Lengths are short: a request is some 70 bytes.
fn read(request: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let parts = |bytes: &[u8]| {
        let (mut rest, mut parts) = (bytes.to_vec(), Vec::new());
        while rest.len() >= 2 {
            let length = usize::from(rest[1]);
            assert!(length < 0x80 && rest.len() >= 2 + length, "a longer request than expected");
            parts.push((rest[0], rest[2..2 + length].to_vec()));
            rest.drain(..2 + length);
        }
        parts
    };
    let members = parts(&parts(request)[0].1);
    let digest = parts(&members[1].1)[1].1.clone();
    assert_eq!(digest.len(), 32, "not SHA-256");
    (digest, members[2..].iter().find(|(tag, _)| *tag == 2).map(|(_, nonce)| nonce.clone()))
}
