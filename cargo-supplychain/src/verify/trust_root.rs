//! Trusted roots: which certificate authorities, logs and timestamp authorities count (`sigstore_trustroot.proto` of
//! <https://github.com/sigstore/protobuf-specs>). Comes from outside what is verified: embedded in this program, or a file of the user's.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use serde_json::Value;
use sigstore_trust_root::{SIGSTORE_GITHUB_TRUSTED_ROOT, SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::Verifier;

use crate::attest::strict_json;
use crate::base::{Sha256, Timestamp};

/// Largest file of trusted roots that is read.
pub const MAX_TRUSTED_ROOT_BYTES: usize = 4 * 1024 * 1024;
/// Most roots in one file, one a line.
const MAX_ROOTS: usize = 16;
const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.trustedroot";

/// The text is no trusted root; a fragment says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidTrustRoot(pub String);

impl fmt::Display for InvalidTrustRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a trusted root that can be used: {}", self.0)
    }
}

impl std::error::Error for InvalidTrustRoot {}

/// Which root a signature was verified against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RootFacts {
    /// `sigstore.dev` and `github.com` for those of the public instances, else the URL of the repository or the file's path.
    pub name: String,
    /// SHA-256 of the root's JSON as it was read.
    pub sha256: Sha256,
    pub source: RootSource,
    /// The last instant at which it is known to have been the newest; of a file it is not known.
    pub current_until: Option<Timestamp>,
    /// When the youngest of its keys and certificates began to count: it is at least as young as this.
    pub newest: Option<Timestamp>,
}

/// Where a root came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootSource {
    /// With this program.
    Embedded,
    /// From its publisher's repository, by The Update Framework.
    Tuf,
    /// A file that the user named.
    File,
}

impl RootSource {
    /// For people.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Tuf => "renewed",
            Self::File => "a file",
        }
    }
}

/// The instances of which a root is embedded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicInstance {
    /// Sigstore's public good instance.
    Sigstore,
    /// GitHub's own, for private repositories.
    GitHub,
}

/// When the embedded roots were the newest: the release of `sigstore-trust-root` that they came with, 0.15.1 (2026-10-23).
const EMBEDDED_AS_OF: i64 = 1_792_713_600;

/// One root, its keys and certificates parsed and found sound.
pub(super) struct Root {
    pub(super) facts: RootFacts,
    pub(super) verifier: Verifier,
    pub(super) parsed: TrustedRoot,
    /// The JSON as it was read, so that it can be kept beside what was verified by it.
    document: Arc<[u8]>,
    /// Base URL of each log by its id.
    pub(super) logs: BTreeMap<Vec<u8>, String>,
}

impl Root {
    /// Whether a log entry has to be there: where the root names logs.
    pub(super) fn needs_log(&self) -> bool {
        !self.parsed.tlogs.is_empty()
    }

    /// Whether the certificate has to be in a certificate log: where the root names such logs.
    pub(super) fn needs_sct(&self) -> bool {
        !self.parsed.ctlogs.is_empty()
    }

    /// The certificates of its authorities, as DER.
    pub(super) fn has_certificate(&self, der: &[u8]) -> bool {
        let chains = self.parsed.certificate_authorities.iter().flat_map(|authority| &authority.cert_chain.certificates);
        chains.into_iter().any(|certificate| certificate.raw_bytes.as_bytes() == der)
    }
}

impl Root {
    /// Whether one of its timestamp authorities holds this certificate, as DER.
    pub(super) fn has_timestamp_certificate(&self, der: &[u8]) -> bool {
        let chains = self.parsed.timestamp_authorities.iter().flat_map(|authority| &authority.cert_chain.certificates);
        chains.into_iter().any(|certificate| certificate.raw_bytes.as_bytes() == der)
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts.fmt(f)
    }
}

