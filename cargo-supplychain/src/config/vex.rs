//! `[[vex]]`: what the project has decided about a vulnerability, exemption and public statement at once; and who publishes such
//! statements. Read strictly, written as a block of the policy.

use std::fmt::Write as _;

use semver::VersionReq;
use serde::Deserialize;
use toml::{Spanned, Value};

use super::parse::{Error, Place};
use crate::base::http::is_allowed;
use crate::base::{Location, Timestamp};
use crate::finding::{Decision, Justification, Response, Status};

/// The most decisions: each is compared with every finding.
const MAX_DECISIONS: usize = 1000;
/// The most aliases, and responses, of one decision.
const MAX_LIST: usize = 50;

/// A decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexDecision {
    /// The vulnerability: `RUSTSEC-…`, `CVE-…`, `GHSA-…`.
    pub id: String,
    /// Other ids of it.
    pub aliases: Vec<String>,
    pub component: Component,
    pub status: Status,
    pub justification: Option<Justification>,
    /// Why, or what is known: published with the statement.
    pub reason: String,
    /// What users are told to do.
    pub action: Option<String>,
    pub responses: Vec<Response>,
    /// Who decided.
    pub author: String,
    /// When it was decided.
    pub date: Timestamp,
    /// From this instant on it no longer counts.
    pub expires: Timestamp,
    pub location: Location,
}

/// What the decision is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Component {
    /// A crate, whatever it brings along.
    Crate { name: String, versions: Versions },
    /// A library that is no crate, by upstream's name: `pkg:generic/openssl@3.3.0`.
    Library { name: String, version: Option<String> },
}

/// Which versions of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    Any,
    /// As in Cargo.toml.
    Matching(VersionReq),
    /// Of a package URL: this text.
    Exactly(String),
}

impl Versions {
    /// Whether `version` is one of them.
    #[must_use]
    pub fn has(&self, version: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Matching(requirement) => version.parse().is_ok_and(|version| requirement.matches(&version)),
            Self::Exactly(text) => text == version,
        }
    }
}

impl Component {
    /// `NAME`, `NAME@REQUIREMENT`, `pkg:cargo/NAME[@VERSION]` or `pkg:generic/NAME[@VERSION]`.
    ///
    /// # Errors
    /// Why it is none of these, a fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("pkg:") {
            return Self::of_purl(text);
        }
        let (name, requirement) = text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)));
        if name.is_empty() || name.len() > 255 || name.contains(|one: char| one.is_whitespace() || one.is_control()) {
            return Err(format!("`{text}` is no package: write NAME, NAME@REQUIREMENT or a package URL"));
        }
        let versions = requirement.map_or(Ok(Versions::Any), requirement_of)?;
        Ok(Self::Crate { name: name.to_owned(), versions })
    }

    fn of_purl(text: &str) -> Result<Self, String> {
        let purl: packageurl::PackageUrl<'_> = text.parse().map_err(|error| format!("`{text}` is no package URL: {error}"))?;
        if !purl.qualifiers().is_empty() || purl.subpath().is_some() || purl.namespace().is_some() {
            return Err(format!("`{text}` has more than type, name and version, which no component of a build is compared by"));
        }
        let (name, version) = (purl.name().to_owned(), purl.version().map(str::to_owned));
        match purl.ty() {
            "cargo" => Ok(Self::Crate { name, versions: version.map_or(Versions::Any, Versions::Exactly) }),
            "generic" => Ok(Self::Library { name, version }),
            other => Err(format!("`{text}` is of the type `{other}`: only cargo and generic are compared with what is built")),
        }
    }

    /// Whether the crate is what is meant.
    #[must_use]
    pub fn is_crate(&self, name: &str, version: &str) -> bool {
        matches!(self, Self::Crate { name: meant, versions } if meant == name && versions.has(version))
    }

    /// Whether the library that is no crate is what is meant.
    #[must_use]
    pub fn is_library(&self, name: &str, version: Option<&str>) -> bool {
        matches!(self, Self::Library { name: meant, version: wanted }
            if meant == name && wanted.as_deref().is_none_or(|wanted| version == Some(wanted)))
    }

    /// Its key and value in the policy.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Crate { name, versions: Versions::Any } => vec![("package", quoted(name))],
            Self::Crate { name, versions: Versions::Matching(requirement) } => {
                vec![("package", quoted(name)), ("version", quoted(&requirement.to_string()))]
            }
            Self::Crate { .. } | Self::Library { .. } => vec![("purl", quoted(&self.to_string()))],
        }
    }
}

