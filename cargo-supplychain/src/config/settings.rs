//! The validated settings, with every default filled in.

use std::collections::BTreeMap;

use super::archive::SupportedReleases;
use super::licences::LicenceSettings;
use super::sandbox::SandboxSettings;
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
    pub registry: RegistrySettings,
    pub bans: Vec<Ban>,
    pub licences: LicenceSettings,
    pub exemptions: Vec<Exemption>,
    pub sandbox: SandboxSettings,
    pub documents: DocumentSettings,
    pub sign: SignSettings,
    pub verify: VerifySettings,
    /// `[archive] supported`.
    pub supported: SupportedReleases,
}

/// `[build]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSettings {
    pub fail_on: FailOn,
    /// Give the machine's folders fixed names in what is compiled.
    pub remap_paths: bool,
}

impl Default for BuildSettings {
    fn default() -> Self {
        Self { fail_on: FailOn::default(), remap_paths: true }
    }
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
    /// The rule's own options, by name; each is one of its [`RuleOption`]s.
    pub options: BTreeMap<String, OptionValue>,
}

/// The value of a rule's option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    List(Vec<String>),
    Number(u32),
    Word(String),
}

/// What kind of value an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// A list of strings.
    List,
    /// A whole number from 0.
    Number,
    /// One of these words; the first is the default.
    Word(&'static [&'static str]),
}

/// An option that `[rules]` can set for a rule, besides its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleOption {
    pub name: &'static str,
    pub kind: OptionKind,
    /// What it lists or counts, and its default.
    pub says: &'static str,
}

impl RuleOption {
    /// `allow = […]`: what the rule accepts.
    #[must_use]
    pub const fn allow(says: &'static str) -> Self {
        Self::list("allow", says)
    }

    #[must_use]
    pub const fn list(name: &'static str, says: &'static str) -> Self {
        Self { name, kind: OptionKind::List, says }
    }

    #[must_use]
    pub const fn number(name: &'static str, says: &'static str) -> Self {
        Self { name, kind: OptionKind::Number, says }
    }

    /// `words` are what it takes, the default first.
    #[must_use]
    pub const fn word(name: &'static str, words: &'static [&'static str], says: &'static str) -> Self {
        Self { name, kind: OptionKind::Word(words), says }
    }
}

impl Settings {
    /// The list that `[rules]` gives this option of a rule; empty when it gives none.
    #[must_use]
    pub fn list(&self, rule: &str, option: &str) -> &[String] {
        match self.rules.get(rule).and_then(|setting| setting.options.get(option)) {
            Some(OptionValue::List(list)) => list,
            _ => &[],
        }
    }

    /// The number that `[rules]` gives this option of a rule.
    #[must_use]
    pub fn number(&self, rule: &str, option: &str, default: u32) -> u32 {
        match self.rules.get(rule).and_then(|setting| setting.options.get(option)) {
            Some(OptionValue::Number(number)) => *number,
            _ => default,
        }
    }

    /// The word that `[rules]` gives this option of a rule.
    #[must_use]
    pub fn word(&self, rule: &str, option: &str) -> Option<&str> {
        match self.rules.get(rule).and_then(|setting| setting.options.get(option)) {
            Some(OptionValue::Word(word)) => Some(word),
            _ => None,
        }
    }
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

/// `[registry]`: where crates.io is asked about owners and publishers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistrySettings {
    /// Base URL of the API; none: `https://crates.io`.
    pub api: Option<String>,
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

/// `[bans] deny`: packages that may not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Package name; `*` stands for any text.
    pub name: String,
    /// Which versions; none: all.
    pub version: Option<semver::VersionReq>,
    pub reason: Option<String>,
    /// Packages that may depend on it directly; empty: none may.
    pub wrappers: Vec<String>,
    pub location: Location,
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
    /// A program (with arguments) that signs in place of a key file: an HSM, a KMS.
    pub command: Vec<String>,
    /// The public half of the key behind `command`, PEM; relative to the workspace root.
    pub public_key: Option<String>,
    /// Variables that `command` gets besides `PATH` and `HOME`.
    pub command_env: Vec<String>,
    /// The services of keyless signing, a Sigstore signing configuration; relative to the workspace root. None: the public good instance.
    pub signing_config: Option<String>,
    /// What keyless signatures are judged by before they are written, a Sigstore trust root. None: the public good instance's.
    pub trusted_root: Option<String>,
    /// Seconds that one signature of a service or `command` may take, repetitions included. None: 60.
    pub timeout: Option<u32>,
}

/// How statements are signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignMethod {
    /// Keyless where the CI system offers an identity; else the configured or the user's own key.
    #[default]
    Auto,
    Keyless,
    Key,
    None,
}

/// `[verify]`: the signer that this user or project trusts. The words are judged where they are used: together with the command line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifySettings {
    /// Public key PEM; relative to the workspace root.
    pub key: Option<String>,
    pub identity: Option<String>,
    pub identity_pattern: Option<String>,
    pub issuer: Option<String>,
    pub repo: Option<String>,
    pub repo_id: Option<String>,
    pub owner_id: Option<String>,
    pub workflow: Vec<String>,
    pub reference: Option<String>,
    pub tag: Option<String>,
    pub commit: Option<String>,
    pub runner: Option<String>,
    pub trigger: Option<String>,
    /// A file of trusted roots; relative to the workspace root.
    pub trusted_root: Option<String>,
    /// Predicate types that every file needs a statement of.
    pub require_predicate: Vec<String>,
    /// Refuse releases built in a reused target folder.
    pub require_fresh_target: bool,
}
