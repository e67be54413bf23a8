//! What is compared, and what is not read again. The rest is tried with the real binary (`tests/integrity.rs`).

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::model::lockfile;

/// A home of cargo with `a` 1.0.0 unpacked in it, and the lockfile that names it.
struct Home {
    guard: tempfile::TempDir,
    lockfile: crate::model::Lockfile,
}

const FOLDER: &str = "registry/src/index-0/a-1.0.0";

impl Home {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let mut tar = crate_file::tests::header(b"a-1.0.0/Cargo.toml", 3, b'0');
        tar.extend(b"toml");
        tar[512..515].copy_from_slice(b"abc");
        tar.resize(2048, 0);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&tar[..]).unwrap();
        let bytes = encoder.finish().unwrap();
        let text = format!(
            "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"sparse+https://index.example/\"\nchecksum = \"{}\"\n",
            Sha256::of(&bytes)
        );
        let home = Self { guard, lockfile: lockfile::parse("Cargo.lock", text.as_bytes()).unwrap() };
        home.write("registry/cache/index-0/a-1.0.0.crate", &bytes);
        home.write(&format!("{FOLDER}/Cargo.toml"), b"abc");
        home.write(&format!("{FOLDER}/.cargo-ok"), b"{\"v\":1}");
        home
    }

    fn root(&self) -> &Utf8Path {
        Utf8Path::from_path(self.guard.path()).unwrap()
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn look<T>(&self, remember: bool, look: impl FnOnce(&Request<'_>) -> T) -> T {
        let package = &self.lockfile.packages[0];
        let cache = self.root().join("cache");
        look(&Request {
            cargo_home: Some(self.root()),
            workspace: "/w".into(),
            config: &CargoConfig::default(),
            sources: vec![Source { package, checksum: package.checksum, folder: Some(self.root().join(FOLDER)) }],
            remember_in: remember.then_some(&cache),
        })
    }

    fn found(&self, remember: bool) -> Vec<Deviation> {
        self.look(remember, verify).facts.packages.into_values().next().unwrap().unwrap()
    }
}

/// What the memory holds is not read, so it must never reach a release: this one is lied to.
#[test]
fn what_is_remembered_is_not_read_and_what_is_not_is() {
    let home = Home::new();
    home.write(&format!("{FOLDER}/Cargo.toml"), b"evil");
    std::thread::sleep(Duration::from_millis(1100));
    let lie = home.look(true, |request| {
        let units = units(request);
        let seen = see(units[0].place.as_ref().unwrap(), request).unwrap();
        let digest = seen.listing.digest(seen.crate_stat.as_ref(), seen.begun).unwrap();
        BTreeMap::from([(units[0].memory_key().unwrap(), digest)])
    });
    assert_eq!(home.found(true).len(), 1);
    Memory::open(Some(&home.root().join("cache"))).keep(lie);
    assert_eq!(home.found(true), []);
    let tampered = Deviation::Tampered {
        path: format!("$CARGO_HOME/{FOLDER}/Cargo.toml"),
        expected: Sha256::of("abc"),
        actual: Some(Sha256::of("evil")),
    };
    assert_eq!(home.found(false), [tampered]);
}

#[test]
fn after_a_build_what_was_touched_is_told() {
    let home = Home::new();
    std::thread::sleep(Duration::from_millis(1100));
    let before = home.look(false, verify);
    let again = || home.look(false, |request| verify_again(request, &before)).packages.into_values().next().unwrap().unwrap();
    assert_eq!(again(), []);
    let changed = |restored| vec![Deviation::ChangedDuringBuild { path: format!("$CARGO_HOME/{FOLDER}/Cargo.toml"), restored }];
    home.write(&format!("{FOLDER}/Cargo.toml"), b"evi");
    assert_eq!(again(), changed(false));
    home.write(&format!("{FOLDER}/Cargo.toml"), b"abc");
    assert_eq!(again(), changed(true));
}

/// A file in the folder must not choose how it is judged, and a folder that is nowhere has no checksum.
#[test]
fn places() {
    let home = Home::new();
    home.write(&format!("{FOLDER}/{}", vendor::LIST), b"{\"files\":{}}");
    home.look(false, |request| {
        let place = |folder: &Utf8Path| {
            let source = Source { folder: Some(folder.to_owned()), ..request.sources[0].clone() };
            place::of(request, &source).map(|place| format!("{place:?}").split(' ').next().unwrap_or_default().to_owned())
        };
        let root = home.root();
        assert_eq!(place(&root.join(FOLDER)).unwrap(), "Registry");
        assert_eq!(place(Utf8Path::new("/tmp/cargo-home-x").join(FOLDER).as_path()).unwrap(), "Registry");
        assert_eq!(place(&root.join("git/checkouts/r-0/0123456/a")).unwrap(), "Git");
        assert_eq!(place("/elsewhere".into()).unwrap_err(), "/elsewhere is none of the folders that cargo puts sources in");
        let unknown = Source { folder: None, ..request.sources[0].clone() };
        assert_eq!(place::of(request, &unknown).unwrap_err(), "its source is not on this machine");
    });
}
