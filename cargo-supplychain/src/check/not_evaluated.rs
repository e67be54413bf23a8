//! The checks that could not be made, with the reason of each. docs/check.md says which are required; `--require` and `--only` of an
//! area make its best-effort ones required too: who asks for an answer does not get a pass for want of one.

use super::{Advisories, Facts, LockState, Scope};
use crate::config::MaxAge;
use crate::finding::{Area, NotEvaluated};
use crate::model::index::IndexGap;
use crate::model::integrity::NOT_FETCHED;

/// Areas that this version knows by name only.
const NOT_BUILT: [(Area, &str); 4] = [
    (Area::Maintainers, "owners and publishers"),
    (Area::Capabilities, "new build scripts and proc macros"),
    (Area::Licences, "licence policy"),
    (Area::Workflows, "CI workflows"),
];

pub(super) fn list(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let mut list = Vec::new();
    list.extend(advisories(facts));
    list.extend(not_planned(facts, scope));
    list.extend(index(facts, scope));
    list.extend(integrity(facts, scope));
    list.extend(NOT_BUILT.iter().map(|&(area, check)| NotEvaluated {
        area,
        check: check.into(),
        why: "not part of this version".into(),
        required: is_asked_for(facts, scope, area),
        help: format!("leave `{area}` out of `--only`, `--require` and `[rules] require`, or check it otherwise"),
    }));
    list.retain(|check| scope.includes(check.area));
    list
}

fn is_asked_for(facts: &Facts<'_>, scope: &Scope, area: Area) -> bool {
    scope.only.contains(&area) || is_required(facts, scope, area)
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

/// Yanked and checksum, as far as cargo's index cache knows: one entry for each reason, whatever the number of packages.
fn index(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let Some(lockfile) = facts.lock.lockfile() else { return Vec::new() };
    let mut gaps = std::collections::BTreeMap::<&IndexGap, Vec<String>>::new();
    let nothing = Err(IndexGap::NotCached);
    for package in lockfile.packages.iter().filter(|package| package.is_registry()) {
        let source = package.source.clone().unwrap_or_default();
        let known = facts.index.versions.get(&(package.name.clone(), package.version.clone(), source)).unwrap_or(&nothing);
        if let Err(gap) = known {
            gaps.entry(gap).or_default().push(format!("{} {}", package.name, package.version));
        }
    }
    let entries = gaps.into_iter().map(|(gap, packages)| {
        let why = match gap {
            IndexGap::NotCached => "cargo's index cache has no entry of".to_owned(),
            IndexGap::NoSuchVersion => "cargo's index cache does not know the version of".to_owned(),
            IndexGap::Unreadable(why) => format!("the entry in cargo's index cache could not be read ({why}) of"),
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
            let required = is_asked_for(facts, scope, Area::Integrity);
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
    let required = facts.build.is_ok() || is_asked_for(facts, scope, Area::Integrity);
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
    let noun = if packages.len() == 1 { "package" } else { "packages" };
    let shown = packages.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = if packages.len() > 5 { ", …" } else { "" };
    format!("{} {noun}: {shown}{more}", packages.len())
}
