//! `affected`, `rescan`, `archive index`, `archive supported`.

use std::mem::ManuallyDrop;

use serde_json::json;

use super::super::args::{AffectedArgs, ArchiveArgs, Format, IndexCommand, PlaceArgs, RescanArgs};
use super::super::exit::Exit;
use super::super::render;
use super::super::shell::Shell;
use super::{ENVELOPE_VERSION, exit_of_verdict, json_out};
use crate::archived::answer::ListedRelease;
use crate::archived::history::Fix;
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::document::affected::{self, Affected};
use crate::document::rescan::{self, HistoryAnswer, HistoryLine, Rescanned};
use crate::document::{github, gitlab, sarif};
use crate::finding::Report;
use crate::ops;
use crate::ops::advisories::NamedFeed;
use crate::ops::archived::Request;
use crate::ops::rescan::Record;

fn request(args: &ArchiveArgs) -> Request {
    Request { archive: args.archive.clone(), policy: args.policy.clone(), ..Request::default() }
}

/// What `affected` and `rescan` are asked of.
fn asked(place: &PlaceArgs, advisory_db: Option<&String>, feeds: &[NamedFeed], supported: bool) -> Request {
    let (advisory_db, feeds) = (advisory_db.cloned(), feeds.to_vec());
    Request { advisory_db, feeds, supported, expect_head: place.expect_head, ..request(&place.archive) }
}

pub(in crate::cli) fn affected(shell: &mut Shell, context: &Context, args: &AffectedArgs) -> Result<Exit, ops::Error> {
    if matches!(shell.format, Format::Sarif | Format::Github | Format::Gitlab) {
        return Err(ops::Error::usage(&"affected has no such format: it answers a question, it judges nothing")
            .with_help("use --format human, json or markdown; `rescan` has sarif, github and gitlab"));
    }
    let request = asked(&args.place, args.advisory_db.as_ref(), &args.feed, args.supported);
    // Kept to the end of the process: to give ten thousand releases back one by one takes as long as to print them.
    let answer = ManuallyDrop::new(match args.sbom.as_slice() {
        [] => ops::affected::affected(context, &request, &args.query, shell)?,
        files => ops::affected::in_documents(context, &request, &args.query, files, shell)?,
    });
    match shell.format {
        Format::Json => shell.out(&affected::json(&answer).bytes),
        Format::Markdown => shell.out(&affected::markdown(&answer).bytes),
        _ => {
            affected::human(&answer).iter().for_each(|piece| shell.out(piece.as_bytes()));
            render::not_evaluated(shell, &answer.not_evaluated);
        }
    }
    Ok(exit_of_answer(&answer))
}

fn exit_of_answer(answer: &Affected) -> Exit {
    match (answer.is_affected(), answer.is_known()) {
        (true, _) => Exit::Finding,
        (false, true) => Exit::Pass,
        (false, false) => Exit::Undetermined,
    }
}

pub(in crate::cli) fn rescan(shell: &mut Shell, context: &Context, args: &RescanArgs) -> Result<Exit, ops::Error> {
    let archived = Request { vex: args.vex.clone(), ..asked(&args.place, args.advisory_db.as_ref(), &args.feed, args.supported) };
    if args.history {
        return history(shell, context, &archived);
    }
    let record = match (args.record, args.no_record) {
        (true, _) => Record::Always,
        (_, true) => Record::Never,
        _ => Record::News,
    };
    let request = ops::rescan::Request { archived, fail_on: args.fail_on, all: args.all, record };
    let (rescanned, report) = ops::rescan::rescan(context, &request, shell)?;
    match shell.format {
        Format::Human => for_people(shell, &rescanned, &report),
        Format::Json => shell.out(&rescan::json(&rescanned).bytes),
        Format::Sarif => shell.out(&sarif::document(&report, &ops::rule_infos()).bytes),
        Format::Github => shell.out(github::annotations(&report).as_bytes()),
        Format::Gitlab => shell.out(&gitlab::document(&report).bytes),
        Format::Markdown => shell.out(&rescan::markdown(&rescanned).bytes),
    }
    Ok(exit_of_verdict(report.enforced_verdict()))
}

fn for_people(shell: &Shell, rescanned: &Rescanned, report: &Report) {
    render::report(shell, report);
    for gone in &rescanned.disappeared {
        shell.say("Gone", &format!("{} does not apply to {} any more", gone.hit.advisory, gone.hit.purl));
    }
    let known = if rescanned.all { String::new() } else { format!("; {} known or not listed", rescanned.known) };
    let judged = counted(rescanned.releases_judged, "release");
    let looked = counted(rescanned.components_judged, "component");
    shell.say("Judged", &format!("{judged}, {looked} that an advisory names{known}"));
    if let Some(head) = &rescanned.recorded {
        shell.say("Recorded", &format!("in the archive, which is at {head} now"));
    }
}

fn history(shell: &mut Shell, context: &Context, request: &Request) -> Result<Exit, ops::Error> {
    if !matches!(shell.format, Format::Human | Format::Json) {
        return Err(ops::Error::usage(&"the history has no such format").with_help("use --format human or json"));
    }
    let answer = ops::rescan::history(context, request, shell)?;
    if shell.format == Format::Json {
        shell.out(&rescan::history_json(&answer).bytes);
    } else {
        shell.out(history_lines(&answer).as_bytes());
    }
    Ok(Exit::Pass)
}

