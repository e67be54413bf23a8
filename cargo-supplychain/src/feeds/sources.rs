//! Sources of what is known about vulnerabilities besides the RustSec database: one file a kind below, each a pure parser from bytes to rows by
//! key. Here is what they share: a local file or folder, or a URL through the cache; unpacking within bounds; and the parsed form, of which a
//! run reads only the rows that it asks for. What they mean is [`crate::advisory`]'s; whether one is too old is `check`'s.

mod cve;
mod eol;
mod epss;
mod intake;
mod jvn;
mod kev;
mod osv;
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::parsed::{Room, Table};
use crate::advisory::signals::{Scores, Signals};
use crate::advisory::{Advisory, FeedInfo};
use crate::base::text::without_credentials;
use crate::base::{Http, Sha256, Timestamp};
use crate::model::feed::FeedKind;

/// Raised whenever a parser or what it makes changes.
const FORMAT: u32 = 2;

/// Where a source is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A file, or a folder of files.
    Path(Utf8PathBuf),
    Url(String),
}

impl Place {
    /// What people are shown: a URL without credentials, of a path the last part.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Path(path) => path.file_name().unwrap_or(path.as_str()).to_owned(),
            Self::Url(url) => without_credentials(url),
        }
    }
}

/// With what sources are brought.
pub struct Surroundings<'a> {
    /// The product's cache folder.
    pub cache_dir: &'a Utf8Path,
    /// None: offline.
    pub http: Option<&'a dyn Http>,
    /// What is dated after this day is not believed.
    pub now: Timestamp,
    /// Whether a URL is asked again although it was today.
    pub renew: bool,
    /// Told what takes time, fragments for people.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Why a source says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// What was named is not there: a mistake of the caller's (exit 2).
    NotFound { place: String, why: String },
    /// It could not be had or read: undetermined.
    Unavailable { why: String, help: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { place, why } => write!(f, "source {place}: {why}"),
            Self::Unavailable { why, .. } => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

/// A source that was read.
pub struct Source {
    pub kind: FeedKind,
    pub info: FeedInfo,
    /// What the server offered is older than what it is: said, and not taken.
    pub rolled_back: Option<String>,
    table: Table,
}

/// What a parser makes of the files of a source.
struct Parsed {
    revision: Option<String>,
    /// The newest of what it says about its day.
    date: Option<Timestamp>,
    entries: usize,
    /// JSON by key.
    rows: BTreeMap<String, String>,
}

/// A file of a source: its name, for messages, and its bytes.
struct File {
    name: String,
    bytes: Vec<u8>,
}

/// A kind's parser, and the most bytes that it is given.
struct Format {
    limit: u64,
    parse: fn(&[File]) -> Result<Parsed, String>,
}

fn format(kind: FeedKind) -> Format {
    match kind {
        FeedKind::Osv => Format { limit: 256 << 20, parse: osv::parse },
        FeedKind::Kev => Format { limit: 32 << 20, parse: kev::parse },
        FeedKind::Epss => Format { limit: 64 << 20, parse: epss::parse },
        FeedKind::Cve => Format { limit: 256 << 20, parse: cve::parse },
        FeedKind::Jvn => Format { limit: 128 << 20, parse: jvn::parse },
        FeedKind::Eol => Format { limit: 32 << 20, parse: eol::parse },
    }
}

/// Brings a source.
///
/// # Errors
/// It is not there, cannot be had or read; a copy in the cache stays as it was.
pub fn bring(kind: FeedKind, place: &Place, with: &Surroundings<'_>) -> Result<Source, Error> {
    match place {
        Place::Path(path) => from_path(kind, place, path, with),
        Place::Url(url) => store::bring(kind, url, with),
    }
}

/// The copy of a URL in the cache, as it is; none: there is none. Asks nobody.
#[must_use]
pub fn cached(kind: FeedKind, url: &str, with: &Surroundings<'_>) -> Option<Source> {
    store::kept(kind, url, with)
}

fn from_path(kind: FeedKind, place: &Place, path: &Utf8Path, with: &Surroundings<'_>) -> Result<Source, Error> {
    if !path.exists() {
        return Err(Error::NotFound { place: path.to_string(), why: "no such file or folder".to_owned() });
    }
    let shown = place.shown();
    let help = format!("repair {path}, or name another with `--feed {kind}=PATH`");
    let unreadable = |why: String| Error::Unavailable { why: format!("{} {shown}: {why}", kind.name()), help: help.clone() };
    let format = format(kind);
    let room = Room::new(with.cache_dir, kind.as_str(), FORMAT);
    let key = intake::key(path).map_err(unreadable)?;
    if let Some(table) = room.read(key) {
        return opened(kind, table, with.now).map_err(unreadable);
    }
    let files = intake::read(path, format.limit).map_err(unreadable)?;
    let sha256 = intake::digest(&files);
    let table = parse(kind, &shown, &files, sha256, with.now).map_err(unreadable)?;
    room.write(key, &table);
    opened(kind, table, with.now).map_err(unreadable)
}

/// Parses what was unpacked; what is of a day that has not come is refused.
fn parse(kind: FeedKind, shown: &str, files: &[File], sha256: Sha256, now: Timestamp) -> Result<Table, String> {
    let parsed = (format(kind).parse)(files)?;
    let info = FeedInfo {
        name: kind.name().to_owned(),
        origin: shown.to_owned(),
        revision: parsed.revision,
        date: parsed.date,
        sha256,
        entries: parsed.entries,
    };
    refuse_the_future(&info, now)?;
    Table::new(&info, parsed.rows).ok_or_else(|| "a key of it has a tab or a line break".to_owned())
}

fn refuse_the_future(info: &FeedInfo, now: Timestamp) -> Result<(), String> {
    // A day of leeway: clocks differ, and dates without a time are of some zone.
    match info.date.filter(|date| date.unix() > now.unix() + 86_400) {
        Some(date) => Err(format!("it is of {}, a day that has not come", date.date())),
        None => Ok(()),
    }
}

fn opened(kind: FeedKind, table: Table, now: Timestamp) -> Result<Source, String> {
    let info: FeedInfo = table.header().ok_or("its parsed form cannot be read")?;
    refuse_the_future(&info, now)?;
    Ok(Source { kind, info, rolled_back: None, table })
}

/// What is asked of the sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub cves: BTreeSet<String>,
    /// Libraries that are no crates, and `rust`.
    pub libraries: BTreeSet<String>,
}

