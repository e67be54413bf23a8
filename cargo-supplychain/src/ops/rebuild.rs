//! `verify --rebuild`: builds a verified release again from its source, and compares. What to build is taken from the signed provenance;
//! the building is that of `build`, in another folder and with another home. Says "reproduced" after equal bytes only.

use camino::{Utf8Path, Utf8PathBuf};

use super::build::again::{Released, compare};
use super::build::compile::{Call, Made, call_cargo};
use super::build::seal::Seal;
use super::build::sealed;
use super::gather::{self, Gathered, gather};
use super::judge::{self, judge};
use super::key::Prompt;
use super::progress::{Silent, Stage};
use super::{Class, Error, Interrupt, Progress, signer, verify as ordinary};
use crate::attest::{self, RELEASE_MANIFEST, Statement, Subject};
use crate::base::text::{counted, plain};
use crate::base::{Context, Sha256};
use crate::collect::elsewhere::{self, Elsewhere, VARIED};
use crate::collect::{environment, release_folder};
use crate::document::rebuild::{Rebuild, predicate};
use crate::files;
use crate::finding::{Area, Verdict};
use crate::model::sandbox::SandboxMode;
use crate::model::{Build, Reproduction, Selection};
use crate::sign::{Content, Signer};
use crate::verify::{self, Entry, LOCKFILE, Recipe, Rejection, ReleaseContents, Verified};

/// Recorded variables that name programs of the builder's machine: which compiler it is, is judged by what it says of itself.
const PROGRAMS: [&str; 4] = ["RUSTC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER"];

/// What is built again.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The release folder and its signer.
    pub verify: ordinary::Request,
    /// The git repository of the source, or a folder in it; the working folder's where it is left out.
    pub source: Option<Utf8PathBuf>,
    /// Sign a statement of the agreement.
    pub attest: bool,
    /// Private key to sign it with, instead of the configured or the user's own.
    pub signing_key: Option<Utf8PathBuf>,
    /// Where the statement goes; beside the release folder where it is left out.
    pub output: Option<Utf8PathBuf>,
}

/// How it ended.
#[derive(Debug)]
pub enum Outcome {
    /// The release itself was not verified: nothing was built.
    Rejected {
        path: Utf8PathBuf,
        rejection: Rejection,
    },
    Rebuilt(Box<Rebuilt>),
}

/// A release that was built again.
#[derive(Debug)]
pub struct Rebuilt {
    pub path: Utf8PathBuf,
    pub verified: Verified,
    /// The first build is the release's.
    pub reproduction: Reproduction,
    pub commit: String,
    /// The statement that was written, and who signed it.
    pub statement: Option<(Utf8PathBuf, String)>,
}

impl Rebuilt {
    /// Whether every artifact of the release was made again with the same bytes.
    #[must_use]
    pub fn is_reproduced(&self) -> bool {
        self.reproduction.agrees() && self.reproduction.not_compared.is_empty()
    }
}

