//! The chain of an archive's entries in its store: read and held against itself in one pass, and continued. An entry claims its number by being
//! created under it; whoever comes second reads what the first wrote and takes the next.

use std::fmt;
use std::thread;

use super::objects::OBJECTS;
use super::store::{self, Creation, Store};
use crate::archived::{Entry, Event, FORMAT_VERSION, Head, State};
use crate::base::{Sha256, Timestamp};

/// All entries are below it.
pub const LOG: &str = "log/";
/// Largest entry: one that prunes a hundred thousand releases is smaller.
const MAX_ENTRY_BYTES: u64 = 4 * 1024 * 1024;
/// As many are read at once; a store at a distance answers slowly, not seldom.
const READERS: usize = 16;
/// Fewer entries than this are read one after the other.
const WORTH_READERS: usize = 64;
/// How often another writer may be faster in a row.
const MAX_TRIES: usize = 10_000;

/// Why the chain was not read or continued.
#[derive(Debug)]
pub enum Error {
    Store(store::Error),
    /// Entries are missing, changed, or contradict each other (`archive/corrupt`, exit 3).
    Corrupt {
        place: String,
        why: String,
    },
    /// It is not a continuation of what was there before (`archive/rollback`, exit 1).
    Rollback {
        place: String,
        expected: Head,
        why: String,
    },
    /// There is no archive.
    Absent {
        place: String,
    },
    /// Other writers were always faster.
    Busy {
        place: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Corrupt { place, why } => write!(f, "the archive {place} is damaged: {why}"),
            Self::Rollback { place, expected, why } => {
                write!(f, "the archive {place} does not continue the one with the head {expected}: {why}")
            }
            Self::Absent { place } => write!(f, "there is no archive in {place}"),
            Self::Busy { place } => write!(f, "others write to the archive {place} all the time: no entry could be added"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Corrupt { .. } | Self::Rollback { .. } | Self::Absent { .. } | Self::Busy { .. } => None,
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// An entry and the digest of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    pub entry: Entry,
    pub sha256: Sha256,
}

impl Placed {
    /// Its place in the chain.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { sequence: self.entry.sequence, sha256: self.sha256 }
    }
}

/// The entries of an archive from the first to the last, found to be a chain.
#[derive(Debug, Clone)]
pub struct Chain {
    place: String,
    entries: Vec<Placed>,
    state: State,
}

/// Where the entry of this number is.
#[must_use]
pub fn path_of(sequence: u64) -> String {
    format!("{LOG}{sequence:010}.json")
}

/// The number of an entry that a path names; `None`: no entry has such a path.
#[must_use]
pub fn sequence_of(path: &str) -> Option<u64> {
    let digits = path.strip_prefix(LOG)?.strip_suffix(".json")?;
    // As `path_of` writes it: ten digits, and more only where ten are not enough.
    let is_form = digits.len() == 10 || (digits.len() > 10 && !digits.starts_with('0'));
    let is_form = is_form && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_form.then(|| digits.parse().ok())?.filter(|sequence| *sequence > 0)
}

/// The numbers of the entries that are there, sorted.
///
/// # Errors
/// It cannot be read, or something else is there.
pub fn sequences(store: &dyn Store, place: &str) -> Result<Vec<u64>, Error> {
    let sequence = |path: String| {
        sequence_of(&path).ok_or_else(|| Error::Corrupt { place: place.to_owned(), why: format!("{path:?} is no entry") })
    };
    let mut found = store.paths(LOG)?.into_iter().map(sequence).collect::<Result<Vec<_>, _>>()?;
    found.sort_unstable();
    Ok(found)
}

impl Chain {
    /// Reads the whole chain.
    ///
    /// # Errors
    /// [`Error::Absent`]; it is no chain, or cannot be read.
    pub fn open(store: &dyn Store) -> Result<Self, Error> {
        match Self::open_if_any(store)? {
            Some(chain) => Ok(chain),
            None => Err(Error::Absent { place: store.place() }),
        }
    }

    /// Reads the chain, or begins one where there is none. `nonce` makes a new archive's identity its own.
    ///
    /// # Errors
    /// As [`Chain::open`]; it cannot be written.
    pub fn open_or_begin(store: &dyn Store, now: Timestamp, nonce: &str) -> Result<Self, Error> {
        if let Some(chain) = Self::open_if_any(store)? {
            return Ok(chain);
        }
        let mut chain = Self { place: store.place(), entries: Vec::new(), state: State::default() };
        if !chain.try_append(store, now, Event::Begin { nonce: nonce.to_owned() })? {
            // Another began it.
            return Self::open(store);
        }
        Ok(chain)
    }

