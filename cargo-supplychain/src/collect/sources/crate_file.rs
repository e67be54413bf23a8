//! The reader of `.crate` files: a gzip-compressed tar archive, read as a stream within bounds. What it yields are the regular files
//! below `NAME-VERSION/`; what a registry would not have accepted is an error, never skipped. Writes nothing and knows nothing of
//! what is in the files.
//!
//! The limits are those of the two that read such files before us: crates.io refuses paths outside `NAME-VERSION/` and links
//! (`crates_io_tarball`), cargo unpacks at most 512 MiB or 20 times the file's size and stops at the first block of zeros. The formats:
//! RFC 1952 (gzip), POSIX.1-1988 "ustar" with the long names of GNU tar (`L`) and of POSIX.1-2001 (`x`).

mod header;

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take};

use camino::Utf8Path;
use flate2::bufread::GzDecoder;

use crate::base::text;
use crate::files;
use header::{BLOCK, Header, Kind};

/// The largest `.crate` that is read, in bytes. crates.io takes 10 MiB, and more where it was asked for; other registries set their own.
pub const MAX_COMPRESSED: u64 = 256 << 20;
/// The most that is unpacked, in bytes, or [`MAX_RATIO`] times the file's size where that is more.
const MAX_UNPACKED: u64 = 512 << 20;
const MAX_RATIO: u64 = 20;
/// The most entries of an archive; the largest real ones have some ten thousand.
const MAX_ENTRIES: usize = 100_000;
/// The longest path, in bytes, and the largest header that can carry one.
const MAX_PATH: usize = 1024;
const MAX_EXTENSION: u64 = 64 << 10;
/// What is unpacked at once.
const BUFFER: usize = 64 << 10;

/// What is wrong with an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// It could not be read from the disk.
    Unreadable,
    /// No registry would have accepted it.
    Malformed,
    /// It holds a link, device or the like.
    NotRegular,
}

/// Why an archive could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub kind: ErrorKind,
    /// The entry, as written in the archive; harmless to show.
    pub path: Option<String>,
    pub why: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{path}: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    fn malformed(why: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Malformed, path: None, why: why.into() }
    }

    fn of(self, path: &str) -> Self {
        Self { path: Some(text::plain(path).into_owned()), ..self }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => ErrorKind::Malformed,
            _ => ErrorKind::Unreadable,
        };
        let why = match error.kind() {
            io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => "it is no gzip file, or a broken one".to_owned(),
            other => other.to_string(),
        };
        Self { kind, path: None, why }
    }
}

/// A `.crate` file that is being read: call [`CrateFile::next_file`] until there is none.
pub struct CrateFile<R: BufRead> {
    input: BufReader<Take<GzDecoder<R>>>,
    /// `NAME-VERSION/`, the folder that everything has to be in.
    folder: String,
    /// What is not read yet of the current file, and the zeros behind it.
    left: u64,
    padding: u64,
    seen: HashSet<String>,
    entries: usize,
}

impl CrateFile<BufReader<File>> {
    /// Opens `…/NAME-VERSION.crate`.
    pub fn open(path: &Utf8Path) -> Result<Self, Error> {
        let file = files::open(path).map_err(|error| Error {
            kind: ErrorKind::Unreadable,
            path: None,
            why: error.kind().to_string(),
        })?;
        let size = file.metadata().map_err(Error::from)?.len();
        Self::new(path.file_stem().unwrap_or_default(), BufReader::with_capacity(BUFFER, file), size)
    }
}

impl<'b> CrateFile<&'b [u8]> {
    /// Reads the bytes of a `.crate`; `folder` is `NAME-VERSION`.
    pub fn from_bytes(folder: &str, bytes: &'b [u8]) -> Result<Self, Error> {
        Self::new(folder, bytes, bytes.len() as u64)
    }
}

impl<R: BufRead> CrateFile<R> {
    fn new(folder: &str, input: R, size: u64) -> Result<Self, Error> {
        if size > MAX_COMPRESSED {
            return Err(Error::malformed(format!("{size} bytes, the limit is {MAX_COMPRESSED}")));
        }
        let limit = MAX_UNPACKED.max(size.saturating_mul(MAX_RATIO));
        // One more byte than may be there: whoever gets it is over the limit.
        let input = BufReader::with_capacity(BUFFER, GzDecoder::new(input).take(limit + 1));
        Ok(Self { input, folder: format!("{folder}/"), left: 0, padding: 0, seen: HashSet::new(), entries: 0 })
    }

