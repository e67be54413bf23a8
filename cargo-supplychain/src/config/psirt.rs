//! `psirt.toml`: the ledger of reports about vulnerabilities in the project's own products. A file of its own, never part of a release: it may
//! hold what is not public yet. What stands above TLP:CLEAR is for whoever may read the file, and for no document and no log of CI.

use std::fmt::Write as _;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::parse::{Error, Place};
use crate::base::{Location, Timestamp};

/// The largest ledger that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
/// The most reports.
const MAX_REPORTS: usize = 10_000;
/// Days from a report to its disclosure: those of the Information Security Early Warning Partnership of Japan.
const DISCLOSURE_DAYS: u32 = 45;
/// How many days before a date it is told.
const WARN_DAYS: u32 = 14;
const DAY: i64 = 86_400;

/// The ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// In the order of the file.
    pub reports: Vec<Report>,
    pub warn_days: u32,
}

/// A report about a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The ledger's own name of it.
    pub id: String,
    pub title: String,
    /// CVE and other ids, as soon as there are any.
    pub aliases: Vec<String>,
    /// Package URL of the product, without version.
    pub component: String,
    /// Affected versions of it, and versions with a fix.
    pub releases: Vec<String>,
    pub fixed: Vec<String>,
    pub state: State,
    pub tlp: Tlp,
    pub reported: Day,
    pub coordinator: Option<String>,
    pub jvn_id: Option<String>,
    pub disclosure_due: Day,
    pub exploited: Exploited,
    pub exploited_evidence: Option<String>,
    /// What is decided about it by which table of docs/triage.md, by whom, and until when.
    pub decision: Option<String>,
    pub decided_by: Option<String>,
    pub decided_at: Option<Day>,
    pub due: Option<Day>,
    /// For the advisory: what it is, and what users are told to do.
    pub description: Option<String>,
    pub action: Option<String>,
    pub acknowledgments: Vec<Acknowledgment>,
    pub location: Location,
}

/// Who is thanked (CSAF 2.0, section 3.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Acknowledgment {
    #[serde(default)]
    pub names: Vec<String>,
    pub organization: Option<String>,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $word:literal),* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$inner])* $variant),* }

        impl $name {
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            /// Its word; the error lists those that there are.
            fn from_str(text: &str) -> Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!("`{other}` is none of {}", [$($word),*].join(", "))),
                }
            }
        }
    };
}

words! {
    /// How far it is.
    State { Received = "received", Confirmed = "confirmed", Fixing = "fixing", Fixed = "fixed", Published = "published", Rejected = "rejected" }
}
words! {
    /// Who may know of it (FIRST, Traffic Light Protocol 2.0).
    Tlp { Clear = "CLEAR", Green = "GREEN", Amber = "AMBER", AmberStrict = "AMBER+STRICT", Red = "RED" }
}
words! {
    /// Whether it is used for attacks.
    Exploited { Unknown = "unknown", No = "no", Yes = "yes" }
}

/// A day somewhere on earth: it ends when it ends there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its first instant.
    start: Timestamp,
    /// Seconds that the place is ahead of UTC.
    ahead: i32,
}

impl Day {
    fn of(date: &str, ahead: i32) -> Result<Self, String> {
        let is_date = date.len() == 10;
        let midnight: Timestamp = date.parse().ok().filter(|_| is_date).ok_or("write a date such as 2026-11-23")?;
        let start = Timestamp::from_unix(midnight.unix() - i64::from(ahead)).ok_or("the date is out of range")?;
        Ok(Self { start, ahead })
    }

    fn plus(self, days: u32) -> Self {
        let start = Timestamp::from_unix(self.start.unix().saturating_add(i64::from(days) * DAY)).unwrap_or(self.start);
        Self { start, ..self }
    }

    /// `2026-11-23`, as the place calls it.
    #[must_use]
    pub fn date(self) -> String {
        Timestamp::from_unix(self.start.unix() + i64::from(self.ahead)).unwrap_or(self.start).date()
    }

    /// Its first instant.
    #[must_use]
    pub fn start(self) -> Timestamp {
        self.start
    }

    /// Days from the one that `now` is in, there, to this one: 0 today, negative when it has passed.
    #[must_use]
    pub fn days_from(self, now: Timestamp) -> i64 {
        let today = now.unix() + i64::from(self.ahead);
        let day = self.start.unix() + i64::from(self.ahead);
        day.div_euclid(DAY) - today.div_euclid(DAY)
    }
}

