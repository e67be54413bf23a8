//! Arguments of `psirt`.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand};

use crate::config::psirt::Tlp;

/// The ledger of reports about vulnerabilities in your own products: dates, and drafts of advisories
#[derive(Debug, Subcommand)]
pub enum PsirtCommand {
    List(PsirtListArgs),
    Add(Box<PsirtAddArgs>),
    Advisory(PsirtAdvisoryArgs),
}

/// Which ledger.
#[derive(Debug, Clone, Args)]
pub struct LedgerArgs {
    /// The ledger, instead of psirt.toml at the workspace root
    #[arg(long, value_name = "FILE")]
    pub ledger: Option<Utf8PathBuf>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    pub manifest_path: Option<Utf8PathBuf>,
}

/// List the reports with their dates
///
/// In CI only reports that are TLP:CLEAR are listed, and how many are not is told. Exit 1: a date of a report that is listed has passed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain psirt list
  cargo supplychain psirt list --format json")]
pub struct PsirtListArgs {
    #[command(flatten)]
    pub ledger: LedgerArgs,
}

/// Add a report to the ledger
///
/// An entry is appended to psirt.toml; everything else in the file stays as it is. It is due to be disclosed 45 days after the day on which it
/// was reported, unless the entry or the ledger says otherwise.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain psirt add EX-2026-0007 --title 'Overflow in the parser' --component pkg:cargo/app --reported 2026-11-20 \\
      --coordinator JPCERT/CC --tlp AMBER")]
pub struct PsirtAddArgs {
    /// The ledger's name of the report
    pub id: String,
    /// What it is, in a few words
    #[arg(long, value_name = "TEXT")]
    pub title: String,
    /// Package URL of the product, without version
    #[arg(long, value_name = "PURL")]
    pub component: String,
    /// A CVE or other id of it (may be repeated)
    #[arg(long, value_name = "ID")]
    pub alias: Vec<String>,
    /// An affected version (may be repeated)
    #[arg(long, value_name = "VERSION")]
    pub release: Vec<String>,
    /// Who may know of it: CLEAR, GREEN, AMBER, AMBER+STRICT, RED
    #[arg(long, value_name = "LABEL", default_value = "RED")]
    pub tlp: Tlp,
    /// The day on which it was reported, as the ledger's place calls it
    #[arg(long, value_name = "DATE")]
    pub reported: String,
    /// Who coordinates: IPA, JPCERT/CC, CERT/CC, …
    #[arg(long, value_name = "NAME")]
    pub coordinator: Option<String>,
    /// Its id in JVN
    #[arg(long, value_name = "ID")]
    pub jvn_id: Option<String>,
    #[command(flatten)]
    pub ledger: LedgerArgs,
}

/// Write a draft of the advisory about a report (CSAF 2.0)
///
/// Only of a report that is TLP:CLEAR. It is marked as a draft: a person completes and publishes it.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo supplychain psirt advisory EX-2026-0007 --output csaf/")]
pub struct PsirtAdvisoryArgs {
    /// The report, or another id of it
    pub id: String,
    /// Write it to this file, or into this folder (a path that ends in /) under its own name, instead of standard output
    #[arg(long, short, value_name = "FILE|DIR/")]
    pub output: Option<Utf8PathBuf>,
    #[command(flatten)]
    pub ledger: LedgerArgs,
}
