//! CycloneDX (ECMA-424): the bill of materials of one artifact. The document is made once, as of version 1.7, its fields in the order that
//! the XML schemas want; `lower` says in the words of an earlier version what it can say, `xml` writes it as XML. Before anything is
//! written, `cyclonedx-bom` reads and checks its form of version 1.5, the newest that this library knows.

mod component;
mod formulation;
mod lower;
mod xml;

use std::collections::BTreeSet;

use cyclonedx_bom::models::bom::{Bom, SpecVersion};
use cyclonedx_bom::validation::Validate as _;
use serde_json::{Map, Value, json};

use self::component::{entity, properties};
use super::Document;
use super::Error;
use super::identity::{file_stem, stated, uuid};
use super::inventory::{Inventory, has_standard_library};
use super::part::{self, STANDARD_LIBRARY};
use super::producer::Contact;
use super::sbom::Subject;
use crate::base::text::{one_line, plain};
use crate::config::CycloneDxVersion;

/// The media types (IANA registrations).
pub const JSON: &str = "application/vnd.cyclonedx+json";
pub const XML: &str = "application/vnd.cyclonedx+xml";

/// `sbom/<artifact>.cdx.json`; of an earlier version than the newest `sbom/<artifact>.cdx-<version>.json`.
pub(super) fn json(subject: &Subject<'_>, version: CycloneDxVersion) -> Result<Document, Error> {
    let document = lower::to(version, checked(subject)?);
    let infix = if version == CycloneDxVersion::V1_7 { String::new() } else { format!("-{}", version.as_str()) };
    let path = format!("sbom/{}.cdx{infix}.json", file_stem(&subject.artifact.name));
    Ok(Document::json(path, JSON, &with_header(document, version)))
}

/// `sbom/<artifact>.cdx.xml`; of an earlier version than the newest `sbom/<artifact>.cdx-<version>.xml`.
pub(super) fn xml(subject: &Subject<'_>, version: CycloneDxVersion) -> Result<Document, Error> {
    let document = lower::to(version, checked(subject)?);
    let infix = if version == CycloneDxVersion::V1_6 { String::new() } else { format!("-{}", version.as_str()) };
    let path = format!("sbom/{}.cdx{infix}.xml", file_stem(&subject.artifact.name));
    Ok(Document::text(path, XML, xml::text(&with_header(document, version), version)))
}

/// The identity of a document is its content: another content is another document, the same content the same one.
fn with_header(document: Map<String, Value>, version: CycloneDxVersion) -> Map<String, Value> {
    let version = version.as_str();
    let mut content = version.as_bytes().to_vec();
    content.extend_from_slice(Value::Object(document.clone()).to_string().as_bytes());
    let mut fields = Map::new();
    fields.insert("$schema".to_owned(), json!(format!("http://cyclonedx.org/schema/bom-{version}.schema.json")));
    fields.insert("bomFormat".to_owned(), json!("CycloneDX"));
    fields.insert("specVersion".to_owned(), json!(version));
    fields.insert("serialNumber".to_owned(), json!(format!("urn:uuid:{}", uuid(&content))));
    fields.insert("version".to_owned(), json!(1));
    fields.extend(document);
    fields
}

/// The document as of version 1.7 without header, once the library has taken its form of 1.5.
fn checked(subject: &Subject<'_>) -> Result<Map<String, Value>, Error> {
    let inventory = subject.inventory()?;
    let document = bom(subject, &inventory);
    let older = with_header(lower::to(CycloneDxVersion::V1_5, document.clone()), CycloneDxVersion::V1_5);
    let invalid = |reason: String| {
        // The library's own words can be long: the first few hundred characters name the field.
        let reason = reason.chars().take(400).collect();
        Error::Invalid { format: "CycloneDX", artifact: subject.artifact.name.clone(), reason }
    };
    let read = Bom::parse_json_value(Value::Object(older)).map_err(|error| invalid(error.to_string()))?;
    let result = read.validate_version(SpecVersion::V1_5);
    if result.has_errors() {
        return Err(invalid(format!("{result:?}")));
    }
    Ok(document)
}

fn bom(subject: &Subject<'_>, inventory: &Inventory<'_>) -> Map<String, Value> {
    let Subject { build, artifact, .. } = subject;
    let mut components: Vec<Value> = Vec::with_capacity(inventory.entries.len() + 1);
    for entry in &inventory.entries {
        let nested = component::native(inventory, &entry.part.purl);
        components.push(component::value(&part::package(subject, entry), nested));
    }
    if has_standard_library(artifact) {
        components.push(component::value(&part::standard_library(&build.toolchain), Vec::new()));
    }
    let mut fields = Map::new();
    fields.insert("metadata".to_owned(), metadata(subject, inventory));
    fields.insert("components".to_owned(), Value::Array(components));
    if let Some(place) = subject.signature_place() {
        let comment =
            "The SBOM author's signature: an in-toto attestation of this document in a Sigstore bundle, a file of the release.";
        fields.insert("externalReferences".to_owned(), json!([{"url": place, "comment": comment, "type": "digital-signature"}]));
    }
    fields.insert("dependencies".to_owned(), dependencies(subject, inventory));
    fields.insert("compositions".to_owned(), compositions(subject, inventory));
    if artifact.file.is_some() {
        fields.insert("formulation".to_owned(), formulation::value(build, &inventory.root));
    }
    fields
}

