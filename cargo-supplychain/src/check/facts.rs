//! All that the rules may look at: evidence, model, settings and dated intelligence.

use std::collections::BTreeMap;

use crate::advisory::{AdvisoryDatabase, FeedInfo, Hit, Signals};
use crate::base::Timestamp;
use crate::config::{MaxAge, Settings};
use crate::model::action_commit::ActionCommits;
use crate::model::audits::Audits;
use crate::model::baseline::Baseline;
use crate::model::capability::CapabilityFacts;
use crate::model::change::ChangeSet;
use crate::model::feed::FeedKind;
use crate::model::functions::FunctionFacts;
use crate::model::index::IndexFacts;
use crate::model::integrity::IntegrityFacts;
use crate::model::machine::MachineFacts;
use crate::model::manifest::Manifest;
use crate::model::native::{Evidence, NativeVersion};
use crate::model::published::PublishedFacts;
use crate::model::registry::Registry;
use crate::model::sandbox::SandboxFacts;
use crate::model::workflow::Workflow;
use crate::model::{Build, CargoConfig, Lockfile, Reproduction};

pub use crate::model::ToolchainFile;

/// The lockfile, as far as there is one.
#[derive(Debug)]
pub enum LockState {
    /// `path` is where it should be.
    Missing { path: String },
    /// There, parsed; `stale` is cargo's own message when it does not satisfy the manifests.
    Present { lockfile: Lockfile, stale: Option<String> },
}

impl LockState {
    /// The lockfile, where there is one.
    #[must_use]
    pub fn lockfile(&self) -> Option<&Lockfile> {
        match self {
            Self::Missing { .. } => None,
            Self::Present { lockfile, .. } => Some(lockfile),
        }
    }
}

/// The advisory database, as far as it could be had.
#[derive(Debug)]
pub enum Advisories {
    Loaded {
        database: AdvisoryDatabase,
        hits: Vec<Hit>,
    },
    /// Why not, and what to do.
    Unavailable {
        why: String,
        help: String,
    },
}

/// A source besides the RustSec database, as far as it could be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    pub kind: FeedKind,
    /// Where it is, as shown to people.
    pub place: String,
    pub max_age: MaxAge,
    /// Why not, and what to do.
    pub state: Result<FeedInfo, (String, String)>,
    /// What a server offered instead, where that is older.
    pub rolled_back: Option<String>,
}

/// The libraries that locked crates bring along: by the index of the package in the lockfile, and upstream's name of the library.
pub type NativeVersions = BTreeMap<(usize, &'static str), LibraryVersion>;

/// The version of a library, as far as it is said, and what says it (or why nothing does), a fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LibraryVersion {
    pub version: Option<String>,
    pub said_by: String,
}

impl From<NativeVersion> for LibraryVersion {
    fn from(version: NativeVersion) -> Self {
        match version {
            NativeVersion::Known { version, evidence } => {
                let said_by = match evidence {
                    Evidence::BuildMetadata { .. } => "its version is in the version of the crate".to_owned(),
                    Evidence::File { path, .. } => format!("its version is in {path} of the crate"),
                };
                Self { version: Some(version), said_by }
            }
            NativeVersion::Unknown { why } => Self { version: None, said_by: why },
        }
    }
}

/// The sources besides the RustSec database, and what they say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    pub feeds: Vec<Feed>,
    pub signals: Signals,
    /// What they are asked about besides crates.
    pub natives: NativeVersions,
    /// What the server of the RustSec database offered, where that is older than the copy.
    pub database_rolled_back: Option<String>,
    /// How a checkout of the RustSec database differs from its commit.
    pub database_modified: Option<String>,
    /// What others have decided (VEX): the documents that are named, each of which counts.
    pub vex: Vec<crate::vex::Source>,
}

impl Sources {
    /// The source of this kind that was read.
    #[must_use]
    pub fn read(&self, kind: FeedKind) -> Option<&FeedInfo> {
        self.feeds.iter().filter(|feed| feed.kind == kind).find_map(|feed| feed.state.as_ref().ok())
    }
}

/// A file of ours that a change touches while it is judged by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnFile {
    /// `supplychain.toml`.
    Policy,
    /// `supplychain.lock`.
    Baseline,
}

/// Our target folder of an earlier build, which `build` would go on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReusedTarget {
    pub path: String,
    /// Who else can write to it: `everybody`, `its group`, `another user`.
    pub writable_by: Option<String>,
}

/// The facts of one run.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub settings: &'a Settings,
    pub now: Timestamp,
    /// Whether a CI system runs us.
    pub in_ci: bool,
    pub lock: &'a LockState,
    pub manifests: &'a [Manifest],
    /// Where what they name really is on this machine.
    pub machine: &'a MachineFacts,
    pub cargo_config: &'a CargoConfig,
    /// The environment's variables that shape a build, by name; the values are not for output.
    pub environment: &'a BTreeMap<String, String>,
    pub toolchain_file: Option<&'a ToolchainFile>,
    pub index: &'a IndexFacts,
    /// What is judged as new: against `--base`, else the baseline, else by age.
    pub changes: &'a ChangeSet,
    /// The committed `supplychain.lock`; with `--base` that of the revision.
    pub baseline: Option<&'a Baseline>,
    pub registry: &'a Registry,
    /// Of what changed, before and after.
    pub capabilities: &'a CapabilityFacts,
    /// Changed packages against their repositories, those that the policy lists.
    pub published: &'a PublishedFacts,
    /// The sources against their checksums; none: not compared, with the reason.
    pub integrity: Result<&'a IntegrityFacts, &'a str>,
    /// With `--base`: which of our own files differ from the revision that counts.
    pub own_files_changed: &'a [OwnFile],
    /// The repository's GitHub workflows and own actions.
    pub workflows: &'a [Workflow],
    /// Those that could not be read: place and why.
    pub unreadable_workflows: &'a [String],
    /// Whether the commits that they pin belong to the repositories that they name, as far as that was asked.
    pub action_commits: &'a ActionCommits,
    /// With `--base`: whether a manifest asks for other dependencies than the revision's.
    pub manifests_changed: bool,
    /// Only where something is going to be built.
    pub reused_target: Option<&'a ReusedTarget>,
    /// What held the build and what it tried all the same; none: nothing was built.
    pub sandbox: Option<&'a SandboxFacts>,
    /// Only after a build that was made twice.
    pub reproduction: Option<&'a Reproduction>,
    pub advisories: &'a Advisories,
    /// The functions that they name, looked for in what was compiled; none: nothing was compiled, or they name none.
    pub functions: Option<&'a FunctionFacts>,
    pub sources: &'a Sources,
    /// What others audited, `supply-chain/`; with `--base` that of the revision.
    pub audits: &'a Audits,
    /// The planned build; none when it could not be planned, with the reason.
    pub build: Result<&'a Build, &'a str>,
    /// Where the packages of the lockfile are the components of an archive: which of them (by index) are in a released file or helped to
    /// build one.
    pub archived: Option<&'a std::collections::BTreeSet<usize>>,
}
