//! `affected`: which archived releases, and which of their files, have what an advisory names; or which bills of materials of anyone.

mod libraries;

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use self::libraries::Libraries;
use super::archived::{Opened, Request, load_advisories};
use super::{Class, Error, Progress, foreign, gather};
use crate::advisory::native::is_called;
use crate::advisory::{self, Advisory, AdvisoryDatabase, FeedInfo};
use crate::archive::Access;
use crate::archived::answer::{InReleases, join, sequences};
use crate::archived::query::Query;
use crate::base::Context;
use crate::base::text::counted;
use crate::bom::listing::{crate_of, is_same_purl, library_of};
use crate::bom::{Bom, Part, Scope};
use crate::check::Sources;
use crate::check::archived::{self as judge, Known};
use crate::config::Settings;
use crate::document::affected::{Affected, AffectedDocument, DocumentComponent, NamedAdvisory, SCHEMA_VERSION};
use crate::feeds::Which;
use crate::finding::{Area, NotEvaluated};
use crate::model::feed::FeedKind;
use crate::model::native::known::{self, KnownPart};

/// What the question comes to.
struct Meant {
    /// Names that are looked up.
    names: BTreeSet<String>,
    advisories: Vec<Advisory>,
    libraries: Libraries,
    feed: Option<FeedInfo>,
    not_evaluated: Vec<NotEvaluated>,
}

impl Meant {
    /// A crate, or a library that is none, by its name.
    fn by_name(query: &Query) -> Self {
        let libraries = match query {
            Query::Library { name, versions } => Libraries::Called { name: name.clone(), versions: versions.clone() },
            _ => Libraries::None,
        };
        Self { names: query.crates(), advisories: Vec::new(), libraries, feed: None, not_evaluated: Vec::new() }
    }

    /// Whether an advisory speaks of the crate itself: then its word counts, not that of a library in it.
    fn speaks_of(&self, crate_name: &str) -> bool {
        self.advisories.iter().any(|advisory| advisory.package == crate_name)
    }
}

/// Answers.
///
/// # Errors
/// The question, the policy, the archive or the advisory database cannot be used; the advisory is not known.
pub fn affected(context: &Context, request: &Request, asked: &str, progress: &mut dyn Progress) -> Result<Affected, Error> {
    let query = query(asked)?;
    let (mut opened, meant) = match &query {
        Query::Crate { .. } | Query::Component { .. } | Query::Library { .. } => {
            let meant = Meant::by_name(&query);
            // An archive knows libraries of known crates only.
            if meant.names.is_empty() {
                let all: Vec<_> = known::libraries().into_iter().collect();
                return Err(Error::usage(&"no crate is known to bring a library of that name")
                    .with_help(format!("ask for the crate, or for one of {}", all.join(", "))));
            }
            (Opened::new(context, request, Access::Read, progress)?, meant)
        }
        Query::Advisory(id) => {
            let (opened, database) = Opened::with_advisories(context, request, Which::Named(id), Access::Read, progress)?;
            let meant = meant(context, &opened.settings, id, database)?;
            (opened, meant)
        }
    };
    let candidates = opened.ask(context, progress, |index| index.components(&meant.names))?;
    let mut not_evaluated = unknown_libraries(&meant, &candidates);
    let found: Vec<_> = candidates.into_iter().flat_map(|one| found_in(&query, &meant, one)).collect();
    let wanted = sequences(found.iter().map(|(component, _)| component));
    let releases = opened.ask(context, progress, |index| index.releases(&wanted))?;
    let mut releases = join(found, &releases, &opened.settings.supported, context.now);
    let before = releases.len();
    if request.supported {
        releases.retain(|release| release.supported == Some(true));
    }
    not_evaluated.extend(meant.not_evaluated);
    not_evaluated.extend(opened.unknown());
    Ok(Affected {
        schema_version: SCHEMA_VERSION,
        tool: super::TOOL.to_owned(),
        asked_at: context.now,
        query: asked.to_owned(),
        archive: Some(opened.asked()),
        documents: Vec::new(),
        feed: meant.feed,
        advisories: meant.advisories.iter().map(NamedAdvisory::from).collect(),
        libraries: meant.libraries.named(),
        supported_only: request.supported,
        not_listed: before - releases.len(),
        releases,
        not_evaluated,
    })
}

