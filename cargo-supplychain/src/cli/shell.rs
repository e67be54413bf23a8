//! All output of the program. People read standard error; standard output carries data. A closed standard output ends the output,
//! never the verdict.

use std::io::{self, Write};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};

use super::args::{Color, Format, Global};
use crate::base::text::plain;
use crate::ops::Progress;

pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARN: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Cyan.on_default().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const STRONG: Style = Style::new().bold();

/// A stage that has ended, for the closing table.
#[derive(Debug, Clone)]
pub(super) struct Stage {
    pub name: &'static str,
    pub took: Duration,
    pub outcome: String,
}

/// Where output goes.
pub(super) struct Shell {
    pub format: Format,
    pub verbose: bool,
    pub quiet: bool,
    color: ColorChoice,
    pub stages: Vec<Stage>,
    current: &'static str,
    /// Set when standard output could not take the data, for another reason than that nobody reads it.
    pub lost_output: Option<io::Error>,
}

impl Shell {
    pub(super) fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self {
            format: global.format,
            verbose: global.verbose,
            quiet: global.quiet,
            color,
            stages: Vec::new(),
            current: "",
            lost_output: None,
        }
    }

    /// Whether results are for people.
    pub(super) fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// Standard error. A failure to write there cannot be told to anybody, so it is let go.
    pub(super) fn err(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) {
        let mut stream = AutoStream::new(io::stderr().lock(), self.color);
        let _ = write(&mut stream);
    }

    /// Data for standard output.
    pub(super) fn out(&mut self, bytes: &[u8]) {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => self.lost_output = Some(error),
            _ => {}
        }
    }

    /// Cargo's kind of status line: a word that ends in column 12, and what it is about.
    pub(super) fn say(&self, word: &str, text: &str) {
        self.styled_status(GOOD, word, text);
    }

    pub(super) fn styled_status(&self, style: Style, word: &str, text: &str) {
        if !self.quiet {
            self.err(|err| writeln!(err, "{style}{word:>12}{style:#} {}", plain(text)));
        }
    }

    pub(super) fn blank(&self) {
        if !self.quiet {
            self.err(|err| writeln!(err));
        }
    }

    /// A line for people that `--quiet` does not silence.
    pub(super) fn line(&self, text: &str) {
        self.err(|err| writeln!(err, "{text}"));
    }
}

impl Progress for Shell {
    fn begin(&mut self, stage: &'static str, detail: &str) {
        self.current = stage;
        self.say(verb(stage), detail);
    }

    fn end(&mut self, took: Duration, outcome: &str) {
        self.stages.push(Stage { name: self.current, took, outcome: outcome.to_owned() });
    }

    fn status(&mut self, line: &str) {
        let (word, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        self.say(word, rest);
    }

    fn note(&mut self, line: &str) {
        self.styled_status(NOTE, "Note", line);
    }
}

/// The status word of a stage.
fn verb(stage: &str) -> &'static str {
    match stage {
        "read" => "Reading",
        "fetch" => "Fetching",
        "check" => "Checking",
        "build" => "Building",
        "package" => "Packaging",
        "describe" => "Describing",
        "sign" => "Signing",
        "verify" => "Verifying",
        "archive" => "Archiving",
        "push" => "Pushing",
        "chain" | "objects" => "Checking",
        _ => "Working",
    }
}
