//! CycloneDX 1.4 to 1.7: vulnerabilities with an analysis. One without is a report, and states nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::{Object, list, object, optional, required, text, time, words};
use super::{Error, Pattern, Product, Statement, VexDocument};
use crate::base::Timestamp;
use crate::finding::Status;

const VERSIONS: [&str; 4] = ["1.4", "1.5", "1.6", "1.7"];

/// What the references of the document lead to.
struct Parts<'v> {
    purls: BTreeMap<&'v str, &'v str>,
    product: Option<Product>,
    /// References of the product itself.
    own: Vec<&'v str>,
    author: String,
    date: Option<Timestamp>,
}

pub(super) fn read(document: &Object) -> Result<VexDocument, Error> {
    required(document, "bomFormat", |value| match text(value)? {
        "CycloneDX" => Ok(()),
        other => Err(Error::new(format!("`{other}` is not CycloneDX"))),
    })?;
    let version = required(document, "specVersion", text)?;
    if !VERSIONS.contains(&version) {
        return Err(Error::new(format!("`{version}` is no version with analyses that is known: {}", VERSIONS.join(", ")))
            .within("specVersion"));
    }
    let parts = parts(document)?;
    let mut all = VexDocument {
        format: format!("CycloneDX {version}"),
        author: parts.author.clone(),
        date: parts.date,
        statements: Vec::new(),
        left_out: 0,
    };
    for (statements, left_out) in list(document, "vulnerabilities", |value| vulnerability(value, &parts))? {
        all.statements.extend(statements);
        all.left_out += left_out;
    }
    Ok(all)
}

fn parts(document: &Object) -> Result<Parts<'_>, Error> {
    let mut purls = BTreeMap::new();
    components(document, &mut purls)?;
    let mut parts = Parts { purls, product: None, own: Vec::new(), author: "somebody who is not named".to_owned(), date: None };
    let Some(metadata) = optional(document, "metadata", object)? else { return Ok(parts) };
    parts.date = optional(metadata, "timestamp", time).map_err(|error| error.within("metadata"))?;
    parts.author = author(metadata).map_err(|error| error.within("metadata"))?.unwrap_or(parts.author);
    if let Some(component) = optional(metadata, "component", object).map_err(|error| error.within("metadata"))? {
        let mut own = BTreeMap::new();
        component_of(component, &mut own).map_err(|error| error.within("component").within("metadata"))?;
        let name = optional(component, "name", words)?.unwrap_or_default();
        let version = optional(component, "version", words)?.map(|version| format!(" {version}")).unwrap_or_default();
        let purls = own.values().filter_map(|purl| Pattern::of(purl)).collect();
        parts.product = Some(Product { name: format!("{name}{version}"), purls });
        parts.own = own.keys().copied().collect();
        parts.purls.extend(own);
    }
    Ok(parts)
}

/// The first author, manufacturer or supplier with a name.
fn author(metadata: &Object) -> Result<Option<String>, Error> {
    let name = |value: &'_ Value| optional(object(value)?, "name", words);
    if let Some(author) = list(metadata, "authors", name)?.into_iter().flatten().next() {
        return Ok(Some(author));
    }
    for key in ["manufacturer", "supplier", "manufacture"] {
        if let Some(name) = optional(metadata, key, name)?.flatten() {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

/// Package URLs by reference, of a list of components and those inside of them.
fn components<'v>(of: &'v Object, purls: &mut BTreeMap<&'v str, &'v str>) -> Result<(), Error> {
    for component in list(of, "components", object)? {
        component_of(component, purls).map_err(|error| error.within("components"))?;
    }
    Ok(())
}

fn component_of<'v>(component: &'v Object, purls: &mut BTreeMap<&'v str, &'v str>) -> Result<(), Error> {
    let (reference, purl) = (optional(component, "bom-ref", text)?, optional(component, "purl", text)?);
    if let Some(reference) = reference
        && purls.insert(reference, purl.unwrap_or_default()).is_some()
    {
        return Err(Error::new(format!("the reference `{reference}` is given twice")));
    }
    components(component, purls)
}

/// What is stated, and of how many things that cannot be compared.
fn vulnerability(value: &Value, parts: &Parts<'_>) -> Result<(Vec<Statement>, usize), Error> {
    let of = object(value)?;
    let Some(analysis) = optional(of, "analysis", object)? else { return Ok((Vec::new(), 0)) };
    let within = |error: Error| error.within("analysis");
    let Some(status) = optional(analysis, "state", state).map_err(within)? else { return Ok((Vec::new(), 0)) };
    let mut ids: Vec<String> = optional(of, "id", text)?.map(str::to_owned).into_iter().collect();
    ids.extend(list(of, "references", |value| required(object(value)?, "id", text))?.into_iter().map(str::to_owned));
    let date = match optional(analysis, "lastUpdated", time).map_err(within)? {
        Some(date) => Some(date),
        None => optional(analysis, "firstIssued", time).map_err(within)?.or(parts.date),
    };
    let justification = optional(analysis, "justification", words).map_err(within)?;
    let reason = optional(analysis, "detail", words).map_err(within)?;
    let action = optional(of, "recommendation", words)?;
    let affected = list(of, "affects", |value| affected(object(value)?, parts))?;
    let left_out = affected.iter().filter(|one| one.is_none()).count();
    let one = |(component, product): (Pattern, Option<Product>)| Statement {
        ids: ids.clone(),
        status,
        justification: justification.clone(),
        reason: reason.clone(),
        action: action.clone(),
        date,
        component,
        product,
    };
    Ok((affected.into_iter().flatten().map(one).collect(), left_out))
}

fn state(value: &Value) -> Result<Status, Error> {
    match text(value)? {
        "not_affected" | "false_positive" => Ok(Status::NotAffected),
        "resolved" | "resolved_with_pedigree" => Ok(Status::Fixed),
        "exploitable" => Ok(Status::Affected),
        "in_triage" => Ok(Status::UnderInvestigation),
        other => Err(Error::new(format!("unknown state `{other}`"))),
    }
}

/// The component behind a reference. One of which only some versions are meant is left out: the words for that are ranges of many kinds.
fn affected(of: &Object, parts: &Parts<'_>) -> Result<Option<(Pattern, Option<Product>)>, Error> {
    let reference = required(of, "ref", text)?;
    if of.contains_key("versions") {
        return Ok(None);
    }
    // A BOM-Link names a component of another document; many references are package URLs themselves.
    let linked = reference.strip_prefix("urn:cdx:").and_then(|link| link.split_once('#')).map(|(_, element)| decoded(element));
    let purl = parts.purls.get(reference).copied().filter(|purl| !purl.is_empty()).or(linked.as_deref()).unwrap_or(reference);
    let Some(pattern) = Pattern::of(purl) else { return Ok(None) };
    let product = if parts.own.contains(&reference) { None } else { parts.product.clone() };
    Ok(Some((pattern, product)))
}

/// A fragment of a URL without its percent escapes.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escape = (first == b'%').then(|| after.get(..2)).flatten();
        let value = escape.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(value.unwrap_or(first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
