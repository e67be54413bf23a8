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
    let is_all = args.what.is_empty() && args.feed.is_empty();
    let is_wanted = |what: FetchWhat| match &args.advisory_db {
        None => is_all || args.what.contains(&what),
        Some(_) if is_all => what == FetchWhat::Advisories,
        Some(_) => args.what.contains(&what),
    };
    if args.advisory_db.is_some() && !is_wanted(FetchWhat::Advisories) {
        return Err(ops::Error::usage(&"--advisory-db is for `fetch advisories`"));
    }
    let kinds: Vec<_> = args.what.iter().filter_map(|what| what.source()).collect();
    let is_source_wanted = !kinds.is_empty() || !args.feed.is_empty() || (is_all && args.advisory_db.is_none());
    // What can be had is had, whatever the other comes to.
    let database = is_wanted(FetchWhat::Advisories).then(|| ops::fetch::fetch(context, args.advisory_db.as_deref(), shell));
    let sources = is_source_wanted.then(|| ops::fetch::sources(context, args.policy.as_deref(), &kinds, &args.feed, shell));
    let roots = is_wanted(FetchWhat::TrustRoot).then(|| ops::fetch::trust_roots(context, args.policy.as_deref(), shell));
    let mut failed: Vec<ops::Error> = Vec::new();
    let (database, sources) = (kept(database, &mut failed), kept(sources, &mut failed).unwrap_or_default());
    let roots = kept(roots, &mut failed);
    if let Some(error) = together(failed) {
        return Err(error);
    }
    let feeds: Vec<_> = database.into_iter().chain(sources).collect();
    if shell.format == Format::Json {
        let roots: Vec<_> = roots.iter().flatten().map(fetched).collect();
        json_out(shell, &json!({ "schema_version": ENVELOPE_VERSION, "feeds": feeds, "trusted_roots": roots }));
        return Ok(Exit::Pass);
    }
    for info in feeds {
        let date = info.date.map_or_else(|| "unknown date".to_owned(), |date| date.to_string());
        let revision = plain(info.revision.as_deref().unwrap_or("no revision")).into_owned();
        shell.say(
            "Fetched",
            &format!(
                "{}: {} {}, {date}, {revision}",
                plain(&info.name),
                info.entries,
                if info.is_rustsec() { "advisories" } else { "entries" }
            ),
        );
    }
    for one in roots.iter().flatten() {
        let until = one.root.current_until.map(|until| format!(", current until {until}")).unwrap_or_default();
        let change = if one.is_new { "new" } else { "unchanged" };
        shell.say("Fetched", &format!("trusted root of {}: {change}{until}, sha256:{}", plain(&one.root.name), one.root.sha256));
    }
    Ok(Exit::Pass)
}

/// What was had; an error is put aside.
fn kept<T>(outcome: Option<Result<T, ops::Error>>, failed: &mut Vec<ops::Error>) -> Option<T> {
    outcome?.map_err(|error| failed.push(error)).ok()
}

/// Several errors as one, each once.
fn together(failed: Vec<ops::Error>) -> Option<ops::Error> {
    let mut failed = failed.into_iter();
    let first = failed.next()?;
    Some(failed.fold(first, |all, next| {
        if all.message.lines().any(|line| line == next.message) {
            return all;
        }
        let both = ops::Error::new(all.class, &format!("{}\n{}", all.message, next.message));
        all.help.into_iter().chain(next.help).fold(both, ops::Error::with_help)
    }))
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
        SchemaName::Vex => include_str!("../../../schemas/vex-1.json"),
        SchemaName::Psirt => include_str!("../../../schemas/psirt-1.json"),
        SchemaName::Evidence => include_str!("../../../schemas/evidence-1.json"),
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
