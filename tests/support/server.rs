//! A registry on this machine: serves a fixture world's folder over HTTP (`/api/v1/crates/…`, `/index/…`), counts what it is asked, and
//! answers otherwise where a test wants it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use camino::Utf8PathBuf;

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
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    folder: Utf8PathBuf,
    asked: Mutex<Vec<String>>,
    /// Paths that were asked for with credentials, and these.
    credentials: Mutex<Vec<(String, String)>>,
    answers: Mutex<BTreeMap<String, Answer>>,
    is_over: AtomicBool,
}

impl Server {
    /// Serves this folder.
    pub fn new(folder: Utf8PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            folder,
            asked: Mutex::default(),
            credentials: Mutex::default(),
            answers: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.is_over.load(Ordering::SeqCst) {
                    break;
                }
                // A client that goes away early is one of the things that are tried.
                let _ = own.serve(stream.unwrap());
            }
        });
        Self { url, shared, thread: Some(thread) }
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

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread up.
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking(), "the server panicked");
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut request = Vec::new();
        let mut buffer = [0; 1024];
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut buffer)? {
                0 => return Ok(()),
                length => request.extend(&buffer[..length]),
            }
        }
        let request = String::from_utf8(request).unwrap();
        let path = request.split(' ').nth(1).unwrap().to_owned();
        assert!(request.to_lowercase().contains("\r\nuser-agent: cargo-supplychain/"), "nobody says who asks: {request}");
        self.asked.lock().unwrap().push(path.clone());
        let mut words = request.lines().filter_map(|line| line.split_once(':'));
        if let Some((_, word)) = words.find(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            self.credentials.lock().unwrap().push((path.clone(), word.trim().to_owned()));
        }
        let answer = self.answers.lock().unwrap().get(&path).cloned();
        match answer {
            Some(Answer::Garbage) => stream.write_all(b"\x00\xff not http at all\r\n\r\n"),
            Some(Answer::Status(status, body)) => write(&mut stream, status, "retry-after: 0\r\n", body.as_bytes()),
            Some(Answer::Whole(status, headers, body)) => write(&mut stream, status, &headers, &body),
            Some(Answer::Redirect(to)) => write(&mut stream, 302, &format!("location: {to}\r\n"), b""),
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
            Ok(bytes) => write(stream, 200, "", &bytes),
            Err(_) => write(stream, 404, "", b"{\"errors\":[{\"detail\":\"Not Found\"}]}"),
        }
    }
}

fn write(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}