fn query(asked: &str) -> Result<Query, Error> {
    asked.parse().map_err(|error| {
        Error::usage(&error).with_help(
            "ask for RUSTSEC-2023-0061, CVE-2023-4863, GHSA-j7hp-h8jx-5ppr, pkg:cargo/libwebp-sys, 'pkg:cargo/libwebp-sys@<0.9.3' or \
             'pkg:generic/openssl@<3.3.2'",
        )
    })
}

/// Answers of bills of materials instead of an archive.
///
/// # Errors
/// The question, the policy, a document or the advisory database cannot be used; the advisory is not known.
pub fn in_documents(
    context: &Context,
    request: &Request,
    asked: &str,
    files: &[Utf8PathBuf],
    progress: &mut dyn Progress,
) -> Result<Affected, Error> {
    let query = query(asked)?;
    let (settings, _) = gather::settings(context, request.policy.as_deref(), &context.cwd, None)?;
    let meant = match &query {
        Query::Crate { .. } | Query::Component { .. } | Query::Library { .. } => Meant::by_name(&query),
        Query::Advisory(id) => {
            let known = load_advisories(context, request, &settings, Which::Named(id), progress)?;
            meant(context, &settings, id, known)?
        }
    };
    let mut not_evaluated = meant.not_evaluated.clone();
    let mut documents = Vec::new();
    for file in files {
        let bom = foreign::read(context, file)?.bom;
        let (found, unknown) = in_bom(&query, &meant, &bom);
        not_evaluated.extend(unknown.into_iter().map(|why| NotEvaluated {
            area: Area::Advisories,
            check: format!("components of {file}"),
            why,
            required: true,
            help: "ask whoever made the document for package URLs with versions".to_owned(),
        }));
        documents.push(AffectedDocument::new(file.as_str(), &bom, found));
    }
    Ok(Affected {
        schema_version: SCHEMA_VERSION,
        tool: super::TOOL.to_owned(),
        asked_at: context.now,
        query: asked.to_owned(),
        archive: None,
        documents,
        feed: meant.feed,
        advisories: meant.advisories.iter().map(NamedAdvisory::from).collect(),
        libraries: meant.libraries.named(),
        supported_only: false,
        not_listed: 0,
        releases: Vec::new(),
        not_evaluated,
    })
}

/// What a document has of what is meant, and what cannot be told of it: a part of that name without a package URL or a version of cargo's form
/// may be what is meant.
fn in_bom(query: &Query, meant: &Meant, bom: &Bom) -> (Vec<DocumentComponent>, Vec<String>) {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    let listed: BTreeSet<String> =
        bom.parts.iter().flat_map(|part| part.purls.iter().filter_map(|purl| Some(library_of(part, purl)?.0))).collect();
    for part in &bom.parts {
        let crates: Vec<_> = part.purls.iter().filter_map(|purl| Some((purl, crate_of(part, purl)?))).collect();
        libraries_of(meant, part, &mut found, &mut unknown);
        let may_be_meant = meant.names.contains(&part.name) || meant.libraries.concern(&part.name);
        if part.purls.is_empty() && may_be_meant {
            unknown.push(format!(
                "{} {} has no package URL: it may be another program of that name",
                part.name,
                shown_version(part)
            ));
        }
        for (purl, (name, version, source)) in crates {
            if !meant.speaks_of(&name)
                && let Some(advisories) = brought_along(meant, &listed, (&name, &version), &mut unknown)
            {
                found.push(DocumentComponent { purl: purl.clone(), name, version, source, advisories, scope: scope(part) });
                continue;
            }
            if !meant.names.contains(&name) {
                continue;
            }
            let ids = match (query, version.parse::<semver::Version>()) {
                (Query::Component { purl: wanted, .. }, _) => is_same_purl(wanted, purl).then(Vec::new),
                (Query::Library { .. }, _) => None,
                (_, Err(_)) => {
                    unknown.push(format!("{purl} has no version that can be compared"));
                    None
                }
                (Query::Crate { versions, .. }, Ok(version)) => versions.include(&version).then(Vec::new),
                (Query::Advisory(_), Ok(version)) => {
                    let applies = |one: &&Advisory| advisory::applies(one, &name, &version, source.as_deref());
                    let ids: Vec<_> = meant.advisories.iter().filter(applies).map(|one| one.id.clone()).collect();
                    (!ids.is_empty()).then_some(ids)
                }
            };
            if let Some(advisories) = ids {
                found.push(DocumentComponent { purl: purl.clone(), name, version, source, advisories, scope: scope(part) });
            }
        }
    }
    (found, unknown)
}

