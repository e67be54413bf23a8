//! `sbom check`, `diff` and `affected --sbom` over documents of others and of our own, with the real binary.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::support::Project;
use super::support::world::World;

fn cyclonedx(version: &str, features: &str) -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": {"timestamp": "2026-11-29T00:00:00Z", "component": {"type": "application", "bom-ref": "app", "name": "app", "version": "1.0.0"}},
        "components": [
            {"type": "library", "bom-ref": "fig", "name": "fig", "version": version, "purl": format!("pkg:cargo/fig@{version}"),
             "licenses": [{"expression": "MIT"}], "hashes": [{"alg": "SHA-256", "content": "ab"}],
             "properties": [{"name": "cargo-supplychain:features", "value": features}]},
            {"type": "library", "bom-ref": "gone", "name": "left", "version": "1.0.0", "purl": "pkg:npm/left@1.0.0"}
        ],
        "dependencies": [{"ref": "app", "dependsOn": ["fig", "gone"]}, {"ref": "fig"}]
    })
}

const TAGS: &str = "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nDocumentNamespace: https://example.org/1\n\
    Creator: Tool: maker-1\nCreated: 2026-11-29T00:00:00Z\nPackageName: app\nSPDXID: SPDXRef-app\nPackageName: fig\nSPDXID: SPDXRef-fig\n\
    PackageVersion: 1.3.0\nExternalRef: PACKAGE-MANAGER purl pkg:cargo/fig@1.3.0\nRelationship: SPDXRef-app DEPENDS_ON SPDXRef-fig\n\
    Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-app\n";

fn project() -> Project {
    let world = World::new().release("fig", "1.2.3", |r| r.published("2024-01-01T00:00:00Z").publisher(10, "alice"));
    let project = world.project(&[("fig", "1.2.3")]);
    project.write("old.cdx.json", cyclonedx("1.2.3", "std").to_string());
    project.write("new.cdx.json", cyclonedx("1.2.3", "std,extra").to_string());
    project.write("other.spdx", TAGS);
    project
}