/// Verifies, builds again, compares.
pub fn rebuild(
    context: &Context,
    request: &Request,
    interrupt: &Interrupt,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    let [path] = request.verify.paths.as_slice() else {
        return Err(Error::usage(&"--rebuild takes one release folder"));
    };
    let folder = context.cwd.join(path);
    let contents = release_folder::read(&folder)
        .map_err(|error| Error::usage(&error).with_help("name a release folder; a single file does not say enough"))?;
    let verified = match verify::release(&contents, &ordinary::policy(context, &request.verify)?) {
        Ok(verified) => verified,
        Err(rejection) => return Ok(Outcome::Rejected { path: path.clone(), rejection }),
    };
    ordinary::is_current(context, &request.verify, &verified)?;
    let recipe = &recipe(&verified)?;
    if files::normal(&output(context, request, &folder)).starts_with(files::normal(&folder)) {
        return Err(Error::usage(&"--output lies in the release folder, which is not changed").with_help("name a file beside it"));
    }
    // Before the compiler starts: a missing passphrase should not cost a build.
    let signer = if request.attest { signer(context, request, prompt, progress)? } else { None };
    let place = Elsewhere::new()?;
    interrupt.lock().elsewhere = Some(place.folder().to_owned());
    let workspace = check_out(context, request, recipe, &place, bytes(&contents, LOCKFILE))?;
    let (there, gather_request, gathered) = prepare(context, recipe, &place, &workspace)?;
    verify_sources(&there, &gathered)?;

    let stage = Stage::begin(progress, "rebuild", &format!("{} at {}", plain(verified.name()), recipe.commit));
    let target = place.target();
    let mut plan = gathered.planned()?.clone();
    // Whatever the release's own policy says: it is somebody else's code that runs here.
    let mode = SandboxMode::Auto;
    let mut seal = Seal::new(&there, &gathered, (mode, sealed::missing(mode)), &plan, &target)?;
    seal.hide(request.signing_key.as_ref().map(|key| context.cwd.join(key)));
    let call = Call {
        context: &there,
        gather: &gather_request,
        gathered: &gathered,
        target: &target,
        remap: recipe.remapped,
        embed_audit_data: recipe.audit_data,
        seal: &seal,
    };
    let (facts, made) = call_cargo(&call, &mut plan, interrupt);
    for attempt in &facts.attempts {
        progress.note(&format!("refused: {}", plain(&attempt.to_string())));
    }
    let made = made?;
    let reproduction = held_against(&folder, &verified, &made)?;
    stage.end(progress, &counted(reproduction.artifacts.len(), "artifact"));
    let mut rebuilt = Rebuilt { path: path.clone(), verified, reproduction, commit: recipe.commit.clone(), statement: None };
    if let Some(signer) = signer.filter(|_| rebuilt.is_reproduced()) {
        let bytes = signer.sign(Content::Statement(&statement(&rebuilt, recipe, &contents, &plan.build).to_bytes()))?;
        let output = output(context, request, &folder);
        files::write(&output, &bytes).map_err(|error| Error::new(Class::Output, &format!("cannot write {output}: {error}")))?;
        rebuilt.statement = Some((output, signer.describe()));
    }
    interrupt.lock().elsewhere = None;
    Ok(Outcome::Rebuilt(Box::new(rebuilt)))
}

/// What the provenance of all artifacts says; they are of one build.
fn recipe(verified: &Verified) -> Result<Recipe, Error> {
    let cannot = |why: &str| {
        Error::new(Class::Undetermined, &format!("the release {} cannot be built again: {why}", plain(verified.name())))
            .with_help("only a build of a committed work tree can be made again by somebody else")
    };
    let mut recipes = verified.artifacts().iter().map(verify::VerifiedArtifact::recipe);
    let first = recipes.next().ok_or_else(|| cannot("it has no artifact"))?.map_err(cannot)?;
    if recipes.all(|other| other == Ok(first)) { Ok(first.clone()) } else { Err(cannot("its artifacts are of different builds")) }
}

fn signer(
    context: &Context,
    request: &Request,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Option<Box<dyn Signer>>, Error> {
    let (settings, _) = gather::settings(context, request.verify.policy.as_deref(), &context.cwd, None)?;
    let asked = signer::Request { key: request.signing_key.clone(), ..signer::Request::default() };
    let chosen = signer::choose(context, &settings, &context.cwd, &asked, prompt, progress)?;
    let missing = || {
        Error::usage(&"nothing to sign the agreement with: [sign] method is \"none\"")
            .with_help("name a key with --signing-key FILE")
    };
    chosen.map(|chosen| Some(chosen.signer)).ok_or_else(missing)
}

fn bytes<'a>(contents: &'a ReleaseContents, path: &str) -> Option<&'a [u8]> {
    match contents.get(path) {
        Some(Entry::File(file)) => file.bytes(),
        _ => None,
    }
}

