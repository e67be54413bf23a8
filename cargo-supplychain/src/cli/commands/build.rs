//! `build`.

use serde_json::json;

use super::super::args::{BuildArgs, Format};
use super::super::exit::Exit;
use super::super::shell::{DIM, GOOD, NOTE, STRONG, Shell, Stage};
use super::super::{exit_of, render};
use super::{
    ENVELOPE_VERSION, ask_passphrase, error_json, exit_of_verdict, gather_request, json_out, judge_request, show_report,
    signer_request,
};
use crate::base::Context;
use crate::base::text::{counted, plain};
use crate::finding::Report;
use crate::model::native::Witness;
use crate::model::release::Signing;
use crate::model::sandbox::Enforcement;
use crate::model::{Build, TargetFolder};
use crate::ops;
use crate::ops::Interrupt;
use crate::ops::build::{Outcome, Released, Request};
use crate::ops::judge;

pub(in crate::cli) fn run(
    shell: &mut Shell,
    context: &Context,
    args: &BuildArgs,
    interrupt: &Interrupt,
) -> Result<Exit, ops::Error> {
    refuse_ours(args)?;
    let context = &Context { offline: context.offline || args.frozen, ..context.clone() };
    let mut gather = gather_request(&args.selection, args.policy.policy.as_deref())?;
    gather.passed = passed(args);
    gather.base.clone_from(&args.policy.base);
    let request = Request {
        gather,
        judge: judge::Request { is_release: true, ..judge_request(&args.policy) },
        clean: args.clean,
        release_dir: args.release_dir.clone(),
        dry_run: args.dry_run,
        reproduce: args.reproduce,
        embed_audit_data: args.embed_audit_data,
        signer: signer_request(&args.signer, args.no_sign),
        sandbox: args.sandbox,
    };
    match ops::build::build(context, &request, interrupt, &mut ask_passphrase, shell)? {
        Outcome::Stopped(report) => {
            let exit = exit_of_verdict(report.enforced_verdict());
            show_stopped(shell, &report, exit, "before compilation; nothing was built", None);
            Ok(exit)
        }
        Outcome::Withheld { report, error } => {
            let exit = exit_of_verdict(report.enforced_verdict());
            show_stopped(shell, &report, exit, "after compilation; nothing was released", error.as_ref());
            Ok(exit)
        }
        Outcome::NotPlanned { report, error } | Outcome::Failed { report, error } => Ok(show_failed(shell, &report, &error)),
        Outcome::Planned { report, build } => {
            show_plan(shell, &report, &build);
            Ok(Exit::Pass)
        }
        Outcome::Released(released) => {
            let exit = match &released.archived {
                Some(Err(error)) => exit_of(error.class),
                _ => Exit::Pass,
            };
            show_release(shell, context, &released, exit);
            if let Some(Err(error)) = &released.archived {
                render::error(shell, error);
            }
            Ok(exit)
        }
    }
}

/// Two options of `cargo build` are ours.
fn refuse_ours(args: &BuildArgs) -> Result<(), ops::Error> {
    if !args.message_format.is_empty() {
        return Err(ops::Error::usage(&"--message-format is not passed on: cargo's messages are what the SBOM is made of")
            .with_help("use --format json for our own result"));
    }
    if args.target_dir.is_some() {
        return Err(ops::Error::usage(&"--target-dir is not passed on: a release is compiled in a target folder of our own")
            .with_help("set CARGO_TARGET_DIR to move the whole of target/, or --release-dir to move the result"));
    }
    Ok(())
}

fn passed(args: &BuildArgs) -> Vec<String> {
    let mut passed = Vec::new();
    if let Some(jobs) = &args.jobs {
        passed.extend(["--jobs".to_owned(), jobs.clone()]);
    }
    for (on, flag) in [
        (args.keep_going, "--keep-going"),
        (args.ignore_rust_version, "--ignore-rust-version"),
        (args.future_incompat_report, "--future-incompat-report"),
        (args.timings, "--timings"),
    ] {
        if on {
            passed.push(flag.to_owned());
        }
    }
    passed.extend(args.unstable.iter().flat_map(|flag| ["-Z".to_owned(), flag.clone()]));
    passed
}

