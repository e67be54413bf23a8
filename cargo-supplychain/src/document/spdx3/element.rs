//! Elements: their identifiers, agents, packages, files and relationships.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::base::Sha256;
use crate::base::text::plain;
use crate::document::part::{self, Kind, Part};
use crate::document::producer::{Author, Contact, Producer};
use crate::document::sbom::SupportEnd;
use crate::model::ArtifactKind;

/// The one creation information of a document, a blank node.
pub(super) const CREATION: &str = "_:creation";

/// The elements in the order in which they are added.
pub(super) struct Graph {
    namespace: String,
    pub elements: Vec<Value>,
}

impl Graph {
    pub(super) fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned(), elements: Vec::new() }
    }

    /// Adds an element and gives its identifier. `name` is unique among them and stands in an IRI.
    pub(super) fn add(&mut self, name: &str, kind: &str, fields: Value) -> String {
        let id = format!("{}{name}", self.namespace);
        let mut element = Map::new();
        element.insert("type".to_owned(), json!(kind));
        element.insert("spdxId".to_owned(), json!(id));
        element.insert("creationInfo".to_owned(), json!(CREATION));
        if let Value::Object(fields) = fields {
            element.extend(fields);
        }
        self.elements.push(Value::Object(element));
        id
    }

    /// One for each source, kind and scope.
    pub(super) fn relation(&mut self, from: &str, kind: &str, to: &[&str], completeness: &str, scope: Option<&str>) {
        let unique = Sha256::of(format!("{}\n{kind}\n{scope:?}\n{}", &from[self.namespace.len()..], self.local(to))).to_string();
        let mut fields = json!({"from": from, "relationshipType": kind, "to": to, "completeness": completeness});
        let class = match (scope, fields.as_object_mut()) {
            (Some(scope), Some(fields)) => {
                fields.insert("scope".to_owned(), json!(scope));
                "LifecycleScopedRelationship"
            }
            _ => "Relationship",
        };
        self.add(&format!("relation-{}", &unique[..20]), class, fields);
    }

    /// Identifiers without the namespace, which is made of what they name.
    fn local(&self, ids: &[&str]) -> String {
        let local = |id: &&str| id.strip_prefix(&*self.namespace).unwrap_or(id).to_owned();
        ids.iter().map(local).collect::<Vec<_>>().join("\n")
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.elements.iter().filter_map(|element| Some(element["spdxId"].as_str()?.to_owned())).collect()
    }
}

/// People and organisations, each once.
#[derive(Default)]
pub(super) struct Agents(BTreeMap<String, String>);

impl Agents {
    /// The agents that a statement names; none where it says unknown.
    pub(super) fn of(&mut self, graph: &mut Graph, producer: &Producer) -> Vec<String> {
        let url = |url: &str| Some(Contact::Url(url.to_owned()));
        match producer {
            Producer::Configured { name, contact } => vec![self.agent(graph, "Organization", name, contact.as_ref())],
            Producer::Project { name, url: at } => vec![self.agent(graph, "Organization", name, url(at).as_ref())],
            Producer::Known(name, at) => vec![self.agent(graph, "Organization", name, url(at).as_ref())],
            Producer::Authors(authors) => {
                let email = |author: &Author| author.email.clone().map(Contact::Email);
                authors.iter().map(|author| self.agent(graph, "Person", &author.name, email(author).as_ref())).collect()
            }
            Producer::Unknown => Vec::new(),
        }
    }

    fn agent(&mut self, graph: &mut Graph, class: &str, name: &str, contact: Option<&Contact>) -> String {
        let unique = format!("{class}\n{name}\n{contact:?}");
        if let Some(id) = self.0.get(&unique) {
            return id.clone();
        }
        let mut fields = json!({"name": name});
        if let (Some(contact), Some(fields)) = (contact, fields.as_object_mut()) {
            let (kind, identifier) = match contact {
                Contact::Email(email) => ("email", email),
                Contact::Url(url) => ("urlScheme", url),
            };
            fields.insert("externalIdentifier".to_owned(), json!([identifier_of(kind, identifier)]));
        }
        let id = graph.add(&format!("agent-{}", &Sha256::of(&unique).to_string()[..20]), class, fields);
        self.0.insert(unique, id.clone());
        id
    }
}

fn identifier_of(kind: &str, identifier: &str) -> Value {
    json!({"type": "ExternalIdentifier", "externalIdentifierType": kind, "identifier": identifier})
}

