//! Judging a release folder: first the signature over `release.json`, then everything that it lists against it.

use std::collections::{BTreeMap, BTreeSet};

use super::signature::{Authentic, authenticate};
use super::signer::SignatureFacts;
use super::verified::not_proven;
use super::{
    BuildLevel, Entry, FileEntry, ProvenanceFacts, Reason, ReasonId, Recipe, Rejection, ReleaseContents, VerificationPolicy,
    Verified, VerifiedArtifact, level, manifest,
};
use crate::attest::{
    CYCLONEDX, PROVENANCE, RELEASE, RELEASE_BUNDLE, RELEASE_MANIFEST, SHA256SUMS, SPDX, Statement, payload_of, pending_path,
    sha256sums, strict_json, subject_name,
};
use crate::base::Sha256;
use crate::model::release::{FileRole, ReleaseFile, ReleaseManifest, Signing, StatementRef};

/// What every artifact of a release has to have.
const REQUIRED: [&str; 3] = [PROVENANCE, CYCLONEDX, SPDX];

/// Verifies a release folder.
///
/// The signature over `release.json` comes first: where it does not hold, nothing else is believed or reported. After
/// that every problem is reported, at least one for each file that is not what was signed.
///
/// # Errors
/// Why the release is rejected.
pub fn release(contents: &ReleaseContents, policy: &VerificationPolicy) -> Result<Verified, Rejection> {
    let (manifest, signed) = authentic_manifest(contents, policy)?;
    let signer = signed.signer(policy);
    let mut judge = Judge::new(contents, Some((policy, &signer)), &manifest);
    judge.signatures.push(signed.facts);
    let artifacts = judge.all();
    judge.conditions(policy, &artifacts);
    let statements = judge.verified.len() + 1;
    let Judge { reasons, signatures, .. } = judge;
    Rejection::unless_empty(reasons)?;
    Ok(Verified {
        signer,
        name: manifest.name,
        version: Some(manifest.version),
        target: Some(manifest.target),
        // The listed ones, the bundles, and release.json, SHA256SUMS and the release bundle.
        files: manifest.files.len() + manifest.statements.len() + 3,
        statements,
        not_proven: not_proven(&artifacts, signatures.iter()),
        signatures,
        artifacts,
    })
}

/// A release of which everything but its signatures was judged: what may be signed, and nothing more. It is no success of a
/// verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    pub(super) manifest: ReleaseManifest,
    pub(super) pending: Vec<Pending>,
    pub(super) signed: Vec<String>,
}

/// A statement that waits for its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Where its bundle will lie.
    pub bundle: String,
    pub statement: Vec<u8>,
}

impl Unsigned {
    /// The list of its files.
    #[must_use]
    pub fn manifest(&self) -> &ReleaseManifest {
        &self.manifest
    }

    /// What waits, that of the release itself last.
    #[must_use]
    pub fn pending(&self) -> &[Pending] {
        &self.pending
    }

    /// Paths of the bundles that are there: whoever signs the rest has to verify them.
    #[must_use]
    pub fn signed(&self) -> &[String] {
        &self.signed
    }
}

/// Judges everything of a release folder but its signatures: every file and digest, the statements that wait, and what bundles that are
/// there say, without believing who signed them.
///
/// # Errors
/// Why the release is not to be signed.
pub fn unsigned(contents: &ReleaseContents) -> Result<Unsigned, Rejection> {
    let bytes = control_file(contents, RELEASE_MANIFEST, ReasonId::FileMissing)?;
    let manifest = manifest::parse(bytes).map_err(|why| Reason::new(ReasonId::Malformed, RELEASE_MANIFEST, why))?;
    let statement = Statement::release(bytes, &manifest.name, &manifest.version, &manifest.target).to_bytes();
    if unsigned_statement(contents, RELEASE_BUNDLE)? != statement {
        let place = stands_at(contents, RELEASE_BUNDLE);
        return Err(Reason::new(ReasonId::SubjectDigestMismatch, place, "it is not the statement about this release.json").into());
    }
    let mut judge = Judge::new(contents, None, &manifest);
    judge.all();
    Rejection::unless_empty(judge.reasons)?;
    let (mut pending, mut signed) = (Vec::new(), Vec::new());
    for bundle in manifest.statements.iter().map(|statement| statement.path.as_str()).chain([RELEASE_BUNDLE]) {
        if contents.get(bundle).is_some() {
            signed.push(bundle.to_owned());
        } else {
            pending.push(Pending { bundle: bundle.to_owned(), statement: unsigned_statement(contents, bundle)? });
        }
    }
    Ok(Unsigned { manifest, pending, signed })
}

