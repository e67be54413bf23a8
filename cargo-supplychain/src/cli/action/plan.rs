//! What is done, from the inputs and the run: which command, who signs, what is compared with what, and with which arguments our own binary
//! is started for it. Pure.

use camino::{Utf8Path, Utf8PathBuf};

use super::inputs::{Attest, Baseline, Command, Inputs, Invalid, SbomFormat};
use super::runner::Runner;

/// Who signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    Nobody,
    Key,
    Keyless {
        /// Whether the attestations go to the repository.
        post: bool,
        /// Whether the run fails where they cannot.
        has_to: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) command: Command,
    pub(super) signing: Signing,
    pub(super) base: Option<String>,
    /// Whether anything is told to the repository's host.
    pub(super) writes: bool,
    /// What is otherwise than somebody may expect, for people.
    pub(super) notices: Vec<String>,
}

/// `has_key`: the policy names a key; `has_commit`: whether the checkout has a commit.
///
/// # Errors
/// An input asks for what this run cannot give.
pub(super) fn plan(inputs: &Inputs, runner: &Runner, has_key: bool, has_commit: &dyn Fn(&str) -> bool) -> Result<Plan, Invalid> {
    let mut notices = Vec::new();
    let is_fork = runner.event.is_fork();
    let command = match inputs.command {
        command @ (Command::Build | Command::Archive | Command::Attest) if is_fork => {
            let word = command.word();
            notices.push(format!(
                "the pull request comes from a fork: its code is checked, and nothing of it is compiled, signed or uploaded (`{word}` became `check`)"
            ));
            Command::Check
        }
        command => command,
    };
    if is_fork && command == inputs.command && wants_to_write(inputs) {
        notices.push(
            "the pull request comes from a fork: nothing is told to the repository (comment, code scanning, release)".to_owned(),
        );
    }
    if inputs.offline && wants_to_write(inputs) {
        notices.push("offline: nothing is told to the repository (comment, code scanning, release)".to_owned());
    }
    if matches!(command, Command::Archive | Command::Verify | Command::Attest) && inputs.subject_path.is_empty() {
        return Err(Invalid { input: "subject-path", why: format!("`{}` needs it: what to {}", command.word(), command.word()) });
    }
    let signs = matches!(command, Command::Build | Command::Attest);
    let signing = if signs { signing(inputs, runner, has_key, &mut notices)? } else { Signing::Nobody };
    let base =
        if matches!(command, Command::Build | Command::Check) { base(inputs, runner, has_commit, &mut notices) } else { None };
    Ok(Plan { command, signing, base, writes: !is_fork && !inputs.offline, notices })
}

fn wants_to_write(inputs: &Inputs) -> bool {
    inputs.upload_sarif || inputs.upload_release_assets || inputs.comment != super::inputs::Comment::Never
}

fn signing(inputs: &Inputs, runner: &Runner, has_key: bool, notices: &mut Vec<String>) -> Result<Signing, Invalid> {
    let needs =
        |what: &str| Invalid { input: "attest", why: format!("`{what}` needs `permissions: id-token: write` in the job") };
    let online =
        |what: &str| Invalid { input: "attest", why: format!("`{what}` needs the network, and the input `offline` says no") };
    let can = runner.has_identity && !inputs.offline;
    match inputs.attest {
        Attest::None => Ok(Signing::Nobody),
        Attest::Key => Ok(Signing::Key),
        Attest::GitHub if inputs.offline => Err(online("github")),
        Attest::Sigstore if inputs.offline => Err(online("sigstore")),
        Attest::GitHub if !runner.has_identity => Err(needs("github")),
        Attest::Sigstore if !runner.has_identity => Err(needs("sigstore")),
        Attest::GitHub => Ok(Signing::Keyless { post: true, has_to: true }),
        Attest::Sigstore => Ok(Signing::Keyless { post: false, has_to: false }),
        Attest::Auto if can => Ok(Signing::Keyless { post: true, has_to: false }),
        Attest::Auto if has_key => Ok(Signing::Key),
        Attest::Auto => {
            let why = if inputs.offline { "offline" } else { "the job has no identity (`permissions: id-token: write`)" };
            notices.push(format!(
                "not signed: {why}, and the policy names no key; the release's statements wait for the sub-action `attest`"
            ));
            Ok(Signing::Nobody)
        }
    }
}

fn base(inputs: &Inputs, runner: &Runner, has_commit: &dyn Fn(&str) -> bool, notices: &mut Vec<String>) -> Option<String> {
    match &inputs.baseline {
        Baseline::None => None,
        Baseline::Revision(revision) => Some(revision.clone()),
        Baseline::Auto => {
            let base = runner.event.pull_request.as_ref()?.base.clone()?;
            if has_commit(&base) {
                return Some(base);
            }
            notices.push(format!(
                "the checkout does not have the pull request's base {base}: the whole workspace was judged, by the policy that the pull request brings; `fetch-depth: 0` of actions/checkout brings the base"
            ));
            None
        }
    }
}

/// The arguments of the run; `to` is the folder for its results, `keyless` what names the services that sign.
pub(super) fn arguments(inputs: &Inputs, plan: &Plan, to: &Utf8Path, keyless: &[String]) -> Vec<String> {
    let mut out = vec![plan.command.word().to_owned()];
    match plan.command {
        Command::Build => {
            out.push(format!("--release-dir={}", to.join("release")));
            if plan.signing == Signing::Nobody {
                out.push("--no-sign".to_owned());
            }
            judged(&mut out, inputs, plan);
            out.extend(keyless.iter().cloned());
        }
        Command::Check => judged(&mut out, inputs, plan),
        Command::Archive => {
            out.push("add".to_owned());
            out.extend(inputs.archive.iter().map(|place| format!("--archive={place}")));
        }
        Command::Verify => {
            out.extend(inputs.policy.iter().map(|path| format!("--policy={path}")));
            out.extend(inputs.archive.iter().map(|place| format!("--archive={place}")));
        }
        // Each has a way of its own.
        Command::Sbom | Command::Attest => {}
    }
    common(&mut out, inputs);
    out.extend(inputs.args.iter().cloned());
    if matches!(plan.command, Command::Archive | Command::Verify) {
        out.extend(inputs.subject_path.iter().map(|path| operand(path)));
    }
    out
}

