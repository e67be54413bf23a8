//! Why something was not verified: ids of docs/verify.md, each with the file that it is about.

use std::fmt;

use serde::Serialize;

use crate::base::text::plain;

/// The reasons of a rejection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReasonId {
    Malformed,
    Missing,
    Pending,
    PayloadType,
    SignatureInvalid,
    WrongSigner,
    WrongIssuer,
    WrongRepository,
    RepositoryIdMismatch,
    WrongWorkflow,
    WrongRef,
    LogInvalid,
    TimeInvalid,
    SubjectDigestMismatch,
    SubjectName,
    PredicateTypeMissing,
    FileMissing,
    FileUnlisted,
    VersionMismatch,
    Superseded,
    PolicyBuilder,
}

impl ReasonId {
    /// Every reason.
    pub const ALL: [Self; 21] = [
        Self::Malformed,
        Self::Missing,
        Self::Pending,
        Self::PayloadType,
        Self::SignatureInvalid,
        Self::WrongSigner,
        Self::WrongIssuer,
        Self::WrongRepository,
        Self::RepositoryIdMismatch,
        Self::WrongWorkflow,
        Self::WrongRef,
        Self::LogInvalid,
        Self::TimeInvalid,
        Self::SubjectDigestMismatch,
        Self::SubjectName,
        Self::PredicateTypeMissing,
        Self::FileMissing,
        Self::FileUnlisted,
        Self::VersionMismatch,
        Self::Superseded,
        Self::PolicyBuilder,
    ];

    /// The id in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "attest/malformed",
            Self::Missing => "attest/missing",
            Self::Pending => "attest/pending",
            Self::PayloadType => "attest/payload-type",
            Self::SignatureInvalid => "attest/signature-invalid",
            Self::WrongSigner => "attest/wrong-signer",
            Self::WrongIssuer => "attest/wrong-issuer",
            Self::WrongRepository => "attest/wrong-repository",
            Self::RepositoryIdMismatch => "attest/repository-id-mismatch",
            Self::WrongWorkflow => "attest/wrong-workflow",
            Self::WrongRef => "attest/wrong-ref",
            Self::LogInvalid => "attest/log-invalid",
            Self::TimeInvalid => "attest/time-invalid",
            Self::SubjectDigestMismatch => "attest/subject-digest-mismatch",
            Self::SubjectName => "attest/subject-name",
            Self::PredicateTypeMissing => "attest/predicate-type-missing",
            Self::FileMissing => "attest/file-missing",
            Self::FileUnlisted => "attest/file-unlisted",
            Self::VersionMismatch => "attest/version-mismatch",
            Self::Superseded => "attest/superseded",
            Self::PolicyBuilder => "attest/policy-builder",
        }
    }

    /// What to do next.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Self::Malformed | Self::PayloadType => "get the release again from its publisher; do not use this copy",
            Self::Missing => "ask the publisher for the attestations, or sign the release with `cargo supplychain build`",
            Self::Pending => "its publisher completes it with `cargo supplychain sign --pending RELEASE`",
            Self::SignatureInvalid | Self::SubjectDigestMismatch | Self::FileMissing | Self::FileUnlisted => {
                "the files are not what was signed: get the release again; do not use this copy"
            }
            Self::WrongSigner => {
                "it is somebody else's: compare the key's fingerprint, or the identity, with the publisher's own words"
            }
            Self::WrongIssuer | Self::WrongRepository | Self::RepositoryIdMismatch => {
                "it is somebody else's: get the file from where its publisher offers it"
            }
            Self::WrongWorkflow => {
                "if the publisher releases by another workflow, name it with `--workflow PATH` or `--workflow OWNER/NAME/PATH`"
            }
            Self::WrongRef => "check which branch, tag or commit the publisher releases from",
            Self::LogInvalid => "the log does not confirm the signature: get the bundle again; do not use this copy",
            Self::TimeInvalid => {
                "no trusted time confirms the signature; a trusted root that is older than the bundle may lack its authority: \
                 give a newer one with `--trusted-root FILE`"
            }
            Self::SubjectName => "give the file the name that was signed, or verify the whole release folder",
            Self::PredicateTypeMissing => "ask the publisher for the missing statement",
            Self::VersionMismatch => "check which version you meant to get: an older one may be offered in its place",
            Self::Superseded => "get a newer version: this one is older than the oldest that is still accepted",
            Self::PolicyBuilder => "ask for a release that was built as the policy asks, or relax the policy",
        }
    }
}

impl fmt::Display for ReasonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ReasonId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One reason of a rejection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Reason {
    /// The file, relative to the release folder; as given for a single file or bundle.
    pub path: String,
    pub id: ReasonId,
    /// What is the case, a lower-case fragment.
    pub message: String,
}

impl Reason {
    pub(super) fn new(id: ReasonId, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), id, message: message.into() }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", plain(&self.path), plain(&self.message), self.id)
    }
}

/// Not verified: at least one reason, by path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    reasons: Vec<Reason>,
}

impl Rejection {
    /// `Err` when there is a reason.
    pub(super) fn unless_empty(mut reasons: Vec<Reason>) -> Result<(), Self> {
        reasons.sort();
        reasons.dedup();
        if reasons.is_empty() { Ok(()) } else { Err(Self { reasons }) }
    }

    /// The reasons, sorted by path; never empty.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        Self { reasons: vec![reason] }
    }
}

impl From<Vec<Reason>> for Rejection {
    /// `reasons` is not empty.
    fn from(mut reasons: Vec<Reason>) -> Self {
        reasons.sort();
        Self { reasons }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, reason) in self.reasons.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Rejection {}
