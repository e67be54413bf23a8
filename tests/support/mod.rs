//! What the integration tests stand on: a project in a folder of its own, the real binary started in it, and its outcome. No test
//! lives here.

pub mod archive;
pub mod authority;
mod command;
pub mod git_server;
pub mod host;
mod loopback;
pub mod oci;
mod outcome;
mod registry;
mod repository;
pub mod server;
pub mod sigstore;
pub mod tsa;
pub mod tuf;
pub mod world;

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use tame_index::utils::get_index_details;

pub use command::{Command, environment, plain_cargo_without_toolchain};
pub use outcome::Outcome;
pub use registry::{checksum, crate_bytes, files_of, locked};
pub use world::World;

/// The instant that every run judges by, unless told otherwise.
pub const NOW: &str = "2026-09-01T12:00:00Z";

/// A policy whose advisory database is the folder beside it, of any age.
pub const POLICY: &str = "[advisories]\ndatabase = \"advisory-db\"\nmax-age = \"none\"\n";

/// A project in a temporary folder, with a home, a `CARGO_HOME` and caches of its own beside it.
///
/// `<root>/project` is the project and working folder; `home`, `cargo`, `config`, `cache` are beside it.
pub struct Project {
    _guard: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Project {
    /// No files at all.
    pub fn empty() -> Self {
        let guard = tempfile::Builder::new().prefix("supplychain-test-").tempdir().unwrap();
        let root = Utf8Path::from_path(guard.path()).unwrap().canonicalize_utf8().unwrap();
        for folder in ["project", "home", "cargo", "config", "cache", "tmp"] {
            fs::create_dir(root.join(folder)).unwrap();
        }
        Self { _guard: guard, root }
    }

    /// A binary `app` 1.0.0 without dependencies, with a lockfile, a pinned toolchain, a policy and an advisory database: nothing to
    /// find.
    pub fn app() -> Self {
        let project = Self::empty();
        project.write("Cargo.toml", "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n");
        project.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"1.0.0\"\n");
        project.write("src/main.rs", "fn main() {\n    println!(\"hello\");\n}\n");
        project.write("supplychain.toml", POLICY);
        project.advisory("RUSTSEC-2026-0001", "nothing", "2026-08-31", "cvss = \"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\"");
        project
    }

    /// A copy of `examples/NAME`, with the sources of the registry packages that cargo has fetched for this repository itself.
    pub fn example(name: &str) -> Self {
        let project = Self::empty();
        let examples = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        copy(&examples.join(name), &project.folder(), &files(&examples.join(name)));
        project.with_fetched_registry();
        project
    }

    /// Puts the registry packages that the project locks into its `CARGO_HOME`, as those of crates.io: cargo has fetched them for this
    /// repository; where a mirror stands in for crates.io, they lie under the mirror's name. Others that happen to be on this machine would
    /// change what the tool can judge.
    fn with_fetched_registry(&self) {
        let (theirs, own) = self.registry("index");
        link(&theirs, &own);
        let ((caches, cache), (sources, source)) = (self.registry("cache"), self.registry("src"));
        fs::create_dir(&cache).unwrap();
        for package in self.locked_from_registries() {
            let file = format!("{package}.crate");
            fs::copy(caches.join(&file), cache.join(&file)).unwrap();
            copy(&sources.join(&package), &source.join(&package), &files_but(&sources.join(&package), &[]));
        }
    }

    /// With all packages that are on this machine, as they lie there: what was written just now is not remembered by the tool.
    pub fn with_packages_of_this_machine(self) -> Self {
        for kind in ["cache", "src"] {
            let (theirs, own) = self.registry(kind);
            fs::remove_dir_all(&own).unwrap();
            link(&theirs, &own);
        }
        self
    }

    /// A folder of cargo's registry on this machine, and its place in the project's `CARGO_HOME`.
    fn registry(&self, kind: &str) -> (Utf8PathBuf, Utf8PathBuf) {
        let home = std::env::var("CARGO_HOME").or_else(|_| std::env::var("HOME").map(|home| format!("{home}/.cargo"))).unwrap();
        let (index, _) = get_index_details("sparse+https://index.crates.io/", Some(self.cargo_home()), true).unwrap();
        let name = index.file_name().unwrap();
        let fetched = Utf8Path::new(&home).join("registry").join(kind);
        let mut folders: Vec<_> = fetched.read_dir_utf8().unwrap().map(|entry| entry.unwrap().path().to_owned()).collect();
        folders.sort_by_key(|folder| (folder.file_name() != Some(name), folder.clone()));
        let own = self.cargo_home().join("registry").join(kind);
        fs::create_dir_all(&own).unwrap();
        (folders.swap_remove(0), own.join(name))
    }

