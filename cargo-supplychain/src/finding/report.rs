//! The result of a check: findings, what was exempted, what could not be evaluated, and the verdict that follows.

use serde::{Deserialize, Serialize};

use super::{Area, FailOn, Finding, Severity};
use crate::base::Timestamp;

/// Version of the JSON form of [`Report`]; its schema is `cargo-supplychain/schemas/report-1.json`. Fields are only ever added to a version.
pub const SCHEMA_VERSION: u32 = 1;

/// A check that could not be made. Never a pass (ARCHITECTURE.md, invariant 3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NotEvaluated {
    pub area: Area,
    /// Which check, a word or two: `advisories`, `yanked`.
    pub check: String,
    /// Why not, one fragment: `database is 30 days old, the limit is 7`.
    pub why: String,
    /// A required one leads to exit 4.
    pub required: bool,
    /// What to do next.
    pub help: String,
}

/// A finding that the policy exempts, or a decision that it trusts, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exempted {
    #[serde(flatten)]
    pub finding: Finding,
    pub reason: String,
    /// None: a document of others (VEX) exempts it and gives no end.
    pub expires: Option<Timestamp>,
}

/// What the findings and the unmade checks amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Pass,
    /// A finding at or above the fail-on level.
    Fail,
    /// No such finding, but a required check could not be made.
    Undetermined,
}

/// Numbers of findings by severity, and of the rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub critical: usize,
    pub high: usize,
    pub medium: usize,
    pub low: usize,
    pub info: usize,
    pub exempted: usize,
    pub not_evaluated: usize,
}

/// The report of one run; `report.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub schema_version: u32,
    /// `cargo-supplychain VERSION`.
    pub tool: String,
    /// The instant that the run judged by, and whether it was given by `--now`.
    pub judged_at: Timestamp,
    pub judged_at_is_given: bool,
    pub fail_on: String,
    /// With `fail_on` none the verdict is that of the default level: it is told, and nothing is stopped by it.
    pub verdict: Verdict,
    /// Whether the verdict decides the exit code and stops a build: `fail_on` is not none.
    #[serde(skip)]
    pub is_enforced: bool,
    pub summary: Summary,
    /// Worst first, then by id, package and place.
    pub findings: Vec<Finding>,
    pub exempted: Vec<Exempted>,
    pub not_evaluated: Vec<NotEvaluated>,
}

/// What a [`Report`] is made of.
#[derive(Debug, Default)]
pub struct ReportInput {
    pub findings: Vec<Finding>,
    pub exempted: Vec<Exempted>,
    pub not_evaluated: Vec<NotEvaluated>,
}

impl Report {
    /// The verdict as far as it stops anything: what decides the exit code.
    #[must_use]
    pub fn enforced_verdict(&self) -> Verdict {
        if self.is_enforced { self.verdict } else { Verdict::Pass }
    }

    /// Sorts, counts and judges.
    #[must_use]
    pub fn new(mut input: ReportInput, fail_on: FailOn, now: Timestamp, now_is_given: bool) -> Self {
        let order = |a: &Finding, b: &Finding| {
            // What is decided about a vulnerability counts before its score.
            ((b.urgency(), b.severity).cmp(&(a.urgency(), a.severity)))
                .then_with(|| (a.id, &a.subject, &a.locations, &a.message).cmp(&(b.id, &b.subject, &b.locations, &b.message)))
        };
        input.findings.sort_by(order);
        input.findings.dedup();
        input.exempted.sort_by(|a, b| order(&a.finding, &b.finding));
        input.not_evaluated.sort();
        input.not_evaluated.dedup();
        let count = |severity| input.findings.iter().filter(|finding| finding.severity == severity).count();
        let summary = Summary {
            critical: count(Severity::Critical),
            high: count(Severity::High),
            medium: count(Severity::Medium),
            low: count(Severity::Low),
            info: count(Severity::Info),
            exempted: input.exempted.len(),
            not_evaluated: input.not_evaluated.len(),
        };
        let is_enforced = fail_on != FailOn::None;
        let level = if is_enforced { fail_on } else { FailOn::default() };
        let verdict = if input.findings.iter().any(|finding| level.is_reached_by(finding.severity)) {
            Verdict::Fail
        } else if input.not_evaluated.iter().any(|check| check.required) {
            Verdict::Undetermined
        } else {
            Verdict::Pass
        };
        Self {
            schema_version: SCHEMA_VERSION,
            tool: concat!("cargo-supplychain ", env!("CARGO_PKG_VERSION")).to_owned(),
            judged_at: now,
            judged_at_is_given: now_is_given,
            fail_on: fail_on.to_string(),
            verdict,
            is_enforced,
            summary,
            findings: input.findings,
            exempted: input.exempted,
            not_evaluated: input.not_evaluated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(severity: Option<Severity>, required: Option<bool>, fail_on: FailOn) -> Verdict {
        let input = ReportInput {
            findings: severity.map(|severity| Finding::new("lock/missing", severity, "x")).into_iter().collect(),
            exempted: Vec::new(),
            not_evaluated: required
                .map(|required| NotEvaluated {
                    area: Area::Advisories,
                    check: "advisories".into(),
                    why: "stale".into(),
                    required,
                    help: String::new(),
                })
                .into_iter()
                .collect(),
        };
        Report::new(input, fail_on, Timestamp::from_unix(0).unwrap(), false).verdict
    }

    #[test]
    fn unknown_is_never_a_pass() {
        let high = FailOn::Level(Severity::High);
        for (severity, required, fail_on, verdict) in [
            (None, None, high, Verdict::Pass),
            (Some(Severity::Medium), None, high, Verdict::Pass),
            (Some(Severity::Medium), None, FailOn::Level(Severity::Medium), Verdict::Fail),
            (Some(Severity::High), Some(true), high, Verdict::Fail),
            (None, Some(true), high, Verdict::Undetermined),
            (None, Some(false), high, Verdict::Pass),
            (Some(Severity::Critical), Some(true), FailOn::None, Verdict::Fail),
            (None, Some(true), FailOn::None, Verdict::Undetermined),
            (Some(Severity::Medium), None, FailOn::None, Verdict::Pass),
        ] {
            assert_eq!(report(severity, required, fail_on), verdict, "{severity:?} {required:?} {fail_on}");
        }
    }
}
