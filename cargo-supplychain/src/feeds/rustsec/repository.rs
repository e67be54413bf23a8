//! A database in a git repository: a bare, shallow copy in the cache, fetched by the git program and read by libgit2. There is no
//! working tree, so nothing that the repository holds is ever written out as a file, a link or a hook.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};

use super::advisory::MAX_BYTES;
use super::{AdvisoryFile, Error, Head, MAX_ADVISORIES, RustsecRequest, is_advisory};
use crate::base::Timestamp;
use crate::feeds::git::{self, Fetch, NamedBy};
use crate::files;

/// The branch of the copy.
const BRANCH: &str = "refs/heads/advisories";
/// A copy that was fetched within so many seconds is not fetched again.
const REFRESH_SECONDS: u64 = 24 * 60 * 60;
/// A fetch takes no longer, and a copy grows no larger.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
const MAX_COPY: u64 = 4 << 30;

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
    let home = request.cache_dir.join("rustsec").join(git::folder_name(url, shown));
    let copy = home.join("repository");
    let is_there = copy.join("HEAD").exists();
    if request.offline {
        let why = format!("no copy of the advisory database {shown} in the cache, and the network may not be used");
        let help = "run once without `--offline`, or name a folder with `--advisory-db`";
        return if is_there { Ok(copy) } else { Err(Error::unavailable(why, help)) };
    }
    let is_current = || match request.revision {
        Some(wanted) => Advisories::open(&copy).is_ok_and(|kept| kept.head.revision == wanted),
        None => fetched_seconds_ago(&home).is_some_and(|age| age < REFRESH_SECONDS),
    };
    if is_there && is_current() {
        return Ok(copy);
    }
    (request.progress)(&format!("fetching the advisory database {shown}"));
    let fetch = |path: &Utf8Path| fetch(request, path, url, shown);
    let before = if request.revision.is_none() { Advisories::open(&copy).ok().map(|kept| kept.head) } else { None };
    let fetched = if is_there { fetch(&copy) } else { git::make_copy(&home, &copy, BRANCH, fetch) };
    match fetched {
        Ok(()) => {
            record_fetch(&home, request.revision.is_none());
            record_rollback(request, &home, before.and_then(|before| went_back(&copy, &before)));
        }
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

/// A state that is older than the one before is not taken: the copy is put back to that. What was offered, then.
fn went_back(copy: &Utf8Path, before: &Head) -> Option<String> {
    let now = Advisories::open(copy).ok()?;
    let (had, got) = (before.date?, now.head.date?);
    if now.head.revision == before.revision || got >= had {
        return None;
    }
    let id = git2::Oid::from_str(&before.revision).ok()?;
    now.repository.reference(BRANCH, id, true, "an older state is not taken").ok()?;
    Some(format!(
        "the server offers {} of {}, the copy is at {} of {}",
        now.head.revision,
        got.date(),
        before.revision,
        had.date()
    ))
}

fn record_rollback(request: &RustsecRequest<'_>, home: &Utf8Path, offered: Option<String>) {
    let record = home.join("rolled-back");
    match offered {
        Some(offered) => {
            (request.progress)(&format!("{offered}: not taken"));
            // Said by later runs as well; without it only this one does.
            let _ = std::fs::write(record, offered);
        }
        None => drop(std::fs::remove_file(record)),
    }
}

/// What was offered last, where that was older than the copy of `url`.
pub(super) fn rolled_back(request: &RustsecRequest<'_>, url: &str, shown: &str) -> Option<String> {
    let home = request.cache_dir.join("rustsec").join(git::folder_name(url, shown));
    files::read_text(&home.join("rolled-back"), 4096).ok()
}

/// In how many advisories a checkout differs from its commit: changed, added or removed.
pub(super) fn changes_of_checkout(path: &Utf8Path) -> Option<usize> {
    let repository = git2::Repository::open_ext(path, git2::RepositoryOpenFlags::NO_SEARCH, &[] as &[&str]).ok()?;
    let mut options = git2::StatusOptions::new();
    options.pathspec("crates").include_untracked(true).recurse_untracked_dirs(true).exclude_submodules(true);
    let statuses = repository.statuses(Some(&mut options)).ok()?;
    let is_one = |path: &str| path.rsplit('/').next().is_some_and(is_advisory);
    Some(statuses.iter().filter(|entry| entry.path().is_ok_and(is_one)).count())
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

/// A copy at a commit that somebody asked for is not the newest: who does not ask for one fetches again.
fn record_fetch(home: &Utf8Path, is_newest: bool) {
    let record = home.join("fetched");
    // Without it the next run fetches again; nothing else depends on it.
    let _ = if is_newest { std::fs::write(record, format!("{}\n", unix_seconds())) } else { std::fs::remove_file(record) };
}

fn fetch(request: &RustsecRequest<'_>, repository: &Utf8Path, url: &str, shown: &str) -> Result<(), String> {
    let fetch = Fetch {
        env: request.env,
        workspace: request.workspace,
        into: repository,
        url,
        shown,
        refspec: &format!("+{}:{BRANCH}", request.revision.unwrap_or("HEAD")),
        named_by: NamedBy::User,
        patience: PATIENCE,
        limit: MAX_COPY,
    };
    fetch.run()
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
