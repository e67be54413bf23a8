//! `evidence export`: a release folder as evidence for practices of frameworks. Files are compared with the release's own list; whose list it
//! is, `verify` tells.

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::Value;

use super::Error;
use crate::attest::{RELEASE_MANIFEST, SHA256SUMS};
use crate::base::{Context, Sha256};
use crate::collect::release_folder;
use crate::document::Document;
use crate::document::practices::{self, Release};
use crate::files;
use crate::model::release::ReleaseManifest;
use crate::verify::{Entry, MAX_CONTROL_BYTES, ReleaseContents};

/// The document, and files that are not what the release lists.
#[derive(Debug)]
pub struct Exported {
    pub document: Document,
    pub different: Vec<String>,
}

/// Reads the release and writes what is evidenced.
///
/// # Errors
/// It is no release folder, or no framework is called so.
pub fn export(context: &Context, folder: &Utf8Path, framework: Option<&str>) -> Result<Exported, Error> {
    let names = practices::frameworks();
    if let Some(asked) = framework
        && !names.iter().any(|name| name.to_lowercase().contains(&asked.to_lowercase()))
    {
        return Err(
            Error::usage(&format!("no framework is called `{asked}`")).with_help(format!("there are {}", names.join("; ")))
        );
    }
    let root = context.cwd.join(folder);
    let contents = release_folder::read(&root).map_err(|error| Error::usage(&error).with_help("name a release folder"))?;
    let manifest = manifest(&contents, folder)?;
    let (found, different) = listed(&contents, &manifest);
    let build = json(&root, "evidence/build.json", &found)?;
    let report = json(&root, "reports/report.json", &found)?;
    let release = Release { manifest: &manifest, files: &found, build: build.as_ref(), report: report.as_ref() };
    Ok(Exported { document: practices::document(&release, framework), different })
}

fn manifest(contents: &ReleaseContents, folder: &Utf8Path) -> Result<ReleaseManifest, Error> {
    let bytes = match contents.get(RELEASE_MANIFEST) {
        Some(Entry::File(file)) => file.bytes(),
        _ => None,
    };
    let bytes = bytes.ok_or_else(|| {
        Error::usage(&format!("{folder} is no release: it has no {RELEASE_MANIFEST}")).with_help("name a release folder")
    })?;
    serde_json::from_slice(bytes).map_err(|error| Error::usage(&format!("{folder}/{RELEASE_MANIFEST}: {error}")))
}

/// The files that are there as the release lists them, with those that it cannot list: the list itself, its sums, the attestations.
fn listed(contents: &ReleaseContents, manifest: &ReleaseManifest) -> (BTreeMap<String, Sha256>, Vec<String>) {
    let (mut found, mut different) = (BTreeMap::new(), Vec::new());
    let digest = |path: &str| match contents.get(path) {
        Some(Entry::File(file)) => Some(file.sha256()),
        _ => None,
    };
    for file in &manifest.files {
        match digest(&file.path) {
            Some(sha256) if sha256 == file.sha256 => drop(found.insert(file.path.clone(), sha256)),
            Some(_) => different.push(file.path.clone()),
            None => different.push(format!("{} (missing)", file.path)),
        }
    }
    let beside = contents.iter().map(|(path, _)| path);
    let beside = beside.filter(|path| [RELEASE_MANIFEST, SHA256SUMS].contains(path) || path.starts_with("attestations/"));
    found.extend(beside.filter_map(|path| Some((path.to_owned(), digest(path)?))));
    (found, different)
}

/// A file of the release as JSON; read again, it has to be what was found.
fn json(root: &Utf8Path, path: &str, found: &BTreeMap<String, Sha256>) -> Result<Option<Value>, Error> {
    let Some(expected) = found.get(path) else { return Ok(None) };
    let bytes = files::read(&root.join(path), MAX_CONTROL_BYTES)
        .map_err(|error| Error::usage(&format!("cannot read {path}: {error}")))?;
    if Sha256::of(&bytes) != *expected {
        return Err(Error::usage(&format!("{path} changed while it was read")));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::usage(&format!("{path}: {error}")))
}
