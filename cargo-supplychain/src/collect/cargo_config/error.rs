//! Why the configuration hierarchy could not be read.

use std::fmt;

use crate::base::text::plain;

/// A configuration file or `--config` argument that cannot be read. Paths are as shown to people; `line` and `column` count
/// from 1, 0 is the file as a whole.
#[derive(Debug)]
pub enum Error {
    Io {
        path: String,
        source: std::io::Error,
    },
    /// Not TOML.
    Broken {
        path: String,
        line: u32,
        column: u32,
        reason: String,
    },
    /// TOML or not, it is nothing that we or cargo would take.
    Refused {
        path: String,
        line: u32,
        reason: String,
    },
    /// A `--config` argument; the key only, because the value may be a secret.
    Argument {
        key: String,
        reason: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "{}: cannot read the cargo configuration: {source}", plain(path)),
            Self::Broken { path, line: 0, reason, .. } => {
                write!(f, "{}: invalid cargo configuration: {}", plain(path), plain(reason))
            }
            Self::Broken { path, line, column, reason } => {
                write!(f, "{}:{line}:{column}: invalid cargo configuration: {}", plain(path), plain(reason))
            }
            Self::Refused { path, line: 0, reason } => write!(f, "{}: {}", plain(path), plain(reason)),
            Self::Refused { path, line, reason } => write!(f, "{}:{line}: {}", plain(path), plain(reason)),
            Self::Argument { key, reason } => write!(f, "--config `{}`: {reason}", plain(key)),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Io { path, .. } => format!("make {} readable, or remove it", plain(path)),
            Self::Broken { path, .. } | Self::Refused { path, .. } => {
                format!("correct {} or remove it; `cargo build` reads the same file", plain(path))
            }
            Self::Argument { .. } => "pass --config KEY=VALUE with a TOML value, or the path of a file".to_owned(),
        }
    }
}
