//! A database in a folder: what is in it, and whether it changed since it was parsed.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::time::UNIX_EPOCH;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::advisory::MAX_BYTES;
use super::{AdvisoryFile, MAX_ADVISORIES, is_advisory};
use crate::base::Sha256;
use crate::base::parallel::{in_pieces, joined};
use crate::feeds::parsed::{Room, Table};
use crate::files::stamp::{FileState, Stamp, Stamps};

/// Raised whenever what is remembered changes.
const FORMAT: u32 = 1;

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

/// Lists `crates/*/RUSTSEC-*.md`. Links are not followed: a database has none. A thousand folders are most of what an answer waits for: they are
/// listed on all cores, and not again while they have the same names in them, which the cache remembers.
pub(super) fn list(root: &Utf8Path, cache_dir: &Utf8Path) -> Result<Listing, String> {
    let crates = root.join("crates");
    let folders = crate_folders(&crates).map_err(|error| format!("cannot list it: {error}"))?;
    let memory = Memory::of(&crates, cache_dir);
    let list = |piece: &[Utf8PathBuf]| piece.iter().map(|folder| list_crate(folder, &memory)).collect::<Result<Vec<_>, _>>();
    let parts: Result<Vec<_>, String> = in_pieces(&folders, 16, list).into_iter().collect();
    let folders: Vec<Folder> = joined(parts?);
    memory.keep(&folders);
    let mut files: Vec<Listed> = folders.into_iter().flat_map(|folder| folder.files).collect();
    if files.len() > MAX_ADVISORIES {
        return Err(too_many());
    }
    files.sort();
    Ok(Listing { files })
}

/// The folder of a crate.
struct Folder {
    name: String,
    stamp: Option<Stamp>,
    files: Vec<Listed>,
    /// Its names are those that are remembered.
    is_known: bool,
}

/// What the names in a folder were when it had a stamp.
#[derive(Serialize, Deserialize)]
struct Names {
    folder: String,
    stamp: Stamp,
    files: Vec<String>,
}

/// The names in folders, as they were found before.
struct Memory {
    room: Room,
    key: Sha256,
    /// None: nothing tells there whether a folder changed.
    stamps: Option<Stamps>,
    known: BTreeMap<String, Names>,
}

impl Memory {
    fn of(crates: &Utf8Path, cache_dir: &Utf8Path) -> Self {
        let (room, key) = (Room::new(cache_dir, "rustsec-names", FORMAT), Sha256::of(crates.as_str()));
        let stamps = Stamps::new(crates);
        let known: Vec<Names> = stamps.as_ref().and_then(|_| room.read(key)).map(|table| table.all()).unwrap_or_default();
        Self { room, key, stamps, known: known.into_iter().map(|one| (one.folder.clone(), one)).collect() }
    }

    fn keep(&self, folders: &[Folder]) {
        if folders.iter().all(|folder| folder.is_known || folder.stamp.is_none()) {
            return;
        }
        let names = |folder: &Folder| {
            let file = |one: &Listed| one.path.rsplit('/').next().unwrap_or_default().to_owned();
            Some(Names { folder: folder.name.clone(), stamp: folder.stamp?, files: folder.files.iter().map(file).collect() })
        };
        let names: Vec<Names> = folders.iter().filter_map(names).collect();
        let row = |one: &Names| Some((one.folder.clone(), serde_json::to_string(one).ok()?));
        if let Some(table) = Table::new(&(), names.iter().filter_map(row).collect()) {
            self.room.write(self.key, &table);
        }
    }
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

fn list_crate(folder: &Utf8Path, memory: &Memory) -> Result<Folder, String> {
    let name = folder.file_name().unwrap_or_default().to_owned();
    // Before it is listed: a name that comes meanwhile changes the next one.
    let stamp = memory.stamps.as_ref().and_then(|stamps| stamps.of(&name));
    let known = memory.known.get(&name).filter(|known| Some(known.stamp) == stamp).and_then(|known| {
        let stamps = memory.stamps.as_ref()?;
        let listed = |file: &String| {
            let path = format!("{name}/{file}");
            let state = is_advisory(file).then(|| stamps.file(&path))??;
            listed(format!("crates/{path}"), state).ok()
        };
        known.files.iter().map(listed).collect::<Option<Vec<_>>>()
    });
    let is_known = known.is_some();
    let files = known.map_or_else(|| list_names(folder, &name), Ok)?;
    Ok(Folder { name, stamp, files, is_known })
}

fn list_names(folder: &Utf8Path, name: &str) -> Result<Vec<Listed>, String> {
    let failed = |error| format!("cannot list crates/{name}: {error}");
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !is_advisory(entry.file_name()) {
            continue;
        }
        // Of the entry itself, not of what a link points to.
        let metadata = entry.metadata().map_err(failed)?;
        let path = format!("crates/{name}/{}", entry.file_name());
        if !metadata.is_file() {
            return Err(not_regular(&path));
        }
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |time| time.as_nanos());
        files.push(listed(path, FileState { size: metadata.len(), modified })?);
        if files.len() > MAX_ADVISORIES {
            return Err(too_many());
        }
    }
    Ok(files)
}

fn listed(path: String, FileState { size, modified }: FileState) -> Result<Listed, String> {
    if size > MAX_BYTES { Err(not_regular(&path)) } else { Ok(Listed { path, size, modified }) }
}

fn not_regular(path: &str) -> String {
    format!("{path} is not a regular file of at most {MAX_BYTES} bytes")
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
