//! Arguments of `fetch`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

/// Bring the advisory database and trusted roots into the cache
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain fetch                       # both
  cargo supplychain fetch advisories
  cargo supplychain fetch trust-root            # of sigstore.dev and github.com, or of [trust-root] in supplychain.toml")]
pub struct FetchArgs {
    /// What to fetch; all of it when left out
    #[arg(value_enum, value_name = "WHAT")]
    pub what: Vec<FetchWhat>,
    /// The RustSec database: a git URL; alone it means `advisories`
    #[arg(long, value_name = "URL")]
    pub advisory_db: Option<String>,
    /// The policy file with [trust-root], instead of supplychain.toml in the working folder
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
}

/// What `fetch` fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FetchWhat {
    /// The advisory database
    Advisories,
    /// Trusted roots of Sigstore and of GitHub, through The Update Framework
    TrustRoot,
}
