//! Which features and optional dependencies are on, for which side: cargo's feature resolver (The Cargo Book, "Feature resolver version
//! 2"), as a fixed point over the declarations.

use std::collections::{BTreeMap, BTreeSet};

use super::declared::{Declared, Dependency, FeatureValue, Index, Kind};
use super::selection::Resolver;

/// For whom a package is compiled. Before resolver 2 everything is [`Side::Target`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Target,
    /// Proc macros, dependencies of build scripts, and all below them.
    Host,
}

/// What starts the resolution.
#[derive(Debug)]
pub(super) struct Requested {
    /// The selected members and what is asked of each.
    pub members: BTreeMap<Index, Vec<FeatureValue>>,
    /// Whether tests, benches or examples are built, which unifies the features of dev-dependencies (correction 3).
    pub dev_units: bool,
}

type Names = BTreeMap<(Index, Side), BTreeSet<String>>;

/// The resolution's result.
#[derive(Debug)]
pub(super) struct Features<'a> {
    declared: &'a Declared,
    requested: &'a Requested,
    /// Whether host and target are apart.
    apart: bool,
    features: Names,
    dependencies: Names,
    opened: BTreeSet<(Index, Side)>,
    /// `name?/feature` whose dependency is not on yet.
    deferred: BTreeMap<(Index, Side, String), BTreeSet<String>>,
    open: Vec<Task>,
}

/// A worklist instead of recursion: a chain of dependencies is as long as others make it.
#[derive(Debug)]
enum Task {
    Package(Index, Side),
    Value(Index, Side, FeatureValue),
}

impl<'a> Features<'a> {
    pub(super) fn resolve(declared: &'a Declared, requested: &'a Requested, resolver: Resolver) -> Self {
        let mut this = Self {
            declared,
            requested,
            apart: resolver != Resolver::V1,
            features: Names::new(),
            dependencies: Names::new(),
            opened: BTreeSet::new(),
            deferred: BTreeMap::new(),
            open: Vec::new(),
        };
        for (&member, values) in &requested.members {
            this.want(member, Side::Target, values.iter().cloned());
            // A selected proc macro is resolved for both: it may have binaries (correction 2).
            if this.apart && declared.packages[member].is_proc_macro() {
                this.want(member, Side::Host, values.iter().cloned());
            }
        }
        while let Some(task) = this.open.pop() {
            match task {
                Task::Package(package, side) => this.open_package(package, side),
                Task::Value(package, side, FeatureValue::Feature(name)) => this.turn_on(package, side, name),
                Task::Value(package, side, FeatureValue::Dependency(name)) => this.turn_on_dependency(package, side, &name),
                Task::Value(package, side, FeatureValue::OfDependency { name, feature, weak }) => {
                    this.turn_on_in_dependency(package, side, &name, &feature, weak);
                }
            }
        }
        this
    }

    fn want(&mut self, package: Index, side: Side, values: impl Iterator<Item = FeatureValue>) {
        self.features.entry((package, side)).or_default();
        self.open.extend(values.map(|value| Task::Value(package, side, value)));
        self.open.push(Task::Package(package, side));
    }

    /// The dependencies of a package that take part in the resolution, with the side that each is for.
    fn active(&self, package: Index, side: Side) -> Vec<(&'a Dependency, Side)> {
        let declared = self.declared;
        let next = |dependency: &Dependency| {
            let for_host = dependency.kind == Kind::Build || declared.packages[dependency.to].is_proc_macro();
            if self.apart && for_host { Side::Host } else { side }
        };
        declared.packages[package]
            .dependencies
            .iter()
            // Resolver 1 looks at no platform.
            .filter(|dependency| {
                let on_host = dependency.kind == Kind::Build || side == Side::Host;
                !self.apart || if on_host { dependency.on_host } else { dependency.on_target }
            })
            .filter(|dependency| dependency.kind != Kind::Dev || self.follows_dev(package))
            .map(|dependency| (dependency, next(dependency)))
            .collect()
    }

