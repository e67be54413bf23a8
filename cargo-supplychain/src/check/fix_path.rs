//! How an advisory is got rid of: the smallest update that nothing is known against, whether what is locked allows it, and who is in the way.
//! From cargo's copy of the index alone: no network, no resolver. What the index does not say is not said here. No rule lives here.

use semver::{Version, VersionReq};

use super::Facts;
use crate::advisory::applying;
use crate::check::Advisories;
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, DependencyKind, History, Release};
use crate::model::{LockedPackage, Lockfile};

/// What to do about one package.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FixPath {
    /// Every dependent allows this version.
    Update(Version),
    /// The smallest version that is fixed, and who does not allow it.
    Blocked { fixed: Version, by: Vec<Blocker> },
    /// The index has no fixed version that is newer.
    NoRelease,
}

/// A dependent whose requirement excludes every fixed version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Blocker {
    pub name: String,
    pub version: Version,
    pub requirement: String,
    /// It is a package of the workspace: its manifest is yours to change.
    pub is_own: bool,
    /// Its first newer release that allows a fixed version.
    pub allows_from: Option<Version>,
}

/// The way out for the package at `index`; none: the index does not tell, or advisories are not known.
pub(super) fn fix_path(facts: &Facts<'_>, lockfile: &Lockfile, index: usize) -> Option<FixPath> {
    let package = lockfile.packages.get(index)?;
    let history = history(facts, package)?;
    let mut fixed: Vec<&Version> =
        history.releases.iter().filter(|release| is_fixed(facts, package, release)).map(|one| &one.version).collect();
    fixed.sort();
    let smallest = match fixed.first() {
        Some(smallest) => (*smallest).clone(),
        None => return Some(FixPath::NoRelease),
    };
    let users: Vec<_> = lockfile.packages.iter().filter(|user| user.dependencies.contains(&index)).collect();
    let mut requirements = Vec::new();
    for user in users {
        requirements.push((user, requirements_of(facts, user, package)?));
    }
    let allows = |version: &Version| requirements.iter().all(|(_, all)| all.iter().all(|one| one.matches(version)));
    if let Some(version) = fixed.iter().find(|version| allows(version)) {
        return Some(FixPath::Update((*version).clone()));
    }
    let blocks = |requirement: &VersionReq| !fixed.iter().any(|version| requirement.matches(version));
    let mut by: Vec<_> = requirements
        .iter()
        .filter_map(|(user, all)| {
            let requirement = all.iter().find(|requirement| blocks(requirement))?;
            Some(blocker(facts, user, package, requirement, &fixed))
        })
        .collect();
    by.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Some(FixPath::Blocked { fixed: smallest, by })
}

fn history<'f>(facts: &Facts<'f>, package: &LockedPackage) -> Option<&'f History> {
    facts.registry.histories.get(&package.crate_key()?)?.as_ref().ok()
}

/// Newer, not withdrawn, a release proper unless a pre-release is locked, and without an advisory that counts.
fn is_fixed(facts: &Facts<'_>, package: &LockedPackage, release: &Release) -> bool {
    let Advisories::Loaded { database, .. } = facts.advisories else { return false };
    let version = &release.version;
    let is_candidate =
        *version > package.version && !release.yanked && (version.pre.is_empty() || !package.version.pre.is_empty());
    is_candidate
        && !applying(database, &package.name, version, package.source.as_deref())
            .any(|advisory| advisory.kind.is_fixed_by_update())
}

/// What a locked package asks of another; more than once where it renames it. None: not known.
fn requirements_of(facts: &Facts<'_>, user: &LockedPackage, package: &LockedPackage) -> Option<Vec<VersionReq>> {
    let texts: Vec<String> = match user.crate_key() {
        Some(_) => of_release(history(facts, user)?.release(&user.version)?, package),
        None => of_manifests(facts, &user.name, &package.name)?,
    };
    let all: Vec<VersionReq> = texts.iter().map(|text| text.parse().ok()).collect::<Option<_>>()?;
    // Two versions of it may be locked, for two requirements: this is about those that the locked one fulfils.
    let of_this: Vec<_> = all.into_iter().filter(|requirement| requirement.matches(&package.version)).collect();
    (!of_this.is_empty()).then_some(of_this)
}

fn of_release(release: &Release, package: &LockedPackage) -> Vec<String> {
    let is_of = |kind| kind != DependencyKind::Dev;
    let asked = release.dependencies.iter().filter(|one| one.name == package.name && is_of(one.kind));
    asked.map(|one| one.requirement.clone()).collect()
}

/// From the manifests of the workspace, with what they inherit.
fn of_manifests(facts: &Facts<'_>, user: &str, name: &str) -> Option<Vec<String>> {
    let manifest = facts.manifests.iter().find(|manifest| manifest.package.as_deref() == Some(user))?;
    let shared = |key: &str| {
        let all =
            facts.manifests.iter().filter(|manifest| manifest.path == "Cargo.toml").flat_map(|manifest| &manifest.requirements);
        all.filter(|one| one.table == crate::model::manifest::SHARED).find(|one| one.key == key)
    };
    let asked = manifest.requirements.iter().filter(|one| one.table != crate::model::manifest::SHARED);
    let found: Vec<_> = asked
        .filter_map(|one| if one.inherited { shared(&one.key) } else { Some(one) })
        .filter(|one| one.name == name)
        .map(|one| one.version.clone().unwrap_or_else(|| "*".to_owned()))
        .collect();
    Some(found)
}

