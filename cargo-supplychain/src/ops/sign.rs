//! `sign`: completes a release whose statements wait for their signatures, or signs a single file. A release is judged whole before
//! anything of it is signed, and appears with its signatures at once or not at all; nothing else of it changes.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::key::Prompt;
use super::signer::{self, Chosen, Statements};
use super::{Class, Error, Interrupt, Progress, gather};
use crate::archive::folder::{Releases, Staging};
use crate::attest::{self, Statement, pending_path, sha256sums};
use crate::base::text::counted;
use crate::base::{Context, Sha256};
use crate::collect::release_folder;
use crate::config::Settings;
use crate::files;
use crate::ops::progress::Stage;
use crate::sign::Content;
use crate::verify::{self, Entry, Rejection, ReleaseContents, Unsigned};

/// Larger files are not signed as they are: release them, and their digests are.
const MAX_BLOB_BYTES: u64 = 1 << 30;

/// What is to be signed by whom.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// A release folder, or a file.
    pub path: Utf8PathBuf,
    pub signer: signer::Request,
    pub policy: Option<Utf8PathBuf>,
    /// For a file: it is an in-toto statement.
    pub is_statement: bool,
    /// For a file: where its bundle goes, instead of `FILE.sigstore.json`.
    pub bundle: Option<Utf8PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The release folder, or the bundle.
    pub path: Utf8PathBuf,
    /// How many statements were signed; none: nothing was pending.
    pub signed: usize,
    pub signer: String,
}

/// Signs.
pub fn sign(
    context: &Context,
    request: &Request,
    interrupt: &Interrupt,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    let (settings, _) = gather::settings(context, request.policy.as_deref(), &context.cwd, None)?;
    let unreadable = |error: &dyn std::fmt::Display| Error::usage(&format!("cannot read {}: {error}", request.path));
    let path = context.cwd.join(&request.path).canonicalize_utf8().map_err(|error| unreadable(&error))?;
    let chosen = choose(context, &settings, &request.signer, prompt, progress)?;
    if path.is_dir() {
        release(&path, (&chosen, context, &settings), interrupt, progress)
    } else {
        file(context, &path, request, &chosen)
    }
}

/// Who signs, and what says who is to have signed.
type By<'a> = (&'a Chosen, &'a Context, &'a Settings);

fn release(folder: &Utf8Path, by: By<'_>, interrupt: &Interrupt, progress: &mut dyn Progress) -> Result<Outcome, Error> {
    let (chosen, context, settings) = by;
    let (Some(parent), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(Error::usage(&format!("{folder} is not a release folder")));
    };
    let stage = Stage::begin(progress, "verify", "everything but the signatures");
    // The lock first: what is judged is what is signed.
    let releases = Releases::open(parent, || progress.note(&format!("waiting for another run that writes to {parent}")))?;
    let contents = release_folder::read(folder).map_err(|error| Error::usage(&error))?;
    let unsigned = verify::unsigned(&contents).map_err(|rejection| rejected(&rejection, "nothing was signed"))?;
    let files = counted(unsigned.manifest().files.len(), "file");
    stage.end(progress, &format!("{files}, {} pending", counted(unsigned.pending().len(), "statement")));
    if unsigned.pending().is_empty() {
        return Ok(Outcome { path: folder.to_owned(), signed: 0, signer: chosen.signer.describe() });
    }

    let stage = Stage::begin(progress, "sign", &chosen.signer.describe());
    let bundles = bundles(&unsigned, chosen)?;
    verify_existing(&contents, &unsigned, chosen)?;
    stage.end(progress, &counted(bundles.len(), "statement"));

    let stage = Stage::begin(progress, "write", "the release with its signatures");
    let staging = releases.stage(name)?;
    interrupt.lock().staging = Some(staging.path().to_owned());
    write(folder, &contents, &bundles, &staging)?;
    let written = release_folder::read(staging.path()).map_err(|error| Error::new(Class::Output, &error))?;
    let expected = signer::expected(chosen, settings, &context.cwd)?
        .ok_or_else(|| Error::new(Class::Rejected, &format!("{folder}: nobody signed it")).with_help("nothing was changed"))?;
    let complete = verify::release(&written, &expected.policy).map_err(|rejection| not_by_expected(&rejection))?;
    let note = if expected.is_pinned { "" } else { "; signer not pinned" };
    stage.end(progress, &format!("{}, verified{note}", counted(complete.statements(), "bundle")));
    {
        let mut state = interrupt.lock();
        state.staging = None;
        staging.commit()?;
    }
    Ok(Outcome { path: folder.to_owned(), signed: bundles.len(), signer: chosen.signer.describe() })
}

/// All that are pending, or none.
fn bundles(unsigned: &Unsigned, chosen: &Chosen) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut statements = Statements::new(Some(chosen));
    let mut bundles = BTreeMap::new();
    for pending in unsigned.pending() {
        let Some(bundle) = statements.sign(&pending.statement)? else {
            let why = statements.outage().unwrap_or("nobody signs");
            return Err(Error::new(Class::Undetermined, &format!("{}: {why}", pending.bundle))
                .with_help("the release is as it was, its statements pending; try again later"));
        };
        bundles.insert(pending.bundle.clone(), bundle);
    }
    Ok(bundles)
}

