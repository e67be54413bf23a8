//! An archived release as one file, `.tar.zst`: the same bytes for the same release, and read as if somebody hostile had made it. Names are plain
//! ustar names; a link, a device, an extended header or a path that may not stand in a release ends the reading.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};

use camino::{Utf8Path, Utf8PathBuf};
use tar::{EntryType, Header};

use super::objects::{self, CopyError};
use super::store::{self, Store};
use super::unpacked::{self, Unpacked};
use crate::archived::{self, Record};
use crate::base::Sha256;
use crate::base::digest::Hasher;
use crate::model::release_path;

/// What is compressed by how much: above, the time grows and the size hardly shrinks.
const LEVEL: i32 = 12;
/// The reader's memory for unpacking, as a power of two.
const WINDOW_LOG: u32 = 27;
/// Largest document before the release's files.
const MAX_DOCUMENT: u64 = 64 * 1024 * 1024;
/// Most documents.
const MAX_DOCUMENTS: usize = 64;
/// Where the release is in the file.
pub const RELEASE: &str = "release/";
/// The record of the release.
pub const RECORD: &str = "record.json";

/// Why a file was not written or read.
#[derive(Debug)]
pub enum Error {
    Object(objects::Error),
    /// It cannot be written.
    Output(store::Error),
    /// It cannot be unpacked into its folder.
    Unpacked(unpacked::Error),
    /// It is not the single file of a release, or a hostile one (exit 3).
    Refused(String),
    /// It cannot be read.
    Input(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Object(error) => error.fmt(f),
            Self::Output(error) => error.fmt(f),
            Self::Unpacked(_) => f.write_str("it cannot be unpacked"),
            Self::Refused(why) => f.write_str(why),
            Self::Input(error) => write!(f, "it cannot be read: {error}"),
        }
    }
}

impl std::error::Error for Error {}

fn output(path: &Utf8Path) -> impl Fn(io::Error) -> Error {
    let path = path.to_string();
    move |source| Error::Output(store::Error::Io { action: "write", path: path.clone(), source })
}

/// Writes the documents and then the release's files to `place`, complete or not at all; an older file is replaced. Its size and digest.
///
/// # Errors
/// An object is missing or damaged, a path is too long for a tar header, or the file cannot be written.
pub fn write(
    store: &dyn Store,
    documents: &BTreeMap<String, Vec<u8>>,
    record: &Record,
    place: &Utf8Path,
) -> Result<(u64, Sha256), Error> {
    let failed = output(place);
    let parent = place.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let file = builder.prefix(".export-").tempfile_in(parent).map_err(&failed)?;
    let counted = Counted { file, hasher: Hasher::default(), size: 0 };
    let mut encoder = zstd::Encoder::new(counted, LEVEL).map_err(&failed)?;
    encoder.include_checksum(true).map_err(&failed)?;
    // In the order in which a reader needs them: what is listed, then what it lists.
    for (path, bytes) in documents {
        header(&mut encoder, path, bytes.len() as u64, false, &failed)?;
        encoder.write_all(bytes).map_err(&failed)?;
        pad(&mut encoder, bytes.len() as u64).map_err(&failed)?;
    }
    for file in &record.files {
        header(&mut encoder, &format!("{RELEASE}{}", file.path), file.size, file.executable, &failed)?;
        let size = objects::copy(store, file.sha256, &mut encoder).map_err(|error| match error {
            CopyError::Object(error) => Error::Object(error),
            CopyError::Sink(error) => failed(error),
        })?;
        if size != file.size {
            let why = format!("is of {size} bytes, its record says {}", file.size);
            return Err(Error::Object(objects::Error::Corrupt { path: objects::path_of(file.sha256), why }));
        }
        pad(&mut encoder, size).map_err(&failed)?;
    }
    encoder.write_all(&[0; 1024]).map_err(&failed)?;
    let Counted { file, hasher, size } = encoder.finish().map_err(&failed)?;
    file.as_file().sync_all().map_err(&failed)?;
    file.persist(place).map_err(|error| failed(error.error))?;
    crate::files::sync_folder(parent).map_err(&failed)?;
    Ok((size, hasher.finish()))
}

