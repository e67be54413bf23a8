//! What is compiled for one target of a package, and for which side: cargo's unit graph, walked without being built.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::{Declared, Index, Kind, Library};
use super::features::{Features, Side};

/// The kinds of roots that differ in what they need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Root {
    Library,
    Binary,
    /// An example or a test, which may use dev-dependencies.
    WithDev,
    /// The library's own tests.
    LibraryTest,
}

/// All that one root needs.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Compiled into the root, with the side whose features count: the host's for a released proc macro.
    pub linked: BTreeSet<(Index, Side)>,
    /// Compiled to be run by the build: whether a build script needs it, or proc macros only.
    pub host: BTreeMap<(Index, Side), bool>,
    /// Who needs whom.
    pub edges: BTreeSet<(Index, Index)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Linked,
    ProcMacro,
    BuildScript,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Library,
    /// Needs the library of its own package.
    Executable {
        dev: bool,
    },
    LibraryTest,
    BuildScript,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Unit {
    package: Index,
    what: What,
    /// Whether it is compiled by the host's rules for platforms.
    on_host: bool,
    /// Whose features it has.
    features: Side,
    part: Part,
}

/// Walks from a root.
pub(super) fn reach(declared: &Declared, features: &Features<'_>, package: Index, root: Root) -> Reached {
    let is_macro = declared.packages[package].is_proc_macro() && matches!(root, Root::Library | Root::LibraryTest);
    let root = Unit {
        package,
        what: match root {
            Root::Library => What::Library,
            Root::Binary => What::Executable { dev: false },
            Root::WithDev => What::Executable { dev: true },
            Root::LibraryTest => What::LibraryTest,
        },
        on_host: is_macro,
        features: if is_macro { Side::Host } else { Side::Target },
        part: Part::Linked,
    };
    let mut reached = Reached::default();
    let mut seen = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(unit) = open.pop() {
        record(&mut reached, unit);
        for next in needed(declared, features, unit) {
            if next.package != unit.package {
                reached.edges.insert((unit.package, next.package));
            }
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}

fn record(reached: &mut Reached, unit: Unit) {
    let key = (unit.package, unit.features);
    match (unit.what, unit.part) {
        (What::BuildScript, _) => {}
        (_, Part::Linked) => {
            reached.linked.insert(key);
        }
        (_, part) => *reached.host.entry(key).or_default() |= part == Part::BuildScript,
    }
}

/// The units that a unit needs.
fn needed(declared: &Declared, features: &Features<'_>, unit: Unit) -> Vec<Unit> {
    let package = &declared.packages[unit.package];
    let may_use_dev =
        matches!(unit.what, What::Executable { dev: true } | What::LibraryTest) && features.follows_dev(unit.package);
    let mut needed = Vec::new();
    for dependency in &package.dependencies {
        let fits = match dependency.kind {
            Kind::Build => unit.what == What::BuildScript,
            Kind::Normal => unit.what != What::BuildScript,
            Kind::Dev => may_use_dev,
        };
        let is_on_platform = if unit.on_host { dependency.on_host } else { dependency.on_target };
        let is_on = !dependency.optional || features.has_dependency(unit.package, unit.features, &dependency.name);
        if fits && is_on_platform && is_on && declared.packages[dependency.to].library.is_some() {
            needed.push(library_of(declared, dependency.to, unit));
        }
    }
    if package.has_build_script && unit.what != What::BuildScript {
        needed.push(Unit { what: What::BuildScript, on_host: true, part: Part::BuildScript, ..unit });
    }
    if matches!(unit.what, What::Executable { .. }) && matches!(package.library, Some(Library::Rust | Library::ProcMacro)) {
        needed.push(library_of(declared, unit.package, unit));
    }
    needed
}

/// The library of `package`, as `by` needs it.
fn library_of(declared: &Declared, package: Index, by: Unit) -> Unit {
    let is_macro = declared.packages[package].is_proc_macro();
    let for_host = is_macro || by.what == What::BuildScript;
    Unit {
        package,
        what: What::Library,
        on_host: by.on_host || is_macro,
        features: if for_host { Side::Host } else { by.features },
        part: if is_macro { Part::ProcMacro } else { by.part },
    }
}
