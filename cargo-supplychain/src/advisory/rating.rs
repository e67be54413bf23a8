//! CVSS vectors, each with who gave it: versions 2.0 to 4.0 (<https://www.first.org/cvss/>). A vector without any impact scores zero, which
//! says nothing: it is "unscored", never low.

use serde::{Deserialize, Serialize};

use crate::finding::Severity;

/// A vector with its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// Without the parentheses and the prefix that some write around a 2.0 vector.
    pub vector: String,
    /// Who gave it: `RustSec`, `OSV`, `CNA GitHub_M`, `ADP CISA-ADP`.
    pub source: String,
    /// Score in tenths (98 is 9.8); none: the vector scores zero, so it is unscored.
    pub score: Option<u32>,
}

impl Rating {
    /// Scores a vector.
    ///
    /// # Errors
    /// It is none, a fragment.
    pub fn new(vector: &str, source: &str) -> Result<Self, String> {
        const LONGEST: usize = 1024;
        if vector.len() > LONGEST {
            return Err(format!("the vector is longer than {LONGEST} bytes"));
        }
        let bare = vector.trim().trim_start_matches('(').trim_end_matches(')');
        let bare = bare.strip_prefix("CVSS:2.0/").unwrap_or(bare);
        let parsed: cvss::Cvss = bare.parse().map_err(|error: cvss::Error| error.to_string())?;
        let tenths = (parsed.score() * 10.0).round().clamp(0.0, 100.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
        let tenths = tenths as u32;
        Ok(Self { vector: bare.to_owned(), source: source.to_owned(), score: Some(tenths).filter(|tenths| *tenths > 0) })
    }

    /// The band of the score, by the version of the vector: 2.0 has no "critical" (its guide, and NVD's bands for it), the later ones have
    /// (3.1, section 5; 4.0, section 6). None: unscored.
    #[must_use]
    pub fn severity(&self) -> Option<Severity> {
        let has_critical = self.vector.starts_with("CVSS:");
        Some(match self.score? {
            90.. if has_critical => Severity::Critical,
            70.. => Severity::High,
            40.. => Severity::Medium,
            _ => Severity::Low,
        })
    }
}

/// The rating that counts: the first that is scored. The lists are in the order of who is believed first.
#[must_use]
pub fn deciding(ratings: &[Rating]) -> Option<&Rating> {
    ratings.iter().find(|rating| rating.score.is_some())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn versions_bands_and_what_is_unscored() {
        for (vector, score, severity) in [
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", Some(75), Some(Severity::High)),
            ("(AV:N/AC:L/Au:N/C:C/I:C/A:C)", Some(100), Some(Severity::High)),
            ("CVSS:2.0/AV:N/AC:M/Au:S/C:P/I:P/A:P", Some(60), Some(Severity::Medium)),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some(98), Some(Severity::Critical)),
            ("CVSS:3.1/AV:L/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L", Some(29), Some(Severity::Low)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", Some(93), Some(Severity::Critical)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:N/SC:N/SI:N/SA:N", None, None),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", None, None),
            ("AV:N/AC:L/Au:N/C:N/I:N/A:N", None, None),
        ] {
            let rating = Rating::new(vector, "x").unwrap();
            assert_eq!((rating.score, rating.severity()), (score, severity), "{vector}");
        }
        for none in ["", "()", "9.8", "CVSS:5.0/AV:N", &"(".repeat(2000)] {
            assert!(Rating::new(none, "x").is_err(), "{none}");
        }
    }

    #[test]
    fn the_first_that_is_scored_counts() {
        let of = |score| Rating { vector: "CVSS:3.1/…".into(), source: "x".into(), score };
        assert_eq!(deciding(&[of(None), of(Some(50)), of(Some(90))]), Some(&of(Some(50))));
        assert_eq!(deciding(&[of(None)]), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,40}|(CVSS:[234]\\.[01]/)?([A-Z]{1,2}:[A-Z]/?){0,12}") {
            let _ = Rating::new(&text, "x");
        }
    }
}
