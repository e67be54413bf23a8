use serde_json::Value;

use super::*;
use crate::document::fixture;
use crate::model::{ArtifactKind, Role};

fn render(build: &Build) -> Value {
    let settings = DocumentSettings { author: Some("Example KK".to_owned()), supplier: None };
    serde_json::from_slice(&document(build, &build.artifacts[0], &settings).unwrap().bytes).unwrap()
}

fn names(document: &Value) -> Vec<&str> {
    document["components"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

fn find<'a>(document: &'a Value, name: &str) -> &'a Value {
    document["components"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()
}

fn property<'a>(component: &'a Value, name: &str) -> Option<&'a str> {
    let list = component["properties"].as_array()?;
    list.iter().find(|one| one["name"] == format!("cargo-supplychain:{name}"))?["value"].as_str()
}

#[test]
fn header_and_artifact() {
    let build = fixture::build();
    let document = render(&build);
    assert_eq!(document["specVersion"], "1.7");
    assert_eq!(document["metadata"]["timestamp"], "2026-11-23T16:33:14Z");
    assert_eq!(document["metadata"]["lifecycles"][0]["phase"], "build");
    assert_eq!(document["metadata"]["authors"][0]["name"], "Example KK");
    assert_eq!(document["metadata"]["tools"]["components"][0]["name"], "cargo-supplychain");
    let artifact = &document["metadata"]["component"];
    assert_eq!((&artifact["name"], &artifact["type"]), (&"demo".into(), &"application".into()));
    assert_eq!(artifact["purl"], "pkg:cargo/demo@1.2.0");
    assert_eq!(artifact["hashes"][0]["content"], build.artifacts[0].file.as_ref().unwrap().sha256.to_string());
    assert_eq!(artifact["supplier"]["name"], "unknown");
}

#[test]
fn what_is_listed_is_what_was_compiled() {
    let document = render(&fixture::build());
    let names = names(&document);
    assert!(!names.contains(&"winapi") && !names.contains(&"demo"), "{names:?}");
    assert_eq!(names.len(), 14, "{names:?}");
    for (name, scope, role) in [
        ("itoa", "required", "runtime"),
        ("serde", "required", "runtime"),
        ("cc", "excluded", "build"),
        ("serde_derive", "excluded", "proc-macro"),
    ] {
        let component = find(&document, name);
        assert_eq!(component["scope"], scope, "{name}");
        assert_eq!(property(component, "role"), Some(role), "{name}");
    }
    assert_eq!(property(find(&document, "itoa"), "also-role"), Some("build"));
    assert_eq!(property(&document["metadata"], "resolved-only"), Some("1"));
}

#[test]
fn licences_are_declared_and_unknown_is_said() {
    let document = render(&fixture::build());
    let licence = |name: &str| find(&document, name)["licenses"][0].clone();
    assert_eq!(licence("serde")["expression"], "MIT OR Apache-2.0");
    assert_eq!(licence("serde")["acknowledgement"], "declared");
    assert_eq!(licence("loose")["license"]["name"], "as is");
    assert_eq!(licence("loose")["license"]["acknowledgement"], "declared");
    assert_eq!(licence("filed")["license"]["name"], "see the file COPYING of the package");
    assert!(licence("silent").is_null());
    assert_eq!(property(find(&document, "serde"), "producer"), Some("declared-authors"));
    assert_eq!(find(&document, "serde")["authors"][0]["email"], "serde@example.org");
    assert_eq!(find(&document, "odd")["supplier"]["name"], "unknown");
    assert_eq!(property(find(&document, "parser"), "hash"), Some("unknown: not a registry package"));
}

#[test]
fn native_libraries_are_nested_and_their_content_is_unknown() {
    let document = render(&fixture::build());
    let native = &find(&document, "libz-sys")["components"][0];
    assert_eq!((&native["name"], property(native, "linkage")), (&"zlib".into(), Some("static")));
    assert_eq!((&native["version"], &native["purl"]), (&"1.3.1".into(), &"pkg:generic/zlib@1.3.1".into()));
    assert_eq!(native["cpe"], "cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:*");
    assert_eq!((property(native, "supply"), property(native, "link-names")), (Some("bundled"), Some("z")));
    let evidence = property(native, "version:evidence").unwrap();
    assert!(evidence.starts_with("file src/zlib/zlib.h of pkg:cargo/libz-sys@"), "{evidence}");
    let system = &document["metadata"]["component"]["components"][0];
    assert_eq!((&system["name"], property(system, "import")), (&"m".into(), Some("needed: libm.so.6")));
    assert!(system["version"].is_null() && property(system, "version").unwrap().starts_with("unknown: "));
    let compositions = document["compositions"].as_array().unwrap();
    assert_eq!((&compositions[0]["aggregate"], &compositions[1]["aggregate"]), (&"complete".into(), &"unknown".into()));
    assert!(compositions[1]["assemblies"].as_array().unwrap().contains(&native["bom-ref"]));
}

