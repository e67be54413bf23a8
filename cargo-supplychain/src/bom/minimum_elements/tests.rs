//! Every field that a profile requires is removed once from a document that has it, in every format that can say it.

use serde_json::{Value, json};

use super::*;
use crate::bom;

/// All that CISA's and BSI's lists ask for.
fn cyclonedx() -> Value {
    let facts = |name: &str| {
        json!([{"name": "bsi:component:filename", "value": name}, {"name": "bsi:component:executable", "value": "executable"},
            {"name": "bsi:component:archive", "value": "no archive"}, {"name": "bsi:component:structured", "value": "structured"}])
    };
    let component = |name: &str| {
        json!({"type": "library", "bom-ref": name, "name": name, "version": "1.0.0", "purl": format!("pkg:cargo/{name}@1.0.0"),
            "supplier": {"name": "Sup", "url": ["https://sup.example"]},
            "hashes": [{"alg": "SHA-512", "content": "ab"}],
            "licenses": [{"expression": "MIT", "acknowledgement": "concluded"}],
            "properties": facts(name)})
    };
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"timestamp": "2026-11-29T00:00:00Z", "lifecycles": [{"phase": "build"}],
            "tools": {"components": [{"name": "maker", "version": "1"}]},
            "authors": [{"name": "Ann", "email": "ann@example.org"}], "component": component("app")},
        "components": [component("a")],
        "externalReferences": [{"type": "digital-signature", "url": "app.sigstore.json"}],
        "dependencies": [{"ref": "app", "dependsOn": ["a"]}, {"ref": "a"}],
        "compositions": [{"aggregate": "complete", "dependencies": ["app", "a"]}]
    })
}

fn spdx2() -> Value {
    let package = |name: &str| {
        json!({"SPDXID": format!("SPDXRef-{name}"), "name": name, "versionInfo": "1.0.0", "downloadLocation": "NONE",
            "supplier": "Organization: Sup", "checksums": [{"algorithm": "SHA256", "checksumValue": "ab"}], "licenseDeclared": "MIT",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": format!("pkg:cargo/{name}@1.0.0")}]})
    };
    json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "documentNamespace": "https://example.org/1",
        "comment": "Generation context: build. Signature: app.sigstore.json.",
        "creationInfo": {"created": "2026-11-29T00:00:00Z", "creators": ["Person: Ann", "Tool: maker-1"]},
        "packages": [package("app"), package("a")],
        "relationships": [{"spdxElementId": "SPDXRef-app", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-a"}]
    })
}

fn spdx3() -> Value {
    let package = |name: &str| {
        json!({"type": "software_Package", "spdxId": format!("urn:x:{name}"), "name": name, "software_packageVersion": "1.0.0",
            "software_packageUrl": format!("pkg:cargo/{name}@1.0.0"), "suppliedBy": "urn:x:org",
            "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": "ab"}]})
    };
    let relation = |from: &str, kind: &str, to: &str| {
        json!({"type": "Relationship", "spdxId": format!("urn:x:{from}{kind}"),
        "from": format!("urn:x:{from}"), "to": [format!("urn:x:{to}")], "relationshipType": kind})
    };
    json!({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": [
        {"type": "CreationInfo", "@id": "_:c", "specVersion": "3.0.1", "created": "2026-11-29T00:00:00Z", "createdBy": ["urn:x:org"], "createdUsing": ["urn:x:tool"]},
        {"type": "Organization", "spdxId": "urn:x:org", "name": "Org"},
        {"type": "Tool", "spdxId": "urn:x:tool", "name": "maker 1"},
        {"type": "SpdxDocument", "spdxId": "urn:x:doc", "creationInfo": "_:c", "rootElement": ["urn:x:app"],
         "externalRef": [{"type": "ExternalRef", "externalRefType": "certificationReport-attestation", "locator": ["app.sigstore.json"]}]},
        {"type": "software_Sbom", "spdxId": "urn:x:sbom", "software_sbomType": ["build"], "rootElement": ["urn:x:app"]},
        package("app"), package("a"),
        {"type": "simplelicensing_LicenseExpression", "spdxId": "urn:x:mit", "simplelicensing_licenseExpression": "MIT"},
        relation("app", "dependsOn", "a"), relation("a", "hasDeclaredLicense", "mit"), relation("app", "hasDeclaredLicense", "mit")
    ]})
}

