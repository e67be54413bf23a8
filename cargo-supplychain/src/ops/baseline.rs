//! `baseline show|diff|accept|refresh`: the committed `supplychain.lock`. It changes nowhere else.

mod known;
mod refresh;

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::before::{BASELINE_FILE, OWN_FILE_LIMIT};
use super::error::Snippet;
use super::gather::{self, Gathered, gather};
use super::{Class, Error, Progress};
use crate::base::{Context, Timestamp};
use crate::files;
use crate::model::baseline::{self, Baseline, Difference, Obstacle};
use crate::model::index::IndexGap;

pub use refresh::{Refreshed, refresh};

/// What a baseline that cannot be read needs.
const BROKEN_HELP: &str = "take one side of a merge conflict, or restore supplychain.lock from its history; \
     then `cargo supplychain baseline accept` what has changed since";
/// What to do without one.
const MISSING_HELP: &str = "`cargo supplychain baseline accept` writes it";

/// What a verb is asked about.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub manifest_path: Option<Utf8PathBuf>,
    pub policy: Option<Utf8PathBuf>,
    pub registry_snapshot: Option<Utf8PathBuf>,
    pub registry_api: Option<String>,
    /// Names; empty: all crates.
    pub crates: Vec<String>,
}

/// What is, or would be, accepted.
#[derive(Debug)]
pub struct Outcome {
    pub path: Utf8PathBuf,
    pub difference: Difference,
    /// What stands in the way of accepting; empty once it was accepted.
    pub obstacles: Vec<Obstacle>,
    /// How many crates the file has then.
    pub crates: usize,
    /// Of these nobody has said who owns them.
    pub without_owners: Vec<String>,
    /// Why nobody was asked, where nobody was.
    pub not_asked: Option<String>,
    pub written: bool,
}

/// `baseline show`: what the file says, of all crates or of one.
pub fn show(context: &Context, request: &Request) -> Result<(Utf8PathBuf, Baseline), Error> {
    let gathered = workspace(context, request, &mut super::progress::Silent)?;
    let path = path(&gathered);
    let mut baseline = read(&gathered)?.ok_or_else(|| missing(&gathered))?;
    if let Some(name) = request.crates.first() {
        baseline.crates.retain(|key, _| key.name == *name);
        if baseline.crates.is_empty() {
            let error = Error::usage(&format!("supplychain.lock has no crate `{name}`"));
            return Err(error.with_help("`cargo supplychain baseline show` lists all"));
        }
    }
    Ok((path, baseline))
}

