//! `vex list`: the decisions of the policy, for people and as data (`cargo-supplychain/schemas/vex-1.json`).

use serde_json::json;

use crate::base::Timestamp;
use crate::base::text::{one_line, plain};
use crate::config::VexDecision;
use crate::document::Document;
use crate::finding::Justification;

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
