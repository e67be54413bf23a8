//! The API itself: at most one request a second, as crates.io asks of programs, each answer kept; who does not answer is soon left alone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use camino::Utf8Path;
use tame_index::KrateName;

use super::cache::{Cache, Known};
use super::{MAX_ANSWER, NoAnswer, Part, Records, Wanted, head, is_askable, record};
use crate::base::http::{Request, Response, is_loopback};
use crate::base::text::without_credentials;
use crate::base::{Http, Timestamp};
use crate::model::registry::{CrateKey, CrateRecord, NoRecord};

/// Where the API is unless told otherwise.
pub const DEFAULT_API: &str = "https://crates.io";
/// The index of [`DEFAULT_API`], as cargo's sparse protocol reads it.
pub const DEFAULT_INDEX: &str = "https://index.crates.io";

/// crates.io's rule for programs: one request a second.
const PACE: Duration = Duration::from_secs(1);
/// The longest that a server is waited for when it asks for patience.
const MAX_WAIT: u64 = 30;
/// Requests in a row without any answer, after which no more are made.
const MAX_SILENCE: usize = 3;

/// What to ask, and with what.
pub struct ApiRequest<'a> {
    /// Base URL, without a slash at its end.
    pub api: &'a str,
    /// Base URL of the sparse index that says whether a crate is gone; `None`: that of [`DEFAULT_API`], or `index/` below another API.
    pub index: Option<&'a str>,
    /// `None`: offline, the cache alone is read.
    pub http: Option<&'a dyn Http>,
    pub cache_dir: &'a Utf8Path,
    pub now: Timestamp,
    pub crates: &'a BTreeMap<CrateKey, Wanted>,
    /// Told which crate is asked about; fragments for people.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Brings the records of these crates. Offline, crates that are not in the cache are not among them.
#[must_use]
pub fn live(request: &ApiRequest<'_>) -> Records {
    let cache = Cache::new(request.cache_dir, request.api, request.now);
    let mut server = request.http.map(|http| Server::new(request, http));
    let mut records = Records::new();
    for (place, (key, wanted)) in request.crates.iter().enumerate() {
        if let Err(gap) = is_askable(key) {
            records.insert(key.clone(), Err(gap));
            continue;
        }
        let known = cache.read(&key.name, wanted);
        let found = match (known, &mut server) {
            (Known::Whole(record), _) => Ok(record),
            (Known::Versions(record), None) => Ok(CrateRecord { owners: None, ..record }),
            (Known::Nothing, None) => continue,
            (known, Some(server)) => {
                (request.progress)(&format!(
                    "asking for owners and publishers of {} ({} of {})",
                    key.name,
                    place + 1,
                    request.crates.len()
                ));
                let found = server.record(&key.name, known);
                if let Ok(record) = &found {
                    cache.write(&key.name, wanted, record);
                }
                found
            }
        };
        records.insert(key.clone(), found);
    }
    records
}

struct Server<'a> {
    http: &'a dyn Http,
    api: &'a str,
    index: String,
    /// Whether the index is one: it answers for its own `config.json`. Only then is its 404 a word.
    index_answers: Option<bool>,
    last: Option<Instant>,
    silent: usize,
    /// Why nothing more is asked.
    given_up: Option<String>,
}

impl<'a> Server<'a> {
    fn new(request: &ApiRequest<'a>, http: &'a dyn Http) -> Self {
        let index = match request.index {
            Some(index) => index.trim_end_matches('/').to_owned(),
            None if request.api == DEFAULT_API => DEFAULT_INDEX.to_owned(),
            None => format!("{}/index", request.api),
        };
        Self { http, api: request.api, index, index_answers: None, last: None, silent: 0, given_up: None }
    }

