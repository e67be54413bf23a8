//! Bringing the index up to date: entries that came since are read, releases among them with their inventories, on as many threads as there
//! are, and written as a table of their own; tables of about the same size become one, so that there are few.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};

use camino::Utf8Path;

use super::{Bytes, Error, FORMAT, Index, Segment, Source, State, Unreadable, open_table, raw, read_entry, write_state};
use crate::archived::history::History;
use crate::archived::index::segment::{Builder, IndexedRelease, Interner, Prepared, merge};
use crate::archived::index::table::Table;
use crate::archived::{Entry, Event, Record, Rescan, inventory};
use crate::base::{Sha256, Timestamp};
use crate::files::stamp::Stamp;

/// So many releases are read at once.
const BATCH: usize = 256;
/// A table is written when so many components of releases wait for it: about half a gigabyte of memory.
const MAX_POSTINGS: usize = 8_000_000;
/// From so many on it is said that they are read.
const MANY: u64 = 200;
/// The largest record and outcome of a rescan that are read.
const MAX_DOCUMENT: u64 = 64 << 20;

/// The state of an archive of which only the first entry is known.
pub(super) fn begin(archive: Sha256, first: &[u8]) -> Result<State, Error> {
    let entry = read_entry(first, 1, None)?;
    if !matches!(entry.event, Event::Begin { .. }) {
        return Err(Error::Broken { sequence: 1, why: "it does not begin an archive".to_owned() });
    }
    Ok(State {
        format: FORMAT,
        archive,
        sequence: 1,
        sha256: archive,
        stamp: None,
        segments: Vec::new(),
        pruned: std::collections::BTreeSet::new(),
        pruned_in_tables: 0,
        history: raw(&History::default()),
        unreadable: BTreeMap::new(),
    })
}

/// Whether this entry is the last one; that no entry is there under the next number may mean that it was taken out.
fn is_end(source: &dyn Source, sequence: u64) -> Result<bool, Error> {
    let there = source.sequences()?;
    let last = there.last().copied().unwrap_or_default();
    let gap = (1..).zip(&there).find(|(number, there)| number != *there).map_or(last + 1, |(number, _)| number);
    if last == sequence && gap > last {
        return Ok(true);
    }
    // Where others append meanwhile the list may lack what they added before its last one.
    if gap <= last.max(sequence) && source.entry(gap)?.is_none() {
        return Err(Error::Broken { sequence: gap, why: "it is missing".to_owned() });
    }
    Ok(false)
}

/// A release that came in since.
struct New {
    sequence: u64,
    time: Timestamp,
    record: Sha256,
}

impl Index {
    /// Follows the chain to its end; how many releases were read.
    pub(super) fn follow(&mut self, source: &dyn Source, folder: &Utf8Path, on_many: &mut dyn FnMut(u64)) -> Result<u64, Error> {
        let before = self.what_may_change();
        let (mut new, mut history) = (self.retry(), None);
        let (mut sequence, mut previous) = (self.state.sequence, self.state.sha256);
        loop {
            while let Some(bytes) = source.entry(sequence + 1)? {
                sequence += 1;
                let entry = read_entry(&bytes, sequence, Some(previous))?;
                previous = Sha256::of(&bytes);
                self.note(source, &entry, &mut new, &mut history)?;
            }
            // Before they are listed: what changes meanwhile shows in the next one.
            let stamp = source.stamp();
            let is_as_before = stamp.is_some() && stamp == self.state.stamp && sequence == self.state.sequence;
            if is_as_before || is_end(source, sequence)? {
                self.state.stamp = stamp;
                break;
            }
        }
        (self.state.sequence, self.state.sha256) = (sequence, previous);
        if let Some(history) = history {
            self.state.history = raw(&history);
        }
        new.retain(|release| !self.state.pruned.contains(&release.sequence));
        let count = new.len() as u64;
        if count >= MANY {
            on_many(count);
        }
        self.read_releases(source, folder, &new)?;
        // The first run writes a state even where nothing came since the first entry: it says where the chain ends.
        if self.what_may_change() != before || sequence == 1 {
            write_state(folder, &self.state)?;
            self.remove_others(folder);
        }
        Ok(count)
    }

    /// What of the state can be another one after the chain was followed; the rest only is where an entry came.
    fn what_may_change(&self) -> (u64, Option<Stamp>, Vec<Segment>, BTreeMap<u64, Unreadable>) {
        let State { sequence, stamp, segments, unreadable, .. } = &self.state;
        (*sequence, *stamp, segments.clone(), unreadable.clone())
    }

    /// Releases whose inventory could not be read before are looked at again.
    fn retry(&mut self) -> Vec<New> {
        let unreadable = std::mem::take(&mut self.state.unreadable);
        unreadable.into_iter().map(|(sequence, Unreadable { time, record, .. })| New { sequence, time, record }).collect()
    }

    /// `history` is read with the first entry that adds to it.
    fn note(
        &mut self,
        source: &dyn Source,
        entry: &Entry,
        new: &mut Vec<New>,
        history: &mut Option<History>,
    ) -> Result<(), Error> {
        match &entry.event {
            Event::Release { record, .. } => new.push(New { sequence: entry.sequence, time: entry.time, record: *record }),
            Event::Prune { releases, .. } => self.prune(releases, new),
            Event::Rescan { outcome } => {
                let bytes = source.object(*outcome, MAX_DOCUMENT)?;
                let rescan: Rescan = crate::archived::from_bytes(&bytes).map_err(|why| Error::Broken {
                    sequence: entry.sequence,
                    why: format!("the outcome of its rescan: {why}"),
                })?;
                let read = match history.take() {
                    Some(history) => history,
                    None => self.state.history().map_err(|why| Error::Corrupt(why.to_string()))?,
                };
                history.insert(read).fold(entry.time, &rescan);
            }
            Event::Begin { .. } => {
                return Err(Error::Broken { sequence: entry.sequence, why: "it begins an archive that has begun".to_owned() });
            }
            Event::Hold { .. } | Event::Unhold { .. } | Event::GiveUp { .. } => {}
        }
        Ok(())
    }

