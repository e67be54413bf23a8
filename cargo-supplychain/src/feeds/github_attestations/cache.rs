//! What the API said before, for `--offline`: the bundles of a file as they came. They are judged again each time, so that nothing has to be
//! believed of the cache.

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{Fetched, MAX_BUNDLES, MAX_BYTES};
use crate::base::{Sha256, Timestamp};
use crate::files;

/// Raised whenever [`Entry`] changes.
const FORMAT: u32 = 1;
/// Bundles as text in JSON take more than themselves.
const MAX_ENTRY: u64 = 2 * MAX_BYTES as u64;

/// The answers of one API about one repository.
pub(super) struct Cache {
    folder: Utf8PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    format: u32,
    asked: Timestamp,
    has_more: bool,
    bundles: Vec<String>,
}

impl Cache {
    pub(super) fn new(cache_dir: &Utf8Path, api: &str, repository: &str) -> Self {
        // Hosts do not tell upper from lower case in names.
        let place = Sha256::of(format!("{api} {}", repository.to_ascii_lowercase())).to_string();
        Self { folder: cache_dir.join("attestations").join(&place[..16]) }
    }

    fn path(&self, digest: Sha256) -> Utf8PathBuf {
        self.folder.join(format!("{digest}.json"))
    }

    pub(super) fn read(&self, digest: Sha256, server: &str) -> Option<Fetched> {
        let bytes = files::read(&self.path(digest), MAX_ENTRY).ok()?;
        let entry: Entry = serde_json::from_slice(&bytes).ok()?;
        if entry.format != FORMAT || entry.bundles.len() > MAX_BUNDLES {
            return None;
        }
        let each = entry.bundles.into_iter().enumerate();
        let bundles = each.map(|(index, text)| (format!("{server}#{}", index + 1), text.into_bytes())).collect();
        Some(Fetched { from: server.to_owned(), asked: entry.asked, bundles, has_more: entry.has_more })
    }

    /// That it cannot be kept costs a request, nothing else.
    pub(super) fn write(&self, digest: Sha256, fetched: &Fetched) {
        let bundles: Option<Vec<_>> = fetched.bundles.iter().map(|(_, bytes)| String::from_utf8(bytes.clone()).ok()).collect();
        let Some(bundles) = bundles else { return };
        let entry = Entry { format: FORMAT, asked: fetched.asked, has_more: fetched.has_more, bundles };
        if let Ok(bytes) = serde_json::to_vec(&entry) {
            let _ = files::write(&self.path(digest), &bytes);
        }
    }
}
