//! `archive verify`: the whole archive: the chain, every record against its entry, every object against its digest, nothing missing, nothing
//! that does not belong there; and with a signer, each release's signatures by the trusted roots of its day.

use std::collections::{BTreeMap, BTreeSet};

use super::super::verify as judged;
use super::super::{Class, Error, Progress};
use super::{Day, Opened, Request, check_record, open};
use crate::archive::generations::{ANNOUNCED, announcement};
use crate::archive::objects::{self, OBJECTS, digest_of, path_of};
use crate::archive::{Access, Store, store};
use crate::archived::{ArchivedRelease, Event, Head, Inventory, Record, Rescan};
use crate::base::parallel::in_pieces;
use crate::base::text::counted;
use crate::base::{Context, Sha256};
use crate::ops::progress::Stage;
use crate::verify::{Rejection, VerificationPolicy, Verified};

/// Something in the archive is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The object's path, or a release.
    pub place: String,
    pub why: String,
}

/// What was said of the signatures of a release.
#[derive(Debug)]
pub enum Signatures {
    /// Nobody was named whose signature counts.
    NotAsked,
    /// It came in unsigned, and has no signature.
    Unsigned(Day),
    Judged(Result<Box<Verified>, Rejection>, Day),
}

/// One release.
#[derive(Debug)]
pub struct CheckedRelease {
    pub release: ArchivedRelease,
    pub files: usize,
    pub signatures: Signatures,
}

/// What was found.
#[derive(Debug)]
pub struct Checked {
    pub place: String,
    pub id: Sha256,
    pub head: Head,
    pub entries: usize,
    pub releases: Vec<CheckedRelease>,
    pub pruned: usize,
    pub objects: usize,
    pub problems: Vec<Problem>,
    /// Objects that no entry needs: what an interrupted run left. They are sound.
    pub unreferenced: Vec<String>,
}

impl Checked {
    /// Whether a signature was rejected.
    #[must_use]
    pub fn is_rejected(&self) -> bool {
        self.releases.iter().any(|one| matches!(&one.signatures, Signatures::Judged(Err(_), _)))
    }
}

/// Checks the whole archive, or the releases that `entries` name and nothing else of its objects.
pub fn verify(
    context: &Context,
    request: &Request,
    signer: Option<&judged::Request>,
    entries: &[String],
    progress: &mut dyn Progress,
) -> Result<Checked, Error> {
    let policy = signer.map(|signer| judged::policy(context, signer)).transpose()?;
    let stage = Stage::begin(progress, "chain", "entry by entry");
    let opened = open(context, request, Access::Read, progress)?;
    stage.end(
        progress,
        &format!("{}, head {}", counted(opened.chain.entries().len(), "entry").replace("entrys", "entries"), opened.chain.head()),
    );
    let mut check = Check { opened: &opened, found: Found::default() };
    let mut asked = BTreeSet::new();
    for text in entries {
        asked.extend(opened.find(text)?.into_iter().map(|release| release.sequence));
    }
    let stage = Stage::begin(progress, "objects", "digest by digest");
    let mut unreferenced = if entries.is_empty() { check.all_objects()? } else { Vec::new() };
    let is_asked = |release: &&ArchivedRelease| entries.is_empty() || asked.contains(&release.sequence);
    let wanted: Vec<_> = opened.chain.state().all().filter(is_asked).collect();
    let pruned = wanted.iter().filter(|release| !release.is_kept()).count();
    let releases = check.releases(&wanted, policy.as_ref())?;
    if entries.is_empty() {
        check.rescans()?;
        check.announcements()?;
        unreferenced.retain(|path| digest_of(path).is_none_or(|digest| !check.found.needed.contains(&digest)));
    }
    let Found { sizes, problems, .. } = check.found;
    stage.end(progress, &format!("{}, {}", counted(sizes.len(), "object"), counted(problems.len(), "problem")));
    Ok(Checked {
        place: opened.chain.place().to_owned(),
        id: opened.chain.id(),
        head: opened.chain.head(),
        entries: opened.chain.entries().len(),
        releases,
        pruned,
        objects: sizes.len(),
        problems: problems.into_iter().collect(),
        unreferenced,
    })
}

