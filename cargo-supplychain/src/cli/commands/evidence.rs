//! `evidence`.

use super::super::args::EvidenceCommand;
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::vex;
use crate::base::Context;
use crate::ops::{self, Progress as _};

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, command: &EvidenceCommand) -> Result<Exit, ops::Error> {
    let EvidenceCommand::Export(args) = command;
    let exported = ops::evidence::export(context, &args.folder, args.framework.as_deref())?;
    for path in &exported.different {
        shell.note(&format!("not counted, it is not what the release lists: {path}"));
    }
    vex::put(shell, context, &exported.document, args.output.as_deref())?;
    Ok(Exit::Pass)
}
