//! A report read back from its JSON (`schemas/report-1.json`): for whoever runs the tool and shows the result elsewhere.

use serde::Deserialize;

use super::report::{NotEvaluated, Summary, Verdict};
use super::{Decision, Exempted, Finding, Reach, Report, SCHEMA_VERSION, Severity, Subject, Triage};
use crate::base::{Location, Timestamp};

#[derive(Deserialize)]
struct RawReport {
    schema_version: u32,
    tool: String,
    judged_at: Timestamp,
    judged_at_is_given: bool,
    fail_on: String,
    verdict: Verdict,
    summary: Summary,
    findings: Vec<RawFinding>,
    exempted: Vec<RawExempted>,
    not_evaluated: Vec<NotEvaluated>,
}

#[derive(Deserialize)]
struct RawFinding {
    id: String,
    severity: Severity,
    package: Option<String>,
    version: Option<String>,
    message: String,
    locations: Vec<Location>,
    evidence: Vec<String>,
    help: String,
    #[serde(default)]
    ids: Vec<String>,
    triage: Option<Box<Triage>>,
    reach: Option<Box<Reach>>,
    #[serde(default)]
    decisions: Vec<Decision>,
}

#[derive(Deserialize)]
struct RawExempted {
    #[serde(flatten)]
    finding: RawFinding,
    reason: String,
    expires: Option<Timestamp>,
}

impl Report {
    /// Reads what [`Report`] writes. `known` gives the id of a rule that there is.
    ///
    /// # Errors
    /// Why it is none, a fragment.
    pub fn read(bytes: &[u8], known: &dyn Fn(&str) -> Option<&'static str>) -> Result<Self, String> {
        let raw: RawReport = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if raw.schema_version != SCHEMA_VERSION {
            return Err(format!("its version is {}, and only {SCHEMA_VERSION} is read", raw.schema_version));
        }
        let exempted = raw.exempted.into_iter().map(|one| {
            Ok::<_, String>(Exempted { finding: one.finding.finding(known)?, reason: one.reason, expires: one.expires })
        });
        Ok(Self {
            schema_version: raw.schema_version,
            tool: raw.tool,
            judged_at: raw.judged_at,
            judged_at_is_given: raw.judged_at_is_given,
            is_enforced: raw.fail_on != "none",
            fail_on: raw.fail_on,
            verdict: raw.verdict,
            summary: raw.summary,
            findings: raw.findings.into_iter().map(|one| one.finding(known)).collect::<Result<_, _>>()?,
            exempted: exempted.collect::<Result<_, _>>()?,
            not_evaluated: raw.not_evaluated,
        })
    }
}

impl RawFinding {
    fn finding(self, known: &dyn Fn(&str) -> Option<&'static str>) -> Result<Finding, String> {
        let id = known(&self.id).ok_or_else(|| format!("it has a finding `{}`, which is no rule of this version", self.id))?;
        Ok(Finding {
            id,
            severity: self.severity,
            subject: self.package.map(|name| Subject { name, version: self.version.unwrap_or_default() }),
            message: self.message,
            locations: self.locations,
            evidence: self.evidence,
            help: self.help,
            ids: self.ids,
            triage: self.triage,
            reach: self.reach,
            decisions: self.decisions,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_refused_without_a_panic(bytes: Vec<u8>) {
            prop_assert!(Report::read(&bytes, &|_| Some("lock/missing")).is_err());
        }
    }
}
