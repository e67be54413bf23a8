//! Advisories: no lockfile, no database, one that is too old; and what is judged without a plan of the build.

use super::is_required;
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
