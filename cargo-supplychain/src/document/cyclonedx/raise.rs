//! From the 1.5 document of `cyclonedx-bom` to the version that we write: renamed header, identity, and the fields that
//! came later (`authors` in 1.6, `acknowledgement` of licences in 1.6).

use serde_json::{Map, Value, json};

use super::SPEC_VERSION;
use crate::base::text::plain;
use crate::document::identity::uuid;
use crate::model::Build;

pub(super) fn raise(document: Value, build: &Build) -> Value {
    let Value::Object(mut fields) = document else { return document };
    if let Some(component) = fields.get_mut("metadata").and_then(|metadata| metadata.get_mut("component")) {
        raise_component(component, build);
    }
    for component in fields.get_mut("components").and_then(Value::as_array_mut).into_iter().flatten() {
        raise_component(component, build);
    }
    for old in ["bomFormat", "specVersion", "serialNumber", "version", "$schema"] {
        fields.shift_remove(old);
    }
    // The identity of a document is its content: another content is another document, the same content the same one.
    let serial = uuid(Value::Object(fields.clone()).to_string().as_bytes());
    let mut raised = Map::new();
    raised.insert("$schema".to_owned(), json!(format!("http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json")));
    raised.insert("bomFormat".to_owned(), json!("CycloneDX"));
    raised.insert("specVersion".to_owned(), json!(SPEC_VERSION));
    raised.insert("serialNumber".to_owned(), json!(format!("urn:uuid:{serial}")));
    raised.insert("version".to_owned(), json!(1));
    raised.extend(fields);
    Value::Object(raised)
}

fn raise_component(component: &mut Value, build: &Build) {
    let Some(fields) = component.as_object_mut() else { return };
    for licence in fields.get_mut("licenses").and_then(Value::as_array_mut).into_iter().flatten() {
        // An expression carries the word itself, a named licence within its object.
        let holder = if licence.get("license").is_some() { licence.get_mut("license") } else { Some(licence) };
        if let Some(holder) = holder.and_then(Value::as_object_mut) {
            holder.insert("acknowledgement".to_owned(), json!("declared"));
        }
    }
    let package = fields.get("bom-ref").and_then(Value::as_str).and_then(|reference| build.components.get(reference));
    let authors = package.map(|package| package.authors.as_slice()).unwrap_or_default();
    let authors: Vec<Value> =
        authors.iter().map(|author| author.trim()).filter(|author| !author.is_empty()).map(contact).collect();
    if !authors.is_empty() {
        fields.insert("authors".to_owned(), Value::Array(authors));
    }
}

/// `Name <address>` of a manifest as a contact. What does not look like an address stays part of the name.
fn contact(author: &str) -> Value {
    match author.strip_suffix('>').and_then(|rest| rest.split_once('<')) {
        Some((name, email)) if is_address(email) && !name.trim().is_empty() => {
            json!({"name": plain(name.trim()), "email": email})
        }
        _ => json!({"name": plain(author)}),
    }
}

/// The schema's format `idn-email`, narrowed to what no reader stumbles over.
fn is_address(text: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && !part.ends_with('.')
            && !part.contains("..")
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
    };
    text.len() <= 254 && text.split_once('@').is_some_and(|(user, host)| plain(user) && plain(host))
}
