//! The text of `supplychain.lock`: sorted, one block a crate and one line an entry, so that changes of different crates merge, and those
//! of one crate mostly do. The same baseline gives the same bytes.

use std::fmt::Write as _;

use super::{Baseline, KnownCrate, KnownOwner, KnownPublisher, KnownVersion, read};
use crate::base::{Timestamp, text};
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, OwnerKind};

const HEAD: &str = "\
# What was accepted of every crate of Cargo.lock: owners, publishers, capabilities, versions.
# It is not edited by hand: `cargo supplychain baseline diff` shows what has changed since, `cargo supplychain baseline accept` writes
# it. After a merge conflict take one side and run the latter.
";

impl Baseline {
    /// The file's text. What [`read::parse`] gives back is this baseline.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = format!("{HEAD}version = {}\n", read::VERSION);
        for (key, known) in &self.crates {
            write_crate(&mut out, key, known);
        }
        out
    }
}

fn write_crate(out: &mut String, key: &CrateKey, known: &KnownCrate) {
    out.push_str("\n[[crate]]\n");
    field(out, "name", &quoted(&key.name));
    if key.source != CRATES_IO[0] {
        field(out, "source", &quoted(&key.source));
    }
    if let Some(repository) = &known.repository {
        field(out, "repository", &quoted(repository));
    }
    let flags = &known.flags;
    for (name, flag) in [
        ("build-script", flags.build_script),
        ("proc-macro", flags.proc_macro),
        ("native-code", flags.native_code),
        ("blobs", flags.blobs),
    ] {
        if let Some(flag) = flag {
            field(out, name, if flag { "true" } else { "false" });
        }
    }
    if let Some(links) = &flags.links {
        field(out, "links", &quoted(links));
    }
    if let Some(owners) = &known.owners {
        list(out, "owners", owners.iter().map(owner), true);
    }
    list(out, "publishers", known.publishers.iter().map(publisher), false);
    list(out, "dependencies", known.dependencies.iter().map(|name| quoted(name)), false);
    list(out, "versions", known.versions.iter().map(|(version, known)| version_line(version, known)), false);
}

fn field(out: &mut String, name: &str, value: &str) {
    let _ = writeln!(out, "{name} = {value}");
}

/// A list, an entry a line. An empty one is left out, unless it says something.
fn list(out: &mut String, name: &str, entries: impl Iterator<Item = String>, shown_when_empty: bool) {
    let mut entries: Vec<_> = entries.collect();
    if entries.is_empty() && !shown_when_empty {
        return;
    }
    if entries.is_empty() {
        return field(out, name, "[]");
    }
    entries.iter_mut().for_each(|entry| *entry = format!("    {entry},\n"));
    let _ = writeln!(out, "{name} = [\n{}]", entries.concat());
}

fn owner(known: &KnownOwner) -> String {
    let kind = match known.owner.kind {
        OwnerKind::User => "user",
        OwnerKind::Team => "team",
    };
    let (id, login, seen) = (known.owner.id, quoted(&known.owner.login), time(known.first_seen));
    format!("{{ kind = \"{kind}\", id = {id}, login = {login}, first-seen = {seen} }}")
}

fn publisher(publisher: &KnownPublisher) -> String {
    match publisher {
        KnownPublisher::User { id, login } => format!("{{ id = {id}, login = {} }}", quoted(login)),
        KnownPublisher::Trusted { provider, repository } => {
            format!("{{ provider = {}, repository = {} }}", quoted(provider), quoted(repository))
        }
    }
}

fn version_line(version: &semver::Version, known: &KnownVersion) -> String {
    let mut line = format!("{{ version = \"{version}\"");
    if let Some(checksum) = &known.checksum {
        let _ = write!(line, ", checksum = \"{checksum}\"");
    }
    if let Some(published) = known.published {
        let _ = write!(line, ", published = {}", time(published));
    }
    if let Some(by) = &known.publisher {
        let _ = write!(line, ", publisher = {}", publisher(by));
    }
    line + " }"
}

/// A day where it is the first instant of one, which reads back as the same.
fn time(time: Timestamp) -> String {
    let day = time.date();
    if day.parse() == Ok(time) { day } else { time.to_string() }
}

/// A basic string in one line. What a reader of a difference cannot see is escaped: control, invisible and direction-changing
/// characters.
fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for one in value.chars() {
        let is_plain = one.is_ascii_graphic()
            || one == ' '
            || matches!(text::plain(one.encode_utf8(&mut [0; 4])), std::borrow::Cow::Borrowed(_));
        match one {
            '"' | '\\' => out.extend(['\\', one]),
            one if is_plain => out.push(one),
            one => {
                let _ = write!(out, "\\U{:08X}", u32::from(one));
            }
        }
    }
    out.push('"');
    out
}
