//! The answer of `affected`, about the releases of an archive or about bills of materials of anyone: as data (schema `cargo-supplychain/schemas/affected-1.json`), for people, and as Markdown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::Document;
use super::markdown::{code, text};
use crate::advisory::rating::deciding;
use crate::advisory::signals::CveRecord;
use crate::advisory::{Advisory, FeedInfo, Kind};
use crate::archived::RELEASES_PER_THREAD;
use crate::archived::answer::{FoundComponent, FoundRelease, Part};
use crate::archived::index::segment::IndexedRelease;
use crate::base::parallel::in_pieces;
use crate::base::text::{counted, plain};
use crate::base::{Sha256, Timestamp};
use crate::bom::{Bom, Kind as PartKind};
use crate::finding::NotEvaluated;
use crate::model::Role;

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;

/// Which archive was asked, and up to which entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedArchive {
    /// Folder or URL, without credentials.
    pub place: String,
    /// Its identity: the digest of its first entry.
    pub id: Sha256,
    /// `42@sha256:…`.
    pub head: String,
}

impl Affected {
    /// Whether anything has what was asked for.
    #[must_use]
    pub fn is_affected(&self) -> bool {
        !self.releases.is_empty() || self.documents.iter().any(|document| !document.found.is_empty())
    }

    /// Whether everything that was asked could be told.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.not_evaluated.iter().any(|check| check.required)
    }
}

/// An advisory as the answer names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedAdvisory {
    pub id: String,
    pub aliases: Vec<String>,
    pub package: String,
    pub title: String,
    pub kind: Kind,
    /// Base score in tenths.
    pub score: Option<u32>,
    pub url: Option<String>,
    pub date: String,
    pub patched: Vec<String>,
    pub unaffected: Vec<String>,
}

impl From<&Advisory> for NamedAdvisory {
    fn from(advisory: &Advisory) -> Self {
        let requirements = |list: &[semver::VersionReq]| list.iter().map(ToString::to_string).collect();
        Self {
            id: advisory.id.clone(),
            aliases: advisory.aliases.clone(),
            package: advisory.package.clone(),
            title: advisory.title.clone(),
            kind: advisory.kind,
            score: advisory.rating().and_then(|rating| rating.score),
            url: advisory.url.clone(),
            date: advisory.date.clone(),
            patched: requirements(advisory.versions.patched()),
            unaffected: requirements(advisory.versions.unaffected()),
        }
    }
}

/// A library that is no crate, as the answer names it: which versions of it have a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NamedLibrary {
    /// Of the CVE.
    pub id: String,
    pub library: String,
    pub title: String,
    /// Base score in tenths.
    pub score: Option<u32>,
    /// `>=3.3.0, <3.3.2`, each.
    pub affected: Vec<String>,
}

impl NamedLibrary {
    /// What its record says of it, where there is one.
    #[must_use]
    pub fn new(cve: &str, library: &str, record: Option<&CveRecord>, affected: Vec<String>) -> Self {
        Self {
            id: cve.to_owned(),
            library: library.to_owned(),
            title: record.map(|record| record.title.clone()).unwrap_or_default(),
            score: record.and_then(|record| deciding(&record.ratings)).and_then(|rating| rating.score),
            affected,
        }
    }
}

/// A bill of materials that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AffectedDocument {
    /// As it was named.
    pub file: String,
    /// `CycloneDX 1.6 (JSON)`.
    pub format: String,
    /// What it is about, by name and version.
    pub subject: Option<String>,
    /// How many software components it lists.
    pub components: usize,
    /// Those of them that were asked for.
    pub found: Vec<DocumentComponent>,
}

impl AffectedDocument {
    /// What was found in a document.
    #[must_use]
    pub fn new(file: &str, bom: &Bom, found: Vec<DocumentComponent>) -> Self {
        let (name, encoding) = bom.format.names();
        let subject = bom.subjects.first().and_then(|index| bom.parts.get(*index));
        Self {
            file: file.to_owned(),
            format: format!("{name} {} ({encoding})", bom.format_version),
            subject: subject
                .map(|part| format!("{} {}", part.name, part.version.first().unwrap_or_default()).trim_end().to_owned()),
            components: bom.parts.iter().filter(|part| part.kind == PartKind::Component).count(),
            found,
        }
    }
}

