//! What a verified signature establishes: who signed, where it was logged, and when.

use serde::Serialize;

use super::RootFacts;
use crate::base::{Sha256, Timestamp};

/// A signature that was verified against a trusted root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignatureFacts {
    /// The bundle's file, or where it was fetched from.
    pub bundle: String,
    /// SHA-256 of the bundle's bytes.
    pub sha256: Sha256,
    /// Fingerprint of the key that signed; `None` where an identity did.
    pub key: Option<String>,
    /// `None` for a bundle of a key without log and timestamps: no root was needed.
    pub trusted_root: Option<RootFacts>,
    /// `None` where a key signed.
    pub identity: Option<SignerIdentity>,
    pub logs: Vec<LogRecord>,
    pub times: Vec<SignedTime>,
}

/// Who signed, as the certificate says. The certificate authority vouches for these words, and nobody else: `repository` and what
/// follows are there for workloads of a CI only.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SignerIdentity {
    /// The subject's alternative name: a workflow's URI or an e-mail address.
    pub subject: String,
    /// The OIDC issuer that knew the signer.
    pub issuer: String,
    /// The source repository's URI.
    pub repository: Option<String>,
    /// The host's number of the repository.
    pub repository_id: Option<String>,
    /// The host's number of the repository's owner.
    pub owner_id: Option<String>,
    /// The workflow that the run began with, where it is another than the subject's.
    pub workflow: Option<String>,
    /// `refs/heads/…` or `refs/tags/…` of the source.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    pub commit: Option<String>,
    /// `github-hosted`, `self-hosted`, `gitlab-hosted`, …
    pub runner: Option<String>,
    /// The event that began the run.
    pub trigger: Option<String>,
    /// URI of the run.
    pub run: Option<String>,
}

/// An entry of a transparency log that was found to be in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogRecord {
    /// Base URL of the log, as the trusted root has it.
    pub log: String,
    pub index: u64,
}

/// An instant at which the signature existed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SignedTime {
    pub time: Timestamp,
    pub source: TimeSource,
}

/// Who says when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TimeSource {
    /// The transparency log, in the promise that it signed.
    Log,
    /// A timestamp authority (RFC 3161).
    TimestampAuthority,
}

impl TimeSource {
    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Log => "transparency log",
            Self::TimestampAuthority => "timestamp authority",
        }
    }
}
