//! What a successful verification established.

use serde::Serialize;

use super::{BuildLevel, ProvenanceFacts, Recipe, SignatureFacts, SignerIdentity};
use crate::base::Sha256;

/// The success of a verification. Its fields are private and only this module's verifications make one.
///
/// ```compile_fail
/// fn forge(verified: &mut cargo_supplychain::verify::Verified) {
///     verified.signer = String::new();
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    pub(super) signer: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) target: Option<String>,
    pub(super) files: usize,
    pub(super) statements: usize,
    pub(super) signatures: Vec<SignatureFacts>,
    pub(super) artifacts: Vec<VerifiedArtifact>,
    pub(super) not_proven: Vec<String>,
}

/// One artifact and what was signed about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifiedArtifact {
    pub(super) path: String,
    pub(super) sha256: Sha256,
    pub(super) predicate_types: Vec<String>,
    pub(super) provenance: Option<ProvenanceFacts>,
    pub(super) build_level: BuildLevel,
    #[serde(skip)]
    pub(super) recipe: Result<Recipe, String>,
}

impl Verified {
    /// Fingerprint of the key, [`crate::attest::PublicKey::fingerprint`], or the subject of the certificate: a workflow's URI, an e-mail
    /// address.
    #[must_use]
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// The release's name, or the file's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version; of a single file only where a signed statement names one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The target triple; not known of a single file.
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// How many files were compared with what was signed, bundles included.
    #[must_use]
    pub fn files(&self) -> usize {
        self.files
    }

    /// How many signed statements were verified.
    #[must_use]
    pub fn statements(&self) -> usize {
        self.statements
    }

    /// Who signed what, where and when, one for each bundle.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureFacts] {
        &self.signatures
    }

    /// The artifacts, by path.
    #[must_use]
    pub fn artifacts(&self) -> &[VerifiedArtifact] {
        &self.artifacts
    }

    /// The lowest SLSA build level among the artifacts.
    #[must_use]
    pub fn build_level(&self) -> Option<&BuildLevel> {
        self.artifacts.iter().map(VerifiedArtifact::build_level).min_by_key(|level| level.level)
    }

    /// What was not proven, one fragment each: to be shown beside the success.
    #[must_use]
    pub fn not_proven(&self) -> &[String] {
        &self.not_proven
    }
}

impl VerifiedArtifact {
    /// Path within the release; the file's name for a single file.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its digest.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        self.sha256
    }

    /// The predicate types of the signed statements about it, sorted.
    #[must_use]
    pub fn predicate_types(&self) -> &[String] {
        &self.predicate_types
    }

    /// What its provenance claims, where there is one.
    #[must_use]
    pub fn provenance(&self) -> Option<&ProvenanceFacts> {
        self.provenance.as_ref()
    }

    /// The SLSA build level that the evidence supports.
    #[must_use]
    pub fn build_level(&self) -> &BuildLevel {
        &self.build_level
    }

    /// How to build it again, by its provenance.
    ///
    /// # Errors
    /// Why it cannot be, a fragment.
    pub fn recipe(&self) -> Result<&Recipe, &str> {
        self.recipe.as_ref().map_err(String::as_str)
    }
}

/// What a verification leaves open, given the artifacts and the signatures.
pub(super) fn not_proven<'a>(
    artifacts: &[VerifiedArtifact],
    signatures: impl Iterator<Item = &'a SignatureFacts>,
) -> Vec<String> {
    let signatures: Vec<_> = signatures.collect();
    let mut notes = Vec::new();
    if signatures.iter().any(|one| one.times.is_empty()) {
        notes.push("when it was signed: a key's signature without a trusted timestamp carries no time".to_owned());
    }
    if signatures.iter().any(|one| one.identity.is_some() && one.logs.is_empty()) {
        notes.push("that the signature is in a public log: the signer's authority keeps none".to_owned());
    }
    if signatures.iter().any(|one| one.identity.as_ref().is_some_and(|signer| signer.runner.as_deref() == Some("self-hosted"))) {
        notes.push("where it was built: the runner is the owner's own machine".to_owned());
    }
    if artifacts.iter().any(|artifact| artifact.provenance.is_some()) {
        notes.push("that the build did what its provenance says: provenance is the signer's claim".to_owned());
    }
    let any = |test: fn(&ProvenanceFacts) -> bool| artifacts.iter().filter_map(VerifiedArtifact::provenance).any(test);
    // The certificate's words are its authority's, not the signer's: where it names the source, that is known without a provenance.
    let named = |word: fn(&SignerIdentity) -> bool| signatures.iter().any(|one| one.identity.as_ref().is_some_and(word));
    if !named(|who| who.repository.is_some()) && artifacts.iter().any(|artifact| artifact.provenance.is_none()) {
        notes.push("where it was built from: no provenance was verified".to_owned());
    }
    if any(|facts| facts.target_folder.as_deref() == Some("reused")) {
        notes.push("that nothing of an earlier build is in it: the target folder was reused".to_owned());
    } else if any(|facts| facts.target_folder.as_deref() != Some("fresh")) {
        notes.push(
            "that nothing of an earlier build is in it: the provenance does not say whether the target folder was fresh"
                .to_owned(),
        );
    }
    if any(|facts| facts.dirty == Some(true)) {
        notes.push("that the source is the named commit: there were uncommitted changes".to_owned());
    } else if !named(|who| who.commit.is_some()) && any(|facts| facts.commit.is_none() || facts.dirty.is_none()) {
        notes.push("which commit it was built from: the provenance does not say".to_owned());
    }
    notes
}
