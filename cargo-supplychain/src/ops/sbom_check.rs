//! `sbom check`: which minimum elements of a profile a bill of materials has.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Error, foreign};
use crate::attest::{Attestation, Content, MAX_BUNDLE_BYTES, SigstoreBundle, strict_json};
use crate::base::{Context, Sha256};
use crate::bom::Bom;
use crate::bom::minimum_elements::{Assessment, Profile, assess};
use crate::files;

/// What is asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub file: Utf8PathBuf,
    pub profile: Profile,
    /// Attestations beside the document, of which one may be about it.
    pub bundles: Vec<Utf8PathBuf>,
}

/// The answer: the document and what it has of the profile.
#[derive(Debug)]
pub struct Checked {
    pub file: Utf8PathBuf,
    pub sha256: Sha256,
    pub bom: Bom,
    pub assessment: Assessment,
}

/// Reads and assesses.
///
/// # Errors
/// The document or a bundle cannot be read; a bundle that was named is not about the document.
pub fn check(context: &Context, request: &Request) -> Result<Checked, Error> {
    let foreign::Read { bom, bytes } = foreign::read(context, &request.file)?;
    let sha256 = Sha256::of(&bytes);
    let mut attested = None;
    for bundle in &request.bundles {
        if !is_about(context, bundle, &bytes, sha256)? {
            return Err(Error::usage(&format!("the bundle {bundle} is not about {}", request.file))
                .with_help("name the attestation whose subject or predicate this document is"));
        }
        attested.get_or_insert(bundle.as_str());
    }
    let assessment = assess(&bom, request.profile, attested);
    Ok(Checked { file: request.file.clone(), sha256, bom, assessment })
}

/// Whether the statement of a bundle has the document as its subject or, as an SBOM attestation, as its predicate. No signature is judged.
fn is_about(context: &Context, bundle: &Utf8Path, bytes: &[u8], sha256: Sha256) -> Result<bool, Error> {
    let unreadable = |why: &dyn std::fmt::Display| Error::usage(&format!("cannot read the bundle {bundle}: {why}"));
    let content = files::read(&context.cwd.join(bundle), MAX_BUNDLE_BYTES as u64).map_err(|error| unreadable(&error))?;
    let parsed = SigstoreBundle::parse(&content).map_err(|error| unreadable(&error))?;
    let Content::Statement(payload) = parsed.content() else {
        return Err(unreadable(&"it signs bytes, and does not say which"));
    };
    let statement = Attestation::parse(payload).map_err(|error| unreadable(&error))?;
    let is_subject = statement.subjects.iter().any(|subject| subject.sha256 == Some(sha256));
    Ok(is_subject || strict_json::parse(bytes).is_ok_and(|document| document == statement.predicate))
}
