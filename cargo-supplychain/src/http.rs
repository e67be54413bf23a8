//! Layer 3, its ground floor (IO): a server is asked. TLS with the system's certificates, proxies of the environment at start, bounded in
//! time and size; redirects stay as safe as the request was. Knows nothing of what is asked.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Proxy};

use crate::base::Http;
use crate::base::http::{Call, Error, Exchange, Request, Response, Stream, is_allowed, is_loopback, origin, redirect};
use crate::base::text::one_line;

/// Who asks: crates.io's data access policy wants a name and a way to reach its people.
const USER_AGENT: &str = concat!("cargo-supplychain/", env!("CARGO_PKG_VERSION"), " (", env!("CARGO_PKG_REPOSITORY"), ")");
const MAX_REDIRECTS: usize = 5;
const MAX_HEADER: usize = 64 << 10;
/// How long either side of an [`Exchange`] may be silent.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// How long an answer may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Name, connection and TLS.
    pub connect: Duration,
    /// The whole of a request, body included.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), whole: Duration::from_secs(60) }
    }
}

/// The real [`Http`].
pub struct Client {
    proxy: Option<Proxy>,
    patience: Patience,
    /// Made when something is asked: reading the system's certificates takes milliseconds.
    agent: OnceLock<Agent>,
    /// Asks servers on this machine, which no proxy can reach.
    local: OnceLock<Agent>,
}

impl Client {
    /// A client with the proxies that these variables name (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, in either case).
    #[must_use]
    pub fn new(env: &BTreeMap<String, String>, patience: Patience) -> Self {
        Self { proxy: proxy(env), patience, agent: OnceLock::new(), local: OnceLock::new() }
    }

    fn agent(&self, url: &str) -> &Agent {
        match is_loopback(url) {
            true => self.local.get_or_init(|| agent(self.patience, None)),
            false => self.agent.get_or_init(|| agent(self.patience, self.proxy.clone())),
        }
    }

    fn run(
        &self,
        url: &str,
        request: ureq::http::Request<ureq::SendBody<'_>>,
        within: Duration,
    ) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let (agent, silence) = (self.agent(url), Some(MAX_SILENCE.min(within)));
        let config = agent.configure_request(request).timeout_connect(Some(self.patience.connect.min(within)));
        let config = config.timeout_global(Some(within)).timeout_recv_response(silence);
        agent.run(config.timeout_per_read(silence).timeout_per_write(silence).build())
    }

    fn get_one(&self, url: &str, request: &Request<'_>) -> Result<Response, Error> {
        let mut call = self.agent(url).get(url);
        // Credentials are for the server that was asked, not for one that it redirects to.
        let is_other = origin(url) != origin(request.url);
        for (name, value) in request.headers.iter().filter(|(name, _)| !(is_other && name.eq_ignore_ascii_case("authorization")))
        {
            call = call.header(*name, *value);
        }
        read(call.call().map_err(|error| told(error, request.limit))?, request.limit)
    }
}

fn read(mut answer: ureq::http::Response<ureq::Body>, limit: u64) -> Result<Response, Error> {
    let headers = answer.headers().iter();
    let headers = headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let (status, headers) = (answer.status().as_u16(), headers.collect());
    let body = answer.body_mut().with_config().limit(limit).read_to_vec();
    Ok(Response { status, headers, body: body.map_err(|error| told(error, limit))? })
}

