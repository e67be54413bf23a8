//! How the artifact was made (CycloneDX 1.5 and later, `formulation`): the tools, the sources and the command. The signed account of the
//! build is the provenance; this is its summary for readers of the SBOM.

use serde_json::{Map, Value, json};

use crate::base::text::plain;
use crate::document::identity::public_url;
use crate::document::part;
use crate::model::Build;

const COMPILE: &str = "workflow:build";

/// One workflow: `cargo build`.
pub(super) fn value(build: &Build, root: &str) -> Value {
    let compiler = super::component::value(&part::compiler(&build.toolchain), Vec::new());
    let mut words = vec!["cargo".to_owned(), "build".to_owned()];
    words.extend(build.invocation.arguments.iter().map(|argument| plain(argument).into_owned()));
    let mut workflow = Map::new();
    let mut put = |name: &str, value: Value| workflow.insert(name.to_owned(), value);
    put("bom-ref", json!(COMPILE));
    put("uid", json!(COMPILE));
    put("name", json!("cargo build"));
    put("taskTypes", json!(["build"]));
    put("steps", json!([{"name": "compile", "commands": [{"executed": words.join(" ")}]}]));
    let mut inputs = Vec::new();
    if let Some(url) = build.source.remote.as_deref().and_then(public_url) {
        let mut reference = Map::from_iter([("url".to_owned(), json!(url))]);
        if let Some(commit) = &build.source.commit {
            reference.insert("comment".to_owned(), json!(format!("commit {}", plain(commit))));
        }
        reference.insert("type".to_owned(), json!("vcs"));
        inputs.push(json!({"resource": {"externalReference": reference}}));
    }
    if !build.invocation.environment.is_empty() {
        let variable = |(name, value): (&String, &String)| json!({"name": plain(name), "value": plain(value)});
        let variables: Vec<Value> = build.invocation.environment.iter().map(variable).collect();
        inputs.push(json!({"environmentVars": variables}));
    }
    if !inputs.is_empty() {
        put("inputs", Value::Array(inputs));
    }
    put("outputs", json!([{"resource": {"ref": root}, "type": "artifact"}]));
    json!([{"components": [compiler], "workflows": [workflow]}])
}
