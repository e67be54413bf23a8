//! Arguments of `evidence`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

/// A release as evidence for practices of frameworks: SSDF, METI, SLSA, CRA
#[derive(Debug, Subcommand)]
pub enum EvidenceCommand {
    Export(EvidenceExportArgs),
}

/// Write which practice is evidenced by which file of a release
///
/// Each practice is met, partial, not-met, not-applicable or outside-tool, with the files that show it and their digests, and in words what
/// no file shows. Nothing is met without a file. Files are compared with the release's own list; no signature is verified: `verify` does that.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain evidence export target/supplychain/app-1.0.0-x86_64-unknown-linux-gnu
  cargo supplychain evidence export releases/app-1.0.0 --framework SSDF --output evidence.json")]
pub struct EvidenceExportArgs {
    /// A release folder
    #[arg(value_name = "FOLDER")]
    pub folder: Utf8PathBuf,
    /// Only frameworks whose name has this in it: SSDF, METI, SLSA, CRA
    #[arg(long, value_name = "NAME")]
    pub framework: Option<String>,
    /// Write it to this file, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<Utf8PathBuf>,
}
