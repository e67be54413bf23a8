//! Joins a plan with what cargo said and with the files that it produced.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;

use super::{Error, Plan, native};
use crate::model::events::{BuildEvents, BuiltTarget};
use crate::model::native::NativeFacts;
use crate::model::{Artifact, ArtifactFile, ArtifactKind, Build, Gap};

/// A file that cargo produced for a planned artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducedFile {
    /// The artifact's name.
    pub artifact: String,
    /// Where cargo put it.
    pub path: Utf8PathBuf,
    /// Its name in the release.
    pub file_name: String,
}

/// Finds the file of each planned artifact in cargo's messages. Paths are never guessed; an artifact that cargo did not report is a
/// planned one that was not built, which is an error of the plan: it is left out here and told by [`complete`].
pub fn produced(plan: &Plan, events: &BuildEvents) -> Result<Vec<ProducedFile>, Error> {
    let mut files = Vec::new();
    let mut names = BTreeSet::new();
    for artifact in plan.build.artifacts.iter().filter(|artifact| artifact.kind != ArtifactKind::Crate) {
        let built = events.targets.iter().filter(|target| !target.is_test && is_target_of(plan, artifact, target));
        let Some(path) = built.filter_map(|target| file_of(artifact.kind, target)).next() else { continue };
        let file_name = path.file_name().unwrap_or(&artifact.name).to_owned();
        if !names.insert(file_name.to_lowercase()) {
            return Err(Error::SameFileName(file_name));
        }
        files.push(ProducedFile { artifact: artifact.name.clone(), path, file_name });
    }
    Ok(files)
}

fn is_target_of(plan: &Plan, artifact: &Artifact, target: &BuiltTarget) -> bool {
    let kind = match artifact.kind {
        ArtifactKind::Bin => "bin",
        ArtifactKind::Example => "example",
        ArtifactKind::Cdylib => "cdylib",
        ArtifactKind::Dylib => "dylib",
        ArtifactKind::Staticlib => "staticlib",
        ArtifactKind::Crate | ArtifactKind::Derived => return false,
    };
    let same_name =
        artifact.name == target.name || artifact.name.strip_prefix(&target.name).is_some_and(|rest| rest.starts_with('-'));
    same_name
        && target.kinds.iter().any(|one| one == kind)
        && plan.purls.get(&target.package_id).is_some_and(|purl| *purl == artifact.package)
}

/// Binaries have an `executable`; libraries are told by their file's ending.
fn file_of(kind: ArtifactKind, target: &BuiltTarget) -> Option<Utf8PathBuf> {
    let with_ending = |endings: &[&str]| {
        target.files.iter().find(|file| file.extension().is_some_and(|ending| endings.contains(&ending))).cloned()
    };
    match kind {
        ArtifactKind::Bin | ArtifactKind::Example => target.executable.clone(),
        ArtifactKind::Cdylib => with_ending(&["so", "dylib", "dll", "wasm"]),
        ArtifactKind::Dylib => with_ending(&["so", "dylib", "dll"]),
        ArtifactKind::Staticlib => with_ending(&["a", "lib"]),
        ArtifactKind::Crate | ArtifactKind::Derived => None,
    }
}

/// The complete build: files with their digests (by artifact name), native libraries, and the disagreements of plan and messages.
pub fn complete(plan: Plan, events: &BuildEvents, files: &BTreeMap<String, ArtifactFile>, facts: &NativeFacts) -> Build {
    let mut gaps = self_check(&plan, events);
    let native = native::after_build(&plan.build, &plan.purls, &events.scripts, facts, &mut gaps);
    let Plan { mut build, .. } = plan;
    for (artifact, native) in build.artifacts.iter_mut().zip(native) {
        artifact.native = native;
        artifact.file = files.get(&artifact.name).cloned();
        if artifact.file.is_none() {
            gaps.push(Gap {
                subject: artifact.name.clone(),
                message: "planned, but cargo did not report it as built".to_owned(),
            });
        }
    }
    build.artifacts.retain(|artifact| artifact.file.is_some());
    build.gaps.extend(gaps);
    build.gaps.sort();
    build.gaps.dedup();
    build
}

/// An artifact that a command of the user's made from the build: everything that went into any artifact went into it.
#[must_use]
pub fn derived(build: &Build, file: ArtifactFile) -> Artifact {
    let mut artifact = Artifact {
        name: file.name.clone(),
        kind: ArtifactKind::Derived,
        package: String::new(),
        linked: Vec::new(),
        host: Vec::new(),
        dependencies: BTreeMap::new(),
        native: Vec::new(),
        file: Some(file),
    };
    for built in build.artifacts.iter().filter(|artifact| artifact.kind != ArtifactKind::Derived) {
        artifact.linked.extend(built.linked.iter().cloned());
        artifact.host.extend(built.host.iter().cloned());
        artifact.native.extend(built.native.iter().cloned());
        for (from, to) in &built.dependencies {
            let all = artifact.dependencies.entry(from.clone()).or_default();
            all.extend(to.iter().cloned());
            all.sort();
            all.dedup();
        }
    }
    for uses in [&mut artifact.linked, &mut artifact.host] {
        uses.sort();
        uses.dedup_by(|later, earlier| later.purl == earlier.purl);
    }
    artifact.native = native::united(artifact.native);
    artifact
}

/// The (package, features) pairs of cargo's messages, build scripts apart, have to be those that the plan says (docs/accuracy.md).
fn self_check(plan: &Plan, events: &BuildEvents) -> Vec<Gap> {
    let is_unit = |target: &&BuiltTarget| !target.kinds.iter().any(|kind| kind == "custom-build");
    let said: BTreeSet<_> =
        events.targets.iter().filter(is_unit).map(|target| (target.package_id.clone(), target.features.clone())).collect();
    let expected: BTreeSet<_> = plan.expected.iter().cloned().collect();
    let gap = |(id, features): &(String, Vec<String>), message: &str| Gap {
        // An unknown package id may hold a path of this machine: only its fragment is said.
        subject: plan.purls.get(id).cloned().unwrap_or_else(|| id.rsplit('#').next().unwrap_or(id).to_owned()),
        message: format!("{message} (features: {})", if features.is_empty() { "none".to_owned() } else { features.join(", ") }),
    };
    let compiled =
        said.difference(&expected).map(|pair| gap(pair, "cargo compiled it, the dependency graph does not explain it"));
    let missing = expected.difference(&said).map(|pair| gap(pair, "the dependency graph has it, cargo did not compile it"));
    compiled.chain(missing).collect()
}
