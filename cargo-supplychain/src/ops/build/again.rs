//! `--reproduce`: a second build of the same sources, in other folders and with another home, held against the first. It goes the way of
//! the first one (`compile::call_cargo`), so that what encloses a build encloses this one as well.

use camino::{Utf8Path, Utf8PathBuf};

use super::compile::{Call, Compiled, Made, MadeFile, call_cargo};
use super::seal::Seal;
use super::{Request, sealed};
use crate::base::text::counted;
use crate::base::{Context, Sha256};
use crate::collect::elsewhere::{self, Elsewhere, VARIED};
use crate::files;
use crate::model::difference::explain;
use crate::model::sandbox::{SandboxFacts, SandboxMode};
use crate::model::{ArtifactKind, Build, Origin, Reproduced, Reproduction};
use crate::ops::gather::{self, Gathered, gather};
use crate::ops::progress::{Silent, Stage};
use crate::ops::{Class, Error, Interrupt, Progress};

/// The largest artifact that is compared, in bytes.
const MAX_ARTIFACT: u64 = 2 << 30;

impl From<elsewhere::Error> for Error {
    fn from(error: elsewhere::Error) -> Self {
        match error {
            elsewhere::Error::Io { .. } => Self::new(Class::Output, &error).with_help("TMPDIR names another temporary folder"),
            _ => Self::usage(&error),
        }
    }
}

