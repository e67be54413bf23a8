//! The index as Parquet tables (docs/archive-index.md), one file a table and range of entries, so that an export again makes what is new and
//! leaves the rest as it is, byte for byte: a mark beside them says what each file was made of.

mod columns;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
mod without;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use self::columns::Table;
use super::Index;
use crate::archived::answer::InReleases;
use crate::archived::history::History;
use crate::archived::index::segment::Releases;
use crate::base::Sha256;
use crate::base::digest::Hasher;
use crate::files;

#[cfg(feature = "parquet")]
use self::parquet::encode;
#[cfg(not(feature = "parquet"))]
use self::without::encode;

/// Version of the tables' form.
pub const SCHEMA_VERSION: u32 = 1;
/// So many entries of the chain share a file.
const RANGE: u64 = 4096;
const MARK: &str = "export.json";
/// A file is some two hundred bytes of it, a range five files.
const MAX_MARK: u64 = 16 << 20;

/// Why nothing was exported, or not all.
#[derive(Debug)]
pub enum Error {
    /// This build cannot write Parquet.
    Unsupported,
    /// The tables in the folder are of another archive.
    OtherArchive { folder: Utf8PathBuf },
    /// A file cannot be written.
    Output { path: Utf8PathBuf, source: io::Error },
    /// Our values do not fit the table's form.
    Encode(String),
}

impl Error {
    /// Whether it is a matter of what was asked (exit 2) rather than of writing (exit 74).
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::Unsupported | Self::OtherArchive { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => {
                f.write_str("this build of cargo-supplychain has no Parquet: it was built without its feature `parquet`")
            }
            Self::OtherArchive { folder } => write!(f, "{folder} holds the tables of another archive"),
            Self::Output { path, source } => write!(f, "cannot write {path}: {source}"),
            Self::Encode(why) => write!(f, "cannot encode a table: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Paths below the folder, sorted.
    pub written: Vec<String>,
    /// Files that had these bytes already.
    pub unchanged: usize,
}

/// Stands beside the tables: of which archive they are, up to which entry, and what is in which file.
#[derive(Serialize, Deserialize)]
struct Mark {
    schema_version: u32,
    archive: Sha256,
    head: String,
    /// By their paths.
    #[serde(default)]
    files: BTreeMap<String, Written>,
}

/// A file of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    /// Digest of what it was made of: [`Export::content`].
    content: Sha256,
    sha256: Sha256,
}

/// What is to be exported, and what of it is there.
#[derive(Debug)]
pub struct Export<'a> {
    folder: &'a Utf8Path,
    archive: Sha256,
    head: String,
    releases: Releases,
    history: History,
    /// What an export before this one wrote.
    before: BTreeMap<String, Written>,
    /// Ranges of which files are not as they should be.
    stale: BTreeSet<u64>,
}

impl<'a> Export<'a> {
    /// Finds out what has to be written into `folder`: `releases` are all those of the index, `history` is its own.
    ///
    /// # Errors
    /// There are the tables of another archive, or it cannot be read.
    pub fn new(index: &Index, releases: Releases, history: History, folder: &'a Utf8Path) -> Result<Self, Error> {
        let archive = index.archive();
        let before = read_mark(folder, archive)?;
        let head = index.head().to_string();
        let mut export = Self { folder, archive, head, releases, history, before, stale: BTreeSet::new() };
        let ranges: BTreeSet<u64> = export.releases.keys().map(|sequence| sequence / RANGE).collect();
        export.stale = ranges.into_iter().filter(|range| !export.is_there(*range)).collect();
        Ok(export)
    }

    /// Whether [`Export::write`] needs the components of the index.
    #[must_use]
    pub fn needs_components(&self) -> bool {
        !self.stale.is_empty()
    }

    /// Digest of what the files of a range are made of: the records of its releases, in one form by one version of ours.
    fn content(&self, range: u64) -> Sha256 {
        let mut hasher = Hasher::default();
        hasher.update(format!("{SCHEMA_VERSION} {} {}\n", env!("CARGO_PKG_VERSION"), self.archive).as_bytes());
        for (sequence, release) in self.releases.range(entries(range)) {
            hasher.update(format!("{sequence} {}\n", release.record).as_bytes());
        }
        hasher.finish()
    }

    /// Whether all files of a range are as they were written, of what they would be made of now.
    fn is_there(&self, range: u64) -> bool {
        let content = self.content(range);
        columns::OF_RELEASES.iter().all(|table| {
            let path = path_of(table, range);
            let written = self.before.get(&path).filter(|written| written.content == content);
            written.is_some_and(|written| digest_of(&self.folder.join(path)).is_ok_and(|there| there == written.sha256))
        })
    }

