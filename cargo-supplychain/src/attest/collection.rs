//! Files that hold bundles in a form of somebody's: the attestations of a package index for Python (PEP 740: one, or a provenance object with
//! several), and the answer of an interface for attestations (GitHub's and npm's, `{"attestations": [{"bundle": …}]}`). Here they become
//! Sigstore bundles; nothing is judged, and what is no such file is left to the reader of bundles.

use serde_json::{Map, Value, json};

use super::bundle::{BUNDLE_MEDIA_TYPE, MAX_BUNDLE_BYTES, PAYLOAD_TYPE};
use super::{Error, strict_json};

/// Most values of one file; an attestation has about fifty.
const MAX_VALUES: usize = 200_000;
/// Most bundles of one file.
pub const MAX_BUNDLES: usize = 1000;
/// Most of a file that is looked at.
pub const MAX_COLLECTION_BYTES: usize = 2 * MAX_BUNDLE_BYTES;
const WHAT: &str = "collection of attestations";

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collection {
    /// One attestation: its bundle.
    One(Vec<u8>),
    /// Several, in their order: bundles that somebody offers.
    Many(Vec<Vec<u8>>),
}

/// The bundles of a file in one of these forms; `None` where it is none of them.
///
/// # Errors
/// It begins as one of them, and is none.
pub fn collection(bytes: &[u8]) -> Result<Option<Collection>, Error> {
    let is_likely = |word: &str| bytes.len() <= MAX_COLLECTION_BYTES && holds(bytes, word);
    if !is_likely("\"attestations\"") && !is_likely("\"transparency_entries\"") {
        return Ok(None);
    }
    let value = strict_json::parse_within(bytes, MAX_VALUES).map_err(|error| malformed(error.to_string()))?;
    let Value::Object(mut top) = value else { return Ok(None) };
    if top.contains_key("verification_material") {
        return pep740(&top).map(|bundle| Some(Collection::One(bundle)));
    }
    let lists: Vec<Value> = match (top.remove("attestation_bundles"), top.remove("attestations")) {
        (Some(Value::Array(bundles)), None) => bundles.into_iter().map(|mut one| one["attestations"].take()).collect(),
        (None, Some(attestations)) => vec![attestations],
        _ => return Ok(None),
    };
    let mut found = Vec::new();
    for list in lists {
        let Value::Array(list) = list else { return Err(malformed("`attestations` is not a list")) };
        for one in list {
            if found.len() == MAX_BUNDLES {
                return Err(malformed(format!("more than {MAX_BUNDLES} attestations")));
            }
            found.push(attestation(&one)?);
        }
    }
    Ok(Some(Collection::Many(found)))
}

fn holds(bytes: &[u8], word: &str) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| text.contains(word))
}

fn malformed(why: impl Into<String>) -> Error {
    Error::malformed(WHAT, why)
}

/// One of a list: of PEP 740, or with its bundle as it is.
fn attestation(one: &Value) -> Result<Vec<u8>, Error> {
    match one.as_object() {
        Some(map) if map.contains_key("verification_material") => pep740(map),
        Some(map) if map.get("bundle").is_some_and(Value::is_object) => Ok(map["bundle"].to_string().into_bytes()),
        _ => Err(malformed("an attestation holds no bundle")),
    }
}

