//! Signing: keyless against a Sigstore of the tests' own, every fault of it, and releases that are signed later and elsewhere.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use serde_json::Value;

use crate::support::sigstore::{Fault, Parts, Sigstore, WORKFLOW, signing_config};
use crate::support::{Outcome, Project};

/// Seconds for one signature.
const TIMEOUT: u64 = 3;

/// A project that signs keyless at this Sigstore.
fn keyless(sigstore: &Sigstore) -> Project {
    let project = Project::app();
    project.write("../signing.json", sigstore.signing_config());
    project.write("../root.json", sigstore.trusted_root());
    project.append(
        "supplychain.toml",
        &format!("[sign]\nsigning-config = \"../signing.json\"\ntrusted-root = \"../root.json\"\ntimeout = {TIMEOUT}\n"),
    );
    project
}

fn run(project: &Project, sigstore: &Sigstore, arguments: &[&str]) -> Outcome {
    let mut command = project.command(arguments);
    for (name, value) in sigstore.environment() {
        command = command.env(name, value);
    }
    let outcome = command.run();
    for secret in sigstore.secrets() {
        assert!(!outcome.stderr.contains(secret) && !outcome.stdout.contains(secret), "a secret is shown: {outcome}");
    }
    outcome
}

fn files(release: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![release.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir_utf8().unwrap() {
            let path = entry.unwrap().path().to_owned();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(release).unwrap().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The files in `attestations/`.
fn statements(release: &Utf8Path, ending: &str) -> Vec<String> {
    files(release).into_keys().filter(|path| path.starts_with("attestations/") && path.ends_with(ending)).collect()
}

fn signing_of(release: &Utf8Path) -> String {
    let manifest: Value = serde_json::from_slice(&fs::read(release.join("release.json")).unwrap()).unwrap();
    manifest["signing"].as_str().unwrap().to_owned()
}

/// `(code, the ids of its reasons)`.
fn verify(project: &Project, release: &Utf8Path, key: &str) -> (i32, Vec<String>) {
    let outcome = project.run(&["verify", release.as_str(), "--key", key, "--format", "json"]);
    let reasons = outcome.json()["results"][0]["reasons"].as_array().cloned().unwrap_or_default();
    (outcome.code, reasons.iter().map(|reason| reason["id"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn a_job_with_an_identity_signs_keyless() {
    let sigstore = Sigstore::start();
    let project = keyless(&sigstore);
    let outcome = run(&project, &sigstore, &["build"]).expect(0);
    assert!(outcome.stderr.contains(&Sigstore::identity()), "{outcome}");
    let release = project.release();
    assert_eq!(signing_of(&release), "signed");
    assert_eq!((statements(&release, ".sigstore.json").len(), statements(&release, ".pending.json").len()), (4, 0));
    // One identity for the whole release.
    let asked = sigstore.asked();
    let count = |path: &str| asked.iter().filter(|one| one.starts_with(path)).count();
    assert_eq!((count("/oidc/"), count("/api/v2/signingCert"), count("/api/v1/log/entries")), (1, 1, 4));
    let all = files(&release);
    assert_eq!(all["evidence/trusted_root.json"], sigstore.trusted_root().into_bytes());
    let guide = String::from_utf8(all["VERIFY.md"].clone()).unwrap();
    assert!(guide.contains(WORKFLOW) && guide.contains(&sigstore.issuer()) && !guide.contains("signer.pub"), "{guide}");
    for (path, bytes) in &all {
        let text = String::from_utf8_lossy(bytes);
        assert!(sigstore.secrets().iter().all(|secret| !text.contains(secret)), "{path}");
    }
    let again = run(&project, &sigstore, &["sign", "--pending", release.as_str()]).expect(0);
    assert!(again.stderr.contains("nothing is pending"), "{again}");
    assert_eq!(files(&release), all);
}

/// Each fault on its own: the signer ends in time, nothing that does not verify is written, the release stays as it was; and without
/// the fault it is completed, of the release nothing else being changed.
#[test]
fn an_outage_leaves_statements_pending_and_nothing_else() {
    let sigstore = Sigstore::start();
    let project = keyless(&sigstore);
    sigstore.fault(Some(Fault::Hang("/api/v1/log")));
    let begin = Instant::now();
    let outcome = run(&project, &sigstore, &["build"]).expect(0);
    assert!(outcome.stderr.contains("signatures are pending") && outcome.stderr.contains("sign --pending"), "{outcome}");
    let release = project.release();
    assert_eq!(signing_of(&release), "pending");
    assert_eq!((statements(&release, ".sigstore.json").len(), statements(&release, ".pending.json").len()), (0, 4));
    let before = files(&release);
    // The service hung once, not once for each statement.
    let build_took = begin.elapsed();
    assert!(build_took < Duration::from_secs(120), "{build_took:?}");
    project.key("other");
    let other = project.root().join("other.pub");
    assert_eq!(verify(&project, &release, other.as_str()), (3, vec!["attest/pending".to_owned()]));

    let sign = ["sign", "--pending", release.as_str()];
    for fault in [
        Fault::Broken("/oidc"),
        Fault::Garbage("/oidc"),
        Fault::Broken("/api/v2"),
        Fault::Garbage("/api/v2"),
        Fault::WrongName,
        Fault::WrongKey,
        Fault::WrongAuthority,
        Fault::Broken("/api/v1"),
        Fault::Garbage("/api/v1"),
        Fault::BadPromise,
        Fault::BadCheckpoint,
        Fault::BadBody,
        Fault::OldTime,
        Fault::Hang("/oidc"),
        Fault::Hang("/api/v2"),
        Fault::Trickle("/api/v1"),
    ] {
        sigstore.fault(Some(fault));
        let begin = Instant::now();
        let outcome = run(&project, &sigstore, &sign).expect(4);
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(TIMEOUT + 4), "{fault:?} took {took:?}");
        assert!(outcome.stderr.contains("the release is as it was"), "{fault:?}: {outcome}");
        assert!(files(&release) == before, "{fault:?} changed the release");
    }
    // Nobody listens there.
    project.write("../signing.json", signing_config("http://127.0.0.1:9"));
    run(&project, &sigstore, &sign).expect(4);
    assert!(files(&release) == before, "a dead service changed the release");

    project.write("../signing.json", sigstore.signing_config());
    sigstore.fault(None);
    run(&project, &sigstore, &sign).expect(0);
    assert_eq!((statements(&release, ".sigstore.json").len(), statements(&release, ".pending.json").len()), (4, 0));
    let kept = |path: &str| !path.starts_with("attestations/") && path != "SHA256SUMS";
    let after = files(&release);
    for (path, bytes) in before.iter().filter(|(path, _)| kept(path)) {
        assert_eq!(after.get(path), Some(bytes), "{path} changed");
    }
    assert_eq!(after.keys().filter(|path| kept(path)).count(), before.keys().filter(|path| kept(path)).count());
}

/// With a timestamp authority, and without a log: what an instance has is asked and judged, its faults leave nothing behind.
#[test]
fn timestamps_stand_in_for_a_log_or_beside_it() {
    let sigstore = Sigstore::start();
    let project = keyless(&sigstore);
    project.write("../notes.txt", "notes\n");
    let (notes, bundle) = (project.root().join("notes.txt"), project.root().join("notes.txt.sigstore.json"));
    let identity = ["--identity", &Sigstore::identity(), "--issuer", &sigstore.issuer()];
    for (parts, logs, sources) in [(Parts::LogAndTsa, 1, 2), (Parts::Tsa, 0, 1)] {
        let (config, root) = sigstore.of(parts);
        project.write("../signing.json", &config);
        project.write("../root.json", &root);
        run(&project, &sigstore, &["sign", notes.as_str()]).expect(0);
        let verify = ["verify", notes.as_str(), "--trusted-root", "../root.json", "--format", "json"];
        let verified = project.run(&[&verify[..], &identity].concat()).expect(0).json();
        let signature = &verified["results"][0]["verified"]["signatures"][0];
        let count = |key: &str| signature[key].as_array().unwrap().len();
        assert_eq!((count("logs"), count("times")), (logs, sources), "{parts:?}: {signature}");
        let in_no_log = verified.to_string().contains("that the signature is in a public log");
        assert_eq!(in_no_log, parts == Parts::Tsa);
        fs::remove_file(&bundle).unwrap();
        let faults = [
            Fault::Broken("/tsa"),
            Fault::Garbage("/tsa"),
            Fault::Hang("/tsa"),
            Fault::Trickle("/tsa"),
            Fault::WrongImprint,
            Fault::OldStamp,
            Fault::WrongTsa,
            Fault::NotGranted,
            Fault::WrongKey,
        ];
        for fault in faults {
            sigstore.fault(Some(fault));
            let begin = Instant::now();
            let outcome = run(&project, &sigstore, &["sign", notes.as_str()]).expect(4);
            assert!(begin.elapsed() < Duration::from_secs(TIMEOUT + 4), "{parts:?} {fault:?}: {:?}", begin.elapsed());
            assert!(!bundle.exists(), "{parts:?} {fault:?}: {outcome}");
        }
        sigstore.fault(None);
        run(&project, &sigstore, &["build"]).expect(0);
        project
            .run(&[&["verify", project.release().as_str(), "--trusted-root", "../root.json"], &identity[..]].concat())
            .expect(0);
        fs::remove_dir_all(project.release()).unwrap();
    }
    // A root that knows a log asks for it: an instance that is said to have none cannot sign under it.
    project.write("../root.json", sigstore.of(Parts::LogAndTsa).1);
    run(&project, &sigstore, &["sign", notes.as_str()]).expect(4);
    assert!(!bundle.exists());
}

/// The whole release, as `verify` would judge it: by the identity that has just signed, or by the one that `[verify]` pins.
#[test]
fn a_keyless_release_is_verified_by_who_signed_it() {
    let sigstore = Sigstore::start();
    let project = keyless(&sigstore);
    let policy = fs::read_to_string(project.path("supplychain.toml")).unwrap();
    let pinned = |identity: &str| {
        let issuer = sigstore.issuer();
        project.write("supplychain.toml", format!("{policy}[verify]\nidentity = \"{identity}\"\nissuer = \"{issuer}\"\n"));
    };
    let outcome = run(&project, &sigstore, &["build"]).expect(0);
    assert!(outcome.stderr.contains("18 files, 4 statements; signer not pinned"), "{outcome}");
    pinned(&Sigstore::identity());
    let outcome = run(&project, &sigstore, &["build"]).expect(0);
    assert!(outcome.stderr.contains("18 files, 4 statements\n"), "{outcome}");
    let before = files(&project.release());

    // Pinned to somebody else: nothing is released, what was there stays.
    pinned("https://github.com/example-org/app/.github/workflows/release.yml@refs/tags/v2.0.0");
    let outcome = run(&project, &sigstore, &["build"]).expect(3);
    assert!(outcome.stderr.contains("attest/wrong-signer") && outcome.stderr.contains("nothing was released"), "{outcome}");
    assert!(files(&project.release()) == before);
    // The same of a finished release.
    run(&project, &sigstore, &["build", "--no-sign"]).expect(0);
    let release = project.release();
    let before = files(&release);
    let outcome = run(&project, &sigstore, &["sign", "--pending", release.as_str()]).expect(3);
    assert!(outcome.stderr.contains("attest/wrong-signer") && outcome.stderr.contains("nothing was changed"), "{outcome}");
    assert!(files(&release) == before);
    pinned(&Sigstore::identity());
    run(&project, &sigstore, &["sign", "--pending", release.as_str()]).expect(0);
    assert_eq!((statements(&release, ".sigstore.json").len(), statements(&release, ".pending.json").len()), (4, 0));
    // Conditions that describe nobody: before anything is compiled.
    project.write("supplychain.toml", format!("{policy}[verify]\ntag = \"v*\"\n"));
    let outcome = run(&project, &sigstore, &["build"]).expect(2);
    assert!(outcome.stderr.contains("[verify]") && !outcome.stderr.contains("Compiling"), "{outcome}");
}

#[test]
fn a_release_is_signed_in_another_job_as_it_was_built() {
    let project = Project::app();
    project.key("team");
    let (private, public) = (project.root().join("team.pem"), project.root().join("team.pub"));
    project.run(&["build", "--no-sign"]).expect(0);
    let release = project.release();
    assert_eq!(signing_of(&release), "unsigned");
    assert_eq!(verify(&project, &release, public.as_str()), (3, vec!["attest/pending".to_owned()]));
    // Carried to another place, as to another job.
    let place = project.root().join("job").join(release.file_name().unwrap());
    let carry = || {
        let _ = fs::remove_dir_all(project.root().join("job"));
        for (path, bytes) in files(&release) {
            fs::create_dir_all(place.join(&path).parent().unwrap()).unwrap();
            fs::write(place.join(path), bytes).unwrap();
        }
    };
    let sign = ["sign", place.as_str(), "--key", private.as_str()];

    type Spoil = fn(&Utf8Path);
    let spoiled: [(&str, Spoil, &str); 8] = [
        ("artifact", |at| fs::write(at.join("artifacts/app"), "other").unwrap(), "artifacts/app"),
        ("no artifact", |at| fs::remove_file(at.join("artifacts/app")).unwrap(), "artifacts/app"),
        ("one file more", |at| fs::write(at.join("artifacts/more"), "").unwrap(), "artifacts/more"),
        (
            "a statement more",
            |at| fs::write(at.join("attestations/x.pending.json"), "{}").unwrap(),
            "attestations/x.pending.json",
        ),
        (
            "a statement less",
            |at| fs::remove_file(at.join("attestations/app.spdx.pending.json")).unwrap(),
            "attestations/app.spdx",
        ),
        ("release.json", |at| edit(&at.join("release.json"), "1.0.0", "1.0.1"), "attestations/release.pending.json"),
        (
            "a statement",
            |at| edit(&at.join("attestations/app.provenance.pending.json"), "fresh", "clean"),
            "attestations/app.provenance",
        ),
        ("an SBOM", |at| edit(&at.join("sbom/app.cdx.json"), "CycloneDX", "CycloneDY"), "sbom/app.cdx.json"),
    ];
    for (what, spoil, named) in spoiled {
        carry();
        spoil(&place);
        let before = files(&place);
        let outcome = project.run(&sign).expect(3);
        assert!(outcome.stderr.contains(named) && outcome.stderr.contains("nothing was signed"), "{what}: {outcome}");
        assert!(files(&place) == before, "{what}: the release changed");
    }

    carry();
    project.run(&sign).expect(0);
    assert_eq!(verify(&project, &place, public.as_str()), (0, vec![]));
    let (before, after) = (files(&release), files(&place));
    for (path, bytes) in &before {
        if !path.starts_with("attestations/") && path != "SHA256SUMS" {
            assert_eq!(after.get(path), Some(bytes), "{path}");
        }
    }

    // One release, one signer.
    project.key("other");
    let bundle = place.join("attestations/app.spdx.sigstore.json");
    fs::remove_file(&bundle).unwrap();
    fs::write(place.join("attestations/app.spdx.pending.json"), &before["attestations/app.spdx.pending.json"]).unwrap();
    resum(&place);
    let other = project.root().join("other.pem");
    let outcome = project.run(&["sign", place.as_str(), "--key", other.as_str()]).expect(3);
    assert!(outcome.stderr.contains("not by this signer"), "{outcome}");
    project.run(&sign).expect(0);
    assert_eq!(verify(&project, &place, public.as_str()), (0, vec![]));
}

fn edit(path: &Utf8Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{path}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Writes `SHA256SUMS` for what is there.
fn resum(release: &Utf8Path) {
    let sums: String = files(release)
        .iter()
        .filter(|(path, _)| *path != "SHA256SUMS")
        .map(|(path, bytes)| format!("{}  {path}\n", cargo_supplychain::base::Sha256::of(bytes)))
        .collect();
    fs::write(release.join("SHA256SUMS"), sums).unwrap();
}

#[test]
fn who_signs_is_chosen_before_anything_is_built() {
    let sigstore = Sigstore::start();
    let project = keyless(&sigstore);
    let policy = fs::read_to_string(project.path("supplychain.toml")).unwrap();
    project.key("team");
    // No identity in CI, and no key: neither is made up.
    let outcome = project.command(&["build"]).env("CI", "true").run().expect(2);
    assert!(outcome.stderr.contains("none is created in CI") && outcome.stderr.contains("id-token"), "{outcome}");
    let cases = [
        ("timeout = 3", "timeout = 3\nmethod = \"keyless\"\n[verify]\nkey = \"../team.pub\"", "pins a key"),
        ("trusted-root = \"../root.json\"\n", "", "needs the trust root"),
        ("../signing.json", "../absent.json", "cannot read"),
        ("../signing.json", "../root.json", "cannot be used"),
        ("../root.json", "../signing.json", "cannot be used"),
        ("timeout = 3", "timeout = 0", "from 1 to 3600"),
        ("timeout = 3", "command = [\"hsm\"]", "needs `public-key`"),
    ];
    for (from, to, why) in cases {
        project.write("supplychain.toml", policy.replace(from, to));
        let outcome = run(&project, &sigstore, &["build"]).expect(2);
        assert!(outcome.stderr.contains(why), "{to}: {outcome}");
    }
    project.write("supplychain.toml", format!("{policy}method = \"keyless\"\n"));
    let outcome = project.run(&["build"]).expect(2);
    assert!(outcome.stderr.contains("no CI system offers an OIDC token"), "{outcome}");
    for (token, why) in [("../absent", "cannot read"), ("../team.pub", "holds no identity token"), ("env:ABSENT", "is not set")] {
        let outcome = project.run(&["build", "--identity-token", token]).expect(2);
        assert!(outcome.stderr.contains(why), "{outcome}");
    }
    assert!(sigstore.asked().is_empty(), "a service was asked before anything was built");
    assert!(project.releases().is_empty());
}

#[test]
fn single_files_are_signed_or_left_alone() {
    let sigstore = Sigstore::start();
    let project = keyless(&sigstore);
    project.write("../notes.txt", "notes\n");
    let notes = project.root().join("notes.txt");
    run(&project, &sigstore, &["sign", notes.as_str()]).expect(0);
    let bundle = project.root().join("notes.txt.sigstore.json");
    let value: Value = serde_json::from_slice(&fs::read(&bundle).unwrap()).unwrap();
    assert!(value["messageSignature"].is_object() && value["verificationMaterial"]["certificate"].is_object(), "{value}");
    fs::remove_file(&bundle).unwrap();
    for fault in [Fault::BadPromise, Fault::BadCheckpoint, Fault::WrongName, Fault::Hang("/api/v2")] {
        sigstore.fault(Some(fault));
        run(&project, &sigstore, &["sign", notes.as_str()]).expect(4);
        assert!(!bundle.exists(), "{fault:?}");
    }
    sigstore.fault(None);
    let outcome = run(&project, &sigstore, &["sign", "--statement", notes.as_str()]).expect(2);
    assert!(outcome.stderr.contains("in-toto statement"), "{outcome}");
}
