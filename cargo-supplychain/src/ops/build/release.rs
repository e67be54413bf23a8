//! The release folder: documents, statements, signatures, list, and the verification of all of it before it appears.

use camino::Utf8PathBuf;

use super::compile::Compiled;
use super::{Outcome, Released};
use crate::advisory::FeedInfo;
use crate::archive::folder::Staging;
use crate::attest::{self, PublicKey, Statement};
use crate::base::text::counted;
use crate::base::{Context, Sha256};
use crate::check::rules;
use crate::collect::release_folder;
use crate::document::{self, Document, sarif::RuleInfo, verify_guide};
use crate::finding::Report;
use crate::model::release::{FORMAT_VERSION, FileRole, ReleaseFile, ReleaseManifest, Signing, StatementRef};
use crate::model::{Artifact, Build};
use crate::ops::gather::Gathered;
use crate::ops::progress::Stage;
use crate::ops::{Class, Error, Interrupt, Progress};
use crate::sign::{self, Signer as _, key::KeySigner};
use crate::verify::{self, VerificationPolicy, Verified};

/// What a release is written from.
pub(super) struct Input<'a> {
    pub gathered: &'a Gathered,
    pub report: Report,
    pub feeds: Vec<FeedInfo>,
    pub signer: Option<&'a KeySigner>,
}

pub(super) fn write(
    context: &Context,
    input: Input<'_>,
    compiled: Compiled<'_>,
    interrupt: &Interrupt,
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    let Compiled { build, staging } = compiled;
    let stage = Stage::begin(progress, "describe", &counted(build.artifacts.len(), "artifact"));
    let mut writer = Writer { staging: &staging, files: artifact_files(&build) };
    let statements = writer.documents(&input, &build)?;
    stage.end(progress, &counted(writer.files.len() - build.artifacts.len(), "document"));

    let stage =
        Stage::begin(progress, "sign", &input.signer.map_or_else(|| "nothing (no signer)".to_owned(), KeySigner::describe));
    let manifest = writer.finish(context, &input, &build, &statements)?;
    stage.end(progress, &counted(if input.signer.is_some() { statements.len() + 1 } else { 0 }, "statement"));

    let stage = Stage::begin(progress, "verify", "our own output, as a reader would");
    let (pinned, key) = expected_signer(&input)?;
    let verified = key.map(|key| verify_own(&staging, key)).transpose()?;
    stage.end(progress, &verification_outcome(verified.as_ref(), pinned));

    let folder = {
        // Under the lock no interruption can come between the rename and the end of its bookkeeping.
        let mut state = interrupt.lock();
        state.staging = None;
        staging.commit()?
    };
    Ok(Outcome::Released(Box::new(Released {
        report: input.report,
        build,
        folder,
        manifest,
        verified,
        signer: input.signer.map(KeySigner::describe),
        public_key: input.signer.map(|signer| sign::key::public_path(signer.path())).filter(|path| path.is_file()),
        signer_is_pinned: pinned,
    })))
}

fn verification_outcome(verified: Option<&Verified>, pinned: bool) -> String {
    match verified {
        None => "unsigned: nothing to verify".to_owned(),
        Some(verified) => {
            let note = if pinned { "" } else { "; signer not pinned" };
            format!("{}, {}{note}", counted(verified.files(), "file"), counted(verified.statements(), "statement"))
        }
    }
}

fn artifact_files(build: &Build) -> Vec<ReleaseFile> {
    let file = |artifact: &Artifact| {
        let file = artifact.file.as_ref()?;
        Some(ReleaseFile {
            path: format!("artifacts/{}", file.name),
            role: FileRole::Artifact,
            media_type: "application/octet-stream".to_owned(),
            size: file.size,
            sha256: file.sha256,
        })
    };
    build.artifacts.iter().filter_map(file).collect()
}

/// A statement that is going to be signed, and where its bundle will lie.
struct Planned {
    bundle: String,
    predicate_type: &'static str,
    subject: String,
    bytes: Vec<u8>,
}

