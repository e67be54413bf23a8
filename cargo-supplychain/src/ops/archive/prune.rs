//! `archive prune`, `hold` and `unhold`: what is not kept any more is said in the chain before its objects go, so that a run that ends in between
//! leaves only objects that nobody needs, which the next one removes. A local store holds others off meanwhile; with an object store the
//! objects are given up in the chain as well (`archive::generations`), whatever others add, hold or prune at the same time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::{Class, Error, Progress};
use super::{Request, open, record};
use crate::archive::objects::{OBJECTS, digest_of};
use crate::archive::store::Listed;
use crate::archive::{Access, Chain, Generations, Store};
use crate::archived::retention::Retention;
use crate::archived::{ArchivedRelease, Event, Head, ReleaseKey};
use crate::base::{Context, Sha256, Timestamp};
use crate::config::SupportedReleases;

/// Objects that one entry gives up: as many as its size allows.
const MAX_GIVEN_UP: usize = 50_000;

/// Releases, by entry.
pub type Releases = Vec<(u64, ReleaseKey)>;

/// What went.
#[derive(Debug)]
pub struct Pruned {
    pub place: String,
    pub releases: Releases,
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
    let opened = open(context, request, access, progress)?;
    let policy = &opened.settings.archive;
    let retention = match retention.is_empty() && entries.is_empty() {
        true => Retention { keep_last: policy.keep_last, older_than_days: policy.keep_days },
        false => retention,
    };
    let named = entries.iter().map(|text| opened.find_one(text).map(|one| one.sequence)).collect::<Result<_, _>>()?;
    let wish = Wish { retention, named, supported: &opened.settings.supported, now: context.now };
    let pruning = Pruning::new(&opened.store, opened.is_local, context.now);
    let mut chain = opened.chain;
    let (releases, gone) = match dry_run {
        true => pruning.would_go(&chain, &wish)?,
        false => {
            let reason = reason.map_or_else(|| reason_of(retention), str::to_owned);
            let releases = pruning.prune(&mut chain, &wish, &reason)?;
            (releases, pruning.remove(&mut chain)?)
        }
    };
    let strangers = opened.store.list(OBJECTS)?.into_iter().filter(|one| digest_of(&one.path).is_none());
    strangers.for_each(|one| progress.note(&format!("{} is no object of an archive, and was left", one.path)));
    let bytes = gone.iter().map(|one| one.size).sum();
    Ok(Pruned { place: chain.place().to_owned(), releases, objects: gone.len(), bytes, dry_run, head: chain.head() })
}

/// What somebody wants to let go.
pub(super) struct Wish<'a> {
    pub(super) retention: Retention,
    /// Releases, by entry.
    pub(super) named: Vec<u64>,
    pub(super) supported: &'a SupportedReleases,
    pub(super) now: Timestamp,
}

/// An archive that is pruned.
pub(super) struct Pruning<'a> {
    store: &'a Generations,
    /// Whether nobody else can be at the store.
    holds_others_off: bool,
    now: Timestamp,
    /// What the releases of records need that were read.
    objects: RefCell<BTreeMap<Sha256, Vec<Sha256>>>,
}

impl<'a> Pruning<'a> {
    pub(super) fn new(store: &'a Generations, holds_others_off: bool, now: Timestamp) -> Self {
        Self { store, holds_others_off, now, objects: RefCell::default() }
    }

    fn would_go(&self, chain: &Chain, wish: &Wish<'_>) -> Result<(Releases, Vec<Listed>), Error> {
        let releases = going(chain, wish)?;
        let sequences: Vec<u64> = releases.iter().map(|(sequence, _)| *sequence).collect();
        let mut gone = self.unneeded(chain, &sequences)?;
        gone.extend(self.store.leftovers()?);
        Ok((releases, gone))
    }

    /// Says in the chain which releases go; these. Decided anew where others added an entry meanwhile: a hold, say.
    pub(super) fn prune(&self, chain: &mut Chain, wish: &Wish<'_>, reason: &str) -> Result<Releases, Error> {
        // Before anything changes: a record that cannot be read says nothing of what it needs.
        self.needed(chain, &[])?;
        let mut releases = Vec::new();
        chain.append_if(self.store, self.now, |chain| {
            releases = going(chain, wish)?;
            let sequences: Vec<u64> = releases.iter().map(|(sequence, _)| *sequence).collect();
            Ok::<_, Error>((!sequences.is_empty()).then(|| Event::Prune { releases: sequences, reason: reason.to_owned() }))
        })?;
        Ok(releases)
    }

    /// Removes what no kept release needs; what went.
    pub(super) fn remove(&self, chain: &mut Chain) -> Result<Vec<Listed>, Error> {
        if !self.holds_others_off {
            while self.give_up(chain)? {}
            return Ok(self.store.sweep()?);
        }
        let gone = self.unneeded(chain, &[])?;
        gone.iter().try_for_each(|one| self.store.remove(&one.path))?;
        Ok(gone)
    }

