//! SPDX 2.2 and 2.3 (ISO/IEC 5962): documents, packages, files and relationships, read from JSON here and from tag-value by `spdx2_tags`, and
//! the one way from them to a [`Bom`]. `spdx-rs` is not the reader: it parses licence expressions and drops documents whose expression it does
//! not know, and its tag-value reader has no bound.

use serde::Deserialize;

use super::build::Builder;
use super::{
    Absence, Acknowledgement, Bom, Completeness, Error, Format, Hash, Kind, Licence, Part, Party, Scope, Signature, Tool, json,
};

const VERSIONS: [&str; 2] = ["SPDX-2.2", "SPDX-2.3"];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawDocument {
    pub spdx_version: String,
    #[serde(rename = "SPDXID")]
    pub id: String,
    pub document_namespace: Option<String>,
    pub comment: Option<String>,
    pub creation_info: RawCreation,
    pub packages: Vec<RawPackage>,
    pub files: Vec<RawPackage>,
    pub relationships: Vec<RawRelationship>,
    pub document_describes: Vec<String>,
    pub has_extracted_licensing_infos: Vec<RawExtracted>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawCreation {
    pub created: Option<String>,
    pub creators: Vec<String>,
    pub comment: Option<String>,
}

/// A package, or a file with what both have.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawPackage {
    #[serde(rename = "SPDXID")]
    pub id: String,
    #[serde(alias = "fileName")]
    pub name: String,
    pub version_info: Option<String>,
    pub package_file_name: Option<String>,
    pub supplier: Option<String>,
    pub originator: Option<String>,
    pub download_location: Option<String>,
    pub checksums: Vec<RawChecksum>,
    pub license_concluded: Option<String>,
    pub license_declared: Option<String>,
    pub external_refs: Vec<RawExternal>,
    pub primary_package_purpose: Option<String>,
    pub comment: Option<String>,
    pub has_files: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawChecksum {
    pub algorithm: String,
    pub checksum_value: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawExternal {
    #[serde(default)]
    pub reference_category: String,
    pub reference_type: String,
    pub reference_locator: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawRelationship {
    pub spdx_element_id: String,
    pub relationship_type: String,
    pub related_spdx_element: String,
}

/// A licence that is not on SPDX's list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawExtracted {
    pub license_id: String,
    pub name: Option<String>,
}

/// Reads SPDX JSON.
pub(super) fn read(text: &str) -> Result<Bom, Error> {
    bom(json::parse(text)?, Format::SpdxJson)
}

/// The one way from the document to the model.
pub(super) fn bom(raw: RawDocument, format: Format) -> Result<Bom, Error> {
    if !VERSIONS.contains(&raw.spdx_version.as_str()) {
        return Err(Error::at("spdxVersion", format!("{:?} is not read, {} are", raw.spdx_version, VERSIONS.join(" and "))));
    }
    let mut builder = Builder::new(format, raw.spdx_version.trim_start_matches("SPDX-"));
    // A revised document has a namespace of its own (SPDX 2.3, 6.5): it says which revision this is.
    builder.bom.version.clone_from(&raw.document_namespace);
    builder.bom.serial.clone_from(&raw.document_namespace);
    creation(&mut builder.bom, &raw);
    let mut contained = Vec::new();
    for mut package in raw.packages {
        if package.id.is_empty() {
            return Err(Error::at(format!("the package {:?}", package.name), "it has no SPDXID"));
        }
        let files = std::mem::take(&mut package.has_files);
        contained.extend(files.into_iter().map(|file| (package.id.clone(), file)));
        builder.add(part(package, Kind::Component))?;
    }
    for file in raw.files {
        builder.add(part(file, Kind::File))?;
    }
    for (outer, inner) in &contained {
        nest(&mut builder, outer, inner)?;
    }
    for described in &raw.document_describes {
        describes(&mut builder, described)?;
    }
    for relationship in &raw.relationships {
        relate(&mut builder, &raw.id, relationship)?;
    }
    named_licences(&mut builder.bom.parts, &raw.has_extracted_licensing_infos);
    Ok(builder.finish())
}

fn creation(bom: &mut Bom, raw: &RawDocument) {
    bom.timestamp.clone_from(&raw.creation_info.created);
    for creator in &raw.creation_info.creators {
        match creator.split_once(':') {
            Some(("Tool", name)) => bom.tools.push(tool(name.trim())),
            Some((_, name)) => bom.authors.say(name, party),
            None => bom.authors.say(creator, party),
        }
    }
    let all = [&raw.creation_info.comment, &raw.comment];
    all.into_iter().flatten().for_each(|text| comments(bom, text));
}

/// The sentences of a comment of the document. A full stop within a path or a version does not end one.
pub(super) fn comments(bom: &mut Bom, text: &str) {
    for line in text.lines() {
        line.split(". ").for_each(|sentence| comment(bom, sentence.trim().trim_end_matches('.')));
    }
}

/// What has no field in SPDX 2 stands in comments: what CISA's and our own documents write there.
fn comment(bom: &mut Bom, sentence: &str) {
    let lower = sentence.to_ascii_lowercase();
    let behind = |label: &str| lower.starts_with(label).then(|| sentence[label.len()..].trim());
    if let Some(context) = behind("generation context:").or_else(|| behind("sbom type:")).or_else(|| behind("lifecycle:")) {
        let is_new = bom.contexts.values.iter().all(|known| known != context);
        bom.contexts.say(if is_new { context } else { "" }, str::to_owned);
    }
    if lower.starts_with("the author of this document is unknown") || lower.starts_with("author: unknown") {
        bom.authors.absence = Some(Absence::Unknown);
    }
    if let Some(version) = behind("sbom version:").filter(|version| !version.is_empty()) {
        bom.version = Some(version.to_owned());
    }
    let place = behind("the sbom author's signature:").or_else(|| behind("signature:"));
    if let Some(place) = place.filter(|place| Absence::of(place).is_none() && !matches!(*place, "" | "none")) {
        bom.signature = Some(Signature::Referenced(place.to_owned()));
    }
}

/// `name-version` (SPDX 2.3, 6.8): the version is what stands behind the last hyphen before a digit.
fn tool(text: &str) -> Tool {
    let is_version = |at: &usize| text[at + 1..].trim_start_matches(['v', 'V']).starts_with(|first: char| first.is_ascii_digit());
    let cut = text.match_indices('-').map(|(at, _)| at).find(is_version);
    match cut {
        Some(at) if at > 0 => Tool { name: text[..at].to_owned(), version: Some(text[at + 1..].to_owned()) },
        _ => Tool { name: text.to_owned(), version: None },
    }
}

/// `NAME (CONTACT)` without the kind before it.
fn party(text: &str) -> Party {
    let cut = text.strip_suffix(')').and_then(|text| text.rsplit_once('('));
    let (name, contact) = cut.map_or((text, ""), |(name, contact)| (name.trim(), contact.trim()));
    Party { name: name.to_owned(), contact: (!contact.is_empty()).then(|| contact.to_owned()) }
}

fn part(raw: RawPackage, kind: Kind) -> Part {
    let mut part = Part::new(kind, &raw.name);
    part.reference = raw.id;
    part.type_word = raw.primary_package_purpose.unwrap_or_default();
    part.version.say(raw.version_info.as_deref().unwrap_or_default(), str::to_owned);
    part.file_name = raw.package_file_name.filter(|name| !name.is_empty());
    for makers in [&raw.supplier, &raw.originator].into_iter().flatten() {
        let name = makers.split_once(':').filter(|(kind, _)| matches!(*kind, "Person" | "Organization"));
        part.producers.say(name.map_or(makers.as_str(), |(_, name)| name), party);
    }
    for RawChecksum { algorithm, checksum_value } in &raw.checksums {
        part.hashes.values.push(Hash::new(algorithm, checksum_value));
    }
    let licences = [(raw.license_declared, Acknowledgement::Declared), (raw.license_concluded, Acknowledgement::Concluded)];
    for (text, acknowledgement) in licences {
        part.licences.say(text.as_deref().unwrap_or_default(), |text| Licence { text: text.to_owned(), acknowledgement });
    }
    for RawExternal { reference_category, reference_type, reference_locator } in raw.external_refs {
        // A type may be written as the URI of its definition.
        match reference_type.rsplit('/').next().unwrap_or_default() {
            "purl" => part.purls.push(reference_locator),
            "cpe22Type" | "cpe23Type" | "swid" | "gitoid" | "swh" => part.identifiers.say(&reference_locator, str::to_owned),
            _ if reference_category.replace('_', "-") == "PERSISTENT-ID" => {
                part.identifiers.say(&reference_locator, str::to_owned);
            }
            _ => part.links.push((reference_type, reference_locator)),
        }
    }
    if let Some(location) = raw.download_location.filter(|location| Absence::of(location).is_none() && location != "NONE") {
        part.links.push(("distribution".to_owned(), location));
    }
    if let Some(comment) = &raw.comment {
        traits(&mut part, comment);
    }
    part
}

/// What our own documents write into the comment of a package, because SPDX 2 has no field for it: `name: value; name: value`.
pub(super) fn traits(part: &mut Part, comment: &str) {
    for fact in comment.split("; ") {
        if let Some((name, value)) = fact.split_once(": ") {
            part.property(&format!("cargo-supplychain:{}", name.trim()), value);
        } else if let Some(name) = fact.strip_suffix(':') {
            part.property(&format!("cargo-supplychain:{}", name.trim()), "");
        }
    }
}

fn describes(builder: &mut Builder, described: &str) -> Result<(), Error> {
    match builder.find(described) {
        Some(index) => {
            builder.bom.subjects.extend(usize::try_from(index));
            Ok(())
        }
        None => builder.dangles(described),
    }
}

fn nest(builder: &mut Builder, outer: &str, inner: &str) -> Result<(), Error> {
    match (builder.find(outer), builder.find(inner)) {
        (Some(outer), Some(inner)) => builder.nest(inner, outer),
        (Some(_), None) => builder.dangles(inner),
        (None, _) => builder.dangles(outer),
    }
}

/// What a relationship (SPDX 2.3, section 11) says about parts.
fn relate(builder: &mut Builder, document: &str, raw: &RawRelationship) -> Result<(), Error> {
    let RawRelationship { spdx_element_id: left, relationship_type, related_spdx_element: right } = raw;
    let kind = relationship_type.to_ascii_uppercase().replace('-', "_");
    match kind.as_str() {
        "DESCRIBES" if left == document => describes(builder, right),
        "DESCRIBED_BY" if right == document => describes(builder, left),
        "CONTAINS" if left != document => nest(builder, left, right),
        "CONTAINED_BY" if right != document => nest(builder, right, left),
        "DEPENDS_ON" | "STATIC_LINK" | "DYNAMIC_LINK" | "HAS_PREREQUISITE" => {
            if kind.ends_with("_LINK") {
                linked(builder, right, if kind == "STATIC_LINK" { "static" } else { "dynamic" });
            }
            depends(builder, left, right)
        }
        "DEPENDENCY_OF" | "RUNTIME_DEPENDENCY_OF" | "PROVIDED_DEPENDENCY_OF" | "PREREQUISITE_FOR" => {
            depends(builder, right, left)
        }
        "OPTIONAL_DEPENDENCY_OF" | "OPTIONAL_COMPONENT_OF" => {
            if let Some(part) = builder.find(left).and_then(|index| builder.part(index)) {
                part.scope = Scope::Optional;
            }
            depends(builder, right, left)
        }
        "BUILD_DEPENDENCY_OF" | "DEV_DEPENDENCY_OF" | "TEST_DEPENDENCY_OF" | "BUILD_TOOL_OF" | "DEV_TOOL_OF" | "TEST_TOOL_OF" => {
            builder.helping_edge(right, left)
        }
        _ => Ok(()),
    }
}

/// An edge, or that there is none, or that it is not known which.
fn depends(builder: &mut Builder, from: &str, to: &str) -> Result<(), Error> {
    match (builder.find(from), to) {
        (Some(index), "NOASSERTION") => {
            builder.states(index);
            builder.completeness(index, Completeness::Unknown);
            Ok(())
        }
        (Some(index), "NONE") => {
            builder.states(index);
            builder.completeness(index, Completeness::Complete);
            Ok(())
        }
        _ => builder.edge(from, to),
    }
}

/// What is linked as a library stands outside of the language's packages.
fn linked(builder: &mut Builder, of: &str, linkage: &str) {
    let part = builder.find(of).and_then(|index| builder.part(index));
    if let Some(part) = part.filter(|part| part.purls.iter().all(|purl| !purl.starts_with("pkg:cargo/"))) {
        part.traits.property("cargo-supplychain:linkage", linkage);
    }
}

/// A licence that the document defines is told by its name as well.
fn named_licences(parts: &mut [Part], extracted: &[RawExtracted]) {
    let names: std::collections::HashMap<&str, &str> =
        extracted.iter().filter_map(|one| Some((one.license_id.as_str(), one.name.as_deref()?))).collect();
    for licence in parts.iter_mut().flat_map(|part| &mut part.licences.values) {
        match names.get(licence.text.as_str()) {
            Some(name) if *name != licence.text && Absence::of(name).is_none() => {
                licence.text = format!("{} ({name})", licence.text);
            }
            _ => {}
        }
    }
}
