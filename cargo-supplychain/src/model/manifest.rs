//! Dependency requirements as the workspace's own manifests write them, with their places. Pure parser over `Cargo.toml` text.

use std::fmt;

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::{Lines, Location};

/// The largest manifest that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// The most requirements that a manifest may have.
const MAX_REQUIREMENTS: usize = 10_000;
/// The table of what members inherit.
pub const SHARED: &str = "workspace.dependencies";

/// The longest name of a table with requirements, in bytes: each of them carries it.
const MAX_TABLE: usize = 4096;

/// One `Cargo.toml` of the workspace (the root, and each member).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Relative to the workspace root.
    pub path: String,
    /// The `[package]` name; none for a virtual root.
    pub package: Option<String>,
    /// Its version as written.
    pub version: DeclaredVersion,
    /// `[workspace]`, where it has one.
    pub workspace: Option<WorkspaceTable>,
    pub requirements: Vec<Requirement>,
    /// Entries of `[patch.*]` and `[replace]`.
    pub patches: Vec<Requirement>,
}

/// The `version` of `[package]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub enum DeclaredVersion {
    /// Cargo takes 0.0.0.
    #[default]
    None,
    Written(String),
    /// `version.workspace = true`.
    Inherited,
}

/// What `[workspace]` says beside its dependencies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WorkspaceTable {
    /// `version` of `[workspace.package]`.
    pub version: Option<String>,
    /// Folders that are no members, as written.
    pub exclude: Vec<String>,
}

/// One dependency entry: of `[dependencies]`, `[build-dependencies]`, `[dev-dependencies]`, their target forms,
/// `[workspace.dependencies]` or `[patch.*]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// The package's name (`package = "…"` when renamed).
    pub name: String,
    /// What the manifest calls it.
    pub key: String,
    /// The table it stands in, dotted: `target.cfg(unix).dependencies`.
    pub table: String,
    /// The version requirement as written.
    pub version: Option<String>,
    pub registry: Option<String>,
    pub git: Option<GitRequirement>,
    /// `path`, as written.
    pub path: Option<String>,
    /// `workspace = true`.
    pub inherited: bool,
    pub location: Location,
}

/// A git dependency as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GitRequirement {
    pub url: String,
    pub rev: Option<String>,
    pub branch: Option<String>,
    pub tag: Option<String>,
}

/// Why a manifest could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub location: Location,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

impl std::error::Error for Error {}

/// Reads the dependency requirements of a manifest. `path` is relative to the workspace root.
///
/// Only the tables that hold requirements are looked at (the Cargo book, "Specifying dependencies", "Overriding dependencies" and
/// "Workspaces"); cargo judges the rest. Requirements stand in the order of the file.
pub fn parse(path: &str, text: &str) -> Result<Manifest, Error> {
    if text.len() > MAX_BYTES {
        let message = format!("manifest has {} bytes, the limit is {MAX_BYTES}", text.len());
        return Err(Error { location: Location::file(path), message });
    }
    let document = DeTable::parse(text).map_err(|error| Error {
        location: error.span().map_or_else(|| Location::file(path), |span| Location::at(path, text, span.start)),
        message: format!("manifest is not valid TOML: {}", error.message()),
    })?;
    let root = document.get_ref();
    let package = table(root, "package");
    let workspace = table(root, "workspace");
    let mut reader = Reader { path, text, found: Vec::new() };
    reader.dependency_tables(root, "")?;
    if let Some(targets) = table(root, "target") {
        for (name, target) in targets {
            if let Some(target) = target.get_ref().as_table() {
                reader.dependency_tables(target, &format!("target.{}.", name.get_ref()))?;
            }
        }
    }
    if let Some(shared) = workspace.and_then(|workspace| table(workspace, "dependencies")) {
        reader.requirements(shared, SHARED)?;
    }
    let requirements = reader.take();
    for (registry, patches) in table(root, "patch").into_iter().flatten() {
        if let Some(patches) = patches.get_ref().as_table() {
            reader.requirements(patches, &format!("patch.{}", registry.get_ref()))?;
        }
    }
    if let Some(replaced) = table(root, "replace") {
        reader.requirements(replaced, "replace")?;
    }
    Ok(Manifest {
        path: path.to_owned(),
        package: package.and_then(|package| string(package, "name")),
        version: package.map(declared_version).unwrap_or_default(),
        workspace: workspace.map(workspace_table),
        requirements,
        patches: reader.take(),
    })
}

fn declared_version(package: &DeTable<'_>) -> DeclaredVersion {
    match string(package, "version") {
        Some(written) => DeclaredVersion::Written(written),
        None if package.contains_key("version") => DeclaredVersion::Inherited,
        None => DeclaredVersion::None,
    }
}

