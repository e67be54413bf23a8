//! Sign, write, read, verify: the trusted path over a real folder, and every way to spoil it.

#![allow(clippy::disallowed_methods, reason = "tests do IO")]

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_supplychain::archive::folder::Releases;
use cargo_supplychain::attest::{
    CYCLONEDX, KeyAlgorithm, PROVENANCE, PublicKey, RELEASE_BUNDLE, RELEASE_MANIFEST, SHA256SUMS, SPDX, Statement, sha256sums,
    subject_name,
};
use cargo_supplychain::base::{Sha256, Timestamp};
use cargo_supplychain::collect::release_folder;
use cargo_supplychain::model::release::{FORMAT_VERSION, FileRole, ReleaseFile, ReleaseManifest, Signing, StatementRef};
use cargo_supplychain::sign::key::KeySigner;
use cargo_supplychain::sign::{Content, Signer as _};
use cargo_supplychain::verify::{VerificationPolicy, file, release};
use serde_json::json;

const ARTIFACT: &str = "artifacts/tool";

struct World {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
    signer: KeySigner,
    place: Utf8PathBuf,
}

impl World {
    fn new(algorithm: KeyAlgorithm) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
        let signer = KeySigner::create(&root.join("key.pem"), algorithm, None).unwrap();
        fs::write(root.join("tool"), b"\x7fELF tool").unwrap();
        let place = write_release(&root, &signer);
        Self { _guard: guard, root, signer, place }
    }

    fn policy(&self) -> VerificationPolicy {
        VerificationPolicy::new(self.signer.public_key().clone())
    }

    /// The paths that a rejection of the folder names; none when it is verified.
    fn rejected(&self) -> Vec<String> {
        let contents = release_folder::read(&self.place).unwrap();
        match release(&contents, &self.policy()) {
            Ok(_) => Vec::new(),
            Err(rejection) => rejection.reasons().iter().map(|reason| reason.path.clone()).collect(),
        }
    }

    fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.place.clone()];
        while let Some(folder) = folders.pop() {
            for entry in folder.read_dir_utf8().unwrap() {
                let path = entry.unwrap().path().to_owned();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path.strip_prefix(&self.place).unwrap().to_string());
                }
            }
        }
        files
    }
}

/// A small release, as `build` writes one.
fn write_release(root: &Utf8Path, signer: &KeySigner) -> Utf8PathBuf {
    let releases = Releases::open(&root.join("target/supplychain"), || panic!("no other run")).unwrap();
    let staging = releases.stage("tool-1.2.3-x86_64-unknown-linux-gnu").unwrap();
    let mut files = Vec::new();
    let mut list = |path: &str, role, (size, sha256): (u64, Sha256)| {
        files.push(ReleaseFile { path: path.into(), role, media_type: "application/octet-stream".into(), size, sha256 });
    };
    let artifact = staging.copy_file(ARTIFACT, &root.join("tool")).unwrap();
    list(ARTIFACT, FileRole::Artifact, (artifact.size, artifact.sha256));
    let cyclonedx = json!({ "bomFormat": "CycloneDX", "metadata": { "component": { "version": "1.2.3" } } });
    let spdx = json!({ "spdxVersion": "SPDX-2.3" });
    for (path, sbom) in [("sbom/tool.cdx.json", &cyclonedx), ("sbom/tool.spdx.json", &spdx)] {
        list(path, FileRole::Sbom, staging.write(path, &serde_json::to_vec_pretty(sbom).unwrap()).unwrap());
    }
    list("VERIFY.md", FileRole::Guide, staging.write("VERIFY.md", b"# Verify\n").unwrap());
    files.sort_by(|a, b| a.path.cmp(&b.path));

    let (mut statements, mut sums) = (Vec::new(), std::collections::BTreeMap::new());
    let provenance = json!({ "buildDefinition": { "internalParameters": { "targetFolder": "fresh", "sourceIsDirty": false } } });
    for (kind, predicate_type, predicate) in
        [("cyclonedx", CYCLONEDX, cyclonedx), ("provenance", PROVENANCE, provenance), ("spdx", SPDX, spdx)]
    {
        let bytes = Statement::new(subject_name(ARTIFACT), artifact.sha256, predicate_type, predicate).to_bytes();
        let path = format!("attestations/tool.{kind}.sigstore.json");
        sums.insert(path.clone(), staging.write(&path, &signer.sign(Content::Statement(&bytes)).unwrap()).unwrap().1);
        let (predicate_type, subject, sha256) = (predicate_type.into(), ARTIFACT.into(), Sha256::of(&bytes));
        statements.push(StatementRef { path, predicate_type, subject, sha256 });
    }
    let manifest = ReleaseManifest {
        format_version: FORMAT_VERSION,
        name: "tool".into(),
        version: "1.2.3".into(),
        target: "x86_64-unknown-linux-gnu".into(),
        created: Timestamp::from_unix(0).unwrap(),
        tool: "test".into(),
        signing: Signing::Signed,
        files,
        statements,
    };
    let bytes = serde_json::to_vec_pretty(&manifest).unwrap();
    let statement = Statement::release(&bytes, &manifest.name, &manifest.version, &manifest.target).to_bytes();
    for (path, bytes) in [(RELEASE_MANIFEST, bytes), (RELEASE_BUNDLE, signer.sign(Content::Statement(&statement)).unwrap())] {
        sums.insert(path.into(), staging.write(path, &bytes).unwrap().1);
    }
    sums.extend(manifest.files.iter().map(|file| (file.path.clone(), file.sha256)));
    staging.write(SHA256SUMS, sha256sums(&sums).as_bytes()).unwrap();
    staging.commit().unwrap()
}