/// What is written, and its digest.
struct Counted {
    file: tempfile::NamedTempFile,
    hasher: Hasher,
    size: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Nothing in it depends on who writes it, when, or where.
fn header(
    out: &mut impl Write,
    path: &str,
    size: u64,
    executable: bool,
    failed: &impl Fn(io::Error) -> Error,
) -> Result<(), Error> {
    let mut header = Header::new_ustar();
    header.set_path(path).map_err(|error| {
        Error::Output(store::Error::Place(format!("the path {path:?} does not fit into a tar file: {error}")))
    })?;
    header.set_size(size);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_entry_type(EntryType::Regular);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    out.write_all(header.as_bytes()).map_err(failed)
}

fn pad(out: &mut impl Write, size: u64) -> io::Result<()> {
    let over = usize::try_from(size % 512).unwrap_or(0);
    if over == 0 { Ok(()) } else { out.write_all(&[0; 512][over..]) }
}

/// What was read: the documents by path. The release's files are in the folder.
#[derive(Debug)]
pub struct Contents {
    pub documents: BTreeMap<String, Vec<u8>>,
    pub record: Record,
}

/// Reads such a file into a folder of ours: its documents, and the release's files below [`RELEASE`]. Every file has to be listed in the record
/// with its size before it is written, and all together may have `limit` bytes at most.
///
/// # Errors
/// It is no such file, is too large, or cannot be read or unpacked.
pub fn read(input: impl Read, limit: u64, folder: &Unpacked) -> Result<Contents, Error> {
    let mut decoder = zstd::Decoder::new(input).map_err(Error::Input)?;
    decoder.window_log_max(WINDOW_LOG).map_err(Error::Input)?;
    read_tar(decoder, limit, folder)
}

/// As [`read`], of what is not compressed.
///
/// # Errors
/// As [`read`].
pub fn read_tar(input: impl Read, limit: u64, folder: &Unpacked) -> Result<Contents, Error> {
    // Headers and padding beside the bytes themselves.
    let mut archive = tar::Archive::new(input.take(limit.saturating_mul(2).saturating_add(256 * 1024 * 1024)));
    let mut documents = BTreeMap::new();
    let mut record: Option<Record> = None;
    let mut waiting = BTreeMap::new();
    for entry in archive.entries().map_err(Error::Input)?.raw(true) {
        let mut entry = entry.map_err(refused_or_input)?;
        let path = checked_path(entry.header())?;
        let size = entry.header().entry_size().map_err(|error| refused(&path, &error.to_string()))?;
        if let Some(inside) = path.strip_prefix(RELEASE) {
            if record.is_none() {
                record = Some(listed(&documents, limit, &mut waiting)?);
            }
            let executable = entry.header().mode().map_err(|error| refused(&path, &error.to_string()))? & 0o111 != 0;
            if waiting.remove(inside) != Some((size, executable)) {
                return Err(refused(&path, "its record does not list it so, or it is there twice"));
            }
            let mut out = folder.create(&path, executable).map_err(Error::Unpacked)?;
            let place = folder.path().join(&path);
            copy(&mut entry, &mut out, size, &path, &place)?;
            continue;
        }
        if record.is_some() || documents.len() == MAX_DOCUMENTS || size > MAX_DOCUMENT {
            return Err(refused(&path, "no such document is expected here"));
        }
        let mut bytes = Vec::new();
        entry.by_ref().take(MAX_DOCUMENT).read_to_end(&mut bytes).map_err(refused_or_input)?;
        if bytes.len() as u64 != size || documents.insert(path.clone(), bytes).is_some() {
            return Err(refused(&path, "it is cut off, or there twice"));
        }
    }
    // To the very end: only there the compression's checksum is compared, and nothing may hide behind the release. Of the two empty blocks that
    // end a tar file the reader takes one.
    let mut rest = Vec::new();
    archive.into_inner().take(513).read_to_end(&mut rest).map_err(refused_or_input)?;
    if rest.len() > 512 || rest.iter().any(|&byte| byte != 0) {
        return Err(Error::Refused("it goes on after its end".to_owned()));
    }
    let record = record.ok_or_else(|| Error::Refused("there is no release in it".to_owned()))?;
    match waiting.keys().next() {
        None => Ok(Contents { documents, record }),
        Some(missing) => Err(refused(&format!("{RELEASE}{missing}"), "it is missing")),
    }
}

fn refused(path: &str, why: &str) -> Error {
    Error::Refused(format!("{path:?}: {why}"))
}

/// The tar reader tells a malformed header as an error of reading.
fn refused_or_input(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::Other | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            Error::Refused(format!("it is no file of an archived release: {error}"))
        }
        _ => Error::Input(error),
    }
}

