//! Judging a single file, or the digest of one, against its bundles.

use std::collections::BTreeSet;

use super::release::{no_provenance, not_fresh, too_low};
use super::signature::{Authentic, authenticate};
use super::signer::SignatureFacts;
use super::sigstore::About;
use super::verified::not_proven;
use super::{
    BuildLevel, ProvenanceFacts, Reason, ReasonId, Recipe, Rejection, VerificationPolicy, Verified, VerifiedArtifact, level,
};
use crate::attest::{Attestation, AttestedSubject, CYCLONEDX, Content, MAX_BUNDLE_BYTES, PROVENANCE, RELEASE, SigstoreBundle};
use crate::base::{Sha256, Sha512};
use crate::model::asset_name::target_of;

/// A file and the bundles that may be about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEvidence {
    /// The file's name, without folders: what a subject has to be named. `None` where only a digest is known.
    pub name: Option<String>,
    pub sha256: Sha256,
    /// Where a bundle asks for it ([`needs_sha512`]).
    pub sha512: Option<Sha512>,
    /// The file itself, where a bundle asks for it ([`needs_file_bytes`]).
    pub bytes: Option<Vec<u8>>,
    pub bundles: Vec<BundleFile>,
}

/// A bundle's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleFile {
    /// As shown to people.
    pub path: String,
    pub bytes: Vec<u8>,
    pub origin: Origin,
}

/// How a bundle came to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Named by the user: it has to be about the file and has to be accepted.
    Given,
    /// Found beside the file: it has to be accepted if it is about the file.
    Beside,
    /// One of a collection that somebody offers, such as a file of JSON lines: one that is accepted is enough, others count for nothing.
    Offered,
}

/// Whether a bundle may name a file by its SHA-512: the word stands in its statement, in one of the three ways that base64 can write it.
/// Cheap, so that no bundle is read twice; a word that is hidden by an escape makes the file another than the statement's.
#[must_use]
pub fn needs_sha512(bundles: &[BundleFile]) -> bool {
    bundles.iter().any(|bundle| ["c2hhNTEy", "NoYTUxM", "zaGE1MT"].iter().any(|word| holds(&bundle.bytes, word)))
}

/// Whether a bundle's signature may be over a file itself: some of these cannot be judged by a digest.
#[must_use]
pub fn needs_file_bytes(bundles: &[BundleFile]) -> bool {
    bundles.iter().any(|bundle| holds(&bundle.bytes, "messageSignature"))
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.len() <= MAX_BUNDLE_BYTES && std::str::from_utf8(bytes).is_ok_and(|text| text.contains(word))
}

impl FileEvidence {
    /// The file's name as shown to people.
    fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("sha256:{}", self.sha256))
    }

    /// Whether the digests of a subject are the file's: all that we know, and at least one.
    fn is(&self, subject: &AttestedSubject) -> bool {
        let differs = subject.sha256.is_some_and(|sha256| sha256 != self.sha256)
            || subject.sha512.is_some_and(|sha512| self.sha512.map_or(self.name.is_some(), |own| own != sha512));
        let agrees = subject.sha256.is_some() || subject.sha512.is_some() && subject.sha512 == self.sha512;
        agrees && !differs
    }

    fn about(&self) -> About<'_> {
        self.bytes.as_deref().map_or(About::Sha256(self.sha256), About::Bytes)
    }
}

/// What one accepted bundle says of the file.
struct Accepted {
    facts: SignatureFacts,
    signer: String,
    /// `None` where the signature is over the file itself.
    statement: Option<Attestation>,
    /// The name that the statement gives the file, where it is none of a file.
    other_name: Option<String>,
    /// The target that the file's name has besides the name in the statement.
    target: Option<String>,
}

impl Accepted {
    /// Whether it is a provenance that says of what it is about that it was built for this target.
    fn is_of_a_build_for(&self, target: &str) -> bool {
        let provenance = self.statement.as_ref().filter(|statement| statement.predicate_type == PROVENANCE);
        let built_for = provenance.and_then(|one| one.predicate.pointer("/buildDefinition/externalParameters/target")?.as_str());
        built_for == Some(target)
    }
}