fn metadata(subject: &Subject<'_>, inventory: &Inventory<'_>) -> Value {
    let Subject { build, artifact, settings, .. } = subject;
    // Generation context: a plan is never called a build.
    let phase = if artifact.file.is_some() { "build" } else { "pre-build" };
    let mut fields = Map::new();
    fields.insert("timestamp".to_owned(), json!(build.stamp.to_string()));
    fields.insert("lifecycles".to_owned(), json!([{"phase": phase}]));
    let tool = json!({
        "type": "application",
        "supplier": {"name": "cargo-supplychain"},
        "name": "cargo-supplychain",
        "version": super::TOOL_VERSION,
        "externalReferences": [{"url": super::HOME, "type": "vcs"}],
    });
    fields.insert("tools".to_owned(), json!({"components": [tool]}));
    let author = stated(settings.author.as_ref()).map(one_line);
    let contact = Contact::of(settings.author_contact.as_ref());
    if let Some(author) = &author {
        let mut person = Map::from_iter([("name".to_owned(), json!(author))]);
        if let Some(Contact::Email(email)) = &contact {
            person.insert("email".to_owned(), json!(email));
        }
        fields.insert("authors".to_owned(), json!([person]));
    }
    let main = part::artifact(subject, inventory);
    fields.insert("component".to_owned(), component::value(&main, component::native(inventory, &inventory.root)));
    if let Some(author) = &author {
        fields.insert("manufacturer".to_owned(), entity(author, contact.as_ref()));
    }
    if let Some(supplier) = stated(settings.supplier.as_ref()) {
        let contact = Contact::of(settings.supplier_contact.as_ref());
        fields.insert("supplier".to_owned(), entity(&one_line(supplier), contact.as_ref()));
    }
    fields.insert("properties".to_owned(), properties(&build_facts(subject, inventory)));
    Value::Object(fields)
}

/// What is true of the whole build: the compiler, the invocation, the source and what is not known.
fn build_facts(subject: &Subject<'_>, inventory: &Inventory<'_>) -> Vec<(&'static str, String)> {
    let Subject { build, settings, .. } = subject;
    let mut list: Vec<(&'static str, String)> = Vec::new();
    let mut add = |name, value: &str| list.push((name, plain(value).into_owned()));
    if stated(settings.author.as_ref()).is_none() {
        add("author", "unknown");
    }
    if subject.signature_place().is_none() {
        add("author-signature", "none");
    }
    add("build:name", &build.name);
    add("build:version", &build.version);
    add("build:target", &build.invocation.target);
    add("build:profile", &build.invocation.profile);
    add("build:rustc", &build.toolchain.rustc);
    add("build:cargo", &build.toolchain.cargo);
    add("build:host", &build.toolchain.host);
    if !build.invocation.rustflags.is_empty() {
        add("build:rustflags", &build.invocation.rustflags.join(" "));
    }
    if let Some(commit) = &build.source.commit {
        add("source:commit", commit);
        add("source:dirty", build.source.dirty.map_or("unknown", |dirty| if dirty { "true" } else { "false" }));
    }
    add("resolved-only", &build.resolved_only.len().to_string());
    if let Some(cut) = &inventory.cut {
        add("depth", &cut.to_string());
    }
    let mut gaps: Vec<String> = build.gaps.iter().map(|gap| format!("{}: {}", gap.subject, gap.message)).collect();
    gaps.sort();
    for gap in gaps {
        add("gap", &gap);
    }
    list
}

fn dependencies(subject: &Subject<'_>, inventory: &Inventory<'_>) -> Value {
    let mut list = Vec::new();
    let mut leaves = Vec::new();
    for (from, to) in &inventory.edges {
        let mut targets: BTreeSet<String> = to.clone();
        let libraries = inventory.native.get(from).into_iter().flatten().map(|library| part::native_reference(library));
        for library in libraries {
            leaves.push(json!({"ref": library}));
            targets.insert(library);
        }
        if *from == inventory.root && has_standard_library(subject.artifact) {
            targets.insert(STANDARD_LIBRARY.to_owned());
            leaves.push(json!({"ref": STANDARD_LIBRARY}));
        }
        list.push(if targets.is_empty() { json!({"ref": from}) } else { json!({"ref": from, "dependsOn": targets}) });
    }
    list.extend(leaves);
    Value::Array(list)
}

/// How complete the lists are: cargo's graph is known in full unless evidence has gaps; what native libraries and the standard library
/// are made of is not known; where `--depth` cut, the lists are incomplete.
fn compositions(subject: &Subject<'_>, inventory: &Inventory<'_>) -> Value {
    let known = if subject.build.gaps.is_empty() { "complete" } else { "unknown" };
    let cut = inventory.cut.as_ref().map(|cut| &cut.at);
    let is_cut = |reference: &&String| cut.is_some_and(|cut| cut.contains(*reference));
    let (shortened, whole): (Vec<&String>, Vec<&String>) = inventory.edges.keys().partition(is_cut);
    let mut list = Vec::new();
    if !whole.is_empty() {
        list.push(json!({"aggregate": known, "dependencies": whole}));
    }
    if !shortened.is_empty() {
        list.push(json!({"aggregate": "incomplete", "dependencies": shortened}));
    }
    let mut opaque: Vec<String> = inventory.native.values().flatten().map(|library| part::native_reference(library)).collect();
    if has_standard_library(subject.artifact) {
        opaque.push(STANDARD_LIBRARY.to_owned());
    }
    if !opaque.is_empty() {
        list.push(json!({"aggregate": "unknown", "assemblies": opaque, "dependencies": opaque}));
    }
    Value::Array(list)
}

#[cfg(test)]
mod tests;
