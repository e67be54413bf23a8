//! SPDX 2.3, as JSON and as tag-value text: the bill of materials of one artifact. `spdx-rs` is the model; none of its defaults is used,
//! because they state another version, invented creators and the clock.
//!
//! The artifact is a package, not a file: SPDX 2.3 (section 8.4) wants a SHA-1 of every file, and the product has one digest.

mod package;
mod tag_value;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use spdx_rs::models::{
    CreationInfo, DocumentCreationInformation, OtherLicensingInformationDetected, Relationship, RelationshipType, SPDX,
};

use super::identity::{self, stated};
use super::inventory::{Inventory, has_standard_library};
use super::part::{self, Part};
use super::producer::Contact;
use super::sbom::Subject;
use super::{Document, Error, HOME, TOOL_VERSION};
use crate::base::text::one_line;
use crate::model::Linkage;

/// The media types (IANA registrations).
pub const JSON: &str = "application/spdx+json";
pub const TAG_VALUE: &str = "text/spdx";

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const NOASSERTION: &str = "NOASSERTION";

/// `sbom/<artifact>.spdx.json`: the same content as the CycloneDX document, in SPDX's words.
pub(super) fn json(subject: &Subject<'_>) -> Result<Document, Error> {
    let mut value = serde_json::to_value(finished(subject)?).map_err(|error| invalid(subject, &error))?;
    if let Some(fields) = value.as_object_mut() {
        // Empty lists say nothing and not every reader takes them.
        fields.retain(|_, field| field.as_array().is_none_or(|list| !list.is_empty()));
    }
    Ok(Document::json(format!("sbom/{}.spdx.json", identity::file_stem(&subject.artifact.name)), JSON, &value))
}

/// `sbom/<artifact>.spdx`: the same document as tags and values.
pub(super) fn tag_value(subject: &Subject<'_>) -> Result<Document, Error> {
    let path = format!("sbom/{}.spdx", identity::file_stem(&subject.artifact.name));
    Ok(Document::text(path, TAG_VALUE, tag_value::text(&finished(subject)?)))
}

fn invalid(subject: &Subject<'_>, error: &serde_json::Error) -> Error {
    Error::Invalid { format: "SPDX", artifact: subject.artifact.name.clone(), reason: error.to_string() }
}

/// The document, named after its content.
fn finished(subject: &Subject<'_>) -> Result<SPDX, Error> {
    let inventory = subject.inventory()?;
    let mut spdx = spdx(subject, &inventory).map_err(|error| invalid(subject, &error))?;
    let content = serde_json::to_vec(&spdx).map_err(|error| invalid(subject, &error))?;
    spdx.document_creation_information.spdx_document_namespace = format!("{HOME}/spdx/{}", identity::uuid(&content));
    Ok(spdx)
}

fn spdx(subject: &Subject<'_>, inventory: &Inventory<'_>) -> Result<SPDX, serde_json::Error> {
    let parts = part::all(subject, inventory);
    let references: BTreeMap<&str, String> =
        parts.iter().map(|part| (part.reference.as_str(), package::identifier(part))).collect();
    let mut packages = parts
        .iter()
        .map(|part| package::information(part, &references[part.reference.as_str()]))
        .collect::<Result<Vec<_>, _>>()?;
    if let (super::sbom::SupportEnd::Until(end), Some(main)) = (subject.support, packages.first_mut()) {
        main.valid_until_date = serde_json::from_value(json!(end.to_string()))?;
    }
    Ok(SPDX {
        document_creation_information: creation(subject, inventory)?,
        package_information: packages,
        other_licensing_information_detected: licence_references(&parts),
        file_information: Vec::new(),
        snippet_information: Vec::new(),
        relationships: relationships(subject, inventory, &references),
        annotations: Vec::new(),
        spdx_ref_counter: 0,
    })
}

fn creation(subject: &Subject<'_>, inventory: &Inventory<'_>) -> Result<DocumentCreationInformation, serde_json::Error> {
    let Subject { build, artifact, settings, .. } = subject;
    let mut creators = vec![format!("Tool: cargo-supplychain-{TOOL_VERSION}")];
    let author = stated(settings.author.as_ref()).map(one_line);
    if let Some(author) = &author {
        let contact = Contact::of(settings.author_contact.as_ref());
        let email = if let Some(Contact::Email(email)) = &contact { Some(email.as_str()) } else { None };
        creators.insert(0, package::agent("Organization", author, email));
    }
    let unknown_author = if author.is_none() { " The author of this document is unknown." } else { "" };
    let context = if artifact.file.is_some() { "build" } else { "pre-build" };
    // The library's type of an instant is not ours to construct, but it reads RFC 3339.
    let creation_info: CreationInfo = serde_json::from_value(json!({
        "licenseListVersion": licence_list_version(),
        "creators": creators,
        "created": build.stamp.to_string(),
        "comment": format!("Generation context: {context}. Target {}, profile {}, rustc {}.{unknown_author}",
            build.invocation.target, build.invocation.profile, build.toolchain.rustc),
    }))?;
    Ok(DocumentCreationInformation {
        spdx_version: "SPDX-2.3".to_owned(),
        data_license: "CC0-1.0".to_owned(),
        spdx_identifier: DOCUMENT.to_owned(),
        document_name: artifact.name.clone(),
        // Replaced by a name derived from the finished content.
        spdx_document_namespace: String::new(),
        external_document_references: Vec::new(),
        creation_info,
        document_comment: Some(comment(subject, inventory, context)),
        document_describes: Vec::new(),
    })
}

