//! SPDX 3.0.1 as JSON-LD: the bill of materials of one artifact, with the profiles core, software, simpleLicensing and, once it is built,
//! build. There is no library that models it: the elements are written as the specification has them.

mod element;
mod licence;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use self::element::{Agents, Graph, package};
use super::identity::{self, stated};
use super::inventory::{Inventory, has_standard_library};
use super::part;
use super::producer::{Contact, Producer};
use super::sbom::Subject;
use super::{Document, Error, HOME, TOOL_VERSION, provenance};
use crate::base::text::{one_line, plain};
use crate::model::Linkage;

/// The media type of JSON-LD, by the specification's serialization annex.
pub const MEDIA_TYPE: &str = "application/spdx+json";

const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";

/// `sbom/<artifact>.spdx-3.0.1.json`.
pub(super) fn document(subject: &Subject<'_>) -> Result<Document, Error> {
    let inventory = subject.inventory()?;
    // The identifiers begin with a namespace that is derived from the content without one.
    let content = Value::Array(graph(subject, &inventory, "urn:content:")).to_string();
    let namespace = format!("{HOME}/spdx/{}#", identity::uuid(content.as_bytes()));
    let value = json!({"@context": CONTEXT, "@graph": graph(subject, &inventory, &namespace)});
    let path = format!("sbom/{}.spdx-3.0.1.json", identity::file_stem(&subject.artifact.name));
    Ok(Document::json(path, MEDIA_TYPE, &value))
}

fn graph(subject: &Subject<'_>, inventory: &Inventory<'_>, namespace: &str) -> Vec<Value> {
    let Subject { build, artifact, .. } = *subject;
    let mut graph = Graph::new(namespace);
    let mut agents = Agents::default();
    let author = author(subject, &mut graph, &mut agents);
    let tool = graph.add("tool", "Tool", json!({"name": format!("cargo-supplychain-{TOOL_VERSION}")}));
    let parts = part::all(subject, inventory);
    let mut references: BTreeMap<String, String> = BTreeMap::new();
    let mut licences = licence::Licences::new(&parts);
    let mut root = String::new();
    for part in parts {
        let id = package(&mut graph, &mut agents, &part, subject.support);
        licences.declare(&mut graph, &part, &id);
        if root.is_empty() {
            root.clone_from(&id);
            element::file(&mut graph, &part, &id);
        }
        references.insert(part.reference, id);
    }
    dependencies(subject, inventory, &mut graph, &references);
    if artifact.file.is_some() {
        made(subject, &mut graph, &root, &references[part::COMPILER]);
    }
    let context = if artifact.file.is_some() { "build" } else { "source" };
    let listed = graph.ids();
    let sbom = json!({"software_sbomType": [context], "rootElement": [root], "element": listed});
    let sbom = graph.add("sbom", "software_Sbom", sbom);
    graph.add("document", "SpdxDocument", spdx_document(subject, inventory, &sbom, &graph));
    let creation = json!({
        "type": "CreationInfo",
        "@id": element::CREATION,
        "specVersion": "3.0.1",
        "created": build.stamp.to_string(),
        "createdBy": [author],
        "createdUsing": [tool],
    });
    std::iter::once(creation).chain(graph.elements).collect()
}

fn spdx_document(subject: &Subject<'_>, inventory: &Inventory<'_>, sbom: &str, graph: &Graph) -> Value {
    let Subject { artifact, build, .. } = subject;
    let mut profiles = vec!["core", "software", "simpleLicensing"];
    if artifact.file.is_some() {
        profiles.push("build");
    }
    let mut elements = graph.ids();
    elements.retain(|id| id != sbom);
    elements.push(sbom.to_owned());
    let mut fields = Map::new();
    fields.insert("name".to_owned(), json!(plain(&artifact.name)));
    fields.insert("profileConformance".to_owned(), json!(profiles));
    fields.insert("rootElement".to_owned(), json!([sbom]));
    fields.insert("element".to_owned(), json!(elements));
    let signature = subject.signature_place();
    let mut comment = "SBOM version: 1.".to_owned();
    if let Some(place) = &signature {
        let words = "The SBOM author's signature: an in-toto attestation in a Sigstore bundle, a file of the release.";
        let reference =
            json!([{"type": "ExternalRef", "externalRefType": "securityOther", "locator": [place], "comment": words}]);
        fields.insert("externalRef".to_owned(), reference);
    } else {
        comment.push_str(" The SBOM author's signature: none.");
    }
    if stated(subject.settings.author.as_ref()).is_none() {
        comment.push_str(" The author of this document is unknown.");
    }
    let unlisted = build.resolved_only.len();
    comment.push_str(&format!(" {unlisted} packages that the lockfile resolves took no part and are not listed."));
    if let Some(cut) = &inventory.cut {
        comment.push_str(&format!(" The lists are incomplete: depth {cut}."));
    }
    let mut gaps: Vec<_> = build.gaps.iter().map(|gap| format!(" Not established: {}: {}.", gap.subject, gap.message)).collect();
    gaps.sort();
    comment.push_str(&plain(&gaps.concat()));
    fields.insert("comment".to_owned(), json!(comment));
    Value::Object(fields)
}

