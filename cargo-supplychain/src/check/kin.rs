//! New dependencies that are as young as the release that needs them: [`Newcomer`], and whether it is by the same people ([`Kin`]).
//! Names and repository URLs are claims that anybody can make; they count only where owners and publishers are not known.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::Facts;
use super::names::{LookAlike, Names};
use super::publishers::{Identity, Newness, Publications, brief};
use super::release_walk::{Step, Walk, age_at, dependency_key, is_young};
use super::repository;
use crate::model::capability::Capabilities;
use crate::model::change::RECENT_DAYS;
use crate::model::registry::{CrateKey, NoRecord};

/// First words of names that say nothing about who wrote a crate.
pub(super) const GENERIC_WORDS: [&str; 5] = ["async", "cargo", "proc", "rust", "rs"];

/// Whose a new dependency is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kin {
    /// By the same people, as the registry says.
    Same,
    /// Probably: why. Owners and publishers are not known.
    Assumed(&'static str),
    Foreign,
}

/// A young dependency that a release added.
pub(super) struct Newcomer {
    pub key: CrateKey,
    /// From its first publication to the release that adds it, in seconds; negative when it appeared later.
    pub age: i64,
    pub kin: Kin,
    pub look_alike: Option<LookAlike>,
    /// What was not known when [`Newcomer::kin`] was judged.
    pub unknown: Option<String>,
}

impl Newcomer {
    /// `4 days before it`, `50 minutes before it`, `3 days after it`.
    pub(super) fn when(&self) -> String {
        let side = if self.age < 0 { "after" } else { "before" };
        let seconds = self.age.unsigned_abs();
        let (count, unit) = match seconds {
            0..60 => return "in the same minute".to_owned(),
            60..5_400 => (seconds / 60, "minute"),
            5_400..172_800 => (seconds / 3_600, "hour"),
            _ => (seconds / 86_400, "day"),
        };
        format!("{} {side} it", crate::base::text::counted(count, unit))
    }

    pub(super) fn is_foreign(&self) -> bool {
        self.kin == Kin::Foreign
    }

    /// Nobody said whose it is, and its name imitates none: only names and repositories speak against the same people.
    pub(super) fn is_guessed(&self) -> bool {
        self.unknown.is_some() && self.look_alike.is_none()
    }

    /// What the crate's versions can do, as far as their sources are known.
    pub(super) fn capabilities<'f>(&self, facts: &Facts<'f>) -> Vec<&'f Capabilities> {
        let start = (self.key.clone(), semver::Version { pre: lowest(), ..semver::Version::new(0, 0, 0) });
        let of_it = facts.capabilities.range(start..).take_while(|((key, _), _)| *key == self.key);
        of_it.filter_map(|(_, known)| known.as_ref().ok()).collect()
    }
}

/// The pre-release that is below all others.
fn lowest() -> semver::Prerelease {
    semver::Prerelease::new("0").unwrap_or(semver::Prerelease::EMPTY)
}

/// The young dependencies of a release, and the names of those whose age is not known.
#[derive(Default)]
pub(super) struct Newcomers {
    pub young: Vec<Newcomer>,
    pub unknown: Vec<String>,
}

/// Looks for newcomers. It knows all names, once the first newcomer is there.
pub(super) struct Family<'f> {
    facts: Facts<'f>,
    names: OnceCell<Names<'f>>,
}

impl<'f> Family<'f> {
    pub(super) fn of(facts: &Facts<'f>) -> Self {
        Self { facts: *facts, names: OnceCell::new() }
    }

    /// The young dependencies that a release of the walk added.
    pub(super) fn newcomers(&self, walk: &Walk<'_>, publications: &Publications<'f>, step: &Step<'_>) -> Newcomers {
        let mut found = Newcomers::default();
        let is_old = step.release.published.is_some_and(|published| self.facts.now.days_since(published) >= RECENT_DAYS);
        for dependency in &step.added {
            let key = dependency_key(&walk.key, dependency);
            let Some(age) = age_at(&self.facts.registry.histories, &key, step) else {
                found.unknown.push(dependency.name.clone());
                continue;
            };
            if is_young(age) {
                let names = self.names.get_or_init(|| Names::of(&self.facts, &[]));
                let look_alike = names.look_alike(&key.name);
                let (kin, unknown) = self.kin(walk, publications, step, &key, look_alike.is_some());
                // A guess by names about a release that everybody has had for three months is no sign: over 487 real updates that was
                // three alarms in five.
                if is_old && unknown.is_some() && look_alike.is_none() {
                    continue;
                }
                found.young.push(Newcomer { key, age, kin, look_alike, unknown });
            }
        }
        found
    }

