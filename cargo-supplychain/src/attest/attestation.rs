//! An in-toto statement of anybody's: v1 (<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>) and its
//! predecessor v0.1, which signers of packages still write. Our own are [`super::Statement`]s, which are narrower.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::statement::MAX_SUBJECTS;
use super::{Error, strict_json};
use crate::base::{Sha256, Sha512};

const TYPES: [&str; 2] = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
/// Most values of one statement. An SBOM has about thirty a component; half a million take some 100 MB.
const MAX_VALUES: usize = 500_000;
const WHAT: &str = "in-toto statement";

/// A file that a statement is about, by at least one digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedSubject {
    /// A file name, a path or a package URL; some signers leave it out.
    pub name: Option<String>,
    pub sha256: Option<Sha256>,
    pub sha512: Option<Sha512>,
}

/// A statement: the predicate holds for the subjects.
#[derive(Debug, Clone, PartialEq)]
pub struct Attestation {
    /// At least one has a digest that we judge by; no two have the same name.
    pub subjects: Vec<AttestedSubject>,
    /// A URI, such as [`super::PROVENANCE`].
    pub predicate_type: String,
    pub predicate: Value,
}

impl Attestation {
    /// Reads a statement strictly: no key twice, nothing unknown at the top, a known `_type`, no two subjects of one name. A digest by
    /// `sha256` or `sha512` that is there has to be written in lower-case digits of the right number. Digests by other algorithms are
    /// no evidence: a subject with nothing else cannot be matched, and a statement of such subjects alone is refused.
    ///
    /// # Errors
    /// Why the bytes are not such a statement.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let value = strict_json::parse_within(bytes, MAX_VALUES).map_err(|error| malformed(error.to_string()))?;
        let Value::Object(mut top) = value else { return Err(malformed("not a JSON object")) };
        let kind = text(&mut top, "_type")?;
        if !TYPES.contains(&kind.as_str()) {
            return Err(malformed(format!("its `_type` is {kind:?}, expected {} or {}", TYPES[0], TYPES[1])));
        }
        let predicate_type = text(&mut top, "predicateType")?;
        if predicate_type.is_empty() {
            return Err(malformed("`predicateType` is empty"));
        }
        let Some(Value::Array(list)) = top.remove("subject") else { return Err(malformed("`subject` is not a list")) };
        let subjects = subjects(list)?;
        let predicate = top.remove("predicate").filter(|value| !value.is_null()).unwrap_or_else(|| Map::new().into());
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

fn subjects(list: Vec<Value>) -> Result<Vec<AttestedSubject>, Error> {
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
        if let Some(name) = &subject.name
            && !names.insert(name.clone())
        {
            return Err(malformed(format!("two subjects are named {name:?}")));
        }
        subjects.push(subject);
    }
    if subjects.iter().all(|subject| subject.sha256.is_none() && subject.sha512.is_none()) {
        return Err(malformed("no subject has a sha256 or sha512 digest"));
    }
    Ok(subjects)
}

