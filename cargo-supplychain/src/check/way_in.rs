//! How a package gets into the build: the shortest chain of lockfile edges from a package of the workspace, with what the manifests and
//! the index say of each edge. Evidence only.

use std::collections::{BTreeSet, VecDeque};

use super::Facts;
use crate::base::text::plain;
use crate::model::change::ChangeSet;
use crate::model::lockfile::{LockedPackage, Lockfile};
use crate::model::registry::{CrateKey, DependencyKind};

/// The most crates between changes and workspace whose index entries are read for the sake of a chain.
const MAX_BETWEEN: usize = 200;
/// The most conditions of one edge that are shown.
const MAX_CONDITIONS: usize = 3;

/// The shortest chains of a lockfile.
pub(super) struct WaysIn<'f> {
    facts: Facts<'f>,
    /// By package: the one before it on its chain.
    before: Vec<Option<usize>>,
}

impl<'f> WaysIn<'f> {
    pub(super) fn of(facts: &Facts<'f>) -> Self {
        Self { facts: *facts, before: facts.lock.lockfile().map(before).unwrap_or_default() }
    }

    /// `path: app 0.1.0 -> lib 1.0.0 [cfg(windows)]`; `None` where no package of the workspace leads to it.
    pub(super) fn to(&self, package: usize) -> Option<String> {
        let lockfile = self.facts.lock.lockfile()?;
        let chain = chain(&self.before, package);
        let first = lockfile.packages.get(*chain.first()?)?;
        if chain.len() < 2 || first.source.is_some() {
            return None;
        }
        let mut text = format!("path: {} {}", plain(&first.name), first.version);
        for edge in chain.windows(2) {
            let (from, to) = (lockfile.packages.get(edge[0])?, lockfile.packages.get(edge[1])?);
            text.push_str(&format!(" -> {} {}", plain(&to.name), to.version));
            let conditions = self.conditions(from, to);
            if !conditions.is_empty() {
                text.push_str(&format!(" [{}]", plain(&conditions)));
            }
        }
        Some(text)
    }

    /// What an edge depends on: `build`, `optional`, `cfg(windows)`; empty when nothing, or not known.
    fn conditions(&self, from: &LockedPackage, to: &LockedPackage) -> String {
        let ways = if from.source.is_none() { self.in_manifests(from, to) } else { self.in_index(from, to) };
        // One way without a condition makes the edge unconditional.
        if ways.iter().any(String::is_empty) {
            return String::new();
        }
        let more = if ways.len() > MAX_CONDITIONS { ", …" } else { "" };
        format!("{}{more}", ways.into_iter().take(MAX_CONDITIONS).collect::<Vec<_>>().join(" or "))
    }

    fn in_manifests(&self, from: &LockedPackage, to: &LockedPackage) -> BTreeSet<String> {
        let own = self.facts.manifests.iter().filter(|manifest| manifest.package.as_deref() == Some(from.name.as_str()));
        let tables = own.flat_map(|manifest| &manifest.requirements).filter(|requirement| requirement.name == to.name);
        let condition = |table: &str| {
            let (target, kind) = table.rsplit_once('.').unwrap_or(("", table));
            let kind = kind.strip_suffix("dependencies").unwrap_or_default().trim_end_matches('-');
            joined([target.strip_prefix("target."), Some(kind)])
        };
        tables.map(|requirement| condition(&requirement.table)).collect()
    }

    fn in_index(&self, from: &LockedPackage, to: &LockedPackage) -> BTreeSet<String> {
        let release = from.crate_key().and_then(|key| {
            let history = self.facts.registry.histories.get(&key)?.as_ref().ok()?;
            history.release(&from.version)
        });
        let named = release.into_iter().flat_map(|release| &release.dependencies).filter(|one| one.name == to.name);
        let locked = named.filter(|dependency| dependency.kind != DependencyKind::Dev);
        let condition = locked.map(|dependency| {
            let kind = (dependency.kind == DependencyKind::Build).then_some("build");
            joined([dependency.target.as_deref(), kind, dependency.optional.then_some("optional")])
        });
        condition.collect()
    }
}

fn joined<const N: usize>(parts: [Option<&str>; N]) -> String {
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

/// From the workspace's packages outwards, in the order of the file: the shortest chain of each package.
fn before(lockfile: &Lockfile) -> Vec<Option<usize>> {
    let packages = &lockfile.packages;
    let mut before = vec![None; packages.len()];
    let mut is_reached: Vec<bool> = packages.iter().map(|package| package.source.is_none()).collect();
    let mut queue: VecDeque<usize> = (0..packages.len()).filter(|&package| is_reached[package]).collect();
    while let Some(package) = queue.pop_front() {
        for &dependency in &packages[package].dependencies {
            if let Some(reached) = is_reached.get_mut(dependency)
                && !*reached
            {
                *reached = true;
                before[dependency] = Some(package);
                queue.push_back(dependency);
            }
        }
    }
    before
}

/// The chain to a package, the workspace's first.
fn chain(before: &[Option<usize>], package: usize) -> Vec<usize> {
    let mut chain = vec![package];
    let mut at = package;
    while let Some(Some(next)) = before.get(at) {
        at = *next;
        chain.push(at);
    }
    chain.reverse();
    chain
}

/// The registry crates on the chains to what changed, as many as are worth reading.
pub(super) fn crates_between(lockfile: &Lockfile, changes: &ChangeSet) -> BTreeSet<CrateKey> {
    let before = before(lockfile);
    let mut found = BTreeSet::new();
    let mut is_seen = vec![false; lockfile.packages.len()];
    for change in &changes.changes {
        let mut at = change.package;
        while let Some(&Some(next)) = before.get(at) {
            if found.len() == MAX_BETWEEN || std::mem::replace(&mut is_seen[next], true) {
                break;
            }
            found.extend(lockfile.packages[next].crate_key());
            at = next;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::check::case::Case;
    use crate::check::way_in::WaysIn;

    #[test]
    fn the_shortest_chain_with_the_condition_of_each_edge() {
        let case = Case::new()
            .locks(&["./app -> a b", "a -> c", "b -> d", "c -> d", "d -> deep", "deep", "lost"], None)
            .manifest("Cargo.toml", "[package]\nname = \"app\"\n[dependencies]\na = \"1\"\n[build-dependencies]\nb = \"1\"\n")
            .release("b", "1.0.0", "2020-01-01", &["d ? cfg(windows)"])
            .release("d", "1.0.0", "2020-01-01", &["deep cfg(unix)", "deep build cfg(windows)", "deep dev"]);
        let to = |package| case.with(|facts| WaysIn::of(facts).to(package));
        let path = "path: app 1.0.0 -> b 1.0.0 [build] -> d 1.0.0 [cfg(windows), optional]";
        assert_eq!(to(5), Some(format!("{path} -> deep 1.0.0 [cfg(unix) or cfg(windows), build]")));
        assert_eq!(to(1).as_deref(), Some("path: app 1.0.0 -> a 1.0.0"));
        assert_eq!((to(0), to(6)), (None, None));
    }
}
