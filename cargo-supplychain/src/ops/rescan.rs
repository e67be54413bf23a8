//! `rescan`: every archived release judged by today's advisories, through the rules of `check`; what is new is told and recorded in the
//! archive's chain. Its work is that of distinct components and advisories: releases are only joined to what was found.

mod history;

use std::collections::{BTreeMap, BTreeSet};

use super::archived::{self, Opened};
use super::{Error, Progress, advisories};
use crate::advisory::FeedInfo;
use crate::archived::answer::{FoundRelease, InReleases, Part, join};
use crate::archived::history::History;
use crate::archived::query::Query;
use crate::archived::{Event, FORMAT_VERSION, Hit, Rescan};
use crate::base::Context;
use crate::base::text::counted;
use crate::check::archived::{ArchivedComponent, Database, Judgement, judge};
use crate::document::rescan::{Disappeared, RescanFinding, Rescanned, SCHEMA_VERSION};
use crate::finding::{Area, FailOn, Finding, NotEvaluated, Report, ReportInput};

pub use history::history;

/// How many releases a finding names in its evidence; the data has all.
const NAMED: usize = 10;

/// When the outcome is written into the chain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Record {
    /// Where there is something new.
    #[default]
    News,
    /// Also where there is not: that it was looked is worth keeping.
    Always,
    Never,
}

/// How to judge.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub archived: archived::Request,
    pub fail_on: Option<FailOn>,
    /// What is known as well.
    pub all: bool,
    pub record: Record,
}

/// What is known of all components that an advisory could be about.
struct Judged {
    components: Vec<InReleases>,
    judgement: Judgement,
    feeds: Vec<FeedInfo>,
}

