//! Layer 2: judgement. [`check`] runs every rule of [`rules::ALL`] over the [`Facts`], applies levels, audits of others, decisions (VEX) and
//! exemptions and lists what could not be evaluated. Pure: no IO, no clock; what it does not find in the facts it does not know.

mod advised;
pub mod archived;
mod arrival;
mod audits;
mod cargo_setting;
#[cfg(test)]
mod case;
mod decisions;
mod denied;
mod deviations;
mod exemptions;
mod facts;
mod fix_path;
mod gained;
mod kin;
mod licensed;
mod listed;
mod names;
mod natives;
mod not_evaluated;
mod owners;
mod pattern;
mod publishers;
mod reach;
mod release_walk;
mod removed;
mod repository;
pub mod rules;
mod satisfied;
mod takeover;
mod way_in;
mod workflow;

use crate::config::{Level, RuleOption};
use crate::finding::{Area, Finding, ReportInput, Severity};

pub use cargo_setting::allowed_wrappers;
pub use facts::{
    Advisories, Facts, Feed, LibraryVersion, LockState, NativeVersions, OwnFile, ReusedTarget, Sources, ToolchainFile,
};
pub use fix_path::crates_for_fix_paths;
pub use release_walk::{further_crates, young_crates};
pub use rules::source_package_differs_from_repo::is_to_be_compared;
pub use rules::workflow_imposter_commit::pinned_commits;
pub use rules::workflow_known_exploited_action::exploited_elsewhere;

/// A rule: static data and a function. One file a rule, listed in [`rules::ALL`].
pub struct Rule {
    /// `area/word`, a contract that never changes its meaning.
    pub id: &'static str,
    /// Its default severity; findings may carry another where the catalogue says so.
    pub severity: Severity,
    pub area: Area,
    /// One sentence: when it fires.
    pub summary: &'static str,
    /// Markdown for `explain`: what it is about, the incident behind it, an example that fires, what to do.
    pub docs: &'static str,
    /// What `[rules]` can set for it besides its level.
    pub options: &'static [RuleOption],
    pub run: fn(&Facts<'_>) -> Vec<Finding>,
}

/// Which areas are judged and which are required.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// `--only`; empty: all. `policy` and `sandbox` are always judged.
    pub only: Vec<Area>,
    /// `--require` and `[rules] require`: best-effort checks of these areas become required.
    pub require: Vec<Area>,
}

impl Scope {
    /// Whether the area is judged.
    #[must_use]
    pub fn includes(&self, area: Area) -> bool {
        matches!(area, Area::Policy | Area::Sandbox) || self.only.is_empty() || self.only.contains(&area)
    }
}

/// Judges the facts.
#[must_use]
pub fn check(facts: &Facts<'_>, scope: &Scope) -> ReportInput {
    let mut findings = Vec::new();
    for rule in rules::ALL.iter().filter(|rule| scope.includes(rule.area)) {
        if level_of(facts, rule) != Some(Level::Off) {
            findings.extend((rule.run)(facts).into_iter().map(|finding| leveled(facts, rule, finding)));
        }
    }
    let findings = audits::apply(facts, scope, findings);
    let not_evaluated = not_evaluated::list(facts, scope);
    let judged = ReportInput { findings, exempted: Vec::new(), not_evaluated };
    exemptions::apply(facts, scope, decisions::apply(facts, scope, judged))
}

/// Whether the policy has switched a rule off.
fn is_off(facts: &Facts<'_>, id: &str) -> bool {
    facts.settings.rules.get(id).and_then(|setting| setting.level) == Some(Level::Off)
}

fn level_of(facts: &Facts<'_>, rule: &Rule) -> Option<Level> {
    facts.settings.rules.get(rule.id).and_then(|setting| setting.level)
}

/// The finding with the severity that the policy gives its rule. What the rule itself rates down because of where it is (a setting
/// of the user's own machine, a package that is not in this build) is not rated up by that.
fn leveled(facts: &Facts<'_>, rule: &Rule, finding: Finding) -> Finding {
    let Some(Level::Severity(severity)) = level_of(facts, rule) else { return finding };
    let by_score = rule.area == Area::Advisories && finding.severity > Severity::Info;
    let rated_down = finding.severity <= Severity::Low && finding.severity < rule.severity && !by_score;
    Finding { severity: if rated_down { severity.min(finding.severity) } else { severity }, ..finding }
}

#[cfg(test)]
mod tests;
