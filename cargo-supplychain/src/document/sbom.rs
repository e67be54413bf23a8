//! The bill of materials of one artifact, in whichever format: what it is made from, and which file writes it.

use super::inventory::Inventory;
use super::{Document, Error, cyclonedx, spdx, spdx3, swid};
use crate::base::Timestamp;
use crate::config::{CycloneDxVersion, DocumentSettings, SbomFormat};
use crate::model::licence_text::{LicenceFile, LicenceTexts};
use crate::model::{Artifact, Build, Component};

/// What a bill of materials is made from.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub format: SbomFormat,
    pub build: &'a Build,
    pub artifact: &'a Artifact,
    pub settings: &'a DocumentSettings,
    /// The licence files of its packages, where they were read.
    pub texts: Option<&'a LicenceTexts>,
    /// Whether statements about the documents are signed.
    pub is_signed: bool,
    /// How many steps of dependencies are listed; none: all.
    pub depth: Option<u32>,
    pub support: SupportEnd,
}

/// Until when the release is supported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SupportEnd {
    /// The policy does not say.
    #[default]
    Unknown,
    /// It is supported, and no end is planned.
    Open,
    /// The last day.
    Until(Timestamp),
}

impl<'a> Subject<'a> {
    /// Everything that is known of the artifact, unsigned.
    #[must_use]
    pub fn new(format: SbomFormat, build: &'a Build, artifact: &'a Artifact, settings: &'a DocumentSettings) -> Self {
        Self { format, build, artifact, settings, texts: None, is_signed: false, depth: None, support: SupportEnd::Unknown }
    }

    /// The document.
    ///
    /// # Errors
    /// The model contradicts itself; see [`Error`].
    pub fn document(&self) -> Result<Document, Error> {
        match self.format {
            SbomFormat::CycloneDxJson(version) => cyclonedx::json(self, version),
            SbomFormat::CycloneDxXml(version) => cyclonedx::xml(self, version),
            SbomFormat::SpdxJson => spdx::json(self),
            SbomFormat::SpdxTagValue => spdx::tag_value(self),
            SbomFormat::Spdx3Json => spdx3::document(self),
            SbomFormat::Swid => swid::document(self),
        }
    }

    pub(super) fn inventory(&self) -> Result<Inventory<'a>, Error> {
        let inventory = Inventory::of(self.build, self.artifact)?;
        Ok(match self.depth {
            Some(depth) => inventory.cut_at(depth),
            None => inventory,
        })
    }

    /// Where in the release the author's signature over the document lies: in a statement about it, or in that about the whole release.
    pub(super) fn signature_place(&self) -> Option<String> {
        let what = match self.format {
            SbomFormat::CycloneDxJson(CycloneDxVersion::V1_7) => "cyclonedx",
            SbomFormat::SpdxJson => "spdx",
            _ => "release",
        };
        let name = &self.artifact.name;
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte));
        match what {
            _ if !self.is_signed => None,
            "release" => Some("attestations/release.sigstore.json".to_owned()),
            _ => is_plain.then(|| format!("attestations/{name}.{what}.sigstore.json")),
        }
    }

    /// The text that a licence reference of a package stands for, or its `license-file`.
    pub(super) fn licence_text(&self, package: &Component, reference: &str) -> Option<&'a LicenceFile> {
        self.texts?.of_reference(&package.purl, reference, package.license_file.as_deref())
    }

    /// The end of support in words of our own.
    pub(super) fn support_fact(&self) -> Option<(&'static str, String)> {
        let end = match self.support {
            SupportEnd::Unknown => return None,
            SupportEnd::Open => "none planned".to_owned(),
            SupportEnd::Until(end) => end.date(),
        };
        Some(("support-end", end))
    }
}
