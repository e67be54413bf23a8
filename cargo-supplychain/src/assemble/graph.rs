//! Which components take part in which artifact: the units that cargo compiles for its target, by their package URLs, with the features
//! that the whole selection unifies.

use std::collections::{BTreeMap, BTreeSet};

use guppy::PackageId;
use guppy::graph::{BuildTarget, BuildTargetId, BuildTargetKind, PackageGraph, PackageMetadata};

use super::components::Components;
use super::declared::{Declared, Index};
use super::features::{Features, Side};
use super::selection::{Selected, wants, wants_test};
use super::units::{self, Reached, Root};
use super::{Error, Evidence};
use crate::model::{Artifact, ArtifactKind, Role, Use};

/// The artifacts of a plan, and what cargo is going to say it compiled.
pub(super) struct Planned {
    pub artifacts: Vec<Artifact>,
    pub expected: Vec<(String, Vec<String>)>,
    pub crates: Vec<(String, String)>,
}

pub(super) fn plan(
    graph: &PackageGraph,
    declared: &Declared,
    selected: &Selected<'_>,
    evidence: &Evidence<'_>,
    components: &Components,
) -> Result<Planned, Error> {
    check_named_targets(selected, evidence)?;
    let features = Features::resolve(declared, &selected.requested, evidence.resolver);
    let mut planner =
        Planner { graph, declared, features, evidence, components, reached: BTreeMap::new(), expected: BTreeSet::new() };
    let mut artifacts = Vec::new();
    let mut crates = Vec::new();
    for package in &selected.packages {
        artifacts.extend(planner.artifacts_of(package)?);
    }
    if artifacts.is_empty() && !evidence.selection.names_targets() {
        for package in selected.packages.iter().filter(|package| has_library(package)) {
            crates.push((package.name().to_owned(), package.version().to_string()));
            artifacts.push(planner.artifact(package, package.name(), ArtifactKind::Crate, Root::Library)?);
        }
    }
    name_uniquely(&mut artifacts);
    artifacts.sort_by(|a, b| (&a.name, a.kind).cmp(&(&b.name, b.kind)));
    Ok(Planned { artifacts, expected: planner.expected.into_iter().collect(), crates })
}

fn has_library(package: &PackageMetadata<'_>) -> bool {
    package.build_targets().any(|target| matches!(target.id(), BuildTargetId::Library))
}

/// A target named on the command line has to exist in one of the selected packages.
fn check_named_targets(selected: &Selected<'_>, evidence: &Evidence<'_>) -> Result<(), Error> {
    let targets = || selected.packages.iter().flat_map(PackageMetadata::build_targets);
    let bins: Vec<_> =
        targets().filter(|target| matches!(target.id(), BuildTargetId::Binary(_))).map(|target| target.name()).collect();
    let examples: Vec<_> =
        targets().filter(|target| matches!(target.id(), BuildTargetId::Example(_))).map(|target| target.name()).collect();
    for (kind, wanted, known) in [("binary", &evidence.selection.bin, bins), ("example", &evidence.selection.example, examples)] {
        for name in wanted.iter().filter(|name| !name.contains(['*', '?', '['])) {
            if !known.contains(&name.as_str()) {
                let known = known.iter().map(|&known| known.to_owned()).collect();
                return Err(Error::UnknownTarget { kind, name: name.clone(), known });
            }
        }
    }
    Ok(())
}

struct Planner<'a> {
    graph: &'a PackageGraph,
    declared: &'a Declared,
    features: Features<'a>,
    evidence: &'a Evidence<'a>,
    components: &'a Components,
    reached: BTreeMap<(Index, Root), Parts>,
    expected: BTreeSet<(String, Vec<String>)>,
}