/// Where a statement stands: its bundle, or, where there is none, the file in which it waits.
fn stands_at(contents: &ReleaseContents, bundle: &str) -> String {
    let pending = pending_path(bundle);
    if contents.get(bundle).is_none() && contents.get(&pending).is_some() { pending } else { bundle.to_owned() }
}

/// The bytes of a statement, signed or not; who signed it is not looked at.
fn unsigned_statement(contents: &ReleaseContents, bundle: &str) -> Result<Vec<u8>, Reason> {
    let place = stands_at(contents, bundle);
    let bytes = control_file(contents, &place, ReasonId::Missing)?;
    if place == bundle {
        return payload_of(bytes).map_err(|error| Reason::new(ReasonId::Malformed, place, error.to_string()));
    }
    Ok(bytes.to_vec())
}

/// `release.json`, once the policy's signer was found to have signed exactly these bytes.
fn authentic_manifest(
    contents: &ReleaseContents,
    policy: &VerificationPolicy,
) -> Result<(ReleaseManifest, Authentic), Rejection> {
    let bytes = control_file(contents, RELEASE_MANIFEST, ReasonId::FileMissing)?;
    let bundle = control_file(contents, RELEASE_BUNDLE, ReasonId::Missing).map_err(|reason| match reason.id {
        ReasonId::Missing => why_unsigned(contents, bytes, reason),
        _ => reason,
    })?;
    let signed = authenticate(RELEASE_BUNDLE, bundle, policy, None)?;
    let statement = own_statement(RELEASE_BUNDLE, &signed)?;
    let reject = |id, message: &str| Err(Rejection::from(Reason::new(id, RELEASE_BUNDLE, message)));
    if statement.predicate_type != RELEASE {
        return reject(ReasonId::PredicateTypeMissing, "it is not the statement of a release");
    }
    let [subject] = statement.subjects.as_slice() else {
        return reject(ReasonId::SubjectName, "its subject is not release.json alone");
    };
    if subject.name != RELEASE_MANIFEST {
        return reject(ReasonId::SubjectName, "its subject is not release.json");
    }
    let malformed = |why| Reason::new(ReasonId::Malformed, RELEASE_MANIFEST, why);
    if subject.sha256 != Sha256::of(bytes) {
        let message = "its bytes are not those that were signed";
        return Err(Reason::new(ReasonId::SubjectDigestMismatch, RELEASE_MANIFEST, message).into());
    }
    let manifest = manifest::parse(bytes).map_err(malformed)?;
    let expected = Statement::release(bytes, &manifest.name, &manifest.version, &manifest.target);
    if expected.predicate != statement.predicate {
        return reject(ReasonId::Malformed, "it names another release than release.json");
    }
    Ok((manifest, signed))
}

/// The statement of a bundle of a release, read as strictly as we write it.
fn own_statement(path: &str, signed: &Authentic) -> Result<Statement, Reason> {
    let payload = signed.payload.as_deref().unwrap_or_default();
    Statement::parse(payload).map_err(|error| Reason::new(ReasonId::Malformed, path, error.to_string()))
}

/// Why there is no signature, from a `release.json` that nobody vouches for: for the message only.
fn why_unsigned(contents: &ReleaseContents, manifest: &[u8], reason: Reason) -> Reason {
    let id = if contents.get(&pending_path(RELEASE_BUNDLE)).is_some() { ReasonId::Pending } else { ReasonId::Missing };
    let message = match (id, manifest::parse(manifest).map(|manifest| manifest.signing)) {
        (ReasonId::Pending, Ok(Signing::Unsigned)) => "the release is not signed yet (--no-sign)",
        (ReasonId::Pending, _) => "the release is not signed yet: its signatures are pending",
        (_, Ok(Signing::Unsigned)) => "the release was not signed (--no-sign)",
        (_, Ok(Signing::Pending)) => "the release's signature is still pending",
        (_, Ok(Signing::Signed) | Err(_)) => "the release's signature is missing",
    };
    Reason { id, message: message.to_owned(), ..reason }
}

