//! The compilation: cargo, then the user's packaging command, then the files of the release with their digests.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use super::audit_data;
use super::remap::remap;
use super::seal::Seal;
use super::{CACHE_TAG, Folders, Request, output_error};
use crate::archive::folder::Staging;
use crate::assemble::{self, Plan};
use crate::base::Context;
use crate::base::text::counted;
use crate::collect::cargo;
use crate::files;
use crate::model::events::BuildEvents;
use crate::model::sandbox::SandboxFacts;
use crate::model::{ArtifactFile, ArtifactKind, Build, Selection, TargetFolder};
use crate::ops::functions::Compilation;
use crate::ops::gather::{self, Compiler, Gathered};
use crate::ops::native;
use crate::ops::progress::Stage;
use crate::ops::{Class, Error, Interrupt, Progress};

/// What is going to be compiled, and where.
pub(super) struct Planned<'a> {
    pub gathered: &'a Gathered,
    pub plan: Plan,
    pub folders: &'a Folders,
    pub seal: &'a Seal,
}

/// A finished compilation: the complete model and the staging folder that holds the artifacts.
pub(super) struct Compiled<'a> {
    pub build: Build,
    pub staging: Staging<'a>,
    pub compilation: Compilation,
}

/// Compiles. What was tried behind the walls is told whatever came of the build.
pub(super) fn compile<'a>(
    context: &Context,
    request: &Request,
    planned: Planned<'_>,
    staging: Staging<'a>,
    interrupt: &Interrupt,
    progress: &mut dyn Progress,
) -> (SandboxFacts, Result<Compiled<'a>, Error>) {
    let Planned { gathered, mut plan, folders, seal } = planned;
    let how = if folders.target_folder == TargetFolder::Fresh { "fresh target folder" } else { "reused target folder" };
    let stage = Stage::begin(progress, "build", &format!("{} {} ({how})", plan.build.name, plan.build.version));
    if let Err(error) = prepare_target(folders) {
        return (seal.finish(None), Err(error));
    }
    plan.build.invocation.target_folder = folders.target_folder;
    let remap = gathered.settings.build.remap_paths;
    let embed_audit_data = audit_data::is_wanted(request, gathered);
    let call = Call { context, gather: &request.gather, gathered, target: &folders.target, remap, embed_audit_data, seal };
    let (facts, made) = call_cargo(&call, &mut plan, interrupt);
    let compiled = made.and_then(|Made { events, files: sources }| {
        refuse_changed_lock(gathered)?;
        stage.end(progress, &format!("{}, {how}", counted(sources.len(), "artifact")));
        let mut files = BTreeMap::new();
        for made in &sources {
            files.insert(made.artifact.clone(), copy(&staging, &made.path, &made.file_name)?);
        }
        let facts = native::after_build(&plan, &events, &sources);
        let compilation = Compilation::new(&plan, &events, sources);
        Ok(Compiled { build: assemble::complete(plan, &events, &files, &facts), staging, compilation })
    });
    (facts, compiled)
}

/// A call of cargo for what was gathered: also for a second build of the same sources elsewhere.
pub(in crate::ops) struct Call<'a> {
    pub context: &'a Context,
    pub gather: &'a gather::Request,
    pub gathered: &'a Gathered,
    /// The target folder.
    pub target: &'a Utf8Path,
    /// Whether the machine's folders have fixed names in what is compiled.
    pub remap: bool,
    /// Whether audit data is linked into the artifacts.
    pub embed_audit_data: bool,
    pub seal: &'a Seal,
}

/// What cargo told, and the files of the artifacts.
pub(in crate::ops) struct Made {
    pub events: BuildEvents,
    pub files: Vec<MadeFile>,
}

/// The file of one artifact.
pub(in crate::ops) struct MadeFile {
    pub artifact: String,
    pub path: Utf8PathBuf,
    /// Its name in a release.
    pub file_name: String,
}

