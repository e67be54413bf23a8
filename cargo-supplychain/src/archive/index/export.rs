//! The index as Parquet tables (docs/archive-index.md), one file a table and range of entries, so that an export again writes what is new and
//! leaves the rest as it is, byte for byte.

mod columns;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
mod without;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use self::columns::Table;
use super::Index;
use crate::archived::answer::InReleases;
use crate::archived::history::History;
use crate::archived::index::Corrupt;
use crate::archived::index::segment::IndexedRelease;
use crate::base::Sha256;
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
const MAX_MARK: u64 = 1 << 16;
/// A table of one entry of 10,000 components is a few hundred kilobytes.
const MAX_TABLE: u64 = 4 << 30;

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

/// All that is exported.
#[derive(Debug, Clone)]
pub struct Tables {
    archive: Sha256,
    head: String,
    releases: BTreeMap<u64, IndexedRelease>,
    components: Vec<InReleases>,
    history: History,
}

/// Reads all that is exported.
///
/// # Errors
/// The index is not as it was written.
pub fn tables(index: &Index) -> Result<Tables, Corrupt> {
    Ok(Tables {
        archive: index.archive(),
        head: index.head().to_string(),
        releases: index.all_releases()?,
        components: index.all_components()?,
        history: index.history().clone(),
    })
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Paths below the folder, sorted.
    pub written: Vec<String>,
    /// Files that had these bytes already.
    pub unchanged: usize,
}

/// Stands beside the tables: of which archive they are, and up to which entry.
#[derive(Serialize, Deserialize)]
struct Mark {
    schema_version: u32,
    archive: Sha256,
    head: String,
}

/// Writes the tables into `folder`, which is made if need be. Each file is complete under its name or not there; the mark comes last.
///
/// # Errors
/// [`Error`].
pub fn write(tables: &Tables, folder: &Utf8Path) -> Result<Outcome, Error> {
    check_mark(folder, tables.archive)?;
    let mut outcome = Outcome::default();
    let mut kept = BTreeSet::new();
    let ranges: BTreeSet<u64> = tables.releases.keys().map(|sequence| sequence / RANGE).collect();
    for range in ranges {
        let name = format!("{:010}-{:010}.parquet", range * RANGE, range * RANGE + RANGE - 1);
        let places = columns::Places::of(&tables.components, range * RANGE..(range + 1) * RANGE);
        for table in columns::of_releases(&tables.releases, range * RANGE..(range + 1) * RANGE, &places) {
            put(folder, &format!("{}/{name}", table.name), &table, tables.archive, &mut outcome)?;
            kept.insert(format!("{}/{name}", table.name));
        }
    }
    let hits = columns::hits(&tables.history);
    put(folder, "hits/all.parquet", &hits, tables.archive, &mut outcome)?;
    remove_others(folder, &kept)?;
    let mark = Mark { schema_version: SCHEMA_VERSION, archive: tables.archive, head: tables.head.clone() };
    let mut bytes = serde_json::to_vec(&mark).map_err(|error| Error::Encode(error.to_string()))?;
    bytes.push(b'\n');
    let path = folder.join(MARK);
    files::write(&path, &bytes).map_err(|source| Error::Output { path, source })?;
    outcome.written.sort();
    Ok(outcome)
}

fn check_mark(folder: &Utf8Path, archive: Sha256) -> Result<(), Error> {
    let other = || Error::OtherArchive { folder: folder.to_owned() };
    match files::read(&folder.join(MARK), MAX_MARK) {
        Ok(bytes) => {
            let mark: Mark = serde_json::from_slice(&bytes).map_err(|_| other())?;
            if mark.archive == archive { Ok(()) } else { Err(other()) }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::Output { path: folder.join(MARK), source }),
    }
}

fn put(folder: &Utf8Path, name: &str, table: &Table<'_>, archive: Sha256, outcome: &mut Outcome) -> Result<(), Error> {
    let bytes = encode(table, archive)?;
    let path = folder.join(name);
    if files::read(&path, MAX_TABLE).is_ok_and(|there| there == bytes) {
        outcome.unchanged += 1;
        return Ok(());
    }
    let failed = |source| Error::Output { path: path.clone(), source };
    fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(failed)?;
    files::write(&path, &bytes).map_err(failed)?;
    outcome.written.push(name.to_owned());
    Ok(())
}

/// A range whose releases were all pruned has no file any more.
fn remove_others(folder: &Utf8Path, kept: &BTreeSet<String>) -> Result<(), Error> {
    for table in columns::OF_RELEASES {
        let Ok(entries) = folder.join(table).read_dir_utf8() else { continue };
        for path in entries.flatten().map(|entry| entry.path().to_owned()) {
            let name = format!("{table}/{}", path.file_name().unwrap_or_default());
            if path.extension() == Some("parquet") && !kept.contains(&name) {
                fs::remove_file(&path).map_err(|source| Error::Output { path, source })?;
            }
        }
    }
    Ok(())
}
