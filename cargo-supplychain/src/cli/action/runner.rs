//! The run of GitHub Actions that we are part of: folders and files of the runner, and the event, of which nothing is believed that it does
//! not say. A pull request of which it is not known where it comes from counts as a fork's. Pure but for two files that are read.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::base::Context;
use crate::files;

/// The largest event: GitHub's limit is 25 MiB.
const MAX_EVENT: u64 = 32 << 20;

/// Where we run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Runner {
    /// What places in annotations are relative to.
    pub(super) workspace: Utf8PathBuf,
    /// Where files go that nobody named a folder for.
    pub(super) temp: Utf8PathBuf,
    pub(super) output: Option<Utf8PathBuf>,
    pub(super) summary: Option<Utf8PathBuf>,
    pub(super) server: String,
    pub(super) api: String,
    pub(super) repository: Option<String>,
    pub(super) sha: Option<String>,
    pub(super) reference: Option<String>,
    /// Whether the job may ask for an identity token.
    pub(super) has_identity: bool,
    pub(super) event: Event,
}

/// What started the run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) pull_request: Option<PullRequest>,
    /// Whether everybody may read the repository; unknown is no.
    pub(super) is_public: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PullRequest {
    pub(super) number: Option<u64>,
    pub(super) is_fork: bool,
    pub(super) base: Option<String>,
    pub(super) head: Option<String>,
}

impl Runner {
    pub(super) fn read(context: &Context) -> Self {
        let var = |name: &str| context.var(name).map(str::to_owned);
        let path = |name: &str| context.var(name).map(|value| context.cwd.join(value));
        let workspace = path("GITHUB_WORKSPACE").unwrap_or_else(|| context.cwd.clone());
        let server = var("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".to_owned());
        let payload = path("GITHUB_EVENT_PATH").and_then(|path| files::read(&path, MAX_EVENT).ok());
        Self {
            temp: path("RUNNER_TEMP")
                .or_else(|| path("TMPDIR"))
                .or_else(|| path("TEMP"))
                .unwrap_or_else(|| Utf8PathBuf::from("/tmp")),
            workspace: workspace.canonicalize_utf8().unwrap_or(workspace),
            output: path("GITHUB_OUTPUT"),
            summary: path("GITHUB_STEP_SUMMARY"),
            api: var("GITHUB_API_URL").unwrap_or_else(|| api_of(&server)),
            server,
            repository: var("GITHUB_REPOSITORY"),
            sha: var("GITHUB_SHA"),
            reference: var("GITHUB_REF"),
            has_identity: var("ACTIONS_ID_TOKEN_REQUEST_URL").is_some() && var("ACTIONS_ID_TOKEN_REQUEST_TOKEN").is_some(),
            event: Event::read(context.var("GITHUB_EVENT_NAME").unwrap_or_default(), payload.as_deref()),
        }
    }

    /// A path as the repository has it: what annotations and code scanning take.
    pub(super) fn in_repository(&self, root: &Utf8Path, file: &str) -> String {
        let path = files::normal(&root.join(file));
        path.strip_prefix(&self.workspace).map_or_else(|_| file.to_owned(), |path| path.as_str().replace('\\', "/"))
    }

    /// The tag that the run is for.
    pub(super) fn tag(&self) -> Option<&str> {
        self.reference.as_deref()?.strip_prefix("refs/tags/")
    }
}

fn api_of(server: &str) -> String {
    if server == "https://github.com" { "https://api.github.com".to_owned() } else { format!("{server}/api/v3") }
}

impl Event {
    fn read(name: &str, payload: Option<&[u8]>) -> Self {
        let value: Value = payload.and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
        let text = |place: &str| value.pointer(place).and_then(Value::as_str).filter(|text| !text.is_empty());
        let is_public = match text("/repository/visibility") {
            Some(word) => word == "public",
            None => value.pointer("/repository/private").and_then(Value::as_bool) == Some(false),
        };
        let commit = |place: &str| text(place).filter(|text| is_commit(text)).map(str::to_owned);
        let is_request = name.starts_with("pull_request") || value.get("pull_request").is_some();
        let pull_request = is_request.then(|| {
            let places = ["/pull_request/head/repo/full_name", "/pull_request/base/repo/full_name"].map(text);
            let is_own = matches!(places, [Some(head), Some(base)] if head.eq_ignore_ascii_case(base));
            PullRequest {
                number: value.pointer("/pull_request/number").or_else(|| value.get("number")).and_then(Value::as_u64),
                is_fork: !is_own,
                base: commit("/pull_request/base/sha"),
                head: commit("/pull_request/head/sha"),
            }
        });
        Self { pull_request, is_public }
    }

    pub(super) fn is_fork(&self) -> bool {
        self.pull_request.as_ref().is_some_and(|request| request.is_fork)
    }
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_request_of_unknown_origin_is_a_forks() {
        let own = br#"{"repository":{"visibility":"public"},"number":5,"pull_request":{"number":5,
            "head":{"sha":"0123456789012345678901234567890123456789","repo":{"full_name":"O/r"}},
            "base":{"sha":"--help","repo":{"full_name":"o/r"}}}}"#;
        let event = Event::read("pull_request", Some(own));
        let request = event.pull_request.clone().unwrap();
        assert!(event.is_public && !event.is_fork());
        assert_eq!((request.number, request.base, request.head.map(|sha| sha.len())), (Some(5), None, Some(40)));
        let fork = String::from_utf8(own.to_vec()).unwrap().replace("O/r", "x/r");
        assert!(Event::read("pull_request", Some(fork.as_bytes())).is_fork());
        assert!(Event::read("anything", Some(fork.as_bytes())).is_fork());
        for payload in [None, Some(&b"{"[..]), Some(b"[]"), Some(b"{\"pull_request\":{\"head\":{\"repo\":null}}}")] {
            assert!(Event::read("pull_request_target", payload).is_fork(), "{payload:?}");
            assert!(!Event::read("pull_request", payload).is_public);
        }
        let push = Event::read("push", Some(b"{\"repository\":{\"private\":false}}"));
        assert_eq!(push, Event { pull_request: None, is_public: true });
        assert_eq!(Event::read("push", None), Event::default());
    }
}
