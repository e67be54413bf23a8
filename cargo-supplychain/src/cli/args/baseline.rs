//! `baseline show|diff|accept|refresh` as clap reads it.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

/// What was accepted of every locked crate: supplychain.lock
///
/// Owners, publishers, capabilities and versions of the crates of Cargo.lock, as they were when you accepted them. `check` judges what
/// has changed since. Commit the file beside Cargo.lock.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  cargo supplychain baseline accept            begin, or accept all that has changed
  cargo supplychain baseline diff              what would be accepted
  cargo supplychain baseline show serde")]
pub enum BaselineCommand {
    Show(ShowArgs),
    Diff(DiffArgs),
    Accept(AcceptArgs),
    Refresh(RefreshArgs),
}

/// Where the workspace is, and who is asked about owners and publishers.
#[derive(Debug, Clone, Args)]
pub struct SourceArgs {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
    /// The policy file, instead of supplychain.toml at the workspace root
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
    /// A folder that stands for crates.io: index, API answers, packages
    #[arg(long, value_name = "DIR")]
    pub registry_snapshot: Option<Utf8PathBuf>,
    /// Base URL of the registry's API, instead of https://crates.io
    #[arg(long, value_name = "URL", conflicts_with = "registry_snapshot")]
    pub registry_api: Option<String>,
}

/// Show what the baseline says of all crates, or of one
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain baseline show
  cargo supplychain baseline show serde
  cargo supplychain baseline show --format json")]
pub struct ShowArgs {
    /// A crate; all when left out
    #[arg(value_name = "CRATE")]
    pub name: Option<String>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
}

/// Show what is locked and known now and the baseline does not say
///
/// What `baseline accept` would write, and writes nothing. Differences are not findings: the exit code is 0.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain baseline diff
  cargo supplychain baseline diff serde tokio --format json
  cargo supplychain baseline diff --offline")]
pub struct DiffArgs {
    /// Crates; all when left out
    #[arg(value_name = "CRATE")]
    pub crates: Vec<String>,
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Accept what is locked and known now: of all crates, or of some
///
/// Writes supplychain.lock and says what it accepts. It stands on Cargo.lock, cargo's copy of the registry index and the sources on this
/// machine; owners and publishers of what has changed are asked for where that is possible. Crates that are no longer locked are left
/// out. Nothing is written when a locked version is not what the index says it is, or when the index does not know it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain baseline accept
  cargo supplychain baseline accept serde      this crate, its owners and publishers included
  cargo supplychain baseline accept --offline")]
pub struct AcceptArgs {
    /// Crates; all when left out
    #[arg(value_name = "CRATE")]
    pub crates: Vec<String>,
    #[command(flatten)]
    pub source: SourceArgs,
}

/// Look up the owners and publishers that the baseline does not know yet
///
/// One request a second, three for each crate; what was looked up in the last day is not asked again, so that an interrupted run goes on
/// where it ended. New logins of known accounts are written. Other owners than those that were accepted are told and left to `baseline
/// accept CRATE`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain baseline refresh
  cargo supplychain baseline refresh --registry-snapshot world")]
pub struct RefreshArgs {
    #[command(flatten)]
    pub source: SourceArgs,
}
