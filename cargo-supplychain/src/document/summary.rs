//! Markdown of a report for people: the job summary and the comment of a pull request (`--format markdown`).

use std::fmt::Write as _;

use super::Document;
use super::markdown::{code, text};
use crate::base::Timestamp;
use crate::finding::{Finding, Report, Severity, Verdict};

/// Job summaries are cut at 1 MiB; a table this long is read by nobody.
const ROW_LIMIT: usize = 200;

/// The report as Markdown, ending with a line feed.
#[must_use]
pub fn document(report: &Report) -> Document {
    let mut out = String::new();
    let mut line = |words: &str| writeln!(out, "{words}").expect("writing to a string cannot fail");
    line(&format!("## cargo supplychain: {}", verdict(report.verdict)));
    line("");
    line(&counts(report));
    let given = if report.judged_at_is_given { " (given by `--now`)" } else { "" };
    line("");
    line(&format!("Judged at {}{given}, failing from `{}` on, by {}.", report.judged_at, report.fail_on, text(&report.tool)));
    if !report.findings.is_empty() {
        line("\n### Findings\n\n| severity | finding | package | where | what to do |\n|---|---|---|---|---|");
        for finding in report.findings.iter().take(ROW_LIMIT) {
            line(&row(finding));
        }
        if report.findings.len() > ROW_LIMIT {
            line(&format!("\n{} of {} findings are shown, worst first; the report has all.", ROW_LIMIT, report.findings.len()));
        }
    }
    if !report.not_evaluated.is_empty() {
        line("\n### Not evaluated\n\n| area | check | why | required | what to do |\n|---|---|---|---|---|");
        for check in report.not_evaluated.iter().take(ROW_LIMIT) {
            let required = if check.required { "yes" } else { "no" };
            let cells = [check.area.as_str(), &text(&check.check), &text(&check.why), required, &text(&check.help)];
            line(&format!("| {} |", cells.join(" | ")));
        }
        if report.not_evaluated.len() > ROW_LIMIT {
            line(&format!("\n{} of {} unmade checks are shown; the report has all.", ROW_LIMIT, report.not_evaluated.len()));
        }
    }
    if !report.exempted.is_empty() {
        line("\n### Exempted\n\n| finding | package | reason | until |\n|---|---|---|---|");
        for one in report.exempted.iter().take(ROW_LIMIT) {
            let until = one.expires.map_or_else(|| "no end".to_owned(), Timestamp::date);
            let cells = [code(one.finding.id), package(&one.finding), text(&one.reason), until];
            line(&format!("| {} |", cells.join(" | ")));
        }
        if report.exempted.len() > ROW_LIMIT {
            line(&format!("\n{} of {} exempted findings are shown; the report has all.", ROW_LIMIT, report.exempted.len()));
        }
    }
    Document::text("reports/summary.md", "text/markdown; charset=utf-8", out)
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Undetermined => "undetermined",
    }
}

fn counts(report: &Report) -> String {
    let summary = &report.summary;
    let numbers = [
        (summary.critical, Severity::Critical),
        (summary.high, Severity::High),
        (summary.medium, Severity::Medium),
        (summary.low, Severity::Low),
        (summary.info, Severity::Info),
    ];
    let found: Vec<_> =
        numbers.iter().filter(|(count, _)| *count > 0).map(|(count, severity)| format!("{count} {severity}")).collect();
    let found = if found.is_empty() { "no findings".to_owned() } else { found.join(", ") };
    format!("{found}; {} exempted; {} not evaluated.", summary.exempted, summary.not_evaluated)
}

fn row(finding: &Finding) -> String {
    let place = finding.locations.first().map(|place| text(&place.to_string())).unwrap_or_default();
    let what = format!("{}<br>{}", code(finding.id), text(&finding.message));
    let cells = [finding.severity.to_string(), what, package(finding), place, text(&finding.help)];
    format!("| {} |", cells.join(" | "))
}

fn package(finding: &Finding) -> String {
    finding.subject.as_ref().map(|subject| text(&format!("{} {}", subject.name, subject.version))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::document::fixture;
    use crate::finding::{FailOn, ReportInput};

    fn render(report: &Report) -> String {
        String::from_utf8(document(report).bytes).unwrap()
    }

    #[test]
    fn worst_first_with_place_and_help() {
        let text = render(&fixture::report());
        assert!(
            text.starts_with("## cargo supplychain: fail\n\n1 critical, 1 high, 1 low; 1 exempted; 1 not evaluated.\n"),
            "{text}"
        );
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| critical") || line.starts_with("| high")).collect();
        assert_eq!(
            rows[1],
            "| high | `advisory/vulnerability`<br>RUSTSEC-2026-0001 affects libz-sys 1.1.23 | libz-sys 1.1.23+1.3.1 | Cargo.lock:42 \
             | update to 1.1.24 or later |"
        );
        assert!(rows[0].starts_with("| critical | `config/source-override`"));
        assert!(text.contains("| advisories | advisories | database is 30 days old, the limit is 7 | yes |"), "{text}");
    }

    #[test]
    fn nothing_found_is_said_in_words() {
        let report = Report::new(ReportInput::default(), FailOn::default(), Timestamp::from_unix(0).unwrap(), false);
        assert!(render(&report).starts_with("## cargo supplychain: pass\n\nno findings; 0 exempted; 0 not evaluated.\n"));
    }

    #[test]
    fn hostile_names_stay_in_their_cell() {
        for line in render(&fixture::hostile_report()).lines().filter(|line| line.starts_with('|')) {
            let unescaped = line.replace("\\\\", "").replace("\\|", "");
            assert!([5, 6].contains(&unescaped.matches('|').count()), "{line}");
            assert!(!line.contains("<b>") && !line.contains("-->"), "{line}");
        }
    }
}
