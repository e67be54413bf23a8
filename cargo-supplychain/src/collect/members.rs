//! The workspace's packages without a call of cargo: what its root manifest lists, and path dependencies below the root (the Cargo
//! book, "Workspaces"). For judging a lockfile where there is nothing but it and the manifests.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::files;
use crate::model::manifest::{self, Requirement, SHARED};

/// So many packages are followed; a pattern may match anything.
const MAX_MEMBERS: usize = 10_000;

/// The manifests of the members of the workspace at `root` (absolute paths of `Cargo.toml`), the root's own left out. What a pattern or
/// a path leads to and is not a package is left out, as is what cannot be read: cargo says so when it is called.
#[must_use]
pub fn find(root: &Utf8Path, table: &toml::Table) -> Vec<Utf8PathBuf> {
    let workspace = table.get("workspace");
    let list = |key: &str| {
        let items = workspace.and_then(|workspace| workspace.get(key)).and_then(toml::Value::as_array);
        items.into_iter().flatten().filter_map(toml::Value::as_str).collect::<Vec<_>>()
    };
    let excluded: Vec<_> = list("exclude").into_iter().map(|path| files::normal(&root.join(path))).collect();
    let shared = shared_paths(root);
    let mut found = BTreeSet::new();
    let mut open: Vec<Utf8PathBuf> = list("members").into_iter().flat_map(|pattern| folders(root, pattern)).collect();
    open.retain(|folder| !excluded.iter().any(|path| folder.starts_with(path)));
    open.push(root.to_owned());
    while let Some(folder) = open.pop() {
        let manifest = folder.join("Cargo.toml");
        if found.len() > MAX_MEMBERS || found.contains(&manifest) || !manifest.is_file() {
            continue;
        }
        open.extend(path_dependencies(root, &folder, &shared));
        found.insert(manifest);
    }
    found.remove(&root.join("Cargo.toml"));
    found.into_iter().collect()
}

/// The folders that a pattern of `members` matches: `crates/*`.
fn folders(root: &Utf8Path, pattern: &str) -> Vec<Utf8PathBuf> {
    let whole = files::normal(&Utf8Path::new(&glob::Pattern::escape(root.as_str())).join(pattern));
    let Ok(paths) = glob::glob(whole.as_str()) else { return Vec::new() };
    paths.take(MAX_MEMBERS).flatten().filter_map(|path| Utf8PathBuf::from_path_buf(path).ok()).collect()
}

/// Path dependencies below the workspace's root are members too. What `[workspace.dependencies]` lists and nobody inherits is not.
fn path_dependencies(root: &Utf8Path, folder: &Utf8Path, shared: &BTreeMap<String, Utf8PathBuf>) -> Vec<Utf8PathBuf> {
    let own = requirements(folder).into_iter().filter(|requirement| requirement.table != SHARED);
    let paths = own.filter_map(|requirement| match requirement.path {
        Some(path) => Some(files::normal(&folder.join(path))),
        None if requirement.inherited => shared.get(&requirement.key).cloned(),
        None => None,
    });
    paths.filter(|path| path.starts_with(root)).collect()
}

/// The folders that `[workspace.dependencies]` names, by key.
fn shared_paths(root: &Utf8Path) -> BTreeMap<String, Utf8PathBuf> {
    let shared = requirements(root).into_iter().filter(|requirement| requirement.table == SHARED);
    shared.filter_map(|requirement| Some((requirement.key, files::normal(&root.join(requirement.path?))))).collect()
}

fn requirements(folder: &Utf8Path) -> Vec<Requirement> {
    let text = files::read_text(&folder.join("Cargo.toml"), manifest::MAX_BYTES as u64).unwrap_or_default();
    manifest::parse("Cargo.toml", &text).map(|manifest| manifest.requirements).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_paths_and_exclusions() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for (path, text) in [
            ("crates/a", "[dependencies]\nc = { path = \"../../libs/c\" }\nout = { path = \"../../../out\" }"),
            ("crates/b", ""),
            ("crates/x", ""),
            ("libs/c", "[dependencies]\na = { path = \"../../crates/a\" }\ninherited = { workspace = true }"),
            ("libs/d", ""),
            ("libs/unused", ""),
            ("alone", ""),
        ] {
            std::fs::create_dir_all(root.join(path)).unwrap();
            std::fs::write(root.join(path).join("Cargo.toml"), text).unwrap();
        }
        std::fs::create_dir_all(root.join("crates/none")).unwrap();
        let text = "[workspace]\nmembers = ['crates/*', 'gone']\nexclude = ['crates/x']\n[workspace.dependencies]\ninherited = { package = 'd', path = 'libs/d' }\nunused = { path = 'libs/unused' }\n";
        std::fs::write(root.join("Cargo.toml"), text).unwrap();
        let found = find(root, &text.parse().unwrap());
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(root).unwrap().as_str()).collect();
        assert_eq!(names, ["crates/a/Cargo.toml", "crates/b/Cargo.toml", "libs/c/Cargo.toml", "libs/d/Cargo.toml"]);
    }
}
