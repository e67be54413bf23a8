//! Dependency requirements as the workspace's own manifests write them, with their places. Pure parser over `Cargo.toml` text.

use serde::Serialize;

use crate::base::Location;

/// One `Cargo.toml` of the workspace (the root, and each member).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Manifest {
    /// Relative to the workspace root.
    pub path: String,
    /// The `[package]` name; none for a virtual root.
    pub package: Option<String>,
    pub requirements: Vec<Requirement>,
    /// Entries of `[patch.*]` and `[replace]`.
    pub patches: Vec<Requirement>,
}

/// One dependency entry: of `[dependencies]`, `[build-dependencies]`, `[dev-dependencies]`, their target forms,
/// `[workspace.dependencies]` or `[patch.*]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Requirement {
    /// The package's name (`package = "…"` when renamed).
    pub name: String,
    /// The table it stands in, dotted: `target.cfg(unix).dependencies`.
    pub table: String,
    /// The version requirement as written.
    pub version: Option<String>,
    pub registry: Option<String>,
    pub git: Option<GitRequirement>,
    /// `path`, as written.
    pub path: Option<String>,
    /// `workspace = true`.
    pub inherited: bool,
    pub location: Location,
}

/// A git dependency as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GitRequirement {
    pub url: String,
    pub rev: Option<String>,
    pub branch: Option<String>,
    pub tag: Option<String>,
}
