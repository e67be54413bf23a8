//! SPDX 2.2 and 2.3 as tags and values: lines `Tag: value`, values over several lines between `<text>` and `</text>`. The tags become the
//! document of `spdx2`, from where both forms go one way. A tag that is not known is passed over, a line that is none is an error.

use super::spdx2::{self, RawChecksum, RawDocument, RawExternal, RawExtracted, RawPackage, RawRelationship};
use super::{Bom, Error, Format, MAX_EDGES, MAX_PARTS};

/// Whether the text begins like such a document: its first tag is `SPDXVersion`.
pub(super) fn is_one(text: &str) -> bool {
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    first.is_some_and(|line| line.split_once(':').is_some_and(|(tag, _)| tag.trim() == "SPDXVersion"))
}

/// What the tags of the moment belong to.
#[derive(Clone, Copy, PartialEq)]
enum Section {
    Document,
    Package,
    File,
    Licence,
    /// Snippets, reviews: nothing in them is read.
    Other,
}

/// Reads the document.
pub(super) fn read(text: &str) -> Result<Bom, Error> {
    let mut document = RawDocument::default();
    let mut section = Section::Document;
    let mut lines = text.lines().enumerate().map(|(number, line)| (number + 1, line));
    while let Some((number, line)) = lines.next() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let place = format!("line {number}");
        let (tag, value) = trimmed.split_once(':').ok_or_else(|| Error::at(place.clone(), "no `Tag: value`"))?;
        let (tag, value) = (tag.trim(), value.trim());
        let mut long = String::new();
        let value = match value.strip_prefix("<text>") {
            Some(rest) => match rest.split_once("</text>") {
                Some((inner, _)) => inner,
                None => {
                    long.push_str(rest);
                    loop {
                        let (_, line) = lines.next().ok_or_else(|| Error::at(place.clone(), "`<text>` is not closed"))?;
                        long.push('\n');
                        if let Some((last, _)) = line.split_once("</text>") {
                            long.push_str(last);
                            break;
                        }
                        long.push_str(line);
                    }
                    &long
                }
            },
            None => value,
        };
        take(&mut document, &mut section, tag, value).map_err(|what| Error::at(place, what))?;
    }
    spdx2::bom(document, Format::SpdxTagValue)
}

fn take(document: &mut RawDocument, section: &mut Section, tag: &str, value: &str) -> Result<(), String> {
    let owned = || Some(value.to_owned());
    match tag {
        "PackageName" => {
            *section = Section::Package;
            document.packages.push(RawPackage { name: value.to_owned(), ..RawPackage::default() });
        }
        "FileName" => {
            *section = Section::File;
            document.files.push(RawPackage { name: value.to_owned(), ..RawPackage::default() });
        }
        "LicenseID" => {
            *section = Section::Licence;
            document.has_extracted_licensing_infos.push(RawExtracted { license_id: value.to_owned(), name: None });
        }
        "SnippetSPDXID" | "SnippetSPDXIdentifier" | "Reviewer" => *section = Section::Other,
        "Relationship" => document.relationships.push(relationship(value)?),
        "SPDXVersion" => document.spdx_version = value.to_owned(),
        "DocumentNamespace" => document.document_namespace = owned(),
        "DocumentComment" => document.comment = owned(),
        "Creator" => document.creation_info.creators.push(value.to_owned()),
        "Created" => document.creation_info.created = owned(),
        "CreatorComment" => document.creation_info.comment = owned(),
        "LicenseName" => {
            if let Some(licence) = document.has_extracted_licensing_infos.last_mut() {
                licence.name = owned();
            }
        }
        _ => return of_section(document, *section, tag, value),
    }
    let parts = document.packages.len() + document.files.len();
    match () {
        () if parts > MAX_PARTS => Err(format!("more than {MAX_PARTS} packages and files")),
        () if document.relationships.len() > MAX_EDGES => Err(format!("more than {MAX_EDGES} relationships")),
        () => Ok(()),
    }
}

fn of_section(document: &mut RawDocument, section: Section, tag: &str, value: &str) -> Result<(), String> {
    let package = match section {
        Section::Package => document.packages.last_mut(),
        Section::File => document.files.last_mut(),
        Section::Document if tag == "SPDXID" => {
            document.id = value.to_owned();
            None
        }
        _ => None,
    };
    let Some(package) = package else { return Ok(()) };
    let once = |field: &mut Option<String>| match field.replace(value.to_owned()) {
        Some(_) => Err(format!("`{tag}` is there twice")),
        None => Ok(()),
    };
    match tag {
        "SPDXID" if package.id.is_empty() => value.clone_into(&mut package.id),
        "SPDXID" => return Err("`SPDXID` is there twice".to_owned()),
        "PackageVersion" => once(&mut package.version_info)?,
        "PackageFileName" => once(&mut package.package_file_name)?,
        "PackageSupplier" => once(&mut package.supplier)?,
        "PackageOriginator" => once(&mut package.originator)?,
        "PackageDownloadLocation" => once(&mut package.download_location)?,
        "PackageLicenseConcluded" | "LicenseConcluded" => once(&mut package.license_concluded)?,
        "PackageLicenseDeclared" => once(&mut package.license_declared)?,
        "PrimaryPackagePurpose" => once(&mut package.primary_package_purpose)?,
        "PackageComment" | "FileComment" => once(&mut package.comment)?,
        "PackageChecksum" | "FileChecksum" => {
            let (algorithm, checksum) = value.split_once(':').ok_or_else(|| format!("{value:?} is no checksum"))?;
            let checksum = RawChecksum { algorithm: algorithm.trim().to_owned(), checksum_value: checksum.trim().to_owned() };
            package.checksums.push(checksum);
        }
        "ExternalRef" => {
            let mut words = value.splitn(3, char::is_whitespace);
            let (Some(category), Some(kind), Some(locator)) = (words.next(), words.next(), words.next()) else {
                return Err(format!("{value:?} is no external reference"));
            };
            package.external_refs.push(RawExternal {
                reference_category: category.to_owned(),
                reference_type: kind.to_owned(),
                reference_locator: locator.trim().to_owned(),
            });
        }
        _ => {}
    }
    Ok(())
}

fn relationship(value: &str) -> Result<RawRelationship, String> {
    let words: Vec<_> = value.split_whitespace().take(4).collect();
    let [left, kind, right] = words.as_slice() else { return Err(format!("{value:?} is no relationship")) };
    Ok(RawRelationship {
        spdx_element_id: (*left).to_owned(),
        relationship_type: (*kind).to_owned(),
        related_spdx_element: (*right).to_owned(),
    })
}
