//! What a bill of materials, a lockfile or a release lists, in one form: what `diff` compares and `affected` searches. Pure.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use packageurl::PackageUrl;

use super::{Acknowledgement, Bom, Kind, Part, Scope};
use crate::model::lockfile::CRATES_IO;
use crate::model::{LockedPackage, Lockfile};

/// One thing that is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What makes two versions the same thing: the package URL without version and qualifiers, else `name:` with group and name.
    pub key: String,
    pub name: String,
    pub version: String,
    /// Where it comes from, as a lockfile writes it; `None`: from a folder, or nothing is said.
    pub source: Option<String>,
    /// Whether the source is stated, and not what a package URL means where it says nothing.
    pub is_source_sure: bool,
    pub license: Option<String>,
    /// `None`: nothing is said.
    pub features: Option<Vec<String>>,
    /// Sorted.
    pub capabilities: Vec<String>,
    /// Names of native libraries nested in it, sorted.
    pub native: Vec<String>,
    /// Names of what it directly depends on, sorted, each once; `None`: nothing is said.
    pub dependencies: Option<Vec<String>>,
    /// `ALGORITHM:VALUE`, sorted.
    pub hashes: Vec<String>,
    pub scope: Scope,
}

/// The name and version of a package URL; `None` where the text is none.
#[must_use]
pub fn name_and_version(purl: &str) -> Option<(String, Option<String>)> {
    let parsed: PackageUrl<'_> = purl.parse().ok()?;
    Some((parsed.name().to_owned(), parsed.version().map(str::to_owned)))
}

/// The name, version and source of the crate that a package URL of a part names, the source as a lockfile writes it; `None`: no crate.
#[must_use]
pub fn crate_of(part: &Part, purl: &str) -> Option<(String, String, Option<String>)> {
    let parsed: PackageUrl<'_> = purl.parse().ok().filter(|purl: &PackageUrl<'_>| purl.ty() == "cargo")?;
    let version = parsed.version().or_else(|| part.version.first()).unwrap_or_default().to_owned();
    let source = if part.traits.is_local { None } else { source_of(&parsed) };
    Some((parsed.name().to_owned(), version, source))
}

/// The name and version of a library that is no crate, as a package URL of a part names it; `None`: it is none.
#[must_use]
pub fn library_of(part: &Part, purl: &str) -> Option<(String, Option<String>)> {
    let parsed: PackageUrl<'_> = purl.parse().ok().filter(|purl: &PackageUrl<'_>| purl.ty() == "generic")?;
    let version = parsed.version().or_else(|| part.version.first()).map(str::to_owned);
    Some((parsed.name().to_owned(), version))
}

