//! Layer 2: from evidence to the [`crate::model::Build`], in two steps: [`plan`] says what `cargo build` is going to compile, from
//! metadata, lockfile and selection; [`complete`] joins the plan with what cargo said and with the files. Pure: no IO, no judgement.
//!
//! The recipe and its corrections are those of cargo's own behaviour, judged against cargo's unit graph; see `docs/accuracy.md`.

mod complete;
mod components;
mod declared;
mod features;
mod graph;
mod native;
mod platform;
mod selection;
mod units;

use std::collections::BTreeMap;
use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_platform::Cfg;
use guppy::graph::PackageGraph;

pub use complete::{ProducedFile, complete, derived, produced};
pub use components::PlannedSource;
pub use native::expect;
pub use platform::Platforms;
pub use selection::Resolver;

use crate::base::Timestamp;
use crate::config::ReleaseSettings;
use crate::model::{Build, CiRun, Gap, Invocation, Lockfile, Selection, Source, Toolchain};

/// All that a plan is made of.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// Output of the unfiltered `cargo metadata --all-features`.
    pub metadata: &'a str,
    pub lockfile: &'a Lockfile,
    pub selection: &'a Selection,
    /// The manifest that cargo is called for: `--manifest-path`, or the nearest one above the working folder. Absolute.
    pub manifest: &'a Utf8Path,
    pub resolver: Resolver,
    pub platforms: &'a Platforms,
    pub invocation: Invocation,
    pub source: Source,
    pub toolchain: Toolchain,
    pub ci: Option<CiRun>,
    pub stamp: Timestamp,
    pub release: &'a ReleaseSettings,
    pub gaps: Vec<Gap>,
}

/// A planned build, and what is needed to complete it.
#[derive(Debug, Clone)]
pub struct Plan {
    pub build: Build,
    /// Package URL by cargo's package id.
    pub(crate) purls: BTreeMap<String, String>,
    /// The (package, features) pairs that cargo is going to compile, libraries and binaries, each side.
    pub(crate) expected: Vec<(String, Vec<String>)>,
    /// Names and versions of the library-only packages whose `.crate` is released.
    pub crates: Vec<(String, String)>,
    /// What takes part in the build and does not belong to the workspace, with the folder that cargo compiles.
    pub sources: Vec<PlannedSource>,
    /// The folder of each package, by cargo's package id.
    pub folders: BTreeMap<String, Utf8PathBuf>,
    /// Package URLs of the selected packages, sorted.
    pub packages: Vec<String>,
    /// What rustc says of the target.
    pub target_cfgs: Vec<Cfg>,
}

/// Why no plan could be made: the selection does not fit the workspace, or the metadata cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Not what `cargo metadata` writes.
    Metadata(String),
    /// A package spec matches no member.
    UnknownPackage { spec: String, members: Vec<String> },
    /// A named target does not exist in the selected packages.
    UnknownTarget { kind: &'static str, name: String, known: Vec<String> },
    /// A feature that no selected package has.
    UnknownFeature { feature: String },
    /// Nothing was selected that a release could hold.
    NothingToRelease,
    /// Two artifacts would have the same file name.
    SameFileName(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        match self {
            Self::Metadata(message) => write!(f, "cannot read the output of cargo metadata: {message}"),
            Self::UnknownPackage { spec, members } => {
                write!(f, "package `{spec}` is not a member of this workspace\nhelp: the members are {}", list(members))
            }
            Self::UnknownTarget { kind, name, known } => {
                write!(f, "no {kind} named `{name}` in the selected packages\nhelp: there are {}", list(known))
            }
            Self::UnknownFeature { feature } => {
                write!(f, "none of the selected packages has the feature `{feature}`\nhelp: look at `[features]` in their Cargo.toml")
            }
            Self::NothingToRelease => {
                f.write_str("the selection holds nothing to release: no binary, cdylib, staticlib or library package\nhelp: select a package or target with -p, --bin or --lib")
            }
            Self::SameFileName(name) => {
                write!(f, "two artifacts would be released as `{name}`\nhelp: build them in two releases, with -p")
            }
        }
    }
}

impl std::error::Error for Error {}

/// Says what `cargo build` will compile.
pub fn plan(mut evidence: Evidence<'_>) -> Result<Plan, Error> {
    let metadata = evidence.platforms.rewrite(evidence.metadata);
    let graph = package_graph(&metadata)?;
    let declared = declared::Declared::from_json(&metadata).map_err(|error| Error::Metadata(error.to_string()))?;
    let selected = selection::resolve(&graph, &declared, &evidence)?;
    let components = components::Components::of(&graph, evidence.lockfile, &declared.replaced);
    let planned = graph::plan(&graph, &declared, &selected, &evidence, &components)?;
    if planned.artifacts.is_empty() {
        return Err(Error::NothingToRelease);
    }
    let mut packages: Vec<_> = selected.packages.iter().map(|package| components.purl(package).to_owned()).collect();
    packages.sort();
    let (name, version) = selected.release_name(&graph, &evidence);
    let mut build = Build {
        name,
        version,
        invocation: evidence.invocation,
        source: evidence.source,
        toolchain: evidence.toolchain,
        ci: evidence.ci,
        stamp: evidence.stamp,
        components: components.by_purl,
        artifacts: planned.artifacts,
        resolved_only: Vec::new(),
        gaps: Vec::new(),
        reproduction: None,
    };
    build.resolved_only = build.components.keys().filter(|purl| !build.takes_part(purl)).cloned().collect();
    evidence.gaps.sort();
    evidence.gaps.dedup();
    build.gaps = evidence.gaps;
    let mut sources = components.sources;
    sources.retain(|(purl, _)| build.takes_part(purl));
    let sources = sources.into_iter().map(|(_, source)| source).collect();
    Ok(Plan {
        build,
        purls: components.purls,
        expected: planned.expected,
        crates: planned.crates,
        sources,
        folders: components.folders,
        packages,
        target_cfgs: evidence.platforms.target.cfgs.clone(),
    })
}

fn package_graph(metadata: &str) -> Result<PackageGraph, Error> {
    let graph = PackageGraph::from_json(metadata).map_err(|error| Error::Metadata(error.to_string()))?;
    // Cargo refuses it; the graph library does not, and there is no package URL without a name.
    if graph.packages().any(|package| package.name().is_empty()) {
        return Err(Error::Metadata("a package has an empty name".into()));
    }
    Ok(graph)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_have_names() {
        let metadata = |name: &str| {
            let id = "path+file:///w#0.1.0";
            serde_json::json!({
                "packages": [{
                    "name": name, "version": "0.1.0", "id": id, "manifest_path": "/w/Cargo.toml", "dependencies": [],
                    "targets": [], "features": {}
                }],
                "workspace_members": [id],
                "resolve": { "nodes": [{ "id": id, "dependencies": [], "deps": [] }] },
                "workspace_root": "/w", "target_directory": "/w/target", "version": 1
            })
            .to_string()
        };
        assert!(package_graph(&metadata("a")).is_ok());
        assert_eq!(package_graph(&metadata("")).err(), Some(Error::Metadata("a package has an empty name".into())));
    }
}
