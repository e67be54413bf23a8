//! The functions that advisories name, looked for in what was compiled: which are asked about, and where.

use std::collections::{BTreeMap, BTreeSet};

use super::build::compile::MadeFile;
use crate::assemble::Plan;
use crate::check::Advisories;
use crate::collect::functions::{self, Unit};
use crate::model::events::BuildEvents;
use crate::model::functions::{Asked, FunctionFacts, Path};
use crate::model::{Build, Lockfile};

/// What was compiled, kept until it is asked about.
pub(super) struct Compilation {
    units: Vec<Unit>,
    files: Vec<MadeFile>,
}

/// Who has a crate among its dependencies.
struct Dependents {
    /// By the crate that is asked about.
    of: BTreeMap<String, BTreeSet<String>>,
    /// All whose dependencies are known.
    known: BTreeSet<String>,
}

impl Dependents {
    fn of(build: &Build, asked: &[(Asked, Path)]) -> Self {
        let known = build.artifacts.iter().flat_map(|artifact| artifact.linked.iter().chain(&artifact.host));
        let known = known.map(|one| one.purl.clone()).collect();
        let mut of = BTreeMap::new();
        for (asked, _) in asked {
            of.entry(asked.purl.clone()).or_insert_with(|| dependents(build, &asked.purl));
        }
        Self { of, known }
    }

    /// Not known is yes.
    fn has(&self, unit: &str, purl: &str) -> bool {
        !self.known.contains(unit) || self.of.get(purl).is_none_or(|dependents| dependents.contains(unit))
    }
}

fn dependents(build: &Build, purl: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::from([purl.to_owned()]);
    loop {
        let edges = build.artifacts.iter().flat_map(|artifact| &artifact.dependencies);
        let more = edges.filter(|(from, to)| !found.contains(*from) && to.iter().any(|one| found.contains(one)));
        let more: BTreeSet<_> = more.map(|(from, _)| from.clone()).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

impl Compilation {
    /// The crates of cargo's messages, without build scripts: what these write is read where it is compiled.
    pub fn new(plan: &Plan, events: &BuildEvents, files: Vec<MadeFile>) -> Self {
        const LIBRARIES: [&str; 6] = ["lib", "rlib", "dylib", "cdylib", "staticlib", "proc-macro"];
        let is_unit = |kinds: &[String]| !kinds.iter().any(|kind| kind == "custom-build");
        let units = events.targets.iter().filter(|target| is_unit(&target.kinds)).filter_map(|target| {
            let purl = plan.purls.get(&target.package_id)?;
            let component = plan.build.components.get(purl)?;
            let is_library = target.kinds.iter().any(|kind| LIBRARIES.contains(&kind.as_str()));
            Some(Unit {
                purl: purl.clone(),
                package: format!("{} {}", component.name, component.version),
                library: is_library.then(|| target.name.replace('-', "_")),
                files: target.files.iter().chain(&target.executable).cloned().collect(),
                folder: plan.folders.get(&target.package_id).cloned().unwrap_or_default(),
            })
        });
        Self { units: units.collect(), files }
    }

    /// What is known of the functions that advisories about linked crates name; none: they name none.
    pub fn look(
        &self,
        advisories: &Advisories,
        lockfile: &Lockfile,
        build: &Build,
        root: &camino::Utf8Path,
    ) -> Option<FunctionFacts> {
        let asked = self.asked(advisories, lockfile, build);
        if asked.is_empty() {
            return None;
        }
        let symbols = self.files.iter().map(|file| (file.artifact.clone(), functions::symbols(&file.path, &asked)));
        let dependents = Dependents::of(build, &asked);
        let sources = functions::sources(&self.units, root, &asked, &|unit, purl| dependents.has(unit, purl));
        Some(FunctionFacts { symbols: symbols.collect(), sources })
    }

    fn asked(&self, advisories: &Advisories, lockfile: &Lockfile, build: &Build) -> Vec<(Asked, Path)> {
        let Advisories::Loaded { hits, .. } = advisories else { return Vec::new() };
        let mut asked = BTreeSet::new();
        for hit in hits {
            let Some(package) = lockfile.packages.get(hit.package) else { continue };
            let version = package.version.to_string();
            let same = build.components.values().filter(|one| one.name == package.name && one.version == version);
            let is_linked =
                |purl: &str| build.artifacts.iter().any(|artifact| artifact.linked.iter().any(|one| one.purl == purl));
            for component in same.filter(|one| is_linked(&one.purl)) {
                for function in hit.advisory.affects.functions_of(&package.version) {
                    let (purl, function) = (component.purl.clone(), function.to_owned());
                    let path = self.path(&component.name, &purl, &function);
                    asked.insert((Asked { purl, function }, path));
                }
            }
        }
        asked.into_iter().collect()
    }

    /// With the crate's own name in the place of the package's: `kamadak_exif::Reader` is `exif::Reader` in symbols.
    fn path(&self, package: &str, purl: &str, function: &str) -> Path {
        let path = Path::parse(function);
        let library = self.units.iter().filter(|unit| unit.purl == purl).find_map(|unit| unit.library.as_deref());
        match library {
            Some(library) if path.crate_name() == package.replace('-', "_") => path.in_crate(library),
            _ => path,
        }
    }
}
