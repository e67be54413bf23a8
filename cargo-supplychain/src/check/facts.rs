//! All that the rules may look at: evidence, model, settings and dated intelligence.

use crate::advisory::{AdvisoryDatabase, Hit};
use crate::base::Timestamp;
use crate::config::Settings;
use crate::model::index::IndexFacts;
use crate::model::manifest::Manifest;
use crate::model::surroundings::Toolchain;
use crate::model::{Build, CargoConfig, Lockfile};

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

/// The facts of one run.
pub struct Facts<'a> {
    pub settings: &'a Settings,
    pub now: Timestamp,
    /// Whether a CI system runs us.
    pub in_ci: bool,
    pub lock: &'a LockState,
    pub manifests: &'a [Manifest],
    pub cargo_config: &'a CargoConfig,
    /// The environment's variables that shape a build, by name; the values are not for output.
    pub environment: &'a std::collections::BTreeMap<String, String>,
    pub toolchain_file: Option<&'a ToolchainFile>,
    pub toolchain: &'a Toolchain,
    pub index: &'a IndexFacts,
    pub advisories: &'a Advisories,
    /// The planned build; none when it could not be planned, with the reason.
    pub build: Result<&'a Build, &'a str>,
}