/// A component of a document that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DocumentComponent {
    pub purl: String,
    pub name: String,
    pub version: String,
    /// As a lockfile writes it.
    pub source: Option<String>,
    /// Ids of the advisories that it was found by.
    pub advisories: Vec<String>,
    /// `included`, `optional`, or `excluded`: not in the product, it built or tested it.
    pub scope: &'static str,
}

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub struct Affected {
    pub schema_version: u32,
    pub tool: String,
    pub asked_at: Timestamp,
    /// As it was asked.
    pub query: String,
    /// None where documents were asked.
    pub archive: Option<AskedArchive>,
    /// The bills of materials that were asked, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<AffectedDocument>,
    /// The database that the advisories are of; none where a package URL was asked for.
    pub feed: Option<FeedInfo>,
    pub advisories: Vec<NamedAdvisory>,
    /// Libraries that have what was asked for, by CVE records (`--feed cve=…`) and what is built in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub libraries: Vec<NamedLibrary>,
    /// Whether only supported releases are listed.
    pub supported_only: bool,
    pub releases: Vec<FoundRelease>,
    /// Releases that have it and are not listed, because they are not supported.
    pub not_listed: usize,
    pub not_evaluated: Vec<NotEvaluated>,
}

/// As data.
#[must_use]
pub fn json(answer: &Affected) -> Document {
    Document::json("affected.json", "application/json", answer)
}

/// For people: a line for each release, below it the components and the files that they are in. In pieces, to be written one after the other.
#[must_use]
pub fn human(answer: &Affected) -> Vec<String> {
    let mut before = String::new();
    for advisory in &answer.advisories {
        put_line(&mut before, &[&plain(&about(advisory))]);
    }
    for library in &answer.libraries {
        put_line(&mut before, &[&plain(&about_library(library))]);
    }
    let mut after = String::new();
    for document in &answer.documents {
        if document.found.is_empty() {
            continue;
        }
        let subject = document.subject.as_ref().map(|subject| format!(": {subject}")).unwrap_or_default();
        put_line(&mut after, &[&plain(&document.file), " (", &plain(&document.format), ")", &plain(&subject)]);
        for one in &document.found {
            put_line(&mut after, &["    ", &plain(&one.purl), ": ", one.scope]);
        }
    }
    put_line(&mut after, &[&closing(answer)]);
    let mut pieces = vec![before];
    pieces.extend(in_pieces(&answer.releases, RELEASES_PER_THREAD, lines_of));
    pieces.push(after);
    pieces
}

/// Put together by hand: there may be a hundred thousand of them.
fn put_line(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
    out.push('\n');
}

fn lines_of(releases: &[FoundRelease]) -> String {
    let mut out = String::with_capacity(256 * releases.len());
    for release in releases {
        let IndexedRelease { name, version, target, .. } = release.release.as_ref();
        put_line(&mut out, &[&plain(name), " ", &plain(version), " ", &plain(target), &support(release)]);
        for component in &release.components {
            let (purl, library) = (plain(&component.detail.purl), with_library(component));
            put_line(&mut out, &["    ", &purl, &library, ": ", component.part.as_str()]);
            for (artifact, used) in release.uses(component) {
                let (path, features) = (plain(&artifact.path), features(&used.features));
                put_line(&mut out, &["        ", &path, " (", role(used.role), &features, ")"]);
            }
        }
    }
    out
}