impl Source {
    fn rows<T: for<'d> Deserialize<'d>>(&self, wanted: &BTreeSet<String>) -> BTreeMap<String, T> {
        wanted.iter().filter_map(|key| Some((key.clone(), self.table.get(key)?))).collect()
    }

    /// The advisories of these crates; all without.
    #[must_use]
    pub fn advisories(&self, packages: Option<&BTreeSet<String>>) -> Vec<Advisory> {
        let lists: Vec<Vec<Advisory>> = match packages {
            Some(packages) => self.rows(packages).into_values().collect(),
            None => self.table.all(),
        };
        lists.concat()
    }

    /// The ids of the CVE records that name one of these products.
    #[must_use]
    pub fn records_of(&self, libraries: &BTreeSet<String>) -> BTreeSet<String> {
        let keys = libraries.iter().flat_map(|library| cve::product_keys(library)).collect();
        self.rows::<BTreeSet<String>>(&keys).into_values().flatten().collect()
    }

    /// Puts what it says of what is wanted among the signals.
    pub fn tell(&self, wanted: &Wanted, signals: &mut Signals) {
        match self.kind {
            FeedKind::Osv => {}
            FeedKind::Kev => {
                signals.kev.get_or_insert_default().extend(self.rows(&wanted.cves));
                signals.exploited_actions.extend(self.table.get::<BTreeMap<String, String>>(kev::ACTIONS).unwrap_or_default());
            }
            FeedKind::Epss => {
                let model = self.info.revision.clone().unwrap_or_default();
                signals.epss = Some(Scores { model, date: self.info.date, scores: self.rows(&wanted.cves) });
            }
            FeedKind::Cve => signals.records.get_or_insert_default().extend(self.rows(&wanted.cves)),
            FeedKind::Jvn => signals.japanese.extend(self.rows(&wanted.cves)),
            FeedKind::Eol => {
                let keys = wanted.libraries.iter().flat_map(|library| eol::product_keys(library)).collect();
                signals.lines.get_or_insert_default().extend(self.rows(&keys));
            }
        }
    }
}

/// Reads one source from memory, unpacked as it would be from a file. For fuzzing: [`bring`] is the entry.
///
/// # Errors
/// Why it is none, a fragment.
#[doc(hidden)]
pub fn parse_bytes(kind: FeedKind, bytes: Vec<u8>) -> Result<usize, String> {
    let files = intake::unpack("input", bytes, 1 << 20)?;
    (format(kind).parse)(&files).map(|parsed| parsed.rows.len())
}

fn json<T: Serialize>(value: &T) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

/// What went wrong in JSON, without the text of the file.
fn not_json(file: &File, error: &serde_json::Error) -> String {
    format!("{} is not as it should be, line {}: {}", file.name, error.line(), crate::base::text::one_line(&error.to_string()))
}

#[cfg(test)]
mod tests;
