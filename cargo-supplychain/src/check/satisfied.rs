//! Whether a lockfile satisfies the manifests of the workspace, without asking cargo: each member is in it, each requirement has its
//! package among the member's locked ones, and no locked one is there that the member does not ask for. What cargo alone can tell (whether
//! another package's dependencies are complete) is not judged. No rule lives here.

use std::collections::{BTreeMap, BTreeSet};

use semver::{Version, VersionReq};

use super::Facts;
use super::rules::source_registry_not_allowed::is_same;
use crate::base::Location;
use crate::base::text::plain;
use crate::model::manifest::{DeclaredVersion, GitRequirement, Manifest, Requirement, SHARED};
use crate::model::{LockedPackage, Lockfile};

/// One place where they differ.
#[derive(Debug)]
pub(super) struct Mismatch {
    pub(super) location: Location,
    pub(super) what: String,
}

/// All places where they differ, in the order of the manifests.
pub(super) fn mismatches(facts: &Facts<'_>, lockfile: &Lockfile) -> Vec<Mismatch> {
    let Some(root) = facts.manifests.iter().find(|manifest| manifest.path == "Cargo.toml") else { return Vec::new() };
    let shared = root.requirements.iter().filter(|requirement| requirement.table == SHARED);
    let mut own = BTreeMap::<&str, Vec<&LockedPackage>>::new();
    for package in lockfile.packages.iter().filter(|package| package.source.is_none()) {
        own.entry(&package.name).or_default().push(package);
    }
    let judge = Judge {
        lockfile,
        root,
        shared: shared.map(|requirement| (requirement.key.as_str(), requirement)).collect(),
        replaced: replaced(facts),
        registries: registries(facts),
        own,
    };
    facts.manifests.iter().filter(|manifest| is_member(root, manifest)).flat_map(|manifest| judge.member(manifest)).collect()
}

/// Names that `[patch]` and `[replace]`, of a manifest or of the configuration, put something else in the place of.
fn replaced<'a>(facts: &Facts<'a>) -> BTreeSet<&'a str> {
    let of_manifests = facts.manifests.iter().flat_map(|manifest| &manifest.patches).map(|patch| {
        // `[replace]` names `NAME:VERSION`, or `URL#NAME:VERSION`.
        let name = patch.name.rsplit_once('#').map_or(patch.name.as_str(), |(_, name)| name);
        if patch.table == "replace" { name.split(':').next().unwrap_or(name) } else { name }
    });
    let entries = facts.cargo_config.entries.iter().filter(|entry| entry.starts_with(&["patch", "*", "*"]));
    let of_configuration = entries.flat_map(|entry| {
        let renamed = entry.is(&["patch", "*", "*", "package"]).then(|| entry.value.as_str()).flatten();
        std::iter::once(entry.key[2].as_str()).chain(renamed)
    });
    of_manifests.chain(of_configuration).collect()
}

/// The registries that the configuration defines.
fn registries<'a>(facts: &Facts<'a>) -> BTreeMap<&'a str, &'a str> {
    let defined = facts.cargo_config.effective().filter(|entry| entry.is(&["registries", "*", "index"]));
    // The strongest last.
    defined.rev().filter_map(|entry| Some((entry.key[1].as_str(), entry.value.as_str()?))).collect()
}

/// Without `[workspace]` the root is alone; what it excludes is no member. Only of members the lockfile has every dependency.
fn is_member(root: &Manifest, manifest: &Manifest) -> bool {
    if manifest.path == root.path {
        return true;
    }
    let Some(workspace) = &root.workspace else { return false };
    let below = |folder: &String| {
        let folder = folder.trim_start_matches("./").trim_end_matches('/');
        manifest.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    };
    !workspace.exclude.iter().any(below)
}

struct Judge<'a> {
    lockfile: &'a Lockfile,
    root: &'a Manifest,
    /// `[workspace.dependencies]` by key.
    shared: BTreeMap<&'a str, &'a Requirement>,
    replaced: BTreeSet<&'a str>,
    /// Index URLs of `[registries]` by name.
    registries: BTreeMap<&'a str, &'a str>,
    /// Path packages of the lockfile.
    own: BTreeMap<&'a str, Vec<&'a LockedPackage>>,
}

impl<'a> Judge<'a> {
    fn member(&self, manifest: &'a Manifest) -> Vec<Mismatch> {
        let Some(name) = manifest.package.as_deref() else { return Vec::new() };
        let at_manifest = |what| vec![Mismatch { location: Location::file(&manifest.path), what }];
        let shown = plain(name);
        let Some(locked) = self.own.get(name) else { return at_manifest(format!("the member `{shown}` is not in it")) };
        let version = self.version(manifest);
        let Some(package) = locked.iter().find(|package| version.as_ref().is_none_or(|version| package.version == *version))
        else {
            let version = version.map(|version| version.to_string()).unwrap_or_default();
            let has: Vec<_> = locked.iter().map(|package| package.version.to_string()).collect();
            return at_manifest(format!("`{shown}` is {version} in its manifest and {} in the lockfile", has.join(", ")));
        };
        self.requirements(manifest, package)
    }

    /// As the manifest declares it; none when it is not known.
    fn version(&self, manifest: &Manifest) -> Option<Version> {
        match &manifest.version {
            DeclaredVersion::Written(text) => text.parse().ok(),
            DeclaredVersion::Inherited => self.root.workspace.as_ref()?.version.as_ref()?.parse().ok(),
            DeclaredVersion::None => Some(Version::new(0, 0, 0)),
        }
    }

