//! What was found in `.crate` files before, by their digest: one file in the cache folder. The same bytes can always do the same, so it
//! never grows stale; but it is not read in CI, where a cache restored from elsewhere could speak for a package.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::base::{Context, Sha256};
use crate::files;
use crate::model::capability::Capabilities;
use crate::model::capability::scan::REVISION;

/// The largest such file.
const LIMIT: u64 = 64 << 20;
/// So many packages are kept; then it begins anew with those that are asked for.
const KEPT: usize = 4000;

type Known = BTreeMap<String, Result<Capabilities, String>>;

#[derive(Serialize, Deserialize, Default)]
struct File {
    /// Of the scanner that found it.
    scanner: u32,
    crates: Known,
}

pub(super) struct Memory {
    /// `None`: nothing is remembered.
    path: Option<Utf8PathBuf>,
    known: Known,
    has_changed: bool,
}

impl Memory {
    pub(super) fn open(context: &Context) -> Self {
        if context.in_ci() {
            return Self { path: None, known: Known::new(), has_changed: false };
        }
        let path = context.cache_dir.join("capabilities.json");
        let bytes = files::read(&path, LIMIT).ok();
        let file = bytes.and_then(|bytes| serde_json::from_slice::<File>(&bytes).ok()).filter(|file| file.scanner == REVISION);
        Self { path: Some(path), known: file.unwrap_or_default().crates, has_changed: false }
    }

    pub(super) fn recall(&self, checksum: Sha256) -> Option<Result<Capabilities, String>> {
        self.known.get(&checksum.to_string()).cloned()
    }

    pub(super) fn keep(&mut self, checksum: Sha256, found: &Result<Capabilities, String>) {
        if self.known.len() >= KEPT {
            self.known.clear();
        }
        self.known.insert(checksum.to_string(), found.clone());
        self.has_changed = true;
    }

    /// A cache that cannot be written costs time only.
    pub(super) fn close(self) {
        let Some(path) = self.path.filter(|_| self.has_changed) else { return };
        if let Ok(bytes) = serde_json::to_vec(&File { scanner: REVISION, crates: self.known })
            && (bytes.len() as u64) < LIMIT
        {
            let _ = files::write(&path, &bytes);
        }
    }
}