    fn open_if_any(store: &dyn Store) -> Result<Option<Self>, Error> {
        let place = store.place();
        let sequences = sequences(store, &place)?;
        let mut chain = Self { place, entries: Vec::with_capacity(sequences.len()), state: State::default() };
        let mut last = 0;
        for sequence in sequences {
            if sequence != last + 1 {
                return Err(chain.corrupt(format!("entry {} is missing", last + 1)));
            }
            last = sequence;
        }
        if last == 0 {
            if store.list(OBJECTS)?.is_empty() {
                return Ok(None);
            }
            return Err(chain.corrupt("all its entries are missing, and objects are there".to_owned()));
        }
        chain.read(store, last)?;
        Ok(Some(chain))
    }

    fn corrupt(&self, why: String) -> Error {
        Error::Corrupt { place: self.place.clone(), why }
    }

    /// Reads the entries up to this one. Bytes come from several readers, the chain is held against itself in order.
    fn read(&mut self, store: &dyn Store, last: u64) -> Result<(), Error> {
        let numbers: Vec<u64> = (self.state.last() + 1..=last).collect();
        let readers = if numbers.len() < WORTH_READERS { 1 } else { READERS };
        let each = numbers.len().div_ceil(readers).max(1);
        let place = &self.place;
        let parts: Vec<Result<Vec<Placed>, Error>> = thread::scope(|scope| {
            let read = |part: &[u64]| part.iter().map(|&number| entry(store, place, number)).collect();
            let running: Vec<_> = numbers.chunks(each).map(|part| scope.spawn(move || read(part))).collect();
            let ended = |_| Err(Error::Corrupt { place: place.clone(), why: "a reader of its entries ended early".to_owned() });
            running.into_iter().map(|one| one.join().unwrap_or_else(ended)).collect()
        });
        for part in parts {
            for placed in part? {
                self.push(placed)?;
            }
        }
        Ok(())
    }

    fn push(&mut self, placed: Placed) -> Result<(), Error> {
        let sequence = placed.entry.sequence;
        if placed.entry.previous != self.entries.last().map(|last| last.sha256) {
            return Err(
                self.corrupt(format!("entry {sequence} does not follow the one before it: one of the two is not what it was"))
            );
        }
        self.state.apply(&placed.entry).map_err(|why| self.corrupt(format!("entry {sequence}: {why}")))?;
        self.entries.push(placed);
        Ok(())
    }

