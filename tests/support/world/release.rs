//! One release of the fixture world: its manifest, files, index line and what the API says of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cargo_supplychain::base::Sha256;
use serde_json::{Value, json};

use super::package;

#[derive(Clone)]
pub struct Release {
    name: String,
    pub(super) version: String,
    pub(super) published: Option<String>,
    /// The API's user object, or null.
    pub(super) publisher: Value,
    trusted: Value,
    actions: Option<Vec<Value>>,
    repository: Option<String>,
    is_yanked: bool,
    pub(super) is_removed: bool,
    dependencies: Vec<Dependency>,
    links: Option<String>,
    licence: String,
    is_proc_macro: bool,
    features: BTreeMap<String, Vec<String>>,
    files: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone)]
struct Dependency {
    name: String,
    requirement: String,
    kind: &'static str,
    optional: bool,
    target: Option<String>,
}

/// A user as the API shows one.
pub(super) fn user(id: u64, login: &str) -> Value {
    json!({ "id": id, "login": login, "name": null, "avatar": null, "url": format!("https://github.com/{login}") })
}

impl Release {
    pub(super) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            published: Some("2020-01-01T00:00:00Z".to_owned()),
            publisher: user(1, "someone"),
            trusted: Value::Null,
            actions: None,
            repository: None,
            is_yanked: false,
            is_removed: false,
            dependencies: Vec::new(),
            links: None,
            licence: "MIT".to_owned(),
            is_proc_macro: false,
            features: BTreeMap::new(),
            files: BTreeMap::from([("src/lib.rs".to_owned(), Vec::new())]),
        }
    }

    pub fn published(mut self, time: &str) -> Self {
        self.published = Some(time.to_owned());
        self
    }

    pub fn publisher(mut self, id: u64, login: &str) -> Self {
        self.publisher = user(id, login);
        self
    }

    /// A publisher whose account was created at `time`.
    pub fn publisher_since(mut self, id: u64, login: &str, time: &str) -> Self {
        self.publisher = user(id, login);
        self.publisher["created_at"] = time.into();
        self
    }

    /// Published by a workflow: `github`, `org/repo`.
    pub fn trusted(mut self, provider: &str, repository: &str) -> Self {
        self.publisher = Value::Null;
        let sha = "0123456789012345678901234567890123456789";
        self.trusted = json!({ "provider": provider, "repository": repository, "run_id": "1", "sha": sha });
        self
    }

    /// The API does not say who published it (as for releases before 2019).
    pub fn by_nobody(mut self) -> Self {
        self.publisher = Value::Null;
        self.actions = Some(Vec::new());
        self
    }

    /// `repository` of this version's manifest.
    pub fn repository(mut self, url: &str) -> Self {
        self.repository = Some(url.to_owned());
        self
    }

    /// Yanked, with the entry that this leaves in the log of actions.
    pub fn yanked_by(mut self, id: u64, login: &str, time: &str) -> Self {
        self.is_yanked = true;
        self.action("yank", id, login, time)
    }

    /// A further entry of `audit_actions` (the publication is there by itself).
    pub fn action(mut self, action: &str, id: u64, login: &str, time: &str) -> Self {
        let mut actions = self.audit_actions();
        actions.push(json!({ "action": action, "user": user(id, login), "time": time }));
        self.actions = Some(actions);
        self
    }

    pub(super) fn removed(mut self) -> Self {
        self.is_removed = true;
        self
    }

    pub fn dependency(self, name: &str, requirement: &str) -> Self {
        self.depends(name, requirement, "normal", false, None)
    }

    pub fn dev_dependency(self, name: &str, requirement: &str) -> Self {
        self.depends(name, requirement, "dev", false, None)
    }

    /// Of one platform only: `cfg(windows)`.
    pub fn target_dependency(self, target: &str, name: &str, requirement: &str, optional: bool) -> Self {
        self.depends(name, requirement, "normal", optional, Some(target))
    }

    fn depends(mut self, name: &str, requirement: &str, kind: &'static str, optional: bool, target: Option<&str>) -> Self {
        let (name, requirement, target) = (name.to_owned(), requirement.to_owned(), target.map(str::to_owned));
        self.dependencies.push(Dependency { name, requirement, kind, optional, target });
        self
    }

    pub fn feature(mut self, name: &str, enables: &[&str]) -> Self {
        self.features.insert(name.to_owned(), enables.iter().map(|&one| one.to_owned()).collect());
        self
    }

    pub fn licence(mut self, expression: &str) -> Self {
        self.licence = expression.to_owned();
        self
    }

    pub fn links(mut self, library: &str) -> Self {
        self.links = Some(library.to_owned());
        self
    }

    pub fn proc_macro(mut self) -> Self {
        self.is_proc_macro = true;
        self
    }

    pub fn build_script(self, source: &str) -> Self {
        self.file("build.rs", source)
    }

    /// A file of the package; `src/lib.rs` is there (empty) by itself.
    pub fn file(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.to_owned(), bytes.as_ref().to_vec());
        self
    }

    /// The files of the package, the manifest included.
    pub(super) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.files.clone();
        files.entry("Cargo.toml".to_owned()).or_insert_with(|| self.manifest().into_bytes());
        files
    }

    /// The `.crate`.
    pub(super) fn package(&self) -> Vec<u8> {
        let folder = format!("{}-{}", self.name, self.version);
        package::tar_gz(&folder, &self.files())
    }

    fn manifest(&self) -> String {
        let mut text = format!(
            "[package]\nname = \"{}\"\nversion = \"{}\"\nedition = \"2021\"\nlicense = \"{}\"\n",
            self.name, self.version, self.licence
        );
        if let Some(links) = &self.links {
            let _ = writeln!(text, "links = \"{links}\"");
        }
        if let Some(url) = &self.repository {
            let _ = writeln!(text, "repository = \"{url}\"");
        }
        if self.is_proc_macro {
            text += "\n[lib]\nproc-macro = true\n";
        }
        if !self.features.is_empty() {
            let _ = writeln!(text, "\n[features]");
            for (name, enables) in &self.features {
                let _ = writeln!(text, "{name} = {enables:?}");
            }
        }
        for dependency in &self.dependencies {
            let table = match dependency.kind {
                "build" => "build-dependencies",
                "dev" => "dev-dependencies",
                _ => "dependencies",
            };
            let target = dependency.target.as_ref().map(|target| format!("target.'{target}'.")).unwrap_or_default();
            let Dependency { name, requirement, optional, .. } = dependency;
            let _ = write!(text, "\n[{target}{table}.{name}]\nversion = \"{requirement}\"\noptional = {optional}\n");
        }
        text
    }

    pub(super) fn index_line(&self) -> String {
        let dependencies: Vec<_> = self.dependencies.iter().map(Dependency::of_index).collect();
        let mut line = json!({
            "name": self.name, "vers": self.version, "deps": dependencies, "cksum": Sha256::of(self.package()).to_string(),
            "features": self.features, "yanked": self.is_yanked, "links": self.links, "v": 2,
        });
        if let Some(published) = &self.published {
            line["pubtime"] = published.as_str().into();
        }
        line.to_string()
    }

    /// The locked packages that this release depends on, dev dependencies apart.
    pub(super) fn resolved<'l>(&self, locked: &[(&'l str, &'l str)]) -> Vec<(&'l str, &'l str)> {
        let mut found = Vec::new();
        for dependency in self.dependencies.iter().filter(|dependency| dependency.kind != "dev") {
            let requirement = semver::VersionReq::parse(&dependency.requirement).unwrap();
            let fits = |(name, version): &&(&str, &str)| {
                *name == dependency.name && requirement.matches(&semver::Version::parse(version).unwrap())
            };
            found.extend(locked.iter().filter(fits).max_by_key(|(_, version)| semver::Version::parse(version).unwrap()));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn audit_actions(&self) -> Vec<Value> {
        let publication = || match (self.publisher.is_null(), &self.published) {
            (false, Some(time)) => vec![json!({ "action": "publish", "user": self.publisher, "time": time })],
            _ => Vec::new(),
        };
        self.actions.clone().unwrap_or_else(publication)
    }

    /// A version as `/api/v1/crates/NAME/versions` shows one.
    pub(super) fn api_version(&self, repository: Option<&str>) -> Value {
        let path = format!("/api/v1/crates/{}/{}", self.name, self.version);
        let time = self.published.as_deref().unwrap_or("2015-01-01T00:00:00Z");
        json!({
            "id": 1, "crate": self.name, "num": self.version, "dl_path": format!("{path}/download"),
            "created_at": time, "updated_at": time, "downloads": 100, "features": self.features, "yanked": self.is_yanked,
            "yank_message": null, "lib_links": self.links, "license": self.licence, "links": { "dependencies": format!("{path}/dependencies") },
            "crate_size": self.package().len(), "published_by": self.publisher, "audit_actions": self.audit_actions(),
            "checksum": Sha256::of(self.package()).to_string(), "rust_version": null, "has_lib": true, "bin_names": [],
            "edition": "2021", "description": null, "homepage": null, "documentation": null,
            "repository": self.repository.as_deref().or(repository), "trustpub_data": self.trusted, "linecounts": null,
        })
    }
}

impl Dependency {
    fn of_index(&self) -> Value {
        json!({
            "name": self.name, "req": self.requirement, "features": [], "optional": self.optional, "default_features": true,
            "target": self.target, "kind": self.kind, "registry": null, "package": null,
        })
    }
}
