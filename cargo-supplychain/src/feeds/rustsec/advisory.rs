//! One advisory file, from text. Pure. The format is that of the RustSec repository (its README, "Advisory Format"): a fenced TOML
//! block, then Markdown whose heading is the title.

use std::collections::{BTreeMap, BTreeSet};

use rustsec::advisory::Versions;
use semver::{Comparator, Op, Version, VersionReq};
use serde::Deserialize;

use crate::advisory::{Advisory, Affects, Kind, Rating};
use crate::base::Timestamp;

/// The largest advisory that is read, in bytes.
pub(super) const MAX_BYTES: u64 = 256 << 10;

#[derive(Deserialize)]
struct RawFile {
    advisory: RawAdvisory,
    #[serde(default)]
    versions: RawVersions,
    #[serde(default)]
    affected: RawAffected,
}

#[derive(Deserialize)]
struct RawAdvisory {
    id: String,
    package: String,
    date: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    cvss: Option<String>,
    informational: Option<String>,
    withdrawn: Option<toml::Value>,
    source: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize, Default)]
struct RawVersions {
    #[serde(default)]
    patched: Vec<VersionReq>,
    #[serde(default)]
    unaffected: Vec<VersionReq>,
}

#[derive(Deserialize, Default)]
struct RawAffected {
    #[serde(default)]
    functions: BTreeMap<String, Vec<VersionReq>>,
    #[serde(default)]
    os: Vec<String>,
    #[serde(default)]
    arch: Vec<String>,
}

/// Reads the advisory `id`; `None` when it was withdrawn. The error is a fragment.
pub(super) fn parse(id: &str, text: &str) -> Result<Option<Advisory>, String> {
    let body = text.strip_prefix("```toml").ok_or("it does not begin with a TOML block")?;
    let (front, markdown) = body.split_once("\n```").ok_or("its TOML block does not end")?;
    let title = markdown.lines().find_map(|line| line.strip_prefix("# ")).ok_or("it has no title")?;
    // Git may have checked the file out with CRLF; format 4 leaves out the first table's header.
    let front = front.trim_end_matches('\r');
    let prefix = if front.trim_start().starts_with("[advisory]") { "" } else { "[advisory]\n" };
    let raw: RawFile = toml::from_str(&format!("{prefix}{front}")).map_err(|error| error.message().to_owned())?;
    let RawFile { advisory, versions, affected } = raw;
    if advisory.id != id {
        return Err(format!("it calls itself `{}`", advisory.id.chars().take(64).collect::<String>()));
    }
    if advisory.date.parse::<Timestamp>().is_err() {
        return Err("its `date` is not a date".into());
    }
    if advisory.withdrawn.is_some() {
        return Ok(None);
    }
    Ok(Some(Advisory {
        kind: kind(&advisory),
        ratings: advisory.cvss.as_deref().map(rating).transpose()?.into_iter().collect(),
        id: advisory.id,
        aliases: advisory.aliases,
        package: advisory.package,
        title: title.trim().to_owned(),
        url: advisory.url,
        date: advisory.date,
        source: advisory.source,
        affects: narrowed(affected.functions, affected.os, affected.arch)?,
        versions: checked(versions.patched, versions.unaffected)?,
    }))
}

/// The category `malicious` wins over everything: such an advisory often has no score.
fn kind(advisory: &RawAdvisory) -> Kind {
    if advisory.categories.iter().any(|category| category == "malicious") {
        return Kind::Malicious;
    }
    match advisory.informational.as_deref() {
        None => Kind::Vulnerability,
        Some("unmaintained") => Kind::Unmaintained,
        Some("unsound") => Kind::Unsound,
        Some(_) => Kind::Notice,
    }
}

fn rating(vector: &str) -> Result<Rating, String> {
    Rating::new(vector, "RustSec").map_err(|error| format!("its CVSS vector: {error}"))
}

/// Within bounds: real advisories name below fifty functions.
pub(super) fn narrowed(
    functions: BTreeMap<String, Vec<VersionReq>>,
    os: Vec<String>,
    arch: Vec<String>,
) -> Result<Affects, String> {
    const MOST: usize = 1024;
    const LONGEST: usize = 512;
    let words = functions.keys().chain(&os).chain(&arch);
    if functions.len() + os.len() + arch.len() > MOST || words.clone().any(|word| word.len() > LONGEST || word.is_empty()) {
        return Err(format!("what it affects is more than {MOST} names, or one of them is empty or longer than {LONGEST} bytes"));
    }
    Ok(Affects { functions, os, arch })
}

/// The library panics on two forms that only a hostile file has: numbers at the end of the range, which it increments, and
/// two ranges that begin at one version without overlapping (`> 1`, `= 1`). Neither is let through.
pub(super) fn checked(patched: Vec<VersionReq>, unaffected: Vec<VersionReq>) -> Result<Versions, String> {
    const LARGEST: u64 = 1 << 53;
    // The library compares each range with each; real advisories have below twenty.
    const MAX_RANGES: usize = 256;
    if patched.len() + unaffected.len() > MAX_RANGES {
        return Err(format!("it has more than {MAX_RANGES} version ranges"));
    }
    let mut starts = BTreeSet::new();
    for comparator in patched.iter().chain(&unaffected).flat_map(|requirement| &requirement.comparators) {
        let version = lowest(comparator);
        if version.major.max(version.minor).max(version.patch) > LARGEST {
            return Err("a version number is too large".into());
        }
        let is_start = !matches!(comparator.op, Op::Less | Op::LessEq);
        if is_start && !starts.insert(version) {
            return Err("two version ranges begin at the same version".into());
        }
    }
    Versions::new(patched, unaffected).map_err(|error| format!("its version ranges: {error}"))
}

