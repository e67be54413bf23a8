//! Prints what was read of bills of materials, a line of JSON for each file: for the trial that compares it with another reading
//! (`tests/trial/foreign_sboms.py`).

#![expect(clippy::disallowed_methods, reason = "a program of its own, which reads what it is given")]

use std::fs;
use std::io::Write as _;

use cargo_supplychain::bom::{self, Bom, Part};
use serde_json::{Value, json};

fn part(part: &Part) -> Value {
    json!({
        "kind": format!("{:?}", part.kind),
        "reference": part.reference,
        "group": part.group,
        "name": part.name,
        "version": part.version.first(),
        "purls": part.purls,
        "identifiers": part.identifiers.values,
        "hashes": part.hashes.values.iter().map(|hash| json!([hash.algorithm, hash.value])).collect::<Vec<_>>(),
        "licences": part.licences.values.iter().map(|licence| &licence.text).collect::<Vec<_>>(),
        "producers": part.producers.values.iter().map(|party| &party.name).collect::<Vec<_>>(),
        "parent": part.parent,
        "on": part.dependencies.on,
    })
}

fn document(bom: &Bom) -> Value {
    let parts: Vec<_> = bom.parts.iter().map(part).collect();
    json!({ "format": bom.format.names(), "version": bom.format_version, "parts": parts, "notes": bom.notes })
}

fn main() {
    let mut out = std::io::stdout().lock();
    for file in std::env::args().skip(1) {
        let read = fs::read(&file).map_err(|error| error.to_string());
        let read = read.and_then(|bytes| bom::read(&bytes).map_err(|error| error.to_string()));
        let line = match read {
            Ok(bom) => json!({ "file": file, "read": document(&bom) }),
            Err(error) => json!({ "file": file, "error": error }),
        };
        if writeln!(out, "{line}").is_err() {
            return;
        }
    }
}
