//! CycloneDX JSON (ECMA-424): the bill of materials of one artifact. `cyclonedx-bom` models and checks version 1.5;
//! `raise` lifts the result to [`SPEC_VERSION`] with the fields that are newer than that model.

mod part;
mod raise;

use cyclonedx_bom::models::bom::{Bom, BomReference, SpecVersion};
use cyclonedx_bom::models::component::{Classification, Component as Part, Components};
use cyclonedx_bom::models::composition::{AggregateType, Composition, Compositions};
use cyclonedx_bom::models::dependency::{Dependencies, Dependency};
use cyclonedx_bom::models::lifecycle::{Lifecycle, Lifecycles, Phase};
use cyclonedx_bom::models::metadata::Metadata;
use cyclonedx_bom::models::organization::{OrganizationalContact, OrganizationalEntity};
use cyclonedx_bom::models::property::Properties;
use cyclonedx_bom::models::tool::Tools;
use cyclonedx_bom::validation::Validate;

use self::part::{PropertyList, STANDARD_LIBRARY, entity};
use super::identity::stated;
use super::inventory::{Inventory, has_standard_library};
use super::{Document, Error, identity};
use crate::config::DocumentSettings;
use crate::model::{Artifact, Build};

/// The version of the specification that is written.
pub const SPEC_VERSION: &str = "1.7";
/// The media type (IANA registration `application/vnd.cyclonedx+json`).
pub const MEDIA_TYPE: &str = "application/vnd.cyclonedx+json";

/// `sbom/<artifact>.cdx.json`: what is linked into `artifact`, what only helped to build it, and how they depend on each other.
///
/// # Errors
/// The model contradicts itself; see [`Error`].
pub fn document(build: &Build, artifact: &Artifact, settings: &DocumentSettings) -> Result<Document, Error> {
    let inventory = Inventory::of(build, artifact)?;
    let invalid = |reason: String| Error::Invalid { format: "CycloneDX", artifact: artifact.name.clone(), reason };
    let bom = bom(build, artifact, settings, &inventory);
    let checked = bom.validate_version(SpecVersion::V1_5);
    if checked.has_errors() {
        // The library's own words can be long: the first few hundred characters name the field.
        return Err(invalid(format!("{checked:?}").chars().take(400).collect()));
    }
    let mut bytes = Vec::new();
    bom.output_as_json_v1_5(&mut bytes).map_err(|error| invalid(error.to_string()))?;
    let value = serde_json::from_slice(&bytes).map_err(|error| invalid(error.to_string()))?;
    let path = format!("sbom/{}.cdx.json", identity::file_stem(&artifact.name));
    Ok(Document::json(path, MEDIA_TYPE, &raise::raise(value, build)))
}

fn bom(build: &Build, artifact: &Artifact, settings: &DocumentSettings, inventory: &Inventory<'_>) -> Bom {
    let mut components: Vec<Part> = inventory.entries.iter().map(|entry| part::component(entry, inventory, settings)).collect();
    if has_standard_library(artifact) {
        components.push(part::standard_library(&build.toolchain));
    }
    Bom {
        version: 1,
        // Derived from the finished content by `raise`.
        serial_number: None,
        metadata: Some(metadata(build, artifact, settings, inventory)),
        components: Some(Components(components)),
        services: None,
        external_references: None,
        dependencies: Some(dependencies(artifact, inventory)),
        compositions: Some(compositions(build, artifact, inventory)),
        properties: None,
        vulnerabilities: None,
        signature: None,
        annotations: None,
        formulation: None,
        spec_version: SpecVersion::V1_5,
    }
}

