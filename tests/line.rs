//! The line from sources to a verified release: what `build` writes, what `verify` says of it, and what is the same in every run.

use std::collections::BTreeSet;
use std::fs;

use camino::Utf8Path;
use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Project, files};

/// The payload of a bundle's statement.
pub fn statement(bundle: &Utf8Path) -> Value {
    let bundle: Value = serde_json::from_slice(&fs::read(bundle).unwrap()).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    serde_json::from_slice(&base64(payload)).unwrap()
}

/// RFC 4648, standard alphabet.
fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for one in text.bytes().filter(|one| *one != b'=') {
        bits = (bits << 6) | u32::try_from(ALPHABET.iter().position(|letter| *letter == one).unwrap()).unwrap();
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held).to_le_bytes()[0]);
        }
    }
    bytes
}

/// Verifies with a key, and gives the exit code and the reasons.
fn verify(project: &Project, release: &Utf8Path, key: &Utf8Path, more: &[&str]) -> (i32, Vec<String>) {
    let mut arguments = vec!["verify", release.as_str(), "--key", key.as_str(), "--format", "json"];
    arguments.extend(more);
    let outcome = project.run(&arguments);
    let reasons = outcome.json()["results"][0]["reasons"].as_array().cloned().unwrap_or_default();
    (outcome.code, reasons.iter().map(|reason| reason["id"].as_str().unwrap().to_owned()).collect())
}

/// The names of the components that an SBOM of the release lists, by CycloneDX scope. The standard library, which every binary links,
/// is left out.
pub fn components(release: &Utf8Path, artifact: &str) -> BTreeSet<String> {
    let sbom = fs::read(release.join(format!("sbom/{artifact}.cdx.json"))).unwrap();
    names(&serde_json::from_slice(&sbom).unwrap())
}

/// As [`components`], of an SBOM.
pub fn names(sbom: &Value) -> BTreeSet<String> {
    let name = |component: &Value| {
        let scope = if component["scope"] == "excluded" { " (build)" } else { "" };
        format!("{}{scope}", component["name"].as_str().unwrap())
    };
    sbom["components"].as_array().into_iter().flatten().map(name).filter(|name| name != "std").collect()
}

