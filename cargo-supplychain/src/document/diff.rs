//! What differs between two listings: entries with age, people, features, capabilities, native parts and licence, as JSON
//! (`schemas/diff-1.json`) and as Markdown for a pull request. Nothing is judged here; the report's findings stand beside it.

use std::fmt::Write as _;

use serde::Serialize;

use super::Document;
use super::markdown::{code, text};
use crate::base::Timestamp;
use crate::bom::Scope;
pub use crate::bom::comparison::Kind;
use crate::bom::comparison::{Change, other_bytes};
use crate::bom::listing::Listed;
use crate::finding::Report;
use crate::model::capability::{Capabilities, CapabilityFacts};
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, DependencyKind, Publisher, Registry, Release};

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// What an entry list is made from.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub changes: &'a [Change<'a>],
    pub registry: &'a Registry,
    pub capabilities: &'a CapabilityFacts,
    pub now: Timestamp,
}

/// One crate of the difference. What is not known is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub kind: Kind,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Where it comes from, when that is not crates.io.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
    /// Days from its publication to the instant of the comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_days: Option<i64>,
    /// When the crate itself appeared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_published: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_publisher: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_license: Option<String>,
    /// `build script`, `proc macro`, `links z`, `native code`, `unsafe`, `executable files`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// Those of them that the previous version did not have; none when that is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gained: Vec<String>,
    /// Capabilities that the previous version had.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// Cargo features that are on and were not, and the other way; none when not both sides say their features.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features_added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features_removed: Vec<String>,
    /// Native libraries within it, with their versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub native_added: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub native_removed: Vec<String>,
    /// It is in the product now and was not, or the other way: `included`, `optional`, `excluded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'static str>,
    /// Digests by one algorithm differ for what is the same version from the same source.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub other_bytes: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new_dependencies: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped_dependencies: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub yanked: bool,
}

/// The entries, by name and version.
#[must_use]
pub fn entries(input: Input<'_>) -> Vec<Entry> {
    input.changes.iter().filter_map(|change| Some(entry(input, change, change.thing()?))).collect()
}

fn blank(kind: Kind, name: &str) -> Entry {
    Entry {
        kind,
        name: name.to_owned(),
        from: None,
        to: None,
        source: None,
        published: None,
        age_days: None,
        first_published: None,
        publisher: None,
        previous_publisher: None,
        owners: Vec::new(),
        license: None,
        previous_license: None,
        capabilities: Vec::new(),
        gained: Vec::new(),
        lost: Vec::new(),
        features_added: Vec::new(),
        features_removed: Vec::new(),
        native_added: Vec::new(),
        native_removed: Vec::new(),
        scope: None,
        other_bytes: false,
        new_dependencies: Vec::new(),
        dropped_dependencies: Vec::new(),
        yanked: false,
    }
}

fn entry(input: Input<'_>, change: &Change<'_>, thing: &Listed) -> Entry {
    let version = |one: &Listed| Some(one.version.clone()).filter(|version| !version.is_empty());
    let mut entry =
        Entry { from: change.old.and_then(version), to: change.new.and_then(version), ..blank(change.kind, &thing.name) };
    let Some(new) = change.new else { return entry };
    let source = new.source.as_deref().filter(|source| !CRATES_IO.contains(source));
    entry.source = source.map(crate::base::text::without_credentials);
    add_listed(&mut entry, change.old, new);
    let Some(subject) = Subject::of(new, change.old) else { return entry };
    add_releases(&mut entry, input, &subject);
    add_people(&mut entry, input, &subject);
    add_capabilities(&mut entry, input, &subject);
    entry
}

