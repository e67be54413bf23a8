use std::sync::Mutex;

use camino::Utf8PathBuf;

use super::*;
use crate::base::http;

/// A server that answers by URL, and what it was asked with which credentials.
#[derive(Default)]
struct Pages {
    answers: BTreeMap<String, Response>,
    asked: Mutex<Vec<(String, bool)>>,
}

impl Pages {
    fn with(mut self, url: &str, status: u16, headers: &[(&str, &str)], body: &[u8]) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.answers.insert(url.to_owned(), Response { status, headers, body: body.to_vec() });
        self
    }
}

impl Http for Pages {
    fn get(&self, request: &Request<'_>) -> Result<Response, http::Error> {
        let has_token = request.headers.iter().any(|(name, _)| *name == "authorization");
        self.asked.lock().unwrap().push((request.url.to_owned(), has_token));
        self.answers.get(request.url).cloned().ok_or(http::Error::TimedOut)
    }
}

struct World {
    _guard: tempfile::TempDir,
    cache: Utf8PathBuf,
    api: Api,
}

impl World {
    fn new(env: &[(&str, &str)]) -> Self {
        let guard = tempfile::tempdir().unwrap();
        let cache = Utf8PathBuf::from_path_buf(guard.path().to_owned()).unwrap();
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { _guard: guard, cache, api: Api::of(&env, None) }
    }

    fn fetch(&self, http: Option<&dyn Http>) -> Result<Option<Fetched>, Error> {
        let (digest, now) = (Sha256::of(b"x"), Timestamp::from_unix(0).unwrap());
        fetch(&AttestationRequest { api: &self.api, http, cache_dir: &self.cache, now, repository: "o/r", digest })
    }
}

fn first() -> String {
    format!("https://api.github.com/repos/o/r/attestations/sha256:{}?per_page=100", Sha256::of(b"x"))
}

fn bundles(fetched: Option<Fetched>) -> Vec<String> {
    fetched.unwrap().bundles.into_iter().map(|(_, bytes)| String::from_utf8(bytes).unwrap()).collect()
}

