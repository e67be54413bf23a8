//! Advisories in the Open Source Vulnerability format (<https://ossf.github.io/osv-schema/>, 1.x), of crates.io: JSON files, or the export of
//! osv.dev, a zip of them. Pure. Its ranges of versions become the patched and unaffected ones that the matching knows.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};
use serde::Deserialize;

use super::super::rustsec::{narrowed, versions};
use super::{File, Parsed, json, not_json};
use crate::advisory::rating::Rating;
use crate::advisory::{Advisory, Affects, Kind};
use crate::base::Timestamp;
use crate::base::text::one_line;

#[derive(Deserialize)]
struct Record {
    id: String,
    modified: Timestamp,
    published: Option<Timestamp>,
    withdrawn: Option<Timestamp>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    severity: Vec<Severity>,
    #[serde(default)]
    affected: Vec<Affected>,
    #[serde(default)]
    references: Vec<Reference>,
    #[serde(default)]
    database_specific: Option<Specific>,
}

#[derive(Deserialize)]
struct Severity {
    score: String,
}

#[derive(Deserialize)]
struct Reference {
    url: String,
}

#[derive(Deserialize)]
struct Affected {
    package: Option<Package>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    severity: Vec<Severity>,
    #[serde(default)]
    database_specific: Option<Specific>,
    #[serde(default)]
    ecosystem_specific: Option<Ecosystem>,
}

/// What RustSec exports (`affects`), and what GitHub's database says (`affected_functions`).
#[derive(Deserialize)]
struct Ecosystem {
    affects: Option<Narrowed>,
    affected_functions: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Narrowed {
    #[serde(default)]
    functions: Vec<String>,
    #[serde(default)]
    os: Vec<String>,
    #[serde(default)]
    arch: Vec<String>,
}

#[derive(Deserialize)]
struct Package {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    events: Vec<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Specific {
    informational: Option<String>,
    categories: Option<Vec<String>>,
}

pub(super) fn parse(files: &[File]) -> Result<Parsed, String> {
    let mut of_package: BTreeMap<String, Vec<Advisory>> = BTreeMap::new();
    let (mut date, mut entries) = (None, 0);
    for file in files {
        let record: Record = serde_json::from_slice(&file.bytes).map_err(|error| not_json(file, &error))?;
        date = date.max(Some(record.modified));
        if record.withdrawn.is_some() {
            continue;
        }
        entries += 1;
        let of_crate = |affected: &&Affected| affected.package.as_ref().is_some_and(|package| package.ecosystem == "crates.io");
        for affected in record.affected.iter().filter(of_crate) {
            let advisory =
                advisory(&record, affected).map_err(|why| format!("{}: {}: {why}", file.name, one_line(&record.id)))?;
            of_package.entry(advisory.package.clone()).or_default().push(advisory);
        }
    }
    if entries == 0 {
        return Err("there is no advisory in it".to_owned());
    }
    let mut rows = BTreeMap::new();
    for (package, mut advisories) in of_package {
        advisories.sort_by(|a, b| a.id.cmp(&b.id));
        rows.insert(package, json(&advisories)?);
    }
    Ok(Parsed { revision: None, date, entries, rows })
}

fn advisory(record: &Record, affected: &Affected) -> Result<Advisory, String> {
    let package = affected.package.as_ref().map(|package| package.name.clone()).unwrap_or_default();
    let is_name = package.len() <= 64 && package.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '-' | '_'));
    if !is_name || package.is_empty() {
        return Err("it names no crate".to_owned());
    }
    let (patched, unaffected) = safe(&intervals(affected)?)?;
    let severities = record.severity.iter().chain(&affected.severity);
    // The newest version of CVSS first; one that cannot be scored is left out.
    let mut ratings: Vec<_> = severities.filter_map(|severity| Rating::new(&severity.score, "OSV").ok()).collect();
    ratings.sort_by(|a, b| b.vector.get(..8).cmp(&a.vector.get(..8)));
    Ok(Advisory {
        id: record.id.clone(),
        aliases: record.aliases.clone(),
        package,
        title: one_line(&record.summary),
        kind: kind(record, affected),
        ratings,
        url: record.references.first().map(|reference| reference.url.clone()),
        date: record.published.unwrap_or(record.modified).date(),
        source: None,
        affects: affects(affected)?,
        versions: versions(patched, unaffected)?,
    })
}

