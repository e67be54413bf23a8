//! The checks that could not be made, with the reason of each. docs/check.md says which are required; `--require` and
//! `[rules] require` of an area make its best-effort ones required too: who asks for an answer does not get a pass for want of one.

use std::collections::BTreeSet;

use super::arrival::arrivals;
use super::publishers::Publications;
use super::release_walk::{dependency_key, walks};
use super::removed::removal;
use super::{Advisories, Facts, LockState, Scope, gained, rules};
use crate::base::text::counted;
use crate::config::MaxAge;
use crate::finding::{Area, NotEvaluated};
use crate::model::action_commit::Belonging;
use crate::model::index::IndexGap;
use crate::model::integrity::NOT_FETCHED;
use crate::model::machine::{LockedRevision, Reach};
use crate::model::registry::{CrateKey, NoRecord, Publisher};

pub(super) fn list(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let mut list = Vec::new();
    list.extend(advisories(facts));
    list.extend(not_planned(facts, scope));
    list.extend(licences(facts, scope));
    list.extend(without_cargo(facts));
    list.extend(index(facts, scope));
    list.extend(ages(facts, scope));
    list.extend(workflows(facts, scope));
    list.extend(action_commits(facts, scope));
    list.extend(maintainers(facts, scope));
    list.extend(publishers(facts, scope));
    list.extend(dependency_ages(facts, scope));
    list.extend(git_revisions(facts, scope));
    list.extend(capabilities(facts, scope));
    list.extend(script_list(facts, scope));
    list.extend(integrity(facts, scope));
    list.extend(published(facts, scope));
    list.retain(|check| scope.includes(check.area));
    list
}

fn is_required(facts: &Facts<'_>, scope: &Scope, area: Area) -> bool {
    scope.require.contains(&area) || facts.settings.require.contains(&area)
}

/// The advisories: no lockfile, no database, one that is too old or of an unknown day.
fn advisories(facts: &Facts<'_>) -> Option<NotEvaluated> {
    let entry = |why: String, help: &str, required| {
        let help = help.to_owned();
        Some(NotEvaluated { area: Area::Advisories, check: "advisories".into(), why, required, help })
    };
    if let LockState::Missing { path } = facts.lock {
        return entry(format!("there is no {path}"), "run `cargo generate-lockfile` and commit the file", true);
    }
    let database = match facts.advisories {
        Advisories::Unavailable { why, help } => return entry(why.clone(), help, true),
        Advisories::Loaded { database, .. } => database,
    };
    let renew = "run without `--offline`, or name a newer database with `--advisory-db`";
    match (facts.settings.advisories.max_age, database.info.date) {
        (MaxAge::Unlimited, _) => {
            let why = "the age of the advisory database is not judged: `max-age` is \"none\"".to_owned();
            entry(why, "set `[advisories] max-age`, for example to \"7d\"", false)
        }
        (MaxAge::Days(_), None) => entry("db-stale, the age of the advisory database is not known".into(), renew, true),
        (MaxAge::Days(limit), Some(date)) => {
            let age = facts.now.days_since(date);
            let is_stale = age > i64::from(limit);
            if is_stale { entry(format!("db-stale, age {age}d > {limit}d"), renew, true) } else { None }
        }
    }
}

/// Without a plan every locked package is judged as if it were built; that is said, and fails nothing.
fn not_planned(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let why = facts.build.err()?;
    Some(NotEvaluated {
        area: Area::Advisories,
        check: "build plan".into(),
        why: format!("which packages take part in the build is not known: {why}"),
        required: is_required(facts, scope, Area::Advisories),
        help: "advisories of all locked packages are judged as if they were built".into(),
    })
}

/// Where cargo has not judged the lockfile only the workspace's own requirements are compared with it.
fn without_cargo(facts: &Facts<'_>) -> Option<NotEvaluated> {
    let (LockState::Present { stale: None, .. }, Err(_)) = (facts.lock, facts.build) else { return None };
    Some(NotEvaluated {
        area: Area::Lock,
        check: "lockfile complete below the workspace".into(),
        why: "cargo was not asked: what the workspace's own manifests ask for was compared, what other packages ask for was not"
            .into(),
        required: false,
        help: "check all areas, for which cargo resolves the lockfile".into(),
    })
}

/// Workflow files that cannot be read.
fn workflows(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let entry = |why: &String| NotEvaluated {
        area: Area::Workflows,
        check: "workflow".into(),
        why: why.clone(),
        required: is_required(facts, scope, Area::Workflows),
        help: "mend the file; GitHub does not read it either".into(),
    };
    facts.unreadable_workflows.iter().map(entry).collect()
}

