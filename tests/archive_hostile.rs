//! Releases and stores that somebody hostile made (ARC-08): refused with a message, or stored safely; given back only below the target folder,
//! never through a link.

use std::fs;

use crate::archive::{ARCHIVE, World};
use crate::support::files;

#[cfg(unix)]
#[test]
fn links_pipes_and_devices_do_not_come_in() {
    let world = World::new();
    world.project.write("../secret", "secret");
    for (name, make) in [("link", "ln -s ../../secret"), ("pipe", "mkfifo"), ("folder-link", "ln -s /etc")] {
        let copy = world.copy(name);
        let place = copy.join("artifacts/extra");
        let made = std::process::Command::new("sh").arg("-c").arg(format!("{make} {place}")).status().unwrap();
        assert!(made.success());
        let refused = world.add(copy.as_str()).expect(3);
        assert!(refused.stderr.contains("artifacts/extra"), "{refused}");
        // In the place of a listed file.
        fs::remove_file(copy.join("artifacts/extra")).unwrap();
        fs::remove_file(copy.join("NOTICE")).or_else(|_| fs::remove_file(copy.join("VERIFY.md"))).unwrap();
        let place = if copy.join("NOTICE").exists() { "VERIFY.md" } else { "NOTICE" };
        std::process::Command::new("sh").arg("-c").arg(format!("{make} {}", copy.join(place))).status().unwrap();
        world.add(copy.as_str()).expect(3);
    }
    assert!(!world.store().exists());
    world.add(world.release.as_str()).expect(0);
}

#[cfg(unix)]
#[test]
fn names_that_mean_something_else_elsewhere_do_not_come_in() {
    let world = World::new();
    for name in ["con", "a:b", "x.", "-rf", "a\\b", "new\nline", "e\u{301}", "x ", "APP", &"x".repeat(255)] {
        let copy = world.copy("hostile");
        fs::write(copy.join("artifacts").join(name), b"").unwrap();
        let refused = world.add(copy.as_str()).expect(3);
        assert!(!refused.stderr.contains("new\nline"), "{refused}");
        fs::remove_dir_all(copy).unwrap();
    }
    assert!(!world.store().exists());
}

/// Of a mode the executable bit is kept and nothing else; hard links and sparse files are files.
#[cfg(unix)]
#[test]
fn what_is_stored_safely() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let copy = world.copy("odd");
    fs::set_permissions(copy.join("artifacts/app"), fs::Permissions::from_mode(0o6777)).unwrap();
    fs::set_permissions(copy.join("release.json"), fs::Permissions::from_mode(0o666)).unwrap();
    fs::hard_link(copy.join("NOTICE"), world.project.root().join("other-name")).unwrap();
    world.add(copy.as_str()).expect(0);
    world.archive(&["restore", "app", "--to", "../back"]).expect(0);
    let back = world.project.root().join("back");
    let mode = |path: &str| fs::metadata(back.join(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("artifacts/app") & 0o7022, 0, "{:o}", mode("artifacts/app"));
    assert_ne!(mode("artifacts/app") & 0o100, 0);
    assert_eq!(mode("release.json") & 0o111, 0);
    assert_eq!(world.project.contents(&back), world.project.contents(&world.release));
    // Too large to be one of ours is refused by its digest, without being kept anywhere.
    let sparse = world.copy("sparse");
    let file = fs::File::create(sparse.join("artifacts/app")).unwrap();
    file.set_len(1 << 31).unwrap();
    world.add(sparse.as_str()).expect(3);
}

#[cfg(unix)]
#[test]
fn a_store_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    world.add(world.release.as_str()).expect(0);
    for (folder, mode) in [("", 0o777), ("log", 0o775), ("objects", 0o757)] {
        let folder = world.store().join(folder);
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        for arguments in [&["list"][..], &["verify"], &["add", world.release.as_str(), "--key", "../release.pub"], &["prune"]] {
            let refused = world.archive(arguments).expect(1);
            assert!(refused.stderr.contains("archive/unsafe-permissions"), "{refused}");
        }
        for question in [&["affected", "pkg:cargo/app"][..], &["rescan"]] {
            let refused = world.project.run(&[question, &["--archive", ARCHIVE]].concat()).expect(1);
            assert!(refused.stderr.contains("archive/unsafe-permissions"), "{refused}");
        }
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        world.archive(&["list"]).expect(0);
    }
}

