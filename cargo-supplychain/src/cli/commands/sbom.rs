//! `sbom`.

use camino::Utf8Path;

use super::super::args::{self, SbomArgs, SbomCheckArgs, SbomCommand};
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::gather_request;
use crate::base::Context;
use crate::document::sbom_check::{self, Input};
use crate::files;
use crate::ops;

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, args: &SbomArgs) -> Result<Exit, ops::Error> {
    if let Some(SbomCommand::Check(args)) = &args.command {
        return check(shell, context, args);
    }
    let request = gather_request(&args.selection, args.policy.as_deref())?;
    let documents = ops::sbom::sbom(context, &request, args.format_sbom, args.depth, shell)?;
    match (&args.output, documents.as_slice()) {
        (Some(folder), documents) => {
            for document in documents {
                let name = Utf8Path::new(&document.path).file_name().unwrap_or(&document.path);
                let path = context.cwd.join(folder).join(name);
                files::write(&path, &document.bytes)
                    .map_err(|error| ops::Error::new(ops::Class::Output, &format!("cannot write {path}: {error}")))
                    .map_err(|error| error.with_help("name another folder with --output DIR"))?;
                shell.say("Wrote", path.as_str());
            }
        }
        (None, [document]) => shell.out(&document.bytes),
        (None, documents) => {
            let names: Vec<_> = documents.iter().map(|document| document.path.trim_start_matches("sbom/")).collect();
            return Err(ops::Error::usage(&format!("the selection has {} artifacts: {}", documents.len(), names.join(", ")))
                .with_help("write one file each with --output DIR, or select one with --bin NAME"));
        }
    }
    Ok(Exit::Pass)
}

fn check(shell: &mut Shell, context: &Context, args: &SbomCheckArgs) -> Result<Exit, ops::Error> {
    if matches!(shell.format, args::Format::Sarif | args::Format::Github) {
        return Err(ops::Error::usage(&"sbom check has no such format: its gaps are of a document, not of a line")
            .with_help("use --format human, json or markdown"));
    }
    let request = ops::sbom_check::Request { file: args.file.clone(), profile: args.profile, bundles: args.bundle.clone() };
    let checked = ops::sbom_check::check(context, &request)?;
    let input = Input { file: checked.file.as_str(), sha256: checked.sha256, bom: &checked.bom, assessment: &checked.assessment };
    match shell.format {
        args::Format::Json => shell.out(&sbom_check::json(input).bytes),
        args::Format::Markdown => shell.out(&sbom_check::markdown(input).bytes),
        _ => shell.out(sbom_check::human(input, shell.verbose).as_bytes()),
    }
    Ok(if input.is_complete() { Exit::Pass } else { Exit::Finding })
}
