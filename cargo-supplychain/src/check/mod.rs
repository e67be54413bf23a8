//! Layer 2: judgement. [`check`] runs every rule of [`rules::ALL`] over the [`Facts`], applies levels and exemptions of the policy
//! and lists what could not be evaluated. Pure: no IO, no clock; what it does not find in the facts it does not know.

mod cargo_setting;
mod exemptions;
mod facts;
mod not_evaluated;
pub mod rules;

use crate::config::Level;
use crate::finding::{Area, Finding, ReportInput};

pub use facts::{Advisories, Facts, LockState, ToolchainFile};

/// A rule: static data and a function. One file a rule, listed in [`rules::ALL`].
pub struct Rule {
    /// `area/word`, a contract that never changes its meaning.
    pub id: &'static str,
    /// Its default severity; findings may carry another where the catalogue says so.
    pub severity: crate::finding::Severity,
    pub area: Area,
    /// One sentence: when it fires.
    pub summary: &'static str,
    /// Markdown for `explain`: what it is about, the incident behind it, an example that fires, what to do.
    pub docs: &'static str,
    /// What the rule's `allow = […]` lists; `None` when it takes none.
    pub allows: Option<&'static str>,
    pub run: fn(&Facts<'_>) -> Vec<Finding>,
}

/// Which areas are judged and which are required.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// `--only`; empty: all. `policy` is always judged.
    pub only: Vec<Area>,
    /// `--require` and `[rules] require`: best-effort checks of these areas become required.
    pub require: Vec<Area>,
}

impl Scope {
    /// Whether the area is judged.
    #[must_use]
    pub fn includes(&self, area: Area) -> bool {
        area == Area::Policy || self.only.is_empty() || self.only.contains(&area)
    }
}

/// Judges the facts.
#[must_use]
pub fn check(facts: &Facts<'_>, scope: &Scope) -> ReportInput {
    let mut findings = Vec::new();
    for rule in rules::ALL.iter().filter(|rule| scope.includes(rule.area)) {
        let level = facts.settings.rules.get(rule.id).and_then(|setting| setting.level);
        match level {
            Some(Level::Off) => {}
            Some(Level::Severity(severity)) => {
                findings.extend((rule.run)(facts).into_iter().map(|finding| Finding { severity, ..finding }));
            }
            None => findings.extend((rule.run)(facts)),
        }
    }
    let not_evaluated = not_evaluated::list(facts, scope);
    exemptions::apply(facts, scope, ReportInput { findings, exempted: Vec::new(), not_evaluated })
}
