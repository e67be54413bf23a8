//! `[[exemptions]]`: findings that are accepted for a while.

use std::ops::Range;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Error, Place};
use crate::base::{Lines, Timestamp};
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
        let who = format!("exemption of `{id}`");
        let reason = self.reason(&who, &header, raw.reason)?;
        let expires = self.expiry(&who, &header, raw.expires)?;
        if let Some(version) = &raw.version
            && let Err(error) = semver::Version::parse(version.get_ref())
        {
            let message = format!("{who} has the version `{}`: {error}", version.get_ref());
            return Err(self.error(Some(version.span()), message));
        }
        if raw.version.is_some() && raw.package.is_none() {
            return Err(self.error(Some(header.clone()), format!("{who} has a `version` but no `package`")));
        }
        Ok(Exemption {
            expires,
            package: raw.package,
            version: raw.version.map(Spanned::into_inner),
            reason,
            location: self.location(header.start, lines),
            id: raw.id.into_inner(),
        })
    }

    /// The reason of an exception, which has to say something. `who`: ``exemption of `x/y` ``.
    pub(in crate::config) fn reason(
        &self,
        who: &str,
        header: &Range<usize>,
        reason: Option<Spanned<String>>,
    ) -> Result<String, Error> {
        let reason = reason.ok_or_else(|| self.error(Some(header.clone()), format!("{who} has no `reason`")))?;
        if reason.get_ref().trim().is_empty() {
            return Err(self.error(Some(reason.span()), format!("{who} has an empty `reason`")));
        }
        Ok(reason.into_inner())
    }

    /// The end of an exception.
    pub(in crate::config) fn expiry(
        &self,
        who: &str,
        header: &Range<usize>,
        value: Option<Spanned<Value>>,
    ) -> Result<Timestamp, Error> {
        self.instant((who, "expires"), header, value)
    }

    /// A TOML date, a TOML time with offset, or either as a string; required.
    pub(in crate::config) fn instant(
        &self,
        (who, key): (&str, &str),
        header: &Range<usize>,
        value: Option<Spanned<Value>>,
    ) -> Result<Timestamp, Error> {
        let value = value.ok_or_else(|| self.error(Some(header.clone()), format!("{who} has no `{key}`")))?;
        let text = match value.get_ref() {
            Value::Datetime(date) => date.to_string(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        text.parse().map_err(|error| self.error(Some(value.span()), format!("{who} has `{key}` = `{text}`: {error}")))
    }
}