/// The JSON of `build` holds the report whole, the stages with their seconds, and what came of it.
fn envelope(shell: &Shell, report: &Report, exit: Exit, rest: serde_json::Value) -> serde_json::Value {
    let stage = |stage: &Stage| json!({ "name": stage.name, "seconds": stage.took.as_secs_f64(), "outcome": stage.outcome });
    let stages: Vec<_> = shell.stages.iter().map(stage).collect();
    let mut value = json!({ "schema_version": ENVELOPE_VERSION, "exit_code": exit as u8, "report": report, "stages": stages });
    if let (Some(value), serde_json::Value::Object(rest)) = (value.as_object_mut(), rest) {
        value.extend(rest);
    }
    value
}

/// Findings ended the run; `error`: cargo failed besides, for the reason that they tell.
fn show_stopped(shell: &mut Shell, report: &Report, exit: Exit, when: &str, error: Option<&ops::Error>) {
    if shell.format == Format::Json {
        let mut rest = json!({ "release": null });
        if let Some(error) = error {
            rest["error"] = error_json(error);
        }
        let value = envelope(shell, report, exit, rest);
        json_out(shell, &value);
        return;
    }
    show_report(shell, report);
    if let Some(error) = error {
        render::error(shell, error);
    }
    if shell.is_human() {
        let help = match exit {
            Exit::Undetermined => "make the check possible, or build with `--fail-on none` and see it in the report",
            _ => "mend what was found, exempt it with a reason in supplychain.toml, or see `cargo supplychain explain ID`",
        };
        shell.err(|err| writeln!(err, "{STRONG}     stopped{STRONG:#} {when}\n{GOOD}help{GOOD:#}: {help}"));
    }
}

/// It cannot be told what would be built, or building it failed; the report stopped nothing.
fn show_failed(shell: &mut Shell, report: &Report, error: &ops::Error) -> Exit {
    let exit = exit_of(error.class);
    if shell.format == Format::Json {
        let value = envelope(shell, report, exit, json!({ "release": null, "error": error_json(error) }));
        json_out(shell, &value);
    } else {
        show_report(shell, report);
    }
    render::error(shell, error);
    exit
}

fn show_plan(shell: &mut Shell, report: &Report, build: &Build) {
    if shell.format == Format::Json {
        let value = envelope(shell, report, Exit::Pass, json!({ "release": null, "plan": build }));
        json_out(shell, &value);
        return;
    }
    show_report(shell, report);
    if shell.is_human() {
        for artifact in &build.artifacts {
            let (linked, host) = (artifact.linked.len(), artifact.build_only().count());
            shell.say(
                "Would build",
                &format!("{} ({} linked, {host} more help to build it)", artifact.name, counted(linked, "component")),
            );
        }
        shell.say("Dry run", "nothing was compiled or written");
    }
}

fn show_release(shell: &mut Shell, context: &Context, released: &Released, exit: Exit) {
    if shell.format == Format::Json {
        let value = json!({
            "release": {
                "folder": released.folder,
                "manifest": released.manifest,
                "signer": released.signer,
                "outage": released.outage,
                "signer_is_pinned": released.signer_is_pinned,
                "verified": released.verified,
                "target_folder": released.build.invocation.target_folder,
                "sandbox": released.build.invocation.sandbox.enforcement.word(),
                "gaps": released.build.gaps,
                "reproduction": released.build.reproduction,
                "archived": released.archived.as_ref().map(|outcome| match outcome {
                    Ok(added) => super::archive::added_json(added),
                    Err(error) => json!({ "error": error_json(error) }),
                }),
            }
        });
        let value = envelope(shell, &released.report, exit, value);
        json_out(shell, &value);
        return;
    }
    if !shell.is_human() {
        show_report(shell, &released.report);
        return;
    }
    shell.blank();
    render::report(shell, &released.report);
    shell.blank();
    if !shell.quiet {
        render::stages(shell);
        shell.blank();
        artifacts(shell, released);
    }
    let folder = released.folder.strip_prefix(&context.cwd).unwrap_or(&released.folder);
    shell.err(|err| {
        writeln!(err, "{GOOD}{:>12}{GOOD:#} {STRONG}{}{STRONG:#}", "Released", plain(folder.as_str()))?;
        for line in notes(released) {
            writeln!(err, "{NOTE}{:>12}{NOTE:#} {}", "Note", plain(&line))?;
        }
        writeln!(err, "{DIM}{:>12}{DIM:#} {}", "next", plain(&next(released, folder.as_str())))
    });
    if let Some(Ok(added)) = &released.archived {
        super::archive::tell_added(shell, added);
    }
}

