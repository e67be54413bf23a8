//! Layer 4: the library's verbs: straight-line compositions of the layers below. No argument parsing, no rendering.

mod action_commits;
pub mod advisories;
pub mod affected;
pub mod archive;
pub mod archive_index;
pub mod archived;
pub mod attestations;
pub mod baseline;
mod before;
pub mod build;
pub mod check;
mod denied;
pub mod diff;
mod error;
pub mod evidence;
pub mod fetch;
mod foreign;
mod functions;
pub mod gather;
pub mod init;
mod integrity;
pub mod intelligence;
pub mod interrupt;
pub mod judge;
pub mod key;
mod machine;
mod native;
pub mod progress;
pub mod project;
pub mod psirt;
mod published;
pub mod rebuild;
mod registry_api;
pub mod rescan;
pub mod sbom;
pub mod sbom_check;
pub mod sign;
pub mod signer;
pub mod trust_root;
pub mod verify;
pub mod vex;
mod vex_sources;
pub mod vsa;
mod workspace;

/// Us, in answers.
const TOOL: &str = concat!("cargo-supplychain ", env!("CARGO_PKG_VERSION"));

pub use build::rule_infos;
pub use error::{Class, Error};
pub use interrupt::Interrupt;
pub use progress::Progress;
