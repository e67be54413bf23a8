//! Whether commits that workflows pin belong to the repositories that they are said to be of. GitHub serves a commit of any fork under the
//! name of the original; only what a branch or a tag of the original leads to is its own. First the list of references is asked for, as
//! `git fetch` does; a commit that none of them names is compared with them over GitHub's API. What this means is `check`'s to judge: here
//! it is proved, excluded, or not known.

pub mod advertisement;
mod cache;
#[cfg(test)]
mod fixture;
mod order;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Deserialize;

use crate::base::Http;
use crate::base::http::{Request, Response, is_allowed};
use crate::base::text::without_credentials;
use crate::model::action_commit::{ActionCommit, ActionCommits, Belonging};
use advertisement::Advertisement;
use cache::Cache;

const DEFAULT_SERVER: &str = "https://github.com";
const DEFAULT_API: &str = "https://api.github.com";

/// The largest list of references, in bytes; every pull request that a repository ever had stands in it, with some 70 bytes or 140.
const MAX_LIST: u64 = 16 << 20;
/// The largest comparison, in bytes; one that says no may list 300 changed files.
const MAX_COMPARISON: u64 = 16 << 20;
/// So many repositories are asked about in a run.
const MAX_REPOSITORIES: usize = 100;
/// Comparisons of one commit, and of a run. Without a token GitHub answers sixty an hour; with that of a workflow a thousand.
const WITHOUT_TOKEN: (usize, usize) = (10, 40);
const WITH_TOKEN: (usize, usize) = (60, 300);
/// Requests in a row without any answer, after which a server is left alone.
const MAX_SILENCE: usize = 2;

/// Where GitHub is. Only the environment says it, never a file of the repository, which could have a token sent elsewhere.
pub struct GitHub {
    server: String,
    api: String,
    /// For the API only. Never shown.
    token: Option<String>,
}

impl GitHub {
    /// `GITHUB_SERVER_URL`, `GITHUB_API_URL` and `GITHUB_TOKEN`, as GitHub sets them for workflows; else github.com, without a token. The
    /// API of another server is below its `/api/v3`, as GitHub Enterprise Server has it.
    #[must_use]
    pub fn of(env: &BTreeMap<String, String>) -> Self {
        let var = |name| env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        let url = |name| var(name).map(|url| url.trim_end_matches('/').to_owned());
        let server = url("GITHUB_SERVER_URL").unwrap_or_else(|| DEFAULT_SERVER.to_owned());
        let of_server = || if server == DEFAULT_SERVER { DEFAULT_API.to_owned() } else { format!("{server}/api/v3") };
        let api = url("GITHUB_API_URL").unwrap_or_else(of_server);
        let token = var("GITHUB_TOKEN").filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()) && is_allowed(&api));
        let token = token.map(str::to_owned);
        Self { server, api, token }
    }
}

/// What to ask, and with what.
pub struct RefsRequest<'a> {
    pub github: &'a GitHub,
    /// `None`: offline, the cache alone is read.
    pub http: Option<&'a dyn Http>,
    pub cache_dir: &'a Utf8Path,
    /// Each with the comment behind it.
    pub commits: &'a BTreeMap<ActionCommit, Option<String>>,
    /// Told which commit is asked about; fragments for people.
    pub progress: &'a (dyn Fn(&str) + Sync),
}

/// Asks about all of them; each has an answer.
#[must_use]
pub fn belonging(request: &RefsRequest<'_>) -> ActionCommits {
    let cache = Cache::new(request.cache_dir, &request.github.server);
    let mut asker = request.http.map(|http| Asker::new(request.github, http));
    let mut found = ActionCommits::new();
    for (place, (commit, comment)) in request.commits.iter().enumerate() {
        let belonging = match &mut asker {
            _ if cache.is_proved(commit) => Belonging::Proved,
            None => Belonging::Unknown("--offline, and it was not proved before".to_owned()),
            Some(asker) => {
                let of = request.commits.len();
                (request.progress)(&format!("asking whether {commit} is a commit of its repository ({} of {of})", place + 1));
                let belonging = asker.belonging(commit, comment.as_deref()).unwrap_or_else(Belonging::Unknown);
                if belonging == Belonging::Proved {
                    cache.keep(commit);
                }
                belonging
            }
        };
        found.insert(commit.clone(), belonging);
    }
    found
}

/// What is asked of one GitHub in a run. Errors are fragments that name the server.
struct Asker<'a> {
    server: Host<'a>,
    api: Host<'a>,
    token: Option<String>,
    repositories: usize,
    /// Comparisons that are still made in this run.
    left: usize,
    /// The repository asked about last; commits come sorted by theirs.
    current: Option<Repository>,
}

struct Repository {
    name: String,
    list: Result<Advertisement, String>,
    /// Whether the API compares commits of this repository at all: only then is its 404 a word.
    is_compared: Option<Result<(), String>>,
}

impl<'a> Asker<'a> {
    fn new(github: &'a GitHub, http: &'a dyn Http) -> Self {
        let token = github.token.as_ref().map(|token| format!("Bearer {token}"));
        let (_, left) = if token.is_some() { WITH_TOKEN } else { WITHOUT_TOKEN };
        let host = |base| Host { http, base, silent: 0, given_up: None };
        Self { server: host(&github.server), api: host(&github.api), token, repositories: 0, left, current: None }
    }

