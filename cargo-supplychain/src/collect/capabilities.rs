//! What packages can do when they are built, read from their sources on this machine: the `.crate` whose digest is the one that the
//! lockfile or the index names, else cargo's extracted or vendored copy. Judges nothing, downloads nothing and runs nothing; the
//! scanner is `model::capability::scan`'s.
//!
//! A `.crate` comes before the extracted copy because it is known to be what was published; only what was read from one is remembered.

mod memory;

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use super::index::folder_names;
use super::sources::crate_file::CrateFile;
use crate::base::{Context, Sha256};
use crate::files;
use crate::model::CargoConfig;
use crate::model::capability::scan::{self, Scanner};
use crate::model::capability::{Capabilities, CapabilityFacts};
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::CrateKey;
use memory::Memory;

/// The largest `.crate` that is looked through, in bytes; crates.io takes 10 MiB without being asked.
const MAX_CRATE: u64 = 64 << 20;
/// The most that is read of one package, unpacked.
const MAX_PACKAGE: u64 = 512 << 20;
/// How deep folders of a package may lie in each other.
const MAX_DEPTH: usize = 64;
/// The largest `.cargo-checksum.json`.
const MAX_LIST: u64 = 16 << 20;

/// What is said of a package that is nowhere.
pub const NOT_HERE: &str = "its source is not on this machine";

/// The versions to look at, each with the digest of its `.crate`, where one is known.
pub type Wanted = BTreeMap<(CrateKey, semver::Version), Option<Sha256>>;

/// Where sources are looked for.
pub struct CapabilityReader<'a> {
    pub context: &'a Context,
    pub config: &'a CargoConfig,
    pub cargo_home: Option<&'a Utf8Path>,
    /// `--registry-snapshot`: has packages of crates.io in `crates/`.
    pub snapshot: Option<&'a Utf8Path>,
}

/// One version that is looked at.
struct Package<'w> {
    key: &'w CrateKey,
    /// `NAME-VERSION`.
    folder: String,
    checksum: Option<Sha256>,
}

impl CapabilityReader<'_> {
    /// Reads all of them, in parallel.
    #[must_use]
    pub fn read(&self, wanted: &Wanted) -> CapabilityFacts {
        if wanted.is_empty() {
            return CapabilityFacts::new();
        }
        let memory = Mutex::new(Memory::open(self.context));
        let all: Vec<_> = wanted.iter().collect();
        let (next, found) = (AtomicUsize::new(0), Mutex::new(CapabilityFacts::new()));
        let work = || {
            while let Some(((key, version), checksum)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                let package = Package { key, folder: format!("{}-{version}", key.name), checksum: **checksum };
                let known = self.remembered_or_read(&package, &memory);
                found.lock().expect("no worker panics").insert((key.clone(), version.clone()), known);
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(all.len() / 4 + 1).min(8);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            work();
            for worker in workers {
                worker.join().expect("a worker does not panic");
            }
        });
        memory.into_inner().expect("no worker panics").close();
        found.into_inner().expect("no worker panics")
    }

    fn remembered_or_read(&self, package: &Package<'_>, memory: &Mutex<Memory>) -> Result<Capabilities, String> {
        if let Some(checksum) = package.checksum {
            if let Some(known) = memory.lock().expect("no worker panics").recall(checksum) {
                return known;
            }
            if let Some(known) = self.crate_files(package).iter().find_map(|path| read_crate(path, package, checksum)) {
                memory.lock().expect("no worker panics").keep(checksum, &known);
                return known;
            }
        }
        let folder = self.extracted(package).or_else(|| self.vendored(package));
        folder.map_or_else(|| Err(NOT_HERE.to_owned()), |folder| read_folder(&folder))
    }

    /// The bytes of its `.crate`, if one of this digest is on this machine.
    #[must_use]
    pub fn crate_bytes(&self, key: &CrateKey, version: &semver::Version, checksum: Sha256) -> Option<Vec<u8>> {
        let package = Package { key, folder: format!("{}-{version}", key.name), checksum: Some(checksum) };
        let mut found = self.crate_files(&package).into_iter().filter_map(|path| files::read(&path, MAX_CRATE).ok());
        found.find(|bytes| Sha256::of(bytes) == checksum)
    }

    /// Where its `.crate` may be. (A download would be one more place.)
    fn crate_files(&self, package: &Package<'_>) -> Vec<Utf8PathBuf> {
        let name = format!("{}.crate", package.folder);
        let snapshot = self.snapshot.filter(|_| CRATES_IO.contains(&package.key.source.as_str()));
        let mut places: Vec<_> = snapshot.iter().map(|folder| folder.join("crates").join(&name)).collect();
        let cache = self.cargo_home.into_iter().flat_map(|home| {
            let registries = folder_names(&package.key.source, self.config, home).into_iter();
            registries.map(|registry| home.join("registry/cache").join(registry).join(&name))
        });
        places.extend(cache);
        places
    }

    fn extracted(&self, package: &Package<'_>) -> Option<Utf8PathBuf> {
        let home = self.cargo_home?;
        let registries = folder_names(&package.key.source, self.config, home).into_iter();
        let mut folders = registries.map(|registry| home.join("registry/src").join(registry).join(&package.folder));
        // Cargo puts `.cargo-ok` there once all of it is.
        folders.find(|folder| folder.join(".cargo-ok").is_file())
    }

    /// `cargo vendor` writes the version into the folder's name only where it has to; the list beside the files says which one it is.
    fn vendored(&self, package: &Package<'_>) -> Option<Utf8PathBuf> {
        #[derive(Deserialize)]
        struct List {
            package: Option<String>,
        }
        let checksum = package.checksum?.to_string();
        let folders = self.config.entries.iter().filter(|entry| entry.is(&["source", "*", "directory"]));
        let names = [package.folder.as_str(), package.key.name.as_str()];
        let places = folders.filter_map(|entry| Some(Utf8Path::new(&entry.base).join(entry.value.as_str()?)));
        places.flat_map(|place| names.map(|name| place.join(name))).find(|folder| {
            let list = files::read(&folder.join(".cargo-checksum.json"), MAX_LIST).ok();
            let list = list.and_then(|bytes| serde_json::from_slice::<List>(&bytes).ok());
            list.is_some_and(|list| list.package.as_deref() == Some(&checksum))
        })
    }
}

