//! `vex`.

use camino::Utf8Path;
use serde_json::json;

use super::super::args::{Format, VexAddArgs, VexCommand, VexExportArgs, VexFormat, VexListArgs, VexProposeArgs};
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::{ENVELOPE_VERSION, gather_request, json_out, judge_request};
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::config::VexDecision;
use crate::document::{Document, vex::list};
use crate::files;
use crate::ops::{self, Progress as _, vex};

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, command: VexCommand) -> Result<Exit, ops::Error> {
    match command {
        VexCommand::Add(args) => add(shell, context, *args),
        VexCommand::List(args) => list(shell, context, &args),
        VexCommand::Propose(args) => propose(shell, context, &args),
        VexCommand::Export(args) => export(shell, context, &args),
    }
}

fn add(shell: &mut Shell, context: &Context, args: VexAddArgs) -> Result<Exit, ops::Error> {
    let added = vex::Added {
        id: args.id,
        aliases: args.alias,
        component: args.package,
        status: args.status,
        justification: args.justification,
        reason: args.reason,
        action: args.action,
        responses: args.response,
        author: args.author,
        expires: args.expires,
    };
    let target = vex::Target {
        manifest_path: args.manifest_path,
        policy: args.policy,
        advisory_db: args.advisory_db,
        dry_run: args.dry_run,
    };
    let written = vex::add(context, added, &target, shell)?;
    for note in &written.notes {
        shell.note(note);
    }
    if shell.format == Format::Json {
        let wrote: Vec<_> = written.path.iter().collect();
        let value = json!({ "schema_version": ENVELOPE_VERSION, "wrote": wrote, "toml": written.text, "notes": written.notes });
        json_out(shell, &value);
        return Ok(Exit::Pass);
    }
    let what = about(&written.decision);
    match &written.path {
        None => {
            shell.out(written.text.as_bytes());
            shell.say("Decided", &format!("{what}; nothing was written"));
        }
        Some(path) => shell.say("Decided", &format!("{what}; appended to {path}")),
    }
    Ok(Exit::Pass)
}

fn about(decision: &VexDecision) -> String {
    format!("{} in {}: {}, until {}", decision.id, decision.component, decision.status, decision.expires.date())
}

fn list(shell: &mut Shell, context: &Context, args: &VexListArgs) -> Result<Exit, ops::Error> {
    let decisions = vex::list(context, args.manifest_path.as_deref(), args.policy.as_deref())?;
    match shell.format {
        Format::Json => shell.out(&list::json(&decisions, context.now).bytes),
        _ if decisions.is_empty() => shell.say("Nothing", "is decided: the policy has no [[vex]]"),
        _ => shell.out(list::human(&decisions, context.now).as_bytes()),
    }
    Ok(Exit::Pass)
}

fn propose(shell: &mut Shell, context: &Context, args: &VexProposeArgs) -> Result<Exit, ops::Error> {
    let mut request = gather_request(&args.selection, args.policy.policy.as_deref())?;
    request.base.clone_from(&args.policy.base);
    let proposals = vex::propose(context, &request, &judge_request(&args.policy), shell)?;
    match shell.format {
        Format::Json => shell.out(&list::proposals_json(&proposals).bytes),
        _ if proposals.is_empty() => {
            shell.say("Nothing", "to propose: no fact of the build says that an advisory without a decision reaches nothing");
        }
        _ => {
            shell.out(list::proposals_human(&proposals).as_bytes());
            let count = counted(proposals.len(), "decision");
            shell.say("Proposed", &format!("{count}; nothing was written: the facts are evidence, deciding is yours"));
        }
    }
    Ok(Exit::Pass)
}

fn export(shell: &mut Shell, context: &Context, args: &VexExportArgs) -> Result<Exit, ops::Error> {
    let format = match args.format_vex {
        VexFormat::Openvex => vex::Format::OpenVex,
        VexFormat::Cyclonedx => vex::Format::CycloneDx,
        VexFormat::Csaf => vex::Format::Csaf,
    };
    let request = gather_request(&args.selection, args.policy.as_deref())?;
    let exported = vex::export(context, &request, format, shell)?;
    for left_out in &exported.left_out {
        shell.note(&format!("not stated: {left_out}"));
    }
    put(shell, context, &exported.document, args.output.as_deref())?;
    shell.say("Stated", &plain(&counted(exported.stated, "decision")));
    Ok(Exit::Pass)
}

/// A document to standard output, into a file, or into a folder under its own name.
pub(super) fn put(
    shell: &mut Shell,
    context: &Context,
    document: &Document,
    output: Option<&Utf8Path>,
) -> Result<(), ops::Error> {
    let Some(output) = output else {
        shell.out(&document.bytes);
        return Ok(());
    };
    let mut path = context.cwd.join(output);
    if output.as_str().ends_with('/') || path.is_dir() {
        path.push(Utf8Path::new(&document.path).file_name().unwrap_or(&document.path));
    }
    files::write(&path, &document.bytes)
        .map_err(|error| ops::Error::new(ops::Class::Output, &format!("cannot write {path}: {error}")))
        .map_err(|error| error.with_help("name another place with --output"))?;
    shell.say("Wrote", path.as_str());
    Ok(())
}