fn hashes(part: &Part<'_>) -> Option<Value> {
    let hash = |algorithm: &str, value: String| json!({"type": "Hash", "algorithm": algorithm, "hashValue": value});
    let sha256 = hash("sha256", part.sha256?.to_string());
    Some(std::iter::once(sha256).chain(part.file.map(|file| hash("sha512", file.sha512.to_string()))).collect())
}

/// A name for an IRI: what it stands for, for people, and a digest so that two never meet.
fn local_name(part: &Part<'_>) -> String {
    let kind = match part.kind {
        Kind::Artifact(_) => return "artifact".to_owned(),
        Kind::StandardLibrary => return "rust-std".to_owned(),
        Kind::Compiler => return "rustc".to_owned(),
        Kind::Package(_) => "package",
        Kind::Native(_) => "native",
    };
    let label = part.name.chars().filter(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.')).take(60);
    format!("{kind}-{}-{}", label.collect::<String>(), &Sha256::of(&part.reference).to_string()[..12])
}

pub(super) fn package(graph: &mut Graph, agents: &mut Agents, part: &Part<'_>, support: SupportEnd) -> String {
    let producers = agents.of(graph, &part.producer);
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("name", json!(part.name));
    if let Some(description) = &part.description {
        put("summary", json!(description));
    }
    let facts: Vec<String> = part.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    put("comment", json!(facts.join("; ")));
    let identifiers = part.purl.iter().map(|purl| identifier_of("packageUrl", purl));
    let identifiers: Vec<Value> = identifiers.chain(part.cpe.iter().map(|cpe| identifier_of("cpe23", cpe))).collect();
    if !identifiers.is_empty() {
        put("externalIdentifier", Value::Array(identifiers));
    }
    if let Some(url) = &part.repository {
        put("externalRef", json!([{"type": "ExternalRef", "externalRefType": "vcs", "locator": [url]}]));
    }
    if let Some(hashes) = hashes(part) {
        put("verifiedUsing", hashes);
    }
    if let Some(supplier) = producers.first() {
        put("suppliedBy", json!(supplier));
        put("originatedBy", json!(producers));
    }
    if let (Kind::Artifact(_), SupportEnd::Until(end)) = (part.kind, support) {
        put("validUntilTime", json!(end.to_string()));
    }
    put("software_primaryPurpose", json!(purpose(part.kind)));
    if let Some(version) = &part.version {
        put("software_packageVersion", json!(version));
    }
    if let Some(purl) = &part.purl {
        put("software_packageUrl", json!(purl));
    }
    match (&part.source, part.kind) {
        (Some(source), Kind::Artifact(_)) => {
            put("software_sourceInfo", json!(format!("built from {}", source.spdx())));
        }
        (Some(source), _) => {
            put("software_downloadLocation", json!(source.spdx()));
        }
        (None, _) => {}
    }
    if let Some(pedigree) = &part.pedigree {
        put("software_sourceInfo", json!(format!("in the place of {}: {}", pedigree.ancestor, pedigree.note)));
    }
    graph.add(&local_name(part), "software_Package", Value::Object(fields))
}

fn purpose(kind: Kind) -> &'static str {
    match kind {
        Kind::Artifact(ArtifactKind::Bin | ArtifactKind::Example) | Kind::Compiler => "application",
        Kind::Artifact(ArtifactKind::Crate) => "source",
        Kind::Artifact(ArtifactKind::Derived) => "file",
        Kind::Artifact(_) | Kind::Package(_) | Kind::Native(_) | Kind::StandardLibrary => "library",
    }
}

/// The released file of the artifact, with the properties that BSI TR-03183-2 (section 8.2) asks of it.
pub(super) fn file(graph: &mut Graph, part: &Part<'_>, package: &str) {
    let (Some(file), Kind::Artifact(kind)) = (part.file, part.kind) else { return };
    let mut purposes = Vec::new();
    if let Some(traits) = part::file_traits(kind) {
        purposes.extend(traits.is_executable.then_some("executable"));
        purposes.extend(traits.is_archive.then_some("archive"));
        purposes.push(if traits.is_structured { "container" } else { "firmware" });
    }
    let mut fields = json!({"name": plain(&file.name), "verifiedUsing": hashes(part)});
    if let (Some(fields), false) = (fields.as_object_mut(), purposes.is_empty()) {
        let words = "software_additionalPurpose field is used to indicate the properties of BSI TR-03183-2";
        fields.insert("comment".to_owned(), json!(words));
        fields.insert("software_additionalPurpose".to_owned(), json!(purposes));
    }
    let id = graph.add("file", "software_File", fields);
    graph.relation(package, "hasDistributionArtifact", &[&id], "complete", None);
}
