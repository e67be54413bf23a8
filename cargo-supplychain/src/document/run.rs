//! A run in CI as Markdown for people: the job summary, and the comment on a pull request. The report's own part is [`super::summary`].

use std::fmt::Write as _;

use super::markdown::{code, shell_word, text};
use super::summary;
use crate::base::text::counted;
use crate::finding::Report;

/// The runner refuses a summary of 1 MiB and more.
const MAX_SUMMARY: usize = 1_000_000;
/// GitHub takes 65,536 characters.
const MAX_COMMENT: usize = 60_000;

/// What is told.
#[derive(Debug, Clone, Default)]
pub struct Run<'a> {
    pub command: &'a str,
    /// `pass`, `fail`, `undetermined`, `error`.
    pub result: &'a str,
    pub report: Option<&'a Report>,
    /// Why there is no result, and what to do.
    pub error: Option<(&'a str, &'a [String])>,
    /// What is otherwise than expected.
    pub notices: &'a [String],
    /// The revision that was compared with, and what the change brings in, as [`super::diff`] tells it.
    pub changes: Option<(&'a str, &'a str)>,
    /// What it does to what is in the artifacts, as [`super::composition`] tells it.
    pub composition: Option<&'a str>,
    pub release: Option<Release<'a>>,
    /// What was done besides, a sentence each.
    pub done: &'a [String],
}

/// A finished release.
#[derive(Debug, Clone, Default)]
pub struct Release<'a> {
    pub name: &'a str,
    pub version: &'a str,
    pub target: &'a str,
    /// `signed`, `pending`, `unsigned`.
    pub signing: &'a str,
    /// Name, size, sha256.
    pub artifacts: Vec<(String, u64, String)>,
    pub files: usize,
    /// Commands that verify it, each as words.
    pub verify: Vec<Vec<String>>,
}

/// The job summary, ending with a line feed.
#[must_use]
pub fn summary(run: &Run<'_>) -> String {
    cut(body(run), MAX_SUMMARY, "the report has all")
}

/// The comment, which begins with `marker`.
#[must_use]
pub fn comment(run: &Run<'_>, marker: &str) -> String {
    cut(format!("{marker}\n{}", body(run)), MAX_COMMENT, "the job summary has more")
}

fn body(run: &Run<'_>) -> String {
    let mut out = String::new();
    let mut line = |words: &str| writeln!(out, "{words}").expect("writing to a string cannot fail");
    match run.report {
        Some(report) => line(String::from_utf8_lossy(&summary::document(report).bytes).trim_end()),
        None => line(&format!("## cargo supplychain: {}", text(run.result))),
    }
    line(&format!("\n{} ended with {}.", code(run.command), code(run.result)));
    if let Some((message, help)) = run.error {
        line(&format!("\n### Error\n\n{}", text(message)));
        help.iter().for_each(|help| line(&format!("\n- {}", text(help))));
    }
    if !run.notices.is_empty() {
        line("\n### Notes\n");
        run.notices.iter().for_each(|notice| line(&format!("- {}", text(notice))));
    }
    if let Some((base, changes)) = run.changes {
        line(&format!("\n### New against {}\n\n{}", code(base), changes.trim()));
    }
    if let Some(composition) = run.composition {
        line(&format!("\n### In the artifacts\n\n{}", composition.trim()));
    }
    if let Some(release) = &run.release {
        release_part(&mut line, release);
    }
    if !run.done.is_empty() {
        line("\n### Done\n");
        run.done.iter().for_each(|done| line(&format!("- {}", text(done))));
    }
    out
}

/// Text of others, for a part that is given as Markdown.
#[must_use]
pub fn shown(words: &str) -> String {
    text(words)
}

fn release_part(line: &mut impl FnMut(&str), release: &Release<'_>) {
    let words = [release.name, release.version, release.target].map(code).join(" ");
    line(&format!("\n### Release\n\n{words}: {}, {}.", counted(release.files, "file"), text(release.signing)));
    line("\n| artifact | bytes | sha256 |\n|---|---|---|");
    for (name, size, digest) in &release.artifacts {
        line(&format!("| {} | {size} | {} |", text(name), code(digest)));
    }
    if !release.verify.is_empty() {
        line("\n### How to verify\n\n```sh");
        for words in &release.verify {
            line(&words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" "));
        }
        line("```");
    }
}

/// Whole lines only, and it is said.
fn cut(mut text: String, limit: usize, rest: &str) -> String {
    if text.len() > limit {
        let mut end = limit;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(text[..end].rfind('\n').map_or(0, |at| at + 1));
        let _ = write!(text, "\nThis is not all: {rest}.\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::fixture::{self, HOSTILE};
    use crate::finding::{FailOn, Finding, ReportInput, Severity};

    #[test]
    fn verdict_notes_change_release_and_how_to_verify() {
        let report = fixture::report();
        let notices = ["not signed".to_owned()];
        let release = Release {
            name: "app",
            version: "1.0.0",
            target: "x",
            signing: "signed",
            artifacts: vec![("app-x".into(), 5, "ab".into())],
            files: 3,
            verify: vec![["gh", "attestation", "verify", "a b"].map(str::to_owned).to_vec()],
        };
        let run = Run {
            command: "build",
            result: "fail",
            report: Some(&report),
            notices: &notices,
            changes: Some(("main", "one crate\n")),
            composition: Some("none\n"),
            release: Some(release),
            ..Run::default()
        };
        let text = summary(&run);
        assert!(text.starts_with("## cargo supplychain: fail\n"), "{text}");
        let end = "`build` ended with `fail`.\n\n### Notes\n\n- not signed\n\n### New against `main`\n\none crate\n\n### In the artifacts\n\nnone\n\n### Release\n\n\
                   `app` `1.0.0` `x`: 3 files, signed.\n\n| artifact | bytes | sha256 |\n|---|---|---|\n| app-x | 5 | `ab` |\n\n\
                   ### How to verify\n\n```sh\ngh attestation verify 'a b'\n```\n";
        assert!(text.ends_with(end), "{text}");
        assert!(comment(&run, "<!-- m -->").starts_with("<!-- m -->\n## cargo supplychain: fail\n"));
    }

    #[test]
    fn hostile_text_is_no_markup() {
        let help = [HOSTILE.to_owned()];
        let run = Run { command: "check", result: "error", error: Some((HOSTILE, &help)), notices: &help, ..Run::default() };
        let text = summary(&run);
        assert!(!text.contains("<b>") && !text.contains('\u{1b}') && !text.contains("\n::"), "{text}");
    }

    #[test]
    fn limits_hold_and_are_told() {
        let findings = (0..700).map(|at| Finding::new("dep/banned", Severity::High, format!("{at}{}", "ä".repeat(9000))));
        let input = ReportInput { findings: findings.collect(), ..ReportInput::default() };
        let report = Report::new(input, FailOn::default(), fixture::stamp(), false);
        let run = Run { command: "check", result: "fail", report: Some(&report), ..Run::default() };
        let text = summary(&run);
        assert!(text.len() < 1 << 20 && text.ends_with("\nThis is not all: the report has all.\n"), "{}", text.len());
        assert!(comment(&run, "<!-- m -->").chars().count() < 65_536);
    }
}
