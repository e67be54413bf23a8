//! Judging a single file against its bundles.

use std::collections::BTreeSet;

use super::release::{no_provenance, not_fresh};
use super::signature::{Authentic, authenticate};
use super::verified::not_proven;
use super::{ProvenanceFacts, Reason, ReasonId, Recipe, Rejection, VerificationPolicy, Verified, VerifiedArtifact};
use crate::attest::{Bundle, CYCLONEDX, PROVENANCE, Statement};
use crate::base::Sha256;

/// A file and the bundles that may be about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEvidence {
    /// The file's name, without folders: what a subject has to be named.
    pub name: String,
    pub size: u64,
    pub sha256: Sha256,
    pub bundles: Vec<BundleFile>,
}

/// A bundle's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// As shown to people.
    pub path: String,
    pub bytes: Vec<u8>,
    /// Named by the user: it has to be about the file. One that was found may be about another and is then left out.
    pub given: bool,
}

/// Verifies a single file: every bundle that is about it has to be signed by the policy's key and name its digest.
///
/// # Errors
/// Why the file is rejected.
pub fn file(evidence: &FileEvidence, policy: &VerificationPolicy) -> Result<Verified, Rejection> {
    let (mut reasons, mut statements) = (Vec::new(), Vec::new());
    for bundle in evidence.bundles.iter().filter(|bundle| bundle.given || concerns(bundle, evidence)) {
        match judge(bundle, evidence, policy) {
            Ok(signed) => statements.push(signed.statement),
            Err(reason) => reasons.push(reason),
        }
    }
    if statements.is_empty() && reasons.is_empty() {
        reasons.push(Reason::new(ReasonId::Missing, &evidence.name, "there is no attestation of this file"));
    }
    Rejection::unless_empty(reasons)?;
    let artifact = artifact(evidence, &statements);
    let version = statements.iter().find_map(version_of);
    Rejection::unless_empty(conditions(&artifact, version.as_deref(), policy))?;
    let artifacts = vec![artifact];
    Ok(Verified {
        signer: policy.key.fingerprint(),
        name: evidence.name.clone(),
        version,
        target: None,
        files: 1,
        statements: statements.len(),
        not_proven: not_proven(&artifacts),
        artifacts,
    })
}

/// Whether a bundle that was found names the file or its digest. Reads what nobody vouched for yet: leaving a bundle out
/// can only make the verification fail. What cannot be read is kept, and rejected later.
fn concerns(bundle: &BundleFile, evidence: &FileEvidence) -> bool {
    let statement = Bundle::parse(&bundle.bytes).and_then(|bundle| Statement::parse(&bundle.payload));
    statement.map_or(true, |statement| {
        statement.subjects.iter().any(|subject| subject.name == evidence.name || subject.sha256 == evidence.sha256)
    })
}

fn judge(bundle: &BundleFile, evidence: &FileEvidence, policy: &VerificationPolicy) -> Result<Authentic, Reason> {
    let signed = authenticate(&bundle.path, &bundle.bytes, &policy.key)?;
    let subjects = &signed.statement.subjects;
    let named = subjects.iter().find(|subject| subject.name == evidence.name);
    let digested = subjects.iter().find(|subject| subject.sha256 == evidence.sha256);
    match (named, digested) {
        (Some(named), _) if named.sha256 == evidence.sha256 => Ok(signed),
        (Some(named), _) => {
            let message = format!("its sha256 is {}, {} attests {}", evidence.sha256, bundle.path, named.sha256);
            Err(Reason::new(ReasonId::SubjectDigestMismatch, &evidence.name, message))
        }
        (None, Some(digested)) => {
            let message = format!("{} attests these bytes under the name {:?}", bundle.path, digested.name);
            Err(Reason::new(ReasonId::SubjectName, &evidence.name, message))
        }
        (None, None) => {
            let message = format!("{} is about other files", bundle.path);
            Err(Reason::new(ReasonId::SubjectDigestMismatch, &evidence.name, message))
        }
    }
}

fn artifact(evidence: &FileEvidence, statements: &[Statement]) -> VerifiedArtifact {
    let types: BTreeSet<_> = statements.iter().map(|statement| statement.predicate_type.clone()).collect();
    let provenance = statements.iter().find(|statement| statement.predicate_type == PROVENANCE);
    VerifiedArtifact {
        path: evidence.name.clone(),
        sha256: evidence.sha256,
        predicate_types: types.into_iter().collect(),
        provenance: provenance.map(|statement| ProvenanceFacts::read(&statement.predicate)),
        recipe: provenance.map_or_else(no_provenance, |statement| Recipe::read(&statement.predicate)),
    }
}

/// The version that a signed CycloneDX SBOM gives the file.
fn version_of(statement: &Statement) -> Option<String> {
    let version = statement.predicate.pointer("/metadata/component/version")?.as_str()?;
    (statement.predicate_type == CYCLONEDX).then(|| version.to_owned())
}

fn conditions(artifact: &VerifiedArtifact, version: Option<&str>, policy: &VerificationPolicy) -> Vec<Reason> {
    let mut reasons: Vec<_> = not_fresh(artifact, policy).into_iter().collect();
    for predicate_type in &policy.required_predicates {
        if !artifact.predicate_types.contains(predicate_type) {
            let message = format!("no signed statement of type {predicate_type} is about it");
            reasons.push(Reason::new(ReasonId::PredicateTypeMissing, &artifact.path, message));
        }
    }
    match (&policy.expect_version, version) {
        (Some(expected), Some(found)) if expected != found => {
            let message = format!("it is version {found}, expected {expected}");
            reasons.push(Reason::new(ReasonId::VersionMismatch, &artifact.path, message));
        }
        (Some(expected), None) => {
            let message = format!("no signed statement names its version, expected {expected}: verify the release folder");
            reasons.push(Reason::new(ReasonId::VersionMismatch, &artifact.path, message));
        }
        _ => {}
    }
    reasons
}
