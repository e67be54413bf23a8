//! The release folder: documents, statements, signatures, list, and the verification of all of it before it appears.

use camino::Utf8PathBuf;

use super::compile::Compiled;
use super::{Outcome, Released};
use crate::advisory::FeedInfo;
use crate::archive::folder::Staging;
use crate::attest::{self, Statement, pending_path};
use crate::base::text::counted;
use crate::base::{Context, Sha256};
use crate::check::rules;
use crate::collect::release_folder;
use crate::config::{SbomFormat, Settings};
use crate::document::sbom::Subject;
use crate::document::vex;
use crate::document::{self, Document, sarif::RuleInfo, verify_guide};
use crate::finding::Report;
use crate::model::release::{FORMAT_VERSION, FileRole, ReleaseFile, ReleaseManifest, Signing, StatementRef};
use crate::model::{Artifact, Build};
use crate::ops::gather::Gathered;
use crate::ops::progress::Stage;
use crate::ops::sbom::{licence_texts, support_end};
use crate::ops::signer::{self, Chosen, Expected, Statements};
use crate::ops::{Class, Error, Interrupt, Progress};
use crate::verify::{self, Verified};

/// What a release is written from.
pub(super) struct Input<'a> {
    pub gathered: &'a Gathered,
    pub report: Report,
    pub feeds: Vec<FeedInfo>,
    pub signer: Option<&'a Chosen>,
}

pub(super) fn write(
    context: &Context,
    input: Input<'_>,
    compiled: Compiled<'_>,
    interrupt: &Interrupt,
    progress: &mut dyn Progress,
) -> Result<Outcome, Error> {
    let Compiled { build, staging, .. } = compiled;
    let stage = Stage::begin(progress, "describe", &counted(build.artifacts.len(), "artifact"));
    let mut writer = Writer { staging: &staging, files: artifact_files(&build) };
    let statements = writer.documents(context, &input, &build)?;
    stage.end(progress, &counted(writer.files.len() - build.artifacts.len(), "document"));

    let who = input.signer.map_or_else(|| "nothing (no signer)".to_owned(), |chosen| chosen.signer.describe());
    let stage = Stage::begin(progress, "sign", &who);
    let mut signing = Statements::new(input.signer);
    let manifest = writer.finish(context, &input, &build, &statements, &mut signing)?;
    stage.end(progress, &signing_outcome(&manifest));

    let stage = Stage::begin(progress, "verify", "our own output, as a reader would");
    let expected = expected_signer(&input)?;
    let pinned = expected.as_ref().is_some_and(|expected| expected.is_pinned);
    let (verified, outcome) = verify_own(&staging, expected.filter(|_| manifest.signing == Signing::Signed))?;
    stage.end(progress, &outcome);

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
        outage: signing.outage().map(str::to_owned),
        signer: input.signer.map(|chosen| chosen.signer.describe()),
        identity: input.signer.and_then(|chosen| chosen.signer.identity()),
        public_key: input.signer.and_then(|chosen| chosen.public_key.clone()),
        signer_is_pinned: pinned,
        archived: None,
    })))
}

