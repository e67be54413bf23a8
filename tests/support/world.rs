//! A crates.io of the test's own (ATTACKS.md section 0, the fixture world): releases with real packages, owners, publishers. It is
//! written as a folder for `--registry-snapshot`, and put into `CARGO_HOME` as cargo leaves it behind after a fetch.
//!
//! ```text
//! let world = World::new()
//!     .release("aref", "0.3.9", |r| r.published("2024-09-14T12:00:00Z").publisher(10, "alice"))
//!     .release("aref", "0.3.10", |r| r.published("2026-08-20T12:00:00Z").publisher(10, "alice").dependency("proc-macro1", "^1"))
//!     .owner("aref", 10, "alice");
//! let project = world.project(&[("aref", "0.3.9")]);          // app, Cargo.lock, world, CARGO_HOME
//! let before = project.commit("before");                      // for --base
//! world.lock(&project, &[("aref", "0.3.10"), ("proc-macro1", "1.0.107")]);
//! project.run(&["check", "--registry-snapshot", "../world", "--base", &before, "--only", "lock,sources,maintainers"]);
//! ```

pub mod package;
mod release;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_supplychain::base::Sha256;
use serde_json::{Value, json};
use tame_index::utils::get_index_details;

use super::Project;
use super::registry::CRATES_IO;
pub use release::Release;
use release::user;

/// What an index says of itself.
const CONFIG: &[u8] = b"{\"dl\":\"https://static.crates.io/crates\",\"api\":\"https://crates.io\"}";

/// The crates, by name.
#[derive(Clone, Default)]
pub struct World {
    crates: BTreeMap<String, Crate>,
}

#[derive(Clone, Default)]
struct Crate {
    releases: Vec<Release>,
    /// `None`: the publisher of the first release.
    owners: Option<Vec<Value>>,
    repository: Option<String>,
    not_in_index: bool,
    not_in_api: bool,
    /// Parts of the API (`owners`, `versions`) that answer 404.
    unanswered: BTreeSet<&'static str>,
}

impl World {
    pub fn new() -> Self {
        Self::default()
    }

    /// Publishes a release: by default on 2020-01-01 by the user 1 `someone`, a library without dependencies.
    pub fn release(mut self, name: &str, version: &str, shape: impl FnOnce(Release) -> Release) -> Self {
        let release = shape(Release::new(name, version));
        self.krate(name).releases.push(release);
        self
    }

    /// Changes a release that is there: `.change("aref", "0.3.9", |r| r.repository("https://example.org"))`.
    pub fn change(mut self, name: &str, version: &str, shape: impl FnOnce(Release) -> Release) -> Self {
        let releases = &mut self.krate(name).releases;
        let place = releases.iter().position(|release| release.version == version).expect("a release that is there");
        let release = shape(releases[place].clone());
        releases[place] = release;
        self
    }

    /// The version is gone from index and API; the packages that were fetched before stay.
    pub fn without_version(self, name: &str, version: &str) -> Self {
        self.change(name, version, Release::removed)
    }

    /// An owner; without any, the publisher of the first release owns the crate.
    pub fn owner(self, name: &str, id: u64, login: &str) -> Self {
        let owner = json!({ "kind": "user", "url": format!("https://github.com/{login}") });
        self.owned(name, id, login, owner)
    }

    /// A team that owns: `github:org:team`.
    pub fn team(self, name: &str, id: u64, login: &str) -> Self {
        self.owned(name, id, login, json!({ "kind": "team", "url": null }))
    }

    fn owned(mut self, name: &str, id: u64, login: &str, mut owner: Value) -> Self {
        owner["id"] = id.into();
        owner["login"] = login.into();
        owner["name"] = Value::Null;
        owner["avatar"] = Value::Null;
        self.krate(name).owners.get_or_insert_default().push(owner);
        self
    }

    /// Takes an owner away.
    pub fn without_owner(mut self, name: &str, id: u64) -> Self {
        self.krate(name).owners.get_or_insert_default().retain(|owner| owner["id"] != id);
        self
    }

    /// The crate's repository as the API has it.
    pub fn repository(mut self, name: &str, url: &str) -> Self {
        self.krate(name).repository = Some(url.to_owned());
        self
    }

    /// The crate is gone from index and API.
    pub fn gone(self, name: &str) -> Self {
        self.not_in_index(name).not_in_api(name)
    }

