//! A repository at a host that speaks GitHub's API, on this machine: comments, attestations, code scanning, files of a release. It keeps what it
//! is given, tells what it was asked, and answers otherwise where a test wants it.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::loopback::{Listening, Request, respond};

/// What every request has to bring.
pub const TOKEN: &str = "ghs_token-that-nobody-may-see";

pub struct Host {
    pub url: String,
    shared: Arc<Shared>,
    _listening: Listening,
}

#[derive(Default)]
struct Shared {
    url: String,
    asked: Mutex<Vec<(String, Value)>>,
    comments: Mutex<Vec<Value>>,
    assets: Mutex<Vec<String>>,
    /// By the beginning of a request (`POST /repos/o/r/attestations`): statuses that come first, the next one last.
    faults: Mutex<BTreeMap<String, Vec<u16>>>,
}

impl Host {
    pub fn start() -> Self {
        let mut shared = None;
        let listening = Listening::start(|address| {
            let own = Arc::new(Shared { url: format!("http://{address}"), ..Shared::default() });
            shared = Some(Arc::clone(&own));
            move |stream| own.serve(stream)
        });
        let shared = shared.expect("it was made");
        Self { url: shared.url.clone(), shared, _listening: listening }
    }

    /// Requests that begin so get these statuses first.
    pub fn fault(&self, request: &str, statuses: &[u16]) {
        self.shared.faults.lock().unwrap().insert(request.to_owned(), statuses.iter().rev().copied().collect());
    }

    /// `METHOD /path` and body of each request since the last call.
    pub fn asked(&self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.shared.asked.lock().unwrap())
    }

    pub fn comments(&self) -> Vec<String> {
        self.shared.comments.lock().unwrap().iter().map(|one| one["body"].as_str().unwrap().to_owned()).collect()
    }

    pub fn assets(&self) -> Vec<String> {
        self.shared.assets.lock().unwrap().clone()
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let Some(request) = Request::read(&mut stream)? else { return Ok(()) };
        let line = format!("{} {}", request.method, request.path);
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        self.asked.lock().unwrap().push((line.clone(), body.clone()));
        let is_known = request.header("authorization") == Some(format!("Bearer {TOKEN}"));
        let mut faults = self.faults.lock().unwrap();
        let fault = faults.iter_mut().find(|(start, _)| line.starts_with(start.as_str())).and_then(|(_, left)| left.pop());
        drop(faults);
        let (status, answer) = match fault {
            _ if !is_known => (401, json!({ "message": "Bad credentials" })),
            Some(status) => (status, json!({ "message": "Resource not accessible by integration\n::error::no" })),
            None => self.answer(&line, &body),
        };
        respond(&mut stream, status, "", answer.to_string().as_bytes())
    }

    fn answer(&self, line: &str, body: &Value) -> (u16, Value) {
        let Some((method, path)) = line.split_once(" /repos/example-org/app/") else { return (404, json!({})) };
        let mut comments = self.comments.lock().unwrap();
        match (method, path.split(['/', '?']).collect::<Vec<_>>().as_slice()) {
            ("GET", ["issues", "7", "comments", ..]) => (200, Value::Array(comments.clone())),
            ("POST", ["issues", "7", "comments"]) => {
                let one = json!({ "id": comments.len() + 1, "body": body["body"], "user": { "type": "Bot" } });
                comments.push(one.clone());
                (201, one)
            }
            ("PATCH", ["issues", "comments", id]) => {
                let place = id.parse::<usize>().unwrap() - 1;
                comments[place]["body"] = body["body"].clone();
                (200, comments[place].clone())
            }
            ("POST", ["attestations"]) => (201, json!({ "id": 4711 })),
            ("POST", ["code-scanning", "sarifs"]) => (202, json!({ "id": "x" })),
            ("GET", ["releases", "tags", "v1.0.0"]) => (
                200,
                json!({ "id": 1, "upload_url": format!("{}/repos/example-org/app/upload{{?name,label}}", self.url), "assets": [] }),
            ),
            ("POST", ["upload", name]) => {
                self.assets.lock().unwrap().push(name.trim_start_matches("name=").to_owned());
                (201, json!({}))
            }
            _ => (404, json!({ "message": "Not Found" })),
        }
    }
}