/// The ids of what is a gap, of the document and of components.
fn gaps(document: &Value, profile: Profile) -> Vec<&'static str> {
    let bom = bom::read(document.to_string().as_bytes()).unwrap();
    let assessment = assess(&bom, profile, None);
    let of_document = assessment.document.iter().filter(|one| one.field.is_required && !one.field.takes(one.state));
    let mut found: Vec<_> = of_document.map(|one| one.field.id).collect();
    found.extend(assessment.gaps.iter().flat_map(|gap| gap.fields.iter().map(|(field, _)| field.id)));
    assert_eq!(found.len(), assessment.required - assessment.stated, "each gap is one cell less");
    assert_eq!(assessment.has_gaps(), !found.is_empty());
    found
}

/// Removes what a JSON pointer names.
fn without(mut document: Value, pointers: &[&str]) -> Value {
    for pointer in pointers {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match document.pointer_mut(parent).unwrap() {
            Value::Object(fields) => drop(fields.shift_remove(name).unwrap()),
            Value::Array(items) => drop(items.remove(name.parse().unwrap())),
            other => panic!("{other} has no {name}"),
        }
    }
    document
}

#[test]
fn every_removed_field_is_found_in_cyclonedx() {
    use Profile::{BsiTr031832 as Bsi, Cisa2026 as Cisa, Ntia2021 as Ntia};
    for profile in Profile::ALL {
        assert_eq!(gaps(&cyclonedx(), profile), Vec::<&str>::new(), "{profile}");
    }
    let rows: [(&[&str], Profile, &[&str]); 33] = [
        (&["/metadata/authors"], Cisa, &["author"]),
        (&["/externalReferences"], Cisa, &["author-signature"]),
        (&["/metadata/lifecycles"], Cisa, &["generation-context"]),
        (&["/metadata/timestamp"], Cisa, &["timestamp"]),
        (&["/metadata/tools"], Cisa, &["tool-name", "tool-version"]),
        (&["/metadata/tools/components/0/version"], Cisa, &["tool-version"]),
        (&["/version"], Cisa, &["sbom-version"]),
        (&["/components/0/supplier"], Cisa, &["producer"]),
        (&["/components/0/hashes"], Cisa, &["hash-value", "hash-algorithm"]),
        (&["/components/0/hashes/0/content"], Cisa, &["hash-value"]),
        (&["/components/0/hashes/0/alg"], Cisa, &["hash-algorithm"]),
        (&["/components/0/purl"], Cisa, &["identifiers"]),
        (&["/components/0/licenses"], Cisa, &["license"]),
        (&["/components/0/version"], Cisa, &["version"]),
        (&["/components/0/name"], Cisa, &["name"]),
        (&["/dependencies", "/compositions"], Cisa, &["dependency-relationship", "dependency-relationship"]),
        (&["/metadata/authors"], Ntia, &["author"]),
        (&["/metadata/timestamp"], Ntia, &["timestamp"]),
        (&["/components/0/supplier"], Ntia, &["supplier"]),
        (&["/components/0/version"], Ntia, &["version"]),
        (&["/components/0/name"], Ntia, &["name"]),
        (&["/components/0/purl"], Ntia, &["identifiers"]),
        (&["/metadata/authors/0/email"], Bsi, &["creator"]),
        (&["/components/0/supplier/url"], Bsi, &["component-creator"]),
        (&["/components/0/version"], Bsi, &["version"]),
        (&["/components/0/name"], Bsi, &["name"]),
        (&["/components/0/properties/0"], Bsi, &["filename"]),
        (&["/components/0/properties/1"], Bsi, &["executable"]),
        (&["/components/0/properties/2"], Bsi, &["archive"]),
        (&["/components/0/properties/3"], Bsi, &["structured"]),
        (&["/components/0/licenses/0/acknowledgement"], Bsi, &["distribution-licences"]),
        (&["/components/0/hashes"], Bsi, &["deployable-hash"]),
        (&["/compositions/0/dependencies/1"], Bsi, &["dependencies"]),
    ];
    for (pointers, profile, expected) in rows {
        assert_eq!(gaps(&without(cyclonedx(), pointers), profile), expected, "{pointers:?} {profile}");
    }
    let mut old = cyclonedx();
    old["specVersion"] = "1.5".into();
    assert_eq!(gaps(&old, Bsi), ["format"]);
}

