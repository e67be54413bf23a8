//! A database in a git repository: a bare, shallow copy in the cache, fetched by the git program and read by libgit2. There is no
//! working tree, so nothing that the repository holds is ever written out as a file, a link or a hook.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};

use super::advisory::MAX_BYTES;
use super::{AdvisoryFile, Error, Head, MAX_ADVISORIES, RustsecRequest, is_advisory};
use crate::base::{Sha256, Timestamp};

/// The branch of the copy.
const BRANCH: &str = "refs/heads/advisories";
/// A copy that was fetched within so many seconds is not fetched again.
const REFRESH_SECONDS: u64 = 24 * 60 * 60;
/// Of the environment, what git needs for a path, a proxy, a certificate or an ssh agent.
const PASSED: [&str; 20] = [
    "PATH",
    "HOME",
    "USERPROFILE",
    "SYSTEMROOT",
    "TMPDIR",
    "TEMP",
    "http_proxy",
    "https_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
    "SSH_AUTH_SOCK",
    "XDG_CONFIG_HOME",
    "USER",
];

/// HEAD of a database folder that is itself the root of a git checkout.
pub(super) fn head_of_checkout(path: &Utf8Path) -> Option<Head> {
    let repository = git2::Repository::open_ext(path, git2::RepositoryOpenFlags::NO_SEARCH, &[] as &[&str]).ok()?;
    let commit = repository.head().ok()?.peel_to_commit().ok()?;
    Some(head_of(&commit))
}

fn head_of(commit: &git2::Commit<'_>) -> Head {
    Head { revision: commit.id().to_string(), date: Timestamp::from_unix(commit.time().seconds()) }
}

/// The folder of the up-to-date copy of `url`: fetched when it is missing or a day old, unless offline. A copy that cannot be
/// renewed is used as it is, which is said; its age is judged later.
pub(super) fn ensure(request: &RustsecRequest<'_>, url: &str, shown: &str) -> Result<Utf8PathBuf, Error> {
    refuse_other_transports(url, shown)?;
    let last = shown.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(64).collect();
    let home = request.cache_dir.join("rustsec").join(format!("{name}-{}", &Sha256::of(url).to_string()[..16]));
    let copy = home.join("repository");
    let is_there = copy.join("HEAD").exists();
    if request.offline {
        let why = format!("no copy of the advisory database {shown} in the cache, and the network may not be used");
        let help = "run once without `--offline`, or name a folder with `--advisory-db`";
        return if is_there { Ok(copy) } else { Err(Error::unavailable(why, help)) };
    }
    if is_there && fetched_seconds_ago(&home).is_some_and(|age| age < REFRESH_SECONDS) {
        return Ok(copy);
    }
    (request.progress)(&format!("fetching the advisory database {shown}"));
    let fetched = if is_there { fetch(request, &copy, url, shown) } else { fetch_new(request, &home, &copy, url, shown) };
    match fetched {
        Ok(()) => record_fetch(&home),
        Err(why) if is_there => {
            (request.progress)(&format!("could not renew the advisory database {shown}: {why}; using the copy in the cache"));
        }
        Err(why) => {
            let help = "check the network, or name a folder or another URL with `--advisory-db`";
            return Err(Error::unavailable(format!("cannot fetch the advisory database {shown}: {why}"), help));
        }
    }
    Ok(copy)
}

/// Only transports that authenticate the other side, and local ones.
fn refuse_other_transports(url: &str, shown: &str) -> Result<(), Error> {
    let scheme = url.split_once("://").map_or("ssh", |(scheme, _)| scheme);
    if matches!(scheme, "https" | "ssh" | "file") && !url.starts_with('-') {
        return Ok(());
    }
    let why = format!("cannot fetch by `{}`: use https, ssh or file", scheme.chars().take(32).collect::<String>());
    Err(Error::NotFound { database: shown.to_owned(), why })
}

/// The real clock on purpose: this is about load on the network, not a judgement that `--now` could shift.
fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn fetched_seconds_ago(home: &Utf8Path) -> Option<u64> {
    let then: u64 = std::fs::read_to_string(home.join("fetched")).ok()?.trim().parse().ok()?;
    unix_seconds().checked_sub(then)
}

fn record_fetch(home: &Utf8Path) {
    // Without it the next run fetches again; nothing else depends on it.
    let _ = std::fs::write(home.join("fetched"), format!("{}\n", unix_seconds()));
}

