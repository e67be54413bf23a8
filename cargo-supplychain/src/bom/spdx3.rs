//! SPDX 3.0.1 as JSON-LD in its compact form (`@context` of the specification, a `@graph` of elements). Other forms of JSON-LD say the same in
//! other words; they are refused, because nobody could tell what was left out.

use std::collections::HashMap;

use serde::Deserialize;

use super::build::Builder;
use super::{
    Absence, Acknowledgement, Bom, Completeness, Error, Format, Hash, Kind, Licence, Part, Party, Said, Scope, Signature, Tool,
    json,
};

const CONTEXTS: [&str; 2] = ["https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "https://spdx.org/rdf/3.0.0/spdx-context.jsonld"];

#[derive(Deserialize)]
struct RawDocument {
    #[serde(rename = "@context")]
    context: serde_json::Value,
    #[serde(rename = "@graph")]
    graph: Option<Vec<RawElement>>,
}

/// An element, with what the classes have that are read.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawElement {
    #[serde(rename = "type", alias = "@type")]
    type_word: String,
    #[serde(alias = "@id")]
    spdx_id: String,
    name: Option<String>,
    creation_info: Option<OneOf<RawCreation>>,
    // CreationInfo as an element of its own
    spec_version: Option<String>,
    created: Option<String>,
    created_by: OneOrMany<String>,
    created_using: OneOrMany<String>,
    // A hash as an element of its own
    algorithm: Option<String>,
    hash_value: Option<String>,
    // Relationship
    from: Option<String>,
    to: OneOrMany<String>,
    relationship_type: Option<String>,
    completeness: Option<String>,
    scope: Option<String>,
    // Artifacts
    #[serde(rename = "software_packageVersion")]
    version: Option<String>,
    #[serde(rename = "software_packageUrl")]
    purl: Option<String>,
    #[serde(rename = "software_downloadLocation")]
    download: Option<String>,
    #[serde(rename = "software_primaryPurpose")]
    purpose: Option<String>,
    #[serde(rename = "software_additionalPurpose")]
    purposes: OneOrMany<String>,
    #[serde(rename = "software_contentIdentifier")]
    content_identifiers: Vec<RawContentIdentifier>,
    supplied_by: Option<String>,
    originated_by: OneOrMany<String>,
    external_identifier: Vec<RawIdentifier>,
    external_ref: Vec<RawReference>,
    verified_using: Vec<OneOf<RawHash>>,
    comment: Option<String>,
    // Licensing
    #[serde(rename = "simplelicensing_licenseExpression")]
    expression: Option<String>,
    // Collections
    root_element: OneOrMany<String>,
    #[serde(rename = "software_sbomType")]
    sbom_type: OneOrMany<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawCreation {
    spec_version: Option<String>,
    created: Option<String>,
    created_by: OneOrMany<String>,
    created_using: OneOrMany<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawIdentifier {
    external_identifier_type: String,
    identifier: String,
}

#[derive(Debug, Deserialize)]
struct RawContentIdentifier {
    #[serde(rename = "software_contentIdentifierValue")]
    value: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawReference {
    external_ref_type: String,
    locator: OneOrMany<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawHash {
    algorithm: Option<String>,
    hash_value: Option<String>,
}

/// An object in its place, or the name of one that stands elsewhere.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOf<T> {
    Name(String),
    Inline(Box<T>),
}

/// JSON-LD writes a list of one as the one.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<T> OneOrMany<T> {
    fn list(&self) -> &[T] {
        match self {
            Self::Many(list) => list,
            Self::One(one) => std::slice::from_ref(one),
        }
    }
}

/// What relationships lead to besides parts.
struct Others<'d> {
    agents: HashMap<&'d str, Party>,
    tools: HashMap<&'d str, &'d str>,
    licences: HashMap<&'d str, &'d str>,
    hashes: HashMap<&'d str, &'d RawElement>,
}

/// Reads the document.
pub(super) fn read(text: &str) -> Result<Bom, Error> {
    let raw: RawDocument = json::parse(text)?;
    let contexts = match &raw.context {
        serde_json::Value::Array(list) => list.iter().filter_map(serde_json::Value::as_str).collect(),
        other => other.as_str().map_or_else(Vec::new, |one| vec![one]),
    };
    let Some(context) = contexts.iter().find(|one| CONTEXTS.contains(one)) else {
        return Err(Error::at("@context", format!("it is none of SPDX 3.0, which would be {}", CONTEXTS[0])));
    };
    let version = if context.contains("/3.0.0/") { "3.0.0" } else { "3.0.1" };
    let graph = match raw.graph {
        Some(graph) => graph,
        // A document of one element has no graph.
        None => vec![json::parse::<RawElement>(text)?],
    };
    bom(&graph, version)
}

fn bom(graph: &[RawElement], version: &str) -> Result<Bom, Error> {
    let mut builder = Builder::new(Format::Spdx3, version);
    let others = others(graph);
    document(&mut builder, graph, &others);
    for element in graph {
        let kind = match element.type_word.as_str() {
            "software_Package" | "ai_AIPackage" | "dataset_DatasetPackage" => Kind::Component,
            "software_File" => Kind::File,
            _ => continue,
        };
        if element.spdx_id.is_empty() {
            return Err(Error::at(format!("the element {:?}", element.name.as_deref().unwrap_or_default()), "it has no spdxId"));
        }
        builder.add(part(element, kind, &others))?;
    }
    for root in graph.iter().filter(|element| is_collection(element)).flat_map(|element| element.root_element.list()) {
        if let Some(index) = builder.find(root) {
            builder.bom.subjects.extend(usize::try_from(index));
        }
    }
    for element in graph.iter().filter(|element| is_relationship(element)) {
        relate(&mut builder, element, &others)?;
    }
    Ok(builder.finish())
}

fn is_collection(element: &RawElement) -> bool {
    matches!(element.type_word.as_str(), "SpdxDocument" | "software_Sbom" | "Bom" | "Bundle")
}

fn is_relationship(element: &RawElement) -> bool {
    matches!(element.type_word.as_str(), "Relationship" | "LifecycleScopedRelationship")
}

fn others(graph: &[RawElement]) -> Others<'_> {
    let mut others = Others { agents: HashMap::new(), tools: HashMap::new(), licences: HashMap::new(), hashes: HashMap::new() };
    for element in graph {
        let id = element.spdx_id.as_str();
        let name = element.name.as_deref().unwrap_or_default();
        match element.type_word.as_str() {
            "Person" | "Organization" | "SoftwareAgent" | "Agent" => {
                let contacts = element.external_identifier.iter();
                let contact = contacts.filter(|one| matches!(one.external_identifier_type.as_str(), "email" | "urlScheme"));
                let contact = contact.map(|one| one.identifier.clone()).next();
                let name = if name.is_empty() { contact.as_deref().unwrap_or(id) } else { name };
                others.agents.insert(id, Party { name: name.to_owned(), contact });
            }
            "Tool" => drop(others.tools.insert(id, name)),
            "simplelicensing_LicenseExpression" => {
                others.licences.insert(id, element.expression.as_deref().unwrap_or_default());
            }
            word if word.starts_with("expandedlicensing_") || word.starts_with("simplelicensing_") => {
                // A licence of SPDX's list is named by its URL; one of the document's own by its name.
                let listed = id.strip_prefix("https://spdx.org/licenses/").unwrap_or(if name.is_empty() { id } else { name });
                others.licences.insert(id, listed);
            }
            "Hash" | "PackageVerificationCode" => drop(others.hashes.insert(id, element)),
            _ => {}
        }
    }
    others
}

