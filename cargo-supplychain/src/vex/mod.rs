//! Layer 1: what others have decided about vulnerabilities: VEX documents of anyone in OpenVEX, CycloneDX and CSAF as one model, read only.
//! Only statements about crates and libraries by package URL are kept: nothing else can be compared with what is built. Which of them count
//! is `check`'s. Pure and bounded; what is not understood is an error with its place in the document, never passed over.

mod csaf;
mod cyclonedx;
mod json;
mod openvex;
mod pattern;

use std::fmt;

use serde_json::Value;

use crate::attest::strict_json;
use crate::base::{Sha256, Timestamp};
use crate::finding::Status;

pub use pattern::Pattern;

/// The largest document that is read, in bytes: those about kernels have tens of mebibytes.
pub const MAX_BYTES: usize = 64 << 20;
/// The most statements that are kept.
const MAX_STATEMENTS: usize = 100_000;

/// A document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexDocument {
    /// `OpenVEX 0.2.0`.
    pub format: String,
    pub author: String,
    pub date: Option<Timestamp>,
    pub statements: Vec<Statement>,
    /// Statements about what has no package URL of a crate or library, or is named by a range of versions.
    pub left_out: usize,
}

/// A document and the file that it was read from, as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub file: String,
    pub sha256: Sha256,
    pub document: VexDocument,
}

/// What is said of one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The vulnerability's ids.
    pub ids: Vec<String>,
    pub status: Status,
    /// In the document's words.
    pub justification: Option<String>,
    pub reason: Option<String>,
    pub action: Option<String>,
    pub date: Option<Timestamp>,
    pub component: Pattern,
    /// The product in which the component is spoken of; none: wherever it is.
    pub product: Option<Product>,
}

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// As the document names it.
    pub name: String,
    /// Any of these is it.
    pub purls: Vec<Pattern>,
}

/// Why a document is not read, and where: `statements[3].status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    at: String,
    what: String,
}

impl Error {
    fn new(what: impl Into<String>) -> Self {
        Self { at: String::new(), what: what.into() }
    }

    /// The same, seen from one step further out: the step is a key or an index in brackets.
    fn within(mut self, step: &str) -> Self {
        let dot = if self.at.is_empty() || self.at.starts_with('[') { "" } else { "." };
        self.at = format!("{step}{dot}{}", self.at);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() { f.write_str(&self.what) } else { write!(f, "{}: {}", self.at, self.what) }
    }
}

impl std::error::Error for Error {}

/// Reads a document of any of the three formats.
///
/// # Errors
/// Why it is none, or says something that is not understood.
pub fn read(bytes: &[u8]) -> Result<VexDocument, Error> {
    if bytes.len() > MAX_BYTES {
        return Err(Error::new(format!("it has {} bytes, the limit is {MAX_BYTES}", bytes.len())));
    }
    let value = strict_json::parse(bytes).map_err(|error| Error::new(format!("it is no JSON: {error}")))?;
    let object = json::object(&value)?;
    let has = |key: &str| object.contains_key(key);
    let document = match () {
        () if object.get("@context").is_some_and(is_openvex) => openvex::read(object),
        () if has("bomFormat") => cyclonedx::read(object),
        () if has("document") => csaf::read(object),
        () if has("payloadType") || has("dsseEnvelope") || has("predicateType") => {
            Err(Error::new("it is an attestation: name the document that it is about"))
        }
        () => Err(Error::new("it is JSON, but neither OpenVEX (`@context`), CycloneDX (`bomFormat`) nor CSAF (`document`)")),
    }?;
    if document.statements.len() > MAX_STATEMENTS {
        return Err(Error::new(format!("more than {MAX_STATEMENTS} statements about crates and libraries")));
    }
    Ok(document)
}

fn is_openvex(context: &Value) -> bool {
    context.as_str().is_some_and(|text| text.starts_with("https://openvex.dev/ns"))
}

#[cfg(test)]
#[allow(clippy::too_many_lines, reason = "tables of documents")]
mod tests;
