//! Arguments of `fetch`.

use camino::Utf8PathBuf;
use clap::{Args, ValueEnum};

use crate::model::feed::FeedKind;
use crate::ops::advisories::NamedFeed;

/// Bring the advisory database, further sources and trusted roots into the cache
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cargo supplychain fetch                       # database, trusted roots, and the sources of [[advisories.source]]
  cargo supplychain fetch advisories
  cargo supplychain fetch kev epss osv eol      # from where they are published, or from [[advisories.source]]
  cargo supplychain fetch trust-root            # of sigstore.dev and github.com, or of [trust-root] in supplychain.toml")]
pub struct FetchArgs {
    /// What to fetch; all that is asked for by the policy when left out
    #[arg(value_enum, value_name = "WHAT")]
    pub what: Vec<FetchWhat>,
    /// The RustSec database: a git URL; alone it means `advisories`
    #[arg(long, value_name = "URL")]
    pub advisory_db: Option<String>,
    /// A further source: osv, kev, epss, cve, jvn or eol, and its URL; alone it means only that (may be repeated)
    #[arg(long, value_name = "KIND=URL", value_parser = super::feed)]
    pub feed: Vec<NamedFeed>,
    /// The policy file with [trust-root] and [[advisories.source]], instead of supplychain.toml in the working folder
    #[arg(long, value_name = "FILE")]
    pub policy: Option<Utf8PathBuf>,
}

impl FetchWhat {
    /// The source that it is, where it is one.
    #[must_use]
    pub fn source(self) -> Option<FeedKind> {
        match self {
            Self::Advisories | Self::TrustRoot => None,
            Self::Osv => Some(FeedKind::Osv),
            Self::Kev => Some(FeedKind::Kev),
            Self::Epss => Some(FeedKind::Epss),
            Self::Jvn => Some(FeedKind::Jvn),
            Self::Eol => Some(FeedKind::Eol),
        }
    }
}

/// What `fetch` fetches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FetchWhat {
    /// The advisory database
    Advisories,
    /// Advisories in the OSV format (osv.dev, crates.io)
    Osv,
    /// CISA's catalogue of known exploited vulnerabilities
    Kev,
    /// Scores of the Exploit Prediction Scoring System
    Epss,
    /// JVN iPedia
    Jvn,
    /// Ends of release lines (endoflife.date)
    Eol,
    /// Trusted roots of Sigstore and of GitHub, through The Update Framework
    TrustRoot,
}