/// The versions are those of the whole record: it names none for a function.
fn affects(affected: &Affected) -> Result<Affects, String> {
    let Some(specific) = &affected.ecosystem_specific else { return Ok(Affects::default()) };
    let of_rustsec = specific.affects.iter().flat_map(|affects| &affects.functions);
    let functions = of_rustsec.chain(specific.affected_functions.iter().flatten()).map(|name| (name.clone(), Vec::new()));
    let (os, arch) = specific.affects.as_ref().map(|affects| (affects.os.clone(), affects.arch.clone())).unwrap_or_default();
    narrowed(functions.collect(), os, arch)
}

/// OpenSSF's records of malicious packages have ids of their own.
fn kind(record: &Record, affected: &Affected) -> Kind {
    let specific = || affected.database_specific.iter().chain(&record.database_specific);
    let is_malicious = record.id.starts_with("MAL-")
        || specific().flat_map(|specific| specific.categories.iter().flatten()).any(|category| category == "malicious");
    if is_malicious {
        return Kind::Malicious;
    }
    match specific().find_map(|specific| specific.informational.as_deref()) {
        None => Kind::Vulnerability,
        Some("unmaintained") => Kind::Unmaintained,
        Some("unsound") => Kind::Unsound,
        Some(_) => Kind::Notice,
    }
}

/// Affected versions, from (inclusive) to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Interval {
    from: Version,
    to: End,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Before(Version),
    Through(Version),
    Open,
}

fn version(text: &str) -> Result<Version, String> {
    let text = if text == "0" { "0.0.0-0" } else { text };
    text.parse().map_err(|_| format!("`{}` is no version of a crate", one_line(&text.chars().take(40).collect::<String>())))
}

fn intervals(affected: &Affected) -> Result<Vec<Interval>, String> {
    let mut all = Vec::new();
    for range in affected.ranges.iter().filter(|range| range.kind == "SEMVER") {
        let mut from = None;
        for (event, at) in range.events.iter().flatten() {
            let end = match event.as_str() {
                "introduced" => {
                    from = Some(version(at)?);
                    continue;
                }
                "fixed" => End::Before(version(at)?),
                "last_affected" => End::Through(version(at)?),
                _ => continue,
            };
            let from = from.take().ok_or("a range of it ends before it begins")?;
            all.push(Interval { from, to: end });
        }
        all.extend(from.map(|from| Interval { from, to: End::Open }));
    }
    for text in &affected.versions {
        let version = version(text)?;
        all.push(Interval { from: version.clone(), to: End::Through(version) });
    }
    if all.is_empty() {
        return Err("it says of no version that it is affected".to_owned());
    }
    all.sort();
    Ok(merged(all))
}

/// Intervals that overlap as one.
fn merged(sorted: Vec<Interval>) -> Vec<Interval> {
    let mut merged: Vec<Interval> = Vec::new();
    for next in sorted {
        match merged.last_mut() {
            Some(last) if reaches(&last.to, &next.from) => {
                if is_further(&next.to, &last.to) {
                    last.to = next.to;
                }
            }
            _ => merged.push(next),
        }
    }
    merged
}

fn reaches(end: &End, from: &Version) -> bool {
    match end {
        End::Before(end) | End::Through(end) => from <= end,
        End::Open => true,
    }
}

fn is_further(a: &End, b: &End) -> bool {
    match (a, b) {
        (_, End::Open) => false,
        (End::Open, _) => true,
        (End::Through(a), End::Before(b)) => a >= b,
        (End::Before(a) | End::Through(a), End::Before(b) | End::Through(b)) => a > b,
    }
}

/// What is not affected, as requirements: what comes before the first is unaffected, what comes between and after is patched.
fn safe(affected: &[Interval]) -> Result<(Vec<VersionReq>, Vec<VersionReq>), String> {
    let requirement = |text: String| text.parse::<VersionReq>().map_err(|_| "its versions make no requirement".to_owned());
    let (mut patched, mut unaffected) = (Vec::new(), Vec::new());
    if let Some(first) = affected.first().filter(|first| first.from > Version::new(0, 0, 0)) {
        unaffected.push(requirement(format!("<{}", first.from))?);
    }
    for (index, interval) in affected.iter().enumerate() {
        let begin = match &interval.to {
            End::Before(version) => version.clone(),
            End::Through(version) => following(version),
            End::Open => continue,
        };
        match affected.get(index + 1) {
            // Nothing is between.
            Some(next) if next.from <= begin => {}
            Some(next) => patched.push(requirement(format!(">={begin}, <{}", next.from))?),
            None => patched.push(requirement(format!(">={begin}"))?),
        }
    }
    Ok((patched, unaffected))
}

