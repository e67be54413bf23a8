//! Objects of an archive: bytes under the name of their digest, `objects/<first two digits>/<digest>`. What is read was compared with its
//! name, and what is written was compared before it got one.

use std::fmt;
use std::io::{self, Read};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::store::{self, Creation, Store};
use crate::archived;
use crate::base::Sha256;
use crate::base::digest::Hasher;

/// All objects are below it.
pub const OBJECTS: &str = "objects/";
/// Largest object that is read into memory as a record or an inventory.
pub const MAX_DOCUMENT_BYTES: u64 = 256 * 1024 * 1024;
const BUFFER: usize = 256 * 1024;
/// How often an object may be removed by others while it is put in place.
const MAX_TRIES: usize = 100;

/// Why an object was not read or written.
#[derive(Debug)]
pub enum Error {
    Store(store::Error),
    /// What stands there is not what its name says (`archive/corrupt`, exit 3); path with the store's place, and why.
    Corrupt {
        path: String,
        why: String,
    },
    /// The bytes that were to be stored are not those that were announced (`archive/changed-while-reading`, exit 1).
    Changed {
        announced: Sha256,
    },
    /// What was to be stored cannot be read.
    Source(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Corrupt { path, why } => write!(f, "{path} {why}"),
            Self::Changed { announced } => write!(f, "the bytes with the digest sha256:{announced} were not there any more"),
            Self::Source(error) => write!(f, "cannot read what is to be stored: {error}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => Some(error),
            Self::Source(error) => Some(error),
            Self::Corrupt { .. } | Self::Changed { .. } => None,
        }
    }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// Where the object of this digest is.
#[must_use]
pub fn path_of(digest: Sha256) -> String {
    let hex = digest.to_string();
    format!("{OBJECTS}{}/{hex}", &hex[..2])
}

/// The digest that a path of an object names; `None`: no object has such a path.
#[must_use]
pub fn digest_of(path: &str) -> Option<Sha256> {
    let digest = path.rsplit('/').next()?.parse().ok()?;
    (path_of(digest) == path).then_some(digest)
}

/// Stores bytes; their digest.
///
/// # Errors
/// They cannot be written, or other bytes stand there under their name.
pub fn put(store: &dyn Store, bytes: &[u8]) -> Result<Sha256, Error> {
    let digest = Sha256::of(bytes);
    put_stream(store, digest, || Ok(bytes))?;
    Ok(digest)
}

/// Stores the canonical bytes of a value; their digest.
///
/// # Errors
/// As [`put`].
pub fn put_value(store: &dyn Store, value: &impl Serialize) -> Result<Sha256, Error> {
    put(store, &archived::to_bytes(value))
}

/// Stores what `open` gives, whose digest is known: only if it has it. An object that is there already is compared with its name and left.
///
/// # Errors
/// [`Error::Changed`]; it cannot be read or written; other bytes stand there under its name.
pub fn put_stream<R: Read>(store: &dyn Store, digest: Sha256, open: impl Fn() -> io::Result<R>) -> Result<Creation, Error> {
    let path = path_of(digest);
    for _ in 0..MAX_TRIES {
        match check(store, digest) {
            Ok(_) => return Ok(Creation::Exists),
            Err(Error::Store(store::Error::NotFound { .. })) => {}
            Err(error) => return Err(error),
        }
        let content = open().map_err(Error::Source)?;
        let mut content = Checked { content, hasher: Hasher::default(), announced: digest, failure: None };
        match store.create(&path, &mut content) {
            Ok(Creation::Created) => return Ok(Creation::Created),
            // Another writer was faster. Or it was given up and is just being removed: then it gets another name.
            Ok(Creation::Exists) => {}
            Err(error) => return Err(content.failure.unwrap_or(Error::Store(error))),
        }
    }
    Err(Error::Store(store::Error::NotFound { path: place(store, digest) }))
}

/// An object's bytes, `limit` at most.
///
/// # Errors
/// It is missing, too large, cannot be read, or is not what its name says.
pub fn get(store: &dyn Store, digest: Sha256, limit: u64) -> Result<Vec<u8>, Error> {
    let bytes = store.read(&path_of(digest), limit)?;
    if Sha256::of(&bytes) == digest {
        return Ok(bytes);
    }
    Err(mismatch(store, digest))
}

/// An object that holds a value in canonical form.
///
/// # Errors
/// As [`get`]; or it holds no such value.
pub fn get_value<T: Serialize + DeserializeOwned>(store: &dyn Store, digest: Sha256) -> Result<T, Error> {
    let bytes = get(store, digest, MAX_DOCUMENT_BYTES)?;
    let corrupt = |why| Error::Corrupt { path: place(store, digest), why: format!("is not what the archive says it is: {why}") };
    archived::from_bytes(&bytes).map_err(corrupt)
}

/// Copies an object to `sink`; its size. What is not what its name says is an error, after its bytes went to the sink: whoever calls takes
/// them for nothing until then.
///
/// # Errors
/// As [`get`]. [`CopyError::Sink`]: the sink does not take it.
pub fn copy(store: &dyn Store, digest: Sha256, sink: &mut dyn io::Write) -> Result<u64, CopyError> {
    let mut content = store.open(&path_of(digest)).map_err(Error::Store)?;
    let (mut hasher, mut size, mut buffer) = (Hasher::default(), 0, vec![0; BUFFER]);
    loop {
        let read = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => {
                return Err(Error::Store(store::Error::Io { action: "read", path: place(store, digest), source }).into());
            }
        };
        hasher.update(&buffer[..read]);
        size += read as u64;
        sink.write_all(&buffer[..read]).map_err(CopyError::Sink)?;
    }
    if hasher.finish() == digest { Ok(size) } else { Err(mismatch(store, digest).into()) }
}

