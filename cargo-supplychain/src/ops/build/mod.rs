//! `build`: the main job. Gather, judge, compile, complete the model, write documents and attestations into a staging folder, verify
//! it, and exchange it with the release folder. A straight line; every step fails without leaving anything of a release behind.

pub(super) mod again;
mod audit_data;
pub(super) mod compile;
mod release;
mod remap;
pub(super) mod seal;
pub(super) mod sealed;

pub use release::rule_infos;

use camino::{Utf8Path, Utf8PathBuf};

use self::sealed::Ended;
use super::gather::{self, Gathered, gather};
use super::interrupt::Interrupt;
use super::judge::{self, Judged, judge};
use super::key::Prompt;
use super::signer;
use super::{Class, Error, Progress};
use crate::archive::{self, folder::Releases};
use crate::assemble::Plan;
use crate::base::Context;
use crate::check::ReusedTarget;
use crate::files;
use crate::finding::{Report, Verdict};
use crate::model::release::ReleaseManifest;
use crate::model::sandbox::SandboxMode;
use crate::model::{Build, TargetFolder};
use crate::ops::archive::{Added, Project, after_build};
use crate::sign::keyless::Identity;
use crate::verify::Verified;

/// What `build` is asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub gather: gather::Request,
    pub judge: judge::Request,
    /// Compile into a fresh target folder.
    pub clean: bool,
    /// Instead of `target/supplychain`.
    pub release_dir: Option<Utf8PathBuf>,
    pub dry_run: bool,
    /// Build a second time, in other folders, and compare.
    pub reproduce: bool,
    /// Link audit data into the artifacts even where the policy does not ask for it.
    pub embed_audit_data: bool,
    pub signer: signer::Request,
    /// `--sandbox`, over `[sandbox] mode`.
    pub sandbox: Option<SandboxMode>,
}

/// How it ended, where nothing failed.
#[derive(Debug)]
pub enum Outcome {
    /// Findings, or an undetermined required check, stopped the build before anything was compiled.
    Stopped(Report),
    /// Sources were changed while the build ran, or it tried what it may not: nothing was released. `error`: it failed besides.
    Withheld {
        report: Report,
        error: Option<Error>,
    },
    /// The compilation failed, and the report says what was refused in it; what was found stops nothing.
    Failed {
        report: Report,
        error: Error,
    },
    /// Nothing stopped the build, but what it would be cannot be told.
    NotPlanned {
        report: Report,
        error: Error,
    },
    /// `--dry-run`: what would be built.
    Planned {
        report: Report,
        build: Box<Build>,
    },
    Released(Box<Released>),
}

/// A finished release.
#[derive(Debug)]
pub struct Released {
    pub report: Report,
    pub build: Build,
    pub folder: Utf8PathBuf,
    pub manifest: ReleaseManifest,
    /// What verification of our own output proved; none when unsigned, pending or keyless.
    pub verified: Option<Verified>,
    /// Why statements wait for their signatures although somebody was to sign.
    pub outage: Option<String>,
    /// Who signed, for people.
    pub signer: Option<String>,
    /// Whom the certificates name, where it was signed keyless.
    pub identity: Option<Identity>,
    /// The signer's public key outside the release, where there is such a file.
    pub public_key: Option<Utf8PathBuf>,
    /// Whether `[verify] key` says who has to sign, so that the verification had an anchor outside this run.
    pub signer_is_pinned: bool,
    /// What came of archiving it, where `[archive] on-build` wants that.
    pub archived: Option<Result<Added, Error>>,
}

