//! `[licences]` of the policy: which licences a build may hold. Every identifier has to be one of the SPDX list: a slip in an allow
//! list would otherwise allow nothing, one in a deny list everything.

use semver::VersionReq;
use serde::Deserialize;
use toml::Spanned;

use super::parse::{Error, Place};
use crate::model::licence::{Expression, Term, UnknownLicence};

/// The most entries of a list: each is compared with every licence of every package.
const MAX_ENTRIES: usize = 1000;

/// `[licences]`; the default asks for nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LicenceSettings {
    /// What is accepted; empty: all that is not denied.
    pub allow: Vec<Term>,
    pub deny: Vec<Term>,
    pub exceptions: Vec<LicenceException>,
    pub clarify: Vec<Clarification>,
}

impl LicenceSettings {
    /// Whether the policy says anything about which licences are accepted.
    #[must_use]
    pub fn is_asked_for(&self) -> bool {
        !self.allow.is_empty() || !self.deny.is_empty()
    }
}

/// Further licences that are accepted of one package, whatever the lists say.
#[derive(Debug, Clone, PartialEq)]
pub struct LicenceException {
    pub package: String,
    /// None: every version.
    pub version: Option<VersionReq>,
    pub allow: Vec<Term>,
    pub reason: Option<String>,
}