    pub fn not_in_index(mut self, name: &str) -> Self {
        self.krate(name).not_in_index = true;
        self
    }

    pub fn not_in_api(mut self, name: &str) -> Self {
        self.krate(name).not_in_api = true;
        self
    }

    /// One part of the API, `owners` or `versions`, answers 404 for the crate.
    pub fn unanswered(mut self, name: &str, part: &'static str) -> Self {
        self.krate(name).unanswered.insert(part);
        self
    }

    fn krate(&mut self, name: &str) -> &mut Crate {
        self.crates.entry(name.to_owned()).or_default()
    }

    fn find(&self, name: &str, version: &str) -> &Release {
        let krate = self.crates.get(name).unwrap_or_else(|| panic!("{name} was never published"));
        let release = krate.releases.iter().find(|release| release.version == version);
        release.unwrap_or_else(|| panic!("{name} {version} was never published"))
    }

    /// The bytes of a `.crate`.
    pub fn package(&self, name: &str, version: &str) -> Vec<u8> {
        self.find(name, version).package()
    }

    /// The sha256 of a `.crate`, in hex.
    pub fn checksum(&self, name: &str, version: &str) -> String {
        Sha256::of(self.package(name, version)).to_string()
    }

    /// An `app` that depends on these, with its lockfile; the world beside it, as snapshot and as what cargo has fetched.
    pub fn project(&self, locked: &[(&str, &str)]) -> Project {
        let project = Project::app();
        self.lock(&project, locked);
        self.write(&project);
        self.fetched(&project);
        project
    }

    /// Writes manifest and lockfile of `app`, which has these packages locked. What none of them depends on, `app` itself does.
    pub fn lock(&self, project: &Project, locked: &[(&str, &str)]) {
        let mut locked = locked.to_vec();
        locked.sort_unstable();
        let mut roots: BTreeSet<_> = locked.iter().copied().collect();
        let mut blocks = Vec::new();
        for &(name, version) in &locked {
            let dependencies = self.find(name, version).resolved(&locked);
            for dependency in &dependencies {
                roots.remove(dependency);
            }
            blocks.push((name, self.locked_package(name, version, &lines(&dependencies, &locked))));
        }
        let roots: Vec<_> = roots.into_iter().collect();
        blocks.push(("app", format!("name = \"app\"\nversion = \"1.0.0\"\n{}", lines(&roots, &locked))));
        // As cargo sorts; versions of one package stay in order.
        blocks.sort_by_key(|(name, _)| *name);
        let packages: String = blocks.into_iter().map(|(_, text)| format!("\n[[package]]\n{text}")).collect();
        let head = "# This file is automatically @generated by Cargo.\n# It is not intended for manual editing.\nversion = 4\n";
        project.write("Cargo.lock", head.to_owned() + &packages);
        project.write("Cargo.toml", manifest(&roots));
    }

    fn locked_package(&self, name: &str, version: &str, dependencies: &str) -> String {
        let sum = self.checksum(name, version);
        format!("name = \"{name}\"\nversion = \"{version}\"\nsource = \"{CRATES_IO}\"\nchecksum = \"{sum}\"\n{dependencies}")
    }

    /// Writes the world as a snapshot folder beside the project, for `--registry-snapshot ../world`; one of before is replaced.
    pub fn write(&self, project: &Project) -> Utf8PathBuf {
        let folder = project.root().join("world");
        let _ = fs::remove_dir_all(&folder);
        put(&folder.join("index/config.json"), CONFIG);
        for (name, krate) in &self.crates {
            let put = |path: String, bytes: Vec<u8>| put(&folder.join(path), &bytes);
            let there: Vec<_> = krate.releases.iter().filter(|release| !release.is_removed).collect();
            if !krate.not_in_index {
                let lines: String = there.iter().map(|release| release.index_line() + "\n").collect();
                put(format!("index/{}", index_path(name)), lines.into_bytes());
            }
            for release in &there {
                put(format!("crates/{name}-{}.crate", release.version), release.package());
            }
            if krate.not_in_api {
                continue;
            }
            put(format!("api/crates/{name}.json"), krate.record(name));
            if !krate.unanswered.contains("owners") {
                put(format!("api/crates/{name}/owners.json"), krate.owners());
            }
            if !krate.unanswered.contains("versions") {
                put(format!("api/crates/{name}/versions.json"), krate.versions());
            }
        }
        folder
    }

