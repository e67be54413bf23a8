//! CVE records (CVE JSON 5), with the container of CISA's analysts (`CISA-ADP`): ratings, SSVC decision points, products with versions. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::{File, Parsed, json, not_json};
use crate::advisory::native::{Affected, Range, Until, is_version, names, read_prose};
use crate::advisory::rating::Rating;
use crate::advisory::signals::{Analysis, CveRecord, is_cve};
use crate::base::Timestamp;

/// Whose container has decision points.
const CISA: &str = "134c704f-9b21-4f2e-91b3-4a467353bcc0";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    data_type: String,
    cve_metadata: Metadata,
    containers: Containers,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    cve_id: String,
    state: String,
    date_published: Option<String>,
    date_updated: Option<String>,
}

#[derive(Deserialize)]
struct Containers {
    cna: Container,
    #[serde(default)]
    adp: Vec<Container>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    #[serde(default)]
    title: String,
    provider_metadata: Provider,
    #[serde(default)]
    metrics: Vec<BTreeMap<String, Value>>,
    #[serde(default)]
    affected: Vec<Product>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    org_id: String,
    #[serde(default)]
    short_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    #[serde(default)]
    vendor: String,
    #[serde(default)]
    product: String,
    #[serde(default)]
    versions: Vec<Version>,
    #[serde(default)]
    default_status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    version: String,
    status: String,
    less_than: Option<String>,
    less_than_or_equal: Option<String>,
}

pub(super) fn parse(files: &[File]) -> Result<Parsed, String> {
    let mut rows = BTreeMap::new();
    let mut of_product: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut date = None;
    for file in files {
        // A mirror has lists of changes beside its records.
        let is_named = file.name.rsplit(['/', ' ']).next().is_some_and(|name| name.starts_with("CVE-"));
        if files.len() > 1 && !is_named {
            continue;
        }
        let record: Record = serde_json::from_slice(&file.bytes).map_err(|error| not_json(file, &error))?;
        let id = record.cve_metadata.cve_id.clone();
        if record.data_type != "CVE_RECORD" || !is_cve(&id) {
            return Err(format!("{} is no CVE record", file.name));
        }
        date = date.max(record.cve_metadata.date_updated.as_deref().and_then(time));
        if record.cve_metadata.state != "PUBLISHED" {
            continue;
        }
        let read = self::record(&record).map_err(|why| format!("{}: {why}", file.name))?;
        for affected in &read.affected {
            of_product.entry(product_key(&affected.product)).or_default().insert(id.clone());
        }
        rows.insert(id, json(&read)?);
    }
    let entries = rows.len();
    if entries == 0 {
        return Err("there is no published CVE record in it".to_owned());
    }
    for (key, ids) in of_product {
        rows.insert(key, json(&ids)?);
    }
    Ok(Parsed { revision: None, date, entries, rows })
}

/// No CVE id begins so.
fn product_key(product: &str) -> String {
    let product: String = product.to_ascii_lowercase().chars().filter(|one| !one.is_control()).take(128).collect();
    format!("product {product}")
}

/// The keys below which the records of a library may be.
pub(super) fn product_keys(library: &str) -> Vec<String> {
    names(library).iter().map(|name| product_key(name)).collect()
}

fn record(record: &Record) -> Result<CveRecord, String> {
    let cna = &record.containers.cna;
    let mut ratings = ratings(cna, "CNA");
    for adp in &record.containers.adp {
        ratings.extend(self::ratings(adp, "ADP"));
    }
    let cisa = record.containers.adp.iter().find(|adp| adp.provider_metadata.org_id == CISA);
    Ok(CveRecord {
        title: cna.title.clone(),
        published: record.cve_metadata.date_published.as_deref().and_then(time),
        ratings,
        analysis: cisa.map(analysis).transpose()?.flatten(),
        affected: cna.affected.iter().map(affected).collect(),
    })
}

/// The vectors of a container, of the newest version first; one that cannot be scored is left out.
fn ratings(container: &Container, role: &str) -> Vec<Rating> {
    let source = format!("{role} {}", container.provider_metadata.short_name);
    let vector = |key: &str| {
        let of_key = container.metrics.iter().filter_map(move |metric| metric.get(key)?.get("vectorString")?.as_str());
        of_key.filter_map(|vector| Rating::new(vector, source.trim_end()).ok()).collect::<Vec<_>>()
    };
    ["cvssV4_0", "cvssV3_1", "cvssV3_0", "cvssV2_0"].into_iter().flat_map(vector).collect()
}

/// The decision points of an SSVC metric: `options` is a list of objects of one key each.
fn analysis(container: &Container) -> Result<Option<Analysis>, String> {
    let others = container.metrics.iter().filter_map(|metric| metric.get("other"));
    let Some(content) =
        others.filter(|other| other.get("type").and_then(Value::as_str) == Some("ssvc")).find_map(|other| other.get("content"))
    else {
        return Ok(None);
    };
    let text = |key: &str| content.get(key).and_then(Value::as_str).unwrap_or_default();
    if !text("version").starts_with("2.0.") {
        return Err(format!(
            "its SSVC answers are of version {}, and only 2.0 is read",
            crate::base::text::one_line(text("version"))
        ));
    }
    let options = content.get("options").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let answer = |point: &str, words: &[&str]| {
        let found = options.iter().find_map(|option| option.get(point)?.as_str()).unwrap_or_default().to_ascii_lowercase();
        if words.contains(&&*found) {
            Ok(found)
        } else {
            Err(format!("its SSVC answer to {point} is none of {}", words.join(", ")))
        }
    };
    Ok(Some(Analysis {
        exploitation: answer("Exploitation", &["none", "poc", "active"])?,
        automatable: answer("Automatable", &["yes", "no"])?,
        technical_impact: answer("Technical Impact", &["partial", "total"])?,
        role: text("role").to_owned(),
        date: time(text("timestamp")),
    }))
}

fn affected(product: &Product) -> Affected {
    let mut affected =
        Affected { vendor: product.vendor.clone(), product: product.product.clone(), ranges: Vec::new(), unread: Vec::new() };
    for version in product.versions.iter().filter(|version| version.status == "affected") {
        match range(version) {
            Some(range) => affected.ranges.push(range),
            None => affected.unread.push(version.version.clone()),
        }
    }
    if product.default_status == "affected" && affected.ranges.is_empty() {
        affected.unread.push("all but some".to_owned());
    }
    affected
}

fn range(version: &Version) -> Option<Range> {
    let end = version.less_than.clone().map(Until::Before).or_else(|| version.less_than_or_equal.clone().map(Until::Through));
    let from = match version.version.as_str() {
        "0" | "*" | "unspecified" => None,
        text if is_version(text) => Some(text.to_owned()),
        text => return read_prose(text),
    };
    let until = match (end, &from) {
        (Some(Until::Before(end) | Until::Through(end)), _) if end == "*" => Until::Open,
        (Some(Until::Before(end) | Until::Through(end)), _) if !is_version(&end) => return None,
        (Some(end), _) => end,
        (None, Some(_)) => Until::Only,
        (None, None) => return None,
    };
    Some(Range { from, until })
}

/// Some records leave the zone away.
fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}
