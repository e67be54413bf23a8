//! The RustSec advisory database: from a folder, or from a git repository through the cache. What it means is
//! [`crate::advisory`]'s; whether it is too old is `check`'s to judge, by the date that is given here.

mod advisory;
mod folder;
mod repository;

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::Which;
use super::parsed::{Room, Table};
use crate::advisory::{Advisory, AdvisoryDatabase, FeedInfo, RUSTSEC};
use crate::base::digest::Hasher;
use crate::base::parallel::in_pieces;
use crate::base::text::{counted, without_credentials};
use crate::base::{Sha256, Timestamp};

/// Where the database is fetched from unless told otherwise.
pub const DEFAULT_URL: &str = "https://github.com/RustSec/advisory-db";

/// Raised whenever [`Advisory`] or the way of parsing changes.
const FORMAT: u32 = 3;

/// More advisories than this are not read; the database had 1,225 in August 2026.
const MAX_ADVISORIES: usize = 50_000;

/// What to load, and with what.
pub struct RustsecRequest<'a> {
    /// A folder or a git URL, as configured or given by `--advisory-db`; `None`: [`DEFAULT_URL`].
    pub database: Option<&'a str>,
    /// The commit that it has to be at; a repository is fetched at it.
    pub revision: Option<&'a str>,
    /// What a relative folder is relative to.
    pub base: &'a Utf8Path,
    /// The product's cache folder.
    pub cache_dir: &'a Utf8Path,
    /// Offline, `advisory-db` below it, where cargo-audit keeps its copy, is the last resort.
    pub cargo_home: Option<&'a Utf8Path>,
    /// The workspace's root: no program below it is run.
    pub workspace: Option<&'a Utf8Path>,
    /// The environment at start: what the git program needs of it is passed on, nothing else.
    pub env: &'a BTreeMap<String, String>,
    pub offline: bool,
    /// Only these are returned.
    pub which: Which<'a>,
    /// Told what takes time, and what was done instead of what was asked; fragments for people.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Why there is no database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The folder that was named is not there, or the URL is of a kind that is not fetched: a mistake of the caller's (exit 2).
    NotFound { database: String, why: String },
    /// It could not be had or read: undetermined (exit 4).
    Unavailable { why: String, help: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { database, why } => write!(f, "advisory database {database}: {why}"),
            Self::Unavailable { why, .. } => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    fn unavailable(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Unavailable { why: why.into(), help: help.into() }
    }

    fn unreadable(origin: &str, why: impl fmt::Display) -> Self {
        let help = "repair the database, or name another with `--advisory-db` or `[advisories] database`";
        Self::unavailable(format!("advisory database {origin}: {why}"), help)
    }
}

/// Loads the database. The parsed form is kept in the cache, so that the next run reads only the lines that it needs.
pub fn load(request: &RustsecRequest<'_>) -> Result<AdvisoryDatabase, Error> {
    let database = load_any(request)?;
    match (request.revision, &database.info.revision) {
        (Some(wanted), found) if found.as_deref() != Some(wanted) => {
            let found = found.as_deref().unwrap_or("no commit that is known");
            let help = "name another commit with `--advisory-db-rev`, or bring the database to this one";
            Err(Error::unavailable(
                format!("the advisory database {} is at {found}, not at {wanted}", database.info.origin),
                help,
            ))
        }
        _ => Ok(database),
    }
}

/// What the server of the database offered last, where that is older than the copy: it was not taken.
#[must_use]
pub fn rolled_back(request: &RustsecRequest<'_>) -> Option<String> {
    let url = request.database.unwrap_or(DEFAULT_URL);
    if is_url(url) { repository::rolled_back(request, url, &without_credentials(url)) } else { None }
}

/// How a database that is a git checkout differs from its commit; none: it does not, or it is none.
#[must_use]
pub fn modified(request: &RustsecRequest<'_>) -> Option<String> {
    let folder = request.database.filter(|database| !is_url(database))?;
    let changes = repository::changes_of_checkout(&request.base.join(folder)).filter(|changes| *changes > 0)?;
    let name = Utf8Path::new(folder).file_name().unwrap_or(folder);
    Some(format!("the advisory database {name} differs from its commit in {}", counted(changes, "file")))
}