/// The roots of one verification. A bundle has to satisfy one of them as a whole: what a root names (logs, certificate logs)
/// is required of bundles under its authorities.
#[derive(Debug, Clone)]
pub struct TrustRoots(Vec<Arc<Root>>);

impl TrustRoots {
    /// The roots that came with this program: Sigstore's public instance, and GitHub's own for private repositories.
    #[must_use]
    pub fn embedded() -> Self {
        Self::joined([Self::embedded_of(PublicInstance::Sigstore), Self::embedded_of(PublicInstance::GitHub)])
    }

    /// The root of one of them that came with this program.
    ///
    /// # Panics
    /// Never: a test reads both.
    #[must_use]
    pub fn embedded_of(instance: PublicInstance) -> Self {
        static ROOTS: OnceLock<[Arc<Root>; 2]> = OnceLock::new();
        let parse = |name: &str, text: &str| {
            let mut root = root(name, text.as_bytes()).expect("the embedded root is one");
            root.facts.source = RootSource::Embedded;
            root.facts.current_until = Timestamp::from_unix(EMBEDDED_AS_OF);
            Arc::new(root)
        };
        let [sigstore, github] = ROOTS.get_or_init(|| {
            [parse("sigstore.dev", SIGSTORE_PRODUCTION_TRUSTED_ROOT), parse("github.com", SIGSTORE_GITHUB_TRUSTED_ROOT)]
        });
        Self(vec![Arc::clone(if instance == PublicInstance::Sigstore { sigstore } else { github })])
    }

    /// A root that its publisher's repository vouched for until `current_until`.
    ///
    /// # Errors
    /// Why it is none.
    pub fn renewed(name: &str, bytes: &[u8], current_until: Timestamp) -> Result<Self, InvalidTrustRoot> {
        if bytes.len() > MAX_TRUSTED_ROOT_BYTES {
            return Err(InvalidTrustRoot(format!("larger than {MAX_TRUSTED_ROOT_BYTES} bytes")));
        }
        let mut root = root(name, bytes)?;
        root.facts.source = RootSource::Tuf;
        root.facts.current_until = Some(current_until);
        Ok(Self(vec![Arc::new(root)]))
    }

    /// All of these, in their order: a bundle has to satisfy one of them.
    #[must_use]
    pub fn joined(all: impl IntoIterator<Item = Self>) -> Self {
        Self(all.into_iter().flat_map(|roots| roots.0).collect())
    }

    /// What is to be said of each.
    pub fn facts(&self) -> impl Iterator<Item = &RootFacts> {
        self.iter().map(|root| &root.facts)
    }

    /// Reads `trusted_root.json`, or several roots as JSON lines (the form of `gh attestation trusted-root`). `name` is shown to people.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, InvalidTrustRoot> {
        if bytes.len() > MAX_TRUSTED_ROOT_BYTES {
            return Err(InvalidTrustRoot(format!("larger than {MAX_TRUSTED_ROOT_BYTES} bytes")));
        }
        let whole = root(name, bytes);
        let is_line = |line: &&[u8]| !line.trim_ascii().is_empty();
        let lines: Vec<_> = bytes.split(|&byte| byte == b'\n').filter(is_line).take(MAX_ROOTS + 1).collect();
        match whole {
            Ok(root) => Ok(Self(vec![Arc::new(root)])),
            Err(error) if lines.len() < 2 || !lines.iter().all(|line| line.trim_ascii().starts_with(b"{\"")) => Err(error),
            Err(_) if lines.len() > MAX_ROOTS => Err(InvalidTrustRoot(format!("more than {MAX_ROOTS} roots"))),
            Err(_) => Ok(Self(lines.into_iter().map(|line| root(name, line).map(Arc::new)).collect::<Result<_, _>>()?)),
        }
    }

    /// The JSON of each as it was read, and its digest.
    pub fn documents(&self) -> impl Iterator<Item = (Sha256, &[u8])> {
        self.0.iter().map(|root| (root.facts.sha256, &*root.document))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Root> {
        self.0.iter().map(AsRef::as_ref)
    }
}

