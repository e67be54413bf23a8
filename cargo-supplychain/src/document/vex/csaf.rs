//! CSAF 2.0, profile VEX (OASIS Standard, section 4.5): a product tree of the released packages and their components, each component related
//! to the package that it is in; the vulnerabilities with the state of those relations.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Component, Statements, Vulnerability};
use crate::base::Timestamp;
use crate::base::text::plain;
use crate::config::{Publisher, VexDecision};
use crate::document::{Document, TOOL_VERSION};
use crate::finding::{Response, Status};

/// A product and a component in it: package URLs.
type Pair<'a> = (&'a str, &'a str);

/// A document under the file name that the standard wants (section 5.1).
#[must_use]
pub fn document(statements: &Statements<'_>, publisher: &Publisher) -> Document {
    let released = statements.released;
    let id = format!("{}-{}-vex", released.name, released.version);
    let tree = Tree::of(statements);
    let value = json!({
        "document": {
            "category": "csaf_vex",
            "csaf_version": "2.0",
            "publisher": self::publisher(publisher),
            "title": plain(&format!("Vulnerabilities in {} {}", released.name, released.version)),
            "tracking": tracking(&id, &statements.days()),
        },
        "product_tree": tree.value(statements, publisher),
        "vulnerabilities": statements.vulnerabilities.iter().map(|one| vulnerability(one, &tree)).collect::<Vec<_>>(),
    });
    Document::json(file_name(&id), "application/json", &value)
}

