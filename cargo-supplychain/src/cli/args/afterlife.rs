//! The arguments of `affected`, `rescan` and `archive index`, and the names of schemas.

use camino::Utf8PathBuf;
use clap::{Args, Subcommand, ValueEnum};

use super::archive::PlaceArgs;
use crate::finding::FailOn;
use crate::ops::advisories::NamedFeed;

/// Which archive.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Archive")]
pub struct ArchiveArgs {
    /// The archive (a folder or URL), instead of the policy's
    #[arg(long, visible_alias = "store", value_name = "DIR|URL")]
    pub archive: Option<String>,
    /// The policy file, instead of supplychain.toml in the working folder
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
}

/// Which archived releases, or which SBOMs, contain what an advisory names
///
/// Names every archived release, and in it every file, that has an affected version of a crate, and how far it takes part: linked, only
/// helped to build, or only locked. An advisory is named by any of its ids; a crate, or a native library in one (openssl, zlib), by its
/// package URL, with a version or a range of them.
/// With --sbom the named documents of anyone are asked instead of an archive. Exit 0: none is affected; 1: some; 4: it could not be told.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain affected CVE-2023-4863
  cargo supplychain affected RUSTSEC-2023-0061 --supported --format markdown
  cargo supplychain affected 'pkg:cargo/libwebp-sys@<0.9.3' --archive releases
  cargo supplychain affected pkg:cargo/openssl-sys --format json
  cargo supplychain affected 'pkg:generic/openssl@>=3.3.0,<3.3.2'
  cargo supplychain affected CVE-2024-6119 --feed cve=cve-records
  cargo supplychain affected RUSTSEC-2023-0061 --sbom vendor.spdx.json appliance.cdx.xml")]
pub struct AffectedArgs {
    /// RUSTSEC-…, CVE-…, GHSA-…, or pkg:cargo/NAME[@VERSION|@RANGE], pkg:generic/LIBRARY[@VERSION|@RANGE]
    #[arg(value_name = "ID|PURL")]
    pub query: String,
    /// Ask these bills of materials (of any tool; binaries with audit data too), not an archive
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["archive", "expect_head", "supported"])]
    pub sbom: Vec<Utf8PathBuf>,
    /// List only releases that [[archive.supported]] names
    #[arg(long)]
    pub supported: bool,
    /// The RustSec database: a folder or a git URL
    #[arg(long, value_name = "PATH|URL")]
    pub advisory_db: Option<String>,
    /// A further source of what is known: osv, kev, epss, cve, jvn or eol, and its file, folder or URL (may be repeated)
    #[arg(long, value_name = "KIND=PATH|URL", value_parser = super::feed)]
    pub feed: Vec<NamedFeed>,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Judge every archived release again, by today's advisories
///
/// Runs the advisory rules of `check`, with the policy's levels and exemptions, over every distinct component of the archive, and tells what
/// is new since the last time. What is new is recorded in the archive's chain, so that every finding has a day on which it was first seen.
/// Exit 1: something new at the fail-on level; 4: the database is missing, old, or older than the last time.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain rescan
  cargo supplychain rescan --all --supported
  cargo supplychain rescan --format markdown > issue.md
  cargo supplychain rescan --no-record --format sarif
  cargo supplychain rescan --history           first seen, fixed by, days to fix")]
pub struct RescanArgs {
    /// Tell what is known as well
    #[arg(long)]
    pub all: bool,
    /// Tell only of releases that [[archive.supported]] names
    #[arg(long)]
    pub supported: bool,
    /// Record this rescan even if nothing is new
    #[arg(long, conflicts_with = "no_record")]
    pub record: bool,
    /// Record nothing: the next rescan tells the same again
    #[arg(long)]
    pub no_record: bool,
    /// Judge nothing; tell what rescans have recorded, with days to fix
    #[arg(long, conflicts_with_all = ["all", "record", "no_record", "fail_on", "advisory_db"])]
    pub history: bool,
    /// Fail at new findings of this severity: critical, high, medium, low, none
    #[arg(long, value_name = "LEVEL")]
    pub fail_on: Option<FailOn>,
    /// The RustSec database: a folder or a git URL
    #[arg(long, value_name = "PATH|URL")]
    pub advisory_db: Option<String>,
    /// A further source of what is known: osv, kev, epss, cve, jvn or eol, and its file, folder or URL (may be repeated)
    #[arg(long, value_name = "KIND=PATH|URL", value_parser = super::feed, conflicts_with = "history")]
    pub feed: Vec<NamedFeed>,
    /// Statements of others about vulnerabilities that count: OpenVEX, CycloneDX or CSAF (may be repeated)
    #[arg(long, value_name = "FILE", conflicts_with = "history")]
    pub vex: Vec<Utf8PathBuf>,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// The index over archived components
#[derive(Debug, Subcommand)]
pub enum IndexCommand {
    /// Bring the index up to date and tell what it holds
    #[command(after_help = "Example:\n  cargo supplychain archive index status --archive releases")]
    Status(IndexArgs),
    /// Make the index again from the archive
    #[command(after_help = "Example:\n  cargo supplychain archive index rebuild --archive releases")]
    Rebuild(IndexArgs),
    /// Forget the index and where the archive's chain ended, after an older state was brought back on purpose
    #[command(after_help = "Example:\n  cargo supplychain archive index forget --archive releases")]
    Forget(IndexArgs),
    /// Write the index as Parquet tables, for DuckDB, DataFusion, Spark or Trino (docs/archive-index.md)
    #[command(after_help = "\
Examples:
  cargo supplychain archive index export tables --archive releases
  duckdb -c \"SELECT name, version FROM 'tables/components/*.parquet' LIMIT 5\"")]
    Export(ExportArgs),
}

/// Which index.
#[derive(Debug, Args)]
pub struct IndexArgs {
    #[command(flatten)]
    pub archive: ArchiveArgs,
}

/// Where to.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The folder that the tables go into
    #[arg(value_name = "DIR")]
    pub folder: Utf8PathBuf,
    #[command(flatten)]
    pub archive: ArchiveArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaName {
    /// `check --format json` and `reports/report.json`
    Report,
    /// `release.json`
    Release,
    /// `diff --format json`
    Diff,
    /// `sbom check --format json`
    SbomCheck,
    /// `affected --format json`
    Affected,
    /// `rescan --format json`
    Rescan,
    /// `rescan --history --format json`
    History,
    /// `vex list --format json`
    Vex,
    /// `psirt list --format json`
    Psirt,
    /// `evidence export`
    Evidence,
}