fn file<'a>(contents: &'a ReleaseContents, path: &str, missing: ReasonId) -> Result<&'a FileEntry, Reason> {
    match contents.get(path) {
        Some(Entry::File(file)) => Ok(file),
        Some(Entry::Folder) => Err(Reason::new(ReasonId::Malformed, path, "it is a folder, not a file")),
        Some(Entry::Other(what)) => Err(Reason::new(ReasonId::Malformed, path, format!("it is a {what}, not a file"))),
        None => Err(Reason::new(missing, path, "it is missing")),
    }
}

fn control_file<'a>(contents: &'a ReleaseContents, path: &str, missing: ReasonId) -> Result<&'a [u8], Reason> {
    file(contents, path, missing)?.bytes().ok_or_else(|| too_large(path))
}

fn too_large(path: &str) -> Reason {
    Reason::new(ReasonId::Malformed, path, "it is too large to be read")
}

/// A statement that was verified and its place in `release.json`.
struct Signed {
    predicate_type: String,
    predicate: serde_json::Value,
}

struct Judge<'a> {
    contents: &'a ReleaseContents,
    /// Whom and what to accept, and who signed `release.json`; none: signatures are not judged ([`unsigned`]).
    policy: Option<(&'a VerificationPolicy, &'a str)>,
    manifest: &'a ReleaseManifest,
    reasons: Vec<Reason>,
    signatures: Vec<SignatureFacts>,
    /// The verified statements, by path of their bundle.
    verified: BTreeMap<&'a str, Signed>,
}

impl<'a> Judge<'a> {
    fn new(
        contents: &'a ReleaseContents,
        policy: Option<(&'a VerificationPolicy, &'a str)>,
        manifest: &'a ReleaseManifest,
    ) -> Self {
        Self { contents, policy, manifest, reasons: Vec::new(), signatures: Vec::new(), verified: BTreeMap::new() }
    }

    /// Everything that does not depend on the policy's conditions.
    fn all(&mut self) -> Vec<VerifiedArtifact> {
        self.files();
        self.unlisted();
        self.sums();
        self.statements();
        self.sboms();
        self.artifacts()
    }

    fn reject(&mut self, id: ReasonId, path: &str, message: impl Into<String>) {
        self.reasons.push(Reason::new(id, path, message));
    }

    /// Every listed file is there, with its size and digest.
    fn files(&mut self) {
        for listed in &self.manifest.files {
            match file(self.contents, &listed.path, ReasonId::FileMissing) {
                Err(reason) => self.reasons.push(reason),
                Ok(found) if found.size() != listed.size || found.sha256() != listed.sha256 => {
                    let message = format!("its sha256 is {}, release.json lists {}", found.sha256(), listed.sha256);
                    self.reject(ReasonId::SubjectDigestMismatch, &listed.path, message);
                }
                Ok(_) => {}
            }
        }
    }

    /// The paths that the release consists of.
    fn expected(&self) -> BTreeSet<String> {
        let listed = self.manifest.files.iter().map(|file| file.path.clone());
        [RELEASE_MANIFEST, SHA256SUMS].into_iter().map(str::to_owned).chain(listed).chain(self.statement_places()).collect()
    }

    /// Where the statements stand.
    fn statement_places(&self) -> impl Iterator<Item = String> {
        let bundles = self.manifest.statements.iter().map(|statement| statement.path.as_str());
        bundles.chain([RELEASE_BUNDLE]).map(|bundle| stands_at(self.contents, bundle))
    }

