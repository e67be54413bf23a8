//! What `affected` is asked for: an advisory by any of its ids, or a crate or a library by its package URL, with the versions that are meant.

mod library;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use semver::{Comparator, Op, Prerelease, Version, VersionReq};

use crate::advisory::native::is_called;
use crate::model::native::known;
pub use library::LibraryVersions;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// `RUSTSEC-…`, `CVE-…`, `GHSA-…`, as written.
    Advisory(String),
    /// `pkg:cargo/NAME`, all versions or some.
    Crate { name: String, versions: Versions },
    /// A package URL with qualifiers: that of one component, to the letter.
    Component { name: String, purl: String },
    /// `pkg:generic/NAME`: a library that is no crate, all versions or some.
    Library { name: String, versions: LibraryVersions },
}

impl Query {
    /// The crates that it names: those that are known to bring a library.
    #[must_use]
    pub fn crates(&self) -> BTreeSet<String> {
        match self {
            Self::Advisory(_) => BTreeSet::new(),
            Self::Crate { name, .. } | Self::Component { name, .. } => BTreeSet::from([name.clone()]),
            Self::Library { name, .. } => known::bringing(|library| is_called(library, name)).map(str::to_owned).collect(),
        }
    }
}

/// Which versions of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    All,
    Exactly(Version),
    Range(VersionReq),
}

/// The text asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidQuery(pub String);

impl fmt::Display for InvalidQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidQuery {}

impl FromStr for Query {
    type Err = InvalidQuery;

    fn from_str(text: &str) -> Result<Self, InvalidQuery> {
        let upper = text.to_ascii_uppercase();
        if ["RUSTSEC-", "CVE-", "GHSA-"].iter().any(|prefix| upper.starts_with(prefix) && text.len() > prefix.len()) {
            return Ok(Self::Advisory(text.to_owned()));
        }
        if let Some(rest) = text.strip_prefix("pkg:generic/") {
            return library(rest);
        }
        let Some(rest) = text.strip_prefix("pkg:cargo/") else {
            let what = format!(
                "{text:?} is neither the id of an advisory (RUSTSEC-…, CVE-…, GHSA-…) nor a package URL (pkg:cargo/NAME, \
                 pkg:generic/NAME)"
            );
            return Err(InvalidQuery(what));
        };
        let (path, qualifiers) = rest.split_once('?').map_or((rest, None), |(path, qualifiers)| (path, Some(qualifiers)));
        let (name, version) = path.split_once('@').map_or((path, None), |(name, version)| (name, Some(version)));
        let name = decoded(name).filter(|name| is_name(name)).ok_or_else(|| InvalidQuery(format!("{text:?} names no crate")))?;
        if qualifiers.is_some() {
            return Ok(Self::Component { name, purl: text.to_owned() });
        }
        let Some(version) = version else { return Ok(Self::Crate { name, versions: Versions::All }) };
        let invalid = |why: &dyn fmt::Display| InvalidQuery(format!("{version:?} is no version or range of versions: {why}"));
        let version = decoded(version).ok_or_else(|| invalid(&"it is not percent-encoded well"))?;
        let versions = match version.parse() {
            Ok(version) => Versions::Exactly(version),
            Err(_) => Versions::Range(version.parse().map_err(|error| invalid(&error))?),
        };
        Ok(Self::Crate { name, versions })
    }
}

/// What follows `pkg:generic/`.
fn library(rest: &str) -> Result<Query, InvalidQuery> {
    let (name, version) = rest.split_once('@').map_or((rest, None), |(name, version)| (name, Some(version)));
    let name = decoded(name).filter(|name| !name.is_empty() && !name.contains(['/', '?', '#']));
    let name = name.ok_or_else(|| InvalidQuery(format!("{rest:?} names no library")))?;
    let Some(version) = version else { return Ok(Query::Library { name, versions: LibraryVersions::All }) };
    let invalid = |why: &dyn fmt::Display| InvalidQuery(format!("{version:?} is no version or range of versions: {why}"));
    let version = decoded(version).ok_or_else(|| invalid(&"it is not percent-encoded well"))?;
    let versions = LibraryVersions::read(&version).map_err(|why| invalid(&why))?;
    Ok(Query::Library { name, versions })
}

/// As cargo has names.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|one| one.is_alphanumeric() || matches!(one, '-' | '_'))
}

/// Percent-encoding (RFC 3986, section 2.1) undone.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        rest = others;
        if *first == b'%' {
            let (hex, others) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
            rest = others;
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}