/// Pinned commits of which GitHub did not say whether they belong to their repository: one entry for each reason.
fn action_commits(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let mut gaps = std::collections::BTreeMap::<&str, Vec<String>>::new();
    for (commit, belonging) in facts.action_commits {
        if let Belonging::Unknown(why) = belonging {
            gaps.entry(why).or_default().push(commit.to_string());
        }
    }
    let entries = gaps.into_iter().map(|(why, commits)| NotEvaluated {
        area: Area::Workflows,
        check: "pinned commits of actions".into(),
        why: format!("{why}: {}", shortened_as(&commits, "commit")),
        required: is_required(facts, scope, Area::Workflows),
        help: "run again later and with the network; a token in GITHUB_TOKEN lets more be asked (docs/workflows.md)".into(),
    });
    entries.collect()
}

/// Licences are those of what is built. Who has a policy about them asks for an answer.
fn licences(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let why = facts.build.err()?;
    Some(NotEvaluated {
        area: Area::Licences,
        check: "licences".into(),
        why: format!("which packages take part in the build is not known: {why}"),
        required: is_required(facts, scope, Area::Licences) || facts.settings.licences.is_asked_for(),
        help: "correct what keeps the build from being planned".into(),
    })
}

/// Yanked and checksum, as far as the index is known: one entry for each reason, whatever the number of packages. What is not there
/// because it was removed is a finding instead.
fn index(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut gaps = std::collections::BTreeMap::<&IndexGap, Vec<String>>::new();
    let nothing = Err(IndexGap::NotCached);
    for package in lockfile.packages.iter().filter(|package| package.is_registry()) {
        let source = package.source.clone().unwrap_or_default();
        let known = facts.index.versions.get(&(package.name.clone(), package.version.clone(), source)).unwrap_or(&nothing);
        if let Err(gap) = known
            && removal(facts, package).is_none()
        {
            gaps.entry(gap).or_default().push(format!("{} {}", package.name, package.version));
        }
    }
    let place = if facts.index.is_current { "the registry snapshot" } else { "cargo's index cache" };
    let entries = gaps.into_iter().map(|(gap, packages)| {
        let why = match gap {
            IndexGap::NotCached => format!("{place} has no entry of"),
            IndexGap::NoSuchVersion => format!("{place} does not know the version of"),
            IndexGap::Unreadable(why) => format!("the entry in {place} could not be read ({why}) of"),
        };
        NotEvaluated {
            area: Area::Lock,
            check: "yanked, checksum in the index".into(),
            why: format!("{why} {}", shortened(&packages)),
            required: is_required(facts, scope, Area::Lock),
            help: "run `cargo fetch` once with the network, which fills the cache".into(),
        }
    });
    entries.collect()
}

/// The age of what a change brings in, where the index has the release and no time of it: cooldown and young names are not judged.
fn ages(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let timeless =
        arrivals(facts).into_iter().filter(|one| one.release.published.is_none() || one.history.first_published().is_none());
    let packages: Vec<_> = timeless.map(|one| format!("{} {}", one.package.name, one.package.version)).collect();
    (!packages.is_empty()).then(|| NotEvaluated {
        area: Area::Lock,
        check: "age of changed packages".into(),
        why: format!("the index has no publication time of {}", shortened(&packages)),
        required: is_required(facts, scope, Area::Lock),
        help: "run `cargo fetch` once with the network; registries that publish no `pubtime` cannot be judged by age".into(),
    })
}

/// Owners and publishers, as far as they were asked about and answered: one entry for each reason. Best effort even when the area is all
/// that is judged: a registry that is down stops nobody who does not require its answer.
fn maintainers(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let entry = |why: String, help: &str| NotEvaluated {
        area: Area::Maintainers,
        check: "owners and publishers".into(),
        why,
        required: is_required(facts, scope, Area::Maintainers),
        help: help.to_owned(),
    };
    let mut list = Vec::new();
    if let Some(not_asked) = &facts.registry.not_asked {
        list.push(entry(not_asked.why.clone(), &not_asked.help));
    }
    let mut gaps = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (key, record) in &facts.registry.records {
        let why = match record {
            Ok(record) if record.owners.is_some() => continue,
            Ok(_) => "the registry's API did not tell the owners".to_owned(),
            // That is a finding.
            Err(NoRecord::Gone) => continue,
            Err(NoRecord::NotFound) => "the registry's API answered 404 for what is not known to be removed".to_owned(),
            Err(NoRecord::Unknown(why)) => why.clone(),
        };
        gaps.entry(why).or_default().push(key.name.clone());
    }
    let help = "run again later, or name a snapshot of the registry with --registry-snapshot";
    list.extend(gaps.into_iter().map(|(why, crates)| entry(format!("{why}: {}", shortened(&crates)), help)));
    list
}

