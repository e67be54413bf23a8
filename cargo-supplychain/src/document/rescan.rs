//! What `rescan` and its history say: as data (schema `cargo-supplychain/schemas/rescan-1.json`) and as Markdown for an issue. The other forms
//! are those of any report.

use std::fmt::Write as _;

use serde::Serialize;

use super::Document;
use super::affected::{AskedArchive, release_table};
use super::markdown::{code, text};
use crate::advisory::FeedInfo;
use crate::archived::Hit;
use crate::archived::answer::{FoundRelease, ListedRelease, Place};
use crate::archived::history::Fix;
use crate::base::Timestamp;
use crate::base::text::counted;
use crate::finding::{Exempted, Finding, NotEvaluated, Summary, Verdict};

/// Version of the JSON form.
pub const SCHEMA_VERSION: u32 = 1;
/// An issue with more rows is read by nobody.
pub const SHOWN: usize = 50;

/// A finding about archived releases.
#[derive(Debug, Clone, Serialize)]
pub struct RescanFinding {
    #[serde(flatten)]
    pub finding: Finding,
    pub advisory: String,
    pub purl: String,
    /// When a rescan recorded it first; none: this one is the first.
    pub first_seen: Option<Timestamp>,
    /// Not known before, or in a release that came in since the last rescan.
    pub new: bool,
    /// The releases, in the order of [`Rescanned::releases`].
    pub releases: Vec<Place>,
    /// The first of them, with their files.
    #[serde(skip)]
    pub shown: Vec<FoundRelease>,
}

/// What was known and does not apply any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Disappeared {
    #[serde(flatten)]
    pub hit: Hit,
    pub first_seen: Option<Timestamp>,
}

/// What a rescan found.
#[derive(Debug, Clone, Serialize)]
pub struct Rescanned {
    pub schema_version: u32,
    pub tool: String,
    pub judged_at: Timestamp,
    pub judged_at_is_given: bool,
    pub fail_on: String,
    pub verdict: Verdict,
    pub archive: AskedArchive,
    pub feeds: Vec<FeedInfo>,
    /// When the last rescan was recorded.
    pub last_rescan: Option<Timestamp>,
    /// The entry that records this one, as a head; none: nothing was recorded.
    pub recorded: Option<String>,
    /// Whether what is known is listed as well.
    pub all: bool,
    pub supported_only: bool,
    /// Releases and distinct components that were judged.
    pub releases_judged: u64,
    pub components_judged: u64,
    pub summary: Summary,
    pub findings: Vec<RescanFinding>,
    /// The releases that the findings are about, each once.
    pub releases: Vec<ListedRelease>,
    pub disappeared: Vec<Disappeared>,
    pub exempted: Vec<Exempted>,
    pub not_evaluated: Vec<NotEvaluated>,
    /// Findings that are known and not listed.
    pub known: usize,
}

/// A hit of the history in one line of releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryLine {
    pub advisory: String,
    pub purl: String,
    pub first_seen: Timestamp,
    /// When it did not apply any more.
    pub gone: Option<Timestamp>,
    /// The release's name and target; none: it is in no release that is kept.
    pub name: Option<String>,
    pub target: Option<String>,
    /// Versions that have it.
    pub versions: Vec<String>,
    #[serde(flatten)]
    pub fix: Option<Fix>,
    pub fixed_by: Option<String>,
}

/// The history of all rescans.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryAnswer {
    pub schema_version: u32,
    pub tool: String,
    pub asked_at: Timestamp,
    pub archive: AskedArchive,
    pub last_rescan: Option<Timestamp>,
    /// Median of the days to fix, of those that were fixed by a later release.
    pub median_days_to_fix: Option<i64>,
    pub history: Vec<HistoryLine>,
}

/// As data.
#[must_use]
pub fn json(rescanned: &Rescanned) -> Document {
    Document::json("rescan.json", "application/json", rescanned)
}

