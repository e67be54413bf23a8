//! From text to [`Settings`]: raw structures that refuse unknown keys, then validation with the place of each value.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::licences::RawLicences;
use super::settings::{
    AdvisorySettings, BuildSettings, DocumentSettings, Exemption, Level, MaxAge, OptionKind, OptionValue, RegistrySettings,
    ReleaseSettings, RuleOption, RuleSetting, Settings, SignMethod, SignSettings, VerifySettings,
};
use crate::base::{Lines, Location, Timestamp, span};
use crate::finding::{Area, FailOn, Severity};

/// The largest policy file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// The most exemptions: each is compared with every finding.
const MAX_EXEMPTIONS: usize = 1000;

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
    let place = Place { path, text };
    if text.len() > MAX_BYTES {
        return Err(place.error(None, format!("policy file has {} bytes, the limit is {MAX_BYTES}", text.len())));
    }
    let raw: Raw = toml::from_str(text).map_err(|error| place.toml_error(&error))?;
    let (require, rules) = place.rules(raw.rules, known)?;
    if let Some(exemption) = raw.exemptions.get(MAX_EXEMPTIONS) {
        return Err(place.error(Some(exemption.span()), format!("more than {MAX_EXEMPTIONS} exemptions")));
    }
    let mut lines = Lines::new(text);
    let exemptions =
        raw.exemptions.into_iter().map(|exemption| place.exemption(exemption, &mut lines)).collect::<Result<_, _>>()?;
    Ok(Settings {
        file: Some(path.to_owned()),
        build: BuildSettings { fail_on: raw.build.fail_on.map_or(Ok(FailOn::default()), |level| place.fail_on(&level))? },
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
        },
        registry: RegistrySettings { api: raw.registry.api },
        licences: raw.licences.read(&place)?,
        exemptions,
        documents: DocumentSettings { author: raw.documents.author, supplier: raw.documents.supplier },
        sign: SignSettings {
            method: raw.sign.method.map_or(Ok(SignMethod::default()), |method| place.sign_method(&method))?,
            key: raw.sign.key,
        },
        verify: VerifySettings { key: raw.verify.key, require_fresh_target: raw.verify.require_fresh_target },
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
    registry: RawRegistry,
    #[serde(default)]
    licences: RawLicences,
    #[serde(default)]
    exemptions: Vec<Spanned<RawExemption>>,
    #[serde(default)]
    documents: RawDocuments,
    #[serde(default)]
    sign: RawSign,
    #[serde(default)]
    verify: RawVerify,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawBuild {
    fail_on: Option<Spanned<String>>,
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
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawRegistry {
    api: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawExemption {
    id: Spanned<String>,
    package: Option<String>,
    version: Option<Spanned<String>>,
    reason: Option<Spanned<String>>,
    expires: Option<Spanned<Value>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawDocuments {
    author: Option<String>,
    supplier: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawSign {
    method: Option<Spanned<String>>,
    key: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawVerify {
    key: Option<String>,
    #[serde(default)]
    require_fresh_target: bool,
}

/// The file that values are judged in.
pub(super) struct Place<'a> {
    path: &'a str,
    text: &'a str,
}

impl Place<'_> {
    pub(super) fn error(&self, span: Option<Range<usize>>, message: impl Into<String>) -> Error {
        let (line, column) = span.as_ref().map_or((0, 0), |span| span::line_column(self.text, span.start));
        Error { path: self.path.to_owned(), line, column, message: message.into(), suggestion: None, span }
    }

    fn toml_error(&self, error: &toml::de::Error) -> Error {
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
    fn max_age(&self, age: &Spanned<String>) -> Result<MaxAge, Error> {
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
            "key" => Ok(SignMethod::Key),
            "none" => Ok(SignMethod::None),
            other => Err(Error {
                suggestion: did_you_mean(other, ["auto", "key", "none"].into_iter()),
                ..self.error(Some(method.span()), format!("unknown signing method `{other}`: use auto, key or none"))
            }),
        }
    }

    fn rules(
        &self,
        raw: BTreeMap<Spanned<String>, Spanned<Value>>,
        known: &[KnownRule<'_>],
    ) -> Result<(Vec<Area>, BTreeMap<String, RuleSetting>), Error> {
        let (mut require, mut rules) = (Vec::new(), BTreeMap::new());
        for (key, value) in raw {
            if key.get_ref() == "require" {
                require = self.areas(&value)?;
                continue;
            }
            let Some(rule) = known.iter().find(|rule| rule.id == key.get_ref()) else {
                let suggestion = did_you_mean(key.get_ref(), known.iter().map(|rule| rule.id));
                return Err(Error { suggestion, ..self.error(Some(key.span()), format!("unknown rule `{}`", key.get_ref())) });
            };
            rules.insert(key.into_inner(), self.rule(rule, &value)?);
        }
        Ok((require, rules))
    }

    fn areas(&self, value: &Spanned<Value>) -> Result<Vec<Area>, Error> {
        let words = self.strings(value.get_ref()).ok_or_else(|| self.error(Some(value.span()), "`require` lists areas"))?;
        let areas = words.iter().map(|word| {
            word.parse().map_err(|message: String| {
                let suggestion = did_you_mean(word, Area::ALL.iter().map(|area| area.as_str()));
                Error { suggestion, ..self.error(Some(value.span()), message) }
            })
        });
        areas.collect()
    }

    /// `"LEVEL"`, or `{ level = "LEVEL", allow = […] }`.
    fn rule(&self, rule: &KnownRule<'_>, value: &Spanned<Value>) -> Result<RuleSetting, Error> {
        let wrong = |message: String| self.error(Some(value.span()), message);
        let table = match value.get_ref() {
            Value::String(word) => {
                return Ok(RuleSetting { level: Some(self.level(word, value.span())?), options: BTreeMap::new() });
            }
            Value::Table(table) => table,
            _ => return Err(wrong(format!("rule `{}` takes a level, or a table with {}", rule.id, keys_of(rule)))),
        };
        let mut setting = RuleSetting::default();
        for (key, item) in table {
            match (key.as_str(), item) {
                ("level", Value::String(word)) => setting.level = Some(self.level(word, value.span())?),
                ("level", _) => return Err(wrong("`level` is not a string".into())),
                (name, value) => {
                    let Some(option) = rule.options.iter().find(|option| option.name == name) else {
                        let names = std::iter::once("level").chain(rule.options.iter().map(|option| option.name));
                        let suggestion = did_you_mean(name, names);
                        let message = format!("unknown key `{name}`, rule `{}` takes {}", rule.id, keys_of(rule));
                        return Err(Error { suggestion, ..wrong(message) });
                    };
                    setting.options.insert(name.to_owned(), self.option(option, value).map_err(wrong)?);
                }
            }
        }
        Ok(setting)
    }

    fn option(&self, option: &RuleOption, value: &Value) -> Result<OptionValue, String> {
        let value = match option.kind {
            OptionKind::List => self.strings(value).map(OptionValue::List).ok_or_else(|| "a list of strings".to_owned()),
            OptionKind::Word(words) => {
                let word = value.as_str().filter(|word| words.contains(word));
                word.map(|word| OptionValue::Word(word.to_owned())).ok_or_else(|| format!("one of {}", words.join(", ")))
            }
            OptionKind::Number => {
                let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
                number.map(OptionValue::Number).ok_or_else(|| "a whole number from 0".to_owned())
            }
        };
        value.map_err(|wanted| format!("`{}` is not {wanted}", option.name))
    }

    fn level(&self, word: &str, span: Range<usize>) -> Result<Level, Error> {
        Ok(Level::Severity(match word {
            "off" => return Ok(Level::Off),
            "info" => Severity::Info,
            "low" => Severity::Low,
            "medium" => Severity::Medium,
            "high" => Severity::High,
            "critical" => Severity::Critical,
            other => {
                let words = ["off", "info", "low", "medium", "high", "critical"];
                let suggestion = did_you_mean(other, words.into_iter());
                let message = format!("unknown level `{other}`: use {}", words.join(", "));
                return Err(Error { suggestion, ..self.error(Some(span), message) });
            }
        }))
    }

    fn strings(&self, value: &Value) -> Option<Vec<String>> {
        value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
    }

    fn exemption(&self, raw: Spanned<RawExemption>, lines: &mut Lines<'_>) -> Result<Exemption, Error> {
        let header = raw.span();
        let raw = raw.into_inner();
        let id = raw.id.get_ref();
        if id.trim().is_empty() {
            return Err(self.error(Some(raw.id.span()), "an exemption's `id` is empty"));
        }
        let missing = |what: &str| self.error(Some(header.clone()), format!("exemption of `{id}` has no `{what}`"));
        let reason = raw.reason.ok_or_else(|| missing("reason"))?;
        if reason.get_ref().trim().is_empty() {
            return Err(self.error(Some(reason.span()), format!("exemption of `{id}` has an empty `reason`")));
        }
        let expires = raw.expires.ok_or_else(|| missing("expires"))?;
        if let Some(version) = &raw.version
            && let Err(error) = semver::Version::parse(version.get_ref())
        {
            let message = format!("exemption of `{id}` has the version `{}`: {error}", version.get_ref());
            return Err(self.error(Some(version.span()), message));
        }
        if raw.version.is_some() && raw.package.is_none() {
            return Err(self.error(Some(header.clone()), format!("exemption of `{id}` has a `version` but no `package`")));
        }
        let (line, column) = lines.at(header.start);
        Ok(Exemption {
            expires: self.expiry(id, &expires)?,
            package: raw.package,
            version: raw.version.map(Spanned::into_inner),
            reason: reason.into_inner(),
            location: Location { file: self.path.to_owned(), line, column },
            id: raw.id.into_inner(),
        })
    }

    /// A TOML date, a TOML time with offset, or either as a string.
    fn expiry(&self, id: &str, value: &Spanned<Value>) -> Result<Timestamp, Error> {
        let text = match value.get_ref() {
            Value::Datetime(date) => date.to_string(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        text.parse()
            .map_err(|error| self.error(Some(value.span()), format!("exemption of `{id}` has `expires` = `{text}`: {error}")))
    }
}

/// `level`, `allow` and `days`: the keys of a rule's table, for a message.
fn keys_of(rule: &KnownRule<'_>) -> String {
    let names = std::iter::once("level").chain(rule.options.iter().map(|option| option.name));
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
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
