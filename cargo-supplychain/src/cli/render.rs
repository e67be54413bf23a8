//! Results for people: findings, the closing table, errors.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use anstyle::Style;

use super::shell::{BAD, DIM, GOOD, NOTE, STRONG, Shell, WARN};
use crate::base::text::{OLD_COMMAND, plain};
use crate::document::diff::{self, Entry, Kind};
use crate::finding::{Finding, NotEvaluated, Report, Severity, Verdict};
use crate::ops;

/// The findings and unmade checks of a report, worst first, then one line of verdict.
pub(super) fn report(shell: &Shell, report: &Report) {
    let least = if shell.quiet { Severity::Medium } else { Severity::Low };
    let shown = |finding: &&Finding| shell.verbose || finding.severity >= least;
    for finding in report.findings.iter().filter(shown) {
        shell.err(|err| write_finding(err, finding, shell.verbose));
    }
    for exempted in report.exempted.iter().filter(|_| shell.verbose) {
        shell.err(|err| {
            let package = exempted.finding.subject.as_ref().map_or(String::new(), |one| format!(" {} {}", one.name, one.version));
            let (id, reason) = (exempted.finding.id, plain(&exempted.reason));
            let until = exempted.expires.map(|expires| format!(" (until {})", expires.date())).unwrap_or_default();
            writeln!(err, "{DIM}exempted[{id}]{DIM:#}{}: {reason}{until}", plain(&package))
        });
    }
    for check in &report.not_evaluated {
        if check.required || shell.verbose {
            shell.err(|err| write_not_evaluated(err, check));
        }
    }
    shell.err(|err| write_verdict(err, report, shell.verbose));
}

/// Checks that could not be made.
pub(super) fn not_evaluated(shell: &Shell, checks: &[NotEvaluated]) {
    for check in checks.iter().filter(|check| check.required || shell.verbose) {
        shell.err(|err| write_not_evaluated(err, check));
    }
}

fn style_of(severity: Severity) -> Style {
    match severity {
        Severity::Critical | Severity::High => BAD,
        Severity::Medium => WARN,
        Severity::Low | Severity::Info => NOTE,
    }
}

fn write_finding(err: &mut dyn Write, finding: &Finding, verbose: bool) -> io::Result<()> {
    let style = style_of(finding.severity);
    writeln!(err, "{style}{}[{}]{style:#}{STRONG}: {}{STRONG:#}", finding.severity, finding.id, plain(&finding.message))?;
    for (index, location) in finding.locations.iter().enumerate() {
        let arrow = if index == 0 { "-->" } else { ":::" };
        writeln!(err, "  {DIM}{arrow}{DIM:#} {}", plain(&location.to_string()))?;
    }
    // Low findings are told in short, unless more was asked for.
    if verbose || finding.severity >= Severity::Medium {
        for fact in &finding.evidence {
            writeln!(err, "   {DIM}={DIM:#} {}", plain(fact))?;
        }
        if !finding.help.is_empty() {
            writeln!(err, "   {DIM}={DIM:#} {GOOD}help{GOOD:#}: {}", plain(&finding.help))?;
        }
    }
    Ok(())
}

fn write_not_evaluated(err: &mut dyn Write, check: &NotEvaluated) -> io::Result<()> {
    let (style, word) = if check.required { (WARN, "undetermined") } else { (DIM, "not evaluated") };
    writeln!(err, "{style}{word}[{}]{style:#}{STRONG}: {}: {}{STRONG:#}", check.area, plain(&check.check), plain(&check.why))?;
    if !check.help.is_empty() {
        writeln!(err, "   {DIM}={DIM:#} {GOOD}help{GOOD:#}: {}", plain(&check.help))?;
    }
    Ok(())
}

