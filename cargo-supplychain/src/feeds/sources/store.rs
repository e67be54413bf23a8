//! Sources that have a URL: asked for with the conditions of HTTP (RFC 9110, section 13), kept whole, and never replaced by what is broken, of a day
//! that has not come, or older than what is there. What is kept is the parsed form and what the server said of its state.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};

use super::{Error, Source, Surroundings, format, intake, opened, parse};
use crate::advisory::FeedInfo;
use crate::base::http::{Exchange, Method, Response, is_allowed, redirect};
use crate::base::text::without_credentials;
use crate::base::{Http, Sha256};
use crate::feeds::parsed::Room;
use crate::files;
use crate::model::feed::FeedKind;

/// A source that was asked for within so many seconds is not asked for again.
const REFRESH_SECONDS: i64 = 24 * 60 * 60;
/// An answer takes no longer.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
const MAX_REDIRECTS: usize = 5;
const MAX_STATE: u64 = 64 << 10;

/// The real clock on purpose: this is about load on the network, not a judgement that `--now` could shift.
fn unix_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

/// What is known of the copy.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct State {
    url: String,
    /// Of the answer, unpacked: the name of its parsed form.
    key: Sha256,
    etag: Option<String>,
    last_modified: Option<String>,
    /// By the clock, in seconds since 1970.
    asked: i64,
    /// What the server offered last, where that is older than the copy.
    rolled_back: Option<String>,
}

fn path(cache_dir: &Utf8Path, kind: FeedKind, url: &str) -> Utf8PathBuf {
    let name = Sha256::of(url).to_string();
    cache_dir.join("sources").join(format!("{kind}-{}.json", &name[..16]))
}

fn state(kind: FeedKind, url: &str, with: &Surroundings<'_>) -> Option<State> {
    let bytes = files::read(&path(with.cache_dir, kind, url), MAX_STATE).ok()?;
    serde_json::from_slice::<State>(&bytes).ok().filter(|state| state.url == without_credentials(url))
}

fn room(kind: FeedKind, with: &Surroundings<'_>) -> Room {
    Room::new(with.cache_dir, kind.as_str(), super::FORMAT)
}

fn source_of(kind: FeedKind, state: &State, with: &Surroundings<'_>) -> Option<Source> {
    let source = opened(kind, room(kind, with).read(state.key)?, with.now).ok()?;
    Some(Source { rolled_back: state.rolled_back.clone(), ..source })
}

/// The copy as it is.
pub(super) fn kept(kind: FeedKind, url: &str, with: &Surroundings<'_>) -> Option<Source> {
    source_of(kind, &state(kind, url, with)?, with)
}

/// The copy, renewed when it is a day old. One that cannot be renewed is used as it is, which is said; its age is judged later.
pub(super) fn bring(kind: FeedKind, url: &str, with: &Surroundings<'_>) -> Result<Source, Error> {
    let shown = without_credentials(url);
    if !is_allowed(url) {
        return Err(Error::NotFound { place: shown, why: "neither https nor http on this machine".to_owned() });
    }
    let before = state(kind, url, with);
    let copy = before.as_ref().and_then(|state| source_of(kind, state, with));
    let age = before.as_ref().map(|state| unix_seconds() - state.asked);
    let is_recent = age.is_some_and(|age| (0..REFRESH_SECONDS).contains(&age)) && !with.renew;
    let Some(http) = with.http.filter(|_| copy.is_none() || !is_recent) else {
        let why = format!("no copy of the {} {shown} in the cache, and the network may not be used", kind.name());
        let help = format!("run `cargo supplychain fetch` once without `--offline`, or name a file with `--feed {kind}=PATH`");
        return copy.ok_or(Error::Unavailable { why, help });
    };
    (with.progress)(&format!("fetching the {} {shown}", kind.name()));
    match renew(http, kind, url, before.filter(|_| copy.is_some()), copy.as_ref().map(|copy| &copy.info), with) {
        Ok(state) => source_of(kind, &state, with).ok_or_else(|| Error::Unavailable {
            why: format!("the {} {shown} cannot be kept in the cache {}", kind.name(), with.cache_dir),
            help: "name another cache with `--cache-dir DIR`".to_owned(),
        }),
        Err(why) if copy.is_some() => {
            (with.progress)(&format!("could not renew the {} {shown}: {why}; using the copy in the cache", kind.name()));
            copy.ok_or_else(|| Error::Unavailable { why, help: String::new() })
        }
        Err(why) => Err(Error::Unavailable {
            why: format!("cannot fetch the {} {shown}: {why}", kind.name()),
            help: format!("check the network, or name a file with `--feed {kind}=PATH`"),
        }),
    }
}

/// Asks, and keeps what is new and not older.
fn renew(
    http: &dyn Http,
    kind: FeedKind,
    url: &str,
    before: Option<State>,
    copy: Option<&FeedInfo>,
    with: &Surroundings<'_>,
) -> Result<State, String> {
    let limit = format(kind).limit;
    let answer = ask(http, url, before.as_ref(), limit)?;
    let asked = unix_seconds();
    let state = match (answer.status, before) {
        (304, Some(before)) => State { asked, ..before },
        (200, before) => {
            let header = |name: &str| answer.header(name).map(str::to_owned);
            let (etag, last_modified) = (header("etag"), header("last-modified"));
            let shown = without_credentials(url);
            let files = intake::unpack(shown.rsplit('/').next().unwrap_or_default(), answer.body, limit)?;
            let key = intake::digest(&files);
            let table = parse(kind, &shown, &files, key, with.now)?;
            let info: Option<FeedInfo> = table.header();
            let date = info.and_then(|info| info.date);
            match (before, copy.and_then(|copy| copy.date), date) {
                (Some(before), Some(had), Some(got)) if got < had => {
                    let offered = format!("the server offers {} of {}, the copy is of {}", kind.name(), got.date(), had.date());
                    (with.progress)(&format!("{offered}: not taken"));
                    State { asked, rolled_back: Some(offered), ..before }
                }
                _ => {
                    room(kind, with).write(key, &table);
                    State { url: shown, key, etag, last_modified, asked, rolled_back: None }
                }
            }
        }
        (status, _) => return Err(format!("the server answers {status}")),
    };
    let text = serde_json::to_vec(&state).map_err(|error| error.to_string())?;
    files::write(&path(with.cache_dir, kind, url), &text).map_err(|error| format!("cannot write the cache: {error}"))?;
    Ok(state)
}

fn ask(http: &dyn Http, url: &str, before: Option<&State>, limit: u64) -> Result<Response, String> {
    let mut headers = Vec::new();
    if let Some(before) = before {
        headers.extend(before.etag.as_deref().map(|etag| ("if-none-match", etag)));
        headers.extend(before.last_modified.as_deref().map(|time| ("if-modified-since", time)));
    }
    let mut url = url.to_owned();
    for _ in 0..=MAX_REDIRECTS {
        let exchange = Exchange { method: Method::Get, url: &url, headers: &headers, body: None, limit, within: PATIENCE };
        let answer = http.exchange(exchange).map_err(|error| error.to_string())?;
        match redirect(&url, answer.status, answer.header("location")).map_err(|error| error.to_string())? {
            Some(next) => url = next,
            None => return answer.whole().map_err(|error| error.to_string()),
        }
    }
    Err(format!("more than {MAX_REDIRECTS} redirects"))
}