/// Whether two package URLs name the same, however they are encoded.
#[must_use]
pub fn is_same_purl(a: &str, b: &str) -> bool {
    match (a.parse::<PackageUrl<'_>>(), b.parse::<PackageUrl<'_>>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// Everything that a bill of materials lists but files, services, and a subject that is no package. In the order of the document.
#[must_use]
pub fn of_bom(bom: &Bom) -> Vec<Listed> {
    let mut native: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for part in bom.parts.iter().filter(|part| is_native(part)) {
        native.entry(part.parent.unwrap_or(u32::MAX)).or_default().push(shown(part));
    }
    let listed = |(index, part): (usize, &Part)| {
        // The subject as well, where it is a package: a lockfile lists it too.
        let is_foreign = !bom.subjects.contains(&index) || !part.purls.is_empty();
        let is_listed = part.kind == Kind::Component && is_foreign && !is_nested_native(part);
        let own = u32::try_from(index).unwrap_or(u32::MAX);
        is_listed.then(|| of_part(bom, part, native.get(&own).cloned().unwrap_or_default()))
    };
    bom.parts.iter().enumerate().filter_map(listed).collect()
}

fn is_native(part: &Part) -> bool {
    part.traits.capabilities.iter().any(|one| one.starts_with("native code, "))
}

/// A native library under its crate is told with the crate.
fn is_nested_native(part: &Part) -> bool {
    is_native(part) && part.parent.is_some()
}

fn shown(part: &Part) -> String {
    let how = part.traits.capabilities.iter().find_map(|one| one.strip_prefix("native code, ")).unwrap_or_default();
    match part.version.first() {
        Some(version) => format!("{} {version} ({how})", part.name),
        None => format!("{} ({how})", part.name),
    }
}

fn of_part(bom: &Bom, part: &Part, mut native: Vec<String>) -> Listed {
    let purl = part.purls.first().and_then(|purl| purl.parse::<PackageUrl<'_>>().ok());
    let name = part.group.as_ref().map_or_else(|| part.name.clone(), |group| format!("{group}/{}", part.name));
    let key = purl.as_ref().map_or_else(|| format!("name:{name}"), key_of);
    let version = part.version.first().or_else(|| purl.as_ref()?.version()).unwrap_or_default().to_owned();
    let on = part.dependencies.on.iter().filter_map(|to| bom.parts.get(usize::try_from(*to).ok()?));
    let mut dependencies: Vec<_> = on.filter(|to| !is_nested_native(to)).map(|to| to.name.clone()).collect();
    dependencies.sort();
    dependencies.dedup();
    let mut hashes: Vec<_> = part.hashes.values.iter().map(|hash| format!("{}:{}", hash.algorithm, hash.value)).collect();
    hashes.sort();
    native.sort();
    Listed {
        key,
        is_source_sure: part.traits.is_local || purl.as_ref().is_some_and(|purl| !purl.qualifiers().is_empty()),
        source: purl.as_ref().filter(|_| !part.traits.is_local).and_then(source_of),
        name,
        version,
        license: license_of(part),
        features: part.traits.features.clone(),
        capabilities: part.traits.capabilities.clone(),
        native,
        dependencies: part.dependencies.is_stated.then_some(dependencies),
        hashes,
        scope: part.scope,
    }
}

/// The package URL without version, qualifiers and subpath.
fn key_of(purl: &PackageUrl<'_>) -> String {
    let namespace = purl.namespace().map(|namespace| format!("{namespace}/")).unwrap_or_default();
    format!("pkg:{}/{namespace}{}", purl.ty(), purl.name())
}

/// Where a crate comes from, as a lockfile writes it (package URL type `cargo`: without a qualifier from crates.io).
#[must_use]
pub fn source_of(purl: &PackageUrl<'_>) -> Option<String> {
    let qualifier = |key: &str| purl.qualifiers().get(key).map(ToString::to_string);
    match (purl.ty(), qualifier("vcs_url"), qualifier("repository_url"), qualifier("download_url")) {
        (_, Some(vcs), ..) => {
            Some(vcs.rsplit_once('@').map_or_else(|| vcs.clone(), |(url, revision)| format!("{url}#{revision}")))
        }
        (_, None, Some(registry), _) => Some(format!("registry+{registry}")),
        // cargo-cyclonedx names a folder of the workspace so.
        ("cargo", None, None, Some(url)) if url.starts_with("file:") => None,
        ("cargo", None, None, _) => Some(CRATES_IO[0].to_owned()),
        (_, None, None, url) => url,
    }
}

/// What is concluded counts before what is declared.
fn license_of(part: &Part) -> Option<String> {
    let of = |wanted: Acknowledgement| {
        let texts: Vec<_> =
            part.licences.values.iter().filter(|one| one.acknowledgement == wanted).map(|one| one.text.as_str()).collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    };
    of(Acknowledgement::Concluded).or_else(|| of(Acknowledgement::Declared)).or_else(|| of(Acknowledgement::Unstated))
}

/// Listings of several artifacts as one: each thing once, with the features of all.
#[must_use]
pub fn merged(listings: Vec<Vec<Listed>>) -> Vec<Listed> {
    let mut all: BTreeMap<(String, String, Option<String>), Listed> = BTreeMap::new();
    for one in listings.into_iter().flatten() {
        match all.entry((one.key.clone(), one.version.clone(), one.source.clone())) {
            Entry::Vacant(place) => drop(place.insert(one)),
            Entry::Occupied(mut place) => place.get_mut().join(one),
        }
    }
    all.into_values().collect()
}

impl Listed {
    /// Adds what is said of the same thing elsewhere.
    fn join(&mut self, other: Self) {
        let union = |into: &mut Vec<String>, from: Vec<String>| {
            into.extend(from);
            into.sort();
            into.dedup();
        };
        for (into, from) in [(&mut self.features, other.features), (&mut self.dependencies, other.dependencies)] {
            match (into, from) {
                (Some(into), Some(from)) => union(into, from),
                (into, from) => *into = into.take().or(from),
            }
        }
        union(&mut self.capabilities, other.capabilities);
        union(&mut self.native, other.native);
        union(&mut self.hashes, other.hashes);
        self.license = self.license.take().or(other.license);
        self.scope = self.scope.min(other.scope);
    }
}

/// Everything that a lockfile lists.
#[must_use]
pub fn of_lockfile(lockfile: &Lockfile) -> Vec<Listed> {
    lockfile.packages.iter().map(|package| of_package(lockfile, package)).collect()
}

fn of_package(lockfile: &Lockfile, package: &LockedPackage) -> Listed {
    let on = package.dependencies.iter().filter_map(|to| lockfile.packages.get(*to));
    let mut dependencies: Vec<_> = on.map(|to| to.name.clone()).collect();
    dependencies.sort();
    dependencies.dedup();
    Listed {
        key: format!("pkg:cargo/{}", package.name),
        name: package.name.clone(),
        version: package.version.to_string(),
        source: package.source.clone(),
        is_source_sure: true,
        license: None,
        features: None,
        capabilities: Vec::new(),
        native: Vec::new(),
        dependencies: Some(dependencies),
        hashes: package.checksum.iter().map(|checksum| format!("SHA256:{checksum}")).collect(),
        scope: Scope::Included,
    }
}
