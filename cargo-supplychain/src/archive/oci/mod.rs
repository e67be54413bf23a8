//! A release in an OCI registry: its files are the layers of an artifact manifest, each Sigstore bundle is a manifest of its own that refers to
//! it (OCI image and distribution specifications 1.1). The registry is somewhere to fetch from; what came is judged like any release.

mod client;
mod credentials;
pub mod manifest;
mod pull;
mod push;
mod reference;

use std::fmt;

pub use client::Registry;
pub use credentials::Credentials;
pub use pull::{Pulled, pull};
pub use push::{File, Pushed, Release, push};
pub use reference::Reference;

/// Why a release was not pushed or pulled.
#[derive(Debug)]
pub enum Error {
    /// The text names no place in a registry; why.
    Reference(&'static str),
    /// Credentials cannot be read: file and why.
    Credentials { path: String, why: String },
    /// No answer: what was asked (a URL without query), and why.
    Http { url: String, why: crate::base::http::Error },
    /// An answer that is none to what was asked.
    Refused { url: String, status: u16, said: String },
    /// It wants credentials, or others.
    Unauthorized { url: String, hint: Option<String> },
    /// What came is not what it should be: `archive/corrupt`.
    Corrupt { url: String, why: String },
    /// Its files have more bytes than are taken.
    TooLarge { url: String, size: u64, limit: u64 },
    /// The tag stands for something else already.
    TagTaken { reference: String, there: String },
    /// The release cannot be put in a manifest; why.
    Release(String),
    /// `action` is an infinitive.
    Io { action: &'static str, path: String, source: std::io::Error },
}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Reference(_) => Some("write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST".to_owned()),
            Self::Unauthorized { hint, .. } => {
                let login =
                    "log in so that the credentials stand in ~/.docker/config.json (or the file that REGISTRY_AUTH_FILE names)";
                Some(hint.clone().unwrap_or_else(|| login.to_owned()))
            }
            Self::TagTaken { .. } => {
                Some("a release does not change: give another tag, or none for the tag of its version".to_owned())
            }
            Self::TooLarge { .. } => Some("a larger one needs --max-size".to_owned()),
            _ => None,
        }
    }

    /// Whether what came is wrong, rather than not to be had.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        matches!(self, Self::Corrupt { .. })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reference(why) => write!(f, "the place in a registry is not understood: {why}"),
            Self::Credentials { path, why } => write!(f, "{path}: {why}"),
            Self::Http { url, why } => write!(f, "{url}: {why}"),
            Self::Refused { url, status, said } if said.is_empty() => write!(f, "{url}: the registry answered {status}"),
            Self::Refused { url, status, said } => write!(f, "{url}: the registry answered {status}: {said}"),
            Self::Unauthorized { url, .. } => write!(f, "{url}: the registry wants other credentials"),
            Self::Corrupt { url, why } => write!(f, "{url}: {why}"),
            Self::TooLarge { url, size, limit } => write!(f, "{url}: its files have {size} bytes, more than {limit}"),
            Self::TagTaken { reference, there } => write!(f, "{reference} is another release already ({there})"),
            Self::Release(why) => f.write_str(why),
            Self::Io { action, path, source } => write!(f, "cannot {action} {path}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Http { why, .. } => Some(why),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
