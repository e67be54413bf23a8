//! `release.json`, read strictly. It is read only after its signature holds, and still as if its signer were hostile: paths
//! are checked before anything is compared with them.

use std::collections::BTreeSet;

use crate::attest::{RELEASE_BUNDLE, RELEASE_MANIFEST, SHA256SUMS, strict_json};
use crate::model::release::{FORMAT_VERSION, ReleaseManifest};
use crate::model::release_path;

/// Most files and statements of a release.
const MAX_FILES: usize = 100_000;
/// Longest name, version or target.
const MAX_WORD: usize = 256;

/// Parses and checks `release.json`; the error is a fragment.
pub(super) fn parse(bytes: &[u8]) -> Result<ReleaseManifest, String> {
    let value = strict_json::parse(bytes).map_err(|error| format!("not a valid release manifest: {error}"))?;
    let version = value.get("format_version").and_then(serde_json::Value::as_u64);
    if version != Some(u64::from(FORMAT_VERSION)) {
        return Err(format!("its format version is not {FORMAT_VERSION}: a newer cargo-supplychain may read it"));
    }
    let manifest: ReleaseManifest =
        serde_json::from_value(value).map_err(|error| format!("not a valid release manifest: {error}"))?;
    check_words(&manifest)?;
    check_paths(&manifest)?;
    check_statements(&manifest)?;
    Ok(manifest)
}

fn check_words(manifest: &ReleaseManifest) -> Result<(), String> {
    for (key, word) in [("name", &manifest.name), ("version", &manifest.version), ("target", &manifest.target)] {
        if word.is_empty() || word.len() > MAX_WORD || word.chars().any(char::is_control) {
            return Err(format!("`{key}` is not a word of 1 to {MAX_WORD} bytes"));
        }
    }
    Ok(())
}

fn check_paths(manifest: &ReleaseManifest) -> Result<(), String> {
    if manifest.files.len() + manifest.statements.len() > MAX_FILES {
        return Err(format!("it lists more than {MAX_FILES} files"));
    }
    if !manifest.files.is_sorted_by(|a, b| a.path < b.path) {
        return Err("`files` is not sorted by path, or lists a path twice".into());
    }
    let listed = manifest.files.iter().map(|file| file.path.as_str());
    let signed = manifest.statements.iter().map(|statement| statement.path.as_str());
    let mut folded = BTreeSet::new();
    for path in [RELEASE_MANIFEST, SHA256SUMS, RELEASE_BUNDLE].into_iter().chain(listed).chain(signed) {
        release_path::check(path).map_err(|why| format!("it lists the path {path:?}: {why}"))?;
        if !folded.insert(release_path::fold(path)) {
            return Err(format!("it lists {path:?} next to a path that differs in upper and lower case only"));
        }
    }
    match manifest.files.iter().find(|file| file.path.starts_with("attestations/")) {
        Some(file) => Err(format!("it lists {:?} among `files`: bundles belong to `statements`", file.path)),
        None => Ok(()),
    }
}

fn check_statements(manifest: &ReleaseManifest) -> Result<(), String> {
    for statement in &manifest.statements {
        if !statement.path.starts_with("attestations/") || !statement.path.ends_with(".sigstore.json") {
            return Err(format!("the statement {:?} is no `attestations/….sigstore.json`", statement.path));
        }
        if manifest.files.binary_search_by(|file| file.path.cmp(&statement.subject)).is_err() {
            return Err(format!("the statement {:?} is about {:?}, which is not listed", statement.path, statement.subject));
        }
    }
    Ok(())
}
