//! SPDX 2.3 JSON: the bill of materials of one artifact. `spdx-rs` is the model; none of its defaults is used, because they
//! state another version, invented creators and the clock.
//!
//! The artifact is a package, not a file: SPDX 2.3 (section 8.4) wants a SHA-1 of every file, and the product has one digest.

mod package;

use serde_json::{Value, json};
use spdx_rs::models::{
    CreationInfo, DocumentCreationInformation, OtherLicensingInformationDetected, PackageInformation, Relationship,
    RelationshipType, SPDX,
};
use std::collections::{BTreeMap, BTreeSet};

use super::identity::stated;
use super::inventory::{Inventory, has_standard_library};
use super::{Document, Error, HOME, TOOL_VERSION, identity};
use crate::config::DocumentSettings;
use crate::model::licence::{Declared, declared};
use crate::model::{Artifact, Build, Linkage};

/// The media type (IANA registration `application/spdx+json`).
pub const MEDIA_TYPE: &str = "application/spdx+json";

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const NOASSERTION: &str = "NOASSERTION";
const STANDARD_LIBRARY: &str = "SPDXRef-Package-rust-std";
const COMPILER: &str = "SPDXRef-Package-rustc";

/// `sbom/<artifact>.spdx.json`: the same content as the CycloneDX document, in SPDX's words.
///
/// # Errors
/// The model contradicts itself; see [`Error`].
pub fn document(build: &Build, artifact: &Artifact, settings: &DocumentSettings) -> Result<Document, Error> {
    let inventory = Inventory::of(build, artifact)?;
    let invalid =
        |error: serde_json::Error| Error::Invalid { format: "SPDX", artifact: artifact.name.clone(), reason: error.to_string() };
    let spdx = spdx(build, artifact, settings, &inventory).map_err(invalid)?;
    let mut value = serde_json::to_value(&spdx).map_err(invalid)?;
    let identifier = identity::uuid(value.to_string().as_bytes());
    if let Some(fields) = value.as_object_mut() {
        // Empty lists say nothing and not every reader takes them.
        fields.retain(|_, field| field.as_array().is_none_or(|list| !list.is_empty()));
        fields.insert("documentNamespace".to_owned(), json!(format!("{HOME}/spdx/{identifier}")));
    }
    let path = format!("sbom/{}.spdx.json", identity::file_stem(&artifact.name));
    Ok(Document::json(path, MEDIA_TYPE, &value))
}

fn spdx(
    build: &Build,
    artifact: &Artifact,
    settings: &DocumentSettings,
    inventory: &Inventory<'_>,
) -> Result<SPDX, serde_json::Error> {
    let references = references(inventory);
    Ok(SPDX {
        document_creation_information: creation(build, artifact, settings)?,
        package_information: packages(build, artifact, settings, inventory, &references)?,
        other_licensing_information_detected: licence_references(inventory),
        file_information: Vec::new(),
        snippet_information: Vec::new(),
        relationships: relationships(artifact, inventory, &references),
        annotations: Vec::new(),
        spdx_ref_counter: 0,
    })
}

