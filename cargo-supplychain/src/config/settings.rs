//! The validated settings, with every default filled in.

use std::collections::BTreeMap;

use crate::base::{Location, Timestamp};
use crate::finding::{Area, FailOn, Severity};

/// What `supplychain.toml` says, defaults included; [`Settings::default`] is the policy without a file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// The file, as shown to people; `None` without one.
    pub file: Option<String>,
    pub build: BuildSettings,
    pub release: ReleaseSettings,
    /// `[rules] require = […]`.
    pub require: Vec<Area>,
    /// `[rules]` by rule id.
    pub rules: BTreeMap<String, RuleSetting>,
    pub advisories: AdvisorySettings,
    pub exemptions: Vec<Exemption>,
    pub documents: DocumentSettings,
    pub sign: SignSettings,
    pub verify: VerifySettings,
}

/// `[build]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildSettings {
    pub fail_on: FailOn,
}

/// `[release]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReleaseSettings {
    pub name: Option<String>,
    pub version: Option<String>,
    /// A command (program and arguments) that runs after the build and before signing, in the workspace root.
    pub package: Vec<String>,
    /// Paths or `*` patterns, relative to the workspace root, of files that the command (or anybody) made.
    pub artifacts: Vec<String>,
}

/// What `[rules]` says of one rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleSetting {
    pub level: Option<Level>,
    /// The rule's own list of what is allowed (registry URLs, git URLs, programs).
    pub allow: Vec<String>,
}

/// The level of a rule: its severity, or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Off,
    Severity(Severity),
}

/// `[advisories]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdvisorySettings {
    /// A folder (relative to the workspace root) or a git URL; none: the RustSec repository, through the cache.
    pub database: Option<String>,
    pub max_age: MaxAge,
}

/// How old the advisory database may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxAge {
    Days(u32),
    /// `"none"`: the age is not judged, which is reported.
    Unlimited,
}

impl Default for MaxAge {
    fn default() -> Self {
        Self::Days(7)
    }
}

/// `[[exemptions]]`: a finding that is accepted for a while, for a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemption {
    /// A rule id, or an advisory id (`RUSTSEC-…`, `CVE-…`, `GHSA-…`).
    pub id: String,
    /// Package name; none: any.
    pub package: Option<String>,
    /// Exact version; none: any.
    pub version: Option<String>,
    pub reason: String,
    /// From this instant on it no longer counts.
    pub expires: Timestamp,
    pub location: Location,
}

/// `[documents]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentSettings {
    /// The author of the SBOMs (an organisation or a person); unknown without it, which the documents state.
    pub author: Option<String>,
    /// The supplier of the workspace's own packages.
    pub supplier: Option<String>,
}

/// `[sign]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SignSettings {
    pub method: SignMethod,
    /// Private key PEM; relative to the workspace root. None: the user's own key.
    pub key: Option<String>,
}

/// How statements are signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignMethod {
    /// The configured or the user's own key (keyless where an OIDC identity is at hand comes later).
    #[default]
    Auto,
    Key,
    None,
}

/// `[verify]`: the signer that this user or project trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifySettings {
    /// Public key PEM; relative to the workspace root.
    pub key: Option<String>,
    /// Refuse releases built in a reused target folder.
    pub require_fresh_target: bool,
}