    /// Dev-dependencies are those of selected members. Since resolver 2 they count only where something is built that may use them
    /// (correction 3).
    pub(super) fn follows_dev(&self, package: Index) -> bool {
        (!self.apart || self.requested.dev_units) && self.requested.members.contains_key(&package)
    }

    fn want_dependency(&mut self, dependency: &Dependency, side: Side) {
        let default = self.declared.packages[dependency.to].default_feature().filter(|_| dependency.default_features);
        self.want(dependency.to, side, dependency.features.iter().cloned().chain(default));
    }

    fn open_package(&mut self, package: Index, side: Side) {
        if !self.opened.insert((package, side)) {
            return;
        }
        for (dependency, side) in self.active(package, side) {
            if !dependency.optional {
                self.want_dependency(dependency, side);
            }
        }
    }

    fn turn_on(&mut self, package: Index, side: Side, name: String) {
        let values = self.declared.packages[package].features.get(&name);
        if self.features.entry((package, side)).or_default().insert(name) {
            let values = values.into_iter().flatten().cloned();
            self.open.extend(values.map(|value| Task::Value(package, side, value)));
        }
    }

    fn turn_on_dependency(&mut self, package: Index, side: Side, name: &str) {
        let deferred = self.deferred.remove(&(package, side, name.to_owned())).unwrap_or_default();
        for (dependency, side) in self.active(package, side).into_iter().filter(|(dependency, _)| dependency.name == name) {
            let values = deferred.iter().map(|feature| FeatureValue::parse(feature));
            self.open.extend(values.map(|value| Task::Value(dependency.to, side, value)));
        }
        if self.dependencies.entry((package, side)).or_default().insert(name.to_owned()) {
            for (dependency, side) in self.active(package, side).into_iter().filter(|(dependency, _)| dependency.name == name) {
                self.want_dependency(dependency, side);
            }
        }
    }

    fn turn_on_in_dependency(&mut self, package: Index, side: Side, name: &str, feature: &str, weak: bool) {
        for (dependency, of_dependency) in
            self.active(package, side).into_iter().filter(|(dependency, _)| dependency.name == name)
        {
            if dependency.optional {
                if weak && !self.has_dependency(package, side, name) {
                    self.deferred.entry((package, side, name.to_owned())).or_default().insert(feature.to_owned());
                    continue;
                }
                self.open.push(Task::Value(package, side, FeatureValue::Dependency(name.to_owned())));
                // `name/feature` turns the feature `name` on too, where `dep:name` does not hide it.
                if !weak && self.declared.packages[package].features.contains_key(name) {
                    self.open.push(Task::Value(package, side, FeatureValue::Feature(name.to_owned())));
                }
            }
            self.open.push(Task::Value(dependency.to, of_dependency, FeatureValue::parse(feature)));
        }
    }

    fn key(&self, package: Index, side: Side) -> (Index, Side) {
        (package, if self.apart { side } else { Side::Target })
    }

    /// The features that are on.
    pub(super) fn of(&self, package: Index, side: Side) -> Vec<String> {
        self.features.get(&self.key(package, side)).into_iter().flatten().cloned().collect()
    }

    fn has(&self, package: Index, side: Side, name: &str) -> bool {
        self.features.get(&self.key(package, side)).is_some_and(|names| names.contains(name))
    }

    /// Whether an optional dependency is on.
    pub(super) fn has_dependency(&self, package: Index, side: Side, name: &str) -> bool {
        self.dependencies.get(&self.key(package, side)).is_some_and(|names| names.contains(name))
    }

    /// Whether an entry of `required-features` is fulfilled: a feature, or `dependency/feature`.
    pub(super) fn fulfils(&self, package: Index, required: &str) -> bool {
        let Some((name, feature)) = required.split_once('/') else { return self.has(package, Side::Target, required) };
        self.declared.packages[package].dependencies.iter().filter(|dependency| dependency.name == name).any(|dependency| {
            let for_host = dependency.kind == Kind::Build || self.declared.packages[dependency.to].is_proc_macro();
            self.has(dependency.to, if for_host { Side::Host } else { Side::Target }, feature)
        })
    }
}
