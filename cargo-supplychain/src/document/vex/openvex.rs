//! OpenVEX 0.2.0 (<https://github.com/openvex/spec>): one statement a decision; products with the digests of their files, components as
//! subcomponents.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Component, Product, Statement, Statements, Vulnerability};
use crate::base::text::plain;
use crate::document::{Document, TOOL_VERSION};
use crate::finding::Status;

/// `reports/vex.openvex.json`.
#[must_use]
pub fn document(statements: &Statements<'_>) -> Document {
    let days = statements.days();
    let all = statements.vulnerabilities.iter();
    let all = all.flat_map(|one| one.statements.iter().map(move |said| (one, said)));
    let value = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": format!("urn:uuid:{}", statements.identity("openvex")),
        "author": plain(&statements.author()),
        "timestamp": days.first(),
        "last_updated": days.last(),
        "version": days.len(),
        "tooling": format!("cargo-supplychain {TOOL_VERSION}"),
        "statements": all.map(|(one, said)| statement(statements, one, said)).collect::<Vec<_>>(),
    });
    Document::json("reports/vex.openvex.json", "application/json", &value)
}

fn statement(statements: &Statements<'_>, vulnerability: &Vulnerability<'_>, said: &Statement<'_>) -> Value {
    let decision = said.decision;
    let mut name = json!({ "name": plain(vulnerability.id) });
    if !vulnerability.aliases.is_empty() {
        name["aliases"] = vulnerability.aliases.iter().map(|id| plain(id)).collect();
    }
    let mut products = Vec::new();
    for (purl, components) in &said.about {
        let subcomponents: Vec<_> = components.iter().map(|component| named(component)).collect();
        products.extend(statements.released.products.get(*purl).into_iter().flat_map(|one| files(purl, one, &subcomponents)));
    }
    let mut value = json!({ "vulnerability": name, "timestamp": decision.date, "products": products, "status": decision.status });
    if let Some(justification) = decision.justification {
        value["justification"] = json!(justification.as_str());
    }
    // The schema wants one of the two, justification or impact statement, and not both.
    let is_impact = decision.status == Status::NotAffected && decision.justification.is_none();
    let reason = if is_impact { "impact_statement" } else { "status_notes" };
    value[reason] = json!(plain(&decision.reason));
    if let Some(action) = &decision.action {
        value["action_statement"] = json!(plain(action));
    }
    value
}

fn named(component: &Component) -> Value {
    json!({ "@id": component.purl, "identifiers": { "purl": component.purl } })
}

/// A product is one for each of its files: it has room for one digest. Before a build it is one without.
fn files(purl: &str, product: &Product, subcomponents: &[Value]) -> Vec<Value> {
    let one = json!({ "@id": purl, "identifiers": { "purl": purl }, "subcomponents": subcomponents });
    if product.files.is_empty() {
        return vec![one];
    }
    let with = |digest: &crate::base::Sha256| {
        let mut one = one.clone();
        one["hashes"] = json!({ "sha-256": digest.to_string() });
        one
    };
    product.files.values().collect::<BTreeSet<_>>().into_iter().map(with).collect()
}
