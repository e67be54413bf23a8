//! Keys as a release manager uses them: rotated, the old one kept, both accepted, and the table of `docs/keys.md`.

use std::fs;

use cargo_supplychain::attest::KEY_ROTATION;
use serde_json::Value;

use crate::support::Project;

fn results(project: &Project, arguments: &[&str]) -> (i32, Value) {
    let outcome = project.run(&[arguments, &["--format", "json"]].concat());
    (outcome.code, outcome.json()["results"][0].clone())
}

#[test]
fn a_rotated_key_is_vouched_for_and_old_releases_stay_good() {
    let project = Project::app();
    project.run(&["build"]).expect(0);
    let old_release = project.root().join("old-release");
    fs::rename(project.release(), &old_release).unwrap();
    let before = project.root().join("before.pub");
    let folder = project.root().join("config/cargo-supplychain");
    fs::copy(folder.join("key.pub"), &before).unwrap();

    let made = project.run(&["key", "rotate", "--format", "json"]).expect(0).json();
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    let former = made["former"]["public"].as_str().unwrap().to_owned();
    assert_eq!(fs::read(&former).unwrap(), fs::read(&before).unwrap());
    assert_eq!(text("public"), folder.join("key.pub").as_str());
    assert_ne!(made["fingerprint"], made["former"]["fingerprint"]);
    // Who knows the old key gets to the new one by it, and by nothing else.
    let rotation = ["verify", &text("public"), "--require-predicate", KEY_ROTATION];
    let by = |key: &str| results(&project, &[&rotation[..], &["--key", key]].concat());
    let (code, verified) = by(&former);
    assert_eq!((code, &verified["verified"]["signer"]), (0, &made["former"]["fingerprint"]), "{verified}");
    project.key("stranger");
    let stranger = project.root().join("stranger.pub");
    assert_eq!(by(stranger.as_str()).0, 3);
    let (new, statement) = (fs::read(text("public")).unwrap(), fs::read(text("statement")).unwrap());
    fs::copy(&stranger, text("public")).unwrap();
    assert_eq!(by(&former).0, 3);
    fs::write(text("public"), &new).unwrap();

    // Releases of after are by the new key; a policy with both accepts both, and says which.
    project.run(&["build"]).expect(0);
    let release = project.release();
    let public = text("public");
    let verify = |release: &str, keys: &[&str]| {
        let keys: Vec<_> = keys.iter().flat_map(|key| ["--key", key]).collect();
        results(&project, &[&["verify", release], &keys[..]].concat())
    };
    let (old, now) = (old_release.as_str(), release.as_str());
    for (path, keys, code) in [
        (now, &[public.as_str()][..], 0),
        (old, &[public.as_str()], 3),
        (old, &[former.as_str()], 0),
        (now, &[former.as_str()], 3),
        (old, &[public.as_str(), former.as_str()], 0),
        (now, &[public.as_str(), former.as_str()], 0),
        (now, &[stranger.as_str(), former.as_str()], 3),
    ] {
        assert_eq!(verify(path, keys).0, code, "{path} by {keys:?}");
    }
    let signer = |path: &str| verify(path, &[&public, &former]).1["verified"]["signatures"][0]["key"].clone();
    assert_eq!((signer(old), signer(now)), (made["former"]["fingerprint"].clone(), made["fingerprint"].clone()));
    project.write("../reader.toml", format!("[verify]\nkey = [\"{public}\", \"{former}\"]\n"));
    for path in [old, now] {
        project.run(&["verify", path, "--policy", "../reader.toml"]).expect(0);
    }

    // A release is by one of them: statements of the old one do not fit into it.
    let bundle = "attestations/app.provenance.sigstore.json";
    fs::copy(old_release.join(bundle), release.join(bundle)).unwrap();
    assert_eq!(verify(now, &[&public, &former]).0, 3);

    // Once more: what was kept is not overwritten, and the first statement stays beside the key that it is about.
    let again = project.run(&["key", "rotate", "--format", "json"]).expect(0).json();
    let kept = format!("{}.sigstore.json", again["former"]["public"].as_str().unwrap());
    assert_eq!(fs::read(kept).unwrap(), statement);
}

#[test]
fn a_policy_of_two_keys_is_what_a_build_is_held_against() {
    let project = Project::app();
    for name in ["new", "old", "other"] {
        project.key(name);
    }
    project.append("supplychain.toml", "[verify]\nkey = [\"../new.pub\", \"../old.pub\"]\n");
    for (key, code) in [("new", 0), ("old", 0), ("other", 3)] {
        let key = project.root().join(format!("{key}.pem"));
        let outcome = project.run(&["build", "--key", key.as_str()]).expect(code);
        assert!(!outcome.stderr.contains("not pinned"), "{outcome}");
    }
}

#[test]
fn the_new_key_is_as_well_kept_as_the_old_one() {
    let project = Project::app();
    let key = project.root().join("team.pem");
    let with = |arguments: &[&str], secret: &str| {
        let arguments = [&["key"], arguments].concat();
        project.command(&arguments).env("SUPPLYCHAIN_KEY_PASSPHRASE", secret).offline().run()
    };
    with(&["generate", "--output", key.as_str()], "correct horse").expect(0);
    let text = || fs::read_to_string(&key).unwrap();
    let before = text();
    assert!(before.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    let outcome = project.run(&["key", "rotate", "--key", key.as_str()]).expect(2);
    assert!(outcome.stderr.contains("no passphrase was given"), "{outcome}");
    with(&["rotate", "--key", key.as_str()], "wrong").expect(2);
    assert_eq!(text(), before);
    let outcome = with(&["rotate", "--key", key.as_str()], "correct horse").expect(0);
    assert!(outcome.stderr.contains("private key, encrypted"), "{outcome}");
    assert!(text().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----") && text() != before);
    // The old one is as it was, closed to others.
    #[cfg(unix)]
    for entry in project.root().read_dir_utf8().unwrap().map(Result::unwrap).filter(|entry| entry.file_name().ends_with(".pem")) {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", entry.path());
    }
}
