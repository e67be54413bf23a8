//! `diff OLD NEW`: two listings compared, and for lockfiles the findings that come with the change. Each side is a git revision, a lockfile, a
//! bill of materials of anyone, a binary with audit data, a folder (a workspace, a release), or, for NEW left out, the work tree; what a path
//! is, its content tells. Everything becomes a listing and is compared in one way. It informs; `check --base` judges.

mod side;

use camino::{Utf8Path, Utf8PathBuf};

use self::side::Side;
use super::before::Base;
use super::gather::{self, Fault, Gathered, NoPlan};
use super::intelligence::Intelligence;
use super::judge::{self, judge};
use super::workspace::{self, Workspace};
use super::{Error, Progress};
use crate::base::Context;
use crate::bom::listing::{Listed, of_lockfile};
use crate::check::LockState;
use crate::collect;
use crate::collect::cargo_config::cargo_home;
use crate::finding::{Area, FailOn, NotEvaluated, Report, ReportInput};
use crate::model::Lockfile;
use crate::model::manifest::Manifest;

/// What is compared.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub old: String,
    /// None: the work tree.
    pub new: Option<String>,
    pub manifest_path: Option<Utf8PathBuf>,
    pub policy: Option<Utf8PathBuf>,
    pub judge: judge::Request,
}

/// The two sides, and what is known beside them.
#[derive(Debug)]
pub struct Compared {
    pub old: String,
    pub new: String,
    pub before: Vec<Listed>,
    pub after: Vec<Listed>,
    pub report: Report,
    /// What the rules looked at beyond the lockfiles; none where no lockfiles were compared.
    pub known: Option<Intelligence>,
}

/// What a lockfile alone can be judged by.
const AREAS: [Area; 4] = [Area::Lock, Area::Sources, Area::Maintainers, Area::Capabilities];