#[test]
fn every_removed_field_is_found_in_spdx() {
    use Profile::Cisa2026 as Cisa;
    for document in [spdx2(), spdx3()] {
        assert_eq!(gaps(&document, Cisa), Vec::<&str>::new());
        assert_eq!(gaps(&document, Profile::Ntia2021), Vec::<&str>::new());
        assert_eq!(gaps(&document, Profile::BsiTr031832).contains(&"format"), document.get("spdxVersion").is_some());
    }
    let rows: [(Value, &[&str], &[&str]); 29] = [
        (spdx2(), &["/creationInfo/creators/0"], &["author"]),
        (spdx2(), &["/comment"], &["author-signature", "generation-context"]),
        (spdx2(), &["/creationInfo/created"], &["timestamp"]),
        (spdx2(), &["/creationInfo/creators/1"], &["tool-name", "tool-version"]),
        (spdx2(), &["/documentNamespace"], &["sbom-version"]),
        (spdx2(), &["/packages/1/supplier"], &["producer"]),
        (spdx2(), &["/packages/1/checksums"], &["hash-value", "hash-algorithm"]),
        (spdx2(), &["/packages/1/checksums/0/checksumValue"], &["hash-value"]),
        (spdx2(), &["/packages/1/checksums/0/algorithm"], &["hash-algorithm"]),
        (spdx2(), &["/packages/1/externalRefs"], &["identifiers"]),
        (spdx2(), &["/packages/1/licenseDeclared"], &["license"]),
        (spdx2(), &["/packages/1/versionInfo"], &["version"]),
        (spdx2(), &["/packages/1/name"], &["name"]),
        (spdx2(), &["/relationships/0"], &["dependency-relationship", "dependency-relationship"]),
        (spdx3(), &["/@graph/0/createdBy"], &["author"]),
        (spdx3(), &["/@graph/3/externalRef"], &["author-signature"]),
        (spdx3(), &["/@graph/4/software_sbomType"], &["generation-context"]),
        (spdx3(), &["/@graph/0/created"], &["timestamp"]),
        (spdx3(), &["/@graph/0/createdUsing"], &["tool-name", "tool-version"]),
        (spdx3(), &["/@graph/3/spdxId"], &["sbom-version"]),
        (spdx3(), &["/@graph/6/suppliedBy"], &["producer"]),
        (spdx3(), &["/@graph/6/verifiedUsing"], &["hash-value", "hash-algorithm"]),
        (spdx3(), &["/@graph/6/verifiedUsing/0/hashValue"], &["hash-value"]),
        (spdx3(), &["/@graph/6/verifiedUsing/0/algorithm"], &["hash-algorithm"]),
        (spdx3(), &["/@graph/6/software_packageUrl"], &["identifiers"]),
        (spdx3(), &["/@graph/9"], &["license"]),
        (spdx3(), &["/@graph/6/software_packageVersion"], &["version"]),
        (spdx3(), &["/@graph/6/name"], &["name"]),
        (spdx3(), &["/@graph/8"], &["dependency-relationship", "dependency-relationship"]),
    ];
    for (document, pointers, expected) in rows {
        assert_eq!(gaps(&without(document, pointers), Cisa), expected, "{pointers:?}");
    }
}

#[test]
fn unknown_is_stated_and_withheld_is_told_apart() {
    let mut document = cyclonedx();
    document["components"][0]["supplier"]["name"] = "unknown".into();
    document["components"][0]["hashes"] = json!([]);
    document["components"][0]["properties"] = json!([{"name": "cargo-supplychain:hash", "value": "withheld: contract"}]);
    let bom = bom::read(document.to_string().as_bytes()).unwrap();
    let assessment = assess(&bom, Profile::Cisa2026, None);
    let column = |id: &str| *assessment.components.iter().find(|one| one.field.id == id).unwrap();
    let counts = |one: ComponentField| (one.given, one.unknown, one.withheld, one.missing);
    assert_eq!((counts(column("producer")), counts(column("hash-value"))), ((1, 1, 0, 0), (1, 0, 1, 0)));
    assert!(!assessment.has_gaps());
    // NTIA's list has no word for that.
    assert_eq!(gaps(&document, Profile::Ntia2021), ["supplier"]);
}

#[test]
fn an_attestation_is_given_and_not_verified() {
    let document = without(cyclonedx(), &["/externalReferences"]);
    let bom = bom::read(document.to_string().as_bytes()).unwrap();
    let assessment = assess(&bom, Profile::Cisa2026, Some("a.sigstore.json"));
    let signature = &assessment.document[1];
    assert_eq!(
        (signature.state, signature.value.as_deref()),
        (State::Given, Some("attested by a.sigstore.json; not verified here"))
    );
    assert!(!assessment.has_gaps());
    assert_eq!(assessment.score(), 1000);
}

#[test]
fn profiles_have_names_and_distinct_ids() {
    for profile in Profile::ALL {
        assert_eq!(profile.as_str().parse(), Ok(profile));
        let ids: std::collections::BTreeSet<_> = profile.fields().iter().map(|field| field.id).collect();
        assert_eq!(ids.len(), profile.fields().len());
    }
    assert_eq!("x".parse::<Profile>(), Err("the profiles are cisa-2026, ntia-2021, bsi-tr-03183-2".to_owned()));
    assert_eq!(Profile::Cisa2026.fields().len(), 17);
}
