//! `sbom`.

use camino::Utf8Path;

use super::super::args::SbomArgs;
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::gather_request;
use crate::base::Context;
use crate::files;
use crate::ops;

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, args: &SbomArgs) -> Result<Exit, ops::Error> {
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
