//! Exit codes: a documented contract, disjoint on purpose (`docs/exit-codes.md`).

/// How a run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Pass = 0,
    /// A finding at or above the fail-on level.
    Finding = 1,
    /// Usage, configuration or unreadable input.
    Usage = 2,
    /// Verification rejected.
    Rejected = 3,
    /// Required data is missing, stale or unreachable.
    Undetermined = 4,
    /// Our bug.
    Bug = 70,
    /// Output could not be written.
    Output = 74,
    /// `cargo build` failed.
    BuildFailed = 101,
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