fn workspace_table(workspace: &DeTable<'_>) -> WorkspaceTable {
    let excluded = workspace.get("exclude").and_then(|list| list.get_ref().as_array());
    let excluded = excluded.into_iter().flat_map(|list| list.iter());
    WorkspaceTable {
        version: table(workspace, "package").and_then(|package| string(package, "version")),
        exclude: excluded.filter_map(|path| path.get_ref().as_str().map(str::to_owned)).collect(),
    }
}

/// Cargo accepts the forms with an underscore too, up to edition 2021.
const DEPENDENCY_TABLES: [&str; 5] =
    ["dependencies", "dev-dependencies", "dev_dependencies", "build-dependencies", "build_dependencies"];

struct Reader<'a> {
    path: &'a str,
    text: &'a str,
    /// With their offsets; the places follow at the end, in one walk over the text.
    found: Vec<(usize, Requirement)>,
}

impl Reader<'_> {
    /// What was found since the last call, in the order of the file.
    fn take(&mut self) -> Vec<Requirement> {
        self.found.sort_by_key(|(offset, _)| *offset);
        let mut lines = Lines::new(self.text);
        let placed = self.found.drain(..).map(|(offset, requirement)| {
            let (line, column) = lines.at(offset);
            Requirement { location: Location { line, column, ..requirement.location }, ..requirement }
        });
        placed.collect()
    }

    fn dependency_tables(&mut self, parent: &DeTable<'_>, prefix: &str) -> Result<(), Error> {
        for name in DEPENDENCY_TABLES {
            if let Some(entries) = table(parent, name) {
                self.requirements(entries, &format!("{prefix}{}", name.replace('_', "-")))?;
            }
        }
        Ok(())
    }

    fn requirements(&mut self, entries: &DeTable<'_>, table_name: &str) -> Result<(), Error> {
        for (key, value) in entries {
            let offset = key.span().start;
            let error = |message| Error { location: Location::at(self.path, self.text, offset), message };
            if table_name.len() > MAX_TABLE {
                return Err(error(format!("a table's name has {} bytes, the limit is {MAX_TABLE}", table_name.len())));
            }
            if self.found.len() == MAX_REQUIREMENTS {
                return Err(error(format!("manifest has more than {MAX_REQUIREMENTS} requirements")));
            }
            let requirement = requirement(key.get_ref(), value, table_name, Location::file(self.path));
            self.found.push((offset, requirement));
        }
        Ok(())
    }
}

fn requirement(key: &str, value: &Spanned<DeValue<'_>>, table_name: &str, location: Location) -> Requirement {
    let empty = DeTable::new();
    let details = value.get_ref().as_table().unwrap_or(&empty);
    let git = string(details, "git").map(|url| GitRequirement {
        url,
        rev: string(details, "rev"),
        branch: string(details, "branch"),
        tag: string(details, "tag"),
    });
    Requirement {
        name: string(details, "package").unwrap_or_else(|| key.to_owned()),
        key: key.to_owned(),
        table: table_name.to_owned(),
        version: value.get_ref().as_str().map(str::to_owned).or_else(|| string(details, "version")),
        // `registry-index` is the form with a URL that cargo writes into published manifests.
        registry: string(details, "registry").or_else(|| string(details, "registry-index")),
        git,
        path: string(details, "path"),
        inherited: details.get("workspace").is_some_and(|value| value.get_ref().as_bool() == Some(true)),
        location,
    }
}

fn table<'d, 't>(parent: &'d DeTable<'t>, key: &str) -> Option<&'d DeTable<'t>> {
    parent.get(key)?.get_ref().as_table()
}

