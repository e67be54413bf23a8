//! Who built what with which tools: the parts of a [`super::Build`] that are not packages.

use std::collections::BTreeMap;

use serde::Serialize;

use super::build::TargetFolder;
use super::cargo_config::FlagsFrom;
use super::remap::PathRemapping;
use super::sandbox::SandboxRecord;
use crate::base::Timestamp;

/// The `cargo build` call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invocation {
    /// The arguments after `cargo build`, as passed; values of `--config` are redacted to their keys.
    pub arguments: Vec<String>,
    /// The profile's name: `release` unless told otherwise.
    pub profile: String,
    /// The target triple built for.
    pub target: String,
    /// Whether `--target` (or `build.target`) was explicit, so that host and target are compiled apart.
    pub target_is_explicit: bool,
    /// Features asked for on the command line, sorted.
    pub features: Vec<String>,
    pub all_features: bool,
    pub default_features: bool,
    /// The manifest that it is about, relative to the workspace root.
    pub manifest: String,
    /// Effective rustflags of the target, in order: the project's, without those of our own.
    pub rustflags: Vec<String>,
    /// Where cargo takes them from.
    #[serde(skip)]
    pub rustflags_from: FlagsFrom,
    /// Which folders have fixed names in what was compiled; none where that is switched off, or nothing was compiled.
    pub path_remapping: Option<PathRemapping>,
    /// Whether the audit data of cargo-auditable was linked into the artifacts.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub audit_data: bool,
    pub target_folder: TargetFolder,
    /// Allow-listed variables of the environment that shape a build (`CARGO_PROFILE_*`, `RUSTFLAGS`, …): never secrets.
    pub environment: BTreeMap<String, String>,
    /// Settings of profiles that cargo's configuration makes, beside those of the manifest: `profile.release.strip` and its value as TOML.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub profile_overrides: BTreeMap<String, String>,
    /// What is compiled for: target and host, as rustc describes them.
    #[serde(skip)]
    pub sides: Sides,
    /// What was to enclose the build, what did, and how much it refused.
    pub sandbox: SandboxRecord,
}

/// The two platforms of a build: of what is released, and of what helps to build it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sides {
    pub target: Platform,
    pub host: Platform,
}

/// A platform, in the words of `rustc --print cfg`; empty where that says none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Platform {
    pub triple: String,
    /// `target_os`.
    pub os: String,
    /// `target_arch`.
    pub arch: String,
}

impl Platform {
    /// Whether the compiler has said what it is.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.os.is_empty() && !self.arch.is_empty()
    }
}

/// The compiler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Toolchain {
    /// `rustc -vV`: release, commit hash, host triple, LLVM version.
    pub rustc: String,
    pub rustc_commit: Option<String>,
    pub host: String,
    pub llvm: Option<String>,
    /// `cargo -V` without the leading word.
    pub cargo: String,
    /// The rustup channel or toolchain name that was used, where rustup is.
    pub channel: Option<String>,
}

/// The state of the version control system, read with libgit2, never by the git program.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Full hash of HEAD.
    pub commit: Option<String>,
    /// Time of that commit (committer).
    pub commit_time: Option<Timestamp>,
    /// Tags that point to HEAD, sorted.
    pub tags: Vec<String>,
    /// The checked-out branch.
    pub branch: Option<String>,
    /// Tracked files that differ from HEAD, or untracked ones that are not ignored; `None` when it could not be told.
    pub dirty: Option<bool>,
    /// URL of `origin` (else of the first remote), without credentials.
    pub remote: Option<String>,
    /// Path of the workspace within the repository, `.` at its root.
    pub subdirectory: Option<String>,
}

/// The CI run, from allow-listed variables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CiRun {
    /// `github-actions`, `gitlab-ci`, `buildkite`, `circleci` or `other`.
    pub provider: String,
    /// Public URL of the run.
    pub run_url: Option<String>,
    /// Non-secret facts of the run by variable name.
    pub facts: BTreeMap<String, String>,
}