fn history_lines(answer: &HistoryAnswer) -> String {
    let line = |one: &HistoryLine| {
        let name = one.name.as_deref().unwrap_or("in no release that is kept");
        let state = match (one.gone, one.fix) {
            (Some(day), _) => format!("gone {}", day.date()),
            (None, Some(Fix::Open { days })) => format!("open for {}", counted(days, "day")),
            (None, Some(Fix::Fixed { days, .. })) => {
                format!("fixed by {} after {}", one.fixed_by.as_deref().unwrap_or_default(), counted(days, "day"))
            }
            (None, Some(Fix::Before { .. })) => {
                format!("{} was free of it already", one.fixed_by.as_deref().unwrap_or_default())
            }
            (None, None) => "-".to_owned(),
        };
        let target = one.target.as_deref().unwrap_or_default();
        plain(&format!("{} {} {} {name} {target}: {state}", one.first_seen.date(), one.advisory, one.purl)).into_owned() + "\n"
    };
    let mut text: String = answer.history.iter().map(line).collect();
    match answer.median_days_to_fix {
        Some(days) => text.push_str(&format!("median of the days to fix: {days}\n")),
        None if answer.history.is_empty() => text.push_str("no rescan has recorded anything\n"),
        None => {}
    }
    text
}

pub(super) fn index(shell: &mut Shell, context: &Context, command: &IndexCommand) -> Result<Exit, ops::Error> {
    let status = match command {
        IndexCommand::Status(args) => ops::archive_index::status(context, &request(&args.archive), false, shell)?,
        IndexCommand::Rebuild(args) => ops::archive_index::status(context, &request(&args.archive), true, shell)?,
        IndexCommand::Forget(args) => {
            ops::archive_index::forget(context, &request(&args.archive), shell)?;
            shell.say("Forgot", "the index, and where the archive's chain ended");
            if shell.format == Format::Json {
                json_out(shell, &json!({ "schema_version": ENVELOPE_VERSION, "forgotten": true }));
            }
            return Ok(Exit::Pass);
        }
        IndexCommand::Export(args) => {
            let folder = context.cwd.join(&args.folder);
            let exported = ops::archive_index::export(context, &request(&args.archive), &folder, shell)?;
            if shell.format == Format::Json {
                let value = json!({
                    "schema_version": ENVELOPE_VERSION,
                    "folder": args.folder,
                    "releases": exported.releases,
                    "written": exported.written,
                    "unchanged": exported.unchanged,
                });
                json_out(shell, &value);
            } else {
                let files = counted(exported.written.len(), "file");
                shell.say(
                    "Exported",
                    &format!(
                        "{} to {folder}: {files} written, {} unchanged",
                        counted(exported.releases, "release"),
                        exported.unchanged
                    ),
                );
            }
            return Ok(Exit::Pass);
        }
    };
    if shell.format == Format::Json {
        let value = json!({
            "schema_version": ENVELOPE_VERSION,
            "archive": status.archive,
            "folder": status.folder,
            "releases": status.releases,
            "components": status.components,
            "bytes": status.bytes,
            "unreadable": status.unreadable,
        });
        json_out(shell, &value);
    } else {
        let (releases, components) = (counted(status.releases, "release"), counted(status.components, "distinct component"));
        shell.out(format!("{releases}, {components}, {} bytes, up to {}\n", status.bytes, status.archive.head).as_bytes());
        shell.out(format!("{}\n", plain(status.folder.as_str())).as_bytes());
        render::not_evaluated(shell, &status.unreadable);
    }
    Ok(if status.unreadable.is_empty() { Exit::Pass } else { Exit::Undetermined })
}

pub(super) fn supported(shell: &mut Shell, context: &Context, args: &ArchiveArgs) -> Result<Exit, ops::Error> {
    let listed = ops::archive_index::supported(context, &request(args), shell)?;
    if shell.format == Format::Json {
        json_out(shell, &json!({ "schema_version": ENVELOPE_VERSION, "archive": listed.archive, "releases": listed.releases }));
        return Ok(Exit::Pass);
    }
    let line = |one: &ListedRelease| {
        let state = match (one.supported, one.supported_until) {
            (None, _) => "not said".to_owned(),
            (Some(true), Some(day)) => format!("supported until {}", day.date()),
            (Some(true), None) => "supported".to_owned(),
            (Some(false), Some(day)) => format!("ended {}", day.date()),
            (Some(false), None) => "not supported".to_owned(),
        };
        plain(&format!("{} {} {}: {state}", one.name, one.version, one.target)).into_owned() + "\n"
    };
    shell.out(listed.releases.iter().map(line).collect::<String>().as_bytes());
    if listed.releases.iter().all(|one| one.supported.is_none()) {
        shell.say("Note", "the policy names no supported releases: [[archive.supported]] does (docs/affected.md)");
    }
    Ok(Exit::Pass)
}