/// The arguments for one format of `sbom`.
pub(super) fn sbom_arguments(inputs: &Inputs, format: SbomFormat, to: &Utf8Path) -> Vec<String> {
    let word = if format == SbomFormat::CycloneDx { "cyclonedx-json" } else { "spdx-json" };
    let mut out = vec!["sbom".to_owned(), format!("--format-sbom={word}"), format!("--output={}", to.join("sbom"))];
    out.extend(inputs.manifest_path.iter().map(|path| format!("--manifest-path={path}")));
    out.extend(inputs.policy.iter().map(|path| format!("--policy={path}")));
    common(&mut out, inputs);
    out.extend(inputs.args.iter().cloned());
    out
}

/// The arguments that sign what lies at a path.
pub(super) fn sign_arguments(inputs: &Inputs, path: &Utf8Path, keyless: &[String]) -> Vec<String> {
    let mut out = vec!["sign".to_owned()];
    out.extend(inputs.policy.iter().map(|path| format!("--policy={path}")));
    out.extend(keyless.iter().cloned());
    common(&mut out, inputs);
    out.extend(inputs.args.iter().cloned());
    out.push(operand(path.as_str()));
    out
}

/// The arguments that put a finished release into an archive, judged by whoever has just signed it.
pub(super) fn archive_arguments(inputs: &Inputs, place: &str, release: &Utf8Path, signer: &[String]) -> Vec<String> {
    let mut out = vec!["archive".to_owned(), "add".to_owned(), format!("--archive={place}")];
    out.extend(signer.iter().cloned());
    common(&mut out, inputs);
    out.push(operand(release.as_str()));
    out
}

/// The arguments that tell what a change brings in; of `args` what says where a registry is.
pub(super) fn diff_arguments(inputs: &Inputs, base: &str) -> Vec<String> {
    let mut out = vec!["diff".to_owned(), base.to_owned(), "--format=markdown".to_owned()];
    out.extend(inputs.manifest_path.iter().map(|path| format!("--manifest-path={path}")));
    if inputs.offline {
        out.push("--offline".to_owned());
    }
    out.extend(picked(&inputs.args, &["--registry-snapshot", "--registry-api"], &[]));
    out
}

/// The arguments for an SBOM that is compared with another one; of `args` what selects packages, targets and features.
pub(super) fn compared_arguments(inputs: &Inputs, manifest: &Utf8Path, to: &Utf8Path) -> Vec<String> {
    const VALUES: [&str; 11] =
        ["--package", "-p", "--exclude", "--bin", "--example", "--test", "--bench", "--features", "-F", "--profile", "--target"];
    const FLAGS: [&str; 10] = [
        "--workspace",
        "--all",
        "--lib",
        "--bins",
        "--examples",
        "--tests",
        "--benches",
        "--all-targets",
        "--all-features",
        "--no-default-features",
    ];
    let mut out = vec!["sbom".to_owned(), "--format-sbom=cyclonedx-json".to_owned()];
    out.extend([format!("--output={to}"), format!("--manifest-path={manifest}")]);
    common(&mut out, inputs);
    out.extend(picked(&inputs.args, &VALUES, &FLAGS));
    out
}

/// These options of `args`, with their values.
fn picked(args: &[String], values: &[&str], flags: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = args.iter();
    while let Some(argument) = rest.next() {
        let name = argument.split('=').next().unwrap_or_default();
        if values.contains(&argument.as_str()) {
            out.extend([argument.clone()].into_iter().chain(rest.next().cloned()));
        } else if flags.contains(&argument.as_str()) || name != argument && values.contains(&name) {
            out.push(argument.clone());
        }
    }
    out
}

fn judged(out: &mut Vec<String>, inputs: &Inputs, plan: &Plan) {
    out.extend(inputs.manifest_path.iter().map(|path| format!("--manifest-path={path}")));
    out.extend(inputs.policy.iter().map(|path| format!("--policy={path}")));
    out.extend(inputs.fail_on.iter().map(|level| format!("--fail-on={level}")));
    out.extend(inputs.advisory_db.iter().map(|place| format!("--advisory-db={place}")));
    out.extend(inputs.advisory_db_rev.iter().map(|commit| format!("--advisory-db-rev={commit}")));
    out.extend(plan.base.iter().map(|base| format!("--base={base}")));
}

fn common(out: &mut Vec<String>, inputs: &Inputs) {
    out.push("--format=json".to_owned());
    if inputs.offline {
        out.push("--offline".to_owned());
    }
}

/// A path that cannot be taken for an option.
fn operand(path: &str) -> String {
    if path.starts_with('-') { Utf8PathBuf::from(".").join(path).into_string() } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_selects_is_picked() {
        let args = ["-p", "app", "--only", "lock", "--features=x", "--all-features", "--bin", "--lib", "-F"].map(str::to_owned);
        assert_eq!(
            picked(&args, &["-p", "--features", "--bin", "-F"], &["--all-features", "--lib"]),
            ["-p", "app", "--features=x", "--all-features", "--bin", "--lib", "-F"]
        );
    }
}