/// Verifies a single file: every bundle that is about it has to be signed by the policy's signer and name its digest.
///
/// # Errors
/// Why the file is rejected.
pub fn file(evidence: &FileEvidence, policy: &VerificationPolicy) -> Result<Verified, Rejection> {
    let (mut reasons, mut offered, mut accepted) = (Vec::new(), Vec::new(), Vec::new());
    for bundle in evidence.bundles.iter().filter(|bundle| bundle.origin == Origin::Given || concerns(bundle, evidence)) {
        match judge(bundle, evidence, policy) {
            Ok(one) => accepted.push(one),
            Err(why) if bundle.origin == Origin::Offered => offered.extend(why),
            Err(why) => reasons.extend(why),
        }
    }
    if accepted.is_empty() {
        reasons.append(&mut offered);
        if reasons.is_empty() {
            reasons.push(Reason::new(ReasonId::Missing, evidence.shown(), "there is no attestation of this file"));
        }
    }
    let claimed = accepted.iter().filter_map(|one| one.target.as_deref());
    if let Some(target) = claimed.into_iter().find(|target| !accepted.iter().any(|one| one.is_of_a_build_for(target))) {
        let message = format!("no provenance says that it was built for {target}, as its name does");
        reasons.push(Reason::new(ReasonId::SubjectName, evidence.shown(), message));
    }
    Rejection::unless_empty(reasons)?;
    let artifact = artifact(evidence, &accepted, policy);
    let version = version(&accepted, policy);
    Rejection::unless_empty(conditions(&artifact, &accepted, version.as_deref(), policy))?;
    let artifacts = vec![artifact];
    let mut notes = not_proven(&artifacts, accepted.iter().map(|one| &one.facts));
    notes.extend(unnamed(evidence, &accepted));
    Ok(Verified {
        signer: accepted.first().map(|one| one.signer.clone()).unwrap_or_default(),
        name: evidence.shown(),
        version,
        target: None,
        files: 1,
        statements: accepted.len(),
        signatures: accepted.into_iter().map(|one| one.facts).collect(),
        not_proven: notes,
        artifacts,
    })
}

/// What was not proven of the file's name.
fn unnamed(evidence: &FileEvidence, accepted: &[Accepted]) -> Option<String> {
    let name = evidence.name.as_ref()?;
    match accepted.iter().find(|one| one.statement.is_none() || one.other_name.is_some())? {
        Accepted { other_name: Some(other), .. } => Some(format!("that it is called {name}: the statement names {other}")),
        _ => Some(format!("that it is called {name}: the signature is over its bytes alone")),
    }
}

/// Whether a bundle that was found names the file or its digest. Reads what nobody vouched for yet: leaving a bundle out
/// can only make the verification fail. What cannot be read is kept, and rejected later.
fn concerns(bundle: &BundleFile, evidence: &FileEvidence) -> bool {
    let Ok(parsed) = SigstoreBundle::parse(&bundle.bytes) else { return true };
    let Content::Statement(payload) = parsed.content() else {
        return bundle.origin == Origin::Beside || parsed.message_sha256() == Some(evidence.sha256);
    };
    Attestation::parse(payload).map_or(true, |statement| {
        statement.subjects.iter().any(|subject| {
            evidence.is(subject) || subject.name.is_some() && subject.name.as_deref().map(last) == evidence.name.as_deref()
        })
    })
}

/// The name of a file at a path.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn judge(bundle: &BundleFile, evidence: &FileEvidence, policy: &VerificationPolicy) -> Result<Accepted, Vec<Reason>> {
    let signed = authenticate(&bundle.path, &bundle.bytes, policy, Some(evidence.about()))?;
    let signer = signed.signer(policy);
    let Authentic { facts, payload: Some(payload), statement } = signed else {
        return Ok(Accepted { facts: signed.facts, signer, statement: None, other_name: None, target: None });
    };
    let reject = |id, path: &str, message: String| Err(vec![Reason::new(id, path, message)]);
    let statement = match statement.map_or_else(|| Attestation::parse(&payload), Ok) {
        Ok(statement) => statement,
        Err(error) => return reject(ReasonId::Malformed, &bundle.path, error.to_string()),
    };
    let shown = evidence.shown();
    let subjects = &statement.subjects;
    let is_named = |subject: &&AttestedSubject| {
        evidence.name.is_some() && subject.name.as_deref().is_some_and(|name| Some(last(name)) == evidence.name.as_deref())
    };
    // A file of this name stands there with other bytes: these bytes are not it, whatever else they are.
    if let Some(named) = subjects.iter().find(|subject| is_named(subject) && !evidence.is(subject))
        && !subjects.iter().any(|subject| is_named(&subject) && evidence.is(subject))
    {
        let attested = named.sha256.map_or_else(|| "none".to_owned(), |sha256| sha256.to_string());
        let message = format!("its sha256 is {}, {} attests {attested}", evidence.sha256, bundle.path);
        return reject(ReasonId::SubjectDigestMismatch, &shown, message);
    }
    let mut matching = subjects.iter().filter(|subject| evidence.is(subject));
    let Some(first) = matching.next() else {
        return reject(ReasonId::SubjectDigestMismatch, &shown, format!("{} is about other files", bundle.path));
    };
    let target = evidence.name.as_deref().and_then(|name| target_of(name, first.name.as_deref().map(last)?)).map(str::to_owned);
    let is_named = evidence.name.is_none() || is_named(&first) || matching.any(|subject| is_named(&subject));
    let other_name = match &first.name {
        _ if is_named || target.is_some() => None,
        // A package URL names a package, not a file.
        Some(name) if name.starts_with("pkg:") => Some(name.clone()),
        Some(name) => {
            let message = format!("{} attests these bytes under the name {name:?}", bundle.path);
            return reject(ReasonId::SubjectName, &shown, message);
        }
        None => Some("no file".to_owned()),
    };
    let target = target.filter(|_| !is_named);
    Ok(Accepted { facts, signer, statement: Some(statement), other_name, target })
}

