//! in-toto Statement v1 (<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>): which files a predicate
//! is about. Written deterministically; read strictly, because a second reading of the same bytes would be an attack.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Error, strict_json};
use crate::base::Sha256;

/// The only `_type` that is accepted.
const TYPE: &str = "https://in-toto.io/Statement/v1";
/// Most subjects of one statement.
pub const MAX_SUBJECTS: usize = 10_000;
const WHAT: &str = "in-toto statement";

/// A file that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// File name, see [`super::subject_name`].
    pub name: String,
    pub sha256: Sha256,
}

/// A statement: the predicate holds for the subjects.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// At least one, no two of the same name.
    pub subjects: Vec<Subject>,
    /// A URI, such as [`super::PROVENANCE`].
    pub predicate_type: String,
    pub predicate: Value,
}

/// The wire form, in the order of the specification.
#[derive(Serialize)]
struct Wire<'a> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Value>,
    #[serde(rename = "predicateType")]
    predicate_type: &'a str,
    predicate: &'a Value,
}

impl Statement {
    /// A statement about one file.
    pub fn new(name: impl Into<String>, sha256: Sha256, predicate_type: impl Into<String>, predicate: Value) -> Self {
        Self { subjects: vec![Subject { name: name.into(), sha256 }], predicate_type: predicate_type.into(), predicate }
    }

    /// The release statement (`docs/release-statement-v1.md`) about the bytes of a `release.json`.
    #[must_use]
    pub fn release(manifest: &[u8], name: &str, version: &str, target: &str) -> Self {
        let predicate = json!({ "name": name, "version": version, "target": target });
        Self::new(super::RELEASE_MANIFEST, Sha256::of(manifest), super::RELEASE, predicate)
    }

    /// The statement's bytes: compact JSON, the keys of the predicate in the order in which they were inserted.
    /// These bytes are what is signed and what `release.json` lists the digest of.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let subject = |one: &Subject| json!({ "name": one.name, "digest": { "sha256": one.sha256 } });
        let wire = Wire {
            kind: TYPE,
            subject: self.subjects.iter().map(subject).collect(),
            predicate_type: &self.predicate_type,
            predicate: &self.predicate,
        };
        serde_json::to_vec(&wire).expect("values with string keys always serialise")
    }

    /// Reads a statement strictly: no key twice, nothing unknown at the top, every subject with a name of its own and a
    /// `sha256` of 64 lower-case hexadecimal digits (other algorithms may stand beside it, none may replace it).
    ///
    /// # Errors
    /// Why the bytes are not such a statement.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let value = strict_json::parse(bytes).map_err(|error| malformed(error.to_string()))?;
        let Value::Object(mut top) = value else { return Err(malformed("not a JSON object")) };
        if text(&mut top, "_type")? != TYPE {
            return Err(malformed(format!("`_type` is not {TYPE}")));
        }
        let predicate_type = text(&mut top, "predicateType")?;
        if predicate_type.is_empty() {
            return Err(malformed("`predicateType` is empty"));
        }
        let Some(Value::Array(list)) = top.remove("subject") else { return Err(malformed("`subject` is not a list")) };
        let subjects = subjects(list)?;
        let predicate = top.remove("predicate").unwrap_or_else(|| Value::Object(Map::new()));
        if !predicate.is_object() {
            return Err(malformed("`predicate` is not an object"));
        }
        match top.keys().next() {
            Some(key) => Err(malformed(format!("unknown field {key:?}"))),
            None => Ok(Self { subjects, predicate_type, predicate }),
        }
    }
}

fn malformed(why: impl Into<String>) -> Error {
    Error::malformed(WHAT, why)
}

fn text(map: &mut Map<String, Value>, key: &str) -> Result<String, Error> {
    match map.remove(key) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(malformed(format!("`{key}` is not a string"))),
        None => Err(malformed(format!("`{key}` is missing"))),
    }
}

fn subjects(list: Vec<Value>) -> Result<Vec<Subject>, Error> {
    if list.is_empty() {
        return Err(malformed("`subject` is empty: it is about nothing"));
    }
    if list.len() > MAX_SUBJECTS {
        return Err(malformed(format!("more than {MAX_SUBJECTS} subjects")));
    }
    let mut names = BTreeSet::new();
    let mut subjects = Vec::with_capacity(list.len());
    for entry in list {
        let subject = subject(entry)?;
        if !names.insert(subject.name.clone()) {
            return Err(malformed(format!("two subjects are named {:?}", subject.name)));
        }
        subjects.push(subject);
    }
    Ok(subjects)
}

