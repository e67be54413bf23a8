//! What one side of `diff` is, by the content of the path that it names: a lockfile, a bill of materials, a release, or else a git revision.

use std::io::Read as _;

use camino::{Utf8DirEntry, Utf8Path, Utf8PathBuf};

use super::super::{Error, foreign};
use crate::base::Context;
use crate::bom;
use crate::bom::listing::{Listed, merged, of_bom};
use crate::model::Lockfile;
use crate::{collect, files};

/// The endings of a release's documents; those of the first that it has are read.
const ENDINGS: [&str; 9] = [
    ".cdx.json",
    ".spdx.json",
    ".cdx-1.6.json",
    ".cdx-1.5.json",
    ".cdx-1.4.json",
    ".cdx.xml",
    ".spdx-3.0.1.json",
    ".spdx",
    ".swidtag",
];
/// The most documents of one release that are read.
const MAX_DOCUMENTS: usize = 1000;

/// One side.
pub(super) enum Side {
    /// No such path: a revision of the repository.
    Revision,
    Lockfile(Box<Lockfile>),
    Document(Vec<Listed>),
    /// What its bills of materials list, and its lockfile.
    Release {
        listed: Vec<Listed>,
        lockfile: Option<Box<Lockfile>>,
    },
}

impl Side {
    pub(super) fn is_document(&self) -> bool {
        matches!(self, Self::Document(_) | Self::Release { lockfile: None, .. })
    }

    pub(super) fn is_release(&self) -> bool {
        matches!(self, Self::Release { .. })
    }

    /// The lockfile, where the path named one.
    pub(super) fn lockfile(self) -> Option<Lockfile> {
        match self {
            Self::Lockfile(lockfile) | Self::Release { lockfile: Some(lockfile), .. } => Some(*lockfile),
            _ => None,
        }
    }
}

/// Tells what `given` names, and reads it unless it is a revision.
pub(super) fn of(context: &Context, given: &str) -> Result<Side, Error> {
    let path = context.cwd.join(given);
    if path.is_dir() {
        let locked = |name: &str| lockfile(&path.join(name), given);
        let documents = documents(&path.join("sbom"));
        if !path.join("release.json").is_file() || documents.is_empty() {
            let found = [locked("evidence/Cargo.lock")?, locked("Cargo.lock")?].into_iter().flatten().next();
            return Ok(found.map_or(Side::Revision, |lockfile| Side::Lockfile(Box::new(lockfile))));
        }
        let read = |path: &Utf8PathBuf| Ok(of_bom(&foreign::read(context, path)?.bom));
        let listed = merged(documents.iter().map(read).collect::<Result<_, Error>>()?);
        return Ok(Side::Release { listed, lockfile: locked("evidence/Cargo.lock")?.map(Box::new) });
    }
    if !path.is_file() {
        return Ok(Side::Revision);
    }
    if is_document(&path) {
        return Ok(Side::Document(of_bom(&foreign::read(context, Utf8Path::new(given))?.bom)));
    }
    Ok(lockfile(&path, given)?.map_or(Side::Revision, |lockfile| Side::Lockfile(Box::new(lockfile))))
}

/// A lockfile is TOML: it begins neither as JSON nor as XML, nor with SPDX's first tag, nor as a binary.
fn is_document(path: &Utf8Path) -> bool {
    let mut start = [0; 512];
    let length = files::open(path).and_then(|mut file| file.read(&mut start)).unwrap_or(0);
    let start = &start[..length];
    let text = String::from_utf8_lossy(start);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    bom::is_binary(start) || text.starts_with(['{', '<']) || text.starts_with("SPDXVersion")
}

fn lockfile(path: &Utf8Path, given: &str) -> Result<Option<Lockfile>, Error> {
    let read = collect::lockfile::read(path, given).map_err(|error| Error::usage(&error))?;
    Ok(read.map(|read| read.lockfile))
}

/// The bills of materials of a release, one form of each, by name.
fn documents(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let mut all: Vec<_> = entries.filter_map(Result::ok).take(MAX_DOCUMENTS).map(Utf8DirEntry::into_path).collect();
    all.sort();
    let has = |ending: &str| all.iter().any(|path| path.as_str().ends_with(ending));
    let Some(ending) = ENDINGS.into_iter().find(|ending| has(ending)) else { return Vec::new() };
    all.retain(|path| path.as_str().ends_with(ending));
    all
}
