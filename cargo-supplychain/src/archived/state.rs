//! What the entries of a chain say together: which releases are there, which were pruned, which are held. One pass, entry by entry; an entry
//! that contradicts those before it is an error.

use std::collections::BTreeMap;

use super::{Entry, Event};
use crate::base::{Sha256, Timestamp};

/// A release for one target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReleaseKey {
    pub name: String,
    pub version: String,
    pub target: String,
}

impl std::fmt::Display for ReleaseKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}/{}", self.name, self.version, self.target)
    }
}

/// What became of the release of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchivedRelease {
    /// The entry that it came in with.
    pub sequence: u64,
    pub time: Timestamp,
    pub key: ReleaseKey,
    /// Digest of its record, which stays when the release is pruned.
    pub record: Sha256,
    /// The entry by which it was pruned.
    pub pruned: Option<u64>,
    /// The entry by which it is held, and why.
    pub hold: Option<(u64, String)>,
}

impl ArchivedRelease {
    /// Whether its files are kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.pruned.is_none()
    }
}

/// All releases of a chain up to some entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    releases: BTreeMap<u64, ArchivedRelease>,
    /// The youngest entry of each release.
    latest: BTreeMap<ReleaseKey, u64>,
    last: u64,
}

impl State {
    /// Whether an entry can follow those before it.
    ///
    /// # Errors
    /// Why it cannot, a fragment.
    pub fn check(&self, entry: &Entry) -> Result<(), String> {
        match &entry.event {
            Event::Begin { .. } if entry.sequence == 1 => Ok(()),
            Event::Begin { .. } => Err("it begins an archive that has begun".to_owned()),
            _ if entry.sequence == 1 => Err("it is the first and does not begin the archive".to_owned()),
            Event::Release { name, version, target, .. } => {
                let key = ReleaseKey { name: name.clone(), version: version.clone(), target: target.clone() };
                match self.latest(&key).filter(|other| other.is_kept()) {
                    Some(other) => Err(format!("{key} came in with entry {} already", other.sequence)),
                    None => Ok(()),
                }
            }
            Event::Prune { releases, .. } if !releases.is_sorted_by(|a, b| a < b) => {
                Err("the releases that it prunes are not sorted, or one is there twice".to_owned())
            }
            Event::Prune { releases, .. } => releases.iter().try_for_each(|&sequence| match self.kept(sequence)?.hold {
                Some(_) => Err(format!("it prunes the release of entry {sequence}, which is held")),
                None => Ok(()),
            }),
            Event::Hold { release, .. } | Event::Unhold { release, .. } => self.kept(*release).map(|_| ()),
            Event::GiveUp { objects } if !objects.is_sorted_by(|a, b| a < b) => {
                Err("the objects that it gives up are not sorted, or one is there twice".to_owned())
            }
            Event::GiveUp { .. } | Event::Rescan { .. } => Ok(()),
        }
    }

    fn kept(&self, sequence: u64) -> Result<&ArchivedRelease, String> {
        let found = self.get(sequence).filter(|release| release.is_kept());
        found.ok_or_else(|| format!("entry {sequence} is no release that is kept"))
    }

