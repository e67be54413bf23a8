//! What the servers of the tests have in common: a thread that listens on this machine, a request as it is read, and an answer as it is written.
//! What is answered is each server's own.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Serves one connection after the other until it is dropped; a panic of the server's is then one of the test's.
pub struct Listening {
    address: String,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// `make` is told the address (`127.0.0.1:PORT`) and gives what serves a connection.
    pub fn start<S: Fn(TcpStream) -> io::Result<()> + Send + 'static>(make: impl FnOnce(&str) -> S) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (serve, is_over) = (make(&address), Arc::new(AtomicBool::new(false)));
        let ends = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    break;
                }
                // A client that goes away early is one of the things that are tried.
                let _ = serve(stream.unwrap());
            }
        });
        Self { address, is_over, thread: Some(thread) }
    }

    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread up.
        let _ = TcpStream::connect(&self.address);
        let joined = self.thread.take().unwrap().join();
        assert!(joined.is_ok() || std::thread::panicking(), "a server panicked");
    }
}

pub struct Request {
    pub method: String,
    /// With its query.
    pub path: String,
    /// Everything before the body.
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    /// None where the client went away.
    pub fn read(stream: &mut TcpStream) -> io::Result<Option<Self>> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let (mut bytes, mut buffer) = (Vec::new(), [0; 65_536]);
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
                break at + 4;
            }
            match stream.read(&mut buffer)? {
                0 => return Ok(None),
                length => bytes.extend(&buffer[..length]),
            }
        };
        let mut body = bytes.split_off(end);
        let head = String::from_utf8(bytes).unwrap();
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        while body.len() < length {
            match stream.read(&mut buffer)? {
                0 => return Ok(None),
                length => body.extend(&buffer[..length]),
            }
        }
        let mut words = head.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        Ok(Some(Self { method, path, head, body }))
    }

    pub fn header(&self, name: &str) -> Option<String> {
        header(&self.head, name)
    }
}

fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}

/// An answer; `headers` are lines, each with its end.
pub fn respond(stream: &mut TcpStream, status: u16, headers: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    stream
        .write_all(format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n").as_bytes())?;
    stream.write_all(body)
}
