//! `archive`: releases are taken in, shown, given back, judged again and let go. The one place that knows which archive is meant and what its
//! errors mean for the exit code.

mod add;
mod after_build;
mod export;
mod prune;
mod registry;
mod restore;
mod stored;
#[cfg(all(test, feature = "remote-stores"))]
mod together;
mod verify;

use camino::{Utf8Path, Utf8PathBuf};

pub use add::{Added, Outcome, add};
pub use after_build::{Project, after_build};
pub use export::{Exported, MAX_IMPORT_BYTES, export, import};
pub use prune::{Pruned, hold, prune, unhold};
pub use registry::{Sent, pull, push};
pub use restore::{Restored, restore};
pub use stored::Day;
pub(super) use stored::verify_entry;
pub use verify::{Checked, CheckedRelease, Problem, Signatures, verify};

use super::{Class, Error, Progress, gather};
use crate::archive::{self, Access, Chain, Generations, Store, chain, objects, remote, store};
use crate::archived::{ArchivedRelease, Head, Record};
use crate::base::Context;
use crate::collect::toolchain::home_folder;
use crate::config::Settings;

/// Which archive, and in which state it has to be.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--archive`, over `[archive] store`.
    pub archive: Option<String>,
    pub policy: Option<Utf8PathBuf>,
    /// A head that was kept elsewhere: the archive has to continue it.
    pub expect_head: Option<Head>,
}

/// An archive: its store and its chain.
pub(super) struct Opened {
    pub store: Generations,
    pub chain: Chain,
    pub settings: Settings,
    /// Whether nobody else can be at a store that was opened exclusively.
    pub is_local: bool,
}

/// Which archive is meant: the command line's, else the policy's, else one's own.
pub(super) fn place(context: &Context, given: Option<&str>, settings: &Settings) -> Result<String, Error> {
    if let Some(place) = given.or(settings.archive.store.as_deref()) {
        return Ok(place.to_owned());
    }
    let base = match context.var("XDG_DATA_HOME").or_else(|| context.var("LOCALAPPDATA")) {
        Some(folder) => Some(Utf8PathBuf::from(folder)),
        None => home_folder(context)
            .map(|home| home.join(if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" })),
    };
    base.map(|base| base.join("cargo-supplychain/archive").into_string())
        .ok_or_else(|| Error::usage(&"no home folder to keep an archive in").with_help("name one with --archive DIR"))
}

/// The store of an archive by the policy that is said or found, and whether it is a folder of this machine.
pub(super) fn open_store(
    context: &Context,
    given: Option<&str>,
    policy: Option<&Utf8Path>,
    access: Access,
    progress: &mut dyn Progress,
) -> Result<(Generations, Settings, bool), Error> {
    let (settings, _) = gather::settings(context, policy, &context.cwd, None)?;
    let place = place(context, given, &settings)?;
    let waits = &mut || progress.note("waiting for another run that uses the archive");
    let remote = remote_options(context, &settings, &place)?;
    let store = archive::open(&place, &context.cwd, access, &remote, waits).map_err(|error| match error {
        store::Error::NotFound { .. } => absent(&place),
        error => error.into(),
    })?;
    Ok((store, settings, !place.contains("://")))
}

/// How a store elsewhere is reached, where `place` is one.
pub(super) fn remote_options<'o>(
    context: &'o Context,
    settings: &'o Settings,
    place: &str,
) -> Result<remote::Options<'o>, Error> {
    if context.offline && remote::is_remote(place) {
        return Err(Error::usage(&"--offline leaves an archive in an object store out of reach"));
    }
    let (endpoint, region) = (settings.archive.endpoint.as_deref(), settings.archive.region.as_deref());
    Ok(remote::Options { endpoint, region, ..remote::Options::of(&context.env) })
}

fn absent(place: &str) -> Error {
    Error::usage(&format!("there is no archive in {place}"))
        .with_help("name another with --archive DIR, or begin one with `cargo supplychain archive add RELEASE_FOLDER`")
}

/// Opens an archive that is there.
pub(super) fn open(context: &Context, request: &Request, access: Access, progress: &mut dyn Progress) -> Result<Opened, Error> {
    let (store, settings, is_local) =
        open_store(context, request.archive.as_deref(), request.policy.as_deref(), access, progress)?;
    let chain = Chain::open(&store)?;
    if let Some(head) = request.expect_head {
        chain.expect_head(head)?;
    }
    Ok(Opened { store, chain, settings, is_local })
}

impl Opened {
    /// The releases that a text names: an entry's number, or `NAME[@VERSION[/TARGET]]`. Pruned ones only by their number.
    pub(super) fn find(&self, text: &str) -> Result<Vec<&ArchivedRelease>, Error> {
        let state = self.chain.state();
        if let Ok(sequence) = text.parse() {
            return state
                .get(sequence)
                .map(|one| vec![one])
                .ok_or_else(|| Error::usage(&format!("entry {sequence} of the archive {} is no release", self.chain.place())));
        }
        let (name, rest) = text.split_once('@').map_or((text, None), |(name, rest)| (name, Some(rest)));
        let (version, target) = match rest.map(|rest| rest.split_once('/').map_or((rest, None), |(a, b)| (a, Some(b)))) {
            None => (None, None),
            Some((version, target)) => (Some(version), target),
        };
        let found: Vec<_> = state
            .kept_releases()
            .filter(|one| one.key.name == name)
            .filter(|one| version.is_none_or(|version| one.key.version == version))
            .filter(|one| target.is_none_or(|target| one.key.target == target))
            .collect();
        if found.is_empty() {
            return Err(Error::usage(&format!("the archive {} has no release {text}", self.chain.place()))
                .with_help("`cargo supplychain archive list` shows what is there; an entry is NAME@VERSION, NAME@VERSION/TARGET or its number"));
        }
        Ok(found)
    }