/// Section 5.1: lower case, everything but letters, digits, `+` and `-` as one underscore.
pub(in crate::document) fn file_name(id: &str) -> String {
    let mut name = String::new();
    for one in id.to_lowercase().chars() {
        match one {
            'a'..='z' | '0'..='9' | '+' | '-' => name.push(one),
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    name + ".json"
}

pub(in crate::document) fn publisher(publisher: &Publisher) -> Value {
    let mut value = json!({
        "category": publisher.category.as_str(),
        "name": plain(&publisher.name),
        "namespace": publisher.namespace,
    });
    if let Some(contact) = &publisher.contact {
        value["contact_details"] = json!(plain(contact));
    }
    value
}

/// Every day on which something was decided is a revision.
fn tracking(id: &str, days: &BTreeSet<Timestamp>) -> Value {
    let revision = |(number, day): (usize, &Timestamp)| {
        let summary = if number == 1 { "First decisions.".to_owned() } else { format!("Decisions of {}.", day.date()) };
        json!({ "date": day, "number": number.to_string(), "summary": summary })
    };
    json!({
        "current_release_date": days.last(),
        "generator": { "engine": { "name": "cargo-supplychain", "version": TOOL_VERSION } },
        "id": plain(id),
        "initial_release_date": days.first(),
        "revision_history": (1..).zip(days).map(revision).collect::<Vec<_>>(),
        "status": "final",
        "version": days.len().to_string(),
    })
}

/// Which product id stands for what.
struct Tree<'a> {
    products: BTreeMap<&'a str, String>,
    components: BTreeMap<&'a Component, String>,
    pairs: BTreeMap<Pair<'a>, String>,
}

impl<'a> Tree<'a> {
    fn of(statements: &Statements<'a>) -> Self {
        let about = || statements.vulnerabilities.iter().flat_map(|one| &one.statements).flat_map(|said| &said.about);
        let products: BTreeSet<&str> = about().map(|(product, _)| *product).collect();
        let components: BTreeSet<&Component> = about().flat_map(|(_, components)| components).copied().collect();
        let pairs: BTreeSet<Pair<'_>> =
            about().flat_map(|(product, components)| components.iter().map(|one| (*product, one.purl.as_str()))).collect();
        let mut numbers = (1..).map(|number: u32| format!("CSAFPID-{number:04}"));
        let mut number = || numbers.next().unwrap_or_default();
        Self {
            products: products.into_iter().map(|one| (one, number())).collect(),
            components: components.into_iter().map(|one| (one, number())).collect(),
            pairs: pairs.into_iter().map(|one| (one, number())).collect(),
        }
    }

    fn value(&self, statements: &Statements<'_>, publisher: &Publisher) -> Value {
        let mut of_publisher = Vec::new();
        for (purl, id) in &self.products {
            let Some(product) = statements.released.products.get(*purl) else { continue };
            let mut helper = json!({ "purl": purl });
            if !product.files.is_empty() {
                let file = |(name, digest): (&String, &crate::base::Sha256)| {
                    json!({
                        "file_hashes": [{ "algorithm": "sha256", "value": digest.to_string() }],
                        "filename": plain(name),
                    })
                };
                helper["hashes"] = product.files.iter().map(file).collect();
            }
            of_publisher.push(version(&product.name, Some(&product.version), id, &helper));
        }
        let mut branches = vec![json!({ "category": "vendor", "name": plain(&publisher.name), "branches": of_publisher })];
        for (name, is_crate) in [("crates of others", true), ("libraries of others", false)] {
            let of_kind = self.components.iter().filter(|(one, _)| one.is_crate == is_crate);
            let of_kind: Vec<_> =
                of_kind.map(|(one, id)| version(&one.name, one.version.as_deref(), id, &json!({ "purl": one.purl }))).collect();
            if !of_kind.is_empty() {
                branches.push(json!({ "category": "vendor", "name": name, "branches": of_kind }));
            }
        }
        json!({ "branches": branches, "relationships": self.relationships(statements) })
    }

    fn relationships(&self, statements: &Statements<'_>) -> Vec<Value> {
        let by_purl: BTreeMap<&str, (&Component, &String)> =
            self.components.iter().map(|(one, id)| (one.purl.as_str(), (*one, id))).collect();
        let one = |((product, component), id): (&Pair<'_>, &String)| {
            let (component, reference) = by_purl.get(component)?;
            let of = statements.released.products.get(*product)?;
            let name = format!("{} in {} {}", full_name(component), of.name, of.version);
            Some(json!({
                "category": "default_component_of",
                "full_product_name": { "name": plain(&name), "product_id": id },
                "product_reference": reference,
                "relates_to_product_reference": self.products.get(product)?,
            }))
        };
        self.pairs.iter().filter_map(one).collect()
    }
}

fn full_name(component: &Component) -> String {
    format!("{} {}", component.name, component.version.as_deref().unwrap_or("of an unknown version"))
}

/// A product name with its one version below it.
fn version(name: &str, version: Option<&str>, id: &str, helper: &Value) -> Value {
    let version = version.unwrap_or("unknown");
    json!({
        "category": "product_name",
        "name": plain(name),
        "branches": [{
            "category": "product_version",
            "name": plain(version),
            "product": {
                "name": plain(&format!("{name} {version}")),
                "product_id": id,
                "product_identification_helper": helper,
            },
        }],
    })
}

fn vulnerability(one: &Vulnerability<'_>, tree: &Tree<'_>) -> Value {
    let (mut notes, mut flags, mut threats, mut remediations) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut states: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for said in &one.statements {
        let decision = said.decision;
        let pairs =
            said.about.iter().flat_map(|(product, components)| components.iter().map(|one| (*product, one.purl.as_str())));
        let ids: Vec<&str> = pairs.filter_map(|pair| tree.pairs.get(&pair)).map(String::as_str).collect();
        states.entry(state(decision.status)).or_default().extend(&ids);
        notes.push(json!({ "category": "details", "text": plain(&decision.reason), "title": title(decision) }));
        if let Some(label) = decision.justification {
            flags.push(json!({ "date": decision.date, "label": label.as_str(), "product_ids": ids }));
        }
        if decision.status == Status::NotAffected {
            threats.push(
                json!({ "category": "impact", "date": decision.date, "details": plain(&decision.reason), "product_ids": ids }),
            );
        }
        if let Some(action) = &decision.action {
            let remedy = |category: &str| json!({ "category": category, "date": decision.date, "details": plain(action), "product_ids": ids });
            remediations.extend(categories(&decision.responses).into_iter().map(remedy));
        }
    }
    let mut value = json!({});
    let (cve, others): (Vec<&str>, Vec<&str>) =
        std::iter::once(one.id).chain(one.aliases.iter().copied()).partition(|id| *id == one.id && is_cve(id));
    if let Some(cve) = cve.first() {
        value["cve"] = json!(cve);
    }
    if !flags.is_empty() {
        value["flags"] = json!(flags);
    }
    if !others.is_empty() {
        value["ids"] = others.iter().map(|id| json!({ "system_name": system(id), "text": plain(id) })).collect();
    }
    value["notes"] = json!(notes);
    value["product_status"] = json!(states);
    for (key, list) in [("remediations", remediations), ("threats", threats)] {
        if !list.is_empty() {
            value[key] = json!(list);
        }
    }
    value
}

fn title(decision: &VexDecision) -> String {
    format!("Decision of {}: {}", decision.date.date(), decision.status)
}

/// `CVE-YYYY-NNNN…`, which alone may stand in the field of that name.
pub(in crate::document) fn is_cve(id: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<_> = id.split('-').collect();
    matches!(parts[..], ["CVE", year, number] if year.len() == 4 && number.len() >= 4 && digits(year) && digits(number))
}

pub(in crate::document) fn system(id: &str) -> &'static str {
    match id.split('-').next() {
        Some("CVE") => "CVE",
        Some("GHSA") => "GitHub Security Advisory",
        Some("RUSTSEC") => "RustSec Advisory Database",
        Some(first) if first.starts_with("JVN") => "JVN",
        _ => "unknown",
    }
}

fn state(status: Status) -> &'static str {
    match status {
        Status::NotAffected => "known_not_affected",
        Status::Affected => "known_affected",
        Status::Fixed => "fixed",
        Status::UnderInvestigation => "under_investigation",
    }
}

/// Of no response it is only known that users are told to do something.
fn categories(responses: &[Response]) -> BTreeSet<&'static str> {
    let of = |response: &Response| match response {
        Response::CanNotFix => "none_available",
        Response::WillNotFix => "no_fix_planned",
        Response::Update => "vendor_fix",
        Response::Rollback => "mitigation",
        Response::WorkaroundAvailable => "workaround",
    };
    if responses.is_empty() { BTreeSet::from(["mitigation"]) } else { responses.iter().map(of).collect() }
}
