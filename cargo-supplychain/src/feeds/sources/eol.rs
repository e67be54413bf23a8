//! When release lines end, in the shapes of endoflife.date: its API v1 (`{"result": …}`, one product or all), and its older lists of cycles, below
//! the name of the product: `{"openssl": [{"cycle": "3.6", "eol": "2026-11-01"}]}`, or in a file that has the product's name. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{File, Parsed, json, not_json};
use crate::advisory::native::names;
use crate::advisory::signals::{LineEnd, ReleaseLine};
use crate::base::Timestamp;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Product {
    name: String,
    releases: Vec<Release>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Release {
    name: String,
    eol_from: Option<Timestamp>,
    is_eol: Option<bool>,
}

#[derive(Deserialize)]
struct Cycle {
    cycle: String,
    eol: Value,
}

pub(super) fn parse(files: &[File]) -> Result<Parsed, String> {
    let mut rows = BTreeMap::new();
    let mut date = None;
    for file in files {
        let value: Value = serde_json::from_slice(&file.bytes).map_err(|error| not_json(file, &error))?;
        date = date
            .max(["generated_at", "last_modified"].iter().find_map(|key| value.get(key)?.as_str()?.parse::<Timestamp>().ok()));
        for (name, lines) in products(file, value)? {
            rows.insert(product_key(&name), json(&lines)?);
        }
    }
    if rows.is_empty() {
        return Err("there is no product in it".to_owned());
    }
    Ok(Parsed { revision: None, date, entries: rows.len(), rows })
}

fn product_key(name: &str) -> String {
    name.to_ascii_lowercase().chars().filter(|one| !one.is_control()).take(128).collect()
}

/// The keys below which a library may be.
pub(super) fn product_keys(library: &str) -> Vec<String> {
    names(library)
}

fn products(file: &File, value: Value) -> Result<Vec<(String, Vec<ReleaseLine>)>, String> {
    let unread = |error: serde_json::Error| format!("{} is not in a shape of endoflife.date: {error}", file.name);
    if let Some(result) = value.get("result") {
        let list = match result {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        let products = list.into_iter().map(serde_json::from_value::<Product>).collect::<Result<Vec<_>, _>>().map_err(unread)?;
        return Ok(products.into_iter().map(|product| (product.name, product.releases.iter().map(release).collect())).collect());
    }
    if value.is_array() {
        let cycles: Vec<Cycle> = serde_json::from_value(value).map_err(unread)?;
        let name = file.name.rsplit('/').next().unwrap_or_default().trim_end_matches(".json").to_owned();
        return Ok(vec![(name, lines(cycles, file)?)]);
    }
    let lists: BTreeMap<String, Value> = serde_json::from_value(value).map_err(unread)?;
    let mut products = Vec::new();
    for (name, cycles) in lists.into_iter().filter(|(_, value)| value.is_array()) {
        products.push((name, lines(serde_json::from_value(cycles).map_err(unread)?, file)?));
    }
    Ok(products)
}

fn release(release: &Release) -> ReleaseLine {
    let end = match (release.eol_from, release.is_eol) {
        (Some(day), _) => LineEnd::On(day),
        (None, Some(true)) => LineEnd::Ended,
        (None, _) => LineEnd::Open,
    };
    ReleaseLine { line: release.name.clone(), end }
}

fn lines(cycles: Vec<Cycle>, file: &File) -> Result<Vec<ReleaseLine>, String> {
    let line = |cycle: Cycle| {
        let end = match &cycle.eol {
            Value::Bool(true) => LineEnd::Ended,
            Value::Bool(false) | Value::Null => LineEnd::Open,
            Value::String(day) => LineEnd::On(day.parse().map_err(|error| format!("{}: the end of a line: {error}", file.name))?),
            _ => return Err(format!("{}: the end of a line is neither a day nor true or false", file.name)),
        };
        Ok(ReleaseLine { line: cycle.cycle, end })
    };
    cycles.into_iter().map(line).collect()
}
