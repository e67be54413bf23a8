//! Versions of what is not a crate: C libraries with versions of their own. How they are ordered, and which are affected.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A product with its affected versions, as a CVE record names them (CVE JSON 5.1, `affected`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    pub vendor: String,
    pub product: String,
    pub ranges: Vec<Range>,
    /// Version texts that are no range that we read: what they say is not known.
    pub unread: Vec<String>,
}

/// Versions from `from` on; none: from the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub from: Option<String>,
    pub until: Until,
}

/// Where a range ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    Before(String),
    Through(String),
    /// This version only.
    Only,
    /// No end is known.
    Open,
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.from, &self.until) {
            (Some(version), Until::Only) => write!(f, "={version}"),
            (None, Until::Only | Until::Open) => f.write_str("every version"),
            (Some(from), Until::Open) => write!(f, ">={from}"),
            (None, Until::Before(end)) => write!(f, "<{end}"),
            (None, Until::Through(end)) => write!(f, "<={end}"),
            (Some(from), Until::Before(end)) => write!(f, ">={from}, <{end}"),
            (Some(from), Until::Through(end)) => write!(f, ">={from}, <={end}"),
        }
    }
}

impl Range {
    /// Whether the version is in it.
    #[must_use]
    pub fn has(&self, version: &str) -> bool {
        let from = self.from.as_deref();
        let is_after = from.is_none_or(|from| compare(version, from) != Ordering::Less);
        match &self.until {
            Until::Before(end) => is_after && compare(version, end) == Ordering::Less,
            Until::Through(end) => is_after && compare(version, end) != Ordering::Greater,
            Until::Only => from.is_some_and(|from| compare(version, from) == Ordering::Equal),
            Until::Open => is_after,
        }
    }
}

/// Compares versions of C libraries: numbers by value, letters as OpenSSL 1.x counts them (`1.1.1` < `1.1.1a` < `1.1.1z` < `1.1.1za`);
/// a word after `-` (`-dev`, `-rc1`, `-beta`) is before the version that it belongs to.
#[must_use]
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    let longest = a.numbers.len().max(b.numbers.len());
    for index in 0..longest {
        let number = |parts: &Parts<'_>| parts.numbers.get(index).copied().unwrap_or(0);
        match number(&a).cmp(&number(&b)) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
    // `za` comes after `z`, which is after `y`: longer is later, then by letter.
    let letters = (a.letters.len(), a.letters).cmp(&(b.letters.len(), b.letters));
    letters.then_with(|| match (a.before, b.before) {
        (None, None) => Ordering::Equal,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(a), Some(b)) => a.cmp(b),
    })
}

struct Parts<'v> {
    numbers: Vec<u64>,
    letters: &'v str,
    before: Option<&'v str>,
}

impl<'v> Parts<'v> {
    fn of(version: &'v str) -> Self {
        let version = version.trim().trim_start_matches('v');
        let (core, before) = version.split_once('-').map_or((version, None), |(core, before)| (core, Some(before)));
        let end = core.find(|one: char| one.is_ascii_alphabetic()).unwrap_or(core.len());
        let (numbers, letters) = core.split_at(end);
        let numbers = numbers.split('.').map(|part| part.parse().unwrap_or(0)).collect();
        Self { numbers, letters, before }
    }
}

/// Whether a text is a version that [`compare`] orders: it begins with a number and is one word.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let text = text.trim().trim_start_matches('v');
    let fits = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '-' | '_' | '+');
    text.len() <= 64 && text.starts_with(|one: char| one.is_ascii_digit()) && text.chars().all(fits)
}

/// Reads `Fixed in OpenSSL 1.1.1d (Affected 1.1.1-1.1.1c)`, as OpenSSL's records before 2022 write a range.
#[must_use]
pub fn read_prose(text: &str) -> Option<Range> {
    let inside = text.split_once("(Affected ")?.1.strip_suffix(')')?;
    let (from, through) = inside.split_once('-').unwrap_or((inside, inside));
    let range = Range { from: Some(from.to_owned()), until: Until::Through(through.to_owned()) };
    (is_version(from) && is_version(through)).then_some(range)
}

