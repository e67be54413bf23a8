//! The Sigstore bundle v0.3 (<https://github.com/sigstore/protobuf-specs>, `sigstore_bundle.proto`) with a DSSE envelope
//! (<https://github.com/secure-systems-lab/dsse>, protocol v1), signed by a key. Types and encoding are those of
//! `sigstore-types`; its reader skips what it does not know, so that ours looks at the structure first.

use serde_json::{Map, Value};
use sigstore_types::{
    DsseEnvelope, DsseSignature, KeyId, MediaType, PayloadBytes, PublicKeyIdentifier, SignatureBytes, SignatureContent,
    VerificationMaterial, VerificationMaterialContent, pae,
};

use super::{Error, strict_json};

/// The only media type that is accepted.
pub const BUNDLE_MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The DSSE payload type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Largest bundle that is read.
pub const MAX_BUNDLE_BYTES: usize = 24 * 1024 * 1024;
const WHAT: &str = "Sigstore bundle";

/// A bundle that a key signed. Nothing in it is to be believed before the signature was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// The statement's bytes (the DSSE payload).
    pub payload: Vec<u8>,
    pub signature: Vec<u8>,
    /// The signer's [`super::PublicKey::hint`]; an aid to find the key, never a proof.
    pub hint: String,
}

impl Bundle {
    /// The bytes that a signer signs for `statement`: DSSE's pre-authentication encoding.
    #[must_use]
    pub fn to_be_signed(statement: &[u8]) -> Vec<u8> {
        pae(PAYLOAD_TYPE, statement)
    }

    /// The bundle's JSON: compact, one line, no newline at the end.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let signature = DsseSignature::new(SignatureBytes::from_bytes(&self.signature), KeyId::new(""));
        let envelope = DsseEnvelope::new(PAYLOAD_TYPE, PayloadBytes::from_bytes(&self.payload), signature);
        let key = VerificationMaterialContent::PublicKey(PublicKeyIdentifier::new(&self.hint));
        let bundle = sigstore_types::Bundle::new(
            MediaType::Bundle0_3,
            VerificationMaterial::new(key),
            SignatureContent::DsseEnvelope(envelope),
        );
        serde_json::to_vec(&bundle).expect("a bundle of strings always serialises")
    }

    /// Reads a bundle strictly: no key twice, nothing unknown, exactly one signature, exactly one content, canonical base64.
    ///
    /// # Errors
    /// Why the bytes are not such a bundle, or that it was not signed by a key.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(Error::TooLarge { what: WHAT, limit: MAX_BUNDLE_BYTES });
        }
        let value = strict_json::parse(bytes).map_err(|error| malformed(error.to_string()))?;
        check_structure(&value)?;
        let bundle: sigstore_types::Bundle = serde_json::from_value(value).map_err(|error| malformed(error.to_string()))?;
        let SignatureContent::DsseEnvelope(envelope) = bundle.content else {
            return Err(malformed("the content is no DSSE envelope"));
        };
        let VerificationMaterialContent::PublicKey(key) = bundle.verification_material.content else {
            return Err(Error::NotKeySigned("a certificate"));
        };
        if !envelope.signature.keyid.is_empty() && envelope.signature.keyid.as_str() != key.hint {
            return Err(malformed("`keyid` and `publicKey.hint` name different keys"));
        }
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(Error::PayloadType(envelope.payload_type));
        }
        Ok(Self { payload: envelope.payload.into_bytes(), signature: envelope.signature.sig.into_bytes(), hint: key.hint })
    }
}

fn malformed(why: impl Into<String>) -> Error {
    Error::malformed(WHAT, why)
}

fn check_structure(value: &Value) -> Result<(), Error> {
    let top = object(value, "the bundle")?;
    if top.get("mediaType").and_then(Value::as_str) != Some(BUNDLE_MEDIA_TYPE) {
        return Err(malformed(format!("`mediaType` is not {BUNDLE_MEDIA_TYPE}")));
    }
    only(top, &["mediaType", "verificationMaterial", "dsseEnvelope"], "the bundle")?;
    check_material(object(member(top, "verificationMaterial")?, "`verificationMaterial`")?)?;
    check_envelope(object(member(top, "dsseEnvelope")?, "`dsseEnvelope`")?)
}

fn check_material(material: &Map<String, Value>) -> Result<(), Error> {
    if material.contains_key("certificate") || material.contains_key("x509CertificateChain") {
        return Err(Error::NotKeySigned("a certificate"));
    }
    only(material, &["publicKey", "tlogEntries", "timestampVerificationData"], "`verificationMaterial`")?;
    let key = object(member(material, "publicKey")?, "`publicKey`")?;
    only(key, &["hint"], "`publicKey`")?;
    string(key, "hint")?;
    match material.get("tlogEntries") {
        None | Some(Value::Null) => {}
        Some(Value::Array(entries)) if entries.is_empty() => {}
        Some(Value::Array(_)) => return Err(Error::NotKeySigned("transparency log entries")),
        Some(_) => return Err(malformed("`tlogEntries` is not a list")),
    }
    let Some(data) = material.get("timestampVerificationData").filter(|data| !data.is_null()) else { return Ok(()) };
    let data = object(data, "`timestampVerificationData`")?;
    only(data, &["rfc3161Timestamps"], "`timestampVerificationData`")?;
    match data.get("rfc3161Timestamps") {
        None => Ok(()),
        Some(Value::Array(stamps)) if stamps.is_empty() => Ok(()),
        Some(Value::Array(_)) => Err(Error::NotKeySigned("timestamps")),
        Some(_) => Err(malformed("`rfc3161Timestamps` is not a list")),
    }
}

