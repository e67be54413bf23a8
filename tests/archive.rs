//! The archive with the real binary: releases come in as they were verified, never change, are given back as they were, and are judged again by
//! the trusted roots of their day (ARC rows of the catalogue). Kills and full disks: tests/trial/archive_faults.py.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::support::authority::Authority;
use crate::support::sigstore::{Sigstore, WORKFLOW};
use crate::support::{Outcome, Project, files};

/// A project with a signed release of 1.0.0, and an archive beside it.
pub(crate) struct World {
    pub(crate) project: Project,
    pub(crate) release: Utf8PathBuf,
}

pub(crate) const ARCHIVE: &str = "../archive";

impl World {
    pub(crate) fn new() -> Self {
        let project = Project::app();
        project.key("release");
        project.run(&["build", "--key", "../release.pem"]).expect(0);
        let release = project.release();
        Self { project, release }
    }

    pub(crate) fn archive(&self, arguments: &[&str]) -> Outcome {
        self.project.run(&[&["archive"], arguments, &["--archive", ARCHIVE]].concat())
    }

    pub(crate) fn add(&self, folder: &str) -> Outcome {
        self.archive(&["add", folder, "--key", "../release.pub"])
    }

    pub(crate) fn store(&self) -> Utf8PathBuf {
        self.project.root().join("archive")
    }

    /// Another version's release, of the same bytes.
    pub(crate) fn release_of(&self, version: &str) -> Utf8PathBuf {
        let project = &self.project;
        let edit = |file: &str| {
            let text = project.read(file);
            let current = text.lines().find(|line| line.starts_with("version = \"")).unwrap().to_owned();
            project.write(file, text.replacen(&current, &format!("version = \"{version}\""), 1));
        };
        edit("Cargo.toml");
        edit("Cargo.lock");
        project.run(&["build", "--key", "../release.pem"]).expect(0);
        project.releases().into_iter().find(|path| path.as_str().contains(&format!("app-{version}-"))).unwrap()
    }

    /// Copies a release, with its modes, to a folder beside the project.
    pub(crate) fn copy(&self, name: &str) -> Utf8PathBuf {
        let to = self.project.root().join(name);
        for path in files(&self.release) {
            fs::create_dir_all(to.join(&path).parent().unwrap()).unwrap();
            fs::copy(self.release.join(&path), to.join(&path)).unwrap();
        }
        to
    }
}

fn head(outcome: &Outcome) -> String {
    let json = outcome.json();
    json["results"][0]["release"]["head"]
        .as_str()
        .or(json["head"].as_str())
        .or(json["archive"]["head"].as_str())
        .unwrap()
        .to_owned()
}

fn objects(store: &Utf8Path) -> Vec<String> {
    files(&store.join("objects"))
}

#[cfg(unix)]
fn modes(folder: &Utf8Path) -> Vec<(String, bool)> {
    use std::os::unix::fs::PermissionsExt as _;
    let is_executable = |path: &String| fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o111 != 0;
    files(folder).into_iter().map(|path| (path.clone(), is_executable(&path))).collect()
}

#[test]
fn a_release_goes_in_and_comes_back_as_it_was() {
    let world = World::new();
    let added = world.archive(&["add", world.release.as_str(), "--key", "../release.pub", "--format", "json"]).expect(0);
    assert_eq!(added.json()["results"][0]["outcome"], "added");
    let kept = head(&added);
    assert!(kept.starts_with("2@sha256:"), "{kept}");
    let listed = world.archive(&["list", "--format", "json"]).expect(0).json();
    assert_eq!(listed["releases"][0]["name"], "app");
    assert_eq!(listed["archive"]["head"], kept);
    let shown = world.archive(&["show", "app@1.0.0", "--format", "json"]).expect(0).json();
    let content = &shown["releases"][0]["content"];
    assert_eq!(content["admission"]["kind"], "key");
    assert_eq!(content["trusted_roots"].as_array().unwrap().len(), 2, "the embedded roots of the day");
    assert_eq!(content["files"].as_array().unwrap().len(), files(&world.release).len());
    world.archive(&["show", "app@1.0.0"]).expect(0);
    world.archive(&["verify", "--expect-head", &kept]).expect(0);
    world.archive(&["verify", "--key", "../release.pub"]).expect(0);
    world.project.run(&["verify", "archive:app@1.0.0", "--archive", ARCHIVE, "--key", "../release.pub"]).expect(0);

    let back = world.project.root().join("back");
    world.archive(&["restore", "app@1.0.0", "--to", "../back", "--key", "../release.pub"]).expect(0);
    assert_eq!(world.project.contents(&back), world.project.contents(&world.release));
    #[cfg(unix)]
    assert_eq!(modes(&back), modes(&world.release));
    world.project.run(&["verify", "../back", "--key", "../release.pub"]).expect(0);
    let again = world.archive(&["restore", "app@1.0.0", "--to", "../back"]).expect(2);
    assert!(again.stderr.contains("exists"), "{again}");
}

