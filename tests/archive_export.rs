//! `archive export` and `import` with the real binary: a release as one signed file, and what becomes of one that somebody changed. The reader against
//! hostile files: `archive::single_file`.

use std::fs;

use crate::archive::{ARCHIVE, World};
use crate::support::Outcome;

const OTHER: &str = "../other-archive";
const FILE: &str = "../app.tar.zst";

impl World {
    fn import(&self, file: &str, key: &str) -> Outcome {
        self.project.run(&["archive", "import", file, "--key", key, "--archive", OTHER, "--format", "json"])
    }

    fn has_imported(&self) -> bool {
        self.project.root().join("other-archive").exists()
    }
}

/// A signed release in an archive, and its export beside the project, signed by the same key.
fn exported() -> World {
    let world = World::new();
    world.add(world.release.as_str()).expect(0);
    world.archive(&["export", "app@1.0.0", "--output", FILE, "--sign", "--key", "../release.pem"]).expect(0);
    world
}

#[test]
fn a_signed_file_comes_in_elsewhere_as_it_was() {
    let world = exported();
    let file = world.project.path(FILE);
    let bytes = fs::read(&file).unwrap();
    let told = ["export", "app", "--output", FILE, "--sign", "--key", "../release.pem", "--format", "json"];
    let again = world.archive(&told).expect(0).json();
    assert_eq!(fs::read(&file).unwrap(), bytes, "the same release, the same bytes");
    assert_eq!((&again["file"], &again["bundle"].as_str().is_some()), (&serde_json::json!(FILE), &true));
    world.project.run(&["verify", FILE, "--key", "../release.pub"]).expect(0);

    let imported = world.import(FILE, "../release.pub").expect(0).json();
    assert_eq!(imported["results"][0]["outcome"], "added");
    assert_eq!(world.import(FILE, "../release.pub").expect(0).json()["results"][0]["outcome"], "exists");
    world.project.run(&["archive", "verify", "--key", "../release.pub", "--archive", OTHER]).expect(0);
    world.project.run(&["archive", "restore", "app", "--to", "../back", "--archive", OTHER]).expect(0);
    assert_eq!(world.project.contents(&world.project.root().join("back")), world.project.contents(&world.release));
    // And out again: another archive, another entry, but the same release.
    world.project.run(&["archive", "export", "app", "--output", "../second.tar.zst", "--archive", OTHER]).expect(0);
    assert!(!world.project.root().join("second.tar.zst.sigstore.json").exists(), "nobody asked for a signature");
}

#[test]
fn a_file_that_was_changed_is_seen() {
    let world = exported();
    let file = world.project.path(FILE);
    let good = fs::read(&file).unwrap();
    // A bit here and there, an end that is missing, bytes after the end: by its signature, and by whoever imports it.
    let changed = [1, 4, 9, 15].map(|part| {
        let mut bytes = good.clone();
        bytes[good.len() * part / 16] ^= 1;
        bytes
    });
    let shorter = [good.len() - 1, good.len() / 2, 5].map(|length| good[..length].to_vec());
    let longer = [&b"\0"[..], &good].map(|more| [&good, more].concat());
    for bytes in changed.into_iter().chain(shorter).chain(longer) {
        fs::write(&file, &bytes).unwrap();
        world.project.run(&["verify", FILE, "--key", "../release.pub"]).expect(3);
        let refused = world.import(FILE, "../release.pub");
        assert!(matches!(refused.code, 2 | 3), "{refused}");
        assert!(!world.has_imported());
    }
    fs::write(&file, &good).unwrap();
    world.import(FILE, "../release.pub").expect(0);
}

#[test]
fn another_signer_is_another_signer() {
    let world = exported();
    world.project.key("other");
    // Of the file.
    world.project.run(&["verify", FILE, "--key", "../other.pub"]).expect(3);
    // Of the release in it, whoever has signed the file.
    world.archive(&["export", "app", "--output", FILE, "--sign", "--key", "../other.pem"]).expect(0);
    world.project.run(&["verify", FILE, "--key", "../other.pub"]).expect(0);
    world.import(FILE, "../other.pub").expect(3);
    let nobody = world.project.run(&["archive", "import", FILE, "--archive", OTHER]).expect(2);
    assert!(nobody.stderr.contains("--key"), "{nobody}");
    let small = ["archive", "import", FILE, "--key", "../release.pub", "--max-size", "1000", "--archive", OTHER];
    let large = world.project.run(&small).expect(3);
    assert!(large.stderr.contains("--max-size"), "{large}");
    assert!(!world.has_imported());
    world.import(FILE, "../release.pub").expect(0);
    // What is not signed is not taken for it.
    let missing =
        world.project.run(&["archive", "export", "none", "--output", "../none.tar.zst", "--archive", ARCHIVE]).expect(2);
    assert!(!world.project.root().join("none.tar.zst").exists(), "{missing}");
}