    /// The next regular file; folders are passed over.
    pub fn next_file(&mut self) -> Result<Option<CrateEntry<'_, R>>, Error> {
        let mut long_name: Option<Vec<u8>> = None;
        loop {
            self.skip_rest()?;
            let Some(header) = self.header()? else {
                return if long_name.is_none() { Ok(None) } else { Err(Error::malformed("a long name without its file")) };
            };
            let name = || String::from_utf8_lossy(&header.name).into_owned();
            match header.kind {
                Kind::LongName | Kind::Extended if long_name.is_some() => {
                    return Err(Error::malformed("two long names for one file").of(&name()));
                }
                Kind::LongName => long_name = Some(header::gnu_name(&self.extension(header.size)?)),
                Kind::Extended => long_name = header::pax_path(&self.extension(header.size)?).map_err(Error::malformed)?,
                Kind::Other(what) => {
                    return Err(Error { kind: ErrorKind::NotRegular, path: None, why: what.into() }.of(&name()));
                }
                Kind::Unknown(byte) => {
                    let why = format!("an entry of the unknown kind {:?}", char::from(byte));
                    return Err(Error::malformed(why).of(&name()));
                }
                Kind::Folder => {
                    let path = long_name.take().unwrap_or(header.name);
                    let path = path.strip_suffix(b"/").unwrap_or(&path);
                    if path != &self.folder.as_bytes()[..self.folder.len() - 1] {
                        self.inside(path)?;
                    }
                    self.content(header.size);
                }
                Kind::File => {
                    let path = self.inside(&long_name.take().unwrap_or(header.name))?;
                    if !self.seen.insert(path.clone()) {
                        return Err(Error::malformed("the same path twice").of(&path));
                    }
                    self.content(header.size);
                    return Ok(Some(CrateEntry { path, size: header.size, archive: self }));
                }
            }
        }
    }

    /// The next header; `None` at the end: a block of zeros, or nothing more.
    fn header(&mut self) -> Result<Option<Header>, Error> {
        let mut block = [0; BLOCK];
        if self.input.fill_buf()?.is_empty() {
            self.refuse_too_large()?;
            return Ok(None);
        }
        self.read_exact(&mut block)?;
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(Error::malformed(format!("more than {MAX_ENTRIES} entries")));
        }
        header::parse(&block).map(Some).map_err(Error::malformed)
    }

    fn read_exact(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        let read = self.input.read_exact(bytes);
        if read.is_err() {
            self.refuse_too_large()?;
        }
        Ok(read?)
    }

    fn refuse_too_large(&self) -> Result<(), Error> {
        match self.input.get_ref().limit() {
            0 => Err(Error::malformed("it unpacks to more than the limit")),
            _ => Ok(()),
        }
    }

    /// The next `size` bytes, and the padding behind them, are a file's.
    fn content(&mut self, size: u64) {
        self.left = size;
        self.padding = size.next_multiple_of(BLOCK as u64) - size;
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > MAX_EXTENSION {
            return Err(Error::malformed(format!("a header of {size} bytes")));
        }
        self.content(size);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        self.read_exact(&mut bytes)?;
        self.left = 0;
        Ok(bytes)
    }

    fn skip_rest(&mut self) -> Result<(), Error> {
        let mut rest = std::mem::take(&mut self.left) + std::mem::take(&mut self.padding);
        while rest > 0 {
            let available = self.input.fill_buf()?.len();
            if available == 0 {
                self.refuse_too_large()?;
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let skipped = available.min(usize::try_from(rest).unwrap_or(usize::MAX));
            self.input.consume(skipped);
            rest -= skipped as u64;
        }
        Ok(())
    }

    /// The path below `NAME-VERSION/`, where it is a plain one.
    fn inside(&self, path: &[u8]) -> Result<String, Error> {
        let refuse = |why: &str| Err(Error::malformed(why).of(&String::from_utf8_lossy(path)));
        let Ok(text) = std::str::from_utf8(path) else { return refuse("a path that is not UTF-8") };
        let Some(inside) = text.strip_prefix(&self.folder) else { return refuse("outside of the package's folder") };
        if text.len() > MAX_PATH {
            return refuse("a path that is too long");
        }
        let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains(['\\', '\0']);
        if !inside.split('/').all(is_plain) {
            return refuse("a path that is not plain");
        }
        Ok(inside.to_owned())
    }
}

/// A file of the archive. It is read as a stream; what is not read is passed over.
pub struct CrateEntry<'c, R: BufRead> {
    path: String,
    size: u64,
    archive: &'c mut CrateFile<R>,
}

impl<R: BufRead> CrateEntry<'_, R> {
    /// Below `NAME-VERSION/`, with `/`; never absolute, never with `..`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// In bytes, as the archive says; reading yields as many or fails.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What is there to be looked at next; empty at the end of the file. [`CrateEntry::consume`] goes on.
    pub fn fill(&mut self) -> Result<&[u8], Error> {
        let archive = &mut *self.archive;
        if archive.left == 0 {
            return Ok(&[]);
        }
        if archive.input.fill_buf()?.is_empty() {
            archive.refuse_too_large()?;
            return Err(Error::from(io::Error::from(io::ErrorKind::UnexpectedEof)).of(&self.path));
        }
        let available = archive.input.buffer();
        Ok(&available[..available.len().min(usize::try_from(archive.left).unwrap_or(usize::MAX))])
    }

    /// `count` bytes of what [`CrateEntry::fill`] gave are done with.
    pub fn consume(&mut self, count: usize) {
        let count = count.min(usize::try_from(self.archive.left).unwrap_or(usize::MAX));
        self.archive.input.consume(count);
        self.archive.left -= count as u64;
    }

    /// The first `limit` bytes of what is left of the file, or all of it.
    pub fn bytes(&mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        loop {
            let available = self.fill()?;
            let taken = available.len().min(limit - bytes.len());
            bytes.extend_from_slice(&available[..taken]);
            if taken == 0 {
                return Ok(bytes);
            }
            self.consume(taken);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