/// ARC-05: a release is never replaced; the same is no error.
#[test]
fn a_release_is_never_replaced() {
    let world = World::new();
    world.add(world.release.as_str()).expect(0);
    let before = world.project.contents(&world.store());
    let same = world.archive(&["add", world.release.as_str(), "--key", "../release.pub", "--format", "json"]).expect(0);
    assert_eq!(same.json()["results"][0]["outcome"], "exists");
    assert_eq!(world.project.contents(&world.store()), before);
    world.project.write("src/main.rs", "fn main() {\n    println!(\"other\");\n}\n");
    world.project.run(&["build", "--key", "../release.pem"]).expect(0);
    let refused = world.add(world.release.as_str()).expect(1);
    assert!(refused.stderr.contains("archive/immutable: app@1.0.0/"), "{refused}");
    assert!(refused.stderr.contains("artifacts/app"), "{refused}");
    assert_eq!(world.project.contents(&world.store()), before, "the old one is as it was");
    world.archive(&["verify", "--key", "../release.pub"]).expect(0);
    // Its twin: a version of its own.
    let next = world.release_of("1.1.0");
    world.add(next.as_str()).expect(0);
    // And once it was pruned no other takes its place.
    world.archive(&["prune", "app@1.0.0", "--reason", "test"]).expect(0);
    world.archive(&["show", "app@1.0.0"]).expect(2);
    world.archive(&["verify"]).expect(0);
}

#[test]
fn what_does_not_verify_does_not_come_in() {
    let world = World::new();
    world.project.key("other");
    world.archive(&["add", world.release.as_str()]).expect(2);
    world.archive(&["add", world.release.as_str(), "--key", "../other.pub"]).expect(3);
    let changed = world.copy("changed");
    fs::write(changed.join("artifacts/app"), b"evil").unwrap();
    world.add("../changed").expect(3);
    world.archive(&["add", "../changed", "--unsigned"]).expect(3);
    assert!(!world.store().exists(), "nothing was begun");
    world.add(world.release.as_str()).expect(0);
}

#[test]
fn an_unsigned_release_is_recorded_as_such() {
    let project = Project::app();
    project.run(&["build", "--no-sign"]).expect(0);
    let release = project.release();
    project.key("release");
    let archive = |arguments: &[&str]| project.run(&[&["archive"], arguments, &["--archive", ARCHIVE]].concat());
    archive(&["add", release.as_str(), "--key", "../release.pub"]).expect(3);
    archive(&["add", release.as_str(), "--unsigned"]).expect(0);
    let shown = archive(&["show", "app", "--format", "json"]).expect(0).json();
    assert_eq!(shown["releases"][0]["content"]["admission"]["kind"], "unsigned");
    let checked = archive(&["verify", "--key", "../release.pub", "--format", "json"]).expect(0).json();
    assert_eq!(checked["releases"][0]["signatures"]["verdict"], "unsigned");
    project.run(&["verify", "archive:app", "--archive", ARCHIVE, "--key", "../release.pub"]).expect(3);
}

/// ARC-10: what is stored depends on the release and nothing else.
#[test]
fn the_same_release_is_stored_as_the_same_bytes() {
    let world = World::new();
    world.add(world.release.as_str()).expect(0);
    let other = world.copy("elsewhere");
    for path in files(&other) {
        let file = fs::File::options().append(true).open(other.join(&path)).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000)).unwrap();
    }
    let elsewhere =
        world.project.command(&["archive", "add", other.as_str(), "--key", "../release.pub", "--archive", "../second"]);
    elsewhere.env("TZ", "Asia/Tokyo").env("LC_ALL", "C").now("2026-10-01T00:00:00Z").run().expect(0);
    assert_eq!(objects(&world.store()), objects(&world.project.root().join("second")));
}