fn lowest(comparator: &Comparator) -> Version {
    let mut version = Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0));
    version.pre = comparator.pre.clone();
    version
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = r#"```toml
[advisory]
id = "RUSTSEC-2026-0001"
package = "lib"
date = "2026-08-20"
url = "https://example.org/a"
categories = ["memory-corruption"]
aliases = ["CVE-2026-1", "GHSA-xxxx"]
cvss = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"

[versions]
patched = ["~1.1.5", ">= 1.2.0"]
unaffected = ["< 1.0.0"]
```

# Something is wrong

Long text.
"#;

    fn parse(text: &str) -> Result<Option<Advisory>, String> {
        super::parse("RUSTSEC-2026-0001", text)
    }

    #[test]
    fn reads_what_the_product_needs() {
        let advisory = parse(TEXT).unwrap().unwrap();
        assert_eq!(advisory.title, "Something is wrong");
        assert_eq!((advisory.kind, advisory.rating().unwrap().score), (Kind::Vulnerability, Some(98)));
        assert_eq!(advisory.aliases, ["CVE-2026-1", "GHSA-xxxx"]);
        for (version, vulnerable) in [("0.9.0", false), ("1.0.0", true), ("1.1.5", false), ("1.2.0", false)] {
            assert_eq!(advisory.versions.is_vulnerable(&version.parse().unwrap()), vulnerable, "{version}");
        }
        assert_eq!(parse(&TEXT.replace('\n', "\r\n")).unwrap().unwrap(), advisory);
        let affected =
            "[affected]\nos = [\"windows\"]\nfunctions = { \"lib::quote\" = [\"< 1.1.0\"], \"lib::join\" = [] }\n[versions]";
        let affects = parse(&TEXT.replace("[versions]", affected)).unwrap().unwrap().affects;
        assert_eq!((affects.platforms().as_str(), affects.functions.len()), ("windows", 2));
        assert_eq!(parse(&TEXT.replace("[advisory]\n", "")).unwrap().unwrap(), advisory);
    }

    #[test]
    fn kinds_and_scores() {
        let with = |line: &str| parse(&TEXT.replace("categories = [\"memory-corruption\"]", line)).unwrap().unwrap().kind;
        assert_eq!(with("informational = \"unsound\""), Kind::Unsound);
        assert_eq!(with("informational = \"unmaintained\""), Kind::Unmaintained);
        assert_eq!(with("informational = \"other\""), Kind::Notice);
        assert_eq!(with("categories = [\"malicious\"]\ninformational = \"notice\""), Kind::Malicious);
        for (vector, expected) in [
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", None),
            ("CVSS:3.1/AV:L/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L", Some(29)),
            ("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", Some(93)),
        ] {
            let text = TEXT.replace("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", vector);
            assert_eq!(parse(&text).unwrap().unwrap().rating().and_then(|rating| rating.score), expected, "{vector}");
        }
        assert!(parse(&TEXT.replace("cvss = ", "# ")).unwrap().unwrap().ratings.is_empty());
        assert_eq!(parse(&TEXT.replace("[versions]", "withdrawn = \"2026-09-01\"\n[versions]")), Ok(None));
    }

    #[test]
    fn broken_and_hostile_files_are_refused() {
        let ranges: Vec<_> = (2..400).map(|major| format!("\">= {major}.0.0, < {major}.0.1\"")).collect();
        let ranges = ranges.join(",");
        for (from, to, expected) in [
            ("```toml", "```tomL", "it does not begin with a TOML block"),
            ("\n```", "", "its TOML block does not end"),
            ("# Some", "Some", "it has no title"),
            ("package = \"lib\"", "", "missing field `package`"),
            ("-0001\"", "-0002\"", "it calls itself `RUSTSEC-2026-0002`"),
            ("2026-08-20", "yesterday", "its `date` is not a date"),
            ("AV:N/", "AV:Ä/", "its CVSS vector: "),
            (">= 1.2.0", ">= 18446744073709551615.0.0", "a version number is too large"),
            ("\"< 1.0.0\"", &ranges, "it has more than 256 version ranges"),
            ("\"~1.1.5\", \">= 1.2.0\"", "\"> 1.2.0\", \"=1.2.0\"", "two version ranges begin at the same version"),
            ("~1.1.5", ">1.1.5", "its version ranges: "),
            ("[versions]", "[affected]\nos = [\"\"]\n[versions]", "what it affects is more than 1024 names"),
            ("[versions]", "[affected.functions]\n\"lib::a\" = [\"one\"]\n[versions]", "unexpected character"),
        ] {
            let error = parse(&TEXT.replace(from, to)).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    proptest! {
        #[test]
        fn mutated_files_never_panic(at in 0usize..TEXT.len(), with in "\\PC{0,4}|[<>=~^*0-9., \"]{0,8}", cut in 0usize..20) {
            let end = (at + cut).min(TEXT.len());
            if let Ok(Some(advisory)) = parse(&format!("{}{with}{}", &TEXT[..at], &TEXT[end..])) {
                advisory.versions.is_vulnerable(&Version::new(1, 1, 1));
            }
        }
    }
}
