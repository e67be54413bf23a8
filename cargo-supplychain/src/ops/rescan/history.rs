//! `rescan --history`: what all rescans have recorded, with the days from first seen to the release that is free of it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::archived::{self, Opened};
use super::super::{Error, Progress};
use super::{crates_of, known_names, with_libraries};
use crate::archive::Access;
use crate::archive::index::Index;
use crate::archived::answer::InReleases;
use crate::archived::history::{Dated, Fix, History, fix};
use crate::archived::index::segment::{IndexedRelease, Releases};
use crate::base::{Context, Timestamp};
use crate::document::rescan::{HistoryAnswer, HistoryLine, SCHEMA_VERSION};

/// Tells the history.
///
/// # Errors
/// The policy, the archive or the cache cannot be used.
pub fn history(context: &Context, request: &archived::Request, progress: &mut dyn Progress) -> Result<HistoryAnswer, Error> {
    let mut opened = Opened::new(context, request, Access::Read, progress)?;
    let history = opened.ask(context, progress, Index::history)?;
    let mut names = known_names(&history);
    names.extend(history.hits.keys().flat_map(crates_of));
    let components = with_libraries(opened.ask(context, progress, |index| index.components(&names))?);
    let releases = opened.ask(context, progress, Index::all_releases)?;
    let mut lines = lines(&history, &components, &releases, context.now);
    if request.supported {
        let supported = &opened.settings.supported;
        let is_supported = |name: &str, version: &String| supported.of(name, version, context.now).is_supported();
        lines.retain(|line| {
            line.name.as_ref().is_some_and(|name| line.versions.iter().any(|version| is_supported(name, version)))
        });
    }
    Ok(HistoryAnswer {
        schema_version: SCHEMA_VERSION,
        tool: super::super::TOOL.to_owned(),
        asked_at: context.now,
        archive: opened.asked(),
        last_rescan: history.last.map(|last| last.time),
        median_days_to_fix: median(&lines),
        history: lines,
    })
}

/// Name and target: releases of them follow each other.
type Line<'a> = (&'a str, &'a str);

fn lines(history: &History, components: &[InReleases], releases: &Releases, now: Timestamp) -> Vec<HistoryLine> {
    let mut by_purl: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for component in components {
        by_purl.entry(component.purl()).or_default().extend(component.releases());
    }
    // A release with another version that the same advisory hits is not free of it.
    let mut by_advisory: BTreeMap<&str, BTreeSet<u64>> = BTreeMap::new();
    for hit in history.hits.keys() {
        by_advisory.entry(&hit.advisory).or_default().extend(by_purl.get(hit.purl.as_str()).into_iter().flatten());
    }
    let mut line_of: BTreeMap<Line<'_>, Vec<&IndexedRelease>> = BTreeMap::new();
    for release in releases.values() {
        line_of.entry((&release.name, &release.target)).or_default().push(release);
    }
    let mut all = Vec::new();
    for (hit, spans) in &history.hits {
        let nowhere = BTreeSet::new();
        let in_releases = by_purl.get(hit.purl.as_str()).unwrap_or(&nowhere);
        let hit_releases = by_advisory.get(hit.advisory.as_str()).unwrap_or(&nowhere);
        let mut touched: BTreeMap<Line<'_>, Vec<String>> = BTreeMap::new();
        for release in in_releases.iter().filter_map(|sequence| releases.get(sequence)) {
            touched.entry((&release.name, &release.target)).or_default().push(release.version.to_string());
        }
        for span in spans {
            let base = HistoryLine {
                advisory: hit.advisory.clone(),
                purl: hit.purl.clone(),
                first_seen: span.first_seen,
                gone: span.gone,
                name: None,
                target: None,
                versions: Vec::new(),
                fix: None,
                fixed_by: None,
            };
            if touched.is_empty() {
                all.push(base.clone());
            }
            for (line, versions) in &touched {
                let dated = line_of.get(line).into_iter().flatten().map(|release| Dated {
                    sequence: release.sequence,
                    archived: release.archived,
                    is_hit: hit_releases.contains(&release.sequence),
                });
                let outcome = fix(&dated.collect::<Vec<_>>(), span.first_seen, now);
                let by = match outcome {
                    Fix::Before { sequence } | Fix::Fixed { sequence, .. } => Some(sequence),
                    Fix::Open { .. } => None,
                };
                all.push(HistoryLine {
                    name: Some(line.0.to_owned()),
                    target: Some(line.1.to_owned()),
                    versions: versions.clone(),
                    fix: span.gone.is_none().then_some(outcome).or(by.map(|_| outcome)),
                    fixed_by: by.and_then(|sequence| releases.get(&sequence)).map(|release| release.version.to_string()),
                    ..base.clone()
                });
            }
        }
    }
    all
}

fn median(lines: &[HistoryLine]) -> Option<i64> {
    let days = lines.iter().filter_map(|line| match line.fix {
        Some(Fix::Fixed { days, .. }) => Some(days),
        _ => None,
    });
    let mut days: Vec<_> = days.collect();
    days.sort_unstable();
    days.get(days.len() / 2).copied()
}
