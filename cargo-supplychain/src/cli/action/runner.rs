//! The run of GitHub Actions that we are part of: folders and files of the runner, and the event. What the event says is read in `github::event`.

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::Context;
use crate::files;
use crate::github::event::Event;

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
