use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Statements, one a line.
fn shown(document: &Value) -> Vec<String> {
    let document = read(document.to_string().as_bytes()).unwrap();
    let one = |said: &Statement| {
        let product = said.product.as_ref().map(|one| format!(" in {}", one.name)).unwrap_or_default();
        let words: Vec<_> = [&said.justification, &said.reason, &said.action].into_iter().flatten().cloned().collect();
        let date = said.date.map(Timestamp::date).unwrap_or_default();
        format!("{} {} {:?}{product} {date} [{}]", said.ids.join(","), said.status, said.component, words.join("; "))
            .replace("Pattern { is_crate: true, name: ", "crate ")
            .replace("Pattern { is_crate: false, name: ", "library ")
            .replace(", version: None }", "")
            .replace(", version: Some(", " ")
            .replace(") }", "")
    };
    let mut lines = vec![format!("{} by {}, {} left out", document.format, document.author, document.left_out)];
    lines.extend(document.statements.iter().map(one));
    lines
}

fn error(document: &Value) -> String {
    read(document.to_string().as_bytes()).unwrap_err().to_string()
}

fn openvex() -> Value {
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex-1",
        "author": "Crate maintainers",
        "timestamp": "2026-08-01T10:00:00+02:00",
        "version": 1,
        "statements": [
            {
                "vulnerability": { "name": "CVE-2026-1", "aliases": ["GHSA-1"] },
                "products": [
                    { "@id": "pkg:cargo/lib@1.0.0" },
                    { "@id": "pkg:oci/app@sha256%3Aabc", "subcomponents": [{ "@id": "x", "identifiers": { "purl": "pkg:cargo/lib" } }, { "@id": "pkg:apk/wolfi/bash@1" }] },
                ],
                "status": "not_affected",
                "justification": "vulnerable_code_not_present",
            },
            { "vulnerability": { "name": "CVE-2026-2" }, "products": [{ "@id": "pkg:apk/wolfi/bash@1.0.0" }], "status": "under_investigation" },
            {
                "timestamp": "2026-09-01T00:00:00Z",
                "vulnerability": { "name": "CVE-2026-3" },
                "products": [{ "identifiers": { "purl": "pkg:generic/openssl@3.3.0" } }],
                "status": "affected",
                "action_statement": "update",
                "status_notes": "seen",
            },
        ],
    })
}

#[test]
fn openvex_of_both_forms() {
    insta::assert_debug_snapshot!(shown(&openvex()), @r#"
    [
        "OpenVEX 0.2.0 by Crate maintainers, 1 left out",
        "CVE-2026-1,GHSA-1 not_affected crate \"lib\" \"1.0.0\" 2026-08-01 [vulnerable_code_not_present]",
        "CVE-2026-1,GHSA-1 not_affected crate \"lib\" in pkg:oci/app@sha256%3Aabc 2026-08-01 [vulnerable_code_not_present]",
        "CVE-2026-3 affected library \"openssl\" \"3.3.0\" 2026-09-01 [seen; update]",
    ]
    "#);
    let old = json!({
        "@context": "https://openvex.dev/ns", "@id": "my-vexdoc", "format": "text/vex+json", "author": "John Doe", "role": "vex issuer",
        "statements": [{
            "timestamp": "2022-12-22T16:36:43-05:00", "products": ["pkg:cargo/lib@1.0.0"], "vulnerability": "CVE-1234-5678",
            "status": "under_investigation", "status_notes": "",
        }],
    });
    insta::assert_debug_snapshot!(shown(&old), @r#"
    [
        "OpenVEX 0.0.1 by John Doe, 0 left out",
        "CVE-1234-5678 under_investigation crate \"lib\" \"1.0.0\" 2022-12-22 []",
    ]
    "#);
}

fn cyclonedx() -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {
            "timestamp": "2026-08-01T00:00:00Z",
            "supplier": { "name": "Vendor" },
            "component": { "type": "application", "bom-ref": "app", "name": "app", "version": "1.0.0", "purl": "pkg:cargo/app@1.0.0" },
        },
        "components": [{ "type": "library", "bom-ref": "c1", "name": "lib", "purl": "pkg:cargo/lib@1.0.0", "components": [
            { "type": "library", "bom-ref": "c2", "name": "zlib", "purl": "pkg:generic/zlib@1.3.1" },
        ] }],
        "vulnerabilities": [
            {
                "id": "CVE-2026-1", "references": [{ "id": "GHSA-1", "source": {} }],
                "analysis": { "state": "not_affected", "justification": "code_not_reachable", "detail": "d", "response": ["will_not_fix"] },
                "affects": [{ "ref": "c1" }, { "ref": "c2" }, { "ref": "nowhere" }],
            },
            { "id": "CVE-2026-2", "analysis": { "state": "exploitable" }, "recommendation": "update", "affects": [{ "ref": "app" }] },
            { "id": "CVE-2026-3", "affects": [{ "ref": "c1" }] },
            {
                "id": "CVE-2026-4", "analysis": { "state": "false_positive", "lastUpdated": "2026-09-01T00:00:00Z" },
                "affects": [{ "ref": "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Acargo%2Flib%401.0.0" }, { "ref": "c1", "versions": [{ "version": "1" }] }],
            },
        ],
    })
}

