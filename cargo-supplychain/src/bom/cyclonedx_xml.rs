//! CycloneDX in XML, 1.0 to 1.7: the elements of its schema as the object model of `cyclonedx`, from where both forms go one way.

use serde::de::IgnoredAny;

use super::cyclonedx::{
    self, RawBom, RawChoice, RawComponent, RawComposition, RawContact, RawDependency, RawEntity, RawHash, RawLicense,
    RawLifecycle, RawMetadata, RawProperty, RawReference, RawService, RawSwid, RawTool, RawToolObject, RawTools,
};
use super::xml::Element;
use super::{Bom, Error, Format};

/// The namespace of a version, without the version.
const NAMESPACE: &str = "http://cyclonedx.org/schema/bom/";

/// Reads a CycloneDX document.
pub(super) fn read(root: &Element) -> Result<Bom, Error> {
    let namespace = root.namespace().unwrap_or_default();
    let Some(version) = namespace.strip_prefix(NAMESPACE) else {
        return Err(Error::at("bom", format!("its namespace {namespace:?} does not begin with {NAMESPACE}")));
    };
    let number = match root.attribute("version") {
        Some(text) => Some(text.parse().map_err(|_| Error::at("bom", format!("its version {text:?} is no number")))?),
        None => None,
    };
    let raw = RawBom {
        bom_format: None,
        spec_version: version.to_owned(),
        serial_number: root.attribute("serialNumber").map(str::to_owned),
        version: number,
        metadata: root.child("metadata").map(metadata).unwrap_or_default(),
        components: list(root, "components", "component", component),
        services: list(root, "services", "service", service),
        external_references: list(root, "externalReferences", "reference", reference),
        dependencies: list(root, "dependencies", "dependency", dependency),
        compositions: list(root, "compositions", "composition", composition),
        properties: list(root, "properties", "property", property),
        signature: root.child("Signature").map(|_| IgnoredAny),
    };
    cyclonedx::bom(raw, Format::CycloneDxXml)
}

/// What stands in `<outer><inner/>…</outer>`.
fn list<T>(element: &Element, outer: &str, inner: &str, read: impl Fn(&Element) -> T) -> Vec<T> {
    element.all(outer).flat_map(|outer| outer.all(inner)).map(read).collect()
}

fn metadata(element: &Element) -> RawMetadata {
    RawMetadata {
        timestamp: element.text_of("timestamp"),
        lifecycles: list(element, "lifecycles", "lifecycle", |one| RawLifecycle {
            phase: one.text_of("phase"),
            name: one.text_of("name"),
        }),
        tools: RawTools::Object(RawToolObject {
            components: element.all("tools").flat_map(tools).collect(),
            services: element.all("tools").flat_map(|tools| list(tools, "services", "service", tool)).collect(),
        }),
        authors: list(element, "authors", "author", contact),
        component: element.child("component").map(component),
        manufacturer: element.child("manufacturer").map(entity),
        properties: list(element, "properties", "property", property),
    }
}

/// Before 1.5 `tool`, since then components.
fn tools(element: &Element) -> Vec<RawTool> {
    let mut found = list(element, "components", "component", tool);
    found.extend(element.all("tool").map(tool));
    found
}

fn tool(element: &Element) -> RawTool {
    RawTool { name: element.text_of("name").unwrap_or_default(), version: element.text_of("version") }
}

fn contact(element: &Element) -> RawContact {
    RawContact { name: element.text_of("name"), email: element.text_of("email") }
}

fn entity(element: &Element) -> RawEntity {
    RawEntity {
        name: element.text_of("name"),
        url: element.all("url").map(|url| url.text.trim().to_owned()).collect(),
        contact: element.all("contact").map(contact).collect(),
    }
}

fn component(element: &Element) -> RawComponent {
    let texts = |name| element.all(name).map(|one| one.text.trim().to_owned()).collect();
    RawComponent {
        type_word: element.attribute("type").unwrap_or_default().to_owned(),
        reference: element.attribute("bom-ref").unwrap_or_default().to_owned(),
        supplier: element.child("supplier").map(entity).map(Box::new),
        manufacturer: element.child("manufacturer").map(entity).map(Box::new),
        author: element.text_of("author"),
        authors: list(element, "authors", "author", contact),
        publisher: element.text_of("publisher"),
        group: element.text_of("group"),
        name: element.text_of("name").unwrap_or_default(),
        version: element.text_of("version"),
        scope: element.text_of("scope"),
        hashes: list(element, "hashes", "hash", hash),
        licenses: licenses(element),
        cpe: element.text_of("cpe"),
        purl: element.text_of("purl"),
        omnibor_id: texts("omniborId"),
        swhid: texts("swhid"),
        swid: element.child("swid").and_then(|swid| swid.attribute("tagId")).map(|tag| RawSwid { tag_id: tag.to_owned() }),
        components: list(element, "components", "component", component),
        external_references: list(element, "externalReferences", "reference", reference),
        properties: list(element, "properties", "property", property),
    }
}

fn service(element: &Element) -> RawService {
    RawService {
        reference: element.attribute("bom-ref").unwrap_or_default().to_owned(),
        provider: element.child("provider").map(entity).map(Box::new),
        group: element.text_of("group"),
        name: element.text_of("name").unwrap_or_default(),
        version: element.text_of("version"),
        licenses: licenses(element),
        services: list(element, "services", "service", service),
    }
}

fn hash(element: &Element) -> RawHash {
    RawHash { alg: element.attribute("alg").unwrap_or_default().to_owned(), content: element.text.trim().to_owned() }
}

/// `licenses` holds licences and expressions side by side.
fn licenses(element: &Element) -> Vec<RawChoice> {
    let choices = element.all("licenses").flat_map(|licenses| &licenses.children);
    let choice = |one: &Element| {
        let acknowledgement = one.attribute("acknowledgement").map(str::to_owned);
        match one.local() {
            "expression" => Some(RawChoice { license: None, expression: Some(one.text.trim().to_owned()), acknowledgement }),
            "license" => {
                let license = RawLicense { id: one.text_of("id"), name: one.text_of("name"), acknowledgement: None };
                Some(RawChoice { license: Some(license), expression: None, acknowledgement })
            }
            // 1.7: an expression with details of its licences.
            "expression-detailed" => {
                let expression = one.attribute("expression").map(str::to_owned).or_else(|| one.text_of("expression"));
                Some(RawChoice { license: None, expression, acknowledgement })
            }
            _ => None,
        }
    };
    choices.filter_map(choice).collect()
}

fn reference(element: &Element) -> RawReference {
    RawReference {
        type_word: element.attribute("type").unwrap_or_default().to_owned(),
        url: element.text_of("url").unwrap_or_default(),
        comment: element.text_of("comment"),
        hashes: list(element, "hashes", "hash", hash),
    }
}

fn property(element: &Element) -> RawProperty {
    let name = element.attribute("name").unwrap_or_default().to_owned();
    RawProperty { name, value: Some(element.text.trim().to_owned()) }
}

fn dependency(element: &Element) -> RawDependency {
    let of = |one: &Element| one.attribute("ref").unwrap_or_default().to_owned();
    RawDependency { reference: of(element), depends_on: element.all("dependency").map(of).collect() }
}

fn composition(element: &Element) -> RawComposition {
    let of = |outer, inner| list(element, outer, inner, |one| one.attribute("ref").unwrap_or_default().to_owned());
    RawComposition {
        aggregate: element.text_of("aggregate").unwrap_or_default(),
        assemblies: of("assemblies", "assembly"),
        dependencies: of("dependencies", "dependency"),
    }
}
