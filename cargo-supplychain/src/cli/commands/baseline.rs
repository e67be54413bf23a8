//! `baseline show|diff|accept|refresh`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::super::args::{BaselineCommand, Format, SourceArgs};
use super::super::exit::Exit;
use super::super::shell::{NOTE, Shell};
use super::{ENVELOPE_VERSION, json_out};
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::model::baseline::{Baseline, Change, CrateDifference, Difference, Kind, KnownCrate, KnownPublisher, What};
use crate::model::lockfile::CRATES_IO;
use crate::ops::baseline::{Outcome, Refreshed, Request, describe};
use crate::ops::{self, baseline};

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, command: BaselineCommand) -> Result<Exit, ops::Error> {
    if !matches!(shell.format, Format::Human | Format::Json) {
        return Err(ops::Error::usage(&"baseline has the formats human and json"));
    }
    match command {
        BaselineCommand::Show(args) => {
            let request =
                Request { manifest_path: args.manifest_path, crates: args.name.into_iter().collect(), ..Request::default() };
            let (path, baseline) = baseline::show(context, &request)?;
            show(shell, path.as_str(), &baseline, !request.crates.is_empty());
        }
        BaselineCommand::Diff(args) => {
            let outcome = baseline::diff(context, &request(args.source, args.crates), shell)?;
            diff(shell, &outcome);
        }
        BaselineCommand::Accept(args) => {
            let outcome = baseline::accept(context, &request(args.source, args.crates), shell)?;
            accepted(shell, &outcome);
        }
        BaselineCommand::Refresh(args) => {
            let refreshed = baseline::refresh(context, &request(args.source, Vec::new()), shell)?;
            return Ok(refresh(shell, &refreshed));
        }
    }
    Ok(Exit::Pass)
}

fn request(source: SourceArgs, crates: Vec<String>) -> Request {
    Request {
        manifest_path: source.manifest_path,
        policy: source.policy,
        registry_snapshot: source.registry_snapshot,
        registry_api: source.registry_api,
        crates,
    }
}

fn show(shell: &mut Shell, path: &str, baseline: &Baseline, whole: bool) {
    if shell.format == Format::Json {
        let crates: Vec<_> = baseline.crates.iter().map(|(key, known)| as_json(&key.name, &key.source, known)).collect();
        return json_out(shell, &json!({ "schema_version": ENVELOPE_VERSION, "path": path, "crates": crates }));
    }
    let mut text = String::new();
    for (key, known) in &baseline.crates {
        if whole {
            // Its block, as the file has it.
            let one = Baseline { crates: [(key.clone(), known.clone())].into() }.to_text();
            text.push_str(one.find("[[crate]]").map_or("", |start| &one[start..]));
            continue;
        }
        let versions: Vec<_> = known.versions.keys().map(ToString::to_string).collect();
        let owners = match &known.owners {
            Some(owners) => counted(owners.len(), "owner"),
            None => "owners not known".to_owned(),
        };
        let flags = [
            (known.flags.build_script, "build script"),
            (known.flags.proc_macro, "proc macro"),
            (known.flags.native_code, "native code"),
            (known.flags.blobs, "binary files"),
        ];
        let flags = flags.iter().filter(|(flag, _)| *flag == Some(true)).fold(String::new(), |all, (_, word)| all + ", " + word);
        let _ = writeln!(text, "{} {}: {owners}{flags}", plain(&key.name), versions.join(", "));
    }
    shell.out(text.as_bytes());
}

fn diff(shell: &mut Shell, outcome: &Outcome) {
    if shell.format == Format::Json {
        return json_out(shell, &outcome_json(outcome));
    }
    let text: String = outcome.difference.crates.iter().map(lines).collect();
    shell.out(text.as_bytes());
    for obstacle in &outcome.obstacles {
        shell.styled_status(NOTE, "Cannot", &format!("accept {}", describe(obstacle)));
    }
    tell_unknown(shell, outcome);
    let summary = summary(&outcome.difference);
    shell.say("Baseline", &if summary.is_empty() { "says what is locked and known now".to_owned() } else { summary });
}

