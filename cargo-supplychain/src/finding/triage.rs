//! What is decided about a vulnerability, with what the decision stands on. Deciding is `advisory::triage`'s.

use serde::{Deserialize, Serialize};

use super::Severity;
use crate::base::Timestamp;

/// A decision by a published table (SSVC), or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Triage {
    /// `cisa-bod-26-04`.
    pub table: String,
    pub table_version: String,
    /// What the table says. More than one: answers are missing, and these are what is possible, the most urgent first.
    pub outcomes: Vec<String>,
    /// How urgent the one outcome is, on the scale of severities; none: not decided.
    pub urgency: Option<Severity>,
    /// Until when, where there is one outcome and it gives a time.
    pub due: Option<Timestamp>,
    /// The answers, in the order of the table's points.
    pub answers: Vec<Answer>,
    /// Points without an answer that would make a difference.
    pub unknown: Vec<String>,
    /// Whether the catalogue of known exploited vulnerabilities has it; none: no signal.
    pub known_exploited: Option<bool>,
    /// None: no signal.
    pub epss: Option<EpssSignal>,
    /// Every vector that somebody gave, the one that counts first.
    pub ratings: Vec<RatingSignal>,
}

/// An answer to a decision point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub point: String,
    pub value: String,
    /// Who says so: `policy`, `KEV catalogue`, `CISA (CVE-2024-27308)`.
    pub source: String,
}

/// A score of EPSS, with its model: numbers of different models cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpssSignal {
    pub cve: String,
    pub probability: String,
    pub percentile: String,
    pub model: String,
    pub date: Option<Timestamp>,
}

/// A CVSS vector with its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingSignal {
    pub vector: String,
    /// In tenths; none: it scores zero, which says nothing.
    pub score: Option<u32>,
    pub source: String,
}

impl Triage {
    /// The one outcome, where it is decided.
    #[must_use]
    pub fn decided(&self) -> Option<&str> {
        match &*self.outcomes {
            [outcome] => Some(outcome),
            _ => None,
        }
    }

    /// The decision in one line: `SSVC cisa-bod-26-04: 14 days, until 2026-12-07`.
    #[must_use]
    pub fn line(&self) -> String {
        let table = &self.table;
        match (self.decided(), self.outcomes.as_slice()) {
            (Some(outcome), _) => {
                let due = self.due.map(|due| format!(", until {}", due.date())).unwrap_or_default();
                format!("SSVC {table}: {outcome}{due}")
            }
            (None, [most, .., least]) => {
                format!("SSVC {table}: not decided ({most} … {least}), no answer to {}", self.unknown.join(", "))
            }
            (None, _) => format!("SSVC {table}: no row of the table fits the answers"),
        }
    }
}
