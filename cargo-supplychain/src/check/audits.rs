//! Audits of others (`cargo vet`): a change that somebody looked at is no longer judged by how it looks from outside. A pure step after
//! the rules, like the exemptions; the finding stays, rated down, with the name of who vouches for it.

use super::{Facts, Level, Rule, Scope, level_of, leveled, rules};
use crate::base::Location;
use crate::base::text;
use crate::finding::{Finding, Severity};
use crate::model::LockedPackage;
use crate::model::audits::{Audit, Audited, SAFE_TO_DEPLOY};

/// The rules that suspect a release by its circumstances. What is known of it (an advisory, a checksum, a ban) no audit weighs against.
const BY_CIRCUMSTANCES: [&str; 5] = [
    "dep/too-fresh",
    "dep/new-young-dependency",
    "build/new-build-script",
    "build/new-proc-macro",
    "maintainer/takeover-pattern",
];

/// Longer notes are cut: they are a hint, the file has them whole.
const MAX_NOTES: usize = 200;

/// Rates down what is covered, and adds what an audit warns of.
pub(super) fn apply(facts: &Facts<'_>, scope: &Scope, findings: Vec<Finding>) -> Vec<Finding> {
    let mut findings: Vec<_> = findings.into_iter().map(|finding| rated(facts, finding)).collect();
    if let Some(rule) = rules::find("dep/banned").filter(|rule| scope.includes(rule.area))
        && level_of(facts, rule) != Some(Level::Off)
    {
        findings.extend(warned_of(facts, rule).into_iter().map(|finding| leveled(facts, rule, finding)));
    }
    findings
}

fn rated(facts: &Facts<'_>, finding: Finding) -> Finding {
    if !BY_CIRCUMSTANCES.contains(&finding.id) {
        return finding;
    }
    let Some(chain) = covering(facts, &finding) else { return finding };
    let severity = finding.severity.min(Severity::Info);
    chain.into_iter().fold(Finding { severity, ..finding }, |finding, audit| finding.because(evidence(audit)))
}

/// The audits of the package that the finding is about: of just the version, or of the way to it from what was locked before.
fn covering<'a>(facts: &Facts<'a>, finding: &Finding) -> Option<Vec<&'a Audit>> {
    let subject = finding.subject.as_ref()?;
    let is_meant = |package: &&LockedPackage| {
        package.name == subject.name && package.version.to_string() == subject.version && package.is_crates_io()
    };
    let package = facts.lock.lockfile()?.packages.iter().find(is_meant)?;
    let key = package.crate_key()?;
    let before = facts.changes.earlier.iter().filter(|earlier| earlier.name == package.name);
    let trusted: Vec<_> = before
        .filter(|earlier| earlier.source.as_deref().is_some_and(|source| source_is(source, &key.source)))
        .map(|earlier| &earlier.version)
        .collect();
    facts.audits.cover(&package.name, &package.version, &trusted)
}

fn source_is(source: &str, of: &str) -> bool {
    let crates_io = &crate::model::lockfile::CRATES_IO;
    source == of || (crates_io.contains(&source) && crates_io.contains(&of))
}

fn evidence(audit: &Audit) -> String {
    let what = match &audit.what {
        Audited::Delta { from, to } => format!(" from {from} to {to}"),
        Audited::Version(_) | Audited::Violation(_) => String::new(),
    };
    format!("audited{what} by {} as {SAFE_TO_DEPLOY} ({})", who(audit), audit.location)
}

fn who(audit: &Audit) -> String {
    if audit.who.trim().is_empty() { "somebody unnamed".to_owned() } else { text::one_line(&audit.who) }
}