/// Calls cargo, inside the walls where there are some, and records in the plan what was added to the call. What was tried behind the
/// walls is told whatever came of the build.
pub(in crate::ops) fn call_cargo(call: &Call<'_>, plan: &mut Plan, interrupt: &Interrupt) -> (SandboxFacts, Result<Made, Error>) {
    let Call { context, gathered, seal, .. } = *call;
    let mut environment = gathered.build_environment(context);
    let mut added = Vec::new();
    if call.remap {
        let remapped = remap(context, gathered, &plan.build, call.target, &environment);
        added.extend(remapped.arguments);
        environment.extend(remapped.environment);
        plan.build.invocation.path_remapping = remapped.recorded;
    }
    let compiler = match tag_target(call.target).and_then(|()| gathered.compiler()) {
        Ok(compiler) => compiler,
        Err(error) => return (seal.finish(None), Err(error)),
    };
    let sealed_environment = seal.environment(&environment);
    let embedding = match call.embed_audit_data.then(|| audit_data::prepare(call, plan)).transpose() {
        Ok(embedding) => embedding,
        Err(error) => return (seal.finish(None), Err(error)),
    };
    plan.build.invocation.audit_data = embedding.is_some();
    let request = cargo::BuildRequest {
        cwd: &context.cwd,
        target_dir: call.target,
        environment: &sealed_environment,
        arguments: &selected(call, &call.gather.selection, &added),
        compiler: &[],
        // Behind walls there is no network; all sources are here since the plan was made.
        offline: context.offline || seal.is_closed(),
    };
    let (facts, built) = match &embedding {
        None => run(compiler, &request, seal, interrupt),
        Some(embedding) => run_each(call, compiler, &request, &embedding.steps, &added, interrupt),
    };
    // Packaging runs nothing of the project, and asks git.
    let request = cargo::BuildRequest { environment: &environment, offline: context.offline, ..request };
    let made = built.map_err(build_error).and_then(|events| made(call, &request, plan, events));
    let checked = made.and_then(|made| embedding.map_or(Ok(()), |embedding| embedding.check(&made)).map(|()| made));
    (facts, checked)
}

/// One call of cargo.
fn run(
    compiler: &Compiler,
    request: &cargo::BuildRequest<'_>,
    seal: &Seal,
    interrupt: &Interrupt,
) -> (SandboxFacts, Result<BuildEvents, cargo::Error>) {
    let mut sealed = None;
    let built = cargo::build(&compiler.programs, request, &mut |command| {
        let (child, guard) = seal.start(command)?;
        sealed = guard;
        let mut state = interrupt.lock();
        (state.child, state.sealed) = (Some(child.id()), seal.private());
        Ok(child)
    });
    // A handler that is at work holds the lock and ends the process: before its result is told, ours waits.
    interrupt.lock().child = None;
    let facts = seal.finish(sealed);
    // Not before: where cargo hears of the interruption first, the handler comes while we still tidy up, and has to do it.
    interrupt.lock().sealed = None;
    (facts, built)
}

/// One call for each target that has arguments of its own; what was tried and said is that of all of them.
fn run_each(
    call: &Call<'_>,
    compiler: &Compiler,
    request: &cargo::BuildRequest<'_>,
    steps: &[audit_data::Step],
    added: &[String],
    interrupt: &Interrupt,
) -> (SandboxFacts, Result<BuildEvents, cargo::Error>) {
    let mut all: Option<(SandboxFacts, BuildEvents)> = None;
    for step in steps {
        let arguments = selected(call, &step.selection, added);
        let request = cargo::BuildRequest { arguments: &arguments, compiler: &step.compiler, ..request.clone() };
        let (facts, built) = run(compiler, &request, call.seal, interrupt);
        let (mut tried, mut events) = all.unwrap_or_else(|| (facts.clone(), BuildEvents::default()));
        tried.add(facts);
        match built {
            Ok(later) => events.add(later),
            Err(error) => return (tried, Err(error)),
        }
        all = Some((tried, events));
    }
    let (facts, events) = all.unwrap_or_else(|| (call.seal.finish(None), BuildEvents::default()));
    (facts, Ok(events))
}

/// The files of the artifacts, a library's package among them.
fn made(call: &Call<'_>, request: &cargo::BuildRequest<'_>, plan: &Plan, events: BuildEvents) -> Result<Made, Error> {
    let produced = assemble::produced(plan, &events)?.into_iter();
    let mut files: Vec<_> =
        produced.map(|file| MadeFile { artifact: file.artifact, path: file.path, file_name: file.file_name }).collect();
    // A folder on the way that was made a link would bring in anything.
    let real = |path: &Utf8Path| path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
    if let Some(file) = files.iter().find(|file| !real(&file.path).starts_with(real(call.target))) {
        return Err(Error::usage(&format!("{} leads out of the target folder", file.path))
            .with_help("something in the build has put a link there; build with --clean"));
    }
    for (name, version) in &plan.crates {
        let path = package(call, request, plan, name, version)?;
        files.push(MadeFile { artifact: name.clone(), path, file_name: format!("{name}-{version}.crate") });
    }
    Ok(Made { events, files })
}

