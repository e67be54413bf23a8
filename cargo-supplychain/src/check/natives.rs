//! Libraries that locked crates bring along: each with its own version, as far as the crate's sources say one. What the rules about them share.
//! Which crate brings what is [`crate::model::native::known`]'s.

use super::{Facts, LibraryVersion, advised};
use crate::base::Location;
use crate::finding::Finding;
use crate::model::LockedPackage;
use crate::model::native::known::{self, Bundled, KnownPart};

/// A library whose sources lie in a locked package, or that a package of an archived release brought along.
#[derive(Clone)]
pub(super) struct Native<'f> {
    pub part: &'static KnownPart,
    /// Index into the packages of the lockfile.
    pub index: usize,
    pub package: &'f LockedPackage,
    pub said: &'f LibraryVersion,
}

/// All of them, in the order of the lockfile.
pub(super) fn natives<'f>(facts: &Facts<'f>) -> Vec<Native<'f>> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut found = Vec::new();
    for (index, package) in lockfile.packages.iter().enumerate() {
        // A lockfile tells of the package with the sources, an archive of the crate that was built with them.
        for part in known::sources_in(&package.name).chain(known::parts(&package.name)) {
            if let Some(said) = facts.sources.natives.get(&(index, part.name)).filter(|_| part.no_upstream.is_none())
                && !found.iter().any(|one: &Native<'_>| one.index == index && one.part.name == part.name)
            {
                found.push(Native { part, index, package, said });
            }
        }
    }
    found
}

impl<'f> Native<'f> {
    /// Its version, where it is known.
    pub(super) fn version(&self) -> Option<&'f str> {
        self.said.version.as_deref()
    }

    /// Whether its sources are compiled into what is built, as far as that is known: not known is yes.
    pub(super) fn takes_part(&self, facts: &Facts<'_>) -> bool {
        advised::takes_part(facts, self.index, self.package) && !self.is_left_out(facts)
    }

    /// Whether the plan says that the feature is off that compiles it.
    fn is_left_out(&self, facts: &Facts<'_>) -> bool {
        let (Bundled::With(feature), Ok(build)) = (self.part.bundled, facts.build) else { return false };
        let version = self.package.version.to_string();
        let is_this =
            |purl: &str| build.components.get(purl).is_some_and(|one| one.name == self.package.name && one.version == version);
        let uses = build.artifacts.iter().flat_map(|artifact| artifact.linked.iter().chain(&artifact.host));
        let mut uses = uses.filter(|one| is_this(&one.purl)).peekable();
        uses.peek().is_some() && !uses.any(|one| one.features.iter().any(|on| on == feature))
    }

    /// A finding about it, with what tells that it is there.
    pub(super) fn finding(&self, facts: &Facts<'_>, finding: Finding) -> Finding {
        let path = facts.lock.lockfile().map(|lockfile| lockfile.path.clone()).unwrap_or_default();
        let finding = finding.about(&self.package.name, &self.package.version).at(Location::line(path, self.package.line));
        let finding = finding.because(self.said.said_by.clone());
        // What was archived was built: how is no question any more.
        if facts.archived.is_some() {
            return finding;
        }
        match self.part.bundled {
            Bundled::Always | Bundled::WithSources => finding,
            Bundled::With(feature) => {
                finding.because(format!("compiled in with the feature `{feature}`, else the system's counts"))
            }
            Bundled::Depends => {
                finding.because("the build script decides whether this copy is compiled in, or the system's counts")
            }
        }
    }
}
