//! What a document of version 1.7 is in an earlier version: fields that came later are left out, or said in the words that there were
//! then. docs/sbom.md has this as a table.

use serde_json::{Map, Value, json};

use crate::config::CycloneDxVersion;

type Object = Map<String, Value>;

pub(super) fn to(version: CycloneDxVersion, mut document: Object) -> Object {
    if version < CycloneDxVersion::V1_7 {
        each_component(&mut document, &below_1_7);
    }
    if version < CycloneDxVersion::V1_6 {
        rename(&mut document, "manufacturer", "manufacture");
        if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
            rename(metadata, "manufacturer", "manufacture");
        }
        each_component(&mut document, &below_1_6);
        references(&mut document, &|kind| if kind == "digital-signature" { "attestation" } else { kind });
    }
    if version < CycloneDxVersion::V1_5 {
        document.shift_remove("formulation");
        if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata_below_1_5(metadata);
        }
        each_component(&mut document, &|component| {
            component.shift_remove("evidence");
        });
        references(&mut document, &|kind| if kind == "attestation" { "other" } else { kind });
    }
    document
}

fn below_1_7(component: &mut Object) {
    component.shift_remove("isExternal");
    for licence in licences(component) {
        licence.shift_remove("expressionDetails");
    }
}

/// No `manufacturer` of a component, one `author`, nobody says whether a licence is declared or concluded, one identity in the evidence.
fn below_1_6(component: &mut Object) {
    let name = |entity: &Value| entity["name"].as_str().map(str::to_owned);
    let authors = component.get("authors").and_then(Value::as_array);
    let authors: Option<Vec<String>> = authors.map(|list| list.iter().filter_map(name).collect());
    let manufacturer = component.get("manufacturer").and_then(name).filter(|_| !component.contains_key("supplier"));
    let author = authors.map(|names| names.join(", ")).or(manufacturer);
    component.shift_remove("manufacturer");
    match author {
        Some(author) if component.contains_key("authors") => {
            component.insert("authors".to_owned(), json!(author));
            rename(component, "authors", "author");
        }
        Some(author) => {
            // Before the name, where the XML schemas have it.
            let at = component.keys().position(|key| key == "name").unwrap_or(0);
            component.shift_insert(at, "author".to_owned(), json!(author));
        }
        None => {}
    }
    for licence in licences(component) {
        licence.shift_remove("acknowledgement");
        if let Some(named) = licence.get_mut("license").and_then(Value::as_object_mut) {
            named.shift_remove("acknowledgement");
        }
    }
    let is_repository = |reference: &Object| reference.contains_key("comment");
    for reference in list(component, "externalReferences") {
        if reference.get("type").is_some_and(|kind| kind == "source-distribution") {
            let kind = if is_repository(reference) { "vcs" } else { "distribution" };
            reference.insert("type".to_owned(), json!(kind));
        }
    }
    if let Some(evidence) = component.get_mut("evidence").and_then(Value::as_object_mut)
        && let Some(Value::Array(identities)) = evidence.get_mut("identity")
        && let Some(mut first) = (!identities.is_empty()).then(|| identities.remove(0))
    {
        if let Some(first) = first.as_object_mut() {
            first.shift_remove("concludedValue");
        }
        evidence.insert("identity".to_owned(), first);
    }
}

/// The phase becomes a property, and a tool has no more than vendor, name and version.
fn metadata_below_1_5(metadata: &mut Object) {
    if let Some(phase) = metadata.shift_remove("lifecycles")
        && let Some(phase) = phase[0]["phase"].as_str()
        && let Some(properties) = metadata.get_mut("properties").and_then(Value::as_array_mut)
    {
        properties.insert(0, json!({"name": "cargo-supplychain:lifecycle", "value": phase}));
    }
    if let Some(tools) = metadata.get_mut("tools") {
        let old = |tool: &Value| json!({"vendor": tool["supplier"]["name"], "name": tool["name"], "version": tool["version"]});
        *tools = tools["components"].as_array().into_iter().flatten().map(old).collect();
    }
}

/// Every component, nested ones, tools and those of a formula included.
fn each_component(document: &mut Object, change: &dyn Fn(&mut Object)) {
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        if let Some(component) = metadata.get_mut("component").and_then(Value::as_object_mut) {
            below(component, change);
        }
        if let Some(tools) = metadata.get_mut("tools").and_then(Value::as_object_mut) {
            list(tools, "components").for_each(|tool| below(tool, change));
        }
    }
    list(document, "components").for_each(|component| below(component, change));
    for formula in list(document, "formulation") {
        list(formula, "components").for_each(|component| below(component, change));
    }
}

/// A component and those within it; they are nested once.
fn below(component: &mut Object, change: &dyn Fn(&mut Object)) {
    change(component);
    list(component, "components").for_each(|nested| below(nested, change));
}

fn licences(component: &mut Object) -> impl Iterator<Item = &mut Object> {
    list(component, "licenses")
}

/// The objects of a list; none where there is no list.
fn list<'a>(object: &'a mut Object, name: &str) -> impl Iterator<Item = &'a mut Object> + use<'a> {
    object.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// The types of the document's own references.
fn references(document: &mut Object, kind: &dyn Fn(&str) -> &str) {
    for reference in list(document, "externalReferences") {
        if let Some(old) = reference.get("type").and_then(Value::as_str) {
            let new = json!(kind(old));
            reference.insert("type".to_owned(), new);
        }
    }
}

/// Another name in the same place.
fn rename(object: &mut Object, from: &str, to: &str) {
    if let Some(at) = object.keys().position(|key| key == from)
        && let Some(value) = object.shift_remove(from)
    {
        object.shift_insert(at, to.to_owned(), value);
    }
}
