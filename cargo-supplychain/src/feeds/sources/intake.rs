//! From a file, folder or answer to the files of a source: plain, compressed (gzip) or packed (zip), told by their first bytes. Bounded: what is
//! written to unpack to more than a source ever has is refused before memory is full.

use std::io::Read as _;
use std::time::UNIX_EPOCH;

use camino::{Utf8Path, Utf8PathBuf};

use super::File;
use crate::base::Sha256;
use crate::base::digest::Hasher;
use crate::files;

/// More files than this are not read.
const MAX_FILES: usize = 100_000;
/// Folders within folders: a year, a thousand, and some.
const MAX_DEPTH: usize = 6;
/// Endings of the files that are read in a folder.
const ENDINGS: [&str; 6] = ["json", "csv", "gz", "rdf", "xml", "zip"];

/// What tells whether a path is as it was: names, sizes and times.
pub(super) fn key(path: &Utf8Path) -> Result<Sha256, String> {
    let mut digest = Hasher::default();
    for file in list(path)? {
        let metadata = std::fs::metadata(&file).map_err(|error| cannot_read(&file, &error))?;
        let modified =
            metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |time| time.as_nanos());
        digest.update(format!("{file}\0{}\0{modified}\n", metadata.len()).as_bytes());
    }
    Ok(digest.finish())
}

/// Reads and unpacks a file, or all files of a folder.
pub(super) fn read(path: &Utf8Path, limit: u64) -> Result<Vec<File>, String> {
    let (mut all, mut left) = (Vec::new(), limit);
    for file in list(path)? {
        let bytes = files::read(&file, left).map_err(|error| cannot_read(&file, &error))?;
        let unpacked = unpack(file.file_name().unwrap_or_default(), bytes, left)?;
        left = left.saturating_sub(unpacked.iter().map(|file| file.bytes.len() as u64).sum());
        all.extend(unpacked);
    }
    if all.is_empty() { Err("there is no file in it".to_owned()) } else { Ok(all) }
}

fn cannot_read(file: &Utf8Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", file.file_name().unwrap_or_default())
}

/// The file itself, or what is below the folder, sorted. Links are not followed.
fn list(path: &Utf8Path) -> Result<Vec<Utf8PathBuf>, String> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut found, mut folders) = (Vec::new(), vec![(path.to_owned(), 0)]);
    while let Some((folder, depth)) = folders.pop() {
        for entry in folder.read_dir_utf8().map_err(|error| format!("cannot list it: {error}"))? {
            let entry = entry.map_err(|error| format!("cannot list it: {error}"))?;
            let kind = entry.file_type().map_err(|error| format!("cannot list it: {error}"))?;
            if kind.is_dir() && depth < MAX_DEPTH && !entry.file_name().starts_with('.') {
                folders.push((entry.path().to_owned(), depth + 1));
            } else if kind.is_file() && entry.path().extension().is_some_and(|ending| ENDINGS.contains(&ending)) {
                found.push(entry.into_path());
            }
            if found.len() > MAX_FILES {
                return Err(format!("it has more than {MAX_FILES} files"));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Unpacks what is packed; together at most `limit` bytes.
pub(super) fn unpack(name: &str, bytes: Vec<u8>, limit: u64) -> Result<Vec<File>, String> {
    match bytes.as_slice() {
        [0x1f, 0x8b, ..] => {
            let bytes = bounded(flate2::read::MultiGzDecoder::new(bytes.as_slice()), limit, limit)
                .map_err(|why| format!("{name}: {why}"))?;
            Ok(vec![File { name: name.to_owned(), bytes }])
        }
        [b'P', b'K', 3 | 5, 4 | 6, ..] => unzip(name, &bytes, limit),
        _ => Ok(vec![File { name: name.to_owned(), bytes }]),
    }
}

fn unzip(name: &str, bytes: &[u8], limit: u64) -> Result<Vec<File>, String> {
    let broken = |error: rawzip::Error| format!("{name} is no zip archive that can be read: {error}");
    let archive = rawzip::ZipArchive::from_slice(bytes).map_err(broken)?;
    let (mut files, mut left) = (Vec::new(), limit);
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(broken)? {
        if files.len() >= MAX_FILES {
            return Err(format!("{name} has more than {MAX_FILES} files"));
        }
        let inside = String::from_utf8_lossy(entry.file_path().as_ref()).into_owned();
        if entry.is_dir() || !inside.ends_with(".json") {
            continue;
        }
        let place = || format!("{name}: {}", crate::base::text::one_line(&inside));
        let local = archive.get_entry(entry.wayfinder()).map_err(broken)?;
        let bytes = match entry.compression_method() {
            rawzip::CompressionMethod::STORE => bounded(local.verifying_reader(local.data()), left, limit),
            rawzip::CompressionMethod::DEFLATE => {
                bounded(local.verifying_reader(flate2::bufread::DeflateDecoder::new(local.data())), left, limit)
            }
            _ => Err("it is packed in a way that is not read: only deflate is".to_owned()),
        };
        let bytes = bytes.map_err(|why| format!("{}: {why}", place()))?;
        left -= bytes.len() as u64;
        files.push(File { name: place(), bytes });
    }
    Ok(files)
}

/// At most what is `left` of the limit.
fn bounded(reader: impl std::io::Read, left: u64, limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    reader.take(left.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| format!("cannot be unpacked: {error}"))?;
    if bytes.len() as u64 > left {
        return Err(format!("unpacks to more than {limit} bytes"));
    }
    Ok(bytes)
}

/// Digest over the (name, digest) pairs, as for the RustSec database.
pub(super) fn digest(files: &[File]) -> Sha256 {
    let mut digest = Hasher::default();
    for file in files {
        digest.update(format!("{}\0{}\n", file.name, Sha256::of(&file.bytes)).as_bytes());
    }
    digest.finish()
}