impl Report {
    /// Whether dates still run for it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self.state, State::Published | State::Rejected)
    }

    /// Its dates that run: what it is, and the day.
    pub fn dates(&self) -> impl Iterator<Item = (&'static str, Day)> {
        let dates = self.due.map(|due| ("fix due", due)).into_iter().chain([("disclosure due", self.disclosure_due)]);
        dates.filter(|_| self.is_open())
    }

    /// Whether everybody may know of it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.tlp == Tlp::Clear
    }

    /// As a block of the ledger, as far as an entry begins with it.
    #[must_use]
    pub fn block(&self) -> String {
        let quoted = |text: &str| Value::String(text.to_owned()).to_string();
        let list = |words: &[String]| format!("[{}]", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(", "));
        let mut text = format!("[[report]]\nid = {}\ntitle = {}\n", quoted(&self.id), quoted(&self.title));
        for (key, words) in [("aliases", &self.aliases), ("releases", &self.releases)] {
            if !words.is_empty() {
                let _ = writeln!(text, "{key} = {}", list(words));
            }
        }
        let _ = writeln!(text, "component = {}\nstate = \"{}\"", quoted(&self.component), self.state.as_str());
        let _ = writeln!(text, "tlp = \"{}\"\nreported = {}", self.tlp.as_str(), self.reported.date());
        for (key, word) in [("coordinator", &self.coordinator), ("jvn-id", &self.jvn_id)] {
            if let Some(word) = word {
                let _ = writeln!(text, "{key} = {}", quoted(word));
            }
        }
        let _ = writeln!(text, "exploited = \"{}\"", self.exploited.as_str());
        text
    }
}

/// What a new report is known by.
#[derive(Debug, Clone)]
pub struct NewReport {
    pub id: String,
    pub title: String,
    pub component: String,
    pub aliases: Vec<String>,
    pub releases: Vec<String>,
    pub tlp: Tlp,
    /// `YYYY-MM-DD`.
    pub reported: String,
    pub coordinator: Option<String>,
    pub jvn_id: Option<String>,
}

impl NewReport {
    /// The report, received and no more.
    ///
    /// # Errors
    /// The day is none.
    pub fn report(self) -> Result<Report, String> {
        let reported = Day::of(&self.reported, 0)?;
        Ok(Report {
            id: self.id,
            title: self.title,
            aliases: self.aliases,
            component: self.component,
            releases: self.releases,
            fixed: Vec::new(),
            state: State::Received,
            tlp: self.tlp,
            reported,
            coordinator: self.coordinator,
            jvn_id: self.jvn_id,
            disclosure_due: reported.plus(DISCLOSURE_DAYS),
            exploited: Exploited::Unknown,
            exploited_evidence: None,
            decision: None,
            decided_by: None,
            decided_at: None,
            due: None,
            description: None,
            action: None,
            acknowledgments: Vec::new(),
            location: Location::file("psirt.toml"),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawLedger {
    disclosure_days: Option<u32>,
    warn_days: Option<u32>,
    utc_offset: Option<Spanned<String>>,
    #[serde(default)]
    report: Vec<Spanned<RawReport>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawReport {
    id: Spanned<String>,
    title: String,
    #[serde(default)]
    aliases: Vec<String>,
    component: Spanned<String>,
    #[serde(default)]
    releases: Vec<String>,
    #[serde(default)]
    fixed: Vec<String>,
    state: Option<Spanned<String>>,
    tlp: Option<Spanned<String>>,
    reported: Spanned<Value>,
    coordinator: Option<String>,
    jvn_id: Option<String>,
    disclosure_due: Option<Spanned<Value>>,
    exploited: Option<Spanned<String>>,
    exploited_evidence: Option<String>,
    decision: Option<String>,
    decided_by: Option<String>,
    decided_at: Option<Spanned<Value>>,
    due: Option<Spanned<Value>>,
    description: Option<String>,
    action: Option<String>,
    #[serde(default)]
    acknowledgments: Vec<Acknowledgment>,
}

/// Reads a ledger. `path` is what people are shown.
///
/// # Errors
/// What is wrong with it, and where.
pub fn parse(path: &str, text: &str) -> Result<Ledger, Error> {
    let place = Place::new(path, text);
    if text.len() > MAX_BYTES {
        return Err(place.error(None, format!("the ledger has {} bytes, the limit is {MAX_BYTES}", text.len())));
    }
    let raw: RawLedger = toml::from_str(text).map_err(|error| place.toml_error(&error))?;
    if raw.report.len() > MAX_REPORTS {
        return Err(place.error(None, format!("more than {MAX_REPORTS} reports")));
    }
    let ahead = match &raw.utc_offset {
        None => 0,
        Some(text) => offset(text.get_ref())
            .ok_or_else(|| place.error(Some(text.span()), "`utc-offset` is none: write it such as \"+09:00\""))?,
    };
    let reader = Reader { place: &place, ahead, disclosure_days: raw.disclosure_days.unwrap_or(DISCLOSURE_DAYS) };
    let mut lines = place.lines();
    let mut reports: Vec<Report> = Vec::new();
    for raw in raw.report {
        let location = place.location(raw.span().start, &mut lines);
        let span = raw.get_ref().id.span();
        let report = reader.report(raw.into_inner(), location)?;
        if reports.iter().any(|other| other.id == report.id) {
            return Err(place.error(Some(span), format!("the report `{}` is there twice", report.id)));
        }
        reports.push(report);
    }
    Ok(Ledger { reports, warn_days: raw.warn_days.unwrap_or(WARN_DAYS) })
}

/// `+09:00` in seconds.
fn offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, minutes) = rest.split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 3600 + minutes * 60))
}

struct Reader<'a> {
    place: &'a Place<'a>,
    ahead: i32,
    disclosure_days: u32,
}

