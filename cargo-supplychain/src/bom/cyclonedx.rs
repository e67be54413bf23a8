//! CycloneDX (ECMA-424), 1.0 to 1.7: the parts of its object model that identify components, read from JSON here and from XML by
//! `cyclonedx_xml`, and the one way from it to a [`Bom`]. Vulnerabilities, evidence, pedigree, formulation and annotations are not read: they
//! name components that are not in the product.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::build::Builder;
use super::{
    Absence, Acknowledgement, Bom, Completeness, Error, Format, Hash, Kind, Licence, Part, Party, Said, Scope, Signature, Tool,
    json,
};

/// The versions that are read. Each only adds to the one before, in what is read here.
pub(super) const VERSIONS: [&str; 8] = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"];

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawBom {
    pub bom_format: Option<String>,
    pub spec_version: String,
    pub serial_number: Option<String>,
    pub version: Option<serde_json::Number>,
    pub metadata: RawMetadata,
    pub components: Vec<RawComponent>,
    pub services: Vec<RawService>,
    pub external_references: Vec<RawReference>,
    pub dependencies: Vec<RawDependency>,
    pub compositions: Vec<RawComposition>,
    pub properties: Vec<RawProperty>,
    pub signature: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawMetadata {
    pub timestamp: Option<String>,
    pub lifecycles: Vec<RawLifecycle>,
    pub tools: RawTools,
    pub authors: Vec<RawContact>,
    pub component: Option<RawComponent>,
    pub manufacturer: Option<RawEntity>,
    pub properties: Vec<RawProperty>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct RawLifecycle {
    pub phase: Option<String>,
    pub name: Option<String>,
}

/// Before 1.5 a list of tools, since then components and services.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum RawTools {
    List(Vec<RawTool>),
    Object(RawToolObject),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawToolObject {
    pub components: Vec<RawTool>,
    pub services: Vec<RawTool>,
}

impl Default for RawTools {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawTool {
    pub name: String,
    pub version: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawContact {
    pub name: Option<String>,
    pub email: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawEntity {
    pub name: Option<String>,
    pub url: Vec<String>,
    pub contact: Vec<RawContact>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawComponent {
    #[serde(rename = "type")]
    pub type_word: String,
    #[serde(rename = "bom-ref")]
    pub reference: String,
    pub supplier: Option<Box<RawEntity>>,
    pub manufacturer: Option<Box<RawEntity>>,
    pub author: Option<String>,
    pub authors: Vec<RawContact>,
    pub publisher: Option<String>,
    pub group: Option<String>,
    pub name: String,
    pub version: Option<String>,
    pub scope: Option<String>,
    pub hashes: Vec<RawHash>,
    pub licenses: Vec<RawChoice>,
    pub cpe: Option<String>,
    pub purl: Option<String>,
    pub omnibor_id: Vec<String>,
    pub swhid: Vec<String>,
    pub swid: Option<RawSwid>,
    pub components: Vec<RawComponent>,
    pub external_references: Vec<RawReference>,
    pub properties: Vec<RawProperty>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawService {
    #[serde(rename = "bom-ref")]
    pub reference: String,
    pub provider: Option<Box<RawEntity>>,
    pub group: Option<String>,
    pub name: String,
    pub version: Option<String>,
    pub licenses: Vec<RawChoice>,
    pub services: Vec<RawService>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawHash {
    pub alg: String,
    pub content: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawChoice {
    pub license: Option<RawLicense>,
    pub expression: Option<String>,
    pub acknowledgement: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawLicense {
    pub id: Option<String>,
    pub name: Option<String>,
    pub acknowledgement: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RawSwid {
    #[serde(rename = "tagId")]
    pub tag_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawReference {
    #[serde(rename = "type")]
    pub type_word: String,
    pub url: String,
    pub comment: Option<String>,
    pub hashes: Vec<RawHash>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawProperty {
    pub name: String,
    pub value: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawDependency {
    #[serde(rename = "ref")]
    pub reference: String,
    pub depends_on: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawComposition {
    pub aggregate: String,
    pub assemblies: Vec<String>,
    pub dependencies: Vec<String>,
}

/// Reads CycloneDX JSON.
pub(super) fn read(text: &str) -> Result<Bom, Error> {
    let raw: RawBom = json::parse(text)?;
    if raw.bom_format.as_deref() != Some("CycloneDX") {
        return Err(Error::at("bomFormat", format!("it is {:?}, not \"CycloneDX\"", raw.bom_format.unwrap_or_default())));
    }
    bom(raw, Format::CycloneDxJson)
}

/// The one way from the object model to the document.
pub(super) fn bom(raw: RawBom, format: Format) -> Result<Bom, Error> {
    if !VERSIONS.contains(&raw.spec_version.as_str()) {
        let (first, last) = (VERSIONS[0], VERSIONS[VERSIONS.len() - 1]);
        return Err(Error::at("specVersion", format!("{:?} is not read, {first} to {last} are", raw.spec_version)));
    }
    let mut builder = Builder::new(format, &raw.spec_version);
    builder.bom.serial = raw.serial_number;
    builder.bom.version = raw.version.map(|version| version.to_string());
    builder.bom.signature = raw.signature.is_some().then_some(Signature::Enclosed);
    let mut references = raw.external_references;
    metadata(&mut builder, raw.metadata, &mut references)?;
    // Before 1.5 the format has no type for it, and our own documents say it in the comment.
    let is_told = |one: &RawReference| one.comment.as_ref().is_some_and(|text| text.starts_with("The SBOM author's signature"));
    let signed = |one: &&RawReference| matches!(one.type_word.as_str(), "digital-signature" | "attestation") || is_told(one);
    if let Some(reference) = references.iter().find(signed).filter(|_| builder.bom.signature.is_none()) {
        builder.bom.signature = Some(Signature::Referenced(reference.url.clone()));
    }
    for property in &raw.properties {
        document_property(&mut builder, property);
    }
    for component in raw.components {
        add(&mut builder, component, None)?;
    }
    for service in raw.services {
        add_service(&mut builder, service, None)?;
    }
    for RawDependency { reference, depends_on } in &raw.dependencies {
        match builder.find(reference) {
            Some(from) => builder.states(from),
            None => builder.dangles(reference)?,
        }
        for to in depends_on {
            builder.edge(reference, to)?;
        }
    }
    compositions(&mut builder, &raw.compositions);
    Ok(builder.finish())
}

fn metadata(builder: &mut Builder, raw: RawMetadata, references: &mut Vec<RawReference>) -> Result<(), Error> {
    builder.bom.timestamp = raw.timestamp;
    for author in &raw.authors {
        contact(author, &mut builder.bom.authors);
    }
    // Since 1.6: who made the document; `manufacture` of before and `supplier` are about the product.
    if let Some(manufacturer) = &raw.manufacturer {
        entity(manufacturer, &mut builder.bom.authors);
    }
    let tools = match raw.tools {
        RawTools::List(tools) => tools,
        RawTools::Object(RawToolObject { mut components, services }) => {
            components.extend(services);
            components
        }
    };
    let tools = tools.into_iter().filter(|tool| !tool.name.is_empty());
    builder.bom.tools = tools.map(|RawTool { name, version }| Tool { name, version }).collect();
    for lifecycle in &raw.lifecycles {
        let text = lifecycle.phase.as_ref().or(lifecycle.name.as_ref());
        builder.bom.contexts.say(text.map_or("", String::as_str), str::to_owned);
    }
    for property in &raw.properties {
        document_property(builder, property);
    }
    if let Some(component) = raw.component {
        references.extend(component.external_references.iter().map(RawReference::link));
        let index = add(builder, component, None)?;
        builder.bom.subjects.extend(usize::try_from(index));
    }
    Ok(())
}

impl RawReference {
    fn link(&self) -> Self {
        Self { type_word: self.type_word.clone(), url: self.url.clone(), comment: self.comment.clone(), hashes: Vec::new() }
    }
}

fn document_property(builder: &mut Builder, property: &RawProperty) {
    let value = property.value.as_deref().unwrap_or_default();
    match property.name.as_str() {
        "cargo-supplychain:author" => builder.bom.authors.absence = builder.bom.authors.absence.or(Absence::of(value)),
        // Before 1.5 the format has no field for it.
        "cargo-supplychain:lifecycle" => builder.bom.contexts.say(value, str::to_owned),
        _ => {}
    }
}

/// Adds a component and what is nested in it. The depth of nesting is bounded by what was read.
fn add(builder: &mut Builder, raw: RawComponent, parent: Option<u32>) -> Result<u32, Error> {
    let mut part = Part::new(Kind::Component, &raw.name);
    part.parent = parent;
    part.reference = raw.reference;
    part.type_word = raw.type_word;
    part.group = raw.group.filter(|group| !group.is_empty());
    part.version.say(raw.version.as_deref().unwrap_or_default(), str::to_owned);
    part.purls.extend(raw.purl.filter(|purl| !purl.is_empty()));
    let others = raw.cpe.into_iter().chain(raw.omnibor_id).chain(raw.swhid).chain(raw.swid.map(|swid| swid.tag_id));
    for identifier in others {
        part.identifiers.say(&identifier, str::to_owned);
    }
    part.scope = match raw.scope.as_deref() {
        Some("excluded") => Scope::Excluded,
        Some("optional") => Scope::Optional,
        _ => Scope::Included,
    };
    hashes(&raw.hashes, &mut part.hashes);
    for choice in &raw.licenses {
        licence(choice, &mut part.licences);
    }
    for maker in [&raw.supplier, &raw.manufacturer].into_iter().flatten() {
        entity(maker, &mut part.producers);
    }
    for author in &raw.authors {
        contact(author, &mut part.producers);
    }
    for name in [&raw.author, &raw.publisher].into_iter().flatten() {
        part.producers.say(name, |name| Party { name: name.to_owned(), contact: None });
    }
    for reference in raw.external_references {
        if matches!(reference.type_word.as_str(), "distribution" | "distribution-intake") {
            part.distribution_hashes.extend(reference.hashes.iter().map(|hash| Hash::new(&hash.alg, &hash.content)));
        }
        part.links.push((reference.type_word, reference.url));
    }
    for property in &raw.properties {
        part.property(&property.name, property.value.as_deref().unwrap_or_default());
    }
    let index = builder.add(part)?;
    for nested in raw.components {
        add(builder, nested, Some(index))?;
    }
    Ok(index)
}

fn add_service(builder: &mut Builder, raw: RawService, parent: Option<u32>) -> Result<(), Error> {
    let mut part = Part::new(Kind::Service, &raw.name);
    part.parent = parent;
    part.reference = raw.reference;
    part.type_word = "service".to_owned();
    part.group = raw.group.filter(|group| !group.is_empty());
    part.version.say(raw.version.as_deref().unwrap_or_default(), str::to_owned);
    if let Some(provider) = &raw.provider {
        entity(provider, &mut part.producers);
    }
    for choice in &raw.licenses {
        licence(choice, &mut part.licences);
    }
    let index = builder.add(part)?;
    raw.services.into_iter().try_for_each(|nested| add_service(builder, nested, Some(index)))
}

fn hashes(raw: &[RawHash], said: &mut Said<Hash>) {
    for RawHash { alg, content } in raw {
        match Absence::of(content) {
            Some(absence) => said.absence = Some(absence),
            // One without its algorithm, or an algorithm without a digest, is a gap to be found.
            None => said.values.push(Hash::new(alg, content)),
        }
    }
}

fn licence(choice: &RawChoice, said: &mut Said<Licence>) {
    let license = choice.license.as_ref();
    let acknowledged = choice.acknowledgement.as_ref().or_else(|| license?.acknowledgement.as_ref());
    let acknowledgement = match acknowledged.map(String::as_str) {
        Some("declared") => Acknowledgement::Declared,
        Some("concluded") => Acknowledgement::Concluded,
        _ => Acknowledgement::Unstated,
    };
    let texts = [choice.expression.as_ref(), license.and_then(|license| license.id.as_ref().or(license.name.as_ref()))];
    for text in texts.into_iter().flatten() {
        said.say(text, |text| Licence { text: text.to_owned(), acknowledgement });
    }
}

fn entity(raw: &RawEntity, said: &mut Said<Party>) {
    let mail = raw.contact.iter().filter_map(|contact| contact.email.as_ref()).next();
    let contact = mail.or(raw.url.first()).cloned();
    let by_contact = || raw.contact.iter().find_map(|contact| contact.name.clone());
    let name = raw.name.clone().or_else(by_contact).or_else(|| contact.clone());
    said.say(name.as_deref().unwrap_or_default(), |name| Party { name: name.to_owned(), contact });
}

fn contact(raw: &RawContact, said: &mut Said<Party>) {
    let name = raw.name.as_ref().or(raw.email.as_ref());
    said.say(name.map_or("", String::as_str), |name| Party { name: name.to_owned(), contact: raw.email.clone() });
}

/// How complete the dependencies of the named parts are said to be.
fn compositions(builder: &mut Builder, raw: &[RawComposition]) {
    for composition in raw {
        let completeness = match composition.aggregate.as_str() {
            "complete" => Completeness::Complete,
            "unknown" | "not_specified" => Completeness::Unknown,
            _ => Completeness::Incomplete,
        };
        for reference in &composition.dependencies {
            if let Some(index) = builder.find(reference) {
                builder.completeness(index, completeness);
            }
        }
        // Where only the assembly is named it is the statement about what the part consists of.
        for reference in &composition.assemblies {
            let stated = builder.find(reference).filter(|_| composition.dependencies.is_empty());
            if let Some(index) = stated {
                builder.completeness(index, completeness);
            }
        }
    }
}