#[test]
fn edges_start_at_the_artifact() {
    let document = render(&fixture::build());
    let edges = document["dependencies"].as_array().unwrap();
    let of = |reference: &str| edges.iter().find(|edge| edge["ref"] == reference).unwrap();
    let root = of("pkg:cargo/demo@1.2.0")["dependsOn"].as_array().unwrap();
    assert!(root.contains(&"pkg:cargo/demo-core@1.2.0".into()) && root.contains(&STANDARD_LIBRARY.into()), "{root:?}");
    assert_eq!(of("pkg:cargo/libz-sys@1.1.23%2B1.3.1")["dependsOn"][0], "pkg:cargo/cc@1.2.40");
    assert!(of("pkg:cargo/cc@1.2.40")["dependsOn"].is_null());
}

#[test]
fn a_plan_is_not_called_a_build() {
    let document = render(&fixture::planned());
    assert_eq!(document["metadata"]["lifecycles"][0]["phase"], "pre-build");
    assert_eq!(property(&document["metadata"]["component"], "hash"), Some("unknown: not built"));
    assert_eq!(document["compositions"][0]["aggregate"], "unknown");
    assert_eq!(property(&document["metadata"], "gap"), Some("libz-sys: its build script was not run"));
}

#[test]
fn a_derived_artifact_depends_on_what_nothing_else_does() {
    let mut build = fixture::build();
    build.artifacts[0].kind = ArtifactKind::Derived;
    build.artifacts[0].name = "demo.tar.gz".to_owned();
    build.artifacts[0].package = String::new();
    let document = render(&build);
    let root = &document["metadata"]["component"];
    assert_eq!((&root["bom-ref"], &root["type"]), (&"artifact:demo.tar.gz".into(), &"file".into()));
    let edges = document["dependencies"].as_array().unwrap();
    let edge = edges.iter().find(|edge| edge["ref"] == "artifact:demo.tar.gz").unwrap();
    assert_eq!(edge["dependsOn"], serde_json::json!(["pkg:cargo/demo@1.2.0"]));
    assert!(!names(&document).contains(&"std"));
}

#[test]
fn same_content_same_bytes_whatever_the_order() {
    let build = fixture::build();
    let mut shuffled = build.clone();
    shuffled.artifacts[0].linked.reverse();
    shuffled.artifacts[0].host.reverse();
    shuffled.artifacts[0].native.reverse();
    shuffled.artifacts[0].dependencies.values_mut().for_each(|list| list.reverse());
    let settings = DocumentSettings::default();
    let first = document(&build, &build.artifacts[0], &settings).unwrap();
    assert_eq!(first, document(&shuffled, &shuffled.artifacts[0], &settings).unwrap());
    let mut other = build;
    other.artifacts[0].linked.retain(|part| !part.purl.contains("itoa"));
    other.artifacts[0].host.retain(|part| part.role != Role::Build);
    let serial = |document: &Document| serde_json::from_slice::<Value>(&document.bytes).unwrap()["serialNumber"].clone();
    assert_ne!(serial(&first), serial(&document(&other, &other.artifacts[0], &settings).unwrap()));
}

#[test]
fn hostile_names_are_text_and_nothing_else() {
    let build = fixture::hostile();
    let document = document(
        &build,
        &build.artifacts[0],
        &DocumentSettings { author: Some(fixture::HOSTILE.to_owned()), supplier: Some(fixture::HOSTILE.to_owned()) },
    );
    let document = document.unwrap();
    assert!(document.path.starts_with("sbom/") && !document.path[5..].contains('/'), "{}", document.path);
    let parsed: Value = serde_json::from_slice(&document.bytes).unwrap();
    assert_eq!(parsed["components"].as_array().unwrap().len(), 15);
    let vcs = &parsed["metadata"]["component"]["externalReferences"];
    assert!(vcs.is_null(), "{vcs}");
}

#[test]
fn a_component_that_the_model_does_not_describe_is_an_error() {
    let mut build = fixture::build();
    build.components.remove("pkg:cargo/itoa@1.0.15");
    let error = document(&build, &build.artifacts[0], &DocumentSettings::default()).unwrap_err();
    assert!(error.to_string().contains("pkg:cargo/itoa@1.0.15"), "{error}");
}
