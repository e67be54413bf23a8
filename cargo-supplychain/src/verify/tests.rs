//! What is accepted, and that nothing else is: mutations of a good release, file by file and field by field.

use proptest::prelude::*;
use serde_json::json;

use super::specimen::{ARTIFACT, Specimen, TestKey, provenance};
use super::*;
use crate::attest::*;
use crate::base::Sha256;
use crate::model::release::{FileRole, Signing};

/// The (path, id) pairs of a rejection.
fn reasons(contents: &ReleaseContents, policy: &VerificationPolicy) -> Vec<(String, &'static str)> {
    match release(contents, policy) {
        Ok(verified) => panic!("verified: {verified:?}"),
        Err(rejection) => rejection.reasons().iter().map(|reason| (reason.path.clone(), reason.id.as_str())).collect(),
    }
}

fn names(reasons: &[(String, &'static str)], path: &str) -> bool {
    reasons.iter().any(|(named, _)| named == path)
}

fn bytes_of(contents: &ReleaseContents, path: &str) -> Vec<u8> {
    match contents.get(path) {
        Some(Entry::File(file)) => file.bytes().unwrap().to_vec(),
        other => panic!("{path}: {other:?}"),
    }
}

#[test]
fn a_good_release_is_verified() {
    let specimen = Specimen::new();
    let verified = release(&specimen.contents(), &specimen.policy()).unwrap();
    assert_eq!(verified.signer(), specimen.key.public().fingerprint());
    assert_eq!(
        (verified.name(), verified.version(), verified.target()),
        ("tool", Some("1.2.3"), Some("x86_64-unknown-linux-gnu"))
    );
    assert_eq!((verified.files(), verified.statements()), (11, 4));
    let [artifact] = verified.artifacts() else { panic!("{verified:?}") };
    assert_eq!(artifact.path(), ARTIFACT);
    assert_eq!(artifact.predicate_types(), [CYCLONEDX, PROVENANCE, SPDX]);
    let facts = artifact.provenance().unwrap();
    assert_eq!(facts.source_uri.as_deref(), Some("git+https://example.org/tool"));
    assert_eq!((facts.dirty, facts.target_folder.as_deref()), (Some(false), Some("fresh")));
    assert_eq!(verified.not_proven().len(), 2, "{:?}", verified.not_proven());
}

/// The product's promise: one changed byte in any file is found and the file is named (ARCHITECTURE.md, invariant 4).
#[test]
fn any_changed_byte_of_any_control_file_names_the_file() {
    let specimen = Specimen::new();
    let (contents, policy) = (specimen.contents(), specimen.policy());
    let paths: Vec<_> =
        contents.iter().filter(|(_, entry)| matches!(entry, Entry::File(_))).map(|(path, _)| path.to_owned()).collect();
    let mut tried = 0;
    for path in &paths {
        let Some(Entry::File(file)) = contents.get(path) else { unreachable!() };
        let Some(bytes) = file.bytes() else {
            let mut changed = contents.clone();
            changed.insert_digest(path.clone(), file.size(), Sha256::of(b"changed"));
            assert_eq!(reasons(&changed, &policy), [(path.clone(), "attest/subject-digest-mismatch")]);
            continue;
        };
        // Every byte of the smaller files and every seventh of the larger ones, changed to what is likeliest to be overlooked.
        let step = if bytes.len() < 600 { 1 } else { 7 };
        for at in (0..bytes.len()).step_by(step) {
            for changed_byte in [bytes[at] ^ 1, bytes[at] ^ 0x20, b' '] {
                if changed_byte == bytes[at] {
                    continue;
                }
                let mut changed = contents.clone();
                let mut mutated = bytes.to_vec();
                mutated[at] = changed_byte;
                changed.insert_bytes(path.clone(), mutated);
                assert!(names(&reasons(&changed, &policy), path), "{path} byte {at}");
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

#[test]
fn longer_shorter_and_empty_files_are_named() {
    let specimen = Specimen::new();
    let (contents, policy) = (specimen.contents(), specimen.policy());
    for (path, entry) in contents.iter() {
        let Entry::File(file) = entry else { continue };
        let Some(bytes) = file.bytes() else { continue };
        for mutated in
            [[bytes, b"\n"].concat(), [b" ", bytes].concat(), bytes[1..].to_vec(), bytes[..bytes.len() - 1].to_vec(), vec![]]
        {
            let mut changed = contents.clone();
            changed.insert_bytes(path, mutated);
            assert!(names(&reasons(&changed, &policy), path), "{path}");
        }
    }
}

#[test]
fn removed_files_are_named() {
    let specimen = Specimen::new();
    let (contents, policy) = (specimen.contents(), specimen.policy());
    for (path, entry) in contents.iter() {
        if !matches!(entry, Entry::File(_)) {
            continue;
        }
        let mut changed = contents.clone();
        changed.remove(path);
        let id = if path.starts_with("attestations/") { "attest/missing" } else { "attest/file-missing" };
        assert_eq!(reasons(&changed, &policy), [(path.to_owned(), id)]);
    }
}

#[test]
fn added_files_links_and_folders_are_named() {
    let specimen = Specimen::new();
    let policy = specimen.policy();
    for path in ["extra", "artifacts/extra", "attestations/extra.sigstore.json", "sbom/tool.cdx.json.bak", "release.json.old"] {
        let mut changed = specimen.contents();
        changed.insert_bytes(path, b"x".to_vec());
        assert_eq!(reasons(&changed, &policy), [(path.to_owned(), "attest/file-unlisted")]);
        changed.insert_other(path, "symbolic link");
        assert_eq!(reasons(&changed, &policy), [(path.to_owned(), "attest/file-unlisted")]);
        changed.insert_folder(path);
        assert_eq!(reasons(&changed, &policy), [(path.to_owned(), "attest/file-unlisted")]);
    }
    for path in
        [ARTIFACT, "release.json", "SHA256SUMS", "attestations/tool.spdx.sigstore.json", "attestations/release.sigstore.json"]
    {
        for what in ["symbolic link", "named pipe"] {
            let mut changed = specimen.contents();
            changed.insert_other(path, what);
            assert_eq!(reasons(&changed, &policy), [(path.to_owned(), "attest/malformed")]);
        }
        let mut changed = specimen.contents();
        changed.insert_folder(path);
        assert!(names(&reasons(&changed, &policy), path), "{path}");
    }
}

/// Every field of a bundle, changed with SHA256SUMS made to agree, as someone would who can write to the folder.
#[test]
fn every_field_of_a_bundle_counts() {
    let specimen = Specimen::new();
    let other = TestKey::new();
    let path = "attestations/tool.provenance.sigstore.json";
    let good: serde_json::Value = serde_json::from_slice(&bytes_of(&specimen.contents(), path)).unwrap();
    let with = |pointer: &str, value: serde_json::Value| {
        let mut bundle = good.clone();
        *bundle.pointer_mut(pointer).unwrap() = value;
        serde_json::to_vec(&bundle).unwrap()
    };
    let statement = |statement: &Statement| specimen.key.bundle(&statement.to_bytes());
    let original = &specimen.statements[0].2;
    let second = specimen.statements[1].2.to_bytes();
    let foreign: serde_json::Value = serde_json::from_slice(&specimen.key.bundle(&second)).unwrap();
    for (what, bytes, id) in [
        ("media type", with("/mediaType", json!("application/vnd.dev.sigstore.bundle.v0.4+json")), "attest/malformed"),
        ("hint", with("/verificationMaterial/publicKey/hint", json!("AAAA")), "attest/wrong-signer"),
        ("log", with("/verificationMaterial/tlogEntries", json!([{}])), "attest/malformed"),
        (
            "timestamp",
            with("/verificationMaterial/timestampVerificationData", json!({"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]})),
            "attest/log-invalid",
        ),
        ("certificate", with("/verificationMaterial", json!({"certificate": {"rawBytes": ""}})), "attest/wrong-signer"),
        ("payload type", with("/dsseEnvelope/payloadType", json!("text/plain")), "attest/payload-type"),
        ("payload", with("/dsseEnvelope/payload", json!("e30=")), "attest/signature-invalid"),
        ("signature", with("/dsseEnvelope/signatures/0/sig", json!("AAAA")), "attest/signature-invalid"),
        ("no signature", with("/dsseEnvelope/signatures", json!([])), "attest/malformed"),
        (
            "signature of another",
            with("/dsseEnvelope/signatures", foreign["dsseEnvelope"]["signatures"].clone()),
            "attest/signature-invalid",
        ),
        ("other key", other.bundle(&original.to_bytes()), "attest/wrong-signer"),
        ("other statement", specimen.key.bundle(&second), "attest/subject-digest-mismatch"),
        ("other predicate", statement(&Statement { predicate: json!({}), ..original.clone() }), "attest/subject-digest-mismatch"),
        ("no statement", specimen.key.bundle(b"{}"), "attest/malformed"),
    ] {
        let mut contents = specimen.contents();
        contents.insert_bytes(path, bytes);
        resum(&mut contents);
        assert_eq!(reasons(&contents, &specimen.policy()), [(path.to_owned(), id)], "{what}");
    }
}

/// Writes SHA256SUMS anew for what is there.
fn resum(contents: &mut ReleaseContents) {
    let sums = contents
        .iter()
        .filter_map(|(path, entry)| match entry {
            Entry::File(file) if path != SHA256SUMS => Some((path.to_owned(), file.sha256())),
            _ => None,
        })
        .collect();
    contents.insert_bytes(SHA256SUMS, sha256sums(&sums).into_bytes());
}

/// Nothing in the folder is an anchor: a release signed throughout by another key is rejected at its first signature.
#[test]
fn a_release_of_another_signer_is_rejected() {
    let (ours, theirs) = (Specimen::new(), Specimen::new());
    let expected = [(RELEASE_BUNDLE.to_owned(), "attest/wrong-signer")];
    assert_eq!(reasons(&theirs.contents(), &ours.policy()), expected);
    // Also when the hint lies.
    let mut contents = theirs.contents();
    let bundle = String::from_utf8(bytes_of(&contents, RELEASE_BUNDLE)).unwrap();
    contents.insert_bytes(RELEASE_BUNDLE, bundle.replace(&theirs.key.public().hint(), &ours.key.public().hint()).into_bytes());
    assert_eq!(reasons(&contents, &ours.policy()), [(RELEASE_BUNDLE.to_owned(), "attest/signature-invalid")]);
}

/// What a careless or hostile signer could sign: each is rejected although every signature holds.
#[test]
fn signed_nonsense_is_rejected() {
    type Change = fn(&mut Specimen);
    let cases: [(&str, Change, &str, &str); 9] = [
        ("no SBOM statement", |s| drop(s.statements.pop()), ARTIFACT, "attest/predicate-type-missing"),
        ("SBOM without statement", |s| drop(s.statements.pop()), "sbom/tool.spdx.json", "attest/missing"),
        (
            "SBOM file missing",
            |s| s.files.retain(|file| file.0 != "sbom/tool.cdx.json"),
            "sbom/tool.cdx.json",
            "attest/file-missing",
        ),
        ("another SBOM", |s| s.files[3].2 = b"{}".to_vec(), "sbom/tool.cdx.json", "attest/subject-digest-mismatch"),
        ("SBOM twice a key", |s| s.files[3].2 = br#"{"a":1,"a":1}"#.to_vec(), "sbom/tool.cdx.json", "attest/malformed"),
        (
            "another name",
            |s| s.statements[0].2.subjects[0].name = "fool".into(),
            "attestations/tool.provenance.sigstore.json",
            "attest/subject-name",
        ),
        (
            "another digest",
            |s| s.statements[0].2.subjects[0].sha256 = Sha256::of(b""),
            "attestations/tool.provenance.sigstore.json",
            "attest/subject-digest-mismatch",
        ),
        (
            "two subjects",
            |s| {
                let second = Subject { name: "x".into(), sha256: Sha256::of(b"") };
                s.statements[0].2.subjects.push(second);
            },
            "attestations/tool.provenance.sigstore.json",
            "attest/subject-name",
        ),
        ("no artifact", |s| s.files[1].1 = FileRole::Evidence, "release.json", "attest/malformed"),
    ];
    for (what, change, path, id) in cases {
        let mut specimen = Specimen::new();
        change(&mut specimen);
        let found = reasons(&specimen.contents(), &specimen.policy());
        assert!(found.contains(&(path.to_owned(), id)), "{what}: {found:?}");
    }
    let mut late = Specimen::new();
    for signing in [Signing::Pending, Signing::Unsigned] {
        late.signing = signing;
        assert!(release(&late.contents(), &late.policy()).is_ok(), "a signature that was completed later");
    }
}

#[test]
fn hostile_manifests_are_rejected() {
    let specimen = Specimen::new();
    let good = String::from_utf8(serde_json::to_vec(&specimen.manifest()).unwrap()).unwrap();
    for (from, to) in [
        ("{\"format_version\":1", "{\"format_version\":2"),
        ("{\"format_version\":1", "{\"format_version\":1,\"more\":0"),
        ("{\"format_version\":1", "{\"format_version\":1,\"format_version\":1"),
        ("\"artifacts/tool\",\"role\"", "\"../tool\",\"role\""),
        ("\"artifacts/tool\",\"role\"", "\"artifacts\\\\tool\",\"role\""),
        ("\"artifacts/tool\",\"role\"", "\"/tool\",\"role\""),
        ("\"artifacts/tool\",\"role\"", "\"artifacts/to\\u0000ol\",\"role\""),
        ("\"artifacts/tool\",\"role\"", "\"attestations/tool\",\"role\""),
        ("\"artifacts/tool\",\"role\"", "\"Release.json\",\"role\""),
        ("\"VERIFY.md\"", "\"sbom/tool.cdx.json\""),
        ("\"sbom/tool.spdx.json\",\"role\"", "\"sbom/TOOL.cdx.json\",\"role\""),
        ("attestations/tool.spdx.sigstore.json", "attestations/release.sigstore.json"),
        ("attestations/tool.spdx.sigstore.json", "tool.spdx.sigstore.json"),
        ("\"subject\":\"artifacts/tool\"", "\"subject\":\"artifacts/other\""),
        ("\"name\":\"tool\"", "\"name\":\"to\\nol\""),
        ("\"name\":\"tool\"", "\"name\":\"fool\""),
        ("\"size\":", "\"size\":-"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let found = reasons(&specimen.contents_of(bad.as_bytes()), &specimen.policy());
        assert!(found.iter().all(|(_, id)| *id == "attest/malformed"), "{to}: {found:?}");
    }
}

/// A statement cannot stand in for the release statement, nor one artifact's for another's.
#[test]
fn statements_are_not_interchangeable() {
    let specimen = Specimen::new();
    let mut contents = specimen.contents();
    contents.insert_bytes(RELEASE_BUNDLE, bytes_of(&contents, "attestations/tool.spdx.sigstore.json"));
    resum(&mut contents);
    assert_eq!(reasons(&contents, &specimen.policy()), [(RELEASE_BUNDLE.to_owned(), "attest/predicate-type-missing")]);

    let mut other = Specimen::new();
    other.key = specimen.key;
    other.version = "1.2.4";
    let mut replayed = other.contents();
    let specimen = Specimen { key: other.key, ..Specimen::new() };
    replayed.insert_bytes(RELEASE_BUNDLE, bytes_of(&specimen.contents(), RELEASE_BUNDLE));
    resum(&mut replayed);
    assert_eq!(reasons(&replayed, &specimen.policy()), [("release.json".to_owned(), "attest/subject-digest-mismatch")]);
}

#[test]
fn an_unsigned_release_says_so() {
    let mut specimen = Specimen::new();
    for (signing, why) in [(Signing::Unsigned, "--no-sign"), (Signing::Pending, "still pending"), (Signing::Signed, "is missing")]
    {
        specimen.signing = signing;
        let mut contents = specimen.contents();
        contents.remove(RELEASE_BUNDLE);
        let rejection = release(&contents, &specimen.policy()).unwrap_err();
        let [reason] = rejection.reasons() else { panic!("{rejection}") };
        assert_eq!(reason.id, ReasonId::Missing);
        assert!(reason.message.contains(why), "{reason}");
    }
}

#[test]
fn conditions_of_the_policy() {
    let mut specimen = Specimen::new();
    let contents = specimen.contents();
    assert!(release(&contents, &specimen.policy().expect_version(Some("1.2.3".into())).require_fresh_target(true)).is_ok());
    let stale = specimen.policy().expect_version(Some("1.3.0".into()));
    assert_eq!(reasons(&contents, &stale), [("release.json".to_owned(), "attest/version-mismatch")]);
    let more = specimen.policy().require_predicate("https://example.org/test-result/v1");
    assert_eq!(reasons(&contents, &more), [(ARTIFACT.to_owned(), "attest/predicate-type-missing")]);
    for predicate in [provenance("reused"), json!({})] {
        specimen.statements[0].2.predicate = predicate;
        let contents = specimen.contents();
        let verified = release(&contents, &specimen.policy()).unwrap();
        assert!(verified.not_proven().iter().any(|note| note.contains("target folder")), "{:?}", verified.not_proven());
        let strict = specimen.policy().require_fresh_target(true);
        assert_eq!(reasons(&contents, &strict), [(ARTIFACT.to_owned(), "attest/policy-builder")]);
    }
}

fn evidence(specimen: &Specimen, origin: Origin) -> FileEvidence {
    let bundles = specimen.statements.iter().map(|(path, _, statement)| BundleFile {
        path: path.clone(),
        bytes: specimen.key.bundle(&statement.to_bytes()),
        origin,
    });
    let (_, _, bytes) = &specimen.files[1];
    let (name, sha256) = (Some("tool".into()), Sha256::of(bytes));
    FileEvidence { name, sha256, sha512: None, bytes: None, bundles: bundles.collect() }
}

#[test]
fn a_single_file_is_verified_by_its_bundles() {
    let specimen = Specimen::new();
    let policy = specimen.policy();
    let good = evidence(&specimen, Origin::Given);
    let verified = file(&good, &policy.clone().require_fresh_target(true).expect_version(Some("1.2.3".into()))).unwrap();
    assert_eq!((verified.name(), verified.version(), verified.statements()), ("tool", Some("1.2.3"), 3));
    let id = |evidence: &FileEvidence, policy: &VerificationPolicy| {
        let rejection = file(evidence, policy).unwrap_err();
        let reason = rejection.reasons()[0].clone();
        (reason.path, reason.id.as_str())
    };
    let named = |id| ("tool".to_owned(), id);
    let changed = FileEvidence { sha256: Sha256::of(b"changed"), ..good.clone() };
    assert_eq!(id(&changed, &policy), named("attest/subject-digest-mismatch"));
    assert_eq!(id(&FileEvidence { bundles: vec![], ..good.clone() }, &policy), named("attest/missing"));
    let renamed = FileEvidence { name: Some("other".into()), ..good.clone() };
    assert_eq!(id(&renamed, &policy), ("other".to_owned(), "attest/subject-name"));
    // The name that it has among files of other targets, and what the provenance does not say.
    let called = |name: &str| FileEvidence { name: Some(name.into()), ..good.clone() };
    assert!(file(&called("tool-x86_64-unknown-linux-gnu"), &policy).is_ok());
    for name in
        ["tool-aarch64-unknown-linux-gnu", "tool-debug", "tool-x86_64-unknown-linux-gnu.exe", "tool-x86_64-unknown-linux-gnu-x"]
    {
        assert_eq!(id(&called(name), &policy), (name.to_owned(), "attest/subject-name"));
    }
    let without = FileEvidence { bundles: good.bundles[2..].to_vec(), ..called("tool-x86_64-unknown-linux-gnu") };
    assert_eq!(id(&without, &policy).1, "attest/subject-name");
    assert_eq!(id(&good, &Specimen::new().policy()).1, "attest/wrong-signer");
    assert_eq!(id(&good, &policy.clone().expect_version(Some("2.0.0".into()))), named("attest/version-mismatch"));
    assert_eq!(id(&good, &policy.clone().require_predicate("x")), named("attest/predicate-type-missing"));
    let only_spdx = FileEvidence { bundles: good.bundles[2..].to_vec(), ..good.clone() };
    assert!(file(&only_spdx, &policy).is_ok());
    assert_eq!(id(&only_spdx, &policy.clone().expect_version(Some("1.2.3".into()))), named("attest/version-mismatch"));
    assert_eq!(id(&only_spdx, &policy.clone().require_fresh_target(true)), named("attest/policy-builder"));
}

#[test]
fn bundles_that_were_found_may_be_about_other_files_but_given_ones_may_not() {
    let specimen = Specimen::new();
    let other = Statement::new("other", Sha256::of(b"other"), PROVENANCE, json!({}));
    for origin in [Origin::Beside, Origin::Offered, Origin::Given] {
        let given = origin == Origin::Given;
        let mut evidence = evidence(&specimen, origin);
        evidence.bundles.push(BundleFile {
            path: "other.sigstore.json".into(),
            bytes: specimen.key.bundle(&other.to_bytes()),
            origin,
        });
        assert_eq!(file(&evidence, &specimen.policy()).is_err(), given);
        evidence.bundles.drain(..3);
        let rejection = file(&evidence, &specimen.policy()).unwrap_err();
        let id = if given { ReasonId::SubjectDigestMismatch } else { ReasonId::Missing };
        assert_eq!(rejection.reasons()[0].id, id);
    }
    let mut broken = evidence(&specimen, Origin::Beside);
    broken.bundles[0].bytes.truncate(100);
    assert_eq!(file(&broken, &specimen.policy()).unwrap_err().reasons()[0].id, ReasonId::Malformed);
    // Of what is offered one has to be accepted; when none is, each says why.
    broken.bundles.iter_mut().for_each(|bundle| bundle.origin = Origin::Offered);
    assert_eq!(file(&broken, &specimen.policy()).unwrap().statements(), 2);
    broken.bundles.drain(1..);
    assert_eq!(file(&broken, &specimen.policy()).unwrap_err().reasons()[0].id, ReasonId::Malformed);
}

#[test]
fn reasons_are_told_without_control_characters() {
    let specimen = Specimen::new();
    let mut contents = specimen.contents();
    contents.insert_bytes("evil\u{1b}[2J\nname", b"x".to_vec());
    let text = release(&contents, &specimen.policy()).unwrap_err().to_string();
    assert_eq!(text, "evil\\u{1b}[2J\\u{a}name: this file is not listed in release.json (attest/file-unlisted)");
    for id in ReasonId::ALL {
        assert!(id.as_str().starts_with("attest/") && !id.help().is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_the_manifest_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0usize..5000, byte in any::<u8>()) {
        let _ = manifest::parse(&bytes);
        let mut good = serde_json::to_vec(&Specimen::new().manifest()).unwrap();
        let at = at % good.len();
        good[at] = byte;
        let _ = manifest::parse(&good);
    }
}