    /// `name-version` of each package in Cargo.lock that a registry has.
    fn locked_from_registries(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("Cargo.lock")).unwrap();
        let lock: toml::Table = text.parse().unwrap();
        let packages = lock["package"].as_array().unwrap().iter().filter(|one| one.get("source").is_some());
        packages.map(|one| format!("{}-{}", one["name"].as_str().unwrap(), one["version"].as_str().unwrap())).collect()
    }

    /// Adds a file `RUSTSEC-….md` to the advisory database of [`POLICY`]. `fields` are further lines of `[advisory]`.
    pub fn advisory(&self, id: &str, package: &str, date: &str, fields: &str) {
        self.advisory_with(id, package, date, fields, "patched = []");
    }

    pub fn advisory_with(&self, id: &str, package: &str, date: &str, fields: &str, versions: &str) {
        self.write(&format!("advisory-db/crates/{package}/{id}.md"), advisory(id, package, date, fields, versions));
    }

    /// The temporary folder that holds everything.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The project.
    pub fn folder(&self) -> Utf8PathBuf {
        self.root.join("project")
    }

    pub fn cargo_home(&self) -> Utf8PathBuf {
        self.root.join("cargo")
    }

    /// A path below the project.
    pub fn path(&self, path: &str) -> Utf8PathBuf {
        self.folder().join(path)
    }

    /// Writes a file below the project (`../` leads beside it), with the folders above it.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Appends to a file.
    pub fn append(&self, path: &str, text: &str) {
        let old = self.read(path);
        self.write(path, old + text);
    }

    /// Writes a program.
    pub fn script(&self, path: &str, text: &str) {
        self.write(path, text);
        #[cfg(unix)]
        fs::set_permissions(self.path(path), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    pub fn json(&self, path: &str) -> serde_json::Value {
        serde_json::from_str(&self.read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The binary with these arguments, to be started in the project.
    pub fn command(&self, arguments: &[&str]) -> Command<'_> {
        Command::new(self, arguments)
    }

    /// Runs `ARGUMENTS --offline` and holds the outcome against what every run has to keep to; see [`Command::run`].
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        self.command(arguments).offline().run()
    }

    /// `check`, its report.
    pub fn check(&self) -> Outcome {
        self.run(&["check", "--format", "json"])
    }

    /// A new signing key; the path of its public half.
    pub fn key(&self, name: &str) -> Utf8PathBuf {
        let private = self.root.join(format!("{name}.pem"));
        self.run(&["key", "generate", "--output", private.as_str()]).expect(0);
        self.root.join(format!("{name}.pub"))
    }

    /// The release folders below `target/supplychain` (or another folder), by name.
    pub fn releases(&self) -> Vec<Utf8PathBuf> {
        self.releases_in("target/supplychain")
    }

    pub fn releases_in(&self, folder: &str) -> Vec<Utf8PathBuf> {
        let Ok(entries) = self.path(folder).read_dir_utf8() else { return Vec::new() };
        let mut found: Vec<_> = entries
            .map(|entry| entry.unwrap().path().to_owned())
            .filter(|path| path.is_dir() && !matches!(path.file_name(), Some(".build" | ".sealed")))
            .collect();
        found.sort();
        found
    }

    /// The only release.
    pub fn release(&self) -> Utf8PathBuf {
        let releases = self.releases();
        assert_eq!(releases.len(), 1, "{releases:?}");
        releases.into_iter().next().unwrap()
    }

    /// Where an attack of the project leaves its mark: a file that exists as soon as code of the project has run.
    pub fn tripwire(&self) -> Utf8PathBuf {
        self.root.join("tripwire")
    }

    /// A program that leaves its mark and then does what it is asked, as a wrapper would.
    pub fn trap(&self, path: &str) -> Utf8PathBuf {
        self.script(path, &format!("#!/bin/sh\n: > {}\nexec \"$@\"\n", self.tripwire()));
        self.path(path)
    }

    /// Plain cargo in the project, which shows that a trap is set; gives back whether it was sprung, and sets it again.
    pub fn is_sprung_by_cargo(&self, arguments: &[&str]) -> bool {
        command::plain_cargo(self, arguments);
        fs::remove_file(self.tripwire()).is_ok()
    }

    /// Every file of a folder with its content, without `target/`.
    pub fn contents(&self, folder: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
        files(folder).into_iter().map(|path| (path.clone(), fs::read(folder.join(path)).unwrap())).collect()
    }
}

/// The text of an advisory.
pub fn advisory(id: &str, package: &str, date: &str, fields: &str, versions: &str) -> String {
    format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"{date}\"\n{fields}\n\n[versions]\n{versions}\n```\n\n# A flaw in {package}\n\nText.\n"
    )
}

/// The files below a folder, sorted, relative to it; `target` folders are left out.
pub fn files(folder: &Utf8Path) -> Vec<String> {
    files_but(folder, &["target"])
}

/// The files below a folder, without those below folders of these names.
fn files_but(folder: &Utf8Path, skipped: &[&str]) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(one) = folders.pop() {
        for entry in one.read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap() {
                kind if kind.is_dir() && !skipped.contains(&entry.file_name()) => folders.push(entry.path().to_owned()),
                kind if kind.is_file() => found.push(entry.path().strip_prefix(folder).unwrap().to_string()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Utf8Path, to: &Utf8Path, files: &[String]) {
    for path in files {
        fs::create_dir_all(to.join(path).parent().unwrap()).unwrap();
        fs::copy(from.join(path), to.join(path)).unwrap();
    }
}

fn link(target: &Utf8Path, link: &Utf8Path) {
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, link).unwrap();
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(target, link).unwrap();
}
