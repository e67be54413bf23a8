//! What a crate's source can do when it is built: [`Capabilities`], and the pure scanner that finds it in a package's files
//! ([`scan::Scanner`]). Evidence only; `collect` reads the files, `check` judges what changed.

mod blob;
mod change;
pub(super) mod lex;
mod package;
mod reach;
pub mod scan;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::registry::CrateKey;

/// The capabilities of one version of a crate, found without executing anything. Lists are sorted; paths are relative to the package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    pub build_script: bool,
    pub proc_macro: bool,
    /// The manifest's `links`.
    pub links: Option<String>,
    /// C, C++, assembler and other sources that a build script may compile.
    pub native_code: bool,
    /// Executable files (ELF, Mach-O, PE, WebAssembly, archives of objects), with path.
    pub blobs: Vec<String>,
    /// Which of [`Capabilities::blobs`] the source code loads (`include_bytes!`, `#[link]`, …).
    pub loaded_blobs: Vec<String>,
    /// What the build script (or the proc macro) reaches for: `network: TcpStream in build.rs:12`.
    pub build_reaches: Vec<Reach>,
    /// Text of more than 400 characters of base64 outside of tests, with path.
    pub encoded: Vec<String>,
    pub uses_unsafe: bool,
    /// From `.cargo_vcs_info.json`: the commit it was packaged at, and whether the work tree was dirty.
    pub vcs: Option<VcsInfo>,
    /// The manifest's `repository`.
    pub repository: Option<String>,
    /// The manifest's `license`.
    pub license: Option<String>,
}

/// `.cargo_vcs_info.json` (the Cargo book, "cargo package").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VcsInfo {
    pub commit: String,
    pub dirty: bool,
}

/// Something that code which runs at build time reaches for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reach {
    pub kind: ReachKind,
    /// The word that was found.
    pub word: String,
    pub path: String,
    /// From 1.
    pub line: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReachKind {
    Network,
    /// A shell or a downloading program.
    Shell,
    /// The address of a service that takes what others send (web hooks, paste bins, raw IP addresses).
    Webhook,
    /// Any other program.
    Process,
    Environment,
}

pub use change::Gains;

/// The capabilities of versions, by crate; an `Err` says why they are not known (`its source is not on this machine`).
pub type CapabilityFacts = BTreeMap<(CrateKey, semver::Version), Result<Capabilities, String>>;
