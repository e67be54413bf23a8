//! `diff`.

use super::super::args::{DiffArgs, Format};
use super::super::exit::Exit;
use super::super::render;
use super::super::shell::Shell;
use crate::base::Context;
use crate::bom::comparison::compare;
use crate::document::diff::{self, Input};
use crate::model::capability::CapabilityFacts;
use crate::model::registry::Registry;
use crate::ops;
use crate::ops::judge;

pub(in crate::cli) fn run(shell: &mut Shell, context: &Context, args: &DiffArgs) -> Result<Exit, ops::Error> {
    if matches!(shell.format, Format::Sarif | Format::Github | Format::Gitlab) {
        return Err(ops::Error::usage(&"diff has no such format: it lists changes, not only findings")
            .with_help("use --format human, json or markdown; `check --base` has sarif, github and gitlab"));
    }
    let judge = judge::Request {
        only: args.only.clone(),
        registry_snapshot: args.registry_snapshot.clone(),
        registry_api: args.registry_api.clone(),
        ..judge::Request::default()
    };
    let request = ops::diff::Request {
        old: args.old.clone(),
        new: args.new.clone(),
        manifest_path: args.manifest_path.clone(),
        policy: args.policy.clone(),
        judge,
    };
    let compared = ops::diff::diff(context, &request, shell)?;
    let changes = compare(&compared.before, &compared.after);
    let (registry, capabilities) = (Registry::default(), CapabilityFacts::default());
    let entries = diff::entries(Input {
        changes: &changes,
        registry: compared.known.as_ref().map_or(&registry, |known| &known.registry),
        capabilities: compared.known.as_ref().map_or(&capabilities, |known| &known.capabilities),
        now: context.now,
    });
    let report = &compared.report;
    match shell.format {
        Format::Json => shell.out(&diff::json(&compared.old, &compared.new, &entries, report).bytes),
        Format::Markdown => shell.out(&diff::markdown(&compared.old, &compared.new, &entries, report).bytes),
        _ => {
            shell.out(render::diff(&entries).as_bytes());
            // Of documents nothing is judged: there is no verdict to tell.
            if compared.known.is_some() {
                render::report(shell, report);
            }
        }
    }
    Ok(Exit::Pass)
}
