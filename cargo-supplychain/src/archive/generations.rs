//! Objects that may be removed while others add, without a lock: a name that was given up is never used again. [`Store`] over another one.
//!
//! Where stores cannot hold writers off (object stores), pruning races with a writer who finds an object in place and relies on it. The chain decides
//! it, since its entries have one order. An entry of the kind `give-up` names objects that no kept release needs; whoever needs one of them after it
//! keeps it under a name of the next generation: `objects/ab/<digest>.<number of that entry>`. So a remover, however late it wakes, removes only
//! names that no release after that entry uses. Needed of a writer: that its objects are in place under the names which the entries before
//! its own leave ([`Generations::last`] tells whether one of them changed any), and of whoever gives up: that it has looked at all entries before its own.
//!
//! Which entries give something up is known without reading the whole chain: each is announced beforehand, by an empty file of its number.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::chain::{self, LOG};
use super::objects::{self, OBJECTS};
use super::store::{Creation, Error, Listed, Store};
use crate::archived::Event;
use crate::base::Sha256;
use crate::files::stamp::Stamp;

/// What announces the entries that give objects up is below it.
pub const ANNOUNCED: &str = "given-up/";

/// A store whose objects have generations.
pub struct Generations {
    inner: Box<dyn Store>,
    known: Mutex<Known>,
    /// Whether something may have been given up that is not known: since it was looked, an entry was read or written, or an object found in place.
    is_behind: AtomicBool,
}

#[derive(Default)]
struct Known {
    /// The last entry that gave an object up.
    given_up: BTreeMap<Sha256, u64>,
    /// The announced entries that were looked at.
    entries: BTreeSet<u64>,
}

impl Known {
    fn generation(&self, digest: Sha256) -> u64 {
        self.given_up.get(&digest).copied().unwrap_or(0)
    }

    fn path(&self, digest: Sha256) -> String {
        match self.generation(digest) {
            0 => objects::path_of(digest),
            generation => format!("{}.{generation}", objects::path_of(digest)),
        }
    }
}

impl Generations {
    #[must_use]
    pub fn new(inner: Box<dyn Store>) -> Self {
        Self { inner, known: Mutex::default(), is_behind: AtomicBool::new(true) }
    }

    /// The last entry that gave anything up, 0: none. At least all are known that come before any entry which was read here.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn last(&self) -> Result<u64, Error> {
        self.catch_up()?;
        Ok(self.known().given_up.values().max().copied().unwrap_or(0))
    }

    /// Announces that the entry of this number, which does not exist yet, may give objects up.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn announce(&self, sequence: u64) -> Result<(), Error> {
        self.inner.create(&announcement(sequence), &mut io::empty()).map(drop)
    }

    /// What was given up and is still there, by its names in the store below.
    ///
    /// # Errors
    /// It cannot be listed.
    pub fn leftovers(&self) -> Result<Vec<Listed>, Error> {
        let listed = self.inner.list(OBJECTS)?;
        self.refresh()?;
        let known = self.known();
        let is_left = |one: &Listed| parts(&one.path).is_some_and(|(digest, generation)| generation < known.generation(digest));
        Ok(listed.into_iter().filter(is_left).collect())
    }

    /// Removes it; what went. Whoever may remove can do it at any time and any number of times.
    ///
    /// # Errors
    /// It cannot be listed or removed.
    pub fn sweep(&self) -> Result<Vec<Listed>, Error> {
        let leftovers = self.leftovers()?;
        leftovers.iter().try_for_each(|one| self.inner.remove(&one.path))?;
        Ok(leftovers)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn catch_up(&self) -> Result<(), Error> {
        if self.is_behind.load(Ordering::SeqCst) { self.refresh() } else { Ok(()) }
    }

    /// Looks for entries that give something up and were not looked at yet.
    fn refresh(&self) -> Result<(), Error> {
        // Before it is looked: what is read meanwhile counts for the next time.
        self.is_behind.store(false, Ordering::SeqCst);
        let looked = self.look();
        if looked.is_err() {
            self.is_behind.store(true, Ordering::SeqCst);
        }
        looked
    }

    fn look(&self) -> Result<(), Error> {
        for one in self.inner.list(ANNOUNCED)? {
            let Some(sequence) = announced(&one.path).filter(|sequence| !self.known().entries.contains(sequence)) else {
                continue;
            };
            let objects = match chain::entry(self.inner.as_ref(), &self.inner.place(), sequence) {
                Ok(placed) => match placed.entry.event {
                    Event::GiveUp { objects } => objects,
                    // Another writer had that number.
                    _ => Vec::new(),
                },
                // It has not come yet.
                Err(chain::Error::Store(Error::NotFound { .. })) => continue,
                Err(chain::Error::Store(error)) => return Err(error),
                Err(error) => {
                    let source = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
                    return Err(Error::Io { action: "read", path: one.path, source });
                }
            };
            let mut known = self.known();
            known.entries.insert(sequence);
            for digest in objects {
                let last = known.given_up.entry(digest).or_default();
                *last = sequence.max(*last);
            }
        }
        Ok(())
    }

    /// Reads by the name that a path has in the store below; an object that is not there, again once all that was given up is known.
    fn find<T>(&self, path: &str, read: impl Fn(&str) -> Result<T, Error>) -> Result<T, Error> {
        let Some(digest) = objects::digest_of(path) else {
            let found = read(path)?;
            self.note(path);
            return Ok(found);
        };
        let below = self.known().path(digest);
        match read(&below) {
            Err(error @ Error::NotFound { .. }) => {
                self.catch_up()?;
                let now = self.known().path(digest);
                if now == below { Err(error) } else { read(&now) }
            }
            other => other,
        }
    }

    fn note(&self, path: &str) {
        if path.starts_with(LOG) {
            self.is_behind.store(true, Ordering::SeqCst);
        }
    }
}

