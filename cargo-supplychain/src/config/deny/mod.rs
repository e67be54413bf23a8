//! A cargo-deny configuration (`deny.toml`) as a policy of ours, for `init --from`. Pure: text in, text out. What is meant the same is
//! carried over; what has no counterpart is told with its line and never dropped in silence. The forms of all versions of cargo-deny
//! are read (its book, "config" and the four checks).

mod advisories;
mod bans;
mod licenses;
mod sources;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::parse::{KnownRule, MAX_BYTES};
use crate::base::{Lines, Location, Timestamp, text};

/// How long what was ignored for good is exempted, in days: long enough to look at each, too short to forget it.
pub const EXEMPTED_DAYS: i64 = 90;

/// A policy made from another tool's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The policy file.
    pub text: String,
    /// What has no counterpart, in the order of the file.
    pub notes: Vec<Note>,
}

/// A setting that has no counterpart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Of the file that was read, from 1.
    pub line: u32,
    pub message: String,
}

/// Why it could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub location: Location,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

impl std::error::Error for Error {}

/// Makes a policy of it. `path` is what people are shown, `known` the rules that there are; exemptions end [`EXEMPTED_DAYS`] after `now`.
pub fn import(path: &str, text: &str, now: Timestamp, known: &[KnownRule<'_>]) -> Result<Imported, Error> {
    if text.len() > MAX_BYTES {
        let message = format!("{} bytes, the limit is {MAX_BYTES}", text.len());
        return Err(Error { location: Location::file(path), message });
    }
    let document = DeTable::parse(text).map_err(|error| Error {
        location: error.span().map_or_else(|| Location::file(path), |span| Location::at(path, text, span.start)),
        message: format!("not valid TOML: {}", error.message()),
    })?;
    let mut reader = Reader { text, known, notes: Vec::new(), policy: Policy::default() };
    for (key, value) in document.get_ref() {
        let section = value.get_ref().as_table();
        match (key.get_ref().as_ref(), section) {
            ("advisories", Some(table)) => advisories::read(&mut reader, table),
            ("licenses", Some(table)) => licenses::read(&mut reader, table),
            ("bans", Some(table)) => bans::read(&mut reader, table),
            ("sources", Some(table)) => sources::read(&mut reader, table),
            ("output", Some(table)) => table.keys().for_each(|key| reader.note(key, "output", OUTPUT)),
            ("feature-depth", _) => reader.note(key, "output", OUTPUT),
            ("graph", Some(table)) => table.keys().for_each(|key| graph(&mut reader, key)),
            // Once they stood at the top.
            _ => graph(&mut reader, key),
        }
    }
    let Reader { notes, policy, .. } = reader;
    let notes = located(text, notes);
    Ok(Imported { text: write::policy(path, &policy, &notes, now), notes })
}

const OUTPUT: &str = "is about the output of cargo-deny";

/// What narrows the graph: here the arguments do.
fn graph(reader: &mut Reader<'_, '_>, key: &Key<'_>) {
    let why = match key.get_ref().as_ref() {
        "targets" => "is an argument here: `--target`; the lock is judged for all of them",
        "all-features" | "features" | "no-default-features" => "is an argument of `check` and `build` here",
        "exclude" => "is an argument here: `--exclude`",
        "exclude-dev" => "is the rule here: what is not built is not judged as if it were",
        _ => "has no counterpart",
    };
    reader.note(key, "graph", why);
}

type Key<'t> = Spanned<std::borrow::Cow<'t, str>>;
type Value<'t> = Spanned<DeValue<'t>>;

/// What is carried over.
#[derive(Debug, Default)]
struct Policy {
    /// By rule: level, then the rest of its table as TOML, key by key.
    rules: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
    database: Option<String>,
    max_age: Option<u32>,
    licences: Licences,
    bans: Vec<String>,
    exemptions: Vec<Exempted>,
}

#[derive(Debug, Default)]
struct Licences {
    allow: Vec<String>,
    deny: Vec<String>,
    exceptions: Vec<String>,
    clarify: Vec<String>,
}

#[derive(Debug)]
struct Exempted {
    id: String,
    package: Option<String>,
    version: Option<String>,
    reason: String,
}

/// The file while it is read.
struct Reader<'t, 'k> {
    text: &'t str,
    known: &'k [KnownRule<'k>],
    /// With the byte that each is about.
    notes: Vec<(usize, String)>,
    policy: Policy,
}

impl Reader<'_, '_> {
    /// `section.key WHY`.
    fn note(&mut self, key: &Key<'_>, section: &str, why: &str) {
        let name = text::plain(key.get_ref()).into_owned();
        self.note_at(key.span().start, format!("`{section}.{name}` {why}"));
    }

    fn note_at(&mut self, at: usize, message: impl Into<String>) {
        self.notes.push((at, message.into()));
    }

