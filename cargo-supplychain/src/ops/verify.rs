//! `verify`: release folders and single files, offline, against a signer from outside.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Error, gather};
use crate::attest::PublicKey;
use crate::base::Context;
use crate::collect::release_folder;
use crate::sign;
use crate::verify::{self, Rejection, VerificationPolicy, Verified};

/// What is verified against what.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub paths: Vec<Utf8PathBuf>,
    pub key: Option<Utf8PathBuf>,
    pub bundles: Vec<Utf8PathBuf>,
    pub expect_version: Option<String>,
    pub require_fresh_target: bool,
    pub require_predicates: Vec<String>,
    pub policy: Option<Utf8PathBuf>,
}

/// The outcome for one path.
#[derive(Debug)]
pub struct Outcome {
    pub path: Utf8PathBuf,
    pub result: Result<Verified, Rejection>,
}

/// Verifies each path. An unreadable one is an error of the whole run.
pub fn verify(context: &Context, request: &Request) -> Result<Vec<Outcome>, Error> {
    let policy = policy(context, request)?;
    request.paths.iter().map(|path| one(context, request, &policy, path)).collect()
}

/// Whom and what the request accepts.
pub(super) fn policy(context: &Context, request: &Request) -> Result<VerificationPolicy, Error> {
    let (settings, _) = gather::settings(context, request.policy.as_deref(), &context.cwd, None)?;
    let key = key(context, request, settings.verify.key.as_deref())?;
    let mut policy = VerificationPolicy::new(key)
        .require_fresh_target(request.require_fresh_target || settings.verify.require_fresh_target)
        .expect_version(request.expect_version.clone());
    for predicate in &request.require_predicates {
        policy = policy.require_predicate(predicate.as_str());
    }
    Ok(policy)
}

/// The signer comes from the command line or the user's own policy, never from what is verified (ARCHITECTURE.md, invariant 7).
fn key(context: &Context, request: &Request, configured: Option<&str>) -> Result<PublicKey, Error> {
    let path = request.key.as_deref().or(configured.map(Utf8Path::new)).ok_or_else(|| {
        Error::usage(&"no signer to verify against")
            .with_help("name the signer's public key with --key FILE, or as [verify] key in your own supplychain.toml")
            .with_help("the signer.pub inside a release proves nothing: get the key from whoever you trust")
    })?;
    Ok(sign::read_public_key(&context.cwd.join(path))?)
}

fn one(context: &Context, request: &Request, policy: &VerificationPolicy, path: &Utf8Path) -> Result<Outcome, Error> {
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
    Ok(Outcome { path: path.to_owned(), result })
}
