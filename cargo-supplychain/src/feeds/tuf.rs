//! Trusted roots of Sigstore instances, renewed by The Update Framework: asked for, verified from a `root.json` that came from elsewhere, and
//! kept with what rollbacks are told by. The verification is `sigstore-tuf`'s (<https://theupdateframework.github.io/specification/>, 1.0,
//! section 5: the client workflow); here are its two ends, the network and the cache. Never judges what is in a root.

mod state;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error as TufError, Repository, StoreRepository, Updater, UpdaterConfig};

pub use state::State;

use crate::base::http::{self, Request};
use crate::base::text::plain;
use crate::base::{Http, Timestamp};

/// Names of what is fetched, as Sigstore's and GitHub's repositories have them.
const TRUSTED_ROOT: &str = "trusted_root.json";
const SIGNING_CONFIG: &str = "signing_config.v0.2.json";
/// The largest target that is fetched, in bytes.
const MAX_TARGET: u64 = 4 << 20;
/// The largest file of metadata.
const MAX_METADATA: u64 = 1 << 20;
/// So many rotations of the root in one go.
const MAX_ROTATIONS: u32 = 256;

/// An instance of Sigstore, and where its repository is.
#[derive(Debug, Clone, Copy)]
pub struct Instance<'a> {
    /// What people are shown.
    pub name: &'a str,
    /// The base of its repository.
    pub url: &'a str,
    /// A `root.json` of it, of any age: the one thing that is believed.
    pub root: &'a [u8],
}

/// Sigstore's public good instance.
pub const SIGSTORE: Instance<'static> = Instance {
    name: "sigstore.dev",
    url: "https://tuf-repo-cdn.sigstore.dev",
    root: include_bytes!("tuf/sigstore.dev.root.json"),
};
/// GitHub's own instance, for private repositories.
pub const GITHUB: Instance<'static> =
    Instance { name: "github.com", url: "https://tuf-repo.github.com", root: include_bytes!("tuf/github.com.root.json") };

/// What an instance publishes, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// `trusted_root.json`.
    pub trusted_root: Vec<u8>,
    /// `signing_config.v0.2.json`; not every instance has one.
    pub signing_config: Option<Vec<u8>>,
    /// When the repository's word that this is the newest ends.
    pub current_until: Timestamp,
    /// Version of the repository's root.
    pub root_version: u64,
    /// Version of its timestamp: raised with whatever changes.
    pub version: u64,
}

/// Why nothing was renewed; what was trusted before still is. Fragments that name the URL or path.
#[derive(Debug)]
pub enum Error {
    /// No answer, or none that can be used.
    Unavailable { url: String, why: String },
    /// What the repository says is older than it may be: it is held back, or nobody tends it.
    Expired { url: String, why: String },
    /// It is not what its signers said: a rollback, a wrong signature, another file.
    Rejected { url: String, why: String },
    /// It could not be kept.
    Unwritable { path: Utf8PathBuf, source: std::io::Error },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable { url, why } => write!(f, "cannot renew the trusted root of {}: {why}", plain(url)),
            Self::Expired { url, why } => write!(f, "the repository of trusted roots {} is out of date: {why}", plain(url)),
            Self::Rejected { url, why } => {
                write!(f, "the repository of trusted roots {} is not to be believed: {why}", plain(url))
            }
            Self::Unwritable { path, source } => write!(f, "cannot write the trusted root {path}: {source}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Unwritable { source, .. } = self { Some(source) } else { None }
    }
}

/// What was fetched last, verified again from the instance's root; whether it is still current is for the caller to judge. Asks nobody.
#[must_use]
pub fn cached(cache_dir: &Utf8Path, instance: &Instance<'_>) -> Option<Trusted> {
    kept(&State::read(&state::path(cache_dir, instance.url)), instance)
}

/// What a kept state proves, without a question of its age: that is `current_until`.
#[must_use]
pub fn kept(state: &State, instance: &Instance<'_>) -> Option<Trusted> {
    let store = Arc::new(state::Memory::new(state.complete.clone()));
    let updater = Updater::new(StoreRepository::new(Arc::clone(&store)), instance.root).ok()?;
    // Before any expiry: what is asked here is who signed it and that it fits together.
    run(updater.with_config(limits()).with_store(store), jiff::Timestamp::UNIX_EPOCH).ok()
}

/// How a repository is asked.
pub struct Question<'a> {
    pub http: Box<dyn Http + Send>,
    pub cache_dir: &'a Utf8Path,
    pub instance: Instance<'a>,
    pub now: Timestamp,
    /// After it no further request is begun.
    pub within: Duration,
    /// Whether what was fetched can be used: what cannot does not take the place of what can; why, a fragment.
    pub is_usable: &'a dyn Fn(&Trusted) -> Result<(), String>,
}

