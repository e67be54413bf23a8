//! Archives in object stores: S3 and what speaks like it, Google Cloud Storage, Azure. Here: which one a URL names and where its credentials come
//! from (the environment, nowhere else). The store itself is built with the cargo feature `remote-stores`; without it, [`open`] says so.

#[cfg(feature = "remote-stores")]
mod connector;
#[cfg(feature = "remote-stores")]
mod objects;
#[cfg(feature = "remote-stores")]
mod services;

use std::collections::BTreeMap;
use std::fmt;

use super::store::Store;
use crate::http::Patience;

/// Whose protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    S3,
    Google,
    Azure,
}

impl Service {
    const ALL: [(&'static str, Self); 3] = [("s3://", Self::S3), ("gs://", Self::Google), ("az://", Self::Azure)];

    fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3://",
            Self::Google => "gs://",
            Self::Azure => "az://",
        }
    }
}

/// A bucket and a prefix in it: `s3://bucket/prefix`, `gs://bucket/prefix`, `az://container/prefix`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    pub service: Service,
    pub bucket: String,
    /// Without slashes at its ends; may be empty.
    pub prefix: String,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.service.scheme(), self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

/// Whether a text names an object store rather than a folder.
#[must_use]
pub fn is_remote(text: &str) -> bool {
    Service::ALL.iter().any(|(scheme, _)| text.starts_with(scheme))
}

impl Location {
    /// Reads a URL.
    ///
    /// # Errors
    /// Why it is none, a fragment; it does not repeat the URL, in which somebody may have put a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, service) = Service::ALL.iter().find(|(scheme, _)| text.starts_with(scheme)).ok_or(NO_SCHEME)?;
        let rest = &text[scheme.len()..];
        if rest.contains('@') {
            return Err("it holds a user or password: credentials come from the environment");
        }
        if rest.contains(['?', '#']) {
            return Err("it has a query or fragment: what it says belongs into the environment");
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let is_name = |part: &str| {
            !part.is_empty()
                && part != "."
                && part != ".."
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        if !is_name(bucket) {
            return Err("its bucket is no name of letters, digits, '.', '-' and '_'");
        }
        if !prefix.is_empty() && !prefix.split('/').all(is_name) {
            return Err("its prefix is no path of names of letters, digits, '.', '-' and '_'");
        }
        Ok(Self { service: *service, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }
}

const NO_SCHEME: &str = "it begins with none of s3://, gs:// and az://";

/// What is needed to reach a store besides its URL.
#[derive(Debug, Clone, Copy)]
pub struct Options<'o> {
    /// Endpoint and region of the configuration; the environment's come before them. For S3 only: elsewhere a token would be sent to it.
    pub endpoint: Option<&'o str>,
    pub region: Option<&'o str>,
    /// The environment at start: credentials, endpoint, proxies.
    pub env: &'o BTreeMap<String, String>,
    pub patience: Patience,
}

impl<'o> Options<'o> {
    /// Those of an environment alone.
    #[must_use]
    pub fn of(env: &'o BTreeMap<String, String>) -> Self {
        Self { endpoint: None, region: None, env, patience: Patience::default() }
    }
}

/// Why a store cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The URL is none; why.
    Url(&'static str),
    /// This program was built without the feature.
    NotBuilt(Location),
    /// What environment and configuration say does not do; why.
    Configuration { location: Location, why: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(why) => write!(f, "the URL of the archive is not understood: {why}"),
            Self::NotBuilt(location) => write!(f, "{location}: this cargo-supplychain was built without remote stores"),
            Self::Configuration { location, why } => write!(f, "{location}: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Url(_) => "write s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://CONTAINER/PREFIX",
            Self::NotBuilt(_) => "install it with them: cargo install cargo-supplychain --features remote-stores",
            Self::Configuration { .. } => {
                "docs/archive-remote.md says which variables of the environment each kind of store reads"
            }
        }
    }
}

/// Opens the store that a URL names. Nothing is asked yet.
///
/// # Errors
/// [`Error`].
pub fn open(url: &str, options: &Options<'_>) -> Result<Box<dyn Store>, Error> {
    let location = Location::parse(url).map_err(Error::Url)?;
    build(location, options)
}

#[cfg(feature = "remote-stores")]
fn build(location: Location, options: &Options<'_>) -> Result<Box<dyn Store>, Error> {
    services::open(&location, options)
        .map(|store| Box::new(store) as Box<dyn Store>)
        .map_err(|why| Error::Configuration { location, why })
}

#[cfg(not(feature = "remote-stores"))]
fn build(location: Location, _options: &Options<'_>) -> Result<Box<dyn Store>, Error> {
    Err(Error::NotBuilt(location))
}

/// A store in memory that goes the way of the remote ones, for tests.
#[cfg(all(test, feature = "remote-stores"))]
pub fn in_memory() -> impl Store + Clone {
    objects::Objects::in_memory()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_a_bucket_and_a_prefix() {
        for (text, expected) in [
            ("s3://bucket/a/b", Ok("s3://bucket/a/b")),
            ("s3://bucket", Ok("s3://bucket")),
            ("gs://b.example/releases/", Ok("gs://b.example/releases")),
            ("az://container/x", Ok("az://container/x")),
            ("s3://user:secret@bucket/a", Err("it holds a user or password: credentials come from the environment")),
            ("s3://bucket/a?X-Amz-Signature=1", Err("it has a query or fragment: what it says belongs into the environment")),
            ("s3://", Err("its bucket is no name of letters, digits, '.', '-' and '_'")),
            ("s3://../a", Err("its bucket is no name of letters, digits, '.', '-' and '_'")),
            ("s3://b/../a", Err("its prefix is no path of names of letters, digits, '.', '-' and '_'")),
            ("s3://b//a", Err("its prefix is no path of names of letters, digits, '.', '-' and '_'")),
            ("s3://b/a b", Err("its prefix is no path of names of letters, digits, '.', '-' and '_'")),
            ("https://b/a", Err(NO_SCHEME)),
        ] {
            assert_eq!(Location::parse(text).map(|location| location.to_string()), expected.map(str::to_owned), "{text}");
        }
        assert!(is_remote("s3://x") && !is_remote("C:\\x") && !is_remote("folder/s3://x") && !is_remote("oci://x"));
    }

    #[cfg(not(feature = "remote-stores"))]
    #[test]
    fn without_the_feature_it_says_how_to_get_it() {
        let (env, patience) = (BTreeMap::new(), Patience::default());
        let error = open("s3://b/a", &Options { endpoint: None, region: None, env: &env, patience }).err().unwrap();
        assert_eq!(error.to_string(), "s3://b/a: this cargo-supplychain was built without remote stores");
        assert!(error.help().contains("--features remote-stores"));
    }
}