/// The arguments after `cargo build`: a selection, the rest as the user chose it, and what we add.
fn selected(call: &Call<'_>, selection: &Selection, added: &[String]) -> Vec<String> {
    let request = call.gather;
    let mut arguments = vec!["--manifest-path".to_owned(), call.gathered.workspace.manifest.to_string()];
    arguments.extend(selection.to_arguments());
    arguments.extend(request.config.iter().flat_map(|entry| ["--config".to_owned(), entry.clone()]));
    arguments.extend(request.passed.iter().cloned());
    arguments.extend(added.iter().cloned());
    arguments
}

fn build_error(error: cargo::Error) -> Error {
    match error {
        cargo::Error::BuildFailed => Error::new(Class::BuildFailed, &"cargo build failed; no release was written"),
        cargo::Error::Interrupted => Error::new(Class::Interrupted, &"interrupted; no release was written"),
        cargo::Error::PackageFailed => Error::new(Class::BuildFailed, &"cargo package failed; no release was written")
            .with_help("a library-only package is released as its .crate; `cargo package` says what it needs"),
        error => Error::usage(&error),
    }
}

/// What cargo writes there (`cargo_util::paths::create_dir_all_excluded_from_backups_atomic`).
const TAG_CONTENT: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
# This file is a cache directory tag created by cargo.\n\
# For information about cache directory tags see https://bford.info/cachedir/\n";

fn prepare_target(folders: &Folders) -> Result<(), Error> {
    if folders.target_folder == TargetFolder::Fresh && folders.target.exists() {
        #[expect(clippy::disallowed_methods, reason = "our own target folder, which the user asked to be fresh")]
        std::fs::remove_dir_all(&folders.target).map_err(|error| output_error(&folders.target, &error))?;
    }
    Ok(())
}

/// The walls stand on folders that exist, and cargo tags only what it made itself.
fn tag_target(target: &Utf8Path) -> Result<(), Error> {
    let tag = target.join(CACHE_TAG);
    if tag.exists() { Ok(()) } else { files::write(&tag, TAG_CONTENT).map_err(|error| output_error(&tag, &error)) }
}

fn package(
    call: &Call<'_>,
    request: &cargo::BuildRequest<'_>,
    plan: &Plan,
    name: &str,
    version: &str,
) -> Result<Utf8PathBuf, Error> {
    let gathered = call.gathered;
    let mut arguments = vec!["--manifest-path".to_owned(), gathered.workspace.manifest.to_string()];
    arguments.extend(call.gather.config.iter().flat_map(|entry| ["--config".to_owned(), entry.clone()]));
    let request = cargo::BuildRequest { arguments: &arguments, ..request.clone() };
    let dirty = plan.build.source.dirty != Some(false);
    cargo::package(&gathered.compiler()?.programs, &request, name, version, dirty).map_err(build_error)
}

/// Cargo.lock has to be, after the build, byte for byte what was checked before it.
fn refuse_changed_lock(gathered: &Gathered) -> Result<(), Error> {
    let path = gathered.workspace.root.join("Cargo.lock");
    match files::read(&path, crate::model::lockfile::MAX_BYTES as u64) {
        Ok(bytes) if bytes == gathered.lock_bytes => Ok(()),
        Ok(_) => Err(Error::usage(&format!("{path} was changed during the build"))
            .with_help("what was compiled is not what was checked; look at the change, then build again")),
        Err(error) => Err(Error::usage(&format!("cannot read {path} after the build: {error}"))),
    }
}

fn copy(staging: &Staging<'_>, source: &Utf8Path, name: &str) -> Result<ArtifactFile, Error> {
    let copied = staging.copy_file(&format!("artifacts/{name}"), source)?;
    Ok(ArtifactFile { name: name.to_owned(), size: copied.size, sha256: copied.sha256, sha512: copied.sha512 })
}