/// The first release after a version.
fn following(version: &Version) -> Version {
    let patch = version.patch.saturating_add(u64::from(version.pre.is_empty()));
    Version::new(version.major, version.minor, patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(affected: &str) -> Result<Advisory, String> {
        let text = format!(
            r#"{{"id":"GHSA-x","modified":"2026-01-02T03:04:05Z","aliases":["CVE-2026-1","RUSTSEC-2026-1"],"summary":"S\nT",
            "severity":[{{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}],
            "affected":[{{"package":{{"ecosystem":"npm","name":"x"}}}},{{"package":{{"ecosystem":"crates.io","name":"lib"}},{affected}}}]}}"#
        );
        let parsed = parse(&[File { name: "f.json".into(), bytes: text.into_bytes() }])?;
        let advisories: Vec<Advisory> = serde_json::from_str(&parsed.rows["lib"]).unwrap();
        Ok(advisories[0].clone())
    }

    #[test]
    fn ranges_and_lists_of_versions() {
        let range = |events: &str| format!(r#""ranges":[{{"type":"SEMVER","events":[{events}]}}]"#);
        for (affected, hit, safe) in [
            (range(r#"{"introduced":"0"},{"fixed":"1.2.3"}"#), &["0.0.1", "1.2.2", "1.2.3-rc.1"][..], &["1.2.3", "2.0.0"][..]),
            (
                range(r#"{"introduced":"0.0.0-0"},{"fixed":"1.0.0"},{"introduced":"2.0.0"},{"fixed":"2.0.5"}"#),
                &["0.9.0", "2.0.4"],
                &["1.0.0", "1.9.9", "2.0.5"],
            ),
            (range(r#"{"introduced":"1.1.0"},{"last_affected":"1.4.0"}"#), &["1.1.0", "1.4.0"], &["1.0.9", "1.4.1"]),
            (range(r#"{"introduced":"1.1.0"}"#), &["1.1.0", "9.0.0"], &["1.0.9"]),
            (r#""versions":["0.3.10"]"#.to_owned(), &["0.3.10"], &["0.3.9", "0.3.11"]),
            (r#""versions":["1.0.0","1.0.1","2.0.0"]"#.to_owned(), &["1.0.0", "1.0.1", "2.0.0"], &["0.9.0", "1.0.2", "3.0.0"]),
            (
                r#""versions":["1.0.0"],"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"fixed":"1.2.0"}]}]"#.to_owned(),
                &["1.0.0", "1.1.0"],
                &["1.2.0"],
            ),
        ] {
            let advisory = read(&affected).unwrap();
            for (versions, expected) in [(hit, true), (safe, false)] {
                for version in versions {
                    assert_eq!(advisory.versions.is_vulnerable(&version.parse().unwrap()), expected, "{affected} {version}");
                }
            }
        }
        let advisory = read(r#""versions":["1.0.0"]"#).unwrap();
        assert_eq!(
            (advisory.title.as_str(), advisory.kind, advisory.rating().unwrap().score),
            ("S T", Kind::Vulnerability, Some(98))
        );
        assert_eq!(
            read(r#""versions":["1.0.0"],"database_specific":{"categories":["malicious"],"informational":null}"#).unwrap().kind,
            Kind::Malicious
        );
        for (bad, why) in [
            (r#""versions":["x"]"#, "f.json: GHSA-x: `x` is no version of a crate"),
            (r#""versions":[]"#, "f.json: GHSA-x: it says of no version that it is affected"),
            (
                r#""ranges":[{"type":"SEMVER","events":[{"fixed":"1.0.0"}]}]"#,
                "f.json: GHSA-x: a range of it ends before it begins",
            ),
        ] {
            assert_eq!(read(bad).unwrap_err(), why);
        }
    }
}