    /// Says in the chain that such objects are given up, where there are any; whether there may be more than one entry takes.
    fn give_up(&self, chain: &mut Chain) -> Result<bool, Error> {
        let mut is_full = false;
        chain.append_if(self.store, self.now, |chain| {
            let unneeded = self.unneeded(chain, &[])?;
            is_full = unneeded.len() > MAX_GIVEN_UP;
            let mut objects: Vec<_> = unneeded.iter().filter_map(|one| digest_of(&one.path)).take(MAX_GIVEN_UP).collect();
            objects.sort_unstable();
            if objects.is_empty() {
                return Ok(None);
            }
            self.store.announce(chain.head().sequence + 1)?;
            Ok::<_, Error>(Some(Event::GiveUp { objects }))
        })?;
        Ok(is_full)
    }

    /// The objects that are there and that nothing needs once these releases are gone.
    fn unneeded(&self, chain: &Chain, going: &[u64]) -> Result<Vec<Listed>, Error> {
        let needed = self.needed(chain, going)?;
        let mut listed = self.store.list(OBJECTS)?;
        listed.retain(|one| digest_of(&one.path).is_some_and(|digest| !needed.contains(&digest)));
        Ok(listed)
    }

    /// Every object that the chain needs once these releases are gone: records stay, so that a version never comes back with other bytes.
    fn needed(&self, chain: &Chain, going: &[u64]) -> Result<BTreeSet<Sha256>, Error> {
        let mut needed = BTreeSet::new();
        for release in chain.state().all() {
            needed.insert(release.record);
            if release.is_kept() && going.binary_search(&release.sequence).is_err() {
                self.add_objects(release, &mut needed)?;
            }
        }
        for placed in chain.entries() {
            if let Event::Rescan { outcome } = placed.entry.event {
                needed.insert(outcome);
            }
        }
        Ok(needed)
    }

    fn add_objects(&self, release: &ArchivedRelease, to: &mut BTreeSet<Sha256>) -> Result<(), Error> {
        if let Some(objects) = self.objects.borrow().get(&release.record) {
            to.extend(objects);
            return Ok(());
        }
        let record = record(self.store, release)?;
        let files = record.files.iter().map(|file| file.sha256);
        let objects: Vec<_> = files.chain(record.trusted_roots).chain([record.inventory]).collect();
        to.extend(&objects);
        self.objects.borrow_mut().insert(release.record, objects);
        Ok(())
    }
}

fn reason_of(retention: Retention) -> String {
    let last = retention.keep_last.map(|count| format!("not among the last {count}"));
    let age = retention.older_than_days.map(|days| format!("older than {days} days"));
    let reasons: Vec<_> = [last, age].into_iter().flatten().collect();
    if reasons.is_empty() { "asked for".to_owned() } else { reasons.join(", ") }
}

/// The releases that go, by entry. Whoever names one that has to stay is told so.
fn going(chain: &Chain, wish: &Wish<'_>) -> Result<Releases, Error> {
    let is_supported = |one: &ArchivedRelease| wish.supported.of(&one.key.name, &one.key.version, wish.now).is_supported();
    let mut going: BTreeSet<_> = wish
        .retention
        .lets_go(chain.state(), wish.now, is_supported)
        .into_iter()
        .map(|one| (one.sequence, one.key.clone()))
        .collect();
    // One that somebody else pruned meanwhile is gone as it was wished.
    for one in wish.named.iter().filter_map(|&sequence| chain.state().get(sequence)).filter(|one| one.is_kept()) {
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
    event: impl Fn(u64) -> Event,
) -> Result<(ReleaseKey, Head), Error> {
    // Not begun by a hold: what is not there cannot be held.
    drop(open(context, request, Access::Read, progress)?);
    let mut opened = open(context, request, Access::Write, progress)?;
    let release = opened.find_one(entry)?;
    let (key, sequence) = (release.key.clone(), release.sequence);
    about(&mut opened.chain, &opened.store, context.now, sequence, event)?;
    Ok((key, opened.chain.head()))
}

/// Adds an entry about the release of another, as long as that is kept.
pub(super) fn about(
    chain: &mut Chain,
    store: &dyn Store,
    now: Timestamp,
    sequence: u64,
    event: impl Fn(u64) -> Event,
) -> Result<(), Error> {
    let added = chain.append_if(store, now, |chain| match chain.state().get(sequence) {
        Some(one) if one.is_kept() => Ok(Some(event(sequence))),
        _ => Err(Error::usage(&format!("the release of entry {sequence} was pruned meanwhile"))),
    });
    added.map(drop)
}
