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

impl Exit {
    /// That of a process of ours. One that ended by another way did not end as it should.
    pub(super) fn of_code(code: i32) -> Self {
        let all = [
            Self::Pass,
            Self::Finding,
            Self::Usage,
            Self::Rejected,
            Self::Undetermined,
            Self::Output,
            Self::BuildFailed,
            Self::Interrupted,
        ];
        all.into_iter().find(|exit| *exit as i32 == code).unwrap_or(Self::Bug)
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
