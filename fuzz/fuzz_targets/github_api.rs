#![no_main]

use std::sync::Mutex;

use cargo_supplychain::base::Http;
use cargo_supplychain::base::http::{Error, Exchange, Request, Response, Stream};
use cargo_supplychain::github::{Host, assets, attestations, code_scanning, comment};
use libfuzzer_sys::fuzz_target;

const API: &str = "https://api.github.com";
const TOKEN: &str = "ghs_secret";

/// A host that gives each request the next of these answers: the status by a byte, never one that is waited after.
struct Answers<'d>(Mutex<Vec<&'d [u8]>>);

impl Http for Answers<'_> {
    fn get(&self, _: &Request<'_>) -> Result<Response, Error> {
        Err(Error::Refused)
    }

    fn exchange(&self, exchange: Exchange<'_>) -> Result<Stream, Error> {
        // Whatever was answered before, the token goes to the host alone.
        assert!(exchange.url.starts_with("https://api.github.com/") || exchange.url.starts_with("https://uploads.github.com/"));
        assert!(!exchange.url.contains([' ', '\r', '\n']));
        let Some(answer) = self.0.lock().expect("nobody panics").pop() else { return Err(Error::Refused) };
        let (status, body) = answer.split_first().unwrap_or((&0, &[]));
        let status = [200, 201, 204, 400, 401, 403, 404, 422][usize::from(*status) % 8];
        Ok(Stream { status, headers: Vec::new(), body: Box::new(std::io::Cursor::new(body.to_vec())) })
    }
}

// Answers of a repository's host, parted by zero bytes, to all that it is told.
fuzz_target!(|data: &[u8]| {
    let answers = || Answers(Mutex::new(data.split(|byte| *byte == 0).collect()));
    let shown = |outcome: Result<(), cargo_supplychain::github::Error>| {
        if let Err(error) = outcome {
            let words = error.to_string();
            assert!(!words.contains(TOKEN) && !words.contains(char::is_control), "{words}");
        }
    };
    let http = answers();
    let host = Host::new(&http, API, "o/r", TOKEN).expect("it is one");
    shown(comment::put(&host, 1, "<!-- m -->", "<!-- m --> text", false).map(drop));
    let http = answers();
    let host = Host::new(&http, API, "o/r", TOKEN).expect("it is one");
    shown(assets::release(&host, "v1").and_then(|release| assets::put(&host, &release, "a b", b"a")).map(drop));
    let http = answers();
    let host = Host::new(&http, API, "o/r", TOKEN).expect("it is one");
    shown(attestations::post(&host, b"{}").map(drop));
    shown(code_scanning::upload(&host, b"{}", "abc", "refs/heads/main"));
});
