//! CISA's catalogue of known exploited vulnerabilities, JSON (its schema is published beside it; CC0). Pure.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{File, Parsed, json, not_json};
use crate::advisory::signals::{Exploited, is_cve};
use crate::base::Timestamp;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Catalogue {
    catalog_version: String,
    date_released: Timestamp,
    count: usize,
    vulnerabilities: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "cveID")]
    cve: String,
    vendor_project: String,
    product: String,
    vulnerability_name: String,
    date_added: Timestamp,
    #[serde(default)]
    known_ransomware_campaign_use: String,
}

/// The key of the actions; no CVE id begins so.
pub(super) const ACTIONS: &str = "GitHub Actions";

/// `tj-actions` with the product `changed-files GitHub Action` is `tj-actions/changed-files`.
fn actions(catalogue: &Catalogue) -> BTreeMap<String, &str> {
    let action = |entry: &'_ Entry| {
        let name = entry.product.strip_suffix(" GitHub Action")?;
        Some(format!("{}/{name}", entry.vendor_project).to_ascii_lowercase())
    };
    catalogue.vulnerabilities.iter().filter_map(|entry| Some((action(entry)?, entry.cve.as_str()))).collect()
}

pub(super) fn parse(files: &[File]) -> Result<Parsed, String> {
    let [file] = files else { return Err("it is not one file".to_owned()) };
    let catalogue: Catalogue = serde_json::from_slice(&file.bytes).map_err(|error| not_json(file, &error))?;
    let mut rows = BTreeMap::new();
    for entry in &catalogue.vulnerabilities {
        if !is_cve(&entry.cve) {
            return Err(format!("{} has an entry without a CVE id", file.name));
        }
        let exploited = Exploited {
            vendor: entry.vendor_project.clone(),
            product: entry.product.clone(),
            name: entry.vulnerability_name.clone(),
            added: entry.date_added,
            ransomware: entry.known_ransomware_campaign_use == "Known",
        };
        rows.insert(entry.cve.clone(), json(&exploited)?);
    }
    let entries = rows.len();
    rows.insert(ACTIONS.to_owned(), json(&actions(&catalogue))?);
    // A file cut by somebody has fewer: what is missing would be taken for "not exploited".
    if catalogue.vulnerabilities.len() != catalogue.count || entries == 0 {
        return Err(format!(
            "{} says that it has {} entries and has {}",
            file.name,
            catalogue.count,
            catalogue.vulnerabilities.len()
        ));
    }
    let revision = Some(catalogue.catalog_version);
    Ok(Parsed { revision, date: Some(catalogue.date_released), entries, rows })
}