/// Compares.
pub fn diff(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Compared, Error> {
    let old = side::of(context, &request.old)?;
    let new = request.new.as_deref().map(|given| side::of(context, given)).transpose()?;
    // Lockfiles are judged; of two releases what is in their files counts, and a bill of materials has no lockfile.
    let are_releases = old.is_release() && new.as_ref().is_some_and(Side::is_release);
    if old.is_document() || new.as_ref().is_some_and(Side::is_document) || are_releases {
        return documents(context, request, old, new);
    }
    let root = root(context, request)?;
    let base = old_side(&root.root, &request.old, old)?;
    let new_name = name_of(request);
    let (lockfile, manifests) = match (&request.new, new) {
        (Some(given), Some(side)) => new_side(&root.root, given, side)?,
        _ => work_tree(&root)?,
    };
    let mut judge_request = request.judge.clone();
    if judge_request.only.is_empty() {
        judge_request.only = AREAS.to_vec();
    }
    let before = base.lockfile.as_ref().map(of_lockfile).unwrap_or_default();
    let after = of_lockfile(&lockfile);
    let gathered = gathered(context, request, root, base, lockfile, manifests)?;
    let judged = judge(context, &gathered, &judge_request, progress)?;
    Ok(Compared { old: request.old.clone(), new: new_name, before, after, report: judged.report, known: Some(judged.known) })
}

fn name_of(request: &Request) -> String {
    request.new.clone().unwrap_or_else(|| "the work tree".to_owned())
}

/// Listings of which at least one is none of a lockfile: nothing is judged, which is said.
fn documents(context: &Context, request: &Request, old: Side, new: Option<Side>) -> Result<Compared, Error> {
    let list = |given: &str, side: Side| match side {
        Side::Document(listed) | Side::Release { listed, .. } => Ok(listed),
        Side::Lockfile(lockfile) => Ok(of_lockfile(&lockfile)),
        Side::Revision => {
            let lockfile = Base::open(&root(context, request)?.root, given)?.lockfile;
            lockfile.map(|lockfile| of_lockfile(&lockfile)).ok_or_else(|| no_lockfile(given))
        }
    };
    let before = list(&request.old, old)?;
    let after = match (&request.new, new) {
        (Some(given), Some(side)) => list(given, side)?,
        _ => of_lockfile(&work_tree(&root(context, request)?)?.0),
    };
    let not_judged = AREAS.map(|area| NotEvaluated {
        area,
        check: "findings of the change".to_owned(),
        why: "they are about two lockfiles, and not both sides are one".to_owned(),
        required: false,
        help: String::new(),
    });
    let input = ReportInput { findings: Vec::new(), exempted: Vec::new(), not_evaluated: not_judged.into() };
    let report = Report::new(input, FailOn::None, context.now, context.now_is_given);
    Ok(Compared { old: request.old.clone(), new: name_of(request), before, after, report, known: None })
}

/// The workspace; two lockfiles can be compared where there is none.
fn root(context: &Context, request: &Request) -> Result<Workspace, Error> {
    match workspace::find(context, request.manifest_path.as_deref()) {
        Ok(workspace) => Ok(workspace),
        Err(error) if request.manifest_path.is_some() || request.new.is_none() => Err(error),
        Err(_) => {
            Ok(Workspace { manifest: context.cwd.join("Cargo.toml"), root: context.cwd.clone(), table: toml::Table::new() })
        }
    }
}

fn old_side(root: &Utf8Path, given: &str, side: Side) -> Result<Base, Error> {
    match side.lockfile() {
        Some(lockfile) => Ok(Base::file(given, lockfile)),
        None => {
            let base = Base::open(root, given)?;
            if base.lockfile.is_none() { Err(no_lockfile(given)) } else { Ok(base) }
        }
    }
}

fn new_side(root: &Utf8Path, given: &str, side: Side) -> Result<(Lockfile, Vec<Manifest>), Error> {
    match side.lockfile() {
        Some(lockfile) => Ok((lockfile, Vec::new())),
        None => {
            let side = Base::open(root, given)?;
            let lockfile = side.lockfile.ok_or_else(|| no_lockfile(given))?;
            Ok((Lockfile { path: "Cargo.lock".to_owned(), ..lockfile }, side.manifests))
        }
    }
}

fn no_lockfile(given: &str) -> Error {
    Error::usage(&format!("{given} has no Cargo.lock"))
        .with_help("name a revision with a lockfile, a lockfile, an SBOM, or a folder that holds one")
}

fn work_tree(workspace: &Workspace) -> Result<(Lockfile, Vec<Manifest>), Error> {
    let read = collect::lockfile::read(&workspace.root.join("Cargo.lock"), "Cargo.lock").map_err(|error| Error::usage(&error))?;
    let lockfile = read.ok_or_else(|| no_lockfile("the work tree"))?.lockfile;
    let members = collect::members::find(&workspace.root, &workspace.table);
    let manifests = collect::manifests::read(&workspace.root, &members).map_err(|error| Error::usage(&error))?;
    Ok((lockfile, manifests))
}

fn gathered(
    context: &Context,
    request: &Request,
    workspace: Workspace,
    base: Base,
    lockfile: Lockfile,
    manifests: Vec<Manifest>,
) -> Result<Gathered, Error> {
    let (settings, policy) = gather::settings(context, request.policy.as_deref(), &workspace.root, Some(&base))?;
    let home = cargo_home(&context.env, &context.cwd);
    let cargo_config = collect::cargo_config::read(&collect::cargo_config::ConfigRequest {
        cwd: &context.cwd,
        workspace_root: &workspace.root,
        repository_root: workspace.root.ancestors().find(|folder| folder.join(".git").exists()),
        cargo_home: home.as_deref(),
        env: &context.env,
        config_args: &[],
    })
    .map_err(|error| Error::usage(&error))?;
    Ok(Gathered {
        settings,
        policy,
        cargo_config,
        toolchain_file: None,
        compiler: None,
        base: Some(base),
        lock_bytes: Vec::new(),
        lock: LockState::Present { lockfile, stale: None },
        manifests,
        plan: Err(NoPlan { why: "a lockfile alone".to_owned(), fault: Fault::NotAsked }),
        target_directory: workspace.root.join("target"),
        workspace,
    })
}
