//! The protocol of registries (OCI distribution specification 1.1), as far as a release needs it: blobs, manifests, referrers, and tokens. What a
//! registry says is bounded, and where it leads to is no less safe than itself.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::Read;
use std::time::Duration;

use serde_json::Value;

use super::manifest::{IMAGE_INDEX, IMAGE_MANIFEST, Index, MAX_MANIFEST};
use super::{Credentials, Error, Reference};
use crate::attest::strict_json;
use crate::base::http::{self, Content, Exchange, Method, Stream, against, is_allowed, is_loopback, origin, redirect};
use crate::base::text::{one_line, without_credentials};
use crate::base::{Http, Sha256};

const MAX_REDIRECTS: usize = 5;
const MAX_TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
/// Largest answer that is an error or a token.
const MAX_SAID: u64 = 1 << 20;
const MAX_VALUES: usize = 10_000;
const SMALL_WITHIN: Duration = Duration::from_secs(60);
/// For bodies: long, since neither side may be silent for long.
const LARGE_WITHIN: Duration = Duration::from_secs(4 * 3600);
/// Most pages of a list of referrers.
const MAX_PAGES: usize = 50;

/// Opens a body anew for each try.
pub type Open<'o> = &'o dyn Fn() -> std::io::Result<Box<dyn Read + 'o>>;

/// A repository of a registry, asked by somebody.
pub struct Registry<'h> {
    http: &'h dyn Http,
    reference: Reference,
    credentials: Credentials,
    /// What the registry gave last.
    authorization: RefCell<Option<String>>,
    actions: &'static str,
}

/// A request, repeatable.
struct Ask<'a, 'o> {
    method: Method,
    url: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: Option<(u64, Open<'o>)>,
    limit: u64,
}

impl<'h> Registry<'h> {
    /// `writes`: whether rights to write are asked for.
    #[must_use]
    pub fn new(http: &'h dyn Http, reference: Reference, credentials: Credentials, writes: bool) -> Self {
        let actions = if writes { "pull,push" } else { "pull" };
        Self { http, reference, credentials, authorization: RefCell::new(None), actions }
    }

    /// What it was made for.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    pub(super) fn url(&self, rest: &str) -> String {
        format!("{}/v2/{}/{rest}", self.reference.base(), self.reference.repository)
    }

    /// The bytes of a manifest, by tag or digest; `None`: there is none. With a digest they have it.
    pub(super) fn manifest(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let url = self.url(&format!("manifests/{name}"));
        let accept = format!("{IMAGE_MANIFEST}, {IMAGE_INDEX}");
        let headers = [("accept", accept.as_str())];
        let answer = self.ask(&Ask { method: Method::Get, url: &url, headers: &headers, body: None, limit: MAX_MANIFEST })?;
        if answer.status == 404 {
            return Ok(None);
        }
        let answer = whole(&url, expect(&url, answer, &[200])?)?;
        if name.strip_prefix("sha256:").is_some_and(|hex| hex != Sha256::of(&answer.body).to_string()) {
            return Err(Error::Corrupt { url, why: "it does not have the digest that it was asked by".to_owned() });
        }
        Ok(Some(answer.body))
    }

