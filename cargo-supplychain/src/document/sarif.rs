//! SARIF 2.1.0 (OASIS, errata 01) of a report, within what GitHub's code scanning takes: every result has a place in the
//! repository, a rule and a fingerprint that survives edits elsewhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::placed::{Fingerprints, message, one_line, places};
use super::{Document, HOME, TOOL_VERSION};
use crate::base::Location;
use crate::base::text::plain;
use crate::finding::{Finding, NotEvaluated, Report, Severity};

/// The media type (OASIS SARIF 2.1.0, section 3.13).
pub const MEDIA_TYPE: &str = "application/sarif+json";

/// What SARIF says of a rule; the rules themselves are `check`'s.
#[derive(Debug, Clone, Copy)]
pub struct RuleInfo<'a> {
    /// `area/word`.
    pub id: &'a str,
    pub summary: &'a str,
    /// Markdown.
    pub docs: &'a str,
    pub severity: Severity,
}

/// More results GitHub refuses (documented limit of one run); findings come worst first, so the least are cut and counted.
const RESULT_LIMIT: usize = 25_000;
/// Longer descriptions GitHub refuses.
const DESCRIPTION_LIMIT: usize = 1024;

/// `reports/report.sarif`. A finding whose rule is not in `rules` gets a rule that says only its id.
#[must_use]
pub fn document(report: &Report, rules: &[RuleInfo<'_>]) -> Document {
    limited(report, rules, RESULT_LIMIT)
}

fn limited(report: &Report, rules: &[RuleInfo<'_>], limit: usize) -> Document {
    let rules = rule_table(report, rules);
    let index: BTreeMap<&str, usize> = rules.iter().enumerate().map(|(at, rule)| (rule.id, at)).collect();
    let mut fingerprints = Fingerprints::default();
    let mut results = Vec::new();
    for finding in report.findings.iter().take(limit) {
        results.push(result(finding, index[finding.id], &mut fingerprints, &json!([])));
    }
    for exempted in report.exempted.iter().take(limit - results.len()) {
        let until = exempted.expires.map(|expires| format!(" (until {expires})")).unwrap_or_default();
        let suppression = json!([{
            "kind": "external",
            "status": "accepted",
            "justification": format!("{}{until}", plain(&exempted.reason)),
        }]);
        results.push(result(&exempted.finding, index[exempted.finding.id], &mut fingerprints, &suppression));
    }
    let left_out = report.findings.len() + report.exempted.len() - results.len();
    let driver = json!({
        "name": "cargo-supplychain",
        "semanticVersion": TOOL_VERSION,
        "informationUri": HOME,
        "rules": rules.iter().map(|rule| descriptor(rule, report)).collect::<Vec<_>>(),
    });
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": driver},
            "invocations": [invocation(report, left_out)],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    Document::json("reports/report.sarif", MEDIA_TYPE, &log)
}

/// The given rules and those that findings name besides, sorted by id.
fn rule_table<'a>(report: &'a Report, rules: &[RuleInfo<'a>]) -> Vec<RuleInfo<'a>> {
    let mut table: BTreeMap<&str, RuleInfo<'a>> = rules.iter().map(|rule| (rule.id, *rule)).collect();
    for finding in all_findings(report) {
        let unknown = RuleInfo { id: finding.id, summary: finding.id, docs: finding.id, severity: finding.severity };
        table.entry(finding.id).or_insert(unknown);
    }
    table.into_values().collect()
}

fn all_findings(report: &Report) -> impl Iterator<Item = &Finding> {
    report.findings.iter().chain(report.exempted.iter().map(|exempted| &exempted.finding))
}

fn descriptor(rule: &RuleInfo<'_>, report: &Report) -> Value {
    // GitHub reads the security severity of the rule only: the worst of this run stands for a rule that judges by score.
    let found = report.findings.iter().filter(|finding| finding.id == rule.id).map(|finding| finding.severity).max();
    let severity = found.unwrap_or(rule.severity);
    let area = rule.id.split('/').next().unwrap_or_default();
    let mut properties = json!({"tags": ["security", "supply-chain", area], "precision": "high"});
    if let Some(score) = security_severity(severity) {
        properties["security-severity"] = json!(score);
    }
    let summary: String = one_line(rule.summary, rule.id).chars().take(DESCRIPTION_LIMIT).collect();
    let docs = if rule.docs.trim().is_empty() { &summary } else { rule.docs };
    json!({
        "id": rule.id,
        "name": rule.id,
        "shortDescription": {"text": summary},
        "fullDescription": {"text": summary},
        "help": {"text": format!("{summary}\n\ncargo supplychain explain {}", rule.id), "markdown": docs},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": properties,
    })
}

/// Points in GitHub's ranges: critical from 9.0, high from 7.0, medium from 4.0, low from 0.1; information has none.
fn security_severity(severity: Severity) -> Option<&'static str> {
    match severity {
        Severity::Critical => Some("9.5"),
        Severity::High => Some("8.0"),
        Severity::Medium => Some("5.5"),
        Severity::Low => Some("2.0"),
        Severity::Info => None,
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn result(finding: &Finding, rule_index: usize, fingerprints: &mut Fingerprints, suppressions: &Value) -> Value {
    // GitHub refuses a result without a place.
    let mut locations: Vec<Value> = places(finding).iter().map(location).collect();
    let mut properties = Map::new();
    properties.insert("severity".to_owned(), json!(finding.severity));
    if let Some(subject) = &finding.subject {
        properties.insert("package".to_owned(), json!(plain(&subject.name)));
        properties.insert("version".to_owned(), json!(plain(&subject.version)));
    }
    if !finding.evidence.is_empty() {
        properties.insert("evidence".to_owned(), finding.evidence.iter().map(|fact| json!(plain(fact))).collect());
    }
    json!({
        "ruleId": finding.id,
        "ruleIndex": rule_index,
        "level": level(finding.severity),
        "message": {"text": message(finding)},
        // One place: GitHub shows the first, and the others are the same finding.
        "locations": [locations.remove(0)],
        "relatedLocations": locations,
        "partialFingerprints": {"primaryLocationLineHash": fingerprints.of(finding)},
        "suppressions": suppressions,
        "properties": properties,
    })
}

fn location(place: &Location) -> Value {
    let mut region = json!({"startLine": place.line.max(1)});
    if place.line > 0 && place.column > 0 {
        region["startColumn"] = json!(place.column);
    }
    json!({"physicalLocation": {"artifactLocation": {"uri": uri(&place.file)}, "region": region}})
}

/// The path as a relative reference (RFC 3986).
fn uri(file: &str) -> String {
    let mut uri = String::with_capacity(file.len());
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// What could not be evaluated, as notifications of the run; a required one makes the run unsuccessful.
fn invocation(report: &Report, left_out: usize) -> Value {
    let notification = |check: &NotEvaluated| {
        let help = if check.help.trim().is_empty() { String::new() } else { format!("; help: {}", one_line(&check.help, "")) };
        json!({
            "descriptor": {"id": format!("not-evaluated/{}", check.area)},
            "level": if check.required { "error" } else { "warning" },
            "message": {"text": format!("{} not evaluated: {}{help}", one_line(&check.check, "check"), one_line(&check.why, "unknown"))},
        })
    };
    let mut notifications: Vec<Value> = report.not_evaluated.iter().map(notification).collect();
    if left_out > 0 {
        notifications.push(json!({
            "descriptor": {"id": "results-left-out"},
            "level": "error",
            "message": {"text": format!("{left_out} of the least severe results are left out: GitHub takes no more")},
        }));
    }
    json!({
        "executionSuccessful": !report.not_evaluated.iter().any(|check| check.required),
        "toolExecutionNotifications": notifications,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fixture;
    use crate::finding::{FailOn, ReportInput};

    const RULES: [RuleInfo<'static>; 2] = [
        RuleInfo {
            id: "advisory/vulnerability",
            summary: "a linked package has a known vulnerability",
            docs: "# Vulnerability\n\nText.",
            severity: Severity::Medium,
        },
        RuleInfo { id: "lock/missing", summary: "there is no lockfile", docs: "# Missing", severity: Severity::High },
    ];

    fn run(report: &Report) -> Value {
        serde_json::from_slice::<Value>(&document(report, &RULES).bytes).unwrap()["runs"][0].clone()
    }

    fn result<'a>(run: &'a Value, id: &str) -> &'a Value {
        run["results"].as_array().unwrap().iter().find(|one| one["ruleId"] == id).unwrap()
    }

    #[test]
    fn every_result_has_rule_place_and_fingerprint() {
        for report in [fixture::report(), fixture::hostile_report()] {
            let run = run(&report);
            let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
            for result in run["results"].as_array().unwrap() {
                let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
                assert_eq!(rule["id"], result["ruleId"]);
                let place = &result["locations"][0]["physicalLocation"];
                let uri = place["artifactLocation"]["uri"].as_str().unwrap();
                assert!(!uri.starts_with('/') && !uri.contains("..") && uri.is_ascii() && !uri.contains(' '), "{uri}");
                assert!(place["region"]["startLine"].as_u64().unwrap() >= 1);
                assert!(!result["message"]["text"].as_str().unwrap().is_empty());
                assert!(result["partialFingerprints"]["primaryLocationLineHash"].is_string());
            }
        }
    }

    #[test]
    fn places_severities_and_suppressions() {
        let run = run(&fixture::report());
        let vulnerable = result(&run, "advisory/vulnerability");
        assert_eq!(vulnerable["locations"][0]["physicalLocation"]["region"]["startLine"], 42);
        assert_eq!(vulnerable["level"], "error");
        assert_eq!(vulnerable["suppressions"], json!([]));
        assert_eq!(
            result(&run, "toolchain/unpinned")["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            "Cargo.toml"
        );
        let exempted = result(&run, "advisory/unmaintained");
        assert_eq!(exempted["suppressions"][0]["justification"], "replaced in the next release (until 2027-01-01T00:00:00Z)");
        assert_eq!(exempted["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "Cargo.lock");
        // A file outside the workspace is named in the text; GitHub could not show it.
        let outside = result(&run, "config/source-override");
        assert!(outside["message"]["text"].as_str().unwrap().contains("/home/me/my project/.cargo/config.toml:3:7"));
        assert_eq!(outside["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "Cargo.toml");
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let rule = rules.iter().find(|rule| rule["id"] == "advisory/vulnerability").unwrap();
        assert_eq!(rule["properties"]["security-severity"], "8.0", "the worst that was found");
        assert_eq!(rule["help"]["markdown"], "# Vulnerability\n\nText.");
    }

    #[test]
    fn what_was_not_evaluated_is_said() {
        let run = run(&fixture::report());
        let invocation = &run["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let text = invocation["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
        assert_eq!(
            text,
            "advisories not evaluated: database is 30 days old, the limit is 7; help: run `cargo supplychain fetch`"
        );
    }

    #[test]
    fn paths_become_references() {
        assert_eq!(uri(".cargo/config.toml"), ".cargo/config.toml");
        assert_eq!(uri("a b/日.toml"), "a%20b/%E6%97%A5.toml");
    }

    #[test]
    fn more_results_than_github_takes_are_cut_and_counted() {
        let findings = (0..8).map(|at| Finding::new("lock/missing", Severity::Low, format!("{at}")));
        let input = ReportInput { findings: findings.collect(), ..ReportInput::default() };
        let report = Report::new(input, FailOn::default(), fixture::stamp(), false);
        let run = serde_json::from_slice::<Value>(&limited(&report, &RULES, 5).bytes).unwrap()["runs"][0].clone();
        assert_eq!(run["results"].as_array().unwrap().len(), 5);
        let text = run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].as_str().unwrap();
        assert!(text.starts_with("3 of the least severe results are left out"), "{text}");
    }
}
