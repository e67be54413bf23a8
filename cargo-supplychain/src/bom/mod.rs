//! Layer 1: bills of materials of anyone, read only: one model for every format, and a strict, bounded reader per format, one file each.
//! What identifies a part (name, version, package URL, other identifiers, digests, licences, producers, edges, nesting) is kept as written,
//! or the document is refused. What is stated is compared with lists of minimum elements; whether it is true is not judged here. Nothing is
//! written (`document`), no file opened (`ops`).

mod audit_data;
mod build;
pub mod comparison;
mod cyclonedx;
mod cyclonedx_xml;
mod json;
pub mod listing;
pub mod minimum_elements;
mod said;
mod spdx2;
mod spdx2_tags;
mod spdx3;
mod swid;
mod xml;

use std::fmt;

pub use self::audit_data::is_binary;
pub use self::said::{Absence, Said};

/// The largest document that is read, in bytes. A document of ours has about 3 KiB a component.
pub const MAX_BYTES: usize = 128 << 20;
/// The most parts of one document, files and nested parts included.
pub const MAX_PARTS: usize = 250_000;
/// The most dependency edges of one document.
pub const MAX_EDGES: usize = 4_000_000;

/// Why a document was not read: where, and what is wrong. A fragment, without the file's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// `line 3, column 5`, or the part that it is about; empty: the document as a whole.
    pub place: String,
    pub what: String,
}

impl Error {
    fn whole(what: impl Into<String>) -> Self {
        Self { place: String::new(), what: what.into() }
    }

    fn at(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() { f.write_str(&self.what) } else { write!(f, "{}: {}", self.place, self.what) }
    }
}

impl std::error::Error for Error {}

/// The data format of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    CycloneDxJson,
    CycloneDxXml,
    SpdxJson,
    SpdxTagValue,
    Spdx3,
    Swid,
    /// What cargo-auditable embeds into a binary.
    AuditData,
}

impl Format {
    /// The name of the format, and how it is written.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::CycloneDxJson => ("CycloneDX", "JSON"),
            Self::CycloneDxXml => ("CycloneDX", "XML"),
            Self::SpdxJson => ("SPDX", "JSON"),
            Self::SpdxTagValue => ("SPDX", "tag-value"),
            Self::Spdx3 => ("SPDX", "JSON-LD"),
            Self::Swid => ("SWID", "XML"),
            Self::AuditData => ("cargo-auditable", "embedded"),
        }
    }
}

/// A bill of materials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bom {
    pub format: Format,
    /// Of the specification, as the document says.
    pub format_version: String,
    /// What names the document and no other: serial number, namespace, IRI, tag id.
    pub serial: Option<String>,
    /// The revision of this document.
    pub version: Option<String>,
    /// As written.
    pub timestamp: Option<String>,
    /// Who made the document.
    pub authors: Said<Party>,
    pub tools: Vec<Tool>,
    /// In which phases of the product's life it was made: `build`, `pre-build`, `source`, …
    pub contexts: Said<String>,
    /// What the document says of its signature; nothing here was verified.
    pub signature: Option<Signature>,
    /// Indices of the parts that the document is about.
    pub subjects: Vec<usize>,
    pub parts: Vec<Part>,
    /// What is strange in the document and no reason to refuse it: for people.
    pub notes: Vec<String>,
}

/// What a document says of its own signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// One stands in the document (JSF, XMLDSIG).
    Enclosed,
    /// The document says where one is.
    Referenced(String),
}

/// Somebody: a person, an organisation or an account.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Party {
    pub name: String,
    /// E-mail address or URL.
    pub contact: Option<String>,
}

/// A program that made the document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tool {
    pub name: String,
    pub version: Option<String>,
}

/// What a part is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A software component.
    Component,
    /// A file of a component (SPDX, SWID).
    File,
    /// A service that is used over a network (CycloneDX).
    Service,
}

/// How a part belongs to what the document is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// In it, or the document does not say otherwise.
    Included,
    Optional,
    /// Not in it: it built or tested it.
    Excluded,
}

/// A digest, as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash {
    /// Upper case without separators: `SHA256`.
    pub algorithm: String,
    pub value: String,
}