/// Who answers for the document; the tool alone where nobody is named.
fn author(subject: &Subject<'_>, graph: &mut Graph, agents: &mut Agents) -> String {
    match stated(subject.settings.author.as_ref()) {
        Some(name) => {
            let contact = Contact::of(subject.settings.author_contact.as_ref());
            let author = Producer::Configured { name: one_line(name), contact };
            agents.of(graph, &author).into_iter().next().unwrap_or_default()
        }
        None => graph.add("author", "SoftwareAgent", json!({"name": "cargo-supplychain"})),
    }
}

/// One relationship for each listed part and scope, with how complete it is.
fn dependencies(subject: &Subject<'_>, inventory: &Inventory<'_>, graph: &mut Graph, references: &BTreeMap<String, String>) {
    let build_only: BTreeSet<&str> =
        inventory.entries.iter().filter(|entry| !entry.is_linked).map(|entry| entry.part.purl.as_str()).collect();
    let known = if subject.build.gaps.is_empty() { "complete" } else { "noAssertion" };
    for (from, targets) in &inventory.edges {
        let is_cut = inventory.cut.as_ref().is_some_and(|cut| cut.at.contains(from));
        let completeness = if is_cut { "incomplete" } else { known };
        let holder = &references[from];
        let is_build = |to: &str| build_only.contains(to) && !build_only.contains(from.as_str());
        let (helpers, linked): (Vec<&String>, Vec<&String>) = targets.iter().partition(|to| is_build(to));
        let mut linked: Vec<&str> = linked.into_iter().map(|to| references[to].as_str()).collect();
        for library in inventory.native.get(from).into_iter().flatten() {
            let reference = references[&part::native_reference(library)].as_str();
            linked.push(reference);
            let kind = match library.linkage {
                Linkage::Static => "hasStaticLink",
                Linkage::Dynamic | Linkage::Framework => "hasDynamicLink",
                Linkage::Unspecified => continue,
            };
            graph.relation(holder, kind, &[reference], "complete", None);
        }
        if *from == inventory.root && has_standard_library(subject.artifact) {
            linked.push(&references[part::STANDARD_LIBRARY]);
        }
        if linked.is_empty() {
            linked.push(if is_cut { "NoAssertionElement" } else { "NoneElement" });
        }
        graph.relation(holder, "dependsOn", &linked, completeness, None);
        if !helpers.is_empty() {
            let helpers: Vec<&str> = helpers.into_iter().map(|to| references[to].as_str()).collect();
            graph.relation(holder, "dependsOn", &helpers, completeness, Some("build"));
        }
    }
    // What these are made of is not known: said, not left out.
    let native = inventory.native.values().flatten().map(|library| part::native_reference(library));
    let toolchain = has_standard_library(subject.artifact).then(|| part::STANDARD_LIBRARY.to_owned());
    for opaque in native.chain(toolchain) {
        graph.relation(&references[&opaque], "dependsOn", &["NoAssertionElement"], "noAssertion", None);
    }
}

/// The build, its tool and what came out of it.
fn made(subject: &Subject<'_>, graph: &mut Graph, root: &str, compiler: &str) {
    let build = subject.build;
    let entry = |name: &str, value: &str| json!({"type": "DictionaryEntry", "key": plain(name), "value": plain(value)});
    let parameters = [
        ("arguments", build.invocation.arguments.join(" ")),
        ("target", build.invocation.target.clone()),
        ("profile", build.invocation.profile.clone()),
        ("rustc", build.toolchain.rustc.clone()),
        ("cargo", build.toolchain.cargo.clone()),
    ];
    let parameters: Vec<Value> = parameters.iter().map(|(name, value)| entry(name, value)).collect();
    let environment: Vec<Value> = build.invocation.environment.iter().map(|(name, value)| entry(name, value)).collect();
    let mut fields = json!({"build_buildType": provenance::build_type(), "build_parameter": parameters});
    if let (Some(fields), false) = (fields.as_object_mut(), environment.is_empty()) {
        fields.insert("build_environment".to_owned(), Value::Array(environment));
    }
    let id = graph.add("build", "build_Build", fields);
    graph.relation(&id, "hasOutput", &[root], "complete", None);
    graph.relation(&id, "usesTool", &[compiler], "incomplete", Some("build"));
}

#[cfg(test)]
mod tests;