/// Whether locked commits are on a branch, as far as cargo's copies of the repositories know: one entry for each reason.
fn git_revisions(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut gaps = std::collections::BTreeMap::<&str, Vec<String>>::new();
    for package in &lockfile.packages {
        let Some(locked) = package.git().and_then(|git| LockedRevision::of(&git)) else { continue };
        let why = match facts.machine.revisions.get(&locked) {
            Some(Reach::Reachable | Reach::Unreachable { .. }) => continue,
            Some(Reach::Unknown(why)) => why.as_str(),
            None => "cargo has no copy of the repository",
        };
        gaps.entry(why).or_default().push(format!("{} {}", package.name, package.version));
    }
    let entries = gaps.into_iter().map(|(why, packages)| NotEvaluated {
        area: Area::Sources,
        check: "locked commits are on a branch or tag".into(),
        why: format!("{why}: {}", shortened(&packages)),
        required: is_required(facts, scope, Area::Sources),
        help: "look the commits up in their repositories: `git branch --remotes --contains COMMIT` in a full clone".into(),
    });
    entries.collect()
}

/// What changed packages can do, where their source or that of the version before is not at hand: one entry for each reason.
fn capabilities(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    // New executables are the sources' area; where that is asked for alone, the gap is said there.
    let (area, required) = if scope.includes(Area::Capabilities) {
        (Area::Capabilities, is_required(facts, scope, Area::Capabilities))
    } else {
        (Area::Sources, is_required(facts, scope, Area::Sources))
    };
    if !scope.includes(area) {
        return Vec::new();
    }
    let mut gaps = std::collections::BTreeMap::<String, Vec<String>>::new();
    for unknown in gained::updates(facts).1 {
        gaps.entry(unknown.why).or_default().push(unknown.package);
    }
    let entries = gaps.into_iter().map(|(why, packages)| NotEvaluated {
        area,
        check: "new build scripts, procedural macros and executables".into(),
        why: format!("{why}: {}", shortened(&packages)),
        required,
        help: "run `cargo fetch --locked` with the lockfiles of before and of now, or name a folder with --registry-snapshot"
            .into(),
    });
    entries.collect()
}

/// Changed packages that the policy wants compared with their repositories, where that was not possible: one entry for each reason. That
/// nothing was asked for is said to those who require the area.
fn published(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let is_required = is_required(facts, scope, Area::Sources);
    let entry = |why: String, required, help: &str| NotEvaluated {
        area: Area::Sources,
        check: "changed packages against their repositories".into(),
        why,
        required,
        help: help.to_owned(),
    };
    if !rules::source_package_differs_from_repo::is_asked_for(facts.settings) {
        let help =
            "list crates: `[rules] \"source/package-differs-from-repo\" = { crates = [\"*\"] }`; their repositories are fetched";
        let line = entry("the policy lists no crates for it".to_owned(), false, help);
        return if is_required && !facts.changes.changes.is_empty() { vec![line] } else { Vec::new() };
    }
    let mut gaps = std::collections::BTreeMap::<&str, Vec<String>>::new();
    for ((key, version), found) in facts.published {
        if let Err(why) = found {
            gaps.entry(why).or_default().push(format!("{} {version}", key.name));
        }
    }
    let help =
        "compare them by hand, or read the packages themselves; with the network, `cargo fetch --locked` brings the packages";
    gaps.into_iter().map(|(why, packages)| entry(format!("{why}: {}", shortened(&packages)), is_required, help)).collect()
}

/// A list of what may run is held against the build; without its plan only against what changed.
fn script_list(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let why = facts.build.err().filter(|_| rules::build_script_not_allowed::has_list(facts))?;
    Some(NotEvaluated {
        area: Area::Capabilities,
        check: "build scripts and procedural macros against the list of the policy".into(),
        why: format!("which of them take part in the build is not known: {why}"),
        required: is_required(facts, scope, Area::Capabilities),
        help: "what changed is judged all the same".into(),
    })
}

