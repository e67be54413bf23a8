use std::collections::{BTreeSet, HashSet};

use super::*;
use crate::config::{DocumentSettings, SbomFormat};
use crate::document::fixture;
use crate::document::sbom::SupportEnd;
use crate::model::Build;

fn settings() -> DocumentSettings {
    DocumentSettings {
        author: Some("Example KK".to_owned()),
        author_contact: Some("sbom@example.org".to_owned()),
        ..DocumentSettings::default()
    }
}

fn render(build: &Build) -> Value {
    let settings = settings();
    let subject = Subject::new(SbomFormat::Spdx3Json, build, &build.artifacts[0], &settings);
    let support = SupportEnd::Until("2029-12-31T00:00:00Z".parse().unwrap());
    let document = Subject { is_signed: true, support, ..subject }.document().unwrap();
    serde_json::from_slice(&document.bytes).unwrap()
}

fn elements(document: &Value) -> &[Value] {
    document["@graph"].as_array().unwrap()
}

fn find<'a>(document: &'a Value, kind: &str, name: &str) -> &'a Value {
    elements(document).iter().find(|one| one["type"] == kind && one["name"] == name).unwrap()
}

/// What the relationships of a kind lead to, by name.
fn related(document: &Value, from: &str, kind: &str, scope: Option<&str>) -> BTreeSet<String> {
    let from = &find(document, "software_Package", from)["spdxId"];
    let scope = scope.map_or(Value::Null, Value::from);
    let of = |one: &&Value| &one["from"] == from && one["relationshipType"] == kind && one["scope"] == scope;
    let name = |id: &Value| {
        let element = elements(document).iter().find(|one| one["spdxId"] == *id);
        element.map_or_else(|| id.as_str().unwrap().to_owned(), |one| one["name"].as_str().unwrap_or_default().to_owned())
    };
    elements(document).iter().filter(of).flat_map(|one| one["to"].as_array().unwrap()).map(name).collect()
}

#[test]
fn header_and_artifact() {
    let build = fixture::build();
    let document = render(&build);
    assert_eq!(document["@context"], CONTEXT);
    let creation = &elements(&document)[0];
    assert_eq!((&creation["specVersion"], &creation["created"]), (&"3.0.1".into(), &"2026-11-23T16:33:14Z".into()));
    let author = find(&document, "Organization", "Example KK");
    assert_eq!(creation["createdBy"][0], author["spdxId"]);
    assert_eq!(author["externalIdentifier"][0]["identifier"], "sbom@example.org");
    let artifact = find(&document, "software_Package", "demo");
    assert_eq!(artifact["verifiedUsing"][0]["hashValue"], build.artifacts[0].file.as_ref().unwrap().sha256.to_string());
    assert_eq!(artifact["validUntilTime"], "2029-12-31T00:00:00Z");
    let sbom = elements(&document).iter().find(|one| one["type"] == "software_Sbom").unwrap();
    assert_eq!((&sbom["software_sbomType"][0], &sbom["rootElement"][0]), (&"build".into(), &artifact["spdxId"]));
    let whole = find(&document, "SpdxDocument", "demo");
    assert_eq!(whole["rootElement"][0], sbom["spdxId"]);
    assert_eq!(whole["externalRef"][0]["locator"][0], "attestations/release.sigstore.json");
}

#[test]
fn relationships_tell_linked_from_build_only_and_how_complete_they_are() {
    let document = render(&fixture::build());
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(related(&document, "serde", "dependsOn", Some("build")), names(&["serde_derive"]));
    assert_eq!(related(&document, "serde", "dependsOn", None), names(&["NoneElement"]));
    assert_eq!(related(&document, "libz-sys", "dependsOn", None), names(&["zlib"]));
    assert_eq!(related(&document, "libz-sys", "hasStaticLink", None), names(&["zlib"]));
    assert_eq!(related(&document, "demo", "hasDynamicLink", None), names(&["m"]));
    assert_eq!(related(&document, "zlib", "dependsOn", None), names(&["NoAssertionElement"]));
    let identifiers = &find(&document, "software_Package", "zlib")["externalIdentifier"];
    assert_eq!(identifiers[1]["identifier"], "cpe:2.3:a:zlib:zlib:1.3.1:*:*:*:*:*:*:*");
    assert!(related(&document, "demo", "dependsOn", None).is_superset(&names(&["std", "serde", "m"])));
    assert_eq!(related(&document, "loose", "hasDeclaredLicense", None), names(&["expandedlicensing_NoAssertionLicense"]));
    let completeness = |document: &Value, kind: &str| -> BTreeSet<String> {
        let of = |one: &&Value| one["relationshipType"] == kind;
        elements(document).iter().filter(of).map(|one| one["completeness"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(completeness(&document, "dependsOn"), names(&["complete", "noAssertion"]));
    let planned = render(&fixture::planned());
    assert_eq!(completeness(&planned, "dependsOn"), names(&["noAssertion"]));
    assert!(elements(&planned).iter().all(|one| one["type"] != "build_Build"));
}

#[test]
fn every_identifier_is_unique_listed_and_led_to() {
    for build in [fixture::build(), fixture::planned(), fixture::hostile()] {
        let document = render(&build);
        let ids: Vec<&str> = elements(&document)[1..].iter().map(|one| one["spdxId"].as_str().unwrap()).collect();
        let known: HashSet<&str> = ids.iter().copied().collect();
        assert_eq!(known.len(), ids.len());
        assert!(ids.iter().all(|id| id.bytes().all(|byte| byte.is_ascii_graphic())), "{ids:?}");
        let individuals = ["NoneElement", "NoAssertionElement", "expandedlicensing_NoAssertionLicense"];
        for relation in elements(&document).iter().filter(|one| one.get("relationshipType").is_some()) {
            let to = relation["to"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
            for id in to.chain([relation["from"].as_str().unwrap()]) {
                assert!(known.contains(id) || individuals.contains(&id), "{id}");
            }
        }
        let whole = elements(&document).iter().find(|one| one["type"] == "SpdxDocument").unwrap();
        assert_eq!(whole["element"].as_array().unwrap().len(), ids.len() - 1);
    }
}

#[test]
fn a_reference_in_a_licence_has_a_text() {
    let document = render(&fixture::build());
    let expression = "LicenseRef-Odd-1.0 OR MIT";
    let of = |one: &&Value| one["simplelicensing_licenseExpression"] == expression;
    let licence = elements(&document).iter().find(of).unwrap();
    let text = find(&document, "simplelicensing_SimpleLicensingText", "LicenseRef-Odd-1.0");
    assert_eq!(licence["simplelicensing_customIdToUri"][0]["value"], text["spdxId"]);
}
