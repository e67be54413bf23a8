//! `evidence export`: which practice of a framework is evidenced by which files of a release. The practices are data (`practices.toml`); a
//! practice is never met without a file, and nothing is claimed that the files do not say. No signature is verified here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Document;
use crate::base::Sha256;
use crate::base::text::plain;
use crate::model::release::{ReleaseManifest, Signing};

/// Version of the JSON form; its schema is `cargo-supplychain/schemas/evidence-1.json`.
pub const SCHEMA_VERSION: u32 = 1;

const PRACTICES: &str = include_str!("practices.toml");

/// The words that a practice may ask for, and what they mean.
const FACTS: [(&str, &str); 8] = [
    ("commit", "the source's commit is known"),
    ("clean", "the work tree had no changes"),
    ("toolchain-pinned", "the compiler's version is pinned"),
    ("passed", "the check before the build passed"),
    ("advisories-judged", "advisories were judged by a database of an age that the policy allows"),
    ("vulnerabilities", "the check found vulnerabilities"),
    ("all-decided", "of every vulnerability that was found it is decided what is to be done, or whether it applies"),
    ("signed", "the statements are signed"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Practices {
    practice: Vec<Practice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Practice {
    framework: String,
    id: String,
    title: String,
    #[serde(default)]
    files: Vec<String>,
    #[serde(default)]
    facts: Vec<String>,
    when: Option<String>,
    most: Option<Status>,
    outside: Option<String>,
}

/// How far a practice is evidenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Met,
    Partial,
    NotMet,
    NotApplicable,
    OutsideTool,
}

/// A release as it was read.
#[derive(Debug)]
pub struct Release<'a> {
    pub manifest: &'a ReleaseManifest,
    /// Every file that is there and is what the list says, by path.
    pub files: &'a BTreeMap<String, Sha256>,
    /// `evidence/build.json` and `reports/report.json`, where they are among these.
    pub build: Option<&'a Value>,
    pub report: Option<&'a Value>,
}

impl Release<'_> {
    /// The facts that hold.
    fn facts(&self) -> BTreeSet<&'static str> {
        let source = self.build.map(|build| &build["source"]);
        let findings = || self.report.and_then(|report| report["findings"].as_array()).into_iter().flatten();
        let not_made = || self.report.and_then(|report| report["not_evaluated"].as_array()).into_iter().flatten();
        let is = |finding: &Value, id: &str| finding["id"] == id;
        let vulnerabilities = || {
            let exempted = self.report.and_then(|report| report["exempted"].as_array()).into_iter().flatten();
            findings().chain(exempted).filter(|one| is_vulnerability(one))
        };
        let is_decided = |one: &Value| {
            one["triage"]["outcomes"].as_array().is_some_and(|outcomes| outcomes.len() == 1)
                || one["decisions"].as_array().is_some_and(|decisions| !decisions.is_empty())
                || one.get("reason").is_some()
        };
        let holds = |fact: &str| match fact {
            "commit" => source.is_some_and(|source| source["commit"].is_string()),
            "clean" => source.is_some_and(|source| source["dirty"] == false),
            "toolchain-pinned" => self.report.is_some() && !findings().any(|one| is(one, "toolchain/unpinned")),
            "passed" => self.report.is_some_and(|report| report["verdict"] == "pass"),
            "advisories-judged" => {
                self.report.is_some() && !not_made().any(|check| check["area"] == "advisories" && check["required"] == true)
            }
            "vulnerabilities" => vulnerabilities().next().is_some(),
            "all-decided" => self.report.is_some() && vulnerabilities().all(is_decided),
            "signed" => self.manifest.signing == Signing::Signed,
            _ => false,
        };
        FACTS.iter().map(|(fact, _)| *fact).filter(|fact| holds(fact)).collect()
    }
}

/// Those of the rules about vulnerabilities that are of what is built.
fn is_vulnerability(finding: &Value) -> bool {
    let rules = ["advisory/vulnerability", "advisory/native-vulnerability", "advisory/known-exploited", "advisory/malicious"];
    rules.iter().any(|rule| finding["id"] == *rule) && finding["severity"] != "info"
}

/// The frameworks, each once, in the order of the data.
///
/// # Panics
/// Never: a test reads the data.
#[must_use]
pub fn frameworks() -> Vec<String> {
    let mut names: Vec<String> = practices().into_iter().map(|practice| practice.framework).collect();
    names.dedup();
    names
}

fn practices() -> Vec<Practice> {
    toml::from_str::<Practices>(PRACTICES).expect("the data is read in a test").practice
}

/// `evidence.json`: every practice, or those of the frameworks whose name contains `framework`.
#[must_use]
pub fn document(release: &Release<'_>, framework: Option<&str>) -> Document {
    let facts = release.facts();
    let is_asked =
        |practice: &&Practice| framework.is_none_or(|asked| practice.framework.to_lowercase().contains(&asked.to_lowercase()));
    let practices: Vec<_> = practices().iter().filter(is_asked).map(|one| evidenced(one, release, &facts)).collect();
    let manifest = release.manifest;
    let value = json!({
        "schema_version": SCHEMA_VERSION,
        "release": { "name": plain(&manifest.name), "version": plain(&manifest.version), "target": plain(&manifest.target) },
        "signatures_verified": false,
        "practices": practices,
    });
    Document::json("evidence.json", "application/json", &value)
}

fn evidenced(practice: &Practice, release: &Release<'_>, facts: &BTreeSet<&str>) -> Value {
    let mut artefacts: BTreeMap<&str, Sha256> = BTreeMap::new();
    let mut missing = Vec::new();
    for pattern in &practice.files {
        let matching: Vec<_> = release.files.iter().filter(|(path, _)| matches(pattern, path)).collect();
        if matching.is_empty() {
            missing.push(pattern.as_str());
        }
        artefacts.extend(matching.into_iter().map(|(path, digest)| (path.as_str(), *digest)));
    }
    let failing: Vec<_> = practice.facts.iter().filter(|fact| !facts.contains(fact.as_str())).collect();
    let applies = practice.when.as_ref().is_none_or(|fact| facts.contains(fact.as_str()));
    let status = match practice.most {
        None => Status::OutsideTool,
        Some(_) if !applies && release.report.is_some() => Status::NotApplicable,
        _ if missing.len() == practice.files.len() || missing.contains(&"sbom/*") => Status::NotMet,
        Some(_) if !missing.is_empty() || !failing.is_empty() => Status::Partial,
        Some(most) => most,
    };
    let mut notes: Vec<String> = Vec::new();
    if status != Status::NotApplicable {
        notes.extend(missing.iter().map(|pattern| format!("no {pattern}")));
        notes.extend(failing.iter().map(|fact| format!("not so: {}", meaning(fact))));
        notes.extend(practice.outside.iter().map(|outside| format!("outside: {outside}")));
    }
    if matches!(status, Status::OutsideTool | Status::NotApplicable | Status::NotMet) {
        artefacts.clear();
    }
    let artefacts: Vec<_> =
        artefacts.into_iter().map(|(path, sha256)| json!({ "path": plain(path), "sha256": sha256 })).collect();
    json!({
        "framework": practice.framework,
        "id": practice.id,
        "title": practice.title,
        "status": status,
        "artefacts": artefacts,
        "note": notes.join("; "),
    })
}

fn meaning(fact: &str) -> &str {
    FACTS.iter().find(|(word, _)| *word == fact).map_or(fact, |(_, meaning)| meaning)
}

/// `*` stands for any text without `/`.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, after)) => path
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|text| !text.is_empty() && !text.contains('/')),
    }
}

#[cfg(test)]
mod tests;