struct Writer<'a> {
    staging: &'a Staging<'a>,
    files: Vec<ReleaseFile>,
}

impl Writer<'_> {
    fn add(&mut self, role: FileRole, document: &Document) -> Result<(), Error> {
        let (size, sha256) = self.staging.write(&document.path, &document.bytes)?;
        let media_type = document.media_type.to_owned();
        self.files.push(ReleaseFile { path: document.path.clone(), role, media_type, size, sha256 });
        Ok(())
    }

    /// Writes SBOMs, reports and evidence, and makes the statements.
    fn documents(&mut self, input: &Input<'_>, build: &Build) -> Result<Vec<Planned>, Error> {
        let settings = &input.gathered.settings.documents;
        let provenance = document::provenance::predicate(build, &input.report);
        let mut statements = Vec::new();
        for artifact in &build.artifacts {
            let cyclonedx = document::cyclonedx::document(build, artifact, settings).map_err(|error| Error::usage(&error))?;
            let spdx = document::spdx::document(build, artifact, settings).map_err(|error| Error::usage(&error))?;
            statements.push(statement(artifact, "provenance", attest::PROVENANCE, provenance.clone()));
            statements.push(statement(artifact, "cyclonedx", attest::CYCLONEDX, json(&cyclonedx)));
            statements.push(statement(artifact, "spdx", attest::SPDX, json(&spdx)));
            self.add(FileRole::Sbom, &cyclonedx)?;
            self.add(FileRole::Sbom, &spdx)?;
        }
        self.add(FileRole::Report, &document::report::document(&input.report))?;
        self.add(FileRole::Report, &document::sarif::document(&input.report, &rule_infos()))?;
        self.add(FileRole::Notice, &document::notice::document(build))?;
        self.add(FileRole::Evidence, &document::evidence::build(build))?;
        self.add(FileRole::Evidence, &document::evidence::feeds(&input.feeds))?;
        let evidence =
            |path: &str, media_type, bytes: &[u8]| Document { path: path.to_owned(), media_type, bytes: bytes.to_vec() };
        self.add(FileRole::Evidence, &evidence("evidence/Cargo.lock", "text/plain", &input.gathered.lock_bytes))?;
        if let Some(policy) = &input.gathered.policy {
            self.add(FileRole::Evidence, &evidence("evidence/supplychain.toml", "application/toml", policy))?;
        }
        if let Some(pem) = input.signer.and_then(KeySigner::public_key_pem) {
            self.add(FileRole::Evidence, &evidence("evidence/signer.pub", "application/x-pem-file", pem.as_bytes()))?;
        }
        Ok(statements)
    }

    /// Signs, and writes what lists everything else: `VERIFY.md`, `release.json`, its statement, `SHA256SUMS`.
    fn finish(
        &mut self,
        context: &Context,
        input: &Input<'_>,
        build: &Build,
        statements: &[Planned],
    ) -> Result<ReleaseManifest, Error> {
        let signing = if input.signer.is_some() { Signing::Signed } else { Signing::Unsigned };
        self.add(FileRole::Guide, &guide(input, build, statements, signing))?;
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        let reference = |planned: &Planned| StatementRef {
            path: planned.bundle.clone(),
            predicate_type: planned.predicate_type.to_owned(),
            subject: planned.subject.clone(),
            sha256: Sha256::of(&planned.bytes),
        };
        let mut references: Vec<_> = statements.iter().map(reference).collect();
        references.sort_by(|a, b| a.path.cmp(&b.path));
        let manifest = ReleaseManifest {
            format_version: FORMAT_VERSION,
            name: build.name.clone(),
            version: build.version.clone(),
            target: build.invocation.target.clone(),
            created: context.stamp,
            tool: concat!("cargo-supplychain ", env!("CARGO_PKG_VERSION")).to_owned(),
            signing,
            files: self.files.clone(),
            statements: if input.signer.is_some() { references } else { Vec::new() },
        };
        let list = document::release::manifest(&manifest);
        self.staging.write(&list.path, &list.bytes)?;
        let mut sums: std::collections::BTreeMap<_, _> = self.files.iter().map(|file| (file.path.clone(), file.sha256)).collect();
        sums.insert(list.path.clone(), Sha256::of(&list.bytes));
        if let Some(signer) = input.signer {
            for planned in statements {
                let (_, sha256) = self.staging.write(&planned.bundle, &signer.sign(&planned.bytes)?)?;
                sums.insert(planned.bundle.clone(), sha256);
            }
            let release = Statement::release(&list.bytes, &manifest.name, &manifest.version, &manifest.target);
            let (_, sha256) = self.staging.write(attest::RELEASE_BUNDLE, &signer.sign(&release.to_bytes())?)?;
            sums.insert(attest::RELEASE_BUNDLE.to_owned(), sha256);
        }
        self.staging.write(attest::SHA256SUMS, attest::sha256sums(&sums).as_bytes())?;
        Ok(manifest)
    }
}