fn write_verdict(err: &mut dyn Write, report: &Report, verbose: bool) -> io::Result<()> {
    let (style, word) = match report.verdict {
        Verdict::Pass => (GOOD, "pass"),
        Verdict::Fail => (BAD, "fail"),
        Verdict::Undetermined => (WARN, "undetermined"),
    };
    write!(err, "{style}{word:>12}{style:#} {}", counts(report))?;
    if report.summary.info > 0 && !verbose {
        write!(err, " {DIM}(-v shows the {} of info){DIM:#}", report.summary.info)?;
    }
    writeln!(err)
}

/// `2 high, 1 low; 1 exempted; 2 checks not evaluated`, or `no findings`.
pub(super) fn counts(report: &Report) -> String {
    let summary = report.summary;
    let by_severity = [
        (summary.critical, "critical"),
        (summary.high, "high"),
        (summary.medium, "medium"),
        (summary.low, "low"),
        (summary.info, "info"),
    ];
    let findings: Vec<_> =
        by_severity.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
    let mut parts = vec![if findings.is_empty() { "no findings".to_owned() } else { findings.join(", ") }];
    if summary.exempted > 0 {
        parts.push(format!("{} exempted", summary.exempted));
    }
    if summary.not_evaluated > 0 {
        parts.push(format!("{} not evaluated", summary.not_evaluated));
    }
    parts.join("; ")
}

/// The stages with their times.
pub(super) fn stages(shell: &Shell) {
    let stages = &shell.stages;
    shell.err(|err| {
        for stage in stages {
            let seconds = stage.took.as_secs_f64();
            writeln!(err, "  {STRONG}{:<10}{STRONG:#} {DIM}{seconds:>7.2} s{DIM:#}  {}", stage.name, plain(&stage.outcome))?;
        }
        Ok(())
    });
}

/// An error, with its place in the file where there is one.
pub(super) fn error(shell: &Shell, error: &ops::Error) {
    let renderer = Renderer::styled();
    if let Some(snippet) = &error.snippet {
        let start = snippet.span.start.min(snippet.text.len());
        let end = snippet.span.end.clamp(start, snippet.text.len());
        let (label, title, path) = (plain(&snippet.label), plain(&error.message), plain(&snippet.file));
        let mut group = Level::ERROR.primary_title(title.as_ref()).element(
            Snippet::source(snippet.text.as_str())
                .path(path.as_ref())
                .annotation(AnnotationKind::Primary.span(start..end).label(label.as_ref())),
        );
        let help: Vec<_> = error.help.iter().map(|help| plain(help)).collect();
        for help in &help {
            group = group.element(Level::HELP.message(help.as_ref()));
        }
        // The renderer makes the lines of the file harmless for a terminal, not for the log of a workflow.
        shell.line(&renderer.render(&[group]).to_string().replace(OLD_COMMAND, "#\\u{23}["));
        return;
    }
    shell.err(|err| {
        let mut lines = error.message.lines();
        writeln!(err, "{BAD}error{BAD:#}{STRONG}: {}{STRONG:#}", plain(lines.next().unwrap_or("unknown")))?;
        for line in lines {
            writeln!(err, "  {}", plain(line))?;
        }
        error.help.iter().try_for_each(|help| writeln!(err, "{GOOD}help{GOOD:#}: {}", plain(help)))
    });
}

/// One line a crate: sign, name, versions, then what is known and worth a look.
pub(super) fn diff(entries: &[Entry]) -> String {
    let mut out = String::new();
    for entry in entries {
        let sign = match entry.kind {
            Kind::Added => '+',
            Kind::Removed => '-',
            Kind::Updated => '^',
            Kind::Downgraded => 'v',
            Kind::Moved => '~',
            Kind::Changed => '*',
        };
        let people = diff::people(entry);
        let by = if people.is_empty() { String::new() } else { format!("by {people}") };
        let parts = [diff::age(entry), by, diff::brings(entry)];
        let told: Vec<_> = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
        let dash = if told.is_empty() { "" } else { "  " };
        let (name, versions) = (plain(&entry.name), diff::versions(entry));
        out += &format!("{sign} {name} {}{dash}{}\n", plain(&versions), plain(&told.join("; ")));
    }
    out + &format!("{}\n", diff::summary(entries))
}