impl Http for Client {
    fn get(&self, request: &Request<'_>) -> Result<Response, Error> {
        let mut url = request.url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            if !is_allowed(&url) {
                return Err(Error::Refused);
            }
            let answer = self.get_one(&url, request)?;
            match redirect(&url, answer.status, answer.header("location"))? {
                Some(next) => url = next,
                None => return Ok(answer),
            }
        }
        Err(Error::Unreachable(format!("more than {MAX_REDIRECTS} redirects")))
    }

    fn call(&self, call: &Call<'_>) -> Result<Response, Error> {
        let Call { request, body, within } = call;
        if !is_allowed(request.url) {
            return Err(Error::Refused);
        }
        let (agent, limit) = (self.agent(request.url), request.limit);
        let patience = (Some(self.patience.connect.min(*within)), Some((*within).min(self.patience.whole)));
        let answer = if let Some(body) = body {
            let mut call = agent.post(request.url).config().timeout_connect(patience.0).timeout_global(patience.1).build();
            for (name, value) in request.headers {
                call = call.header(*name, *value);
            }
            call.send(*body)
        } else {
            let mut call = agent.get(request.url).config().timeout_connect(patience.0).timeout_global(patience.1).build();
            for (name, value) in request.headers {
                call = call.header(*name, *value);
            }
            call.call()
        };
        read(answer.map_err(|error| told(error, limit))?, limit)
    }

    fn exchange(&self, exchange: Exchange<'_>) -> Result<Stream, Error> {
        let Exchange { method, url, headers, body, limit, within } = exchange;
        if !is_allowed(url) {
            return Err(Error::Refused);
        }
        let mut request = ureq::http::Request::builder().method(method.name()).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // Bytes are wanted as they are kept, not as a server packs them for the way.
        request = request.header("accept-encoding", "identity");
        let sent = match body {
            None => request.body(ureq::SendBody::none()).map(|request| self.run(url, request, within)),
            Some(content) => {
                let mut bytes = Read::take(content.bytes, content.length);
                let request = request.header("content-length", content.length);
                request.body(ureq::SendBody::from_reader(&mut bytes)).map(|request| self.run(url, request, within))
            }
        };
        let answer = sent.map_err(|_| Error::Refused)?.map_err(|error| told(error, limit))?;
        let (parts, body) = answer.into_parts();
        let headers = parts.headers.iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        let body = Box::new(body.into_with_config().limit(limit).reader());
        Ok(Stream { status: parts.status.as_u16(), headers: headers.collect(), body })
    }
}

fn agent(patience: Patience, proxy: Option<Proxy>) -> Agent {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy)
        .user_agent(USER_AGENT)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_response_header_size(MAX_HEADER)
        .timeout_connect(Some(patience.connect))
        .timeout_global(Some(patience.whole))
        .build();
    config.new_agent()
}