/// An attestation object of PEP 740 (<https://docs.pypi.org/attestations/>): certificate, log entries, statement and signature, as a bundle
/// holds them. The entries are Sigstore's own, so that nothing is converted but the names around them.
fn pep740(map: &Map<String, Value>) -> Result<Vec<u8>, Error> {
    let known = |map: &Map<String, Value>, names: &[&str]| match map.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(malformed(format!("unknown field {key:?}"))),
        None => Ok(()),
    };
    known(map, &["version", "verification_material", "envelope"])?;
    if map.get("version") != Some(&json!(1)) {
        return Err(malformed("the version of an attestation object is not 1"));
    }
    let object = |name: &str| map.get(name).and_then(Value::as_object).ok_or_else(|| malformed(format!("`{name}` is missing")));
    let (material, envelope) = (object("verification_material")?, object("envelope")?);
    known(material, &["certificate", "transparency_entries"])?;
    known(envelope, &["statement", "signature"])?;
    let text = |map: &Map<String, Value>, name: &str| {
        map.get(name).filter(|value| value.is_string()).cloned().ok_or_else(|| malformed(format!("`{name}` is not a text")))
    };
    let entries = material.get("transparency_entries").filter(|value| value.is_array()).cloned();
    let bundle = json!({
        "mediaType": BUNDLE_MEDIA_TYPE,
        "verificationMaterial": {
            "certificate": { "rawBytes": text(material, "certificate")? },
            "tlogEntries": entries.ok_or_else(|| malformed("`transparency_entries` is not a list"))?,
        },
        "dsseEnvelope": {
            "payload": text(envelope, "statement")?,
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{ "sig": text(envelope, "signature")? }],
        },
    });
    Ok(bundle.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn object() -> Value {
        json!({
            "version": 1,
            "verification_material": { "certificate": "MIIC", "transparency_entries": [{ "logIndex": "1" }] },
            "envelope": { "statement": "e30=", "signature": "MEUC" },
        })
    }

    #[test]
    fn an_attestation_object_becomes_a_bundle() {
        let Ok(Some(Collection::One(bundle))) = collection(object().to_string().as_bytes()) else { panic!() };
        let bundle: Value = serde_json::from_slice(&bundle).unwrap();
        assert_eq!(bundle["verificationMaterial"]["certificate"]["rawBytes"], "MIIC");
        assert_eq!(bundle["verificationMaterial"]["tlogEntries"][0]["logIndex"], "1");
        assert_eq!(bundle["dsseEnvelope"]["signatures"], json!([{ "sig": "MEUC" }]));
        assert_eq!(bundle["dsseEnvelope"]["payload"], "e30=");
    }

    #[test]
    fn lists_of_both_forms_are_read_in_their_order() {
        let python = json!({ "version": 1, "attestation_bundles": [{ "publisher": {}, "attestations": [object(), object()] }] });
        let answer = json!({ "attestations": [{ "bundle": { "a": 1 }, "repository_id": 1 }, { "bundle": { "b": 1 } }] });
        for (text, count) in [(python, 2), (answer, 2), (json!({ "attestations": [] }), 0)] {
            let Ok(Some(Collection::Many(found))) = collection(text.to_string().as_bytes()) else { panic!("{text}") };
            assert_eq!(found.len(), count, "{text}");
        }
    }

    #[test]
    fn what_is_none_is_left_alone_and_what_is_broken_is_refused() {
        for other in ["", "{}", "[]", "\"attestations\"", "{\"mediaType\":\"x\"}", "# \"attestations\""] {
            assert!(!matches!(collection(other.as_bytes()), Ok(Some(_))), "{other}");
        }
        let with = |pointer: &str, value: Value| {
            let mut changed = object();
            *changed.pointer_mut(pointer).unwrap() = value;
            changed.to_string()
        };
        for broken in [
            with("/version", json!(2)),
            with("/envelope", json!({ "statement": "e30=", "signature": "x", "more": 1 })),
            with("/envelope/signature", json!(["a", "b"])),
            with("/verification_material/certificate", json!(1)),
            with("/verification_material/transparency_entries", json!({})),
            object().to_string().replacen("\"envelope\"", "\"envelope\":{},\"envelope\"", 1),
            json!({ "attestations": [{ "bundle": null }] }).to_string(),
            json!({ "attestations": {} }).to_string(),
            format!("{{\"attestations\":[{}]}}", vec!["{\"bundle\":{}}"; MAX_BUNDLES + 1].join(",")),
        ] {
            assert!(collection(broken.as_bytes()).is_err(), "{}", &broken[..broken.len().min(200)]);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = collection(&bytes);
        }
    }
}