fn blocker(
    facts: &Facts<'_>,
    user: &LockedPackage,
    package: &LockedPackage,
    requirement: &VersionReq,
    fixed: &[&Version],
) -> Blocker {
    let allows = |release: &&Release| {
        let asked: Vec<VersionReq> = of_release(release, package).iter().filter_map(|text| text.parse().ok()).collect();
        // It no longer asks for it, or for a version that is fixed.
        asked.iter().all(|requirement| fixed.iter().any(|version| requirement.matches(version)))
    };
    let newer = history(facts, user).into_iter().flat_map(|history| &history.releases);
    let newer = newer.filter(|release| release.version > user.version && !release.yanked && release.version.pre.is_empty());
    Blocker {
        name: user.name.clone(),
        version: user.version.clone(),
        requirement: requirement.to_string(),
        is_own: user.source.is_none(),
        allows_from: newer.filter(allows).map(|release| release.version.clone()).min(),
    }
}

/// The crates whose index entries tell the ways out: those with an advisory, and who asks for them.
#[must_use]
pub fn crates_for_fix_paths(advisories: &Advisories, lockfile: &Lockfile) -> std::collections::BTreeSet<CrateKey> {
    let Advisories::Loaded { hits, .. } = advisories else { return std::collections::BTreeSet::new() };
    let hit: std::collections::BTreeSet<usize> =
        hits.iter().filter(|hit| hit.advisory.kind.is_fixed_by_update()).map(|hit| hit.package).collect();
    let users = lockfile.packages.iter().filter(|user| user.dependencies.iter().any(|one| hit.contains(one)));
    let hit = hit.iter().filter_map(|index| lockfile.packages.get(*index));
    hit.chain(users).filter_map(LockedPackage::crate_key).filter(|key| CRATES_IO.contains(&key.source.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Kind;
    use crate::check::case::{Case, advisory};

    /// `app` asks for `lib` and `mid`, `mid` for `lib`; of `lib` the versions from 1.2.0 on are without the advisory.
    fn case(own: &str, of_mid: &str, lib: &[&str]) -> Case {
        let mut case =
            Case::new().locks(&["./app 0.1.0 -> lib mid", "lib", "mid -> lib"], None).advisory(advisory(Kind::Vulnerability));
        let text = format!("[package]\nname = \"app\"\nversion = \"0.1.0\"\n[dependencies]\nlib = \"{own}\"\nmid = \"1\"\n");
        case = case.manifest("Cargo.toml", &text);
        for version in lib {
            case = case.release("lib", version, "2026-01-01", &[]);
        }
        case = case.release("mid", "1.0.0", "2026-01-01", &["lib"]).release("mid", "1.1.0", "2026-01-01", &["lib"]);
        case.release_of("mid", "1.0.0").dependencies[0].requirement = of_mid.to_owned();
        case
    }

    fn path(case: &Case) -> Option<FixPath> {
        case.with(|facts| {
            let lockfile = facts.lock.lockfile().unwrap();
            let index = lockfile.packages.iter().position(|package| package.name == "lib").unwrap();
            fix_path(facts, lockfile, index)
        })
    }

    #[test]
    fn the_smallest_update_that_everyone_allows() {
        let all = ["1.0.0", "1.1.0", "1.2.0-rc.1", "1.2.0", "1.3.0", "2.0.0"];
        assert_eq!(path(&case("1", "^1", &all)), Some(FixPath::Update(Version::new(1, 2, 0))));
        assert_eq!(path(&case("1", ">=1, <3", &["1.0.0", "1.3.0"])), Some(FixPath::Update(Version::new(1, 3, 0))));
        let yanked = case("1", "^1", &all).yanked("lib", "1.2.0");
        assert_eq!(path(&yanked), Some(FixPath::Update(Version::new(1, 3, 0))));
        assert_eq!(path(&case("1", "^1", &["1.0.0", "1.1.0"])), Some(FixPath::NoRelease));
        assert_eq!(path(&case("1", "^1", &[])), None, "the index does not tell");
    }

    #[test]
    fn who_is_in_the_way() {
        let by_mid = path(&case("1", "~1.0", &["1.0.0", "1.2.0"]));
        let expected = Blocker {
            name: "mid".into(),
            version: Version::new(1, 0, 0),
            requirement: "~1.0".into(),
            is_own: false,
            allows_from: Some(Version::new(1, 1, 0)),
        };
        assert_eq!(by_mid, Some(FixPath::Blocked { fixed: Version::new(1, 2, 0), by: vec![expected] }));
        let Some(FixPath::Blocked { by, .. }) = path(&case("=1.0.0", "^1", &["1.0.0", "2.0.0"])) else { panic!() };
        let names: Vec<_> = by.iter().map(|one| (one.name.as_str(), one.is_own, one.allows_from.clone())).collect();
        assert_eq!(names, [("app", true, None), ("mid", false, None)]);
    }

    #[test]
    fn index_entries_that_are_looked_at() {
        let case = case("1", "^1", &["1.0.0"]);
        let names = case.with(|facts| crates_for_fix_paths(facts.advisories, facts.lock.lockfile().unwrap()));
        assert_eq!(names.into_iter().map(|key| key.name).collect::<Vec<_>>(), ["lib", "mid"]);
    }
}