/// One ResourceDescriptor; its other fields (`uri`, `mediaType`, …) say nothing that we rely on.
fn subject(entry: Value) -> Result<AttestedSubject, Error> {
    let Value::Object(mut entry) = entry else { return Err(malformed("a subject is not an object")) };
    let name = match entry.remove("name") {
        None => None,
        Some(Value::String(name)) => Some(name).filter(|name| !name.is_empty()),
        Some(_) => return Err(malformed("the name of a subject is not a string")),
    };
    let shown = name.as_deref().unwrap_or("without a name");
    let Some(Value::Object(digests)) = entry.remove("digest") else {
        return Err(malformed(format!("the subject {shown:?} has no digest")));
    };
    let invalid = |algorithm: &str, digits: usize| {
        malformed(format!("the {algorithm} digest of the subject {shown:?} is not {digits} lower-case hexadecimal digits"))
    };
    let sha256 = match digests.get("sha256") {
        None => None,
        Some(value) => Some(value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| invalid("sha256", 64))?),
    };
    let sha512 = match digests.get("sha512") {
        None => None,
        Some(value) => Some(value.as_str().and_then(Sha512::from_hex).ok_or_else(|| invalid("sha512", 128))?),
    };
    Ok(AttestedSubject { name, sha256, sha512 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn with(subject: &str) -> String {
        format!(
            r#"{{"_type":"{}","subject":{subject},"predicateType":"https://slsa.dev/provenance/v1","predicate":{{}}}}"#,
            TYPES[0]
        )
    }

    fn error(text: &str) -> String {
        Attestation::parse(text.as_bytes()).unwrap_err().to_string()
    }

    /// Every subject that could be read in two ways, or not be told from another file, and its benign twin.
    #[test]
    fn att_11_ambiguous_subjects_are_refused() {
        let other = HEX.replace('e', "d");
        for (subject, why) in [
            ("[]".to_owned(), "about nothing"),
            (r#"[{"name":"a","digest":{"sha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}}]"#.to_owned(), "no subject has"),
            (r#"[{"name":"a","digest":{"md5":"d41d8cd98f00b204e9800998ecf8427e"}}]"#.to_owned(), "no subject has"),
            (format!(r#"[{{"name":"a","digest":{{"sha256":"{}"}}}}]"#, HEX.to_uppercase()), "lower-case"),
            (format!(r#"[{{"name":"a","digest":{{"sha256":"{}"}}}}]"#, &HEX[1..]), "lower-case"),
            (format!(r#"[{{"name":"a","digest":{{"sha256":"{HEX}","sha512":"00"}}}}]"#), "lower-case"),
            (format!(r#"[{{"name":"a","digest":{{"sha256":"{HEX}","sha256":"{other}"}}}}]"#), "appears twice"),
            (
                format!(r#"[{{"name":"a","digest":{{"sha256":"{HEX}"}}}},{{"name":"a","digest":{{"sha256":"{other}"}}}}]"#),
                "two subjects",
            ),
            (format!(r#"[{{"name":1,"digest":{{"sha256":"{HEX}"}}}}]"#), "not a string"),
            (r#"[{"name":"a"}]"#.to_owned(), "no digest"),
        ] {
            assert!(error(&with(&subject)).contains(why), "{subject}: {}", error(&with(&subject)));
        }
        let sha512 = HEX.repeat(2);
        for good in [
            format!(r#"[{{"name":"a","digest":{{"sha512":"{sha512}","sha256":"{HEX}"}}}}]"#),
            format!(r#"[{{"name":"pkg:npm/a@1","digest":{{"sha512":"{sha512}"}}}}]"#),
            // A release attestation of a repository host: the tag's commit has no name and no digest of ours, the file has.
            format!(r#"[{{"uri":"pkg:github/o/r@v1","digest":{{"sha1":"00"}}}},{{"name":"a","digest":{{"sha256":"{HEX}"}}}}]"#),
        ] {
            assert!(Attestation::parse(with(&good).as_bytes()).is_ok(), "{good}");
        }
    }

    #[test]
    fn other_types_and_fields_are_refused() {
        let good = with(&format!(r#"[{{"name":"a","digest":{{"sha256":"{HEX}"}}}}]"#));
        assert!(Attestation::parse(good.as_bytes()).is_ok());
        assert!(Attestation::parse(good.replace("Statement/v1", "Statement/v0.1").as_bytes()).is_ok());
        for (from, to) in [
            ("Statement/v1", "Statement/v2"),
            ("\"_type\"", "\"type\""),
            ("\"predicate\":{}", "\"predicate\":[]"),
            ("\"predicate\":{}", "\"predicate\":{},\"more\":1"),
            ("https://slsa.dev/provenance/v1", ""),
        ] {
            let bad = good.replace(from, to);
            assert_ne!(bad, good);
            assert!(Attestation::parse(bad.as_bytes()).is_err(), "{from} -> {to}");
        }
        let many = format!(r#"{{"name":"a","digest":{{"sha256":"{HEX}"}}}},"#).repeat(MAX_SUBJECTS);
        assert!(error(&with(&format!("[{many}{{}}]"))).contains("more than"));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Attestation::parse(&bytes);
        }
    }
}
