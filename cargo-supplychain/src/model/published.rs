//! Whether a published package is what its repository holds at the commit that it names: the two sides as digests, and the comparison.
//! Pure; `collect` reads the package, `feeds` the repository, `check` judges.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::registry::CrateKey;
use crate::base::digest::Hasher;
use crate::base::http::{is_allowed, is_loopback};
use crate::base::{Sha256, text};

/// What was found of each version that was looked at; an `Err` says why it could not be compared.
pub type PublishedFacts = BTreeMap<(CrateKey, semver::Version), Result<Comparison, String>>;

/// The longest URL that is taken from a manifest.
const MAX_URL: usize = 512;
/// Hosts where a repository is `owner/name`, whatever comes behind it.
const FORGES: [&str; 4] = ["github.com", "www.github.com", "codeberg.org", "bitbucket.org"];
/// What forges put between a repository and a place in it.
const PLACES: [&str; 4] = ["/-/", "/tree/", "/blob/", "/src/branch/"];

/// A file by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    pub raw: Sha256,
    /// With `\r\n` as `\n`, which git writes either way; of a file with a zero byte the same as `raw`.
    pub text: Sha256,
}

impl FileDigest {
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let raw = Sha256::of(bytes);
        if bytes.contains(&0) {
            return Self { raw, text: raw };
        }
        let mut hasher = Hasher::default();
        let lines = bytes.split_inclusive(|&byte| byte == b'\n');
        for line in lines {
            match line.strip_suffix(b"\r\n") {
                Some(line) => {
                    hasher.update(line);
                    hasher.update(b"\n");
                }
                None => hasher.update(line),
            }
        }
        Self { raw, text: hasher.finish() }
    }
}

/// What a repository has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InRepository {
    Absent,
    File(FileDigest),
    /// Stored elsewhere (git LFS): the digest that the repository names.
    Stored(Sha256),
    /// It cannot be said: what the path lies in (`the submodule x`).
    Unknown(String),
}

/// The digest of a pointer file of git LFS (its specification, "The Pointer").
#[must_use]
pub fn lfs_digest(bytes: &[u8]) -> Option<Sha256> {
    let text = std::str::from_utf8(bytes.get(..bytes.len().min(1024))?).ok()?;
    let mut lines = text.strip_prefix("version https://git-lfs.github.com/spec/v1\n")?.lines();
    lines.find_map(|line| line.strip_prefix("oid sha256:"))?.parse().ok()
}

/// A package as it was published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Package {
    /// By path below the package.
    pub files: BTreeMap<String, FileDigest>,
    /// The manifest's `repository`.
    pub repository: Option<String>,
    /// `.cargo_vcs_info.json`, where there is one that can be read.
    pub commit: Option<PackagedAt>,
    /// Dependencies of the manifest that counts, `Cargo.toml`, which the author's, `Cargo.toml.orig`, does not have.
    pub further_dependencies: Vec<String>,
}

/// Where cargo packaged it (the Cargo book, "cargo package", `.cargo_vcs_info.json`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackagedAt {
    pub commit: String,
    /// With changes that were not committed.
    pub dirty: bool,
    /// The package's folder in the repository, with `/`; empty for the root.
    pub folder: String,
}

impl PackagedAt {
    /// Reads `.cargo_vcs_info.json`; `None` when it is none, or names a folder outside of the repository.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct File {
            git: Git,
            #[serde(default)]
            path_in_vcs: String,
        }
        #[derive(Deserialize)]
        struct Git {
            sha1: String,
            #[serde(default)]
            dirty: bool,
        }
        let file: File = serde_json::from_slice(bytes).ok()?;
        let folder = file.path_in_vcs.trim_matches('/').to_owned();
        let is_inside = folder.is_empty() || folder.split('/').all(|part| !matches!(part, "" | "." | ".."));
        is_inside.then_some(Self { commit: file.git.sha1, dirty: file.git.dirty, folder })
    }
}

/// What the comparison found. Paths are those below the package, sorted by weight: what runs at build time, what is compiled, the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    pub url: String,
    pub commit: String,
    /// How many files are the same.
    pub same: usize,
    pub different: Vec<String>,
    pub only_in_package: Vec<String>,
    pub further_dependencies: Vec<String>,
    /// Where files lie that could not be compared, each with how many.
    pub unknown: BTreeMap<String, usize>,
}

/// How much a file of a package weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// `build.rs` in the root.
    Script,
    /// Rust below `src/`.
    Source,
    Other,
    /// Text for people: `README.md`, `LICENSE`.
    Document,
}

/// The weight of a file, by its path below the package.
#[must_use]
pub fn weight(path: &str) -> Weight {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    let is_text = matches!(extension, "" | "md" | "txt" | "rst" | "adoc");
    let words = ["readme", "license", "licence", "copying", "copyright", "notice", "unlicense", "changelog", "authors"];
    if path == "build.rs" {
        Weight::Script
    } else if path.starts_with("src/") && extension == "rs" {
        Weight::Source
    } else if extension == "md" || (is_text && words.iter().any(|word| stem.starts_with(word))) {
        Weight::Document
    } else {
        Weight::Other
    }
}

