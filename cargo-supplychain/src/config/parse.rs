//! From text to [`Settings`]: raw structures that refuse unknown keys, then validation with the place of each value.

mod bans;
mod exemptions;
mod rules;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use toml::{Spanned, Value};

use self::exemptions::RawExemption;
use super::archive::RawArchive;
use super::licences::RawLicences;
use super::sandbox::RawSandbox;
use super::sbom_format::SbomFormat;
use super::settings::{
    AdvisorySettings, BuildSettings, DocumentSettings, MaxAge, RegistrySettings, ReleaseSettings, RuleOption, Settings,
    SignMethod, SignSettings, TrustRootSettings, VerifySettings,
};
use super::triage::{RawSource, RawTriage};
use super::vex::{RawPublisher, RawVex};
use crate::base::http::is_allowed;
use crate::base::{Lines, Location, span};
use crate::finding::FailOn;

/// The largest policy file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// A rule that `[rules]` may name. The rules live in layers above; the caller hands their names down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownRule<'a> {
    pub id: &'a str,
    /// What it takes besides a level.
    pub options: &'a [RuleOption],
}

/// Why a policy file is refused, where, and what was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub path: String,
    /// Line and column from 1; line 0 is the file as a whole.
    pub line: u32,
    pub column: u32,
    pub message: String,
    /// What to write instead: ``did you mean `fail-on`?``.
    pub suggestion: Option<String>,
    /// The bytes of the text that are wrong.
    pub span: Option<Range<usize>>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let location = Location { file: self.path.clone(), line: self.line, column: self.column };
        write!(f, "{location}: {}", self.message)
    }
}

impl std::error::Error for Error {}