    /// Puts every release into the project's `CARGO_HOME`: index cache, `.crate`, extracted sources. (What is gone was fetched before.)
    pub fn fetched(&self, project: &Project) {
        let (index, _) = get_index_details("sparse+https://index.crates.io/", Some(project.cargo_home()), true).unwrap();
        let registry = index.file_name().unwrap();
        put(&index.join("config.json"), CONFIG);
        for (name, krate) in &self.crates {
            let mut entry = b"\x03\x02\0\0\0etag: \"x\"\0".to_vec();
            for release in krate.releases.iter().filter(|release| !release.is_removed) {
                entry.extend([release.version.as_bytes(), b"\0", release.index_line().as_bytes(), b"\0"].concat());
            }
            put(&index.join(".cache").join(index_path(name)), &entry);
            for release in &krate.releases {
                let package = format!("{name}-{}", release.version);
                let registry = |kind: &str| project.cargo_home().join("registry").join(kind).join(registry);
                put(&registry("cache").join(format!("{package}.crate")), &release.package());
                let source = registry("src").join(&package);
                for (path, bytes) in release.files() {
                    put(&source.join(path), &bytes);
                }
                put(&source.join(".cargo-ok"), b"{\"v\":1}");
            }
        }
    }
}

impl Crate {
    fn record(&self, name: &str) -> Vec<u8> {
        let newest = self.releases.last().map_or("0.0.0", |release| &release.version);
        let record = json!({
            "categories": [], "keywords": [], "versions": null,
            "crate": {
                "id": name, "name": name, "max_version": newest, "newest_version": newest, "downloads": 1000, "description": null,
                "homepage": null, "documentation": null, "repository": self.repository, "exact_match": false,
                "trustpub_only": false,
                "created_at": self.releases.first().and_then(|release| release.published.clone()),
                "links": { "owners": format!("/api/v1/crates/{name}/owners"), "versions": format!("/api/v1/crates/{name}/versions") },
            },
        });
        record.to_string().into_bytes()
    }

    fn owners(&self) -> Vec<u8> {
        let default = || {
            let publisher = self.releases.first().map_or(Value::Null, |release| release.publisher.clone());
            let mut owner = if publisher.is_null() { user(1, "someone") } else { publisher };
            owner["kind"] = "user".into();
            vec![owner]
        };
        json!({ "users": self.owners.clone().unwrap_or_else(default) }).to_string().into_bytes()
    }

    /// The newest version first, as crates.io answers.
    fn versions(&self) -> Vec<u8> {
        let there: Vec<_> = self.releases.iter().rev().filter(|release| !release.is_removed).collect();
        let versions: Vec<_> = there.iter().map(|release| release.api_version(self.repository.as_deref())).collect();
        json!({ "versions": versions, "meta": { "total": versions.len(), "next_page": null } }).to_string().into_bytes()
    }
}

/// The manifest of an `app` that depends on these.
fn manifest(roots: &[(&str, &str)]) -> String {
    let head = "[package]\nname = \"app\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense = \"MIT\"\n\n[dependencies]\n";
    let line = |(place, &(name, version)): (usize, &(&str, &str))| {
        // Two versions of one crate need two names.
        match roots[..place].iter().any(|(other, _)| *other == name) {
            true => format!("{name}-{place} = {{ package = \"{name}\", version = \"={version}\" }}\n"),
            false => format!("{name} = \"{version}\"\n"),
        }
    };
    head.to_owned() + &roots.iter().enumerate().map(line).collect::<String>()
}

/// The `dependencies = […]` of a lockfile; the version stands there only where the name alone would not do.
fn lines(dependencies: &[(&str, &str)], locked: &[(&str, &str)]) -> String {
    if dependencies.is_empty() {
        return String::new();
    }
    let line = |(name, version): &(&str, &str)| match locked.iter().filter(|(other, _)| other == name).count() {
        1 => format!(" \"{name}\",\n"),
        _ => format!(" \"{name} {version}\",\n"),
    };
    format!("dependencies = [\n{}]\n", dependencies.iter().map(line).collect::<String>())
}

fn index_path(name: &str) -> String {
    tame_index::KrateName::cargo(name).unwrap().relative_path(None)
}

fn put(path: &Utf8Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
