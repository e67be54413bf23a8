//! Which components take part in which artifact: the target and host sets of the package graph, per artifact, with the features
//! that the whole selection unifies.

use std::collections::{BTreeMap, BTreeSet};

use guppy::graph::cargo::{CargoLinkContext, CargoLinkVisitor, CargoOptions, CargoSet, InitialsPlatform};
use guppy::graph::feature::FeatureSet;
use guppy::graph::{BuildTarget, BuildTargetId, BuildTargetKind, PackageLink, PackageMetadata};

use super::components::Components;
use super::selection::{Selected, wants};
use super::{Error, Evidence, platform};
use crate::model::{Artifact, ArtifactKind, Role, Use};

/// The artifacts of a plan, and what cargo is going to say it compiled.
pub(super) struct Planned {
    pub artifacts: Vec<Artifact>,
    pub expected: Vec<(String, Vec<String>)>,
    pub crates: Vec<(String, String)>,
}

/// Follows dev-dependencies only for artifacts that have them: examples (docs/accuracy.md, correction 3).
struct DevLinks {
    follow: bool,
}

impl<'g> CargoLinkVisitor<'g> for DevLinks {
    fn visit_link(&mut self, _: &CargoLinkContext<'_, 'g>, link: PackageLink<'g>) -> bool {
        self.follow || !link.dev_only()
    }
}

pub(super) fn plan<'g>(selected: &Selected<'g>, evidence: &Evidence<'_>, components: &Components) -> Result<Planned, Error> {
    check_named_targets(selected, evidence)?;
    let mut planner = Planner { selected, evidence, components, expected: BTreeSet::new() };
    let mut artifacts = Vec::new();
    let mut crates = Vec::new();
    for package in &selected.packages {
        artifacts.extend(planner.artifacts_of(package)?);
    }
    if artifacts.is_empty() && !evidence.selection.names_targets() {
        for package in selected.packages.iter().filter(|package| has_library(package)) {
            crates.push((package.name().to_owned(), package.version().to_string()));
            artifacts.push(planner.crate_of(package)?);
        }
    }
    // What is compiled besides (libraries that no artifact links, tests) belongs to what cargo is going to say.
    planner.expect_all()?;
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

struct Planner<'g, 'a> {
    selected: &'a Selected<'g>,
    evidence: &'a Evidence<'a>,
    components: &'a Components,
    expected: BTreeSet<(String, Vec<String>)>,
}

