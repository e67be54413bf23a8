//! Which releases are not to be kept any more. Pure: the state of the chain and the wishes in, entries out.

use std::collections::BTreeMap;

use super::{ArchivedRelease, State};
use crate::base::Timestamp;

/// How long releases are kept. Where both are said, a release goes only when both let it go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Of each name and target the youngest so many stay.
    pub keep_last: Option<u32>,
    /// What came in within so many days stays.
    pub older_than_days: Option<u32>,
}

impl Retention {
    /// Whether it says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keep_last.is_none() && self.older_than_days.is_none()
    }

    /// The kept releases that it lets go, by entry; who is held stays, and who `stays` names.
    pub fn lets_go<'a>(
        &self,
        state: &'a State,
        now: Timestamp,
        stays: impl Fn(&ArchivedRelease) -> bool,
    ) -> Vec<&'a ArchivedRelease> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut younger: BTreeMap<(&str, &str), u32> = BTreeMap::new();
        let mut gone = Vec::new();
        let kept: Vec<_> = state.kept_releases().collect();
        for release in kept.into_iter().rev() {
            let count = younger.entry((&release.key.name, &release.key.target)).or_default();
            *count += 1;
            let by_count = self.keep_last.is_none_or(|keep| *count > keep);
            let by_age = self.older_than_days.is_none_or(|days| now.days_since(release.time) > i64::from(days));
            if by_count && by_age && release.hold.is_none() && !stays(release) {
                gone.push(release);
            }
        }
        gone.reverse();
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archived::{Entry, Event, FORMAT_VERSION};
    use crate::base::Sha256;

    #[test]
    fn what_goes() {
        let mut state = State::default();
        let release = |name: &str, version: &str| Event::Release {
            name: name.into(),
            version: version.into(),
            target: "t".into(),
            record: Sha256::of(b""),
        };
        let events = [
            Event::Begin { nonce: "n".into() },
            release("a", "1"),
            release("a", "2"),
            release("b", "1"),
            release("a", "3"),
            Event::Hold { release: 2, reason: "court".into() },
        ];
        for (number, event) in (1..).zip(events) {
            let time = format!("2026-01-0{number}").parse().unwrap();
            state.apply(&Entry { format_version: FORMAT_VERSION, sequence: number, previous: None, time, event }).unwrap();
        }
        let now = "2026-01-10".parse().unwrap();
        let goes = |keep_last, older_than_days, supported: &str| {
            let retention = Retention { keep_last, older_than_days };
            let gone = retention.lets_go(&state, now, |one| one.key.version == supported);
            gone.iter().map(|one| one.sequence).collect::<Vec<_>>()
        };
        assert!(goes(None, None, "").is_empty());
        assert_eq!(goes(Some(1), None, ""), [3]);
        assert_eq!(goes(Some(0), None, ""), [3, 4, 5]);
        assert_eq!(goes(Some(0), None, "1"), [3, 5]);
        assert_eq!(goes(None, Some(5), ""), [3, 4]);
        assert_eq!(goes(None, Some(6), ""), [3]);
        assert_eq!(goes(Some(1), Some(6), ""), [3]);
        assert!(goes(Some(1), Some(7), "").is_empty());
    }
}
