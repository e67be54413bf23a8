use std::collections::BTreeSet;

use super::*;
use crate::config::{DocumentSettings, SbomFormat};
use crate::document::fixture;
use crate::model::Build;

fn settings() -> DocumentSettings {
    DocumentSettings {
        author: Some("Example KK (Tokyo)".to_owned()),
        supplier: Some("Example KK".to_owned()),
        ..DocumentSettings::default()
    }
}

fn document(format: SbomFormat, build: &Build, settings: &DocumentSettings) -> Document {
    Subject::new(format, build, &build.artifacts[0], settings).document().unwrap()
}

fn render(build: &Build) -> Value {
    serde_json::from_slice(&document(SbomFormat::SpdxJson, build, &settings()).bytes).unwrap()
}

fn package<'a>(document: &'a Value, name: &str) -> &'a Value {
    document["packages"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()
}

fn relates(document: &Value, from: &str, kind: &str, to: &str) -> bool {
    let reference = |name: &str| match name {
        NOASSERTION | DOCUMENT => name.to_owned(),
        _ => package(document, name)["SPDXID"].as_str().unwrap().to_owned(),
    };
    document["relationships"].as_array().unwrap().iter().any(|one| {
        one["spdxElementId"] == reference(from) && one["relationshipType"] == kind && one["relatedSpdxElement"] == reference(to)
    })
}

#[test]
fn header_has_none_of_the_librarys_defaults() {
    let document = render(&fixture::build());
    assert_eq!(document["spdxVersion"], "SPDX-2.3");
    assert_eq!(document["creationInfo"]["created"], "2026-11-23T16:33:14Z");
    let creators = document["creationInfo"]["creators"].as_array().unwrap();
    assert_eq!(creators[0], "Organization: Example KK [Tokyo]");
    assert_eq!(creators[1], format!("Tool: cargo-supplychain-{TOOL_VERSION}"));
    assert_eq!(creators.len(), 2);
    let namespace = document["documentNamespace"].as_str().unwrap();
    assert!(namespace.starts_with("https://github.com/cargo-supplychain/cargo-supplychain/spdx/"), "{namespace}");
    assert!(document.get("files").is_none() && document.get("snippets").is_none());
}

#[test]
fn a_blank_author_is_none() {
    let build = fixture::build();
    let blank = DocumentSettings { author: Some(" ".to_owned()), supplier: Some(String::new()), ..DocumentSettings::default() };
    let document = |settings: &DocumentSettings| document(SbomFormat::SpdxJson, &build, settings);
    assert_eq!(document(&blank), document(&DocumentSettings::default()));
    let value: Value = serde_json::from_slice(&document(&blank).bytes).unwrap();
    assert_eq!(value["creationInfo"]["creators"].as_array().unwrap().len(), 1);
    assert_eq!(package(&value, "demo")["supplier"], NOASSERTION);
}

#[test]
fn the_artifact_is_a_package_with_its_digest() {
    let build = fixture::build();
    let document = render(&build);
    let artifact = package(&document, "demo");
    assert_eq!(artifact["checksums"][0]["algorithm"], "SHA256");
    assert_eq!(artifact["checksums"][0]["checksumValue"], build.artifacts[0].file.as_ref().unwrap().sha256.to_string());
    assert_eq!(artifact["primaryPackagePurpose"], "APPLICATION");
    assert_eq!(artifact["supplier"], "Organization: Example KK");
    assert!(artifact["sourceInfo"].as_str().unwrap().contains("89abcdef"));
    assert!(relates(&document, DOCUMENT, "DESCRIBES", "demo"));
}

#[test]
fn packages_say_where_they_come_from() {
    let document = render(&fixture::build());
    for (name, location, licence) in [
        ("serde", "https://crates.io/api/v1/crates/serde/1.0.228/download", "MIT OR Apache-2.0"),
        ("libz-sys", "https://crates.io/api/v1/crates/libz-sys/1.1.23+1.3.1/download", "MIT OR Apache-2.0"),
        ("parser", "git+https://example.org/parser.git@0123456789abcdef0123456789abcdef01234567", "MIT OR Apache-2.0"),
        ("demo-core", "git+https://github.com/example/demo@89abcdef0123456789abcdef0123456789abcdef", "MIT OR Apache-2.0"),
        ("inner", NOASSERTION, "MIT OR Apache-2.0"),
        ("unicode-ident", "https://crates.io/api/v1/crates/unicode-ident/1.0.22/download", "(MIT OR Apache-2.0) AND Unicode-3.0"),
        ("odd", "https://crates.io/api/v1/crates/odd/0.3.0/download", "LicenseRef-Odd-1.0 OR MIT"),
        ("loose", "https://crates.io/api/v1/crates/loose/0.1.0/download", NOASSERTION),
        ("filed", "https://crates.io/api/v1/crates/filed/2.0.0/download", NOASSERTION),
    ] {
        let package = package(&document, name);
        assert_eq!(package["downloadLocation"], location, "{name}");
        assert_eq!(package["licenseDeclared"], licence, "{name}");
        assert_eq!(package["licenseConcluded"], NOASSERTION, "{name}");
    }
    assert_eq!(package(&document, "loose")["licenseComments"], "Declared, but no SPDX expression: as is");
    assert_eq!(document["hasExtractedLicensingInfos"][0]["licenseId"], "LicenseRef-Odd-1.0");
}