    fn record(&mut self, name: &str, known: Known) -> Result<CrateRecord, NoRecord> {
        let found = match known {
            Known::Versions(old) => {
                head(name, &mut |part| self.part(name, part)).map(|head| CrateRecord { versions: old.versions, ..head })
            }
            Known::Whole(record) => Ok(record),
            Known::Nothing => record(name, &mut |part| self.part(name, part)),
        };
        match found {
            Err(NoRecord::NotFound) if self.is_gone_from_index(name) => Err(NoRecord::Gone),
            found => found,
        }
    }

    fn part(&mut self, name: &str, part: Part<'_>) -> Result<Vec<u8>, NoAnswer> {
        let path = format!("{}/api/v1/crates/{name}", self.api);
        let url = match part {
            Part::Crate => path,
            Part::Owners => format!("{path}/owners"),
            Part::Versions(query) => format!("{path}/versions{query}"),
        };
        let answer = self.get(&url)?;
        match answer.status {
            200 => Ok(answer.body),
            404 | 410 | 451 => Err(NoAnswer::NotFound),
            status => Err(NoAnswer::Unknown(format!("{} answered {status}", shown(self.api)))),
        }
    }

    /// One request at its time. A server that asks for patience (429, 503) gets it once.
    fn get(&mut self, url: &str) -> Result<Response, NoAnswer> {
        if let Some(why) = &self.given_up {
            return Err(NoAnswer::Unknown(why.clone()));
        }
        let mut answer = self.get_now(url)?;
        if let Some(seconds) = patience(&answer) {
            std::thread::sleep(Duration::from_secs(seconds));
            answer = self.get_now(url)?;
            if answer.status == 429 {
                self.given_up = Some(format!("{} asks for fewer requests (429)", shown(self.api)));
            }
        }
        Ok(answer)
    }

    fn get_now(&mut self, url: &str) -> Result<Response, NoAnswer> {
        if !is_loopback(url) {
            let rest = self.last.map_or(Duration::ZERO, |last| PACE.saturating_sub(last.elapsed()));
            std::thread::sleep(rest);
        }
        self.last = Some(Instant::now());
        let request = Request { url, headers: &[("accept", "application/json")], limit: MAX_ANSWER };
        match self.http.get(&request) {
            Ok(answer) => {
                self.silent = 0;
                Ok(answer)
            }
            Err(error) => {
                self.silent += 1;
                let why = format!("{}: {error}", shown(self.api));
                if self.silent >= MAX_SILENCE {
                    self.given_up = Some(why.clone());
                }
                Err(NoAnswer::Unknown(why))
            }
        }
    }

    fn is_gone_from_index(&mut self, name: &str) -> bool {
        let Ok(path) = KrateName::crates_io(name).map(|name| name.relative_path(Some('/'))) else { return false };
        self.index_answers()
            && self.get(&format!("{}/{path}", self.index)).is_ok_and(|answer| matches!(answer.status, 404 | 410 | 451))
    }

    fn index_answers(&mut self) -> bool {
        if self.index_answers.is_none() {
            let is_config = |answer: Response| {
                let config = serde_json::from_slice::<serde_json::Value>(&answer.body);
                answer.status == 200 && config.is_ok_and(|config| config.get("dl").is_some_and(serde_json::Value::is_string))
            };
            self.index_answers = Some(self.get(&format!("{}/config.json", self.index)).is_ok_and(is_config));
        }
        self.index_answers == Some(true)
    }
}

/// How long the server wants to be left alone, in seconds, within bounds.
fn patience(answer: &Response) -> Option<u64> {
    let asked = || answer.header("retry-after").and_then(|seconds| seconds.trim().parse().ok());
    match answer.status {
        429 => Some(asked().unwrap_or(5).min(MAX_WAIT)),
        503 => asked().filter(|seconds| *seconds <= MAX_WAIT),
        _ => None,
    }
}

fn shown(api: &str) -> String {
    let url = without_credentials(api);
    url.split_once("://").map_or(url.clone(), |(_, rest)| rest.to_owned())
}
