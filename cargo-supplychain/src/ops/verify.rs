//! `verify`: release folders, single files and digests, offline, against a signer from outside.

use camino::{Utf8Path, Utf8PathBuf};

use super::archive::{self, Day};
use super::progress::Silent;
use super::{Error, gather};
use crate::archive::Access;
use crate::base::{Context, Sha256};
use crate::collect::release_folder;
use crate::config::VerifySettings;
use crate::files;
use crate::sign;
use crate::verify::{
    self, IdentityConditions, IdentityPolicy, MAX_TRUSTED_ROOT_BYTES, Rejection, TrustRoots, VerificationPolicy, Verified,
};

/// What a path of an archived release begins with.
const ARCHIVE: &str = "archive:";

/// What is verified against what.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Release folders and files; bundles where there is a digest.
    pub paths: Vec<Utf8PathBuf>,
    /// `sha256:…` of the file, instead of the file.
    pub digest: Option<String>,
    pub bundles: Vec<Utf8PathBuf>,
    pub key: Option<Utf8PathBuf>,
    /// Whom to accept where no key is named.
    pub signer: IdentityConditions,
    pub trusted_root: Option<Utf8PathBuf>,
    pub expect_version: Option<String>,
    pub require_fresh_target: bool,
    pub require_predicates: Vec<String>,
    pub policy: Option<Utf8PathBuf>,
    /// Where paths that begin with `archive:` are, over `[archive] store`.
    pub archive: Option<String>,
}

/// The outcome for one path.
#[derive(Debug)]
pub struct Outcome {
    pub path: Utf8PathBuf,
    pub result: Result<Verified, Rejection>,
    /// Of an archived release: by which day's trusted roots it was judged.
    pub day: Option<Day>,
}

/// Verifies each path. An unreadable one is an error of the whole run.
pub fn verify(context: &Context, request: &Request) -> Result<Vec<Outcome>, Error> {
    let policy = policy(context, request)?;
    match &request.digest {
        Some(digest) => Ok(vec![of_digest(context, request, &policy, digest)?]),
        None => request.paths.iter().map(|path| one(context, request, &policy, path)).collect(),
    }
}

/// Whom and what the request accepts.
pub(super) fn policy(context: &Context, request: &Request) -> Result<VerificationPolicy, Error> {
    let (settings, _) = gather::settings(context, request.policy.as_deref(), &context.cwd, None)?;
    let settings = &settings.verify;
    let mut policy = signer(context, request, settings)?
        .require_fresh_target(request.require_fresh_target || settings.require_fresh_target)
        .expect_version(request.expect_version.clone());
    for predicate in request.require_predicates.iter().chain(&settings.require_predicate) {
        policy = policy.require_predicate(predicate.as_str());
    }
    Ok(policy)
}

/// Whether the request or the policy names somebody whose signature counts.
pub fn names_signer(context: &Context, request: &Request) -> Result<bool, Error> {
    let (settings, _) = gather::settings(context, request.policy.as_deref(), &context.cwd, None)?;
    let settings = &settings.verify;
    let has_key = request.key.is_some() || settings.key.is_some();
    Ok(has_key || !merged(&request.signer, settings).is_empty())
}

/// The signer comes from the command line or the user's own policy, never from what is verified (ARCHITECTURE.md, invariant 7).
fn signer(context: &Context, request: &Request, settings: &VerifySettings) -> Result<VerificationPolicy, Error> {
    // A signer on the command line takes the place of the policy's of the other kind; conditions add to the policy's.
    let asked = &request.signer;
    let asked_identity = [&asked.repository, &asked.identity, &asked.identity_pattern].into_iter().any(Option::is_some);
    let key = match &request.key {
        Some(key) => Some(key.clone()),
        None if asked_identity => None,
        None => settings.key.as_ref().map(Utf8PathBuf::from),
    };
    let conditions = if request.key.is_some() { asked.clone() } else { merged(asked, settings) };
    match key {
        Some(_) if !conditions.is_empty() => Err(Error::usage(&"a key and conditions on an identity: a key has no identity")
            .with_help("name either the key or the identity, on the command line and in [verify]")),
        Some(key) => {
            let key = sign::read_public_key(&context.cwd.join(key))?;
            Ok(VerificationPolicy::new(key).with_roots(roots(context, request, settings)?))
        }
        None if conditions.is_empty() => Err(Error::usage(&"no signer to verify against")
            .with_help("name the repository with --repo OWNER/NAME, an identity with --identity and --issuer, or a public key with --key")
            .with_help("or set one of them in [verify] of your own supplychain.toml")
            .with_help("the signer.pub inside a release proves nothing: get the key from whoever you trust")),
        None => {
            let identity = IdentityPolicy::new(&conditions).map_err(|error| {
                Error::usage(&error).with_help("for example --repo OWNER/NAME, or --identity SUBJECT --issuer URL")
            })?;
            Ok(VerificationPolicy::keyless(identity, roots(context, request, settings)?))
        }
    }
}

