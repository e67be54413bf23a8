//! `diff OLD NEW`: what a change of the lockfile brings in, and the findings that come with it. Each side is a git revision, a lockfile, a
//! folder that has one (a workspace, a release), or, for NEW left out, the work tree. It informs; `check --base` judges.

use camino::{Utf8Path, Utf8PathBuf};

use super::before::Base;
use super::gather::{self, Fault, Gathered, NoPlan};
use super::judge::{self, Judged, judge};
use super::workspace::{self, Workspace};
use super::{Error, Progress};
use crate::base::Context;
use crate::check::LockState;
use crate::collect;
use crate::collect::cargo_config::cargo_home;
use crate::finding::Area;
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

/// The two sides compared and judged.
#[derive(Debug)]
pub struct Compared {
    pub old: String,
    pub new: String,
    pub lockfile: Lockfile,
    pub judged: Judged,
}

/// What a lockfile alone can be judged by.
const AREAS: [Area; 4] = [Area::Lock, Area::Sources, Area::Maintainers, Area::Capabilities];

/// Compares.
pub fn diff(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Compared, Error> {
    let root = root(context, request)?;
    let base = old_side(context, &root.root, &request.old)?;
    let new = request.new.clone().unwrap_or_else(|| "the work tree".to_owned());
    let (lockfile, manifests) = match &request.new {
        None => work_tree(&root)?,
        Some(given) => match lockfile_at(context, given)? {
            Some(lockfile) => (lockfile, Vec::new()),
            None => {
                let side = Base::open(&root.root, given)?;
                let lockfile = side.lockfile.ok_or_else(|| no_lockfile(given))?;
                (Lockfile { path: "Cargo.lock".to_owned(), ..lockfile }, side.manifests)
            }
        },
    };
    let mut judge_request = request.judge.clone();
    if judge_request.only.is_empty() {
        judge_request.only = AREAS.to_vec();
    }
    let gathered = gathered(context, request, root, base, lockfile, manifests)?;
    let judged = judge(context, &gathered, &judge_request, progress)?;
    let LockState::Present { lockfile, .. } = gathered.lock else { return Err(no_lockfile(&new)) };
    Ok(Compared { old: request.old.clone(), new, lockfile, judged })
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

fn old_side(context: &Context, root: &Utf8Path, given: &str) -> Result<Base, Error> {
    match lockfile_at(context, given)? {
        Some(lockfile) => Ok(Base::file(given, lockfile)),
        None => {
            let base = Base::open(root, given)?;
            if base.lockfile.is_none() { Err(no_lockfile(given)) } else { Ok(base) }
        }
    }
}

fn no_lockfile(given: &str) -> Error {
    Error::usage(&format!("{given} has no Cargo.lock"))
        .with_help("name a revision with a lockfile, a lockfile, or a folder that holds one")
}

/// The lockfile that a path names: itself, or in a workspace's or a release's folder. `None`: there is no such path.
fn lockfile_at(context: &Context, given: &str) -> Result<Option<Lockfile>, Error> {
    let path = context.cwd.join(given);
    let candidates = if path.is_dir() { vec![path.join("evidence/Cargo.lock"), path.join("Cargo.lock")] } else { vec![path] };
    let Some(path) = candidates.into_iter().find(|path| path.is_file()) else { return Ok(None) };
    let read = collect::lockfile::read(&path, given).map_err(|error| Error::usage(&error))?;
    Ok(read.map(|read| read.lockfile))
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