/// What the document says of itself.
fn document(builder: &mut Builder, graph: &[RawElement], others: &Others<'_>) {
    let bom = &mut builder.bom;
    let head =
        graph.iter().find(|element| element.type_word == "SpdxDocument").or_else(|| graph.iter().find(|one| is_collection(one)));
    let Some(head) = head else { return };
    // A revised document is another element (SPDX 3.0.1, Core, Element: an element never changes under its identifier).
    bom.serial = Some(head.spdx_id.clone()).filter(|id| !id.is_empty());
    bom.version.clone_from(&bom.serial);
    let named = |name: &String| graph.iter().find(|element| element.spdx_id == *name);
    let creation = match &head.creation_info {
        Some(OneOf::Name(name)) => named(name).map(|one| (&one.spec_version, &one.created, &one.created_by, &one.created_using)),
        Some(OneOf::Inline(one)) => Some((&one.spec_version, &one.created, &one.created_by, &one.created_using)),
        None => None,
    };
    if let Some((version, created, by, using)) = creation {
        bom.timestamp.clone_from(created);
        if let Some(version) = version {
            bom.format_version.clone_from(version);
        }
        for author in by.list() {
            agent(author, others, &mut bom.authors);
        }
        for id in using.list() {
            let name = others.tools.get(id.as_str()).copied().unwrap_or(id);
            bom.tools.push(tool(name));
        }
    }
    for element in graph.iter().filter(|element| is_collection(element)) {
        super::spdx2::comments(bom, element.comment.as_deref().unwrap_or_default());
        for context in element.sbom_type.list() {
            bom.contexts.say(context, str::to_owned);
        }
        let signed = element.external_ref.iter().find(|one| one.external_ref_type.contains("ttestation"));
        if let Some(place) = signed.and_then(|one| one.locator.list().first()).filter(|_| bom.signature.is_none()) {
            bom.signature = Some(Signature::Referenced(place.clone()));
        }
    }
}

