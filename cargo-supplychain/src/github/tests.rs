use std::sync::Mutex;

use super::comment::Done;
use super::*;
use crate::base::http::{Request, Stream};

/// A host that gives each request the next of these answers; and what it was asked.
struct Script {
    answers: Mutex<Vec<(u16, &'static str)>>,
    asked: Mutex<Vec<String>>,
}

impl Script {
    fn new(answers: &[(u16, &'static str)]) -> Self {
        Self { answers: Mutex::new(answers.iter().rev().copied().collect()), asked: Mutex::default() }
    }

    fn host(&self) -> Host<'_> {
        Host::new(self, "https://api.github.com/", "o/r", "ghs_secret").unwrap()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Http for Script {
    fn get(&self, _: &Request<'_>) -> Result<Response, http::Error> {
        Err(http::Error::Refused)
    }

    fn exchange(&self, exchange: Exchange<'_>) -> Result<Stream, http::Error> {
        assert!(exchange.headers.contains(&("authorization", "Bearer ghs_secret")));
        let path = exchange.url.trim_start_matches("https://api.github.com/repos/o/r/");
        self.asked.lock().unwrap().push(format!("{} {path}", exchange.method.name()));
        let Some((status, body)) = self.answers.lock().unwrap().pop() else { return Err(http::Error::Refused) };
        Ok(Stream { status, headers: Vec::new(), body: Box::new(body.as_bytes()) })
    }
}

#[test]
fn what_cannot_be_asked_is_no_host() {
    let script = Script::new(&[]);
    for (api, repository, token) in [
        ("http://api.github.com", "o/r", "t"),
        ("https://api.github.com", "o", "t"),
        ("https://api.github.com", "o/..", "t"),
        ("https://api.github.com", "o/r/x", "t"),
        ("https://api.github.com", "o/r?x", "t"),
        ("https://api.github.com", "o/r", ""),
        ("https://api.github.com", "o/r", "a\nb"),
    ] {
        assert!(Host::new(&script, api, repository, token).is_none(), "{api} {repository} {token:?}");
    }
}

#[test]
fn an_outage_is_waited_for_and_a_refusal_is_not() {
    let script = Script::new(&[(500, ""), (502, ""), (201, "{\"id\":7}")]);
    assert_eq!(attestations::post(&script.host(), b"{\"a\": 1}"), Ok(7));
    assert_eq!(script.asked().len(), 3);
    for (status, words, told) in [
        (
            403,
            "{\"message\":\"Resource not accessible\\nby ghs_secret\"}",
            "the attestation: refused (403: Resource not accessible by ***); the job needs `permissions: attestations: write`",
        ),
        (422, "<html>", "the attestation: refused (422)"),
        (201, "{}", "the attestation: the answer names no id"),
        (201, "x", "the attestation: the answer is not JSON"),
    ] {
        let script = Script::new(&[(status, words)]);
        assert_eq!(attestations::post(&script.host(), b"{}").unwrap_err().to_string(), told);
        assert_eq!(script.asked(), ["POST attestations"]);
    }
}

#[test]
fn a_comment_is_renewed_in_its_place() {
    let put = |script: &Script, only_renew| comment::put(&script.host(), 5, "<!-- m -->", "<!-- m --> text", only_renew);
    let others = "[{\"id\":1,\"body\":\"hello\"},{\"id\":2,\"body\":\"<!-- m --> fake\",\"user\":{\"type\":\"User\"}}]";
    let script = Script::new(&[(200, others), (201, "{}")]);
    assert_eq!(put(&script, false), Ok(Done::Created));
    assert_eq!(script.asked(), ["GET issues/5/comments?per_page=100&page=1", "POST issues/5/comments"]);

    let ours = "[{\"id\":3,\"body\":\"<!-- m --> old\",\"user\":{\"type\":\"Bot\"}}]";
    let script = Script::new(&[(200, ours), (200, "{}")]);
    assert_eq!(put(&script, false), Ok(Done::Updated));
    assert_eq!(script.asked()[1], "PATCH issues/comments/3");

    assert_eq!(put(&Script::new(&[(200, "[]")]), true), Ok(Done::Nothing));
    // It was written although the answer was broken: the second look finds it.
    let script = Script::new(&[(200, "[]"), (502, ""), (200, ours), (200, "{}")]);
    assert_eq!(put(&script, false), Ok(Done::Updated));
    let refused = put(&Script::new(&[(403, "{}")]), false).unwrap_err().to_string();
    assert_eq!(refused, "the comment on the pull request: refused (403); the job needs `permissions: pull-requests: write`");
}

#[test]
fn files_are_added_and_never_replaced() {
    let release = "{\"id\":9,\"upload_url\":\"https://uploads.github.com/u{?name,label}\",\"assets\":[{\"id\":1,\"name\":\"a\",\"digest\":\"sha256:\
                   ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\"}]}";
    let script = Script::new(&[(200, release), (201, "{}")]);
    let host = script.host();
    let found = assets::release(&host, "v1").unwrap();
    assert_eq!(assets::put(&host, &found, "a", b"a"), Ok(assets::Put::Exists));
    assert!(assets::put(&host, &found, "a", b"b").unwrap_err().to_string().contains("not replaced"));
    assert_eq!(assets::put(&host, &found, "b", b"b"), Ok(assets::Put::Added));
    assert_eq!(script.asked(), ["GET releases/tags/v1", "POST https://uploads.github.com/u?name=b"]);
    let script = Script::new(&[(404, "{}"), (200, "[{\"tag_name\":\"v1\",\"upload_url\":\"https://evil.example/u\"}]")]);
    assert!(assets::release(&script.host(), "v1").unwrap_err().to_string().contains("no address of the host's"));
}

#[test]
fn an_upload_whose_answer_was_lost_is_looked_for() {
    const RELEASE: &str = "{\"id\":9,\"upload_url\":\"https://uploads.github.com/u{?name,label}\",\"assets\":[]}";
    const SAME: &str = "[{\"id\":1,\"name\":\"a\",\"state\":\"uploaded\",\"digest\":\"sha256:\
                        ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\"}]";
    const OTHER: &str = "[{\"id\":1,\"name\":\"a\",\"state\":\"uploaded\",\"digest\":\"sha256:00\"}]";
    const SILENT: &str = "[{\"id\":1,\"name\":\"a\",\"state\":\"uploaded\",\"digest\":null}]";
    const BROKEN: &str = "[{\"id\":1,\"name\":\"a\",\"state\":\"starter\"}]";
    for (answers, outcome, asked) in [
        (&[(502, ""), (200, SAME)][..], "exists", 3),
        (&[(422, "{}"), (200, SAME)], "exists", 3),
        (&[(502, ""), (200, "[]"), (201, "{}")], "added", 4),
        (&[(502, ""), (200, BROKEN), (204, ""), (201, "{}")], "added", 5),
        (&[(502, ""), (200, OTHER)], "a is there already with other bytes", 3),
        (&[(422, "{}"), (200, SILENT)], "the host tells no digest of it", 3),
        (&[(422, "{\"message\":\"too long\"}"), (200, "[]")], "refused (422: too long)", 3),
        (&[(403, "{}")], "the job needs `permissions: contents: write`", 2),
    ] {
        let script = Script::new(&[&[(200, RELEASE)], answers].concat());
        let host = script.host();
        let found = assets::release(&host, "v1").unwrap();
        let said = match assets::put(&host, &found, "a", b"a") {
            Ok(assets::Put::Added) => "added".to_owned(),
            Ok(assets::Put::Exists) => "exists".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(said.contains(outcome), "{answers:?}: {said}");
        assert_eq!(script.asked().len(), asked, "{answers:?}: {:?}", script.asked());
    }
    let script = Script::new(&[(200, RELEASE), (502, ""), (200, BROKEN), (404, ""), (201, "{}")]);
    let host = script.host();
    let found = assets::release(&host, "v1").unwrap();
    assert_eq!(assets::put(&host, &found, "a", b"a"), Ok(assets::Put::Added));
    assert_eq!(script.asked()[2..4], ["GET releases/9/assets?per_page=100&page=1", "DELETE releases/assets/1"]);
}

#[test]
fn sarif_is_packed() {
    let script = Script::new(&[(202, "{}")]);
    assert_eq!(code_scanning::upload(&script.host(), b"{}", "abc", "refs/heads/main"), Ok(()));
    assert_eq!(script.asked(), ["POST code-scanning/sarifs"]);
}
