//! What somebody has decided about a vulnerability (VEX): `[[vex]]` of the policy. A decision stands with the finding that it is about; one
//! that says that nothing is to be done (`not_affected`, `fixed`) exempts it, as an exemption does. An expired one does neither.

use super::natives::{Native, natives};
use super::{Advisories, Facts, Level, Scope, level_of, leveled, rules};
use crate::config::VexDecision;
use crate::finding::{Area, Decision, Exempted, Finding, ReportInput, Status};

pub(super) fn apply(facts: &Facts<'_>, scope: &Scope, input: ReportInput) -> ReportInput {
    let own = &facts.settings.vex;
    if own.is_empty() {
        return input;
    }
    let natives = natives(facts);
    let mut used = vec![false; own.len()];
    let mut output = ReportInput { findings: Vec::new(), ..input };
    for mut finding in input.findings {
        let mut applying: Vec<&VexDecision> = Vec::new();
        for (decision, used) in own.iter().zip(&mut used) {
            if is_about(decision, &finding, &natives) {
                *used = true;
                applying.extend(decision.is_in_force(facts.now).then_some(decision));
            }
        }
        // The newest counts; of one day the one that exempts nothing.
        applying.sort_by_key(|decision| (std::cmp::Reverse(decision.date), decision.status.exempts()));
        for decision in &applying {
            let decision = decision.decision();
            finding.evidence.push(decision.line());
            finding.decisions.push(decision);
        }
        match finding.decisions.first().and_then(exemption) {
            Some((reason, expires)) => output.exempted.push(Exempted { finding, reason, expires }),
            None => output.findings.push(finding),
        }
    }
    output.findings.extend(unused(facts, scope, &used));
    output
}

/// Reason and end, where the decision exempts.
fn exemption(decision: &Decision) -> Option<(String, Option<crate::base::Timestamp>)> {
    decision.status.exempts().then(|| (decision.line(), decision.expires))
}