    fn belonging(&mut self, commit: &ActionCommit, comment: Option<&str>) -> Result<Belonging, String> {
        let name = commit.repository();
        let current = match self.current.take().filter(|current| current.name == name) {
            Some(current) => current,
            None => Repository { list: self.list(&name), name, is_compared: None },
        };
        let list = self.current.insert(current).list.as_ref().map_err(Clone::clone)?;
        if list.head.as_deref() == Some(commit.commit()) || list.references.iter().any(|one| one.names(commit.commit())) {
            return Ok(Belonging::Proved);
        }
        let tags = list.references.iter().filter(|one| one.is_tag).count();
        let branches = list.references.len() - tags;
        let candidates = order::candidates(list, comment);
        let (limit, _) = if self.token.is_some() { WITH_TOKEN } else { WITHOUT_TOKEN };
        for base in candidates.iter().take(limit) {
            if self.leads_to(base, commit)? {
                return Ok(Belonging::Proved);
            }
        }
        match candidates.len() {
            0 => Err(format!("{} told neither branches nor tags", self.server.shown())),
            count if count > limit => Err(format!("of its {count} branches and tags the first {limit} do not lead to it")),
            _ => Ok(Belonging::ToNone { branches, tags }),
        }
    }

    fn list(&mut self, repository: &str) -> Result<Advertisement, String> {
        self.repositories += 1;
        if self.repositories > MAX_REPOSITORIES {
            return Err(format!("more than {MAX_REPOSITORIES} repositories are used"));
        }
        let path = format!("/{repository}.git/info/refs?service=git-upload-pack");
        let answer = self.server.get(&path, &[("accept", "application/x-git-upload-pack-advertisement")], MAX_LIST)?;
        let shown = self.server.shown();
        match answer.status {
            200 => advertisement::parse(&answer.body).map_err(|why| format!("{shown} {why}")),
            status @ (401 | 404) => Err(format!("{shown} answered {status}: the repository is private, or not there")),
            status => Err(format!("{shown} answered {status}")),
        }
    }

    /// Whether the commit is `base` or one of its ancestors.
    fn leads_to(&mut self, base: &str, commit: &ActionCommit) -> Result<bool, String> {
        if let Some(leads) = self.compare(&commit.repository(), base, commit.commit())? {
            return Ok(leads);
        }
        // Without a common ancestor the API answers 404, as it does for a repository that it does not know or does not show.
        let known = self.current.as_ref().and_then(|current| current.is_compared.clone());
        let is_compared = known.unwrap_or_else(|| match self.compare(&commit.repository(), base, base) {
            Ok(Some(true)) => Ok(()),
            Ok(_) => Err(format!("{} does not compare commits of the repository (404)", self.api.shown())),
            Err(why) => Err(why),
        });
        if let Some(current) = &mut self.current {
            current.is_compared = Some(is_compared.clone());
        }
        is_compared.map(|()| false)
    }

    /// `None`: answered 404.
    fn compare(&mut self, repository: &str, base: &str, head: &str) -> Result<Option<bool>, String> {
        self.left = self.left.checked_sub(1).ok_or("more comparisons than are made in one run would be needed")?;
        let mut headers = vec![("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];
        headers.extend(self.token.as_deref().map(|token| ("authorization", token)));
        let path = format!("/repos/{repository}/compare/{base}...{head}?per_page=1");
        let answer = self.api.get(&path, &headers, MAX_COMPARISON)?;
        let shown = self.api.shown();
        match answer.status {
            200 => comparison(&answer.body).map(Some).map_err(|why| format!("{shown} {why}")),
            404 => Ok(None),
            status => Err(format!("{shown} answered {status}")),
        }
    }
}

/// Reads a comparison of BASE with HEAD (GitHub REST API, "Compare two commits"): whether BASE is HEAD or comes after it.
///
/// # Errors
/// What is wrong with it, a fragment.
pub fn comparison(bytes: &[u8]) -> Result<bool, &'static str> {
    #[derive(Deserialize)]
    struct Comparison {
        status: String,
    }
    const WRONG: &str = "answered no comparison";
    let comparison: Comparison = serde_json::from_slice(bytes).map_err(|_| WRONG)?;
    match comparison.status.as_str() {
        "identical" | "behind" => Ok(true),
        "ahead" | "diverged" => Ok(false),
        _ => Err(WRONG),
    }
}

/// A server, until it does not want to be asked any more.
struct Host<'a> {
    http: &'a dyn Http,
    base: &'a str,
    silent: usize,
    given_up: Option<String>,
}

impl Host<'_> {
    fn get(&mut self, path: &str, headers: &[(&str, &str)], limit: u64) -> Result<Response, String> {
        if let Some(why) = &self.given_up {
            return Err(why.clone());
        }
        let url = format!("{}{path}", self.base);
        match self.http.get(&Request { url: &url, headers, limit }) {
            Ok(answer) if is_refusal(&answer) => {
                let why = format!("{} wants fewer requests ({})", self.shown(), answer.status);
                self.given_up = Some(why.clone());
                Err(why)
            }
            Ok(answer) => {
                self.silent = 0;
                Ok(answer)
            }
            Err(error) => {
                self.silent += 1;
                let why = format!("{}: {error}", self.shown());
                if self.silent >= MAX_SILENCE {
                    self.given_up = Some(why.clone());
                }
                Err(why)
            }
        }
    }

    fn shown(&self) -> String {
        let url = without_credentials(self.base);
        url.split_once("://").map_or(url.clone(), |(_, rest)| rest.to_owned())
    }
}

/// GitHub's limits: 429, or 403 with the words of a limit (GitHub Docs, "Rate limits for the REST API").
fn is_refusal(answer: &Response) -> bool {
    let is_limit = answer.header("x-ratelimit-remaining") == Some("0") || answer.header("retry-after").is_some();
    answer.status == 429 || (answer.status == 403 && is_limit)
}
