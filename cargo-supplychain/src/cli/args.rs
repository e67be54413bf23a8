//! The command line as clap reads it. No clap type leaves this layer: `commands` turns these into requests of `ops`.

mod afterlife;
mod archive;
mod baseline;
mod evidence;
mod fetch;
mod key;
mod psirt;
mod sbom;
mod verify;
mod vex;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::base::Timestamp;
use crate::config::SbomFormat;
use crate::finding::{Area, FailOn};
use crate::model::feed::FeedKind;
use crate::model::lockfile::is_full_revision;
use crate::model::sandbox::SandboxMode;
use crate::ops::advisories::NamedFeed;

pub use afterlife::{AffectedArgs, ArchiveArgs, IndexCommand, RescanArgs, SchemaName};
pub use archive::{
    AddArgs, ArchiveCommand, ExportFileArgs, HoldArgs, ImportArgs, IncomingArgs, ListArgs, PlaceArgs, PruneArgs, PullArgs,
    PushArgs, RestoreArgs, ShowEntryArgs, VerifyArchiveArgs,
};
pub use baseline::{BaselineCommand, SourceArgs};
pub use evidence::EvidenceCommand;
pub use fetch::{FetchArgs, FetchWhat};
pub use key::KeyCommand;
pub use psirt::{LedgerArgs, PsirtAddArgs, PsirtAdvisoryArgs, PsirtCommand, PsirtListArgs};
pub use sbom::{SbomCheckArgs, SbomCommand};
pub use verify::{IdentityArgs, VerifyArgs};
pub use vex::{VexAddArgs, VexCommand, VexExportArgs, VexFormat, VexListArgs, VexProposeArgs};

const EXAMPLES: &str = "\
Examples:
  cargo supplychain build                      build, sign and verify a release of this package
  cargo supplychain build -p app --features x  any argument of `cargo build` works
  cargo supplychain check                      judge the workspace without running any of its code
  cargo supplychain verify target/supplychain/app-1.0.0-x86_64-unknown-linux-gnu --key signer.pub
  cargo supplychain explain lock/checksum-mismatch

日本語クイックスタート:
  cargo supplychain build        ビルドし、SBOM・来歴・署名付きのリリースフォルダーを作成して自己検証します
  cargo supplychain check        プロジェクトのコードを実行せずに、依存関係と設定を検査します
  cargo supplychain verify フォルダー --key 公開鍵   受け取ったリリースをオフラインで検証します

Exit codes: 0 pass, 1 finding, 2 usage or unreadable input, 3 verification rejected, 4 undetermined,
            70 our bug, 74 output not written, 101 cargo build failed, 130 interrupted";

/// Build Rust releases that can be proved: what was compiled, from which sources, by whom, under which policy.
#[derive(Debug, Parser)]
#[command(name = "cargo supplychain", bin_name = "cargo supplychain", version, after_help = EXAMPLES, max_term_width = 110)]
#[command(disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people, on standard error.
    Human,
    /// One document on standard output; its schema is printed by `cargo supplychain schema`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// Workflow commands of GitHub Actions: annotations.
    Github,
    /// GitLab's code quality report.
    Gitlab,
    /// A job summary.
    Markdown,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// How results are shown
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// When to use colours (NO_COLOR is honoured)
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Say only what matters
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say more: notes on the way, evidence of every finding
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Use no network
    #[arg(long, global = true)]
    pub offline: bool,
    /// Judge ages and expiries as of this instant (RFC 3339 or a date); recorded in the report
    #[arg(long, global = true, value_name = "TIME")]
    pub now: Option<Timestamp>,
    /// Where feeds and parsed data are cached
    #[arg(long, global = true, value_name = "DIR")]
    pub cache_dir: Option<Utf8PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Build(Box<BuildArgs>),
    Check(Box<CheckArgs>),
    Sbom(Box<SbomArgs>),
    Diff(Box<DiffArgs>),
    Sign(SignArgs),
    Verify(Box<VerifyArgs>),
    #[command(subcommand)]
    Archive(ArchiveCommand),
    Affected(Box<AffectedArgs>),
    Rescan(Box<RescanArgs>),
    #[command(subcommand)]
    Vex(VexCommand),
    #[command(subcommand)]
    Psirt(PsirtCommand),
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    #[command(subcommand)]
    Baseline(BaselineCommand),
    Fetch(FetchArgs),
    #[command(subcommand)]
    Key(KeyCommand),
    Init(InitArgs),
    Explain(ExplainArgs),
    Schema(SchemaArgs),
    /// What the GitHub Action starts: inputs from the environment, everything else from here (docs/github-action.md)
    #[command(hide = true)]
    Action,
    Completions(CompletionsArgs),
    /// Print the manual page (roff)
    Man,
}

