//! `verify --vsa`: a success, signed by whoever verified. Written after a success and in no other case.

use camino::{Utf8Path, Utf8PathBuf};

use super::key::Prompt;
use super::verify::{self as ordinary, Outcome};
use super::{Class, Error, Progress, gather, signer};
use crate::attest::{Statement, Subject, subject_name};
use crate::base::{Context, Sha256, purl};
use crate::document::vsa::{PREDICATE_TYPE, Summary, predicate};
use crate::files;
use crate::sign::Content;
use crate::verify::Verified;

/// What is signed where.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub output: Utf8PathBuf,
    /// Private key, instead of the configured or the user's own.
    pub signing_key: Option<Utf8PathBuf>,
    /// What was verified, a URI; a generic package URL where it is left out.
    pub resource: Option<String>,
    /// Who verifies, a URI.
    pub verifier: Option<String>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub path: Utf8PathBuf,
    pub signer: String,
}

/// Looks at a request before anything is verified.
///
/// # Errors
/// It is about more than one file or release, or a URI is none.
pub fn check(verify: &ordinary::Request, request: &Request) -> Result<(), Error> {
    if verify.digest.is_none() && verify.paths.len() != 1 {
        return Err(Error::usage(&"--vsa takes one file or release: a summary is about what was verified together"));
    }
    for (option, uri) in [("--resource-uri", &request.resource), ("--verifier-id", &request.verifier)] {
        if let Some(uri) = uri {
            is_uri(uri).map_err(|why| Error::usage(&format!("{option} {uri:?}: {why}")))?;
        }
    }
    Ok(())
}

fn is_uri(text: &str) -> Result<(), &'static str> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte));
    if is_scheme && is_plain { Ok(()) } else { Err("it is no URI") }
}

/// Signs the summary of a success, and writes it.
///
/// # Errors
/// There is nobody to sign, the signer does not answer, or the file cannot be written.
pub fn write(
    context: &Context,
    verify: &ordinary::Request,
    request: &Request,
    (outcome, verified): (&Outcome, &Verified),
    prompt: &mut Prompt<'_>,
    progress: &mut dyn Progress,
) -> Result<Written, Error> {
    let (settings, _) = gather::settings(context, verify.policy.as_deref(), &context.cwd, None)?;
    let asked = signer::Request { key: request.signing_key.clone(), ..signer::Request::default() };
    // Whoever the release has to be signed by is not who signs the summary.
    let mut own = settings.clone();
    own.verify.key = Vec::new();
    let signer = signer::choose(context, &own, &context.cwd, &asked, prompt, progress)?.ok_or_else(|| {
        Error::usage(&"nothing to sign the summary with: [sign] method is \"none\"")
            .with_help("name a key with --signing-key FILE")
    })?;
    let policy = ordinary::policy(context, verify)?.describe();
    let verifier = request.verifier.as_deref().or(settings.verify.verifier_id.as_deref());
    let (resource, level) = (resource(request, outcome, verified), verified.build_level());
    let inputs: Vec<_> = verified.signatures().iter().map(|one| (place(&one.bundle), one.sha256)).collect();
    let summary = Summary {
        verifier,
        verified_at: context.now,
        resource: &resource,
        policy: &policy,
        inputs: &inputs,
        level: &level.map(crate::verify::BuildLevel::word).unwrap_or_default(),
    };
    let subject = |(name, sha256): (&str, Sha256)| Subject { name: subject_name(name).to_owned(), sha256 };
    let statement = Statement {
        subjects: verified.artifacts().iter().map(|artifact| subject((artifact.path(), artifact.sha256()))).collect(),
        predicate_type: PREDICATE_TYPE.to_owned(),
        predicate: predicate(summary),
    };
    let bundle = signer.signer.sign(Content::Statement(&statement.to_bytes()))?;
    let path = context.cwd.join(&request.output);
    files::write(&path, &bundle).map_err(|error| Error::new(Class::Output, &format!("cannot write {path}: {error}")))?;
    Ok(Written { path: request.output.clone(), signer: signer.signer.describe() })
}

/// Where on this machine a bundle lay is nobody's business.
fn place(bundle: &str) -> &str {
    if Utf8Path::new(bundle).is_absolute() { subject_name(bundle) } else { bundle }
}

fn resource(request: &Request, outcome: &Outcome, verified: &Verified) -> String {
    let named = || {
        let name = if outcome.path.as_str().starts_with("sha256:") { outcome.path.as_str() } else { verified.name() };
        purl::generic(name, verified.version())
    };
    request.resource.clone().unwrap_or_else(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_a_uri() {
        for good in ["pkg:generic/app@1", "https://example.org/app.tar.gz?x=%20", "urn:x:y"] {
            assert!(is_uri(good).is_ok(), "{good}");
        }
        for bad in ["", "app", ":x", "1x:y", "https://a b", "https://a\n", "https://ä"] {
            assert!(is_uri(bad).is_err(), "{bad}");
        }
    }
}
