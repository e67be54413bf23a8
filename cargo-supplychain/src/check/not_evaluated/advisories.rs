//! Advisories: no lockfile, no database, one that is too old; and what is judged without a plan of the build.

use super::is_required;
use crate::advisory::Kind;
use crate::advisory::signals::is_cve;
use crate::check::{Advisories, Facts, LockState, Scope};
use crate::config::MaxAge;
use crate::finding::{Area, NotEvaluated};

/// The advisories: no lockfile, no database, one that is too old or of an unknown day.
pub(super) fn advisories(facts: &Facts<'_>) -> Option<NotEvaluated> {
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

/// The further sources: those that could not be had, are too old, or of an unknown day; and what nobody can say of vulnerabilities because there is
/// no catalogue of what is exploited.
pub(super) fn sources(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
    let required = is_required(facts, scope, Area::Advisories);
    let entry = |check: &str, why: String, help: &str| NotEvaluated {
        area: Area::Advisories,
        check: check.to_owned(),
        why,
        required,
        help: help.to_owned(),
    };
    let mut list = Vec::new();
    for feed in &facts.sources.feeds {
        let name = feed.kind.name();
        let info = match &feed.state {
            Ok(info) => info,
            Err((why, help)) => {
                list.push(entry(name, why.clone(), help));
                continue;
            }
        };
        let renew = format!("run `cargo supplychain fetch {0}`, or name a newer file with `--feed {0}=PATH`", feed.kind);
        match (feed.max_age, info.date) {
            (MaxAge::Unlimited, _) => {
                let help = "set `max-age` of the source, for example to \"30d\"";
                list.push(NotEvaluated {
                    required: false,
                    ..entry(name, "its age is not judged: `max-age` is \"none\"".to_owned(), help)
                });
            }
            (MaxAge::Days(_), None) => list.push(entry(name, "stale, its age is not known".to_owned(), &renew)),
            (MaxAge::Days(limit), Some(date)) => {
                let age = facts.now.days_since(date);
                if age > i64::from(limit) {
                    list.push(entry(name, format!("stale, age {age}d > {limit}d"), &renew));
                }
            }
        }
    }
    let concerned = without_signal(facts);
    // Of an archive the components say it, each in its finding.
    let is_told = required || facts.archived.is_none();
    if concerned > 0 && is_told && facts.sources.signals.kev.is_none() {
        let why = format!(
            "whether {} known to be exploited: there is no KEV catalogue",
            if concerned == 1 { "1 vulnerability is".to_owned() } else { format!("{concerned} vulnerabilities are") }
        );
        list.push(entry("known exploited", why, "run `cargo supplychain fetch kev`, or name a file with `--feed kev=PATH`"));
    }
    list
}

/// Vulnerabilities that the catalogue could say something of.
fn without_signal(facts: &Facts<'_>) -> usize {
    let Advisories::Loaded { hits, .. } = facts.advisories else { return 0 };
    hits.iter().filter(|hit| hit.advisory.kind == Kind::Vulnerability && hit.advisory.ids().any(is_cve)).count()
}

/// Without a plan every locked package is judged as if it were built; that is said, and fails nothing.
pub(super) fn not_planned(facts: &Facts<'_>, scope: &Scope) -> Option<NotEvaluated> {
    if facts.archived.is_some() {
        return None;
    }
    let why = facts.build.err()?;
    Some(NotEvaluated {
        area: Area::Advisories,
        check: "build plan".into(),
        why: format!("which packages take part in the build is not known: {why}"),
        required: is_required(facts, scope, Area::Advisories),
        help: "advisories of all locked packages are judged as if they were built".into(),
    })
}
