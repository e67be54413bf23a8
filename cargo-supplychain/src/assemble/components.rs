//! From packages of the metadata to [`Component`]s with their package URLs.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use guppy::graph::{PackageGraph, PackageMetadata, PackageSource};

use crate::base::{purl, text};
use crate::model::lockfile::CRATES_IO;
use crate::model::{Component, LockedPackage, Lockfile, Origin};

/// All packages of the graph.
pub(super) struct Components {
    pub by_purl: BTreeMap<String, Component>,
    /// Package URL by cargo's package id.
    pub purls: BTreeMap<String, String>,
    /// The packages that Cargo.lock names with a source, and the folder that cargo has each in.
    pub sources: Vec<(String, PlannedSource)>,
    /// The folder of each package, by cargo's package id.
    pub folders: BTreeMap<String, Utf8PathBuf>,
}

/// Where cargo has the source of a locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedSource {
    /// Index into the lockfile's packages.
    pub package: usize,
    pub folder: Utf8PathBuf,
}

impl Components {
    /// `replaced`: the sources that `[patch]` put packages in the place of, by cargo's package id.
    pub(super) fn of(graph: &PackageGraph, lockfile: &Lockfile, replaced: &BTreeMap<String, String>) -> Self {
        let published: BTreeSet<_> = graph
            .packages()
            .filter(|package| matches!(package.source(), PackageSource::External(_)))
            .map(|package| (package.name(), package.version()))
            .collect();
        let locked: BTreeMap<_, _> = lockfile
            .packages
            .iter()
            .enumerate()
            .map(|(at, package)| (key(&package.name, &package.version, package.source.as_deref()), (at, package)))
            .collect();
        let (mut by_purl, mut purls, mut sources, mut folders) = (BTreeMap::new(), BTreeMap::new(), Vec::new(), BTreeMap::new());
        for package in graph.packages() {
            let source = match package.source() {
                PackageSource::External(source) => Some(source),
                PackageSource::Workspace(_) | PackageSource::Path(_) => None,
            };
            let locked = locked.get(&key(package.name(), package.version(), source)).copied();
            let replaces = replaced.get(package.id().repr());
            let is_alike = published.contains(&(package.name(), package.version()));
            let component = component(&package, locked.map(|(_, package)| package), (replaces, is_alike));
            if let (Some((at, _)), Some(_), Some(folder)) = (locked, source, package.manifest_path().parent()) {
                sources.push((component.purl.clone(), PlannedSource { package: at, folder: folder.to_owned() }));
            }
            if let Some(folder) = package.manifest_path().parent() {
                folders.insert(package.id().repr().to_owned(), folder.to_owned());
            }
            purls.insert(package.id().repr().to_owned(), component.purl.clone());
            by_purl.insert(component.purl.clone(), component);
        }
        Self { by_purl, purls, sources, folders }
    }

    pub(super) fn purl(&self, package: &PackageMetadata<'_>) -> &str {
        &self.purls[package.id().repr()]
    }
}

/// A locked package is named by name, version and source; the two spellings of crates.io are one source.
fn key(name: &str, version: &semver::Version, source: Option<&str>) -> (String, String, String) {
    let source = source.map_or("", |source| if CRATES_IO.contains(&source) { CRATES_IO[0] } else { source });
    (name.to_owned(), version.to_string(), source.to_owned())
}

/// `replaces`: the source that the package stands for; `is_alike`: whether a published package of its name and version is there as well.
fn component(
    package: &PackageMetadata<'_>,
    locked: Option<&LockedPackage>,
    (replaces, is_alike): (Option<&String>, bool),
) -> Component {
    let version = package.version().to_string();
    let origin = origin(package);
    let qualifier = match &origin {
        Origin::Registry { crates_io: true, .. } => purl::Qualifier::CratesIo,
        Origin::Registry { index, .. } => purl::Qualifier::Registry(index),
        Origin::Git { url, rev } => purl::Qualifier::Git { url, rev },
        Origin::Workspace { path } | Origin::Path { path } if replaces.is_some() || is_alike => {
            // Where a folder outside of the workspace lies is the machine's business.
            let is_outside = camino::Utf8Path::new(path).is_absolute();
            let folder = if is_outside { path.rsplit('/').next().unwrap_or(path) } else { path };
            purl::Qualifier::Instead { folder }
        }
        Origin::Workspace { .. } | Origin::Path { .. } | Origin::Replaced { .. } => purl::Qualifier::Local,
    };
    Component {
        purl: purl::cargo(package.name(), &version, qualifier),
        name: package.name().to_owned(),
        version,
        replaces: replaces.map(|source| text::without_credentials(source)),
        checksum: locked.and_then(|locked| locked.checksum),
        license: package.license().map(str::to_owned),
        license_file: package.license_file().map(|path| path.as_str().replace('\\', "/")),
        authors: package.authors().to_vec(),
        description: package.description().map(str::to_owned),
        repository: package.repository().map(text::without_credentials),
        links: package.links().map(str::to_owned),
        has_build_script: package.has_build_script(),
        is_proc_macro: package.is_proc_macro(),
        origin,
    }
}

fn origin(package: &PackageMetadata<'_>) -> Origin {
    let path = |path: &camino::Utf8Path| match path.as_str().replace('\\', "/") {
        empty if empty.is_empty() => ".".to_owned(),
        path => path,
    };
    match package.source() {
        PackageSource::Workspace(folder) => Origin::Workspace { path: path(folder) },
        PackageSource::Path(folder) => Origin::Path { path: path(folder) },
        PackageSource::External(source) => external(source),
    }
}

/// `registry+URL`, `sparse+URL`, `git+URL?query#rev`; anything else is said as it is and claims nothing.
fn external(source: &str) -> Origin {
    if CRATES_IO.contains(&source) {
        return Origin::Registry { index: CRATES_IO[0].trim_start_matches("registry+").to_owned(), crates_io: true };
    }
    if let Some(rest) = source.strip_prefix("git+") {
        let (url, rev) = rest.split_once('#').unwrap_or((rest, ""));
        return Origin::Git { url: text::without_credentials(url), rev: rev.to_owned() };
    }
    match source.split_once('+') {
        Some(("registry" | "sparse", url)) => Origin::Registry { index: text::without_credentials(url), crates_io: false },
        _ => Origin::Replaced { by: text::without_credentials(source) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        for (source, expected) in [
            ("registry+https://github.com/rust-lang/crates.io-index", "https://github.com/rust-lang/crates.io-index true"),
            ("sparse+https://index.crates.io/", "https://github.com/rust-lang/crates.io-index true"),
            ("registry+https://github.com/rust-1ang/crates.io-index", "https://github.com/rust-1ang/crates.io-index false"),
            ("git+https://u:p@example.org/a?branch=x#0123", "git https://example.org/a 0123"),
        ] {
            let shown = match external(source) {
                Origin::Registry { index, crates_io } => format!("{index} {crates_io}"),
                Origin::Git { url, rev } => format!("git {url} {rev}"),
                other => format!("{other:?}"),
            };
            assert_eq!(shown, expected, "{source}");
        }
    }
}
