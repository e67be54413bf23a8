//! `rescan`: every archived release judged by today's advisories, through the rules of `check`; what is new is told and recorded in the
//! archive's chain. Its work is that of distinct components and advisories: releases are only joined to what was found.

mod history;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::archived::{self, Opened};
use super::{Error, Progress, vex_sources};
use crate::advisory::native::known_ids;
use crate::advisory::signals::is_cve;
use crate::advisory::{FeedInfo, Signals};
use crate::archive::Access;
use crate::archive::index::Index;
use crate::archived::answer::{InReleases, ListedRelease, Part, join};
use crate::archived::history::History;
use crate::archived::query::Query;
use crate::archived::{Event, FORMAT_VERSION, Hit, Rescan};
use crate::base::Context;
use crate::base::text::counted;
use crate::check::archived::{ArchivedComponent, Judgement, Known, hit_id, judge};
use crate::document::rescan::{Disappeared, RescanFinding, Rescanned, SCHEMA_VERSION, SHOWN};
use crate::feeds::Which;
use crate::finding::{Area, FailOn, Finding, NotEvaluated, Report, ReportInput};
use crate::model::native::known;

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
    told: Told,
}

/// Of what today's sources tell about libraries that are no crates: whatever they are silent about is not gone.
struct Told {
    cves: BTreeSet<String>,
    ends: bool,
}

impl Told {
    fn new(signals: &Signals) -> Self {
        let of_records = signals.records.iter().flat_map(BTreeMap::keys).cloned();
        Self { cves: of_records.chain(known_ids().map(str::to_owned)).collect(), ends: signals.lines.is_some() }
    }

    fn is_about(&self, hit: &Hit) -> bool {
        let is_crate = !matches!(hit.purl.parse(), Ok(Query::Library { .. }));
        is_crate || self.cves.contains(&hit.advisory) || (self.ends && !is_cve(&hit.advisory))
    }
}

/// Judges, tells and records. The report is the outcome as any report is, for the formats that all share.
///
/// # Errors
/// The policy, the archive or the cache cannot be used, or the outcome not be recorded.
pub fn rescan(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<(Rescanned, Report), Error> {
    let access = if request.record == Record::Never { Access::Read } else { Access::Write };
    let (mut opened, database) = Opened::with_advisories(context, &request.archived, Which::All, access, progress)?;
    let history = opened.ask(context, progress, Index::history)?;
    let mut judged = judge_all(context, database, &history, &mut opened, progress)?;
    let mut not_evaluated = std::mem::take(&mut judged.judgement.not_evaluated);
    not_evaluated.extend(opened.unknown());
    not_evaluated.extend(older_than_the_last(&judged.feeds, &history));
    let is_known = !not_evaluated.iter().any(|check| check.required);

    let found = found(&judged, &history, request.all);
    let gone = if is_known { disappeared(&judged, &history) } else { Vec::new() };
    let outcome = outcome(&found, &gone, &judged.feeds, opened.index().head().sequence, &history);
    let has_news = !gone.is_empty() || found.iter().any(|one| one.new);
    let recorded = match request.record {
        Record::Never => None,
        Record::News if !has_news => None,
        _ if is_known => {
            Some(opened.archive.append(context, opened.index().head(), &outcome, |outcome| Event::Rescan { outcome })?)
        }
        _ => {
            progress.note("nothing was recorded: what could not be told now would count as seen");
            None
        }
    };

    let total = found.len();
    let (mut findings, releases) = listed(context, found, request, &mut opened, progress)?;
    show(context, &judged, &mut opened, progress, &mut findings)?;
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
        releases,
        disappeared: gone,
        exempted: report.exempted.clone(),
        not_evaluated: report.not_evaluated.clone(),
    };
    Ok((rescanned, report))
}

