//! The index over an archive's components, in the cache folder: brought up to date from the chain by what came since, thrown away and made
//! again where it is not as it was written. It may be removed at any time. What it remembers besides is where the chain ended: a chain that
//! ends earlier, or says something else there, was set back or rewritten.

mod build;
pub mod export;
mod query;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::archived::history::History;
use crate::archived::index::Corrupt;
use crate::archived::index::table::{ReadAt, Table};
use crate::archived::{Entry, Head};
use crate::base::{Sha256, Timestamp};
use crate::files;
use crate::files::stamp::Stamp;

/// Raised whenever what stands in the folder changes.
const FORMAT: u32 = 2;
/// The largest state that is read: a pruned release and a hit are some hundred bytes.
const MAX_STATE: u64 = 256 << 20;

/// Where the index gets its content from.
pub trait Source: Sync {
    /// The bytes of an entry of the chain; none: there is none.
    ///
    /// # Errors
    /// It cannot be read.
    fn entry(&self, sequence: u64) -> Result<Option<Vec<u8>>, Unread>;

    /// The numbers of the entries that are there, sorted.
    ///
    /// # Errors
    /// They cannot be read, or something else is among them.
    fn sequences(&self) -> Result<Vec<u64>, Unread>;

    /// While it stays the same no entry was added or taken away; none where nothing tells that.
    fn stamp(&self) -> Option<Stamp> {
        None
    }

    /// The bytes of an object, compared with its digest.
    ///
    /// # Errors
    /// It is not there, is something else, or cannot be read.
    fn object(&self, digest: Sha256, limit: u64) -> Result<Vec<u8>, Unread>;
}

/// Why something of the archive could not be had.
#[derive(Debug)]
pub enum Unread {
    /// It is not what the archive says it is.
    Corrupt(String),
    /// It cannot be read.
    Unreadable(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Corrupt(why) | Self::Unreadable(why)) = self;
        f.write_str(why)
    }
}

