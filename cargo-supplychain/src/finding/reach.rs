//! How far what an advisory is about reaches into what is built. Facts for whoever decides: neither severity nor verdict follow from them.

use serde::{Deserialize, Serialize};

/// What is known of it, beyond that the crate is in the lockfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reach {
    pub answer: ReachAnswer,
    /// What the answer stands on, a fragment.
    pub why: String,
    /// The functions that the advisory names for this version, those that are linked first; empty: it names none, or none is asked about.
    pub functions: Vec<FunctionReach>,
}

/// The answers, from the one that leaves out most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReachAnswer {
    /// `Cargo.lock` names the crate, and no artifact needs it.
    ResolvedOnly,
    /// The advisory is about other systems or architectures than those that the crate is compiled for.
    OtherPlatform,
    /// It helps to build, and is linked into no artifact.
    BuildOnly,
    /// It is linked, and none of the affected functions is in any artifact.
    FunctionAbsent,
    /// At least one affected function is in an artifact.
    FunctionLinked,
    /// It is linked; whether the functions are cannot be told.
    Unknown,
}

/// One affected function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionReach {
    /// Its path, as the advisory writes it: `shlex::bytes::quote`.
    pub function: String,
    pub answer: FunctionAnswer,
    /// What the answer stands on, a fragment.
    pub why: String,
}

/// Whether a function is in an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FunctionAnswer {
    Linked,
    Unknown,
    Absent,
}

/// So many functions are named in lines for people; a report has all.
const MAX_SHOWN: usize = 8;

impl ReachAnswer {
    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::ResolvedOnly => "not in this build",
            Self::OtherPlatform => "other platform",
            Self::BuildOnly => "build only",
            Self::FunctionAbsent => "function absent",
            Self::FunctionLinked => "function linked",
            Self::Unknown => "unknown",
        }
    }
}

impl Reach {
    /// An answer about the crate as a whole.
    #[must_use]
    pub fn of_crate(answer: ReachAnswer, why: impl Into<String>) -> Self {
        Self { answer, why: why.into(), functions: Vec::new() }
    }

    /// The answer that follows from those about the functions: one that is linked counts, and all have to be absent.
    #[must_use]
    pub fn of_functions(mut functions: Vec<FunctionReach>, why: impl Into<String>) -> Self {
        functions.sort_by(|a, b| (a.answer, &a.function).cmp(&(b.answer, &b.function)));
        let has = |answer| functions.iter().any(|one| one.answer == answer);
        let answer = if has(FunctionAnswer::Linked) {
            ReachAnswer::FunctionLinked
        } else if has(FunctionAnswer::Unknown) || functions.is_empty() {
            ReachAnswer::Unknown
        } else {
            ReachAnswer::FunctionAbsent
        };
        Self { answer, why: why.into(), functions }
    }

    /// One line for the answer, and one for each function that something is known of.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("reach: {}: {}", self.answer.words(), self.why)];
        let told: Vec<_> = self.functions.iter().filter(|one| !one.why.is_empty()).collect();
        lines.extend(told.iter().take(MAX_SHOWN).map(|one| format!("reach: {}: {}", one.function, one.why)));
        if told.len() > MAX_SHOWN {
            lines.push(format!("reach: and {} more functions", told.len() - MAX_SHOWN));
        }
        lines
    }
}