    /// The one release that a text names.
    pub(super) fn find_one(&self, text: &str) -> Result<&ArchivedRelease, Error> {
        let found = self.find(text)?;
        match found.as_slice() {
            [one] if one.is_kept() => Ok(one),
            [one] => Err(Error::usage(&format!("{} of entry {} was pruned", one.key, one.sequence))),
            several => {
                let names: Vec<_> = several.iter().map(|one| one.key.to_string()).collect();
                Err(Error::usage(&format!("{text} is several releases: {}", names.join(", ")))
                    .with_help("name one as NAME@VERSION/TARGET, or by the number of its entry"))
            }
        }
    }

    /// The record of a release, held against its entry.
    pub(super) fn record(&self, release: &ArchivedRelease) -> Result<Record, Error> {
        record(&self.store, release)
    }
}

/// The record of a release, held against its entry.
fn record(store: &dyn Store, release: &ArchivedRelease) -> Result<Record, Error> {
    let record: Record = objects::get_value(store, release.record)?;
    check_record(&record, release)
        .map_err(|why| corrupt(&format!("the record of {} (entry {}): {why}", release.key, release.sequence)))?;
    Ok(record)
}

/// That a record is one, and that of its entry.
pub(super) fn check_record(record: &Record, release: &ArchivedRelease) -> Result<(), String> {
    record.check()?;
    let key = &release.key;
    if (&record.name, &record.version, &record.target) != (&key.name, &key.version, &key.target) {
        return Err("it is about another release than its entry".to_owned());
    }
    Ok(())
}

/// What `list` and `show` tell.
pub struct Listing {
    pub place: String,
    pub id: crate::base::Sha256,
    pub head: Head,
    pub releases: Vec<(ArchivedRelease, Option<Record>)>,
}

/// The releases of an archive, or those that `entry` names; with their records where `records` asks for them.
pub fn list(
    context: &Context,
    request: &Request,
    entry: Option<&str>,
    records: bool,
    progress: &mut dyn Progress,
) -> Result<Listing, Error> {
    let opened = open(context, request, Access::Read, progress)?;
    let found: Vec<_> = match entry {
        Some(text) => opened.find(text)?,
        None => opened.chain.state().all().collect(),
    };
    let with_record = |release: &ArchivedRelease| {
        let record = if records { Some(opened.record(release)?) } else { None };
        Ok((release.clone(), record))
    };
    let releases = found.into_iter().map(with_record).collect::<Result<_, Error>>()?;
    Ok(Listing { place: opened.chain.place().to_owned(), id: opened.chain.id(), head: opened.chain.head(), releases })
}

/// What is wrong with the archive itself.
pub(super) fn corrupt(message: &str) -> Error {
    Error::new(Class::Rejected, &format!("archive/corrupt: {message}")).with_help(
        "`cargo supplychain archive verify` lists all that is damaged; bring those files back from a copy of the store",
    )
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match &error {
            store::Error::Unsafe { path, .. } => Self::new(Class::Refused, &format!("archive/unsafe-permissions: {error}"))
                .with_help(format!("see who has written there, then `chmod go-w {path}`")),
            store::Error::Io { source, .. } if error.is_output() => match source.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::new(Class::Output, &error)
                    .with_help("free some space and run it again: nothing of what was there has changed"),
                _ => Self::new(Class::Output, &error).with_help("nothing of what was there has changed"),
            },
            _ => Self::usage(&error),
        }
    }
}

impl From<chain::Error> for Error {
    fn from(error: chain::Error) -> Self {
        match error {
            chain::Error::Store(error) => error.into(),
            chain::Error::Corrupt { .. } => corrupt(&error.to_string()),
            chain::Error::Rollback { .. } => Self::new(Class::Refused, &format!("archive/rollback: {error}"))
                .with_help("entries were taken out or replaced: find out by whom, and bring back the newer state"),
            chain::Error::Absent { place } => absent(&place),
            chain::Error::Busy { .. } => Self::new(Class::Output, &error).with_help("try again"),
        }
    }
}

impl From<objects::Error> for Error {
    fn from(error: objects::Error) -> Self {
        match error {
            objects::Error::Store(store::Error::NotFound { path }) => corrupt(&format!("{path} is missing")),
            objects::Error::Store(error) => error.into(),
            objects::Error::Corrupt { .. } => corrupt(&error.to_string()),
            objects::Error::Changed { .. } => changed(&error.to_string()),
            objects::Error::Source(_) => Self::usage(&error),
        }
    }
}

pub(super) fn changed(message: &str) -> Error {
    Error::new(Class::Refused, &format!("archive/changed-while-reading: {message}"))
        .with_help("nothing was archived; let nobody write to the release, and try again")
}