/// What comes after the build.
fn next(released: &Released, folder: &str) -> String {
    let key = released.public_key.as_ref().map_or("PUBLIC_KEY.pem", |path| path.as_str());
    match (released.manifest.signing, &released.identity) {
        (Signing::Pending | Signing::Unsigned, _) => format!("cargo supplychain sign --pending {folder}"),
        (Signing::Signed, Some(identity)) => {
            format!("cargo supplychain verify {folder} --identity {} --issuer {}", identity.name, identity.issuer)
        }
        (Signing::Signed, None) => format!("cargo supplychain verify {folder} --key {key}"),
    }
}

fn artifacts(shell: &Shell, released: &Released) {
    shell.err(|err| {
        for artifact in &released.build.artifacts {
            let Some(file) = &artifact.file else { continue };
            let (linked, host) = (artifact.linked.len(), artifact.build_only().count());
            // Those that only the file names, libc before all, are in every program.
            let native = match artifact.native.iter().filter(|one| one.witness == Witness::BuildScript).count() {
                1 => "1 native library".to_owned(),
                count => format!("{count} native libraries"),
            };
            writeln!(
                err,
                "  {STRONG}{}{STRONG:#} {DIM}{}, sha256:{}{DIM:#}\n    {} linked, {host} only helped to build, {}",
                plain(&file.name),
                counted(file.size, "byte"),
                file.sha256,
                counted(linked, "component"),
                native
            )?;
        }
        Ok(())
    });
}

/// What the reader should know before the release leaves the machine.
fn notes(released: &Released) -> Vec<String> {
    let build = &released.build;
    let mut notes = Vec::new();
    if released.signer.is_none() {
        notes.push(
            "the release is not signed: its statements wait for `cargo supplychain sign`, and `verify` will reject it".to_owned(),
        );
    } else if let Some(why) = &released.outage {
        notes.push(format!("the release is complete, but its signatures are pending, and `verify` will reject it: {why}"));
    } else if !released.signer_is_pinned {
        notes
            .push("signer not pinned: set [verify] key in supplychain.toml, and this check proves who signed as well".to_owned());
    }
    if build.invocation.target_folder == TargetFolder::Reused {
        notes.push("the target folder was reused, which the provenance says; use --clean for what you publish".to_owned());
    }
    if let Enforcement::None { why, .. } = &build.invocation.sandbox.enforcement {
        notes.push(format!("the build was not sealed ({why}): build scripts could do what you can"));
    }
    match build.source.dirty {
        Some(true) => notes.push("the work tree has uncommitted changes, which the provenance says".to_owned()),
        None => notes.push("no git commit stands behind this release".to_owned()),
        Some(false) => {}
    }
    match &build.reproduction {
        Some(reproduction) if !reproduction.agrees() => {
            notes.push("a second build did not give the same bytes, which the provenance says".to_owned());
        }
        Some(reproduction) if !reproduction.not_compared.is_empty() => {
            let derived = counted(reproduction.not_compared.len(), "derived artifact");
            notes.push(format!("{derived} of `[release] artifacts` were not made a second time"));
        }
        _ => {}
    }
    if !build.gaps.is_empty() {
        let gaps = counted(build.gaps.len(), "gap");
        notes.push(format!("{gaps}: what evidence could not establish stands in evidence/build.json and in the SBOMs"));
    }
    notes
}