fn load_any(request: &RustsecRequest<'_>) -> Result<AdvisoryDatabase, Error> {
    match request.database {
        Some(named) if !is_url(named) => {
            let path = request.base.join(named);
            if !path.exists() {
                return Err(Error::NotFound { database: named.to_owned(), why: "no such folder".into() });
            }
            if !path.is_dir() {
                return Err(Error::NotFound { database: named.to_owned(), why: "not a folder".into() });
            }
            load_folder(request, &path)
        }
        named => load_repository(request, named.unwrap_or(DEFAULT_URL)),
    }
}

/// A URL with a scheme, or git's short form for ssh, `user@host:path`.
fn is_url(named: &str) -> bool {
    named.contains("://") || named.split_once('@').is_some_and(|(user, rest)| !user.contains(['/', '\\']) && rest.contains(':'))
}

fn load_folder(request: &RustsecRequest<'_>, path: &Utf8Path) -> Result<AdvisoryDatabase, Error> {
    let origin = path.file_name().unwrap_or("advisory-db").to_owned();
    let listing = folder::list(path, request.cache_dir).map_err(|why| Error::unreadable(&origin, why))?;
    let head = repository::head_of_checkout(path);
    let key = listing.key(path, head.as_ref().map(|head| head.revision.as_str()));
    load_cached(request, key, || {
        let files = listing.read(path).map_err(|why| Error::unreadable(&origin, why))?;
        build(origin, head, &files)
    })
}

fn load_repository(request: &RustsecRequest<'_>, url: &str) -> Result<AdvisoryDatabase, Error> {
    let shown = without_credentials(url);
    let kept = match repository::ensure(request, url, &shown) {
        Ok(kept) => kept,
        Err(error @ Error::NotFound { .. }) => return Err(error),
        Err(error) => return last_resort(request, url, error),
    };
    let repository = repository::Advisories::open(&kept).map_err(|why| Error::unreadable(&shown, why))?;
    let key = Sha256::of(format!("repository\n{url}\n{}", repository.head.revision));
    load_cached(request, key, || {
        let files = repository.read().map_err(|why| Error::unreadable(&shown, why))?;
        build(shown.clone(), Some(repository.head.clone()), &files)
    })
}

/// cargo-audit's copy, where there is one and the default was asked for; its age is judged like any other.
fn last_resort(request: &RustsecRequest<'_>, url: &str, error: Error) -> Result<AdvisoryDatabase, Error> {
    let copy: Option<Utf8PathBuf> = request.cargo_home.map(|home| home.join("advisory-db"));
    match copy.filter(|copy| url == DEFAULT_URL && copy.join("crates").is_dir()) {
        Some(copy) => {
            let database = load_folder(request, &copy)?;
            let date = database.info.date.map_or_else(|| "an unknown day".to_owned(), Timestamp::date);
            (request.progress)(&format!("{error}; using the copy in CARGO_HOME, of {date}"));
            Ok(database)
        }
        None => Err(error),
    }
}

fn load_cached(
    request: &RustsecRequest<'_>,
    key: Sha256,
    make: impl FnOnce() -> Result<AdvisoryDatabase, Error>,
) -> Result<AdvisoryDatabase, Error> {
    let room = Room::new(request.cache_dir, "rustsec", FORMAT);
    if let Some(database) = room.read(key).and_then(|table| cached(&table, request.which)) {
        return Ok(database);
    }
    let mut database = make()?;
    if let Some(table) = table(&database) {
        room.write(key, &table);
    }
    database.advisories.retain(|advisory| request.which.takes(advisory));
    Ok(database)
}

fn cached(table: &Table, which: Which<'_>) -> Option<AdvisoryDatabase> {
    Some(AdvisoryDatabase { info: table.header()?, advisories: which.of(table) })
}

