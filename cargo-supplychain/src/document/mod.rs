//! Layer 2: documents, one file a format: model in, bytes out. Pure and deterministic: same inputs, same bytes.
//! Signing them is `attest` and `sign`, placing them in a folder is `ops`; nothing here knows either.

pub mod affected;
#[cfg(test)]
mod any_text;
pub mod audit_data;
pub mod composition;
mod cyclonedx;
pub mod diff;
pub mod evidence;
pub mod export_guide;
#[cfg(test)]
mod fixture;
pub mod github;
pub mod gitlab;
mod identity;
mod inventory;
mod markdown;
mod native;
pub mod notice;
mod part;
mod placed;
pub mod practices;
mod producer;
pub mod provenance;
pub mod psirt;
pub mod rebuild;
pub mod release;
pub mod report;
pub mod rescan;
pub mod run;
pub mod sarif;
pub mod sbom;
pub mod sbom_check;
#[cfg(test)]
mod schema;
mod spdx;
mod spdx3;
pub mod summary;
mod swid;
pub mod verify_guide;
pub mod vex;
pub mod vsa;

use serde::Serialize;

use crate::base::text::OLD_COMMAND;

pub use inventory::{Error, UnknownComponent};

/// The project's home, the base of every URI that we mint.
pub(crate) const HOME: &str = "https://github.com/cargo-supplychain/cargo-supplychain";

/// Our own version, as documents name it.
pub(crate) const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A finished document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Path within the release folder: `sbom/rg.cdx.json`.
    pub path: String,
    pub media_type: &'static str,
    pub bytes: Vec<u8>,
}

impl Document {
    /// Indented JSON with a trailing newline, keys in the order in which `value` gives them.
    fn json(path: impl Into<String>, media_type: &'static str, value: &impl Serialize) -> Self {
        Self { path: path.into(), media_type, bytes: json_text(value).into_bytes() }
    }

    fn text(path: impl Into<String>, media_type: &'static str, text: String) -> Self {
        Self { path: path.into(), media_type, bytes: text.into_bytes() }
    }
}

/// JSON for a file or for standard output, which may be the log of a workflow: `##[` within its strings is written as an escape.
///
/// # Panics
/// When the value has keys that are no text, which no type of the model has.
#[must_use]
pub fn json_text(value: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(value).expect("the model's types have string keys and cannot fail to serialise") + "\n";
    if text.contains(OLD_COMMAND) {
        text = text.replace(OLD_COMMAND, "\\u0023#[");
    }
    text
}