#[test]
fn cyclonedx_analyses() {
    insta::assert_debug_snapshot!(shown(&cyclonedx()), @r#"
    [
        "CycloneDX 1.5 by Vendor, 2 left out",
        "CVE-2026-1,GHSA-1 not_affected crate \"lib\" \"1.0.0\" in app 1.0.0 2026-08-01 [code_not_reachable; d]",
        "CVE-2026-1,GHSA-1 not_affected library \"zlib\" \"1.3.1\" in app 1.0.0 2026-08-01 [code_not_reachable; d]",
        "CVE-2026-2 affected crate \"app\" \"1.0.0\" 2026-08-01 [update]",
        "CVE-2026-4 not_affected crate \"lib\" \"1.0.0\" in app 1.0.0 2026-09-01 []",
    ]
    "#);
}

/// The shape of large vendors: packages below architectures, streams by CPE, relations of relations, flags by product, groups.
fn csaf() -> Value {
    let product = |id: &str, helper: Value| json!({ "name": id, "product_id": id, "product_identification_helper": helper });
    json!({
        "document": {
            "category": "csaf_vex", "csaf_version": "2.0", "title": "t", "lang": "en",
            "distribution": { "tlp": { "label": "WHITE" } },
            "publisher": { "category": "vendor", "name": "Vendor Product Security", "namespace": "https://example.org" },
            "tracking": {
                "current_release_date": "2026-08-01T10:00:00+00:00", "initial_release_date": "2026-08-01T10:00:00+00:00",
                "id": "CVE-2026-1", "status": "final", "version": "1", "revision_history": [],
            },
        },
        "product_tree": {
            "branches": [{ "category": "vendor", "name": "Vendor", "branches": [
                { "category": "product_name", "name": "Linux 9", "product": product("linux-9", json!({ "cpe": "cpe:/o:vendor:linux:9" })) },
                { "category": "product_name", "name": "app", "product": product("app", json!({ "purl": "pkg:cargo/app@1.0.0" })) },
                { "category": "architecture", "name": "src", "branches": [
                    { "category": "product_version", "name": "openssl", "product": product("openssl", json!({ "purl": "pkg:rpm/vendor/openssl@3" })) },
                    { "category": "product_version", "name": "lib", "product": product("lib", json!({ "purl": "pkg:cargo/lib@1.0.0" })) },
                    { "category": "product_version_range", "name": "vers:cargo/<2", "product": product("lib-2", json!({ "purl": "pkg:cargo/lib" })) },
                ] },
            ] }],
            "relationships": [
                { "category": "default_component_of", "product_reference": "openssl", "relates_to_product_reference": "linux-9", "full_product_name": { "name": "openssl in linux-9", "product_id": "linux-9:openssl" } },
                { "category": "default_component_of", "product_reference": "lib", "relates_to_product_reference": "app", "full_product_name": { "name": "lib in app", "product_id": "app:lib" } },
                { "category": "installed_on", "product_reference": "app:lib", "relates_to_product_reference": "linux-9", "full_product_name": { "name": "lib in app on linux-9", "product_id": "linux-9:app:lib" } },
            ],
            "product_groups": [{ "group_id": "G1", "product_ids": ["app:lib", "linux-9:openssl"] }],
        },
        "vulnerabilities": [{
            "cve": "CVE-2026-1", "ids": [{ "system_name": "RustSec", "text": "RUSTSEC-2026-1" }],
            "product_status": {
                "known_not_affected": ["app:lib", "linux-9:openssl", "lib-2"], "known_affected": ["linux-9:app:lib"], "fixed": ["lib"],
                "recommended": ["app"],
            },
            "flags": [{ "label": "vulnerable_code_not_present", "group_ids": ["G1"] }],
            "threats": [{ "category": "impact", "details": "Moderate", "product_ids": ["app:lib"] }, { "category": "exploit_status", "details": "none", "product_ids": ["app:lib"] }],
            "remediations": [{ "category": "no_fix_planned", "details": "Will not fix", "product_ids": ["linux-9:app:lib"] }],
        }],
    })
}

#[test]
fn csaf_of_vendors() {
    insta::assert_debug_snapshot!(shown(&csaf()), @r#"
    [
        "CSAF 2.0 by Vendor Product Security, 2 left out",
        "CVE-2026-1,RUSTSEC-2026-1 not_affected crate \"lib\" \"1.0.0\" in app 2026-08-01 [vulnerable_code_not_present; Moderate]",
        "CVE-2026-1,RUSTSEC-2026-1 affected crate \"lib\" \"1.0.0\" in linux-9 2026-08-01 [Will not fix]",
        "CVE-2026-1,RUSTSEC-2026-1 fixed crate \"lib\" \"1.0.0\" 2026-08-01 []",
    ]
    "#);
    // CSAF 2.1 has lists of package URLs, and paths in the place of relations.
    let mut newer = csaf();
    newer["document"]["csaf_version"] = json!("2.1");
    newer["product_tree"] = json!({
        "full_product_names": [
            { "name": "lib", "product_id": "lib", "product_identification_helper": { "purls": ["pkg:cargo/lib@1.0.0"] } },
            { "name": "app", "product_id": "app", "product_identification_helper": { "purls": ["pkg:cargo/app@1.0.0"] } },
        ],
        "product_paths": [{
            "beginning_product_reference": "lib",
            "full_product_name": { "name": "lib in app", "product_id": "app:lib" },
            "subpaths": [{ "category": "default_component_of", "next_product_reference": "app" }],
        }],
    });
    insta::assert_debug_snapshot!(shown(&newer), @r#"
    [
        "CSAF 2.1 by Vendor Product Security, 3 left out",
        "CVE-2026-1,RUSTSEC-2026-1 not_affected crate \"lib\" \"1.0.0\" in app 2026-08-01 [Moderate]",
        "CVE-2026-1,RUSTSEC-2026-1 fixed crate \"lib\" \"1.0.0\" 2026-08-01 []",
    ]
    "#);
}

/// A change of a document, and what is said of it.
type Wrong = (Value, &'static [&'static str], Value, &'static str);

#[test]
fn what_is_not_understood_is_named_with_its_place() {
    let wrong: Vec<Wrong> = vec![
        (
            openvex(),
            &["@context"],
            json!("https://openvex.dev/ns/v9"),
            "@context: `https://openvex.dev/ns/v9` is no version of OpenVEX that is known: 0.2.0, and the form before it",
        ),
        (
            openvex(),
            &["statements", "1", "status"],
            json!("safe"),
            "statements[1].status: unknown status `safe`: use one of not_affected, affected, fixed, under_investigation",
        ),
        (
            openvex(),
            &["statements", "0", "justification"],
            json!("trust me"),
            "statements[0].justification: unknown justification `trust me`: use one of component_not_present, vulnerable_code_not_present, vulnerable_code_not_in_execute_path, vulnerable_code_cannot_be_controlled_by_adversary, inline_mitigations_already_exist",
        ),
        (
            openvex(),
            &["statements", "0", "products", "1", "subcomponents"],
            json!({}),
            "statements[0].products[1].subcomponents: it is no list",
        ),
        (openvex(), &["statements", "1", "vulnerability"], json!(1), "statements[1].vulnerability: it is no object"),
        (
            openvex(),
            &["statements", "2", "timestamp"],
            json!("now"),
            "statements[2].timestamp: expected an RFC 3339 time such as 2026-11-23T16:00:00Z, or a date such as 2026-11-23",
        ),
        (openvex(), &["statements"], json!(null), "statements: it is no list"),
        (
            cyclonedx(),
            &["specVersion"],
            json!("1.3"),
            "specVersion: `1.3` is no version with analyses that is known: 1.4, 1.5, 1.6, 1.7",
        ),
        (
            cyclonedx(),
            &["vulnerabilities", "0", "analysis", "state"],
            json!("fine"),
            "vulnerabilities[0].analysis.state: unknown state `fine`",
        ),
        (
            cyclonedx(),
            &["components", "0", "components", "0", "bom-ref"],
            json!("c1"),
            "components.components: the reference `c1` is given twice",
        ),
        (
            csaf(),
            &["document", "category"],
            json!("csaf_base"),
            "document.category: `csaf_base` states nothing of the kind: csaf_vex and csaf_security_advisory do",
        ),
        (
            csaf(),
            &["document", "csaf_version"],
            json!("1.2"),
            "document.csaf_version: `1.2` is no version that is known: 2.0, 2.1",
        ),
        (
            csaf(),
            &["document", "tracking", "status"],
            json!("draft"),
            "document.tracking.status: it is a draft, which states nothing yet",
        ),
        (
            csaf(),
            &["vulnerabilities", "0", "product_status", "fixed"],
            json!("lib"),
            "vulnerabilities[0].product_status.fixed: it is no list",
        ),
        (
            csaf(),
            &["product_tree", "relationships", "0", "full_product_name", "product_id"],
            json!("lib"),
            "product_tree: the product id `lib` is given twice",
        ),
        (json!({ "payloadType": "x" }), &["payload"], json!(""), "it is an attestation: name the document that it is about"),
        (
            json!({ "a": 1 }),
            &["a"],
            json!(1),
            "it is JSON, but neither OpenVEX (`@context`), CycloneDX (`bomFormat`) nor CSAF (`document`)",
        ),
    ];
    for (mut document, path, value, says) in wrong {
        let mut at = &mut document;
        for step in path {
            at = match step.parse::<usize>() {
                Ok(index) => &mut at[index],
                Err(_) => &mut at[*step],
            };
        }
        *at = value;
        assert_eq!(error(&document), says);
    }
    assert!(read(b"{").unwrap_err().to_string().starts_with("it is no JSON: "));
    assert!(
        read(br#"{"@context": "https://openvex.dev/ns", "@context": ""}"#).unwrap_err().to_string().contains("appears twice")
    );
}

#[test]
fn relations_that_lead_in_circles_end() {
    let mut document = csaf();
    document["product_tree"]["relationships"][0]["product_reference"] = json!("linux-9:openssl");
    document["product_tree"]["relationships"][0]["relates_to_product_reference"] = json!("linux-9:openssl");
    assert_eq!(shown(&document)[0], "CSAF 2.0 by Vendor Product Security, 2 left out");
}

proptest! {
    #[test]
    fn any_bytes_and_any_values_never_panic(bytes: Vec<u8>, at in 0_usize..3, key in "[a-z_@]{1,20}", text in ".{0,20}") {
        let _ = read(&bytes);
        let mut document = [openvex(), cyclonedx(), csaf()][at].clone();
        document[&key] = json!(text);
        let _ = read(document.to_string().as_bytes());
    }
}