/// Fetches into a temporary folder, which takes its place only when it is complete.
fn fetch_new(request: &RustsecRequest<'_>, home: &Utf8Path, copy: &Utf8Path, url: &str, shown: &str) -> Result<(), String> {
    let io = |error: std::io::Error| format!("cannot write to {home}: {error}");
    std::fs::create_dir_all(home).map_err(io)?;
    let folder = tempfile::Builder::new().prefix("fetching-").tempdir_in(home).map_err(io)?;
    let path = Utf8Path::from_path(folder.path()).ok_or("the cache folder's name is not UTF-8")?;
    let mut options = git2::RepositoryInitOptions::new();
    options.bare(true).external_template(false).initial_head(BRANCH);
    git2::Repository::init_opts(path, &options).map_err(|error| error.message().to_owned())?;
    fetch(request, path, url, shown)?;
    match std::fs::rename(path, copy) {
        // Another run was faster.
        Err(_) if copy.join("HEAD").exists() => Ok(()),
        other => other.map_err(io),
    }
}

fn fetch(request: &RustsecRequest<'_>, repository: &Utf8Path, url: &str, shown: &str) -> Result<(), String> {
    let env = request.env;
    let program = git_program(env, request.workspace).ok_or("there is no git program in PATH")?;
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).current_dir(repository);
    command.envs(PASSED.iter().filter_map(|name| Some((name, env.get(*name)?))));
    command.envs([
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_ALLOW_PROTOCOL", "https:ssh:file"),
        ("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=15"),
        ("GIT_DIR", "."),
        ("LC_ALL", "C"),
    ]);
    let settings = [
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "protocol.ext.allow=never",
        "gc.auto=0",
        "maintenance.auto=false",
        "http.lowSpeedLimit=1000",
        "http.lowSpeedTime=30",
    ];
    command.args(settings.iter().flat_map(|setting| ["-c", setting]));
    command.args(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--"]);
    command.args([url, &format!("+HEAD:{BRANCH}")]);
    let output = command.output().map_err(|error| format!("cannot start git: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).replace(url, shown);
    let line = text.lines().find(|line| line.starts_with("fatal:") || line.starts_with("error:")).or(text.lines().next_back());
    Err(line.unwrap_or("git failed").trim_start_matches("fatal: ").trim_start_matches("error: ").to_owned())
}

/// `git` in an absolute folder of PATH outside the workspace: a relative one, or one below it, would be the project's.
pub(super) fn git_program(env: &BTreeMap<String, String>, workspace: Option<&Utf8Path>) -> Option<Utf8PathBuf> {
    let name = if cfg!(windows) { "git.exe" } else { "git" };
    std::env::split_paths(env.get("PATH")?)
        .filter_map(|folder| Utf8PathBuf::from_path_buf(folder).ok())
        .filter(|folder| folder.is_absolute() && !workspace.is_some_and(|workspace| folder.starts_with(workspace)))
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// The copy, opened for reading.
pub(super) struct Advisories {
    repository: git2::Repository,
    pub(super) head: Head,
}

impl Advisories {
    pub(super) fn open(path: &Utf8Path) -> Result<Self, String> {
        let message = |error: git2::Error| error.message().to_owned();
        let repository = git2::Repository::open_bare(path).map_err(message)?;
        let head = {
            let commit = repository.find_reference(BRANCH).and_then(|branch| branch.peel_to_commit()).map_err(message)?;
            head_of(&commit)
        };
        Ok(Self { repository, head })
    }

    /// The advisory files of the commit, sorted by path.
    pub(super) fn read(&self) -> Result<Vec<AdvisoryFile>, String> {
        let message = |error: git2::Error| error.message().to_owned();
        let id = git2::Oid::from_str(&self.head.revision).map_err(message)?;
        let tree = self.repository.find_commit(id).and_then(|commit| commit.tree()).map_err(message)?;
        let Some(crates) = tree.get_name("crates") else { return Ok(Vec::new()) };
        let crates = self.repository.find_tree(crates.id()).map_err(message)?;
        let database = self.repository.odb().map_err(message)?;
        let mut files = Vec::new();
        for folder in &crates {
            if folder.kind() != Some(git2::ObjectType::Tree) {
                continue;
            }
            for entry in &self.repository.find_tree(folder.id()).map_err(message)? {
                let (Ok(folder), Ok(name)) = (folder.name(), entry.name()) else { continue };
                if !is_advisory(name) {
                    continue;
                }
                let path = format!("crates/{folder}/{name}");
                let (size, kind) = database.read_header(entry.id()).map_err(message)?;
                let is_file = kind == git2::ObjectType::Blob && entry.filemode() & 0o170_000 == 0o100_000;
                if !is_file || size as u64 > MAX_BYTES || files.len() >= MAX_ADVISORIES {
                    return Err(format!("{path} is not a regular file of at most {MAX_BYTES} bytes, or one too many"));
                }
                let bytes = database.read(entry.id()).map_err(message)?.data().to_vec();
                files.push(AdvisoryFile { path, bytes });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }
}
