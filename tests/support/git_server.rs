//! A git repository on this machine, served over HTTP by the git program as a forge does it (gitprotocol-http, "smart"): what a stranger's
//! manifest can name in a test.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use git2::{Repository, Signature, Time};

use super::loopback::{Listening, Request, respond};

pub struct GitServer {
    /// Of the one repository.
    pub url: String,
    folder: tempfile::TempDir,
    fetches: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
    _listening: Listening,
}

impl GitServer {
    /// Serves an empty repository until the test ends.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Repository::init_bare(folder.path()).unwrap();
        let (fetches, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let served = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        let (counter, list) = (Arc::clone(&fetches), Arc::clone(&seen));
        let listening = Listening::start(|_| move |stream| serve(stream, &served, &counter, &list));
        Self { url: format!("http://{}/org/lib", listening.address()), folder, fetches, seen, _listening: listening }
    }

    /// Commits exactly these files to `main` and gives back the commit.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        let repository = Repository::open_bare(self.folder.path()).unwrap();
        let mut index = git2::Index::new().unwrap();
        for (path, text) in files {
            let id = repository.blob(text.as_bytes()).unwrap();
            let time = git2::IndexTime::new(0, 0);
            let path = path.as_bytes().to_vec();
            let (mode, file_size) = (0o100_644, 0);
            let entry = git2::IndexEntry {
                ctime: time,
                mtime: time,
                dev: 0,
                ino: 0,
                mode,
                uid: 0,
                gid: 0,
                file_size,
                id,
                flags: 0,
                flags_extended: 0,
                path,
            };
            index.add(&entry).unwrap();
        }
        let tree = repository.find_tree(index.write_tree_to(&repository).unwrap()).unwrap();
        let who = Signature::new("a", "a@example.org", &Time::new(1_780_000_000, 0)).unwrap();
        let parent = repository.find_reference("refs/heads/main").ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<_> = parent.iter().collect();
        repository.commit(Some("refs/heads/main"), &who, &who, "m", &tree, &parents).unwrap().to_string()
    }

    /// An annotated tag of a commit.
    pub fn tag(&self, name: &str, commit: &str) {
        let repository = Repository::open_bare(self.folder.path()).unwrap();
        let who = Signature::new("a", "a@example.org", &Time::new(1_780_000_000, 0)).unwrap();
        let commit = repository.revparse_single(commit).unwrap();
        repository.tag(name, &commit, &who, name, false).unwrap();
    }

    /// How often anything was asked since the last call, and that nobody sent credentials.
    pub fn asked(&self) -> usize {
        for request in self.seen.lock().unwrap().drain(..) {
            assert!(!request.to_lowercase().contains("\r\nauthorization:"), "{request}");
        }
        self.fetches.swap(0, Ordering::SeqCst)
    }

    /// The repository is gone.
    pub fn forget(&self) {
        fs::remove_dir_all(self.folder.path()).unwrap();
    }
}

fn serve(mut stream: TcpStream, folder: &Utf8Path, fetches: &AtomicUsize, seen: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let Some(request) = Request::read(&mut stream)? else { return Ok(()) };
    fetches.fetch_add(1, Ordering::SeqCst);
    seen.lock().unwrap().push(request.head.clone());
    assert!(request.header("content-encoding").is_none(), "requests of the test are too short to be packed");
    // A forge has the repository under both names.
    let is_listing = ["/org/lib", "/org/lib.git"]
        .iter()
        .any(|name| request.head.starts_with(&format!("GET {name}/info/refs?service=git-upload-pack ")));
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "upload-pack", "--stateless-rpc"]);
    if is_listing {
        git.arg("--advertise-refs");
    }
    git.arg(folder).env("GIT_PROTOCOL", request.header("git-protocol").unwrap_or_default());
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    child.stdin.take().unwrap().write_all(&request.body)?;
    let output = child.wait_with_output()?;
    let (kind, lead) = match is_listing {
        true => ("advertisement", &b"001e# service=git-upload-pack\n0000"[..]),
        false => ("result", &b""[..]),
    };
    let status = if output.status.success() { 200 } else { 404 };
    let kind = format!("content-type: application/x-git-upload-pack-{kind}\r\n");
    respond(&mut stream, status, &kind, &[lead, &output.stdout].concat())
}
