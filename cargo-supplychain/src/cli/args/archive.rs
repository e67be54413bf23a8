//! `archive` as clap reads it.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use super::afterlife::{ArchiveArgs, IndexCommand};
use super::{IdentityArgs, SignerArgs};
use crate::archived::Head;

/// Releases that are kept: taken in, shown, given back, judged again, let go
///
/// An archive is a folder (or an object store) that is only added to: a release never changes in it, and each entry names the digest of the
/// one before. `add` prints the head; whoever keeps it elsewhere sees with --expect-head that nothing was taken out.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  cargo supplychain archive add target/supplychain/app-1.0.0-x86_64-unknown-linux-gnu --key release.pub
  cargo supplychain archive list
  cargo supplychain archive verify --key release.pub
  cargo supplychain archive restore app@1.0.0 --to app-1.0.0
  cargo supplychain affected CVE-2023-4863")]
pub enum ArchiveCommand {
    Add(Box<AddArgs>),
    List(ListArgs),
    Show(ShowEntryArgs),
    Restore(Box<RestoreArgs>),
    Verify(Box<VerifyArchiveArgs>),
    Prune(PruneArgs),
    Hold(HoldArgs),
    Unhold(HoldArgs),
    Export(Box<ExportFileArgs>),
    Import(Box<ImportArgs>),
    Push(Box<PushArgs>),
    Pull(Box<PullArgs>),
    #[command(subcommand)]
    Index(IndexCommand),
    /// List archived releases, whether each is supported, and until when
    #[command(after_help = "Example:\n  cargo supplychain archive supported --archive releases")]
    Supported(ArchiveArgs),
}

/// Which archive, and that it continues what it was.
#[derive(Debug, Clone, Default, Args)]
pub struct PlaceArgs {
    #[command(flatten)]
    pub archive: ArchiveArgs,
    /// Refuse an archive that does not go on from this head, as an earlier run printed it
    #[arg(long, value_name = "HEAD", help_heading = "Archive")]
    pub expect_head: Option<Head>,
}

/// Take release folders in
///
/// Each is verified first, as `verify` does it, and what was verified is what is stored. A release that is there already with the same files
/// is told and is no error; with other files it is refused (archive/immutable, exit 1). Prints the archive's head: keep it elsewhere.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain archive add target/supplychain/app-1.0.0-x86_64-unknown-linux-gnu --repo OWNER/NAME
  cargo supplychain archive add app-*/ --key release.pub --archive /srv/releases
  cargo supplychain archive add app-1.0.0-x86_64-unknown-linux-gnu --unsigned")]
pub struct AddArgs {
    /// Release folders
    #[arg(value_name = "RELEASE_FOLDER", required = true)]
    pub folders: Vec<Utf8PathBuf>,
    #[command(flatten)]
    pub incoming: IncomingArgs,
}

