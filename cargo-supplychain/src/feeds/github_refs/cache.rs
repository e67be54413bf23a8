//! Commits that were proved to belong to their repository: that stays so, and is kept for ever. Nothing else is kept: what could not be
//! proved is asked for again.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::base::Sha256;
use crate::files;
use crate::model::action_commit::ActionCommit;

/// Raised whenever what counts as a proof changes.
const FORMAT: u32 = 1;
/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 4096;

/// Of one server.
pub(super) struct Cache {
    folder: Utf8PathBuf,
}

#[derive(Serialize, Deserialize, PartialEq, Eq)]
struct Entry {
    format: u32,
    repository: String,
    commit: String,
}

impl Cache {
    pub(super) fn new(cache_dir: &Utf8Path, server: &str) -> Self {
        let server = Sha256::of(server).to_string();
        Self { folder: cache_dir.join("github-refs").join(&server[..16]) }
    }

    fn entry(&self, commit: &ActionCommit) -> (Utf8PathBuf, Entry) {
        let entry = Entry { format: FORMAT, repository: commit.repository(), commit: commit.commit().to_owned() };
        let name = Sha256::of(format!("{}@{}", entry.repository, entry.commit)).to_string();
        (self.folder.join(format!("{}.json", &name[..32])), entry)
    }

    pub(super) fn is_proved(&self, commit: &ActionCommit) -> bool {
        let (path, expected) = self.entry(commit);
        let bytes = files::read(&path, MAX_FILE).ok();
        bytes.and_then(|bytes| serde_json::from_slice::<Entry>(&bytes).ok()).is_some_and(|entry| entry == expected)
    }

    /// That it cannot be kept costs requests, nothing else.
    pub(super) fn keep(&self, commit: &ActionCommit) {
        let (path, entry) = self.entry(commit);
        if let Ok(bytes) = serde_json::to_vec(&entry) {
            let _ = files::write(&path, &bytes);
        }
    }
}
