//! Versions of libraries that are no crates, as a question names them: one, or a range in the form of cargo's. They are compared as C libraries count.

use std::cmp::Ordering;

use crate::advisory::native::{compare, is_version};

/// Which versions of a library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LibraryVersions {
    All,
    Exactly(String),
    /// All of these bounds.
    Range(Vec<Bound>),
}

/// A bound of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    side: Side,
    version: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

/// Longer signs first: `<=` begins with `<`.
const SIDES: [(&str, Side); 5] =
    [("<=", Side::LessOrEqual), (">=", Side::GreaterOrEqual), ("<", Side::Less), (">", Side::Greater), ("=", Side::Equal)];

impl LibraryVersions {
    /// Reads `3.3.0`, or `>=3.0, <3.3.1`.
    ///
    /// # Errors
    /// What is wrong with it, a fragment.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if is_version(text) {
            return Ok(Self::Exactly(text.to_owned()));
        }
        text.split(',').map(|part| Bound::read(part.trim())).collect::<Result<_, _>>().map(Self::Range)
    }

    /// Whether the version is meant.
    #[must_use]
    pub fn include(&self, version: &str) -> bool {
        match self {
            Self::All => true,
            Self::Exactly(wanted) => compare(version, wanted) == Ordering::Equal,
            Self::Range(bounds) => bounds.iter().all(|bound| bound.allows(version)),
        }
    }
}

impl Bound {
    fn read(text: &str) -> Result<Self, String> {
        let found = SIDES.iter().find_map(|(sign, side)| Some((*side, text.strip_prefix(sign)?.trim())));
        let (side, version) = found.ok_or_else(|| format!("{text:?} begins with none of < <= > >= ="))?;
        if !is_version(version) {
            return Err(format!("{version:?} is no version"));
        }
        Ok(Self { side, version: version.to_owned() })
    }

    fn allows(&self, version: &str) -> bool {
        let order = compare(version, &self.version);
        match self.side {
            Side::Less => order.is_lt(),
            Side::LessOrEqual => order.is_le(),
            Side::Greater => order.is_gt(),
            Side::GreaterOrEqual => order.is_ge(),
            Side::Equal => order.is_eq(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_libraries() {
        for (text, version, expected) in [
            ("3.3.0", "3.3.0", true),
            ("3.3", "3.3.0", true),
            ("3.3.0", "3.3.1", false),
            ("<3.3.1", "3.3.0", true),
            (">=3.0, <3.3.1", "3.3.1", false),
            (">=3.0,<=3.3.1", "3.3.1", true),
            ("<1.1.1za", "1.1.1w", true),
            (">1.1.1", "1.1.1", false),
            ("=1.3.1", "1.3.1", true),
        ] {
            assert_eq!(LibraryVersions::read(text).unwrap().include(version), expected, "{text} {version}");
        }
        for text in ["", "new", "<", "<new", "^3", "3.0,", "<1,2"] {
            assert!(LibraryVersions::read(text).is_err(), "{text}");
        }
    }
}
