//! Which packages, targets and features `cargo build` takes for its arguments: cargo's own rules over the package graph.

use std::collections::{BTreeMap, BTreeSet};

use guppy::graph::{PackageGraph, PackageMetadata};

use super::declared::{Declared, FeatureValue, Index};
use super::features::Requested;
use super::{Error, Evidence};
use crate::model::Selection;

/// The feature resolver of the workspace (The Cargo Book, "Resolver versions").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolver {
    V1,
    V2,
    V3,
}

impl Resolver {
    /// Of the root manifest: `workspace.resolver`, `package.resolver`, else by the edition of the root package; a virtual workspace
    /// without `resolver` is version 1.
    #[must_use]
    pub fn of_root_manifest(manifest: &toml::Table) -> Self {
        let table = |name: &str| manifest.get(name).and_then(toml::Value::as_table);
        let text = |table: Option<&toml::Table>, key: &str| {
            table.and_then(|table| table.get(key)).and_then(toml::Value::as_str).map(str::to_owned)
        };
        let (workspace, package) = (table("workspace"), table("package"));
        let inherited =
            || text(workspace.and_then(|workspace| workspace.get("package")).and_then(toml::Value::as_table), "edition");
        let edition = package.map(|_| text(package, "edition").or_else(inherited).unwrap_or_default()).unwrap_or_default();
        match text(workspace, "resolver").or_else(|| text(package, "resolver")).as_deref() {
            Some("1") => Self::V1,
            Some("2") => Self::V2,
            Some(_) => Self::V3,
            None => match edition.as_str() {
                "" | "2015" | "2018" => Self::V1,
                "2021" => Self::V2,
                _ => Self::V3,
            },
        }
    }
}

/// The selected packages, with what the invocation asks of them.
pub(super) struct Selected<'g> {
    pub packages: Vec<PackageMetadata<'g>>,
    /// What unification starts from: the selected packages, and before resolver 2 the package of the working folder.
    pub requested: Requested,
}

pub(super) fn resolve<'g>(graph: &'g PackageGraph, declared: &Declared, evidence: &Evidence<'_>) -> Result<Selected<'g>, Error> {
    let packages = packages(graph, evidence)?;
    let members = features(graph, declared, &packages, evidence)?;
    Ok(Selected { packages, requested: Requested { members, dev_units: evidence.selection.dev_units() } })
}

fn packages<'g>(graph: &'g PackageGraph, evidence: &Evidence<'_>) -> Result<Vec<PackageMetadata<'g>>, Error> {
    let selection = evidence.selection;
    let members: Vec<_> = graph.workspace().iter().collect();
    let unknown = |spec: &str| Error::UnknownPackage {
        spec: spec.to_owned(),
        members: members.iter().map(|member| member.name().to_owned()).collect(),
    };
    let matching = |spec: &String| {
        let found: Vec<_> = members.iter().copied().filter(|member| matches_spec(spec, member)).collect();
        if found.is_empty() { Err(unknown(spec)) } else { Ok(found) }
    };
    let mut chosen = if selection.workspace {
        let mut excluded = Vec::new();
        for spec in &selection.exclude {
            excluded.extend(matching(spec)?.iter().map(PackageMetadata::id));
        }
        members.iter().copied().filter(|member| !excluded.contains(&member.id())).collect()
    } else if selection.packages.is_empty() {
        match members.iter().find(|member| member.manifest_path() == evidence.manifest) {
            Some(member) if member.manifest_path().parent() != Some(graph.workspace().root()) => vec![*member],
            _ => graph.workspace().default_members().collect(),
        }
    } else {
        let mut chosen = Vec::new();
        for spec in &selection.packages {
            chosen.extend(matching(spec)?);
        }
        chosen
    };
    chosen.sort_by_key(|member| (member.name(), member.id()));
    chosen.dedup_by_key(|member| member.id());
    Ok(chosen)
}

/// Package id specifications (The Cargo Book): a name, `name@version` with a partial version, `name:version`, an id, or a pattern.
fn matches_spec(spec: &str, package: &PackageMetadata<'_>) -> bool {
    if spec.contains("://") {
        let id = package.id().repr();
        return id == spec || id.split('#').next() == Some(spec);
    }
    let (name, version) = match spec.split_once(['@', ':']) {
        Some((name, version)) => (name, Some(version)),
        None => (spec, None),
    };
    let has_version = |version: &str| {
        let own = package.version().to_string();
        own == version || own.strip_prefix(version).is_some_and(|rest| rest.starts_with(['.', '-', '+']))
    };
    matches_pattern(name, package.name()) && version.is_none_or(has_version)
}