/// Checks the commit out and puts the release's lockfile there, or makes sure that it is the commit's. Gives back the workspace.
fn check_out(
    context: &Context,
    request: &Request,
    recipe: &Recipe,
    place: &Elsewhere,
    lock: Option<&[u8]>,
) -> Result<Utf8PathBuf, Error> {
    let from = request.source.as_ref().map_or_else(|| context.cwd.clone(), |source| context.cwd.join(source));
    let name_it = "name the git repository of the release's source with --source DIR";
    elsewhere::check_out(&from, &recipe.commit, &place.sources(), true).map_err(|error| match error {
        elsewhere::Error::UnknownCommit { .. } => {
            let uri = recipe.source_uri.as_deref().unwrap_or("the repository of the source");
            Error::new(Class::Undetermined, &error).with_help(format!("fetch it from {}, or {name_it}", plain(uri)))
        }
        elsewhere::Error::Submodule { .. } => {
            Error::new(Class::Undetermined, &error).with_help("git submodule update --init --recursive")
        }
        elsewhere::Error::Repository { .. } => Error::usage(&error).with_help(name_it),
        elsewhere::Error::Io { .. } => error.into(),
    })?;
    let workspace = place.sources().join(&recipe.subdirectory);
    let lock = lock.ok_or_else(|| Error::new(Class::Undetermined, &format!("the release has no {LOCKFILE}")))?;
    let own = workspace.join("Cargo.lock");
    if !workspace.is_dir() {
        return Err(Error::new(
            Class::Undetermined,
            &format!("the commit {} has no folder {}", recipe.commit, recipe.subdirectory),
        ));
    }
    elsewhere::add_file(lock, &own)?;
    match files::read(&own, crate::model::lockfile::MAX_BYTES as u64) {
        Ok(found) if found == lock => Ok(workspace),
        Ok(_) => {
            let message = format!("Cargo.lock of the commit {} is not the one that the release was built with", recipe.commit);
            Err(Error::new(Class::Rejected, &message)
                .with_help("the release says that it was built from that commit: ask its publisher"))
        }
        Err(error) => Err(Error::usage(&format!("cannot read {own}: {error}"))),
    }
}

/// Gathers there, with the toolchain and the flags of the release.
fn prepare(
    context: &Context,
    recipe: &Recipe,
    place: &Elsewhere,
    workspace: &Utf8Path,
) -> Result<(Context, gather::Request, Gathered), Error> {
    let (selection, config, passed) = Selection::from_arguments(&recipe.arguments);
    if !config.is_empty() {
        let message = format!("the release was built with --config {}, whose value is not recorded", plain(&config.join(", ")));
        return Err(
            Error::new(Class::Undetermined, &message).with_help("settings in a file of the repository can be built again")
        );
    }
    let manifest = workspace.join(&recipe.manifest);
    let cwd = manifest.parent().filter(|folder| folder.is_dir()).unwrap_or(workspace).to_owned();
    let mut there = place.context(context, cwd)?;
    there.offline = context.offline;
    for name in environment::recorded(&there.env).into_keys() {
        there.env.remove(&name);
    }
    let recorded =
        recipe.environment.iter().filter(|(name, _)| !PROGRAMS.contains(&name.as_str()) && !environment::is_secret(name));
    there.env.extend(recorded.map(|(name, value)| (name.clone(), value.clone())));
    let request = gather::Request { manifest_path: Some(manifest), selection, passed, ..gather::Request::default() };
    let mut gathered = with_toolchain(&mut there, &request, recipe)?;
    if gathered.planned()?.build.invocation.rustflags != recipe.rustflags {
        // They came from the builder's own configuration.
        there.env.insert("CARGO_ENCODED_RUSTFLAGS".to_owned(), recipe.rustflags.join("\x1f"));
        gathered = gather(&there, &request, &mut Silent)?;
    }
    let target = &gathered.planned()?.build.invocation.target;
    if *target != recipe.target {
        let message = format!("the release is for {}, and the same call here would build for {target}", plain(&recipe.target));
        return Err(Error::new(Class::Undetermined, &message).with_help("rebuild where the compiler's host is the same"));
    }
    Ok((there, request, gathered))
}