/// Builds once more and compares. That a second build fails is part of the answer.
pub(super) fn reproduce(
    context: &Context,
    request: &Request,
    gathered: &Gathered,
    (first, mode): (&Compiled<'_>, SandboxMode),
    interrupt: &Interrupt,
    progress: &mut dyn Progress,
) -> Result<(Reproduction, SandboxFacts), Error> {
    let stage = Stage::begin(progress, "again", "the same sources in other folders");
    let (derived, built): (Vec<_>, Vec<_>) =
        first.build.artifacts.iter().partition(|artifact| artifact.kind == ArtifactKind::Derived);
    let not_compared = derived.into_iter().map(|artifact| artifact.name.clone()).collect();
    let released: Vec<_> = built
        .into_iter()
        .filter_map(|artifact| artifact.file.as_ref())
        .map(|file| Released {
            name: file.name.clone(),
            sha256: file.sha256,
            path: first.staging.path().join("artifacts").join(&file.name),
        })
        .collect();
    let mut facts = sealed::unsealed(mode, Some("the second build did not begin"));
    let outcome = second_build(context, (&request.gather, mode), gathered, &first.build, interrupt, |tried, made| {
        facts = tried;
        Ok(compare(&released, &made?.files))
    });
    let (artifacts, failed) = match outcome {
        Ok(artifacts) => (artifacts?, None),
        Err(error) if matches!(error.class, Class::Interrupted | Class::Output) => return Err(error),
        Err(error) => (Vec::new(), Some(error.message)),
    };
    let varied = VARIED.map(str::to_owned).to_vec();
    let reproduction = Reproduction { varied, artifacts, not_compared, failed };
    stage.end(progress, &told(&reproduction));
    Ok((reproduction, facts))
}

fn told(reproduction: &Reproduction) -> String {
    let different = reproduction.differing().count();
    match &reproduction.failed {
        Some(_) => "the second build failed".to_owned(),
        None if different > 0 => format!("{different} of {} differ", counted(reproduction.artifacts.len(), "artifact")),
        None => format!("{}, the same bytes", counted(reproduction.artifacts.len(), "artifact")),
    }
}

/// Builds in another place, and looks at what came of it before the place is removed.
fn second_build<T>(
    context: &Context,
    (request, mode): (&gather::Request, SandboxMode),
    gathered: &Gathered,
    build: &Build,
    interrupt: &Interrupt,
    look: impl FnOnce(SandboxFacts, Result<Made, Error>) -> Result<T, Error>,
) -> Result<T, Error> {
    let place = Elsewhere::new()?;
    interrupt.lock().elsewhere = Some(place.folder().to_owned());
    let root = gathered.workspace.root.canonicalize_utf8().unwrap_or_else(|_| gathered.workspace.root.clone());
    let from = put_sources(&place, gathered, &root, build)?;
    let moved = |path: &Utf8Path| path.strip_prefix(&from).ok().map(|below| place.sources().join(below));
    let cwd = moved(&context.cwd).filter(|cwd| cwd.is_dir()).unwrap_or_else(|| context.cwd.clone());
    let manifest = gathered.workspace.manifest.strip_prefix(&gathered.workspace.root).unwrap_or(Utf8Path::new("Cargo.toml"));
    let manifest = moved(&root).unwrap_or_else(|| place.sources()).join(manifest);
    let request = gather::Request {
        manifest_path: Some(manifest),
        policy: request.policy.as_ref().map(|policy| context.cwd.join(policy)),
        base: None,
        ..request.clone()
    };
    let there = place.context(context, cwd)?;
    let target = (&*place.target(), build.invocation.audit_data);
    let outcome = build_there(&there, (&request, mode), target, interrupt).and_then(|(facts, made)| look(facts, made));
    interrupt.lock().elsewhere = None;
    outcome
}

/// Gathers and builds in a place that was prepared, behind the walls that enclosed the first build.
fn build_there(
    context: &Context,
    (request, mode): (&gather::Request, SandboxMode),
    (target, embed_audit_data): (&Utf8Path, bool),
    interrupt: &Interrupt,
) -> Result<(SandboxFacts, Result<Made, Error>), Error> {
    let gathered = gather(context, request, &mut Silent)?;
    let mut plan = gathered.planned()?.clone();
    let remap = gathered.settings.build.remap_paths;
    let seal = Seal::new(context, &gathered, (mode, sealed::missing(mode)), &plan, target)?;
    let call = Call { context, gather: request, gathered: &gathered, target, remap, embed_audit_data, seal: &seal };
    Ok(call_cargo(&call, &mut plan, interrupt))
}

/// Puts the sources there: the commit where the work tree is clean, else what lies in the workspace. Gives back the folder that the new
/// place stands for.
fn put_sources(place: &Elsewhere, gathered: &Gathered, root: &Utf8Path, build: &Build) -> Result<Utf8PathBuf, Error> {
    let sources = place.sources();
    let (Some(tree), Some(commit)) = (elsewhere::work_tree(root), &build.source.commit) else {
        elsewhere::copy(root, &sources, &gathered.target_directory)?;
        return Ok(root.to_owned());
    };
    let is_clean = build.source.dirty == Some(false);
    elsewhere::check_out(root, commit, &sources, is_clean)?;
    let below = root.strip_prefix(&tree).unwrap_or(Utf8Path::new(""));
    if is_clean {
        // Libraries often keep it out of git.
        elsewhere::add_file(&gathered.lock_bytes, &sources.join(below).join("Cargo.lock"))?;
    } else if has_outside(build) {
        elsewhere::copy(&tree, &sources, &gathered.target_directory)?;
    } else {
        elsewhere::copy(root, &sources.join(below), &gathered.target_directory)?;
    }
    Ok(tree)
}

/// Whether path dependencies lie outside of the workspace.
fn has_outside(build: &Build) -> bool {
    build.components.values().any(|one| matches!(&one.origin, Origin::Path { path } if Utf8Path::new(path).is_absolute()))
}

/// An artifact that a second build is held against.
pub(in crate::ops) struct Released {
    /// Name of the file.
    pub name: String,
    pub sha256: Sha256,
    pub path: Utf8PathBuf,
}

/// Holds what was made against what was released.
///
/// # Errors
/// A file cannot be read, or is not the one whose digest is known.
pub(in crate::ops) fn compare(released: &[Released], made: &[MadeFile]) -> Result<Vec<Reproduced>, Error> {
    let read =
        |path: &Utf8Path| files::read(path, MAX_ARTIFACT).map_err(|error| Error::usage(&format!("cannot read {path}: {error}")));
    let mut compared = Vec::new();
    for one in released {
        let Some(other) = made.iter().find(|file| file.file_name == one.name) else {
            compared.push(Reproduced { name: one.name.clone(), first: one.sha256, second: None, difference: None });
            continue;
        };
        let second = read(&other.path)?;
        let digest = Sha256::of(&second);
        let mut difference = None;
        if digest != one.sha256 {
            let first = read(&one.path)?;
            if Sha256::of(&first) != one.sha256 {
                return Err(Error::new(Class::Rejected, &format!("{} was changed while it was compared", one.path)));
            }
            difference = explain(&first, &second);
        }
        compared.push(Reproduced { name: one.name.clone(), first: one.sha256, second: Some(digest), difference });
    }
    compared.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(compared)
}
