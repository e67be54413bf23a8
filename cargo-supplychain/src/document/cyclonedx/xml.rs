//! A document as XML, of the versions 1.4 to 1.6. The JSON form has the fields in the order of the schemas already; what differs is what
//! is an attribute, and what a list's items are called.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use serde_json::{Map, Value};

use crate::config::CycloneDxVersion;
use crate::document::identity::xml_text;

type Out = Writer<Vec<u8>>;

pub(super) fn text(document: &Map<String, Value>, version: CycloneDxVersion) -> String {
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    event(&mut out, Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)));
    let mut root = BytesStart::new("bom");
    root.push_attribute(("xmlns", format!("http://cyclonedx.org/schema/bom/{}", version.as_str()).as_str()));
    root.push_attribute(("serialNumber", document["serialNumber"].as_str().unwrap_or_default()));
    root.push_attribute(("version", "1"));
    event(&mut out, Event::Start(root));
    for (name, value) in document {
        if !["$schema", "bomFormat", "specVersion", "serialNumber", "version"].contains(&name.as_str()) {
            element(&mut out, name, value);
        }
    }
    event(&mut out, Event::End(BytesEnd::new("bom")));
    let text = String::from_utf8(out.into_inner()).expect("what was written is text");
    text + "\n"
}

fn event(out: &mut Out, event: Event<'_>) {
    out.write_event(event).expect("writing to memory cannot fail");
}

/// What a list's items are called; the other lists are items that repeat, without an element around them.
fn item(list: &str) -> Option<&'static str> {
    Some(match list {
        "components" | "ancestors" => "component",
        "hashes" => "hash",
        "externalReferences" => "reference",
        "properties" => "property",
        "authors" => "author",
        "lifecycles" => "lifecycle",
        "tools" => "tool",
        "dependencies" => "dependency",
        "compositions" => "composition",
        "assemblies" => "assembly",
        "formulation" => "formula",
        "workflows" => "workflow",
        "taskTypes" => "taskType",
        "steps" => "step",
        "commands" => "command",
        "inputs" => "input",
        "outputs" => "output",
        "environmentVars" => "environmentVar",
        "methods" => "method",
        "occurrences" => "occurrence",
        _ => return None,
    })
}

/// The fields that are attributes of an element.
fn attributes(element: &str) -> &'static [&'static str] {
    match element {
        "component" => &["type", "bom-ref"],
        "reference" | "externalReference" => &["type"],
        "dependency" | "assembly" => &["ref"],
        "hash" => &["alg"],
        "property" | "environmentVar" => &["name"],
        "license" | "expression" => &["acknowledgement"],
        "workflow" => &["bom-ref"],
        _ => &[],
    }
}

/// The field that is the text of an element.
fn content(element: &str) -> Option<&'static str> {
    match element {
        "hash" => Some("content"),
        "property" | "environmentVar" => Some("value"),
        "text" => Some("content"),
        "expression" => Some("expression"),
        _ => None,
    }
}

fn element(out: &mut Out, name: &str, value: &Value) {
    match value {
        Value::Array(list) => match (name, item(name)) {
            ("licenses", _) => wrapped(out, name, list, licence),
            ("dependsOn", _) => list.iter().for_each(|one| reference(out, "dependency", one)),
            ("assemblies", _) => wrapped(out, name, list, |out, one| reference(out, "assembly", one)),
            ("dependencies", _) if list.first().is_some_and(Value::is_string) => {
                wrapped(out, name, list, |out, one| reference(out, "dependency", one));
            }
            (_, Some(item)) => wrapped(out, name, list, |out, one| element(out, item, one)),
            (_, None) => list.iter().for_each(|one| element(out, name, one)),
        },
        Value::Object(fields) => object(out, name, fields),
        Value::String(text) => leaf(out, BytesStart::new(name), text),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => leaf(out, BytesStart::new(name), &value.to_string()),
    }
}

fn wrapped(out: &mut Out, name: &str, list: &[Value], mut write: impl FnMut(&mut Out, &Value)) {
    event(out, Event::Start(BytesStart::new(name)));
    for one in list {
        write(out, one);
    }
    event(out, Event::End(BytesEnd::new(name)));
}

fn object(out: &mut Out, name: &str, fields: &Map<String, Value>) {
    let mut start = BytesStart::new(name);
    for &attribute in attributes(name) {
        if let Some(text) = fields.get(attribute).and_then(Value::as_str) {
            start.push_attribute((attribute, &*xml_text(text)));
        }
    }
    if let Some(content) = content(name) {
        return leaf(out, start, fields.get(content).and_then(Value::as_str).unwrap_or_default());
    }
    let children = || fields.iter().filter(|(field, _)| !attributes(name).contains(&field.as_str()));
    if children().next().is_none() {
        return event(out, Event::Empty(start));
    }
    event(out, Event::Start(start));
    for (field, value) in children() {
        element(out, field, value);
    }
    event(out, Event::End(BytesEnd::new(name)));
}

/// A named licence, or an expression.
fn licence(out: &mut Out, choice: &Value) {
    match (choice.get("license"), choice.as_object()) {
        (Some(license), _) => element(out, "license", license),
        (None, Some(fields)) => object(out, "expression", fields),
        (None, None) => {}
    }
}

fn reference(out: &mut Out, name: &str, to: &Value) {
    let mut start = BytesStart::new(name);
    start.push_attribute(("ref", &*xml_text(to.as_str().unwrap_or_default())));
    event(out, Event::Empty(start));
}

fn leaf(out: &mut Out, start: BytesStart<'_>, text: &str) {
    let end = start.to_end().into_owned();
    event(out, Event::Start(start));
    event(out, Event::Text(BytesText::new(&xml_text(text))));
    event(out, Event::End(end));
}