fn tool(text: &str) -> Tool {
    let version = |text: &str| text.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit());
    match text.rsplit_once([' ', '-', '@']).filter(|(_, last)| version(last)) {
        Some((name, last)) => Tool { name: name.to_owned(), version: Some(last.to_owned()) },
        None => Tool { name: text.to_owned(), version: None },
    }
}

/// An agent by its identifier: one of the document, or one that it only names.
fn agent(id: &str, others: &Others<'_>, said: &mut Said<Party>) {
    match (individual(id), others.agents.get(id)) {
        (Some(_), _) => said.absence = Some(Absence::Unknown),
        (None, Some(party)) => said.say(&party.name, |_| party.clone()),
        (None, None) => said.say(id, |id| Party { name: id.to_owned(), contact: None }),
    }
}

/// The elements that stand for no assertion and for nothing (SPDX 3.0.1, Core, Individuals).
enum Individual {
    NoAssertion,
    None,
}

fn individual(id: &str) -> Option<Individual> {
    match id.rsplit('/').next().unwrap_or_default().trim_start_matches("expandedlicensing_") {
        "NoAssertionElement" | "NoAssertion" | "NoAssertionLicense" => Some(Individual::NoAssertion),
        "NoneElement" | "None" | "NoneLicense" => Some(Individual::None),
        _ => None,
    }
}

fn part(element: &RawElement, kind: Kind, others: &Others<'_>) -> Part {
    let name = element.name.as_deref().unwrap_or_default();
    let mut part = Part::new(kind, name);
    part.reference.clone_from(&element.spdx_id);
    part.type_word = element.purpose.clone().unwrap_or_default();
    part.version.say(element.version.as_deref().unwrap_or_default(), str::to_owned);
    part.purls.extend(element.purl.iter().filter(|purl| !purl.is_empty()).cloned());
    for RawIdentifier { external_identifier_type, identifier } in &element.external_identifier {
        match external_identifier_type.as_str() {
            "packageUrl" => part.purls.push(identifier.clone()),
            _ => part.identifiers.say(identifier, str::to_owned),
        }
    }
    part.purls.sort();
    part.purls.dedup();
    for identifier in &element.content_identifiers {
        part.identifiers.say(&identifier.value, str::to_owned);
    }
    for method in &element.verified_using {
        let (algorithm, value) = match method {
            OneOf::Inline(hash) => (hash.algorithm.as_deref(), hash.hash_value.as_deref()),
            OneOf::Name(name) => {
                let hash = others.hashes.get(name.as_str());
                (hash.and_then(|hash| hash.algorithm.as_deref()), hash.and_then(|hash| hash.hash_value.as_deref()))
            }
        };
        if algorithm.or(value).is_some() {
            part.hashes.values.push(Hash::new(algorithm.unwrap_or_default(), value.unwrap_or_default()));
        }
    }
    for maker in element.supplied_by.iter().chain(element.originated_by.list()) {
        agent(maker, others, &mut part.producers);
    }
    // BSI TR-03183-2: what the purposes do not name does not apply, so purposes say all three.
    let is_said = element.purpose.is_some() || !element.purposes.list().is_empty();
    part.traits.is_executable_said = is_said;
    part.traits.is_archive_said = is_said;
    part.traits.is_structured_said = is_said;
    if kind == Kind::File {
        part.file_name = Some(name.to_owned());
    }
    part.links.extend(element.download.iter().map(|url| ("distribution".to_owned(), url.clone())));
    for reference in &element.external_ref {
        let urls = reference.locator.list().iter();
        part.links.extend(urls.map(|url| (reference.external_ref_type.clone(), url.clone())));
    }
    if let Some(comment) = &element.comment {
        super::spdx2::traits(&mut part, comment);
    }
    part
}