/// The command line's word where there is one, else the policy's.
fn merged(asked: &IdentityConditions, settings: &VerifySettings) -> IdentityConditions {
    let either = |asked: &Option<String>, set: &Option<String>| asked.clone().or_else(|| set.clone());
    // Each of these two replaces the other.
    let subject = asked.identity.is_some() || asked.identity_pattern.is_some();
    let reference = asked.reference.is_some() || asked.tag.is_some();
    let unless = |replaced: bool, set: &Option<String>| set.clone().filter(|_| !replaced);
    IdentityConditions {
        identity: asked.identity.clone().or_else(|| unless(subject, &settings.identity)),
        identity_pattern: asked.identity_pattern.clone().or_else(|| unless(subject, &settings.identity_pattern)),
        issuer: either(&asked.issuer, &settings.issuer),
        repository: either(&asked.repository, &settings.repo),
        repository_id: either(&asked.repository_id, &settings.repo_id),
        owner_id: either(&asked.owner_id, &settings.owner_id),
        workflows: if asked.workflows.is_empty() { settings.workflow.clone() } else { asked.workflows.clone() },
        reference: asked.reference.clone().or_else(|| unless(reference, &settings.reference)),
        tag: asked.tag.clone().or_else(|| unless(reference, &settings.tag)),
        commit: either(&asked.commit, &settings.commit),
        runner: either(&asked.runner, &settings.runner),
        trigger: either(&asked.trigger, &settings.trigger),
    }
}

fn roots(context: &Context, request: &Request, settings: &VerifySettings) -> Result<TrustRoots, Error> {
    let configured = settings.trusted_root.as_deref().map(Utf8Path::new);
    let Some(path) = request.trusted_root.as_deref().or(configured) else { return Ok(TrustRoots::embedded()) };
    let unreadable = |error: &dyn std::fmt::Display| Error::usage(&format!("cannot read the trusted root {path}: {error}"));
    let bytes = files::read(&context.cwd.join(path), MAX_TRUSTED_ROOT_BYTES as u64).map_err(|error| unreadable(&error))?;
    TrustRoots::parse(path.as_str(), &bytes).map_err(|error| {
        Error::usage(&format!("{path}: {error}"))
            .with_help("expected trusted_root.json, or the output of `gh attestation trusted-root`")
    })
}

/// The trusted roots of a request that names no signer.
pub(super) fn trusted_roots(context: &Context, request: &Request) -> Result<TrustRoots, Error> {
    let (settings, _) = gather::settings(context, request.policy.as_deref(), &context.cwd, None)?;
    roots(context, request, &settings.verify)
}

fn of_digest(context: &Context, request: &Request, policy: &VerificationPolicy, text: &str) -> Result<Outcome, Error> {
    let wrong = || Error::usage(&format!("{text:?} is not sha256: and 64 lower-case hexadecimal digits"));
    let sha256: Sha256 = text.strip_prefix("sha256:").and_then(|hex| hex.parse().ok()).ok_or_else(wrong)?;
    let bundles: Vec<_> = request.bundles.iter().chain(&request.paths).map(|bundle| context.cwd.join(bundle)).collect();
    if bundles.is_empty() {
        return Err(Error::usage(&"a digest without a bundle").with_help("name the bundle with --bundle FILE"));
    }
    let evidence = release_folder::read_digest(sha256, &bundles).map_err(|error| Error::usage(&error))?;
    Ok(Outcome { path: text.into(), result: verify::file(&evidence, policy), day: None })
}

/// A release of the archive: `archive:NAME@VERSION`.
fn archived(
    context: &Context,
    request: &Request,
    policy: &VerificationPolicy,
    path: &Utf8Path,
    entry: &str,
) -> Result<Outcome, Error> {
    let place = archive::Request { archive: request.archive.clone(), policy: request.policy.clone(), expect_head: None };
    let opened = archive::open(context, &place, Access::Read, &mut Silent)?;
    let (result, day) = archive::verify_entry(&opened, entry, policy)?;
    Ok(Outcome { path: path.to_owned(), result, day: Some(day) })
}

fn one(context: &Context, request: &Request, policy: &VerificationPolicy, path: &Utf8Path) -> Result<Outcome, Error> {
    if let Some(entry) = path.as_str().strip_prefix(ARCHIVE) {
        return archived(context, request, policy, path, entry);
    }
    let place = context.cwd.join(path);
    let unreadable = |error: release_folder::Error| Error::usage(&error).with_help("name a release folder or a released file");
    let result = if place.is_dir() {
        if !request.bundles.is_empty() {
            return Err(Error::usage(&format!("--bundle is for files, and {path} is a release folder")));
        }
        let contents = release_folder::read(&place).map_err(unreadable)?;
        verify::release(&contents, policy)
    } else {
        let bundles: Vec<_> = request.bundles.iter().map(|bundle| context.cwd.join(bundle)).collect();
        let evidence = release_folder::read_file(&place, &bundles).map_err(unreadable)?;
        verify::file(&evidence, policy)
    };
    Ok(Outcome { path: path.to_owned(), result, day: None })
}
