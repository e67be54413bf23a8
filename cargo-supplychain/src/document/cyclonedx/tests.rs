use serde_json::Value;

use super::*;
use crate::config::{DocumentSettings, SbomFormat};
use crate::document::fixture;
use crate::model::{ArtifactKind, Build, Role};

const VERSIONS: [CycloneDxVersion; 4] =
    [CycloneDxVersion::V1_4, CycloneDxVersion::V1_5, CycloneDxVersion::V1_6, CycloneDxVersion::V1_7];

fn document(build: &Build, settings: &DocumentSettings) -> Result<Document, Error> {
    Subject::new(SbomFormat::CycloneDxJson(CycloneDxVersion::V1_7), build, &build.artifacts[0], settings).document()
}

fn settings() -> DocumentSettings {
    DocumentSettings { author: Some("Example KK".to_owned()), ..DocumentSettings::default() }
}

fn render(build: &Build) -> Value {
    as_json(build, CycloneDxVersion::V1_7)
}

fn as_json(build: &Build, version: CycloneDxVersion) -> Value {
    let settings = settings();
    let document = Subject::new(SbomFormat::CycloneDxJson(version), build, &build.artifacts[0], &settings).document();
    serde_json::from_slice(&document.unwrap().bytes).unwrap()
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
    assert_eq!(artifact["hashes"][1]["content"], build.artifacts[0].file.as_ref().unwrap().sha512.to_string());
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
    assert_eq!(property(find(&document, "odd"), "producer"), Some("declared-repository"));
    assert_eq!(find(&document, "odd")["manufacturer"]["url"][0], "https://github.com/example/odd");
    assert_eq!(find(&document, "demo-core")["supplier"]["name"], "unknown");
    assert_eq!(property(find(&document, "serde"), "licence:as-written"), Some("MIT/Apache-2.0"));
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
    let identity = &native["evidence"]["identity"][0];
    assert_eq!((&identity["field"], &identity["concludedValue"]), (&"version".into(), &"1.3.1".into()));
    assert_eq!(native["evidence"]["occurrences"][0]["location"], "src/zlib/zlib.h");
    assert!(native["isExternal"].is_null());
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
    let of_binding = of("pkg:cargo/libz-sys@1.1.23%2B1.3.1")["dependsOn"].as_array().unwrap();
    assert!(of_binding.contains(&"pkg:cargo/cc@1.2.40".into()), "{of_binding:?}");
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
    let first = document(&build, &settings).unwrap();
    assert_eq!(first, document(&shuffled, &settings).unwrap());
    let mut other = build;
    other.artifacts[0].linked.retain(|part| !part.purl.contains("itoa"));
    other.artifacts[0].host.retain(|part| part.role != Role::Build);
    let serial = |document: &Document| serde_json::from_slice::<Value>(&document.bytes).unwrap()["serialNumber"].clone();
    assert_ne!(serial(&first), serial(&document(&other, &settings).unwrap()));
}

