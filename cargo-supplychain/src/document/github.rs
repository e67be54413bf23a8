//! Annotations of a GitHub Actions run: workflow commands on standard output
//! (<https://docs.github.com/actions/reference/workflow-commands-for-github-actions>).

use std::fmt::Write as _;

use crate::base::text::plain;
use crate::finding::{Finding, Report, Severity};

/// GitHub shows ten annotations of a kind a step: more would push out the worst ones.
const LIMIT: usize = 10;

/// At most ten annotations, worst first, then one line with the totals. Each line ends with a line feed.
#[must_use]
pub fn annotations(report: &Report) -> String {
    let mut out = String::new();
    let mut line = |words: String| writeln!(out, "{words}").expect("writing to a string cannot fail");
    let unmade: Vec<_> = report.not_evaluated.iter().filter(|check| check.required).collect();
    // One line is kept for the checks that could not be made: unknown is never a pass.
    let shown = LIMIT - usize::from(!unmade.is_empty());
    for finding in report.findings.iter().take(shown) {
        line(annotation(finding));
    }
    if let Some(first) = unmade.first() {
        let rest = if unmade.len() > 1 { format!(" (and {} more)", unmade.len() - 1) } else { String::new() };
        line(command("error", None, "not evaluated", &format!("{}: {}{rest}; {}", first.check, first.why, first.help)));
    }
    let summary = &report.summary;
    let total = report.findings.len();
    let cut = if total > shown { format!(", of which the worst {shown} are shown") } else { String::new() };
    let words = format!("{total} findings{cut}; {} exempted; {} not evaluated", summary.exempted, summary.not_evaluated);
    line(command("notice", None, "cargo supplychain", &words));
    out
}

/// One annotation without a place, ending with a line feed.
#[must_use]
pub fn message(kind: &str, title: &str, text: &str) -> String {
    command(kind, None, title, text) + "\n"
}

fn annotation(finding: &Finding) -> String {
    let kind = match finding.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "notice",
    };
    let help = if finding.help.trim().is_empty() { String::new() } else { format!("; {}", finding.help) };
    let title = format!("{} ({})", finding.id, finding.severity);
    command(kind, finding.locations.first(), &title, &format!("{}{help}", finding.message))
}

fn command(kind: &str, place: Option<&crate::base::Location>, title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    if let Some(place) = place {
        properties.push(format!("file={}", property(&place.file)));
        if place.line > 0 {
            properties.push(format!("line={}", place.line));
        }
        if place.column > 0 {
            properties.push(format!("col={}", place.column));
        }
    }
    properties.push(format!("title={}", property(title)));
    format!("::{kind} {}::{}", properties.join(","), data(message))
}

/// The runner undoes `%25`, `%0D` and `%0A` in data; nothing else may end the line or the command.
fn data(text: &str) -> String {
    plain(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same for a property, where `:` and `,` separate.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Location;
    use crate::document::fixture;
    use crate::finding::{FailOn, ReportInput};

    #[test]
    fn worst_first_and_the_totals() {
        let text = annotations(&fixture::report());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines[1],
            "::error file=Cargo.lock,line=42,title=advisory/vulnerability (high)::\
             RUSTSEC-2026-0001 affects libz-sys 1.1.23; update to 1.1.24 or later"
        );
        assert!(
            lines[0].starts_with("::error file=/home/me/my project/.cargo/config.toml,line=3,col=7,title=config/source-override")
        );
        assert!(lines[3].starts_with("::error title=not evaluated::advisories: database is 30 days old"), "{text}");
        assert_eq!(lines[4], "::notice title=cargo supplychain::3 findings; 1 exempted; 1 not evaluated");
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn ten_at_most_with_the_total_stated() {
        let findings = (0..40).map(|at| {
            Finding::new("dep/banned", if at == 39 { Severity::High } else { Severity::Low }, format!("{at}"))
                .at(Location::file("Cargo.lock"))
        });
        let input = ReportInput { findings: findings.collect(), ..ReportInput::default() };
        let text = annotations(&Report::new(input, FailOn::default(), fixture::stamp(), false));
        assert_eq!(text.lines().count(), 11);
        assert_eq!(text.lines().next(), Some("::error file=Cargo.lock,title=dep/banned (high)::39"));
        assert!(text.ends_with("::40 findings, of which the worst 10 are shown; 0 exempted; 0 not evaluated\n"), "{text}");
    }

    #[test]
    fn hostile_text_cannot_begin_a_command_of_its_own() {
        let text = annotations(&fixture::hostile_report());
        assert_eq!(text.lines().count(), 2, "{text}");
        let first = text.lines().next().unwrap();
        let (properties, _) = first[2..].split_once("::").unwrap();
        assert_eq!(properties.split(',').count(), 4, "{properties}");
        assert!(!first.contains(['\u{1b}', '\r', '\0']) && !first.contains("%0A"), "{first}");
    }
}
