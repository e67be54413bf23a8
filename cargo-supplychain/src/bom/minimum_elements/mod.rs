//! Which minimum elements of a profile a bill of materials has: field by component, with gaps and a score. It says what is stated, not whether
//! that is true; nothing here verifies a signature.

mod profiles;
#[cfg(test)]
mod tests;

use serde::Serialize;

pub use self::profiles::{Element, Field, Profile};
use super::{Absence, Acknowledgement, Bom, Completeness, Format, Hash, Kind, Part, Said, Signature};
use crate::base::Timestamp;

/// What is said of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Given,
    /// Stated to be unknown.
    Unknown,
    /// Stated to be withheld, which is not the same as unknown.
    Withheld,
    Missing,
}

/// A field of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentField {
    pub field: &'static Field,
    pub state: State,
    /// The value, or what is wrong with it.
    pub value: Option<String>,
}

/// A field over all components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ComponentField {
    pub field: &'static Field,
    pub given: usize,
    pub unknown: usize,
    pub withheld: usize,
    pub missing: usize,
}

/// A component with what its profile misses in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Index into [`Bom::parts`].
    pub part: usize,
    pub fields: Vec<(&'static Field, State)>,
}

/// What a bill of materials has of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    pub profile: Profile,
    pub document: Vec<DocumentField>,
    pub components: Vec<ComponentField>,
    pub component_count: usize,
    /// In the order of the document.
    pub gaps: Vec<Gap>,
    /// Required cells that are given, and all of them: a field of the document is one cell, a field of the components one for each.
    pub stated: usize,
    pub required: usize,
}

impl Assessment {
    /// Whether a required field is not given.
    #[must_use]
    pub fn has_gaps(&self) -> bool {
        self.stated < self.required
    }

    /// In tenths of a percent, rounded down: 1000 only where nothing is missing.
    #[must_use]
    pub fn score(&self) -> usize {
        (self.stated * 1000).checked_div(self.required).unwrap_or(0)
    }
}

impl Field {
    /// Whether the field is given by what is said.
    #[must_use]
    pub fn takes(&self, state: State) -> bool {
        match state {
            State::Given => true,
            State::Unknown | State::Withheld => self.takes_unknown,
            State::Missing => false,
        }
    }

    fn is_of_document(&self) -> bool {
        use Element as E;
        matches!(
            self.element,
            E::Author
                | E::AuthorContact
                | E::AuthorSignature
                | E::FormatName
                | E::FormatVersion
                | E::RecentFormat
                | E::GenerationContext
                | E::Timestamp
                | E::ToolName
                | E::ToolVersion
                | E::DocumentVersion
                | E::DocumentUri
        )
    }
}

/// Assesses. `attested` says which attestation beside the document names it, if one does.
#[must_use]
pub fn assess(bom: &Bom, profile: Profile, attested: Option<&str>) -> Assessment {
    let (of_document, of_components): (Vec<_>, Vec<_>) = profile.fields().iter().partition(|field| field.is_of_document());
    let document: Vec<_> = of_document.into_iter().map(|field| document_field(bom, field, attested)).collect();
    let mut columns: Vec<_> =
        of_components.into_iter().map(|field| ComponentField { field, given: 0, unknown: 0, withheld: 0, missing: 0 }).collect();
    let mut gaps = Vec::new();
    let mut component_count = 0;
    for (index, part) in bom.parts.iter().enumerate().filter(|(_, part)| part.kind == Kind::Component) {
        component_count += 1;
        let mut missed = Vec::new();
        for column in &mut columns {
            let state = component_state(bom, part, column.field.element);
            *match state {
                State::Given => &mut column.given,
                State::Unknown => &mut column.unknown,
                State::Withheld => &mut column.withheld,
                State::Missing => &mut column.missing,
            } += 1;
            if column.field.is_required && !column.field.takes(state) {
                missed.push((column.field, state));
            }
        }
        if !missed.is_empty() {
            gaps.push(Gap { part: index, fields: missed });
        }
    }
    let required_document = document.iter().filter(|one| one.field.is_required);
    let stated_document = required_document.clone().filter(|one| one.field.takes(one.state)).count();
    let required_components = columns.iter().filter(|column| column.field.is_required).count() * component_count;
    let missed: usize = gaps.iter().map(|gap| gap.fields.len()).sum();
    Assessment {
        profile,
        required: required_document.count() + required_components,
        stated: stated_document + required_components - missed,
        document,
        components: columns,
        component_count,
        gaps,
    }
}