/// The toolchain that the source or the machine chooses, where it is the release's; else the installed one of its version or name.
fn with_toolchain(there: &mut Context, request: &gather::Request, recipe: &Recipe) -> Result<Gathered, Error> {
    let fits = |gathered: &Gathered| {
        gathered.compiler.as_ref().is_some_and(|compiler| {
            let toolchain = &compiler.toolchain;
            toolchain.rustc == recipe.rustc && toolchain.rustc_commit == recipe.rustc_commit && toolchain.host == recipe.host
        })
    };
    let gathered = gather(there, request, &mut Silent)?;
    if fits(&gathered) {
        return Ok(gathered);
    }
    for name in [Some(&recipe.rustc), recipe.channel.as_ref()].into_iter().flatten() {
        there.env.remove("CARGO");
        there.env.insert("RUSTUP_TOOLCHAIN".to_owned(), name.clone());
        let gathered = gather(there, request, &mut Silent)?;
        if fits(&gathered) {
            return Ok(gathered);
        }
    }
    let commit = recipe.rustc_commit.as_deref().and_then(|commit| commit.get(..9)).unwrap_or("unknown commit");
    let needed = format!("rustc {} ({commit}) for {}", recipe.rustc, recipe.host);
    let message = format!("the release was built with {}, which is not installed here", plain(&needed));
    Err(Error::new(Class::Undetermined, &message).with_help(format!("rustup toolchain install {}", plain(&recipe.rustc))))
}

/// What is going to be compiled has to be what the lockfile names, or nothing follows from equal or other bytes.
fn verify_sources(context: &Context, gathered: &Gathered) -> Result<(), Error> {
    let request = judge::Request { only: vec![Area::Integrity], is_release: true, ..judge::Request::default() };
    let judged = judge(context, gathered, &request, &mut Silent)?;
    let report = &judged.report;
    if report.verdict == Verdict::Pass {
        return Ok(());
    }
    let first = report.findings.first().map(|finding| finding.message.clone());
    let why = first.or_else(|| report.not_evaluated.first().map(|check| check.why.clone())).unwrap_or_default();
    let message = format!("the sources on this machine cannot be shown to be those of Cargo.lock: {}", plain(&why));
    Err(Error::new(Class::Undetermined, &message)
        .with_help("remove what was changed in CARGO_HOME, and run `cargo fetch --locked`"))
}

fn held_against(folder: &Utf8Path, verified: &Verified, made: &Made) -> Result<Reproduction, Error> {
    let name = |path: &str| Utf8Path::new(path).file_name().unwrap_or(path).to_owned();
    let is_made = |name: &str| made.files.iter().any(|file| file.file_name == name);
    let artifacts = verified.artifacts().iter();
    let (again, others): (Vec<_>, Vec<_>) = artifacts.partition(|artifact| is_made(&name(artifact.path())));
    let released = again.into_iter().map(|artifact| Released {
        name: name(artifact.path()),
        sha256: artifact.sha256(),
        path: folder.join(artifact.path()),
    });
    Ok(Reproduction {
        varied: VARIED.map(str::to_owned).to_vec(),
        artifacts: compare(&released.collect::<Vec<_>>(), &made.files)?,
        not_compared: others.into_iter().map(|artifact| name(artifact.path())).collect(),
        failed: None,
    })
}

/// About all artifacts, by name and digest.
fn statement(rebuilt: &Rebuilt, recipe: &Recipe, contents: &ReleaseContents, build: &Build) -> Statement {
    let verified = &rebuilt.verified;
    let what = Rebuild {
        name: verified.name(),
        version: verified.version().unwrap_or_default(),
        target: verified.target().unwrap_or_default(),
        signer: verified.signer(),
        manifest: Sha256::of(bytes(contents, RELEASE_MANIFEST).unwrap_or_default()),
        commit: &recipe.commit,
        source_uri: recipe.source_uri.as_deref(),
    };
    let artifacts = rebuilt.reproduction.artifacts.iter();
    Statement {
        subjects: artifacts.map(|artifact| Subject { name: artifact.name.clone(), sha256: artifact.first }).collect(),
        predicate_type: attest::PROVENANCE.to_owned(),
        predicate: predicate(what, build, &rebuilt.reproduction),
    }
}

fn output(context: &Context, request: &Request, folder: &Utf8Path) -> Utf8PathBuf {
    let beside = || {
        let folder = files::normal(folder);
        let name = format!("{}.rebuild.sigstore.json", folder.file_name().unwrap_or("release"));
        folder.with_file_name(name)
    };
    request.output.as_ref().map_or_else(beside, |output| context.cwd.join(output))
}