#[test]
fn hostile_names_are_text_and_nothing_else() {
    let build = fixture::hostile();
    let document = document(
        &build,
        &DocumentSettings {
            author: Some(fixture::HOSTILE.to_owned()),
            supplier: Some(fixture::HOSTILE.to_owned()),
            ..DocumentSettings::default()
        },
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
    let error = document(&build, &DocumentSettings::default()).unwrap_err();
    assert!(error.to_string().contains("pkg:cargo/itoa@1.0.15"), "{error}");
}

#[test]
fn earlier_versions_say_it_in_the_words_that_they_have() {
    let build = fixture::build();
    for (version, author, lifecycle, formulation) in [
        (CycloneDxVersion::V1_4, "author", Value::Null, false),
        (CycloneDxVersion::V1_5, "author", "build".into(), true),
        (CycloneDxVersion::V1_6, "authors", "build".into(), true),
        (CycloneDxVersion::V1_7, "authors", "build".into(), true),
    ] {
        let document = as_json(&build, version);
        assert_eq!(document["specVersion"], version.as_str());
        assert!(find(&document, "serde").get(author).is_some(), "{version:?}");
        assert_eq!(document["metadata"]["lifecycles"][0]["phase"], lifecycle, "{version:?}");
        assert_eq!(document.get("formulation").is_some(), formulation, "{version:?}");
        assert_eq!(names(&document).len(), 14);
        let external = &document["metadata"]["component"]["components"][0]["isExternal"];
        assert_eq!(external == &Value::Bool(true), version == CycloneDxVersion::V1_7, "{version:?}");
    }
    let oldest = as_json(&build, CycloneDxVersion::V1_4);
    assert_eq!(property(&oldest["metadata"], "lifecycle"), Some("build"));
    assert_eq!(oldest["metadata"]["tools"][0]["name"], "cargo-supplychain");
    assert!(find(&oldest, "serde")["licenses"][0].get("acknowledgement").is_none());
    let serials: BTreeSet<String> =
        VERSIONS.iter().map(|&version| as_json(&build, version)["serialNumber"].to_string()).collect();
    assert_eq!(serials.len(), VERSIONS.len());
}

#[test]
fn the_library_reads_what_it_knows_and_finds_the_same() {
    for build in [fixture::build(), fixture::planned(), fixture::hostile()] {
        for (version, theirs) in [(CycloneDxVersion::V1_4, SpecVersion::V1_4), (CycloneDxVersion::V1_5, SpecVersion::V1_5)] {
            let settings = settings();
            let written = |format| Subject::new(format, &build, &build.artifacts[0], &settings).document().unwrap().bytes;
            let json = written(SbomFormat::CycloneDxJson(version));
            let json = Bom::parse_from_json_with_version(json.as_slice(), theirs).unwrap();
            let xml = written(SbomFormat::CycloneDxXml(version));
            let xml = Bom::parse_from_xml_with_version(xml.as_slice(), theirs).unwrap();
            assert!(!xml.validate_version(theirs).has_errors(), "{:?}", xml.validate_version(theirs));
            let count = |bom: &Bom| bom.components.as_ref().map(|list| list.0.len());
            assert_eq!(count(&json), count(&xml));
            assert_eq!(json.dependencies, xml.dependencies);
        }
    }
}

#[test]
fn xml_has_the_fields_of_the_json_form() {
    let build = fixture::build();
    let settings = settings();
    let format = SbomFormat::CycloneDxXml(CycloneDxVersion::V1_6);
    let document = Subject::new(format, &build, &build.artifacts[0], &settings).document().unwrap();
    assert_eq!((document.path.as_str(), document.media_type), ("sbom/demo.cdx.xml", "application/vnd.cyclonedx+xml"));
    let text = String::from_utf8(document.bytes).unwrap();
    for expected in [
        "<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\" serialNumber=\"urn:uuid:",
        "<component type=\"library\" bom-ref=\"pkg:cargo/serde@1.0.228\">",
        "<expression acknowledgement=\"declared\">MIT OR Apache-2.0</expression>",
        "<property name=\"cargo-supplychain:role\">proc-macro</property>",
        "<dependency ref=\"pkg:cargo/libz-sys@1.1.23%2B1.3.1\">",
        "<hash alg=\"SHA-256\">",
        "<executed>cargo build --bins --features tls</executed>",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn a_limit_of_depth_says_what_it_leaves_out() {
    let build = fixture::build();
    let settings = settings();
    let subject = Subject::new(SbomFormat::CycloneDxJson(CycloneDxVersion::V1_7), &build, &build.artifacts[0], &settings);
    let document = Subject { depth: Some(1), ..subject }.document().unwrap();
    let document: Value = serde_json::from_slice(&document.bytes).unwrap();
    assert!(!names(&document).contains(&"unicode-ident") && names(&document).contains(&"serde"));
    assert_eq!(property(&document["metadata"], "depth"), Some("1: 4 components further away than that are not listed"));
    let shortened = document["compositions"].as_array().unwrap().iter().find(|one| one["aggregate"] == "incomplete").unwrap();
    assert!(shortened["dependencies"].as_array().unwrap().contains(&"pkg:cargo/serde@1.0.228".into()), "{shortened}");
    assert!(!shortened["dependencies"].as_array().unwrap().contains(&"pkg:cargo/odd@0.3.0".into()), "{shortened}");
}

#[test]
fn a_signed_document_names_its_signature_and_an_unsigned_one_says_that_there_is_none() {
    let build = fixture::build();
    let settings = settings();
    for (version, place) in [
        (CycloneDxVersion::V1_7, "attestations/demo.cyclonedx.sigstore.json"),
        (CycloneDxVersion::V1_6, "attestations/release.sigstore.json"),
    ] {
        let subject = Subject::new(SbomFormat::CycloneDxJson(version), &build, &build.artifacts[0], &settings);
        let read = |subject: Subject<'_>| serde_json::from_slice::<Value>(&subject.document().unwrap().bytes).unwrap();
        let signed = read(Subject { is_signed: true, ..subject });
        assert_eq!(signed["externalReferences"][0]["url"], place);
        assert_eq!(property(&signed["metadata"], "author-signature"), None);
        assert_eq!(property(&read(subject)["metadata"], "author-signature"), Some("none"));
    }
}

#[test]
fn a_licence_that_is_a_text_has_the_text() {
    let build = fixture::build();
    let (settings, texts) = (settings(), fixture::texts());
    let read = |version| {
        let subject = Subject::new(SbomFormat::CycloneDxJson(version), &build, &build.artifacts[0], &settings);
        let document = Subject { texts: Some(&texts), ..subject }.document().unwrap();
        serde_json::from_slice::<Value>(&document.bytes).unwrap()
    };
    let newest = read(CycloneDxVersion::V1_7);
    let detail = &find(&newest, "odd")["licenses"][0]["expressionDetails"][0];
    assert_eq!(
        (&detail["licenseIdentifier"], &detail["text"]["content"]),
        (&"LicenseRef-Odd-1.0".into(), &"Do what you want.".into())
    );
    for version in VERSIONS {
        let document = read(version);
        let text = find(&document, "filed")["licenses"][0]["license"]["text"]["content"].as_str().unwrap().to_owned();
        assert!(text.starts_with("As is."), "{text}");
    }
}
