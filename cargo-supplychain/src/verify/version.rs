//! The oldest version that is still accepted: a good attestation of a release that was superseded stays good for ever, so that whoever
//! replays it has to be told by its version.

use std::fmt;

use semver::Version;

use super::{Reason, ReasonId};

/// The oldest version that is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oldest(Version);

/// The text is no version that could be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownVersion(pub String);

impl fmt::Display for UnknownVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no version that could be compared: write it as 1.2.3", self.0)
    }
}

impl std::error::Error for UnknownVersion {}

impl Oldest {
    /// Reads `1.2.3`, or `1.2` and `1`, which stand for `1.2.0` and `1.0.0`.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, UnknownVersion> {
        whole(text).map(Self).ok_or_else(|| UnknownVersion(text.to_owned()))
    }

    /// The reasons against what signed words (versions, or names of tags) say of the version; none of them: not accepted either.
    pub(super) fn judge(&self, path: &str, words: &[&str]) -> Vec<Reason> {
        let reject = |id, message| Reason::new(id, path, message);
        if words.is_empty() {
            let message = format!("no signed statement names its version, and nothing older than {self} is accepted");
            return vec![reject(ReasonId::VersionMismatch, message)];
        }
        let judged = words.iter().filter_map(|word| match in_word(word) {
            Some(version) if version >= self.0 => None,
            Some(_) => {
                Some(reject(ReasonId::Superseded, format!("it is version {word}, and nothing older than {self} is accepted")))
            }
            None => Some(reject(ReasonId::VersionMismatch, format!("its version {word:?} cannot be compared with {self}"))),
        });
        judged.collect()
    }
}

impl fmt::Display for Oldest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A version, missing numbers as zero.
fn whole(text: &str) -> Option<Version> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let missing = 3usize.checked_sub(numbers.split('.').count())?;
    Version::parse(&format!("{numbers}{}{rest}", ".0".repeat(missing))).ok()
}

/// The version in the name of a tag: `1.2.3`, `v1.2.3`, `tool-1.2.3`, `tool/v1.2.3`. The first number that begins one.
fn in_word(word: &str) -> Option<Version> {
    let bytes = word.as_bytes();
    let begins = |at: usize| {
        let before = at.checked_sub(1).map(|before| bytes[before]);
        bytes[at].is_ascii_digit() && before.is_none_or(|before| matches!(before, b'v' | b'-' | b'/' | b'@' | b'_'))
    };
    (0..bytes.len()).filter(|&at| begins(at)).find_map(|at| whole(&word[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_and_unknown_versions_are_refused() {
        let oldest = Oldest::parse("1.3").unwrap();
        let ids = |words: &[&str]| oldest.judge("p", words).iter().map(|reason| reason.id).collect::<Vec<_>>();
        for good in ["1.3.0", "v1.3.0", "tool-1.10.0", "tool/v2", "x86-v1.3.1-rc.1", "1.3.0+build"] {
            assert_eq!(ids(&[good]), [], "{good}");
        }
        for old in ["1.2.9", "v1.3.0-rc.1", "tool-v1.2.0", "0.9"] {
            assert_eq!(ids(&[old]), [ReasonId::Superseded], "{old}");
        }
        for unknown in ["main", "", "1.3.0.0", "v", "١.٣.٠"] {
            assert_eq!(ids(&[unknown]), [ReasonId::VersionMismatch], "{unknown}");
        }
        assert_eq!(ids(&[]), [ReasonId::VersionMismatch]);
        // Each word has to say so.
        assert_eq!(ids(&["1.4.0", "v1.2.0"]), [ReasonId::Superseded]);
        for bad in ["", "x", "1.2.3.4", "v1"] {
            assert!(Oldest::parse(bad).is_err(), "{bad}");
        }
    }
}
