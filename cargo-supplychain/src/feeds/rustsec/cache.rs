//! The parsed database in the cache: a header line, then one line a package, so that a run parses only the packages it has.
//! A file that is not as it was written is as good as none.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::advisory::{Advisory, AdvisoryDatabase, FeedInfo};
use crate::base::Sha256;

/// Raised whenever [`Advisory`] or the way of parsing changes.
const FORMAT: u32 = 1;
/// Older files than so many newest ones are removed.
const KEPT: usize = 8;

pub(super) struct Cache {
    folder: Utf8PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    info: FeedInfo,
    /// Number of lines that follow: a file cut short is recognised.
    packages: usize,
}

impl Cache {
    pub(super) fn new(cache_dir: &Utf8Path) -> Self {
        Self { folder: cache_dir.join("rustsec-parsed") }
    }

    fn path(&self, key: Sha256) -> Utf8PathBuf {
        self.folder.join(format!("{key}.jsonl"))
    }

    /// The database of this key, of the wanted packages only.
    pub(super) fn read(&self, key: Sha256, wanted: Option<&BTreeSet<String>>) -> Option<AdvisoryDatabase> {
        let text = std::fs::read_to_string(self.path(key)).ok()?;
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let header: Header = serde_json::from_str(lines.next()?).ok()?;
        let mut advisories = Vec::new();
        let mut count = 0;
        for line in lines {
            count += 1;
            let (package, rest) = line.split_once('\t')?;
            if wanted.is_none_or(|wanted| wanted.contains(package)) {
                advisories.extend(serde_json::from_str::<Vec<Advisory>>(rest).ok()?);
            }
        }
        let is_whole = header.format == FORMAT && header.packages == count;
        is_whole.then_some(AdvisoryDatabase { info: header.info, advisories })
    }

    /// Keeps the database, whole or not at all. That it cannot be kept makes the next run slower, nothing else.
    pub(super) fn write(&self, key: Sha256, database: &AdvisoryDatabase) {
        if self.try_write(key, database).is_some() {
            self.prune();
        }
    }

    fn try_write(&self, key: Sha256, database: &AdvisoryDatabase) -> Option<()> {
        let packages: Vec<_> = database.advisories.chunk_by(|a, b| a.package == b.package).collect();
        let header = Header { format: FORMAT, info: database.info.clone(), packages: packages.len() };
        let mut text = serde_json::to_string(&header).ok()?;
        text.push('\n');
        for advisories in packages {
            // A name with a tab or a newline would break the lines; no crate has one.
            let package = advisories.first().map(|advisory| &advisory.package).filter(|name| !name.contains(['\t', '\n']))?;
            text.push_str(&format!("{package}\t{}\n", serde_json::to_string(advisories).ok()?));
        }
        std::fs::create_dir_all(&self.folder).ok()?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).ok()?;
        file.write_all(text.as_bytes()).ok()?;
        file.persist(self.path(key)).ok()?;
        Some(())
    }

    fn prune(&self) {
        let Ok(entries) = self.folder.read_dir_utf8() else { return };
        let mut files: Vec<(SystemTime, Utf8PathBuf)> = entries
            .flatten()
            .filter(|entry| entry.path().extension() == Some("jsonl"))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path().to_owned())))
            .collect();
        files.sort();
        for (_, path) in files.iter().rev().skip(KEPT) {
            let _ = std::fs::remove_file(path);
        }
    }
}