    fn prune(&mut self, releases: &[u64], new: &[New]) {
        for release in releases {
            let is_new = new.iter().any(|one| one.sequence == *release);
            if self.state.pruned.insert(*release) && !is_new {
                self.state.pruned_in_tables += 1;
            }
        }
    }

    fn read_releases(&mut self, source: &dyn Source, folder: &Utf8Path, new: &[New]) -> Result<(), Error> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from).min(16);
        let (mut builder, interner) = (Builder::default(), Interner::default());
        for batch in new.chunks(BATCH) {
            let interner = &interner;
            let read = std::thread::scope(|scope| {
                let parts = batch.chunks(batch.len().div_ceil(threads));
                let workers: Vec<_> = parts
                    .map(|part| scope.spawn(move || part.iter().map(|one| read_release(source, interner, one)).collect()))
                    .collect();
                let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<_>>| worker.join().expect("a worker does not panic");
                workers.into_iter().flat_map(join).collect::<Vec<_>>()
            });
            for (release, read) in batch.iter().zip(read) {
                match read {
                    Ok(prepared) => builder.add(prepared),
                    Err(why) => {
                        let unreadable = Unreadable { time: release.time, record: release.record, why };
                        self.state.unreadable.insert(release.sequence, unreadable);
                    }
                }
            }
            if builder.postings() >= MAX_POSTINGS {
                self.add_table(folder, std::mem::take(&mut builder), interner)?;
            }
        }
        if builder.releases() > 0 { self.add_table(folder, builder, &interner) } else { Ok(()) }
    }

    fn add_table(&mut self, folder: &Utf8Path, builder: Builder, interner: &Interner) -> Result<(), Error> {
        let releases = builder.releases() as u64;
        let (table, segment) = write_table(folder, releases, |out| builder.write(interner, out).map(Ok))?;
        self.tables.push(table);
        self.state.segments.push(segment);
        while let [.., earlier, later] = self.state.segments.as_slice()
            && later.releases.saturating_mul(2) > earlier.releases
        {
            let releases = earlier.releases + later.releases;
            let [.., left, right] = self.tables.as_slice() else { break };
            let (table, segment) = write_table(folder, releases, |out| merge(left, right, out))?;
            for _ in 0..2 {
                self.tables.pop();
                self.state.segments.pop();
            }
            self.tables.push(table);
            self.state.segments.push(segment);
        }
        Ok(())
    }

    /// Removes tables that are part of no state any more. What cannot be removed now goes with the next run.
    fn remove_others(&self, folder: &Utf8Path) {
        let Ok(entries) = folder.read_dir_utf8() else { return };
        for path in entries.flatten().map(|entry| entry.path().to_owned()) {
            let is_listed = self.state.segments.iter().any(|segment| Some(segment.file.as_str()) == path.file_name());
            if path.extension() == Some(EXTENSION) && !is_listed {
                let _ = fs::remove_file(path);
            }
        }
    }
}

const EXTENSION: &str = "table";

type Out = BufWriter<tempfile::NamedTempFile>;

/// Writes a table under the digest of its bytes' end, which names all of it.
fn write_table(
    folder: &Utf8Path,
    releases: u64,
    write: impl FnOnce(Out) -> std::io::Result<Result<Out, crate::archived::index::Corrupt>>,
) -> Result<(Table<Bytes>, Segment), Error> {
    let failed = |source| Error::Cache { path: folder.to_owned(), source };
    let named = tempfile::Builder::new().suffix(&format!(".{EXTENSION}")).tempfile_in(folder).map_err(failed)?;
    let mut out = match write(BufWriter::with_capacity(1 << 20, named)).map_err(failed)? {
        Ok(out) => out,
        Err(why) => return Err(Error::Corrupt(why.to_string())),
    };
    out.flush().map_err(failed)?;
    let named = out.into_inner().map_err(|error| failed(error.into_error()))?;
    let bytes = named.as_file().metadata().map_err(failed)?.len();
    let path = named.into_temp_path();
    let file = format!("{}.{EXTENSION}", Sha256::of(tail(path.to_path_buf()).map_err(failed)?));
    path.persist(folder.join(&file)).map_err(|error| failed(error.error))?;
    let table = open_table(folder, &file).map_err(Error::Corrupt)?;
    Ok((table, Segment { file, releases, bytes }))
}

/// The last bytes of a table hold the digest of its list of blocks, which holds theirs.
fn tail(path: std::path::PathBuf) -> std::io::Result<Vec<u8>> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(48)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn read_release(source: &dyn Source, interner: &Interner, new: &New) -> Result<Prepared, String> {
    let bytes = source.object(new.record, MAX_DOCUMENT).map_err(|error| error.to_string())?;
    let record: Record = crate::archived::from_bytes(&bytes).map_err(|why| format!("its record: {why}"))?;
    let bytes = source.object(record.inventory, inventory::MAX_BYTES as u64).map_err(|error| error.to_string())?;
    let release = IndexedRelease {
        sequence: new.sequence,
        name: record.name.into(),
        version: record.version.into(),
        target: record.target.into(),
        archived: new.time,
        record: new.record,
        rustc: "".into(),
        artifacts: Vec::new(),
    };
    interner.prepare(release, &bytes).map_err(|why| format!("its inventory: {why}"))
}