    /// Nothing else is there: no file, no link, no folder that holds none of the files.
    fn unlisted(&mut self) {
        let expected = self.expected();
        let folders: BTreeSet<&str> =
            expected.iter().flat_map(|path| path.match_indices('/').map(|(end, _)| &path[..end])).collect();
        for (path, entry) in self.contents.iter() {
            let (known, what) = match entry {
                Entry::File(_) => (expected.contains(path), "file"),
                Entry::Folder => (folders.contains(path) || expected.contains(path), "folder"),
                Entry::Other(what) => (expected.contains(path), *what),
            };
            if !known {
                self.reject(ReasonId::FileUnlisted, path, format!("this {what} is not listed in release.json"));
            }
        }
    }

    /// `SHA256SUMS` is what release.json and the bundles make of it. A bundle is listed there only, so that where its line
    /// differs both may be the changed one, and both are named.
    fn sums(&mut self) {
        let text = match control_file(self.contents, SHA256SUMS, ReasonId::FileMissing) {
            Ok(bytes) => bytes,
            Err(reason) => return self.reasons.push(reason),
        };
        let mut sums: BTreeMap<String, Sha256> =
            self.manifest.files.iter().map(|file| (file.path.clone(), file.sha256)).collect();
        for path in self.statement_places().chain([RELEASE_MANIFEST.to_owned()]) {
            // A missing one has its own reason, and no sum can be expected.
            let Ok(found) = file(self.contents, &path, ReasonId::Missing) else { return };
            sums.insert(path, found.sha256());
        }
        if text == sha256sums(&sums).as_bytes() {
            return;
        }
        let mut lines = BTreeSet::new();
        lines.extend(text.split(|&byte| byte == b'\n'));
        let differing = sums.iter().filter(|(path, sha256)| {
            path.starts_with("attestations/") && !lines.contains(format!("{sha256}  {path}").as_bytes())
        });
        let differing: Vec<_> = differing.map(|(path, _)| path.clone()).collect();
        for path in &differing {
            self.reject(ReasonId::SubjectDigestMismatch, path, "its sha256 is not the one in SHA256SUMS");
        }
        let message = "it does not list exactly the release's files and their digests";
        self.reject(ReasonId::SubjectDigestMismatch, SHA256SUMS, message);
    }

    /// Every listed statement is there, signed by the signer, and says what release.json says that it says.
    fn statements(&mut self) {
        for listed in &self.manifest.statements {
            match self.statement(listed) {
                Ok((signed, facts)) => {
                    self.verified.insert(&listed.path, signed);
                    self.signatures.extend(facts);
                }
                Err(reasons) => self.reasons.extend(reasons),
            }
        }
    }

    fn statement(&self, listed: &StatementRef) -> Result<(Signed, Option<SignatureFacts>), Vec<Reason>> {
        let (statement, sha256, facts) = self.authentic(&listed.path)?;
        let reject = |id, message: &str| Err(vec![Reason::new(id, &listed.path, message)]);
        if sha256 != listed.sha256 {
            return reject(ReasonId::SubjectDigestMismatch, "its statement is not the one that release.json lists");
        }
        if statement.predicate_type != listed.predicate_type {
            return reject(ReasonId::PredicateTypeMissing, "its predicate type is not the one that release.json lists");
        }
        let [subject] = statement.subjects.as_slice() else {
            return reject(ReasonId::SubjectName, "it is about more than one file");
        };
        if subject.name != subject_name(&listed.subject) {
            return reject(ReasonId::SubjectName, "it is about a file of another name than release.json lists");
        }
        if self.listed(&listed.subject).is_none_or(|file| file.sha256 != subject.sha256) {
            return reject(ReasonId::SubjectDigestMismatch, "it is about other bytes than release.json lists");
        }
        let Statement { predicate_type, predicate, .. } = statement;
        Ok((Signed { predicate_type, predicate }, facts))
    }

