//! Attestations of a file from the API of GitHub, for `verify`: asked for by repository and digest, without a login, within bounds of number,
//! size and time. What comes back proves nothing: each bundle is judged by `verify` like one that lay beside the file.

pub mod answer;
mod cache;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use camino::Utf8Path;

use crate::attest::MAX_BUNDLE_BYTES;
use crate::base::http::{self, Request, Response, is_allowed, is_loopback};
use crate::base::text::without_credentials;
use crate::base::{Http, Sha256, Timestamp};
use answer::{PER_PAGE, Place};
use cache::Cache;

const DEFAULT_SERVER: &str = "https://github.com";
const DEFAULT_API: &str = "https://api.github.com";
/// Most bundles of one file.
pub const MAX_BUNDLES: usize = 500;
/// Most bytes of them together.
const MAX_BYTES: usize = 128 << 20;
/// Largest page.
const MAX_PAGE: u64 = 32 << 20;
/// How long all requests for one file may take together.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the API is, and for which repositories. Only the user says it, never a file of the repository, which could have a token sent
/// elsewhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Api {
    /// Base URL of what it hosts; `None`: of anything.
    server: Option<String>,
    base: String,
    /// Sent to this API alone. Never shown.
    token: Option<String>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {:?}, token: {}", self.base, self.server, self.token.is_some())
    }
}

impl Api {
    /// `GITHUB_SERVER_URL`, `GITHUB_API_URL`, and `GH_TOKEN` or `GITHUB_TOKEN`; else github.com, without a token. The API of another server
    /// is below its `/api/v3`. `given` takes the API's place; the token, which is for the other one, is not sent there.
    #[must_use]
    pub fn of(env: &BTreeMap<String, String>, given: Option<&str>) -> Self {
        let var = |name| env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        if let Some(base) = given {
            return Self { server: None, base: base.trim_end_matches('/').to_owned(), token: None };
        }
        let url = |name| var(name).map(|url| url.trim_end_matches('/').to_owned());
        let server = url("GITHUB_SERVER_URL").unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let of_server = || if server == DEFAULT_SERVER { DEFAULT_API.to_owned() } else { format!("{server}/api/v3") };
        let base = url("GITHUB_API_URL").unwrap_or_else(of_server);
        let token = var("GH_TOKEN").or_else(|| var("GITHUB_TOKEN"));
        let token = token.filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()) && is_allowed(&base));
        Self { server: Some(server), token: token.map(str::to_owned), base }
    }

    /// `OWNER/NAME` of a repository that it hosts, from `https://HOST/OWNER/NAME`.
    #[must_use]
    pub fn hosts<'r>(&self, repository: &'r str) -> Option<&'r str> {
        let path = match &self.server {
            Some(server) => repository.strip_prefix(server.as_str())?.strip_prefix('/')?,
            None => repository.strip_prefix("https://")?.split_once('/')?.1,
        };
        // One slash: it goes into a URL of ours as it is, and an identity policy has looked at its letters.
        (path.matches('/').count() == 1).then_some(path)
    }

    /// The server, for people.
    #[must_use]
    pub fn shown(&self) -> String {
        let url = without_credentials(&self.base);
        url.split_once("://").map_or(url.clone(), |(_, rest)| rest.to_owned())
    }
}

/// What to ask, and with what.
pub struct AttestationRequest<'a> {
    pub api: &'a Api,
    /// `None`: offline, the cache alone is read.
    pub http: Option<&'a dyn Http>,
    pub cache_dir: &'a Utf8Path,
    pub now: Timestamp,
    /// `OWNER/NAME`.
    pub repository: &'a str,
    pub digest: Sha256,
}

/// What the API knows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The server, for people.
    pub from: String,
    /// When it was asked.
    pub asked: Timestamp,
    /// Each with its place, for people; in the API's order.
    pub bundles: Vec<(String, Vec<u8>)>,
    /// Whether there were more than are read.
    pub has_more: bool,
}