impl Reader<'_> {
    fn report(&self, raw: RawReport, location: Location) -> Result<Report, Error> {
        if raw.id.get_ref().trim().is_empty() {
            return Err(self.place.error(Some(raw.id.span()), "a report's `id` is empty"));
        }
        let component = raw.component.get_ref();
        let is_product = |purl: &packageurl::PackageUrl<'_>| purl.version().is_none();
        if !component.parse::<packageurl::PackageUrl<'_>>().is_ok_and(|purl| is_product(&purl)) {
            let message = format!("`{component}` is no package URL without version: `releases` and `fixed` list versions");
            return Err(self.place.error(Some(raw.component.span()), message));
        }
        let exploited = self.word(raw.exploited.as_ref())?.unwrap_or(Exploited::Unknown);
        if exploited == Exploited::Yes && raw.exploited_evidence.is_none() {
            return Err(self.place.error(
                raw.exploited.map(|word| word.span()),
                "`exploited` is yes, and no `exploited-evidence` says how that is known",
            ));
        }
        let reported = self.day(&raw.reported)?;
        let disclosure_due = raw.disclosure_due.as_ref().map(|day| self.day(day)).transpose()?;
        Ok(Report {
            title: raw.title,
            aliases: raw.aliases,
            releases: raw.releases,
            fixed: raw.fixed,
            state: self.word(raw.state.as_ref())?.unwrap_or(State::Received),
            // What nobody has marked is for nobody else.
            tlp: self.word(raw.tlp.as_ref())?.unwrap_or(Tlp::Red),
            reported,
            coordinator: raw.coordinator,
            jvn_id: raw.jvn_id,
            disclosure_due: disclosure_due.unwrap_or_else(|| reported.plus(self.disclosure_days)),
            exploited,
            exploited_evidence: raw.exploited_evidence,
            decision: raw.decision,
            decided_by: raw.decided_by,
            decided_at: raw.decided_at.as_ref().map(|day| self.day(day)).transpose()?,
            due: raw.due.as_ref().map(|day| self.day(day)).transpose()?,
            description: raw.description,
            action: raw.action,
            acknowledgments: raw.acknowledgments,
            location,
            id: raw.id.into_inner(),
            component: raw.component.into_inner(),
        })
    }

    fn word<T: std::str::FromStr<Err = String>>(&self, word: Option<&Spanned<String>>) -> Result<Option<T>, Error> {
        let read =
            |word: &Spanned<String>| word.get_ref().parse().map_err(|message| self.place.error(Some(word.span()), message));
        word.map(read).transpose()
    }

    fn day(&self, value: &Spanned<Value>) -> Result<Day, Error> {
        let text = match value.get_ref() {
            Value::Datetime(date) => date.to_string(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Day::of(&text, self.ahead).map_err(|message| self.place.error(Some(value.span()), message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEDGER: &str = r#"utc-offset = "+09:00"

[[report]]
id = "EX-1"
title = "Overflow in the parser"
aliases = ["CVE-2026-1"]
component = "pkg:cargo/app"
releases = ["1.4.0"]
fixed = ["1.4.1"]
state = "fixing"
tlp = "AMBER"
reported = 2026-11-01
coordinator = "JPCERT/CC"
jvn-id = "JVN#00000000"
exploited = "yes"
exploited-evidence = "seen by a customer"
due = 2026-11-20
acknowledgments = [{ names = ["A. Finder"], organization = "Lab" }]

[[report]]
id = "EX-2"
title = "t"
component = "pkg:cargo/app"
reported = 2026-11-10
disclosure-due = 2027-01-31
"#;

    #[test]
    fn a_ledger_is_read_and_what_is_not_marked_is_for_nobody_else() {
        let ledger = parse("psirt.toml", LEDGER).unwrap();
        let [first, second] = &ledger.reports[..] else { panic!("two") };
        assert_eq!((first.tlp, second.tlp), (Tlp::Amber, Tlp::Red));
        assert_eq!(
            (first.disclosure_due.date(), second.disclosure_due.date()),
            ("2026-12-16".to_owned(), "2027-01-31".to_owned())
        );
        assert_eq!(second.exploited, Exploited::Unknown);
        assert_eq!(
            first.dates().map(|(what, day)| format!("{what} {}", day.date())).collect::<Vec<_>>(),
            ["fix due 2026-11-20", "disclosure due 2026-12-16"]
        );
    }

    /// A day ends when it ends in Japan: at 15:00 in UTC.
    #[test]
    fn days_end_where_they_are() {
        let due = parse("p", LEDGER).unwrap().reports[0].disclosure_due;
        for (now, left) in [
            ("2026-12-15T14:59:59Z", 1),
            ("2026-12-15T15:00:00Z", 0),
            ("2026-12-16T14:59:59Z", 0),
            ("2026-12-16T15:00:00Z", -1),
            ("2026-11-01T00:00:00+09:00", 45),
        ] {
            assert_eq!(due.days_from(now.parse().unwrap()), left, "{now}");
        }
        let west = LEDGER.replace("+09:00", "-08:00");
        let due = parse("p", &west).unwrap().reports[0].disclosure_due;
        assert_eq!(due.days_from("2026-12-17T07:59:59Z".parse().unwrap()), 0);
        assert_eq!(due.days_from("2026-12-17T08:00:00Z".parse().unwrap()), -1);
    }

    #[test]
    fn mistakes_have_a_place() {
        for (from, to, says) in [
            ("+09:00", "JST", "p:1:14: `utc-offset` is none: write it such as \"+09:00\""),
            ("\"EX-2\"", "\"EX-1\"", "p:21:6: the report `EX-1` is there twice"),
            ("\"AMBER\"", "\"SECRET\"", "p:11:7: `SECRET` is none of CLEAR, GREEN, AMBER, AMBER+STRICT, RED"),
            (
                "exploited-evidence = \"seen by a customer\"\n",
                "",
                "p:15:13: `exploited` is yes, and no `exploited-evidence` says how that is known",
            ),
            ("reported = 2026-11-10", "reported = 2026-11-10T10:00:00Z", "p:24:12: write a date such as 2026-11-23"),
            (
                "\"pkg:cargo/app\"\nreleases",
                "\"pkg:cargo/app@1\"\nreleases",
                "p:7:13: `pkg:cargo/app@1` is no package URL without version: `releases` and `fixed` list versions",
            ),
            (
                "coordinator",
                "cordinator",
                "p:13:1: unknown key `cordinator`, expected one of `id`, `title`, `aliases`, `component`, `releases`, `fixed`, `state`, `tlp`, `reported`, `coordinator`, `jvn-id`, `disclosure-due`, `exploited`, `exploited-evidence`, `decision`, `decided-by`, `decided-at`, `due`, `description`, `action`, `acknowledgments`",
            ),
        ] {
            assert!(LEDGER.contains(from), "{from}");
            assert_eq!(parse("p", &LEDGER.replacen(from, to, 1)).unwrap_err().to_string(), says);
        }
    }

    #[test]
    fn a_new_report_is_written_as_it_is_read() {
        let new = NewReport {
            id: "EX-3".into(),
            title: "a \"quoted\"\n[[report]]".into(),
            component: "pkg:cargo/app".into(),
            aliases: vec!["CVE-2026-3".into()],
            releases: Vec::new(),
            tlp: Tlp::AmberStrict,
            reported: "2026-11-20".into(),
            coordinator: Some("IPA".into()),
            jvn_id: None,
        };
        let report = new.report().unwrap();
        let read = parse("psirt.toml", &report.block()).unwrap();
        assert_eq!(read.reports.len(), 1);
        assert_eq!(read.reports[0].title, report.title);
        assert_eq!(read.reports[0].tlp, Tlp::AmberStrict);
    }
}