fn judge_all(
    context: &Context,
    known: Known,
    history: &History,
    opened: &mut Opened,
    progress: &mut dyn Progress,
) -> Result<Judged, Error> {
    let mut names = known_names(history);
    let mut feeds = Vec::new();
    if let Ok(database) = &known.database {
        names.extend(database.packages().map(str::to_owned));
        feeds.push(database.info.clone());
    }
    feeds.extend(known.sources.feeds.iter().filter_map(|feed| feed.state.as_ref().ok()).cloned());
    feeds.extend(known.sources.vex.iter().map(vex_sources::info));
    names.extend(known::bringing(|_| true).map(str::to_owned));
    let components = opened.ask(context, progress, |index| index.components(&names))?;
    let components = with_libraries(components);
    // A version that is none was let in by nobody.
    let archived = |one: &InReleases| {
        let version = one.key.version.parse().ok()?;
        let (name, source) = (one.key.name.clone(), one.key.source.clone());
        let library = one.library.as_ref().map(|library| (library.name, library.version.clone()));
        Some(ArchivedComponent { name, version, source, library, takes_part: one.takes_part() })
    };
    let (components, archived): (Vec<_>, Vec<_>) =
        components.into_iter().filter_map(|one| archived(&one).map(|archived| (one, archived))).unzip();
    let told = Told::new(&known.sources.signals);
    let judgement = judge(&opened.settings, context.now, known, &archived);
    Ok(Judged { components, judgement, feeds, told })
}

/// The components, each followed by the libraries that it brought along.
fn with_libraries(components: Vec<InReleases>) -> Vec<InReleases> {
    let mut all = Vec::with_capacity(components.len());
    for component in components {
        let libraries = component.libraries();
        all.push(component);
        all.extend(libraries);
    }
    all
}

/// The crates of known hits: an advisory that was withdrawn is in no database.
fn known_names(history: &History) -> BTreeSet<String> {
    history.known().flat_map(crates_of).collect()
}

/// The crates that a hit may be of.
fn crates_of(hit: &Hit) -> BTreeSet<String> {
    hit.purl.parse().map(|query: Query| query.crates()).unwrap_or_default()
}

/// What an older database does not know would be told as gone.
fn older_than_the_last(feeds: &[FeedInfo], history: &History) -> Option<NotEvaluated> {
    let last = history.last?.feeds?;
    let date = feeds.iter().filter(|feed| feed.is_rustsec()).filter_map(|feed| feed.date).min()?;
    (date < last).then(|| NotEvaluated {
        area: Area::Advisories,
        check: "advisories".to_owned(),
        why: format!("the advisory database is of {}, the last rescan had one of {}", date.date(), last.date()),
        required: true,
        help: "renew the database with `cargo supplychain fetch`".to_owned(),
    })
}

/// Every finding, known or not; those that are to be listed (what is new, or `all`) with their releases.
fn found(judged: &Judged, history: &History, all: bool) -> Vec<RescanFinding> {
    let up_to = judged_up_to(history);
    let one = |(index, finding): &(usize, Finding)| {
        let component = &judged.components[*index];
        let advisory = hit_id(finding).to_owned();
        let hit = component.hit(&advisory);
        let first_seen = history.first_seen(&hit);
        // A hit that is known is new for the releases that came in since.
        let is_news = |sequence: u64| first_seen.is_none() || sequence > up_to;
        let new = component.releases().any(is_news);
        let releases = component.in_releases().filter(|place| all || is_news(place.sequence)).collect();
        RescanFinding { finding: finding.clone(), advisory, purl: hit.purl, first_seen, new, releases, shown: Vec::new() }
    };
    let mut found: Vec<_> = judged.judgement.findings.iter().map(one).collect();
    found.sort_by(|a, b| (b.finding.severity, &a.advisory, &a.purl).cmp(&(a.finding.severity, &b.advisory, &b.purl)));
    found
}

/// The last entry that a recorded rescan judged.
fn judged_up_to(history: &History) -> u64 {
    history.last.map_or(0, |last| last.up_to)
}

