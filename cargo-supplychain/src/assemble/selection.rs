//! Which packages, targets and features `cargo build` takes for its arguments: cargo's own rules over the package graph.

use guppy::PackageId;
use guppy::graph::cargo::CargoResolverVersion;
use guppy::graph::feature::{FeatureId, FeatureLabel, FeatureSet, StandardFeatures};
use guppy::graph::{DependencyDirection, PackageGraph, PackageMetadata};

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

    pub(super) fn guppy(self) -> CargoResolverVersion {
        match self {
            Self::V1 => CargoResolverVersion::V1,
            Self::V2 => CargoResolverVersion::V2,
            Self::V3 => CargoResolverVersion::V3,
        }
    }
}

/// The selected packages, with the features that the invocation turns on.
pub(super) struct Selected<'g> {
    pub packages: Vec<PackageMetadata<'g>>,
    /// Features of all selected packages together, and of what `pkg/feature` names: what unification starts from.
    pub features: FeatureSet<'g>,
}

pub(super) fn resolve<'g>(graph: &'g PackageGraph, evidence: &Evidence<'_>) -> Result<Selected<'g>, Error> {
    let packages = packages(graph, evidence)?;
    let features = features(graph, &packages, evidence)?;
    Ok(Selected { packages, features })
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

fn features<'g>(
    graph: &'g PackageGraph,
    packages: &[PackageMetadata<'g>],
    evidence: &Evidence<'_>,
) -> Result<FeatureSet<'g>, Error> {
    let selection = evidence.selection;
    let mut ids: Vec<FeatureId<'g>> = Vec::new();
    let mut sets = graph.feature_graph().resolve_none();
    // Before resolver 2, features on the command line belong to the package of the working folder only; the other selected members
    // get their default features, unless all are asked for.
    let old_root = (evidence.resolver == Resolver::V1).then(|| current_package(graph, evidence)).flatten();
    let mut unknown: Vec<&str> = selection.features.iter().map(String::as_str).collect();
    for package in packages {
        let foreign = old_root.is_some_and(|root| root != package.id());
        let filter = if selection.all_features {
            StandardFeatures::All
        } else if selection.no_default_features && !foreign {
            StandardFeatures::None
        } else {
            StandardFeatures::Default
        };
        sets = sets.union(&package.to_feature_set(filter));
        for feature in &selection.features {
            let asked = requested(graph, packages, package, feature, foreign);
            if !asked.is_empty() || selection.all_features {
                unknown.retain(|name| name != feature);
            }
            ids.extend(asked);
        }
    }
    if let Some(feature) = unknown.first() {
        return Err(Error::UnknownFeature { feature: (*feature).to_owned() });
    }
    let asked = graph.feature_graph().resolve_ids(ids).map_err(|error| Error::Metadata(error.to_string()))?;
    Ok(close_inside(graph, &sets.union(&asked)))
}

fn current_package<'g>(graph: &'g PackageGraph, evidence: &Evidence<'_>) -> Option<&'g PackageId> {
    graph.workspace().iter().find(|member| member.manifest_path() == evidence.manifest).map(|member| member.id())
}

/// What `feature` on the command line turns on for one selected package: a feature of its own, or with `name/feature` a feature of
/// the member `name`, and of a dependency `name` of any selected member, which is activated when it is optional (correction 4).
fn requested<'g>(
    graph: &'g PackageGraph,
    packages: &[PackageMetadata<'g>],
    package: &PackageMetadata<'g>,
    feature: &str,
    foreign: bool,
) -> Vec<FeatureId<'g>> {
    let own = |package: &PackageMetadata<'g>, name: &str| {
        package.named_features().find(|known| *known == name).map(|known| FeatureId::named(package.id(), known))
    };
    let Some((dependency, feature)) = feature.split_once('/') else {
        return if foreign { Vec::new() } else { own(package, feature).into_iter().collect() };
    };
    let mut ids = Vec::new();
    if packages.iter().any(|member| member.name() == dependency) && package.name() == dependency {
        ids.extend(own(package, feature));
    }
    if foreign {
        return ids;
    }
    for link in package.direct_links().filter(|link| link.dep_name() == dependency) {
        let optional = FeatureId::optional_dependency(package.id(), link.dep_name());
        if graph.feature_graph().contains(optional) {
            ids.push(optional);
            ids.extend(own(package, link.dep_name()));
        }
        ids.extend(own(&link.to(), feature));
    }
    ids
}

/// Closes features within each package, so that a selected proc macro, which the graph library starts on the host side, carries all
/// that its features imply (correction 2).
fn close_inside<'g>(graph: &'g PackageGraph, features: &FeatureSet<'g>) -> FeatureSet<'g> {
    let ids: Vec<_> = features.feature_ids(DependencyDirection::Forward).collect();
    let Ok(query) = graph.feature_graph().query_forward(ids) else { return features.clone() };
    query.resolve_with_fn(|_, link| {
        let (from, to) = link.endpoints();
        from.package_id() == to.package_id()
    })
}

impl<'g> Selected<'g> {
    /// The features of one selected package.
    pub(super) fn features_of(&self, package: &PackageMetadata<'g>) -> FeatureSet<'g> {
        self.features.filter(DependencyDirection::Forward, |feature| feature.package_id() == package.id())
    }

    /// Whether a named feature is on for the package.
    pub(super) fn has_feature(features: &FeatureSet<'g>, package: &PackageMetadata<'g>, name: &str) -> bool {
        features.contains(FeatureId::new(package.id(), FeatureLabel::Named(name))).unwrap_or(false)
    }

    /// Name and version of the release (docs/release-folder.md).
    pub(super) fn release_name(&self, graph: &'g PackageGraph, evidence: &Evidence<'_>) -> (String, String) {
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
