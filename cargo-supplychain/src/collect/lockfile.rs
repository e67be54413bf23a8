//! Reads `Cargo.lock`. What it means is [`crate::model::lockfile`]'s.

use std::fmt;
use std::io;

use camino::Utf8Path;

use crate::files;
use crate::model::lockfile::{self, Lockfile};

/// Why a lockfile could not be had. A missing one is not an error.
#[derive(Debug)]
pub enum Error {
    /// It is there and cannot be read.
    Io { path: String, source: io::Error },
    /// It is not a lockfile.
    Parse(lockfile::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "cannot read {path}: {source}"),
            Self::Parse(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// A lockfile with the bytes that it was parsed from: what is described is what was read (ARCHITECTURE.md, invariant 4).
#[derive(Debug)]
pub struct ReadLockfile {
    pub lockfile: Lockfile,
    pub bytes: Vec<u8>,
}

/// Reads and parses the lockfile at `path`, which people are shown as `shown`; `None` when there is none.
pub fn read(path: &Utf8Path, shown: &str) -> Result<Option<ReadLockfile>, Error> {
    let failed = |source| Error::Io { path: shown.to_owned(), source };
    let bytes = match files::read(path, lockfile::MAX_BYTES as u64) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let lockfile = lockfile::parse(shown, &bytes).map_err(Error::Parse)?;
    Ok(Some(ReadLockfile { lockfile, bytes }))
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn missing_broken_and_whole() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let path = root.join("Cargo.lock");
        assert!(read(&path, "Cargo.lock").unwrap().is_none());
        std::fs::write(&path, "version = 4\n").unwrap();
        let found = read(&path, "Cargo.lock").unwrap().unwrap();
        assert_eq!((found.lockfile.version, found.bytes.as_slice()), (4, &b"version = 4\n"[..]));
        std::fs::write(&path, "version = 77\n").unwrap();
        assert!(read(&path, "Cargo.lock").unwrap_err().to_string().starts_with("Cargo.lock:1:11: "));
        let error = read(&root, "Cargo.lock").unwrap_err();
        assert_eq!(error.to_string(), "cannot read Cargo.lock: not a regular file");
        std::fs::File::create(&path).unwrap().set_len(lockfile::MAX_BYTES as u64 + 9).unwrap();
        assert!(read(&path, "Cargo.lock").unwrap_err().to_string().contains("larger than the limit"));
    }
}