/// As Markdown, for an issue.
#[must_use]
pub fn markdown(answer: &Affected) -> Document {
    let mut out = String::new();
    let mut line = |words: &str| writeln!(out, "{words}").expect("writing to a string cannot fail");
    let of = if answer.documents.is_empty() { "Releases" } else { "SBOMs" };
    line(&format!("## {of} affected by {}\n", text(&answer.query)));
    for advisory in &answer.advisories {
        line(&format!("- {}", text(&about(advisory))));
    }
    for library in &answer.libraries {
        line(&format!("- {}", text(&about_library(library))));
    }
    line(&format!("\n{}\n", text(&closing(answer))));
    if !answer.releases.is_empty() {
        line(&release_table(&answer.releases, answer.releases.len()));
    }
    if answer.documents.iter().any(|document| !document.found.is_empty()) {
        line("| document | about | component | part |\n|---|---|---|---|");
        for document in &answer.documents {
            for one in &document.found {
                let about = document.subject.as_deref().unwrap_or_default();
                line(&format!("| {} | {} | {} | {} |", text(&document.file), text(about), text(&one.purl), one.scope));
            }
        }
    }
    for check in &answer.not_evaluated {
        line(&format!("- not known: {}: {}", text(&check.check), text(&check.why)));
    }
    Document::text("affected.md", "text/markdown; charset=utf-8", out)
}

/// A table of the first of `all` releases.
pub(super) fn release_table(releases: &[FoundRelease], all: usize) -> String {
    let mut out = String::from("| release | target | supported | component | part | files |\n|---|---|---|---|---|---|\n");
    for release in releases {
        for component in &release.components {
            let paths: Vec<_> = release.uses(component).map(|(file, _)| code(&file.path).replace('|', "\\|")).collect();
            let cells = [
                text(&format!("{} {}", release.release.name, release.release.version)),
                text(&release.release.target),
                support_cell(release),
                text(&format!("{} {}{}", component.key.name, component.key.version, with_library(component))),
                component.part.as_str().to_owned(),
                unique(paths).join(", "),
            ];
            writeln!(out, "| {} |", cells.join(" | ")).expect("writing to a string cannot fail");
        }
    }
    if all > releases.len() {
        write!(out, "\nThe first {} of {all} releases.", releases.len()).expect("writing to a string cannot fail");
    }
    out
}

fn unique(mut list: Vec<String>) -> Vec<String> {
    list.dedup();
    list
}

fn support_cell(release: &FoundRelease) -> String {
    match (release.supported, release.supported_until) {
        (None, _) => "not said".to_owned(),
        (Some(true), None) => "yes".to_owned(),
        (Some(true), Some(until)) => format!("until {}", until.date()),
        (Some(false), Some(until)) => format!("ended {}", until.date()),
        (Some(false), None) => "no".to_owned(),
    }
}

fn about(advisory: &NamedAdvisory) -> String {
    let aliases = if advisory.aliases.is_empty() { String::new() } else { format!(" ({})", advisory.aliases.join(", ")) };
    let patched = if advisory.patched.is_empty() {
        "no patched version".to_owned()
    } else {
        format!("patched in {}", advisory.patched.join(", "))
    };
    format!("{}{aliases}: {}: {}; {patched}", advisory.id, advisory.package, advisory.title)
}

fn about_library(library: &NamedLibrary) -> String {
    let title = if library.title.is_empty() { String::new() } else { format!(": {}", library.title) };
    format!("{}: {} {}{title}", library.id, library.library, library.affected.join(" or "))
}

/// ` with openssl 3.3.0`
fn with_library(component: &FoundComponent) -> Cow<'static, str> {
    match &component.library {
        None => Cow::Borrowed(""),
        Some(library) => Cow::Owned(format!(" with {} {}", library.name, plain(&library.version))),
    }
}

fn support(release: &FoundRelease) -> Cow<'static, str> {
    match release.supported {
        None => Cow::Borrowed(""),
        Some(true) if release.supported_until.is_none() => Cow::Borrowed(" (supported)"),
        Some(true) => Cow::Owned(format!(" (supported {})", support_cell(release))),
        Some(false) if release.supported_until.is_none() => Cow::Borrowed(" (not supported)"),
        Some(false) => Cow::Owned(format!(" (support {})", support_cell(release))),
    }
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Runtime => "linked",
        Role::Build => "build",
        Role::ProcMacro => "proc macro",
        Role::Test => "test",
    }
}