/// A regular file with a path that may stand in a release.
fn checked_path(header: &Header) -> Result<String, Error> {
    let bytes = header.path_bytes();
    let path = std::str::from_utf8(&bytes).map_err(|_| Error::Refused("a name in it is not UTF-8".to_owned()))?;
    if header.entry_type() != EntryType::Regular {
        return Err(refused(path, "it is no regular file: links, folders, devices and extended headers are refused"));
    }
    release_path::check(path).map_err(|why| refused(path, why.0))?;
    Ok(path.to_owned())
}

/// The record, and what it says is to come.
fn listed(
    documents: &BTreeMap<String, Vec<u8>>,
    limit: u64,
    waiting: &mut BTreeMap<String, (u64, bool)>,
) -> Result<Record, Error> {
    let bytes = documents.get(RECORD).ok_or_else(|| refused(RECORD, "it is missing, or comes too late"))?;
    let record: Record = archived::from_bytes(bytes).map_err(|why| refused(RECORD, &why))?;
    record.check().map_err(|why| refused(RECORD, &why))?;
    let mut sum = 0_u64;
    for file in &record.files {
        sum = sum.saturating_add(file.size);
        waiting.insert(file.path.clone(), (file.size, file.executable));
    }
    if sum > limit {
        return Err(Error::Refused(format!("it would have {sum} bytes unpacked, the limit is {limit}")));
    }
    Ok(record)
}