/// What is known and does not apply any more, of components that are still kept.
fn disappeared(judged: &Judged, history: &History) -> Vec<Disappeared> {
    let kept: BTreeSet<&str> = judged.components.iter().map(InReleases::purl).collect();
    let applying: BTreeSet<Hit> =
        judged.judgement.applying.iter().map(|(advisory, index)| judged.components[*index].hit(advisory)).collect();
    let is_gone = |hit: &&Hit| kept.contains(hit.purl.as_str()) && !applying.contains(*hit) && judged.told.is_about(hit);
    let gone = history.known().filter(is_gone);
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

/// What is listed, and the releases that it is about, each once; with `--supported` only those that are.
fn listed(
    context: &Context,
    mut found: Vec<RescanFinding>,
    request: &Request,
    opened: &mut Opened,
    progress: &mut dyn Progress,
) -> Result<(Vec<RescanFinding>, Vec<ListedRelease>), Error> {
    let sequences = found.iter().flat_map(|one| one.releases.iter().map(|place| place.sequence)).collect();
    let releases = opened.ask(context, progress, |index| index.releases(&sequences))?;
    let mut releases = crate::archived::answer::listed(&releases, &opened.settings.supported, context.now);
    if request.archived.supported {
        releases.retain(|release| release.supported == Some(true));
    }
    let rank: HashMap<u64, usize> = releases.iter().enumerate().map(|(rank, release)| (release.sequence, rank)).collect();
    for one in &mut found {
        one.releases.retain(|place| rank.contains_key(&place.sequence));
        one.releases.sort_by_cached_key(|place| rank.get(&place.sequence).copied());
    }
    found.retain(|one| !one.releases.is_empty());
    Ok((found, releases))
}

/// Adds the first releases of each finding with their files, for people.
fn show(
    context: &Context,
    judged: &Judged,
    opened: &mut Opened,
    progress: &mut dyn Progress,
    findings: &mut [RescanFinding],
) -> Result<(), Error> {
    let of = |one: &RescanFinding| -> BTreeSet<u64> { one.releases.iter().take(SHOWN).map(|place| place.sequence).collect() };
    let wanted: BTreeSet<u64> = findings.iter().flat_map(of).collect();
    let releases = opened.ask(context, progress, |index| index.releases(&wanted))?;
    let mut by_purl: BTreeMap<&str, Vec<&InReleases>> = BTreeMap::new();
    for component in &judged.components {
        by_purl.entry(component.purl()).or_default().push(component);
    }
    for one in findings {
        let sequences = of(one);
        let components = by_purl.get(one.purl.as_str()).into_iter().flatten();
        let components = components.map(|component| (component.within(&sequences), vec![one.advisory.clone()])).collect();
        let of_it = sequences.iter().filter_map(|sequence| Some((*sequence, releases.get(sequence)?.clone()))).collect();
        one.shown = join(components, &of_it, &opened.settings.supported, context.now);
    }
    Ok(())
}

/// The finding as a report has it: the releases are among its facts.
fn with_releases(one: &RescanFinding) -> Finding {
    let mut finding = one.finding.clone();
    finding.message = format!("{} (in {})", finding.message, counted(one.releases.len(), "archived release"));
    for release in one.shown.iter().take(NAMED) {
        let supported = match release.supported {
            Some(true) => ", supported",
            Some(false) => ", not supported",
            None => "",
        };
        let part = release.part();
        let files: BTreeSet<_> =
            release.components.iter().flat_map(|one| release.uses(one)).map(|(file, _)| &file.path).collect();
        let files = if part == Part::LockedOnly {
            String::new()
        } else {
            files.into_iter().fold(String::new(), |list, path| list + " " + path)
        };
        finding = finding.because(format!(
            "{} {} {} (entry {}{supported}): {}{files}",
            release.release.name,
            release.release.version,
            release.release.target,
            release.release.sequence,
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
