//! `vex list`: the decisions of the policy, for people and as data (`cargo-supplychain/schemas/vex-1.json`). `vex propose`: what facts of a build
//! suggest to whoever decides.

use serde_json::json;

use crate::base::Timestamp;
use crate::base::text::{one_line, plain};
use crate::config::VexDecision;
use crate::document::Document;
use crate::finding::{Finding, Justification, ReachAnswer};

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// As data.
#[must_use]
pub fn json(decisions: &[VexDecision], now: Timestamp) -> Document {
    let one = |decision: &VexDecision| {
        json!({
            "id": decision.id,
            "aliases": decision.aliases,
            "component": decision.component.to_string(),
            "status": decision.status,
            "justification": decision.justification.map(Justification::as_str),
            "reason": decision.reason,
            "action": decision.action,
            "responses": decision.responses.iter().map(|one| one.as_str()).collect::<Vec<_>>(),
            "author": decision.author,
            "date": decision.date,
            "expires": decision.expires,
            "in_force": decision.is_in_force(now),
            "location": decision.location,
        })
    };
    let decisions: Vec<_> = decisions.iter().map(one).collect();
    let value = json!({ "schema_version": SCHEMA_VERSION, "judged_at": now, "decisions": decisions });
    Document::json("vex.json", "application/json", &value)
}

/// Two lines a decision.
#[must_use]
pub fn human(decisions: &[VexDecision], now: Timestamp) -> String {
    let one = |decision: &VexDecision| {
        let justification = decision.justification.map(|one| format!(" ({one})")).unwrap_or_default();
        let state = if decision.is_in_force(now) { "until" } else { "EXPIRED" };
        let first = format!(
            "{} {}: {}{justification}, {state} {}",
            decision.ids().collect::<Vec<_>>().join(" "),
            decision.component,
            decision.status,
            decision.expires.date()
        );
        let second = format!("  {} on {}: {}", decision.author, decision.date.date(), one_line(&decision.reason));
        format!("{}\n{}\n", plain(&first), plain(&second))
    };
    decisions.iter().map(one).collect()
}

/// What the facts of a build suggest about an advisory that nobody has decided about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    pub id: String,
    pub package: String,
    pub version: String,
    pub title: String,
    pub justification: Justification,
    /// The fact.
    pub why: String,
}

impl Proposal {
    /// None: the facts suggest nothing, or something is decided already.
    #[must_use]
    pub fn of(finding: &Finding) -> Option<Self> {
        let (reach, subject) = (finding.reach.as_ref()?, finding.subject.as_ref()?);
        let justification = match reach.answer {
            ReachAnswer::ResolvedOnly | ReachAnswer::BuildOnly => Justification::ComponentNotPresent,
            ReachAnswer::OtherPlatform | ReachAnswer::FunctionAbsent => Justification::VulnerableCodeNotPresent,
            ReachAnswer::FunctionLinked | ReachAnswer::Unknown => return None,
        };
        finding.decisions.is_empty().then(|| Self {
            id: finding.ids.first().cloned().unwrap_or_default(),
            package: subject.name.clone(),
            version: subject.version.clone(),
            title: finding.message.clone(),
            justification,
            why: format!("{}: {}", reach.answer.words(), reach.why),
        })
    }

    /// The command that decides so.
    #[must_use]
    pub fn command(&self) -> String {
        let quoted = |text: &str| format!("'{}'", one_line(text).replace('\'', "'\\''"));
        format!(
            "cargo supplychain vex add {} --package {} --status not_affected --justification {} --reason {} --author NAME",
            quoted(&self.id),
            quoted(&format!("{}@={}", self.package, self.version)),
            self.justification,
            quoted(&self.why)
        )
    }
}

/// As data: an envelope of the command, version 1.
#[must_use]
pub fn proposals_json(proposals: &[Proposal]) -> Document {
    let one = |proposal: &Proposal| {
        json!({
            "id": proposal.id,
            "package": proposal.package,
            "version": proposal.version,
            "title": proposal.title,
            "status": "not_affected",
            "justification": proposal.justification.as_str(),
            "why": proposal.why,
            "command": proposal.command(),
        })
    };
    let proposals: Vec<_> = proposals.iter().map(one).collect();
    Document::json("proposals.json", "application/json", &json!({ "schema_version": SCHEMA_VERSION, "proposals": proposals }))
}

/// A command a proposal, with the advisory and the fact before it as comments of a shell.
#[must_use]
pub fn proposals_human(proposals: &[Proposal]) -> String {
    let one =
        |proposal: &Proposal| format!("# {}\n# {}\n{}\n", one_line(&proposal.title), one_line(&proposal.why), proposal.command());
    proposals.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Reach, Severity};

    #[test]
    fn facts_propose_and_the_text_of_others_is_quoted() {
        for (answer, justification) in [
            (ReachAnswer::ResolvedOnly, Some("component_not_present")),
            (ReachAnswer::BuildOnly, Some("component_not_present")),
            (ReachAnswer::OtherPlatform, Some("vulnerable_code_not_present")),
            (ReachAnswer::FunctionAbsent, Some("vulnerable_code_not_present")),
            (ReachAnswer::FunctionLinked, None),
            (ReachAnswer::Unknown, None),
        ] {
            let finding = Finding::new("advisory/vulnerability", Severity::High, "a\n$(id)")
                .about("lib", &"1.0.0")
                .known_as(["CVE-1'; id".to_owned()])
                .reaching(Some(Reach::of_crate(answer, "it's so")));
            let proposal = Proposal::of(&finding);
            assert_eq!(proposal.as_ref().map(|one| one.justification.as_str()), justification);
            if let Some(proposal) = proposal.filter(|_| answer == ReachAnswer::BuildOnly) {
                insta::assert_snapshot!(proposals_human(&[proposal]), @r"
                # a $(id)
                # build only: it's so
                cargo supplychain vex add 'CVE-1'\''; id' --package 'lib@=1.0.0' --status not_affected --justification component_not_present --reason 'build only: it'\''s so' --author NAME
                ");
            }
        }
        assert_eq!(Proposal::of(&Finding::new("dep/banned", Severity::High, "m")), None);
    }
}
