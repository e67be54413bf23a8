//! A draft of the advisory about a report: CSAF 2.0, profile security advisory (section 4.4), status draft. A person completes and publishes it.

use serde_json::{Value, json};

use crate::base::Timestamp;
use crate::base::text::plain;
use crate::config::Publisher;
use crate::config::psirt::{Exploited, Report};
use crate::document::vex::csaf::{file_name, is_cve, publisher, system};
use crate::document::{Document, TOOL_VERSION};

/// The draft, under the file name that the standard wants. `stamp` is when it was written.
#[must_use]
pub fn document(report: &Report, publisher: &Publisher, stamp: Timestamp) -> Document {
    let tree = Tree::of(report);
    let value = json!({
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            // CSAF 2.0 has the name of TLP 1.0 for CLEAR.
            "distribution": { "tlp": { "label": "WHITE" } },
            "publisher": self::publisher(publisher),
            "title": plain(&report.title),
            "tracking": {
                "current_release_date": stamp,
                "generator": { "engine": { "name": "cargo-supplychain", "version": TOOL_VERSION } },
                "id": plain(&report.id),
                "initial_release_date": stamp,
                "revision_history": [{ "date": stamp, "number": "0", "summary": "Draft." }],
                "status": "draft",
                "version": "0",
            },
        },
        "product_tree": tree.value(report, publisher),
        "vulnerabilities": [vulnerability(report, &tree)],
    });
    Document::json(file_name(&report.id), "application/json", &value)
}

/// Versions and their product ids.
struct Tree<'a> {
    affected: Vec<(&'a str, String)>,
    fixed: Vec<(&'a str, String)>,
}

impl<'a> Tree<'a> {
    fn of(report: &'a Report) -> Self {
        let mut numbers = (1..).map(|number: u32| format!("CSAFPID-{number:04}"));
        let mut of = |versions: &'a [String]| -> Vec<(&'a str, String)> {
            versions.iter().map(|version| (version.as_str(), numbers.next().unwrap_or_default())).collect()
        };
        Self { affected: of(&report.releases), fixed: of(&report.fixed) }
    }

    fn value(&self, report: &Report, publisher: &Publisher) -> Value {
        let name = report.component.rsplit('/').next().unwrap_or_default();
        let version = |(version, id): &(&str, String)| {
            json!({
                "category": "product_version",
                "name": plain(version),
                "product": {
                    "name": plain(&format!("{name} {version}")),
                    "product_id": id,
                    "product_identification_helper": { "purl": format!("{}@{}", report.component, escaped(version)) },
                },
            })
        };
        let versions: Vec<_> = self.affected.iter().chain(&self.fixed).map(version).collect();
        json!({ "branches": [{
            "category": "vendor",
            "name": plain(&publisher.name),
            "branches": [{ "category": "product_name", "name": plain(name), "branches": versions }],
        }] })
    }
}

/// A version in a package URL.
fn escaped(version: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    version.bytes().map(one).collect()
}

fn ids(products: &[(&str, String)]) -> Vec<Value> {
    products.iter().map(|(_, id)| json!(id)).collect()
}

fn vulnerability(report: &Report, tree: &Tree<'_>) -> Value {
    let (affected, fixed) = (ids(&tree.affected), ids(&tree.fixed));
    let mut value = json!({});
    let acknowledgments: Vec<_> = report.acknowledgments.iter().filter_map(acknowledgment).collect();
    if !acknowledgments.is_empty() {
        value["acknowledgments"] = json!(acknowledgments);
    }
    let cve = report.aliases.iter().find(|id| is_cve(id));
    if let Some(cve) = cve {
        value["cve"] = json!(cve);
    }
    let known = report.aliases.iter().chain(&report.jvn_id).filter(|id| Some(*id) != cve);
    let mut others: Vec<_> = known.map(|id| json!({ "system_name": system(id), "text": plain(id) })).collect();
    others.push(json!({ "system_name": "publisher", "text": plain(&report.id) }));
    value["ids"] = json!(others);
    let description = report.description.as_ref().unwrap_or(&report.title);
    value["notes"] = json!([{ "category": "description", "text": plain(description), "title": "Description" }]);
    let mut status = json!({ "known_affected": affected });
    if !fixed.is_empty() {
        status["fixed"] = json!(fixed);
    }
    value["product_status"] = status;
    value["remediations"] = json!([remediation(report, &affected)]);
    let exploited = match (report.exploited, &report.exploited_evidence) {
        (Exploited::Yes, Some(evidence)) => format!("Exploited: {evidence}"),
        (Exploited::Yes, None) => "Exploited.".to_owned(),
        (Exploited::No, _) => "No exploitation is known to the publisher.".to_owned(),
        (Exploited::Unknown, _) => "Whether it is exploited is not known.".to_owned(),
    };
    value["threats"] = json!([{ "category": "exploit_status", "details": plain(&exploited), "product_ids": affected }]);
    value
}

fn acknowledgment(one: &crate::config::psirt::Acknowledgment) -> Option<Value> {
    let mut value = json!({});
    if !one.names.is_empty() {
        value["names"] = one.names.iter().map(|name| plain(name)).collect();
    }
    if let Some(organization) = &one.organization {
        value["organization"] = json!(plain(organization));
    }
    value.as_object().is_some_and(|fields| !fields.is_empty()).then_some(value)
}

fn remediation(report: &Report, affected: &[Value]) -> Value {
    let (category, words) = match (report.fixed.as_slice(), &report.action) {
        ([], None) => ("none_available", "There is no fix yet.".to_owned()),
        ([], Some(action)) => ("workaround", action.clone()),
        (fixed, None) => ("vendor_fix", format!("Update to {} or later.", fixed.join(" or "))),
        (_, Some(action)) => ("vendor_fix", action.clone()),
    };
    json!({ "category": category, "details": plain(&words), "product_ids": affected })
}