/// Why an object was not copied.
#[derive(Debug)]
pub enum CopyError {
    Object(Error),
    Sink(io::Error),
}

impl From<Error> for CopyError {
    fn from(error: Error) -> Self {
        Self::Object(error)
    }
}

/// Reads an object and compares it with its name; its size.
///
/// # Errors
/// As [`get`].
pub fn check(store: &dyn Store, digest: Sha256) -> Result<u64, Error> {
    copy(store, digest, &mut io::sink()).map_err(|error| match error {
        CopyError::Object(error) => error,
        CopyError::Sink(error) => Error::Source(error),
    })
}

fn place(store: &dyn Store, digest: Sha256) -> String {
    format!("{}/{}", store.place(), path_of(digest))
}

fn mismatch(store: &dyn Store, digest: Sha256) -> Error {
    Error::Corrupt { path: place(store, digest), why: "does not have the digest that it is named by".to_owned() }
}

/// A stream that fails at its end unless it had the announced digest, so that nothing else is created under that name.
struct Checked<R> {
    content: R,
    hasher: Hasher,
    announced: Sha256,
    failure: Option<Error>,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        match self.content.read(buffer) {
            Ok(0) if self.hasher.clone().finish() == self.announced => Ok(0),
            Ok(0) => {
                self.failure = Some(Error::Changed { announced: self.announced });
                Err(io::Error::new(io::ErrorKind::InvalidData, "its bytes changed while they were read"))
            }
            Ok(read) => {
                self.hasher.update(&buffer[..read]);
                Ok(read)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = io::Error::new(error.kind(), error.to_string());
                self.failure = Some(Error::Source(error));
                Err(told)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::{Access, Local};

    fn store() -> (tempfile::TempDir, Local) {
        let folder = tempfile::tempdir().unwrap();
        let place = camino::Utf8Path::from_path(folder.path()).unwrap().join("store");
        let store = Local::open(&place, Access::Write, &mut || ()).unwrap();
        (folder, store)
    }

    #[test]
    fn what_is_stored_is_what_was_announced() {
        let (_guard, store) = store();
        let digest = put(&store, b"abc").unwrap();
        assert_eq!(get(&store, digest, 3).unwrap(), b"abc");
        assert!(matches!(get(&store, digest, 2), Err(Error::Store(store::Error::TooLarge { .. }))));
        assert_eq!(put_stream(&store, digest, || Ok(&b"abc"[..])).unwrap(), Creation::Exists);
        let announced = Sha256::of(b"x");
        let error = put_stream(&store, announced, || Ok(&b"y"[..])).unwrap_err();
        assert!(matches!(error, Error::Changed { .. }), "{error}");
        assert!(matches!(get(&store, announced, 9), Err(Error::Store(store::Error::NotFound { .. }))));
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        assert!(matches!(put_stream(&store, announced, || Ok(Broken)), Err(Error::Source(_))));
        assert_eq!(store.list("tmp/").unwrap(), []);
        assert_eq!(store.list(OBJECTS).unwrap().len(), 1);
    }

    #[test]
    fn other_bytes_under_a_name_are_seen() {
        let (guard, store) = store();
        let digest = put(&store, b"abc").unwrap();
        let path = guard.path().join("store").join(path_of(digest));
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, b"abd").unwrap();
        assert!(matches!(get(&store, digest, 9), Err(Error::Corrupt { .. })));
        assert!(matches!(check(&store, digest), Err(Error::Corrupt { .. })));
        assert!(matches!(put(&store, b"abc"), Err(Error::Corrupt { .. })));
    }

    #[test]
    fn paths_name_digests() {
        let digest = Sha256::of(b"");
        insta::assert_snapshot!(path_of(digest), @"objects/e3/e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(digest_of(&path_of(digest)), Some(digest));
        for path in ["objects/e3/x".to_owned(), format!("objects/e4/{digest}"), format!("objects/{digest}"), String::new()] {
            assert_eq!(digest_of(&path), None, "{path}");
        }
    }
}
