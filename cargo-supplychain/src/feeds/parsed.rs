//! The parsed form of a source in the cache: a header line, then one line a key in the order of keys, so that a run reads only the rows that it
//! asks for. A file that is not as it was written is as good as none. Knows nothing of what is in the rows.

use std::collections::BTreeMap;
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use crate::base::Sha256;
use crate::files;

/// Older files than so many newest ones are removed, a folder.
const KEPT: usize = 8;
/// The largest parsed form that is read, in bytes.
const MAX_BYTES: u64 = 512 << 20;

/// The folder of one kind of source.
pub(super) struct Room {
    folder: Utf8PathBuf,
    format: u32,
}

/// A header, and rows of JSON by key.
pub(super) struct Table {
    header: String,
    /// `KEY<TAB>JSON<LF>`, sorted, from `start` on.
    text: String,
    start: usize,
}

#[derive(Serialize, Deserialize)]
struct Frame<H> {
    format: u32,
    /// Bytes of the rows: a file cut short is recognised.
    length: usize,
    header: H,
}

impl Room {
    /// `format` is raised whenever the parser or what it makes changes.
    pub(super) fn new(cache_dir: &Utf8Path, kind: &str, format: u32) -> Self {
        Self { folder: cache_dir.join(format!("{kind}-parsed")), format }
    }

    fn path(&self, key: Sha256) -> Utf8PathBuf {
        self.folder.join(format!("{key}.rows"))
    }

    /// What was parsed from the source of this key.
    pub(super) fn read(&self, key: Sha256) -> Option<Table> {
        let text = files::read_text(&self.path(key), MAX_BYTES).ok()?;
        let (first, rows) = text.split_once('\n')?;
        let frame: Frame<&serde_json::value::RawValue> = serde_json::from_str(first).ok()?;
        let is_whole = frame.format == self.format && frame.length == rows.len() && (rows.is_empty() || rows.ends_with('\n'));
        let (header, start) = (frame.header.get().to_owned(), first.len() + 1);
        is_whole.then_some(Table { header, text, start })
    }

    /// Keeps it, whole or not at all. That it cannot be kept makes the next run slower, nothing else.
    pub(super) fn write(&self, key: Sha256, table: &Table) {
        let Ok(header) = serde_json::value::RawValue::from_string(table.header.clone()) else { return };
        let frame = Frame { format: self.format, length: table.rows().len(), header };
        let Ok(first) = serde_json::to_string(&frame) else { return };
        if files::write(&self.path(key), format!("{first}\n{}", table.rows()).as_bytes()).is_ok() {
            self.prune();
        }
    }

    fn prune(&self) {
        let Ok(entries) = self.folder.read_dir_utf8() else { return };
        let mut files: Vec<(SystemTime, Utf8PathBuf)> = entries
            .flatten()
            .filter(|entry| entry.path().extension() == Some("rows"))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path().to_owned())))
            .collect();
        files.sort();
        for (_, path) in files.iter().rev().skip(KEPT) {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Table {
    /// None: a key has a tab or a line break, or the header is none.
    pub(super) fn new<H: Serialize>(header: &H, rows: BTreeMap<String, String>) -> Option<Self> {
        let mut text = String::new();
        for (key, json) in rows {
            if key.contains(['\t', '\n']) || json.contains('\n') {
                return None;
            }
            text.push_str(&key);
            text.push('\t');
            text.push_str(&json);
            text.push('\n');
        }
        Some(Self { header: serde_json::to_string(header).ok()?, text, start: 0 })
    }

    pub(super) fn header<H: for<'d> Deserialize<'d>>(&self) -> Option<H> {
        serde_json::from_str(&self.header).ok()
    }

    fn rows(&self) -> &str {
        &self.text[self.start..]
    }

    /// The row of a key, by halving: a run asks for a hundred rows of a hundred thousand.
    pub(super) fn get<T: for<'d> Deserialize<'d>>(&self, key: &str) -> Option<T> {
        let bytes = self.rows().as_bytes();
        let (mut low, mut high) = (0, bytes.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let start = bytes[low..middle].iter().rposition(|byte| *byte == b'\n').map_or(low, |at| low + at + 1);
            let end = bytes[middle..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| middle + at);
            let line = &self.rows()[start..end];
            let (found, json) = line.split_once('\t')?;
            match found.cmp(key) {
                std::cmp::Ordering::Equal => return serde_json::from_str(json).ok(),
                std::cmp::Ordering::Less => low = end + 1,
                std::cmp::Ordering::Greater => high = start,
            }
        }
        None
    }

    /// All rows, in the order of keys; one that cannot be read is left out.
    pub(super) fn all<T: for<'d> Deserialize<'d>>(&self) -> Vec<T> {
        self.read(|_| true)
    }

    /// The rows that have this text in them, in upper or lower case; it is one that JSON writes as it is.
    pub(super) fn mentioning<T: for<'d> Deserialize<'d>>(&self, text: &str) -> Vec<T> {
        let wanted = text.to_ascii_lowercase();
        self.read(|row| row.to_ascii_lowercase().contains(&wanted))
    }

    fn read<T: for<'d> Deserialize<'d>>(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<T> {
        let rows = self.rows().lines().filter_map(|line| Some(line.split_once('\t')?.1));
        rows.filter(|row| is_wanted(row)).filter_map(|row| serde_json::from_str(row).ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_key_and_what_is_damaged_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::new(Utf8Path::from_path(folder.path()).unwrap(), "x", 7);
        let key = Sha256::of("key");
        for count in [0_u32, 1, 2, 3, 7, 1000] {
            let rows = (0..count).map(|one| (format!("k{:04}", one * 2), format!("[{one}]"))).collect();
            let table = Table::new(&"header", rows).unwrap();
            room.write(key, &table);
            let table = room.read(key).unwrap();
            assert_eq!(table.header::<String>().as_deref(), Some("header"));
            for one in 0..count {
                assert_eq!(table.get::<Vec<u32>>(&format!("k{:04}", one * 2)), Some(vec![one]));
                assert_eq!(table.get::<Vec<u32>>(&format!("k{:04}", one * 2 + 1)), None);
            }
            assert_eq!(table.all::<Vec<u32>>().len(), count as usize);
            assert_eq!(table.mentioning::<Vec<u32>>("[2]").len(), usize::from(count > 2));
            assert_eq!((table.get::<Vec<u32>>(""), table.get::<Vec<u32>>("z")), (None, None));
        }
        let path = room.path(key);
        let text = std::fs::read_to_string(&path).unwrap();
        for damaged in
            [text[..text.len() - 5].to_owned(), text.replace("\"format\":7", "\"format\":6"), String::new(), "{}\n".to_owned()]
        {
            std::fs::write(&path, damaged).unwrap();
            assert!(room.read(key).is_none());
        }
        assert!(Table::new(&"", BTreeMap::from([("a\tb".to_owned(), "1".to_owned())])).is_none());
    }
}
