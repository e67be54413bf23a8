//! `verify`: release folders, single files and digests, against a signer from outside. Offline, but for the attestations of a file that no
//! bundle lies beside (`attestations.rs`).

use camino::{Utf8Path, Utf8PathBuf};

use super::archive::{self, Day};
use super::attestations::{self, Asked};
use super::{Error, Progress, gather, trust_root};
use crate::archive::Access;
use crate::base::{Context, Sha256};
use crate::collect::release_folder;
use crate::config::{Settings, VerifySettings};
use crate::files;
use crate::sign;
use crate::verify::{
    self, FileEvidence, IdentityConditions, IdentityPolicy, IsolatedBuilder, MAX_BUILD_LEVEL, MAX_TRUSTED_ROOT_BYTES, Oldest,
    Rejection, TrustRoots, VerificationPolicy, Verified,
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
    /// Public keys, any of which may have signed.
    pub keys: Vec<Utf8PathBuf>,
    /// Whom to accept where no key is named.
    pub signer: IdentityConditions,
    pub trusted_root: Option<Utf8PathBuf>,
    pub expect_version: Option<String>,
    pub require_fresh_target: bool,
    pub require_predicates: Vec<String>,
    pub require_build_level: Option<u8>,
    pub isolated_builders: Vec<String>,
    pub min_version: Option<String>,
    /// Base URL of the API for attestations, instead of GitHub's.
    pub attestation_api: Option<String>,
    /// Where the bundles that were fetched are written.
    pub save_bundle: Option<Utf8PathBuf>,
    pub policy: Option<Utf8PathBuf>,
    /// Where paths that begin with `archive:` are, over `[archive] store`.
    pub archive: Option<String>,
}

/// The outcome for one path.
#[derive(Debug)]
pub struct Outcome {
    pub path: Utf8PathBuf,
    pub result: Result<Verified, NotVerified>,
    /// Who was asked for attestations, where nothing lay beside the file.
    pub asked: Option<Asked>,
    /// Of an archived release: by which day's trusted roots it was judged.
    pub day: Option<Day>,
}

/// No success.
#[derive(Debug)]
pub enum NotVerified {
    Rejected(Rejection),
    /// It could not be learnt whether there are attestations.
    Undetermined(Error),
}