    /// Adds the next entry.
    ///
    /// # Errors
    /// Why it cannot follow those before it, a fragment.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), String> {
        self.check(entry)?;
        let of = |state: &mut Self, sequence: u64, change: &dyn Fn(&mut ArchivedRelease)| {
            if let Some(release) = state.releases.get_mut(&sequence) {
                change(release);
            }
        };
        match &entry.event {
            Event::Release { name, version, target, record } => {
                let key = ReleaseKey { name: name.clone(), version: version.clone(), target: target.clone() };
                self.latest.insert(key.clone(), entry.sequence);
                let (sequence, time, record) = (entry.sequence, entry.time, *record);
                let release = ArchivedRelease { sequence, time, key, record, pruned: None, hold: None };
                self.releases.insert(sequence, release);
            }
            Event::Prune { releases, .. } => {
                releases.iter().for_each(|&sequence| of(self, sequence, &|release| release.pruned = Some(entry.sequence)));
            }
            Event::Hold { release, reason } => {
                of(self, *release, &|release| release.hold = Some((entry.sequence, reason.clone())));
            }
            Event::Unhold { release, .. } => of(self, *release, &|release| release.hold = None),
            Event::Begin { .. } | Event::GiveUp { .. } | Event::Rescan { .. } => {}
        }
        self.last = entry.sequence;
        Ok(())
    }

    /// All that ever came in, pruned ones too, by entry.
    pub fn all(&self) -> impl Iterator<Item = &ArchivedRelease> {
        self.releases.values()
    }

    /// Those that are kept, by entry.
    pub fn kept_releases(&self) -> impl Iterator<Item = &ArchivedRelease> {
        self.all().filter(|release| release.is_kept())
    }

    /// The release of an entry.
    #[must_use]
    pub fn get(&self, sequence: u64) -> Option<&ArchivedRelease> {
        self.releases.get(&sequence)
    }

    /// The youngest entry of a release, pruned or not.
    #[must_use]
    pub fn latest(&self, key: &ReleaseKey) -> Option<&ArchivedRelease> {
        self.latest.get(key).and_then(|sequence| self.releases.get(sequence))
    }

    /// The last entry that was applied; 0 before the first.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archived::FORMAT_VERSION;

    fn release(version: &str) -> Event {
        Event::Release { name: "tool".into(), version: version.into(), target: "t".into(), record: Sha256::of(version) }
    }

    fn apply(events: &[Event]) -> Result<State, String> {
        let mut state = State::default();
        for (index, event) in events.iter().enumerate() {
            state.apply(&Entry {
                format_version: FORMAT_VERSION,
                sequence: index as u64 + 1,
                previous: None,
                time: "2026-11-29T00:00:00Z".parse().unwrap(),
                event: event.clone(),
            })?;
        }
        Ok(state)
    }

    fn begin() -> Event {
        Event::Begin { nonce: "n".into() }
    }

    fn prune(releases: &[u64]) -> Event {
        Event::Prune { releases: releases.to_vec(), reason: "r".into() }
    }

    fn hold(release: u64) -> Event {
        Event::Hold { release, reason: "court".into() }
    }

    fn unhold(release: u64) -> Event {
        Event::Unhold { release, reason: "over".into() }
    }

    #[test]
    fn releases_come_are_held_and_go() {
        let state = apply(&[begin(), release("1"), release("2"), hold(2), prune(&[3]), release("2")]).unwrap();
        let kept: Vec<_> = state.kept_releases().map(|one| (one.sequence, one.key.to_string())).collect();
        assert_eq!(kept, [(2, "tool@1/t".to_owned()), (6, "tool@2/t".to_owned())]);
        assert_eq!(state.get(2).unwrap().hold, Some((4, "court".into())));
        assert_eq!(state.get(3).unwrap().pruned, Some(5));
        assert_eq!(state.latest(&state.get(3).unwrap().key).unwrap().sequence, 6);
        assert_eq!((state.last(), state.all().count()), (6, 3));
        assert!(apply(&[begin(), release("1"), hold(2), unhold(2), prune(&[2])]).is_ok());
    }

    #[test]
    fn what_contradicts_is_refused() {
        for (events, why) in [
            (vec![release("1")], "it is the first and does not begin the archive"),
            (vec![begin(), begin()], "it begins an archive that has begun"),
            (vec![begin(), release("1"), release("1")], "tool@1/t came in with entry 2 already"),
            (vec![begin(), release("1"), hold(2), prune(&[2])], "it prunes the release of entry 2, which is held"),
            (vec![begin(), prune(&[1])], "entry 1 is no release that is kept"),
            (vec![begin(), release("1"), prune(&[2]), prune(&[2])], "entry 2 is no release that is kept"),
            (vec![begin(), release("1"), prune(&[2, 2])], "the releases that it prunes are not sorted, or one is there twice"),
            (vec![begin(), hold(9)], "entry 9 is no release that is kept"),
            (vec![begin(), release("1"), prune(&[2]), unhold(2)], "entry 2 is no release that is kept"),
        ] {
            assert_eq!(apply(&events).unwrap_err(), why, "{events:?}");
        }
    }
}
