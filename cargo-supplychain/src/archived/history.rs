//! The history of an archive's findings: what each rescan recorded, folded from the chain, with the day on which each hit was first seen and,
//! held against the releases that came later, how many days its fix took. Pure: no clock, no judgement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Hit, Rescan};
use crate::base::Timestamp;

/// Everything that rescans have recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Every hit that was ever recorded, and when it was there.
    #[serde(with = "as_list")]
    pub hits: BTreeMap<Hit, Vec<Span>>,
    pub last: Option<LastRescan>,
}

/// How long a hit was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// When a rescan recorded it first.
    pub first_seen: Timestamp,
    /// When a rescan recorded that it was there no more.
    pub gone: Option<Timestamp>,
}

/// The last rescan that was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastRescan {
    pub time: Timestamp,
    /// The last entry whose release it judged.
    pub up_to: u64,
    /// The day of the oldest feed that it judged by.
    pub feeds: Option<Timestamp>,
}

impl History {
    /// Adds what a rescan recorded at `time`.
    pub fn fold(&mut self, time: Timestamp, rescan: &Rescan) {
        for hit in &rescan.disappeared {
            if let Some(span) = self.hits.get_mut(hit).and_then(|spans| spans.last_mut()).filter(|span| span.gone.is_none()) {
                span.gone = Some(time);
            }
        }
        for hit in &rescan.appeared {
            if !self.is_known(hit) {
                self.hits.entry(hit.clone()).or_default().push(Span { first_seen: time, gone: None });
            }
        }
        let feeds = rescan.feeds.iter().filter(|feed| feed.is_rustsec()).filter_map(|feed| feed.date).min();
        self.last = Some(LastRescan { time, up_to: rescan.up_to, feeds });
    }

    /// Whether the hit was recorded and is still there.
    #[must_use]
    pub fn is_known(&self, hit: &Hit) -> bool {
        self.first_seen(hit).is_some()
    }

    /// Since when a hit that is still there is known.
    #[must_use]
    pub fn first_seen(&self, hit: &Hit) -> Option<Timestamp> {
        self.hits.get(hit)?.last().filter(|span| span.gone.is_none()).map(|span| span.first_seen)
    }

    /// The hits that are known and still there.
    pub fn known(&self) -> impl Iterator<Item = &Hit> {
        self.hits.keys().filter(|hit| self.is_known(hit))
    }
}

/// JSON has no objects with such keys.
mod as_list {
    use super::{BTreeMap, Hit, Span};
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(hits: &BTreeMap<Hit, Vec<Span>>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(hits)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Hit, Vec<Span>>, D::Error> {
        Ok(Vec::<(Hit, Vec<Span>)>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// A release of one name and target, as far as its fix is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dated {
    pub sequence: u64,
    pub archived: Timestamp,
    /// Whether the advisory hits it.
    pub is_hit: bool,
}

/// Whether a line of releases (one name, one target) is free of an advisory, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Fix {
    /// The newest release of the day on which it was first seen was free of it already.
    Before { sequence: u64 },
    /// A later release is.
    Fixed { sequence: u64, days: i64 },
    /// None is, for so many days.
    Open { days: i64 },
}

/// When an advisory that was first seen at `first_seen` was fixed in a line of releases, which are in the order in which they came in; at
/// least one is hit.
#[must_use]
pub fn fix(line: &[Dated], first_seen: Timestamp, now: Timestamp) -> Fix {
    let later = line.partition_point(|release| release.archived <= first_seen);
    if let Some(current) = line[..later].last().filter(|release| !release.is_hit) {
        return Fix::Before { sequence: current.sequence };
    }
    let first_free = line[later..].iter().find(|release| !release.is_hit);
    match first_free {
        Some(release) => Fix::Fixed { sequence: release.sequence, days: release.archived.days_since(first_seen) },
        None => Fix::Open { days: now.days_since(first_seen) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archived::FORMAT_VERSION;

    fn hit(advisory: &str) -> Hit {
        Hit { advisory: advisory.to_owned(), purl: "pkg:cargo/a@1.0.0".to_owned() }
    }

    fn day(number: u32) -> Timestamp {
        format!("2026-11-{number:02}").parse().unwrap()
    }

    fn rescan(appeared: &[&str], disappeared: &[&str]) -> Rescan {
        let hits = |ids: &[&str]| ids.iter().map(|id| hit(id)).collect();
        Rescan {
            format_version: FORMAT_VERSION,
            up_to: 5,
            feeds: Vec::new(),
            appeared: hits(appeared),
            disappeared: hits(disappeared),
        }
    }

    #[test]
    fn a_hit_is_first_seen_once_until_it_is_gone() {
        let mut history = History::default();
        history.fold(day(1), &rescan(&["A", "B"], &[]));
        history.fold(day(2), &rescan(&["A"], &["B", "C"]));
        assert_eq!((history.first_seen(&hit("A")), history.first_seen(&hit("B"))), (Some(day(1)), None));
        history.fold(day(3), &rescan(&["B"], &[]));
        assert_eq!(history.first_seen(&hit("B")), Some(day(3)));
        assert_eq!(history.known().count(), 2);
        assert_eq!(history.hits[&hit("B")].len(), 2);
        let text = serde_json::to_string(&history).unwrap();
        assert_eq!(serde_json::from_str::<History>(&text).unwrap(), history);
    }

    #[test]
    fn days_to_fix() {
        let line = |releases: &[(u32, bool)]| -> Vec<Dated> {
            let dated = |(sequence, (on, is_hit)): (u64, &(u32, bool))| Dated { sequence, archived: day(*on), is_hit: *is_hit };
            (1..).zip(releases).map(dated).collect()
        };
        for (releases, expected) in [
            (&[(1, true)][..], Fix::Open { days: 10 }),
            (&[(1, true), (12, true), (14, false)], Fix::Fixed { sequence: 3, days: 4 }),
            (&[(1, true), (5, false)], Fix::Before { sequence: 2 }),
            (&[(1, false), (5, true)], Fix::Open { days: 10 }),
            (&[(1, true), (12, false), (13, true)], Fix::Fixed { sequence: 2, days: 2 }),
            (&[(15, true), (16, false)], Fix::Fixed { sequence: 2, days: 6 }),
        ] {
            assert_eq!(fix(&line(releases), day(10), day(20)), expected, "{releases:?}");
        }
    }
}
