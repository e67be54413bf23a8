//! How far an advisory reaches into the build: what is compiled for which platform, what is linked, and which of the functions that it names.
//! Facts beside a finding: nothing here changes whether there is one, or how severe it is.

use super::Facts;
use crate::advisory::Advisory;
use crate::finding::{FunctionAnswer, FunctionReach, Reach, ReachAnswer};
use crate::model::surroundings::Platform;
use crate::model::{Artifact, Build, LockedPackage};

/// So many functions are named where nothing was compiled.
const MAX_NAMED: usize = 4;

/// What is known; none: the crate is linked, and the advisory is about all of it, or there is no plan to compare with.
pub(super) fn reach(facts: &Facts<'_>, advisory: &Advisory, package: &LockedPackage) -> Option<Reach> {
    if facts.archived.is_some() {
        return None;
    }
    let build = facts.build.ok().filter(|build| !build.artifacts.is_empty())?;
    let version = package.version.to_string();
    // Of several with this name and version any counts: nothing is said to be absent that a fork brings.
    let same = build.components.values().filter(|other| other.name == package.name && other.version == version);
    let same: Vec<&str> = same.map(|component| component.purl.as_str()).collect();
    if same.is_empty() {
        return None;
    }
    let place = Place::of(build, &same);
    if place.linked.is_empty() && place.host.is_empty() {
        return Some(Reach::of_crate(ReachAnswer::ResolvedOnly, "Cargo.lock names it, and nothing that is built needs it"));
    }
    if let Some(reach) = place.elsewhere(build, advisory) {
        return Some(reach);
    }
    if place.linked.is_empty() {
        let why = format!("a build script or procedural macro of {} needs it, no artifact does", names(&place.host));
        return Some(Reach::of_crate(ReachAnswer::BuildOnly, why));
    }
    let functions: Vec<&str> = advisory.affects.functions_of(&package.version).collect();
    (!functions.is_empty()).then(|| not_compiled(&functions))
}

/// Where a crate is, by artifact.
struct Place<'b> {
    linked: Vec<&'b Artifact>,
    host: Vec<&'b Artifact>,
}

impl<'b> Place<'b> {
    fn of(build: &'b Build, purls: &[&str]) -> Self {
        let having = |uses: fn(&Artifact) -> &[crate::model::Use]| {
            let has = |artifact: &&Artifact| uses(artifact).iter().any(|one| purls.contains(&one.purl.as_str()));
            build.artifacts.iter().filter(has).collect()
        };
        Self { linked: having(|artifact| &artifact.linked), host: having(|artifact| &artifact.host) }
    }

    /// Where the advisory is about none of the platforms that the crate is compiled for.
    fn elsewhere(&self, build: &Build, advisory: &Advisory) -> Option<Reach> {
        let sides = &build.invocation.sides;
        let of_target = (!self.linked.is_empty()).then_some(&sides.target);
        let of_host = (!self.host.is_empty()).then_some(&sides.host);
        let mut compiled_for: Vec<&Platform> = of_target.into_iter().chain(of_host).collect();
        compiled_for.dedup();
        let is_about = |platform: &&Platform| !platform.is_known() || advisory.affects.is_about(&platform.os, &platform.arch);
        if compiled_for.iter().any(is_about) {
            return None;
        }
        let triples: Vec<_> = compiled_for.iter().map(|platform| platform.triple.as_str()).collect();
        let why = format!("it is about {}, and this is compiled for {}", advisory.affects.platforms(), triples.join(" and "));
        Some(Reach::of_crate(ReachAnswer::OtherPlatform, why))
    }
}

fn names(artifacts: &[&Artifact]) -> String {
    artifacts.iter().map(|artifact| artifact.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn not_compiled(functions: &[&str]) -> Reach {
    let mut why = format!("nothing was compiled; it affects {}", functions[..functions.len().min(MAX_NAMED)].join(", "));
    if functions.len() > MAX_NAMED {
        why.push_str(&format!(" and {} more functions", functions.len() - MAX_NAMED));
    }
    let unknown =
        |function: &&str| FunctionReach { function: (*function).to_owned(), answer: FunctionAnswer::Unknown, why: String::new() };
    Reach::of_functions(functions.iter().map(unknown).collect(), why)
}