/// Somebody writes to a release while it is read: what comes in is what was verified, or nothing does.
#[test]
fn a_release_that_changes_while_it_is_read() {
    let world = World::new();
    let good = fs::read(world.release.join("artifacts/app")).unwrap();
    let mut evil = good.clone();
    evil[good.len() / 2] ^= 1;
    let (mut came_in, mut seen) = (0, 0);
    for round in 0..60 {
        let copy = world.copy(&format!("copy-{round}"));
        let archive = format!("../archive-{round}");
        let store = world.project.root().join(format!("archive-{round}"));
        let arguments = ["archive", "add", copy.as_str(), "--key", "../release.pub", "--archive", &archive];
        let running = world.project.command(&arguments).process().stderr(std::process::Stdio::piped()).spawn().unwrap();
        // At some moment while it is verified; in every other round as soon as that is over and files are taken in.
        let wait = std::time::Duration::from_millis(round * 2);
        let began = std::time::Instant::now();
        while if round % 2 == 0 { began.elapsed() < wait } else { !store.exists() && began.elapsed().as_secs() < 20 } {
            std::thread::yield_now();
        }
        fs::write(copy.join("artifacts/app"), &evil).unwrap();
        let output = running.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        match output.status.code() {
            Some(0) => {
                came_in += 1;
                let archive = ["--archive", &archive];
                world.project.run(&[&["archive", "verify", "--key", "../release.pub"], &archive[..]].concat()).expect(0);
                let back = format!("../back-{round}");
                world.project.run(&[&["archive", "restore", "app", "--to", &back], &archive[..]].concat()).expect(0);
                assert!(fs::read(world.project.path(&back).join("artifacts/app")).unwrap() == good, "round {round}");
            }
            Some(1) => {
                seen += 1;
                assert!(said.contains("archive/changed-while-reading") && said.contains("artifacts/app"), "{said}");
                assert_eq!(files(&store.join("log")).len(), 1, "nothing came in");
            }
            code => assert!(code == Some(3) && said.contains("artifacts/app") && !store.exists(), "{code:?}: {said}"),
        }
        if came_in > 0 && seen > 0 && round > 6 {
            return;
        }
    }
    assert!(seen > 0, "in no round it was seen that a file had changed after it was verified; {came_in} came in");
}

/// A store whose files are links, pipes or other bytes.
#[cfg(unix)]
#[test]
fn objects_that_are_something_else_are_not_read() {
    let world = World::new();
    world.add(world.release.as_str()).expect(0);
    let store = world.store();
    let artifact = files(&store.join("objects"))
        .into_iter()
        .find(|path| {
            fs::read(store.join("objects").join(path)).unwrap() == fs::read(world.release.join("artifacts/app")).unwrap()
        })
        .unwrap();
    let artifact = store.join("objects").join(artifact);
    let bytes = fs::read(&artifact).unwrap();
    for make in ["ln -s /etc/passwd", "mkfifo", "printf evil >"] {
        fs::remove_file(&artifact).unwrap();
        std::process::Command::new("sh").arg("-c").arg(format!("{make} {artifact}")).status().unwrap();
        let refused = world.archive(&["restore", "app", "--to", "../back"]);
        assert!(refused.code == 3 || refused.code == 2, "{refused}");
        assert!(!world.project.root().join("back").exists(), "nothing is given back");
        world.archive(&["verify"]).expect(3);
    }
    fs::remove_file(&artifact).unwrap();
    fs::write(&artifact, bytes).unwrap();
    world.archive(&["verify"]).expect(0);
    // The target of a restore is never followed.
    std::os::unix::fs::symlink("/etc", world.project.root().join("back")).unwrap();
    world.archive(&["restore", "app", "--to", "../back"]).expect(2);
    world.archive(&["restore", "app", "--to", "../true"]).expect(0);
}
