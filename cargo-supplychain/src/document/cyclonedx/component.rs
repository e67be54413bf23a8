//! One component as CycloneDX 1.7 has it.

use serde_json::{Map, Value, json};

use crate::base::text::plain;
use crate::document::inventory::Inventory;
use crate::document::native as words;
use crate::document::part::{self, Kind, Part, Source};
use crate::document::producer::{Author, Contact, Producer};
use crate::model::ArtifactKind;
use crate::model::licence::Declared;
use crate::model::native::Evidence;

/// The fields stand in the order of the XML schemas.
pub(super) fn value(part: &Part<'_>, nested: Vec<Value>) -> Value {
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("type", json!(kind(part.kind)));
    put("bom-ref", json!(part.reference));
    producer(&part.producer, &mut put);
    put("name", json!(part.name));
    if let Some(version) = &part.version {
        put("version", json!(version));
    }
    if part.is_external {
        put("isExternal", json!(true));
    }
    if let Some(description) = &part.description {
        put("description", json!(description));
    }
    if !matches!(part.kind, Kind::Artifact(_)) {
        put("scope", json!(if part.is_linked { "required" } else { "excluded" }));
    }
    if let Some(hashes) = hashes(part) {
        put("hashes", hashes);
    }
    if let Some(licences) = licences(part) {
        put("licenses", licences);
    }
    if let Some(cpe) = &part.cpe {
        put("cpe", json!(cpe));
    }
    if let Some(purl) = &part.purl {
        put("purl", json!(purl));
    }
    if let Some(pedigree) = &part.pedigree {
        let ancestor = json!({"type": "library", "name": part.name, "version": part.version, "purl": pedigree.ancestor});
        put("pedigree", json!({"ancestors": [ancestor], "notes": pedigree.note}));
    }
    let references = references(part);
    if !references.is_empty() {
        put("externalReferences", Value::Array(references));
    }
    put("properties", with_file_properties(part));
    if !nested.is_empty() {
        put("components", Value::Array(nested));
    }
    if let (Some(evidence), Some(version)) = (part.evidence, &part.version) {
        put("evidence", self::evidence(evidence, version));
    }
    Value::Object(fields)
}

/// The native libraries under the crate that asked for them.
pub(super) fn native(inventory: &Inventory<'_>, holder: &str) -> Vec<Value> {
    let libraries = inventory.native.get(holder).into_iter().flatten();
    libraries.map(|library| value(&part::native(library), Vec::new())).collect()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Artifact(ArtifactKind::Bin | ArtifactKind::Example) | Kind::Compiler => "application",
        Kind::Artifact(ArtifactKind::Derived) => "file",
        Kind::Artifact(_) | Kind::Package(_) | Kind::Native(_) | Kind::StandardLibrary => "library",
    }
}

fn producer(producer: &Producer, put: &mut impl FnMut(&str, Value) -> Option<Value>) {
    match producer {
        Producer::Configured { name, contact } => {
            put("supplier", entity(name, contact.as_ref()));
            put("manufacturer", entity(name, contact.as_ref()));
        }
        Producer::Authors(authors) => {
            let contact = |author: &Author| match &author.email {
                Some(email) => json!({"name": author.name, "email": email}),
                None => json!({"name": author.name}),
            };
            put("authors", authors.iter().map(contact).collect());
        }
        Producer::Project { name, url } => {
            put("manufacturer", entity(name, Some(&Contact::Url(url.clone()))));
        }
        Producer::Known(name, url) => {
            let known = entity(name, Some(&Contact::Url((*url).to_owned())));
            put("supplier", known.clone());
            put("manufacturer", known);
        }
        Producer::Unknown => {
            put("supplier", json!({"name": "unknown"}));
        }
    }
}

pub(super) fn entity(name: &str, contact: Option<&Contact>) -> Value {
    match contact {
        Some(Contact::Url(url)) => json!({"name": name, "url": [url]}),
        Some(Contact::Email(email)) => json!({"name": name, "contact": [{"email": email}]}),
        None => json!({"name": name}),
    }
}