fn root(name: &str, bytes: &[u8]) -> Result<Root, InvalidTrustRoot> {
    let invalid = |why: String| InvalidTrustRoot(crate::base::text::plain(&why).to_string());
    let value = strict_json::parse_within(bytes, 100_000).map_err(|error| invalid(error.to_string()))?;
    let media_type = value.get("mediaType").and_then(Value::as_str).unwrap_or_default();
    if !media_type.starts_with(MEDIA_TYPE) {
        return Err(invalid(format!("its media type is {media_type:?}, expected {MEDIA_TYPE}…")));
    }
    let parsed: TrustedRoot = serde_json::from_value(value).map_err(|error| invalid(error.to_string()))?;
    if parsed.certificate_authorities.is_empty() && parsed.tlogs.is_empty() {
        return Err(invalid("it names neither a certificate authority nor a log".into()));
    }
    let verifier = Verifier::new(&parsed).map_err(|error| invalid(error.to_string()))?;
    let logs = parsed.tlogs.iter().map(|log| (log.log_id.key_id.as_bytes().to_vec(), log.base_url.clone())).collect();
    let facts = RootFacts {
        name: name.to_owned(),
        sha256: Sha256::of(bytes),
        source: RootSource::File,
        current_until: None,
        newest: newest(&parsed),
    };
    Ok(Root { facts, verifier, parsed, document: bytes.into(), logs })
}

fn newest(root: &TrustedRoot) -> Option<Timestamp> {
    let keys =
        root.tlogs.iter().map(|log| log.public_key.valid_for).chain(root.ctlogs.iter().map(|log| log.public_key.valid_for));
    let authorities = root.certificate_authorities.iter().map(|one| one.valid_for);
    let stamps = root.timestamp_authorities.iter().map(|one| one.valid_for);
    let starts = keys.chain(authorities).chain(stamps).flatten().map(|range| range.start.as_second());
    starts.max().and_then(Timestamp::from_unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_roots_can_be_used() {
        let roots = TrustRoots::embedded();
        let facts: Vec<_> = roots.iter().map(|root| (root.facts.name.as_str(), root.needs_log(), root.needs_sct())).collect();
        assert_eq!(facts, [("sigstore.dev", true, true), ("github.com", false, false)]);
        let as_of = "2026-10-23".parse().ok();
        assert!(roots.facts().all(|facts| facts.newest > "2025-01-01".parse().ok() && facts.newest < as_of));
        assert!(roots.facts().all(|facts| facts.source == RootSource::Embedded && facts.current_until == as_of));
    }

    #[test]
    fn files_hold_one_root_or_several_lines() {
        let one = SIGSTORE_PRODUCTION_TRUSTED_ROOT;
        assert_eq!(TrustRoots::parse("file", one.as_bytes()).unwrap().iter().count(), 1);
        let line = |text: &str| serde_json::from_str::<Value>(text).unwrap().to_string();
        let both = format!("{}\n{}\n", line(one), line(SIGSTORE_GITHUB_TRUSTED_ROOT));
        assert_eq!(TrustRoots::parse("file", both.as_bytes()).unwrap().iter().count(), 2);
        let media_type = "application/vnd.dev.sigstore.trustedroot+json;version=0.1";
        for bad in [
            String::new(),
            "{}".into(),
            format!("{}\n{{\"x\":1}}\n", line(one)),
            one.replace(media_type, "application/json"),
            one.replace("\"rawBytes\": \"MF", "\"rawBytes\": \"AA"),
            format!(r#"{{"mediaType":"{media_type}"}}"#),
            format!("{}\n", line(SIGSTORE_GITHUB_TRUSTED_ROOT)).repeat(MAX_ROOTS + 1),
        ] {
            assert!(TrustRoots::parse("file", bad.as_bytes()).is_err(), "{}", &bad[..bad.len().min(80)]);
        }
    }
}
