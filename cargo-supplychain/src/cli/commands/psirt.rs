//! `psirt`.

use serde_json::json;

use super::super::args::{Format, LedgerArgs, PsirtAddArgs, PsirtAdvisoryArgs, PsirtCommand, PsirtListArgs};
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::{ENVELOPE_VERSION, json_out, vex};
use crate::base::Context;
use crate::base::text::counted;
use crate::config::psirt::NewReport;
use crate::document::psirt::Shown;
use crate::ops::{self, Progress as _, psirt};

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, command: PsirtCommand) -> Result<Exit, ops::Error> {
    match command {
        PsirtCommand::List(args) => list(shell, context, &args),
        PsirtCommand::Add(args) => add(shell, context, *args),
        PsirtCommand::Advisory(args) => advisory(shell, context, &args),
    }
}

fn place(args: &LedgerArgs) -> psirt::Place {
    psirt::Place { manifest_path: args.manifest_path.clone(), ledger: args.ledger.clone() }
}

fn list(shell: &mut Shell, context: &Context, args: &PsirtListArgs) -> Result<Exit, ops::Error> {
    let ledger = psirt::list(context, &place(&args.ledger))?;
    let shown = Shown::of(&ledger, context.in_ci(), context.now);
    match shell.format {
        Format::Json => shell.out(&shown.json().bytes),
        _ => shell.out(shown.human().as_bytes()),
    }
    if shown.withheld > 0 {
        shell.note(&format!("{} above TLP:CLEAR not shown in CI", counted(shown.withheld, "report")));
    }
    Ok(if shown.is_overdue() { Exit::Finding } else { Exit::Pass })
}

fn add(shell: &mut Shell, context: &Context, args: PsirtAddArgs) -> Result<Exit, ops::Error> {
    let place = place(&args.ledger);
    let new = NewReport {
        id: args.id,
        title: args.title,
        component: args.component,
        aliases: args.alias,
        releases: args.release,
        tlp: args.tlp,
        reported: args.reported,
        coordinator: args.coordinator,
        jvn_id: args.jvn_id,
    };
    let (path, report) = psirt::add(context, new, &place)?;
    if shell.format == Format::Json {
        json_out(shell, &json!({ "schema_version": ENVELOPE_VERSION, "wrote": [path] }));
    } else if context.in_ci() && !report.is_public() {
        shell.say("Appended", &format!("a report to {path}"));
    } else {
        shell.say("Appended", &format!("{} to {path}; disclosure due {}", report.id, report.disclosure_due.date()));
    }
    Ok(Exit::Pass)
}

fn advisory(shell: &mut Shell, context: &Context, args: &PsirtAdvisoryArgs) -> Result<Exit, ops::Error> {
    let document = psirt::advisory(context, &args.id, &place(&args.ledger))?;
    vex::put(shell, context, &document, args.output.as_deref())?;
    shell.say("Drafted", "an advisory: complete it, and publish it as final");
    Ok(Exit::Pass)
}