/// The history as data (schema `cargo-supplychain/schemas/history-1.json`).
#[must_use]
pub fn history_json(history: &HistoryAnswer) -> Document {
    Document::json("history.json", "application/json", history)
}

/// As Markdown, for an issue.
#[must_use]
pub fn markdown(rescanned: &Rescanned) -> Document {
    let mut out = String::new();
    let mut line = |words: &str| writeln!(out, "{words}").expect("writing to a string cannot fail");
    let new = rescanned.findings.iter().filter(|finding| finding.new).count();
    line(&format!("## {} in archived releases\n", counted(new, "new finding")));
    let feeds: Vec<_> = rescanned.feeds.iter().map(feed_words).collect();
    let feeds = if feeds.is_empty() { "no feed".to_owned() } else { feeds.join(", ") };
    line(&format!("Judged at {} by {}, failing from `{}` on.", rescanned.judged_at, text(&feeds), rescanned.fail_on));
    for one in &rescanned.findings {
        line(&section(one));
    }
    if !rescanned.disappeared.is_empty() {
        line("\n### Not any more\n");
        for gone in &rescanned.disappeared {
            line(&format!("- {} in {}", text(&gone.hit.advisory), code(&gone.hit.purl)));
        }
    }
    if !rescanned.not_evaluated.is_empty() {
        line("\n### Not evaluated\n");
        for check in &rescanned.not_evaluated {
            line(&format!("- {}: {}; {}", text(&check.check), text(&check.why), text(&check.help)));
        }
    }
    if rescanned.known > 0 {
        line(&format!("\n{} are known from earlier rescans.", counted(rescanned.known, "more finding")));
    }
    Document::text("rescan.md", "text/markdown; charset=utf-8", out)
}

fn feed_words(feed: &FeedInfo) -> String {
    let date = feed.date.map_or_else(|| "an unknown day".to_owned(), Timestamp::date);
    format!("{} of {date}", feed.name)
}

