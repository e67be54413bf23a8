//! What stands in the exported tables, column by column; in which bytes is its neighbour's.

use std::borrow::Cow;
use std::ops::Range;

use semver::Version;

use crate::archived::answer::{InReleases, Part};
use crate::archived::history::History;
use crate::archived::index::segment::{ComponentKey, Detail, IndexedRelease, Releases};
use crate::model::Role;

/// The tables that have a file for each range of entries.
pub(super) const OF_RELEASES: [&str; 5] = ["releases", "artifacts", "components", "uses", "natives"];

/// A table.
pub(super) struct Table<'a> {
    pub name: &'static str,
    pub columns: Vec<(&'static str, Column<'a>)>,
}

/// The values of a column, one a row.
pub(super) enum Column<'a> {
    Number(Vec<i64>),
    /// Milliseconds since 1970 in UTC.
    Time(Vec<Option<i64>>),
    Text(Vec<Cow<'a, str>>),
    OptionalText(Vec<Option<Cow<'a, str>>>),
}

/// The components of the releases of one range, sorted by release, then component.
pub(super) struct Places<'a> {
    rows: Vec<(u64, &'a ComponentKey, &'a Detail)>,
}

impl<'a> Places<'a> {
    pub(super) fn of(components: &'a [InReleases], range: Range<u64>) -> Self {
        let mut rows = Vec::new();
        for component in components {
            for (detail, releases) in &component.places {
                let (start, end) =
                    (releases.partition_point(|one| *one < range.start), releases.partition_point(|one| *one < range.end));
                rows.extend(releases[start..end].iter().map(|release| (*release, &component.key, detail)));
            }
        }
        rows.sort_by(|a, b| (a.0, &a.2.purl, a.1).cmp(&(b.0, &b.2.purl, b.1)));
        Self { rows }
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn text(value: &str) -> Cow<'_, str> {
    Cow::Borrowed(value)
}

/// The tables of the releases of one range.
pub(super) fn of_releases<'a>(all: &'a Releases, range: Range<u64>, places: &Places<'a>) -> [Table<'a>; 5] {
    let releases: Vec<_> = all.range(range).map(|(_, release)| release.as_ref()).collect();
    [releases_table(&releases), artifacts(&releases), components(places), uses(all, places), natives(places)]
}

fn releases_table<'a>(releases: &[&'a IndexedRelease]) -> Table<'a> {
    let texts = |get: fn(&'a IndexedRelease) -> &'a str| Column::Text(releases.iter().map(|one| text(get(one))).collect());
    Table {
        name: OF_RELEASES[0],
        columns: vec![
            ("sequence", Column::Number(releases.iter().map(|one| number(one.sequence)).collect())),
            ("name", texts(|one| &one.name)),
            ("version", texts(|one| &one.version)),
            ("target", texts(|one| &one.target)),
            ("archived", Column::Time(releases.iter().map(|one| Some(one.archived.unix() * 1000)).collect())),
            ("record", Column::Text(releases.iter().map(|one| one.record.to_string().into()).collect())),
            ("rustc", texts(|one| &one.rustc)),
        ],
    }
}

fn artifacts<'a>(releases: &[&'a IndexedRelease]) -> Table<'a> {
    let rows: Vec<_> = releases.iter().flat_map(|one| one.artifacts.iter().map(|artifact| (one.sequence, artifact))).collect();
    Table {
        name: OF_RELEASES[1],
        columns: vec![
            ("sequence", Column::Number(rows.iter().map(|(sequence, _)| number(*sequence)).collect())),
            ("artifact", Column::Text(rows.iter().map(|(_, one)| text(&one.name)).collect())),
            ("path", Column::Text(rows.iter().map(|(_, one)| text(&one.path)).collect())),
            ("sha256", Column::Text(rows.iter().map(|(_, one)| one.sha256.to_string().into()).collect())),
        ],
    }
}

