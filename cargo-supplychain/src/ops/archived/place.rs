//! The archive in its store, as far as it is asked here: entries and objects are read, and one entry is appended.

use camino::Utf8Path;
use serde::Serialize;

use super::super::{Class, Error, Progress};
use crate::archive::chain::{self, LOG, path_of};
use crate::archive::index::{Source, Unread};
use crate::archive::{Access, Generations, Store, objects, store};
use crate::archived::{Entry, Event, FORMAT_VERSION, Head, to_bytes};
use crate::base::{Context, Sha256};
use crate::files::stamp::Stamp;

/// An entry of the chain is some hundred bytes; one that prunes many releases has twenty for each.
const MAX_ENTRY: u64 = 16 << 20;

/// An archive in its store.
pub(in crate::ops) struct Archive {
    store: Generations,
}

impl Archive {
    /// Opens the archive of `--archive`.
    pub(in crate::ops) fn open(
        context: &Context,
        given: Option<&str>,
        policy: Option<&Utf8Path>,
        access: Access,
        progress: &mut dyn Progress,
    ) -> Result<Self, Error> {
        let (store, ..) = super::super::archive::open_store(context, given, policy, access, progress)?;
        Ok(Self { store })
    }

    /// For messages.
    pub(in crate::ops) fn place(&self) -> String {
        self.store.place()
    }

    /// That the chain, which ends with `head`, goes on from a head that was kept elsewhere.
    pub(in crate::ops) fn expect_head(&self, expected: Head, head: Head) -> Result<(), Error> {
        let there = self.entry(expected.sequence).map_err(|error| Error::usage(&error))?.map(Sha256::of);
        if there == Some(expected.sha256) {
            return Ok(());
        }
        let why = match there {
            Some(sha256) => format!("its entry {} is {}", expected.sequence, Head { sha256, ..expected }),
            None => format!("it ends with {head}"),
        };
        Err(chain::Error::Rollback { place: self.place(), expected, why }.into())
    }

    /// Stores a document and appends the event that names it, somewhere after `after`, which is in the chain; where the chain is then.
    pub(in crate::ops) fn append<T: Serialize>(
        &self,
        context: &Context,
        after: Head,
        document: &T,
        event: impl FnOnce(Sha256) -> Event,
    ) -> Result<Head, Error> {
        let event = event(Sha256::of(to_bytes(document)));
        let (mut sequence, mut previous, mut stored) = (after.sequence + 1, Some(after.sha256), None);
        loop {
            // Whoever came first has the place: then ours is the next.
            if let Some(bytes) = self.entry(sequence).map_err(|error| Error::usage(&error))? {
                (sequence, previous) = (sequence + 1, Some(Sha256::of(bytes)));
                continue;
            }
            // It has to be in place under the name that the entries before leave it (`archive::generations`).
            let last = Some(self.store.last().map_err(|error| told(&objects::Error::Store(error)))?);
            if stored != last {
                objects::put_value(&self.store, document).map_err(|error| told(&error))?;
                stored = last;
            }
            let entry = Entry { format_version: FORMAT_VERSION, sequence, previous, time: context.now, event: event.clone() };
            let bytes = entry.to_bytes();
            let created = self.store.create(&path_of(sequence), &mut bytes.as_slice());
            if created.map_err(|error| told(&objects::Error::Store(error)))? == store::Creation::Created {
                return Ok(Head { sequence, sha256: Sha256::of(&bytes) });
            }
        }
    }
}

fn told(error: &objects::Error) -> Error {
    let class = match error {
        objects::Error::Store(error) if error.is_output() => Class::Output,
        objects::Error::Store(_) | objects::Error::Source(_) => Class::Usage,
        objects::Error::Corrupt { .. } | objects::Error::Changed { .. } => Class::Rejected,
    };
    Error::new(class, error)
}

impl Source for Archive {
    fn entry(&self, sequence: u64) -> Result<Option<Vec<u8>>, Unread> {
        match self.store.read(&path_of(sequence), MAX_ENTRY) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(Unread::Unreadable(error.to_string())),
        }
    }

    fn sequences(&self) -> Result<Vec<u64>, Unread> {
        chain::sequences(&self.store, &self.place()).map_err(|error| match error {
            chain::Error::Store(error) => Unread::Unreadable(error.to_string()),
            error => Unread::Corrupt(error.to_string()),
        })
    }

    fn stamp(&self) -> Option<Stamp> {
        self.store.stamp(LOG)
    }

    fn object(&self, digest: Sha256, limit: u64) -> Result<Vec<u8>, Unread> {
        objects::get(&self.store, digest, limit).map_err(|error| match error {
            objects::Error::Corrupt { .. } => Unread::Corrupt(error.to_string()),
            error => Unread::Unreadable(error.to_string()),
        })
    }
}
