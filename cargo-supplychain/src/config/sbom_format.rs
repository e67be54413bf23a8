//! The names of SBOM formats, as `--format-sbom` and `[documents] formats` take them: `FORMAT` or `FORMAT@VERSION`.

use std::fmt;
use std::str::FromStr;

/// A format in a version of its specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SbomFormat {
    CycloneDxJson(CycloneDxVersion),
    CycloneDxXml(CycloneDxVersion),
    /// SPDX 2.3 as JSON.
    SpdxJson,
    /// SPDX 2.3 as tag-value text.
    SpdxTagValue,
    /// SPDX 3.0.1 as JSON-LD.
    Spdx3Json,
    /// A software identification tag, ISO/IEC 19770-2:2015 as NISTIR 8060 wants it; only of a released file.
    Swid,
}

/// A version of CycloneDX that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CycloneDxVersion {
    V1_4,
    V1_5,
    V1_6,
    V1_7,
}

impl CycloneDxVersion {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_4 => "1.4",
            Self::V1_5 => "1.5",
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }
}

use CycloneDxVersion::{V1_4, V1_5, V1_6, V1_7};

impl SbomFormat {
    /// What every release has, each with a statement of its own: CycloneDX 1.7 JSON and SPDX 2.3 JSON.
    pub const ALWAYS: [Self; 2] = [Self::CycloneDxJson(V1_7), Self::SpdxJson];

    /// Every format, each version of it; a format's first is what its name without version means.
    pub const ALL: [Self; 11] = [
        Self::CycloneDxJson(V1_7),
        Self::CycloneDxJson(V1_6),
        Self::CycloneDxJson(V1_5),
        Self::CycloneDxJson(V1_4),
        Self::CycloneDxXml(V1_6),
        Self::CycloneDxXml(V1_5),
        Self::CycloneDxXml(V1_4),
        Self::SpdxJson,
        Self::Spdx3Json,
        Self::SpdxTagValue,
        Self::Swid,
    ];

    /// Format and version of the specification.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::CycloneDxJson(version) => ("cyclonedx-json", version.as_str()),
            Self::CycloneDxXml(version) => ("cyclonedx-xml", version.as_str()),
            Self::SpdxJson => ("spdx-json", "2.3"),
            Self::Spdx3Json => ("spdx-json", "3.0.1"),
            Self::Swid => ("swid", "2015"),
            Self::SpdxTagValue => ("spdx-tag-value", "2.3"),
        }
    }

    /// For help texts: each format with its versions, the first is the default.
    #[must_use]
    pub fn list() -> String {
        let mut formats: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, version) in Self::ALL.map(Self::words) {
            match formats.last_mut() {
                Some((last, versions)) if *last == name => versions.push(version),
                _ => formats.push((name, vec![version])),
            }
        }
        let shown = formats.iter().map(|(name, versions)| format!("{name}[@{}]", versions.join("|")));
        shown.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for SbomFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, version) = self.words();
        write!(f, "{name}@{version}")
    }
}

/// The text names no format that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownSbomFormat(String);

impl fmt::Display for UnknownSbomFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is none of {}", crate::base::text::plain(&self.0), SbomFormat::list())
    }
}

impl std::error::Error for UnknownSbomFormat {}

impl FromStr for SbomFormat {
    type Err = UnknownSbomFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        let named = |format: &Self| format.words().0 == name && version.is_none_or(|version| format.words().1 == version);
        Self::ALL.into_iter().find(named).ok_or_else(|| UnknownSbomFormat(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_shown() {
        for format in SbomFormat::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        for (text, expected) in [
            ("cyclonedx-json", Some("cyclonedx-json@1.7")),
            ("cyclonedx-xml", Some("cyclonedx-xml@1.6")),
            ("spdx-json", Some("spdx-json@2.3")),
            ("spdx-tag-value", Some("spdx-tag-value@2.3")),
            ("swid", Some("swid@2015")),
            ("cyclonedx-xml@1.7", None),
            ("cyclonedx-json@1.3", None),
            ("cyclonedx", None),
            ("spdx-json@", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<SbomFormat>().ok().map(|format| format.to_string()).as_deref(), expected, "{text}");
        }
        let said = "cyclonedx-json@9\n".parse::<SbomFormat>().unwrap_err().to_string();
        assert_eq!(
            said,
            "`cyclonedx-json@9\\u{a}` is none of cyclonedx-json[@1.7|1.6|1.5|1.4], cyclonedx-xml[@1.6|1.5|1.4], \
             spdx-json[@2.3|3.0.1], spdx-tag-value[@2.3], swid[@2015]"
        );
    }
}