/// Where the entry of this number is announced.
#[must_use]
pub fn announcement(sequence: u64) -> String {
    format!("{ANNOUNCED}{sequence:010}")
}

fn announced(path: &str) -> Option<u64> {
    let sequence = path.strip_prefix(ANNOUNCED)?.parse().ok()?;
    (sequence > 0 && announcement(sequence) == path).then_some(sequence)
}

/// An object's digest and generation; `None`: it is the path of no object.
fn parts(path: &str) -> Option<(Sha256, u64)> {
    let (plain, generation) = match path.rsplit_once('.') {
        Some((plain, number)) => (plain, number.parse().ok().filter(|&one: &u64| one > 0 && number == one.to_string())?),
        None => (path, 0),
    };
    Some((objects::digest_of(plain)?, generation))
}

impl Store for Generations {
    fn place(&self) -> String {
        self.inner.place()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
        self.find(path, |below| self.inner.read(below, limit))
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + Send>, Error> {
        self.find(path, |below| self.inner.open(below))
    }

    fn create(&self, path: &str, content: &mut dyn Read) -> Result<Creation, Error> {
        let Some(digest) = objects::digest_of(path) else {
            let creation = self.inner.create(path, content)?;
            self.note(path);
            return Ok(creation);
        };
        self.catch_up()?;
        let below = self.known().path(digest);
        let creation = self.inner.create(&below, content)?;
        if creation == Creation::Exists {
            // It may be given up this moment: who does not find it then has to look.
            self.is_behind.store(true, Ordering::SeqCst);
        }
        Ok(creation)
    }

    /// Objects by the names without generation. What was given up is not there; what nobody can have put there keeps its name.
    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Error> {
        let listed = self.inner.list(prefix)?;
        if !prefix.starts_with(OBJECTS) {
            return Ok(listed);
        }
        // After it was listed: whatever made a name that is in the list is known then.
        self.refresh()?;
        let known = self.known();
        let shown = |one: Listed| match parts(&one.path) {
            Some((digest, generation)) if generation == known.generation(digest) => {
                Some(Listed { path: objects::path_of(digest), ..one })
            }
            Some((digest, generation)) if generation < known.generation(digest) => None,
            _ => Some(one),
        };
        let mut found: Vec<_> = listed.into_iter().filter_map(shown).collect();
        found.sort();
        Ok(found)
    }

    /// Of entries, without a look at each: there are as many as releases.
    fn paths(&self, prefix: &str) -> Result<Vec<String>, Error> {
        if prefix.starts_with(OBJECTS) {
            return Ok(self.list(prefix)?.into_iter().map(|listed| listed.path).collect());
        }
        self.inner.paths(prefix)
    }

    /// Of objects it would not tell what was given up.
    fn stamp(&self, prefix: &str) -> Option<Stamp> {
        if prefix.starts_with(OBJECTS) { None } else { self.inner.stamp(prefix) }
    }

    fn remove(&self, path: &str) -> Result<(), Error> {
        let Some(digest) = objects::digest_of(path) else { return self.inner.remove(path) };
        self.catch_up()?;
        let below = self.known().path(digest);
        self.inner.remove(&below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_a_generation() {
        let digest = Sha256::of(b"x");
        let path = format!("objects/2d/{digest}");
        assert_eq!(parts(&path), Some((digest, 0)));
        assert_eq!(parts(&format!("{path}.12")), Some((digest, 12)));
        for other in [
            format!("{path}.0"),
            format!("{path}.01"),
            format!("{path}.1.2"),
            format!("{path}."),
            format!("objects/aa/{digest}"),
            "objects/x".into(),
            "log/1".into(),
        ] {
            assert_eq!(parts(&other), None, "{other}");
        }
        assert_eq!(announced(&announcement(7)), Some(7));
        for other in ["given-up/7", "given-up/0000000000", "given-up/00000000x7", "log/0000000007"] {
            assert_eq!(announced(other), None, "{other}");
        }
    }
}
