//! Keyless verification with the real binary and the library: whom it accepts and why it rejects, every attack beside its benign twin
//! (ATT rows of the catalogue). Bundles are signed here, by an authority and a log of the tests' own.

use std::fs;

use camino::Utf8PathBuf;
use cargo_supplychain::attest::{Attestation, CYCLONEDX, PROVENANCE, SigstoreBundle};
use cargo_supplychain::base::{Sha256, Sha512};
use cargo_supplychain::verify::TrustRoots;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::authority::{Authority, GITHUB, Holder};
use crate::support::{Outcome, Project};

pub(crate) const BYTES: &[u8] = b"\x7fELF app 1.2.0";

/// A project folder with `app`, `app.sigstore.json` and `root.json`.
pub(crate) struct World {
    pub(crate) project: Project,
    pub(crate) authority: Authority,
}

pub(crate) fn statement(name: &str, bytes: &[u8], predicate_type: &str) -> Vec<u8> {
    let subject = json!([{ "name": name, "digest": { "sha256": Sha256::of(bytes) } }]);
    statement_of(&subject, predicate_type)
}

pub(crate) fn statement_of(subject: &Value, predicate_type: &str) -> Vec<u8> {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": predicate_type,
        "predicate": { "runDetails": { "builder": { "id": "https://example.org/builder" } } },
    });
    serde_json::to_vec(&statement).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        let world = Self { project: Project::empty(), authority: Authority::new() };
        world.project.write("app", BYTES);
        world.project.write("root.json", world.authority.root().to_string());
        world.sign(&Holder::github());
        world
    }

    pub(crate) fn sign(&self, holder: &Holder) {
        self.put(&self.authority.bundle(holder, &statement("app", BYTES, PROVENANCE)));
    }

    pub(crate) fn put(&self, bundle: &Value) {
        self.project.write("app.sigstore.json", bundle.to_string());
    }

    pub(crate) fn verify(&self, arguments: &[&str]) -> Outcome {
        self.project.run(&[&["verify", "app", "--trusted-root", "root.json"], arguments].concat())
    }

    /// The reasons of a rejection; none when it is verified.
    pub(crate) fn reasons(&self, arguments: &[&str]) -> Vec<String> {
        let outcome = self.verify(&[arguments, &["--format", "json"]].concat());
        let json = outcome.json();
        let reasons = json["results"][0]["reasons"].as_array().cloned().unwrap_or_default();
        assert_eq!(outcome.code, if reasons.is_empty() { 0 } else { 3 }, "{outcome}");
        reasons.iter().map(|reason| reason["id"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn roots(&self) -> TrustRoots {
        TrustRoots::parse("root.json", self.authority.root().to_string().as_bytes()).unwrap()
    }
}

#[test]
fn a_repository_is_enough_and_the_result_says_who_what_where_and_when() {
    let world = World::new();
    let outcome = world.verify(&["--repo", "org/app"]).expect(0);
    let text = outcome.text();
    let root = Sha256::of(world.authority.root().to_string()).to_string();
    let app = Sha256::of(BYTES).to_string();
    assert_snapshot!(text.replace(&root, "ROOT").replace(&app, "APP"), @"
    exit 0
        Verified app
         release app
          signer https://github.com/org/app/.github/workflows/release.yml@refs/tags/v1.2.0
          issuer https://token.actions.githubusercontent.com
      repository https://github.com/org/app at [HEX] from refs/tags/v1.2.0 on github-hosted by push
            time 2025-08-01T12:00:00Z by transparency log
             log https://log.example.org entry 1
    trusted root root.json of 2025-01-01 or later sha256:[HEX]
         content 1 file, 1 statement
        artifact app sha256:[HEX]
                 by https://example.org/builder
     build level 2: the certificate of a hosted build platform names workflow and source
                 not higher: the workflow that was built could sign itself: level 3 needs an isolated builder
      not proven that the build did what its provenance says: provenance is the signer's claim
      not proven that nothing of an earlier build is in it: the provenance does not say whether the target folder was fresh
    ");
    let json = world.verify(&["--repo", "org/app", "--format", "json"]).expect(0).json();
    let verified = &json["results"][0]["verified"];
    let signature = &verified["signatures"][0];
    assert_eq!(signature["identity"]["repository"], "https://github.com/org/app");
    assert_eq!(signature["identity"]["repository_id"], "1001");
    assert_eq!(signature["times"], json!([{ "time": "2025-08-01T12:00:00Z", "source": "log" }]));
    assert_eq!(signature["logs"], json!([{ "log": "https://log.example.org", "index": 1 }]));
    assert_eq!(signature["trusted_root"]["sha256"], json!(root));
    assert_eq!(verified["artifacts"][0]["predicate_types"], json!([PROVENANCE]));
}

/// Each condition with what it rejects, and the twin that it accepts.
#[test]
fn every_condition_rejects_and_has_its_twin() {
    let world = World::new();
    let subject = Holder::github().subject;
    for (good, bad, id) in [
        (vec!["--repo", "org/app"], vec!["--repo", "org/other"], "attest/wrong-repository"),
        (vec!["--repo", "Org/App"], vec!["--repo", "org/ap"], "attest/wrong-repository"),
        (vec!["--repo", "https://github.com/org/app"], vec!["--repo", "or/app"], "attest/wrong-repository"),
        (
            vec!["--repo", "org/app", "--workflow", ".github/workflows/release.yml"],
            vec!["--repo", "org/app", "--workflow", ".github/workflows/pr.yml"],
            "attest/wrong-workflow",
        ),
        (
            vec!["--repo", "org/app", "--workflow", ".github/workflows/pr.yml", "--workflow", ".github/workflows/release.yml"],
            vec!["--repo", "org/app", "--workflow", ".github/workflows/release.y"],
            "attest/wrong-workflow",
        ),
        (
            vec!["--repo", "org/app", "--ref", "refs/tags/v*"],
            vec!["--repo", "org/app", "--ref", "refs/heads/*"],
            "attest/wrong-ref",
        ),
        (vec!["--repo", "org/app", "--tag", "v1.2.0"], vec!["--repo", "org/app", "--tag", "v1.2"], "attest/wrong-ref"),
        (
            vec!["--repo", "org/app", "--commit", "0123456789abcdef0123456789abcdef01234567"],
            vec!["--repo", "org/app", "--commit", "0123456789abcdef0123456789abcdef01234568"],
            "attest/wrong-ref",
        ),
        (
            vec!["--repo", "org/app", "--repo-id", "1001"],
            vec!["--repo", "org/app", "--repo-id", "100"],
            "attest/repository-id-mismatch",
        ),
        (
            vec!["--repo", "org/app", "--owner-id", "2002"],
            vec!["--repo", "org/app", "--owner-id", "1001"],
            "attest/repository-id-mismatch",
        ),
        (
            vec!["--repo", "org/app", "--runner", "github-hosted"],
            vec!["--repo", "org/app", "--runner", "self-hosted"],
            "attest/policy-builder",
        ),
        (
            vec!["--repo", "org/app", "--trigger", "push"],
            vec!["--repo", "org/app", "--trigger", "release"],
            "attest/policy-builder",
        ),
        (
            vec!["--identity", &subject, "--issuer", GITHUB],
            vec!["--identity", &subject[..subject.len() - 1], "--issuer", GITHUB],
            "attest/wrong-signer",
        ),
        (
            vec!["--identity", &subject, "--issuer", GITHUB],
            vec!["--identity", &subject, "--issuer", "https://accounts.google.com"],
            "attest/wrong-issuer",
        ),
        (
            vec!["--identity-pattern", "https://github.com/org/*/.github/workflows/*@refs/tags/v*", "--issuer", GITHUB],
            vec!["--identity-pattern", "https://github.com/org/*@refs/tags/v*", "--issuer", GITHUB],
            "attest/wrong-signer",
        ),
        (
            vec!["--repo", "org/app", "--require-predicate", PROVENANCE],
            vec!["--repo", "org/app", "--require-predicate", CYCLONEDX],
            "attest/predicate-type-missing",
        ),
        (
            vec!["--repo", "org/app", "--expect-version", "1.2.0"],
            vec!["--repo", "org/app", "--expect-version", "1.3.0"],
            "attest/version-mismatch",
        ),
    ] {
        assert_eq!(world.reasons(&good), Vec::<String>::new(), "{good:?}");
        assert_eq!(world.reasons(&bad), [id], "{bad:?}");
    }
}

#[test]
fn a_signer_has_to_be_described_well_enough() {
    let world = World::new();
    for arguments in [
        vec![],
        vec!["--issuer", GITHUB],
        vec!["--identity", "me@example.org"],
        vec!["--workflow", ".github/workflows/release.yml"],
        vec!["--repo", "org"],
        vec!["--repo", "org/app/more"],
        vec!["--repo", "../app"],
        vec!["--repo", "git.example.org/org/app"],
        vec!["--repo", "org/app", "--ref", "main"],
        vec!["--repo", "org/app", "--commit", "0123456"],
        vec!["--identity-pattern", "**", "--issuer", GITHUB],
        vec!["--identity-pattern", "https://github.com/*/app/**", "--issuer", GITHUB],
        vec!["--identity-pattern", "me@*", "--issuer", GITHUB],
        vec!["--repo", "org/app", "--key", "root.json"],
    ] {
        assert_eq!(world.verify(&arguments).code, 2, "{arguments:?}");
    }
}

/// ATT-01, ATT-20: changed bytes; no attestation.
#[test]
fn att_01_and_20_other_bytes_and_no_attestation() {
    let world = World::new();
    world.project.write("app", b"\x7fELG app 1.2.0");
    assert_eq!(world.reasons(&["--repo", "org/app"]), ["attest/subject-digest-mismatch"]);
    world.project.write("app", BYTES);
    assert_eq!(world.reasons(&["--repo", "org/app"]), Vec::<String>::new());
    fs::rename(world.project.path("app.sigstore.json"), world.project.path("app.bundle")).unwrap();
    assert_eq!(world.reasons(&["--repo", "org/app"]), Vec::<String>::new());
    fs::rename(world.project.path("app.bundle"), world.project.path("elsewhere")).unwrap();
    assert_eq!(world.reasons(&["--repo", "org/app"]), ["attest/missing"]);
    assert_eq!(world.reasons(&["--repo", "org/app", "--bundle", "elsewhere"]), Vec::<String>::new());
    // Under another name these bytes are not what was attested.
    fs::rename(world.project.path("app"), world.project.path("tool")).unwrap();
    let renamed = ["verify", "tool", "--trusted-root", "root.json", "--repo", "org/app", "--bundle", "elsewhere"];
    assert!(world.project.run(&renamed).expect(3).text().contains("attest/subject-name"));
}

/// ATT-20: one of three files has no attestation, and is named; its twin has all.
#[test]
fn att_20_one_of_three_files() {
    let world = World::new();
    for name in ["b", "c"] {
        let bytes = format!("\x7fELF {name}");
        world.project.write(name, &bytes);
        let bundle = world.authority.bundle(&Holder::github(), &statement(name, bytes.as_bytes(), PROVENANCE));
        world.project.write(&format!("{name}.sigstore.json"), bundle.to_string());
    }
    let all = ["verify", "app", "b", "c", "--trusted-root", "root.json", "--repo", "org/app", "--format", "json"];
    let json = world.project.run(&all).expect(0).json();
    assert_eq!(json["results"].as_array().unwrap().len(), 3);
    fs::remove_file(world.project.path("b.sigstore.json")).unwrap();
    let json = world.project.run(&all).expect(3).json();
    let verdicts: Vec<_> = json["results"].as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    assert_eq!((verdicts.as_slice(), json["verdict"].as_str()), (&["verified", "rejected", "verified"][..], Some("rejected")));
    assert_eq!(json["results"][1]["reasons"][0]["id"], "attest/missing");
    assert_eq!(json["results"][1]["reasons"][0]["path"], "b");
}

/// ATT-02, ATT-03: who may sign for a repository, and the reusable workflow that a policy names.
#[test]
fn att_02_and_03_repositories_and_workflows_of_others() {
    let world = World::new();
    let reusable = "https://github.com/org/shared/.github/workflows/build.yml@refs/tags/v3";
    let policy = ["--repo", "org/app"];
    let with_reusable = ["--repo", "org/app", "--workflow", "org/shared/.github/workflows/build.yml"];
    // The subject begins like the repository, and is another one.
    for subject in [
        "https://github.com/org/app-evil/.github/workflows/release.yml@refs/tags/v1.2.0",
        "https://github.com/org/app@evil",
        "https://github.com.evil/org/app/.github/workflows/release.yml@refs/tags/v1",
        reusable,
    ] {
        world.sign(&Holder::github().called(subject));
        assert_eq!(world.reasons(&policy), ["attest/wrong-workflow"], "{subject}");
    }
    assert_eq!(world.reasons(&with_reusable), Vec::<String>::new());
    world.sign(&Holder::github().called(reusable).with(12, "https://github.com/org/other"));
    assert_eq!(world.reasons(&with_reusable), ["attest/wrong-repository"]);
    // A file of the same repository whose name holds the expected one.
    let odd = "https://github.com/org/app/.github/workflows/release.yml@x.yml@refs/heads/main";
    world.sign(&Holder::github().called(odd));
    assert_eq!(world.reasons(&["--repo", "org/app", "--workflow", ".github/workflows/release.yml"]), ["attest/wrong-workflow"]);
    // A certificate that names no repository is none of the repository's.
    world.sign(&Holder::github().with(12, ""));
    assert_eq!(world.reasons(&policy), ["attest/wrong-repository"]);
    // The words are the issuer's: another issuer can write the same ones.
    world.sign(&Holder::github().with(8, "https://oidc.evil.example"));
    assert_eq!(world.reasons(&policy), ["attest/wrong-issuer"]);
}

#[test]
fn the_gitlab_profile() {
    let world = World::new();
    let subject = "https://gitlab.com/group/sub/app//.gitlab-ci.yml@refs/heads/main";
    let gitlab = Holder {
        subject: subject.to_owned(),
        claims: [
            (8, "https://gitlab.com"),
            (12, "https://gitlab.com/group/sub/app"),
            (14, "refs/heads/main"),
            (11, "gitlab-hosted"),
        ]
        .map(|(number, text)| (number, text.to_owned()))
        .to_vec(),
    };
    world.sign(&gitlab);
    assert_eq!(world.reasons(&["--repo", "gitlab.com/group/sub/app", "--workflow", ".gitlab-ci.yml"]), Vec::<String>::new());
    assert_eq!(world.reasons(&["--repo", "gitlab.com/group/sub/app", "--ref", "refs/heads/main"]), Vec::<String>::new());
    assert_eq!(world.reasons(&["--repo", "gitlab.com/group/app"]), ["attest/wrong-repository"]);
    assert_eq!(world.reasons(&["--repo", "group/app"]), ["attest/wrong-issuer", "attest/wrong-repository"]);
    world.sign(
        &gitlab
            .with(8, "https://git.example.org")
            .with(12, "https://git.example.org/group/app")
            .called("https://git.example.org/group/app//.gitlab-ci.yml@refs/heads/main"),
    );
    let own = ["--repo", "https://git.example.org/group/app", "--issuer", "https://git.example.org"];
    assert_eq!(world.reasons(&own), Vec::<String>::new());
}

/// ATT-07: what is good for v1.2.0 is not good for v1.3.0, whoever says which it is.
#[test]
fn att_07_an_older_version_in_place_of_a_newer() {
    let world = World::new();
    assert_eq!(world.reasons(&["--repo", "org/app", "--expect-version", "2.0"]), ["attest/version-mismatch"]);
    for (tag, version, good) in [("app-v1.3.0", "1.3.0", true), ("11.3.0", "1.3.0", false), ("v1.3.0-rc1", "1.3.0", false)] {
        world.sign(&Holder::github().with(14, &format!("refs/tags/{tag}")));
        assert_eq!(world.reasons(&["--repo", "org/app", "--expect-version", version]).is_empty(), good, "{tag}");
    }
    // A branch names no version: nothing says which it is.
    world.sign(&Holder::github().with(14, "refs/heads/main"));
    assert_eq!(world.reasons(&["--repo", "org/app", "--expect-version", "1.2.0"]), ["attest/version-mismatch"]);
}

/// ATT-07: a good attestation of a version that was superseded, replayed; the oldest version that is accepted tells it.
#[test]
fn att_07_superseded_versions() {
    let world = World::new();
    let oldest = |version| ["--repo", "org/app", "--min-version", version];
    for good in ["1.2.0", "1.2", "0.9.9", "1.2.0-rc.1"] {
        assert_eq!(world.reasons(&oldest(good)), Vec::<String>::new(), "{good}");
    }
    assert_eq!(world.reasons(&oldest("1.2.1")), ["attest/superseded"]);
    assert_eq!(world.reasons(&oldest("1.10")), ["attest/superseded"]);
    assert!(world.verify(&oldest("1.3.0")).expect(3).text().contains("nothing older than 1.3.0 is accepted"));
    // What does not say its version could be any.
    world.sign(&Holder::github().with(14, "refs/heads/main"));
    assert_eq!(world.reasons(&oldest("0.1.0")), ["attest/version-mismatch"]);
    for bad in ["x", "", "v1"] {
        assert_eq!(world.verify(&oldest(bad)).code, 2, "{bad}");
    }
    world.sign(&Holder::github());
    let policy = "[verify]\nrepo = \"org/app\"\nmin-version = \"1.3.0\"\n";
    world.project.write("supplychain.toml", policy);
    assert_eq!(world.reasons(&[]), ["attest/superseded"]);
    assert_eq!(world.reasons(&["--min-version", "1.2.0"]), Vec::<String>::new());
}

/// ATT-11: subjects that could mean two files, or any.
#[test]
fn att_11_ambiguous_subjects() {
    let world = World::new();
    let (sha256, sha512) = (Sha256::of(BYTES).to_string(), Sha512::of(BYTES).to_string());
    let sign = |subject: &Value| world.put(&world.authority.bundle(&Holder::github(), &statement_of(subject, PROVENANCE)));
    for (subject, expected) in [
        (json!([]), "attest/malformed"),
        (json!([{ "name": "app", "digest": { "sha1": "00" } }]), "attest/malformed"),
        (json!([{ "name": "app", "digest": { "sha256": sha256.to_uppercase() } }]), "attest/malformed"),
        (json!([{ "name": "app", "digest": { "sha256": sha256[1..] } }]), "attest/malformed"),
        (
            json!([{ "name": "app", "digest": { "sha256": sha256 } }, { "name": "app", "digest": { "sha256": "0".repeat(64) } }]),
            "attest/malformed",
        ),
        (json!([{ "name": "app", "digest": { "sha256": sha256, "sha512": "0".repeat(128) } }]), "attest/subject-digest-mismatch"),
        (json!([{ "name": "app", "digest": { "sha512": "0".repeat(128) } }]), "attest/subject-digest-mismatch"),
        (
            json!([{ "name": "app", "digest": { "sha256": "0".repeat(64) } }, { "name": "b", "digest": { "sha256": sha256 } }]),
            "attest/subject-digest-mismatch",
        ),
    ] {
        sign(&subject);
        assert_eq!(world.reasons(&["--repo", "org/app"]), [expected], "{subject}");
    }
    for subject in [
        json!([{ "name": "app", "digest": { "sha256": sha256, "sha512": sha512 } }]),
        json!([{ "name": "dist/app", "digest": { "sha512": sha512 } }]),
        json!([{ "name": "pkg:npm/app@1.2.0", "digest": { "sha512": sha512 } }]),
        json!([{ "name": "other", "digest": { "sha256": "0".repeat(64) } }, { "name": "app", "digest": { "sha256": sha256 } }]),
    ] {
        sign(&subject);
        assert_eq!(world.reasons(&["--repo", "org/app"]), Vec::<String>::new(), "{subject}");
    }
    let twice =
        String::from_utf8(statement("app", BYTES, PROVENANCE)).unwrap().replacen("\"subject\"", "\"subject\":[],\"subject\"", 1);
    world.put(&world.authority.bundle(&Holder::github(), twice.as_bytes()));
    assert_eq!(world.reasons(&["--repo", "org/app"]), ["attest/malformed"]);
}

/// ATT-15: which root counts, and that an old bundle stays good while the old log's key is still in it.
#[test]
fn att_15_roots() {
    let world = World::new();
    let policy = ["verify", "app", "--repo", "org/app"];
    assert_eq!(world.project.run(&policy).code, 3, "the embedded roots do not know this authority");
    let root = |change: &dyn Fn(&mut Value)| {
        let mut root = world.authority.root();
        change(&mut root);
        world.project.write("root.json", root.to_string());
        world.reasons(&["--repo", "org/app"])
    };
    let ended = json!({ "start": "2025-01-01T00:00:00Z", "end": "2025-09-01T00:00:00Z" });
    let rotated = root(&|root| {
        let newer = Authority::new().root()["tlogs"][0].clone();
        root["tlogs"][0]["publicKey"]["validFor"] = ended.clone();
        root["tlogs"].as_array_mut().unwrap().push(newer);
    });
    assert_eq!(rotated, Vec::<String>::new());
    let later = json!({ "start": "2025-09-01T00:00:00Z" });
    assert_eq!(root(&|root| root["tlogs"][0]["publicKey"]["validFor"] = later.clone()), ["attest/log-invalid"]);
    assert_eq!(root(&|root| root["certificateAuthorities"][0]["validFor"] = later.clone()), ["attest/signature-invalid"]);
    let other = Authority::new().root();
    assert_eq!(root(&|root| root["tlogs"] = other["tlogs"].clone()), ["attest/log-invalid"]);
    let authorities = &other["certificateAuthorities"];
    assert_eq!(root(&|root| root["certificateAuthorities"] = authorities.clone()), ["attest/signature-invalid"]);
    // A root of the future, as after a clock was set back: nothing in it counts yet.
    let future = json!({ "start": "2099-01-01T00:00:00Z" });
    let not_yet = root(&|root| {
        root["certificateAuthorities"][0]["validFor"] = future.clone();
        root["tlogs"][0]["publicKey"]["validFor"] = future.clone();
    });
    assert!(!not_yet.is_empty(), "{not_yet:?}");
    for broken in ["", "{}", "[]"] {
        world.project.write("root.json", broken);
        assert_eq!(world.verify(&["--repo", "org/app"]).code, 2);
    }
}

#[test]
fn a_digest_and_a_collection_will_do() {
    let world = World::new();
    let digest = format!("sha256:{}", Sha256::of(BYTES));
    let verify = |arguments: &[&str]| {
        world.project.run(&[&["verify", "--trusted-root", "root.json", "--repo", "org/app"], arguments].concat())
    };
    verify(&["--digest", &digest, "--bundle", "app.sigstore.json"]).expect(0);
    verify(&["--digest", &digest, "app.sigstore.json"]).expect(0);
    let other = format!("sha256:{}", Sha256::of(b"other"));
    assert!(verify(&["--digest", &other, "app.sigstore.json"]).expect(3).text().contains("attest/subject-digest-mismatch"));
    // The repository's host could be asked, but for --offline.
    assert!(verify(&["--digest", &digest]).expect(3).text().contains("attest/missing"));
    verify(&["--digest", &digest.to_uppercase(), "app.sigstore.json"]).expect(2);
    // One of a collection is enough; none is not.
    let good = fs::read_to_string(world.project.path("app.sigstore.json")).unwrap();
    let evil =
        world.authority.bundle(&Holder::github().with(12, "https://github.com/org/evil"), &statement("app", BYTES, PROVENANCE));
    world.project.write("all.jsonl", format!("{evil}\n{good}\n"));
    verify(&["app", "--bundle", "all.jsonl"]).expect(0);
    world.project.write("all.jsonl", format!("{evil}\n"));
    assert!(verify(&["app", "--bundle", "all.jsonl"]).expect(3).text().contains("attest/wrong-repository"));
}

#[test]
fn the_policy_file_names_the_signer() {
    let world = World::new();
    let file = "[verify]\nrepo = \"org/app\"\ntrusted-root = \"root.json\"\nworkflow = \".github/workflows/release.yml\"\nrepo-id = 1001\n\
                tag = \"v*\"\nrunner = \"github-hosted\"\nrequire-predicate = [\"https://slsa.dev/provenance/v1\"]\n";
    world.project.write("supplychain.toml", file);
    world.project.run(&["verify", "app"]).expect(0);
    assert!(world.project.run(&["verify", "app", "--repo", "org/other"]).expect(3).text().contains("attest/wrong-repository"));
    assert!(world.project.run(&["verify", "app", "--ref", "refs/heads/main"]).expect(3).text().contains("attest/wrong-ref"));
    world.project.write("supplychain.toml", file.replace("1001", "\"7\""));
    assert!(world.project.run(&["verify", "app"]).expect(3).text().contains("attest/repository-id-mismatch"));
    world.project.write("supplychain.toml", file.replace("repo-id", "repo_id"));
    world.project.run(&["verify", "app"]).expect(2);
}

#[test]
fn nothing_is_accepted_without_the_signature() {
    let world = World::new();
    let bundle = fs::read(world.project.path("app.sigstore.json")).unwrap();
    assert!(SigstoreBundle::parse(&bundle).unwrap().is_keyless());
    assert!(Attestation::parse(&statement("app", BYTES, PROVENANCE)).is_ok());
    // The same bundle, with a key expected: a certificate is not that key.
    let key = Utf8PathBuf::from("key.pem");
    world.project.run(&["key", "generate", "--output", key.as_str()]).expect(0);
    let outcome = world.verify(&["--key", "key.pub", "--format", "json"]);
    assert_eq!(outcome.json()["results"][0]["reasons"][0]["id"], "attest/wrong-signer");
}
