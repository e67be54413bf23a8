//! GitLab's code quality report of a report (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>): a list of violations,
//! each with what GitLab needs to show it in a merge request. It knows neither suppressions nor notes: what is exempted is not listed, and a
//! required check that could not be made is a violation, because unknown is never a pass.

use serde_json::{Value, json};

use super::Document;
use super::placed::{Fingerprints, message, one_line, places};
use crate::base::Sha256;
use crate::base::text::plain;
use crate::finding::{Finding, NotEvaluated, Report, Severity};

/// `gl-code-quality-report.json`, as GitLab's own examples name it.
#[must_use]
pub fn document(report: &Report) -> Document {
    let mut fingerprints = Fingerprints::default();
    let found = report.findings.iter().map(|finding| violation(finding, &fingerprints.of(finding)));
    let unmade = report.not_evaluated.iter().filter(|check| check.required).map(not_made);
    let violations: Vec<Value> = found.chain(unmade).collect();
    Document::json("gl-code-quality-report.json", "application/json", &violations)
}

fn violation(finding: &Finding, fingerprint: &str) -> Value {
    let place = &places(finding)[0];
    let subject = finding.subject.as_ref().map(|one| format!("{} {}: ", plain(&one.name), plain(&one.version)));
    json!({
        "description": format!("{}{}", subject.unwrap_or_default(), message(finding)),
        "check_name": finding.id,
        "fingerprint": fingerprint,
        "severity": severity(finding.severity),
        "location": {"path": plain(&place.file), "lines": {"begin": place.line.max(1)}},
    })
}

fn not_made(check: &NotEvaluated) -> Value {
    let help = if check.help.trim().is_empty() { String::new() } else { format!("; help: {}", one_line(&check.help, "")) };
    let name = format!("not-evaluated/{}", check.area);
    json!({
        "description": format!("{} not evaluated: {}{help}", one_line(&check.check, "check"), one_line(&check.why, "unknown")),
        "fingerprint": Sha256::of(json!([name, check.check]).to_string()).to_string()[..16],
        "check_name": name,
        "severity": severity(Severity::High),
        "location": {"path": "Cargo.toml", "lines": {"begin": 1}},
    })
}

/// GitLab's five words, in the order of ours.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "blocker",
        Severity::High => "critical",
        Severity::Medium => "major",
        Severity::Low => "minor",
        Severity::Info => "info",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::document::fixture;

    fn violations(report: &Report) -> Vec<Value> {
        serde_json::from_slice(&document(report).bytes).unwrap()
    }

    #[test]
    fn places_severities_and_what_was_not_evaluated() {
        let violations = violations(&fixture::report());
        assert_eq!(
            violations[1],
            json!({
                "description": "libz-sys 1.1.23+1.3.1: RUSTSEC-2026-0001 affects libz-sys 1.1.23; help: update to 1.1.24 or later",
                "check_name": "advisory/vulnerability",
                "fingerprint": violations[1]["fingerprint"],
                "severity": "critical",
                "location": {"path": "Cargo.lock", "lines": {"begin": 42}},
            })
        );
        let names: Vec<_> = violations.iter().map(|one| (one["check_name"].as_str(), one["severity"].as_str())).collect();
        let expected = [
            ("config/source-override", "blocker"),
            ("advisory/vulnerability", "critical"),
            ("toolchain/unpinned", "minor"),
            ("not-evaluated/advisories", "critical"),
        ];
        assert_eq!(names, expected.map(|(name, severity)| (Some(name), Some(severity))));
        // A file outside of the workspace is named in the text; GitLab could not show it.
        assert_eq!(violations[0]["location"]["path"], "Cargo.toml");
        assert!(violations[0]["description"].as_str().unwrap().contains("/home/me/my project/.cargo/config.toml:3:7"));
    }

    /// What GitLab's documentation asks of each violation.
    #[test]
    fn each_has_what_gitlab_asks_for_whatever_the_text() {
        for report in [fixture::report(), fixture::hostile_report()] {
            let violations = violations(&report);
            let fingerprints: BTreeSet<_> = violations.iter().map(|one| one["fingerprint"].as_str().unwrap()).collect();
            assert_eq!(fingerprints.len(), violations.len());
            for violation in &violations {
                let keys: Vec<_> = violation.as_object().unwrap().keys().map(String::as_str).collect();
                let mut sorted = keys.clone();
                sorted.sort_unstable();
                assert_eq!(sorted, ["check_name", "description", "fingerprint", "location", "severity"]);
                let description = violation["description"].as_str().unwrap();
                assert!(!description.is_empty() && !description.contains(char::is_control), "{description}");
                assert!(["info", "minor", "major", "critical", "blocker"].contains(&violation["severity"].as_str().unwrap()));
                let path = violation["location"]["path"].as_str().unwrap();
                assert!(!path.starts_with(['/', '.']) && !path.contains(".."), "{path}");
                assert!(violation["location"]["lines"]["begin"].as_u64().unwrap() > 0);
            }
        }
    }
}
