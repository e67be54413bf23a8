//! The sealed build as evidence: what held cargo and everything that it started, and what they tried to do all the same.
//!
//! Never here: how it is enforced (`sandbox/`), what it means (`check/rules/sandbox_*.rs`), what the policy allows (`config`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much of a seal is asked for: `[sandbox] mode`, `--sandbox`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SandboxMode {
    /// What this system can enforce; what that was is recorded.
    #[default]
    Auto,
    /// A build that cannot be sealed does not begin.
    Require,
    /// No seal.
    Off,
}

impl SandboxMode {
    pub const ALL: [Self; 3] = [Self::Auto, Self::Require, Self::Off];

    /// The word in the policy, on the command line and in the provenance.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Require => "require",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for SandboxMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SandboxMode {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mode = Self::ALL.into_iter().find(|mode| mode.as_str() == text);
        mode.ok_or_else(|| format!("unknown sandbox mode `{text}`: use auto, require or off"))
    }
}

/// What enclosed a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Enforcement {
    /// Nothing: the policy said so, or `why` not (a fragment: `this system has no Landlock`).
    None { why: String, asked_off: bool },
    /// Landlock and seccomp of Linux.
    Linux(Seal),
}

impl Enforcement {
    /// The word of the provenance: `none`, or what the kernel was asked to enforce.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::None { .. } => "none",
            Self::Linux(_) => "landlock+seccomp",
        }
    }
}

/// What the kernel was asked to enforce, by its own answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// The Landlock ABI that is enforced: 2 files, 3 truncation, 4 TCP as well, 5 device ioctls, 6 signals and abstract sockets.
    pub landlock_abi: u32,
    /// Landlock's rules in words, sorted: `read /usr`, `write <target>`. Folders of the user and of the workspace are named by what
    /// they are, so that the same build on another machine says the same.
    pub rules: Vec<String>,
    /// `no network but AF_UNIX pairs`, … what seccomp refuses.
    pub refused: Vec<String>,
    /// Exceptions of the policy that applied: `openssl-sys 0.9.104: read /opt/ssl`.
    pub exceptions: Vec<String>,
}

/// What was enforced and what was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxFacts {
    pub enforcement: Enforcement,
    /// Denied attempts, each once with its number; sorted.
    pub attempts: Vec<Attempt>,
    /// How many more kinds of attempts there were than are listed.
    pub unlisted: u64,
}

/// A denied attempt of one kind by one crate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attempt {
    pub actor: Actor,
    pub act: Act,
    /// How often.
    pub count: u64,
}

/// `dep 1.0.0, build script: read ~/.ssh/id_rsa`, for people; the text of others in it is escaped by who shows it.
impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Actor { name, version, kind, .. } = &self.actor;
        write!(f, "{name} {version}, {}: ", kind.words())?;
        match &self.act {
            Act::Read { path, .. } => write!(f, "read {path}"),
            Act::Write { path } => write!(f, "write {path}"),
            Act::Network { family } => write!(f, "network {family}"),
            Act::System { call } => write!(f, "call {call}"),
        }
    }
}

/// Who tried it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// The crate's package name; empty where the process could not be attributed to one.
    pub name: String,
    /// Empty where it is not known.
    pub version: String,
    pub kind: ActorKind,
    /// The file name of the program that the process ran: `build-script-build`, `rustc`, `curl`.
    pub program: String,
}

/// In what the attempt was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    BuildScript,
    /// The crate's procedural macro, in the compiler.
    ProcMacro,
    /// The compiler itself while it compiled the crate: the source asks for a file (`include_str!`).
    Compiler,
    /// A program that the crate's build script started.
    Child,
    /// Not known: the process had left its parents.
    Unknown,
}

impl ActorKind {
    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::BuildScript => "build script",
            Self::ProcMacro => "procedural macro",
            Self::Compiler => "compiler",
            Self::Child => "program started by the build script",
            Self::Unknown => "process of the build",
        }
    }
}

/// What was tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// Reading a file or folder. `is_secret`: a place where keys are kept by the habit of the field, whether it exists or not.
    Read { path: String, is_secret: bool },
    /// Writing, creating, removing, renaming or changing a file or folder.
    Write { path: String },
    /// A socket, or a connection to one: the family's name (`AF_INET`), with the path for `AF_UNIX`.
    Network { family: String },
    /// Anything else that a build has no reason to do: the system call (`ptrace`).
    System { call: String },
}

impl SandboxFacts {
    /// What of it the model of the build keeps: what was asked and enforced, and how much was refused.
    #[must_use]
    pub fn record(&self, asked: SandboxMode) -> SandboxRecord {
        let denied = self.attempts.iter().fold(0u64, |sum, attempt| sum.saturating_add(attempt.count));
        SandboxRecord { asked, enforcement: self.enforcement.clone(), denied, unlisted: self.unlisted }
    }

    /// Adds what another build behind the same walls tried.
    pub fn add(&mut self, other: Self) {
        for attempt in other.attempts {
            match self.attempts.iter_mut().find(|known| known.actor == attempt.actor && known.act == attempt.act) {
                Some(known) => known.count = known.count.saturating_add(attempt.count),
                None => self.attempts.push(attempt),
            }
        }
        self.attempts.sort();
        self.unlisted = self.unlisted.saturating_add(other.unlisted);
    }

    /// Whether anything was refused.
    #[must_use]
    pub fn has_attempts(&self) -> bool {
        !self.attempts.is_empty() || self.unlisted > 0
    }
}

/// The sealed build in the model of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxRecord {
    pub asked: SandboxMode,
    pub enforcement: Enforcement,
    /// How many attempts were refused, of those that are listed.
    pub denied: u64,
    /// How many more kinds of attempts there were than were listed.
    pub unlisted: u64,
}

impl SandboxRecord {
    /// Of a build that was planned and not made.
    #[must_use]
    pub fn of_a_plan() -> Self {
        let enforcement = Enforcement::None { why: "nothing was compiled".to_owned(), asked_off: false };
        Self { asked: SandboxMode::default(), enforcement, denied: 0, unlisted: 0 }
    }
}