/// By an id of the advisory, and by the crate or by a library that the crate brings along.
fn is_about(decision: &VexDecision, finding: &Finding, natives: &[Native<'_>]) -> bool {
    let Some(subject) = &finding.subject else { return false };
    if !decision.ids().any(|id| finding.ids.iter().any(|known| known == id)) {
        return false;
    }
    let is_of_crate =
        |native: &&Native<'_>| native.package.name == subject.name && native.package.version.to_string() == subject.version;
    decision.component.is_crate(&subject.name, &subject.version)
        || natives
            .iter()
            .filter(is_of_crate)
            .any(|native| decision.component.is_library(native.part.name, native.version.known()))
}

fn unused(facts: &Facts<'_>, scope: &Scope, used: &[bool]) -> Vec<Finding> {
    let rule = &rules::policy_vex_unused::RULE;
    let is_judged = scope.includes(Area::Advisories) && matches!(facts.advisories, Advisories::Loaded { .. });
    if level_of(facts, rule) == Some(Level::Off) || !is_judged {
        return Vec::new();
    }
    let own = facts.settings.vex.iter().zip(used).filter(|(decision, used)| !**used && could_be_used(facts, decision));
    own.map(|(decision, _)| leveled(facts, rule, rules::policy_vex_unused::finding(decision))).collect()
}

/// What is fixed is no finding any more: such a statement has its use as long as its component is locked. Expired decisions, and those whose
/// id names nothing, have findings of their own.
fn could_be_used(facts: &Facts<'_>, decision: &VexDecision) -> bool {
    let is_locked = || {
        let locked = facts.lock.lockfile().map_or(&[][..], |lockfile| &lockfile.packages);
        locked.iter().any(|package| decision.component.is_crate(&package.name, &package.version.to_string()))
            || natives(facts).iter().any(|native| decision.component.is_library(native.part.name, native.version.known()))
    };
    decision.is_in_force(facts.now)
        && super::exemptions::names(&decision.id) == super::exemptions::Names::Advisory
        && !(decision.status == Status::Fixed && is_locked())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Kind;
    use crate::check::case::{Case, advisory, lock_with_lib};
    use crate::check::check;

    fn entry(component: &str, id: &str, rest: &str) -> String {
        format!(
            "[[vex]]\nid = \"{id}\"\n{component}\nreason = \"r\"\nauthor = \"a\"\ndate = 2026-11-01\nexpires = 2027-01-01\n{rest}\n"
        )
    }

    fn shown(policy: &str, version: &str) -> Vec<String> {
        let case = Case::new().lock(&lock_with_lib(version)).advisory(advisory(Kind::Vulnerability)).policy(policy);
        let input = case.with(|facts| check(facts, &Scope::default()));
        let found = input.findings.iter().filter(|finding| finding.id != "toolchain/unpinned");
        let found = found.map(|finding| format!("{} {}", finding.id, finding.decisions.len()));
        found.chain(input.exempted.iter().map(|one| format!("exempted {}: {}", one.finding.id, one.reason))).collect()
    }

    #[test]
    fn two_of_the_statuses_exempt_and_two_only_say_where_things_stand() {
        const ID: &str = "RUSTSEC-2026-0001";
        let lib = "package = \"lib\"\nversion = \"^1\"";
        for (component, id, rest, version, expected) in [
            (
                lib,
                ID,
                "status = \"not_affected\"",
                "1.0.0",
                &["exempted advisory/vulnerability: VEX: not_affected, by a on 2026-11-01, supplychain.toml:1: r"][..],
            ),
            (
                lib,
                "CVE-2026-1000",
                "status = \"fixed\"",
                "1.0.0",
                &["exempted advisory/vulnerability: VEX: fixed, by a on 2026-11-01, supplychain.toml:1: r"],
            ),
            (
                lib,
                "GHSA-x",
                "aliases = [\"CVE-2026-1000\"]\nstatus = \"fixed\"",
                "1.0.0",
                &["exempted advisory/vulnerability: VEX: fixed, by a on 2026-11-01, supplychain.toml:1: r"],
            ),
            (
                "purl = \"pkg:cargo/lib@1.0.0\"",
                ID,
                "status = \"fixed\"",
                "1.0.0",
                &["exempted advisory/vulnerability: VEX: fixed, by a on 2026-11-01, supplychain.toml:1: r"],
            ),
            (lib, ID, "status = \"under_investigation\"", "1.0.0", &["advisory/vulnerability 1"]),
            (lib, ID, "status = \"affected\"\naction = \"wait\"", "1.0.0", &["advisory/vulnerability 1"]),
            // Another component, another vulnerability.
            (
                "package = \"lib\"\nversion = \"^2\"",
                ID,
                "status = \"fixed\"",
                "1.0.0",
                &["advisory/vulnerability 0", "policy/vex-unused 0"],
            ),
            (
                "purl = \"pkg:generic/lib\"",
                ID,
                "status = \"not_affected\"",
                "1.0.0",
                &["advisory/vulnerability 0", "policy/vex-unused 0"],
            ),
            (lib, "CVE-2026-1001", "status = \"not_affected\"", "1.0.0", &["advisory/vulnerability 0", "policy/vex-unused 0"]),
            // What is fixed is locked, and no finding.
            (lib, ID, "status = \"fixed\"", "1.2.0", &[]),
            (lib, ID, "status = \"not_affected\"", "1.2.0", &["policy/vex-unused 0"]),
        ] {
            assert_eq!(shown(&entry(component, id, rest), version), expected, "{component} {id} {rest} {version}");
        }
    }

    #[test]
    fn the_newest_decision_counts_and_an_expired_one_does_not() {
        let entry = |status: &str, date: &str, expires: &str| {
            format!(
                "[[vex]]\nid = \"CVE-2026-1000\"\npackage = \"lib\"\nstatus = \"{status}\"\nreason = \"r\"\nauthor = \"a\"\ndate = {date}\nexpires = {expires}\n"
            )
        };
        let (safe, open) =
            (entry("not_affected", "2026-11-01", "2027-01-01"), entry("under_investigation", "2026-11-02", "2027-01-01"));
        assert_eq!(shown(&(safe.clone() + &open), "1.0.0"), ["advisory/vulnerability 2"]);
        let newer = entry("not_affected", "2026-11-03", "2027-01-01");
        assert_eq!(shown(&(open.clone() + &newer), "1.0.0").len(), 1);
        assert!(shown(&(open + &newer), "1.0.0")[0].starts_with("exempted"));
        let same_day = safe + &entry("under_investigation", "2026-11-01", "2027-01-01");
        assert_eq!(shown(&same_day, "1.0.0"), ["advisory/vulnerability 2"]);
        // The case is of 2026-11-23.
        assert_eq!(
            shown(&entry("not_affected", "2026-11-01", "2026-11-23"), "1.0.0"),
            ["advisory/vulnerability 0", "policy/vex-expired 0"]
        );
    }
}