impl<'g> Planner<'g, '_> {
    /// The artifacts of one selected package.
    fn artifacts_of(&mut self, package: &PackageMetadata<'g>) -> Result<Vec<Artifact>, Error> {
        let selected = package.build_targets().filter(|target| wants(self.evidence.selection, target.id()));
        let wanted: Vec<_> = selected.map(|target| (kinds(&target), target)).collect();
        let mut artifacts = Vec::new();
        for with_dev in [false, true] {
            let is_meant = |kind: &ArtifactKind| (*kind == ArtifactKind::Example) == with_dev;
            if !wanted.iter().any(|(kinds, _)| kinds.iter().any(is_meant)) {
                continue;
            }
            let set = self.cargo_set(package, with_dev)?;
            let parts = self.parts(&set);
            let on = |feature: &String| Selected::has_feature(set.target_features(), package, feature);
            for (kinds, target) in wanted.iter().filter(|(_, target)| target.required_features().iter().all(on)) {
                let kinds = kinds.iter().filter(|kind| is_meant(kind));
                artifacts.extend(kinds.map(|kind| self.artifact(package, target.name(), *kind, &parts)));
            }
        }
        Ok(artifacts)
    }

    fn crate_of(&mut self, package: &PackageMetadata<'g>) -> Result<Artifact, Error> {
        let parts = self.parts(&self.cargo_set(package, false)?);
        Ok(self.artifact(package, package.name(), ArtifactKind::Crate, &parts))
    }

    fn artifact(&self, package: &PackageMetadata<'g>, name: &str, kind: ArtifactKind, parts: &Parts) -> Artifact {
        Artifact {
            name: name.to_owned(),
            kind,
            package: self.components.purl(package).to_owned(),
            linked: parts.linked.clone(),
            host: parts.host.clone(),
            dependencies: parts.dependencies.clone(),
            native: Vec::new(),
            file: None,
        }
    }

    fn expect_all(&mut self) -> Result<(), Error> {
        let set =
            self.simulate(self.selected.features.clone(), self.evidence.selection.dev_units(), InitialsPlatform::Standard)?;
        for features in [set.target_features(), set.host_features()] {
            for (id, features) in pairs(features) {
                self.expected.insert((id, features));
            }
        }
        Ok(())
    }

    /// The set of one package's artifacts, its features unified over the whole selection.
    fn cargo_set(&self, package: &PackageMetadata<'g>, with_dev: bool) -> Result<CargoSet<'g>, Error> {
        // A proc-macro package with a binary of its own compiles for the target as well (correction 2).
        let platform = if package.is_proc_macro() { InitialsPlatform::ProcMacrosOnTarget } else { InitialsPlatform::Standard };
        self.simulate(self.selected.features_of(package), with_dev, platform)
    }

    fn simulate(&self, initials: FeatureSet<'g>, follow_dev: bool, platform: InitialsPlatform) -> Result<CargoSet<'g>, Error> {
        let [target, host] = platform::stand_ins();
        let mut options = CargoOptions::new();
        options
            .set_resolver(self.evidence.resolver.guppy())
            .set_include_dev(self.evidence.selection.dev_units())
            .set_initials_platform(platform)
            .set_target_platform(target)
            .set_host_platform(host);
        let visitor = DevLinks { follow: follow_dev };
        CargoSet::with_cargo_link_visitor(initials, self.selected.features.clone(), visitor, &options)
            .map_err(|error| Error::Metadata(error.to_string()))
    }

    fn parts(&self, set: &CargoSet<'g>) -> Parts {
        let purl = |package: &PackageMetadata<'g>| self.components.purl(package).to_owned();
        let macros_only = only_for_macros(set);
        let uses = |features: &FeatureSet<'g>, role: &dyn Fn(&PackageMetadata<'g>) -> Role| {
            let mut uses: Vec<_> = features
                .packages_with_features(guppy::graph::DependencyDirection::Forward)
                .map(|list| Use { purl: purl(list.package()), role: role(list.package()), features: named(&list) })
                .collect();
            uses.sort();
            uses
        };
        let linked = uses(set.target_features(), &|_| Role::Runtime);
        let host = uses(set.host_features(), &|package| {
            if package.is_proc_macro() || macros_only.contains(package.id()) { Role::ProcMacro } else { Role::Build }
        });
        let mut dependencies: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let links = set.target_links().chain(set.host_links()).chain(set.proc_macro_links()).chain(set.build_dep_links());
        for (from, to) in links.map(|link| link.endpoints()).filter(|(from, to)| from.id() != to.id()) {
            dependencies.entry(purl(&from)).or_default().insert(purl(&to));
        }
        let dependencies = dependencies.into_iter().map(|(from, to)| (from, to.into_iter().collect())).collect();
        Parts { linked, host, dependencies }
    }
}

/// What all artifacts of one package share.
struct Parts {
    linked: Vec<Use>,
    host: Vec<Use>,
    dependencies: BTreeMap<String, Vec<String>>,
}

fn named(list: &guppy::graph::feature::FeatureList<'_>) -> Vec<String> {
    let mut features: Vec<_> = list.named_features().map(str::to_owned).collect();
    features.sort();
    features
}

fn pairs(features: &FeatureSet<'_>) -> Vec<(String, Vec<String>)> {
    let lists = features.packages_with_features(guppy::graph::DependencyDirection::Forward);
    lists.map(|list| (list.package().id().repr().to_owned(), named(&list))).collect()
}

/// Host packages that only proc macros need: not reachable from a build dependency.
fn only_for_macros<'g>(set: &CargoSet<'g>) -> BTreeSet<&'g guppy::PackageId> {
    let mut edges: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for link in set.host_links() {
        edges.entry(link.from().id()).or_default().push(link.to());
    }
    let reach = |roots: Vec<PackageMetadata<'g>>, through_macros: bool| {
        let mut seen = BTreeSet::new();
        let mut open = roots;
        while let Some(package) = open.pop() {
            if seen.insert(package.id()) && (through_macros || !package.is_proc_macro()) {
                open.extend(edges.get(package.id()).into_iter().flatten().copied());
            }
        }
        seen
    };
    let macros = set.host_features().to_package_set();
    let macros: Vec<_> =
        macros.packages(guppy::graph::DependencyDirection::Forward).filter(PackageMetadata::is_proc_macro).collect();
    let for_macros = reach(macros, true);
    let for_scripts = reach(set.build_dep_links().map(|link| link.to()).collect(), false);
    for_macros.into_iter().filter(|id| !for_scripts.contains(id)).collect()
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