/// What records do not say by version, or say of another product than the library: exploited vulnerabilities (KEV) of libraries that crates
/// bundle, and the backdoor of xz. `library,cve,from,before,source`: `source` says where each was read; CVE-2025-27363 and CVE-2023-4863 were
/// compared with a second source.
const KNOWN: &str = include_str!("native/known.csv");

/// Its rows: library, CVE, versions.
fn known_rows() -> impl Iterator<Item = (&'static str, &'static str, Range)> {
    KNOWN.lines().skip(1).filter_map(|line| {
        let mut fields = line.split(',');
        let (library, cve, from, before) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let from = Some(from.to_owned()).filter(|from| !from.is_empty());
        Some((library, cve, Range { from, until: Until::Before(before.to_owned()) }))
    })
}

/// The vulnerabilities that a version of a library has by `native/known.csv`.
pub fn known(library: &str, version: &str) -> impl Iterator<Item = &'static str> {
    known_rows().filter(move |(name, _, range)| is_called(library, name) && range.has(version)).map(|(_, cve, _)| cve)
}

/// The versions of a library that have a vulnerability by `native/known.csv`.
pub fn known_ranges(library: &str, cve: &str) -> impl Iterator<Item = Range> {
    known_rows().filter(move |(name, id, _)| *id == cve && is_called(library, name)).map(|(.., range)| range)
}

/// The ids of all of them.
pub fn known_ids() -> impl Iterator<Item = &'static str> {
    KNOWN.lines().skip(1).filter_map(|line| line.split(',').nth(1))
}

/// How publishers of CVE records and of end-of-life dates call a library, where that is not its name here.
const NAMES: [(&str, &str); 8] = [
    ("curl", "libcurl"),
    ("sqlite", "sqlite3"),
    ("xz", "liblzma"),
    ("xz", "xz utils"),
    ("libgit2", "git2"),
    ("libssh2", "ssh2"),
    ("nghttp2", "libnghttp2"),
    ("freetype", "freetype2"),
];

/// The names that a library may have for others, its own first, in lower case.
#[must_use]
pub fn names(library: &str) -> Vec<String> {
    let library = library.to_ascii_lowercase();
    let others = NAMES
        .iter()
        .flat_map(|(a, b)| [(*a, *b), (*b, *a)])
        .filter(|(name, _)| *name == library)
        .map(|(_, other)| other.to_owned());
    std::iter::once(library.clone()).chain(others).collect()
}

/// Whether `product` of others is the library.
#[must_use]
pub fn is_called(library: &str, product: &str) -> bool {
    names(library).contains(&product.to_ascii_lowercase())
}

