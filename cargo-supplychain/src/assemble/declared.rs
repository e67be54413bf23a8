//! What the metadata declares: packages with their features and dependencies as written, each dependency matched with the package that
//! it resolved to. The graph library merges declarations of one name; cargo's rules need them apart.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};
use serde::Deserialize;

use super::platform;
use crate::model::lockfile::CRATES_IO;

/// An index into [`Declared::packages`].
pub(super) type Index = usize;

/// All packages of the metadata.
#[derive(Debug)]
pub(super) struct Declared {
    pub packages: Vec<Package>,
    /// Sources that manifests ask for and that a package of another source stands for (`[patch]`), by cargo's package id.
    pub replaced: BTreeMap<String, String>,
    by_id: BTreeMap<String, Index>,
}

#[derive(Debug)]
pub(super) struct Package {
    pub id: String,
    pub name: String,
    /// As `[features]` says, with the features that optional dependencies imply.
    pub features: BTreeMap<String, Vec<FeatureValue>>,
    pub dependencies: Vec<Dependency>,
    pub library: Option<Library>,
    pub has_build_script: bool,
}

/// What becomes of a package's library target when another target needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Library {
    Rust,
    ProcMacro,
    /// A cdylib or staticlib only: the package's own binaries do not link it.
    Foreign,
}

/// One line of a dependency table.
#[derive(Debug)]
pub(super) struct Dependency {
    pub to: Index,
    /// The source that the manifest asks for.
    pub source: Option<String>,
    /// The key in the manifest: the new name, where it is renamed.
    pub name: String,
    pub kind: Kind,
    pub on_target: bool,
    pub on_host: bool,
    pub optional: bool,
    pub default_features: bool,
    pub features: Vec<FeatureValue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Build,
    Dev,
}

/// An entry of a feature's list (The Cargo Book, "Features").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FeatureValue {
    Feature(String),
    /// `dep:name`
    Dependency(String),
    /// `name/feature`, `name?/feature`
    OfDependency {
        name: String,
        feature: String,
        weak: bool,
    },
}

impl FeatureValue {
    pub(super) fn parse(text: &str) -> Self {
        if let Some((name, feature)) = text.split_once('/') {
            let (name, weak) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
            return Self::OfDependency { name: name.to_owned(), feature: feature.to_owned(), weak };
        }
        match text.strip_prefix("dep:") {
            Some(name) => Self::Dependency(name.to_owned()),
            None => Self::Feature(text.to_owned()),
        }
    }
}

mod json {
    use super::{BTreeMap, Deserialize, Version};

    #[derive(Deserialize)]
    pub(super) struct Metadata {
        pub packages: Vec<Package>,
        pub resolve: Resolve,
    }
    #[derive(Deserialize)]
    pub(super) struct Resolve {
        pub nodes: Vec<Node>,
    }
    #[derive(Deserialize)]
    pub(super) struct Node {
        pub id: String,
        pub deps: Vec<Edge>,
    }
    #[derive(Deserialize)]
    pub(super) struct Edge {
        /// The name by which the code speaks of the crate.
        pub name: String,
        pub pkg: String,
        pub dep_kinds: Vec<EdgeKind>,
    }
    #[derive(Deserialize, PartialEq)]
    pub(super) struct EdgeKind {
        pub kind: Option<String>,
        pub target: Option<String>,
    }
    #[derive(Deserialize)]
    pub(super) struct Package {
        pub id: String,
        pub name: String,
        pub version: Version,
        pub source: Option<String>,
        pub manifest_path: camino::Utf8PathBuf,
        pub features: BTreeMap<String, Vec<String>>,
        pub dependencies: Vec<Dependency>,
        pub targets: Vec<Target>,
    }
    #[derive(Deserialize)]
    pub(super) struct Dependency {
        pub name: String,
        pub rename: Option<String>,
        pub req: String,
        pub source: Option<String>,
        pub path: Option<camino::Utf8PathBuf>,
        #[serde(flatten)]
        pub edge: EdgeKind,
        pub optional: bool,
        pub uses_default_features: bool,
        pub features: Vec<String>,
    }
    #[derive(Deserialize)]
    pub(super) struct Target {
        pub kind: Vec<String>,
    }
}

impl Declared {
    /// Of metadata whose platform conditions were rewritten already ([`super::Platforms::rewrite`]).
    pub(super) fn from_json(metadata: &str) -> Result<Self, serde_json::Error> {
        let metadata: json::Metadata = serde_json::from_str(metadata)?;
        let by_id: BTreeMap<_, _> =
            metadata.packages.iter().enumerate().map(|(index, package)| (package.id.clone(), index)).collect();
        let edges: BTreeMap<&str, &[json::Edge]> =
            metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node.deps.as_slice())).collect();
        let packages = metadata.packages.iter().map(|package| {
            let edges = edges.get(package.id.as_str()).copied().unwrap_or_default();
            let ends = by_end(edges, &metadata.packages, &by_id);
            let resolved = |declared: &json::Dependency| {
                resolved(declared, ends.get(declared.name.as_str()).map_or(&[], Vec::as_slice), &metadata.packages)
            };
            Package {
                id: package.id.clone(),
                name: package.name.clone(),
                features: package.features.iter().map(|(name, list)| (name.clone(), values(list))).collect(),
                dependencies: package.dependencies.iter().filter_map(resolved).collect(),
                library: library(&package.targets),
                has_build_script: package.targets.iter().any(|target| target.kind.iter().any(|kind| kind == "custom-build")),
            }
        });
        let packages: Vec<Package> = packages.collect();
        let replaced = replaced(&metadata.packages, &packages);
        Ok(Self { packages, replaced, by_id })
    }

    pub(super) fn index(&self, id: &guppy::PackageId) -> Option<Index> {
        self.by_id.get(id.repr()).copied()
    }
}