    fn requirements(&self, manifest: &'a Manifest, package: &LockedPackage) -> Vec<Mismatch> {
        let locked: Vec<_> = package.dependencies.iter().filter_map(|&index| self.lockfile.packages.get(index)).collect();
        let asked: Vec<_> = manifest.requirements.iter().filter_map(|requirement| self.asked(requirement)).collect();
        // Of a replaced name it is not known what satisfies it; a package may ask for itself in its tests.
        let is_judged = |name: &str| !self.replaced.contains(name) && name != package.name;
        let (mut locked_by, mut asked_by) = (BTreeMap::<&str, Vec<_>>::new(), BTreeMap::<&str, Vec<_>>::new());
        for &package in &locked {
            locked_by.entry(package.name.as_str()).or_default().push(package);
        }
        for &(requirement, _) in &asked {
            asked_by.entry(requirement.name.as_str()).or_default().push(requirement);
        }
        let mut found = Vec::new();
        for (requirement, written) in asked.iter().filter(|(requirement, _)| is_judged(&requirement.name)) {
            let candidates = locked_by.get(requirement.name.as_str()).into_iter().flatten();
            if !candidates.into_iter().any(|package| self.fits(requirement, package)) {
                let what = format!("`{}` asks for {}, which it does not lock", package.name, described(requirement));
                found.push(Mismatch { location: written.location.clone(), what: plain(&what).into_owned() });
            }
        }
        for other in locked.iter().filter(|other| is_judged(&other.name)) {
            let candidates = asked_by.get(other.name.as_str()).into_iter().flatten();
            if !candidates.into_iter().any(|requirement| self.fits(requirement, other)) {
                let what = format!(
                    "it locks {} {} for `{}`, whose manifest does not ask for it",
                    other.name, other.version, package.name
                );
                found.push(Mismatch {
                    location: Location::line(&self.lockfile.path, other.line),
                    what: plain(&what).into_owned(),
                });
            }
        }
        found
    }

    /// What a requirement comes to, and where it stands: inherited ones are what the workspace says. None for what belongs to no package.
    fn asked(&self, requirement: &'a Requirement) -> Option<(&'a Requirement, &'a Requirement)> {
        match requirement.table.as_str() {
            SHARED => None,
            _ if requirement.inherited => Some((self.shared.get(requirement.key.as_str()).copied()?, requirement)),
            _ => Some((requirement, requirement)),
        }
    }

    /// Whether the package, which has the name, is what the requirement asks for.
    fn fits(&self, requirement: &Requirement, package: &LockedPackage) -> bool {
        let of_source = match (&requirement.path, &requirement.git) {
            (Some(_), _) => package.source.is_none(),
            (None, Some(git)) => self.is_of(git, package),
            (None, None) => package.is_registry() && self.is_of_registry(requirement.registry.as_deref(), package),
        };
        // What is no requirement is cargo's to refuse.
        let wanted = requirement.version.as_deref().and_then(|text| text.parse::<VersionReq>().ok());
        of_source && wanted.is_none_or(|wanted| wanted.matches(&package.version))
    }

    /// Whether a package of a registry can be of the one that is named: what is asked of another one is not satisfied by crates.io. Whether
    /// an unnamed one is allowed is for `source/registry-not-allowed`.
    fn is_of_registry(&self, wanted: Option<&str>, package: &LockedPackage) -> bool {
        let Some(name) = wanted.filter(|name| *name != "crates-io") else { return true };
        let index = self.registries.get(name).copied().or_else(|| name.contains("://").then_some(name));
        match (index, package.source.as_deref()) {
            (Some(index), Some(source)) => is_same(index, source),
            // Who defines the registry is not known: the environment, or another machine.
            _ => !package.is_crates_io(),
        }
    }

    fn is_of(&self, wanted: &GitRequirement, package: &LockedPackage) -> bool {
        let Some(git) = package.git() else { return false };
        let bare = |url: &str| url.trim_end_matches('/').trim_end_matches(".git").to_lowercase();
        let reference = match (&wanted.rev, &wanted.tag, &wanted.branch) {
            (Some(rev), _, _) => Some(format!("rev={rev}")),
            (_, Some(tag), _) => Some(format!("tag={tag}")),
            (_, _, Some(branch)) => Some(format!("branch={branch}")),
            _ => None,
        };
        // Before format 3 the branch `master` was written as none; what is percent-encoded is not compared.
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=-._".contains(&byte));
        let is_comparable =
            self.lockfile.version >= 3 && [reference.as_deref(), git.reference].into_iter().flatten().all(is_plain);
        bare(git.url) == bare(&wanted.url) && (!is_comparable || reference.as_deref() == git.reference)
    }
}

fn described(requirement: &Requirement) -> String {
    let version = requirement.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
    let from = match (&requirement.path, &requirement.git) {
        (Some(path), _) => format!(" from {path}"),
        (None, Some(git)) => format!(" from {}", crate::base::text::without_credentials(&git.url)),
        _ => requirement.registry.as_ref().map(|name| format!(" from the registry {name}")).unwrap_or_default(),
    };
    format!("{}{version}{from}", requirement.name)
}
