//! The parsed form of a source in the cache: a header line, then one line a key in the order of keys, so that a run reads only the rows that it
//! asks for. A file that is not as it was written is as good as none. Knows nothing of what is in the rows.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
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

/// Larger files are read where they are asked about.
const MAX_WHOLE: u64 = 1 << 20;
/// The longest first line of such a file.
const MAX_HEADER: usize = 64 << 10;
/// As much is read of it at once; a row may be longer.
const BLOCK: u64 = 4 << 10;

/// A header, and rows of JSON by key: `KEY<TAB>JSON<LF>`, sorted.
pub(super) struct Table {
    header: String,
    rows: Rows,
}

enum Rows {
    Text(Lines),
    File(Stored),
}

/// Rows in memory.
struct Lines {
    text: String,
    /// Where each of them begins, and where the last one ends.
    bounds: Vec<usize>,
}

/// Rows in a file, from this byte on.
struct Stored {
    file: File,
    start: u64,
    length: u64,
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
        let file = files::open(&self.path(key)).ok()?;
        let size = file.metadata().ok()?.len();
        if size > MAX_BYTES {
            return None;
        }
        let is_whole = size <= MAX_WHOLE;
        let limit = if is_whole { MAX_WHOLE } else { MAX_HEADER as u64 };
        let mut text = Vec::with_capacity(usize::try_from(size.min(limit)).unwrap_or(0) + 1);
        (&file).take(limit).read_to_end(&mut text).ok()?;
        let end = text.iter().position(|byte| *byte == b'\n')?;
        let frame: Frame<&serde_json::value::RawValue> = serde_json::from_slice(&text[..end]).ok()?;
        let (header, start, length) = (frame.header.get().to_owned(), end + 1, frame.length as u64);
        if frame.format != self.format || size.checked_sub(start as u64) != Some(length) {
            return None;
        }
        let rows = match is_whole {
            true => Rows::Text(Lines::new(String::from_utf8(text).ok()?, start)?),
            false => Rows::File(Stored::new(file, start as u64, length)?),
        };
        Some(Table { header, rows })
    }

    /// Keeps it, whole or not at all. That it cannot be kept makes the next run slower, nothing else.
    pub(super) fn write(&self, key: Sha256, table: &Table) {
        let Ok(header) = serde_json::value::RawValue::from_string(table.header.clone()) else { return };
        let Some(rows) = table.whole() else { return };
        let frame = Frame { format: self.format, length: rows.len(), header };
        let Ok(first) = serde_json::to_string(&frame) else { return };
        if files::write(&self.path(key), format!("{first}\n{rows}").as_bytes()).is_ok() {
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
        Some(Self { header: serde_json::to_string(header).ok()?, rows: Rows::Text(Lines::new(text, 0)?) })
    }

    pub(super) fn header<H: for<'d> Deserialize<'d>>(&self) -> Option<H> {
        serde_json::from_str(&self.header).ok()
    }

    /// All rows as they are written.
    fn whole(&self) -> Option<Cow<'_, str>> {
        match &self.rows {
            Rows::Text(lines) => Some(Cow::Borrowed(&lines.text[*lines.bounds.first()?..])),
            Rows::File(stored) => String::from_utf8(stored.bytes(0, stored.length)?).ok().map(Cow::Owned),
        }
    }

    /// The row of a key, by halving: a run asks for a hundred rows of a hundred thousand.
    pub(super) fn get<T: for<'d> Deserialize<'d>>(&self, key: &str) -> Option<T> {
        match &self.rows {
            Rows::Text(lines) => serde_json::from_str(lines.get(key)?).ok(),
            Rows::File(stored) => serde_json::from_str(&stored.get(key)?).ok(),
        }
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
        let whole = self.whole().unwrap_or_default();
        let rows = whole.lines().filter_map(|line| Some(line.split_once('\t')?.1));
        rows.filter(|row| is_wanted(row)).filter_map(|row| serde_json::from_str(row).ok()).collect()
    }
}