/// The libraries that are no crates, by their package URLs (`pkg:generic/openssl@3.3.0`).
fn libraries_of(meant: &Meant, part: &Part, found: &mut Vec<DocumentComponent>, unknown: &mut Vec<String>) {
    for purl in &part.purls {
        match library_of(part, purl) {
            Some((name, Some(version))) => {
                let one = |advisories| {
                    let (purl, name, version) = (purl.clone(), name.clone(), version.clone());
                    DocumentComponent { purl, name, version, source: None, advisories, scope: scope(part) }
                };
                found.extend(meant.libraries.found(&name, &version).map(one));
            }
            Some((name, None)) if meant.libraries.concern(&name) => unknown.push(format!("{purl} has no version")),
            Some(_) | None => {}
        }
    }
}

/// The ids by which libraries are meant that a crate brings along and the document does not list, by what the crate's version says of theirs;
/// `None`: none is meant, or none is known to be.
fn brought_along(
    meant: &Meant,
    listed: &BTreeSet<String>,
    (name, version): (&str, &str),
    unknown: &mut Vec<String>,
) -> Option<Vec<String>> {
    let is_listed = |part: &KnownPart| listed.iter().any(|library| is_called(part.name, library));
    let mut found = None;
    for part in known::sources_in(name).filter(|part| meant.libraries.concern(part.name) && !is_listed(part)) {
        match part.version(name, version, &mut |_| Ok(None)).known() {
            Some(of_library) => {
                let ids = meant.libraries.found(part.name, of_library);
                found = found.or(ids);
            }
            None => unknown.push(format!("which version of {} came with {name} {version} is not known", part.name)),
        }
    }
    found
}

fn scope(part: &Part) -> &'static str {
    match part.scope {
        Scope::Excluded => "excluded",
        Scope::Optional => "optional",
        Scope::Included => "included",
    }
}

fn shown_version(part: &Part) -> &str {
    part.version.first().unwrap_or("without a version")
}

/// Of what is known, which is what is [`Which::Named`] by the id.
fn meant(context: &Context, settings: &Settings, id: &str, known: Known) -> Result<Meant, Error> {
    let database = known.database.map_err(|(why, help)| Error::new(Class::Undetermined, &why).with_help(help))?;
    let AdvisoryDatabase { info: feed, advisories } = database;
    let ids = advisories.iter().flat_map(Advisory::ids).chain([id]);
    let libraries = Libraries::with(ids, &known.sources.signals);
    if advisories.is_empty() && matches!(libraries, Libraries::None) {
        return Err(unknown(id, &feed, &known.sources));
    }
    // An old database or record may have an older range: the same limit as everywhere.
    let of_the_day = AdvisoryDatabase { info: feed.clone(), advisories: Vec::new() };
    let feeds = known.sources.feeds.into_iter().filter(|feed| matches!(feed.kind, FeedKind::Osv | FeedKind::Cve)).collect();
    let of_the_day = Known { database: Ok(of_the_day), sources: Sources { feeds, ..Sources::default() } };
    let mut not_evaluated = judge::judge(settings, context.now, of_the_day, &[]).not_evaluated;
    not_evaluated.extend(libraries.unread().into_iter().map(|why| unknown_library(why, "read the record")));
    let bringing = known::bringing(|library| libraries.concern(library)).map(str::to_owned);
    let names = advisories.iter().map(|advisory| advisory.package.clone()).chain(bringing).collect();
    Ok(Meant { names, advisories, libraries, feed: Some(feed), not_evaluated })
}