/// Reads and validates a policy file. `path` is what people are shown; `known` lists the rules that exist.
pub fn parse(path: &str, text: &str, known: &[KnownRule<'_>]) -> Result<Settings, Error> {
    let place = Place::new(path, text);
    if text.len() > MAX_BYTES {
        return Err(place.error(None, format!("policy file has {} bytes, the limit is {MAX_BYTES}", text.len())));
    }
    let raw: Raw = toml::from_str(text).map_err(|error| place.toml_error(&error))?;
    let (require, rules) = place.rules(raw.rules, known)?;
    let bans = place.bans(&raw.bans.deny)?;
    let exemptions = place.exemptions(raw.exemptions)?;
    let vex = place.vex(raw.vex)?;
    let (archive, supported) = raw.archive.read(&place)?;
    Ok(Settings {
        file: Some(path.to_owned()),
        build: BuildSettings {
            fail_on: raw.build.fail_on.map_or(Ok(FailOn::default()), |level| place.fail_on(&level))?,
            remap_paths: raw.build.remap_paths.unwrap_or(true),
            embed_audit_data: raw.build.embed_audit_data.unwrap_or(false),
        },
        release: ReleaseSettings {
            name: raw.release.name,
            version: raw.release.version,
            package: raw.release.package,
            artifacts: raw.release.artifacts,
        },
        require,
        rules,
        advisories: AdvisorySettings {
            database: raw.advisories.database,
            max_age: raw.advisories.max_age.map_or(Ok(MaxAge::default()), |age| place.max_age(&age))?,
            vex: raw.advisories.vex,
            sources: raw.advisories.source.into_iter().map(|source| source.read(&place)).collect::<Result<_, _>>()?,
        },
        triage: raw.triage.read(&place)?,
        registry: RegistrySettings { api: raw.registry.api },
        bans,
        licences: raw.licences.read(&place)?,
        exemptions,
        vex,
        sandbox: raw.sandbox.read(&place)?,
        documents: raw.documents.read(&place)?,
        sign: SignSettings {
            method: raw.sign.method.map_or(Ok(SignMethod::default()), |method| place.sign_method(&method))?,
            key: raw.sign.key,
            timeout: raw.sign.timeout.map(|timeout| place.timeout(&timeout)).transpose()?,
            command: place.command(raw.sign.command, raw.sign.public_key.as_ref())?,
            public_key: raw.sign.public_key,
            command_env: raw.sign.command_env,
            signing_config: raw.sign.signing_config,
            trusted_root: raw.sign.trusted_root,
        },
        trust_root: place.trust_root(raw.trust_root)?,
        verify: raw.verify.read(),
        archive,
        supported,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    #[serde(default)]
    build: RawBuild,
    #[serde(default)]
    release: RawRelease,
    #[serde(default)]
    rules: BTreeMap<Spanned<String>, Spanned<Value>>,
    #[serde(default)]
    advisories: RawAdvisories,
    #[serde(default)]
    triage: RawTriage,
    #[serde(default)]
    registry: RawRegistry,
    #[serde(default)]
    bans: bans::RawBans,
    #[serde(default)]
    licences: RawLicences,
    #[serde(default)]
    exemptions: Vec<Spanned<RawExemption>>,
    #[serde(default)]
    vex: Vec<Spanned<RawVex>>,
    #[serde(default)]
    sandbox: RawSandbox,
    #[serde(default)]
    documents: RawDocuments,
    #[serde(default)]
    sign: RawSign,
    #[serde(default)]
    trust_root: RawTrustRoot,
    #[serde(default)]
    verify: RawVerify,
    #[serde(default)]
    archive: RawArchive,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawBuild {
    fail_on: Option<Spanned<String>>,
    remap_paths: Option<bool>,
    embed_audit_data: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRelease {
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    package: Vec<String>,
    #[serde(default)]
    artifacts: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawAdvisories {
    database: Option<String>,
    max_age: Option<Spanned<String>>,
    #[serde(default)]
    source: Vec<RawSource>,
    #[serde(default)]
    vex: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRegistry {
    api: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawDocuments {
    author: Option<String>,
    author_contact: Option<String>,
    supplier: Option<String>,
    supplier_contact: Option<String>,
    #[serde(default)]
    formats: Vec<Spanned<String>>,
    publisher: Option<Spanned<RawPublisher>>,
}

impl RawDocuments {
    fn read(self, place: &Place<'_>) -> Result<DocumentSettings, Error> {
        let mut formats = Vec::new();
        for name in self.formats {
            let read = name.get_ref().parse::<SbomFormat>();
            let format = read.map_err(|unknown| place.error(Some(name.span()), format!("[documents] formats: {unknown}")))?;
            if !SbomFormat::ALWAYS.contains(&format) && !formats.contains(&format) {
                formats.push(format);
            }
        }
        Ok(DocumentSettings {
            author: self.author,
            author_contact: self.author_contact,
            supplier: self.supplier,
            supplier_contact: self.supplier_contact,
            formats,
            publisher: self.publisher.map(|publisher| publisher.into_inner().read(place)).transpose()?,
        })
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawSign {
    method: Option<Spanned<String>>,
    key: Option<String>,
    command: Option<Spanned<Vec<String>>>,
    public_key: Option<String>,
    #[serde(default)]
    command_env: Vec<String>,
    signing_config: Option<String>,
    trusted_root: Option<String>,
    timeout: Option<Spanned<u32>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawTrustRoot {
    url: Option<Spanned<String>>,
    root: Option<String>,
    max_age: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawVerify {
    #[serde(default)]
    key: OneOrMore,
    identity: Option<String>,
    identity_pattern: Option<String>,
    issuer: Option<String>,
    repo: Option<String>,
    repo_id: Option<Id>,
    owner_id: Option<Id>,
    #[serde(default)]
    workflow: OneOrMore,
    #[serde(rename = "ref")]
    reference: Option<String>,
    tag: Option<String>,
    commit: Option<String>,
    runner: Option<String>,
    trigger: Option<String>,
    trusted_root: Option<String>,
    #[serde(default)]
    require_predicate: OneOrMore,
    #[serde(default)]
    require_fresh_target: bool,
    build_level: Option<u8>,
    #[serde(default)]
    isolated_builders: Vec<String>,
    min_version: Option<String>,
    verifier_id: Option<String>,
}

/// A repository host's number of something, with or without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        match id {
            Id::Number(number) => number.to_string(),
            Id::Text(text) => text,
        }
    }
}

/// One word, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl From<OneOrMore> for Vec<String> {
    fn from(words: OneOrMore) -> Self {
        match words {
            OneOrMore::One(word) => vec![word],
            OneOrMore::More(words) => words,
        }
    }
}

impl RawVerify {
    fn read(self) -> VerifySettings {
        VerifySettings {
            key: self.key.into(),
            identity: self.identity,
            identity_pattern: self.identity_pattern,
            issuer: self.issuer,
            repo: self.repo,
            repo_id: self.repo_id.map(Into::into),
            owner_id: self.owner_id.map(Into::into),
            workflow: self.workflow.into(),
            reference: self.reference,
            tag: self.tag,
            commit: self.commit,
            runner: self.runner,
            trigger: self.trigger,
            trusted_root: self.trusted_root,
            require_predicate: self.require_predicate.into(),
            require_fresh_target: self.require_fresh_target,
            build_level: self.build_level,
            isolated_builders: self.isolated_builders,
            min_version: self.min_version,
            verifier_id: self.verifier_id,
        }
    }
}

/// The file that values are judged in.
pub(super) struct Place<'a> {
    path: &'a str,
    text: &'a str,
}

impl<'a> Place<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        Self { path, text }
    }
}

impl Place<'_> {
    pub(super) fn error(&self, span: Option<Range<usize>>, message: impl Into<String>) -> Error {
        let (line, column) = span.as_ref().map_or((0, 0), |span| span::line_column(self.text, span.start));
        Error { path: self.path.to_owned(), line, column, message: message.into(), suggestion: None, span }
    }

    /// To find the places of many values, in their order.
    pub(super) fn lines(&self) -> Lines<'_> {
        Lines::new(self.text)
    }

    /// The place of a byte of the text.
    pub(super) fn location(&self, offset: usize, lines: &mut Lines<'_>) -> Location {
        let (line, column) = lines.at(offset);
        Location { file: self.path.to_owned(), line, column }
    }

    /// ``did you mean `…`?``, where one of the candidates is near.
    pub(super) fn suggest(&self, word: &str, candidates: impl Iterator<Item = &'static str>) -> Option<String> {
        did_you_mean(word, candidates)
    }

    pub(super) fn toml_error(&self, error: &toml::de::Error) -> Error {
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        let suggestion = match quoted.next() {
            Some(unknown) if message.starts_with("unknown field") => did_you_mean(unknown, quoted),
            _ => None,
        };
        Error { suggestion, ..self.error(error.span(), message.replace("unknown field", "unknown key")) }
    }

    fn fail_on(&self, level: &Spanned<String>) -> Result<FailOn, Error> {
        level.get_ref().parse().map_err(|message| {
            let suggestion = did_you_mean(level.get_ref(), ["critical", "high", "medium", "low", "none"].into_iter());
            Error { suggestion, ..self.error(Some(level.span()), message) }
        })
    }

    /// `"7d"`, or `"none"`.
    pub(super) fn max_age(&self, age: &Spanned<String>) -> Result<MaxAge, Error> {
        let text = age.get_ref();
        let days = text.strip_suffix('d').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        match (text.as_str(), days.and_then(|digits| digits.parse().ok())) {
            ("none", _) => Ok(MaxAge::Unlimited),
            (_, Some(days)) => Ok(MaxAge::Days(days)),
            _ => Err(self.error(Some(age.span()), format!("`max-age` is `{text}`: write days such as \"7d\", or \"none\""))),
        }
    }

    fn sign_method(&self, method: &Spanned<String>) -> Result<SignMethod, Error> {
        match method.get_ref().as_str() {
            "auto" => Ok(SignMethod::Auto),
            "keyless" => Ok(SignMethod::Keyless),
            "key" => Ok(SignMethod::Key),
            "none" => Ok(SignMethod::None),
            other => Err(Error {
                suggestion: did_you_mean(other, ["auto", "keyless", "key", "none"].into_iter()),
                ..self.error(Some(method.span()), format!("unknown signing method `{other}`: use auto, keyless, key or none"))
            }),
        }
    }

    /// Seconds.
    fn timeout(&self, timeout: &Spanned<u32>) -> Result<u32, Error> {
        match timeout.get_ref() {
            1..=3600 => Ok(*timeout.get_ref()),
            other => Err(self.error(Some(timeout.span()), format!("`timeout` is {other}: write seconds from 1 to 3600"))),
        }
    }

    /// A repository is believed by a root that came from elsewhere.
    fn trust_root(&self, raw: RawTrustRoot) -> Result<TrustRootSettings, Error> {
        let default = TrustRootSettings::default();
        let max_age = raw.max_age.map_or(Ok(default.max_age), |age| self.max_age(&age))?;
        if let Some(url) = &raw.url {
            if !is_allowed(url.get_ref()) {
                return Err(self.error(Some(url.span()), "`url` is neither https nor http on this machine"));
            }
            if raw.root.is_none() {
                return Err(self.error(Some(url.span()), "`url` needs `root`, a root.json of that repository"));
            }
        } else if raw.root.is_some() {
            return Err(self.error(None, "[trust-root] `root` needs `url`, the repository that it is the root of"));
        }
        Ok(TrustRootSettings { url: raw.url.map(Spanned::into_inner), root: raw.root, max_age })
    }

    /// A program that signs needs its public half from elsewhere: what it says of itself proves nothing.
    fn command(&self, command: Option<Spanned<Vec<String>>>, public_key: Option<&String>) -> Result<Vec<String>, Error> {
        let Some(command) = command else { return Ok(Vec::new()) };
        if command.get_ref().first().is_none_or(String::is_empty) {
            return Err(self.error(Some(command.span()), "`command` names no program".to_owned()));
        }
        if public_key.is_none() {
            return Err(self.error(Some(command.span()), "`command` needs `public-key`, the public half of its key".to_owned()));
        }
        Ok(command.into_inner())
    }
}

/// The longest word that a candidate is looked for, in bytes; comparing takes time by its length.
const MAX_SLIP: usize = 128;

/// The candidate that `word` is probably a slip of.
fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    if word.len() > MAX_SLIP {
        return None;
    }
    let limit = (word.chars().count() / 3).max(1) + 1;
    let near = candidates.map(|candidate| (strsim::osa_distance(word, candidate), candidate));
    let (_, best) = near.filter(|(distance, _)| *distance <= limit).min()?;
    Some(format!("did you mean `{best}`?"))
}

#[cfg(test)]
mod tests;