/// Renews what is trusted of an instance, and keeps it. Versions only go up: those of a renewal that failed half-way count as well.
///
/// # Errors
/// Why there is nothing newer to trust.
pub fn refresh(question: Question<'_>) -> Result<Trusted, Error> {
    let Question { http, cache_dir, instance, now, within, is_usable } = question;
    let url = instance.url.to_owned();
    let path = state::path(cache_dir, &url);
    let mut state = State::read(&path);
    let store = Arc::new(state::Memory::new(std::mem::take(&mut state.latest)));
    let remote = Remote { http, base: url.trim_end_matches('/').to_owned(), until: Instant::now() + within };
    let instant = jiff::Timestamp::from_second(now.unix())
        .map_err(|_| Error::Unavailable { url: url.clone(), why: "the clock is wrong".into() })?;
    let outcome = Updater::new(remote, instance.root)
        .and_then(|updater| run(updater.with_config(limits()).with_store(Arc::clone(&store)), instant))
        .map_err(|error| of_library(&url, &error))
        .and_then(|trusted| match is_usable(&trusted) {
            Ok(()) => Ok(trusted),
            Err(why) => Err(Error::Unavailable { url: url.clone(), why: format!("what it publishes cannot be used: {why}") }),
        });
    state.latest = store.files();
    if outcome.is_ok() {
        state.complete = state.latest.clone();
    }
    state.write(&path).map_err(|source| Error::Unwritable { path, source })?;
    outcome
}

fn limits() -> UpdaterConfig {
    let mut limits = UpdaterConfig::default();
    limits.snapshot_max_length = MAX_METADATA;
    limits.targets_max_length = MAX_METADATA;
    limits.target_max_length = MAX_TARGET;
    limits.max_root_rotations = MAX_ROTATIONS;
    limits
}

fn run(mut updater: Updater, now: jiff::Timestamp) -> Result<Trusted, TufError> {
    ready(updater.refresh(now))?;
    let trusted_root = ready(updater.get_target(TRUSTED_ROOT, now))?;
    let signing_config = match ready(updater.get_target(SIGNING_CONFIG, now)) {
        Ok(bytes) => Some(bytes),
        Err(TufError::TargetNotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let trusted = updater.trusted();
    let timestamp = trusted.timestamp().ok_or(TufError::NotRefreshed)?;
    let current_until = Timestamp::from_unix(timestamp.expires.as_second()).ok_or(TufError::NotRefreshed)?;
    let (root_version, version) = (trusted.root().version, timestamp.version);
    Ok(Trusted { trusted_root, signing_config, current_until, root_version, version })
}

/// The library is written for a runtime; what it waits for here, [`Remote`] and the store, is there at once.
fn ready<T>(future: impl Future<Output = Result<T, TufError>>) -> Result<T, TufError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => Err(TufError::transport("nothing to wait for")),
    }
}

fn of_library(url: &str, error: &TufError) -> Error {
    let mut words = plain(&error.to_string()).into_owned();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        words = format!("{words}: {}", plain(&cause.to_string()));
        source = cause.source();
    }
    let (url, why) = (url.to_owned(), words);
    match error {
        TufError::Transport { message, .. } => Error::Unavailable { url, why: plain(message).into_owned() },
        TufError::Expired { .. } => Error::Expired { url, why },
        _ => Error::Rejected { url, why },
    }
}

/// The repository, asked by our own client.
struct Remote {
    http: Box<dyn Http + Send>,
    base: String,
    until: Instant,
}

impl Remote {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, TufError> {
        if Instant::now() >= self.until {
            return Err(TufError::transport("no answer in time"));
        }
        let url = format!("{}/{path}", self.base);
        match self.http.get(&Request { url: &url, headers: &[], limit }) {
            Ok(answer) if answer.status == 200 => Ok(Some(answer.body)),
            // Stores of files answer both for what is not there.
            Ok(answer) if matches!(answer.status, 403 | 404) => Ok(None),
            Ok(answer) => Err(TufError::transport(format!("{path}: HTTP status {}", answer.status))),
            Err(http::Error::TooLarge(limit)) => Err(TufError::IntegrityMismatch(format!("{path} has more than {limit} bytes"))),
            Err(error) => Err(TufError::transport(format!("{path}: {error}"))),
        }
    }
}

impl Repository for Remote {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        let outcome = self.get(name, max_length);
        Box::pin(async move { outcome })
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        let outcome = self.get(&format!("targets/{path}"), max_length);
        Box::pin(async move { outcome })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_roots_are_whole() {
        for instance in [SIGSTORE, GITHUB] {
            let set = sigstore_tuf::TrustedMetadataSet::from_root(instance.root).unwrap();
            assert!(set.root().consistent_snapshot && set.root().role("root").unwrap().threshold >= 3, "{}", instance.name);
            assert!(http::is_allowed(instance.url));
            assert_eq!(kept(&State::default(), &instance), None);
        }
    }
}
