//! SPDX 2.3 as tags and values (SPDX 2.3, section 4 and the tags of each field). `spdx-rs` reads this form but does not write it.

use serde::Serialize;
use serde_json::Value;
use spdx_rs::models::{DocumentCreationInformation, PackageInformation, SPDX};

use crate::base::text::plain;
use crate::document::identity::text_line;

pub(super) fn text(spdx: &SPDX) -> String {
    let mut out = Lines::default();
    creation(&mut out, &spdx.document_creation_information);
    for package in &spdx.package_information {
        self::package(&mut out, package);
    }
    for licence in &spdx.other_licensing_information_detected {
        out.gap();
        out.line("LicenseID", &licence.license_identifier);
        out.text("ExtractedText", &licence.extracted_text);
        out.line("LicenseName", &licence.license_name);
    }
    out.gap();
    for relation in &spdx.relationships {
        let kind = word(&relation.relationship_type);
        out.line("Relationship", &format!("{} {kind} {}", relation.spdx_element_id, relation.related_spdx_element));
        out.maybe_text("RelationshipComment", relation.comment.as_deref());
    }
    out.0
}

fn creation(out: &mut Lines, document: &DocumentCreationInformation) {
    out.line("SPDXVersion", &document.spdx_version);
    out.line("DataLicense", &document.data_license);
    out.line("SPDXID", &document.spdx_identifier);
    out.line("DocumentName", &document.document_name);
    out.line("DocumentNamespace", &document.spdx_document_namespace);
    out.maybe_text("DocumentComment", document.document_comment.as_deref());
    let creation = &document.creation_info;
    for creator in &creation.creators {
        out.line("Creator", creator);
    }
    out.line("Created", &word(&creation.created));
    out.maybe_text("CreatorComment", creation.creator_comment.as_deref());
    if let Some(version) = &creation.license_list_version {
        out.line("LicenseListVersion", version);
    }
}

fn package(out: &mut Lines, package: &PackageInformation) {
    out.gap();
    out.line("PackageName", &package.package_name);
    out.line("SPDXID", &package.package_spdx_identifier);
    out.maybe("PackageVersion", package.package_version.as_deref());
    out.maybe("PackageFileName", package.package_file_name.as_deref());
    out.maybe("PackageSupplier", package.package_supplier.as_deref());
    out.maybe("PackageOriginator", package.package_originator.as_deref());
    out.line("PackageDownloadLocation", &package.package_download_location);
    out.line("FilesAnalyzed", "false");
    for checksum in &package.package_checksum {
        out.line("PackageChecksum", &format!("{}: {}", word(&checksum.algorithm), checksum.value));
    }
    out.maybe("PackageHomePage", package.package_home_page.as_deref());
    out.maybe_text("PackageSourceInfo", package.source_information.as_deref());
    out.maybe("PackageLicenseConcluded", package.concluded_license.as_ref().map(ToString::to_string).as_deref());
    out.maybe("PackageLicenseDeclared", package.declared_license.as_ref().map(ToString::to_string).as_deref());
    out.maybe_text("PackageLicenseComments", package.comments_on_license.as_deref());
    out.maybe("PackageCopyrightText", package.copyright_text.as_deref());
    out.maybe_text("PackageSummary", package.package_summary_description.as_deref());
    out.maybe_text("PackageComment", package.package_comment.as_deref());
    for reference in &package.external_reference {
        let category = word(&reference.reference_category);
        out.line("ExternalRef", &format!("{category} {} {}", reference.reference_type, reference.reference_locator));
    }
    for text in &package.package_attribution_text {
        out.text("PackageAttributionText", text);
    }
    out.maybe("PrimaryPackagePurpose", package.primary_package_purpose.as_ref().map(word).as_deref());
    out.maybe("ValidUntilDate", package.valid_until_date.as_deref());
}

/// A word of the specification as its JSON form has it, which is the same.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word.replace('_', if word.starts_with("PACKAGE") { "-" } else { "_" }),
        _ => String::new(),
    }
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn gap(&mut self) {
        self.0.push('\n');
    }

    /// One line. What begins as a multi-line text would be read as one.
    fn line(&mut self, tag: &str, value: &str) {
        let value = plain(value).replace("<text>", "< text>");
        self.0.push_str(&format!("{tag}: {}\n", value.trim()));
    }

    fn maybe(&mut self, tag: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(tag, value);
        }
    }

    /// Free text between the specification's marks; its own are broken.
    fn text(&mut self, tag: &str, value: &str) {
        let lines: Vec<_> = value.lines().map(text_line).collect();
        let value = lines.join("\n").replace("<text>", "< text>").replace("</text>", "< /text>");
        self.0.push_str(&format!("{tag}: <text>{value}</text>\n"));
    }

    fn maybe_text(&mut self, tag: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(tag, value);
        }
    }
}
