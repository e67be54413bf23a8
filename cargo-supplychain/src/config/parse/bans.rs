//! `[bans]`: packages that may not be used.

use semver::VersionReq;
use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Error, Place, did_you_mean};
use crate::base::{Lines, Location};
use crate::config::settings::Ban;

/// The most bans: each is compared with every locked package.
pub(super) const MAX_BANS: usize = 1000;

/// The longest name, in bytes.
const MAX_NAME: usize = 255;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawBans {
    #[serde(default)]
    pub(super) deny: Vec<Spanned<Value>>,
}

/// The keys of a ban.
const KEYS: [&str; 4] = ["name", "version", "reason", "wrappers"];

impl Place<'_> {
    pub(super) fn bans(&self, raw: &[Spanned<Value>]) -> Result<Vec<Ban>, Error> {
        if let Some(ban) = raw.get(MAX_BANS) {
            return Err(self.error(Some(ban.span()), format!("more than {MAX_BANS} bans")));
        }
        let mut lines = Lines::new(self.text);
        let bans = raw.iter().map(|ban| {
            let (line, column) = lines.at(ban.span().start);
            self.ban(ban, Location { file: self.path.to_owned(), line, column })
        });
        bans.collect()
    }

    /// `"NAME"`, or `{ name = "NAME", version = "<1.2", reason = "…", wrappers = ["…"] }`.
    fn ban(&self, raw: &Spanned<Value>, location: Location) -> Result<Ban, Error> {
        let wrong = |message: String| self.error(Some(raw.span()), message);
        let mut ban = Ban { name: String::new(), version: None, reason: None, wrappers: Vec::new(), location };
        match raw.get_ref() {
            Value::String(name) => ban.name.clone_from(name),
            Value::Table(table) => {
                for (key, value) in table {
                    self.ban_key(&mut ban, key, value).map_err(|(message, suggestion)| Error { suggestion, ..wrong(message) })?;
                }
            }
            _ => return Err(wrong(format!("a ban is a name, or a table with {}", quoted()))),
        }
        if ban.name.trim().is_empty() || ban.name.len() > MAX_NAME {
            return Err(wrong(format!("a ban has no `name` of 1 to {MAX_NAME} bytes")));
        }
        Ok(ban)
    }

    fn ban_key(&self, ban: &mut Ban, key: &str, value: &Value) -> Result<(), (String, Option<String>)> {
        let text = || value.as_str().map(str::to_owned).ok_or((format!("`{key}` of a ban is not a string"), None));
        match key {
            "name" => ban.name = text()?,
            "version" => {
                let text = text()?;
                let parsed = text.parse::<VersionReq>();
                ban.version = Some(parsed.map_err(|error| (format!("a ban has the version `{text}`: {error}"), None))?);
            }
            "reason" => ban.reason = Some(text()?),
            "wrappers" => {
                let names = self.strings(value);
                ban.wrappers = names.ok_or(("`wrappers` of a ban is not a list of strings".to_owned(), None))?;
            }
            other => {
                let suggestion = did_you_mean(other, KEYS.into_iter());
                return Err((format!("unknown key `{other}`, a ban takes {}", quoted()), suggestion));
            }
        }
        Ok(())
    }
}

fn quoted() -> String {
    KEYS.map(|key| format!("`{key}`")).join(", ")
}