/// `*` and `?` as in cargo's package patterns; `[…]` character classes.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    fn go(pattern: &[char], name: &[char]) -> bool {
        match (pattern.first(), name.first()) {
            (None, None) => true,
            (Some('*'), _) => go(&pattern[1..], name) || (!name.is_empty() && go(pattern, &name[1..])),
            (Some('?'), Some(_)) => go(&pattern[1..], &name[1..]),
            (Some('['), Some(character)) => {
                let Some(end) = pattern.iter().position(|&one| one == ']') else { return false };
                let (negated, class) = match pattern[1..end].split_first() {
                    Some(('!', rest)) => (true, rest),
                    _ => (false, &pattern[1..end]),
                };
                (class.contains(character) != negated) && go(&pattern[end + 1..], &name[1..])
            }
            (Some(one), Some(other)) if one == other => go(&pattern[1..], &name[1..]),
            _ => false,
        }
    }
    let is_pattern = pattern.contains(['*', '?', '[']);
    if !is_pattern {
        return pattern == name;
    }
    // A crate name is at most 64 characters; a longer pattern only costs time.
    pattern.len() <= 256 && go(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
}

type ByMember = BTreeMap<Index, Vec<FeatureValue>>;

/// What is asked of each member (correction 4). Features on the command line go to every selected package that has them; before
/// resolver 2, where the working folder belongs to a package, to that package, which takes part even where it is not selected.
fn features(
    graph: &PackageGraph,
    declared: &Declared,
    packages: &[PackageMetadata<'_>],
    evidence: &Evidence<'_>,
) -> Result<ByMember, Error> {
    let index = |package: &PackageMetadata<'_>| {
        declared.index(package.id()).ok_or_else(|| Error::Metadata(format!("package {} is missing", package.id().repr())))
    };
    let selected = packages.iter().map(index).collect::<Result<BTreeSet<Index>, _>>()?;
    let current = graph.workspace().iter().find(|member| member.manifest_path() == evidence.manifest);
    match current {
        Some(current) if evidence.resolver == Resolver::V1 => {
            features_of_current(declared, &selected, index(&current)?, evidence.selection)
        }
        _ => features_of_all(declared, &selected, evidence.selection),
    }
}

fn asked(
    declared: &Declared,
    package: Index,
    selection: &Selection,
    default: bool,
    named: BTreeSet<FeatureValue>,
) -> Vec<FeatureValue> {
    let package = &declared.packages[package];
    let mut values = named;
    if selection.all_features {
        values.extend(package.all_features());
    }
    values.extend(package.default_feature().filter(|_| default));
    values.into_iter().collect()
}

fn features_of_all(declared: &Declared, selected: &BTreeSet<Index>, selection: &Selection) -> Result<ByMember, Error> {
    let mut unknown: BTreeSet<&str> = selection.features.iter().map(String::as_str).collect();
    let mut members = ByMember::new();
    for &index in selected {
        let mut named = BTreeSet::new();
        for feature in &selection.features {
            if let Some(value) = matching(declared, index, feature) {
                unknown.remove(feature.as_str());
                named.insert(value);
            }
        }
        members.insert(index, asked(declared, index, selection, !selection.no_default_features, named));
    }
    match unknown.first() {
        Some(feature) => Err(Error::UnknownFeature { feature: (*feature).to_owned() }),
        None => Ok(members),
    }
}

/// What a feature of the command line means for one member: `dependency/feature`, its own feature, or, by its own name, the same.
fn matching(declared: &Declared, member: Index, feature: &str) -> Option<FeatureValue> {
    let package = &declared.packages[member];
    let value = FeatureValue::parse(feature);
    match &value {
        FeatureValue::Feature(name) if package.knows(name) => Some(value),
        FeatureValue::OfDependency { name, .. } if package.depends_on(name) => Some(value),
        FeatureValue::OfDependency { name, feature, .. } if *name == package.name && package.knows(feature) => {
            Some(FeatureValue::Feature(feature.clone()))
        }
        _ => None,
    }
}

