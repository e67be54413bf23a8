//! `[[exemptions]]`: findings that are accepted for a while.

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Error, Place};
use crate::base::{Lines, Location, Timestamp};
use crate::config::settings::Exemption;

/// The most exemptions: each is compared with every finding.
pub(super) const MAX_EXEMPTIONS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawExemption {
    id: Spanned<String>,
    package: Option<String>,
    version: Option<Spanned<String>>,
    reason: Option<Spanned<String>>,
    expires: Option<Spanned<Value>>,
}

impl Place<'_> {
    pub(super) fn exemptions(&self, raw: Vec<Spanned<RawExemption>>) -> Result<Vec<Exemption>, Error> {
        if let Some(exemption) = raw.get(MAX_EXEMPTIONS) {
            return Err(self.error(Some(exemption.span()), format!("more than {MAX_EXEMPTIONS} exemptions")));
        }
        let mut lines = Lines::new(self.text);
        raw.into_iter().map(|exemption| self.exemption(exemption, &mut lines)).collect()
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
