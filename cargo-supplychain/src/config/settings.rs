//! The validated settings, with every default filled in.

use std::collections::BTreeMap;

use super::archive::SupportedReleases;
use super::licences::LicenceSettings;
use super::sandbox::SandboxSettings;
use super::sbom_format::SbomFormat;
use super::triage::{SourceSetting, TriageSettings};
use super::vex::{Publisher, VexDecision};
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
    pub triage: TriageSettings,
    pub registry: RegistrySettings,
    pub bans: Vec<Ban>,
    pub licences: LicenceSettings,
    pub exemptions: Vec<Exemption>,
    /// `[[vex]]`.
    pub vex: Vec<VexDecision>,
    pub sandbox: SandboxSettings,
    pub documents: DocumentSettings,
    pub sign: SignSettings,
    pub trust_root: TrustRootSettings,
    pub verify: VerifySettings,
    pub archive: ArchiveSettings,
    /// `[archive] supported`.
    pub supported: SupportedReleases,
}

/// `[archive]`, but for what is supported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchiveSettings {
    /// A folder, relative to the workspace root, or a URL.
    pub store: Option<String>,
    /// Of a store that speaks S3; the environment's come before them.
    pub endpoint: Option<String>,
    pub region: Option<String>,
    /// Whether `build` archives what it has released.
    pub on_build: bool,
    /// What `archive prune` keeps unless told otherwise: so many of each name and target, and what is not older than so many days.
    pub keep_last: Option<u32>,
    pub keep_days: Option<u32>,
}

/// `[build]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSettings {
    pub fail_on: FailOn,
    /// Give the machine's folders fixed names in what is compiled.
    pub remap_paths: bool,
    /// Link the audit data of cargo-auditable into the artifacts.
    pub embed_audit_data: bool,
}

impl Default for BuildSettings {
    fn default() -> Self {
        Self { fail_on: FailOn::default(), remap_paths: true, embed_audit_data: false }
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
    /// Further sources.
    pub sources: Vec<SourceSetting>,
    /// Documents of others (VEX) whose statements count: files, relative to the workspace root.
    pub vex: Vec<String>,
}

/// `[registry]`: where crates.io is asked about owners and publishers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistrySettings {
    /// Base URL of the API; none: `https://crates.io`.
    pub api: Option<String>,
}

/// How old the advisory database, or a trusted root, may be.
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
    /// Where the author is reached: an address or a URL.
    pub author_contact: Option<String>,
    /// The supplier of the workspace's own packages.
    pub supplier: Option<String>,
    /// Where the supplier is reached: an address or a URL.
    pub supplier_contact: Option<String>,
    /// SBOM formats of a release besides [`SbomFormat::ALWAYS`], each once.
    pub formats: Vec<SbomFormat>,
    /// Who publishes statements about vulnerabilities.
    pub publisher: Option<Publisher>,
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

/// `[trust-root]`: where trusted roots are renewed from, and how old they may be. What `[sign]` and `[verify]` name as a file outranks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustRootSettings {
    /// Base URL of the repository (The Update Framework) of an instance of one's own. None: the public instances'.
    pub url: Option<String>,
    /// A `root.json` of that repository; relative to the workspace root.
    pub root: Option<String>,
    /// How long after it was last known to be current a root still counts.
    pub max_age: MaxAge,
}

impl Default for TrustRootSettings {
    fn default() -> Self {
        Self { url: None, root: None, max_age: MaxAge::Days(365) }
    }
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
    /// Public keys (PEM), any of which may have signed: the current one, and those of before; relative to the workspace root.
    pub key: Vec<String>,
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
    /// The lowest SLSA build level that is accepted.
    pub build_level: Option<u8>,
    /// Reusable workflows whose signing is out of reach of the builds that call them.
    pub isolated_builders: Vec<String>,
    /// The oldest version that is accepted.
    pub min_version: Option<String>,
    /// Who verifies, in verification summaries: a URI.
    pub verifier_id: Option<String>,
}