    /// Sets a rule's option, if the rule and the option are there.
    fn set(&mut self, rule: &'static str, option: &'static str, value: String) -> bool {
        let known = self.known.iter().find(|known| known.id == rule);
        let is_there = known.is_some_and(|known| option == "level" || known.options.iter().any(|one| one.name == option));
        if is_there {
            self.policy.rules.entry(rule).or_default().insert(option, value);
        }
        is_there
    }

    /// `"deny"`, `"warn"`, `"allow"` as the level of a rule. Only what is denied fails cargo-deny, only what is high fails here.
    fn level(&mut self, key: &Key<'_>, section: &str, value: &Value<'_>, rule: &'static str) {
        let level = match value.get_ref().as_str() {
            Some("deny") => "high",
            Some("warn") => "medium",
            Some("allow") => "info",
            _ => return self.note(key, section, "has a value that is not known here"),
        };
        if !self.set(rule, "level", quoted(level)) {
            self.note(key, section, "has no counterpart in this version");
        }
    }

    /// The author's comment on an entry: behind it on its line, else in the lines above it.
    fn comment(&self, span: &std::ops::Range<usize>) -> Option<String> {
        let after = self.text.get(span.end..)?.lines().next()?;
        if let Some((before, comment)) = after.split_once('#')
            && before.trim_matches([' ', '\t', ',', ']', '}']).is_empty()
        {
            return tidy(comment);
        }
        let mut above = self.text.get(..span.start)?.rsplit('\n').skip(1).map(str::trim).peekable();
        // On one line with others, the lines above are about them all.
        self.text.get(..span.start)?.rsplit('\n').next().filter(|start| start.trim().is_empty())?;
        let mut lines = Vec::new();
        while let Some(comment) = above.peek().and_then(|line| line.strip_prefix('#')) {
            lines.push(comment.trim_start_matches('#').trim());
            above.next();
        }
        lines.reverse();
        tidy(&lines.join(" "))
    }
}

/// The longest reason that is carried over, in characters.
const MAX_REASON: usize = 300;

fn tidy(reason: &str) -> Option<String> {
    let line = text::one_line(reason);
    let short: String = line.chars().take(MAX_REASON).collect();
    if short.is_empty() { None } else { Some(short) }
}

/// `name`, `name@1.2.3`, `name:<=1.2`, or a table with `crate`, or with `name` and `version`.
struct Spec {
    name: String,
    /// A requirement of semver, as written; none: any.
    version: Option<String>,
    reason: Option<String>,
}

impl Spec {
    fn of(value: &DeValue<'_>) -> Option<Self> {
        if let Some(text) = value.as_str() {
            return Self::of_text(text);
        }
        let table = value.as_table()?;
        let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
        let spec = match text("crate") {
            Some(spec) => Self::of_text(spec)?,
            None => Self { name: text("name")?.to_owned(), version: text("version").map(str::to_owned), reason: None },
        };
        let version = spec.version.filter(|version| version.trim() != "*");
        let is_name =
            !spec.name.is_empty() && spec.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        is_name.then(|| Self { version, reason: text("reason").and_then(tidy), name: spec.name })
    }

    fn of_text(text: &str) -> Option<Self> {
        let end =
            text.find(|character: char| !character.is_ascii_alphanumeric() && !"-_".contains(character)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let version = match rest.strip_prefix('@') {
            Some(exact) => Some(format!("={exact}")),
            None => Some(rest.trim_start_matches(':').trim().to_owned()).filter(|rest| !rest.is_empty() && rest != "*"),
        };
        (!name.is_empty()).then(|| Self { name: name.to_owned(), version, reason: None })
    }

    /// The version requirement, where it is one that we read too.
    fn requirement(&self) -> Result<Option<&str>, ()> {
        match &self.version {
            Some(version) => semver::VersionReq::parse(version).map(|_| Some(version.as_str())).map_err(|_| ()),
            None => Ok(None),
        }
    }
}

/// The entries of a list; a single value is a list of one.
fn items<'a, 't>(value: &'a Value<'t>) -> impl Iterator<Item = &'a Value<'t>> {
    let (list, one) = match value.get_ref().as_array() {
        Some(list) => (Some(list), None),
        None => (None, Some(value)),
    };
    list.into_iter().flat_map(|list| list.iter()).chain(one)
}

/// A TOML string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text::plain(text).chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out + "\""
}

/// A TOML list of strings.
fn list(items: &[String]) -> String {
    let items: Vec<_> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

fn located(text: &str, mut notes: Vec<(usize, String)>) -> Vec<Note> {
    notes.sort();
    let mut lines = Lines::new(text);
    let notes = notes.into_iter().map(|(at, message)| Note { line: lines.at(at).0, message });
    let mut notes: Vec<_> = notes.collect();
    notes.dedup();
    notes
}

#[cfg(test)]
mod tests;
