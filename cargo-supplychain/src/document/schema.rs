//! A checker for the part of JSON Schema 2020-12 that our own schemas use, for tests only: `type`, `const`, `enum`, `pattern` of
//! a digest, `required`, `properties`, `additionalProperties: false`, `items` and local `$ref`. `.ci/run` asks a full validator.

use serde_json::Value;

/// Every keyword that the checker understands or may ignore; another one in a schema is a violation, not a silent pass.
const KNOWN: [&str; 16] = [
    "$schema",
    "$id",
    "$defs",
    "$ref",
    "title",
    "description",
    "type",
    "const",
    "enum",
    "pattern",
    "format",
    "minimum",
    "required",
    "properties",
    "additionalProperties",
    "items",
];

pub(super) fn violations(schema: &str, document: &[u8]) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let document: Value = serde_json::from_slice(document).unwrap();
    let mut found = Vec::new();
    check(&schema, &schema, &document, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let fields = schema.as_object().unwrap();
    found.extend(fields.keys().filter(|key| !KNOWN.contains(&key.as_str())).map(|key| format!("{at}: unknown keyword {key}")));
    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
        let target = root.pointer(reference.strip_prefix('#').unwrap()).unwrap();
        return check(root, target, value, at, found);
    }
    if let Some(types) = fields.get("type") {
        let types: Vec<&str> =
            types.as_str().map_or_else(|| types.as_array().unwrap().iter().filter_map(Value::as_str).collect(), |one| vec![one]);
        if !types.iter().any(|name| has_type(value, name)) {
            found.push(format!("{at}: {value} is not {types:?}"));
        }
    }
    if fields.get("const").is_some_and(|expected| expected != value) {
        found.push(format!("{at}: {value} is another constant"));
    }
    if fields.get("enum").and_then(Value::as_array).is_some_and(|words| !words.contains(value)) {
        found.push(format!("{at}: {value} is not in the list"));
    }
    if let (Some(pattern), Some(text)) = (fields.get("pattern"), value.as_str()) {
        assert_eq!(pattern, "^[0-9a-f]{64}$", "the only pattern that this checker knows");
        if text.parse::<crate::base::Sha256>().is_err() {
            found.push(format!("{at}: {text} is no digest"));
        }
    }
    check_object(root, schema, value, at, found);
    if let (Some(items), Some(list)) = (fields.get("items"), value.as_array()) {
        for (index, item) in list.iter().enumerate() {
            check(root, items, item, &format!("{at}[{index}]"), found);
        }
    }
}

fn check_object(root: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let Some(object) = value.as_object() else { return };
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(name) {
            found.push(format!("{at}: {name} is missing"));
        }
    }
    for (name, field) in object {
        match schema["properties"].get(name) {
            Some(expected) => check(root, expected, field, &format!("{at}.{name}"), found),
            None if schema["additionalProperties"] == false => found.push(format!("{at}: {name} is not documented")),
            None => {}
        }
    }
}

fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}
