//! `init` and `explain`.

use serde_json::json;
use std::fmt::Write as _;

use super::super::args::{ExplainArgs, Format, InitArgs};
use super::super::exit::Exit;
use super::super::shell::{NOTE, STRONG, Shell};
use super::{ENVELOPE_VERSION, json_out};
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::check::{Rule, rules};
use crate::ops;

pub(in crate::cli) fn init(shell: &mut Shell, context: &Context, args: &InitArgs) -> Result<Exit, ops::Error> {
    if args.sandbox_allow {
        return sandbox_allow(shell, context, args);
    }
    let written = ops::init::init(context, args.manifest_path.as_deref(), args.from.as_deref())?;
    let path = &written.path;
    if shell.format == Format::Json {
        let notes: Vec<_> = written.notes.iter().map(|note| json!({ "line": note.line, "message": note.message })).collect();
        json_out(shell, &json!({ "schema_version": ENVELOPE_VERSION, "wrote": [path], "without_counterpart": notes }));
        return Ok(Exit::Pass);
    }
    let Some(from) = &args.from else {
        shell.say("Wrote", &format!("{path} (every setting stands there with its default, as a comment)"));
        return Ok(Exit::Pass);
    };
    for note in &written.notes {
        shell.err(|err| writeln!(err, "{NOTE}note{NOTE:#}: {}:{}: {}", plain(from.as_str()), note.line, plain(&note.message)));
    }
    shell.say("Wrote", &format!("{path}, made from {from}: look at each line, and at the date of each exemption"));
    Ok(Exit::Pass)
}

fn sandbox_allow(shell: &mut Shell, context: &Context, args: &InitArgs) -> Result<Exit, ops::Error> {
    let proposed = ops::init::sandbox_allow(context, args.manifest_path.as_deref(), args.dry_run)?;
    if shell.format == Format::Json {
        let crates: Vec<_> = proposed.crates.iter().map(|(name, version)| json!({ "name": name, "version": version })).collect();
        let wrote: Vec<_> = proposed.written.iter().collect();
        let value = json!({
            "schema_version": ENVELOPE_VERSION,
            "wrote": wrote,
            "crates": crates,
            "toml": proposed.text,
            "by_nobody_known": proposed.by_nobody,
        });
        json_out(shell, &value);
        return Ok(Exit::Pass);
    }
    if proposed.by_nobody > 0 {
        let kinds = counted(proposed.by_nobody, "kind");
        shell.err(|err| {
            writeln!(err, "{NOTE}note{NOTE:#}: {kinds} of attempts by nobody that is known: there is no exception for that")
        });
    }
    let exceptions = counted(proposed.crates.len(), "exception");
    match &proposed.written {
        _ if proposed.crates.is_empty() => {
            shell.say("Nothing", "to propose: the last build was refused nothing that an exception could allow");
        }
        None => {
            shell.out(proposed.text.as_bytes());
            shell.say("Proposed", &format!("{exceptions}; nothing was written"));
        }
        Some(path) => {
            shell.say(
                "Appended",
                &format!("{exceptions} to {path}: give each a reason, or remove it; the policy is refused until then"),
            );
        }
    }
    Ok(Exit::Pass)
}

pub(in crate::cli) fn explain(shell: &mut Shell, args: &ExplainArgs) -> Result<Exit, ops::Error> {
    let Some(id) = &args.id else {
        list(shell);
        return Ok(Exit::Pass);
    };
    let rule = rules::find(id).ok_or_else(|| unknown(id))?;
    if shell.format == Format::Json {
        json_out(shell, &as_json(rule));
    } else {
        let mut text = String::new();
        let _ =
            writeln!(text, "# {}\n\n{}\n\nDefault severity: {}. Area: {}.\n", rule.id, rule.summary, rule.severity, rule.area);
        for option in rule.options {
            let _ = writeln!(text, "`{}` in `[rules]`: {}.\n", option.name, option.says);
        }
        let _ = writeln!(text, "{}", rule.docs.trim());
        shell.out(text.as_bytes());
    }
    Ok(Exit::Pass)
}

fn as_json(rule: &Rule) -> serde_json::Value {
    json!({
        "schema_version": ENVELOPE_VERSION,
        "id": rule.id,
        "severity": rule.severity,
        "area": rule.area,
        "summary": rule.summary,
        "options": rule.options.iter().map(|option| json!({ "name": option.name, "says": option.says })).collect::<Vec<_>>(),
        "docs": rule.docs,
    })
}

fn list(shell: &mut Shell) {
    if shell.format == Format::Json {
        let rules: Vec<_> = rules::ALL.iter().map(|rule| as_json(rule)).collect();
        json_out(shell, &json!({ "schema_version": ENVELOPE_VERSION, "rules": rules }));
        return;
    }
    let mut text = String::new();
    for rule in rules::ALL {
        let _ = writeln!(text, "{:<38} {:<9} {}", rule.id, rule.severity, rule.summary);
    }
    shell.out(text.as_bytes());
    shell.err(|err| writeln!(err, "{STRONG}cargo supplychain explain ID{STRONG:#} explains one of them"));
}

fn unknown(id: &str) -> ops::Error {
    let close = rules::ALL.iter().map(|rule| (strsim::damerau_levenshtein(rule.id, id), rule.id)).min();
    let error = ops::Error::usage(&format!("there is no finding `{id}`"));
    match close {
        Some((distance, close)) if distance <= 6 => error.with_help(format!("did you mean `{close}`?")),
        _ => error.with_help("`cargo supplychain explain` lists all"),
    }
}
