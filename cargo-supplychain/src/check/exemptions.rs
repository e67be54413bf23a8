//! Exemptions of the policy: a finding that one matches moves to the exempted, with the reason. An expired one no longer counts, so
//! its finding is back; `policy/` findings cannot be exempted, or the policy could silence what is said about itself.

use super::{Advisories, Facts, Level, Scope, level_of, leveled, rules};
use crate::config::Exemption;
use crate::finding::{Area, Exempted, Finding, ReportInput};

/// What an exemption's id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    Rule(Area),
    /// `RUSTSEC-2026-0001`, `CVE-…`, `GHSA-…`: which of them exist is the database's business.
    Advisory,
    Nothing,
}

/// What `id` names, by its form and by the table of rules.
pub(super) fn names(id: &str) -> Names {
    if let Some(rule) = rules::find(id) {
        return Names::Rule(rule.area);
    }
    let is_advisory = ["RUSTSEC-", "CVE-", "GHSA-"].iter().any(|prefix| id.starts_with(prefix) && id.len() > prefix.len());
    if is_advisory { Names::Advisory } else { Names::Nothing }
}

/// Whether it no longer counts.
pub(super) fn is_expired(facts: &Facts<'_>, exemption: &Exemption) -> bool {
    exemption.expires <= facts.now
}

pub(super) fn apply(facts: &Facts<'_>, scope: &Scope, input: ReportInput) -> ReportInput {
    let exemptions = &facts.settings.exemptions;
    let mut used = vec![false; exemptions.len()];
    let mut output = ReportInput { findings: Vec::new(), ..input };
    for finding in input.findings {
        let matching =
            (exemptions.iter().enumerate()).find(|(_, exemption)| !is_expired(facts, exemption) && matches(exemption, &finding));
        match matching {
            Some((index, exemption)) => {
                // Several may match: each of them has its use.
                for (used, other) in used.iter_mut().zip(exemptions) {
                    *used |= matches(other, &finding);
                }
                used[index] = true;
                let (reason, expires) = (exemption.reason.clone(), Some(exemption.expires));
                output.exempted.push(Exempted { finding, reason, expires });
            }
            None => output.findings.push(finding),
        }
    }
    let rule = &rules::policy_exemption_unused::RULE;
    if level_of(facts, rule) != Some(Level::Off) {
        let unused = exemptions.iter().zip(used).filter(|(exemption, used)| !used && could_be_used(facts, scope, exemption));
        let findings = unused.map(|(exemption, _)| rules::policy_exemption_unused::finding(exemption));
        output.findings.extend(findings.map(|finding| leveled(facts, rule, finding)));
    }
    output
}

/// By rule id or advisory id; package and version narrow it.
fn matches(exemption: &Exemption, finding: &Finding) -> bool {
    let by_id = exemption.id == finding.id || finding.ids.contains(&exemption.id);
    let subject = finding.subject.as_ref();
    let by_package = exemption.package.as_ref().is_none_or(|name| subject.is_some_and(|subject| subject.name == *name));
    let by_version = exemption.version.as_ref().is_none_or(|version| subject.is_some_and(|subject| subject.version == *version));
    by_id && by_package && by_version && !finding.id.starts_with("policy/")
}

/// Expired and unknown ones have findings of their own, and what was not judged cannot show that an exemption is useless.
fn could_be_used(facts: &Facts<'_>, scope: &Scope, exemption: &Exemption) -> bool {
    let has_advisories = matches!(facts.advisories, Advisories::Loaded { .. });
    !is_expired(facts, exemption)
        && match names(&exemption.id) {
            Names::Rule(Area::Advisories) | Names::Advisory => scope.includes(Area::Advisories) && has_advisories,
            Names::Rule(Area::Sandbox) => facts.sandbox.is_some(),
            Names::Rule(area) => scope.includes(area),
            Names::Nothing => false,
        }
}