#[test]
fn relationships_tell_linked_from_build_only() {
    let document = render(&fixture::build());
    for (from, kind, to) in [
        ("demo", "DEPENDS_ON", "serde"),
        ("serde_derive", "BUILD_DEPENDENCY_OF", "serde"),
        ("serde_derive", "DEPENDS_ON", "unicode-ident"),
        ("cc", "BUILD_DEPENDENCY_OF", "libz-sys"),
        ("libz-sys", "STATIC_LINK", "zlib"),
        ("zlib", "DEPENDS_ON", NOASSERTION),
        ("demo", "DYNAMIC_LINK", "m"),
        ("demo", "DEPENDS_ON", "std"),
        ("rustc", "BUILD_TOOL_OF", "demo"),
    ] {
        assert!(relates(&document, from, kind, to), "{from} {kind} {to}");
    }
    assert!(!relates(&document, "serde", "DEPENDS_ON", "serde_derive"));
}

#[test]
fn spdx_rs_reads_what_we_write_and_every_reference_exists() {
    for build in [fixture::build(), fixture::planned(), fixture::hostile()] {
        let value = render(&build);
        let read: SPDX = serde_json::from_value(value.clone()).unwrap();
        let mut known: BTreeSet<&str> =
            read.package_information.iter().map(|package| package.package_spdx_identifier.as_str()).collect();
        assert_eq!(known.len(), read.package_information.len());
        for identifier in &known {
            assert!(identifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)), "{identifier}");
        }
        known.extend([DOCUMENT, NOASSERTION]);
        for relation in &read.relationships {
            assert!(known.contains(relation.spdx_element_id.as_str()), "{relation:?}");
            assert!(known.contains(relation.related_spdx_element.as_str()), "{relation:?}");
        }
    }
}

#[test]
fn same_content_same_bytes_whatever_the_order() {
    let build = fixture::build();
    let mut shuffled = build.clone();
    shuffled.artifacts[0].linked.reverse();
    shuffled.artifacts[0].host.reverse();
    shuffled.artifacts[0].native.reverse();
    shuffled.artifacts[0].dependencies.values_mut().for_each(|list| list.reverse());
    assert_eq!(render(&build).to_string(), render(&shuffled).to_string());
    assert_ne!(render(&build)["documentNamespace"], render(&fixture::planned())["documentNamespace"]);
}

#[test]
fn nothing_unknown_is_asserted_before_the_build() {
    let document = render(&fixture::planned());
    assert!(package(&document, "demo").get("checksums").is_none());
    let comment = document["comment"].as_str().unwrap();
    assert!(
        comment.starts_with("Generation context: pre-build.") && comment.contains("its build script was not run"),
        "{comment}"
    );
}

#[test]
fn tags_and_values_are_the_same_document() {
    for build in [fixture::build(), fixture::planned(), fixture::hostile()] {
        let text = String::from_utf8(document(SbomFormat::SpdxTagValue, &build, &settings()).bytes).unwrap();
        let read = spdx_rs::parsers::spdx_from_tag_value(&text).unwrap();
        let json: SPDX = serde_json::from_value(render(&build)).unwrap();
        let names = |spdx: &SPDX| -> BTreeSet<(String, Option<String>)> {
            let name =
                |one: &spdx_rs::models::PackageInformation| (one.package_spdx_identifier.clone(), one.package_version.clone());
            spdx.package_information.iter().map(name).collect()
        };
        assert_eq!(names(&read), names(&json));
        // The library gives them in an order of its own.
        let relations =
            |spdx: &SPDX| -> BTreeSet<String> { spdx.relationships.iter().map(|relation| format!("{relation:?}")).collect() };
        assert_eq!(relations(&read), relations(&json));
    }
}

#[test]
fn supplier_originator_and_support_end_are_stated() {
    let build = fixture::build();
    let settings = settings();
    let subject = Subject::new(SbomFormat::SpdxJson, &build, &build.artifacts[0], &settings);
    let support = crate::document::sbom::SupportEnd::Until("2029-12-31T00:00:00Z".parse().unwrap());
    let document = Subject { support, is_signed: true, ..subject }.document().unwrap();
    let document: Value = serde_json::from_slice(&document.bytes).unwrap();
    assert_eq!(package(&document, "demo")["validUntilDate"], "2029-12-31T00:00:00Z");
    for (name, supplier) in [
        ("demo", "Organization: Example KK"),
        ("serde", "Person: The serde developers (serde@example.org)"),
        ("odd", "Organization: odd project, https://github.com/example/odd"),
        ("zlib", NOASSERTION),
    ] {
        assert_eq!(package(&document, name)["supplier"], supplier);
        assert_eq!(package(&document, name)["originator"], supplier);
    }
    assert!(document["comment"].as_str().unwrap().contains("attestations/demo.spdx.sigstore.json"), "{}", document["comment"]);
    assert_eq!(package(&document, "serde")["licenseComments"], "Declared as: MIT/Apache-2.0");
}

#[test]
fn a_licence_that_is_a_text_has_the_text() {
    let build = fixture::build();
    let (settings, texts) = (settings(), fixture::texts());
    let subject = Subject::new(SbomFormat::SpdxJson, &build, &build.artifacts[0], &settings);
    let document = Subject { texts: Some(&texts), ..subject }.document().unwrap();
    let document: Value = serde_json::from_slice(&document.bytes).unwrap();
    assert_eq!(document["hasExtractedLicensingInfos"][0]["extractedText"], "Do what you want.");
    let unread = &render(&build)["hasExtractedLicensingInfos"][0]["extractedText"];
    assert_eq!(unread, "The text is in the packages that declare it: pkg:cargo/odd@0.3.0");
}