struct Check<'a> {
    opened: &'a Opened,
    found: Found,
}

#[derive(Clone, Default)]
struct Found {
    /// Each object that was read, and its size; none: it is not what its name says.
    sizes: BTreeMap<Sha256, Option<u64>>,
    problems: BTreeSet<Problem>,
    needed: BTreeSet<Sha256>,
}

impl Found {
    fn add(&mut self, other: Self) {
        self.sizes.extend(other.sizes);
        self.problems.extend(other.problems);
        self.needed.extend(other.needed);
    }
}

impl Check<'_> {
    /// Does `work` on each of `all`, on all cores, beside what was found before; the outcomes, in order.
    fn each<T: Sync, R: Send>(
        &mut self,
        all: &[T],
        work: impl Fn(&mut Check<'_>, &T) -> Result<R, Error> + Sync,
    ) -> Result<Vec<R>, Error> {
        let (opened, before) = (self.opened, &self.found);
        let parts: Vec<Result<(Vec<R>, Found), Error>> = in_pieces(all, 1, |piece| {
            let mut check = Check { opened, found: before.clone() };
            let done = piece.iter().map(|one| work(&mut check, one)).collect::<Result<_, _>>()?;
            Ok((done, check.found))
        });
        let mut outcomes = Vec::new();
        for part in parts {
            let (done, found) = part?;
            outcomes.extend(done);
            self.found.add(found);
        }
        Ok(outcomes)
    }

    fn store(&self) -> &dyn Store {
        &self.opened.store
    }

    fn problem(&mut self, place: impl Into<String>, why: impl Into<String>) {
        self.found.problems.insert(Problem { place: place.into(), why: why.into() });
    }

    /// Reads every object that is there; their paths. What has no place there is a problem.
    fn all_objects(&mut self) -> Result<Vec<String>, Error> {
        let (mut paths, mut digests) = (Vec::new(), Vec::new());
        for path in self.store().paths(OBJECTS)? {
            match digest_of(&path) {
                Some(digest) => {
                    digests.push(digest);
                    paths.push(path);
                }
                None => self.problem(path, "is no object of an archive: nobody knows what put it there"),
            }
        }
        paths.sort();
        self.each(&digests, |check, digest| check.object(*digest).map(drop))?;
        Ok(paths)
    }

    /// Entries that give objects up are found by what announces them.
    fn announcements(&mut self) -> Result<(), Error> {
        let opened = self.opened;
        let announced: BTreeSet<_> = opened.store.list(ANNOUNCED)?.into_iter().map(|one| one.path).collect();
        for placed in opened.chain.entries() {
            let path = announcement(placed.entry.sequence);
            if matches!(placed.entry.event, Event::GiveUp { .. }) && !announced.contains(&path) {
                self.problem(path, "is missing: create it, empty, so that it is known what its entry gave up");
            }
        }
        Ok(())
    }

    fn releases(
        &mut self,
        wanted: &[&ArchivedRelease],
        policy: Option<&VerificationPolicy>,
    ) -> Result<Vec<CheckedRelease>, Error> {
        Ok(self.each(wanted, |check, release| check.release(release, policy))?.into_iter().flatten().collect())
    }

    /// An object that is needed: its size, where it is what its name says.
    fn object(&mut self, digest: Sha256) -> Result<Option<u64>, Error> {
        if let Some(known) = self.found.sizes.get(&digest) {
            return Ok(*known);
        }
        let size = match objects::check(self.store(), digest) {
            Ok(size) => Some(size),
            Err(error) => {
                self.note(digest, error)?;
                None
            }
        };
        self.found.sizes.insert(digest, size);
        Ok(size)
    }

    /// What is damaged is a problem; what cannot be read at all ends the run.
    fn note(&mut self, digest: Sha256, error: objects::Error) -> Result<(), Error> {
        match error {
            objects::Error::Corrupt { why, .. } => self.problem(path_of(digest), why),
            objects::Error::Store(store::Error::NotFound { .. }) => self.problem(path_of(digest), "is missing"),
            objects::Error::Store(error) if !matches!(error, store::Error::Io { .. }) => {
                self.problem(path_of(digest), error.to_string());
            }
            // A link, a folder or a pipe in the place of an object.
            objects::Error::Store(store::Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::InvalidInput => {
                self.problem(path_of(digest), source.to_string());
            }
            error => return Err(error.into()),
        }
        Ok(())
    }

    fn value<T: serde::Serialize + serde::de::DeserializeOwned>(&mut self, digest: Sha256) -> Result<Option<T>, Error> {
        self.found.needed.insert(digest);
        if self.object(digest)?.is_none() {
            return Ok(None);
        }
        match objects::get_value(self.store(), digest) {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.note(digest, error).map(|()| None),
        }
    }

    fn release(
        &mut self,
        release: &ArchivedRelease,
        policy: Option<&VerificationPolicy>,
    ) -> Result<Option<CheckedRelease>, Error> {
        let Some(record) = self.value::<Record>(release.record)? else { return Ok(None) };
        if let Err(why) = check_record(&record, release) {
            self.problem(path_of(release.record), format!("the record of entry {}: {why}", release.sequence));
            return Ok(None);
        }
        if !release.is_kept() {
            return Ok(None);
        }
        let before = self.found.problems.len();
        if let Some(inventory) = self.value::<Inventory>(record.inventory)?
            && inventory.format_version != crate::archived::FORMAT_VERSION
        {
            self.problem(path_of(record.inventory), "has another format version");
        }
        for &root in &record.trusted_roots {
            self.found.needed.insert(root);
            self.object(root)?;
        }
        for file in &record.files {
            self.found.needed.insert(file.sha256);
            if self.object(file.sha256)?.is_some_and(|size| size != file.size) {
                self.problem(path_of(file.sha256), format!("{} has another size than its record says", file.path));
            }
        }
        let is_sound = self.found.problems.len() == before && self.is_sound(&record);
        let signatures = match policy {
            Some(policy) if is_sound => self.signatures(release, &record, policy)?,
            _ => Signatures::NotAsked,
        };
        Ok(Some(CheckedRelease { release: release.clone(), files: record.files.len(), signatures }))
    }

    fn is_sound(&self, record: &Record) -> bool {
        let all = record.files.iter().map(|file| file.sha256).chain(record.trusted_roots.iter().copied());
        all.into_iter().all(|digest| matches!(self.found.sizes.get(&digest), Some(Some(_))))
    }

    fn signatures(&self, release: &ArchivedRelease, record: &Record, policy: &VerificationPolicy) -> Result<Signatures, Error> {
        let (outcome, day) = self.opened.judge(release, record, policy)?;
        if record.admission == crate::archived::Admission::Unsigned && outcome.is_err() {
            let contents = self.opened.contents(record)?;
            return Ok(match crate::verify::unsigned(&contents) {
                Ok(_) => Signatures::Unsigned(day),
                Err(rejection) => Signatures::Judged(Err(rejection), day),
            });
        }
        Ok(Signatures::Judged(outcome.map(Box::new), day))
    }

    fn rescans(&mut self) -> Result<(), Error> {
        for placed in self.opened.chain.entries() {
            if let Event::Rescan { outcome } = placed.entry.event {
                self.value::<Rescan>(outcome)?;
            }
        }
        Ok(())
    }
}

impl Checked {
    /// As an error where something is damaged, for callers that want nothing else.
    ///
    /// # Errors
    /// What is damaged.
    pub fn sound(&self) -> Result<(), Error> {
        match self.problems.first() {
            None => Ok(()),
            Some(first) => Err(Error::new(Class::Rejected, &format!("archive/corrupt: {} {}", first.place, first.why))),
        }
    }
}
