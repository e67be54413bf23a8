//! What is kept of a repository: the files that were verified, in one file of ours that is written whole. It is verified again whenever it is
//! read, so that whoever writes to the cache can make us forget, and nothing else.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use sigstore_tuf::MetadataStore;

use crate::base::Sha256;
use crate::files;

/// Raised whenever the form changes; another one is as good as none.
const FORMAT: u32 = 1;
/// Larger than anything that is written: a state has two copies of two targets and their metadata.
const MAX_BYTES: u64 = 32 << 20;

/// The files of a repository by name, at two times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    format: u32,
    /// As of the last renewal that succeeded.
    pub complete: BTreeMap<String, String>,
    /// What was verified last, of a renewal that failed half-way too: versions never go below these.
    pub latest: BTreeMap<String, String>,
}

impl State {
    /// The state in a file; an empty one where there is none that can be read.
    #[must_use]
    pub fn read(path: &Utf8Path) -> Self {
        files::read(path, MAX_BYTES).map(|bytes| Self::parse(&bytes)).unwrap_or_default()
    }

    /// The state in these bytes; an empty one where they are none.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).ok().filter(|state: &Self| state.format == FORMAT).unwrap_or_default()
    }

    pub(super) fn write(&mut self, path: &Utf8Path) -> std::io::Result<()> {
        self.format = FORMAT;
        files::write(path, &serde_json::to_vec(self)?)
    }
}

/// Where the state of the repository at this URL lies.
pub(super) fn path(cache_dir: &Utf8Path, url: &str) -> Utf8PathBuf {
    let name = Sha256::of(url.trim_end_matches('/')).to_string();
    cache_dir.join("trust-roots").join(format!("{}.json", &name[..16]))
}

/// The library's store, in memory: files by name, all of them text.
pub(super) struct Memory(Mutex<BTreeMap<String, String>>);

impl Memory {
    pub(super) fn new(files: BTreeMap<String, String>) -> Self {
        Self(Mutex::new(files))
    }

    pub(super) fn files(&self) -> BTreeMap<String, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl MetadataStore for Memory {
    fn load(&self, name: &str) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(files.get(name).map(|text| text.clone().into_bytes()))
    }

    fn store(&self, name: &str, bytes: &[u8]) -> sigstore_tuf::Result<()> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // What was verified is JSON, so text. A snapshot is kept under its versioned name as well, of which one is enough.
        if name.ends_with(".snapshot.json") {
            files.retain(|other, _| !other.ends_with(".snapshot.json"));
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            files.insert(name.to_owned(), text.to_owned());
        }
        Ok(())
    }
}