fn signing_outcome(manifest: &ReleaseManifest) -> String {
    let statements = counted(manifest.statements.len() + 1, "statement");
    match manifest.signing {
        Signing::Signed => statements,
        Signing::Pending | Signing::Unsigned => format!("{statements}, pending"),
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
    fn documents(&mut self, context: &Context, input: &Input<'_>, build: &Build) -> Result<Vec<Planned>, Error> {
        let settings = &input.gathered.settings;
        let support = support_end(settings, build, context);
        let texts = licence_texts(input.gathered.planned()?, build);
        let provenance = document::provenance::predicate(build, &input.report);
        let mut statements = Vec::new();
        for artifact in &build.artifacts {
            let sbom = |format| {
                let subject = Subject::new(format, build, artifact, &settings.documents);
                let subject = Subject { is_signed: input.signer.is_some(), support, texts: Some(&texts), ..subject };
                subject.document().map_err(|error| Error::usage(&error))
            };
            let [cyclonedx, spdx] = SbomFormat::ALWAYS.map(sbom);
            let (cyclonedx, spdx) = (cyclonedx?, spdx?);
            statements.push(statement(artifact, "provenance", attest::PROVENANCE, provenance.clone()));
            statements.push(statement(artifact, "cyclonedx", attest::CYCLONEDX, json(&cyclonedx)));
            statements.push(statement(artifact, "spdx", attest::SPDX, json(&spdx)));
            self.add(FileRole::Sbom, &cyclonedx)?;
            self.add(FileRole::Sbom, &spdx)?;
            for &format in &settings.documents.formats {
                self.add(FileRole::Sbom, &sbom(format)?)?;
            }
        }
        self.add(FileRole::Report, &document::report::document(&input.report))?;
        self.add(FileRole::Report, &document::sarif::document(&input.report, &rule_infos()))?;
        self.vex(context, settings, build)?;
        self.add(FileRole::Notice, &document::notice::document(build, &texts))?;
        self.add(FileRole::Evidence, &document::evidence::build(build))?;
        self.add(FileRole::Evidence, &document::evidence::feeds(&input.feeds))?;
        let evidence =
            |path: &str, media_type, bytes: &[u8]| Document { path: path.to_owned(), media_type, bytes: bytes.to_vec() };
        self.add(FileRole::Evidence, &evidence("evidence/Cargo.lock", "text/plain", &input.gathered.lock_bytes))?;
        if let Some(policy) = &input.gathered.policy {
            self.add(FileRole::Evidence, &evidence("evidence/supplychain.toml", "application/toml", policy))?;
        }
        let signer = input.signer.map(|chosen| &chosen.signer);
        if let Some(pem) = signer.and_then(|signer| Some(signer.public_key()?.to_pem())) {
            self.add(FileRole::Evidence, &evidence("evidence/signer.pub", "application/x-pem-file", pem.as_bytes()))?;
        }
        if let Some(root) = signer.and_then(|signer| signer.trusted_root()) {
            self.add(FileRole::Evidence, &evidence("evidence/trusted_root.json", "application/json", root))?;
        }
        Ok(statements)
    }

    /// What was decided about vulnerabilities of what is released, where there is such a decision: the format has no empty document.
    fn vex(&mut self, context: &Context, settings: &Settings, build: &Build) -> Result<(), Error> {
        let released = vex::Released::of(build);
        let statements = vex::Statements::new(&released, &settings.documents, &settings.vex, context.now);
        if statements.is_empty() { Ok(()) } else { self.add(FileRole::Report, &vex::openvex(&statements)) }
    }

    /// Signs, and writes what lists everything else: `VERIFY.md`, `release.json`, its statement, `SHA256SUMS`.
    fn finish(
        &mut self,
        context: &Context,
        input: &Input<'_>,
        build: &Build,
        statements: &[Planned],
        signing: &mut Statements<'_>,
    ) -> Result<ReleaseManifest, Error> {
        let mut bundles = Vec::new();
        for planned in statements {
            bundles.push((planned.bundle.as_str(), planned.bytes.clone(), signing.sign(&planned.bytes)?));
        }
        let state = |signing: &Statements<'_>| match (input.signer, signing.outage()) {
            (None, _) => Signing::Unsigned,
            (Some(_), Some(_)) => Signing::Pending,
            (Some(_), None) => Signing::Signed,
        };
        let before = state(signing);
        let mut lists = self.lists(context, input, build, statements, before);
        let mut bundle = signing.sign(&lists.statement)?;
        if state(signing) != before {
            // The last signature failed: what it was over says otherwise.
            lists = self.lists(context, input, build, statements, state(signing));
            bundle = None;
        }
        bundles.push((attest::RELEASE_BUNDLE, lists.statement, bundle));
        let Document { path, bytes, .. } = &lists.guide;
        self.staging.write(path, bytes)?;
        self.staging.write(&lists.list.path, &lists.list.bytes)?;
        let files = lists.manifest.files.iter().map(|file| (file.path.clone(), file.sha256));
        let mut sums: std::collections::BTreeMap<_, _> = files.collect();
        sums.insert(lists.list.path.clone(), Sha256::of(&lists.list.bytes));
        for (place, statement, bundle) in bundles {
            let (place, bytes) = match bundle {
                Some(bundle) => (place.to_owned(), bundle),
                None => (pending_path(place), statement),
            };
            let (_, sha256) = self.staging.write(&place, &bytes)?;
            sums.insert(place, sha256);
        }
        self.staging.write(attest::SHA256SUMS, attest::sha256sums(&sums).as_bytes())?;
        Ok(lists.manifest)
    }

    /// What lists everything else, for this state of the signatures. Writes nothing.
    fn lists(&self, context: &Context, input: &Input<'_>, build: &Build, statements: &[Planned], signing: Signing) -> Lists {
        let guide = guide(input, build, statements, signing);
        let mut files = self.files.clone();
        files.push(ReleaseFile {
            path: guide.path.clone(),
            role: FileRole::Guide,
            media_type: guide.media_type.to_owned(),
            size: guide.bytes.len() as u64,
            sha256: Sha256::of(&guide.bytes),
        });
        files.sort_by(|a, b| a.path.cmp(&b.path));
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
            files,
            statements: references,
        };
        let list = document::release::manifest(&manifest);
        let statement = Statement::release(&list.bytes, &manifest.name, &manifest.version, &manifest.target).to_bytes();
        Lists { guide, manifest, list, statement }
    }
}

