//! The error of a verb: a message for people, and the class that decides the exit code.

use std::fmt;

/// What an error means for the exit code (docs/exit-codes.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Usage, configuration or unreadable input.
    Usage,
    /// Refused, because it would break a promise: a release changed, a store that others can write to (exit 1).
    Refused,
    /// Verification rejected.
    Rejected,
    /// Required data is missing, stale or unreachable.
    Undetermined,
    /// Output could not be written.
    Output,
    /// `cargo build` failed; it has said why.
    BuildFailed,
    Interrupted,
}

impl Class {
    /// The word in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Undetermined => "undetermined",
            Self::Output => "output",
            Self::BuildFailed => "build-failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A verb could not do its work.
#[derive(Debug)]
pub struct Error {
    pub class: Class,
    /// A lower-case fragment that names the path, URL or package; may have more lines of detail.
    pub message: String,
    /// What to do next, one entry a `help:` line.
    pub help: Vec<String>,
    /// The place in a text file, with the file's text, where there is one.
    pub snippet: Option<Box<Snippet>>,
}

/// A place in a file that an error points to.
#[derive(Debug, Clone)]
pub struct Snippet {
    pub file: String,
    pub text: String,
    /// Bytes.
    pub span: std::ops::Range<usize>,
    /// What stands beside the marked place.
    pub label: String,
}

impl Error {
    /// Splits `help:` lines off the message.
    pub fn new(class: Class, message: &impl ToString) -> Self {
        let text = message.to_string();
        let (help, message): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with("help: "));
        Self {
            class,
            message: message.join("\n"),
            help: help.into_iter().map(|line| line["help: ".len()..].to_owned()).collect(),
            snippet: None,
        }
    }

    pub fn usage(message: &impl ToString) -> Self {
        Self::new(Class::Usage, message)
    }

    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "\nhelp: {help}"))
    }
}

impl std::error::Error for Error {}

impl From<crate::assemble::Error> for Error {
    fn from(error: crate::assemble::Error) -> Self {
        Self::usage(&error)
    }
}

impl From<crate::collect::toolchain::Error> for Error {
    fn from(error: crate::collect::toolchain::Error) -> Self {
        Self::usage(&error)
    }
}
