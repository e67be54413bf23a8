//! The commands: arguments in, a request to `ops`, its outcome out. Thin.

pub(super) mod afterlife;
pub(super) mod archive;
pub(super) mod baseline;
pub(super) mod build;
pub(super) mod check;
pub(super) mod data;
pub(super) mod diff;
pub(super) mod evidence;
pub(super) mod key;
pub(super) mod project;
pub(super) mod psirt;
mod rebuild;
pub(super) mod sbom;
pub(super) mod sign;
pub(super) mod verify;
pub(super) mod vex;

use camino::Utf8Path;
use serde_json::json;

use super::args::{Format, PolicyArgs, SelectionArgs, SignerArgs};
use super::exit::Exit;
use super::shell::Shell;
use super::{exit_of, render};
use crate::document::{self, json_text};
use crate::finding::{Report, Verdict};
use crate::model::Selection;
use crate::ops::{self, gather, judge, signer};

/// The version of our JSON envelopes (`build`, `verify`, errors); the report has its own.
const ENVELOPE_VERSION: u32 = 1;

/// Tells an error and gives its exit code.
pub(super) fn failed(shell: &mut Shell, error: &ops::Error) -> Exit {
    if shell.format == Format::Json {
        json_out(
            shell,
            &json!({
                "schema_version": ENVELOPE_VERSION,
                "exit_code": exit_of(error.class) as u8,
                "error": error_json(error),
            }),
        );
    }
    render::error(shell, error);
    exit_of(error.class)
}

fn error_json(error: &ops::Error) -> serde_json::Value {
    json!({ "class": error.class.as_str(), "message": error.message, "help": error.help })
}

fn json_out(shell: &mut Shell, value: &serde_json::Value) {
    shell.out(json_text(value).as_bytes());
}

fn exit_of_verdict(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Pass => Exit::Pass,
        Verdict::Fail => Exit::Finding,
        Verdict::Undetermined => Exit::Undetermined,
    }
}

/// A report in the format that was asked for.
fn show_report(shell: &mut Shell, report: &Report) {
    match shell.format {
        Format::Human => render::report(shell, report),
        Format::Json => shell.out(&document::report::document(report).bytes),
        Format::Sarif => shell.out(&document::sarif::document(report, &ops::rule_infos()).bytes),
        Format::Github => shell.out(document::github::annotations(report).as_bytes()),
        Format::Gitlab => shell.out(&document::gitlab::document(report).bytes),
        Format::Markdown => shell.out(&document::summary::document(report).bytes),
    }
}

/// `cargo build`'s arguments as a request. Several `--target`s unify features over all of them, which no plan can tell apart.
fn gather_request(args: &SelectionArgs, policy: Option<&Utf8Path>) -> Result<gather::Request, ops::Error> {
    if let [first, second, ..] = args.target.as_slice() {
        return Err(ops::Error::usage(&format!("several targets in one build: {first}, {second}"))
            .with_help("build a release for each target"));
    }
    let features = args.features.iter().flat_map(|list| list.split([',', ' '])).filter(|feature| !feature.is_empty());
    Ok(gather::Request {
        manifest_path: args.manifest_path.clone(),
        selection: Selection {
            packages: args.package.clone(),
            workspace: args.workspace,
            exclude: args.exclude.clone(),
            lib: args.lib,
            bins: args.bins,
            examples: args.examples,
            tests: args.tests,
            benches: args.benches,
            all_targets: args.all_targets,
            bin: args.bin.clone(),
            example: args.example.clone(),
            test: args.test.clone(),
            bench: args.bench.clone(),
            features: features.map(str::to_owned).collect(),
            all_features: args.all_features,
            no_default_features: args.no_default_features,
            profile: args.profile.clone().unwrap_or_else(|| "release".to_owned()),
            target: args.target.first().cloned(),
        },
        config: args.config.clone(),
        policy: policy.map(Utf8Path::to_owned),
        passed: Vec::new(),
        base: None,
        without_plan: false,
    })
}

fn judge_request(args: &PolicyArgs) -> judge::Request {
    judge::Request {
        fail_on: args.fail_on,
        only: args.only.clone(),
        require: args.require.clone(),
        advisory_db: args.advisory_db.clone(),
        advisory_db_rev: args.advisory_db_rev.clone(),
        feeds: args.feed.clone(),
        vex: args.vex.clone(),
        registry_snapshot: args.registry_snapshot.clone(),
        reused_target: None,
        reproduction: None,
        registry_api: args.registry_api.clone(),
        is_release: false,
    }
}

fn signer_request(args: &SignerArgs, no_sign: bool) -> signer::Request {
    signer::Request {
        no_sign,
        key: args.key.clone(),
        identity_token: args.identity_token.clone(),
        signing_config: args.signing_config.clone(),
        trusted_root: args.trusted_root.clone(),
    }
}

/// Asks for a passphrase on the terminal; `None` where there is none.
fn ask_passphrase(path: &Utf8Path) -> Option<String> {
    use std::io::IsTerminal as _;
    if !std::io::stdin().is_terminal() {
        return None;
    }
    rpassword::prompt_password(format!("Passphrase of {path}: ")).ok()
}