/// Not knowing an advisory is no answer.
fn unknown(id: &str, feed: &FeedInfo, sources: &Sources) -> Error {
    let date = feed.date.map_or_else(|| "an unknown day".to_owned(), crate::base::Timestamp::date);
    let unread = sources.feeds.iter().filter_map(|feed| feed.state.as_ref().err());
    let unread: String = unread.map(|(why, _)| format!("; {why}")).collect();
    let why = format!("the advisory database {} of {date} does not know {id}, or it was withdrawn{unread}", feed.origin);
    // Of what is no crate only its record says which versions it is about.
    let record = if id.starts_with("CVE-") { ", name its record with --feed cve=FILE" } else { "" };
    Error::new(Class::Undetermined, &why).with_help(format!(
        "check the id, renew the database with `cargo supplychain fetch`{record}, or ask for the crate: pkg:cargo/NAME@RANGE"
    ))
}

/// What of a component is meant, each with the ids of the advisories that it was found by: the crate itself, else libraries that it brought along.
fn found_in(query: &Query, meant: &Meant, component: InReleases) -> Vec<(InReleases, Vec<String>)> {
    if let Some(ids) = found_by(query, &meant.advisories, &component) {
        return vec![(component, ids)];
    }
    let libraries = component.libraries().into_iter();
    let found = libraries.filter_map(|one| {
        let ids = one.library.as_ref().and_then(|library| meant.libraries.found(library.name, &library.version))?;
        Some((one, ids))
    });
    found.collect()
}

/// Libraries that may be what is meant, in releases whose builds could not tell their versions.
fn unknown_libraries(meant: &Meant, candidates: &[InReleases]) -> Vec<NotEvaluated> {
    let mut unknown = Vec::new();
    for component in candidates.iter().filter(|one| !meant.speaks_of(&one.key.name)) {
        for (library, releases) in component.of_unknown_version(|library| meant.libraries.concern(library)) {
            let (name, version) = (&component.key.name, &component.key.version);
            let releases = counted(releases.len(), "release");
            let why = format!("which version of {library} came with {name} {version} is not known, in {releases}");
            unknown.push(unknown_library(why, "ask whoever built the release, or look into its files"));
        }
    }
    unknown
}

fn unknown_library(why: String, help: &str) -> NotEvaluated {
    NotEvaluated { area: Area::Advisories, check: "libraries".to_owned(), why, required: true, help: help.to_owned() }
}

/// The ids of the advisories that the component is found by; none: it is not what was asked for. A component whose version is none cannot
/// be compared, and [`crate::archived::Inventory::check`] lets none in.
fn found_by(query: &Query, advisories: &[Advisory], component: &InReleases) -> Option<Vec<String>> {
    let version = component.key.version.parse().ok()?;
    match query {
        Query::Crate { versions, .. } => versions.include(&version).then(Vec::new),
        Query::Component { purl, .. } => (component.purl() == purl).then(Vec::new),
        Query::Library { .. } => None,
        Query::Advisory(_) => {
            let key = &component.key;
            let applies = |advisory: &&Advisory| advisory::applies(advisory, &key.name, &version, key.source.as_deref());
            let ids: Vec<_> = advisories.iter().filter(applies).map(|advisory| advisory.id.clone()).collect();
            (!ids.is_empty()).then_some(ids)
        }
    }
}
