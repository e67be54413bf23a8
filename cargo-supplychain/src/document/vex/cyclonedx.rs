//! CycloneDX 1.6 as a VEX document: the vulnerabilities with their analysis, and as many components as these refer to. The newest version
//! that most readers of such documents know; 1.7 says nothing else here.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Component, Statement, Statements, Vulnerability};
use crate::base::text::plain;
use crate::document::{Document, TOOL_VERSION, identity};
use crate::finding::{Justification, Status};

/// `reports/vex.cdx.json`.
#[must_use]
pub fn document(statements: &Statements<'_>) -> Document {
    let days = statements.days();
    let all = || statements.vulnerabilities.iter().flat_map(|one| one.statements.iter().map(move |said| (one, said)));
    let components: BTreeSet<&Component> = all().flat_map(|(_, said)| said.about.values().flatten().copied()).collect();
    let released = statements.released;
    let mut content = json!({
        "metadata": {
            "timestamp": days.last(),
            "tools": { "components": [{ "type": "application", "name": "cargo-supplychain", "version": TOOL_VERSION }] },
            "authors": [{ "name": plain(&statements.author()) }],
            "component": {
                "type": "application",
                "bom-ref": "release",
                "name": plain(&released.name),
                "version": plain(&released.version),
                "components": products(statements),
            },
        },
        "components": components.into_iter().map(component).collect::<Vec<_>>(),
        "vulnerabilities": all().map(|(one, said)| vulnerability(one, said)).collect::<Vec<_>>(),
    });
    let mut value = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", statements.identity("cyclonedx")),
        "version": days.len(),
    });
    if let (Some(value), Some(content)) = (value.as_object_mut(), content.as_object_mut()) {
        value.append(content);
    }
    Document::json("reports/vex.cdx.json", "application/vnd.cyclonedx+json", &value)
}

fn products(statements: &Statements<'_>) -> Vec<Value> {
    let one = |(purl, product): (&String, &super::Product)| {
        let files = product.files.iter().map(|(name, digest)| {
            json!({
                "type": "file",
                "bom-ref": format!("file:{digest}"),
                "name": plain(name),
                "hashes": [{ "alg": "SHA-256", "content": digest.to_string() }],
            })
        });
        let mut value = json!({
            "type": "application",
            "bom-ref": format!("product:{purl}"),
            "name": plain(&product.name),
            "version": plain(&product.version),
            "purl": purl,
        });
        let files: Vec<_> = files.collect();
        if !files.is_empty() {
            value["components"] = json!(files);
        }
        value
    };
    statements.released.products.iter().map(one).collect()
}

fn component(component: &Component) -> Value {
    let mut value =
        json!({ "type": "library", "bom-ref": component.purl, "name": plain(&component.name), "purl": component.purl });
    if let Some(version) = &component.version {
        value["version"] = json!(plain(version));
    }
    value
}

fn vulnerability(vulnerability: &Vulnerability<'_>, said: &Statement<'_>) -> Value {
    let decision = said.decision;
    let mut analysis = json!({ "state": state(decision.status) });
    if let Some(word) = decision.justification.and_then(justification) {
        analysis["justification"] = json!(word);
    }
    if !decision.responses.is_empty() {
        analysis["response"] = decision.responses.iter().map(|one| one.as_str()).collect();
    }
    // The word that CycloneDX has none for is not lost.
    let lost = decision.justification.filter(|one| justification(*one).is_none()).map(|one| format!("{one}: "));
    analysis["detail"] = json!(format!("{}{}", lost.unwrap_or_default(), plain(&decision.reason)));
    analysis["firstIssued"] = json!(decision.date);
    analysis["lastUpdated"] = json!(decision.date);
    let affected: BTreeSet<_> = said.about.values().flatten().map(|component| component.purl.as_str()).collect();
    let mut value = json!({
        "bom-ref": format!("vulnerability:{}", identity::uuid(decision.block().as_bytes())),
        "id": plain(vulnerability.id),
        "source": source(vulnerability.id),
    });
    if !vulnerability.aliases.is_empty() {
        let one = |id: &&str| json!({ "id": plain(id), "source": source(id) });
        value["references"] = vulnerability.aliases.iter().map(one).collect();
    }
    if let Some(action) = &decision.action {
        value["recommendation"] = json!(plain(action));
    }
    value["analysis"] = analysis;
    value["affects"] = affected.into_iter().map(|purl| json!({ "ref": purl })).collect();
    value
}

/// Who gives ids of this form.
fn source(id: &str) -> Value {
    let name = match id.split('-').next() {
        Some("CVE") => "CVE",
        Some("GHSA") => "GitHub",
        Some("RUSTSEC") => "RustSec",
        _ => "unknown",
    };
    json!({ "name": name })
}

fn state(status: Status) -> &'static str {
    match status {
        Status::NotAffected => "not_affected",
        Status::Affected => "exploitable",
        Status::Fixed => "resolved",
        Status::UnderInvestigation => "in_triage",
    }
}

/// The nearest word that says no more.
fn justification(justification: Justification) -> Option<&'static str> {
    match justification {
        Justification::ComponentNotPresent | Justification::VulnerableCodeNotPresent => Some("code_not_present"),
        Justification::VulnerableCodeNotInExecutePath => Some("code_not_reachable"),
        Justification::InlineMitigationsAlreadyExist => Some("protected_by_mitigating_control"),
        Justification::VulnerableCodeCannotBeControlledByAdversary => None,
    }
}
