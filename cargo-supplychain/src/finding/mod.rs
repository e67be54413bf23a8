//! Layer 1: what a check says: [`Finding`], [`NotEvaluated`], and the [`Report`] with its verdict. Pure types; the rules
//! that produce findings live in `check`. A finding is never an `Err`, an `Err` is never a verdict.

mod reach;
mod read;
mod report;
mod triage;
mod vex;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::Location;

pub use reach::{FunctionAnswer, FunctionReach, Reach, ReachAnswer};
pub use report::{Exempted, NotEvaluated, Report, ReportInput, SCHEMA_VERSION, Summary, Verdict};
pub use triage::{Answer, EpssSignal, RatingSignal, Triage};
pub use vex::{Decision, Justification, Response, Status};

/// How much a finding matters. The order is that of the words: `Info` is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// The word in reports and configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The level at which findings fail a run: `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailOn {
    /// Findings of this severity and above fail.
    Level(Severity),
    /// Nothing fails; findings and undetermined checks are reported.
    None,
}

impl Default for FailOn {
    fn default() -> Self {
        Self::Level(Severity::High)
    }
}

impl FailOn {
    /// Whether a finding of `severity` fails the run.
    #[must_use]
    pub fn is_reached_by(self, severity: Severity) -> bool {
        matches!(self, Self::Level(level) if severity >= level)
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Level(severity) => severity.fmt(f),
            Self::None => f.pad("none"),
        }
    }
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "critical" => Self::Level(Severity::Critical),
            "high" => Self::Level(Severity::High),
            "medium" => Self::Level(Severity::Medium),
            "low" => Self::Level(Severity::Low),
            "none" => Self::None,
            other => return Err(format!("unknown level `{other}`: use critical, high, medium, low or none")),
        })
    }
}

/// The areas of findings: what `--only` narrows to and `--require` raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    Lock,
    Sources,
    Config,
    Integrity,
    Maintainers,
    Capabilities,
    /// What a build tried behind its seal: judged by every build, never narrowed away. Required: a build that cannot be sealed does not begin.
    Sandbox,
    Advisories,
    Licences,
    Workflows,
    /// The policy file itself: always judged, never narrowed away.
    Policy,
}

impl Area {
    /// All areas, in the order in which they are reported.
    pub const ALL: [Self; 11] = [
        Self::Lock,
        Self::Sources,
        Self::Config,
        Self::Integrity,
        Self::Maintainers,
        Self::Capabilities,
        Self::Sandbox,
        Self::Advisories,
        Self::Licences,
        Self::Workflows,
        Self::Policy,
    ];

    /// The word on the command line and in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::Sources => "sources",
            Self::Config => "config",
            Self::Integrity => "integrity",
            Self::Maintainers => "maintainers",
            Self::Capabilities => "capabilities",
            Self::Sandbox => "sandbox",
            Self::Advisories => "advisories",
            Self::Licences => "licences",
            Self::Workflows => "workflows",
            Self::Policy => "policy",
        }
    }
}

impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Area {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|area| area.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|area| area.as_str()).collect();
            format!("unknown area `{text}`: use one of {}", known.join(", "))
        })
    }
}

/// The package that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    pub name: String,
    pub version: String,
}

/// One thing that a rule found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's id, `area/word`; a contract that never changes its meaning.
    pub id: &'static str,
    pub severity: Severity,
    /// The package it is about, if it is about one.
    #[serde(flatten, serialize_with = "subject_fields")]
    pub subject: Option<Subject>,
    /// One sentence: what is the case. A lower-case fragment without a full stop.
    pub message: String,
    /// Where it stands, most useful first; may be empty.
    pub locations: Vec<Location>,
    /// The facts behind it, one a line.
    pub evidence: Vec<String>,
    /// What to do next.
    pub help: String,
    /// Advisory findings: the id of the advisory and its aliases, which exemptions may name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Vulnerabilities: what is decided about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triage: Option<Box<Triage>>,
    /// Advisory findings: how far it reaches into what is built, where that is known to be less than all of the crate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<Box<Reach>>,
    /// What somebody has decided about it (VEX), the project's own decision first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// `package` and `version` stand beside the other fields in JSON, both `null` when the finding is about no package.
fn subject_fields<S: serde::Serializer>(subject: &Option<Subject>, serializer: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeMap;
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry("package", &subject.as_ref().map(|subject| &subject.name))?;
    map.serialize_entry("version", &subject.as_ref().map(|subject| &subject.version))?;
    map.end()
}

impl Finding {
    /// A finding of rule `id`; complete it with the methods below.
    pub fn new(id: &'static str, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            id,
            severity,
            subject: None,
            message: message.into(),
            locations: Vec::new(),
            evidence: Vec::new(),
            help: String::new(),
            ids: Vec::new(),
            triage: None,
            reach: None,
            decisions: Vec::new(),
        }
    }

    /// It is about this package.
    #[must_use]
    pub fn about(mut self, name: impl Into<String>, version: &impl ToString) -> Self {
        self.subject = Some(Subject { name: name.into(), version: version.to_string() });
        self
    }

    /// It stands here (may be called more than once).
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.locations.push(location);
        self
    }

    /// A fact behind it (may be called more than once).
    #[must_use]
    pub fn because(mut self, fact: impl Into<String>) -> Self {
        self.evidence.push(fact.into());
        self
    }

    /// It is known by these advisory ids.
    #[must_use]
    pub fn known_as(mut self, ids: impl IntoIterator<Item = String>) -> Self {
        self.ids.extend(ids);
        self
    }

    /// What is decided about it.
    #[must_use]
    pub fn triaged(mut self, triage: Triage) -> Self {
        self.triage = Some(Box::new(triage));
        self
    }

    /// How far it reaches. The facts of it are told by the rule.
    #[must_use]
    pub fn reaching(mut self, reach: Option<Reach>) -> Self {
        self.reach = reach.map(Box::new);
        self
    }

    /// Where it stands among others: a decision counts before a score.
    #[must_use]
    pub fn urgency(&self) -> Severity {
        self.triage.as_ref().and_then(|triage| triage.urgency).unwrap_or(self.severity)
    }

    /// What to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }
}