/// The proxy as curl and cargo look for it. One that cannot be read is no proxy: then the connection fails, and says so.
fn proxy(env: &BTreeMap<String, String>) -> Option<Proxy> {
    let of = |names: &[&str]| names.iter().find_map(|name| env.get(*name).filter(|value| !value.trim().is_empty()));
    let url = of(&["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])?;
    let text = if url.contains("://") { url.clone() } else { format!("http://{url}") };
    let plain = Proxy::new(&text).ok()?;
    let mut builder = Proxy::builder(plain.protocol()).host(plain.host()).port(plain.port());
    if let Some(user) = plain.username() {
        builder = builder.username(user);
    }
    if let Some(password) = plain.password() {
        builder = builder.password(password);
    }
    for host in of(&["no_proxy", "NO_PROXY"]).into_iter().flat_map(|list| list.split(',')) {
        let host = host.trim();
        builder = builder.no_proxy(host);
        // `example.org` means its subdomains too, as for curl.
        if host.starts_with(|first: char| first.is_ascii_alphanumeric()) {
            builder = builder.no_proxy(&format!(".{host}"));
        }
    }
    builder.build().ok()
}

/// Our words for the library's errors: without URLs, which may hold credentials.
fn told(error: ureq::Error, limit: u64) -> Error {
    match error {
        ureq::Error::Timeout(_) => Error::TimedOut,
        ureq::Error::BodyExceedsLimit(_) => Error::TooLarge(limit),
        ureq::Error::LargeResponseHeader(..) => Error::TooLarge(MAX_HEADER as u64),
        ureq::Error::HostNotFound => Error::Unreachable("no such host".to_owned()),
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::TimedOut => Error::TimedOut,
        // The system's own errors by their kind; a resolver's have no kind, but words.
        ureq::Error::Io(error) if error.raw_os_error().is_some() => Error::Unreachable(error.kind().to_string()),
        ureq::Error::Io(error) => Error::Unreachable(one_line(&error.to_string())),
        ureq::Error::Rustls(error) => Error::Unreachable(format!("TLS: {error}")),
        ureq::Error::ConnectProxyFailed(_) => Error::Unreachable("the proxy refused".to_owned()),
        ureq::Error::BadUri(_) | ureq::Error::Http(_) => Error::Refused,
        _ => Error::Unreachable("it does not speak HTTP as expected".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::TcpListener;

    use super::*;
    use crate::base::http::{Content, Method};

    /// A server that gives each of its connections the next of these answers; and what it was sent.
    fn server(answers: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let own = base.clone();
        let thread = std::thread::spawn(move || {
            let mut seen = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut buffer = [0; 4096];
                let length = stream.read(&mut buffer).unwrap();
                seen.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
                if answer != "silence" {
                    let _ = stream.write_all(answer.replace("BASE", &own).as_bytes());
                } else {
                    std::thread::sleep(Duration::from_millis(600));
                }
            }
            seen
        });
        (base, thread)
    }

    fn answer(status: &str, headers: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}", body.len())
    }

    fn get(url: &str, limit: u64) -> Result<Response, Error> {
        let patience = Patience { connect: Duration::from_secs(5), whole: Duration::from_millis(300) };
        // A proxy that nobody answers at: this machine is asked directly.
        let env = BTreeMap::from([("HTTPS_PROXY".to_owned(), "http://127.0.0.1:1".to_owned())]);
        Client::new(&env, patience).get(&Request { url, headers: &[("accept", "application/json")], limit })
    }

    #[test]
    fn any_status_is_an_answer_and_says_who_asks() {
        let (base, thread) = server(vec![answer("404 Not Found", "x-a: b\r\n", "{}")]);
        let got = get(&format!("{base}/a?b"), 10).unwrap();
        assert_eq!((got.status, got.header("x-a"), got.body.as_slice()), (404, Some("b"), &b"{}"[..]));
        let seen = thread.join().unwrap().remove(0).to_lowercase();
        assert!(seen.starts_with("get /a?b http/1.1"), "{seen}");
        assert!(seen.contains("user-agent: cargo-supplychain/") && seen.contains("accept: application/json"), "{seen}");
    }

    #[test]
    fn what_is_too_large_too_slow_or_no_answer_is_an_error() {
        for (text, expected) in [
            (answer("200 OK", "", "12345678901"), Error::TooLarge(10)),
            (answer("200 OK", &format!("x: {}\r\n", "y".repeat(MAX_HEADER)), ""), Error::TooLarge(MAX_HEADER as u64)),
            ("silence".to_owned(), Error::TimedOut),
            ("SSH-2.0-x\r\n\r\n".to_owned(), Error::Unreachable("it does not speak HTTP as expected".into())),
        ] {
            let (base, thread) = server(vec![text.clone()]);
            assert_eq!(get(&base, 10), Err(expected), "{}", &text[..text.len().min(60)]);
            thread.join().unwrap();
        }
        let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(get(&format!("http://{unused}/"), 10), Err(Error::Unreachable("connection refused".into())));
        assert_eq!(get("http://example.org/", 10), Err(Error::Refused));
    }

    #[test]
    fn redirects_stay_on_this_machine_and_end() {
        let to = |location: &str| answer("302 Found", &format!("location: {location}\r\n"), "");
        for (answers, expected) in [
            (vec![to("/b"), answer("200 OK", "", "b")], Ok("GET /b ")),
            (vec![to("BASE/c"), answer("200 OK", "", "b")], Ok("GET /c ")),
            (vec![to("https://example.org/")], Err(Error::Refused)),
            (vec![to("http://example.org/")], Err(Error::Refused)),
            (vec![to("//example.org/")], Err(Error::Refused)),
            (vec![to("file:///etc/passwd")], Err(Error::Refused)),
            (vec![to("/a"); 6], Err(Error::Unreachable("more than 5 redirects".into()))),
        ] {
            let (base, thread) = server(answers.clone());
            let got = get(&format!("{base}/a"), 10);
            let seen = thread.join().unwrap();
            match expected {
                Ok(start) => assert!(got.is_ok() && seen[1].starts_with(start), "{got:?} {seen:?}"),
                Err(error) => assert_eq!(got, Err(error), "{answers:?}"),
            }
        }
    }

    #[test]
    fn credentials_stay_with_their_server() {
        let ask = |url: &str| {
            let client = Client::new(&BTreeMap::new(), Patience::default());
            let headers = [("Authorization", "Bearer secret"), ("x-a", "b")];
            client.get(&Request { url, headers: &headers, limit: 10 }).unwrap()
        };
        let to = |location: &str| answer("301 Moved Permanently", &format!("location: {location}\r\n"), "");
        let (other, there) = server(vec![answer("200 OK", "", "b")]);
        let (base, here) = server(vec![to("/b"), to(&format!("{other}/c"))]);
        ask(&format!("{base}/a"));
        let (here, there) = (here.join().unwrap(), there.join().unwrap());
        assert!(here.iter().all(|request| request.contains("Bearer secret")), "{here:?}");
        assert!(!there[0].contains("secret") && there[0].contains("x-a: b"), "{there:?}");
    }

    #[test]
    fn an_exchange_streams_and_is_bounded() {
        let client = Client::new(&BTreeMap::new(), Patience::default());
        let ask = |method, url: &str, body: Option<&'static [u8]>, limit| {
            let mut bytes = body.unwrap_or_default();
            let body = body.map(|body| Content { length: body.len() as u64 - 1, bytes: &mut bytes });
            let (headers, within) = (&[("x-a", "b")][..], Duration::from_millis(500));
            client.exchange(Exchange { method, url, headers, body, limit, within }).and_then(Stream::whole)
        };
        for (method, body, ends) in [
            (Method::Put, Some(&b"123"[..]), "\r\n\r\n12"),
            (Method::Delete, None, "\r\n\r\n"),
            (Method::Post, Some(b"1"), "\r\n\r\n"),
        ] {
            let (base, thread) = server(vec![answer("201 Created", "x-c: d\r\n", "{}")]);
            let got = ask(method, &format!("{base}/a"), body, 2).unwrap();
            assert_eq!((got.status, got.header("x-c"), got.body.as_slice()), (201, Some("d"), &b"{}"[..]));
            let seen = thread.join().unwrap().remove(0);
            assert!(seen.starts_with(&format!("{} /a HTTP/1.1", method.name())), "{seen}");
            let lower = seen.to_lowercase();
            let length = body.map(|body| format!("content-length: {}\r\n", body.len() - 1));
            assert!(length.is_none_or(|length| lower.contains(&length)), "{seen}");
            assert!(
                lower.contains("x-a: b") && lower.contains("accept-encoding: identity") && !lower.contains("chunked"),
                "{seen}"
            );
            // The body may come with the next packet.
            assert!(seen.ends_with(ends) || seen.ends_with("\r\n\r\n"), "{seen}");
        }
        let to = "location: https://example.org/\r\n";
        for (text, expected) in [
            (answer("302 Found", to, ""), Ok(302)),
            (answer("200 OK", "", "123"), Err(())),
            ("silence".to_owned(), Err(())),
            ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1".to_owned(), Err(())),
        ] {
            let (base, thread) = server(vec![text.clone()]);
            assert_eq!(ask(Method::Get, &base, None, 2).map(|got| got.status).map_err(drop), expected, "{text}");
            thread.join().unwrap();
        }
        assert_eq!(ask(Method::Get, "http://example.org/", None, 2), Err(Error::Refused));
    }

    #[test]
    fn proxies_are_those_of_the_environment() {
        let of = |pairs: &[(&str, &str)]| {
            let env = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            proxy(&env)
        };
        let ask = |proxy: &Proxy, host: &str| !proxy.is_no_proxy(&format!("https://{host}/").parse().unwrap());
        assert!(of(&[]).is_none() && of(&[("HTTPS_PROXY", " ")]).is_none() && of(&[("HTTP_PROXY", "http://p:1")]).is_none());
        let named = of(&[("HTTPS_PROXY", "http://u:w@p.example:3128"), ("NO_PROXY", "example.org, .corp")]).unwrap();
        assert_eq!((named.host(), named.port(), named.username(), named.password()), ("p.example", 3128, Some("u"), Some("w")));
        for (host, asked) in
            [("crates.io", true), ("example.org", false), ("a.example.org", false), ("a.corp", false), ("notexample.org", true)]
        {
            assert_eq!(ask(&named, host), asked, "{host}");
        }
        assert_eq!(of(&[("all_proxy", "p.example:8080")]).unwrap().port(), 8080);
    }
}