    /// Judges by people where the registry named them; else by name and repository, which a name that imitates another does not help.
    fn kin(
        &self,
        walk: &Walk<'_>,
        publications: &Publications<'f>,
        step: &Step<'_>,
        newcomer: &CrateKey,
        imitates: bool,
    ) -> (Kin, Option<String>) {
        if matches!(self.facts.registry.records.get(newcomer), Some(Err(NoRecord::Gone))) {
            return (Kin::Foreign, None);
        }
        let theirs = people(&Publications::of(&self.facts, newcomer));
        let ours = self.people_before(walk, publications, step);
        if !theirs.is_empty() && !ours.is_empty() {
            return (if ours.is_disjoint(&theirs) { Kin::Foreign } else { Kin::Same }, None);
        }
        let whose = if theirs.is_empty() { &newcomer.name } else { &walk.key.name };
        let unknown = Some(format!("owners and publishers of {}", brief(whose)));
        let kin = match () {
            () if imitates => Kin::Foreign,
            () if related(&walk.key.name, &newcomer.name) => Kin::Assumed("their names are related"),
            () if self.share_repository(walk, publications, newcomer) => Kin::Assumed("both name one repository"),
            () => Kin::Foreign,
        };
        (kin, unknown)
    }

    /// Who owns or published the crate before this release: not its publisher when that is somebody new, nor owners who are.
    fn people_before(&self, walk: &Walk<'_>, publications: &Publications<'f>, step: &Step<'_>) -> BTreeSet<Identity> {
        let version = &step.release.version;
        let mut people: BTreeSet<_> = publications.baseline_publishers().collect();
        people.extend(publications.before(version).filter_map(|(_, published)| Identity::of(&published.publisher)));
        let publisher = publications.version(version).and_then(|published| Identity::of(&published.publisher));
        let is_new = publications.newness(&self.facts, walk, version) == Newness::New;
        if !is_new {
            people.extend(publisher.clone());
        }
        let owners = publications.record.and_then(|record| record.owners.as_ref());
        let known = publications.known.and_then(|known| known.owners.as_ref());
        for owner in owners.into_iter().flatten() {
            let identity = Identity::Account(owner.kind, owner.id);
            let is_known = |known: &Vec<_>| {
                known
                    .iter()
                    .any(|one: &crate::model::baseline::KnownOwner| (one.owner.kind, one.owner.id) == (owner.kind, owner.id))
            };
            if known.is_none_or(is_known) && !(is_new && publisher.as_ref() == Some(&identity)) {
                people.insert(identity);
            }
        }
        people
    }

    fn share_repository(&self, walk: &Walk<'_>, publications: &Publications<'f>, newcomer: &CrateKey) -> bool {
        let ours = self.repositories(&walk.key, publications);
        let theirs = self.repositories(newcomer, &Publications::of(&self.facts, newcomer));
        ours.iter().any(|our| theirs.iter().any(|their| repository::same(our, their) == Some(true)))
    }

    /// What a crate names as its repository, by the API and by its sources.
    fn repositories(&self, key: &CrateKey, publications: &Publications<'f>) -> BTreeSet<&'f str> {
        let by_api = publications.record.and_then(|record| record.repository.as_deref());
        let start = (key.clone(), semver::Version { pre: lowest(), ..semver::Version::new(0, 0, 0) });
        let sources = self.facts.capabilities.range(start..).take_while(|((other, _), _)| other == key);
        let by_source = sources.filter_map(|(_, known)| known.as_ref().ok()?.repository.as_deref());
        by_api.into_iter().chain(by_source).collect()
    }
}

/// Whether two crates are by the same people: as the registry says, else by name.
pub(super) fn same_people(facts: &Facts<'_>, one: &CrateKey, other: &CrateKey) -> bool {
    let of = |key| people(&Publications::of(facts, key));
    let (ones, others) = (of(one), of(other));
    if ones.is_empty() || others.is_empty() { related(&one.name, &other.name) } else { !ones.is_disjoint(&others) }
}

/// Everybody who owns or published a crate. Teams count: only their members can add them.
fn people(publications: &Publications<'_>) -> BTreeSet<Identity> {
    let record = publications.record;
    let owners = record.and_then(|record| record.owners.as_ref()).into_iter().flatten();
    let owners = owners.map(|owner| Identity::Account(owner.kind, owner.id));
    let publishers = record.into_iter().flat_map(|record| record.versions.values());
    owners.chain(publishers.filter_map(|published| Identity::of(&published.publisher))).collect()
}

/// Whether two crates have related names: the same first word, unless it is one that anybody uses, or one begins with the other.
pub(super) fn related(one: &str, other: &str) -> bool {
    let words = |name: &str| name.to_ascii_lowercase().split(['-', '_']).map(str::to_owned).collect::<Vec<_>>();
    let (one, other) = (words(one), words(other));
    let is_generic = |word: &String| GENERIC_WORDS.contains(&word.as_str());
    if one.first().is_none_or(is_generic) {
        let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        return shared == one.len().min(other.len()) && shared > 1;
    }
    one.first() == other.first()
}

#[cfg(test)]
mod tests;