/// What a manifest asks for and gets from elsewhere. Sources that the configuration replaces keep their names, and their contents.
fn replaced(raw: &[json::Package], packages: &[Package]) -> BTreeMap<String, String> {
    let mut replaced = BTreeMap::new();
    for (package, raw_package) in packages.iter().zip(raw) {
        for dependency in &package.dependencies {
            let got = &raw[dependency.to];
            if let Some(asked) = &dependency.source
                && !is_same_source(asked, got.source.as_deref())
                && raw_package.id != got.id
            {
                replaced.insert(got.id.clone(), asked.clone());
            }
        }
    }
    replaced
}

/// A git source is asked for by branch and got at a commit.
fn is_same_source(asked: &str, got: Option<&str>) -> bool {
    let place = |source: &str| match source.strip_prefix("git+") {
        None if CRATES_IO.contains(&source) => CRATES_IO[0].to_owned(),
        Some(url) => url.split(['?', '#']).next().unwrap_or(url).to_owned(),
        None => source.to_owned(),
    };
    got.is_some_and(|got| asked.starts_with("git+") == got.starts_with("git+") && place(asked) == place(got))
}

fn values(list: &[String]) -> Vec<FeatureValue> {
    list.iter().map(|text| FeatureValue::parse(text)).collect()
}

fn library(targets: &[json::Target]) -> Option<Library> {
    let has = |target: &json::Target, kinds: &[&str]| target.kind.iter().any(|kind| kinds.contains(&kind.as_str()));
    let library = targets.iter().find(|target| has(target, &["lib", "rlib", "dylib", "cdylib", "staticlib", "proc-macro"]))?;
    Some(match () {
        () if has(library, &["proc-macro"]) => Library::ProcMacro,
        () if has(library, &["lib", "rlib", "dylib"]) => Library::Rust,
        () => Library::Foreign,
    })
}

/// An edge, and the package that it leads to.
type End<'a> = (&'a json::Edge, Index);

/// The edges of a package by the names of the packages that they lead to: a package may have thousands.
fn by_end<'a>(
    edges: &'a [json::Edge],
    packages: &'a [json::Package],
    by_id: &BTreeMap<String, Index>,
) -> BTreeMap<&'a str, Vec<End<'a>>> {
    let mut ends: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for edge in edges {
        if let Some(&index) = by_id.get(&edge.pkg) {
            ends.entry(packages[index].name.as_str()).or_default().push((edge, index));
        }
    }
    ends
}

/// The package that a declaration resolved to, of those of its name; `None` where cargo resolved nothing: dev-dependencies of packages that
/// are no members.
fn resolved(declared: &json::Dependency, ends: &[End<'_>], packages: &[json::Package]) -> Option<Dependency> {
    let requirement = VersionReq::parse(&declared.req).ok().filter(|_| declared.req != "*");
    let candidates: Vec<Index> = ends
        .iter()
        .filter(|(edge, _)| edge.dep_kinds.contains(&declared.edge))
        .filter(|(edge, _)| declared.rename.as_ref().is_none_or(|rename| rename.replace('-', "_") == edge.name))
        .map(|(_, index)| *index)
        .collect();
    let at_path = |&index: &Index| declared.path.is_some() && packages[index].manifest_path.parent() == declared.path.as_deref();
    let fits = |&index: &Index| requirement.as_ref().is_none_or(|requirement| requirement.matches(&packages[index].version));
    let best = candidates.iter().copied().find(at_path).or_else(|| candidates.iter().copied().find(fits));
    let (on_target, on_host) = platform::sides(declared.edge.target.as_deref());
    Some(Dependency {
        to: best.or_else(|| candidates.first().copied())?,
        source: declared.source.clone(),
        name: declared.rename.clone().unwrap_or_else(|| declared.name.clone()),
        kind: match declared.edge.kind.as_deref() {
            Some("build") => Kind::Build,
            Some("dev") => Kind::Dev,
            _ => Kind::Normal,
        },
        on_target,
        on_host,
        optional: declared.optional,
        default_features: declared.uses_default_features,
        features: values(&declared.features),
    })
}

impl Package {
    pub(super) fn is_proc_macro(&self) -> bool {
        self.library == Some(Library::ProcMacro)
    }

    /// Whether `name` can be asked for as a feature: it is one, or an optional dependency.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.features.contains_key(name)
            || self.dependencies.iter().any(|dependency| dependency.optional && dependency.name == name)
    }

    pub(super) fn depends_on(&self, name: &str) -> bool {
        self.dependencies.iter().any(|dependency| dependency.name == name)
    }

    /// What a package is asked for by default.
    pub(super) fn default_feature(&self) -> Option<FeatureValue> {
        self.features.contains_key("default").then(|| FeatureValue::Feature("default".to_owned()))
    }

    pub(super) fn all_features(&self) -> BTreeSet<FeatureValue> {
        self.features.keys().cloned().map(FeatureValue::Feature).collect()
    }
}