fn accepted(shell: &mut Shell, outcome: &Outcome) {
    if shell.format == Format::Json {
        return json_out(shell, &outcome_json(outcome));
    }
    // What is accepted is never silent.
    for one in &outcome.difference.crates {
        shell.line(lines(one).trim_end());
    }
    tell_unknown(shell, outcome);
    let crates = counted(outcome.crates, "crate");
    match outcome.written {
        true => shell.say("Accepted", &format!("{}: {} ({crates})", outcome.path, summary(&outcome.difference))),
        false => shell.say("Baseline", &format!("{} says what is locked and known now ({crates})", outcome.path)),
    }
}

fn tell_unknown(shell: &Shell, outcome: &Outcome) {
    if outcome.without_owners.is_empty() {
        return;
    }
    let why = outcome.not_asked.as_ref().map_or(String::new(), |why| format!(" ({why})"));
    let text = format!(
        "the owners of {} are not known{why}: {}; `cargo supplychain baseline refresh` looks them up",
        counted(outcome.without_owners.len(), "crate"),
        first_names(outcome.without_owners.iter())
    );
    shell.styled_status(NOTE, "Note", &text);
}

/// The first names of a list.
fn first_names<'n>(names: impl ExactSizeIterator<Item = &'n String>) -> String {
    let more = if names.len() > 5 { ", …" } else { "" };
    names.take(5).cloned().collect::<Vec<_>>().join(", ") + more
}

fn refresh(shell: &mut Shell, refreshed: &Refreshed) -> Exit {
    let exit = if refreshed.unknown.is_empty() { Exit::Pass } else { Exit::Undetermined };
    if shell.format == Format::Json {
        json_out(
            shell,
            &json!({
                "schema_version": ENVELOPE_VERSION,
                "exit_code": exit as u8,
                "path": refreshed.path,
                "written": refreshed.written,
                "crates": crates_json(&refreshed.difference),
                "differs": refreshed.differs,
                "unknown": refreshed.unknown,
                "not_accepted": refreshed.not_accepted,
            }),
        );
        return exit;
    }
    for one in &refreshed.difference.crates {
        shell.line(lines(one).trim_end());
    }
    for (name, differs) in &refreshed.differs {
        let text = format!("{name}: {}; left as it was, `cargo supplychain baseline accept {name}` takes it", differs.join(", "));
        shell.styled_status(NOTE, "Differs", &text);
    }
    for (name, why) in refreshed.unknown.iter().take(5) {
        shell.styled_status(NOTE, "Unknown", &format!("{name}: {why}"));
    }
    if refreshed.unknown.len() > 5 {
        shell.styled_status(NOTE, "Unknown", &format!("{} more", counted(refreshed.unknown.len() - 5, "crate")));
    }
    if !refreshed.not_accepted.is_empty() {
        let text = format!(
            "{} not accepted yet: {}",
            counted(refreshed.not_accepted.len(), "locked crate"),
            first_names(refreshed.not_accepted.iter())
        );
        shell.styled_status(NOTE, "Note", &text);
    }
    let word = if refreshed.written { "Wrote" } else { "Unchanged" };
    shell.say(word, refreshed.path.as_str());
    exit
}

/// `1 crate added, 2 crates changed`.
fn summary(difference: &Difference) -> String {
    let words = [(Kind::Added, "added"), (Kind::Changed, "changed"), (Kind::Removed, "no longer locked")];
    let counts = words.iter().map(|(kind, word)| (difference.count(*kind), word)).filter(|(count, _)| *count > 0);
    counts.map(|(count, word)| format!("{} {word}", counted(count, "crate"))).collect::<Vec<_>>().join(", ")
}