    /// Writes the tables; `components` are all those of the index. The folder is made if need be. Each file is complete under its name or not
    /// there; the mark comes last.
    ///
    /// # Errors
    /// [`Error`].
    pub fn write(self, components: &[InReleases]) -> Result<Outcome, Error> {
        let mut outcome = Outcome::default();
        let mut files = BTreeMap::new();
        let ranges: BTreeSet<u64> = self.releases.keys().map(|sequence| sequence / RANGE).collect();
        for range in ranges {
            if self.stale.contains(&range) {
                self.write_range(range, components, &mut files, &mut outcome)?;
                continue;
            }
            let kept = columns::OF_RELEASES.iter().map(|table| path_of(table, range));
            files.extend(kept.filter_map(|path| Some((path.clone(), *self.before.get(&path)?))));
            outcome.unchanged += columns::OF_RELEASES.len();
        }
        self.put("hits/all.parquet", &columns::hits(&self.history), &mut outcome)?;
        remove_others(self.folder, &files)?;
        self.write_mark(files)?;
        outcome.written.sort();
        Ok(outcome)
    }

    fn write_range(
        &self,
        range: u64,
        components: &[InReleases],
        files: &mut BTreeMap<String, Written>,
        outcome: &mut Outcome,
    ) -> Result<(), Error> {
        let content = self.content(range);
        let places = columns::Places::of(components, entries(range));
        for table in columns::of_releases(&self.releases, entries(range), &places) {
            let path = path_of(table.name, range);
            let sha256 = self.put(&path, &table, outcome)?;
            files.insert(path, Written { content, sha256 });
        }
        Ok(())
    }

    /// Writes a table, if it is not there; its digest.
    fn put(&self, name: &str, table: &Table<'_>, outcome: &mut Outcome) -> Result<Sha256, Error> {
        let bytes = encode(table, self.archive)?;
        let sha256 = Sha256::of(&bytes);
        let path = self.folder.join(name);
        if digest_of(&path).is_ok_and(|there| there == sha256) {
            outcome.unchanged += 1;
            return Ok(sha256);
        }
        let failed = |source| Error::Output { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(self.folder)).map_err(failed)?;
        files::write(&path, &bytes).map_err(failed)?;
        outcome.written.push(name.to_owned());
        Ok(sha256)
    }

    fn write_mark(&self, files: BTreeMap<String, Written>) -> Result<(), Error> {
        let mark = Mark { schema_version: SCHEMA_VERSION, archive: self.archive, head: self.head.clone(), files };
        let mut bytes = serde_json::to_vec(&mark).map_err(|error| Error::Encode(error.to_string()))?;
        bytes.push(b'\n');
        let path = self.folder.join(MARK);
        files::write(&path, &bytes).map_err(|source| Error::Output { path, source })
    }
}

/// The entries of a range.
fn entries(range: u64) -> Range<u64> {
    range * RANGE..(range + 1) * RANGE
}

fn path_of(table: &str, range: u64) -> String {
    format!("{table}/{:010}-{:010}.parquet", range * RANGE, range * RANGE + RANGE - 1)
}

fn digest_of(path: &Utf8Path) -> io::Result<Sha256> {
    let mut hasher = Hasher::default();
    io::copy(&mut files::open(path)?, &mut hasher)?;
    Ok(hasher.finish())
}

/// What an export before this one wrote into the folder.
fn read_mark(folder: &Utf8Path, archive: Sha256) -> Result<BTreeMap<String, Written>, Error> {
    let other = || Error::OtherArchive { folder: folder.to_owned() };
    match files::read(&folder.join(MARK), MAX_MARK) {
        Ok(bytes) => {
            let mark: Mark = serde_json::from_slice(&bytes).map_err(|_| other())?;
            if mark.archive == archive { Ok(mark.files) } else { Err(other()) }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(source) => Err(Error::Output { path: folder.join(MARK), source }),
    }
}

/// A range whose releases were all pruned has no file any more.
fn remove_others(folder: &Utf8Path, kept: &BTreeMap<String, Written>) -> Result<(), Error> {
    for table in columns::OF_RELEASES {
        let Ok(entries) = folder.join(table).read_dir_utf8() else { continue };
        for path in entries.flatten().map(|entry| entry.path().to_owned()) {
            let name = format!("{table}/{}", path.file_name().unwrap_or_default());
            if path.extension() == Some("parquet") && !kept.contains_key(&name) {
                fs::remove_file(&path).map_err(|source| Error::Output { path, source })?;
            }
        }
    }
    Ok(())
}