fn requirement_of(text: &str) -> Result<Versions, String> {
    let requirement = text.parse().map_err(|error| format!("`{text}` is no requirement on a version: {error}"))?;
    Ok(Versions::Matching(requirement))
}

impl std::fmt::Display for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Crate { name, versions: Versions::Any } => f.write_str(name),
            Self::Crate { name, versions: Versions::Matching(requirement) } => write!(f, "{name} {requirement}"),
            Self::Crate { name, versions: Versions::Exactly(version) } => {
                f.write_str(&crate::base::purl::cargo(name, version, crate::base::purl::Qualifier::CratesIo))
            }
            Self::Library { name, version } => f.write_str(&crate::base::purl::generic(name, version.as_deref())),
        }
    }
}

impl VexDecision {
    /// Its ids, that of the entry first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.id).chain(&self.aliases).map(String::as_str)
    }

    /// Whether it still counts.
    #[must_use]
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    /// As a finding shows it.
    #[must_use]
    pub fn decision(&self) -> Decision {
        Decision {
            status: self.status,
            justification: self.justification.map(|one| one.as_str().to_owned()),
            reason: Some(self.reason.clone()),
            action: self.action.clone(),
            author: self.author.clone(),
            date: Some(self.date),
            expires: Some(self.expires),
            source: format!("{}:{}", self.location.file, self.location.line),
            product: None,
        }
    }

    /// As a block of the policy.
    #[must_use]
    pub fn block(&self) -> String {
        let list = |words: Vec<&str>| format!("[{}]", words.into_iter().map(quoted).collect::<Vec<_>>().join(", "));
        let mut pairs = vec![("id", quoted(&self.id))];
        if !self.aliases.is_empty() {
            pairs.push(("aliases", list(self.aliases.iter().map(String::as_str).collect())));
        }
        pairs.extend(self.component.pairs());
        pairs.push(("status", quoted(self.status.as_str())));
        pairs.extend(self.justification.map(|one| ("justification", quoted(one.as_str()))));
        pairs.push(("reason", quoted(&self.reason)));
        pairs.extend(self.action.as_deref().map(|text| ("action", quoted(text))));
        if !self.responses.is_empty() {
            pairs.push(("responses", list(self.responses.iter().map(|one| one.as_str()).collect())));
        }
        pairs.push(("author", quoted(&self.author)));
        pairs.push(("date", self.date.date()));
        pairs.push(("expires", self.expires.date()));
        pairs.into_iter().fold("[[vex]]\n".to_owned(), |mut text, (key, value)| {
            let _ = writeln!(text, "{key} = {value}");
            text
        })
    }
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawVex {
    id: Spanned<String>,
    #[serde(default)]
    aliases: Vec<String>,
    package: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    purl: Option<Spanned<String>>,
    status: Option<Spanned<String>>,
    justification: Option<Spanned<String>>,
    reason: Option<Spanned<String>>,
    action: Option<Spanned<String>>,
    #[serde(default)]
    responses: Vec<Spanned<String>>,
    author: Option<Spanned<String>>,
    date: Option<Spanned<Value>>,
    expires: Option<Spanned<Value>>,
}