    /// Puts a manifest under a tag or its digest; whether the registry took note of what it refers to.
    pub(super) fn put_manifest(&self, name: &str, media_type: &str, bytes: &[u8]) -> Result<bool, Error> {
        if bytes.len() as u64 > MAX_MANIFEST {
            return Err(Error::Release(format!(
                "its manifest has more than {MAX_MANIFEST} bytes, which registries take at most"
            )));
        }
        let url = self.url(&format!("manifests/{name}"));
        let open = || Ok(Box::new(bytes) as Box<dyn Read>);
        let body = Some((bytes.len() as u64, &open as Open<'_>));
        let headers = [("content-type", media_type)];
        let answer = self.ask(&Ask { method: Method::Put, url: &url, headers: &headers, body, limit: MAX_SAID })?;
        let answer = expect(&url, answer, &[201])?;
        Ok(answer.header("oci-subject").is_some())
    }

    /// Whether a blob is there.
    pub(super) fn has_blob(&self, digest: Sha256) -> Result<bool, Error> {
        let url = self.url(&format!("blobs/sha256:{digest}"));
        let answer = self.follow(Method::Head, &url, MAX_SAID)?;
        match answer.status {
            404 => Ok(false),
            _ => expect(&url, answer, &[200]).map(|_| true),
        }
    }

    /// Puts a blob; the registry compares it with its digest.
    pub(super) fn put_blob(&self, digest: Sha256, size: u64, open: Open<'_>) -> Result<(), Error> {
        let start = self.url("blobs/uploads/");
        let nothing = || Ok(Box::new(std::io::empty()) as Box<dyn Read>);
        let begin = Ask { method: Method::Post, url: &start, headers: &[], body: Some((0, &nothing)), limit: MAX_SAID };
        let answer = expect(&start, self.ask(&begin)?, &[202])?;
        let location = answer.header("location").and_then(|location| against(&start, location));
        let location = location.filter(|url| is_allowed(url) && is_loopback(url) == is_loopback(&start));
        let location =
            location.ok_or_else(|| Error::Corrupt { url: start.clone(), why: "it names no place to upload to".to_owned() })?;
        let join = if location.contains('?') { '&' } else { '?' };
        let url = format!("{location}{join}digest=sha256:{digest}");
        let headers = [("content-type", "application/octet-stream")];
        let answer =
            self.ask(&Ask { method: Method::Put, url: &url, headers: &headers, body: Some((size, open)), limit: MAX_SAID })?;
        expect(&url, answer, &[201]).map(drop)
    }

    /// A blob as a stream of at most `limit` bytes, not yet compared with its digest.
    pub(super) fn blob(&self, digest: Sha256, limit: u64) -> Result<Box<dyn Read + Send>, Error> {
        let url = self.url(&format!("blobs/sha256:{digest}"));
        let answer = self.follow(Method::Get, &url, limit)?;
        Ok(expect(&url, answer, &[200])?.body)
    }

    /// What refers to a manifest, as the registry lists it; `None`: it keeps no such lists.
    pub(super) fn referrers(&self, digest: Sha256) -> Result<Option<Index>, Error> {
        let mut url = self.url(&format!("referrers/sha256:{digest}"));
        let mut all = Vec::new();
        for _ in 0..MAX_PAGES {
            let headers = [("accept", IMAGE_INDEX)];
            let answer = self.ask(&Ask { method: Method::Get, url: &url, headers: &headers, body: None, limit: MAX_MANIFEST })?;
            if matches!(answer.status, 404 | 405) && all.is_empty() {
                return Ok(None);
            }
            let answer = whole(&url, expect(&url, answer, &[200])?)?;
            all.extend(Index::parse(&answer.body).map_err(|why| Error::Corrupt { url: url.clone(), why })?.manifests);
            match answer.header("link").and_then(next_page).and_then(|next| against(&url, next)) {
                Some(next) if origin(&next) == origin(&url) => url = next,
                Some(_) => return Err(Error::Corrupt { url, why: "its list goes on at another server".to_owned() }),
                None => return Ok(Some(Index::new(all))),
            }
        }
        Err(Error::Corrupt { url, why: format!("its list has more than {MAX_PAGES} pages") })
    }

    /// Asks, and follows where the answer leads to.
    fn follow(&self, method: Method, start: &str, limit: u64) -> Result<Stream, Error> {
        let mut url = start.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.ask(&Ask { method, url: &url, headers: &[], body: None, limit })?;
            match redirect(&url, answer.status, answer.header("location")).map_err(|why| failed(&url, why))? {
                Some(next) => url = next,
                None => return Ok(answer),
            }
        }
        Err(Error::Corrupt { url: without_credentials(start), why: format!("more than {MAX_REDIRECTS} redirects") })
    }

    /// Asks; with a token where one is wanted.
    fn ask(&self, ask: &Ask<'_, '_>) -> Result<Stream, Error> {
        let answer = self.ask_patiently(ask)?;
        // Credentials are for the registry itself, not for where it leads to.
        if answer.status != 401 || !self.is_own(ask.url) {
            return Ok(answer);
        }
        let challenges: Vec<_> =
            answer.headers.iter().filter(|(name, _)| name == "www-authenticate").map(|(_, value)| value.clone()).collect();
        let renewed = challenges.iter().find_map(|challenge| self.authorize(challenge).transpose()).transpose()?;
        let Some(renewed) = renewed else { return Err(self.unauthorized(ask.url)) };
        *self.authorization.borrow_mut() = Some(renewed);
        match self.ask_patiently(ask)? {
            answer if answer.status == 401 => Err(self.unauthorized(ask.url)),
            answer => Ok(answer),
        }
    }

    fn is_own(&self, url: &str) -> bool {
        origin(url) == Some(&self.reference.base())
    }

    /// Asks again where the network or the registry was at fault.
    fn ask_patiently(&self, ask: &Ask<'_, '_>) -> Result<Stream, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let outcome = self.ask_once(ask);
            let again = match &outcome {
                Ok(answer) => matches!(answer.status, 429 | 500 | 502 | 503 | 504),
                Err(Error::Http { why, .. }) => matches!(why, http::Error::Unreachable(_) | http::Error::TimedOut),
                Err(_) => false,
            };
            if !again || tries == MAX_TRIES {
                return outcome;
            }
            std::thread::sleep(PAUSE * tries);
        }
    }

    fn ask_once(&self, ask: &Ask<'_, '_>) -> Result<Stream, Error> {
        let authorization = self.authorization.borrow().clone().filter(|_| self.is_own(ask.url));
        let mut headers = ask.headers.to_vec();
        if let Some(authorization) = &authorization {
            headers.push(("authorization", authorization));
        }
        let failed_to_open = |source| Error::Io { action: "read", path: "what is to be pushed".to_owned(), source };
        let mut opened =
            ask.body.map(|(length, open)| open().map(|bytes| (length, bytes))).transpose().map_err(failed_to_open)?;
        let body = opened.as_mut().map(|(length, bytes)| Content { length: *length, bytes: &mut **bytes });
        let is_large = ask.limit > MAX_MANIFEST || ask.body.is_some_and(|(length, _)| length > MAX_MANIFEST);
        let within = if is_large { LARGE_WITHIN } else { SMALL_WITHIN };
        let exchange = Exchange { method: ask.method, url: ask.url, headers: &headers, body, limit: ask.limit, within };
        self.http.exchange(exchange).map_err(|why| failed(ask.url, why))
    }

    fn unauthorized(&self, url: &str) -> Error {
        let hint = match &self.credentials {
            Credentials::Nobody { helper: Some(program) } => Some(format!(
                "the credentials are with the program {program}, which is not started: write them into a file and set REGISTRY_AUTH_FILE"
            )),
            _ => None,
        };
        Error::Unauthorized { url: without_credentials(url), hint }
    }

    /// What to answer to a challenge; `None`: nothing that we can.
    fn authorize(&self, challenge: &str) -> Result<Option<String>, Error> {
        let Some(challenge) = Challenge::parse(challenge) else { return Ok(None) };
        match challenge {
            Challenge::Basic => Ok(self.credentials.basic()),
            Challenge::Bearer { realm, service } => {
                self.token(&realm, &service).map(|token| token.map(|token| format!("Bearer {token}")))
            }
        }
    }

    /// A token of the server that the registry names: asked as <https://distribution.github.io/distribution/spec/auth/token/> says.
    fn token(&self, realm: &str, service: &str) -> Result<Option<String>, Error> {
        let own = self.reference.base();
        if !is_allowed(realm) || (is_loopback(realm) && !is_loopback(&own)) {
            let why = "it sends to a server of tokens that is neither https nor http on this machine".to_owned();
            return Err(Error::Corrupt { url: own, why });
        }
        let scope = format!("repository:{}:{}", self.reference.repository, self.actions);
        let answer = match &self.credentials {
            Credentials::Token(token) => {
                let form = [
                    ("grant_type", "refresh_token"),
                    ("service", service),
                    ("client_id", "cargo-supplychain"),
                    ("scope", &scope),
                    ("refresh_token", token),
                ];
                let form = encoded(&form);
                let open = || Ok(Box::new(form.as_bytes()) as Box<dyn Read>);
                let headers = [("content-type", "application/x-www-form-urlencoded")];
                let body = Some((form.len() as u64, &open as Open<'_>));
                self.ask_token(&Ask { method: Method::Post, url: realm, headers: &headers, body, limit: MAX_SAID })?
            }
            other => {
                let basic = other.basic();
                let headers: Vec<_> = basic.iter().map(|basic| ("authorization", basic.as_str())).collect();
                let join = if realm.contains('?') { '&' } else { '?' };
                let url = format!("{realm}{join}{}", encoded(&[("service", service), ("scope", &scope)]));
                self.ask_token(&Ask { method: Method::Get, url: &url, headers: &headers, body: None, limit: MAX_SAID })?
            }
        };
        let Some(answer) = answer else { return Ok(None) };
        let value = strict_json::parse_within(&answer, MAX_VALUES).unwrap_or(Value::Null);
        let token = value.get("token").or_else(|| value.get("access_token")).and_then(Value::as_str);
        let is_token = |token: &&str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        match token.filter(is_token) {
            Some(token) => Ok(Some(token.to_owned())),
            None => Err(Error::Corrupt { url: without_credentials(realm), why: "it gives no token".to_owned() }),
        }
    }

    /// The server of tokens is another one: it gets what stands in the request, and never the registry's own token.
    fn ask_token(&self, ask: &Ask<'_, '_>) -> Result<Option<Vec<u8>>, Error> {
        *self.authorization.borrow_mut() = None;
        let answer = self.ask_patiently(ask)?;
        match answer.status {
            401 | 403 => Ok(None),
            _ => Ok(Some(whole(ask.url, expect(ask.url, answer, &[200])?)?.body)),
        }
    }
}

/// How a registry wants to be presented to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer { realm: String, service: String },
}