/// A store that was set back, or from which something was taken out.
#[test]
fn a_store_that_is_not_what_it_was_is_seen() {
    let world = World::new();
    let kept = head(&world.archive(&["add", world.release.as_str(), "--key", "../release.pub", "--format", "json"]).expect(0));
    let next = world.release_of("1.1.0");
    let newer = head(&world.archive(&["add", next.as_str(), "--key", "../release.pub", "--format", "json"]).expect(0));
    world.archive(&["verify", "--expect-head", &kept]).expect(0);
    let store = world.store();
    let last = store.join("log/0000000003.json");
    let bytes = fs::read(&last).unwrap();
    fs::remove_file(&last).unwrap();
    // The end that was cut off is seen by whoever kept a head, in every verb; the objects that are left are told without one.
    let verified = world.archive(&["verify", "--format", "json"]).expect(0).json();
    assert!(!verified["unreferenced"].as_array().unwrap().is_empty());
    for arguments in
        [&["verify"][..], &["list"], &["prune", "--keep-last", "1"], &["add", next.as_str(), "--key", "../release.pub"]]
    {
        let refused = world.archive(&[arguments, &["--expect-head", &newer]].concat()).expect(1);
        assert!(refused.stderr.contains("archive/rollback"), "{refused}");
    }
    fs::write(&last, &bytes).unwrap();
    world.archive(&["verify", "--expect-head", &newer]).expect(0);
    // A release in the middle.
    let middle = store.join("log/0000000002.json");
    let middle_bytes = fs::read(&middle).unwrap();
    fs::remove_file(&middle).unwrap();
    let broken = world.archive(&["list"]).expect(3);
    assert!(broken.stderr.contains("archive/corrupt") && broken.stderr.contains("entry 2 is missing"), "{broken}");
    fs::write(&middle, middle_bytes).unwrap();
    // An object, and one that nobody put there.
    let object = store.join("objects").join(&objects(&store)[0]);
    let object_bytes = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();
    let missing = world.archive(&["verify"]).expect(3);
    assert!(missing.stderr.contains("is missing"), "{missing}");
    fs::write(&object, object_bytes).unwrap();
    fs::write(store.join("objects/extra"), b"").unwrap();
    let extra = world.archive(&["verify"]).expect(3);
    assert!(extra.stderr.contains("objects/extra is no object of an archive"), "{extra}");
    fs::remove_file(store.join("objects/extra")).unwrap();
    world.archive(&["verify"]).expect(0);
}