/// A locked version that an audit says is not safe.
fn warned_of(facts: &Facts<'_>, rule: &Rule) -> Vec<Finding> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut findings = Vec::new();
    for package in lockfile.packages.iter().filter(|package| package.is_crates_io()) {
        for audit in facts.audits.violations(&package.name, &package.version) {
            let criteria: Vec<_> = audit.criteria.iter().map(String::as_str).collect();
            let message =
                format!("{} {} is not {}, says {}", package.name, package.version, text::plain(&criteria.join(", ")), who(audit));
            let mut finding = Finding::new(rule.id, rule.severity, message)
                .about(&package.name, &package.version)
                .at(Location::line(&lockfile.path, package.line))
                .at(audit.location.clone());
            if let Some(notes) = &audit.notes {
                let notes = text::one_line(notes);
                let short: String = notes.chars().take(MAX_NOTES).collect();
                let more = if short.len() < notes.len() { "…" } else { "" };
                finding = finding.because(format!("{short}{more}"));
            }
            let help = format!("use a version of {} that the violation does not name, or replace it", package.name);
            findings.push(finding.help(help));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::{Case, lock_with_lib};
    use crate::finding::Area;
    use crate::model::audits::{AuditFiles, parse};

    static BANNED: Rule = Rule {
        id: "dep/banned",
        severity: Severity::High,
        area: Area::Lock,
        summary: "",
        docs: "",
        options: &[],
        run: |_| Vec::new(),
    };

    fn case(audits: &str) -> Case {
        let mut case = Case::new().lock(&lock_with_lib("1.1.0")).before(&lock_with_lib("1.0.0"));
        case.audits = parse("supply-chain", &AuditFiles { audits: Some(audits.into()), ..AuditFiles::default() }).unwrap();
        case
    }

    fn suspicion(id: &'static str) -> Finding {
        Finding::new(id, Severity::Critical, "x").about("lib", &"1.1.0").because("a fact")
    }

    #[test]
    fn a_suspicion_is_rated_down_by_an_audit_of_just_that_version() {
        let exact = "[[audits.lib]]\nwho = \"Alice\\n\"\ncriteria = 'safe-to-deploy'\nversion = '1.1.0'\n";
        let delta = "[[audits.lib]]\ncriteria = 'safe-to-deploy'\ndelta = '1.0.0 -> 1.1.0'\n";
        let other = "[[audits.lib]]\nwho = 'Alice'\ncriteria = 'safe-to-deploy'\nversion = '1.0.9'\n";
        let weak = "[[audits.lib]]\nwho = 'Alice'\ncriteria = 'safe-to-run'\nversion = '1.1.0'\n";
        let from_elsewhere = "[[audits.lib]]\ncriteria = 'safe-to-deploy'\ndelta = '0.9.0 -> 1.1.0'\n";
        for (audits, id, evidence) in [
            (exact, "maintainer/takeover-pattern", Some("audited by Alice as safe-to-deploy (supply-chain/audits.toml:1)")),
            (exact, "build/new-build-script", Some("audited by Alice as safe-to-deploy (supply-chain/audits.toml:1)")),
            (
                delta,
                "dep/too-fresh",
                Some("audited from 1.0.0 to 1.1.0 by somebody unnamed as safe-to-deploy (supply-chain/audits.toml:1)"),
            ),
            // What is known, not suspected, stays; and what nobody looked at.
            (exact, "advisory/vulnerability", None),
            (exact, "lock/checksum-mismatch", None),
            (other, "dep/too-fresh", None),
            (weak, "dep/too-fresh", None),
            (from_elsewhere, "dep/too-fresh", None),
            ("", "dep/too-fresh", None),
        ] {
            let found = case(audits).with(|facts| rated(facts, suspicion(id)));
            let expected = if evidence.is_some() { Severity::Info } else { Severity::Critical };
            assert_eq!(found.severity, expected, "{id} {audits}");
            assert_eq!(found.evidence.get(1).map(String::as_str), evidence, "{id} {audits}");
        }
    }

    #[test]
    fn an_audit_is_of_a_release_of_crates_io() {
        let exact = "[[audits.lib]]\ncriteria = 'safe-to-deploy'\nversion = '1.1.0'\n";
        let git = lock_with_lib("1.1.0").replace("CRATES_IO", "registry+https://registry.example.org/index");
        let found = case(exact).lock(&git).with(|facts| rated(facts, suspicion("dep/too-fresh")));
        assert_eq!(found.severity, Severity::Critical);
    }

    #[test]
    fn what_an_audit_warns_of_is_found() {
        let bad = "[[audits.lib]]\nwho = 'Alice'\ncriteria = 'safe-to-deploy'\nviolation = '^1'\nnotes = \"steals\\n\\u001b[31mkeys\"\n";
        let found = case(bad).with(|facts| warned_of(facts, &BANNED));
        let [finding] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(finding.message, "lib 1.1.0 is not safe-to-deploy, says Alice");
        assert_eq!((finding.severity, finding.id), (Severity::High, "dep/banned"));
        assert_eq!(finding.evidence, ["steals \\u{1b}[31mkeys"]);
        let places: Vec<_> = finding.locations.iter().map(ToString::to_string).collect();
        assert_eq!(places, ["Cargo.lock:3", "supply-chain/audits.toml:1"]);
        let twin = bad.replace("^1", "<1.1");
        assert!(case(&twin).with(|facts| warned_of(facts, &BANNED)).is_empty());
    }
}
