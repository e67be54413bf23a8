//! What a second build of the same sources in other folders gave.

use serde::Serialize;

use super::difference::Difference;
use crate::base::Sha256;

/// A second build, held against the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reproduction {
    /// What it had otherwise than the first, in words.
    pub varied: Vec<String>,
    /// What was compared, by name of the artifact's file.
    pub artifacts: Vec<Reproduced>,
    /// Names of files that no build of cargo makes, and that were not made again.
    pub not_compared: Vec<String>,
    /// Why there was no second build, a fragment.
    pub failed: Option<String>,
}

/// One artifact in both builds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reproduced {
    /// Name of the file.
    pub name: String,
    /// Digest in the first build.
    pub first: Sha256,
    /// Digest in the second; none where it made no such file.
    pub second: Option<Sha256>,
    /// In what they differ.
    pub difference: Option<Difference>,
}

impl Reproduced {
    /// Whether both builds gave the same bytes.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.second == Some(self.first)
    }

    /// What differs, one fragment each.
    #[must_use]
    pub fn causes(&self) -> Vec<String> {
        match (&self.second, &self.difference) {
            (None, _) => vec!["the second build made no such file".to_owned()],
            (_, Some(difference)) => difference.causes.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }
}

impl Reproduction {
    /// Whether every artifact that was compared has the same bytes in both builds, and there was one to compare.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.failed.is_none() && !self.artifacts.is_empty() && self.artifacts.iter().all(Reproduced::agrees)
    }

    /// The artifacts that differ.
    pub fn differing(&self) -> impl Iterator<Item = &Reproduced> {
        self.artifacts.iter().filter(|artifact| !artifact.agrees())
    }
}