/// `baseline diff`: what accepting would write.
pub fn diff(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Outcome, Error> {
    let gathered = workspace(context, request, progress)?;
    Ok(renew(context, request, &gathered, progress)?.0)
}

/// `baseline accept`: writes what is locked and known now, when all of it can be.
pub fn accept(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Outcome, Error> {
    let gathered = workspace(context, request, progress)?;
    let (mut outcome, renewed) = renew(context, request, &gathered, progress)?;
    if let Some(error) = refusal(&outcome.obstacles) {
        return Err(error);
    }
    outcome.written = write(&gathered, &renewed)?;
    Ok(outcome)
}

fn workspace(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Gathered, Error> {
    let request = gather::Request {
        manifest_path: request.manifest_path.clone(),
        policy: request.policy.clone(),
        without_plan: true,
        ..gather::Request::default()
    };
    gather(context, &request, progress)
}

fn renew(
    context: &Context,
    request: &Request,
    gathered: &Gathered,
    progress: &mut dyn Progress,
) -> Result<(Outcome, Baseline), Error> {
    let before = read(gathered)?;
    let named = names(gathered, before.as_ref(), &request.crates)?;
    let known = known::gather(context, request, gathered, before.as_ref(), named.as_ref(), progress)?;
    let lockfile = gathered.lock.lockfile().ok_or_else(no_lockfile)?;
    let is_begun = before.is_none() && named.is_none() && request.registry_snapshot.is_none();
    let before = before.unwrap_or_default();
    let (renewed, obstacles) = before.renewed(known.of(lockfile, today(context)), named.as_ref());
    let without_owners = renewed.crates.iter().filter(|(_, known)| known.owners.is_none()).map(|(key, _)| key.name.clone());
    let outcome = Outcome {
        path: path(gathered),
        difference: Difference::between(&before, &renewed),
        obstacles,
        crates: renewed.crates.len(),
        without_owners: without_owners.collect(),
        not_asked: known.not_asked().or_else(|| is_begun.then(|| "nobody is asked when a baseline is begun".to_owned())),
        written: false,
    };
    Ok((outcome, renewed))
}

/// The names as a set; each has to be locked or in the baseline.
fn names(gathered: &Gathered, before: Option<&Baseline>, given: &[String]) -> Result<Option<BTreeSet<String>>, Error> {
    let lockfile = gathered.lock.lockfile().ok_or_else(no_lockfile)?;
    let locked = lockfile.packages.iter().filter_map(crate::model::LockedPackage::crate_key).map(|key| key.name);
    let known: BTreeSet<_> =
        locked.chain(before.iter().flat_map(|before| before.crates.keys()).map(|key| key.name.clone())).collect();
    match given.iter().find(|name| !known.contains(*name)) {
        Some(name) => Err(Error::usage(&format!("neither Cargo.lock nor supplychain.lock has a registry crate `{name}`"))),
        None => Ok((!given.is_empty()).then(|| given.iter().cloned().collect())),
    }
}

fn no_lockfile() -> Error {
    Error::usage(&"there is no Cargo.lock").with_help("run `cargo generate-lockfile` and commit the file")
}

fn missing(gathered: &Gathered) -> Error {
    Error::usage(&format!("there is no {}", path(gathered))).with_help(MISSING_HELP)
}

fn path(gathered: &Gathered) -> Utf8PathBuf {
    gathered.workspace.root.join(BASELINE_FILE)
}

/// The day of the run.
fn today(context: &Context) -> Timestamp {
    context.now.date().parse().unwrap_or(context.now)
}

/// Writes the file whole, unless it says the same already; whether it did.
fn write(gathered: &Gathered, baseline: &Baseline) -> Result<bool, Error> {
    let text = baseline.to_text();
    // What a registry calls itself may be longer than the file takes; that is found out before anything is replaced.
    match baseline::parse(BASELINE_FILE, &text) {
        Ok(read) if read == *baseline => {}
        Ok(_) => return Err(Error::usage(&"supplychain.lock would not say what was accepted; nothing was written")),
        Err(error) => {
            return Err(Error::usage(&format!("supplychain.lock could not be read again, nothing was written: {error}")));
        }
    }
    if self::text(gathered)?.is_some_and(|before| before == text) {
        return Ok(false);
    }
    let path = path(gathered);
    files::write(&path, text.as_bytes()).map_err(|error| Error::new(Class::Output, &format!("cannot write {path}: {error}")))?;
    Ok(true)
}

/// Why nothing is accepted.
fn refusal(obstacles: &[Obstacle]) -> Option<Error> {
    let not_indexed = |one: &&Obstacle| matches!(one, Obstacle::NotIndexed { .. });
    let (unknown, wrong): (Vec<_>, Vec<_>) = obstacles.iter().partition(not_indexed);
    let lines = |list: &[&Obstacle]| list.iter().take(5).map(|one| describe(one)).collect::<Vec<_>>().join("\n");
    if !wrong.is_empty() {
        let text = format!("what is locked is not what it was said to be; nothing was written\n{}", lines(&wrong));
        let help = "see who changed it with `git log -p Cargo.lock supplychain.lock`, and restore it; a crate that is named is accepted \
                    with another checksum than before, when the index has it";
        return Some(Error::usage(&text).with_help(help));
    }
    if unknown.is_empty() {
        return None;
    }
    let text = format!("the registry index does not say what is locked; nothing was written\n{}", lines(&unknown));
    Some(
        Error::new(Class::Undetermined, &text)
            .with_help("run `cargo fetch` once with the network, which fills cargo's copy of the index"),
    )
}

/// An obstacle as a line for people.
#[must_use]
pub fn describe(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::NotIndexed { name, version, gap } => {
            let why = match gap {
                IndexGap::NotCached => "no entry of the crate",
                IndexGap::NoSuchVersion => "no such version",
                IndexGap::Unreadable(why) => why,
            };
            format!("{name} {version}: {why} in the index")
        }
        Obstacle::NotTheIndexs { name, version, locked, indexed } => {
            format!("{name} {version}: Cargo.lock has the checksum {locked}, the index {indexed}")
        }
        Obstacle::Changed { name, version, accepted, now } => {
            format!("{name} {version}: was accepted with the checksum {accepted}, and has {now} now")
        }
    }
}

/// The baseline that counts: of `--base`, else of the work tree; `None` where there is no file.
pub(super) fn read(gathered: &Gathered) -> Result<Option<Baseline>, Error> {
    let text = match &gathered.base {
        Some(base) => base.own_file(BASELINE_FILE)?,
        None => text(gathered)?,
    };
    let shown = match &gathered.base {
        Some(base) => format!("{BASELINE_FILE} of {}", base.name()),
        None => BASELINE_FILE.to_owned(),
    };
    text.map(|text| parse(&shown, text)).transpose()
}

/// The file's text in the work tree.
fn text(gathered: &Gathered) -> Result<Option<String>, Error> {
    let path = path(gathered);
    match files::read_text(&path, OWN_FILE_LIMIT) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::usage(&format!("cannot read {path}: {error}")).with_help(BROKEN_HELP)),
    }
}

fn parse(shown: &str, text: String) -> Result<Baseline, Error> {
    baseline::parse(shown, &text).map_err(|error| {
        let snippet =
            error.span.clone().map(|span| Box::new(Snippet { file: shown.to_owned(), text, span, label: String::new() }));
        Error { snippet, ..Error::usage(&error) }.with_help(BROKEN_HELP)
    })
}