/// Why it is not known whether there are attestations; a fragment that names the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// 429, or 403 with nothing left: asked too often.
    RateLimit { server: String, with_token: bool },
    /// 401 or 403.
    Refused { server: String, status: u16, with_token: bool },
    /// Another status.
    Status { server: String, status: u16 },
    /// No answer, or one that is none.
    NoAnswer { server: String, why: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateLimit { server, .. } => write!(f, "{server} answers no more requests for a while"),
            Self::Refused { server, status, .. } => write!(f, "{server} refused to answer ({status})"),
            Self::Status { server, status } => write!(f, "{server} answered {status}"),
            Self::NoAnswer { server, why } => write!(f, "{server}: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// Asks for the attestations of a file. Without any, the list is empty: the API does not tell a repository that has none of it from
/// one that is not there. Offline, `None` where it was not asked before.
///
/// # Errors
/// Why it is not known.
pub fn fetch(request: &AttestationRequest<'_>) -> Result<Option<Fetched>, Error> {
    let cache = Cache::new(request.cache_dir, &request.api.base, request.repository);
    let Some(http) = request.http else { return Ok(cache.read(request.digest, &request.api.shown())) };
    let mut asker = Asker { request, http, until: Instant::now() + PATIENCE, bytes: 0, bundles: Vec::new() };
    let has_more = asker.pages()?;
    let Asker { bundles, .. } = asker;
    let fetched = Fetched { from: request.api.shown(), asked: request.now, bundles, has_more };
    if !fetched.bundles.is_empty() {
        cache.write(request.digest, &fetched);
    }
    Ok(Some(fetched))
}

struct Asker<'a> {
    request: &'a AttestationRequest<'a>,
    http: &'a dyn Http,
    until: Instant,
    bytes: usize,
    bundles: Vec<(String, Vec<u8>)>,
}

impl Asker<'_> {
    /// Whether there are more than were read.
    fn pages(&mut self) -> Result<bool, Error> {
        let AttestationRequest { api, repository, digest, .. } = self.request;
        let path = format!("{}/repos/{repository}/attestations/sha256:{digest}", api.base);
        let mut query = format!("?per_page={PER_PAGE}");
        for _ in 0..MAX_BUNDLES.div_ceil(PER_PAGE) {
            let answer = self.get(&format!("{path}{query}"), true, MAX_PAGE)?;
            let next = match answer.status {
                200 => answer::next_query(answer.header("link").unwrap_or_default()).map_err(|why| self.no_answer(why))?,
                404 if self.bundles.is_empty() => return Ok(false),
                _ => return Err(self.status(&answer)),
            };
            for place in answer::page(&answer.body).map_err(|why| self.no_answer(why))? {
                if self.bundles.len() == MAX_BUNDLES {
                    return Ok(true);
                }
                self.keep(place)?;
            }
            match next {
                None => return Ok(false),
                Some(next) if next == query => return Err(self.no_answer("a page leads to itself")),
                Some(next) => query = next,
            }
        }
        Ok(true)
    }

    fn keep(&mut self, place: Place) -> Result<(), Error> {
        let number = self.bundles.len() + 1;
        let shown = format!("{}#{number}", self.request.api.shown());
        let bytes = match (place.url, place.inline) {
            (None, Some(inline)) => inline,
            (Some(url), inline) => match (self.bundle(&url), inline) {
                (Ok(bundle), _) => bundle,
                (Err(_), Some(inline)) => inline,
                (Err(error), None) => return Err(error),
            },
            (None, None) => return Ok(()),
        };
        self.bytes += bytes.len();
        if self.bytes > MAX_BYTES {
            return Err(self.no_answer("it offers more bytes of bundles than are read"));
        }
        self.bundles.push((shown, bytes));
        Ok(())
    }

    /// A bundle that lies elsewhere: asked for without credentials, and never on this machine for a server that is not.
    fn bundle(&self, url: &str) -> Result<Vec<u8>, Error> {
        if !is_allowed(url) || is_loopback(url) && !is_loopback(&self.request.api.base) {
            return Err(self.no_answer("the address of a bundle is not one that is asked"));
        }
        let answer = self.get(url, false, MAX_BUNDLE_BYTES as u64)?;
        if answer.status != 200 {
            return Err(self.no_answer(&format!("a bundle is not where it is said to be ({})", answer.status)));
        }
        answer::bundle(&answer.body).map_err(|why| self.no_answer(&format!("where its bundles are: {why}")))
    }

    fn get(&self, url: &str, is_api: bool, limit: u64) -> Result<Response, Error> {
        if Instant::now() >= self.until {
            return Err(self.no_answer("its answers take too long"));
        }
        let token = self.request.api.token.as_ref().filter(|_| is_api).map(|token| format!("Bearer {token}"));
        let mut headers = vec![];
        if is_api {
            headers.extend([("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")]);
        }
        headers.extend(token.as_deref().map(|token| ("authorization", token)));
        let answer = self.http.get(&Request { url, headers: &headers, limit });
        answer.map_err(|error: http::Error| self.no_answer(&error.to_string()))
    }

    fn status(&self, answer: &Response) -> Error {
        let (server, with_token) = (self.request.api.shown(), self.request.api.token.is_some());
        let is_limit =
            |answer: &Response| answer.header("x-ratelimit-remaining") == Some("0") || answer.header("retry-after").is_some();
        match answer.status {
            429 => Error::RateLimit { server, with_token },
            403 if is_limit(answer) => Error::RateLimit { server, with_token },
            status @ (401 | 403) => Error::Refused { server, status, with_token },
            status => Error::Status { server, status },
        }
    }

    fn no_answer(&self, why: &str) -> Error {
        Error::NoAnswer { server: self.request.api.shown(), why: why.to_owned() }
    }
}