#[test]
fn the_minimal_example_becomes_a_release_that_verifies() {
    let project = Project::example("minimal");
    // Whether a build can be sealed is the machine's business: here it is not.
    let outcome = project.run(&["build", "--sandbox", "off"]).expect(0);
    assert_snapshot!(outcome.text(), @"
    exit 0
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 2 packages
            Note created your signing key [ROOT]/config/cargo-supplychain/key.pem; its public half is [ROOT]/config/cargo-supplychain/key.pub
        Building minimal 1.0.0 (fresh target folder)
       Compiling itoa v1.0.19
       Compiling minimal v1.0.0 ([ROOT]/project)
        Finished `release` profile [optimized] target(s) in [TIME]
      Describing 1 artifact
         Signing key SHA256:[HEX] ([ROOT]/config/cargo-supplychain/key.pem)
       Verifying our own output, as a reader would

    medium[registry/pubtime-implausible]: itoa 1.0.19 is said to be published 2026-11-09, later than now (2026-09-01)
      --> Cargo.lock:5
       = pubtime 2026-11-09T01:42:29Z
       = help: compare with what crates.io says of the version, and check the clock of this machine
    low[dep/too-fresh]: itoa 1.0.19 is younger than 3 days
      --> Cargo.lock:5
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            pass 1 medium, 2 low; 3 not evaluated

      read          [TIME] s  2 packages in Cargo.lock
      check         [TIME] s  3 findings, 3 not evaluated
      build         [TIME] s  1 artifact, fresh target folder
      describe      [TIME] s  10 documents
      sign          [TIME] s  4 statements
      verify        [TIME] s  18 files, 4 statements; signer not pinned

      minimal [SIZE] bytes, sha256:[HEX]
        2 components linked, 0 only helped to build, 0 native libraries
        Released target/supplychain/minimal-1.0.0-[HOST]
            Note signer not pinned: set [verify] key in supplychain.toml, and this check proves who signed as well
            Note the build was not sealed (it was switched off): build scripts could do what you can
            Note no git commit stands behind this release
            next cargo supplychain verify target/supplychain/minimal-1.0.0-[HOST] --key [ROOT]/config/cargo-supplychain/key.pub
    ");
    let release = project.release();
    assert_snapshot!(files(&release).join("\n"), @"
NOTICE
SHA256SUMS
VERIFY.md
artifacts/minimal
attestations/minimal.cyclonedx.sigstore.json
attestations/minimal.provenance.sigstore.json
attestations/minimal.spdx.sigstore.json
attestations/release.sigstore.json
evidence/Cargo.lock
evidence/build.json
evidence/feeds.json
evidence/signer.pub
evidence/supplychain.toml
release.json
reports/report.json
reports/report.sarif
sbom/minimal.cdx.json
sbom/minimal.spdx.json
");
    assert_eq!(components(&release, "minimal"), BTreeSet::from(["itoa".to_owned()]));
    assert!(
        fs::read_to_string(release.join("sbom/minimal.cdx.json")).unwrap().contains("pkg:generic/rust-std@"),
        "std is linked too"
    );
    let binary = std::process::Command::new(release.join("artifacts/minimal")).output().unwrap();
    assert!(binary.status.success());

    // Verified by the user's own key, as a folder, as a file, from anywhere; and by no other key.
    let own = project.root().join("config/cargo-supplychain/key.pub");
    assert_eq!(verify(&project, &release, &own, &[]), (0, vec![]));
    assert_eq!(verify(&project, &release.join("artifacts/minimal"), &own, &[]), (0, vec![]));
    assert_snapshot!(project.run(&["verify", release.as_str(), "--key", own.as_str()]).expect(0).text(), @"
exit 0
    Verified [ROOT]/project/target/supplychain/minimal-1.0.0-[HOST]
     release minimal 1.0.0 [HOST]
      signer SHA256:[HEX]
     content 18 files, 4 statements
    artifact artifacts/minimal sha256:[HEX]
             by https://github.com/cargo-supplychain/cargo-supplychain/blob/main/docs/builders/local.md
             in a fresh target folder
 build level 1: a provenance of it was signed by the accepted signer
             not higher: a key does not say where it was used: level 2 needs the certificate of a hosted build platform
  not proven when it was signed: a key's signature without a trusted timestamp carries no time
  not proven that the build did what its provenance says: provenance is the signer's claim
  not proven which commit it was built from: the provenance does not say
");
    let (code, reasons) = verify(&project, &release, &project.key("other"), &[]);
    assert_eq!((code, reasons.first().map(String::as_str)), (3, Some("attest/wrong-signer")));
    // Without a signer there is nothing to verify against (DESIGN.md, invariant 7).
    assert_snapshot!(project.run(&["verify", release.as_str()]).expect(2).text(), @"
    exit 2
    error: no signer to verify against
    help: name the repository with --repo OWNER/NAME, an identity with --identity and --issuer, or a public key with --key
    help: or set one of them in [verify] of your own supplychain.toml
    help: the signer.pub inside a release proves nothing: get the key from whoever you trust
    ");
    assert_eq!(verify(&project, &release, &own, &["--expect-version", "1.0.0"]), (0, vec![]));
    assert_eq!(verify(&project, &release, &own, &["--expect-version", "1.0.1"]), (3, vec!["attest/version-mismatch".to_owned()]));

    // `sha256sum -c` would say the same.
    let sums = fs::read_to_string(release.join("SHA256SUMS")).unwrap();
    let listed: BTreeSet<_> = sums.lines().map(|line| line.split_once("  ").unwrap().1.to_owned()).collect();
    let there: BTreeSet<_> = files(&release).into_iter().filter(|path| path != "SHA256SUMS").collect();
    assert_eq!(listed, there);

    fs::write(release.join("artifacts/minimal"), b"another").unwrap();
    assert_snapshot!(project.run(&["verify", release.as_str(), "--key", own.as_str()]).expect(3).text(), @"
exit 3
    Rejected [ROOT]/project/target/supplychain/minimal-1.0.0-[HOST]
  attest/subject-digest-mismatch artifacts/minimal
    its sha256 is [HEX], release.json lists [HEX]
help: the files are not what was signed: get the release again; do not use this copy
");
}

#[test]
fn the_workspace_example_tells_linked_from_build_only() {
    let project = Project::example("workspace");
    let outcome = project.run(&["build", "--workspace", "--format", "json"]).expect(0);
    let envelope = outcome.json();
    assert_eq!((envelope["schema_version"].as_u64(), envelope["exit_code"].as_u64()), (Some(1), Some(0)));
    assert_eq!(envelope["report"]["verdict"], "pass");
    let release = project.release();
    assert_eq!(envelope["release"]["folder"], release.as_str());
    assert_eq!(release.file_name().unwrap().split("-x86").next(), Some("project-0.2.0"));
    let own = project.root().join("config/cargo-supplychain/key.pub");
    assert_eq!(verify(&project, &release, &own, &[]), (0, vec![]));

    // Of `hello` nothing of the C library nor of the optional dependency that only `report` turns on, but for what cargo unifies.
    let list = |artifact| components(&release, artifact).into_iter().collect::<Vec<_>>().join(", ");
    assert_snapshot!(list("hello"), @"greeting, greeting-macros (build), itoa, proc-macro2 (build), quote (build), unicode-ident (build)");
    assert_snapshot!(list("report"), @"cc (build), checksum-sys, find-msvc-tools (build), greeting, greeting-macros (build), itoa, proc-macro2 (build), quote (build), shlex (build), unicode-ident (build)");
    let of_report: Value = serde_json::from_slice(&fs::read(release.join("sbom/report.cdx.json")).unwrap()).unwrap();
    assert_eq!(of_report["metadata"]["component"]["name"], "report");
    // Every artifact has its three statements, over its own bytes.
    for artifact in ["hello", "report"] {
        let digest = cargo_supplychain::base::Sha256::of(fs::read(release.join("artifacts").join(artifact)).unwrap()).to_string();
        for kind in ["provenance", "cyclonedx", "spdx"] {
            let statement = statement(&release.join(format!("attestations/{artifact}.{kind}.sigstore.json")));
            assert_eq!(statement["subject"][0]["digest"]["sha256"], digest.as_str());
        }
    }
}

#[test]
fn a_reused_target_folder_is_told_and_can_be_refused() {
    let project = Project::app();
    let key = project.root().join("config/cargo-supplychain/key.pub");
    let folder = |release: &Utf8Path| {
        statement(&release.join("attestations/app.provenance.sigstore.json"))["predicate"]["buildDefinition"]["internalParameters"]
            ["targetFolder"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let fresh = |more: &[&str]| {
        let release = project.release();
        (folder(&release), verify(&project, &release, &key, more).0)
    };
    let strict = ["--require-fresh-target"];
    project.run(&["build"]).expect(0);
    assert_eq!(fresh(&strict), ("fresh".to_owned(), 0));
    let again = project.run(&["build"]).expect(0);
    assert!(again.stderr.contains("the target folder was reused, which the provenance says"), "{again}");
    assert_eq!(fresh(&[]), ("reused".to_owned(), 0));
    assert_eq!(fresh(&strict), ("reused".to_owned(), 3));
    project.run(&["build", "--clean"]).expect(0);
    assert_eq!(fresh(&strict), ("fresh".to_owned(), 0));
    project.command(&["build", "--offline"]).env("CI", "true").run().expect(0);
    assert_eq!(fresh(&strict), ("fresh".to_owned(), 0));
}

#[test]
fn in_ci_no_key_is_made_silently() {
    let project = Project::app();
    let outcome = project.command(&["build", "--offline"]).env("CI", "true").run().expect(2);
    assert_snapshot!(outcome.text(), @"
    exit 2
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 1 package
    error: there is no signing key at [ROOT]/config/cargo-supplychain/key.pem, and none is created in CI
    help: give the job an identity (GitHub Actions: `permissions: id-token: write`), name a key with --key FILE, or say --no-sign
    ");
    assert!(!project.root().join("config/cargo-supplychain").exists());
    assert!(project.releases().is_empty());
}

#[test]
fn an_unsigned_release_says_so_and_is_rejected() {
    let project = Project::app();
    let outcome = project.run(&["build", "--no-sign"]).expect(0);
    assert!(
        outcome.stderr.contains("its statements wait for `cargo supplychain sign`, and `verify` will reject it"),
        "{outcome}"
    );
    let release = project.release();
    let waiting = |name: String| name.starts_with("attestations/") && !name.ends_with(".sigstore.json");
    assert!(files(&release).into_iter().filter(|name| name.starts_with("attestations/")).all(waiting));
    let manifest: Value = serde_json::from_slice(&fs::read(release.join("release.json")).unwrap()).unwrap();
    assert_eq!(manifest["signing"], "unsigned");
    assert!(!project.root().join("config/cargo-supplychain").exists(), "no key was made");
    assert_snapshot!(project.run(&["verify", release.as_str(), "--key", project.key("k").as_str()]).expect(3).text(), @"
    exit 3
        Rejected [ROOT]/project/target/supplychain/app-1.0.0-[HOST]
      attest/pending attestations/release.sigstore.json
        the release is not signed yet (--no-sign)
    help: its publisher completes it with `cargo supplychain sign --pending RELEASE`
    ");
}

#[test]
fn a_dry_run_writes_nothing_and_runs_nothing() {
    let project = Project::app();
    project.write("build.rs", format!("fn main() {{ std::fs::write({:?}, \"\").unwrap(); }}", project.tripwire()));
    assert_snapshot!(project.run(&["build", "--dry-run"]).expect(0).text(), @"
    exit 0
         Reading [ROOT]/project (configuration, lockfile, metadata)
        Checking 1 package
    low[toolchain/unpinned]: no rust-toolchain.toml says which compiler version builds this
            pass 1 low; 1 not evaluated
     Would build app (1 component linked, 0 more help to build it)
         Dry run nothing was compiled or written
    ");
    let plan = project.run(&["build", "--dry-run", "--format", "json"]).expect(0).json();
    assert_eq!((&plan["release"], &plan["plan"]["name"]), (&Value::Null, &Value::from("app")));
    assert!(!project.path("target").exists());
    assert!(!project.root().join("config/cargo-supplychain").exists());
}

#[test]
fn same_inputs_give_the_same_bytes() {
    let project = Project::app();
    project.key("k");
    let build = |folder: &str| {
        let private = project.root().join("k.pem");
        let arguments = ["build", "--offline", "--clean", "--release-dir", folder, "--key", private.as_str()];
        project.command(&arguments).env("SOURCE_DATE_EPOCH", "1780000000").writes().run().expect(0);
        let releases = project.releases_in(folder);
        project.contents(&releases[0])
    };
    let (one, other) = (build("one"), build("other"));
    let names = |files: &std::collections::BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&one), names(&other));
    let differing: Vec<_> = one.iter().filter(|(path, bytes)| other[*path] != **bytes).map(|(path, _)| path).collect();
    // ECDSA signatures are random; everything that they sign is not.
    assert!(differing.iter().all(|path| path.starts_with("attestations/") || *path == "SHA256SUMS"), "{differing:?}");
    let release: Value = serde_json::from_slice(&one["release.json"]).unwrap();
    assert_eq!(release["created"], "2026-05-28T20:26:40Z");
    let report: Value = serde_json::from_slice(&one["reports/report.json"]).unwrap();
    assert_eq!((&report["judged_at"], &report["judged_at_is_given"]), (&Value::from(crate::support::NOW), &Value::Bool(true)));
}

#[test]
fn derived_artifacts_are_subjects_of_their_own() {
    let project = Project::app();
    project.append("supplychain.toml", "[release]\npackage = [\"sh\", \"pack.sh\"]\nartifacts = [\"target/dist/*.tar\"]\n");
    project.write(
        "pack.sh",
        "set -e\nmkdir -p target/dist\necho packaging\ntar -cf target/dist/app.tar -C \"$SUPPLYCHAIN_ARTIFACTS\" app\n",
    );
    let outcome = project.run(&["build", "--format", "json"]).expect(0);
    outcome.json();
    let release = project.release();
    assert_snapshot!(files(&release).into_iter().filter(|path| path.contains("app")).collect::<Vec<_>>().join("\n"), @"
artifacts/app
artifacts/app.tar
attestations/app.cyclonedx.sigstore.json
attestations/app.provenance.sigstore.json
attestations/app.spdx.sigstore.json
attestations/app.tar.cyclonedx.sigstore.json
attestations/app.tar.provenance.sigstore.json
attestations/app.tar.spdx.sigstore.json
sbom/app.cdx.json
sbom/app.spdx.json
sbom/app.tar.cdx.json
sbom/app.tar.spdx.json
");
    let own = project.root().join("config/cargo-supplychain/key.pub");
    assert_eq!(verify(&project, &release, &own, &[]), (0, vec![]));
    assert_eq!(verify(&project, &release.join("artifacts/app.tar"), &own, &[]), (0, vec![]));

    project.write("pack.sh", "exit 7\n");
    assert_snapshot!(project.run(&["build"]).expect(101).text(), @"
exit 101
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Checking 1 package
    Building app 1.0.0 (reused target folder)
    Finished `release` profile [optimized] target(s) in [TIME]
   Packaging sh pack.sh
error: [release] package `sh pack.sh` ended with exit status: 7; no release was written
");
    project.write("pack.sh", "rm -rf target/dist\nmkdir -p target/dist\n");
    assert_snapshot!(project.run(&["build"]).expect(2).text(), @"
exit 2
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Checking 1 package
    Building app 1.0.0 (reused target folder)
    Finished `release` profile [optimized] target(s) in [TIME]
   Packaging sh pack.sh
error: [release] artifacts `target/dist/*.tar`: matches no regular file
help: it is made by `[release] package`, or has to be there before
");
    // The release of before is still there, whole.
    assert_eq!(verify(&project, &release, &own, &[]), (0, vec![]));
}

#[test]
fn verification_by_a_pinned_signer() {
    let project = Project::app();
    project.key("team");
    project.append("supplychain.toml", "[sign]\nkey = \"../team.pem\"\n[verify]\nkey = \"../team.pub\"\n");
    let outcome = project.run(&["build"]).expect(0);
    assert!(!outcome.stderr.contains("signer not pinned"), "{outcome}");
    project.run(&["verify", project.release().as_str()]).expect(0);
    // Signed by another than the pinned one, nothing is released.
    project.key("other");
    let private = project.root().join("other.pem");
    fs::remove_dir_all(project.release()).unwrap();
    assert_snapshot!(project.run(&["build", "--key", private.as_str()]).expect(3).text(), @"
exit 3
     Reading [ROOT]/project (configuration, lockfile, metadata)
    Checking 1 package
    Building app 1.0.0 (reused target folder)
    Finished `release` profile [optimized] target(s) in [TIME]
  Describing 1 artifact
     Signing key SHA256:[HEX] ([ROOT]/other.pem)
   Verifying our own output, as a reader would
error: the release that was just written does not verify: attestations/release.sigstore.json: it was signed by another key than SHA256:[HEX] (attest/wrong-signer)
help: nothing was released; if [verify] names another signer, sign as that one
");
    assert!(project.releases().is_empty());
}