fn document_field(bom: &Bom, field: &'static Field, attested: Option<&str>) -> DocumentField {
    let (state, value) = match field.element {
        Element::Author => said(&bom.authors, |party| party.name.clone()),
        Element::AuthorContact => match bom.authors.values.iter().find_map(|party| party.contact.clone()) {
            Some(contact) => (State::Given, Some(contact)),
            None => (
                absent(&bom.authors),
                bom.authors.values.first().map(|party| format!("{}, without an e-mail address or a URL", party.name)),
            ),
        },
        Element::AuthorSignature => signature(bom, attested),
        Element::FormatName => (State::Given, Some(bom.format.names().0.to_owned())),
        Element::FormatVersion => of_text(Some(&bom.format_version)),
        Element::RecentFormat => recent(bom),
        Element::GenerationContext => said(&bom.contexts, Clone::clone),
        Element::Timestamp => match bom.timestamp.as_deref() {
            Some(text) if text.parse::<Timestamp>().is_err() => {
                (State::Missing, Some(format!("{text:?} is no time by RFC 3339")))
            }
            text => of_text(text),
        },
        Element::ToolName => match bom.tools.as_slice() {
            [] => (State::Missing, None),
            tools => (State::Given, Some(tools.iter().map(|tool| tool.name.as_str()).collect::<Vec<_>>().join(", "))),
        },
        Element::ToolVersion => match bom.tools.iter().find(|tool| tool.version.as_ref().is_none_or(String::is_empty)) {
            Some(without) => (State::Missing, Some(format!("{} has none", without.name))),
            None => of_text(bom.tools.first().and_then(|tool| tool.version.as_deref())),
        },
        Element::DocumentVersion => of_text(bom.version.as_deref()),
        Element::DocumentUri => of_text(bom.serial.as_deref()),
        _ => (State::Missing, None),
    };
    DocumentField { field, state, value }
}

fn of_text(text: Option<&str>) -> (State, Option<String>) {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => (State::Given, Some(text.to_owned())),
        None => (State::Missing, None),
    }
}

fn said<T>(said: &Said<T>, show: impl Fn(&T) -> String) -> (State, Option<String>) {
    match said.values.as_slice() {
        [] => (absent(said), None),
        values => (State::Given, Some(values.iter().map(show).collect::<Vec<_>>().join(", "))),
    }
}

fn absent<T>(said: &Said<T>) -> State {
    match said.absent() {
        Some(Absence::Unknown) => State::Unknown,
        Some(Absence::Withheld) => State::Withheld,
        None => State::Missing,
    }
}

/// That there is a signature is not that it is a good one: the words say so.
fn signature(bom: &Bom, attested: Option<&str>) -> (State, Option<String>) {
    match (attested, &bom.signature) {
        (Some(bundle), _) => (State::Given, Some(format!("attested by {bundle}; not verified here"))),
        (None, Some(Signature::Enclosed)) => (State::Given, Some("in the document; not verified".to_owned())),
        (None, Some(Signature::Referenced(place))) => (State::Given, Some(format!("referenced: {place}; not verified"))),
        (None, None) => (State::Missing, None),
    }
}

/// BSI TR-03183-2, section 4: the formats and their lowest versions.
fn recent(bom: &Bom) -> (State, Option<String>) {
    let number = |text: &str| text.split('.').map(|part| part.parse::<u32>().unwrap_or(0)).collect::<Vec<_>>();
    let (name, form) = bom.format.names();
    let least: &[u32] = match bom.format {
        Format::CycloneDxJson | Format::CycloneDxXml => &[1, 6],
        Format::Spdx3 => &[3, 0, 1],
        _ => return (State::Missing, Some(format!("{name} {} {form}", bom.format_version))),
    };
    let is_recent = number(&bom.format_version).as_slice() >= least;
    (if is_recent { State::Given } else { State::Missing }, Some(format!("{name} {} {form}", bom.format_version)))
}

