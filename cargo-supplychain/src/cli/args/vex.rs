//! Arguments of `vex`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};

use super::{PolicyArgs, SelectionArgs};
use crate::base::Timestamp;
use crate::config::Component;
use crate::finding::{Justification, Response, Status};

/// Decisions about vulnerabilities: made once, exemption and public statement at once
#[derive(Debug, Subcommand)]
pub enum VexCommand {
    Add(Box<VexAddArgs>),
    List(VexListArgs),
    Propose(Box<VexProposeArgs>),
    Export(Box<VexExportArgs>),
}

/// Add a decision about a vulnerability to supplychain.toml
///
/// A [[vex]] entry is appended; everything else in the file stays as it is. `not_affected` and `fixed` exempt the finding, `affected` and
/// `under_investigation` stand with it. What is written is published by `vex export` and in releases: the reason too. Other ids of the
/// vulnerability are taken from the advisory database, where there is one.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain vex add RUSTSEC-2023-0071 --package rsa@^0.9 --status not_affected \\
      --justification vulnerable_code_not_in_execute_path --reason 'only public keys are used' --author 'Example PSIRT'
  cargo supplychain vex add CVE-2024-4603 --package pkg:generic/openssl@3.3.0 --status affected \\
      --reason 'DSA keys of others are checked' --action 'update to 1.4.1' --response update --author 'Example PSIRT'
  cargo supplychain vex add RUSTSEC-2026-0001 --package lib --status under_investigation --reason 'looked at' --expires 2026-12-24")]
pub struct VexAddArgs {
    /// The vulnerability: RUSTSEC-…, CVE-… or GHSA-…
    pub id: String,
    /// The crate, with or without a requirement on its version; or the package URL of a crate or of a library (pkg:generic/NAME@VERSION)
    #[arg(long, short, value_name = "NAME[@REQ]|PURL", value_parser = Component::parse)]
    pub package: Component,
    /// not_affected, affected, fixed or under_investigation
    #[arg(long, value_name = "STATUS")]
    pub status: Status,
    /// Why it is not affected: component_not_present, vulnerable_code_not_present, vulnerable_code_not_in_execute_path,
    /// vulnerable_code_cannot_be_controlled_by_adversary, inline_mitigations_already_exist
    #[arg(long, value_name = "WORD")]
    pub justification: Option<Justification>,
    /// Why, or what is known; published
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// What users are told to do; needed where they are affected
    #[arg(long, value_name = "TEXT")]
    pub action: Option<String>,
    /// can_not_fix, will_not_fix, update, rollback or workaround_available (may be repeated)
    #[arg(long, value_name = "WORD")]
    pub response: Vec<Response>,
    /// Another id of the vulnerability (may be repeated)
    #[arg(long, value_name = "ID")]
    pub alias: Vec<String>,
    /// Who decides; `author` of [documents] when left out
    #[arg(long, value_name = "NAME")]
    pub author: Option<String>,
    /// From when on it no longer counts; 90 days from now when left out
    #[arg(long, value_name = "DATE")]
    pub expires: Option<Timestamp>,
    /// Print the entry, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// The RustSec database: a folder or a git URL
    #[arg(long, value_name = "PATH|URL")]
    pub advisory_db: Option<String>,
    /// The policy file, instead of supplychain.toml at the workspace root
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
}

/// List the decisions of the policy, and whether they count
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain vex list
  cargo supplychain vex list --format json")]
pub struct VexListArgs {
    /// The policy file, instead of supplychain.toml at the workspace root
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
}

/// Propose decisions from what is known of the build; write nothing
///
/// Judges advisories as `check` does, and names those that reach nothing that is built, as far as the facts go: the crate is only locked, it
/// only helps to build, the advisory is about another platform, its functions are in no artifact (docs/reach.md). Each is a command that
/// decides so, for whoever agrees with the facts. Nothing is decided by this.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain vex propose
  cargo supplychain vex propose --workspace --format json")]
pub struct VexProposeArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// Write the decisions as statements for others
///
/// About what a build of this selection gives: its packages as products, the components that were decided about in them. Expired decisions, and
/// those about nothing that is released, are left out and told. A release has the same in reports/vex.openvex.json, with digests.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain vex export > app.openvex.json
  cargo supplychain vex export --format-vex cyclonedx --output app.vex.cdx.json
  cargo supplychain vex export --format-vex csaf --workspace --output csaf/")]
pub struct VexExportArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// The form: OpenVEX 0.2.0, CycloneDX 1.6, or CSAF 2.0 (profile VEX)
    #[arg(long, value_name = "FORMAT", value_enum, default_value = "openvex")]
    pub format_vex: VexFormat,
    /// Write it to this file, or into this folder (a path that ends in /) under its own name, instead of standard output
    #[arg(long, short, value_name = "FILE|DIR/")]
    pub output: Option<Utf8PathBuf>,
    /// The policy file, instead of supplychain.toml at the workspace root
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VexFormat {
    Openvex,
    Cyclonedx,
    Csaf,
}