/// Judges, tells and records. The report is the outcome as any report is, for the formats that all share.
///
/// # Errors
/// The policy, the archive or the cache cannot be used, or the outcome not be recorded.
pub fn rescan(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<(Rescanned, Report), Error> {
    let mut opened = Opened::new(context, &request.archived, progress)?;
    let mut judged = judge_all(context, request, &mut opened, progress)?;
    let mut not_evaluated = std::mem::take(&mut judged.judgement.not_evaluated);
    not_evaluated.extend(opened.unknown());
    not_evaluated.extend(older_than_the_last(&judged.feeds, opened.index().history()));
    let is_known = !not_evaluated.iter().any(|check| check.required);

    let history = opened.index().history().clone();
    let found = found(context, &judged, &history, &mut opened, progress)?;
    let gone = if is_known { disappeared(&judged, &history) } else { Vec::new() };
    let outcome = outcome(&found, &gone, &judged.feeds, opened.index().head().sequence, &history);
    let has_news = !gone.is_empty() || found.iter().any(|one| one.new);
    let is_recorded = match request.record {
        Record::News => has_news,
        Record::Always => true,
        Record::Never => false,
    };
    let recorded = match outcome {
        outcome if is_known && is_recorded => {
            Some(opened.archive.append(context, &outcome, |outcome| Event::Rescan { outcome })?)
        }
        _ => None,
    };
    if !is_known && is_recorded {
        progress.note("nothing was recorded: what could not be told now would count as seen");
    }

    let total = found.len();
    let judged_up_to = history.last.map_or(0, |last| last.up_to);
    let findings = listed(found, request, judged_up_to);
    let settings = &opened.settings;
    let exempted = judged.judgement.exempted.iter().map(|(_, one)| one.clone()).collect();
    let input = ReportInput { findings: findings.iter().map(with_releases).collect(), exempted, not_evaluated };
    let report = Report::new(input, request.fail_on.unwrap_or(settings.build.fail_on), context.now, context.now_is_given);
    let rescanned = Rescanned {
        schema_version: SCHEMA_VERSION,
        tool: report.tool.clone(),
        judged_at: context.now,
        judged_at_is_given: context.now_is_given,
        fail_on: report.fail_on.clone(),
        verdict: report.verdict,
        archive: opened.asked(),
        feeds: judged.feeds,
        last_rescan: history.last.map(|last| last.time),
        recorded: recorded.map(|head| head.to_string()),
        all: request.all,
        supported_only: request.archived.supported,
        releases_judged: opened.index().release_count(),
        components_judged: judged.components.len() as u64,
        summary: report.summary,
        known: total - findings.len(),
        findings,
        disappeared: gone,
        exempted: report.exempted.clone(),
        not_evaluated: report.not_evaluated.clone(),
    };
    Ok((rescanned, report))
}

fn judge_all(context: &Context, request: &Request, opened: &mut Opened, progress: &mut dyn Progress) -> Result<Judged, Error> {
    let database = database(context, &request.archived, opened, progress)?;
    let mut names = known_names(opened.index().history());
    let mut feeds = Vec::new();
    if let Ok(database) = &database {
        names.extend(database.packages().map(str::to_owned));
        feeds.push(database.info.clone());
    }
    let components = opened.ask(context, progress, |index| index.components(&names))?;
    // A version that is none was let in by nobody.
    let archived = |one: &InReleases| {
        let version = one.key.version.parse().ok()?;
        let (name, source) = (one.key.name.clone(), one.key.source.clone());
        Some(ArchivedComponent { name, version, source, takes_part: one.takes_part() })
    };
    let (components, archived): (Vec<_>, Vec<_>) =
        components.into_iter().filter_map(|one| archived(&one).map(|archived| (one, archived))).unzip();
    let judgement = judge(&opened.settings, context.now, database, &archived);
    Ok(Judged { components, judgement, feeds })
}

fn database(
    context: &Context,
    request: &archived::Request,
    opened: &Opened,
    progress: &mut dyn Progress,
) -> Result<Database, Error> {
    let wanted = advisories::Wanted {
        given: request.advisory_db.as_deref(),
        settings: &opened.settings,
        root: &context.cwd,
        workspace: None,
        packages: None,
    };
    advisories::load(context, &wanted, progress)
}

/// The crates of known hits: an advisory that was withdrawn is in no database.
fn known_names(history: &History) -> BTreeSet<String> {
    let name = |hit: &Hit| match hit.purl.parse().ok()? {
        Query::Crate { name, .. } | Query::Component { name, .. } => Some(name),
        Query::Advisory(_) => None,
    };
    history.known().filter_map(name).collect()
}

/// What an older database does not know would be told as gone.
fn older_than_the_last(feeds: &[FeedInfo], history: &History) -> Option<NotEvaluated> {
    let last = history.last?.feeds?;
    let date = feeds.iter().filter_map(|feed| feed.date).min()?;
    (date < last).then(|| NotEvaluated {
        area: Area::Advisories,
        check: "advisories".to_owned(),
        why: format!("the advisory database is of {}, the last rescan had one of {}", date.date(), last.date()),
        required: true,
        help: "renew the database with `cargo supplychain fetch`".to_owned(),
    })
}

/// Every finding with its releases, known or not.
fn found(
    context: &Context,
    judged: &Judged,
    history: &History,
    opened: &mut Opened,
    progress: &mut dyn Progress,
) -> Result<Vec<RescanFinding>, Error> {
    let hit_components: BTreeSet<usize> = judged.judgement.findings.iter().map(|(index, _)| *index).collect();
    let sequences = crate::archived::answer::sequences(hit_components.iter().map(|index| &judged.components[*index]));
    let releases = opened.ask(context, progress, |index| index.releases(&sequences))?;
    let judged_up_to = history.last.map_or(0, |last| last.up_to);
    let supported = opened.settings.supported.clone();
    let joined: BTreeMap<usize, Vec<FoundRelease>> = (hit_components.iter())
        .map(|index| (*index, join(&[(judged.components[*index].clone(), Vec::new())], &releases, &supported, context.now)))
        .collect();
    let one = |(index, finding): &(usize, Finding)| {
        let advisory = finding.ids.first().cloned().unwrap_or_default();
        let hit = judged.components[*index].hit(&advisory);
        let first_seen = history.first_seen(&hit);
        let mut releases = joined.get(index).cloned().unwrap_or_default();
        releases.iter_mut().flat_map(|release| &mut release.components).for_each(|one| one.advisories = vec![advisory.clone()]);
        let new = first_seen.is_none() || releases.iter().any(|release| release.sequence > judged_up_to);
        RescanFinding { finding: finding.clone(), advisory, purl: hit.purl, first_seen, new, releases }
    };
    let mut found: Vec<_> = judged.judgement.findings.iter().map(one).collect();
    found.sort_by(|a, b| (b.finding.severity, &a.advisory, &a.purl).cmp(&(a.finding.severity, &b.advisory, &b.purl)));
    Ok(found)
}

/// What is known and does not apply any more, of components that are still kept.
fn disappeared(judged: &Judged, history: &History) -> Vec<Disappeared> {
    let kept: BTreeSet<&str> = judged.components.iter().map(InReleases::purl).collect();
    let applying: BTreeSet<Hit> =
        judged.judgement.applying.iter().map(|(advisory, index)| judged.components[*index].hit(advisory)).collect();
    let gone = history.known().filter(|hit| kept.contains(hit.purl.as_str()) && !applying.contains(hit));
    gone.map(|hit| Disappeared { hit: hit.clone(), first_seen: history.first_seen(hit) }).collect()
}

fn outcome(found: &[RescanFinding], gone: &[Disappeared], feeds: &[FeedInfo], up_to: u64, history: &History) -> Rescan {
    let hit = |one: &RescanFinding| Hit { advisory: one.advisory.clone(), purl: one.purl.clone() };
    let appeared: BTreeSet<Hit> = found.iter().map(hit).filter(|hit| !history.is_known(hit)).collect();
    Rescan {
        format_version: FORMAT_VERSION,
        up_to,
        feeds: feeds.to_vec(),
        appeared: appeared.into_iter().collect(),
        disappeared: gone.iter().map(|one| one.hit.clone()).collect(),
    }
}

/// What is listed: the new ones, or all; with `--supported` those in releases that are.
fn listed(found: Vec<RescanFinding>, request: &Request, judged_up_to: u64) -> Vec<RescanFinding> {
    let supported = |mut one: RescanFinding| {
        // A hit that is known is new for the releases that came in since.
        if !request.all && one.first_seen.is_some() {
            one.releases.retain(|release| release.sequence > judged_up_to);
        }
        if request.archived.supported {
            one.releases.retain(|release| release.supported == Some(true));
        }
        (!one.releases.is_empty()).then_some(one)
    };
    found.into_iter().filter(|one| request.all || one.new).filter_map(supported).collect()
}

/// The finding as a report has it: the releases are among its facts.
fn with_releases(one: &RescanFinding) -> Finding {
    let mut finding = one.finding.clone();
    finding.message = format!("{} (in {})", finding.message, counted(one.releases.len(), "archived release"));
    for release in one.releases.iter().take(NAMED) {
        let supported = match release.supported {
            Some(true) => ", supported",
            Some(false) => ", not supported",
            None => "",
        };
        let part = release.part();
        let files: BTreeSet<_> = release.components.iter().flat_map(|one| &one.uses).map(|one| one.path.as_str()).collect();
        let files = if part == Part::LockedOnly {
            String::new()
        } else {
            format!(" {}", files.into_iter().collect::<Vec<_>>().join(" "))
        };
        finding = finding.because(format!(
            "{} {} {} (entry {}{supported}): {}{files}",
            release.name,
            release.version,
            release.target,
            release.sequence,
            part.as_str()
        ));
    }
    if one.releases.len() > NAMED {
        finding = finding.because(format!("and {}", counted(one.releases.len() - NAMED, "more release")));
    }
    if let Some(day) = one.first_seen {
        finding = finding.because(format!("first seen {}", day.date()));
    }
    finding
}