impl From<Rejection> for NotVerified {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// Verifies each path. An unreadable one is an error of the whole run.
pub fn verify(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Vec<Outcome>, Error> {
    let policy = policy(context, request)?;
    let mut host = attestations::Host::new(context, request, &policy)?;
    let outcomes: Vec<Outcome> = match &request.digest {
        Some(digest) => vec![of_digest(context, request, &policy, digest, &mut host, progress)?],
        None => {
            let each = request.paths.iter().map(|path| one(context, request, &policy, path, &mut host, progress));
            each.collect::<Result<_, _>>()?
        }
    };
    for verified in outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok()) {
        is_current(context, request, verified)?;
    }
    host.save()?;
    Ok(outcomes)
}

/// A success by a trusted root that was not known to be current for too long is none.
pub(super) fn is_current(context: &Context, request: &Request, verified: &Verified) -> Result<(), Error> {
    let (settings, _) = gather::settings(context, request.policy.as_deref(), &context.cwd, None)?;
    trust_root::too_old(context, &settings, verified).map_or(Ok(()), Err)
}

/// Whom and what the request accepts.
pub(super) fn policy(context: &Context, request: &Request) -> Result<VerificationPolicy, Error> {
    let (settings, _) = gather::settings(context, request.policy.as_deref(), &context.cwd, None)?;
    let mut policy = signer(context, request, &settings)?;
    let settings = &settings.verify;
    policy = policy
        .require_fresh_target(request.require_fresh_target || settings.require_fresh_target)
        .expect_version(request.expect_version.clone())
        .require_build_level(build_level(request, settings)?)
        .oldest_version(oldest(request, settings)?)
        .isolated_builders(isolated(request, settings)?);
    for predicate in request.require_predicates.iter().chain(&settings.require_predicate) {
        policy = policy.require_predicate(predicate.as_str());
    }
    Ok(policy)
}

fn build_level(request: &Request, settings: &VerifySettings) -> Result<u8, Error> {
    match request.require_build_level.or(settings.build_level).unwrap_or(0) {
        level if level <= MAX_BUILD_LEVEL => Ok(level),
        level => Err(Error::usage(&format!("there is no SLSA build level {level}")).with_help("the levels are 0, 1, 2 and 3")),
    }
}

fn oldest(request: &Request, settings: &VerifySettings) -> Result<Option<Oldest>, Error> {
    let version = request.min_version.as_ref().or(settings.min_version.as_ref());
    version.map(|version| Oldest::parse(version)).transpose().map_err(|error| Error::usage(&error))
}

fn isolated(request: &Request, settings: &VerifySettings) -> Result<Vec<IsolatedBuilder>, Error> {
    let all = request.isolated_builders.iter().chain(&settings.isolated_builders);
    all.map(|text| IsolatedBuilder::parse(text).map_err(|error| Error::usage(&error))).collect()
}

/// Whether the request or the policy names somebody whose signature counts.
pub fn names_signer(context: &Context, request: &Request) -> Result<bool, Error> {
    let (settings, _) = gather::settings(context, request.policy.as_deref(), &context.cwd, None)?;
    let settings = &settings.verify;
    let has_key = !request.keys.is_empty() || !settings.key.is_empty();
    Ok(has_key || !merged(&request.signer, settings).is_empty())
}

/// The signer comes from the command line or the user's own policy, never from what is verified (ARCHITECTURE.md, invariant 7).
fn signer(context: &Context, request: &Request, whole: &Settings) -> Result<VerificationPolicy, Error> {
    let settings = &whole.verify;
    // A signer on the command line takes the place of the policy's of the other kind; conditions add to the policy's.
    let asked = &request.signer;
    let asked_identity = [&asked.repository, &asked.identity, &asked.identity_pattern].into_iter().any(Option::is_some);
    let keys: Vec<_> = match &*request.keys {
        [] if asked_identity => Vec::new(),
        [] => settings.key.iter().map(Utf8PathBuf::from).collect(),
        keys => keys.to_vec(),
    };
    let conditions = if request.keys.is_empty() { merged(asked, settings) } else { asked.clone() };
    match keys.split_first() {
        Some(_) if !conditions.is_empty() => Err(Error::usage(&"a key and conditions on an identity: a key has no identity")
            .with_help("name either the key or the identity, on the command line and in [verify]")),
        Some((first, others)) => {
            let read = |key: &Utf8PathBuf| sign::read_public_key(&context.cwd.join(key));
            let mut policy = VerificationPolicy::new(read(first)?).with_roots(roots(context, request, whole)?);
            for other in others {
                policy = policy.or_key(read(other)?);
            }
            Ok(policy)
        }
        None if conditions.is_empty() => Err(Error::usage(&"no signer to verify against")
            .with_help("name the repository with --repo OWNER/NAME, an identity with --identity and --issuer, or a public key with --key")
            .with_help("or set one of them in [verify] of your own supplychain.toml")
            .with_help("the signer.pub inside a release proves nothing: get the key from whoever you trust")),
        None => {
            let identity = IdentityPolicy::new(&conditions).map_err(|error| {
                Error::usage(&error).with_help("for example --repo OWNER/NAME, or --identity SUBJECT --issuer URL")
            })?;
            Ok(VerificationPolicy::keyless(identity, roots(context, request, whole)?))
        }
    }
}

/// The command line's word where there is one, else the policy's.
pub(super) fn merged(asked: &IdentityConditions, settings: &VerifySettings) -> IdentityConditions {
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

fn roots(context: &Context, request: &Request, settings: &Settings) -> Result<TrustRoots, Error> {
    let configured = settings.verify.trusted_root.as_deref().map(Utf8Path::new);
    let Some(path) = request.trusted_root.as_deref().or(configured) else {
        return trust_root::for_verification(context, settings, &context.cwd);
    };
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
    roots(context, request, &settings)
}

fn of_digest(
    context: &Context,
    request: &Request,
    policy: &VerificationPolicy,
    text: &str,
    host: &mut attestations::Host<'_>,
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    let wrong = || Error::usage(&format!("{text:?} is not sha256: and 64 lower-case hexadecimal digits"));
    let sha256: Sha256 = text.strip_prefix("sha256:").and_then(|hex| hex.parse().ok()).ok_or_else(wrong)?;
    let bundles: Vec<_> = request.bundles.iter().chain(&request.paths).map(|bundle| context.cwd.join(bundle)).collect();
    if bundles.is_empty() && !host.knows_the_repository() {
        return Err(Error::usage(&"a digest without a bundle")
            .with_help("name the bundle with --bundle FILE, or with --repo a repository whose host can be asked"));
    }
    let evidence = release_folder::read_digest(sha256, &bundles).map_err(|error| Error::usage(&error))?;
    let again = |bundles| Ok(FileEvidence { name: None, sha256, sha512: None, bytes: None, bundles });
    judged(text.into(), evidence, policy, (host, progress), bundles.is_empty(), again)
}

/// A release of the archive: `archive:NAME@VERSION`.
fn archived(
    context: &Context,
    request: &Request,
    policy: &VerificationPolicy,
    path: &Utf8Path,
    entry: &str,
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    let place = archive::Request { archive: request.archive.clone(), policy: request.policy.clone(), expect_head: None };
    let opened = archive::open(context, &place, Access::Read, progress)?;
    let (result, day) = archive::verify_entry(&opened, entry, policy)?;
    Ok(Outcome { path: path.to_owned(), result: result.map_err(NotVerified::from), asked: None, day: Some(day) })
}

fn one(
    context: &Context,
    request: &Request,
    policy: &VerificationPolicy,
    path: &Utf8Path,
    host: &mut attestations::Host<'_>,
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    if let Some(entry) = path.as_str().strip_prefix(ARCHIVE) {
        return archived(context, request, policy, path, entry, progress);
    }
    let place = context.cwd.join(path);
    let unreadable = |error: release_folder::Error| Error::usage(&error).with_help("name a release folder or a released file");
    if place.is_dir() {
        if !request.bundles.is_empty() {
            return Err(Error::usage(&format!("--bundle is for files, and {path} is a release folder")));
        }
        let contents = release_folder::read(&place).map_err(unreadable)?;
        let result = verify::release(&contents, policy).map_err(NotVerified::from);
        return Ok(Outcome { path: path.to_owned(), result, asked: None, day: None });
    }
    let bundles: Vec<_> = request.bundles.iter().map(|bundle| context.cwd.join(bundle)).collect();
    let evidence = release_folder::read_file(&place, &bundles).map_err(unreadable)?;
    let again = |bundles| release_folder::read_file_with(&place, bundles).map_err(unreadable);
    judged(path.to_owned(), evidence, policy, (host, progress), bundles.is_empty(), again)
}

/// Judges a file by what lies here; by what its repository's host knows where nothing does. `again` reads the file with these bundles.
fn judged(
    path: Utf8PathBuf,
    evidence: FileEvidence,
    policy: &VerificationPolicy,
    (host, progress): (&mut attestations::Host<'_>, &mut dyn Progress),
    may_ask: bool,
    again: impl FnOnce(Vec<verify::BundleFile>) -> Result<FileEvidence, Error>,
) -> Result<Outcome, Error> {
    if !may_ask || !evidence.bundles.is_empty() {
        return Ok(Outcome { path, result: verify::file(&evidence, policy).map_err(NotVerified::from), asked: None, day: None });
    }
    match host.ask(evidence.sha256, path.as_str(), progress) {
        Ok((bundles, asked)) => {
            let evidence = if bundles.is_empty() { evidence } else { again(bundles)? };
            Ok(Outcome { path, result: verify::file(&evidence, policy).map_err(NotVerified::from), asked, day: None })
        }
        Err(error) => Ok(Outcome { path, result: Err(NotVerified::Undetermined(error)), asked: None, day: None }),
    }
}