/// Why there is no index.
#[derive(Debug)]
pub enum Error {
    /// The archive cannot be read, or is not what its digests say.
    Archive(Unread),
    /// There is no first entry.
    Empty,
    /// The chain is broken at this entry.
    Broken { sequence: u64, why: String },
    /// The chain does not lead to where it ended before.
    RolledBack { before: Head, folder: Utf8PathBuf },
    /// The cache cannot be written.
    Cache { path: Utf8PathBuf, source: io::Error },
    /// The index changed under the one who reads it.
    Corrupt(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => error.fmt(f),
            Self::Empty => f.write_str("the archive has no entries"),
            Self::Broken { sequence, why } => write!(f, "the chain of the archive is broken at entry {sequence}: {why}"),
            Self::RolledBack { before, .. } => {
                write!(
                    f,
                    "archive/rollback: the archive was at {before} when it was last looked at, and does not lead there any more"
                )
            }
            Self::Cache { path, source } => write!(f, "cannot write {path}: {source}"),
            Self::Corrupt(why) => write!(f, "the index changed while it was read: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Unread> for Error {
    fn from(error: Unread) -> Self {
        Self::Archive(error)
    }
}

/// What stands in `state.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    format: u32,
    archive: Sha256,
    /// The last entry that is in the index.
    sequence: u64,
    sha256: Sha256,
    /// What the source said of its entries before they were found to be all there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<Stamp>,
    /// Tables, from the first releases to the last.
    segments: Vec<Segment>,
    pruned: BTreeSet<u64>,
    /// How many of them are in tables.
    pruned_in_tables: u64,
    /// [`History`], which grows with the years and is read where somebody asks for it.
    history: Box<RawValue>,
    /// Releases whose inventory could not be read: looked at again each time.
    #[serde(with = "pairs")]
    unreadable: BTreeMap<u64, Unreadable>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Segment {
    file: String,
    releases: u64,
    bytes: u64,
}

impl State {
    fn history(&self) -> Result<History, Corrupt> {
        serde_json::from_str(self.history.get()).map_err(|error| Corrupt(format!("its history: {error}")))
    }
}

/// As a state has it.
fn raw(history: &History) -> Box<RawValue> {
    to_raw_value(history).expect("a history has string keys and cannot fail to serialise")
}

/// A release of which it is not known what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unreadable {
    time: Timestamp,
    record: Sha256,
    why: String,
}

/// JSON keys are text.
mod pairs {
    use super::{BTreeMap, Unreadable};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<u64, Unreadable>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<u64, Unreadable>, D::Error> {
        Ok(Vec::<(u64, Unreadable)>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// An index that says what the archive says, up to [`Index::head`].
#[derive(Debug)]
pub struct Index {
    state: State,
    tables: Vec<Table<Bytes>>,
}

/// A file of the index.
#[derive(Debug)]
struct Bytes(File);

impl ReadAt for Bytes {
    fn length(&self) -> io::Result<u64> {
        self.0.metadata().map(|metadata| metadata.len())
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        std::os::unix::fs::FileExt::read_exact_at(&self.0, &mut bytes, offset)?;
        Ok(bytes)
    }

    #[cfg(not(unix))]
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        use std::io::{Read as _, Seek as _};
        let mut bytes = vec![0; length];
        // A handle of its own has a position of its own.
        let mut file = self.0.try_clone()?;
        file.seek(io::SeekFrom::Start(offset))?;
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// What was done to bring the index up to date.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Brought {
    /// Releases that were read.
    pub releases: u64,
    /// Why what was there could not be used, if it could not.
    pub remade: Option<String>,
}

/// The index of an archive, brought up to date. `cache_dir` is the product's cache folder; with `remake` nothing of what is there is used but
/// where the chain ended; `on_many` is called once if many releases have to
/// be read.
///
/// # Errors
/// The archive cannot be read, its chain is broken or was set back, or the cache cannot be written.
pub fn open(
    source: &dyn Source,
    cache_dir: &Utf8Path,
    remake: bool,
    on_many: &mut dyn FnMut(u64),
) -> Result<(Index, Brought), Error> {
    let first = source.entry(1)?.ok_or(Error::Empty)?;
    let archive = Sha256::of(&first);
    let folder = folder(cache_dir, archive);
    let _lock = lock(&folder)?;
    let mut brought = Brought::default();
    let kept = match read_state(&folder, archive) {
        Ok(Some(state)) => {
            at_head(source, &state, &folder)?;
            match open_tables(&folder, &state) {
                Ok(_) if remake => None,
                Ok(tables) => Some((state, tables)),
                Err(why) => {
                    brought.remade = Some(why);
                    None
                }
            }
        }
        Ok(None) => None,
        Err(why) => {
            brought.remade = Some(why);
            None
        }
    };
    let (state, tables) = match kept {
        Some(kept) => kept,
        None => (build::begin(archive, &first)?, Vec::new()),
    };
    let mut index = Index { state, tables };
    brought.releases = index.follow(source, &folder, on_many)?;
    Ok((index, brought))
}

/// Forgets the index of an archive, with where its chain ended.
///
/// # Errors
/// The archive cannot be read, or the cache not be written.
pub fn forget(source: &dyn Source, cache_dir: &Utf8Path) -> Result<(), Error> {
    let first = source.entry(1)?.ok_or(Error::Empty)?;
    let folder = folder(cache_dir, Sha256::of(&first));
    let _lock = lock(&folder)?;
    match fs::remove_file(folder.join(STATE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Error::Cache { path: folder.join(STATE), source: error }),
        _ => Ok(()),
    }
}

const STATE: &str = "state.json";

/// One folder an archive.
fn folder(cache_dir: &Utf8Path, archive: Sha256) -> Utf8PathBuf {
    cache_dir.join("archive-index").join(archive.to_string())
}

/// One run at a time writes and opens; a table that is open stays readable when another run replaces it.
fn lock(folder: &Utf8Path) -> Result<File, Error> {
    let failed = |path: Utf8PathBuf| move |source| Error::Cache { path, source };
    fs::create_dir_all(folder).map_err(failed(folder.to_owned()))?;
    let path = folder.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed(path.clone()))?;
    file.lock().map_err(failed(path))?;
    Ok(file)
}

/// `Ok(None)`: there is none yet. Its first line is the digest of the rest.
fn read_state(folder: &Utf8Path, archive: Sha256) -> Result<Option<State>, String> {
    let bytes = match files::read(&folder.join(STATE), MAX_STATE) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let (digest, rest) = bytes.split_at_checked(65).ok_or("its state is cut short")?;
    if digest[..64] != *Sha256::of(rest).to_string().as_bytes() {
        return Err("its state is not as it was written".to_owned());
    }
    let state: State = serde_json::from_slice(rest).map_err(|error| format!("its state is of another version: {error}"))?;
    if state.format != FORMAT || state.archive != archive {
        return Err("its state is of another version or archive".to_owned());
    }
    Ok(Some(state))
}

fn write_state(folder: &Utf8Path, state: &State) -> Result<(), Error> {
    let path = folder.join(STATE);
    let failed = |source| Error::Cache { path: path.clone(), source };
    let json = serde_json::to_vec(state).map_err(|error| failed(io::Error::other(error)))?;
    let mut bytes = format!("{}\n", Sha256::of(&json)).into_bytes();
    bytes.extend_from_slice(&json);
    files::write(&path, &bytes).map_err(failed)
}

/// The chain still says what it said where the index ends.
fn at_head(source: &dyn Source, state: &State, folder: &Utf8Path) -> Result<(), Error> {
    let there = source.entry(state.sequence)?;
    if there.is_some_and(|bytes| Sha256::of(bytes) == state.sha256) {
        return Ok(());
    }
    let before = Head { sequence: state.sequence, sha256: state.sha256 };
    Err(Error::RolledBack { before, folder: folder.to_owned() })
}

fn open_tables(folder: &Utf8Path, state: &State) -> Result<Vec<Table<Bytes>>, String> {
    state.segments.iter().map(|segment| open_table(folder, &segment.file)).collect()
}

fn open_table(folder: &Utf8Path, file: &str) -> Result<Table<Bytes>, String> {
    if !file.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) {
        return Err(format!("{file:?} is no name of a table"));
    }
    let opened = files::open(&folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
    Table::open(Bytes(opened)).map_err(|error| format!("{file}: {error}"))
}

/// An entry that continues the chain.
fn read_entry(bytes: &[u8], sequence: u64, previous: Option<Sha256>) -> Result<Entry, Error> {
    let broken = |why: String| Error::Broken { sequence, why };
    let entry = Entry::from_bytes(bytes).map_err(broken)?;
    if entry.sequence != sequence || entry.previous != previous {
        return Err(broken("it does not follow the entry before it".to_owned()));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests;
