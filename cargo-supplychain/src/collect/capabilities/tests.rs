use std::fs;

use super::*;
use crate::base::Timestamp;
use crate::model::ConfigEntry;
use crate::model::Scope;

struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, path: &str) -> Utf8PathBuf {
        Utf8Path::from_path(self.0.path()).unwrap().join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A package in a folder, with a build script.
    fn package(&self, folder: &str) {
        self.write(&format!("{folder}/Cargo.toml"), b"[package]\nname = 'a'\nversion = '1.0.0'\n");
        self.write(&format!("{folder}/build.rs"), b"fn main() {}");
    }

    fn read(&self, checksum: Option<Sha256>, config: &CargoConfig, ci: bool) -> Result<Capabilities, String> {
        let stamp = Timestamp::from_unix(0).unwrap();
        let env = if ci { BTreeMap::from([("CI".to_owned(), "true".to_owned())]) } else { BTreeMap::new() };
        let cache_dir = self.path("cache");
        let context = Context { cwd: self.path(""), env, now: stamp, now_is_given: false, stamp, offline: true, cache_dir };
        let (home, snapshot) = (self.path("home"), self.path("world"));
        let reader = CapabilityReader { context: &context, config, cargo_home: Some(&home), snapshot: Some(&snapshot) };
        let key = CrateKey { name: "a".into(), source: CRATES_IO[0].into() };
        let wanted = Wanted::from([((key, "1.0.0".parse().unwrap()), checksum)]);
        reader.read(&wanted).into_values().next().unwrap()
    }
}

/// A `.crate` with a build script: one stored block of a tar.
fn crate_file() -> Vec<u8> {
    let mut tar = Vec::new();
    for (path, bytes) in [("a-1.0.0/Cargo.toml", "[package]\nname = 'a'\n"), ("a-1.0.0/build.rs", "fn main() {}")] {
        let mut header = [0_u8; 512];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        put(0, path.as_bytes());
        put(100, b"0000644\0");
        put(124, format!("{:011o}\0", bytes.len()).as_bytes());
        put(136, b"00000000000\0");
        put(148, b"        ");
        put(156, b"0");
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend(header);
        tar.extend(bytes.as_bytes());
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    io::Write::write_all(&mut encoder, &tar).unwrap();
    encoder.finish().unwrap()
}

const CRATES: &str = "index.crates.io-1949cf8c6b5b557f";

#[test]
fn each_place_counts_where_it_is_what_the_digest_names() {
    let bytes = crate_file();
    let sum = Sha256::of(&bytes);
    let vendor = |machine: &Machine| CargoConfig {
        entries: vec![ConfigEntry {
            key: ["source", "vendored", "directory"].map(str::to_owned).to_vec(),
            value: "vendor".into(),
            location: crate::base::Location::file("config.toml"),
            scope: Scope::Repository,
            base: machine.path("").into_string(),
            effective: true,
        }],
        ..CargoConfig::default()
    };
    type Put<'p> = &'p dyn Fn(&Machine);
    let listed = |machine: &Machine, sum: &str| {
        machine.package("vendor/a");
        machine.write("vendor/a/.cargo-checksum.json", format!("{{\"files\":{{}},\"package\":\"{sum}\"}}").as_bytes());
    };
    let cases: [(&str, Put<'_>, bool); 8] = [
        ("nowhere", &|_| {}, false),
        ("snapshot", &|machine| machine.write("world/crates/a-1.0.0.crate", &bytes), true),
        ("another snapshot", &|machine| machine.write("world/crates/a-1.0.0.crate", b"other"), false),
        ("cache", &|machine| machine.write(&format!("home/registry/cache/{CRATES}/a-1.0.0.crate"), &bytes), true),
        (
            "extracted",
            &|machine| {
                machine.package(&format!("home/registry/src/{CRATES}/a-1.0.0"));
                machine.write(&format!("home/registry/src/{CRATES}/a-1.0.0/.cargo-ok"), b"");
            },
            true,
        ),
        ("half extracted", &|machine| machine.package(&format!("home/registry/src/{CRATES}/a-1.0.0")), false),
        ("vendored", &|machine| listed(machine, &sum.to_string()), true),
        ("vendored, another version", &|machine| listed(machine, &Sha256::of(b"x").to_string()), false),
    ];
    for (what, put, is_found) in cases {
        let machine = Machine::new();
        put(&machine);
        match machine.read(Some(sum), &vendor(&machine), false) {
            Ok(found) => assert!(is_found && found.build_script, "{what}: {found:?}"),
            Err(why) => assert!(!is_found && why == NOT_HERE, "{what}: {why}"),
        }
    }
}

#[test]
fn what_was_found_in_a_crate_file_is_remembered_but_not_in_ci() {
    let machine = Machine::new();
    let (bytes, config) = (crate_file(), CargoConfig::default());
    let sum = Some(Sha256::of(&bytes));
    machine.write("world/crates/a-1.0.0.crate", &bytes);
    assert!(machine.read(sum, &config, true).is_ok());
    assert!(!machine.path("cache/capabilities.json").exists());
    assert!(machine.read(sum, &config, false).is_ok());
    fs::remove_file(machine.path("world/crates/a-1.0.0.crate")).unwrap();
    assert!(machine.read(sum, &config, false).is_ok_and(|found| found.build_script));
    assert_eq!(machine.read(sum, &config, true), Err(NOT_HERE.to_owned()));
    machine.write("cache/capabilities.json", b"{\"scanner\":0,\"crates\":{}}");
    assert_eq!(machine.read(sum, &config, false), Err(NOT_HERE.to_owned()));
}

#[test]
fn a_broken_archive_of_the_right_digest_is_unknown() {
    let machine = Machine::new();
    machine.write("world/crates/a-1.0.0.crate", b"no archive");
    let found = machine.read(Some(Sha256::of(b"no archive")), &CargoConfig::default(), false);
    assert!(found.unwrap_err().starts_with("its .crate cannot be read: "));
}

#[cfg(unix)]
#[test]
fn links_and_pipes_of_a_package_are_not_followed() {
    let machine = Machine::new();
    let folder = format!("home/registry/src/{CRATES}/a-1.0.0");
    machine.write(&format!("{folder}/.cargo-ok"), b"");
    machine.write(&format!("{folder}/Cargo.toml"), b"[package]\nname = 'a'\n");
    machine.write("outside/build.rs", b"fn main() {}");
    std::os::unix::fs::symlink(machine.path("outside/build.rs"), machine.path(&folder).join("build.rs")).unwrap();
    std::os::unix::fs::symlink(machine.path(&folder), machine.path(&folder).join("again")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, machine.path(&folder).join("pipe").as_str(), rustix::fs::Mode::RWXU).unwrap();
    assert!(!machine.read(None, &CargoConfig::default(), false).unwrap().build_script);
}