/// How the version is known. The build metadata of a crate's version is a convention of its authors; a file of the sources is what it is.
fn evidence(evidence: &Evidence, version: &str) -> Value {
    let (technique, confidence) = match evidence {
        Evidence::BuildMetadata { .. } => ("manifest-analysis", json!(0.9)),
        Evidence::File { .. } => ("source-code-analysis", json!(1)),
    };
    let method = json!({"technique": technique, "confidence": confidence, "value": plain(&words::evidence(evidence))});
    let identity = json!({"field": "version", "confidence": confidence, "concludedValue": plain(version), "methods": [method]});
    match evidence {
        Evidence::BuildMetadata { .. } => json!({"identity": [identity]}),
        Evidence::File { path, .. } => json!({"identity": [identity], "occurrences": [{"location": plain(path)}]}),
    }
}

fn hashes(part: &Part<'_>) -> Option<Value> {
    let sha256 = json!({"alg": "SHA-256", "content": part.sha256?.to_string()});
    let sha512 = part.file.map(|file| json!({"alg": "SHA-512", "content": file.sha512.to_string()}));
    Some(std::iter::once(sha256).chain(sha512).collect())
}

fn licences(part: &Part<'_>) -> Option<Value> {
    let named = |name: String| json!({"name": name, "acknowledgement": "declared"});
    match &part.licence {
        Declared::Expression { text, .. } => {
            let detail = |(reference, text): &(String, &str)| json!({"licenseIdentifier": reference, "text": {"content": text}});
            let mut choice = json!({"expression": text, "acknowledgement": "declared"});
            let details: Vec<Value> = part.licence_texts.iter().map(detail).collect();
            if let (Some(fields), false) = (choice.as_object_mut(), details.is_empty()) {
                fields.insert("expressionDetails".to_owned(), Value::Array(details));
            }
            Some(json!([choice]))
        }
        Declared::Unparsed(text) => Some(json!([{"license": named(plain(text).into_owned())}])),
        Declared::File(file) => {
            let mut licence = named(format!("see the file {} of the package", plain(file)));
            if let (Some(fields), Some((_, text))) = (licence.as_object_mut(), part.licence_texts.first()) {
                fields.insert("text".to_owned(), json!({"content": text}));
            }
            Some(json!([{"license": licence}]))
        }
        Declared::Missing => None,
    }
}

fn references(part: &Part<'_>) -> Vec<Value> {
    let mut list = Vec::new();
    if let Some(url) = &part.repository {
        list.push(json!({"url": url, "type": "vcs"}));
    }
    match &part.source {
        Some(Source { url, commit: None }) => {
            let hashes = hashes(part).filter(|_| part.file.is_none());
            let mut reference = json!({"url": url, "type": "source-distribution"});
            if let (Some(fields), Some(hashes)) = (reference.as_object_mut(), hashes) {
                fields.insert("hashes".to_owned(), hashes);
            }
            list.push(reference);
        }
        Some(Source { url, commit: Some(commit) }) => {
            list.push(json!({"url": url, "comment": format!("commit {commit}"), "type": "source-distribution"}));
        }
        None => {}
    }
    if let Some(file) = part.file {
        // Relative to the folder of the release: where it is published is not known here.
        if let Some(url) = relative_url(&file.name) {
            list.push(json!({"url": url, "type": "distribution", "hashes": hashes(part)}));
        }
    }
    list
}

/// `artifacts/NAME`, for names that need no escapes.
fn relative_url(name: &str) -> Option<String> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte));
    is_plain.then(|| format!("artifacts/{name}"))
}

/// Our own words; for the released file also those of BSI TR-03183-2 (sections 8.1.4 to 8.1.6, BSI's property taxonomy).
fn with_file_properties(part: &Part<'_>) -> Value {
    let mut list = properties(&part.facts);
    if let (Some(file), Kind::Artifact(kind), Value::Array(list)) = (part.file, part.kind, &mut list) {
        let mut add =
            |name: &str, value: &str| list.push(json!({"name": format!("bsi:component:{name}"), "value": plain(value)}));
        add("filename", &file.name);
        if let Some(traits) = part::file_traits(kind) {
            add("executable", if traits.is_executable { "executable" } else { "non-executable" });
            add("archive", if traits.is_archive { "archive" } else { "no archive" });
            add("structured", if traits.is_structured { "structured" } else { "unstructured" });
        }
    }
    list
}

/// Under our namespace.
pub(super) fn properties(facts: &[(&'static str, String)]) -> Value {
    let property = |(name, value): &(&str, String)| json!({"name": format!("cargo-supplychain:{name}"), "value": value});
    Value::Array(facts.iter().map(property).collect())
}