impl Challenge {
    /// Reads a `WWW-Authenticate` (RFC 9110, 11.6.1) with one challenge, as registries send it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, parameters) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (mut realm, mut service, mut rest) = (None, String::new(), parameters);
        while let Some((key, after)) = rest.split_once('=') {
            let (value, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_at(after.find(',').unwrap_or(after.len())),
            };
            match key.trim().trim_start_matches(',').trim() {
                key if key.eq_ignore_ascii_case("realm") => realm = Some(value.to_owned()),
                key if key.eq_ignore_ascii_case("service") => service = value.to_owned(),
                _ => {}
            }
            rest = after;
        }
        Some(Self::Bearer { realm: realm?, service })
    }
}

/// The URL of the next page in a `Link` header.
fn next_page(link: &str) -> Option<&str> {
    let (url, rest) = link.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("rel=\"next\"").then_some(url)
}

/// A form (`application/x-www-form-urlencoded`).
fn encoded(pairs: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in pairs {
        let _ = write!(text, "{}{key}=", if text.is_empty() { "" } else { "&" });
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(byte)),
                _ => {
                    let _ = write!(text, "%{byte:02X}");
                }
            }
        }
    }
    text
}

fn failed(url: &str, why: http::Error) -> Error {
    Error::Http { url: without_credentials(url), why }
}