#[test]
fn pages_are_followed_and_bundles_fetched_where_they_lie() {
    let packed = snap::raw::Encoder::new().compress_vec(b"{\"c\":3}").unwrap();
    let next = first().replace("per_page=100", "per_page=100&after=Z");
    let http = Pages::default()
        .with(
            &first(),
            200,
            // The rest of the address is not taken from the answer.
            &[("link", "<https://evil.example/?per_page=100&after=Z>; rel=\"next\"")],
            br#"{"attestations":[{"bundle":{"a":1}},{"bundle":null,"bundle_url":"https://blobs.example/c"}]}"#,
        )
        .with(&next, 200, &[], br#"{"attestations":[{"bundle":{"d":4},"bundle_url":"https://blobs.example/gone"}]}"#)
        .with("https://blobs.example/c", 200, &[], &packed)
        .with("https://blobs.example/gone", 404, &[], b"");
    let world = World::new(&[("GITHUB_TOKEN", "t0ken")]);
    let fetched = world.fetch(Some(&http)).unwrap();
    assert_eq!(bundles(fetched.clone()), ["{\"a\":1}", "{\"c\":3}", "{\"d\":4}"]);
    assert_eq!(fetched.as_ref().unwrap().bundles[1].0, "api.github.com#2");
    // The token is the API's alone.
    let asked: Vec<_> =
        http.asked.lock().unwrap().iter().map(|(url, has_token)| (url.contains("api.github.com"), *has_token)).collect();
    assert!(asked.len() == 4 && asked.iter().all(|(is_api, has_token)| is_api == has_token), "{asked:?}");
    // Offline, what was said before.
    assert_eq!(world.fetch(None).unwrap(), fetched);
    assert_eq!(World::new(&[]).fetch(None).unwrap(), None);
}

#[test]
fn what_the_server_answers_otherwise_is_told_apart() {
    let server = || "api.github.com".to_owned();
    let no_answer = |why: &str| Error::NoAnswer { server: server(), why: why.to_owned() };
    type Answered<'a> = (u16, &'a [(&'a str, &'a str)], &'a str);
    let cases: [(Answered<'_>, Result<usize, Error>); 12] = [
        ((404, &[], "{}"), Ok(0)),
        ((200, &[], r#"{"attestations":[]}"#), Ok(0)),
        ((429, &[], ""), Err(Error::RateLimit { server: server(), with_token: false })),
        ((403, &[("x-ratelimit-remaining", "0")], ""), Err(Error::RateLimit { server: server(), with_token: false })),
        ((403, &[], ""), Err(Error::Refused { server: server(), status: 403, with_token: false })),
        ((401, &[], ""), Err(Error::Refused { server: server(), status: 401, with_token: false })),
        ((500, &[], ""), Err(Error::Status { server: server(), status: 500 })),
        ((301, &[], ""), Err(Error::Status { server: server(), status: 301 })),
        ((200, &[], "<html>"), Err(no_answer("answered no list of attestations"))),
        ((200, &[("link", "<?per_page=100>; rel=\"next\"")], r#"{"attestations":[]}"#), Err(no_answer("a page leads to itself"))),
        (
            (200, &[], r#"{"attestations":[{"bundle_url":"http://127.0.0.1:1/"}]}"#),
            Err(no_answer("the address of a bundle is not one that is asked")),
        ),
        (
            (200, &[], r#"{"attestations":[{"bundle_url":"file:///etc/passwd"}]}"#),
            Err(no_answer("the address of a bundle is not one that is asked")),
        ),
    ];
    for ((status, headers, body), expected) in cases {
        let http = Pages::default().with(&first(), status, headers, body.as_bytes());
        let found = World::new(&[]).fetch(Some(&http)).map(|fetched| fetched.unwrap().bundles.len());
        assert_eq!(found, expected, "{status} {body}");
    }
    assert_eq!(World::new(&[]).fetch(Some(&Pages::default())), Err(no_answer(&http::Error::TimedOut.to_string())));
}

#[test]
fn number_and_size_are_bounded() {
    let page = format!("{{\"attestations\":[{}]}}", vec!["{\"bundle\":{}}"; PER_PAGE].join(","));
    let mut http = Pages::default();
    for number in 0..20 {
        let url = if number == 0 { first() } else { first().replace("per_page=100", &format!("after={number}")) };
        http = http.with(&url, 200, &[("link", &format!("<https://x/?after={}>; rel=\"next\"", number + 1))], page.as_bytes());
    }
    let fetched = World::new(&[]).fetch(Some(&http)).unwrap().unwrap();
    assert_eq!(
        (fetched.bundles.len(), fetched.has_more, http.asked.lock().unwrap().len()),
        (MAX_BUNDLES, true, MAX_BUNDLES / PER_PAGE)
    );
    let large =
        format!("{{\"attestations\":[{}]}}", vec![format!("{{\"bundle\":{{\"a\":\"{}\"}}}}", "x".repeat(2 << 20)); 70].join(","));
    let http = Pages::default().with(&first(), 200, &[], large.as_bytes());
    assert!(matches!(World::new(&[]).fetch(Some(&http)), Err(Error::NoAnswer { .. })));
}

#[test]
fn the_environment_says_where_and_for_whom() {
    let of = |env: &[(&str, &str)], given: Option<&str>| {
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let api = Api::of(&env, given);
        (format!("{} {}", api.base, api.token.as_deref().unwrap_or("-")), api)
    };
    let enterprise = [("GITHUB_SERVER_URL", "https://ghe.example"), ("GITHUB_TOKEN", "t")];
    for (env, given, expected) in [
        (&[][..], None, "https://api.github.com -"),
        (&[("GITHUB_TOKEN", "t"), ("GH_TOKEN", "u")][..], None, "https://api.github.com u"),
        (&[("GITHUB_TOKEN", "t\nx: y")][..], None, "https://api.github.com -"),
        (&[("GITHUB_API_URL", "http://ghe.example"), ("GITHUB_TOKEN", "t")][..], None, "http://ghe.example -"),
        (&enterprise[..], None, "https://ghe.example/api/v3 t"),
        (&[("GITHUB_TOKEN", "t")][..], Some("https://other.example/"), "https://other.example -"),
    ] {
        assert_eq!(of(env, given).0, expected, "{env:?}");
    }
    let api = of(&[], None).1;
    assert_eq!(api.hosts("https://github.com/o/r"), Some("o/r"));
    for other in ["https://github.com.evil/o/r", "https://gitlab.com/o/r", "https://github.com/o", "https://github.com/o/r/s"] {
        assert_eq!(api.hosts(other), None, "{other}");
    }
    assert_eq!(of(&enterprise, None).1.hosts("https://github.com/o/r"), None);
    assert_eq!(of(&[], Some("http://127.0.0.1:1")).1.hosts("https://ghe.example/o/r"), Some("o/r"));
    assert!(!format!("{:?}", of(&[("GH_TOKEN", "secret")], None).1).contains("secret"));
}