    /// The statement of a bundle with the digest of its bytes, signed by whoever signed `release.json`; unsigned ones where signatures are
    /// not judged.
    fn authentic(&self, bundle: &str) -> Result<(Statement, Sha256, Option<SignatureFacts>), Vec<Reason>> {
        let Some((policy, signer)) = self.policy else {
            let bytes = unsigned_statement(self.contents, bundle).map_err(|reason| vec![reason])?;
            let statement = Statement::parse(&bytes);
            let statement = statement.map_err(|error| vec![Reason::new(ReasonId::Malformed, bundle, error.to_string())])?;
            return Ok((statement, Sha256::of(&bytes), None));
        };
        if stands_at(self.contents, bundle) != bundle {
            return Err(vec![Reason::new(ReasonId::Pending, bundle, "its signature is pending")]);
        }
        let bytes = control_file(self.contents, bundle, ReasonId::Missing).map_err(|reason| vec![reason])?;
        let signed = authenticate(bundle, bytes, policy, None)?;
        let statement = own_statement(bundle, &signed).map_err(|reason| vec![reason])?;
        if signed.signer(policy) != signer {
            return Err(vec![Reason::new(ReasonId::WrongSigner, bundle, "it was signed by somebody else than release.json")]);
        }
        Ok((statement, signed.sha256(), Some(signed.facts)))
    }

    fn listed(&self, path: &str) -> Option<&'a ReleaseFile> {
        let files = &self.manifest.files;
        files.binary_search_by(|file| file.path.as_str().cmp(path)).ok().map(|at| &files[at])
    }

    /// The SBOM files are the predicates of the signed SBOM statements, one to one.
    fn sboms(&mut self) {
        let mut signed_files = BTreeSet::new();
        let mut reasons = Vec::new();
        for statement in &self.manifest.statements {
            let Some(path) = sbom_path(statement) else { continue };
            let reason = match (self.listed(&path), self.verified.get(statement.path.as_str())) {
                (None, _) => {
                    Some(Reason::new(ReasonId::FileMissing, &path, format!("{} is signed, but not listed", statement.path)))
                }
                (Some(listed), Some(signed)) => self.sbom(listed, signed),
                (Some(_), None) => None,
            };
            reasons.extend(reason);
            signed_files.insert(path);
        }
        for file in &self.manifest.files {
            let is_sbom = file.role == FileRole::Sbom && (file.path.ends_with(".cdx.json") || file.path.ends_with(".spdx.json"));
            if is_sbom && !signed_files.contains(&file.path) {
                reasons.push(Reason::new(ReasonId::Missing, &file.path, "no signed statement carries this SBOM"));
            }
        }
        self.reasons.append(&mut reasons);
    }

    fn sbom(&self, listed: &ReleaseFile, signed: &Signed) -> Option<Reason> {
        // `files` has said where it is missing or no file.
        let found = file(self.contents, &listed.path, ReasonId::FileMissing).ok()?;
        let Some(bytes) = found.bytes() else { return Some(too_large(&listed.path)) };
        if found.sha256() != listed.sha256 {
            return None;
        }
        match strict_json::parse(bytes) {
            Ok(value) if value == signed.predicate => None,
            Ok(_) => Some(Reason::new(ReasonId::SubjectDigestMismatch, &listed.path, "it is not the SBOM that was signed")),
            Err(error) => Some(Reason::new(ReasonId::Malformed, &listed.path, format!("not valid JSON: {error}"))),
        }
    }

    /// The artifacts with what was verified about them; each has to have provenance and both SBOMs.
    fn artifacts(&mut self) -> Vec<VerifiedArtifact> {
        let mut artifacts = Vec::new();
        for file in self.manifest.files.iter().filter(|file| file.role == FileRole::Artifact) {
            let about: Vec<_> = self.manifest.statements.iter().filter(|statement| statement.subject == file.path).collect();
            let more = self.policy.map_or(&[][..], |(policy, _)| &policy.required_predicates);
            let required = REQUIRED.into_iter().chain(more.iter().map(String::as_str));
            for predicate_type in required {
                if !about.iter().any(|statement| statement.predicate_type == predicate_type) {
                    let message = format!("no signed statement of type {predicate_type} is about it");
                    self.reasons.push(Reason::new(ReasonId::PredicateTypeMissing, &file.path, message));
                }
            }
            let signed: Vec<_> = about.iter().filter_map(|statement| self.verified.get(statement.path.as_str())).collect();
            let provenance = signed.iter().find(|one| one.predicate_type == PROVENANCE);
            let facts = provenance.map(|one| ProvenanceFacts::read(&one.predicate));
            let mut predicate_types: Vec<_> = signed.iter().map(|one| one.predicate_type.clone()).collect();
            predicate_types.sort();
            predicate_types.dedup();
            artifacts.push(VerifiedArtifact {
                path: file.path.clone(),
                sha256: file.sha256,
                predicate_types,
                build_level: self.build_level(&about, facts.as_ref()),
                provenance: facts,
                recipe: provenance.map_or_else(no_provenance, |one| Recipe::read(&one.predicate)),
            });
        }
        if artifacts.is_empty() {
            self.reject(ReasonId::Malformed, RELEASE_MANIFEST, "it lists no artifact");
        }
        artifacts
    }

    /// The level of an artifact by the signature over its provenance.
    fn build_level(&self, about: &[&StatementRef], facts: Option<&ProvenanceFacts>) -> BuildLevel {
        let bundle = about.iter().find(|statement| statement.predicate_type == PROVENANCE).map(|statement| &statement.path);
        let signature = self.signatures.iter().find(|signature| Some(&signature.bundle) == bundle);
        match (self.policy, facts, signature) {
            (Some((policy, _)), Some(facts), Some(signature)) => level::judge(facts, signature, &policy.isolated_builders),
            _ => BuildLevel::none(),
        }
    }

    /// The policy's conditions.
    fn conditions(&mut self, policy: &VerificationPolicy, artifacts: &[VerifiedArtifact]) {
        if let Some(expected) = &policy.expect_version
            && *expected != self.manifest.version
        {
            let message = format!("the release is version {}, expected {expected}", self.manifest.version);
            self.reject(ReasonId::VersionMismatch, RELEASE_MANIFEST, message);
        }
        if let Some(oldest) = &policy.oldest {
            self.reasons.extend(oldest.judge(RELEASE_MANIFEST, &[&self.manifest.version]));
        }
        for artifact in artifacts {
            self.reasons.extend(not_fresh(artifact, policy));
            self.reasons.extend(too_low(artifact, policy));
        }
    }
}