fn features_of_current(
    declared: &Declared,
    selected: &BTreeSet<Index>,
    current: Index,
    selection: &Selection,
) -> Result<ByMember, Error> {
    let mut named: BTreeMap<Index, BTreeSet<FeatureValue>> = BTreeMap::new();
    for feature in &selection.features {
        let value = FeatureValue::parse(feature);
        let member = match &value {
            FeatureValue::OfDependency { name, .. } => {
                selected.iter().copied().find(|&member| member != current && declared.packages[member].name == *name)
            }
            _ => None,
        };
        let (member, value) = match (member, value) {
            (Some(member), FeatureValue::OfDependency { feature, .. }) => (member, FeatureValue::Feature(feature)),
            (_, value) => (current, value),
        };
        let package = &declared.packages[member];
        let is_known = match &value {
            FeatureValue::Feature(name) | FeatureValue::Dependency(name) => package.knows(name),
            FeatureValue::OfDependency { name, .. } => package.depends_on(name),
        };
        if !is_known {
            return Err(Error::UnknownFeature { feature: feature.clone() });
        }
        named.entry(member).or_default().insert(value);
    }
    let members: BTreeSet<Index> = selected.iter().copied().chain([current]).collect();
    let members = members.into_iter().map(|member| {
        let default = member != current || !selection.no_default_features;
        (member, asked(declared, member, selection, default, named.remove(&member).unwrap_or_default()))
    });
    Ok(members.collect())
}

impl Selected<'_> {
    /// Name and version of the release (docs/release-folder.md).
    pub(super) fn release_name(&self, graph: &PackageGraph, evidence: &Evidence<'_>) -> (String, String) {
        let release = evidence.release;
        let (name, version) = if let [package] = self.packages.as_slice() {
            (package.name().to_owned(), package.version().to_string())
        } else {
            let name = graph.workspace().root().file_name().unwrap_or("workspace").to_owned();
            let first = self.packages.first().map(|package| package.version().to_string());
            let common = first.filter(|first| self.packages.iter().all(|package| package.version().to_string() == *first));
            let commit = evidence.source.commit.as_deref().map_or("unknown", |commit| &commit[..commit.len().min(12)]);
            (name, common.unwrap_or_else(|| format!("0.0.0+{commit}")))
        };
        match self.packages.as_slice() {
            // One selected package names the release by itself.
            [_] => (name, version),
            _ => (release.name.clone().unwrap_or(name), release.version.clone().unwrap_or(version)),
        }
    }
}

/// Whether a target is selected by cargo's target filters; `default_set` is what cargo builds when no target is named.
pub(super) fn wants(selection: &Selection, id: guppy::graph::BuildTargetId<'_>) -> bool {
    use guppy::graph::BuildTargetId as Id;
    if !selection.names_targets() {
        return matches!(id, Id::Library | Id::Binary(_));
    }
    let named = |names: &[String], name: &str| names.iter().any(|pattern| matches_pattern(pattern, name));
    match id {
        Id::Library => selection.lib || selection.all_targets,
        Id::Binary(name) => selection.bins || selection.all_targets || named(&selection.bin, name),
        Id::Example(name) => selection.examples || selection.all_targets || named(&selection.example, name),
        _ => false,
    }
}

/// Whether a target is compiled as a test or benchmark, which may use dev-dependencies. Which targets opt out (`test = false`) is not
/// asked: their packages are compiled all the same.
pub(super) fn wants_test(selection: &Selection, id: guppy::graph::BuildTargetId<'_>) -> bool {
    use guppy::graph::BuildTargetId as Id;
    let named = |names: &[String], name: &str| names.iter().any(|pattern| matches_pattern(pattern, name));
    match id {
        Id::Library | Id::Binary(_) => selection.tests || selection.benches || selection.all_targets,
        Id::Test(name) => selection.tests || selection.all_targets || named(&selection.test, name),
        Id::Benchmark(name) => selection.benches || selection.all_targets || named(&selection.bench, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolver_follows_the_root_manifest() {
        for (manifest, resolver) in [
            ("[workspace]", Resolver::V1),
            ("[workspace]\nresolver = \"2\"", Resolver::V2),
            ("[package]\nedition = \"2018\"", Resolver::V1),
            ("[package]\nedition = \"2021\"", Resolver::V2),
            ("[package]\nedition = \"2024\"", Resolver::V3),
            ("[package]\nedition = \"2021\"\nresolver = \"1\"", Resolver::V1),
            ("[package]\nedition.workspace = true\n[workspace.package]\nedition = \"2021\"", Resolver::V2),
            ("[package]\nname = \"a\"", Resolver::V1),
        ] {
            assert_eq!(Resolver::of_root_manifest(&manifest.parse().unwrap()), resolver, "{manifest}");
        }
    }

    #[test]
    fn patterns() {
        for (pattern, name, matches) in [
            ("rg", "rg", true),
            ("r*", "rg", true),
            ("*-cli", "nu-cli", true),
            ("r?", "rgx", false),
            ("nu-[cp]*", "nu-parser", true),
            ("nu-[!c]*", "nu-cli", false),
            ("nu-[", "nu-c", false),
        ] {
            assert_eq!(matches_pattern(pattern, name), matches, "{pattern} {name}");
        }
    }
}