impl Planner<'_> {
    /// The artifacts of one selected package. What is compiled besides (libraries that no artifact links, tests) belongs to what
    /// cargo is going to say.
    fn artifacts_of(&mut self, package: &PackageMetadata<'_>) -> Result<Vec<Artifact>, Error> {
        let index = self.index(package)?;
        let mut artifacts = Vec::new();
        for target in package.build_targets() {
            if !target.required_features().iter().all(|feature| self.features.fulfils(index, feature)) {
                continue;
            }
            let root = root(target.id());
            if wants_test(self.evidence.selection, target.id()) {
                let test = if root == Root::Library { Root::LibraryTest } else { Root::WithDev };
                self.parts(package, test)?;
            }
            if !wants(self.evidence.selection, target.id()) {
                continue;
            }
            self.parts(package, root)?;
            for kind in kinds(&target) {
                artifacts.push(self.artifact(package, target.name(), kind, root)?);
            }
        }
        Ok(artifacts)
    }

    fn index(&self, package: &PackageMetadata<'_>) -> Result<Index, Error> {
        let missing = || Error::Metadata(format!("package {} is missing", package.id().repr()));
        self.declared.index(package.id()).ok_or_else(missing)
    }

    fn artifact(&mut self, package: &PackageMetadata<'_>, name: &str, kind: ArtifactKind, root: Root) -> Result<Artifact, Error> {
        let purl = self.components.purl(package).to_owned();
        let Parts { linked, host, dependencies } = self.parts(package, root)?.clone();
        Ok(Artifact { name: name.to_owned(), kind, package: purl, linked, host, dependencies, native: Vec::new(), file: None })
    }

    /// What a root of the package consists of; all of it is expected to be compiled.
    fn parts(&mut self, package: &PackageMetadata<'_>, root: Root) -> Result<&Parts, Error> {
        let key = (self.index(package)?, root);
        if !self.reached.contains_key(&key) {
            let reached = units::reach(self.declared, &self.features, key.0, root);
            for &(index, side) in reached.linked.iter().chain(reached.host.keys()) {
                self.expected.insert((self.declared.packages[index].id.clone(), self.features.of(index, side)));
            }
            let parts = self.named(&reached)?;
            self.reached.insert(key, parts);
        }
        Ok(&self.reached[&key])
    }

    /// The units by their package URLs.
    fn named(&self, reached: &Reached) -> Result<Parts, Error> {
        let purl = |index: Index| {
            let id = PackageId::new(self.declared.packages[index].id.clone());
            let package = self.graph.metadata(&id).map_err(|error| Error::Metadata(error.to_string()))?;
            Ok::<_, Error>(self.components.purl(&package).to_owned())
        };
        let used = |(index, side): (Index, Side), role| {
            Ok::<_, Error>(Use { purl: purl(index)?, role, features: self.features.of(index, side) })
        };
        let role = |index: Index, for_script: bool| {
            if for_script && !self.declared.packages[index].is_proc_macro() { Role::Build } else { Role::ProcMacro }
        };
        let mut linked = reached.linked.iter().map(|&key| used(key, Role::Runtime)).collect::<Result<Vec<_>, _>>()?;
        let host = reached.host.iter().map(|(&key, &for_script)| used(key, role(key.0, for_script)));
        let mut host = host.collect::<Result<Vec<_>, _>>()?;
        linked.sort();
        host.sort();
        let mut dependencies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for &(from, to) in &reached.edges {
            dependencies.entry(purl(from)?).or_default().insert(purl(to)?);
        }
        let dependencies = dependencies.into_iter().map(|(from, to)| (from, to.into_iter().collect())).collect();
        Ok(Parts { linked, host, dependencies })
    }
}

fn root(target: BuildTargetId<'_>) -> Root {
    match target {
        BuildTargetId::Library => Root::Library,
        BuildTargetId::Binary(_) => Root::Binary,
        _ => Root::WithDev,
    }
}

/// What all artifacts of one package and kind of root share.
#[derive(Debug, Clone)]
struct Parts {
    linked: Vec<Use>,
    host: Vec<Use>,
    dependencies: BTreeMap<String, Vec<String>>,
}

/// The kinds of file that a target becomes and that a release holds; Rust libraries for Rust are none.
fn kinds(target: &BuildTarget<'_>) -> Vec<ArtifactKind> {
    match (target.id(), target.kind()) {
        (BuildTargetId::Binary(_), _) => vec![ArtifactKind::Bin],
        (BuildTargetId::Example(_), BuildTargetKind::Binary) => vec![ArtifactKind::Example],
        (BuildTargetId::Example(_), BuildTargetKind::LibraryOrExample(types)) if types.iter().any(|kind| kind == "bin") => {
            vec![ArtifactKind::Example]
        }
        (BuildTargetId::Library, BuildTargetKind::LibraryOrExample(types)) => {
            let kind = |name: &String| match name.as_str() {
                "cdylib" => Some(ArtifactKind::Cdylib),
                "dylib" => Some(ArtifactKind::Dylib),
                "staticlib" => Some(ArtifactKind::Staticlib),
                _ => None,
            };
            types.iter().filter_map(kind).collect()
        }
        _ => Vec::new(),
    }
}

/// Artifact names name documents: where two are alike, the kind is added, then the package's name.
fn name_uniquely(artifacts: &mut [Artifact]) {
    let suffix = |artifact: &Artifact, round: usize| match round {
        0 => format!("{:?}", artifact.kind).to_lowercase(),
        _ => artifact.package.trim_start_matches("pkg:cargo/").split(['@', '?']).next().unwrap_or("package").to_owned(),
    };
    for round in 0..2 {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for artifact in artifacts.iter() {
            *count.entry(artifact.name.clone()).or_default() += 1;
        }
        for artifact in artifacts.iter_mut().filter(|artifact| count[&artifact.name] > 1) {
            artifact.name = format!("{}-{}", artifact.name, suffix(artifact, round));
        }
    }
}