/// The release line of a version: the longest that its numbers begin with (`1.1.1w` is of `1.1.1`, `3.6.3` of `3.6`, `4.0.1` of `4.0` or `4`).
#[must_use]
pub fn line_of<'l, L>(version: &str, lines: impl Iterator<Item = (&'l str, L)>) -> Option<L> {
    let numbers = |text: &str| Parts::of(text).numbers;
    let own = numbers(version);
    let mut found: BTreeMap<usize, L> = BTreeMap::new();
    for (line, what) in lines {
        let line = numbers(line);
        if own.starts_with(&line) {
            found.entry(line.len()).or_insert(what);
        }
    }
    found.pop_last().map(|(_, what)| what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_come_after_letters() {
        let order = [
            "0.9.8",
            "1.0.2",
            "1.0.2a",
            "1.0.2y",
            "1.0.2z",
            "1.0.2za",
            "1.0.2zc-dev",
            "1.0.2zc",
            "1.1.0",
            "1.1.0l",
            "1.1.1",
            "1.1.1a",
            "1.1.1w",
            "1.1.1za",
            "1.1.1zb",
            "3.0.0-alpha1",
            "3.0.0-beta1",
            "3.0.0",
            "3.0.9",
            "3.0.10",
            "3.3.0",
            "10.0",
        ];
        for (index, a) in order.iter().enumerate() {
            for (other, b) in order.iter().enumerate() {
                assert_eq!(compare(a, b), index.cmp(&other), "{a} {b}");
            }
        }
        assert_eq!(compare("3.0", "3.0.0"), Ordering::Equal);
        assert_eq!(compare("v2.13.0", "2.13"), Ordering::Equal);
    }

    #[test]
    fn ranges() {
        let range = |from: &str, until| Range { from: Some(from.to_owned()).filter(|from| !from.is_empty()), until };
        for (range, version, has) in [
            (range("3.3.0", Until::Before("3.3.1".into())), "3.3.0", true),
            (range("3.3.0", Until::Before("3.3.1".into())), "3.3.1", false),
            (range("3.3.0", Until::Before("3.3.1".into())), "3.2.9", false),
            (range("", Until::Through("2.13.0".into())), "2.13.0", true),
            (range("", Until::Through("2.13.0".into())), "2.13.1", false),
            (range("1.1.1", Until::Before("1.1.1za".into())), "1.1.1w", true),
            (range("5.6.0", Until::Only), "5.6.0", true),
            (range("5.6.0", Until::Only), "5.6.1", false),
            (range("1.0", Until::Open), "9", true),
        ] {
            assert_eq!(range.has(version), has, "{range:?} {version}");
        }
        let prose = read_prose("Fixed in OpenSSL 1.1.1d (Affected 1.1.1-1.1.1c)").unwrap();
        assert!(prose.has("1.1.1c") && !prose.has("1.1.1d") && !prose.has("1.1.0"));
        let one = read_prose("Fixed in OpenSSL 3.0.1 (Affected 3.0.0)").unwrap();
        assert!(one.has("3.0.0") && !one.has("3.0.1"));
        assert_eq!(read_prose("unspecified"), None);
    }

    #[test]
    fn exploited_libraries() {
        for (library, version, expected) in [
            ("freetype", "2.12.1", &["CVE-2025-27363"][..]),
            ("freetype", "2.13.0", &["CVE-2025-27363"]),
            ("freetype", "2.13.2", &[]),
            ("freetype", "2.6.5", &["CVE-2025-27363", "CVE-2020-15999"]),
            ("libwebp", "1.3.1", &["CVE-2023-4863"]),
            ("libwebp", "1.3.2", &[]),
            ("libwebp", "0.4.4", &[]),
            ("libvpx", "1.13.0", &["CVE-2023-5217"]),
            ("libvpx", "1.13.1", &[]),
            ("openssl", "3.3.0", &[]),
        ] {
            assert_eq!(known(library, version).collect::<Vec<_>>(), expected, "{library} {version}");
        }
    }

    #[test]
    fn lines() {
        let of = |version| line_of(version, ["1.1.1", "1.1.0", "3", "3.6", "4.0"].map(|line| (line, line)).into_iter());
        for (version, line) in
            [("1.1.1w", Some("1.1.1")), ("3.6.3", Some("3.6")), ("3.5.5", Some("3")), ("4.0.1", Some("4.0")), ("2.0.0", None)]
        {
            assert_eq!(of(version), line, "{version}");
        }
        assert!(is_called("openssl", "OpenSSL") && is_called("curl", "libcurl") && is_called("liblzma", "xz"));
        assert!(!is_called("openssl", "LibreSSL"));
    }

    proptest! {
        #[test]
        fn the_order_is_one(a in "[0-9a-z.v-]{0,12}", b in "[0-9a-z.v-]{0,12}", c in "\\PC{0,8}") {
            prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
            let _ = (compare(&a, &c), is_version(&c), read_prose(&c));
        }
    }
}
