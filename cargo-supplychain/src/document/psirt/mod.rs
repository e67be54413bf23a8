//! The ledger of reports (`psirt.toml`) for people and as data, and a draft of the advisory about one of them. Where others look on, only what
//! is TLP:CLEAR is shown; how much is not shown is told.

mod advisory;

use serde_json::{Value, json};

use super::Document;
use crate::base::Timestamp;
use crate::base::text::{counted, one_line, plain};
use crate::config::psirt::{Day, Ledger, Report};

pub use advisory::document as advisory;

/// Version of the JSON form; its schema is `cargo-supplychain/schemas/psirt-1.json`.
pub const SCHEMA_VERSION: u32 = 1;

/// What of a ledger is shown.
#[derive(Debug)]
pub struct Shown<'a> {
    reports: Vec<&'a Report>,
    /// How many are not shown: they are above TLP:CLEAR.
    pub withheld: usize,
    warn_days: i64,
    now: Timestamp,
}

impl<'a> Shown<'a> {
    /// All of it, or only what is public.
    #[must_use]
    pub fn of(ledger: &'a Ledger, public_only: bool, now: Timestamp) -> Self {
        let reports: Vec<_> = ledger.reports.iter().filter(|report| !public_only || report.is_public()).collect();
        let withheld = ledger.reports.len() - reports.len();
        Self { reports, withheld, warn_days: i64::from(ledger.warn_days), now }
    }

    /// Dates of what is shown that have passed, or come within the days of the ledger's warning: the report, what it is, how many days.
    #[must_use]
    pub fn pressing(&self) -> Vec<(&'a Report, &'static str, i64)> {
        let mut pressing: Vec<_> = (self.reports.iter())
            .flat_map(|report| report.dates().map(|(what, day)| (*report, what, day.days_from(self.now))))
            .filter(|(_, _, days)| *days <= self.warn_days)
            .collect();
        pressing.sort_by_key(|(report, what, days)| (*days, report.id.as_str(), *what));
        pressing
    }

    /// Whether a date has passed.
    #[must_use]
    pub fn is_overdue(&self) -> bool {
        self.pressing().iter().any(|(_, _, days)| *days < 0)
    }

    /// As data.
    #[must_use]
    pub fn json(&self) -> Document {
        let reports: Vec<_> = self.reports.iter().map(|report| self.value(report)).collect();
        let value = json!({
            "schema_version": SCHEMA_VERSION,
            "judged_at": self.now,
            "reports": reports,
            "withheld": self.withheld,
        });
        Document::json("psirt.json", "application/json", &value)
    }

    fn value(&self, report: &Report) -> Value {
        let date = |day: Option<Day>| day.map(Day::date);
        let dates: Vec<_> = report
            .dates()
            .map(|(what, day)| json!({ "what": what, "date": day.date(), "days_left": day.days_from(self.now) }))
            .collect();
        json!({
            "id": report.id,
            "title": report.title,
            "aliases": report.aliases,
            "component": report.component,
            "releases": report.releases,
            "fixed": report.fixed,
            "state": report.state.as_str(),
            "tlp": report.tlp.as_str(),
            "reported": report.reported.date(),
            "coordinator": report.coordinator,
            "jvn_id": report.jvn_id,
            "disclosure_due": report.disclosure_due.date(),
            "exploited": report.exploited.as_str(),
            "exploited_evidence": report.exploited_evidence,
            "decision": report.decision,
            "decided_by": report.decided_by,
            "decided_at": date(report.decided_at),
            "due": date(report.due),
            "dates": dates,
        })
    }

    /// A line a report, its dates below.
    #[must_use]
    pub fn human(&self) -> String {
        let mut text = String::new();
        for report in &self.reports {
            let ids: Vec<_> =
                std::iter::once(&report.id).chain(&report.aliases).chain(&report.jvn_id).map(String::as_str).collect();
            let coordinator = report.coordinator.as_ref().map(|one| format!(", through {one}")).unwrap_or_default();
            text +=
                &line(&format!("{} [TLP:{}] {}: {}", ids.join(" "), report.tlp.as_str(), report.state.as_str(), report.title));
            text += &line(&format!(
                "  {} {}; reported {}{coordinator}; exploited: {}",
                report.component,
                if report.releases.is_empty() { "(releases not known)".to_owned() } else { report.releases.join(", ") },
                report.reported.date(),
                report.exploited.as_str()
            ));
            for (what, day) in report.dates() {
                text += &line(&format!("  {what} {}: {}", day.date(), left(day.days_from(self.now), self.warn_days)));
            }
        }
        text
    }
}

fn line(text: &str) -> String {
    format!("{}\n", plain(&one_line_keeping_indent(text)))
}

fn one_line_keeping_indent(text: &str) -> String {
    let indent = text.len() - text.trim_start().len();
    format!("{}{}", &text[..indent], one_line(text))
}

/// `in 3 days`, `today`, `3 days ago`.
fn left(days: i64, warn_days: i64) -> String {
    match days {
        ..0 => format!("PASSED {} ago", counted(days.unsigned_abs(), "day")),
        0 => "TODAY".to_owned(),
        _ if days <= warn_days => format!("SOON, in {}", counted(days.unsigned_abs(), "day")),
        _ => format!("in {}", counted(days.unsigned_abs(), "day")),
    }
}

#[cfg(test)]
mod tests;