/// Builds a release.
pub fn build(
    context: &Context,
    request: &Request,
    interrupt: &Interrupt,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    let gathered = gather(context, &request.gather, progress)?;
    let reused_target = reused_target(context, &gathered, request.clean);
    let mut judge_request = judge::Request { reused_target, ..request.judge.clone() };
    let mut judged = judge(context, &gathered, &judge_request, progress)?;
    if judged.report.enforced_verdict() != Verdict::Pass {
        return Ok(Outcome::Stopped(judged.report));
    }
    // With --fail-on none a broken lockfile gets as far as this, and its findings are to be seen all the same.
    let plan = match gathered.planned() {
        Ok(plan) => plan.clone(),
        Err(error) => return Ok(Outcome::NotPlanned { report: judged.report, error }),
    };
    refuse_other_toolchain(&gathered)?;
    if audit_data::is_wanted(request, &gathered) {
        audit_data::refuse(&request.gather.selection, &plan)?;
    }
    let mode = sealed::mode(request, &gathered.settings);
    let missing = sealed::missing(mode);
    sealed::refuse_unsealed(mode, missing.as_deref())?;
    if request.dry_run {
        return Ok(Outcome::Planned { report: judged.report, build: Box::new(plan.build) });
    }
    let run = (context, &gathered, &judge_request);
    if sealed::stops_unsealed(&mut judged, run, mode, missing.as_deref()) {
        return Ok(Outcome::Stopped(judged.report));
    }
    // Before the compiler starts: a missing passphrase or an unreadable key should not cost a build.
    let root = &gathered.workspace.root;
    let signer = signer::choose(context, &gathered.settings, root, &request.signer, prompt, progress)?;
    let folders = Folders::new(context, &gathered, request, &plan);
    let mut seal = seal::Seal::new(context, &gathered, (mode, missing), &plan, &folders.target)?;
    seal.hide(request.signer.key.as_ref().map(|key| context.cwd.join(key)));
    let releases = open(&folders.parent, progress)?;
    // The target folder is ours as well, wherever the release goes.
    let _own = if folders.parent == folders.own { None } else { Some(open(&folders.own, progress)?) };
    let staging = releases.stage(&folders.name)?;
    interrupt.lock().staging = Some(staging.path().to_owned());
    let (facts, built) = compile::compile(
        context,
        request,
        compile::Planned { gathered: &gathered, plan, folders: &folders, seal: &seal },
        staging,
        interrupt,
        progress,
    );
    let mut tried = facts.clone();
    let mut compiled = match sealed::after_build(&mut judged, run, &folders.own, facts, built)? {
        Ended::GoOn(compiled) => compiled,
        Ended::Stop(outcome) => return Ok(not_released(interrupt, *outcome)),
    };
    if request.reproduce {
        let (reproduction, again) = again::reproduce(context, request, &gathered, (&compiled, mode), interrupt, progress)?;
        judge_request.reproduction = Some(reproduction.clone());
        compiled.build.reproduction = Some(reproduction);
        // Who waits for the second build to try something is told as well.
        tried.add(again);
        let run = (context, &gathered, &judge_request);
        compiled = match sealed::after_build(&mut judged, run, &folders.own, tried.clone(), Ok(compiled))? {
            Ended::GoOn(compiled) => compiled,
            Ended::Stop(outcome) => return Ok(not_released(interrupt, *outcome)),
        };
    }
    compiled.build.invocation.sandbox = tried.record(mode);
    compile::add_derived(context, &gathered, &mut compiled, interrupt, progress)?;
    judged.look_at_functions(context, &gathered, &judge_request, &compiled.compilation);
    let is_changed = judged.look_again(context, &gathered, &judge_request);
    if is_changed && judged.report.enforced_verdict() != Verdict::Pass {
        return Ok(not_released(interrupt, Outcome::Withheld { report: judged.report, error: None }));
    }
    let Judged { report, feeds, .. } = judged;
    let input = release::Input { gathered: &gathered, report, feeds, signer: signer.as_ref() };
    let outcome = release::write(context, input, compiled, interrupt, progress)?;
    Ok(archived(context, request, &gathered, outcome, progress))
}

/// `[archive] on-build`: the release stands whatever comes of it.
fn archived(
    context: &Context,
    request: &Request,
    gathered: &Gathered,
    mut outcome: Outcome,
    progress: &mut dyn Progress,
) -> Outcome {
    let root = &gathered.workspace.root;
    let absolute = |path: &Utf8PathBuf| context.cwd.join(path);
    let sign_root = gathered.settings.sign.trusted_root.as_ref().map(|path| root.join(path));
    let project = Project {
        root,
        settings: &gathered.settings,
        policy: request.gather.policy.as_ref().map(absolute),
        trusted_root: request.signer.trusted_root.as_ref().map(absolute).or(sign_root),
    };
    if let (true, Outcome::Released(released)) = (project.wants(), &mut outcome) {
        released.archived = Some(after_build(context, &project, released, progress));
    }
    outcome
}