fn statement(artifact: &Artifact, what: &str, predicate_type: &'static str, predicate: serde_json::Value) -> Planned {
    let file = artifact.file.as_ref().expect("a completed build's artifacts have files");
    let bytes = Statement::new(file.name.clone(), file.sha256, predicate_type, predicate).to_bytes();
    Planned {
        bundle: format!("attestations/{}.{what}.sigstore.json", artifact.name),
        predicate_type,
        subject: format!("artifacts/{}", file.name),
        bytes,
    }
}

/// The predicate is the document itself.
fn json(document: &Document) -> serde_json::Value {
    serde_json::from_slice(&document.bytes).expect("our own JSON documents are JSON")
}

/// What SARIF says of the rules.
pub fn rule_infos() -> Vec<RuleInfo<'static>> {
    let info = |rule: &&'static crate::check::Rule| RuleInfo {
        id: rule.id,
        summary: rule.summary,
        docs: rule.docs,
        severity: rule.severity,
    };
    rules::ALL.iter().map(info).collect()
}

fn guide(input: &Input<'_>, build: &Build, statements: &[Planned], signing: Signing) -> Document {
    let artifacts: Vec<_> = build
        .artifacts
        .iter()
        .filter_map(|artifact| artifact.file.as_ref())
        .map(|file| format!("artifacts/{}", file.name))
        .collect();
    let attestations: Vec<_> = statements
        .iter()
        .filter(|_| input.signer.is_some())
        .map(|planned| verify_guide::Attestation {
            bundle: &planned.bundle,
            predicate_type: planned.predicate_type,
            subject: &planned.subject,
        })
        .collect();
    verify_guide::document(&verify_guide::Guide {
        name: &build.name,
        version: &build.version,
        target: &build.invocation.target,
        signing,
        key: input.signer.map(|signer| signer.public_key().sha256()),
        artifacts: &artifacts,
        attestations: &attestations,
    })
}

/// Who has to have signed: `[verify] key` where the policy pins one, else the key that has just signed, which proves the bytes but
/// not the person.
fn expected_signer(input: &Input<'_>) -> Result<(bool, Option<PublicKey>), Error> {
    let Some(signer) = input.signer else { return Ok((false, None)) };
    match &input.gathered.settings.verify.key {
        Some(path) => Ok((true, Some(sign::read_public_key(&input.gathered.workspace.root.join(path))?))),
        None => Ok((false, Some(signer.public_key().clone()))),
    }
}

fn verify_own(staging: &Staging<'_>, key: PublicKey) -> Result<Verified, Error> {
    let path: Utf8PathBuf = staging.path().to_owned();
    let contents = release_folder::read(&path).map_err(|error| Error::new(Class::Output, &error))?;
    verify::release(&contents, &VerificationPolicy::new(key)).map_err(|rejection| {
        let why = rejection.reasons().first().map(ToString::to_string).unwrap_or_default();
        Error::new(Class::Rejected, &format!("the release that was just written does not verify: {why}"))
            .with_help("nothing was released; if [verify] key names another signer, sign with that key (--key)")
    })
}
