//! `archive prune`, `hold` and `unhold`: what is not kept any more is said in the chain before its objects go, so that a run that ends in between
//! leaves only objects that nobody needs, which the next one removes.

use std::collections::BTreeSet;

use super::super::{Class, Error, Progress};
use super::{Opened, Request, open};
use crate::archive::objects::{self, OBJECTS, digest_of};
use crate::archive::{Access, store};
use crate::archived::retention::Retention;
use crate::archived::{ArchivedRelease, Event, Head, Record, ReleaseKey};
use crate::base::{Context, Sha256};

/// What went.
#[derive(Debug)]
pub struct Pruned {
    pub place: String,
    /// The releases, by entry.
    pub releases: Vec<(u64, ReleaseKey)>,
    /// Objects that were removed, or with `dry_run` would be, and their bytes.
    pub objects: usize,
    pub bytes: u64,
    pub dry_run: bool,
    pub head: Head,
}

/// Lets go of the releases that `retention` (else the policy's) or `entries` name, and removes every object that no kept release needs.
pub fn prune(
    context: &Context,
    request: &Request,
    retention: Retention,
    entries: &[String],
    reason: Option<&str>,
    dry_run: bool,
    progress: &mut dyn Progress,
) -> Result<Pruned, Error> {
    let access = if dry_run { Access::Read } else { Access::Exclusive };
    let mut opened = open(context, request, access, progress)?;
    let retention = match retention.is_empty() && entries.is_empty() {
        true => Retention { keep_last: opened.settings.archive.keep_last, older_than_days: opened.settings.archive.keep_days },
        false => retention,
    };
    let going = going(context, &opened, retention, entries)?;
    let sequences: Vec<u64> = going.iter().map(|(sequence, _)| *sequence).collect();
    // Before anything changes: a record that cannot be read says nothing of what it needs.
    let needed = needed(&opened, &sequences)?;
    let theirs = if opened.is_local { None } else { Some(objects_of(&opened, &sequences)?) };
    if !sequences.is_empty() && !dry_run {
        let reason = reason.map_or_else(|| reason_of(retention), str::to_owned);
        let event = Event::Prune { releases: sequences, reason };
        opened.chain.append(opened.store.as_ref(), context.now, &event)?;
    }
    let (mut objects, mut bytes) = (0, 0);
    for listed in opened.store.list(OBJECTS)? {
        let Some(digest) = digest_of(&listed.path) else {
            progress.note(&format!("{} is no object of an archive, and was left", listed.path));
            continue;
        };
        // Where others may be writing, what no entry names yet may be theirs.
        if needed.contains(&digest) || theirs.as_ref().is_some_and(|theirs| !theirs.contains(&digest)) {
            continue;
        }
        if !dry_run {
            opened.store.remove(&listed.path)?;
        }
        objects += 1;
        bytes += listed.size;
    }
    let place = opened.chain.place().to_owned();
    Ok(Pruned { place, releases: going, objects, bytes, dry_run, head: opened.chain.head() })
}

fn reason_of(retention: Retention) -> String {
    let last = retention.keep_last.map(|count| format!("not among the last {count}"));
    let age = retention.older_than_days.map(|days| format!("older than {days} days"));
    let reasons: Vec<_> = [last, age].into_iter().flatten().collect();
    if reasons.is_empty() { "asked for".to_owned() } else { reasons.join(", ") }
}

/// The releases that go, by entry. Whoever names one that has to stay is told so.
fn going(context: &Context, opened: &Opened, retention: Retention, entries: &[String]) -> Result<Vec<(u64, ReleaseKey)>, Error> {
    let is_supported =
        |one: &ArchivedRelease| opened.settings.supported.of(&one.key.name, &one.key.version, context.now).is_supported();
    let mut going: BTreeSet<_> = retention
        .lets_go(opened.chain.state(), context.now, is_supported)
        .into_iter()
        .map(|one| (one.sequence, one.key.clone()))
        .collect();
    for text in entries {
        let one = opened.find_one(text)?;
        let stays =
            |why: String, help: String| Err(Error::new(Class::Refused, &format!("{} stays: {why}", one.key)).with_help(help));
        if let Some((entry, reason)) = &one.hold {
            return stays(
                format!("it is held by entry {entry} ({reason})"),
                format!("`cargo supplychain archive unhold {} --reason TEXT` when the hold is over", one.key),
            );
        }
        if is_supported(one) {
            return stays("[[archive.supported]] says that it is supported".into(), "change the policy first".into());
        }
        going.insert((one.sequence, one.key.clone()));
    }
    Ok(going.into_iter().collect())
}

/// Every object that the chain needs once these releases are gone: records stay, so that a version never comes back with other bytes.
fn needed(opened: &Opened, going: &[u64]) -> Result<BTreeSet<Sha256>, Error> {
    let mut needed = BTreeSet::new();
    for release in opened.chain.state().all() {
        needed.insert(release.record);
        if release.is_kept() && going.binary_search(&release.sequence).is_err() {
            add_objects(&opened.record(release)?, &mut needed);
        }
    }
    for placed in opened.chain.entries() {
        if let Event::Rescan { outcome } = placed.entry.event {
            needed.insert(outcome);
        }
    }
    Ok(needed)
}

fn add_objects(record: &Record, to: &mut BTreeSet<Sha256>) {
    to.extend(record.files.iter().map(|file| file.sha256));
    to.extend(record.trusted_roots.iter().copied());
    to.insert(record.inventory);
}

/// The objects of releases that went or go.
fn objects_of(opened: &Opened, going: &[u64]) -> Result<BTreeSet<Sha256>, Error> {
    let mut theirs = BTreeSet::new();
    for release in opened.chain.state().all() {
        if release.is_kept() && going.binary_search(&release.sequence).is_err() {
            continue;
        }
        match objects::get_value::<Record>(opened.store.as_ref(), release.record) {
            Ok(record) => add_objects(&record, &mut theirs),
            Err(objects::Error::Store(store::Error::NotFound { .. })) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(theirs)
}

/// Keeps a release whatever the retention says; the new head.
pub fn hold(
    context: &Context,
    request: &Request,
    entry: &str,
    reason: &str,
    progress: &mut dyn Progress,
) -> Result<(ReleaseKey, Head), Error> {
    change(context, request, entry, progress, |release| Event::Hold { release, reason: reason.to_owned() })
}

/// Ends a hold; the new head.
pub fn unhold(
    context: &Context,
    request: &Request,
    entry: &str,
    reason: &str,
    progress: &mut dyn Progress,
) -> Result<(ReleaseKey, Head), Error> {
    change(context, request, entry, progress, |release| Event::Unhold { release, reason: reason.to_owned() })
}

fn change(
    context: &Context,
    request: &Request,
    entry: &str,
    progress: &mut dyn Progress,
    event: impl FnOnce(u64) -> Event,
) -> Result<(ReleaseKey, Head), Error> {
    // Not begun by a hold: what is not there cannot be held.
    drop(open(context, request, Access::Read, progress)?);
    let mut opened = open(context, request, Access::Write, progress)?;
    let release = opened.find_one(entry)?;
    let (key, event) = (release.key.clone(), event(release.sequence));
    let head = opened.chain.append(opened.store.as_ref(), context.now, &event)?;
    Ok((key, head))
}