impl Place<'_> {
    pub(super) fn vex(&self, raw: Vec<Spanned<RawVex>>) -> Result<Vec<VexDecision>, Error> {
        if let Some(decision) = raw.get(MAX_DECISIONS) {
            return Err(self.error(Some(decision.span()), format!("more than {MAX_DECISIONS} decisions")));
        }
        let mut lines = self.lines();
        raw.into_iter()
            .map(|raw| {
                let header = raw.span();
                let location = self.location(header.start, &mut lines);
                self.decision(raw.into_inner(), header, location)
            })
            .collect()
    }

    fn decision(&self, raw: RawVex, header: std::ops::Range<usize>, location: Location) -> Result<VexDecision, Error> {
        let id = raw.id.get_ref();
        if id.trim().is_empty() {
            return Err(self.error(Some(raw.id.span()), "a decision's `id` is empty"));
        }
        let who = format!("decision about `{id}`");
        if raw.aliases.len() > MAX_LIST || raw.responses.len() > MAX_LIST {
            return Err(self.error(Some(header), format!("{who} has a list of more than {MAX_LIST}")));
        }
        let missing = |key: &str| self.error(Some(header.clone()), format!("{who} has no `{key}`"));
        let status = self.word::<Status>(&who, raw.status.as_ref().ok_or_else(|| missing("status"))?)?;
        let justification = match &raw.justification {
            Some(word) if status != Status::NotAffected => {
                let message =
                    format!("{who} has a `justification`, which is why something is not affected, and its status is {status}");
                return Err(self.error(Some(word.span()), message));
            }
            word => word.as_ref().map(|word| self.word::<Justification>(&who, word)).transpose()?,
        };
        if status == Status::Affected && raw.action.is_none() {
            return Err(
                self.error(Some(header), format!("{who} has the status affected and no `action`: what users are told to do"))
            );
        }
        let text = |key: &str, text: &Spanned<String>| match text.get_ref().trim() {
            "" => Err(self.error(Some(text.span()), format!("{who} has an empty `{key}`"))),
            _ => Ok(text.get_ref().clone()),
        };
        let date = self.instant((&who, "date"), &header, raw.date)?;
        let expires = self.expiry(&who, &header, raw.expires)?;
        if expires <= date {
            return Err(self.error(Some(header), format!("{who} expires on {}, and is of {}", expires.date(), date.date())));
        }
        Ok(VexDecision {
            component: self.component(&who, &header, raw.package, raw.version, raw.purl)?,
            status,
            justification,
            reason: self.reason(&who, &header, raw.reason)?,
            action: raw.action.as_ref().map(|action| text("action", action)).transpose()?,
            responses: raw.responses.iter().map(|word| self.word(&who, word)).collect::<Result<_, _>>()?,
            author: text("author", raw.author.as_ref().ok_or_else(|| missing("author"))?)?,
            date,
            expires,
            location,
            id: raw.id.into_inner(),
            aliases: raw.aliases,
        })
    }

    fn component(
        &self,
        who: &str,
        header: &std::ops::Range<usize>,
        package: Option<Spanned<String>>,
        version: Option<Spanned<String>>,
        purl: Option<Spanned<String>>,
    ) -> Result<Component, Error> {
        let (span, component) = match (package, version, purl) {
            (Some(name), None, None) => (name.span(), Component::parse(name.get_ref())),
            (Some(name), Some(version), None) => {
                (version.span(), Component::parse(&format!("{}@{}", name.get_ref(), version.get_ref())))
            }
            (None, None, Some(purl)) => (purl.span(), Component::of_purl(purl.get_ref())),
            (None, None, None) => {
                return Err(
                    self.error(Some(header.clone()), format!("{who} names no component: give it a `package` or a `purl`"))
                );
            }
            _ => {
                let message = format!("{who} names its component twice: `package` with `version`, or `purl`");
                return Err(self.error(Some(header.clone()), message));
            }
        };
        component.map_err(|error| self.error(Some(span), format!("{who}: {error}")))
    }

    /// A word of a list; what is near is proposed.
    fn word<T: std::str::FromStr<Err = String>>(&self, who: &str, word: &Spanned<String>) -> Result<T, Error> {
        word.get_ref().parse().map_err(|message| {
            let known = (Status::ALL.iter().map(|one| one.as_str()))
                .chain(Justification::ALL.iter().map(|one| one.as_str()))
                .chain(Response::ALL.iter().map(|one| one.as_str()));
            let suggestion = self.suggest(word.get_ref(), known);
            Error { suggestion, ..self.error(Some(word.span()), format!("{who}: {message}")) }
        })
    }
}

