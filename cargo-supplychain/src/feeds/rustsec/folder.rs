//! A database in a folder: what is in it, and whether it changed since it was parsed.

use std::io::{self, Read as _};
use std::time::UNIX_EPOCH;

use camino::{Utf8Path, Utf8PathBuf};

use super::advisory::MAX_BYTES;
use super::{AdvisoryFile, MAX_ADVISORIES, is_advisory};
use crate::base::Sha256;
use crate::base::parallel::in_pieces;

/// The advisory files of a folder, sorted by path.
pub(super) struct Listing {
    files: Vec<Listed>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Listed {
    /// `crates/NAME/RUSTSEC-….md`
    path: String,
    size: u64,
    modified: u128,
}

/// Lists `crates/*/RUSTSEC-*.md`. Links are not followed: a database has none. A thousand folders are most of what an answer waits for, so
/// that they are listed on all cores.
pub(super) fn list(root: &Utf8Path) -> Result<Listing, String> {
    let folders = crate_folders(&root.join("crates")).map_err(|error| format!("cannot list it: {error}"))?;
    let parts: Result<Vec<_>, String> = in_pieces(&folders, 16, list_crates).into_iter().collect();
    let mut files = parts?.concat();
    if files.len() > MAX_ADVISORIES {
        return Err(too_many());
    }
    files.sort();
    Ok(Listing { files })
}

fn crate_folders(crates: &Utf8Path) -> io::Result<Vec<Utf8PathBuf>> {
    let mut folders = Vec::new();
    if crates.is_dir() {
        for folder in crates.read_dir_utf8()? {
            let folder = folder?;
            if folder.file_type()?.is_dir() {
                folders.push(folder.into_path());
            }
        }
    }
    Ok(folders)
}

fn too_many() -> String {
    format!("it has more than {MAX_ADVISORIES} advisories")
}

fn list_crates(folders: &[Utf8PathBuf]) -> Result<Vec<Listed>, String> {
    let mut files = Vec::new();
    for folder in folders {
        list_crate(folder, folder.file_name().unwrap_or_default(), &mut files)?;
    }
    Ok(files)
}

fn list_crate(folder: &Utf8Path, name: &str, files: &mut Vec<Listed>) -> Result<(), String> {
    let failed = |error| format!("cannot list crates/{name}: {error}");
    for entry in folder.read_dir_utf8().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !is_advisory(entry.file_name()) {
            continue;
        }
        let path = format!("crates/{name}/{}", entry.file_name());
        // Of the entry itself, not of what a link points to.
        let metadata = entry.metadata().map_err(failed)?;
        if !metadata.is_file() || metadata.len() > MAX_BYTES {
            return Err(format!("{path} is not a regular file of at most {MAX_BYTES} bytes"));
        }
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        files.push(Listed { path, size: metadata.len(), modified: modified.map_or(0, |time| time.as_nanos()) });
        if files.len() > MAX_ADVISORIES {
            return Err(too_many());
        }
    }
    Ok(())
}

impl Listing {
    /// Names this state of the folder: its place, the commit, and each file's path, size and time of change.
    pub(super) fn key(&self, root: &Utf8Path, revision: Option<&str>) -> Sha256 {
        use std::fmt::Write as _;
        let mut text = format!("folder\n{root}\n{}\n", revision.unwrap_or_default());
        for Listed { path, size, modified } in &self.files {
            let _ = writeln!(text, "{path}\0{size}\0{modified}");
        }
        Sha256::of(text)
    }

    /// Reads the files, at most [`MAX_BYTES`] of each.
    pub(super) fn read(&self, root: &Utf8Path) -> Result<Vec<AdvisoryFile>, String> {
        let read = |listed: &Listed| {
            let mut bytes = Vec::with_capacity(usize::try_from(listed.size).unwrap_or(0) + 1);
            let file = std::fs::File::open(root.join(&listed.path));
            let count = file.and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes));
            count.map_err(|error| format!("cannot read {}: {error}", listed.path))?;
            Ok(AdvisoryFile { path: listed.path.clone(), bytes })
        };
        self.files.iter().map(read).collect()
    }
}