/// What stands for the declaration of a package that declares nothing, or no SPDX expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Clarification {
    pub package: String,
    pub version: Option<VersionReq>,
    /// An SPDX expression.
    pub expression: String,
    pub reason: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawLicences {
    #[serde(default)]
    allow: Vec<Spanned<String>>,
    #[serde(default)]
    deny: Vec<Spanned<String>>,
    #[serde(default)]
    exceptions: Vec<RawException>,
    #[serde(default)]
    clarify: Vec<RawClarification>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawException {
    package: Spanned<String>,
    version: Option<Spanned<String>>,
    allow: Vec<Spanned<String>>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawClarification {
    package: Spanned<String>,
    version: Option<Spanned<String>>,
    expression: Spanned<String>,
    reason: Option<String>,
}

impl RawLicences {
    pub(super) fn read(self, place: &Place<'_>) -> Result<LicenceSettings, Error> {
        let deny = terms(place, &self.deny)?;
        let allow = terms(place, &self.allow)?;
        for (term, written) in deny.iter().zip(&self.deny) {
            if allow.contains(term) {
                return Err(place.error(Some(written.span()), format!("licence `{term}` is allowed and denied")));
            }
        }
        for (number, what) in [(self.exceptions.len(), "exceptions"), (self.clarify.len(), "clarifications")] {
            if number > MAX_ENTRIES {
                return Err(place.error(None, format!("more than {MAX_ENTRIES} licence {what}")));
            }
        }
        let exceptions = self.exceptions.into_iter().map(|raw| exception(place, raw)).collect::<Result<_, _>>()?;
        let clarify = self.clarify.into_iter().map(|raw| clarification(place, raw)).collect::<Result<_, _>>()?;
        Ok(LicenceSettings { allow, deny, exceptions, clarify })
    }
}

fn terms(place: &Place<'_>, written: &[Spanned<String>]) -> Result<Vec<Term>, Error> {
    if let Some(entry) = written.get(MAX_ENTRIES) {
        return Err(place.error(Some(entry.span()), format!("more than {MAX_ENTRIES} licences")));
    }
    written.iter().map(|entry| term(place, entry)).collect()
}

fn term(place: &Place<'_>, written: &Spanned<String>) -> Result<Term, Error> {
    Term::parse(written.get_ref()).map_err(|UnknownLicence { suggestion }| {
        let text = written.get_ref();
        let message = match Expression::parse(text) {
            Some(_) => format!("`{text}` is more than one licence: list each by itself"),
            None => format!("`{text}` is not on the SPDX licence list"),
        };
        let suggestion = suggestion.map(|id| format!("did you mean `{id}`?"));
        Error { suggestion, ..place.error(Some(written.span()), message) }
    })
}

fn exception(place: &Place<'_>, raw: RawException) -> Result<LicenceException, Error> {
    if raw.allow.is_empty() {
        let message = format!("the licence exception of `{}` allows nothing", raw.package.get_ref());
        return Err(place.error(Some(raw.package.span()), message));
    }
    Ok(LicenceException {
        package: name(place, raw.package)?,
        version: version(place, raw.version)?,
        allow: terms(place, &raw.allow)?,
        reason: raw.reason,
    })
}

fn clarification(place: &Place<'_>, raw: RawClarification) -> Result<Clarification, Error> {
    let Some(expression) = Expression::parse(raw.expression.get_ref()) else {
        let message = format!("`{}` is not an SPDX expression", raw.expression.get_ref());
        return Err(place.error(Some(raw.expression.span()), message));
    };
    Ok(Clarification {
        package: name(place, raw.package)?,
        version: version(place, raw.version)?,
        expression: expression.text,
        reason: raw.reason,
    })
}

fn name(place: &Place<'_>, written: Spanned<String>) -> Result<String, Error> {
    if written.get_ref().trim().is_empty() {
        return Err(place.error(Some(written.span()), "`package` is empty"));
    }
    Ok(written.into_inner())
}

fn version(place: &Place<'_>, written: Option<Spanned<String>>) -> Result<Option<VersionReq>, Error> {
    let Some(written) = written else { return Ok(None) };
    let wrong = |error| place.error(Some(written.span()), format!("version requirement `{}`: {error}", written.get_ref()));
    VersionReq::parse(written.get_ref()).map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn every_key_is_read() {
        let text = "[licences]\nallow = ['MIT', 'Apache-2.0 WITH LLVM-exception']\ndeny = ['AGPL-3.0']\n\
                    exceptions = [{ package = 'ring', version = '^0.17', allow = ['OpenSSL'], reason = 'r' }]\n\
                    [[licences.clarify]]\npackage = 'old'\nexpression = 'MIT/Apache-2.0'\n";
        let licences = parse("p", text, &[]).unwrap().licences;
        let shown = |terms: &[Term]| terms.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(shown(&licences.allow), ["MIT", "Apache-2.0 WITH LLVM-exception"]);
        assert_eq!(shown(&licences.deny), ["AGPL-3.0"]);
        assert_eq!(shown(&licences.exceptions[0].allow), ["OpenSSL"]);
        assert!(licences.exceptions[0].version.as_ref().unwrap().matches(&"0.17.8".parse().unwrap()));
        assert_eq!(licences.clarify[0].expression, "MIT OR Apache-2.0");
        assert!(licences.is_asked_for() && !LicenceSettings::default().is_asked_for());
    }

    #[test]
    fn mistakes_have_a_place_and_a_suggestion() {
        for (text, expected, suggestion) in [
            ("allow = ['mit']", "p:2:10: `mit` is not on the SPDX licence list", Some("MIT")),
            ("deny = ['AGPL-3']", "p:2:9: `AGPL-3` is not on the SPDX licence list", Some("AGPL-3.0")),
            ("allow = ['MIT OR ISC']", "p:2:10: `MIT OR ISC` is more than one licence: list each by itself", None),
            ("allow = ['MIT']\ndeny = ['MIT']", "p:3:9: licence `MIT` is allowed and denied", None),
            ("alow = []", "p:2:1: unknown key `alow`, expected one of `allow`, `deny`, `exceptions`, `clarify`", Some("allow")),
            (
                "exceptions = [{ package = 'a', allow = ['MIT'], version = 'y' }]",
                "p:2:59: version requirement `y`: unexpected character 'y' while parsing major version number",
                None,
            ),
            ("exceptions = [{ package = 'a', allow = [] }]", "p:2:27: the licence exception of `a` allows nothing", None),
            ("clarify = [{ package = 'a', expression = 'own' }]", "p:2:42: `own` is not an SPDX expression", None),
            ("clarify = [{ package = ' ', expression = 'MIT' }]", "p:2:24: `package` is empty", None),
        ] {
            let error = parse("p", &format!("[licences]\n{text}"), &[]).unwrap_err();
            assert_eq!(error.to_string(), expected);
            if let Some(word) = suggestion {
                assert!(error.suggestion.as_ref().is_some_and(|said| said.contains(word)), "{text}: {:?}", error.suggestion);
            } else {
                assert_eq!(error.suggestion, None, "{text}");
            }
        }
    }
}
