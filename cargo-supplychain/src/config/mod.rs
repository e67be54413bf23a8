//! Layer 1: `supplychain.toml`: the policy file, from text to validated [`Settings`]; and `psirt.toml`, the ledger. Unknown keys are errors with a place
//! and a suggestion: in a security policy a typo must not switch a rule off. Pure: reading the file is `collect`'s.

mod archive;
pub mod deny;
mod licences;
mod parse;
pub mod psirt;
mod sandbox;
mod sbom_format;
mod settings;
mod triage;
mod vex;

pub use archive::{Support, SupportedLine, SupportedReleases};
pub use licences::{Clarification, LicenceException, LicenceSettings};
pub use parse::{Error, KnownRule, MAX_BYTES, parse};
pub use sandbox::{Proposal, SandboxAllow, SandboxPath, SandboxSettings};
pub use sbom_format::{CycloneDxVersion, SbomFormat, UnknownSbomFormat};
pub use settings::{
    AdvisorySettings, ArchiveSettings, Ban, BuildSettings, DocumentSettings, Exemption, Level, MaxAge, OptionKind, OptionValue,
    RegistrySettings, ReleaseSettings, RuleOption, RuleSetting, Settings, SignMethod, SignSettings, TrustRootSettings,
    VerifySettings,
};
pub use triage::{SourcePlace, SourceSetting, TriageSettings};
pub use vex::{Component, Publisher, PublisherCategory, Versions, VexDecision};