/// `[release] package` runs, then the files that `[release] artifacts` matches are added as derived artifacts. Outside of the walls: it
/// is the user's own command, and nothing that tried to break out gets as far as this.
pub(super) fn add_derived(
    context: &Context,
    gathered: &Gathered,
    compiled: &mut Compiled<'_>,
    interrupt: &Interrupt,
    progress: &mut dyn Progress,
) -> Result<(), Error> {
    let Compiled { build, staging, .. } = compiled;
    let environment = gathered.build_environment(context);
    let release = &gathered.settings.release;
    let root = &gathered.workspace.root;
    if let Some((program, arguments)) = release.package.split_first() {
        let stage = Stage::begin(progress, "package", &release.package.join(" "));
        #[expect(clippy::disallowed_methods, reason = "the user's own command, from the policy file")]
        let mut command = Command::new(program);
        command.args(arguments).current_dir(root).env_clear().envs(&environment).stdin(Stdio::null());
        // Its output is for people, like cargo's: our standard output carries data.
        command.stdout(std::io::stderr());
        command.env("SUPPLYCHAIN_ARTIFACTS", staging.path().join("artifacts").as_str());
        let failed = |error| Error::usage(&format!("cannot run [release] package `{program}`: {error}"));
        let mut child = command.spawn().map_err(failed)?;
        interrupt.lock().child = Some(child.id());
        let status = child.wait().map_err(failed)?;
        interrupt.lock().child = None;
        if !status.success() {
            let message =
                format!("[release] package `{}` ended with {status}; no release was written", release.package.join(" "));
            return Err(Error::new(Class::BuildFailed, &message));
        }
        stage.end(progress, program);
    }
    let mut names: Vec<_> =
        build.artifacts.iter().filter_map(|artifact| artifact.file.as_ref()).map(|file| file.name.to_lowercase()).collect();
    for pattern in &release.artifacts {
        for path in matching(root, pattern)? {
            let name = path.file_name().unwrap_or_default().to_owned();
            if names.contains(&name.to_lowercase()) {
                return Err(assemble::Error::SameFileName(name).into());
            }
            names.push(name.to_lowercase());
            let file = copy(staging, &path, &name)?;
            let derived = assemble::derived(build, file);
            build.artifacts.push(derived);
        }
    }
    build.artifacts.sort_by(|a, b| (a.kind == ArtifactKind::Derived, &a.name).cmp(&(b.kind == ArtifactKind::Derived, &b.name)));
    Ok(())
}

/// The files of `[release] artifacts`: a path, or one whose last part has `*`. Nothing outside the workspace, no links.
fn matching(root: &Utf8Path, pattern: &str) -> Result<Vec<Utf8PathBuf>, Error> {
    let refuse = |why: &str| Error::usage(&format!("[release] artifacts `{pattern}`: {why}"));
    let relative = Utf8Path::new(pattern);
    let inside = relative.components().all(|part| matches!(part, camino::Utf8Component::Normal(_)));
    if !inside {
        return Err(refuse("has to be a path below the workspace root"));
    }
    let folder = root.join(relative.parent().unwrap_or(Utf8Path::new("")));
    let last = relative.file_name().unwrap_or_default();
    let mut found = Vec::new();
    for entry in folder.read_dir_utf8().map_err(|error| refuse(&format!("cannot read {folder}: {error}")))? {
        let entry = entry.map_err(|error| refuse(&format!("cannot read {folder}: {error}")))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && matches_star(last, entry.file_name()) {
            found.push(entry.path().to_owned());
        }
    }
    found.sort();
    if found.is_empty() {
        Err(refuse("matches no regular file").with_help("it is made by `[release] package`, or has to be there before"))
    } else {
        Ok(found)
    }
}

/// `*` stands for any run of characters.
fn matches_star(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches_star;

    #[test]
    fn stars() {
        for (pattern, name, matches) in [
            ("app.deb", "app.deb", true),
            ("*.deb", "app.deb", true),
            ("app-*-linux*.tar.gz", "app-1.0-linux-x86.tar.gz", true),
            ("*.deb", "app.rpm", false),
            ("app", "app2", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches_star(pattern, name), matches, "{pattern} {name}");
        }
    }
}