fn components<'a>(places: &Places<'a>) -> Table<'a> {
    let rows = &places.rows;
    let versions: Vec<Option<Version>> = rows.iter().map(|(_, key, _)| key.version.parse().ok()).collect();
    let part_of_version = |get: fn(&Version) -> u64| {
        Column::Number(versions.iter().map(|version| version.as_ref().map_or(-1, |version| number(get(version)))).collect())
    };
    let pre = versions.iter().map(|version| version.as_ref().map_or_else(String::new, |version| version.pre.to_string()).into());
    let part = |detail: &Detail| match Part::of(&detail.uses) {
        Part::Linked => "linked",
        Part::BuildOnly => "build-only",
        Part::LockedOnly => "locked-only",
    };
    Table {
        name: OF_RELEASES[2],
        columns: vec![
            ("sequence", Column::Number(rows.iter().map(|(sequence, ..)| number(*sequence)).collect())),
            ("purl", Column::Text(rows.iter().map(|(.., detail)| text(&detail.purl)).collect())),
            ("name", Column::Text(rows.iter().map(|(_, key, _)| text(&key.name)).collect())),
            ("version", Column::Text(rows.iter().map(|(_, key, _)| text(&key.version)).collect())),
            ("major", part_of_version(|version| version.major)),
            ("minor", part_of_version(|version| version.minor)),
            ("patch", part_of_version(|version| version.patch)),
            ("pre", Column::Text(pre.collect())),
            ("source", Column::OptionalText(rows.iter().map(|(_, key, _)| key.source.as_deref().map(text)).collect())),
            (
                "checksum",
                Column::OptionalText(rows.iter().map(|(.., detail)| detail.checksum.map(|one| one.to_string().into())).collect()),
            ),
            ("license", Column::OptionalText(rows.iter().map(|(.., detail)| detail.license.as_deref().map(text)).collect())),
            ("part", Column::Text(rows.iter().map(|(.., detail)| text(part(detail))).collect())),
        ],
    }
}

fn uses<'a>(all: &'a Releases, places: &Places<'a>) -> Table<'a> {
    let mut rows = Vec::new();
    for (sequence, _, detail) in &places.rows {
        for one in &detail.uses {
            let artifact = all.get(sequence).and_then(|release| release.artifacts.get(usize::try_from(one.artifact).ok()?));
            rows.extend(artifact.map(|artifact| (*sequence, detail.purl.as_str(), &*artifact.path, one)));
        }
    }
    let role = |role: Role| match role {
        Role::Runtime => "runtime",
        Role::Build => "build",
        Role::ProcMacro => "proc-macro",
        Role::Test => "test",
    };
    Table {
        name: OF_RELEASES[3],
        columns: vec![
            ("sequence", Column::Number(rows.iter().map(|row| number(row.0)).collect())),
            ("purl", Column::Text(rows.iter().map(|row| text(row.1)).collect())),
            ("path", Column::Text(rows.iter().map(|row| text(row.2)).collect())),
            ("role", Column::Text(rows.iter().map(|row| text(role(row.3.role))).collect())),
            ("features", Column::Text(rows.iter().map(|row| row.3.features.join(" ").into()).collect())),
        ],
    }
}

fn natives<'a>(places: &Places<'a>) -> Table<'a> {
    let rows: Vec<_> = (places.rows.iter())
        .flat_map(|(sequence, _, detail)| detail.native.iter().map(move |native| (*sequence, detail.purl.as_str(), native)))
        .collect();
    Table {
        name: OF_RELEASES[4],
        columns: vec![
            ("sequence", Column::Number(rows.iter().map(|row| number(row.0)).collect())),
            ("purl", Column::Text(rows.iter().map(|row| text(row.1)).collect())),
            ("name", Column::Text(rows.iter().map(|row| text(&row.2.name)).collect())),
            ("version", Column::OptionalText(rows.iter().map(|row| row.2.version.as_deref().map(text)).collect())),
            ("linkage", Column::Text(rows.iter().map(|row| text(&row.2.linkage)).collect())),
        ],
    }
}

/// What rescans have recorded.
pub(super) fn hits(history: &History) -> Table<'_> {
    let rows: Vec<_> = history.hits.iter().flat_map(|(hit, spans)| spans.iter().map(move |span| (hit, span))).collect();
    Table {
        name: "hits",
        columns: vec![
            ("advisory", Column::Text(rows.iter().map(|(hit, _)| text(&hit.advisory)).collect())),
            ("purl", Column::Text(rows.iter().map(|(hit, _)| text(&hit.purl)).collect())),
            ("first_seen", Column::Time(rows.iter().map(|(_, span)| Some(span.first_seen.unix() * 1000)).collect())),
            ("gone", Column::Time(rows.iter().map(|(_, span)| span.gone.map(|time| time.unix() * 1000)).collect())),
        ],
    }
}