impl Versions {
    /// Whether the version is meant. In a range a pre-release stands where it is in the order of versions: `<0.9.3` means 0.9.3-rc.1.
    #[must_use]
    pub fn include(&self, version: &Version) -> bool {
        match self {
            Self::All => true,
            Self::Exactly(wanted) => wanted == version,
            Self::Range(range) => range.comparators.iter().all(|comparator| allows(comparator, version)),
        }
    }
}

fn allows(comparator: &Comparator, version: &Version) -> bool {
    let bound = Version {
        major: comparator.major,
        minor: comparator.minor.unwrap_or(0),
        patch: comparator.patch.unwrap_or(0),
        pre: comparator.pre.clone(),
        build: semver::BuildMetadata::EMPTY,
    };
    let is_whole = comparator.patch.is_some();
    let bare = Version { pre: Prerelease::EMPTY, ..version.clone() };
    match comparator.op {
        Op::Less => version.cmp_precedence(&bound).is_lt(),
        Op::LessEq if is_whole => version.cmp_precedence(&bound).is_le(),
        Op::Greater if is_whole => version.cmp_precedence(&bound).is_gt(),
        Op::GreaterEq => version.cmp_precedence(&bound).is_ge(),
        // `=1.2.3-rc.1`, `^1.2.3-rc.1`: as written; without a pre-release the line of versions is meant.
        _ if !comparator.pre.is_empty() => comparator.matches(version),
        _ => comparator.matches(&bare),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_can_be_asked() {
        for (text, expected) in [
            ("RUSTSEC-2023-0061", "Advisory(\"RUSTSEC-2023-0061\")"),
            ("cve-2023-4863", "Advisory(\"cve-2023-4863\")"),
            ("GHSA-j7hp-h8jx-5ppr", "Advisory(\"GHSA-j7hp-h8jx-5ppr\")"),
            ("pkg:cargo/smallvec", "Crate { name: \"smallvec\", versions: All }"),
        ] {
            assert_eq!(format!("{:?}", text.parse::<Query>().unwrap()), expected);
        }
        let git = "pkg:cargo/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fexample.org%2Fa.git%400123";
        assert_eq!(git.parse(), Ok(Query::Component { name: "a".into(), purl: git.into() }));
        for text in [
            "",
            "smallvec",
            "CVE-",
            "pkg:npm/a",
            "pkg:cargo/",
            "pkg:cargo/a/b",
            "pkg:cargo/a@",
            "pkg:cargo/a@new",
            "pkg:cargo/a@%3",
        ] {
            assert!(text.parse::<Query>().is_err(), "{text}");
        }
    }

    #[test]
    fn versions_of_a_range() {
        for (text, version, expected) in [
            ("pkg:cargo/a@1.2.3", "1.2.3", true),
            ("pkg:cargo/a@1.2.3", "1.2.4", false),
            ("pkg:cargo/a@300.5.5%2B3.5.5", "300.5.5+3.5.5", true),
            ("pkg:cargo/a@<0.9.3", "0.9.2", true),
            ("pkg:cargo/a@<0.9.3", "0.9.3-rc.1", true),
            ("pkg:cargo/a@<0.9.3", "0.9.3", false),
            ("pkg:cargo/a@%3C0.9.3", "0.9.3", false),
            ("pkg:cargo/a@>=1, <1.4", "1.3.9", true),
            ("pkg:cargo/a@>=1,<1.4", "1.4.0", false),
            ("pkg:cargo/a@<=1.4", "1.4.7", true),
            ("pkg:cargo/a@>1.4", "1.4.7", false),
            ("pkg:cargo/a@>1.4", "1.5.0", true),
            ("pkg:cargo/a@^1.2", "1.9.0-rc.1", true),
            ("pkg:cargo/a@^1.2", "2.0.0", false),
            ("pkg:cargo/a@1", "1.0.7", true),
            ("pkg:cargo/a@1.*", "1.0.7", true),
            ("pkg:cargo/a@*", "0.0.1-x", true),
            ("pkg:cargo/a@~1.2.3-rc.1", "1.2.3-rc.2", true),
        ] {
            let Query::Crate { versions, .. } = text.parse().unwrap() else { panic!("{text}") };
            assert_eq!(versions.include(&version.parse().unwrap()), expected, "{text} {version}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "(pkg:cargo/)?[a-z%@<>=,.*0-9?-]{0,30}", major in 0_u64..3, pre in "(-[a-z]{1,3})?") {
            if let Ok(Query::Crate { versions, .. }) = text.parse::<Query>() {
                let _ = versions.include(&format!("{major}.0.0{pre}").parse().unwrap());
            }
        }
    }
}