fn artifact(evidence: &FileEvidence, accepted: &[Accepted], policy: &VerificationPolicy) -> VerifiedArtifact {
    let statements = || accepted.iter().filter_map(|one| one.statement.as_ref());
    let types: BTreeSet<_> = statements().map(|statement| statement.predicate_type.clone()).collect();
    let provenance = statements().find(|statement| statement.predicate_type == PROVENANCE);
    // Of several provenances the one that supports most is reported.
    let supported = accepted.iter().filter_map(|one| {
        let statement = one.statement.as_ref()?;
        let facts = ProvenanceFacts::of(&statement.predicate_type, &statement.predicate)?;
        Some((level::judge(&facts, &one.facts, &policy.isolated_builders), facts))
    });
    let (build_level, facts) = match supported.max_by_key(|(level, _)| level.level) {
        Some((level, facts)) => (level, Some(facts)),
        None => (BuildLevel::none(), None),
    };
    VerifiedArtifact {
        path: evidence.shown(),
        sha256: evidence.sha256,
        predicate_types: types.into_iter().collect(),
        provenance: facts,
        build_level,
        recipe: provenance.map_or_else(no_provenance, |statement| Recipe::read(&statement.predicate)),
    }
}

/// The version that signed statements give the file: the one that the policy expects if there is one like it, so that
/// another one is reported as what it is.
fn version(accepted: &[Accepted], policy: &VerificationPolicy) -> Option<String> {
    let found: Vec<_> = accepted.iter().filter_map(|one| version_of(one.statement.as_ref()?)).collect();
    let other = found.iter().find(|version| policy.expect_version.as_ref().is_some_and(|expected| *version != expected));
    other.or(found.first()).cloned()
}

/// The version that a statement gives: a CycloneDX SBOM's component, a release, or a package URL.
fn version_of(statement: &Attestation) -> Option<String> {
    let pointer = match statement.predicate_type.as_str() {
        CYCLONEDX => "/metadata/component/version",
        RELEASE => "/version",
        _ => {
            let name =
                statement.subjects.iter().find_map(|subject| subject.name.as_deref().filter(|name| name.starts_with("pkg:")))?;
            let version = name.rsplit_once('@')?.1;
            return Some(version.split(['?', '#']).next().unwrap_or(version).to_owned());
        }
    };
    Some(statement.predicate.pointer(pointer)?.as_str()?.to_owned())
}

/// Whether a tag is one of this version: `1.2.3`, `v1.2.3`, `tool-1.2.3`, `tool/v1.2.3`.
fn is_tag_of(tag: &str, version: &str) -> bool {
    tag.strip_suffix(version).is_some_and(|before| {
        let before = before.strip_suffix('v').unwrap_or(before);
        before.is_empty() || before.ends_with(['-', '/', '@', '_'])
    })
}

fn conditions(
    artifact: &VerifiedArtifact,
    accepted: &[Accepted],
    version: Option<&str>,
    policy: &VerificationPolicy,
) -> Vec<Reason> {
    let mut reasons: Vec<_> = not_fresh(artifact, policy).into_iter().chain(too_low(artifact, policy)).collect();
    for predicate_type in &policy.required_predicates {
        if !artifact.predicate_types.contains(predicate_type) {
            let message = format!("no signed statement of type {predicate_type} is about it");
            reasons.push(Reason::new(ReasonId::PredicateTypeMissing, &artifact.path, message));
        }
    }
    let references = accepted.iter().filter_map(|one| one.facts.identity.as_ref()?.reference.as_deref());
    let tags: Vec<_> = references.filter_map(|reference| reference.strip_prefix("refs/tags/")).collect();
    if let Some(oldest) = &policy.oldest {
        let named: Vec<_> = accepted.iter().filter_map(|one| version_of(one.statement.as_ref()?)).collect();
        let all: Vec<_> = named.iter().map(String::as_str).chain(tags.iter().copied()).collect();
        reasons.extend(oldest.judge(&artifact.path, &all));
    }
    let Some(expected) = &policy.expect_version else { return reasons };
    let mut reject = |message| reasons.push(Reason::new(ReasonId::VersionMismatch, &artifact.path, message));
    if let Some(tag) = tags.iter().find(|tag| !is_tag_of(tag, expected)) {
        reject(format!("it was built from the tag {tag}, expected version {expected}"));
    }
    match version {
        Some(found) if found != expected => reject(format!("it is version {found}, expected {expected}")),
        None if tags.is_empty() => {
            reject(format!("no signed statement names its version, expected {expected}: verify the release folder"));
        }
        _ => {}
    }
    reasons
}