/// Judgement: which policy, which data.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Policy")]
pub struct PolicyArgs {
    /// The policy file, instead of supplychain.toml at the workspace root
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
    /// Fail at findings of this severity: critical, high, medium, low, none
    #[arg(long, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
    /// Judge these areas only (lock, sources, config, capabilities, advisories, …)
    #[arg(long, value_name = "AREA", value_delimiter = ',')]
    pub only: Vec<Area>,
    /// Make the best-effort checks of these areas required
    #[arg(long, value_name = "AREA", value_delimiter = ',')]
    pub require: Vec<Area>,
    /// The RustSec database: a folder or a git URL
    #[arg(long, value_name = "PATH|URL")]
    pub advisory_db: Option<String>,
    /// The commit that the database has to be at (40 hexadecimal digits); a repository is fetched at it
    #[arg(long, value_name = "COMMIT", value_parser = commit)]
    pub advisory_db_rev: Option<String>,
    /// A further source of what is known: osv, kev, epss, cve, jvn or eol, and its file, folder or URL (may be repeated)
    #[arg(long, value_name = "KIND=PATH|URL", value_parser = feed)]
    pub feed: Vec<NamedFeed>,
    /// Statements of others about vulnerabilities that count: OpenVEX, CycloneDX or CSAF (may be repeated)
    #[arg(long, value_name = "FILE")]
    pub vex: Vec<Utf8PathBuf>,
    /// Judge the change since this revision (branch, tag, commit); policy and baseline are taken from it
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
    /// A folder that stands for crates.io: index, API answers, packages
    #[arg(long, value_name = "DIR")]
    pub registry_snapshot: Option<Utf8PathBuf>,
    /// Base URL of the registry's API, instead of https://crates.io
    #[arg(long, value_name = "URL", conflicts_with = "registry_snapshot")]
    pub registry_api: Option<String>,
}

/// `KIND=PATH|URL`.
fn feed(text: &str) -> Result<NamedFeed, String> {
    let words: Vec<_> = FeedKind::ALL.iter().map(|kind| kind.as_str()).collect();
    let (kind, place) = text.split_once('=').filter(|(_, place)| !place.is_empty()).ok_or("write KIND=PATH or KIND=URL")?;
    let kind = FeedKind::of(kind).ok_or_else(|| format!("unknown kind of source `{kind}`: use one of {}", words.join(", ")))?;
    Ok(NamedFeed { kind, place: place.to_owned() })
}

/// A commit in full, in lower case.
fn commit(text: &str) -> Result<String, String> {
    match text.len() == 40 && is_full_revision(text) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("a commit has 40 hexadecimal digits".to_owned()),
    }
}

/// What is selected; the options are those of `cargo build`.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selection (as cargo build)")]
pub struct SelectionArgs {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
    /// Package to build
    #[arg(long, short, value_name = "SPEC")]
    pub package: Vec<String>,
    /// All packages of the workspace
    #[arg(long, alias = "all")]
    pub workspace: bool,
    /// Exclude packages
    #[arg(long, value_name = "SPEC", requires = "workspace")]
    pub exclude: Vec<String>,
    /// Only the library
    #[arg(long)]
    pub lib: bool,
    /// Only this binary
    #[arg(long, value_name = "NAME")]
    pub bin: Vec<String>,
    /// All binaries
    #[arg(long)]
    pub bins: bool,
    /// Only this example
    #[arg(long, value_name = "NAME")]
    pub example: Vec<String>,
    /// All examples
    #[arg(long)]
    pub examples: bool,
    /// Only this test
    #[arg(long, value_name = "NAME")]
    pub test: Vec<String>,
    /// All tests
    #[arg(long)]
    pub tests: bool,
    /// Only this bench target
    #[arg(long, value_name = "NAME")]
    pub bench: Vec<String>,
    /// All bench targets
    #[arg(long)]
    pub benches: bool,
    /// All targets
    #[arg(long)]
    pub all_targets: bool,
    /// Features to activate
    #[arg(long, short = 'F', value_name = "FEATURES")]
    pub features: Vec<String>,
    /// Activate all features
    #[arg(long)]
    pub all_features: bool,
    /// Do not activate the `default` feature
    #[arg(long)]
    pub no_default_features: bool,
    /// The release profile (the default here)
    #[arg(long, short, conflicts_with = "profile")]
    pub release: bool,
    /// Build with this profile
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Build for this target triple
    #[arg(long, value_name = "TRIPLE")]
    pub target: Vec<String>,
    /// Override a configuration value; judged as the repository's configuration
    #[arg(long, value_name = "KEY=VALUE|PATH")]
    pub config: Vec<String>,
}

