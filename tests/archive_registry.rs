//! `archive push` and `pull` with the real binary, against a registry of the tests' own: what was pushed comes in elsewhere as any other release,
//! and what a registry changed, or somebody else has signed, does not. Registries and clients of others: tests/trial/oci.py.

use std::fs;
use std::net::TcpListener;

use serde_json::json;

use crate::archive::{ARCHIVE, World};
use crate::support::Outcome;
use crate::support::oci::OciRegistry;

const OTHER: &str = "../other-archive";
/// `release:hunter2`.
const WANTED: &str = "Basic cmVsZWFzZTpodW50ZXIy";

impl World {
    /// With the network, as far as this machine.
    fn online(&self, arguments: &[&str]) -> Outcome {
        self.project.command(&[&["archive"], arguments].concat()).run()
    }

    fn push(&self, entry: &str, reference: &str) -> Outcome {
        self.online(&["push", entry, reference, "--archive", ARCHIVE, "--format", "json"])
    }

    fn pull(&self, reference: &str) -> Outcome {
        self.online(&["pull", reference, "--archive", OTHER, "--key", "../release.pub", "--format", "json"])
    }

    /// Whether the archive that is pulled into has been begun.
    fn has_pulled(&self) -> bool {
        self.project.root().join("other-archive").exists()
    }
}

fn archived() -> World {
    let world = World::new();
    world.add(world.release.as_str()).expect(0);
    world
}

#[test]
fn what_was_pushed_comes_in_elsewhere() {
    let world = archived();
    for keeps_lists in [true, false] {
        let registry = OciRegistry::start(keeps_lists, None);
        let place = format!("{}/team/app", registry.host);
        let pushed = world.push("app@1.0.0", &place).expect(0).json();
        let reference = pushed["reference"].as_str().unwrap();
        let digest = pushed["digest"].as_str().unwrap();
        let tag = reference.strip_prefix(&format!("oci://{place}:")).unwrap().split('@').next().unwrap();
        assert!(tag.starts_with("1.0.0-") && reference.ends_with(&format!("@sha256:{digest}")), "{reference}");
        assert_eq!((&pushed["bundles"], &pushed["signatures"]["verdict"]), (&json!(4), &json!("not-asked")));
        assert_eq!(registry.manifest(tag).unwrap()["artifactType"], "application/vnd.cargo-supplychain.release.v1");
        // Again: nothing is sent twice.
        assert_eq!(world.push("app", &format!("{place}:{tag}")).expect(0).json()["uploaded"], 0);

        let pulled = world.pull(&format!("{place}:{tag}")).expect(0).json();
        let result = &pulled["results"][0];
        assert_eq!((&result["path"], &result["outcome"]), (&json!(reference), &json!("added")));
        assert_eq!(world.pull(reference).expect(0).json()["results"][0]["outcome"], "exists");
        let back = world.project.root().join("back");
        let to = ["archive", "restore", "app@1.0.0", "--archive", OTHER, "--to", "../back", "--key", "../release.pub"];
        world.project.run(&to).expect(0);
        assert_eq!(world.project.contents(&back), world.project.contents(&world.release));
        fs::remove_dir_all(back).unwrap();
        fs::remove_dir_all(world.project.root().join("other-archive")).unwrap();
    }
}

#[test]
fn what_is_not_the_signers_does_not_come_in() {
    let world = archived();
    world.project.key("other");
    let registry = OciRegistry::start(true, None);
    let place = format!("oci://{}/team/app:stable", registry.host);
    // Nor does it go out, where a signer is named.
    let refused = world.online(&["push", "app", &place, "--archive", ARCHIVE, "--key", "../other.pub"]).expect(3);
    assert!(registry.asked().is_empty(), "{refused}");
    let told = world.online(&["push", "app", &place, "--archive", ARCHIVE, "--key", "../release.pub"]).expect(0);
    assert!(told.stderr.contains("Signer") && told.stderr.contains("Pushed"), "{told}");
    registry.asked();
    let nobody = world.online(&["pull", &place, "--archive", OTHER]).expect(2);
    assert!(registry.asked().is_empty(), "whom to accept is settled first: {nobody}");
    world.online(&["pull", &place, "--archive", OTHER, "--key", "../other.pub"]).expect(3);
    let large = world.online(&["pull", &place, "--archive", OTHER, "--key", "../release.pub", "--max-size", "1000"]).expect(3);
    assert!(large.stderr.contains("more than 1000") && large.stderr.contains("--max-size"), "{large}");
    assert!(!world.has_pulled());
    world.pull(&place).expect(0);
}

