//! When release lines end, in the shapes of endoflife.date: its API v1 (`{"result": …}`, one product or all), and its older lists of cycles, below
//! the name of the product: `{"openssl": [{"cycle": "3.6", "eol": "2026-11-01"}]}`, or in a file that has the product's name. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

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
        let raw: &RawValue = serde_json::from_slice(&file.bytes).map_err(|error| not_json(file, &error))?;
        let (of_file, products) = products(file, raw)?;
        date = date.max(of_file);
        for (name, lines) in products {
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

/// Products with their lines.
type Products = Vec<(String, Vec<ReleaseLine>)>;

/// The day that a file says it is of, and what is in it. Read from its text piece by piece: as a tree it would be many times as large.
fn products(file: &File, raw: &RawValue) -> Result<(Option<Timestamp>, Products), String> {
    let unread = |error: serde_json::Error| format!("{} is not in a shape of endoflife.date: {error}", file.name);
    let is_list = |raw: &RawValue| raw.get().starts_with('[');
    if is_list(raw) {
        let name = file.name.rsplit('/').next().unwrap_or_default().trim_end_matches(".json").to_owned();
        return Ok((None, vec![(name, cycles(file, raw)?)]));
    }
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).map_err(unread)?;
    let day = |key: &&str| serde_json::from_str::<Timestamp>(fields.get(*key)?.get()).ok();
    let date = ["generated_at", "last_modified"].iter().find_map(day);
    let Some(result) = fields.get("result") else {
        let lists = fields.iter().filter(|(_, value)| is_list(value));
        let products = lists.map(|(name, value)| Ok((name.clone(), cycles(file, value)?))).collect::<Result<_, String>>()?;
        return Ok((date, products));
    };
    let products: Vec<Product> = match is_list(result) {
        true => serde_json::from_str(result.get()).map_err(unread)?,
        false => vec![serde_json::from_str(result.get()).map_err(unread)?],
    };
    Ok((date, products.into_iter().map(|product| (product.name, product.releases.iter().map(release).collect())).collect()))
}

fn cycles(file: &File, raw: &RawValue) -> Result<Vec<ReleaseLine>, String> {
    let cycles: Vec<Cycle> =
        serde_json::from_str(raw.get()).map_err(|error| format!("{} is not in a shape of endoflife.date: {error}", file.name))?;
    lines(cycles, file)
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