/// Versions without a publisher from the time before registries recorded one: of what changed, before and after.
fn publishers(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let mut found = BTreeSet::new();
    for walk in walks(facts) {
        let publications = Publications::of(facts, &walk.key);
        let before = walk.change.previous.as_ref().map(|previous| &previous.version);
        let before = before.or_else(|| Some(&walk.steps.last()?.against?.version));
        for version in [before, Some(&walk.package.version)].into_iter().flatten() {
            let published = publications.version(version);
            if published.is_some_and(|published| published.publisher == Publisher::Unknown)
                && facts.is_legacy(&walk.key, &publications, version)
            {
                found.insert(format!("{} {version}", walk.package.name));
            }
        }
    }
    if found.is_empty() {
        return None;
    }
    let found: Vec<_> = found.into_iter().collect();
    Some(NotEvaluated {
        area: Area::Maintainers,
        check: "publisher".into(),
        why: format!("the registry did not record publishers yet, or never does, of {}", shortened(&found)),
        required: is_required(facts, scope, Area::Maintainers),
        help: "nothing can be looked up: who published them is not known to anybody".into(),
    })
}

/// Dependencies that a release added and of which nothing says when they first appeared.
fn dependency_ages(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    let first = |key: &CrateKey| facts.registry.histories.get(key)?.as_ref().ok()?.first_published();
    let mut found = BTreeSet::new();
    for walk in walks(facts) {
        let added = walk.steps.iter().flat_map(|step| &step.added);
        let unknown = added.map(|dependency| dependency_key(&walk.key, dependency)).filter(|key| first(key).is_none());
        found.extend(unknown.map(|key| key.name));
    }
    if found.is_empty() {
        return None;
    }
    let found: Vec<_> = found.into_iter().collect();
    Some(NotEvaluated {
        area: Area::Lock,
        check: "age of new dependencies".into(),
        why: format!("the index does not say when they first appeared: {}", shortened(&found)),
        required: is_required(facts, scope, Area::Lock),
        help: "run `cargo fetch` once with the network; registries without `pubtime` in their index cannot say".into(),
    })
}

/// Sources that were not compared with what was locked: one entry for each reason. Of what takes part in the build that is required.
fn integrity(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let entry = |area, check: &str, why: String, required: bool, help: &str| NotEvaluated {
        area,
        check: check.into(),
        why,
        required,
        help: help.into(),
    };
    let integrity = match facts.integrity {
        Ok(integrity) => integrity,
        Err(why) => {
            let required = is_required(facts, scope, Area::Integrity);
            return vec![
                entry(Area::Integrity, "sources", why.to_owned(), required, "judge the area `integrity`"),
                entry(
                    Area::Sources,
                    "archives of packages",
                    "they are read together with the area `integrity`".into(),
                    false,
                    "judge the area `integrity` as well",
                ),
            ];
        }
    };
    let mut reasons = std::collections::BTreeMap::<&str, Vec<String>>::new();
    for ((name, version, _), result) in &integrity.packages {
        if let Err(why) = result {
            reasons.entry(why).or_default().push(format!("{name} {version}"));
        }
    }
    let required = facts.build.is_ok() || is_required(facts, scope, Area::Integrity);
    let fetch = "run `cargo fetch`, which brings what is missing";
    let mut entries: Vec<_> = reasons
        .into_iter()
        .map(|(why, packages)| {
            let required = required || why != NOT_FETCHED;
            let why = format!("{why}: {}", shortened(&packages));
            entry(Area::Integrity, "sources against their checksums", why, required, fetch)
        })
        .collect();
    let listed: Vec<_> = integrity.by_list_only.iter().map(|(name, version, _)| format!("{name} {version}")).collect();
    if !listed.is_empty() {
        let why = format!(
            "the .crate is not in cargo's cache, so the list beside the files is all they are compared with, of {}",
            shortened(&listed)
        );
        let required = is_required(facts, scope, Area::Integrity);
        entries.push(entry(Area::Integrity, "vendored files against the .crate", why, required, fetch));
    }
    entries
}

/// `3 packages: a 1.0.0, b 1.0.0, c 1.0.0`; of many the first five.
fn shortened(packages: &[String]) -> String {
    shortened_as(packages, "package")
}

fn shortened_as(things: &[String], noun: &str) -> String {
    let shown = things.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if things.len() > 5 { ", …" } else { "" };
    format!("{}: {shown}{more}", counted(things.len(), noun))
}