fn component_state(bom: &Bom, part: &Part, element: Element) -> State {
    let given = |is: bool| if is { State::Given } else { State::Missing };
    let or_absent = |is: bool, absent: State| if is { State::Given } else { absent };
    let licences = |wanted| {
        let of_part = &part.licences;
        or_absent(of_part.values.iter().any(|one| one.acknowledgement == wanted), absent(of_part))
    };
    let link = |words: &[&str]| part.links.iter().any(|(word, url)| words.contains(&word.as_str()) && !url.is_empty());
    match element {
        Element::Producer => or_absent(!part.producers.values.is_empty(), absent(&part.producers)),
        Element::ProducerContact => {
            let is_given = part.producers.values.iter().any(|party| party.contact.is_some() || is_contact(&party.name));
            or_absent(is_given, absent(&part.producers))
        }
        Element::Relationship => relationship(bom, part),
        Element::Dependencies => dependencies(part),
        Element::HashValue => hash(part, |hash| !hash.value.is_empty()),
        Element::HashAlgorithm => hash(part, |hash| !hash.algorithm.is_empty()),
        Element::DeployableHash => {
            let mut hashes = part.distribution_hashes.iter().chain(&part.hashes.values);
            or_absent(hashes.any(|hash| hash.algorithm == "SHA512" && !hash.value.is_empty()), absent(&part.hashes))
        }
        Element::Identifiers => {
            or_absent(!part.purls.is_empty() || !part.identifiers.values.is_empty(), absent(&part.identifiers))
        }
        Element::License => or_absent(!part.licences.values.is_empty(), absent(&part.licences)),
        Element::DistributionLicence => licences(Acknowledgement::Concluded),
        Element::OriginalLicence => licences(Acknowledgement::Declared),
        Element::Name => given(!part.name.trim().is_empty()),
        Element::Version => or_absent(!part.version.values.is_empty(), absent(&part.version)),
        Element::FileName => given(part.file_name.as_ref().is_some_and(|name| !name.is_empty())),
        Element::Executable => given(part.traits.is_executable_said),
        Element::Archive => given(part.traits.is_archive_said),
        Element::Structured => given(part.traits.is_structured_said),
        Element::SourceUri => given(link(&["source-distribution", "vcs", "sourceArtifact"])),
        Element::DeployableUri => given(link(&["distribution", "distribution-intake", "binaryArtifact"])),
        _ => State::Missing,
    }
}

fn hash(part: &Part, has: impl Fn(&Hash) -> bool) -> State {
    match part.hashes.values.as_slice() {
        [] => absent(&part.hashes),
        hashes if hashes.iter().all(has) => State::Given,
        _ => State::Missing,
    }
}

/// An author of a Cargo manifest writes `NAME <MAIL>`.
fn is_contact(text: &str) -> bool {
    text.contains("://") || text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}

/// What it belongs to: another part depends on it or contains it, or the document says what it depends on itself. A document of one part has
/// no relationship to state.
fn relationship(bom: &Bom, part: &Part) -> State {
    let is_alone = bom.parts.iter().filter(|one| one.kind == Kind::Component).take(2).count() == 1;
    match part.dependencies.completeness {
        _ if part.is_used || part.dependencies.is_stated || is_alone => State::Given,
        Completeness::Unknown | Completeness::Incomplete => State::Unknown,
        Completeness::Complete => State::Given,
        Completeness::Unstated => State::Missing,
    }
}

/// All that it depends on, with a word on whether that is all.
fn dependencies(part: &Part) -> State {
    match part.dependencies.completeness {
        Completeness::Unknown => State::Unknown,
        Completeness::Complete | Completeness::Incomplete if part.dependencies.is_stated => State::Given,
        _ => State::Missing,
    }
}