/// A trusted root that has rotated since.
#[test]
fn a_release_is_judged_by_the_trusted_root_of_its_day() {
    let sigstore = Sigstore::start();
    let project = Project::app();
    project.write("../signing.json", sigstore.signing_config());
    project.write("../root.json", sigstore.trusted_root());
    project.append("supplychain.toml", "[sign]\nsigning-config = \"../signing.json\"\ntrusted-root = \"../root.json\"\n");
    let mut command = project.command(&["build"]);
    for (name, value) in sigstore.environment() {
        command = command.env(name, value);
    }
    command.run().expect(0);
    let release = project.release();
    let identity = format!("https://github.com/{WORKFLOW}");
    let issuer = sigstore.issuer();
    let signer = ["--identity", &identity, "--issuer", &issuer];
    let run = |arguments: &[&str], root: &str| project.run(&[arguments, &signer, &["--trusted-root", root]].concat());
    run(&["archive", "add", release.as_str(), "--archive", ARCHIVE], "../root.json").expect(0);
    project.write("../today.json", Authority::new().root().to_string());
    // By today's root it would not verify; the archive keeps that of its day, and says what has become of it.
    run(&["verify", release.as_str()], "../today.json").expect(3);
    let checked = run(&["archive", "verify", "--archive", ARCHIVE, "--format", "json"], "../today.json").expect(0).json();
    let signatures = &checked["releases"][0]["signatures"];
    assert_eq!(signatures["verdict"], "verified");
    let rotated: Vec<_> = signatures["rotated"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert_eq!(rotated, ["certificate authority", "transparency log"]);
    let told = run(&["verify", "archive:app@1.0.0", "--archive", ARCHIVE], "../today.json").expect(0);
    assert!(told.stderr.contains("Rotated") && told.stderr.contains("is in no trusted root of today"), "{told}");
    // Its twin: nothing has rotated.
    let twin = run(&["archive", "verify", "--archive", ARCHIVE, "--format", "json"], "../root.json").expect(0).json();
    assert_eq!(twin["releases"][0]["signatures"]["rotated"], Value::Array(Vec::new()));
    // Another signer is another signer, whatever the root.
    project.run(&["archive", "verify", "--archive", ARCHIVE, "--repo", "org/other", "--trusted-root", "../today.json"]).expect(3);
}

#[test]
fn what_is_let_go_and_what_stays() {
    let world = World::new();
    world.add(world.release.as_str()).expect(0);
    let shared = objects(&world.store());
    for version in ["1.1.0", "1.2.0", "1.3.0"] {
        let release = world.release_of(version);
        world.add(release.as_str()).expect(0);
    }
    world.archive(&["hold", "app@1.1.0", "--reason", "case 1"]).expect(0);
    let would = world.archive(&["prune", "--keep-last", "1", "--dry-run", "--format", "json"]).expect(0).json();
    assert_eq!(would["releases"].as_array().unwrap().len(), 2);
    let before = objects(&world.store()).len();
    assert!(before > shared.len());
    let held = world.archive(&["prune", "app@1.1.0"]).expect(1);
    assert!(held.stderr.contains("it is held by entry"), "{held}");
    let policy = world.project.read("supplychain.toml");
    world.project.append("supplychain.toml", "[[archive.supported]]\nname = \"app\"\nversion = \"1.2\"\n");
    let supported = world.archive(&["prune", "app@1.2.0"]).expect(1);
    assert!(supported.stderr.contains("supported"), "{supported}");
    let pruned = world.archive(&["prune", "--keep-last", "1", "--format", "json"]).expect(0).json();
    let versions: Vec<_> = pruned["releases"].as_array().unwrap().iter().map(|one| one["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["1.0.0"]);
    assert!(objects(&world.store()).len() < before);
    world.archive(&["verify", "--key", "../release.pub"]).expect(0);
    world.archive(&["restore", "app@1.1.0", "--to", "../held", "--key", "../release.pub"]).expect(0);
    world.archive(&["restore", "app@1.0.0", "--to", "../gone"]).expect(2);
    world.archive(&["unhold", "app@1.1.0", "--reason", "over"]).expect(0);
    world.project.write("supplychain.toml", policy);
    world.archive(&["prune", "--keep-last", "1"]).expect(0);
    let listed = world.archive(&["list", "--format", "json"]).expect(0).json();
    assert_eq!(listed["releases"].as_array().unwrap().len(), 1);
    world.archive(&["verify", "--key", "../release.pub"]).expect(0);
    // It may come back as it was, and not as another.
    world.add(world.release.as_str()).expect(0);
    world.archive(&["verify", "--key", "../release.pub"]).expect(0);
}

#[test]
fn a_build_is_archived_where_the_policy_says_so() {
    let project = Project::app();
    let key = project.key("release");
    project.append("supplychain.toml", "[archive]\nstore = \"../archive\"\non-build = true\n");
    let built = project.run(&["build", "--key", "../release.pem", "--format", "json"]).expect(0).json();
    assert_eq!(built["release"]["archived"]["name"], "app");
    project.run(&["archive", "verify", "--key", key.as_str()]).expect(0);
    project.run(&["archive", "list"]).expect(0);
    // The release stands whatever comes of it.
    project.write("src/main.rs", "fn main() {\n    println!(\"other\");\n}\n");
    let refused = project.run(&["build", "--key", "../release.pem"]).expect(1);
    assert!(refused.stderr.contains("archive/immutable") && refused.stderr.contains("the release stands in"), "{refused}");
    project.run(&["verify", project.release().as_str(), "--key", key.as_str()]).expect(0);
    // What is not signed yet is not archived: it would never change again.
    let pending = project.run(&["build", "--no-sign"]).expect(4);
    assert!(pending.stderr.contains("was not archived"), "{pending}");
}

/// ARC-04.
#[test]
fn eight_writers_at_once() {
    let world = World::new();
    let other = world.release_of("1.1.0");
    let runs: Vec<_> = (0..8)
        .map(|number| {
            let release = if number % 2 == 0 { &world.release } else { &other };
            let arguments =
                ["archive", "add", release.as_str(), "--key", "../release.pub", "--archive", ARCHIVE, "--format", "json"];
            world.project.command(&arguments).process().stdout(std::process::Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut outcomes = Vec::new();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let json: Value = serde_json::from_slice(&output.stdout).unwrap();
        outcomes.push(json["results"][0]["outcome"].as_str().unwrap().to_owned());
    }
    outcomes.sort();
    assert_eq!(outcomes, [["added"; 2].to_vec(), ["exists"; 6].to_vec()].concat());
    let checked = world.archive(&["verify", "--key", "../release.pub", "--format", "json"]).expect(0).json();
    assert_eq!(checked["releases"].as_array().unwrap().len(), 2);
    assert_eq!(fs::read_dir(world.store().join("tmp")).unwrap().count(), 0);
}
