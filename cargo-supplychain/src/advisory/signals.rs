//! What is known about a vulnerability beyond its advisory: exploitation, likelihood, analysts' answers, further titles; and when release
//! lines end. Types only: reading them is `feeds`', what follows is [`super::triage`]'s. What is not there is not known, never "no".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::native::{Affected, Range, is_called};
use super::rating::Rating;
use crate::base::Timestamp;

/// An entry of CISA's catalogue of known exploited vulnerabilities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exploited {
    pub vendor: String,
    pub product: String,
    pub name: String,
    pub added: Timestamp,
    /// Whether ransomware campaigns are known to use it.
    pub ransomware: bool,
}

/// A score of the Exploit Prediction Scoring System: the text as published, which is a number from 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epss {
    pub probability: String,
    pub percentile: String,
}

/// SSVC decision points that CISA's analysts answered for a CVE, in the words of the tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Analysis {
    pub exploitation: String,
    pub automatable: String,
    pub technical_impact: String,
    pub role: String,
    pub date: Option<Timestamp>,
}

/// A CVE record, as far as the product needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CveRecord {
    pub title: String,
    pub published: Option<Timestamp>,
    /// The numbering authority's first, then those of others.
    pub ratings: Vec<Rating>,
    pub analysis: Option<Analysis>,
    /// Products with their versions, of the numbering authority only.
    pub affected: Vec<Affected>,
}

impl CveRecord {
    fn of_library(&self, library: &str) -> impl Iterator<Item = &Affected> {
        self.affected.iter().filter(move |affected| is_called(library, &affected.product))
    }

    /// The ranges of versions that it names of a library.
    pub fn ranges(&self, library: &str) -> impl Iterator<Item = &Range> {
        self.of_library(library).flat_map(|affected| &affected.ranges)
    }

    /// What it says of a library's versions that is no range: what that means is not known.
    pub fn unread(&self, library: &str) -> impl Iterator<Item = &str> {
        self.of_library(library).flat_map(|affected| affected.unread.iter().map(String::as_str))
    }

    /// Whether it names this version of a library.
    #[must_use]
    pub fn affects(&self, library: &str, version: &str) -> bool {
        self.ranges(library).any(|range| range.has(version))
    }
}

/// An entry of JVN iPedia.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Japanese {
    pub id: String,
    pub title: String,
    pub url: String,
}

/// A release line of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseLine {
    /// `3.6`.
    pub line: String,
    pub end: LineEnd,
}

/// When a release line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineEnd {
    On(Timestamp),
    /// It has ended, on a day that is not said.
    Ended,
    /// No end is known.
    Open,
}

/// All of it, of what was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signals {
    /// By CVE; none: there is no catalogue.
    pub kev: Option<BTreeMap<String, Exploited>>,
    /// GitHub Actions (`owner/name`, in lower case) that the catalogue lists, with their CVE.
    pub exploited_actions: BTreeMap<String, String>,
    /// By CVE; none: there are no scores.
    pub epss: Option<Scores>,
    /// By CVE; none: there are no records.
    pub records: Option<BTreeMap<String, CveRecord>>,
    /// By CVE.
    pub japanese: BTreeMap<String, Vec<Japanese>>,
    /// By product, as its publisher calls it; none: nothing is known of ends.
    pub lines: Option<BTreeMap<String, Vec<ReleaseLine>>>,
}

/// Scores of one day and model: numbers of different models cannot be compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scores {
    pub model: String,
    pub date: Option<Timestamp>,
    pub scores: BTreeMap<String, Epss>,
}

impl Signals {
    /// The record of the first of these ids that has one.
    pub fn record<'s>(&'s self, mut ids: impl Iterator<Item = &'s str>) -> Option<(&'s str, &'s CveRecord)> {
        let records = self.records.as_ref()?;
        ids.find_map(|id| Some((id, records.get(id)?)))
    }

    /// Whether nothing at all was brought.
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether an id is a CVE's.
#[must_use]
pub fn is_cve(id: &str) -> bool {
    let number = id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    number.is_some_and(|(year, number)| year.len() == 4 && digits(year) && (4..=19).contains(&number.len()) && digits(number))
}