#[test]
fn gaps_of_a_document_of_others() {
    let project = project();
    let check = |more: &[&str]| project.run(&[&["sbom", "check", "old.cdx.json"], more].concat());
    assert_snapshot!(check(&["--profile", "ntia-2021"]).expect(1).text(), @"
    exit 1
    old.cdx.json: CycloneDX [TIME] (JSON), 3 components, by ntia-2021
      GAP      Author of SBOM Data
      ok       Timestamp  2026-11-29T00:00:00Z
      GAP      Supplier Name  3 missing
      ok       Component Name  3 given
      ok       Version of the Component  3 given
      GAP      Other Unique Identifiers  2 given, 1 missing
      ok       Dependency Relationship  3 given
      - app 1.0.0: Supplier Name, Other Unique Identifiers
      - pkg:cargo/fig@1.2.3: Supplier Name
      - pkg:npm/left@1.0.0: Supplier Name
    ntia-2021: 12 of 17 required fields stated, [TIME] %; 5 gaps in 3 components
    ");
    let json = check(&["--format", "json"]).expect(1).json();
    assert_eq!((json["profile"].as_str(), json["components"].as_u64()), (Some("cisa-2026"), Some(3)));
    assert!(check(&["--format", "markdown"]).expect(1).stdout.contains("| SBOM Author | GAP |"));
    check(&["--format", "sarif"]).expect(2);
    check(&["--profile", "nobody"]).expect(2);
    let schema = project.run(&["schema", "sbom-check"]).expect(0).json();
    assert_eq!(schema["properties"]["schema_version"]["const"], 1);
}

#[test]
fn unreadable_documents_say_where() {
    let project = project();
    project.write("broken.json", "{\"bomFormat\": \"CycloneDX\",\n \"specVersion\": }");
    project.write("bundle.json", "{}");
    for (arguments, expected) in [
        (&["broken.json"][..], "cannot read the SBOM broken.json: line 2, column 17"),
        (&["nowhere.json"], "nowhere.json"),
        (&["Cargo.toml"], "no bill of materials"),
        (&["old.cdx.json", "--bundle", "bundle.json"], "cannot read the bundle bundle.json"),
    ] {
        let outcome = project.run(&[&["sbom", "check"], arguments].concat()).expect(2);
        assert!(outcome.stderr.contains(expected), "{outcome}");
    }
}

#[test]
fn a_document_larger_than_the_limit_is_refused_before_it_is_read() {
    let project = project();
    let file = std::fs::File::create(project.path("large.json")).unwrap();
    file.set_len(1 << 30).unwrap();
    let outcome = project.run(&["sbom", "check", "large.json"]).expect(2);
    assert!(outcome.stderr.contains("it has 1073741824 bytes, the limit is 134217728"), "{outcome}");
}

#[test]
fn our_own_documents_are_read() {
    let project = project();
    for (format, file) in [("cyclonedx-json", "own.cdx.json"), ("spdx-json", "own.spdx.json")] {
        let document = project.run(&["sbom", "--format-sbom", format]).expect(0).stdout;
        project.write(file, document);
        let json = project.run(&["sbom", "check", file, "--format", "json"]).json();
        let missing = |list: &str| {
            let fields = json[list].as_array().unwrap().iter();
            let gaps = fields.filter(|one| one["gap"] == true || one["gaps"].as_u64().is_some_and(|gaps| gaps > 0));
            gaps.map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        // A document that is printed has no attestation beside it.
        assert_eq!(missing("document_fields"), ["author-signature"], "{json}");
        // A gap of a component is one of the digest, which SPDX 2 has no field to call unknown.
        let of_components = missing("component_fields");
        assert!(of_components.is_empty() || format == "spdx-json" && of_components == ["hash-value", "hash-algorithm"], "{json}");
    }
    // Both formats list the same.
    let diff = project.run(&["diff", "own.cdx.json", "own.spdx.json", "--format", "json"]).expect(0).json();
    let kinds: Vec<_> =
        diff["changes"].as_array().unwrap().iter().map(|one| (one["kind"].as_str(), one["name"].as_str())).collect();
    assert_eq!(kinds, [(Some("added"), Some("rustc"))], "{diff}");
}

#[test]
fn differences_of_documents() {
    let project = project();
    let diff = |old: &str, new: &str, more: &[&str]| project.run(&[&["diff", old, new], more].concat()).expect(0);
    assert_snapshot!(diff("old.cdx.json", "new.cdx.json", &[]).stdout, @"
    * fig 1.2.3  features: extra
    1 changed
    ");
    assert_snapshot!(diff("old.cdx.json", "other.spdx", &[]).stdout, @"
    ^ fig 1.2.3 → 1.3.0
    - left 1.0.0
    1 updated, 1 removed
    ");
    assert_snapshot!(diff("other.spdx", "Cargo.lock", &["--format", "markdown"]).stdout, @"
    ## Dependencies: `other.spdx` → `Cargo.lock`

    1 added, 1 downgraded

    ### Changes

    | crate | version | published | publisher | what it brings |
    |---|---|---|---|---|
    | app | 1.0.0 |  |  |  |
    | fig | 1.3.0 → 1.2.3 |  |  |  |
    ");
    let json = diff("old.cdx.json", "new.cdx.json", &["--format", "json"]).json();
    assert_eq!(json["changes"][0]["features_added"], json!(["extra"]));
    assert_eq!((json["findings"].clone(), json["not_evaluated"].as_array().unwrap().len()), (json!([]), 4));
    // The work tree beside a document.
    assert_snapshot!(project.run(&["diff", "other.spdx"]).expect(0).stdout, @"
    + app 1.0.0
    v fig 1.3.0 → 1.2.3
    1 added, 1 downgraded
    ");
}

#[test]
fn affected_documents() {
    let project = project();
    project.advisory_with("RUSTSEC-2026-0100", "fig", "2026-08-20", "", "patched = [\">= 1.3.0\"]");
    let mut unnamed = cyclonedx("1.2.3", "");
    unnamed["components"][0].as_object_mut().unwrap().shift_remove("purl");
    project.write("unnamed.cdx.json", unnamed.to_string());
    let affected = |query: &str, more: &[&str]| {
        let arguments = [&["affected", query, "--advisory-db", "advisory-db", "--sbom"], more].concat();
        project.run(&arguments)
    };
    assert_snapshot!(affected("RUSTSEC-2026-0100", &["old.cdx.json", "other.spdx"]).expect(1).stdout, @"
    RUSTSEC-2026-0100: fig: A flaw in fig; patched in >=1.3.0
    old.cdx.json (CycloneDX 1.6 (JSON)): app 1.0.0
        pkg:cargo/fig@1.2.3: included
    1 of 2 SBOMs affected
    ");
    affected("RUSTSEC-2026-0100", &["other.spdx"]).expect(0);
    affected("pkg:cargo/fig@<1.3", &["old.cdx.json"]).expect(1);
    affected("pkg:cargo/fig", &["other.spdx"]).expect(1);
    let outcome = affected("RUSTSEC-2026-0100", &["unnamed.cdx.json"]).expect(4);
    assert!(outcome.stderr.contains("fig 1.2.3 has no package URL"), "{outcome}");
    let json = affected("RUSTSEC-2026-0100", &["old.cdx.json", "--format", "json"]).expect(1).json();
    assert_eq!(
        (json["archive"].clone(), json["documents"][0]["found"][0]["advisories"][0].clone()),
        (Value::Null, json!("RUSTSEC-2026-0100"))
    );
    affected("RUSTSEC-1999-0001", &["old.cdx.json"]).expect(4);
}