/// A crate and what differs, a line each. What is of no weight in a new crate is left to JSON.
fn lines(one: &CrateDifference) -> String {
    let source = if one.key.source == CRATES_IO[0] { String::new() } else { format!(" of {}", plain(&one.key.source)) };
    let kind = match one.kind {
        Kind::Added => "+",
        Kind::Removed => "-",
        Kind::Changed => "~",
    };
    let mut text = String::new();
    let _ = writeln!(text, "{}", format!("{kind} {}{source} {}", plain(&one.key.name), versions(one)).trim_end());
    if one.kind == Kind::Removed {
        return text;
    }
    let is_told = |change: &&Change| match change.what {
        What::Version | What::Published | What::OwnersKnown => false,
        // Said of its crate.
        What::PublishedBy => false,
        What::Checksum => one.kind == Kind::Changed,
        What::BuildScript | What::ProcMacro | What::NativeCode | What::Blobs => {
            one.kind == Kind::Changed || change.after.as_deref() == Some("yes")
        }
        _ => true,
    };
    for change in one.changes.iter().filter(is_told) {
        let _ = writeln!(text, "    {}: {}", change.what.as_str(), plain(&shown(change)));
    }
    text
}

/// The versions that went and came: `1.0.0 -> 1.1.0`.
fn versions(one: &CrateDifference) -> String {
    let list = |side: fn(&Change) -> Option<&String>| {
        let changes = one.changes.iter().filter(|change| change.what == What::Version);
        changes.filter_map(side).map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let (gone, new) = (list(|change| change.before.as_ref()), list(|change| change.after.as_ref()));
    match (one.kind, gone.is_empty(), new.is_empty()) {
        (Kind::Changed, true, true) => String::new(),
        (Kind::Changed, true, false) => format!("+{new}"),
        (Kind::Changed, false, true) => format!("-{gone}"),
        (Kind::Changed, false, false) => format!("{gone} -> {new}"),
        _ => gone + &new,
    }
}

/// `+ new`, `- old`, `old -> new`.
fn shown(change: &Change) -> String {
    match (&change.before, &change.after) {
        (None, Some(after)) => format!("+{after}"),
        (Some(before), None) => format!("-{before}"),
        (before, after) => format!("{} -> {}", before.as_deref().unwrap_or("-"), after.as_deref().unwrap_or("-")),
    }
}

fn outcome_json(outcome: &Outcome) -> Value {
    json!({
        "schema_version": ENVELOPE_VERSION,
        "path": outcome.path,
        "written": outcome.written,
        "crates": crates_json(&outcome.difference),
        "obstacles": outcome.obstacles.iter().map(describe).collect::<Vec<_>>(),
        "without_owners": outcome.without_owners,
        "not_asked": outcome.not_asked,
    })
}

fn crates_json(difference: &Difference) -> Value {
    serde_json::to_value(&difference.crates).unwrap_or_default()
}

fn as_json(name: &str, source: &str, known: &KnownCrate) -> Value {
    let owners = known.owners.as_ref().map(|owners| {
        let owner = |one: &crate::model::baseline::KnownOwner| {
            json!({ "kind": one.owner.kind, "id": one.owner.id, "login": one.owner.login, "first_seen": one.first_seen })
        };
        owners.iter().map(owner).collect::<Vec<_>>()
    });
    let version = |(version, known): (&semver::Version, &crate::model::baseline::KnownVersion)| {
        json!({
            "version": version.to_string(),
            "checksum": known.checksum,
            "published": known.published,
            "publisher": known.publisher.as_ref().map(publisher_json),
        })
    };
    json!({
        "name": name,
        "source": source,
        "repository": known.repository,
        "owners": owners,
        "publishers": known.publishers.iter().map(publisher_json).collect::<Vec<_>>(),
        "build_script": known.flags.build_script,
        "proc_macro": known.flags.proc_macro,
        "native_code": known.flags.native_code,
        "blobs": known.flags.blobs,
        "links": known.flags.links,
        "dependencies": known.dependencies,
        "versions": known.versions.iter().map(version).collect::<Vec<_>>(),
    })
}

fn publisher_json(publisher: &KnownPublisher) -> Value {
    match publisher {
        KnownPublisher::User { id, login } => json!({ "id": id, "login": login }),
        KnownPublisher::Trusted { provider, repository } => json!({ "provider": provider, "repository": repository }),
    }
}