pub(super) fn no_provenance() -> Result<Recipe, String> {
    Err("it has no provenance".to_owned())
}

/// The reason when the policy asks for a fresh target folder and the artifact's provenance does not say that it was one.
pub(super) fn not_fresh(artifact: &VerifiedArtifact, policy: &VerificationPolicy) -> Option<Reason> {
    let folder = artifact.provenance.as_ref().and_then(|facts| facts.target_folder.as_deref());
    if !policy.require_fresh_target || folder == Some("fresh") {
        return None;
    }
    let message =
        format!("it was built in a target folder that is {}, the policy asks for a fresh one", folder.unwrap_or("unknown"));
    Some(Reason::new(ReasonId::PolicyBuilder, &artifact.path, message))
}

/// The reason when the policy asks for a higher build level than the artifact's evidence supports.
pub(super) fn too_low(artifact: &VerifiedArtifact, policy: &VerificationPolicy) -> Option<Reason> {
    let BuildLevel { level, because, not_higher } = &artifact.build_level;
    if *level >= policy.build_level {
        return None;
    }
    let why = not_higher.as_deref().unwrap_or(because);
    let message = format!("its evidence supports SLSA build level {level}, the policy asks for {}: {why}", policy.build_level);
    Some(Reason::new(ReasonId::PolicyBuilder, &artifact.path, message))
}

/// Where the SBOM of a statement lies: `attestations/X.cyclonedx.sigstore.json` → `sbom/X.cdx.json`.
fn sbom_path(statement: &StatementRef) -> Option<String> {
    let (ending, extension) = match statement.predicate_type.as_str() {
        CYCLONEDX => (".cyclonedx.sigstore.json", "cdx.json"),
        SPDX => (".spdx.sigstore.json", "spdx.json"),
        _ => return None,
    };
    let stem = statement.path.strip_prefix("attestations/")?.strip_suffix(ending);
    // A statement of another name still has to carry one of the listed SBOMs: this path will not be among them.
    Some(format!("sbom/{}.{extension}", stem.unwrap_or(&statement.path)))
}
