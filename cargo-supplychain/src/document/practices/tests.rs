use super::*;
use crate::document::schema;

fn manifest(signing: Signing) -> ReleaseManifest {
    ReleaseManifest {
        format_version: 1,
        name: "app".into(),
        version: "1.0.0".into(),
        target: "t".into(),
        created: "2026-11-23".parse().unwrap(),
        tool: "t".into(),
        signing,
        files: Vec::new(),
        statements: Vec::new(),
    }
}

const FILES: [&str; 12] = [
    "NOTICE",
    "SHA256SUMS",
    "VERIFY.md",
    "attestations/app.provenance.sigstore.json",
    "attestations/release.sigstore.json",
    "evidence/Cargo.lock",
    "evidence/build.json",
    "evidence/feeds.json",
    "evidence/supplychain.toml",
    "release.json",
    "reports/report.json",
    "sbom/app.cdx.json",
];

fn build() -> Value {
    json!({ "source": { "commit": "c", "dirty": false } })
}

fn report() -> Value {
    json!({ "verdict": "pass", "findings": [], "exempted": [], "not_evaluated": [] })
}

fn export(without: &[&str], build: &Value, report: &Value, signing: Signing) -> Value {
    let files: BTreeMap<String, Sha256> =
        FILES.iter().filter(|path| !without.contains(path)).map(|path| ((*path).to_owned(), Sha256::of(path))).collect();
    let manifest = manifest(signing);
    let release = Release { manifest: &manifest, files: &files, build: Some(build), report: Some(report) };
    serde_json::from_slice(&document(&release, None).bytes).unwrap()
}

fn statuses(value: &Value) -> BTreeMap<String, String> {
    let one = |one: &Value| {
        let name = format!("{} {}", one["framework"].as_str().unwrap(), one["id"].as_str().unwrap());
        (name, one["status"].as_str().unwrap().to_owned())
    };
    value["practices"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn the_data_names_only_facts_that_there_are_and_each_practice_once() {
    let practices = practices();
    let known: BTreeSet<_> = FACTS.iter().map(|(fact, _)| *fact).collect();
    let mut names = BTreeSet::new();
    for practice in &practices {
        let name = format!("{} {}", practice.framework, practice.id);
        assert!(names.insert(name.clone()), "{name} is there twice");
        assert!(practice.facts.iter().chain(&practice.when).all(|fact| known.contains(fact.as_str())), "{name}");
        assert_eq!(practice.most.is_some(), !practice.files.is_empty(), "{name}");
        assert!(matches!(practice.most, None | Some(Status::Met | Status::Partial)), "{name}");
        assert!(practice.most == Some(Status::Met) || practice.outside.is_some(), "{name}: partial, and what is outside?");
        assert!(
            practice.files.iter().all(|pattern| FILES.iter().any(|path| matches(pattern, path)) || pattern.contains("vex")),
            "{name}"
        );
    }
    assert!(names.len() > 40, "{}", names.len());
}

#[test]
fn nothing_is_met_without_a_file() {
    const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/evidence-1.json"));
    let whole = export(&[], &build(), &report(), Signing::Signed);
    assert_eq!(schema::violations(SCHEMA, whole.to_string().as_bytes()), Vec::<String>::new());
    for practice in whole["practices"].as_array().unwrap() {
        let has_files = !practice["artefacts"].as_array().unwrap().is_empty();
        let claims = practice["status"] == "met" || practice["status"] == "partial";
        assert_eq!(has_files, claims, "{practice}");
    }
    let all = statuses(&whole);
    let count = |status: &str| all.values().filter(|one| *one == status).count();
    assert_eq!((count("met"), count("not-met")), (8, 0), "{all:?}");
    let none = statuses(&export(&FILES, &build(), &report(), Signing::Signed));
    assert!(none.values().all(|status| ["not-met", "outside-tool", "not-applicable"].contains(&status.as_str())), "{none:?}");
}

#[test]
fn a_missing_sbom_is_not_met() {
    let without = statuses(&export(&["sbom/app.cdx.json"], &build(), &report(), Signing::Signed));
    for name in [
        "SSDF 1.1 PS.3.2",
        "METI guide to SBOM introduction and software supply (2)-1",
        "CRA Annex I part II (1)",
        "SLSA dependency track, draft L1",
    ] {
        assert_eq!(without[name], "not-met", "{name}");
    }
    assert_eq!(without["SLSA 1.2 Build L1"], "met");
}

#[test]
fn what_the_files_do_not_say_is_not_claimed() {
    let stale = json!({ "verdict": "undetermined", "findings": [], "exempted": [], "not_evaluated": [{ "area": "advisories", "required": true }] });
    let vulnerable = |more: Value| {
        let mut finding = json!({ "id": "advisory/vulnerability", "severity": "high" });
        finding.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "verdict": "fail", "findings": [finding], "exempted": [], "not_evaluated": [] })
    };
    let dirty = json!({ "source": { "commit": "c", "dirty": true } });
    for (name, build, report, signing, expected) in [
        ("SSDF 1.1 PS.2.1", build(), report(), Signing::Signed, "met"),
        ("SSDF 1.1 PS.2.1", build(), report(), Signing::Unsigned, "partial"),
        ("METI guide to SBOM introduction and software supply (1)-2", dirty, report(), Signing::Signed, "partial"),
        ("SLSA dependency track, draft L2", build(), report(), Signing::Signed, "met"),
        ("SLSA dependency track, draft L2", build(), stale, Signing::Signed, "partial"),
        ("SLSA dependency track, draft L2", build(), vulnerable(json!({})), Signing::Signed, "partial"),
        (
            "SLSA dependency track, draft L2",
            build(),
            vulnerable(json!({ "triage": { "outcomes": ["14 days"] } })),
            Signing::Signed,
            "met",
        ),
        ("SLSA dependency track, draft L2", build(), vulnerable(json!({ "decisions": [{}] })), Signing::Signed, "met"),
        ("SSDF 1.1 RV.2.1", build(), report(), Signing::Signed, "not-applicable"),
        ("SSDF 1.1 RV.2.1", build(), vulnerable(json!({})), Signing::Signed, "partial"),
        ("SLSA 1.2 Build L3", build(), report(), Signing::Signed, "outside-tool"),
    ] {
        assert_eq!(statuses(&export(&[], &build, &report, signing))[name], expected, "{name} {report}");
    }
}
