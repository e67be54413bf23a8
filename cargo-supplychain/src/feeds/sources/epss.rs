//! Scores of the Exploit Prediction Scoring System (FIRST), CSV, compressed or not: a comment with model and day, a header, a row for each CVE.
//! Pure.

use std::collections::BTreeMap;

use super::{File, Parsed, json};
use crate::advisory::signals::{Epss, is_cve};
use crate::base::Timestamp;

pub(super) fn parse(files: &[File]) -> Result<Parsed, String> {
    let [file] = files else { return Err("it is not one file".to_owned()) };
    let text = std::str::from_utf8(&file.bytes).map_err(|_| format!("{} is not UTF-8 text", file.name))?;
    let mut lines = (1_usize..).zip(text.lines());
    let (model, date) = lines.next().and_then(|(_, line)| head(line)).ok_or_else(|| {
        format!("{} does not begin with `#model_version:…,score_date:…`, without which its numbers mean nothing", file.name)
    })?;
    if lines.next().is_none_or(|(_, line)| line.trim() != "cve,epss,percentile") {
        return Err(format!("{}, line 2, is not `cve,epss,percentile`", file.name));
    }
    let mut rows = BTreeMap::new();
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let fields: Vec<_> = line.split(',').collect();
        let [cve, probability, percentile] = *fields.as_slice() else {
            return Err(format!("{}, line {number}, has not three fields", file.name));
        };
        if !is_cve(cve) || !is_share(probability) || !is_share(percentile) {
            return Err(format!("{}, line {number}, is not a CVE id with two numbers from 0 to 1", file.name));
        }
        rows.insert(cve.to_owned(), json(&Epss { probability: probability.to_owned(), percentile: percentile.to_owned() })?);
    }
    if rows.is_empty() {
        return Err(format!("{} has no scores", file.name));
    }
    Ok(Parsed { revision: Some(model), date: Some(date), entries: rows.len(), rows })
}

/// `#model_version:v2026.06.15,score_date:2026-09-21T12:03:23Z`; older files write the zone as `+0000`.
fn head(line: &str) -> Option<(String, Timestamp)> {
    let (model, date) = line.strip_prefix("#model_version:")?.split_once(",score_date:")?;
    let date = date.trim();
    let date = date.strip_suffix("+0000").map_or_else(|| date.to_owned(), |date| format!("{date}Z"));
    let is_word = model.len() <= 32 && model.chars().all(|one| one.is_ascii_alphanumeric() || one == '.');
    Some((model.to_owned(), date.parse().ok()?)).filter(|_| is_word)
}

fn is_share(text: &str) -> bool {
    text.len() <= 16 && text.parse::<f64>().is_ok_and(|number| (0.0..=1.0).contains(&number))
}