/// `[documents.publisher]`: who publishes statements about vulnerabilities (CSAF 2.0, section 3.2.1.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    pub category: PublisherCategory,
    pub name: String,
    /// A URL that is the publisher's own.
    pub namespace: String,
    /// How to reach the publisher.
    pub contact: Option<String>,
}

/// What the publisher is to the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PublisherCategory {
    Coordinator,
    Discoverer,
    Other,
    Translator,
    User,
    Vendor,
}

impl PublisherCategory {
    /// The word of CSAF.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Coordinator => "coordinator",
            Self::Discoverer => "discoverer",
            Self::Other => "other",
            Self::Translator => "translator",
            Self::User => "user",
            Self::Vendor => "vendor",
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawPublisher {
    category: PublisherCategory,
    name: Spanned<String>,
    namespace: Spanned<String>,
    contact: Option<String>,
}

impl RawPublisher {
    pub(super) fn read(self, place: &Place<'_>) -> Result<Publisher, Error> {
        if self.name.get_ref().trim().is_empty() {
            return Err(place.error(Some(self.name.span()), "[documents.publisher] `name` is empty"));
        }
        if !self.namespace.get_ref().starts_with("https://") || !is_allowed(self.namespace.get_ref()) {
            let message = "[documents.publisher] `namespace` is no https URL: write the address of the publisher's own site";
            return Err(place.error(Some(self.namespace.span()), message));
        }
        Ok(Publisher {
            category: self.category,
            name: self.name.into_inner(),
            namespace: self.namespace.into_inner(),
            contact: self.contact,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    const FULL: &str = r#"[[vex]]
id = "RUSTSEC-2023-0071"
aliases = ["CVE-2023-49092"]
package = "rsa"
version = "^0.9"
status = "not_affected"
justification = "vulnerable_code_not_in_execute_path"
reason = "only public keys are used"
author = "PSIRT"
date = 2026-11-01
expires = 2027-05-01
"#;

    fn error(text: &str) -> String {
        let error = parse("p", text, &[]).unwrap_err();
        let suggestion = error.suggestion.as_ref().map(|words| format!(" ({words})")).unwrap_or_default();
        format!("{error}{suggestion}")
    }

    #[test]
    fn a_decision_is_written_as_it_is_read() {
        let settings = parse("supplychain.toml", FULL, &[]).unwrap();
        let [decision] = &settings.vex[..] else { panic!("one") };
        assert_eq!(decision.block(), FULL);
        assert!(decision.component.is_crate("rsa", "0.9.6") && !decision.component.is_crate("rsa", "0.8.0"));
        assert!(decision.is_in_force("2027-04-30".parse().unwrap()) && !decision.is_in_force("2027-05-01".parse().unwrap()));
        let native = FULL.replace("package = \"rsa\"\nversion = \"^0.9\"", "purl = \"pkg:generic/openssl@3.3.0\"");
        let settings = parse("supplychain.toml", &native, &[]).unwrap();
        assert_eq!(settings.vex[0].block(), native);
        assert!(settings.vex[0].component.is_library("openssl", Some("3.3.0")));
        assert!(!settings.vex[0].component.is_library("openssl", Some("3.3.1")));
        assert!(!settings.vex[0].component.is_crate("openssl", "3.3.0"));
    }

    #[test]
    fn text_of_others_stays_text() {
        let hostile = "a\"\n[sign]\nmethod = 'none' ''' \\";
        let settings = parse("p", FULL, &[]).unwrap();
        let decision = VexDecision { reason: hostile.into(), author: hostile.into(), ..settings.vex[0].clone() };
        let read = parse("p", &decision.block(), &[]).unwrap();
        assert_eq!((read.vex[0].reason.as_str(), read.vex.len()), (hostile, 1));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for (from, to, says) in [
            (
                "status = \"not_affected\"",
                "status = \"fixed\"",
                "p:7:17: decision about `RUSTSEC-2023-0071` has a `justification`, which is why something is not affected, and its status is fixed",
            ),
            (
                "\"not_affected\"",
                "\"not-affected\"",
                "p:6:10: decision about `RUSTSEC-2023-0071`: unknown status `not-affected`: use one of not_affected, affected, fixed, under_investigation (did you mean `not_affected`?)",
            ),
            ("reason = \"only public keys are used\"\n", "", "p:1:1: decision about `RUSTSEC-2023-0071` has no `reason`"),
            ("author = \"PSIRT\"", "author = \" \"", "p:9:10: decision about `RUSTSEC-2023-0071` has an empty `author`"),
            ("date = 2026-11-01\n", "", "p:1:1: decision about `RUSTSEC-2023-0071` has no `date`"),
            (
                "expires = 2027-05-01",
                "expires = 2026-11-01",
                "p:1:1: decision about `RUSTSEC-2023-0071` expires on 2026-11-01, and is of 2026-11-01",
            ),
            (
                "version = \"^0.9\"",
                "version = \"one\"",
                "p:5:11: decision about `RUSTSEC-2023-0071`: `one` is no requirement on a version: unexpected character 'o' while parsing major version number",
            ),
            (
                "package = \"rsa\"\nversion = \"^0.9\"\n",
                "",
                "p:1:1: decision about `RUSTSEC-2023-0071` names no component: give it a `package` or a `purl`",
            ),
            (
                "package = \"rsa\"\nversion",
                "purl = \"pkg:cargo/rsa@1\"\nversion",
                "p:1:1: decision about `RUSTSEC-2023-0071` names its component twice: `package` with `version`, or `purl`",
            ),
            (
                "package = \"rsa\"\nversion = \"^0.9\"",
                "purl = \"pkg:npm/rsa@1\"",
                "p:4:8: decision about `RUSTSEC-2023-0071`: `pkg:npm/rsa@1` is of the type `npm`: only cargo and generic are compared with what is built",
            ),
            (
                "\"vulnerable_code_not_in_execute_path\"",
                "\"code_not_reachable\"",
                "p:7:17: decision about `RUSTSEC-2023-0071`: unknown justification `code_not_reachable`: use one of component_not_present, vulnerable_code_not_present, vulnerable_code_not_in_execute_path, vulnerable_code_cannot_be_controlled_by_adversary, inline_mitigations_already_exist",
            ),
            (
                "status = \"not_affected\"\njustification = \"vulnerable_code_not_in_execute_path\"",
                "status = \"affected\"",
                "p:1:1: decision about `RUSTSEC-2023-0071` has the status affected and no `action`: what users are told to do",
            ),
        ] {
            assert!(FULL.contains(from), "{from}");
            assert_eq!(error(&FULL.replace(from, to)), says);
        }
    }

    #[test]
    fn a_publisher_has_a_place_of_its_own() {
        let text = "[documents.publisher]\ncategory = \"vendor\"\nname = \"Example\"\nnamespace = \"https://example.org\"\n";
        assert_eq!(parse("p", text, &[]).unwrap().documents.publisher.unwrap().category.as_str(), "vendor");
        for (from, to, says) in [
            (
                "https://example.org",
                "example.org",
                "p:4:13: [documents.publisher] `namespace` is no https URL: write the address of the publisher's own site",
            ),
            ("\"Example\"", "\"\"", "p:3:8: [documents.publisher] `name` is empty"),
            (
                "\"vendor\"",
                "\"maker\"",
                "p:2:12: unknown variant `maker`, expected one of `coordinator`, `discoverer`, `other`, `translator`, `user`, `vendor`",
            ),
        ] {
            assert_eq!(error(&text.replace(from, to)), says);
        }
    }
}