#[test]
fn a_release_is_verified_as_a_folder_and_file_by_file() {
    for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519] {
        let world = World::new(algorithm);
        assert_eq!(world.rejected(), Vec::<String>::new());
        let evidence = release_folder::read_file(&world.place.join(ARTIFACT), &[]).unwrap();
        let verified = file(&evidence, &world.policy().require_fresh_target(true)).unwrap();
        assert_eq!((verified.statements(), verified.version()), (3, Some("1.2.3")));

        // Elsewhere and alone it needs a bundle that is named; changed, it is rejected with it.
        let bundle = world.place.join("attestations/tool.provenance.sigstore.json");
        let alone = world.root.join("tool");
        assert!(file(&release_folder::read_file(&alone, &[]).unwrap(), &world.policy()).is_err());
        assert!(file(&release_folder::read_file(&alone, std::slice::from_ref(&bundle)).unwrap(), &world.policy()).is_ok());
        fs::write(&alone, b"\x7fELF fool").unwrap();
        assert!(file(&release_folder::read_file(&alone, &[bundle]).unwrap(), &world.policy()).is_err());
        let public = PublicKey::from_pem(&fs::read_to_string(world.root.join("key.pub")).unwrap()).unwrap();
        assert_eq!(public, *world.signer.public_key());
    }
}

/// "Changing any one byte of any file of the folder makes `verify` name the file": on disk, at places spread over each file.
#[test]
fn any_changed_byte_on_disk_names_its_file() {
    let world = World::new(KeyAlgorithm::EcdsaP256);
    let files = world.files();
    assert_eq!(files.len(), 10);
    for path in &files {
        let place = world.place.join(path);
        let bytes = fs::read(&place).unwrap();
        for at in (0..bytes.len()).step_by(bytes.len().div_ceil(40)).chain([bytes.len() - 1]) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&place, changed).unwrap();
            let rejected = world.rejected();
            assert!(rejected.contains(path), "{path} byte {at}: {rejected:?}");
        }
        fs::write(&place, bytes).unwrap();
    }
    assert_eq!(world.rejected(), Vec::<String>::new());
}

#[test]
fn added_removed_and_linked_files_on_disk_are_named() {
    let world = World::new(KeyAlgorithm::EcdsaP256);
    for path in world.files() {
        let (place, aside) = (world.place.join(&path), world.root.join("aside"));
        fs::rename(&place, &aside).unwrap();
        assert_eq!(world.rejected().as_slice(), std::slice::from_ref(&path));
        #[cfg(unix)]
        {
            // A link to the very same bytes is not the file.
            std::os::unix::fs::symlink(&aside, &place).unwrap();
            assert_eq!(world.rejected().as_slice(), std::slice::from_ref(&path));
            fs::remove_file(&place).unwrap();
        }
        fs::rename(&aside, &place).unwrap();
        let added = format!("{path}.more");
        fs::write(world.place.join(&added), b"").unwrap();
        assert_eq!(world.rejected().as_slice(), std::slice::from_ref(&added));
        fs::remove_file(world.place.join(&added)).unwrap();
    }
    fs::create_dir(world.place.join("empty")).unwrap();
    assert_eq!(world.rejected(), ["empty"]);
}