/// What a relationship (SPDX 3.0.1, Core, RelationshipType) says about parts.
fn relate(builder: &mut Builder, element: &RawElement, others: &Others<'_>) -> Result<(), Error> {
    let (Some(from), Some(kind)) = (&element.from, &element.relationship_type) else {
        return Err(Error::at(format!("the relationship {:?}", element.spdx_id), "it has no `from` or no `relationshipType`"));
    };
    let to = element.to.list();
    match kind.as_str() {
        "hasDeclaredLicense" | "hasConcludedLicense" => {
            let is_declared = kind == "hasDeclaredLicense";
            let acknowledgement = if is_declared { Acknowledgement::Declared } else { Acknowledgement::Concluded };
            to.iter().for_each(|licence| licensed(builder, from, licence, acknowledgement, others));
        }
        "contains" => {
            for inner in to {
                if let (Some(outer), Some(inner)) = (builder.find(from), builder.find(inner)) {
                    builder.nest(inner, outer)?;
                }
            }
        }
        "hasDistributionArtifact" => distributed(builder, from, to),
        "dependsOn"
        | "hasDynamicLink"
        | "hasStaticLink"
        | "hasPrerequisite"
        | "hasOptionalDependency"
        | "hasProvidedDependency"
        | "usesTool"
        | "hasOptionalComponent" => depends(builder, element, from, kind, to)?,
        _ => {}
    }
    Ok(())
}

fn depends(builder: &mut Builder, element: &RawElement, from: &str, kind: &str, to: &[String]) -> Result<(), Error> {
    let Some(index) = builder.find(from) else {
        // A build, which is no part, uses its tools: that is what these have to do with the product.
        for tool in to.iter().filter(|_| kind == "usesTool") {
            if let Some(part) = builder.find(tool).and_then(|index| builder.part(index)) {
                part.is_used = true;
            }
        }
        return builder.dangles(from);
    };
    builder.states(index);
    match element.completeness.as_deref() {
        Some("complete") => builder.completeness(index, Completeness::Complete),
        Some("incomplete") => builder.completeness(index, Completeness::Incomplete),
        Some("noAssertion") => builder.completeness(index, Completeness::Unknown),
        _ => {}
    }
    for target in to {
        match individual(target) {
            Some(Individual::NoAssertion) => builder.completeness(index, Completeness::Unknown),
            Some(Individual::None) => builder.completeness(index, Completeness::Complete),
            None => {
                if let Some(part) = builder.find(target).and_then(|index| builder.part(index)) {
                    linked(part, kind);
                }
                if kind == "usesTool" || matches!(element.scope.as_deref(), Some("build" | "development" | "test")) {
                    builder.helping_edge(from, target)?;
                } else {
                    builder.edge(from, target)?;
                }
            }
        }
    }
    Ok(())
}

/// What the kind of a dependency says about what is depended on.
fn linked(part: &mut Part, kind: &str) {
    let is_crate = part.purls.iter().any(|purl| purl.starts_with("pkg:cargo/"));
    match kind {
        "hasOptionalDependency" | "hasOptionalComponent" => part.scope = Scope::Optional,
        "hasStaticLink" if !is_crate => part.traits.property("cargo-supplychain:linkage", "static"),
        "hasDynamicLink" if !is_crate => part.traits.property("cargo-supplychain:linkage", "dynamic"),
        _ => {}
    }
}

fn licensed(builder: &mut Builder, from: &str, licence: &str, acknowledgement: Acknowledgement, others: &Others<'_>) {
    let text = match individual(licence) {
        Some(Individual::NoAssertion) => "NOASSERTION",
        Some(Individual::None) => "NONE",
        None => others
            .licences
            .get(licence)
            .copied()
            .unwrap_or_else(|| licence.strip_prefix("https://spdx.org/licenses/").unwrap_or(licence)),
    };
    if let Some(part) = builder.find(from).and_then(|index| builder.part(index)) {
        part.licences.say(text, |text| Licence { text: text.to_owned(), acknowledgement });
    }
}

/// The file that a package is given out as: its name and its digests.
fn distributed(builder: &mut Builder, from: &str, to: &[String]) {
    for target in to {
        let file = builder.find(target).and_then(|index| builder.part(index));
        let Some((name, hashes)) = file.map(|file| (file.name.clone(), file.hashes.values.clone())) else { continue };
        if let Some(part) = builder.find(from).and_then(|index| builder.part(index)) {
            part.file_name = Some(name);
            part.distribution_hashes.extend(hashes);
        }
    }
}