#[test]
fn what_the_registry_changed_does_not_come_in() {
    let world = archived();
    let registry = OciRegistry::start(true, None);
    let place = format!("{}/team/app:stable", registry.host);
    let pushed = world.push("app", &place).expect(0).json();
    let manifest = registry.manifest("stable").unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let at = layers.iter().position(|one| one["annotations"]["org.opencontainers.image.title"] == "artifacts/app").unwrap();
    let digest = layers[at]["digest"].as_str().unwrap();
    // A bit of a file: it is not what the manifest names.
    registry.change_blob(digest, |bytes| bytes[9] ^= 1);
    let corrupt = world.pull(&place).expect(3);
    assert!(corrupt.stderr.contains("archive/corrupt") && corrupt.stderr.contains(digest), "{corrupt}");
    registry.change_blob(digest, |bytes| bytes[9] ^= 1);
    // Another file under the same tag, which the manifest names as it is: not what was signed.
    let mut other = manifest.clone();
    other["layers"][at]["digest"] = json!(registry.add_blob(b"evil"));
    other["layers"][at]["size"] = json!(4);
    registry.replace_manifest("stable", &other);
    let rejected = world.pull(&place).expect(3);
    assert!(rejected.stdout.contains("rejected"), "{rejected}");
    // Under the digest that somebody keeps it is not even looked at.
    let by_digest = format!("{}/team/app@sha256:{}", registry.host, pushed["digest"].as_str().unwrap());
    registry.replace_manifest(&format!("sha256:{}", pushed["digest"].as_str().unwrap()), &other);
    let corrupt = world.pull(&by_digest).expect(3);
    assert!(corrupt.stderr.contains("digest that it was asked by"), "{corrupt}");
    // A path that leads out of the folder.
    let mut escaping = manifest.clone();
    escaping["layers"][at]["annotations"]["org.opencontainers.image.title"] = json!("../../escaped");
    registry.replace_manifest("stable", &escaping);
    world.pull(&place).expect(3);
    assert!(!world.project.root().join("escaped").exists() && !world.has_pulled());
    registry.replace_manifest("stable", &manifest);
    world.pull(&place).expect(0);
}

#[test]
fn a_tag_is_not_moved() {
    let world = archived();
    let next = world.release_of("1.1.0");
    world.add(next.as_str()).expect(0);
    let registry = OciRegistry::start(false, None);
    let place = format!("{}/team/app:stable", registry.host);
    world.push("app@1.0.0", &place).expect(0);
    let before = registry.manifest("stable");
    let refused = world.push("app@1.1.0", &place).expect(1);
    assert!(refused.stderr.contains("archive/immutable") && refused.stderr.contains("is another release already"), "{refused}");
    assert_eq!(registry.manifest("stable"), before);
    let several = world.push("app", &place).expect(2);
    assert!(several.stderr.contains("is several releases"), "{several}");
}

#[test]
fn credentials_come_from_the_files_of_docker_and_podman() {
    let world = archived();
    let registry = OciRegistry::start(true, Some(WANTED));
    let place = &*format!("{}/team/app:1", registry.host);
    let nobody = world.push("app", place).expect(2);
    assert!(nobody.stderr.contains("~/.docker/config.json"), "{nobody}");
    let encoded = WANTED.trim_start_matches("Basic ");
    let file = json!({ "auths": { &registry.host: { "auth": encoded } } }).to_string();
    world.project.write("../auth.json", file);
    let auth = world.project.root().join("auth.json");
    for arguments in
        [["push", "app", place, "--archive", ARCHIVE, "-v"], ["pull", place, "--archive", OTHER, "--key=../release.pub", "-v"]]
    {
        let command = world.project.command(&[&["archive"], &arguments[..]].concat());
        let outcome = command.env("REGISTRY_AUTH_FILE", auth.as_str()).run().expect(0);
        let said = outcome.stdout.clone() + &outcome.stderr;
        assert!(!said.contains(encoded) && !said.contains("hunter2"), "{outcome}");
    }
}

#[test]
fn what_cannot_be_reached_is_told_as_such() {
    let world = archived();
    // A port that nobody listens on.
    let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let place = &*format!("{host}/team/app:1");
    world.push("app", place).expect(74);
    world.pull(place).expect(4);
    for arguments in [["push", "app", place, "--archive", ARCHIVE], ["pull", place, "--archive", OTHER, "--unsigned"]] {
        let offline = world.project.run(&[&["archive"], &arguments[..]].concat()).expect(2);
        assert!(offline.stderr.contains("--offline leaves no registry"), "{offline}");
    }
    let registry = OciRegistry::start(true, None);
    let missing = world.pull(&format!("{}/team/app:none", registry.host)).expect(2);
    assert!(missing.stderr.contains("there is no such manifest"), "{missing}");
    for reference in ["app", "s3://bucket/app", "https://ghcr.io/a/b:1", "me:hunter2@ghcr.io/a/b:1", "ghcr.io/a/b"] {
        let refused = world.pull(reference).expect(2);
        assert!(!refused.stderr.contains("hunter2"), "{refused}");
    }
    assert!(!world.has_pulled());
}
