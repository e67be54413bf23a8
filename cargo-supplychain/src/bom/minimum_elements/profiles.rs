//! The profiles as a table: which field of which rank, required or not, and what counts as given. Sources: NTIA, "The Minimum Elements For a
//! Software Bill of Materials" (2021-07-12); CISA, "Minimum Elements for a Software Bill of Materials" (2026-07-29); BSI TR-03183-2 (2.1.0).

use std::fmt;
use std::str::FromStr;

/// Which list of minimum elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Ntia2021,
    Cisa2026,
    BsiTr031832,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cisa2026, Self::Ntia2021, Self::BsiTr031832];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ntia2021 => "ntia-2021",
            Self::Cisa2026 => "cisa-2026",
            Self::BsiTr031832 => "bsi-tr-03183-2",
        }
    }

    /// Its fields, those of the document first.
    #[must_use]
    pub fn fields(self) -> &'static [Field] {
        match self {
            Self::Ntia2021 => &NTIA_2021,
            Self::Cisa2026 => &CISA_2026,
            Self::BsiTr031832 => &BSI_TR_03183_2,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Profile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or_else(|| format!("the profiles are {}", names()))
    }
}

/// What a field looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    // Of the document.
    Author,
    /// An author with an e-mail address or a URL.
    AuthorContact,
    AuthorSignature,
    FormatName,
    FormatVersion,
    /// CycloneDX from 1.6, SPDX from 3.0.1.
    RecentFormat,
    GenerationContext,
    Timestamp,
    ToolName,
    ToolVersion,
    DocumentVersion,
    DocumentUri,
    // Of each component.
    Producer,
    /// A producer with an e-mail address or a URL.
    ProducerContact,
    /// What it belongs to, or what it depends on.
    Relationship,
    /// All that it depends on, and whether that is all.
    Dependencies,
    HashValue,
    HashAlgorithm,
    /// A SHA-512 of the form in which it is deployed.
    DeployableHash,
    Identifiers,
    License,
    /// A licence under which it is given out: concluded.
    DistributionLicence,
    OriginalLicence,
    Name,
    Version,
    FileName,
    Executable,
    Archive,
    Structured,
    SourceUri,
    DeployableUri,
}

/// A field of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// In JSON and on the command line: never changes its meaning.
    pub id: &'static str,
    /// As the source of the profile calls it.
    pub name: &'static str,
    pub element: Element,
    /// A field that is not required is told, and is no gap.
    pub is_required: bool,
    /// Whether stating that the value is unknown, or withheld, gives the field.
    pub takes_unknown: bool,
}

const fn field(id: &'static str, name: &'static str, element: Element) -> Field {
    Field { id, name, element, is_required: true, takes_unknown: false }
}

/// "Known unknowns": stated is given.
const fn or_unknown(field: Field) -> Field {
    Field { takes_unknown: true, ..field }
}

/// To be given where it exists, which nobody can see from the document.
const fn optional(field: Field) -> Field {
    Field { is_required: false, ..field }
}

const NTIA_2021: [Field; 7] = [
    field("author", "Author of SBOM Data", Element::Author),
    field("timestamp", "Timestamp", Element::Timestamp),
    field("supplier", "Supplier Name", Element::Producer),
    field("name", "Component Name", Element::Name),
    field("version", "Version of the Component", Element::Version),
    field("identifiers", "Other Unique Identifiers", Element::Identifiers),
    or_unknown(field("dependency-relationship", "Dependency Relationship", Element::Relationship)),
];

const CISA_2026: [Field; 17] = [
    or_unknown(field("author", "SBOM Author", Element::Author)),
    field("author-signature", "Author Signature", Element::AuthorSignature),
    field("format-name", "Data Format Name", Element::FormatName),
    field("format-version", "Data Format Version", Element::FormatVersion),
    or_unknown(field("generation-context", "Generation Context", Element::GenerationContext)),
    field("timestamp", "Timestamp", Element::Timestamp),
    field("tool-name", "Tool Name", Element::ToolName),
    field("tool-version", "Tool Version", Element::ToolVersion),
    field("sbom-version", "SBOM Version", Element::DocumentVersion),
    or_unknown(field("producer", "Component Producer", Element::Producer)),
    or_unknown(field("dependency-relationship", "Dependency Relationship", Element::Relationship)),
    or_unknown(field("hash-value", "Hash Value", Element::HashValue)),
    or_unknown(field("hash-algorithm", "Hash Algorithm", Element::HashAlgorithm)),
    or_unknown(field("identifiers", "Identifiers", Element::Identifiers)),
    or_unknown(field("license", "License", Element::License)),
    field("name", "Name", Element::Name),
    or_unknown(field("version", "Version", Element::Version)),
];

const BSI_TR_03183_2: [Field; 18] = [
    field("format", "Format (CycloneDX 1.6, SPDX 3.0.1 or later)", Element::RecentFormat),
    field("creator", "Creator of the SBOM", Element::AuthorContact),
    field("timestamp", "Timestamp", Element::Timestamp),
    optional(field("sbom-uri", "SBOM-URI", Element::DocumentUri)),
    field("component-creator", "Component creator", Element::ProducerContact),
    field("name", "Component name", Element::Name),
    field("version", "Component version", Element::Version),
    field("filename", "Filename of the component", Element::FileName),
    or_unknown(field("dependencies", "Dependencies on other components", Element::Dependencies)),
    field("distribution-licences", "Distribution licences", Element::DistributionLicence),
    field("deployable-hash", "Hash value of the deployable component", Element::DeployableHash),
    field("executable", "Executable property", Element::Executable),
    field("archive", "Archive property", Element::Archive),
    field("structured", "Structured property", Element::Structured),
    optional(field("source-uri", "Source code URI", Element::SourceUri)),
    optional(field("deployable-uri", "URI of the deployable form", Element::DeployableUri)),
    optional(field("identifiers", "Other unique identifiers", Element::Identifiers)),
    optional(field("original-licences", "Original licences", Element::OriginalLicence)),
];