fn string(parent: &DeTable<'_>, key: &str) -> Option<String> {
    parent.get(key)?.get_ref().as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"[package]
name = "app"

[dependencies]
plain = "1.0"
renamed = { package = "real-name", version = "=2.0.0", registry = "corp" }
shared.workspace = true

[dependencies.local]
path = "../local"

[dev_dependencies]
branchy = { git = "https://example.org/b", branch = "main" }

[build-dependencies]
pinned = { git = "https://example.org/p", rev = "0123456789012345678901234567890123456789" }

[target.'cfg(unix)'.dependencies]
nix = "*"

[workspace.dependencies]
shared = "3"

[patch.crates-io]
plain = { path = "patched" }

[replace]
"old:1.0.0" = { git = "https://example.org/o", tag = "v1" }
"#;

    fn line(requirement: &Requirement) -> String {
        let Requirement { name, key: _, table, version, registry, git, path, inherited, location } = requirement;
        let git = git.as_ref().map(|git| (git.rev.is_some(), git.branch.as_deref(), git.tag.as_deref()));
        format!("{location} {table} {name} {version:?} {registry:?} {git:?} {path:?} {inherited}")
    }

    #[test]
    fn every_table_is_read_with_its_places() {
        let manifest = parse("Cargo.toml", TEXT).unwrap();
        assert_eq!(manifest.package.as_deref(), Some("app"));
        let found: Vec<_> = manifest.requirements.iter().map(line).collect();
        assert_eq!(
            found,
            [
                r#"Cargo.toml:5:1 dependencies plain Some("1.0") None None None false"#,
                r#"Cargo.toml:6:1 dependencies real-name Some("=2.0.0") Some("corp") None None false"#,
                "Cargo.toml:7:1 dependencies shared None None None None true",
                r#"Cargo.toml:9:15 dependencies local None None None Some("../local") false"#,
                r#"Cargo.toml:13:1 dev-dependencies branchy None None Some((false, Some("main"), None)) None false"#,
                "Cargo.toml:16:1 build-dependencies pinned None None Some((true, None, None)) None false",
                r#"Cargo.toml:19:1 target.cfg(unix).dependencies nix Some("*") None None None false"#,
                r#"Cargo.toml:22:1 workspace.dependencies shared Some("3") None None None false"#,
            ]
        );
        let patches: Vec<_> = manifest.patches.iter().map(line).collect();
        assert_eq!(
            patches,
            [
                r#"Cargo.toml:25:1 patch.crates-io plain None None None Some("patched") false"#,
                r#"Cargo.toml:28:1 replace old:1.0.0 None None Some((false, None, Some("v1"))) None false"#,
            ]
        );
    }

    #[test]
    fn versions_and_what_the_workspace_leaves_out() {
        let version = |text: &str| parse("Cargo.toml", &format!("[package]\n{text}")).unwrap().version;
        assert_eq!(version("version = '1.0.0'"), DeclaredVersion::Written("1.0.0".into()));
        assert_eq!(version("version.workspace = true"), DeclaredVersion::Inherited);
        assert_eq!(version("name = 'a'"), DeclaredVersion::None);
        let text = "[workspace]\nexclude = ['x']\npackage.version = '2.0.0'";
        let table = WorkspaceTable { version: Some("2.0.0".into()), exclude: vec!["x".into()] };
        assert_eq!(parse("Cargo.toml", text).unwrap().workspace, Some(table));
        assert_eq!(parse("Cargo.toml", "").unwrap().workspace, None);
        assert_eq!(parse("Cargo.toml", TEXT).unwrap().requirements[1].key, "renamed");
    }

    #[test]
    fn broken_manifest_names_the_place() {
        let error = parse("a/Cargo.toml", "[package]\nname = \n").unwrap_err();
        assert!(error.to_string().starts_with("a/Cargo.toml:2:8: manifest is not valid TOML: "), "{error}");
        let error = parse("Cargo.toml", &" ".repeat(MAX_BYTES + 1)).unwrap_err();
        assert_eq!(error.to_string(), "Cargo.toml: manifest has 4194305 bytes, the limit is 4194304");
    }

    #[test]
    fn memory_stays_in_proportion_to_the_file() {
        // Each requirement carries the name of its table: 500,000 of them in a table with a name of one mebibyte are 500 GB.
        let long = format!("[target.{}.dependencies]\na = '1'\n", "x".repeat(MAX_TABLE));
        let many: String = (0..=MAX_REQUIREMENTS).map(|number| format!("a{number} = '1'\n")).collect();
        for (text, message) in [
            (long, "Cargo.toml:2:1: a table's name has 4116 bytes, the limit is 4096"),
            (format!("[patch.crates-io]\n{many}"), "Cargo.toml:10001:1: manifest has more than 10000 requirements"),
        ] {
            assert_eq!(parse("Cargo.toml", &text).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn odd_types_are_cargos_to_refuse() {
        let odd = "dependencies = 3\n[target]\nx = 1\n[patch]\ny = 2\n[workspace]\ndependencies = []";
        let manifest = parse("Cargo.toml", odd).unwrap();
        assert!(manifest.requirements.is_empty() && manifest.patches.is_empty());
    }

    proptest! {
        #[test]
        fn mutated_manifests_never_panic(at in 0usize..TEXT.len(), with in "\\PC{0,6}", cut in 0usize..40) {
            let end = (at + cut).min(TEXT.len());
            let _ = parse("Cargo.toml", &format!("{}{with}{}", &TEXT[..at], &TEXT[end..]));
        }
    }
}
