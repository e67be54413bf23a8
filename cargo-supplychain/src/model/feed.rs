//! The sources of what is known about vulnerabilities besides the RustSec database. Which one says what is `feeds`'.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FeedKind {
    /// Advisories in the Open Source Vulnerability format.
    Osv,
    /// CISA's catalogue of known exploited vulnerabilities.
    Kev,
    /// The Exploit Prediction Scoring System of FIRST.
    Epss,
    /// CVE records, with CISA's container.
    Cve,
    /// JVN iPedia.
    Jvn,
    /// When release lines end, in the shape of endoflife.date.
    Eol,
}

impl FeedKind {
    pub const ALL: [Self; 6] = [Self::Osv, Self::Kev, Self::Epss, Self::Cve, Self::Jvn, Self::Eol];

    /// The word in the policy and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Osv => "osv",
            Self::Kev => "kev",
            Self::Epss => "epss",
            Self::Cve => "cve",
            Self::Jvn => "jvn",
            Self::Eol => "eol",
        }
    }

    /// What people are told.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Osv => "OSV advisories",
            Self::Kev => "KEV catalogue",
            Self::Epss => "EPSS scores",
            Self::Cve => "CVE records",
            Self::Jvn => "JVN iPedia",
            Self::Eol => "end-of-life dates",
        }
    }

    /// Where it is fetched from by its name alone. CVE records have no such place: there are 300,000 of them.
    #[must_use]
    pub fn default_url(self) -> Option<&'static str> {
        Some(match self {
            Self::Osv => "https://osv-vulnerabilities.storage.googleapis.com/crates.io/all.zip",
            Self::Kev => "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json",
            Self::Epss => "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz",
            Self::Cve => return None,
            Self::Jvn => "https://jvndb.jvn.jp/ja/rss/jvndb.rdf",
            Self::Eol => "https://endoflife.date/api/v1/products/full",
        })
    }

    /// How old it may be unless the policy says otherwise, in days: about three times as old as its publisher lets it become.
    #[must_use]
    pub fn default_max_age(self) -> u32 {
        match self {
            Self::Osv | Self::Epss => 7,
            Self::Kev | Self::Jvn => 30,
            Self::Cve | Self::Eol => 90,
        }
    }

    /// The kind of this word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl fmt::Display for FeedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
