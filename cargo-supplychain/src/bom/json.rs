//! JSON of others: bounded before it is read, told apart by its first keys, errors with line and column. The types of a format read only what
//! the model has; what they leave out costs no memory.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Bom, Error, cyclonedx, spdx2, spdx3};

/// The deepest nesting that is read. Components nest in components, but never this deep.
pub const MAX_DEPTH: usize = 64;
/// The most objects: a component has about thirty.
const MAX_OBJECTS: usize = 1_500_000;
/// The most values in all.
const MAX_VALUES: usize = 12_000_000;

/// What tells the formats apart.
#[derive(Deserialize)]
struct Probe {
    #[serde(rename = "bomFormat")]
    bom_format: Option<IgnoredAny>,
    #[serde(rename = "spdxVersion")]
    spdx_version: Option<IgnoredAny>,
    #[serde(rename = "@context")]
    context: Option<IgnoredAny>,
    #[serde(rename = "payloadType")]
    payload_type: Option<IgnoredAny>,
    #[serde(rename = "dsseEnvelope")]
    envelope: Option<IgnoredAny>,
    #[serde(rename = "predicateType")]
    predicate_type: Option<IgnoredAny>,
}

/// Reads a bill of materials in JSON.
pub(super) fn read(text: &str) -> Result<Bom, Error> {
    bound(text)?;
    let probe: Probe = parse(text)?;
    if probe.bom_format.is_some() {
        cyclonedx::read(text)
    } else if probe.spdx_version.is_some() {
        spdx2::read(text)
    } else if probe.context.is_some() {
        spdx3::read(text)
    } else if probe.payload_type.is_some() || probe.envelope.is_some() || probe.predicate_type.is_some() {
        Err(Error::whole("it is an attestation: name the bill of materials that it is about"))
    } else {
        Err(Error::whole("it is JSON, but neither CycloneDX (`bomFormat`) nor SPDX (`spdxVersion`, `@context`)"))
    }
}

/// Reads one value of a type.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        // The library writes the place behind its words.
        let words = error.to_string();
        let what = words.rsplit_once(" at line ").map_or(words.as_str(), |(what, _)| what).to_owned();
        Error::at(format!("line {}, column {}", error.line(), error.column()), what)
    })
}

/// One pass over the bytes, before anything is allocated: nesting, objects and values within the bounds.
pub(super) fn bound(text: &str) -> Result<(), Error> {
    let bytes = text.as_bytes();
    let (mut depth, mut objects, mut values) = (0_usize, 0_usize, 0_usize);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_string(bytes, at),
            b'{' | b'[' => {
                depth += 1;
                values += 1;
                objects += usize::from(*byte == b'{');
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        let what = match () {
            () if depth > MAX_DEPTH => format!("nested deeper than {MAX_DEPTH} levels"),
            () if objects > MAX_OBJECTS => format!("more than {MAX_OBJECTS} objects"),
            () if values > MAX_VALUES => format!("more than {MAX_VALUES} values"),
            () => {
                at += 1;
                continue;
            }
        };
        let (line, column) = place(bytes, at);
        return Err(Error::at(format!("line {line}, column {column}"), what));
    }
    Ok(())
}

/// Where the string that begins at `start` ends: at its closing quotation mark, or at the last byte.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Line and column, from 1, of a byte.
pub(super) fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[..at.min(bytes.len())];
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}