    /// Reads what others added since.
    ///
    /// # Errors
    /// It does not continue this chain, or cannot be read.
    pub fn refresh(&mut self, store: &dyn Store) -> Result<(), Error> {
        loop {
            let next = self.state.last() + 1;
            match entry(store, &self.place, next) {
                Ok(placed) => self.push(placed)?,
                Err(Error::Store(store::Error::NotFound { .. })) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Adds an entry, whatever others add at the same time; its place.
    ///
    /// # Errors
    /// The event contradicts the chain, or it cannot be written.
    pub fn append(&mut self, store: &dyn Store, now: Timestamp, event: &Event) -> Result<Head, Error> {
        let added = self.append_if(store, now, |_| Ok::<_, Error>(Some(event.clone())))?;
        Ok(added.unwrap_or_else(|| self.head()))
    }

    /// Adds the entry that `decide` makes of the chain as it stands, and asks again each time that another writer was faster; the place of the
    /// new entry, or `None` where `decide` wanted none.
    ///
    /// # Errors
    /// Those of `decide`; the event contradicts the chain, or it cannot be written.
    pub fn append_if<E: From<Error>>(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
        mut decide: impl FnMut(&Self) -> Result<Option<Event>, E>,
    ) -> Result<Option<Head>, E> {
        for _ in 0..MAX_TRIES {
            let Some(event) = decide(self)? else { return Ok(None) };
            if self.try_append(store, now, event)? {
                return Ok(Some(self.head()));
            }
            self.refresh(store)?;
        }
        Err(Error::Busy { place: self.place.clone() }.into())
    }

    fn try_append(&mut self, store: &dyn Store, now: Timestamp, event: Event) -> Result<bool, Error> {
        let entry = Entry {
            format_version: FORMAT_VERSION,
            sequence: self.state.last() + 1,
            previous: self.entries.last().map(|last| last.sha256),
            time: now,
            event,
        };
        // Before it is written: nothing takes an entry back.
        self.state.check(&entry).map_err(|why| self.corrupt(format!("entry {}: {why}", entry.sequence)))?;
        let bytes = entry.to_bytes();
        match store.create(&path_of(entry.sequence), &mut bytes.as_slice())? {
            Creation::Exists => Ok(false),
            Creation::Created => {
                self.push(Placed { entry, sha256: Sha256::of(&bytes) })?;
                Ok(true)
            }
        }
    }

    /// That the chain goes on from a head that was kept elsewhere.
    ///
    /// # Errors
    /// [`Error::Rollback`].
    pub fn expect_head(&self, expected: Head) -> Result<(), Error> {
        let why = match self.get(expected.sequence) {
            Some(placed) if placed.sha256 == expected.sha256 => return Ok(()),
            Some(placed) => format!("its entry {} is {}", expected.sequence, placed.head()),
            None => format!("it ends with {}", self.head()),
        };
        Err(Error::Rollback { place: self.place.clone(), expected, why })
    }

    /// The last entry's place.
    #[must_use]
    pub fn head(&self) -> Head {
        // There is no value of this type without an entry but in `open_or_begin`, which does not give it away.
        self.entries.last().map_or(Head { sequence: 0, sha256: Sha256::of(b"") }, Placed::head)
    }

    /// The archive's identity: the digest of its first entry.
    #[must_use]
    pub fn id(&self) -> Sha256 {
        self.entries.first().map_or(Sha256::of(b""), |first| first.sha256)
    }

    /// All entries, from the first.
    #[must_use]
    pub fn entries(&self) -> &[Placed] {
        &self.entries
    }

    /// The entry of a number.
    #[must_use]
    pub fn get(&self, sequence: u64) -> Option<&Placed> {
        self.entries.get(usize::try_from(sequence.checked_sub(1)?).ok()?)
    }

    /// What the entries say together.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// For messages.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }
}

/// The entry of a number, not held against those before it.
pub(super) fn entry(store: &dyn Store, place: &str, sequence: u64) -> Result<Placed, Error> {
    let corrupt = |why: String| Error::Corrupt { place: place.to_owned(), why: format!("entry {sequence}: {why}") };
    let bytes = match store.read(&path_of(sequence), MAX_ENTRY_BYTES) {
        Err(store::Error::TooLarge { limit, .. }) => return Err(corrupt(format!("it is larger than {limit} bytes"))),
        other => other?,
    };
    let entry = Entry::from_bytes(&bytes).map_err(corrupt)?;
    if entry.sequence != sequence {
        return Err(corrupt(format!("it says that it is entry {}", entry.sequence)));
    }
    Ok(Placed { entry, sha256: Sha256::of(&bytes) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Access, Local};
    use camino::{Utf8Path, Utf8PathBuf};

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("store")).unwrap();
        (folder, path)
    }

    fn store(folder: &Utf8Path) -> Local {
        Local::open(folder, Access::Write, &mut || ()).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-29T00:00:00Z".parse().unwrap()
    }

    fn release(version: &str) -> Event {
        Event::Release { name: "tool".into(), version: version.into(), target: "t".into(), record: Sha256::of(version) }
    }

    fn filled(store: &dyn Store, count: usize) -> Chain {
        let mut chain = Chain::open_or_begin(store, now(), "n").unwrap();
        for number in 0..count {
            chain.append(store, now(), &release(&number.to_string())).unwrap();
        }
        chain
    }

    #[test]
    fn a_chain_is_read_as_it_was_written() {
        let (_guard, folder) = folder();
        let store = store(&folder);
        assert!(matches!(Chain::open(&store), Err(Error::Absent { .. })));
        let chain = filled(&store, 200);
        let again = Chain::open(&store).unwrap();
        assert_eq!((again.entries(), again.head(), again.id()), (chain.entries(), chain.head(), chain.entries()[0].sha256));
        assert_eq!(again.head().sequence, 201);
        assert_eq!(again.get(1), chain.entries().first());
        assert_eq!((again.get(0), again.get(202)), (None, None));
        for placed in chain.entries() {
            again.expect_head(placed.head()).unwrap();
        }
        assert_eq!(Chain::open_or_begin(&store, now(), "other").unwrap().id(), chain.id());
    }

    #[test]
    fn several_writers_each_get_their_number() {
        let (_guard, folder) = folder();
        thread::scope(|scope| {
            for writer in 0..8 {
                let folder = &folder;
                scope.spawn(move || {
                    let store = store(folder);
                    let mut chain = Chain::open_or_begin(&store, now(), &format!("n{writer}")).unwrap();
                    for number in 0..10 {
                        chain.append(&store, now(), &release(&format!("{writer}.{number}"))).unwrap();
                    }
                });
            }
        });
        let chain = Chain::open(&store(&folder)).unwrap();
        assert_eq!((chain.head().sequence, chain.state().kept_releases().count()), (81, 80));
    }

    #[test]
    fn whoever_comes_second_decides_again() {
        let (_guard, folder) = folder();
        let store = store(&folder);
        let mut first = filled(&store, 0);
        let mut second = Chain::open(&store).unwrap();
        first.append(&store, now(), &release("1")).unwrap();
        let mut seen = Vec::new();
        let added = second.append_if(&store, now(), |chain| {
            seen.push(chain.head().sequence);
            Ok::<_, Error>((chain.state().kept_releases().count() == 0).then(|| release("1")))
        });
        assert_eq!((added.unwrap(), seen), (None, vec![1, 2]));
        assert!(second.append(&store, now(), &release("1")).is_err());
        assert_eq!(Chain::open(&store).unwrap().head(), first.head(), "what contradicts is not written");
    }

    #[test]
    fn what_was_taken_out_or_changed_is_seen() {
        let (guard, folder) = folder();
        let head = filled(&store(&folder), 5).head();
        let path = |sequence: u64| folder.join(path_of(sequence));
        let broken = |change: &dyn Fn(), undo: &dyn Fn()| {
            change();
            let error = Chain::open(&store(&folder)).unwrap_err();
            undo();
            assert!(matches!(error, Error::Corrupt { .. }), "{error}");
            error.to_string().replace(guard.path().to_str().unwrap(), "")
        };
        let move_to = |from: Utf8PathBuf, to: Utf8PathBuf| move || std::fs::rename(&from, &to).unwrap();
        let aside = folder.join("aside");
        let gap = broken(&move_to(path(3), aside.clone()), &move_to(aside.clone(), path(3)));
        insta::assert_snapshot!(gap, @"the archive /store is damaged: entry 3 is missing");
        let first = broken(&move_to(path(1), aside.clone()), &move_to(aside.clone(), path(1)));
        insta::assert_snapshot!(first, @"the archive /store is damaged: entry 1 is missing");
        let odd = broken(&move_to(path(6), folder.join("log/x")), &move_to(folder.join("log/x"), path(6)));
        insta::assert_snapshot!(odd, @r#"the archive /store is damaged: "log/x" is no entry"#);
        let bytes = std::fs::read(path(3)).unwrap();
        let write = |bytes: Vec<u8>| {
            let path = path(3);
            move || {
                std::fs::remove_file(&path).unwrap();
                std::fs::write(&path, &bytes).unwrap();
            }
        };
        let other = String::from_utf8(bytes.clone()).unwrap().replace("2026-11-29", "2026-11-28").into_bytes();
        let damaged = broken(&write(other), &write(bytes.clone()));
        insta::assert_snapshot!(damaged, @"the archive /store is damaged: entry 3: it does not have the digest that it ends with");
        let other = Entry { time: "2026-11-28T00:00:00Z".parse().unwrap(), ..Entry::from_bytes(&bytes).unwrap() };
        let changed = broken(&write(other.to_bytes()), &write(bytes));
        insta::assert_snapshot!(changed, @"the archive /store is damaged: entry 4 does not follow the one before it: one of the two is not what it was");
        // The end of the chain can be cut off without a trace, but not for whoever kept a head.
        std::fs::remove_file(path(6)).unwrap();
        let chain = Chain::open(&store(&folder)).unwrap();
        assert!(matches!(chain.expect_head(head), Err(Error::Rollback { .. })));
        filled(&store(&folder), 0).append(&store(&folder), now(), &release("other")).unwrap();
        let error = Chain::open(&store(&folder)).unwrap().expect_head(head).unwrap_err();
        assert!(error.to_string().contains("its entry 6 is 6@sha256:"), "{error}");
        std::fs::remove_dir_all(folder.join("log")).unwrap();
        assert!(matches!(Chain::open(&store(&folder)), Err(Error::Absent { .. })));
        super::super::objects::put(&store(&folder), b"x").unwrap();
        assert!(matches!(Chain::open_or_begin(&store(&folder), now(), "n"), Err(Error::Corrupt { .. })));
    }

    #[test]
    fn paths_name_entries() {
        assert_eq!(path_of(42), "log/0000000042.json");
        assert_eq!(path_of(12_345_678_901), "log/12345678901.json");
        assert_eq!(sequence_of("log/0000000042.json"), Some(42));
        for path in ["log/42.json", "log/0000000000.json", "log/x", "42", "log/0000000042.json2", "log/+000000042.json"] {
            assert_eq!(sequence_of(path), None, "{path}");
        }
    }
}
