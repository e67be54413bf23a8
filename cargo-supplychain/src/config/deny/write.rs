//! The policy file that is made of a cargo-deny configuration, as text.

use std::fmt::Write as _;

use super::{EXEMPTED_DAYS, Note, Policy, quoted};
use crate::base::{Timestamp, text};

pub(super) fn policy(path: &str, policy: &Policy, notes: &[Note], now: Timestamp) -> String {
    let mut out = String::new();
    let name = text::plain(path);
    let _ = writeln!(out, "# The policy of `cargo supplychain`, made from {name} on {}.", now.date());
    out.push_str("# Deny is \"high\" here (it fails), warn \"medium\", allow \"info\". Look at each line: the two tools do not mean quite the same.\n");
    if !notes.is_empty() {
        let _ = writeln!(out, "#\n# Not carried over, or not quite, by the line of {name}:");
        for note in notes {
            let _ = writeln!(out, "#   {}: {}", note.line, note.message);
        }
    }
    rules(&mut out, policy);
    if policy.database.is_some() || policy.max_age.is_some() {
        out.push_str("\n[advisories]\n");
        if let Some(database) = &policy.database {
            let _ = writeln!(out, "database = {}", quoted(database));
        }
        if let Some(days) = policy.max_age {
            let _ = writeln!(out, "max-age = \"{days}d\"");
        }
    }
    licences(&mut out, policy);
    if !policy.bans.is_empty() {
        out.push_str("\n[bans]\n");
        lines(&mut out, "deny", &policy.bans);
    }
    exemptions(&mut out, policy, now);
    out
}

fn rules(out: &mut String, policy: &Policy) {
    if policy.rules.is_empty() {
        return;
    }
    out.push_str("\n[rules]\n");
    for (rule, options) in &policy.rules {
        match (options.get("level"), options.len()) {
            (Some(level), 1) => {
                let _ = writeln!(out, "{} = {level}", quoted(rule));
            }
            _ => {
                let level = options.get("level").map(|level| ("level", level));
                let others = options.iter().filter(|(key, _)| **key != "level").map(|(key, value)| (*key, value));
                let table: Vec<_> = level.into_iter().chain(others).map(|(key, value)| format!("{key} = {value}")).collect();
                let _ = writeln!(out, "{} = {{ {} }}", quoted(rule), table.join(", "));
            }
        }
    }
}

fn licences(out: &mut String, policy: &Policy) {
    let licences = &policy.licences;
    let strings = |terms: &[String]| terms.iter().map(|term| quoted(term)).collect::<Vec<_>>();
    let lists = [
        ("allow", strings(&licences.allow)),
        ("deny", strings(&licences.deny)),
        ("exceptions", licences.exceptions.clone()),
        ("clarify", licences.clarify.clone()),
    ];
    if lists.iter().all(|(_, entries)| entries.is_empty()) {
        return;
    }
    out.push_str("\n[licences]\n");
    for (key, entries) in lists.iter().filter(|(_, entries)| !entries.is_empty()) {
        lines(out, key, entries);
    }
}

/// A list with an entry a line.
fn lines(out: &mut String, key: &str, entries: &[String]) {
    let _ = writeln!(out, "{key} = [");
    for entry in entries {
        let _ = writeln!(out, "    {entry},");
    }
    out.push_str("]\n");
}

fn exemptions(out: &mut String, policy: &Policy, now: Timestamp) {
    let expires = Timestamp::from_unix(now.unix().saturating_add(EXEMPTED_DAYS * 86_400)).unwrap_or(now).date();
    for exempted in &policy.exemptions {
        let _ = writeln!(out, "\n[[exemptions]]\nid = {}", quoted(&exempted.id));
        if let Some(package) = &exempted.package {
            let _ = writeln!(out, "package = {}", quoted(package));
        }
        if let Some(version) = &exempted.version {
            let _ = writeln!(out, "version = {}", quoted(version));
        }
        let _ = writeln!(out, "reason = {}\nexpires = {expires}", quoted(&exempted.reason));
    }
}