fn table(database: &AdvisoryDatabase) -> Option<Table> {
    let mut rows = BTreeMap::new();
    for advisories in database.advisories.chunk_by(|a, b| a.package == b.package) {
        rows.insert(advisories.first()?.package.clone(), serde_json::to_string(advisories).ok()?);
    }
    Table::new(&database.info, rows)
}

/// Commit and its date.
#[derive(Debug, Clone)]
struct Head {
    revision: String,
    date: Option<Timestamp>,
}

/// An advisory file: path below the database, and content.
struct AdvisoryFile {
    path: String,
    bytes: Vec<u8>,
}

/// Parses all files. One that cannot be read makes the whole database unusable: nobody knows what it would have said.
fn build(origin: String, head: Option<Head>, files: &[AdvisoryFile]) -> Result<AdvisoryDatabase, Error> {
    if files.is_empty() {
        let help = "name a RustSec database: a folder with `crates/NAME/RUSTSEC-….md`";
        return Err(Error::unavailable(format!("advisory database {origin} has no advisories"), help));
    }
    let parts = in_pieces(files, 64, |piece| piece.iter().map(read_one).collect::<Vec<_>>());
    let mut advisories = Vec::new();
    let mut digest = Hasher::default();
    let mut newest: Option<Timestamp> = None;
    for (file, parsed) in files.iter().zip(parts.into_iter().flatten()) {
        let (sha256, advisory): (Sha256, Result<Option<Advisory>, String>) = parsed;
        digest.update(format!("{}\0{sha256}\n", file.path).as_bytes());
        let advisory = advisory.map_err(|why| Error::unreadable(&origin, format!("{} is not readable: {why}", file.path)))?;
        newest = newest.max(advisory.as_ref().and_then(|advisory| advisory.date.parse().ok()));
        advisories.extend(advisory);
    }
    advisories.sort_by(|a, b| (&a.package, &a.id).cmp(&(&b.package, &b.id)));
    let info = FeedInfo {
        name: RUSTSEC.into(),
        origin,
        date: head.as_ref().map_or(newest, |head| head.date),
        revision: head.map(|head| head.revision),
        sha256: digest.finish(),
        entries: advisories.len(),
    };
    Ok(AdvisoryDatabase { info, advisories })
}

fn read_one(file: &AdvisoryFile) -> (Sha256, Result<Option<Advisory>, String>) {
    let id = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".md")).unwrap_or_default();
    let text = std::str::from_utf8(&file.bytes).map_err(|_| "it is not valid UTF-8".to_owned());
    (Sha256::of(&file.bytes), text.and_then(|text| advisory::parse(id, text)))
}

/// Ranges of versions, without those that the library does not bear.
pub(super) fn versions(
    patched: Vec<semver::VersionReq>,
    unaffected: Vec<semver::VersionReq>,
) -> Result<rustsec::advisory::Versions, String> {
    advisory::checked(patched, unaffected)
}

/// Functions, systems and architectures, within bounds.
pub(super) fn narrowed(
    functions: BTreeMap<String, Vec<semver::VersionReq>>,
    os: Vec<String>,
    arch: Vec<String>,
) -> Result<crate::advisory::Affects, String> {
    advisory::narrowed(functions, os, arch)
}

/// Reads the text of the advisory `id` (`RUSTSEC-2026-0001`); `None` when it was withdrawn. For fuzzing: [`load`] is the entry.
///
/// # Errors
/// Why it is no advisory, a fragment.
#[doc(hidden)]
pub fn parse_advisory(id: &str, text: &str) -> Result<Option<Advisory>, String> {
    advisory::parse(id, text)
}

/// Whether a file name is that of an advisory; `RUSTSEC-0000-0000.md` is a draft.
fn is_advisory(name: &str) -> bool {
    name.starts_with("RUSTSEC-") && name.ends_with(".md") && !name.starts_with("RUSTSEC-0000-") && !name.contains('/')
}

#[cfg(test)]
mod tests;
