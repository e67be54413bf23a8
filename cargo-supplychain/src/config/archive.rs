//! `[archive]`: where releases are kept, and which are supported, until when. Never credentials: those come from the environment.

use semver::{Version, VersionReq};
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::parse::{Error, Place};
use super::settings::ArchiveSettings;
use crate::base::Timestamp;
use crate::base::http::is_allowed;

const DAY: i64 = 24 * 60 * 60;

/// `[archive]`, as far as it says what is supported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SupportedReleases {
    pub lines: Vec<SupportedLine>,
}

/// Releases that are supported for as long as it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportedLine {
    /// The release's name; `*` stands for anything.
    pub name: String,
    /// Which versions; none: all.
    pub version: Option<VersionReq>,
    /// The last day; none: no end is known.
    pub until: Option<Timestamp>,
}

/// Whether a release is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// No release is said to be supported: nothing is known.
    Unknown,
    Supported {
        until: Option<Timestamp>,
    },
    /// Support has ended: its last day.
    Ended {
        until: Timestamp,
    },
    /// Others are named, this one is not.
    NotNamed,
}

impl Support {
    /// Whether it counts with `--supported`.
    #[must_use]
    pub fn is_supported(self) -> bool {
        matches!(self, Self::Supported { .. })
    }

    /// For data: true, false, or null.
    #[must_use]
    pub fn known(self) -> Option<bool> {
        (self != Self::Unknown).then(|| self.is_supported())
    }
}

impl SupportedReleases {
    /// Whether the release is supported at `now`. Of several lines that name it the one that ends last counts.
    #[must_use]
    pub fn of(&self, name: &str, version: &str, now: Timestamp) -> Support {
        if self.lines.is_empty() {
            return Support::Unknown;
        }
        let version = version.parse().ok();
        let named = self.lines.iter().filter(|line| line.names(name, version.as_ref()));
        let last = named.map(|line| line.until).max_by_key(|until| (until.is_none(), *until));
        match last {
            None => Support::NotNamed,
            Some(Some(until)) if until.unix() + DAY <= now.unix() => Support::Ended { until },
            Some(until) => Support::Supported { until },
        }
    }
}

impl SupportedLine {
    fn names(&self, name: &str, version: Option<&Version>) -> bool {
        let by_version = match (&self.version, version) {
            (None, _) => true,
            (Some(_), None) => false,
            // A pre-release belongs to the line of its release.
            (Some(wanted), Some(version)) => {
                wanted.matches(version) || wanted.matches(&Version::new(version.major, version.minor, version.patch))
            }
        };
        by_version && matches(&self.name, name)
    }
}

/// `*` stands for anything, the empty text too.
fn matches(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(end)
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawArchive {
    store: Option<String>,
    endpoint: Option<Spanned<String>>,
    region: Option<Spanned<String>>,
    #[serde(default)]
    on_build: bool,
    keep_last: Option<u32>,
    keep_days: Option<u32>,
    #[serde(default)]
    supported: Vec<RawSupported>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawSupported {
    name: Spanned<String>,
    version: Option<Spanned<String>>,
    until: Option<Spanned<Datetime>>,
}

impl RawArchive {
    pub(super) fn read(self, place: &Place<'_>) -> Result<(ArchiveSettings, SupportedReleases), Error> {
        for (key, value) in [("endpoint", &self.endpoint), ("region", &self.region)] {
            let (Some(value), Some(store)) = (value, &self.store) else { continue };
            if !store.starts_with("s3://") {
                return Err(place.error(Some(value.span()), format!("`{key}` is for a `store` that begins with s3://")));
            }
        }
        let settings = ArchiveSettings {
            store: self.store,
            endpoint: self.endpoint.map(|url| endpoint(url, place)).transpose()?,
            region: self.region.map(|name| region(name, place)).transpose()?,
            on_build: self.on_build,
            keep_last: self.keep_last,
            keep_days: self.keep_days,
        };
        let lines = self.supported.into_iter().map(|line| line.read(place)).collect::<Result<_, _>>()?;
        Ok((settings, SupportedReleases { lines }))
    }
}

fn endpoint(url: Spanned<String>, place: &Place<'_>) -> Result<String, Error> {
    let why = match url.get_ref() {
        text if text.contains(['@', '?', '#']) => "holds more than a host and a path: credentials come from the environment",
        text if !is_allowed(text) => "is neither https nor http on this machine",
        _ => return Ok(url.into_inner()),
    };
    // Line and column, but not the text: somebody may have put a password in.
    Err(Error { span: None, ..place.error(Some(url.span()), format!("`endpoint` {why}")) })
}

/// It becomes a part of host names.
fn region(name: Spanned<String>, place: &Place<'_>) -> Result<String, Error> {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    match name.get_ref() {
        text if !text.is_empty() && text.len() <= 64 && text.bytes().all(is_letter) => Ok(name.into_inner()),
        _ => Err(place.error(Some(name.span()), "`region` is no name such as eu-central-1")),
    }
}

impl RawSupported {
    fn read(self, place: &Place<'_>) -> Result<SupportedLine, Error> {
        if self.name.get_ref().is_empty() {
            return Err(place.error(Some(self.name.span()), "`name` is empty: write the release's name, or \"*\""));
        }
        let version = self.version.map(|version| {
            version.get_ref().parse().map_err(|error| {
                place.error(Some(version.span()), format!("`version` is no requirement such as \">=1.4, <2\": {error}"))
            })
        });
        let until = self.until.map(|until| {
            let is_day = until.get_ref().time.is_none();
            until
                .get_ref()
                .to_string()
                .parse()
                .ok()
                .filter(|_| is_day)
                .ok_or_else(|| place.error(Some(until.span()), "`until` is no day such as 2027-12-31".to_owned()))
        });
        Ok(SupportedLine { name: self.name.into_inner(), version: version.transpose()?, until: until.transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_ends_last_counts() {
        let line = |name: &str, version: &str, until: Option<&str>| SupportedLine {
            name: name.into(),
            version: (!version.is_empty()).then(|| version.parse().unwrap()),
            until: until.map(|day| day.parse().unwrap()),
        };
        let day = |text: &str| text.parse::<Timestamp>().unwrap();
        let releases = SupportedReleases {
            lines: vec![
                line("app", ">=1.4, <2", Some("2026-12-31")),
                line("app", "^2", None),
                line("app-*", "", Some("2026-01-01")),
                line("app-*", "1", Some("2026-06-01")),
            ],
        };
        let now = day("2026-12-31T23:59:59Z");
        for (name, version, expected) in [
            ("app", "1.4.0", Support::Supported { until: Some(day("2026-12-31")) }),
            ("app", "1.3.9", Support::NotNamed),
            ("app", "2.0.0-rc.1", Support::Supported { until: None }),
            ("app-x", "1.0.0", Support::Ended { until: day("2026-06-01") }),
            ("app-x", "nightly", Support::Ended { until: day("2026-01-01") }),
            ("app", "nightly", Support::NotNamed),
            ("other", "1.4.0", Support::NotNamed),
        ] {
            assert_eq!(releases.of(name, version, now), expected, "{name} {version}");
        }
        assert_eq!(SupportedReleases::default().of("app", "1.0.0", now), Support::Unknown);
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("a*", "a", true),
            ("a*c", "abc", true),
            ("a*c", "ab", false),
            ("a*b*c", "a-b-c", true),
            ("a*a", "a", false),
            ("*b", "ab", true),
            ("ab", "abc", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
