//! `fetch`, `schema`, `completions`, `man`: data in, data out.

use clap::CommandFactory as _;
use serde_json::json;

use super::super::args::{Cli, CompletionsArgs, FetchArgs, FetchWhat, Format, SchemaArgs, SchemaName};
use super::super::exit::Exit;
use super::super::shell::Shell;
use super::{ENVELOPE_VERSION, json_out};
use crate::base::Context;
use crate::base::text::plain;
use crate::ops;

pub(in crate::cli) fn fetch(shell: &mut Shell, context: &Context, args: &FetchArgs) -> Result<Exit, ops::Error> {
    let is_wanted = |what: FetchWhat| match (&*args.what, &args.advisory_db) {
        ([], None) => true,
        ([], Some(_)) => what == FetchWhat::Advisories,
        (named, _) => named.contains(&what),
    };
    if args.advisory_db.is_some() && !is_wanted(FetchWhat::Advisories) {
        return Err(ops::Error::usage(&"--advisory-db is for `fetch advisories`"));
    }
    // What can be had is had, whatever the other comes to.
    let feeds = is_wanted(FetchWhat::Advisories).then(|| ops::fetch::fetch(context, args.advisory_db.as_deref(), shell));
    let roots = is_wanted(FetchWhat::TrustRoot).then(|| ops::fetch::trust_roots(context, args.policy.as_deref(), shell));
    let (feeds, roots) = match (feeds.transpose(), roots.transpose()) {
        (Err(first), Err(second)) if first.message != second.message => {
            let help = first.help.clone();
            let both = ops::Error::new(first.class, &format!("{}\n{}", first.message, second.message));
            return Err(help.into_iter().chain(second.help).fold(both, ops::Error::with_help));
        }
        (feeds, roots) => (feeds?, roots?),
    };
    if shell.format == Format::Json {
        let roots: Vec<_> = roots.iter().flatten().map(fetched).collect();
        let feeds: Vec<_> = feeds.iter().collect();
        json_out(shell, &json!({ "schema_version": ENVELOPE_VERSION, "feeds": feeds, "trusted_roots": roots }));
        return Ok(Exit::Pass);
    }
    if let Some(info) = feeds {
        let date = info.date.map_or_else(|| "unknown date".to_owned(), |date| date.to_string());
        let revision = info.revision.as_deref().unwrap_or("no revision");
        shell.say("Fetched", &format!("{}: {} advisories, {date}, {revision}", info.name, info.entries));
    }
    for one in roots.iter().flatten() {
        let until = one.root.current_until.map(|until| format!(", current until {until}")).unwrap_or_default();
        let change = if one.is_new { "new" } else { "unchanged" };
        shell.say("Fetched", &format!("trusted root of {}: {change}{until}, sha256:{}", plain(&one.root.name), one.root.sha256));
    }
    Ok(Exit::Pass)
}

fn fetched(one: &ops::trust_root::Fetched) -> serde_json::Value {
    json!({
        "url": one.url,
        "root_version": one.root_version,
        "version": one.version,
        "is_new": one.is_new,
        "trusted_root": one.root,
    })
}

pub(in crate::cli) fn schema(shell: &mut Shell, args: &SchemaArgs) -> Result<Exit, ops::Error> {
    let schema = match args.name {
        SchemaName::Report => include_str!("../../../schemas/report-1.json"),
        SchemaName::Diff => include_str!("../../../schemas/diff-1.json"),
        SchemaName::Affected => include_str!("../../../schemas/affected-1.json"),
        SchemaName::Rescan => include_str!("../../../schemas/rescan-1.json"),
        SchemaName::History => include_str!("../../../schemas/history-1.json"),
        SchemaName::SbomCheck => include_str!("../../../schemas/sbom-check-1.json"),
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
