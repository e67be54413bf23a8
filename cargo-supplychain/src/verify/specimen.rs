//! A good small release for tests, signed with a key made for the run.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{ReleaseContents, VerificationPolicy};
use crate::attest::*;
use crate::base::{Sha256, Timestamp};
use crate::model::release::*;

/// A key that signs in memory.
pub(super) struct TestKey(EcdsaKeyPair);

impl TestKey {
    pub(super) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(super) fn public(&self) -> PublicKey {
        use aws_lc_rs::encoding::AsDer as _;
        PublicKey::from_spki(self.0.public_key().as_der().unwrap().as_ref()).unwrap()
    }

    pub(super) fn bundle(&self, statement: &[u8]) -> Vec<u8> {
        let signature = self.0.sign(&SystemRandom::new(), &Bundle::to_be_signed(statement)).unwrap();
        let signature = signature.as_ref().to_vec();
        Bundle { payload: statement.to_vec(), signature, hint: self.public().hint() }.to_bytes()
    }
}

pub(super) const ARTIFACT: &str = "artifacts/tool";

/// The parts of a release before they are signed: tests change one and look.
pub(super) struct Specimen {
    pub(super) key: TestKey,
    pub(super) files: Vec<(&'static str, FileRole, Vec<u8>)>,
    /// Path, subject's path, statement.
    pub(super) statements: Vec<(String, String, Statement)>,
    pub(super) version: &'static str,
    pub(super) signing: Signing,
}

impl Specimen {
    pub(super) fn new() -> Self {
        let artifact = b"\x7fELF artifact".to_vec();
        let cyclonedx = json!({ "bomFormat": "CycloneDX", "metadata": { "component": { "name": "tool", "version": "1.2.3" } } });
        let spdx = json!({ "spdxVersion": "SPDX-2.3", "packages": [1, 2.5, null] });
        let sha256 = Sha256::of(&artifact);
        let statement = |kind: &str, predicate_type, predicate: &Value| {
            let statement = Statement::new("tool", sha256, predicate_type, predicate.clone());
            (format!("attestations/tool.{kind}.sigstore.json"), ARTIFACT.to_owned(), statement)
        };
        let statements = vec![
            statement("provenance", PROVENANCE, &provenance("fresh")),
            statement("cyclonedx", CYCLONEDX, &cyclonedx),
            statement("spdx", SPDX, &spdx),
        ];
        let pretty = |value: &Value| serde_json::to_vec_pretty(value).unwrap();
        let files = vec![
            ("VERIFY.md", FileRole::Guide, b"# Verify\n".to_vec()),
            (ARTIFACT, FileRole::Artifact, artifact),
            ("evidence/signer.pub", FileRole::Evidence, b"not a key\n".to_vec()),
            ("sbom/tool.cdx.json", FileRole::Sbom, pretty(&cyclonedx)),
            ("sbom/tool.spdx.json", FileRole::Sbom, pretty(&spdx)),
        ];
        Self { key: TestKey::new(), files, statements, version: "1.2.3", signing: Signing::Signed }
    }

    pub(super) fn policy(&self) -> VerificationPolicy {
        VerificationPolicy::new(self.key.public())
    }

    pub(super) fn manifest(&self) -> ReleaseManifest {
        let file = |(path, role, bytes): &(&str, FileRole, Vec<u8>)| ReleaseFile {
            path: (*path).to_owned(),
            role: *role,
            media_type: "application/octet-stream".into(),
            size: bytes.len() as u64,
            sha256: Sha256::of(bytes),
        };
        let reference = |(path, subject, statement): &(String, String, Statement)| StatementRef {
            path: path.clone(),
            predicate_type: statement.predicate_type.clone(),
            subject: subject.clone(),
            sha256: Sha256::of(statement.to_bytes()),
        };
        ReleaseManifest {
            format_version: FORMAT_VERSION,
            name: "tool".into(),
            version: self.version.into(),
            target: "x86_64-unknown-linux-gnu".into(),
            created: Timestamp::from_unix(0).unwrap(),
            tool: "cargo-supplychain 0.1.0".into(),
            signing: self.signing,
            files: self.files.iter().map(file).collect(),
            statements: self.statements.iter().map(reference).collect(),
        }
    }

    pub(super) fn contents(&self) -> ReleaseContents {
        self.contents_of(&serde_json::to_vec_pretty(&self.manifest()).unwrap())
    }

    /// The folder around these bytes of release.json, signed and summed up as a release is.
    pub(super) fn contents_of(&self, manifest: &[u8]) -> ReleaseContents {
        let release = Statement::release(manifest, "tool", self.version, "x86_64-unknown-linux-gnu");
        let mut files: Vec<(String, Vec<u8>)> =
            vec![(RELEASE_MANIFEST.into(), manifest.to_vec()), (RELEASE_BUNDLE.into(), self.key.bundle(&release.to_bytes()))];
        files.extend(self.files.iter().map(|(path, _, bytes)| ((*path).to_owned(), bytes.clone())));
        files.extend(self.statements.iter().map(|(path, _, one)| (path.clone(), self.key.bundle(&one.to_bytes()))));
        let sums = files.iter().map(|(path, bytes)| (path.clone(), Sha256::of(bytes))).collect();
        files.push((SHA256SUMS.into(), sha256sums(&sums).into_bytes()));
        let mut contents = ReleaseContents::default();
        for (path, bytes) in files {
            if super::needs_bytes(&path) {
                contents.insert_bytes(path, bytes);
            } else {
                contents.insert_digest(path, bytes.len() as u64, Sha256::of(&bytes));
            }
        }
        for folder in ["artifacts", "attestations", "evidence", "sbom"] {
            contents.insert_folder(folder);
        }
        contents
    }
}

pub(super) fn provenance(target_folder: &str) -> Value {
    json!({
        "buildDefinition": {
            "buildType": "https://example.org/build/v1",
            "externalParameters": { "target": "x86_64-unknown-linux-gnu" },
            "internalParameters": { "targetFolder": target_folder, "sourceIsDirty": false },
            "resolvedDependencies": [{ "name": "source", "uri": "git+https://example.org/tool", "digest": { "gitCommit": "0".repeat(40) } }]
        },
        "runDetails": { "builder": { "id": "https://example.org/builder" } }
    })
}