/// What SPDX 2.3 has no field for: version of the document, signature, what is not listed, what is not known.
fn comment(subject: &Subject<'_>, inventory: &Inventory<'_>, context: &str) -> String {
    let build = subject.build;
    let mut comment = format!("Generation context: {context}. SBOM version: 1.");
    comment.push_str(&match subject.signature_place() {
        Some(place) => format!(" The SBOM author's signature: the attestation {place} of the release."),
        None => " The SBOM author's signature: none.".to_owned(),
    });
    comment.push_str(&format!(
        " {} packages that the lockfile resolves took no part and are not listed.",
        build.resolved_only.len()
    ));
    if let Some(cut) = &inventory.cut {
        comment.push_str(&format!(" The lists are incomplete: depth {cut}."));
    }
    let mut gaps: Vec<_> = build.gaps.iter().map(|gap| format!(" Not established: {}: {}.", gap.subject, gap.message)).collect();
    gaps.sort();
    comment.push_str(&gaps.concat());
    comment
}

/// `MAJOR.MINOR` of the licence list that expressions were checked with.
fn licence_list_version() -> String {
    let digits = ::spdx::license_version().trim_start_matches(|first: char| !first.is_ascii_digit());
    digits.split('.').take(2).collect::<Vec<_>>().join(".")
}

fn relationships(subject: &Subject<'_>, inventory: &Inventory<'_>, references: &BTreeMap<&str, String>) -> Vec<Relationship> {
    let build_only: BTreeSet<&str> =
        inventory.entries.iter().filter(|entry| !entry.is_linked).map(|entry| entry.part.purl.as_str()).collect();
    let root = &references[inventory.root.as_str()];
    let mut list = vec![Relationship::new(DOCUMENT, root, RelationshipType::Describes, None)];
    for (from, targets) in &inventory.edges {
        let holder = &references[from.as_str()];
        for to in targets {
            let target = &references[to.as_str()];
            // Among what only helped to build, dependencies are plain ones: the helper itself needs them.
            let is_build = build_only.contains(to.as_str()) && !build_only.contains(from.as_str());
            list.push(match is_build {
                true => Relationship::new(target, holder, RelationshipType::BuildDependencyOf, None),
                false => Relationship::new(holder, target, RelationshipType::DependsOn, None),
            });
        }
        if inventory.cut.as_ref().is_some_and(|cut| cut.at.contains(from)) {
            // There is more, which is not listed (SPDX 2.3, section 11.1).
            let comment = Some("More dependencies exist that are not listed.".to_owned());
            list.push(Relationship::new(holder, NOASSERTION, RelationshipType::DependsOn, comment));
        }
    }
    let native = inventory.native.iter().flat_map(|(holder, libraries)| libraries.iter().map(move |one| (holder, one)));
    for (holder, library) in native {
        let kind = match library.linkage {
            Linkage::Static => RelationshipType::StaticLink,
            Linkage::Dynamic | Linkage::Framework => RelationshipType::DynamicLink,
            Linkage::Unspecified => RelationshipType::DependsOn,
        };
        let identifier = &references[part::native_reference(library).as_str()];
        list.push(Relationship::new(&references[holder.as_str()], identifier, kind, None));
        // What it is made of is not known: said, not left out (SPDX 2.3, section 11.1).
        list.push(Relationship::new(identifier, NOASSERTION, RelationshipType::DependsOn, None));
    }
    if has_standard_library(subject.artifact) {
        let standard_library = &references[part::STANDARD_LIBRARY];
        list.push(Relationship::new(root, standard_library, RelationshipType::DependsOn, None));
        list.push(Relationship::new(standard_library, NOASSERTION, RelationshipType::DependsOn, None));
    }
    list.push(Relationship::new(&references[part::COMPILER], root, RelationshipType::BuildToolOf, None));
    list
}

/// Every `LicenseRef-…` of a declared expression needs an entry (SPDX 2.3, section 10).
fn licence_references(parts: &[Part<'_>]) -> Vec<OtherLicensingInformationDetected> {
    let entry = |(reference, text): (String, String)| OtherLicensingInformationDetected {
        license_name: reference.clone(),
        license_identifier: reference,
        extracted_text: text,
        license_cross_reference: Vec::new(),
        license_comment: None,
    };
    part::reference_texts(parts).into_iter().map(entry).collect()
}

/// A licence expression in the library's type, which reads one from text.
fn expression<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests;