/// By whom a release that comes in is to be signed, and where it goes.
#[derive(Debug, Args)]
pub struct IncomingArgs {
    /// Take in what nobody signed: everything but signatures is judged, and that is recorded
    #[arg(long, conflicts_with_all = ["repo", "identity", "identity_pattern", "key"])]
    pub unsigned: bool,
    #[command(flatten)]
    pub signer: IdentityArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// List what is there
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo supplychain archive list\n  cargo supplychain archive list app --format json")]
pub struct ListArgs {
    /// NAME, NAME@VERSION, NAME@VERSION/TARGET, or an entry's number; all when left out
    #[arg(value_name = "ENTRY")]
    pub entry: Option<String>,
    /// Releases that were pruned as well
    #[arg(long)]
    pub pruned: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Show the record of a release: its files, who signed it, the trusted roots and feeds of its day
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo supplychain archive show app@1.0.0")]
pub struct ShowEntryArgs {
    /// NAME, NAME@VERSION, NAME@VERSION/TARGET, or an entry's number
    #[arg(value_name = "ENTRY")]
    pub entry: String,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Give a release folder back, as it was
///
/// Complete or not at all, and compared with what was archived before it stands in its place. With a signer its signatures are verified too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain archive restore app@1.0.0
  cargo supplychain archive restore app@1.0.0/x86_64-unknown-linux-gnu --to /tmp/app --key release.pub")]
pub struct RestoreArgs {
    /// NAME, NAME@VERSION, NAME@VERSION/TARGET, or an entry's number
    #[arg(value_name = "ENTRY")]
    pub entry: String,
    /// Where to; must not exist. NAME-VERSION-TARGET in the working folder when left out
    #[arg(long, value_name = "DIR")]
    pub to: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub signer: IdentityArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Check the whole archive, and with a signer every release again by the trusted roots of its day
///
/// The chain, every record against its entry, every object against its digest, nothing missing, nothing that does not belong there. Signatures
/// are judged where a signer is named here or in [verify]. Exit 3 where anything is damaged or rejected.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain archive verify
  cargo supplychain archive verify --repo OWNER/NAME --expect-head 42@sha256:…
  cargo supplychain archive verify app@1.0.0 --key release.pub")]
pub struct VerifyArchiveArgs {
    /// Releases; the whole archive when left out
    #[arg(value_name = "ENTRY")]
    pub entries: Vec<String>,
    #[command(flatten)]
    pub signer: IdentityArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Let releases go that are not to be kept any more
///
/// The chain says so first, then the objects go that no other release needs. Held and supported releases stay. Without a wish here or in
/// [archive] only what interrupted runs left is removed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain archive prune --keep-last 10 --dry-run
  cargo supplychain archive prune --keep-last 3 --older-than 3650
  cargo supplychain archive prune app@0.1.0 --reason 'withdrawn'")]
pub struct PruneArgs {
    /// Releases that go
    #[arg(value_name = "ENTRY")]
    pub entries: Vec<String>,
    /// Keep the youngest N of each name and target
    #[arg(long, value_name = "N")]
    pub keep_last: Option<u32>,
    /// Keep what came in within so many days
    #[arg(long, value_name = "DAYS")]
    pub older_than: Option<u32>,
    /// Why, for the chain
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Tell what would go
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Keep a release whatever the retention says (legal hold); or not any more
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain archive hold app@1.0.0 --reason 'case 4711'
  cargo supplychain archive unhold app@1.0.0 --reason 'case 4711 is closed'")]
pub struct HoldArgs {
    /// NAME, NAME@VERSION, NAME@VERSION/TARGET, or an entry's number
    #[arg(value_name = "ENTRY")]
    pub entry: String,
    /// Why, for the chain
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Write a release to one file that stands alone: NAME-VERSION-TARGET.tar.zst
///
/// With the record, its entry of the chain, the trusted roots of its day, and a VERIFY.md. The same release gives the same bytes every time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain archive export app@1.0.0
  cargo supplychain archive export app@1.0.0 --output app.tar.zst --sign --key release.pem")]
pub struct ExportFileArgs {
    /// NAME, NAME@VERSION, NAME@VERSION/TARGET, or an entry's number
    #[arg(value_name = "ENTRY")]
    pub entry: String,
    /// The file, instead of NAME-VERSION-TARGET.tar.zst in the working folder
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<Utf8PathBuf>,
    /// Sign it: FILE.sigstore.json beside it
    #[arg(long)]
    pub sign: bool,
    #[command(flatten)]
    pub signer: SignerArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Take the release of an exported file in, verified as `add` does it
///
/// The file is unpacked within bounds into a folder of our own; links, devices, other paths than its record lists are refused. What is in
/// the file proves nothing about its signer, its trusted roots included.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain archive import app.tar.zst --key release.pub
  cargo supplychain archive import app.tar.zst --repo OWNER/NAME --archive /srv/releases")]
pub struct ImportArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub file: Utf8PathBuf,
    /// Refuse more bytes than this unpacked
    #[arg(long, value_name = "BYTES", default_value_t = crate::ops::archive::MAX_IMPORT_BYTES)]
    pub max_size: u64,
    #[command(flatten)]
    pub incoming: IncomingArgs,
}

/// Put a release into an OCI registry, for anybody to fetch
///
/// Its files are the layers of an artifact, each signature's bundle refers to it. Every object is compared with its digest before; with a signer its
/// signatures are verified too. A tag that stands for another release is not moved (archive/immutable, exit 1). Credentials are those of
/// `docker login` and `podman login`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain archive push app@1.0.0 ghcr.io/OWNER/app
  cargo supplychain archive push app@1.0.0/x86_64-unknown-linux-gnu registry.example.org/team/app:1.0.0 --key release.pub")]
pub struct PushArgs {
    /// NAME, NAME@VERSION, NAME@VERSION/TARGET, or an entry's number
    #[arg(value_name = "ENTRY")]
    pub entry: String,
    /// REGISTRY/REPOSITORY[:TAG]; the tag is VERSION-TARGET when left out
    #[arg(value_name = "REFERENCE")]
    pub artifact: String,
    #[command(flatten)]
    pub signer: IdentityArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Take in a release that stands in an OCI registry, verified as `add` does it
///
/// It is fetched into a folder of our own, each file compared with the digest that the manifest names it by, and judged there. What the registry says of
/// it proves nothing about its signer.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain archive pull ghcr.io/OWNER/app:1.0.0-x86_64-unknown-linux-gnu --repo OWNER/app
  cargo supplychain archive pull registry.example.org/team/app@sha256:… --key release.pub --archive /srv/releases")]
pub struct PullArgs {
    /// REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST
    #[arg(value_name = "REFERENCE")]
    pub artifact: String,
    /// Refuse more bytes than this
    #[arg(long, value_name = "BYTES", default_value_t = crate::ops::archive::MAX_IMPORT_BYTES)]
    pub max_size: u64,
    #[command(flatten)]
    pub incoming: IncomingArgs,
}