impl Hash {
    /// The digest with the algorithm in one spelling: `SHA-256`, `sha256` and `SHA256` are one.
    #[must_use]
    pub fn new(algorithm: &str, value: &str) -> Self {
        let algorithm = algorithm.chars().filter(char::is_ascii_alphanumeric).map(|one| one.to_ascii_uppercase()).collect();
        Self { algorithm, value: value.trim().to_ascii_lowercase() }
    }
}

/// Who says that a licence applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Acknowledgement {
    Declared,
    Concluded,
    /// The format or the document does not say.
    Unstated,
}

/// A licence of a part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Licence {
    /// An expression, an identifier or a name, as written.
    pub text: String,
    pub acknowledgement: Acknowledgement,
}

/// Whether a list is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Completeness {
    Complete,
    Incomplete,
    /// Said to be unknown.
    Unknown,
    /// Nothing is said.
    Unstated,
}

/// What a part directly depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependencies {
    /// Indices of parts, sorted, each once.
    pub on: Vec<u32>,
    /// Whether the document has an entry for this part, be it an empty one.
    pub is_stated: bool,
    pub completeness: Completeness,
}

/// One part of the bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name within the document; empty where it has none.
    pub reference: String,
    /// Index of the part that it is nested in.
    pub parent: Option<u32>,
    pub kind: Kind,
    /// The type as the format has it: `library`, `APPLICATION`, …
    pub type_word: String,
    pub group: Option<String>,
    pub name: String,
    pub version: Said<String>,
    /// Package URLs, as written.
    pub purls: Vec<String>,
    /// Every other identifier: CPE, SWID tag, gitoid, SWHID.
    pub identifiers: Said<String>,
    pub hashes: Said<Hash>,
    pub licences: Said<Licence>,
    /// Supplier, manufacturer, originator or authors.
    pub producers: Said<Party>,
    pub scope: Scope,
    pub dependencies: Dependencies,
    /// Whether another part depends on it or contains it.
    pub is_used: bool,
    pub file_name: Option<String>,
    /// Links to other places: their type and URL.
    pub links: Vec<(String, String)>,
    /// Digests of what a link of type `distribution` leads to.
    pub distribution_hashes: Vec<Hash>,
    pub traits: Box<Traits>,
}

/// What our own documents, and some others, say beyond the formats.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    /// Cargo features; `None`: not said.
    pub features: Option<Vec<String>>,
    /// Said to come from a folder or to be replaced: then its package URL does not say where from.
    pub is_local: bool,
    /// `build script`, `proc macro`, `links z`, `native code static`: what it is or can do when it is built.
    pub capabilities: Vec<String>,
    /// Executable, archive, structured: said or not (BSI TR-03183-2, 5.2.2).
    pub is_executable_said: bool,
    pub is_archive_said: bool,
    pub is_structured_said: bool,
}

/// Reads a bill of materials in any format that is known; which one is told by the content.
///
/// # Errors
/// The content is none, is not as its format wants it, or is larger than the bounds of this module.
pub fn read(bytes: &[u8]) -> Result<Bom, Error> {
    if is_binary(bytes) {
        return audit_data::read(bytes);
    }
    if bytes.len() > MAX_BYTES {
        return Err(Error::whole(format!("it has {} bytes, the limit is {MAX_BYTES}", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let (line, column) = json::place(bytes, error.valid_up_to());
        Error::at(format!("line {line}, column {column}"), "not UTF-8 text, and no ELF, PE or Mach-O file")
    })?;
    // A mark of the byte order is allowed before text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match text.trim_start().bytes().next() {
        Some(b'{') => json::read(text),
        Some(b'<') => xml::read(text),
        Some(_) if spdx2_tags::is_one(text) => spdx2_tags::read(text),
        Some(_) => Err(Error::whole(
            "no bill of materials: neither CycloneDX (JSON, XML), SPDX (JSON, tag-value, JSON-LD), SWID nor a binary",
        )),
        None => Err(Error::whole("it is empty")),
    }
}

#[cfg(test)]
mod tests;
