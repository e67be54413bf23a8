//! Layer 3 (IO): what is told to a code host by GitHub's API: comments, attestations, code scanning results, files of a release; and what started
//! a run of its. Bounded in time and size, repeated where that can help; a token goes to this API alone and into no message. Nothing is judged or rendered here.

pub mod assets;
pub mod attestations;
pub mod code_scanning;
pub mod comment;
pub mod event;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::attest::strict_json;
use crate::base::Http;
use crate::base::http::{self, Content, Exchange, Method, Response, is_allowed};
use crate::base::text::one_line;

/// Tries of one request.
const TRIES: u32 = 4;
/// Before the second try; doubled before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// All tries of one request together.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes a second that a body is given time for, beyond that.
const SLOWEST: u64 = 500_000;
/// Larger answers are none that this API gives.
const MAX_ANSWER: u64 = 16 << 20;
/// So much of what the host says of a refusal is shown.
const MAX_WORDS: usize = 300;

/// A repository at its host, and who asks.
pub struct Host<'a> {
    http: &'a dyn Http,
    api: String,
    repository: String,
    token: String,
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.repository, self.api)
    }
}

/// Why the host did not do it; a fragment that names what was asked, never the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The token may not: 401 or 403.
    Forbidden { what: &'static str, permission: &'static str, status: u16, why: String },
    /// It was understood and refused.
    Refused { what: &'static str, status: u16, why: String },
    /// No answer, or one that is none, repetitions included.
    NoAnswer { what: &'static str, why: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden { what, permission, status, why } => {
                write!(f, "{what}: refused ({status}{why}); the job needs `permissions: {permission}`")
            }
            Self::Refused { what, status, why } => write!(f, "{what}: refused ({status}{why})"),
            Self::NoAnswer { what, why } => write!(f, "{what}: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// One thing that is asked.
struct Ask<'r> {
    /// For people: `the attestation`.
    what: &'static str,
    /// What a token needs for it: `attestations: write`.
    permission: &'static str,
    method: Method,
    url: &'r str,
    /// Media type and bytes.
    body: Option<(&'static str, &'r [u8])>,
    /// Whether doing it twice is no harm.
    repeats: bool,
}

impl<'a> Host<'a> {
    /// `None` where the repository is none, or the API is nobody that a token may be sent to.
    #[must_use]
    pub fn new(http: &'a dyn Http, api: &str, repository: &str, token: &str) -> Option<Self> {
        let is_part = |part: &str| {
            !part.is_empty()
                && !part.bytes().all(|byte| byte == b'.')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let is_repository = repository.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name));
        let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let api = api.trim_end_matches('/').to_owned();
        let (repository, token) = (repository.to_owned(), token.to_owned());
        (is_repository && is_token && is_allowed(&api)).then_some(Self { http, api, repository, token })
    }

    fn url(&self, path: &str) -> String {
        format!("{}/repos/{}/{path}", self.api, self.repository)
    }

    /// The answer, whose status is a success.
    fn ask(&self, ask: &Ask<'_>) -> Result<Response, Error> {
        let length = ask.body.map_or(0, |(_, bytes)| bytes.len() as u64);
        let until = Instant::now() + PATIENCE + Duration::from_secs(length / SLOWEST);
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            let (error, may_pass) = match self.once(ask, until) {
                Ok(answer) if (200..300).contains(&answer.status) => return Ok(answer),
                Ok(answer) => (self.refused(ask, &answer), answer.status >= 500 || answer.status == 429),
                Err(error @ (http::Error::Unreachable(_) | http::Error::TimedOut)) => (no_answer(ask.what, &error), true),
                Err(error) => (no_answer(ask.what, &error), false),
            };
            if !may_pass || !ask.repeats || attempt == TRIES || Instant::now() + pause >= until {
                return Err(error);
            }
            std::thread::sleep(pause);
            pause *= 2;
        }
        unreachable!("the last try returns")
    }

    fn once(&self, ask: &Ask<'_>, until: Instant) -> Result<Response, http::Error> {
        let authorization = format!("Bearer {}", self.token);
        let mut headers = vec![
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", "2022-11-28"),
            ("authorization", authorization.as_str()),
        ];
        headers.extend(ask.body.map(|(media_type, _)| ("content-type", media_type)));
        let mut bytes = ask.body.map(|(_, bytes)| bytes).unwrap_or_default();
        let length = bytes.len() as u64;
        let body = ask.body.is_some().then_some(Content { length, bytes: &mut bytes });
        let within = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        self.http
            .exchange(Exchange { method: ask.method, url: ask.url, headers: &headers, body, limit: MAX_ANSWER, within })?
            .whole()
    }

    fn refused(&self, ask: &Ask<'_>, answer: &Response) -> Error {
        let Ask { what, permission, .. } = *ask;
        let status = answer.status;
        if status >= 500 || status == 429 {
            return Error::NoAnswer { what, why: format!("the host answered {status}") };
        }
        let words = strict_json::parse(&answer.body).ok();
        let words = words.as_ref().and_then(|value| value.get("message")).and_then(Value::as_str).unwrap_or_default();
        let words: String = one_line(words).replace(&self.token, "***").chars().take(MAX_WORDS).collect();
        let why = if words.is_empty() { String::new() } else { format!(": {words}") };
        match status {
            403 if answer.header("x-ratelimit-remaining") == Some("0") => {
                Error::NoAnswer { what, why: "the host was asked too often for now (403)".to_owned() }
            }
            401 | 403 => Error::Forbidden { what, permission, status, why },
            _ => Error::Refused { what, status, why },
        }
    }
}

fn no_answer(what: &'static str, error: &http::Error) -> Error {
    Error::NoAnswer { what, why: error.to_string() }
}

/// The answer's JSON.
fn json(what: &'static str, answer: &Response) -> Result<Value, Error> {
    strict_json::parse(&answer.body).map_err(|_| Error::NoAnswer { what, why: "the answer is not JSON".to_owned() })
}