/// What the listings themselves say.
fn add_listed(entry: &mut Entry, old: Option<&Listed>, new: &Listed) {
    let without = |of: &[String], other: &[String]| of.iter().filter(|one| !other.contains(one)).cloned().collect::<Vec<_>>();
    entry.license.clone_from(&new.license);
    entry.capabilities.clone_from(&new.capabilities);
    let Some(old) = old else {
        entry.native_added.clone_from(&new.native);
        return;
    };
    entry.previous_license.clone_from(&old.license);
    if let (Some(was), Some(is)) = (&old.features, &new.features) {
        entry.features_added = without(is, was);
        entry.features_removed = without(was, is);
        entry.gained = without(&new.capabilities, &old.capabilities);
        entry.lost = without(&old.capabilities, &new.capabilities);
        entry.native_added = without(&new.native, &old.native);
        entry.native_removed = without(&old.native, &new.native);
    }
    if let (Some(was), Some(is)) = (&old.dependencies, &new.dependencies) {
        entry.new_dependencies = without(is, was);
        entry.dropped_dependencies = without(was, is);
    }
    entry.scope = (old.scope != new.scope).then_some(match new.scope {
        Scope::Included => "included",
        Scope::Optional => "optional",
        Scope::Excluded => "excluded",
    });
    entry.other_bytes = entry.kind == Kind::Changed && other_bytes(old, new);
}

/// A crate of a registry, of which more can be known than is listed.
struct Subject {
    key: CrateKey,
    version: semver::Version,
    previous: Option<semver::Version>,
}

impl Subject {
    fn of(new: &Listed, old: Option<&Listed>) -> Option<Self> {
        let source = new.source.as_deref().filter(|source| source.starts_with("registry+") || source.starts_with("sparse+"))?;
        let source = if CRATES_IO.contains(&source) { CRATES_IO[0] } else { source };
        let key = CrateKey { name: new.name.clone(), source: source.to_owned() };
        Some(Self { key, version: new.version.parse().ok()?, previous: old.and_then(|old| old.version.parse().ok()) })
    }
}

fn add_releases(entry: &mut Entry, input: Input<'_>, subject: &Subject) {
    let Some(Ok(history)) = input.registry.histories.get(&subject.key) else { return };
    let Some(release) = history.release(&subject.version) else { return };
    entry.published = release.published;
    entry.age_days = release.published.map(|published| input.now.days_since(published));
    entry.first_published = history.first_published();
    entry.yanked = release.yanked;
    // What a release declares is more than what a lockfile resolved of it.
    if let Some(before) = subject.previous.as_ref().and_then(|version| history.release(version)) {
        let (old, new) = (required(before), required(release));
        entry.new_dependencies = new.iter().filter(|name| !old.contains(name)).cloned().collect();
        entry.dropped_dependencies = old.iter().filter(|name| !new.contains(name)).cloned().collect();
    }
}