fn whole(url: &str, answer: Stream) -> Result<http::Response, Error> {
    answer.whole().map_err(|why| failed(url, why))
}

fn expect(url: &str, answer: Stream, expected: &[u16]) -> Result<Stream, Error> {
    if expected.contains(&answer.status) {
        return Ok(answer);
    }
    let status = answer.status;
    let mut body = Vec::new();
    let _ = answer.body.take(MAX_SAID).read_to_end(&mut body);
    Err(Error::Refused { url: without_credentials(url), status, said: said(&body) })
}

/// The first error of an answer (`{"errors": [{"code", "message"}]}`), on one line and short.
fn said(body: &[u8]) -> String {
    let value = strict_json::parse_within(body, MAX_VALUES).unwrap_or(Value::Null);
    let Some(first) = value.get("errors").and_then(|errors| errors.get(0)) else { return String::new() };
    let text =
        |key: &str| first.get(key).and_then(Value::as_str).map(|text| one_line(text).chars().take(200).collect::<String>());
    [text("code"), text("message")].into_iter().flatten().collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read() {
        let bearer = |realm: &str, service: &str| Some(Challenge::Bearer { realm: realm.into(), service: service.into() });
        for (text, expected) in [
            ("Basic realm=\"x\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            ("Bearer realm=\"https://a/token\",service=\"s\",scope=\"repository:a,b:pull\"", bearer("https://a/token", "s")),
            ("bearer service=s, realm=\"https://a/t\"", bearer("https://a/t", "s")),
            ("Bearer realm=https://a/t", bearer("https://a/t", "")),
            ("Bearer service=\"s\"", None),
            ("Bearer realm=\"open", None),
            ("Negotiate", None),
            ("", None),
        ] {
            assert_eq!(Challenge::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn forms_pages_and_errors() {
        assert_eq!(encoded(&[("a", "b c&d"), ("scope", "repository:x/y:pull")]), "a=b%20c%26d&scope=repository%3Ax%2Fy%3Apull");
        assert_eq!(next_page("</v2/x?last=1>; rel=\"next\""), Some("/v2/x?last=1"));
        assert_eq!(next_page("</v2/x>; rel=\"prev\""), None);
        assert_eq!(said(br#"{"errors":[{"code":"DENIED","message":"no\u001b[31m"}]}"#), "DENIED: no\\u{1b}[31m");
        assert_eq!(said(b"<html>"), "");
    }
}