/// The URL to fetch a manifest's `repository` from: https, or http on this machine; without what leads into the repository. `None` for
/// what names none, or has credentials in it.
#[must_use]
pub fn clone_url(repository: &str) -> Option<String> {
    let url = repository.trim();
    let url = url.strip_prefix("git+").unwrap_or(url);
    let (scheme, rest) = url.split_once("://")?;
    let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let (authority, path) = rest.split_once('/')?;
    let host = authority.to_ascii_lowercase();
    let is_forge = FORGES.contains(&host.as_str());
    let path = PLACES.iter().find_map(|place| path.split_once(place)).map_or(path, |(path, _)| path);
    let path = match is_forge {
        true => path.split('/').take(2).collect::<Vec<_>>().join("/"),
        false => path.to_owned(),
    };
    // The forges speak https, whatever an old manifest says.
    let is_known = is_forge || host == "gitlab.com";
    let scheme = if is_known && matches!(scheme, "http" | "git") { "https" } else { scheme };
    let url = format!("{scheme}://{host}/{path}");
    let is_sound = is_allowed(&url) && !authority.contains('@') && !path.is_empty() && url.len() <= MAX_URL && url.is_ascii();
    (is_sound && (scheme == "https" || is_loopback(&url)) && (!is_forge || path.contains('/'))).then_some(url)
}

/// The dependencies of the manifest that counts which the author's does not have, as `name` or `name (package other)`. Empty when one
/// of them is no manifest.
#[must_use]
pub fn further_dependencies(counts: &str, original: &str) -> Vec<String> {
    let (Some(counts), Some(original)) = (dependencies(counts), dependencies(original)) else { return Vec::new() };
    let is_there = |(name, package): &(String, Option<String>)| {
        original.iter().any(|(other, of)| other == name && (of.is_none() || package.is_none() || of == package))
    };
    let further = counts.iter().filter(|one| !is_there(one)).map(|(name, package)| match package {
        Some(package) if package != name => format!("{} (package {})", text::plain(name), text::plain(package)),
        _ => text::plain(name).into_owned(),
    });
    further.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Name and package of each dependency, for any platform; no package: the workspace names it.
fn dependencies(manifest: &str) -> Option<BTreeSet<(String, Option<String>)>> {
    let document = DeTable::parse(manifest).ok()?;
    let root = document.get_ref();
    let mut found = BTreeSet::new();
    let mut add = |table: &DeTable<'_>| {
        for key in ["dependencies", "dev-dependencies", "build-dependencies", "dev_dependencies", "build_dependencies"] {
            let Some(list) = table.get(key).and_then(|list| list.get_ref().as_table()) else { continue };
            for (name, value) in list {
                let name = name.get_ref().to_string();
                let fields = value.get_ref().as_table();
                let is_inherited = fields.is_some_and(|fields| fields.contains_key("workspace"));
                let named = fields.and_then(|fields| fields.get("package")?.get_ref().as_str().map(str::to_owned));
                let package = if is_inherited { None } else { Some(named.unwrap_or_else(|| name.clone())) };
                found.insert((name, package));
            }
        }
    };
    add(root);
    if let Some(targets) = root.get("target").and_then(|targets| targets.get_ref().as_table()) {
        targets.values().filter_map(|target| target.get_ref().as_table()).for_each(&mut add);
    }
    Some(found)
}

/// The manifest's `repository`.
#[must_use]
pub fn repository(manifest: &str) -> Option<String> {
    let document = DeTable::parse(manifest).ok()?;
    let package = document.get_ref().get("package").or_else(|| document.get_ref().get("project"))?;
    let DeValue::Table(package) = package.get_ref() else { return None };
    package.get("repository")?.get_ref().as_str().map(str::to_owned)
}

/// Compares every file of the package with what `look` finds at the path in the repository. What cargo itself makes is left out:
/// `Cargo.lock`, `.cargo_vcs_info.json`, and `Cargo.toml`, in whose place `Cargo.toml.orig` stands.
///
/// # Errors
/// Those of `look`.
pub fn compare(
    package: &Package,
    url: &str,
    at: &PackagedAt,
    look: impl Fn(&str) -> Result<InRepository, String>,
) -> Result<Comparison, String> {
    let mut found = Comparison { url: url.to_owned(), commit: at.commit.clone(), ..Comparison::default() };
    let has_original = package.files.contains_key("Cargo.toml.orig");
    for (path, digest) in &package.files {
        let name = match path.as_str() {
            "Cargo.lock" | ".cargo_vcs_info.json" => continue,
            "Cargo.toml" if has_original => continue,
            "Cargo.toml.orig" => "Cargo.toml",
            other => other,
        };
        match look(&joined(&at.folder, name))? {
            InRepository::File(other) if other.text == digest.text => found.same += 1,
            InRepository::Stored(raw) if raw == digest.raw => found.same += 1,
            InRepository::Unknown(place) => *found.unknown.entry(place).or_default() += 1,
            other => {
                if is_of_a_folder_above(path, digest, &at.folder, &look)? {
                    found.same += 1;
                } else if other == InRepository::Absent {
                    found.only_in_package.push(path.clone());
                } else {
                    found.different.push(path.clone());
                }
            }
        }
    }
    found.further_dependencies.clone_from(&package.further_dependencies);
    for paths in [&mut found.different, &mut found.only_in_package] {
        paths.sort_by_key(|path| (weight(path), path.clone()));
    }
    Ok(found)
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Cargo copies the file of `readme` or `license-file` into the package's root from wherever in the repository it is.
fn is_of_a_folder_above(
    path: &str,
    digest: &FileDigest,
    folder: &str,
    look: impl Fn(&str) -> Result<InRepository, String>,
) -> Result<bool, String> {
    if path.contains('/') || weight(path) != Weight::Document {
        return Ok(false);
    }
    let mut folder = folder;
    while !folder.is_empty() {
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
        if matches!(look(&joined(folder, path))?, InRepository::File(other) if other.text == digest.text) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