fn section(one: &RescanFinding) -> String {
    let finding = &one.finding;
    let package = finding.subject.as_ref().map(|subject| format!("{} {}", subject.name, subject.version)).unwrap_or_default();
    let seen = match one.first_seen {
        Some(day) => format!("first seen {}", day.date()),
        None => "first seen now".to_owned(),
    };
    let mut out = format!("\n### {} ({}), {}\n\n", text(&finding.message), finding.severity, text(&package));
    let _ = writeln!(out, "{}; {seen}; in {}.", code(finding.id), counted(one.releases.len(), "release"));
    for fact in &finding.evidence {
        let _ = writeln!(out, "- {}", text(fact));
    }
    let _ = write!(out, "\n{}\n\n{}", text(&finding.help), release_table(&one.shown, one.releases.len()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archived::answer::Part;
    use crate::document::affected::tests::{archive, release};
    use crate::document::fixture::HOSTILE;
    use crate::document::schema;
    use crate::finding::{Area, Severity};

    const SCHEMA: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/rescan-1.json"));
    const HISTORY: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/history-1.json"));

    fn finding(words: &str) -> Finding {
        Finding::new("advisory/vulnerability", Severity::High, format!("RUSTSEC-2026-0001: {words}"))
            .about("lib", &"1.0.0")
            .known_as(["RUSTSEC-2026-0001".to_owned()])
            .because("patched in >=1.2.0")
            .help("update")
    }

    fn rescanned(words: &str) -> Rescanned {
        Rescanned {
            schema_version: SCHEMA_VERSION,
            tool: "cargo-supplychain 0".to_owned(),
            judged_at: "2026-11-29".parse().unwrap(),
            judged_at_is_given: false,
            fail_on: "high".to_owned(),
            verdict: Verdict::Fail,
            archive: archive(),
            feeds: Vec::new(),
            last_rescan: Some("2026-11-28".parse().unwrap()),
            recorded: Some(archive().head),
            all: false,
            supported_only: false,
            releases_judged: 1,
            components_judged: 2,
            summary: Summary { high: 1, ..Summary::default() },
            findings: vec![RescanFinding {
                finding: finding(words),
                advisory: "RUSTSEC-2026-0001".to_owned(),
                purl: "pkg:cargo/lib@1.0.0".to_owned(),
                first_seen: None,
                new: true,
                releases: vec![Place { sequence: 2, part: Part::Linked }],
                shown: vec![release(words)],
            }],
            releases: vec![ListedRelease {
                sequence: 2,
                name: words.to_owned(),
                version: "1.0.0".to_owned(),
                target: "t".to_owned(),
                archived: "2026-11-01".parse().unwrap(),
                supported: None,
                supported_until: None,
            }],
            disappeared: vec![Disappeared {
                hit: Hit { advisory: words.to_owned(), purl: "pkg:cargo/a@1.0.0".to_owned() },
                first_seen: None,
            }],
            exempted: vec![Exempted { finding: finding(words), reason: words.to_owned(), expires: "2027-01-01".parse().ok() }],
            not_evaluated: vec![NotEvaluated {
                area: Area::Advisories,
                check: "advisories".to_owned(),
                why: words.to_owned(),
                required: true,
                help: "fetch".to_owned(),
            }],
            known: 3,
        }
    }

    #[test]
    fn conforms_to_its_schema() {
        for words in ["bad", HOSTILE] {
            assert_eq!(schema::violations(SCHEMA, &json(&rescanned(words)).bytes), Vec::<String>::new());
        }
    }

    #[test]
    fn the_history_conforms_to_its_schema() {
        let line = |fix| HistoryLine {
            advisory: "RUSTSEC-2026-0001".to_owned(),
            purl: "pkg:cargo/lib@1.0.0".to_owned(),
            first_seen: "2026-11-01".parse().unwrap(),
            gone: None,
            name: Some("app".to_owned()),
            target: Some("t".to_owned()),
            versions: vec!["1.0.0".to_owned()],
            fix,
            fixed_by: None,
        };
        let fixes =
            [None, Some(Fix::Open { days: 3 }), Some(Fix::Fixed { sequence: 4, days: 2 }), Some(Fix::Before { sequence: 1 })];
        let answer = HistoryAnswer {
            schema_version: SCHEMA_VERSION,
            tool: "cargo-supplychain 0".to_owned(),
            asked_at: "2026-11-29".parse().unwrap(),
            archive: archive(),
            last_rescan: None,
            median_days_to_fix: Some(2),
            history: fixes.map(line).to_vec(),
        };
        assert_eq!(schema::violations(HISTORY, &history_json(&answer).bytes), Vec::<String>::new());
    }

    #[test]
    fn an_issue() {
        insta::assert_snapshot!(String::from_utf8(markdown(&rescanned("bad")).bytes).unwrap(), @"
        ## 1 new finding in archived releases

        Judged at 2026-11-29T00:00:00Z by no feed, failing from `high` on.

        ### RUSTSEC-2026-0001: bad (high), lib 1.0.0

        `advisory/vulnerability`; first seen now; in 1 release.
        - patched in &gt;=1.2.0

        update

        | release | target | supported | component | part | files |
        |---|---|---|---|---|---|
        | bad 1.0.0 | t | until 2027-01-01 | lib 1.0.0 with zlib bad | linked | `artifacts/bad` |
        | bad 1.0.0 | t | until 2027-01-01 | lib 1.0.0 | only locked, in no released file |  |


        ### Not any more

        - bad in `pkg:cargo/a@1.0.0`

        ### Not evaluated

        - advisories: bad; fetch

        3 more findings are known from earlier rescans.
        ");
        let hostile = String::from_utf8(markdown(&rescanned(HOSTILE)).bytes).unwrap();
        // Paths stand in code spans, which show markup as text.
        let outside: String = hostile.split("``").step_by(2).collect();
        assert!(hostile.contains("``artifacts/") && !outside.contains("<b>") && !hostile.contains('\u{1b}'), "{hostile}");
    }
}
