//! `fetch`, `schema`, `completions`, `man`: data in, data out.

use clap::CommandFactory as _;
use serde_json::json;

use super::super::args::{Cli, CompletionsArgs, FetchArgs, Format, SchemaArgs, SchemaName};
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::{ENVELOPE_VERSION, json_out};
use crate::base::Context;
use crate::ops;

pub(in crate::cli) fn fetch(shell: &mut Shell, context: &Context, args: &FetchArgs) -> Result<Exit, ops::Error> {
    let info = ops::fetch::fetch(context, args.advisory_db.as_deref(), shell)?;
    if shell.format == Format::Json {
        json_out(shell, &json!({ "schema_version": ENVELOPE_VERSION, "feeds": [info] }));
    } else {
        let date = info.date.map_or_else(|| "unknown date".to_owned(), |date| date.to_string());
        let revision = info.revision.as_deref().unwrap_or("no revision");
        shell.say("Fetched", &format!("{}: {} advisories, {date}, {revision}", info.name, info.entries));
    }
    Ok(Exit::Pass)
}

pub(in crate::cli) fn schema(shell: &mut Shell, args: &SchemaArgs) -> Result<Exit, ops::Error> {
    let schema = match args.name {
        SchemaName::Report => include_str!("../../../schemas/report-1.json"),
        SchemaName::Diff => include_str!("../../../schemas/diff-1.json"),
        SchemaName::Affected => include_str!("../../../schemas/affected-1.json"),
        SchemaName::Rescan => include_str!("../../../schemas/rescan-1.json"),
        SchemaName::History => include_str!("../../../schemas/history-1.json"),
        SchemaName::Release => include_str!("../../../schemas/release-1.json"),
    };
    shell.out(schema.as_bytes());
    Ok(Exit::Pass)
}

pub(in crate::cli) fn completions(shell: &mut Shell, args: &CompletionsArgs) -> Result<Exit, ops::Error> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cargo-supplychain", &mut script);
    shell.out(&script);
    Ok(Exit::Pass)
}

pub(in crate::cli) fn man(shell: &mut Shell) -> Result<Exit, ops::Error> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .title("cargo-supplychain")
        .render(&mut page)
        .map_err(|error| ops::Error::new(ops::Class::Output, &format!("cannot write the manual page: {error}")))?;
    shell.out(&page);
    Ok(Exit::Pass)
}