fn copy(entry: &mut impl Read, out: &mut impl Write, size: u64, path: &str, place: &Utf8PathBuf) -> Result<(), Error> {
    let (mut left, mut buffer) = (size, vec![0; 64 * 1024]);
    loop {
        let read = entry.read(&mut buffer).map_err(refused_or_input)?;
        if read == 0 {
            return if left == 0 { Ok(()) } else { Err(refused(path, "it is cut off")) };
        }
        left = left.checked_sub(read as u64).ok_or_else(|| refused(path, "it is longer than it says"))?;
        out.write_all(&buffer[..read]).map_err(output(place))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Access, Local};
    use crate::archived::{Admission, FORMAT_VERSION, RecordFile, to_bytes};

    struct World {
        _guard: tempfile::TempDir,
        root: Utf8PathBuf,
        store: Local,
        record: Record,
    }

    impl World {
        fn new() -> Self {
            let guard = tempfile::tempdir().unwrap();
            let root = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
            let store = Local::open(&root.join("store"), Access::Write, &mut || ()).unwrap();
            let file = |path: &str, bytes: &[u8], executable| RecordFile {
                path: path.into(),
                size: bytes.len() as u64,
                sha256: objects::put(&store, bytes).unwrap(),
                executable,
            };
            let files = vec![file("artifacts/app", b"elf", true), file("release.json", &[b'x'; 1000], false)];
            let record = Record {
                format_version: FORMAT_VERSION,
                name: "app".into(),
                version: "1".into(),
                target: "t".into(),
                files,
                admission: Admission::Unsigned,
                trusted_roots: Vec::new(),
                feeds: Vec::new(),
                inventory: Sha256::of(b""),
            };
            Self { _guard: guard, root, store, record }
        }

        fn documents(&self) -> BTreeMap<String, Vec<u8>> {
            [("VERIFY.md".to_owned(), b"text".to_vec()), (RECORD.to_owned(), to_bytes(&self.record))].into()
        }

        fn read(&self, bytes: &[u8], limit: u64) -> Result<Contents, Error> {
            read_tar(bytes, limit, &Unpacked::begin(&self.root.join("out")).unwrap())
        }
    }

    /// A tar file by hand: anything in its headers.
    fn tar(entries: &[(&str, EntryType, u32, &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        for (path, kind, mode, bytes) in entries {
            let mut header = Header::new_ustar();
            header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
            header.set_size(bytes.len() as u64);
            header.set_mode(*mode);
            header.set_entry_type(*kind);
            header.set_cksum();
            out.extend_from_slice(header.as_bytes());
            out.extend_from_slice(bytes);
            pad(&mut out, bytes.len() as u64).unwrap();
        }
        out.extend_from_slice(&[0; 1024]);
        out
    }

    #[test]
    fn what_is_written_is_read_and_the_same_every_time() {
        let world = World::new();
        let (one, two) = (world.root.join("one"), world.root.join("two"));
        let first = write(&world.store, &world.documents(), &world.record, &one).unwrap();
        assert_eq!(write(&world.store, &world.documents(), &world.record, &two).unwrap(), first);
        let bytes = std::fs::read(&one).unwrap();
        assert_eq!((bytes.len() as u64, Sha256::of(&bytes)), first);
        assert_eq!(bytes, std::fs::read(&two).unwrap());
        let folder = Unpacked::begin(&world.root.join("out")).unwrap();
        let contents = read(bytes.as_slice(), 2000, &folder).unwrap();
        assert_eq!((contents.record, contents.documents), (world.record.clone(), world.documents()));
        assert_eq!(std::fs::read(folder.path().join("release/artifacts/app")).unwrap(), b"elf");
        let small = read(bytes.as_slice(), 1002, &Unpacked::begin(&world.root.join("out")).unwrap()).unwrap_err();
        assert_eq!(small.to_string(), "it would have 1003 bytes unpacked, the limit is 1002");
        assert!(read(&bytes[..bytes.len() / 2], 2000, &Unpacked::begin(&world.root.join("out")).unwrap()).is_err());
    }

    #[test]
    fn hostile_files_are_refused() {
        let world = World::new();
        let record = to_bytes(&world.record);
        let record = (RECORD, EntryType::Regular, 0o644, record.as_slice());
        let app = ("release/artifacts/app", EntryType::Regular, 0o755, &b"elf"[..]);
        let list = [b'x'; 1000];
        let list = ("release/release.json", EntryType::Regular, 0o644, &list[..]);
        assert!(world.read(&tar(&[record, app, list]), 2000).is_ok());
        let of = |path, kind, bytes| (path, kind, 0o644, bytes);
        for (name, entries) in [
            ("no record", vec![app, list]),
            ("record late", vec![app, record, list]),
            ("missing", vec![record, app]),
            ("twice", vec![record, app, app, list]),
            ("unlisted", vec![record, app, list, of("release/more", EntryType::Regular, &b""[..])]),
            ("document late", vec![record, app, list, of("more", EntryType::Regular, &b""[..])]),
            ("size", vec![record, ("release/artifacts/app", EntryType::Regular, 0o755, &b"elf2"[..]), list]),
            ("mode", vec![record, ("release/artifacts/app", EntryType::Regular, 0o644, &b"elf"[..]), list]),
            ("up", vec![of("../x", EntryType::Regular, &b""[..]), record, app, list]),
            ("absolute", vec![of("/x", EntryType::Regular, &b""[..]), record, app, list]),
            ("inside", vec![record, of("release/../x", EntryType::Regular, &b""[..]), app, list]),
            ("link", vec![record, of("release/artifacts/app", EntryType::Symlink, &b""[..]), list]),
            ("hard link", vec![record, of("release/artifacts/app", EntryType::Link, &b""[..]), list]),
            ("pipe", vec![record, of("release/artifacts/app", EntryType::Fifo, &b""[..]), list]),
            ("folder", vec![of("release", EntryType::Directory, &b""[..]), record, app, list]),
            ("long name", vec![of("long", EntryType::GNULongName, &b"x"[..]), record, app, list]),
            ("pax", vec![of("pax", EntryType::XHeader, &b"x"[..]), record, app, list]),
            ("sparse", vec![record, of("release/artifacts/app", EntryType::GNUSparse, &b"elf"[..]), list]),
        ] {
            let error = world.read(&tar(&entries), 2000).unwrap_err();
            assert!(matches!(error, Error::Refused(_)), "{name}: {error:?}");
        }
        assert!(!world.root.join("x").exists() && !world.root.join("out").exists());
    }
}
