//! Sources compared with what was locked.

use std::collections::BTreeMap;

use super::{is_required, shortened};
use crate::check::{Facts, Scope};
use crate::finding::{Area, NotEvaluated};
use crate::model::integrity::NOT_FETCHED;

/// Sources that were not compared with what was locked: one entry for each reason. Of what takes part in the build that is required.
pub(super) fn integrity(facts: &Facts<'_>, scope: &Scope) -> Vec<NotEvaluated> {
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
    let mut reasons = BTreeMap::<&str, Vec<String>>::new();
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