/// The staging folder is gone, and not the interruption's business any more.
fn not_released(interrupt: &Interrupt, outcome: Outcome) -> Outcome {
    interrupt.lock().staging = None;
    outcome
}

fn open(folder: &Utf8Path, progress: &mut dyn Progress) -> Result<Releases, Error> {
    Ok(Releases::open(folder, || progress.note(&format!("waiting for another build that writes to {folder}")))?)
}

impl From<archive::folder::Error> for Error {
    fn from(error: archive::folder::Error) -> Self {
        let class = if error.is_output() { Class::Output } else { Class::Usage };
        let (help, error) = (error.help(), Self::new(class, &error));
        if help.is_empty() { error } else { error.with_help(help) }
    }
}

/// A toolchain file names what compiles a release; with another one the release would not be what the repository asks for.
fn refuse_other_toolchain(gathered: &Gathered) -> Result<(), Error> {
    match &gathered.compiler()?.programs.missing_channel {
        None => Ok(()),
        Some(channel) => {
            Err(Error::usage(&format!("the toolchain `{channel}` that the toolchain file asks for is not installed"))
                .with_help(format!("rustup toolchain install {channel}")))
        }
    }
}

/// Our own target folder, in `target/supplychain`.
const TARGET: &str = ".build";

/// Marks a target folder that was built in.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// In CI nothing of an earlier build is gone on with.
fn is_reused(context: &Context, target: &Utf8Path, clean: bool) -> bool {
    !clean && !context.in_ci() && target.join(CACHE_TAG).exists()
}

/// What `build/unclean-target-folder` judges.
fn reused_target(context: &Context, gathered: &Gathered, clean: bool) -> Option<ReusedTarget> {
    let target = gathered.target_directory.join("supplychain").join(TARGET);
    is_reused(context, &target, clean).then(|| {
        let path = target.strip_prefix(&gathered.workspace.root).unwrap_or(&target).to_string();
        ReusedTarget { path, writable_by: files::others_who_can_write(&target).map(str::to_owned) }
    })
}

/// Where a build works.
pub(super) struct Folders {
    /// `target/supplychain`, or `--release-dir`.
    pub parent: Utf8PathBuf,
    /// The release folder's name.
    pub name: String,
    /// `target/supplychain`.
    pub own: Utf8PathBuf,
    /// Our own target folder.
    pub target: Utf8PathBuf,
    pub target_folder: TargetFolder,
}

impl Folders {
    fn new(context: &Context, gathered: &Gathered, request: &Request, plan: &Plan) -> Self {
        let own = gathered.target_directory.join("supplychain");
        let target = own.join(TARGET);
        let fresh = !is_reused(context, &target, request.clean);
        let build = &plan.build;
        Self {
            parent: request.release_dir.as_ref().map_or_else(|| own.clone(), |folder| context.cwd.join(folder)),
            own,
            name: folder_name(&format!("{}-{}-{}", build.name, build.version, build.invocation.target)),
            target,
            target_folder: if fresh { TargetFolder::Fresh } else { TargetFolder::Reused },
        }
    }
}

/// A name that is one part of a path on every system: what is not a letter, digit, `.`, `_`, `-` or `+` becomes `-`.
fn folder_name(name: &str) -> String {
    let name: String =
        name.chars().map(|one| if one.is_ascii_alphanumeric() || "._-+".contains(one) { one } else { '-' }).collect();
    name.trim_start_matches('.').to_owned()
}

/// Output that could not be written.
fn output_error(path: &Utf8Path, error: &std::io::Error) -> Error {
    Error::new(Class::Output, &format!("cannot write {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::folder_name;

    #[test]
    fn folder_names_are_one_part_of_a_path() {
        for (name, folder) in [
            ("rg-14.1.1-x86_64-unknown-linux-gnu", "rg-14.1.1-x86_64-unknown-linux-gnu"),
            ("a-0.0.0+abc-t", "a-0.0.0+abc-t"),
            ("../x-1-./evil.json", "-x-1-.-evil.json"),
        ] {
            assert_eq!(folder_name(name), folder);
        }
    }
}
