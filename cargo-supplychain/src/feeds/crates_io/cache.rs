//! What the API said before. Versions are kept while the crate's index entry is the same: whatever is published or yanked changes it.
//! Owners change without a trace in the index, so they are kept for a day.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use tame_index::KrateName;

use super::{MAX_ANSWER, Wanted};
use crate::base::{Sha256, Timestamp};
use crate::files;
use crate::model::registry::CrateRecord;

/// Raised whenever [`CrateRecord`] or what is read into it changes.
const FORMAT: u32 = 1;
/// How long owners count, in seconds.
const OWNERS_KEPT: i64 = 24 * 60 * 60;

/// The answers of one API.
pub(super) struct Cache {
    folder: Utf8PathBuf,
    now: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    format: u32,
    name: String,
    /// Digest of the index entry at the time.
    entry: Option<Sha256>,
    asked: Timestamp,
    record: CrateRecord,
}

/// What is known from before.
pub(super) enum Known {
    /// All of it counts.
    Whole(CrateRecord),
    /// Versions count, owners (and whether only trusted publishing is accepted) have to be asked for again.
    Versions(CrateRecord),
    Nothing,
}

impl Cache {
    pub(super) fn new(cache_dir: &Utf8Path, api: &str, now: Timestamp) -> Self {
        let api = Sha256::of(api).to_string();
        Self { folder: cache_dir.join("registry-api").join(&api[..16]), now }
    }

    fn path(&self, name: &str) -> Option<Utf8PathBuf> {
        let relative = KrateName::crates_io(name).ok()?.relative_path(None);
        Some(self.folder.join(format!("{relative}.json")))
    }

    pub(super) fn read(&self, name: &str, wanted: &Wanted) -> Known {
        let Some(entry) = self.entry(name) else { return Known::Nothing };
        let age = self.now.unix() - entry.asked.unix();
        let is_recent = (0..OWNERS_KEPT).contains(&age);
        let is_same = entry.entry.is_some() && entry.entry == wanted.entry;
        // A version that was published after the answer, while cargo's copy of the index is as old as that.
        let is_complete = wanted.versions.iter().all(|version| entry.record.versions.contains_key(version));
        match (is_recent, is_same, is_complete) {
            (true, true, true) => Known::Whole(entry.record),
            (true, false, true) if wanted.entry.is_none() => Known::Whole(entry.record),
            (false, true, true) => Known::Versions(entry.record),
            _ => Known::Nothing,
        }
    }

    fn entry(&self, name: &str) -> Option<Entry> {
        let bytes = files::read(&self.path(name)?, MAX_ANSWER).ok()?;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        (entry.format == FORMAT && entry.name == name).then_some(entry)
    }

    /// Keeps a whole record; one without owners is asked for again. That it cannot be kept costs requests, nothing else.
    pub(super) fn write(&self, name: &str, wanted: &Wanted, record: &CrateRecord) {
        if record.owners.is_none() {
            return;
        }
        let entry = Entry { format: FORMAT, name: name.to_owned(), entry: wanted.entry, asked: self.now, record: record.clone() };
        if let (Some(path), Ok(bytes)) = (self.path(name), serde_json::to_vec(&entry)) {
            let _ = files::write(&path, &bytes);
        }
    }
}