fn creation(
    build: &Build,
    artifact: &Artifact,
    settings: &DocumentSettings,
) -> Result<DocumentCreationInformation, serde_json::Error> {
    let mut creators = vec![format!("Tool: cargo-supplychain-{TOOL_VERSION}")];
    if let Some(author) = stated(settings.author.as_ref()) {
        creators.insert(0, package::organisation(author));
    }
    let context = if artifact.file.is_some() { "build" } else { "pre-build" };
    let unknown_author = if stated(settings.author.as_ref()).is_none() { " The author of this document is unknown." } else { "" };
    let mut comment = format!(
        "Generation context: {context}. {} packages that the lockfile resolves took no part and are not listed.",
        build.resolved_only.len()
    );
    let mut gaps: Vec<_> = build.gaps.iter().map(|gap| format!(" Not established: {}: {}.", gap.subject, gap.message)).collect();
    gaps.sort();
    comment.push_str(&gaps.concat());
    // The library's type of an instant is not ours to construct, but it reads RFC 3339.
    let creation_info: CreationInfo = serde_json::from_value(json!({
        "licenseListVersion": licence_list_version(),
        "creators": creators,
        "created": build.stamp.to_string(),
        "comment": format!("Target {}, profile {}, rustc {}.{unknown_author}",
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
        document_comment: Some(comment),
        document_describes: Vec::new(),
    })
}

/// `MAJOR.MINOR` of the licence list that expressions were checked with.
fn licence_list_version() -> String {
    let digits = ::spdx::license_version().trim_start_matches(|first: char| !first.is_ascii_digit());
    digits.split('.').take(2).collect::<Vec<_>>().join(".")
}

/// SPDX identifiers by our references.
fn references(inventory: &Inventory<'_>) -> BTreeMap<String, String> {
    let mut references: BTreeMap<String, String> = BTreeMap::new();
    references.insert(inventory.root.clone(), "SPDXRef-Artifact".to_owned());
    for entry in &inventory.entries {
        let label = format!("{}-{}", entry.component.name, entry.component.version);
        references.insert(entry.part.purl.clone(), package::identifier("Package", &label, &entry.part.purl));
    }
    references
}

fn packages(
    build: &Build,
    artifact: &Artifact,
    settings: &DocumentSettings,
    inventory: &Inventory<'_>,
    references: &BTreeMap<String, String>,
) -> Result<Vec<PackageInformation>, serde_json::Error> {
    let mut packages = vec![package::artifact(build, artifact, settings, inventory, &references[&inventory.root])?];
    for entry in &inventory.entries {
        packages.push(package::component(build, entry, settings, &references[&entry.part.purl])?);
    }
    for library in inventory.native.values().flatten() {
        packages.push(package::native(library)?);
    }
    if has_standard_library(artifact) {
        packages.push(package::standard_library(&build.toolchain)?);
    }
    packages.push(package::compiler(&build.toolchain)?);
    Ok(packages)
}

fn relationships(artifact: &Artifact, inventory: &Inventory<'_>, references: &BTreeMap<String, String>) -> Vec<Relationship> {
    let build_only: BTreeSet<&str> =
        inventory.entries.iter().filter(|entry| !entry.is_linked).map(|entry| entry.part.purl.as_str()).collect();
    let root = &references[&inventory.root];
    let mut list = vec![Relationship::new(DOCUMENT, root, RelationshipType::Describes, None)];
    for (from, targets) in &inventory.edges {
        for to in targets {
            // Among what only helped to build, dependencies are plain ones: the helper itself needs them.
            let is_build = build_only.contains(to.as_str()) && !build_only.contains(from.as_str());
            list.push(match is_build {
                true => Relationship::new(&references[to], &references[from], RelationshipType::BuildDependencyOf, None),
                false => Relationship::new(&references[from], &references[to], RelationshipType::DependsOn, None),
            });
        }
    }
    for (holder, library) in
        inventory.native.iter().flat_map(|(holder, libraries)| libraries.iter().map(move |one| (holder, one)))
    {
        let kind = match library.linkage {
            Linkage::Static => RelationshipType::StaticLink,
            Linkage::Dynamic | Linkage::Framework => RelationshipType::DynamicLink,
            Linkage::Unspecified => RelationshipType::DependsOn,
        };
        let identifier = package::native_identifier(library);
        list.push(Relationship::new(&references[holder], &identifier, kind, None));
        // What it is made of is not known: said, not left out (SPDX 2.3, section 11.1).
        list.push(Relationship::new(&identifier, NOASSERTION, RelationshipType::DependsOn, None));
    }
    if has_standard_library(artifact) {
        list.push(Relationship::new(root, STANDARD_LIBRARY, RelationshipType::DependsOn, None));
        list.push(Relationship::new(STANDARD_LIBRARY, NOASSERTION, RelationshipType::DependsOn, None));
    }
    list.push(Relationship::new(COMPILER, root, RelationshipType::BuildToolOf, None));
    list
}

/// Every `LicenseRef-…` of a declared expression needs an entry (SPDX 2.3, section 10); its text stays in the package.
fn licence_references(inventory: &Inventory<'_>) -> Vec<OtherLicensingInformationDetected> {
    let components = inventory.entries.iter().map(|entry| entry.component).chain(inventory.own);
    let mut names: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for component in components {
        if let Declared::Expression { references, .. } = declared(component) {
            for reference in references {
                names.entry(reference).or_default().insert(&component.purl);
            }
        }
    }
    let entry = |(reference, packages): (String, BTreeSet<&str>)| OtherLicensingInformationDetected {
        license_name: reference.clone(),
        license_identifier: reference,
        extracted_text: format!(
            "The text is in the packages that declare it: {}",
            packages.into_iter().collect::<Vec<_>>().join(", ")
        ),
        license_cross_reference: Vec::new(),
        license_comment: None,
    };
    names.into_iter().map(entry).collect()
}

/// A licence expression in the library's type, which reads one from text.
fn expression<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_value(Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests;
