//! The seam between the archive and where its bytes are: few operations, such as a folder and an object store both have, and none that
//! replaces anything. What the bytes mean is not known here.

use std::fmt;
use std::io::Read;

use crate::files::stamp::Stamp;

/// Where the bytes of an archive are. Paths are relative, with forward slashes, of ASCII letters, digits, `.`, `-` and `_`.
///
/// Nothing is ever replaced: what exists under a path stays until it is removed, and only `prune` removes.
pub trait Store: Send + Sync {
    /// For messages: a path or URL without credentials.
    fn place(&self) -> String;

    /// The bytes of a path, `limit` at most.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::TooLarge`]; it cannot be read.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Error>;

    /// A stream of them, for what may be large.
    ///
    /// # Errors
    /// [`Error::NotFound`]; it cannot be read.
    fn open(&self, path: &str) -> Result<Box<dyn Read + Send>, Error>;

    /// Creates a path with these bytes: durable and complete under that name when it returns, or not there at all. Of several that
    /// create the same path at once exactly one gets [`Creation::Created`]. What `Exists` is durable as well.
    ///
    /// # Errors
    /// It cannot be written. Where `content` itself fails nothing is created, and any error tells it: the caller knows what it handed over.
    fn create(&self, path: &str, content: &mut dyn Read) -> Result<Creation, Error>;

    /// Every path that begins with `prefix` (which ends at a `/`), with its size, sorted by path.
    ///
    /// # Errors
    /// It cannot be read.
    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Error>;

    /// Every path that begins with `prefix`, in no order and without looking at what is there.
    ///
    /// # Errors
    /// It cannot be read.
    fn paths(&self, prefix: &str) -> Result<Vec<String>, Error> {
        Ok(self.list(prefix)?.into_iter().map(|listed| listed.path).collect())
    }

    /// Names the state of the folder of `prefix`: while it stays the same nothing there was added, removed, or put in the place of something
    /// else. None where nothing tells that.
    fn stamp(&self, _prefix: &str) -> Option<Stamp> {
        None
    }

    /// Removes a path; what is not there is no error.
    ///
    /// # Errors
    /// It cannot be removed.
    fn remove(&self, path: &str) -> Result<(), Error>;
}

/// Whether [`Store::create`] was the one that created it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creation {
    Created,
    /// It was there before, with whatever bytes.
    Exists,
}

/// A path in a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    pub path: String,
    pub size: u64,
}

/// Why a store did not do what it was asked.
#[derive(Debug)]
pub enum Error {
    /// Nothing is there; the path, with the store's place.
    NotFound {
        path: String,
    },
    TooLarge {
        path: String,
        limit: u64,
    },
    /// Others than its owner could change what is there (`archive/unsafe-permissions`, exit 1).
    Unsafe {
        path: String,
        why: &'static str,
    },
    /// It is no place of a store, or not one that this build can use; the message (exit 2).
    Place(String),
    /// `action` is an infinitive: `read`, `write`.
    Io {
        action: &'static str,
        path: String,
        source: std::io::Error,
    },
}

impl Error {
    /// Whether output could not be written (exit 74) rather than input not be read (exit 2).
    #[must_use]
    pub fn is_output(&self) -> bool {
        matches!(self, Self::Io { action, .. } if *action != "read")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { path } => write!(f, "{path} does not exist"),
            Self::TooLarge { path, limit } => write!(f, "{path} is larger than {limit} bytes"),
            Self::Unsafe { path, why } => write!(f, "{path} {why}"),
            Self::Place(message) => f.write_str(message),
            Self::Io { action, path, source } => write!(f, "cannot {action} {path}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::NotFound { .. } | Self::TooLarge { .. } | Self::Unsafe { .. } | Self::Place(_) => None,
        }
    }
}