/// Build a release: check, compile, describe, sign, verify
///
/// Checks the workspace, compiles it with cargo (release profile unless told), writes SBOMs, provenance and signed attestations into
/// a release folder below target/supplychain, and verifies that folder before it says so. Nothing is left behind when it fails.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain build
  cargo supplychain build --workspace --bins --clean
  cargo supplychain build --manifest-path examples/minimal/Cargo.toml --offline
  cargo supplychain build --fail-on none       report findings, stop for none")]
pub struct BuildArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
    /// Compile into a fresh target folder (always so in CI)
    #[arg(long)]
    pub clean: bool,
    /// Put the release folder into this folder, instead of target/supplychain
    #[arg(long, value_name = "DIR")]
    pub release_dir: Option<Utf8PathBuf>,
    /// Check and plan, compile nothing, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Build a second time, in other folders and with another home, and compare every artifact
    #[arg(long)]
    pub reproduce: bool,
    /// Link the list of crates into each artifact, in cargo-auditable's format
    #[arg(long)]
    pub embed_audit_data: bool,
    /// Sign nothing: the statements wait in the release for `cargo supplychain sign`
    #[arg(long, conflicts_with_all = ["key", "identity_token"])]
    pub no_sign: bool,
    /// How the build is sealed: auto, require, off; over [sandbox] mode in the policy
    #[arg(long, value_name = "MODE")]
    pub sandbox: Option<SandboxMode>,
    #[command(flatten)]
    pub signer: SignerArgs,
    /// Number of parallel jobs
    #[arg(long, short, value_name = "N", help_heading = "Passed to cargo build")]
    pub jobs: Option<String>,
    /// Do not stop at the first failed crate
    #[arg(long, help_heading = "Passed to cargo build")]
    pub keep_going: bool,
    /// Ignore rust-version of packages
    #[arg(long, help_heading = "Passed to cargo build")]
    pub ignore_rust_version: bool,
    /// Report future incompatibilities
    #[arg(long, help_heading = "Passed to cargo build")]
    pub future_incompat_report: bool,
    /// Write a timing report
    #[arg(long, help_heading = "Passed to cargo build")]
    pub timings: bool,
    /// Always so here: Cargo.lock is never changed
    #[arg(long, help_heading = "Passed to cargo build")]
    pub locked: bool,
    /// --locked and --offline
    #[arg(long, help_heading = "Passed to cargo build")]
    pub frozen: bool,
    /// Unstable flags of a nightly cargo
    #[arg(short = 'Z', value_name = "FLAG", help_heading = "Passed to cargo build")]
    pub unstable: Vec<String>,
    // These two are ours; cargo's meaning would take the build out of our hands.
    #[arg(long, hide = true)]
    pub message_format: Vec<String>,
    #[arg(long, hide = true)]
    pub target_dir: Option<String>,
}

/// Who signs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Signing")]
pub struct SignerArgs {
    /// Private key to sign with (PEM), instead of the configured or your own
    #[arg(long, value_name = "FILE", conflicts_with = "identity_token")]
    pub key: Option<Utf8PathBuf>,
    /// Sign keyless with this OIDC token (a file, or env:NAME), instead of the CI system's
    #[arg(long, value_name = "FILE|env:NAME")]
    pub identity_token: Option<String>,
    /// The services of keyless signing (a Sigstore signing configuration), instead of the public good instance
    #[arg(long, value_name = "FILE")]
    pub signing_config: Option<Utf8PathBuf>,
    /// What keyless signatures are judged by before they are written (a Sigstore trusted_root.json)
    #[arg(long, value_name = "FILE")]
    pub trusted_root: Option<Utf8PathBuf>,
}

/// Sign a release whose statements are pending, or a single file
///
/// A release of `build --no-sign`, or of a build during an outage of the signing services: everything in it is verified against its list,
/// the statements that wait are signed as they are, and nothing else changes. It is complete afterwards, or as it was (exit 4 where a
/// service did not answer). A file gets FILE.sigstore.json beside it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain sign --pending target/supplychain/app-1.0.0-x86_64-unknown-linux-gnu
  cargo supplychain sign app-1.0.0-x86_64-unknown-linux-gnu --key release.pem
  cargo supplychain sign notes.txt --bundle notes.sigstore.json")]
pub struct SignArgs {
    /// A release folder, or a file
    #[arg(value_name = "PATH")]
    pub path: Utf8PathBuf,
    /// Complete what is pending: what is done for a release anyway
    #[arg(long, conflicts_with_all = ["statement", "bundle"])]
    pub pending: bool,
    /// The file is an in-toto statement
    #[arg(long)]
    pub statement: bool,
    /// Where the bundle of a file goes
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<Utf8PathBuf>,
    /// The policy file with [sign], instead of supplychain.toml in the working folder
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub signer: SignerArgs,
}

