//! GitHub workflows and composite actions as far as they decide about a release: what starts them, what they may, use, run, check out
//! and cache (GitHub Docs, "Workflow syntax for GitHub Actions", "Metadata syntax for GitHub Actions"). Pure types and parser.

pub mod expression;
mod read;
mod yaml;

pub use read::{Error, parse};
pub use yaml::MAX_BYTES;

/// A file of `.github/workflows`, or an `action.yml` (which has no triggers and one job without a name).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// As shown to people.
    pub path: String,
    /// `name:`, if any.
    pub name: Option<String>,
    pub triggers: Vec<Trigger>,
    pub env: Vec<Entry>,
    pub jobs: Vec<Job>,
}

/// An event of `on:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trigger {
    pub event: String,
    /// Whether it is narrowed to tags (`push: {tags: …}`).
    pub of_tags: bool,
    pub line: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub id: String,
    pub line: u32,
    /// What the token may, the workflow's `permissions` where the job has none of its own; `None`: the repository's default.
    pub permissions: Option<Permissions>,
    pub env: Vec<Entry>,
    /// `outputs:`, what later jobs read as `needs.ID.outputs.NAME`.
    pub outputs: Vec<Entry>,
    /// `if:`.
    pub condition: Option<Text>,
    /// A reusable workflow.
    pub uses: Option<Text>,
    pub steps: Vec<Step>,
}

/// `permissions:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permissions {
    WriteAll,
    ReadAll,
    /// Scope and level, `id-token` and `write`.
    Scopes(Vec<(String, String)>),
}

impl Permissions {
    /// Whether the scope is granted for writing.
    #[must_use]
    pub fn writes(&self, scope: &str) -> bool {
        match self {
            Self::WriteAll => true,
            Self::ReadAll => false,
            Self::Scopes(scopes) => scopes.iter().any(|(name, level)| name == scope && level == "write"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub line: u32,
    /// `if:`.
    pub condition: Option<Text>,
    pub uses: Option<Text>,
    pub run: Option<Text>,
    pub with: Vec<Entry>,
    pub env: Vec<Entry>,
}

impl Step {
    /// An input of the action.
    #[must_use]
    pub fn input(&self, name: &str) -> Option<&Text> {
        self.with.iter().find(|entry| entry.key.eq_ignore_ascii_case(name)).map(|entry| &entry.value)
    }

    /// Whether it uses this action, `actions/checkout`, in whatever version; GitHub does not tell capitals apart.
    #[must_use]
    pub fn uses_action(&self, name: &str) -> bool {
        self.action().is_some_and(|action| action.eq_ignore_ascii_case(name))
    }

    /// The action without its version, as written: `actions/checkout`.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        let text = &self.uses.as_ref()?.text;
        Some(text.split_once('@').map_or(text.as_str(), |(action, _)| action))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub value: Text,
}

/// A text and where it begins: of a block (`run: |`) its first line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    pub line: u32,
    pub column: u32,
    /// Of a `uses:` the comment behind it, where update bots keep the version: `v4.1.2`.
    pub comment: Option<String>,
}
