//! OpenVEX, 0.2.0 and the form before it (vulnerabilities and products as plain texts).

use serde_json::Value;

use super::json::{Object, list, object, optional, required, text, time, words};
use super::{Error, Pattern, Product, Statement, VexDocument};
use crate::base::Timestamp;
use crate::finding::{Justification, Status};

const CONTEXTS: [(&str, &str); 3] = [
    ("https://openvex.dev/ns/v0.2.0", "OpenVEX 0.2.0"),
    ("https://openvex.dev/ns/v0.0.1", "OpenVEX 0.0.1"),
    ("https://openvex.dev/ns", "OpenVEX 0.0.1"),
];

pub(super) fn read(document: &Object) -> Result<VexDocument, Error> {
    let context = required(document, "@context", text)?;
    let format = CONTEXTS.iter().find(|(known, _)| *known == context).ok_or_else(|| {
        Error::new(format!("`{context}` is no version of OpenVEX that is known: 0.2.0, and the form before it"))
            .within("@context")
    })?;
    let date = match optional(document, "last_updated", time)? {
        Some(date) => Some(date),
        None => optional(document, "timestamp", time)?,
    };
    let mut all = VexDocument {
        format: format.1.to_owned(),
        author: required(document, "author", words)?,
        date,
        statements: Vec::new(),
        left_out: 0,
    };
    required(document, "statements", |value| value.as_array().ok_or_else(|| Error::new("it is no list")))?;
    for said in list(document, "statements", |value| statements(value, date))? {
        match said {
            said if said.is_empty() => all.left_out += 1,
            said => all.statements.extend(said),
        }
    }
    Ok(all)
}

/// What one statement says, of each component.
fn statements(value: &Value, of_document: Option<Timestamp>) -> Result<Vec<Statement>, Error> {
    let said = object(value)?;
    let status: Status = required(said, "status", |value| text(value)?.parse().map_err(Error::new))?;
    let justification = optional(said, "justification", |value| {
        let word: Justification = text(value)?.parse().map_err(Error::new)?;
        Ok(word.as_str().to_owned())
    })?;
    let impact = optional(said, "impact_statement", words)?;
    if status == Status::NotAffected && justification.is_none() && impact.is_none() {
        return Err(Error::new("not_affected, with neither `justification` nor `impact_statement`"));
    }
    let notes = optional(said, "status_notes", words)?;
    let date = optional(said, "timestamp", time)?.or(of_document);
    let ids = required(said, "vulnerability", ids)?;
    let action = optional(said, "action_statement", words)?;
    let about = list(said, "products", about)?;
    let one = |(component, product): (Pattern, Option<Product>)| Statement {
        ids: ids.clone(),
        status,
        justification: justification.clone(),
        reason: impact.clone().or_else(|| notes.clone()),
        action: action.clone(),
        date,
        component,
        product,
    };
    Ok(about.into_iter().flatten().map(one).collect())
}

fn ids(value: &Value) -> Result<Vec<String>, Error> {
    if let Some(name) = value.as_str() {
        return Ok(vec![name.to_owned()]);
    }
    let of = object(value)?;
    let mut ids = vec![required(of, "name", text)?.to_owned()];
    ids.extend(list(of, "aliases", text)?.into_iter().map(str::to_owned));
    Ok(ids)
}

/// The component that a product is or has, and the product where it is a part of it that is spoken of.
fn about(value: &Value) -> Result<Vec<(Pattern, Option<Product>)>, Error> {
    let (name, purl) = named(value)?;
    let subcomponents = match value.as_object() {
        Some(of) => list(of, "subcomponents", named)?,
        None => Vec::new(),
    };
    if subcomponents.is_empty() {
        return Ok(purl.into_iter().map(|one| (one, None)).collect());
    }
    let product = Product { name, purls: purl.into_iter().collect() };
    Ok(subcomponents.into_iter().filter_map(|(_, purl)| Some((purl?, Some(product.clone())))).collect())
}

/// What it is called, and its package URL where it is one that can be compared.
fn named(value: &Value) -> Result<(String, Option<Pattern>), Error> {
    if let Some(name) = value.as_str() {
        return Ok((words(value)?, Pattern::of(name)));
    }
    let of = object(value)?;
    let id = optional(of, "@id", text)?;
    let purl = optional(of, "identifiers", |value| optional(object(value)?, "purl", text))?.flatten();
    let name = id.or(purl).unwrap_or("a product without a name").to_owned();
    Ok((name, purl.and_then(Pattern::of).or_else(|| id.and_then(Pattern::of))))
}