/// One ResourceDescriptor; its optional fields (`uri`, `mediaType`, …) say nothing that we rely on.
fn subject(entry: Value) -> Result<Subject, Error> {
    let Value::Object(mut entry) = entry else { return Err(malformed("a subject is not an object")) };
    let name = text(&mut entry, "name")?;
    if name.is_empty() {
        return Err(malformed("a subject has an empty name"));
    }
    let Some(Value::Object(digests)) = entry.remove("digest") else {
        return Err(malformed(format!("the subject {name:?} has no digest")));
    };
    let sha256 = digests.get("sha256").and_then(Value::as_str).and_then(|digest| digest.parse().ok());
    let sha256 = sha256
        .ok_or_else(|| malformed(format!("the subject {name:?} has no sha256 digest of 64 lower-case hexadecimal digits")))?;
    Ok(Subject { name, sha256 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn with_subject(subject: &str) -> String {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":{subject},"predicateType":"https://slsa.dev/provenance/v1","predicate":{{}}}}"#
        )
    }

    #[test]
    fn is_written_in_one_way_and_read_back() {
        let statement = Statement::new("rg", Sha256::of(b""), super::super::PROVENANCE, json!({"z": 1, "a": [2]}));
        let bytes = statement.to_bytes();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"rg","digest":{{"sha256":"{HEX}"}}}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{{"z":1,"a":[2]}}}}"#
            )
        );
        assert_eq!(Statement::parse(&bytes).unwrap(), statement);
    }

    /// Ambiguous statements are refused, and its benign twin: a sha512 beside the sha256.
    #[test]
    fn att_11_ambiguous_statements_are_refused() {
        let other = HEX.replace('e', "d");
        for (subject, why) in [
            ("[]".to_owned(), "empty"),
            ("{}".to_owned(), "not a list"),
            (r#"[{"name":"a","digest":{"sha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}}]"#.to_owned(), "no sha256"),
            (r#"[{"name":"a","digest":{"md5":"d41d8cd98f00b204e9800998ecf8427e"}}]"#.to_owned(), "no sha256"),
            (format!(r#"[{{"name":"a","digest":{{"sha256":"{}"}}}}]"#, HEX.to_uppercase()), "no sha256"),
            (format!(r#"[{{"name":"a","digest":{{"sha256":"{}"}}}}]"#, &HEX[1..]), "no sha256"),
            (format!(r#"[{{"name":"a","digest":{{"sha256":"{HEX}","sha256":"{other}"}}}}]"#), "appears twice"),
            (
                format!(r#"[{{"name":"a","digest":{{"sha256":"{HEX}"}}}},{{"name":"a","digest":{{"sha256":"{other}"}}}}]"#),
                "two subjects",
            ),
            (format!(r#"[{{"digest":{{"sha256":"{HEX}"}}}}]"#), "missing"),
            (format!(r#"[{{"name":"","digest":{{"sha256":"{HEX}"}}}}]"#), "empty name"),
            (r#"[{"name":"a"}]"#.to_owned(), "no digest"),
        ] {
            let error = Statement::parse(with_subject(&subject).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{subject}: {error}");
        }
        let both = format!(r#"[{{"name":"a","digest":{{"sha512":"00","sha256":"{HEX}"}}}}]"#);
        assert!(Statement::parse(with_subject(&both).as_bytes()).is_ok());
    }

    #[test]
    fn other_types_and_fields_are_refused() {
        let good = with_subject(&format!(r#"[{{"name":"a","digest":{{"sha256":"{HEX}"}}}}]"#));
        assert!(Statement::parse(good.as_bytes()).is_ok());
        for (from, to) in [
            ("Statement/v1", "Statement/v0.1"),
            ("\"_type\"", "\"type\""),
            ("\"predicateType\"", "\"predicate_type\""),
            ("\"predicate\":{}", "\"predicate\":[]"),
            ("\"predicate\":{}", "\"predicate\":{},\"more\":1"),
            ("https://slsa.dev/provenance/v1", ""),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert!(Statement::parse(bad.as_bytes()).is_err(), "{from} -> {to}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_never_reads_a_mutation_alike(at in 0usize..10_000, byte in any::<u8>()) {
            let good = Statement::new("rg", Sha256::of(b"x"), super::super::PROVENANCE, json!({"a": "b"}));
            let mut bytes = good.to_bytes();
            let at = at % bytes.len();
            let changed = bytes[at] != byte;
            bytes[at] = byte;
            if let Ok(read) = Statement::parse(&bytes) {
                prop_assert!(!changed || read != good);
            }
        }
    }
}