/// `, features a b`
fn features(features: &[String]) -> Cow<'static, str> {
    if features.is_empty() { Cow::Borrowed("") } else { Cow::Owned(format!(", features {}", plain(&features.join(" ")))) }
}

fn closing(answer: &Affected) -> String {
    if !answer.documents.is_empty() {
        let affected = answer.documents.iter().filter(|document| !document.found.is_empty()).count();
        return format!("{affected} of {} affected", counted(answer.documents.len(), "SBOM"));
    }
    let mut parts: BTreeMap<Part, usize> = BTreeMap::new();
    for release in &answer.releases {
        *parts.entry(release.part()).or_default() += 1;
    }
    let listed: Vec<_> = parts.iter().map(|(part, count)| format!("{count} {}", part.as_str())).collect();
    let listed = if listed.is_empty() { String::new() } else { format!(": {}", listed.join("; ")) };
    let only = if answer.supported_only { "supported " } else { "" };
    let more = match answer.not_listed {
        0 => String::new(),
        count => format!(" ({} not supported and not listed)", counted(count, "release")),
    };
    format!("{} affected{listed}{more}", counted(answer.releases.len(), &format!("{only}release")))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::archived::answer::Library;
    use crate::archived::index::segment::{ComponentKey, Detail};
    use crate::archived::{InventoryArtifact, InventoryUse};
    use crate::document::fixture::HOSTILE;
    use crate::document::schema;
    use crate::finding::Area;

    const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/affected-1.json"));

    pub(in crate::document) fn release(name: &str) -> FoundRelease {
        let used = |role| InventoryUse { artifact: 0, role, features: vec!["std".to_owned()] };
        let library = |part| {
            (part == Part::Linked).then(|| Library {
                name: "zlib",
                version: name.to_owned(),
                purl: "pkg:generic/zlib@1".to_owned(),
            })
        };
        let component = |part, uses| FoundComponent {
            library: library(part),
            key: ComponentKey { name: "lib".to_owned(), version: "1.0.0".to_owned(), source: Some("registry+x".to_owned()) },
            detail: Detail { purl: "pkg:cargo/lib@1.0.0".to_owned(), checksum: None, license: None, uses, native: Vec::new() },
            advisories: vec!["RUSTSEC-2026-0001".to_owned()],
            part,
        };
        let components =
            [component(Part::Linked, vec![used(Role::Runtime), used(Role::Build)]), component(Part::LockedOnly, Vec::new())];
        let artifact = InventoryArtifact { name: name.to_owned(), path: format!("artifacts/{name}"), sha256: Sha256::of(name) };
        FoundRelease {
            release: Arc::new(IndexedRelease {
                name: name.into(),
                version: "1.0.0".into(),
                target: "t".into(),
                sequence: 2,
                archived: "2026-11-01".parse().unwrap(),
                record: Sha256::of("r"),
                rustc: "1".into(),
                artifacts: vec![artifact.into()],
            }),
            supported: Some(true),
            supported_until: Some("2027-01-01".parse().unwrap()),
            components: components.map(Arc::new).into(),
        }
    }

    pub(in crate::document) fn archive() -> AskedArchive {
        AskedArchive { place: "releases".to_owned(), id: Sha256::of("i"), head: format!("3@sha256:{}", Sha256::of("h")) }
    }

    fn answer(name: &str) -> Affected {
        Affected {
            schema_version: SCHEMA_VERSION,
            tool: "cargo-supplychain 0".to_owned(),
            asked_at: "2026-11-29".parse().unwrap(),
            query: name.to_owned(),
            archive: Some(archive()),
            documents: Vec::new(),
            feed: Some(FeedInfo {
                name: "RustSec".to_owned(),
                origin: "db".to_owned(),
                revision: None,
                date: None,
                sha256: Sha256::of("d"),
                entries: 1,
            }),
            advisories: vec![NamedAdvisory {
                id: "RUSTSEC-2026-0001".to_owned(),
                aliases: vec!["CVE-2026-1".to_owned()],
                package: "lib".to_owned(),
                title: name.to_owned(),
                kind: Kind::Vulnerability,
                score: Some(98),
                url: None,
                date: "2026-11-28".to_owned(),
                patched: vec![">=1.2.0".to_owned()],
                unaffected: Vec::new(),
            }],
            libraries: vec![NamedLibrary::new("CVE-2026-1", "zlib", None, vec!["<1.3".to_owned()])],
            supported_only: true,
            releases: vec![release(name)],
            not_listed: 1,
            not_evaluated: vec![NotEvaluated {
                area: Area::Advisories,
                check: "inventory".to_owned(),
                why: name.to_owned(),
                required: true,
                help: String::new(),
            }],
        }
    }

    #[test]
    fn conforms_to_its_schema() {
        for name in ["app", HOSTILE] {
            assert_eq!(schema::violations(SCHEMA, &json(&answer(name)).bytes), Vec::<String>::new());
        }
    }

    fn of_documents(name: &str) -> Affected {
        let found = vec![DocumentComponent {
            purl: format!("pkg:cargo/{name}@1.0.0"),
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            source: None,
            advisories: vec!["RUSTSEC-2026-0001".to_owned()],
            scope: "included",
        }];
        let document = |found| AffectedDocument {
            file: format!("{name}.cdx.json"),
            format: "CycloneDX 1.6 (JSON)".to_owned(),
            subject: Some(format!("{name} 2.0.0")),
            components: 3,
            found,
        };
        Affected { archive: None, documents: vec![document(found), document(Vec::new())], releases: Vec::new(), ..answer(name) }
    }

    #[test]
    fn of_documents_too() {
        for name in ["app", HOSTILE] {
            let answer = of_documents(name);
            assert_eq!(schema::violations(SCHEMA, &json(&answer).bytes), Vec::<String>::new());
            let shown = human(&answer).concat() + &String::from_utf8(markdown(&answer).bytes).unwrap();
            assert!(!shown.contains('\u{1b}') && !shown.contains("<script"), "{shown}");
        }
        insta::assert_snapshot!(human(&of_documents("app")).concat(), @"
        RUSTSEC-2026-0001 (CVE-2026-1): lib: app; patched in >=1.2.0
        CVE-2026-1: zlib <1.3
        app.cdx.json (CycloneDX 1.6 (JSON)): app 2.0.0
            pkg:cargo/app@1.0.0: included
        1 of 2 SBOMs affected
        ");
    }

    #[test]
    fn for_people() {
        insta::assert_snapshot!(human(&answer("app")).concat(), @"
        RUSTSEC-2026-0001 (CVE-2026-1): lib: app; patched in >=1.2.0
        CVE-2026-1: zlib <1.3
        app 1.0.0 t (supported until 2027-01-01)
            pkg:cargo/lib@1.0.0 with zlib app: linked
                artifacts/app (linked, features std)
                artifacts/app (build, features std)
            pkg:cargo/lib@1.0.0: only locked, in no released file
        1 supported release affected: 1 linked (1 release not supported and not listed)
        ");
        insta::assert_snapshot!(String::from_utf8(markdown(&answer("app")).bytes).unwrap(), @"
        ## Releases affected by app

        - RUSTSEC-2026-0001 (CVE-2026-1): lib: app; patched in &gt;=1.2.0
        - CVE-2026-1: zlib &lt;1.3

        1 supported release affected: 1 linked (1 release not supported and not listed)

        | release | target | supported | component | part | files |
        |---|---|---|---|---|---|
        | app 1.0.0 | t | until 2027-01-01 | lib 1.0.0 with zlib app | linked | `artifacts/app` |
        | app 1.0.0 | t | until 2027-01-01 | lib 1.0.0 | only locked, in no released file |  |

        - not known: inventory: app
        ");
    }

    #[test]
    fn hostile_names_are_shown_harmless() {
        let shown = human(&answer(HOSTILE)).concat();
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown}");
        let markdown = String::from_utf8(markdown(&answer(HOSTILE)).bytes).unwrap();
        for row in markdown.lines().filter(|line| line.starts_with("| ")) {
            assert_eq!(row.replace("\\\\", "").replace("\\|", "").matches('|').count(), 7, "{row}");
        }
    }
}