/// `VERIFY.md`, `release.json`, and the statement about it.
struct Lists {
    guide: Document,
    manifest: ReleaseManifest,
    list: Document,
    statement: Vec<u8>,
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
        .map(|planned| verify_guide::Attestation {
            bundle: &planned.bundle,
            predicate_type: planned.predicate_type,
            subject: &planned.subject,
        })
        .collect();
    let identity = input.signer.and_then(|chosen| chosen.signer.identity());
    verify_guide::document(&verify_guide::Guide {
        name: &build.name,
        version: &build.version,
        target: &build.invocation.target,
        signing,
        signer: match (input.signer.and_then(|chosen| chosen.signer.public_key()), &identity) {
            (Some(key), _) => verify_guide::Signer::Key(key.sha256()),
            (None, Some(identity)) => verify_guide::Signer::Identity { name: &identity.name, issuer: &identity.issuer },
            (None, None) => verify_guide::Signer::Unknown,
        },
        artifacts: &artifacts,
        attestations: &attestations,
    })
}

/// Who has to have signed; none where nobody did.
fn expected_signer(input: &Input<'_>) -> Result<Option<Expected>, Error> {
    let Some(chosen) = input.signer else { return Ok(None) };
    signer::expected(chosen, &input.gathered.settings, &input.gathered.workspace.root)
}

/// Verifies what is in the staging folder as `verify` would, and in words what that proved. Unsigned: everything but the signatures.
fn verify_own(staging: &Staging<'_>, expected: Option<Expected>) -> Result<(Option<Verified>, String), Error> {
    let path: Utf8PathBuf = staging.path().to_owned();
    let contents = release_folder::read(&path).map_err(|error| Error::new(Class::Output, &error))?;
    let rejected = |rejection: verify::Rejection| {
        let why = rejection.reasons().first().map(ToString::to_string).unwrap_or_default();
        Error::new(Class::Rejected, &format!("the release that was just written does not verify: {why}"))
            .with_help("nothing was released; if [verify] names another signer, sign as that one")
    };
    let Some(Expected { policy, is_pinned }) = expected else {
        let complete = verify::unsigned(&contents).map_err(rejected)?;
        let (files, pending) = (complete.manifest().files.len(), complete.pending().len());
        let outcome = format!("{}; {} pending: nothing is proved", counted(files, "file"), counted(pending, "statement"));
        return Ok((None, outcome));
    };
    let verified = verify::release(&contents, &policy).map_err(rejected)?;
    let note = if is_pinned { "" } else { "; signer not pinned" };
    let outcome = format!("{}, {}{note}", counted(verified.files(), "file"), counted(verified.statements(), "statement"));
    Ok((Some(verified), outcome))
}