/// Judge the workspace without running any of its code
///
/// Lockfile, dependencies and their publishers, sources, cargo configuration, toolchain, licences, workflows and advisories; with --base
/// what changed since a revision, by its policy. Executes nothing of the project: no build script, proc macro, compiler wrapper, alias or
/// toolchain that the repository brought.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain check
  cargo supplychain check --base main          what this branch changes, by main's policy and baseline
  cargo supplychain check --offline --advisory-db vendor/advisory-db
  cargo supplychain check --only lock,sources --format json
  cargo supplychain check --format github      annotations in a workflow")]
pub struct CheckArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
}

/// What differs between two SBOMs, lockfiles, releases or git revisions
///
/// Added, updated and removed components with features, licences, native parts and capabilities; of lockfiles and revisions also age, publisher
/// and the findings that come with the change. OLD and NEW are git revisions, lockfiles, SBOMs of any tool, binaries with audit data, or
/// folders (a workspace, a release); NEW left out is the work tree. It informs and ends with exit 0: `check --base REV` is the judge.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain diff main
  cargo supplychain diff v1.0.0 v1.1.0 --format markdown
  cargo supplychain diff old/Cargo.lock new/Cargo.lock --format json
  cargo supplychain diff app-1.0.cdx.json app-1.1.spdx.json
  cargo supplychain diff vendor.spdx.json Cargo.lock")]
pub struct DiffArgs {
    /// A git revision, a lockfile, an SBOM, a binary, or a folder
    pub old: String,
    /// The same; the work tree when left out
    pub new: Option<String>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
    /// The policy file, instead of the old revision's supplychain.toml
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
    /// Judge these areas only: lock, sources, maintainers, capabilities
    #[arg(long, value_name = "AREA", value_delimiter = ',')]
    pub only: Vec<Area>,
    /// A folder that stands for crates.io: index, API answers, packages
    #[arg(long, value_name = "DIR")]
    pub registry_snapshot: Option<Utf8PathBuf>,
    /// Base URL of the registry's API, instead of https://crates.io
    #[arg(long, value_name = "URL", conflicts_with = "registry_snapshot")]
    pub registry_api: Option<String>,
}

fn sbom_formats() -> String {
    format!(
        "The format of the SBOM, with or without a version of its specification; the first is the one without: {}",
        SbomFormat::list()
    )
}

/// Write the SBOM of what would be built, without building
///
/// The components that a build of this selection links into each artifact, apart from what only helps to build it. Compiles nothing
/// and runs none of the project's code, which the document states (`pre-build`).
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain sbom > app.cdx.json
  cargo supplychain sbom --format-sbom spdx-json --bin app
  cargo supplychain sbom --format-sbom cyclonedx-json@1.6 --depth 1
  cargo supplychain sbom --workspace --output sboms/
  cargo supplychain sbom check app.cdx.json --profile cisa-2026")]
#[command(args_conflicts_with_subcommands = true)]
pub struct SbomArgs {
    #[command(subcommand)]
    pub command: Option<SbomCommand>,
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// The format of the SBOM, with or without a version of its specification
    #[arg(long, value_name = "FORMAT[@VERSION]", default_value = "cyclonedx-json", long_help = sbom_formats())]
    pub format_sbom: SbomFormat,
    /// List only dependencies that are at most N steps away; the document says what that leaves out
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub depth: Option<u32>,
    /// Write one file an artifact into this folder, instead of standard output
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<Utf8PathBuf>,
    /// The policy file, instead of supplychain.toml at the workspace root
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
}

/// Write a supplychain.toml with every setting explained, or one made from a deny.toml; propose exceptions of the sandbox
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo supplychain init\n  cargo supplychain init --from deny.toml\n  cargo supplychain init --sandbox-allow --dry-run"
)]
pub struct InitArgs {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
    /// Make it from a configuration of cargo-deny, and say what has no counterpart
    #[arg(long, value_name = "DENY.TOML")]
    pub from: Option<Utf8PathBuf>,
    /// Append exceptions of the sandbox for what the last build was refused, each to be given a reason
    #[arg(long, conflicts_with = "from")]
    pub sandbox_allow: bool,
    /// Print them instead
    #[arg(long, requires = "sandbox_allow")]
    pub dry_run: bool,
}

/// Explain a finding: what it is about, the incident behind it, an example, what to do
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo supplychain explain lock/checksum-mismatch")]
pub struct ExplainArgs {
    /// A finding's id; all are listed when left out
    pub id: Option<String>,
}

/// Print the JSON Schema of a document of ours
#[derive(Debug, Args)]
pub struct SchemaArgs {
    #[arg(value_enum)]
    pub name: SchemaName,
}

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo supplychain completions bash > ~/.local/share/bash-completion/completions/cargo-supplychain"
)]
pub struct CompletionsArgs {
    #[arg(value_enum)]
    pub shell: Shell,
}