/// `None` when it is not there, or not the file that the digest names.
fn read_crate(path: &Utf8Path, package: &Package<'_>, checksum: Sha256) -> Option<Result<Capabilities, String>> {
    let bytes = files::read(path, MAX_CRATE).ok()?;
    if Sha256::of(&bytes) != checksum {
        return None;
    }
    let scanned = scan_crate(&package.folder, &bytes);
    Some(scanned.map_err(|error| format!("its .crate cannot be read: {error}")).and_then(finished))
}

fn scan_crate(folder: &str, bytes: &[u8]) -> Result<Scanner, super::sources::crate_file::Error> {
    let mut scanner = Scanner::default();
    let mut archive = CrateFile::from_bytes(folder, bytes)?;
    while let Some(mut file) = archive.next_file()? {
        let (path, size) = (file.path().to_owned(), file.size());
        let bytes = file.bytes(scan::wanted_bytes(&path, size))?;
        scanner.file(&path, &bytes, bytes.len() as u64 == size);
    }
    Ok(scanner)
}

fn read_folder(folder: &Utf8Path) -> Result<Capabilities, String> {
    let mut walk = Walk { root: folder, scanner: Scanner::default(), files: 0, bytes: 0 };
    walk.folder(folder, 0).map_err(|error| format!("its source cannot be read: {error}"))?;
    finished(walk.scanner)
}

fn finished(scanner: Scanner) -> Result<Capabilities, String> {
    scanner.finish().map_err(|error| error.to_string())
}

/// Goes through the regular files of an extracted package; links are not followed.
struct Walk<'f> {
    root: &'f Utf8Path,
    scanner: Scanner,
    files: usize,
    bytes: u64,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Utf8Path, depth: usize) -> io::Result<()> {
        let too_much = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        if depth > MAX_DEPTH {
            return Err(too_much("its folders lie too deep in each other"));
        }
        for entry in folder.read_dir_utf8()? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.folder(entry.path(), depth + 1)?;
            } else if kind.is_file() {
                self.file(entry.path())?;
                if self.files > scan::MAX_FILES || self.bytes > MAX_PACKAGE {
                    return Err(too_much("it is too large to be looked through"));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Utf8Path) -> io::Result<()> {
        let file = files::open_no_follow(path)?;
        let size = file.metadata()?.len();
        let relative = path.strip_prefix(self.root).unwrap_or(path).as_str().replace('\\', "/");
        let wanted = scan::wanted_bytes(&relative, size) as u64;
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, wanted), &mut bytes)?;
        self.files += 1;
        self.bytes += bytes.len() as u64;
        self.scanner.file(&relative, &bytes, bytes.len() as u64 == size);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
