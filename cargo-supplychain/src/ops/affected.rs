//! `affected`: which archived releases, and which of their files, have what an advisory names.

use std::collections::BTreeSet;

use super::archived::{Opened, Request};
use super::{Class, Error, Progress};
use crate::advisory::{self, Advisory, AdvisoryDatabase, FeedInfo};
use crate::archive::Access;
use crate::archived::answer::{InReleases, join, sequences};
use crate::archived::query::Query;
use crate::base::Context;
use crate::check::archived as judge;
use crate::document::affected::{Affected, NamedAdvisory, SCHEMA_VERSION};
use crate::finding::NotEvaluated;

/// What the question comes to.
struct Meant {
    /// Names that are looked up.
    names: BTreeSet<String>,
    advisories: Vec<Advisory>,
    feed: Option<FeedInfo>,
    not_evaluated: Vec<NotEvaluated>,
}

/// Answers.
///
/// # Errors
/// The question, the policy, the archive or the advisory database cannot be used; the advisory is not known.
pub fn affected(context: &Context, request: &Request, asked: &str, progress: &mut dyn Progress) -> Result<Affected, Error> {
    let query: Query = asked.parse().map_err(|error| {
        Error::usage(&error).with_help(
            "ask for RUSTSEC-2023-0061, CVE-2023-4863, GHSA-j7hp-h8jx-5ppr, pkg:cargo/libwebp-sys or 'pkg:cargo/libwebp-sys@<0.9.3'",
        )
    })?;
    let (mut opened, meant) = match &query {
        Query::Crate { name, .. } | Query::Component { name, .. } => {
            let names = BTreeSet::from([name.clone()]);
            let meant = Meant { names, advisories: Vec::new(), feed: None, not_evaluated: Vec::new() };
            (Opened::new(context, request, Access::Read, progress)?, meant)
        }
        Query::Advisory(id) => {
            let (opened, database) = Opened::with_advisories(context, request, Access::Read, progress)?;
            let database = database.map_err(|(why, help)| Error::new(Class::Undetermined, &why).with_help(help))?;
            let meant = meant(context, &opened, id, database)?;
            (opened, meant)
        }
    };
    let candidates = opened.ask(context, progress, |index| index.components(&meant.names))?;
    let found: Vec<_> =
        candidates.into_iter().filter_map(|one| found_by(&query, &meant.advisories, &one).map(|ids| (one, ids))).collect();
    let wanted = sequences(found.iter().map(|(component, _)| component));
    let releases = opened.ask(context, progress, |index| index.releases(&wanted))?;
    let mut releases = join(found, releases, &opened.settings.supported, context.now);
    let before = releases.len();
    if request.supported {
        releases.retain(|release| release.supported == Some(true));
    }
    let mut not_evaluated = meant.not_evaluated;
    not_evaluated.extend(opened.unknown());
    Ok(Affected {
        schema_version: SCHEMA_VERSION,
        tool: super::TOOL.to_owned(),
        asked_at: context.now,
        query: asked.to_owned(),
        archive: opened.asked(),
        feed: meant.feed,
        advisories: meant.advisories.iter().map(NamedAdvisory::from).collect(),
        supported_only: request.supported,
        not_listed: before - releases.len(),
        releases,
        not_evaluated,
    })
}

fn meant(context: &Context, opened: &Opened, id: &str, database: AdvisoryDatabase) -> Result<Meant, Error> {
    let named =
        |advisory: &&Advisory| std::iter::once(&advisory.id).chain(&advisory.aliases).any(|known| known.eq_ignore_ascii_case(id));
    let advisories: Vec<_> = database.advisories.iter().filter(named).cloned().collect();
    if advisories.is_empty() {
        return Err(unknown(id, &database));
    }
    let feed = database.info.clone();
    // An old database may have an older range: the same limit as everywhere.
    let of_the_day = AdvisoryDatabase { advisories: Vec::new(), ..database };
    let not_evaluated = judge::judge(&opened.settings, context.now, Ok(of_the_day), &[]).not_evaluated;
    let names = advisories.iter().map(|advisory| advisory.package.clone()).collect();
    Ok(Meant { names, advisories, feed: Some(feed), not_evaluated })
}

/// Not knowing an advisory is no answer.
fn unknown(id: &str, database: &AdvisoryDatabase) -> Error {
    let date = database.info.date.map_or_else(|| "an unknown day".to_owned(), crate::base::Timestamp::date);
    let why = format!("the advisory database {} of {date} does not know {id}, or it was withdrawn", database.info.origin);
    Error::new(Class::Undetermined, &why)
        .with_help("check the id, renew the database with `cargo supplychain fetch`, or ask for the crate: pkg:cargo/NAME@RANGE")
}

/// The ids of the advisories that the component is found by; none: it is not what was asked for. A component whose version is none cannot
/// be compared, and [`crate::archived::Inventory::check`] lets none in.
fn found_by(query: &Query, advisories: &[Advisory], component: &InReleases) -> Option<Vec<String>> {
    let version = component.key.version.parse().ok()?;
    match query {
        Query::Crate { versions, .. } => versions.include(&version).then(Vec::new),
        Query::Component { purl, .. } => (component.purl() == purl).then(Vec::new),
        Query::Advisory(_) => {
            let key = &component.key;
            let applies = |advisory: &&Advisory| advisory::applies(advisory, &key.name, &version, key.source.as_deref());
            let ids: Vec<_> = advisories.iter().filter(applies).map(|advisory| advisory.id.clone()).collect();
            (!ids.is_empty()).then_some(ids)
        }
    }
}
