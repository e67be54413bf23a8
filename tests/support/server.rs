//! A registry on this machine: serves a fixture world's folder over HTTP (`/api/v1/crates/…`, `/index/…`), counts what it is asked, and
//! answers otherwise where a test wants it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::Utf8PathBuf;

use super::loopback::{Listening, Request, respond};

/// An answer that is not the file's.
#[derive(Clone)]
pub enum Answer {
    /// A status with this body.
    Status(u16, &'static str),
    /// The file, after this time.
    Slow(Duration),
    /// More bytes than anybody should read, and never an end.
    Endless,
    /// Not HTTP.
    Garbage,
    /// To another place.
    Redirect(&'static str),
    /// A status, lines of headers (each with its end), and bytes.
    Whole(u16, String, Vec<u8>),
}

pub struct Server {
    pub url: String,
    shared: Arc<Shared>,
    _listening: Listening,
}

struct Shared {
    folder: Utf8PathBuf,
    asked: Mutex<Vec<String>>,
    /// Paths that were asked for with credentials, and these.
    credentials: Mutex<Vec<(String, String)>>,
    answers: Mutex<BTreeMap<String, Answer>>,
}

impl Server {
    /// Serves this folder.
    pub fn new(folder: Utf8PathBuf) -> Self {
        let (asked, credentials, answers) = (Mutex::default(), Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { folder, asked, credentials, answers });
        let own = Arc::clone(&shared);
        let listening = Listening::start(|_| move |stream| own.serve(stream));
        Self { url: format!("http://{}", listening.address()), shared, _listening: listening }
    }

    /// This path (with its query) is answered so.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.shared.answers.lock().unwrap().insert(path.to_owned(), answer);
    }

    /// What was asked since the last call.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.asked.lock().unwrap())
    }
}

impl Server {
    /// The paths that were asked for with credentials since the last call, and these.
    pub fn credentials(&self) -> Vec<(String, String)> {
        std::mem::take(&mut self.shared.credentials.lock().unwrap())
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let Some(request) = Request::read(&mut stream)? else { return Ok(()) };
        let path = request.path.clone();
        let agent = request.header("user-agent").unwrap_or_default();
        assert!(agent.starts_with("cargo-supplychain/"), "nobody says who asks: {}", request.head);
        self.asked.lock().unwrap().push(path.clone());
        if let Some(word) = request.header("authorization") {
            self.credentials.lock().unwrap().push((path.clone(), word));
        }
        let answer = self.answers.lock().unwrap().get(&path).cloned();
        match answer {
            Some(Answer::Garbage) => stream.write_all(b"\x00\xff not http at all\r\n\r\n"),
            Some(Answer::Status(status, body)) => respond(&mut stream, status, "retry-after: 0\r\n", body.as_bytes()),
            Some(Answer::Whole(status, headers, body)) => respond(&mut stream, status, &headers, &body),
            Some(Answer::Redirect(to)) => respond(&mut stream, 302, &format!("location: {to}\r\n"), b""),
            Some(Answer::Endless) => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"crate\":{\"name\":\"")?;
                loop {
                    stream.write_all(&[b'x'; 65_536])?;
                }
            }
            Some(Answer::Slow(time)) => {
                std::thread::sleep(time);
                self.file(&mut stream, &path)
            }
            None => self.file(&mut stream, &path),
        }
    }

    fn file(&self, stream: &mut TcpStream, path: &str) -> std::io::Result<()> {
        let path = path.split('?').next().unwrap();
        let file = match path.strip_prefix("/api/v1/") {
            Some(of_api) => format!("api/{of_api}.json"),
            None => path.trim_start_matches('/').to_owned(),
        };
        assert!(!file.split('/').any(|part| part == ".."), "{file}");
        match fs::read(self.folder.join(file)) {
            Ok(bytes) => respond(stream, 200, "", &bytes),
            Err(_) => respond(stream, 404, "", b"{\"errors\":[{\"detail\":\"Not Found\"}]}"),
        }
    }
}