/// Names of what it needs to be built, sorted.
fn required(release: &Release) -> Vec<String> {
    let needed = release.dependencies.iter().filter(|one| one.kind != DependencyKind::Dev && !one.optional);
    let mut names: Vec<_> = needed.map(|one| one.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

fn add_people(entry: &mut Entry, input: Input<'_>, subject: &Subject) {
    let Some(Ok(record)) = input.registry.records.get(&subject.key) else { return };
    let publisher = |version| record.versions.get(version).and_then(|one| shown(&one.publisher));
    entry.previous_publisher = subject.previous.as_ref().and_then(publisher);
    entry.publisher = publisher(&subject.version);
    entry.owners = record.owners.iter().flatten().map(|owner| owner.login.clone()).collect();
}

fn shown(publisher: &Publisher) -> Option<String> {
    match publisher {
        Publisher::User(account) => Some(account.login.clone()),
        Publisher::Trusted { provider, repository } => Some(format!("{provider}:{repository}")),
        Publisher::Unknown => None,
    }
}

fn add_capabilities(entry: &mut Entry, input: Input<'_>, subject: &Subject) {
    let find = |version: &semver::Version| input.capabilities.get(&(subject.key.clone(), version.clone()))?.as_ref().ok();
    let Some(now) = find(&subject.version) else { return };
    entry.license.clone_from(&now.license);
    entry.capabilities = words(now);
    if let Some(before) = subject.previous.as_ref().and_then(find) {
        entry.previous_license.clone_from(&before.license);
        let had = words(before);
        entry.gained = entry.capabilities.iter().filter(|word| !had.contains(word)).cloned().collect();
        entry.lost = had.into_iter().filter(|word| !entry.capabilities.contains(word)).collect();
    }
}

fn words(capabilities: &Capabilities) -> Vec<String> {
    let mut words = Vec::new();
    let mut add = |has: bool, word: &str| words.extend(has.then(|| word.to_owned()));
    add(capabilities.build_script, "build script");
    add(capabilities.proc_macro, "proc macro");
    add(capabilities.native_code, "native code");
    add(!capabilities.blobs.is_empty(), "executable files");
    add(capabilities.uses_unsafe, "unsafe");
    words.extend(capabilities.links.as_ref().map(|links| format!("links {links}")));
    words
}

#[derive(Serialize)]
struct Json<'a> {
    schema_version: u32,
    old: &'a str,
    new: &'a str,
    judged_at: Timestamp,
    changes: &'a [Entry],
    findings: &'a [crate::finding::Finding],
    not_evaluated: &'a [crate::finding::NotEvaluated],
}

/// The comparison as JSON.
#[must_use]
pub fn json(old: &str, new: &str, entries: &[Entry], report: &Report) -> Document {
    let value = Json {
        schema_version: SCHEMA_VERSION,
        old,
        new,
        judged_at: report.judged_at,
        changes: entries,
        findings: &report.findings,
        not_evaluated: &report.not_evaluated,
    };
    Document::json("reports/diff.json", "application/json", &value)
}

/// So many rows are shown; a table this long is read by nobody.
const ROW_LIMIT: usize = 300;

/// The comparison as Markdown.
#[must_use]
pub fn markdown(old: &str, new: &str, entries: &[Entry], report: &Report) -> Document {
    let mut out = String::new();
    let mut line = |words: &str| writeln!(out, "{words}").expect("writing to a string cannot fail");
    line(&format!("## Dependencies: {} → {}\n", code(old), code(new)));
    line(&summary(entries));
    if !report.findings.is_empty() {
        line("\n### Findings\n\n| severity | finding | package | what | what to do |\n|---|---|---|---|---|");
        for finding in report.findings.iter().take(ROW_LIMIT) {
            let package = finding.subject.as_ref().map_or(String::new(), |one| format!("{} {}", one.name, one.version));
            let cells =
                [finding.severity.as_str(), &code(finding.id), &text(&package), &text(&finding.message), &text(&finding.help)];
            line(&format!("| {} |", cells.join(" | ")));
        }
    }
    if !entries.is_empty() {
        line("\n### Changes\n\n| crate | version | published | publisher | what it brings |\n|---|---|---|---|---|");
        for entry in entries.iter().take(ROW_LIMIT) {
            let cells =
                [text(&entry.name), text(&versions(entry)), text(&age(entry)), text(&people(entry)), text(&brings(entry))];
            line(&format!("| {} |", cells.join(" | ")));
        }
    }
    if entries.len().max(report.findings.len()) > ROW_LIMIT {
        line(&format!("\nThe first {ROW_LIMIT} rows of a table are shown; `--format json` has all."));
    }
    Document::text("reports/diff.md", "text/markdown; charset=utf-8", out)
}

/// `1 added, 2 updated`.
#[must_use]
pub fn summary(entries: &[Entry]) -> String {
    let kinds = [
        (Kind::Added, "added"),
        (Kind::Updated, "updated"),
        (Kind::Downgraded, "downgraded"),
        (Kind::Moved, "moved to another source"),
        (Kind::Changed, "changed"),
        (Kind::Removed, "removed"),
    ];
    let count = |kind| entries.iter().filter(|entry| entry.kind == kind).count();
    let parts: Vec<_> =
        kinds.iter().filter(|(kind, _)| count(*kind) > 0).map(|(kind, word)| format!("{} {word}", count(*kind))).collect();
    if parts.is_empty() { "no change".to_owned() } else { parts.join(", ") }
}

/// `1.0.0 → 1.0.1`.
#[must_use]
pub fn versions(entry: &Entry) -> String {
    match (&entry.from, &entry.to) {
        (Some(from), Some(to)) if from == to && entry.kind == Kind::Moved => format!("{to} (another source)"),
        (Some(from), Some(to)) if from == to => to.clone(),
        (Some(from), Some(to)) => format!("{from} → {to}"),
        (None, Some(to)) => to.clone(),
        (from, None) => from.clone().unwrap_or_default(),
    }
}

/// `2026-08-20, 3 days ago`.
#[must_use]
pub fn age(entry: &Entry) -> String {
    match (entry.published, entry.age_days) {
        (Some(published), Some(days)) => format!("{}, {days} days before", published.date()),
        _ => String::new(),
    }
}

/// `alice`, `alice → r9`.
#[must_use]
pub fn people(entry: &Entry) -> String {
    match (&entry.previous_publisher, &entry.publisher) {
        (Some(before), Some(now)) if before != now => format!("{before} → {now}"),
        (_, Some(now)) => now.clone(),
        _ => String::new(),
    }
}

/// What is worth a look: gained capabilities, dependencies, licence, source, a yank.
#[must_use]
pub fn brings(entry: &Entry) -> String {
    let mut parts = Vec::new();
    if entry.kind == Kind::Added && !entry.capabilities.is_empty() {
        parts.push(entry.capabilities.join(", "));
    }
    if !entry.gained.is_empty() {
        parts.push(format!("new: {}", entry.gained.join(", ")));
    }
    let lists = [
        ("no longer able", &entry.lost),
        ("features", &entry.features_added),
        ("without features", &entry.features_removed),
        ("native", &entry.native_added),
        ("without native", &entry.native_removed),
    ];
    parts.extend(lists.iter().filter(|(_, list)| !list.is_empty()).map(|(word, list)| format!("{word}: {}", list.join(", "))));
    if !entry.new_dependencies.is_empty() {
        parts.push(format!("new dependencies: {}", entry.new_dependencies.join(", ")));
    }
    if !entry.dropped_dependencies.is_empty() {
        parts.push(format!("no longer: {}", entry.dropped_dependencies.join(", ")));
    }
    match (&entry.previous_license, &entry.license) {
        (Some(before), Some(now)) if before != now => parts.push(format!("licence {before} → {now}")),
        (None, Some(now)) if entry.kind == Kind::Added => parts.push(format!("licence {now}")),
        _ => {}
    }
    parts.extend(entry.scope.map(|scope| format!("now {scope}")));
    if entry.other_bytes {
        parts.push("other bytes under the same version".to_owned());
    }
    parts.extend(entry.source.as_ref().map(|source| format!("from {source}")));
    if entry.yanked {
        parts.push("yanked".to_owned());
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{fixture, schema};

    fn sample() -> Entry {
        Entry {
            from: Some("1.0.0".into()),
            to: Some("1.0.1".into()),
            source: Some(fixture::HOSTILE.into()),
            published: Some("2026-08-20".parse().unwrap()),
            age_days: Some(3),
            first_published: Some("2020-01-01".parse().unwrap()),
            publisher: Some("r9".into()),
            previous_publisher: Some("alice".into()),
            owners: vec!["alice".into()],
            license: Some("MIT".into()),
            previous_license: Some("ISC".into()),
            capabilities: vec!["build script".into(), "unsafe".into()],
            gained: vec!["build script".into()],
            features_added: vec!["std".into()],
            native_removed: vec!["z (static)".into()],
            scope: Some("excluded"),
            new_dependencies: vec!["flatmap-s".into()],
            dropped_dependencies: vec!["old".into()],
            yanked: true,
            ..blank(Kind::Updated, fixture::HOSTILE)
        }
    }

    #[test]
    fn conforms_to_its_schema_with_hostile_names() {
        let entries = [sample(), Entry { from: Some("1.0.0".into()), other_bytes: true, ..blank(Kind::Removed, "gone") }];
        let report = fixture::hostile_report();
        const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/diff-1.json"));
        assert_eq!(schema::violations(SCHEMA, &json("a", "b", &entries, &report).bytes), Vec::<String>::new());
        let text = String::from_utf8(markdown(fixture::HOSTILE, "b", &entries, &report).bytes).unwrap();
        assert!(!text.contains('\u{1b}') && !text.contains("<script"), "{text}");
        let rows =
            text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| severity") && !line.starts_with("| crate"));
        assert_eq!(rows.count(), report.findings.len() + 2, "{text}");
    }

    #[test]
    fn what_an_entry_says() {
        let entry = Entry { source: None, ..sample() };
        assert_eq!(versions(&entry), "1.0.0 → 1.0.1");
        assert_eq!(people(&entry), "alice → r9");
        assert_eq!(age(&entry), "2026-08-20, 3 days before");
        assert_eq!(
            brings(&entry),
            "new: build script; features: std; without native: z (static); new dependencies: flatmap-s; no longer: old; licence ISC → MIT; \
             now excluded; yanked"
        );
        assert_eq!(summary(&[entry]), "1 updated");
        assert_eq!(summary(&[]), "no change");
    }
}