fn check_envelope(envelope: &Map<String, Value>) -> Result<(), Error> {
    only(envelope, &["payload", "payloadType", "signatures"], "`dsseEnvelope`")?;
    string(envelope, "payloadType")?;
    canonical(string(envelope, "payload")?, "payload")?;
    let Value::Array(signatures) = member(envelope, "signatures")? else {
        return Err(malformed("`signatures` is not a list"));
    };
    let [signature] = signatures.as_slice() else {
        return Err(malformed(format!("{} signatures, expected exactly one", signatures.len())));
    };
    let signature = object(signature, "a signature")?;
    only(signature, &["sig", "keyid"], "a signature")?;
    canonical(string(signature, "sig")?, "sig")
}

fn object<'a>(value: &'a Value, what: &str) -> Result<&'a Map<String, Value>, Error> {
    value.as_object().ok_or_else(|| malformed(format!("{what} is not an object")))
}

fn member<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a Value, Error> {
    map.get(key).ok_or_else(|| malformed(format!("`{key}` is missing")))
}

fn string<'a>(map: &'a Map<String, Value>, key: &str) -> Result<&'a str, Error> {
    member(map, key)?.as_str().ok_or_else(|| malformed(format!("`{key}` is not a string")))
}

fn only(map: &Map<String, Value>, known: &[&str], what: &str) -> Result<(), Error> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(malformed(format!("unknown field {key:?} in {what}"))),
        None => Ok(()),
    }
}

/// Base64 has more than one spelling of the same bytes; only the padded standard one is accepted.
fn canonical(text: &str, key: &str) -> Result<(), Error> {
    match PayloadBytes::from_base64(text) {
        Ok(bytes) if bytes.to_base64() == text => Ok(()),
        _ => Err(malformed(format!("`{key}` is not canonical base64"))),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn good() -> Bundle {
        Bundle { payload: b"{}".to_vec(), signature: vec![1, 2, 3, 4], hint: "aGludA==".to_owned() }
    }

    /// The form is a contract: cosign and sigstore-go read it.
    #[test]
    fn form() {
        let text = String::from_utf8(good().to_bytes()).unwrap();
        assert_eq!(
            text,
            concat!(
                r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","#,
                r#""verificationMaterial":{"publicKey":{"hint":"aGludA=="},"tlogEntries":[],"timestampVerificationData":{}},"#,
                r#""dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AQIDBA=="}]}}"#
            )
        );
        assert_eq!(Bundle::parse(text.as_bytes()).unwrap(), good());
        assert_eq!(Bundle::to_be_signed(b"{}"), b"DSSEv1 28 application/vnd.in-toto+json 2 {}");
    }

    #[test]
    fn every_other_structure_is_refused() {
        let text = String::from_utf8(good().to_bytes()).unwrap();
        for (from, to, why) in [
            ("bundle.v0.3+json", "bundle.v0.2+json", "mediaType"),
            ("\"mediaType\"", "\"mediatype\"", "mediaType"),
            ("\"dsseEnvelope\":", "\"messageSignature\":{},\"dsseEnvelope\":", "unknown field \"messageSignature\""),
            ("\"dsseEnvelope\":", "\"messageSignature\":", "unknown field"),
            ("\"tlogEntries\":[]", "\"tlogEntriez\":[]", "unknown field"),
            ("\"tlogEntries\":[]", "\"tlogEntries\":[{}]", "log entries"),
            ("\"tlogEntries\":[]", "\"tlogEntries\":{}", "not a list"),
            ("Data\":{}", "Data\":{\"rfc3161Timestamps\":[{\"signedTimestamp\":\"\"}]}", "timestamps"),
            ("Data\":{}", "Data\":{\"x\":1}", "unknown field"),
            ("{\"hint\":\"aGludA==\"}", "{}", "`hint` is missing"),
            ("\"publicKey\":{\"hint\":\"aGludA==\"}", "\"certificate\":{\"rawBytes\":\"\"}", "a certificate"),
            ("[{\"sig\":\"AQIDBA==\"}]", "[]", "0 signatures"),
            ("[{\"sig\":\"AQIDBA==\"}]", "[{\"sig\":\"AQIDBA==\"},{\"sig\":\"AQIDBA==\"}]", "2 signatures"),
            ("{\"sig\":\"AQIDBA==\"}", "{\"sig\":\"AQIDBA==\",\"keyid\":\"x\"}", "different keys"),
            ("{\"sig\":\"AQIDBA==\"}", "{\"sig\":\"AQIDBA==\",\"sig\":\"AQIDBA==\"}", "appears twice"),
            ("AQIDBA==", "AQIDBA", "canonical base64"),
            ("AQIDBA==", "AQIDBB==", "canonical base64"),
            ("e30=", "e31=", "canonical base64"),
            ("in-toto+json", "in-toto+jsom", "payload type"),
        ] {
            let bad = text.replacen(from, to, 1);
            assert_ne!(bad, text, "{from}");
            let error = Bundle::parse(bad.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{from} -> {to}: {error}");
        }
        assert!(Bundle::parse(text.replace("{\"sig\":", "{\"keyid\":\"aGludA==\",\"sig\":").as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn one_changed_byte_never_reads_alike(at in 0usize..10_000, byte in any::<u8>()) {
            let mut bytes = good().to_bytes();
            let at = at % bytes.len();
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            if let Ok(read) = Bundle::parse(&bytes) {
                prop_assert_ne!(read, good());
            }
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Bundle::parse(&bytes);
        }
    }
}