/// What was signed before has to be this signer's too: a release has one.
fn verify_existing(contents: &ReleaseContents, unsigned: &Unsigned, chosen: &Chosen) -> Result<(), Error> {
    for path in unsigned.signed() {
        let Some(Entry::File(file)) = contents.get(path) else { continue };
        let outcome = file.bytes().map_or_else(|| Err("it is too large".to_owned()), |bytes| chosen.signer.verifies(bytes));
        outcome.map_err(|why| Error::new(Class::Rejected, &format!("{path} is not by this signer: {why}")))?;
    }
    Ok(())
}

/// The folder again, with bundles where statements waited. Every file is copied as it was judged, or not at all.
fn write(
    folder: &Utf8Path,
    contents: &ReleaseContents,
    bundles: &BTreeMap<String, Vec<u8>>,
    staging: &Staging<'_>,
) -> Result<(), Error> {
    let completed: Vec<_> = bundles.keys().map(|bundle| pending_path(bundle)).collect();
    let mut sums: BTreeMap<String, Sha256> = BTreeMap::new();
    for (path, entry) in contents.iter() {
        let Entry::File(file) = entry else { continue };
        if path == attest::SHA256SUMS || completed.iter().any(|pending| pending == path) {
            continue;
        }
        let copied = staging.copy_file(path, &folder.join(path))?;
        if (copied.size, copied.sha256) != (file.size(), file.sha256()) {
            return Err(Error::new(Class::Rejected, &format!("{path} changed while the release was signed"))
                .with_help("nothing was changed; verify where it came from before you try again"));
        }
        sums.insert(path.to_owned(), file.sha256());
    }
    for (path, bytes) in bundles {
        sums.insert(path.clone(), staging.write(path, bytes)?.1);
    }
    staging.write(attest::SHA256SUMS, sha256sums(&sums).as_bytes())?;
    Ok(())
}

fn not_by_expected(rejection: &Rejection) -> Error {
    Error::new(Class::Rejected, &format!("the release does not verify with these signatures: {}", reasons(rejection)))
        .with_help("nothing was changed; if [verify] names another signer, sign as that one")
}

fn reasons(rejection: &Rejection) -> String {
    rejection.reasons().iter().take(10).map(ToString::to_string).collect::<Vec<_>>().join("\n  ")
}

fn rejected(rejection: &Rejection, what: &str) -> Error {
    Error::new(Class::Rejected, &format!("the release is not what its list says: {}", reasons(rejection))).with_help(what)
}

fn file(context: &Context, path: &Utf8Path, request: &Request, chosen: &Chosen) -> Result<Outcome, Error> {
    let bytes = files::read(path, MAX_BLOB_BYTES).map_err(|error| Error::usage(&format!("cannot read {path}: {error}")))?;
    let content = if request.is_statement { Content::Statement(&bytes) } else { Content::Blob(&bytes) };
    if request.is_statement {
        Statement::parse(&bytes).map_err(|error| Error::usage(&format!("{path}: {error}")))?;
    }
    let place = match &request.bundle {
        Some(place) => context.cwd.join(place),
        None => context.cwd.join(format!("{}.sigstore.json", request.path)),
    };
    sign_to(chosen, content, place)
}

/// Signs a statement of ours about a file.
pub(super) fn statement(
    context: &Context,
    (signer, policy): (&signer::Request, Option<&Utf8Path>),
    statement: &Statement,
    bundle: &Utf8Path,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    let (settings, _) = gather::settings(context, policy, &context.cwd, None)?;
    let chosen = choose(context, &settings, signer, prompt, progress)?;
    sign_to(&chosen, Content::Statement(&statement.to_bytes()), context.cwd.join(bundle))
}

fn choose(
    context: &Context,
    settings: &Settings,
    signer: &signer::Request,
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Chosen, Error> {
    signer::choose(context, settings, &context.cwd, signer, prompt, progress)?
        .ok_or_else(|| Error::usage(&"[sign] method is \"none\"").with_help("name a key with --key FILE, or change the policy"))
}

fn sign_to(chosen: &Chosen, content: Content<'_>, place: Utf8PathBuf) -> Result<Outcome, Error> {
    let bundle = chosen.signer.sign(content).map_err(|error| match error.is_outage() {
        // Nothing is left behind for a file: it is there, and can be signed again.
        true => Error::new(Class::Undetermined, &error).with_help("no bundle was written; try again later"),
        false => error.into(),
    })?;
    files::write(&place, &bundle).map_err(|error| Error::new(Class::Output, &format!("cannot write {place}: {error}")))?;
    Ok(Outcome { path: place, signed: 1, signer: chosen.signer.describe() })
}