fn metadata(build: &Build, artifact: &Artifact, settings: &DocumentSettings, inventory: &Inventory<'_>) -> Metadata {
    let mut tool = Part::new(Classification::Application, "cargo-supplychain", super::TOOL_VERSION, None);
    tool.supplier = Some(OrganizationalEntity::new("cargo-supplychain"));
    // Generation context: a plan is never called a build.
    let phase = if artifact.file.is_some() { Phase::Build } else { Phase::PreBuild };
    Metadata {
        timestamp: build.stamp.to_string().try_into().ok(),
        lifecycles: Some(Lifecycles(vec![Lifecycle::Phase(phase)])),
        tools: Some(Tools::Object { services: None, components: Some(Components(vec![tool])) }),
        authors: stated(settings.author.as_ref()).map(|author| vec![OrganizationalContact::new(author, None)]),
        component: Some(part::artifact(build, artifact, settings, inventory)),
        manufacture: None,
        supplier: stated(settings.supplier.as_ref()).map(entity),
        licenses: None,
        properties: Some(build_properties(build, settings)),
    }
}

/// What is true of the whole build: the compiler, the invocation, the source and what is not known.
fn build_properties(build: &Build, settings: &DocumentSettings) -> Properties {
    let mut list = PropertyList::default();
    if stated(settings.author.as_ref()).is_none() {
        list.add("author", "unknown");
    }
    list.add("build:name", &build.name);
    list.add("build:version", &build.version);
    list.add("build:target", &build.invocation.target);
    list.add("build:profile", &build.invocation.profile);
    list.add("build:rustc", &build.toolchain.rustc);
    list.add("build:cargo", &build.toolchain.cargo);
    list.add("build:host", &build.toolchain.host);
    if !build.invocation.rustflags.is_empty() {
        list.add("build:rustflags", &build.invocation.rustflags.join(" "));
    }
    if let Some(commit) = &build.source.commit {
        list.add("source:commit", commit);
        list.add("source:dirty", build.source.dirty.map_or("unknown", |dirty| if dirty { "true" } else { "false" }));
    }
    list.add("resolved-only", &build.resolved_only.len().to_string());
    let mut gaps: Vec<String> = build.gaps.iter().map(|gap| format!("{}: {}", gap.subject, gap.message)).collect();
    gaps.sort();
    for gap in gaps {
        list.add("gap", &gap);
    }
    list.finish()
}

fn dependencies(artifact: &Artifact, inventory: &Inventory<'_>) -> Dependencies {
    let mut list = Vec::new();
    for (from, to) in &inventory.edges {
        let mut targets: Vec<String> = to.iter().cloned().collect();
        targets.extend(inventory.native.get(from).into_iter().flatten().map(|library| part::native_reference(library)));
        if *from == inventory.root && has_standard_library(artifact) {
            targets.push(STANDARD_LIBRARY.to_owned());
        }
        list.push(Dependency { dependency_ref: from.clone(), dependencies: targets });
    }
    Dependencies(list)
}

/// How complete the lists are: cargo's graph is known in full unless evidence has gaps; what native libraries and the
/// standard library are made of is not known.
fn compositions(build: &Build, artifact: &Artifact, inventory: &Inventory<'_>) -> Compositions {
    let references = |names: Vec<String>| Some(names.into_iter().map(BomReference::new).collect());
    let graph = if build.gaps.is_empty() { AggregateType::Complete } else { AggregateType::Unknown };
    let mut opaque: Vec<String> = inventory.native.values().flatten().map(|library| part::native_reference(library)).collect();
    if has_standard_library(artifact) {
        opaque.push(STANDARD_LIBRARY.to_owned());
    }
    let composition = |aggregate, assemblies, dependencies| Composition {
        bom_ref: None,
        aggregate,
        assemblies,
        dependencies,
        vulnerabilities: None,
        signature: None,
    };
    let mut list = vec![composition(graph, None, references(inventory.edges.keys().cloned().collect()))];
    if !opaque.is_empty() {
        list.push(composition(AggregateType::Unknown, references(opaque.clone()), references(opaque)));
    }
    Compositions(list)
}

#[cfg(test)]
mod tests;
