//! What asking a server is to the rest of the code: [`Http`]. A seam, so that what asks can be tried without a network; the real one is
//! `crate::http`. And which URLs are asked at all.

use std::fmt;
use std::io::Read;
use std::time::Duration;

/// A GET.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    pub url: &'r str,
    /// Besides those that every request has.
    pub headers: &'r [(&'r str, &'r str)],
    /// The largest body, in bytes as they are used (after decompression); a larger one is [`Error::TooLarge`].
    pub limit: u64,
}

/// A request that has to be answered by a deadline, and may bring something; redirects are answers like others.
#[derive(Debug, Clone, Copy)]
pub struct Call<'r> {
    pub request: Request<'r>,
    /// A POST of these bytes; none: a GET.
    pub body: Option<&'r [u8]>,
    /// The whole of it, connection and body included.
    pub within: Duration,
}

/// Any answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    /// Names in lower case, in the order of the answer; values that are not text are left out.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// What is done at a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Put,
    Post,
    Patch,
    Delete,
}

impl Method {
    /// As HTTP writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request of any method whose bodies are streams, for what may be large; redirects are answers like others.
pub struct Exchange<'r> {
    pub method: Method,
    pub url: &'r str,
    pub headers: &'r [(&'r str, &'r str)],
    pub body: Option<Content<'r>>,
    /// The largest body of the answer, in bytes: reading on fails.
    pub limit: u64,
    /// The whole of it. Besides, neither side may be silent for long.
    pub within: Duration,
}

/// What a request brings: exactly this many bytes.
pub struct Content<'r> {
    pub length: u64,
    pub bytes: &'r mut dyn Read,
}

/// Any answer, whatever its status; its body is still to be read.
pub struct Stream {
    pub status: u16,
    /// As in [`Response::headers`].
    pub headers: Vec<(String, String)>,
    pub body: Box<dyn Read + Send>,
}

impl Stream {
    /// The first header of this name, which is in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The whole answer; the limit of the request holds.
    ///
    /// # Errors
    /// The body breaks off, is too late or too large.
    pub fn whole(mut self) -> Result<Response, Error> {
        let mut body = Vec::new();
        self.body.read_to_end(&mut body).map_err(|error| match error.kind() {
            std::io::ErrorKind::TimedOut => Error::TimedOut,
            _ => Error::Unreachable(super::text::one_line(&error.to_string())),
        })?;
        Ok(Response { status: self.status, headers: self.headers, body })
    }
}

/// Why there is no answer. The text names neither URL nor credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// The URL (or where it redirects to) is none that is asked: [`is_allowed`].
    Refused,
    /// No connection, a broken one, a certificate that does not hold: why.
    Unreachable(String),
    TimedOut,
    /// The body has more bytes than this.
    TooLarge(u64),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("neither https nor http on this machine"),
            Self::Unreachable(why) => write!(f, "not reachable: {why}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::TooLarge(limit) => write!(f, "the answer is larger than the limit of {limit} bytes"),
        }
    }
}

impl std::error::Error for Error {}

/// Asks a server.
pub trait Http: Sync {
    fn get(&self, request: &Request<'_>) -> Result<Response, Error>;

    /// By default refused: most that are asked are only read from.
    fn call(&self, _call: &Call<'_>) -> Result<Response, Error> {
        Err(Error::Refused)
    }

    /// By default refused, as [`Http::call`].
    fn exchange(&self, _exchange: Exchange<'_>) -> Result<Stream, Error> {
        Err(Error::Refused)
    }
}

/// Where an answer leads to: `None` where it does not; an error where that is less safe than what was asked: from https to http, from this
/// machine away from it or the other way round, or no URL that is asked.
///
/// # Errors
/// [`Error::Refused`].
pub fn redirect(url: &str, status: u16, location: Option<&str>) -> Result<Option<String>, Error> {
    let (true, Some(location)) = (matches!(status, 301 | 302 | 303 | 307 | 308), location) else { return Ok(None) };
    let next = against(url, location).ok_or(Error::Refused)?;
    match is_allowed(&next) && scheme(&next) == scheme(url) && is_loopback(&next) == is_loopback(url) {
        true => Ok(Some(next)),
        false => Err(Error::Refused),
    }
}

/// An absolute URL, or an absolute path of the same server, as an absolute URL.
#[must_use]
pub fn against(url: &str, location: &str) -> Option<String> {
    if location.starts_with('/') && !location.starts_with("//") {
        return Some(format!("{}{location}", origin(url)?));
    }
    Some(location.to_owned())
}

/// `https://host:port`.
#[must_use]
pub fn origin(url: &str) -> Option<&str> {
    let start = url.find("://")? + 3;
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    Some(&url[..end])
}

fn scheme(url: &str) -> &str {
    url.split_once("://").map_or("", |(scheme, _)| scheme)
}

/// Whether a URL is asked: https, and http on this machine only, where nobody stands between.
#[must_use]
pub fn is_allowed(url: &str) -> bool {
    let is_text = !url.contains(|one: char| one.is_whitespace() || one.is_control() || one == '\\');
    match url.split_once("://") {
        Some(("https", rest)) => is_text && host(rest).is_some(),
        Some(("http", _)) => is_text && is_loopback(url),
        _ => false,
    }
}

/// Whether the URL leads to this machine.
#[must_use]
pub fn is_loopback(url: &str) -> bool {
    let Some(host) = url.split_once("://").and_then(|(_, rest)| host(rest)) else { return false };
    let is_own_address = |host: &str| host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback());
    host == "localhost" || host == "[::1]" || is_own_address(host)
}

/// The host after `scheme://`, without user and port; `None` where there is none.
fn host(rest: &str) -> Option<&str> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.find(']') {
        Some(end) => &host[..=end],
        None => host.split(':').next().unwrap_or_default(),
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_on_this_machine() {
        for (url, allowed, loopback) in [
            ("https://crates.io", true, false),
            ("https://user:pw@crates.io:8443/api?x=1", true, false),
            ("http://crates.io", false, false),
            ("http://127.0.0.1:8080/api", true, true),
            ("http://127.9.9.9/", true, true),
            ("http://localhost:1", true, true),
            ("http://[::1]:80/x", true, true),
            ("https://127.0.0.1/", true, true),
            // What only looks like this machine.
            ("http://127.0.0.1.example.org/", false, false),
            ("http://localhost.example.org/", false, false),
            ("http://127.0.0.1@example.org/", false, false),
            ("http://example.org#@127.0.0.1", false, false),
            ("http://example.org/?@127.0.0.1", false, false),
            ("http://0.0.0.0/", false, false),
            ("http://example.org\\@127.0.0.1/", false, true),
            ("https://", false, false),
            ("https:///x", false, false),
            ("https://a b/", false, false),
            ("https://crates.io/\r\nX: y", false, false),
            ("file:///etc/passwd", false, false),
            ("crates.io", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_allowed(url), is_loopback(url)), (allowed, loopback), "{url:?}");
        }
    }
}