impl Lines {
    /// None: the last row is cut short.
    fn new(text: String, start: usize) -> Option<Self> {
        let bounds: Vec<usize> =
            [start].into_iter().chain(text[start..].match_indices('\n').map(|(at, _)| start + at + 1)).collect();
        (bounds.last() == Some(&text.len())).then_some(Self { text, bounds })
    }

    fn get(&self, key: &str) -> Option<&str> {
        let row = |start: usize| self.text[start..].split_once('\t');
        let rows = &self.bounds[..self.bounds.len() - 1];
        let at = rows.partition_point(|start| row(*start).is_some_and(|(found, _)| found < key));
        let (found, rest) = row(*rows.get(at)?)?;
        (found == key).then(|| rest.split_once('\n').map_or(rest, |(json, _)| json))
    }
}

impl Stored {
    /// None: the last row is cut short, or cannot be read.
    fn new(file: File, start: u64, length: u64) -> Option<Self> {
        let stored = Self { file, start, length };
        let is_ended = length == 0 || stored.bytes(length - 1, 1)? == b"\n";
        is_ended.then_some(stored)
    }

    /// So many bytes of the rows.
    fn bytes(&self, from: u64, count: u64) -> Option<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(count).ok()?];
        let mut file = &self.file;
        file.seek(SeekFrom::Start(self.start + from)).ok()?;
        file.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    fn get(&self, key: &str) -> Option<String> {
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let (start, line) = self.line(low, low + (high - low) / 2, high)?;
            let (found, json) = line.split_once('\t')?;
            match found.cmp(key) {
                std::cmp::Ordering::Equal => return Some(json.to_owned()),
                std::cmp::Ordering::Less => low = start + line.len() as u64 + 1,
                std::cmp::Ordering::Greater => high = start,
            }
        }
        None
    }

    /// The line that has a byte, without its end, and where it begins. `low` and `high` are beginnings of lines.
    fn line(&self, low: u64, at: u64, high: u64) -> Option<(u64, String)> {
        let mut around = BLOCK;
        loop {
            let from = at.saturating_sub(around).max(low);
            let bytes = self.bytes(from, (at + around).min(high) - from)?;
            let middle = usize::try_from(at - from).ok()?;
            let before = bytes[..middle].iter().rposition(|byte| *byte == b'\n').map(|found| found + 1);
            let start = before.or_else(|| (from == low).then_some(0));
            let end = bytes[middle..].iter().position(|byte| *byte == b'\n').map(|found| middle + found);
            match (start, end) {
                (Some(start), Some(end)) => {
                    return Some((from + start as u64, String::from_utf8(bytes[start..end].to_vec()).ok()?));
                }
                _ if from == low && at + around >= high => return None,
                _ => around = around.saturating_mul(4),
            }
        }
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
        // Larger than what is read at once, with a row that is longer than a block.
        let wide = |one: u32| vec![one; if one == 30_000 { 20_000 } else { 20 }];
        let rows = (0..40_000).map(|one| (format!("k{:05}", one * 2), serde_json::to_string(&wide(one)).unwrap())).collect();
        room.write(key, &Table::new(&"header", rows).unwrap());
        let table = room.read(key).unwrap();
        let Rows::File(Stored { length, .. }) = table.rows else { panic!("it is small") };
        assert!(length > 4 << 20);
        let table = room.read(key).unwrap();
        for one in [0, 1, 77, 20_000, 29_999, 30_000, 30_001, 39_999] {
            assert_eq!(table.get::<Vec<u32>>(&format!("k{:05}", one * 2)), Some(wide(one)), "{one}");
            assert_eq!(table.get::<Vec<u32>>(&format!("k{:05}", one * 2 + 1)), None, "{one}");
        }
        assert_eq!(table.all::<Vec<u32>>().len(), 40_000);
        File::options().append(true).open(room.path(key)).unwrap().set_len(length).unwrap();
        assert!(room.read(key).is_none());
        room.write(key, &Table::new(&"header", BTreeMap::from([("k".to_owned(), "[1]".to_owned())])).unwrap());
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
