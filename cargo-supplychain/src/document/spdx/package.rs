//! A package of an SPDX document.

use spdx_rs::models::{
    Algorithm, Checksum, ExternalPackageReference, ExternalPackageReferenceCategory, PackageInformation, PrimaryPackagePurpose,
};

use super::{NOASSERTION, expression};
use crate::base::Sha256;
use crate::base::text::plain;
use crate::document::part::{Kind, Part};
use crate::document::producer::{Author, Contact, Producer};
use crate::model::ArtifactKind;
use crate::model::licence::Declared;

type Result<T> = std::result::Result<T, serde_json::Error>;

/// `SPDXRef-KIND-LABEL-DIGEST`: the label for people, the digest of what it stands for so that two never meet.
pub(super) fn identifier(part: &Part<'_>) -> String {
    let kind = match part.kind {
        Kind::Artifact(_) => return "SPDXRef-Artifact".to_owned(),
        Kind::StandardLibrary => return "SPDXRef-Package-rust-std".to_owned(),
        Kind::Compiler => return "SPDXRef-Package-rustc".to_owned(),
        Kind::Package(_) => "Package",
        Kind::Native(_) => "Native",
    };
    let label = format!("{}-{}", part.name, part.version.as_deref().unwrap_or_default());
    let is_plain = |one: char| one.is_ascii_alphanumeric() || one == '.';
    let label: String = label.chars().map(|one| if is_plain(one) { one } else { '-' }).take(60).collect();
    format!("SPDXRef-{kind}-{}-{}", label.trim_end_matches('-'), &Sha256::of(&part.reference).to_string()[..12])
}

/// A name as SPDX writes it (section 6.8), with the address in round brackets, which a name may not have.
pub(super) fn agent(kind: &str, name: &str, email: Option<&str>) -> String {
    let name = plain(name.trim()).replace('(', "[").replace(')', "]");
    match email {
        Some(email) => format!("{kind}: {name} ({email})"),
        None => format!("{kind}: {name}"),
    }
}

fn producer(producer: &Producer) -> String {
    match producer {
        Producer::Configured { name, contact } => {
            let email = if let Some(Contact::Email(email)) = contact { Some(email.as_str()) } else { None };
            agent("Organization", name, email)
        }
        // One statement: SPDX has room for one name.
        Producer::Authors(authors) => match authors.as_slice() {
            [author] => agent("Person", &author.name, author.email.as_deref()),
            several => {
                let names: Vec<&str> = several.iter().map(|author| author.name.as_str()).collect();
                agent("Organization", &names.join(", "), None)
            }
        },
        Producer::Project { name, url } => agent("Organization", &format!("{name}, {url}"), None),
        Producer::Known(name, _) => agent("Organization", name, None),
        Producer::Unknown => NOASSERTION.to_owned(),
    }
}

pub(super) fn information(part: &Part<'_>, identifier: &str) -> Result<PackageInformation> {
    let producer = producer(&part.producer);
    let (declared, licence_comment) = licence(part)?;
    let purl = part.purl.iter().map(|purl| reference(ExternalPackageReferenceCategory::PackageManager, "purl", purl));
    let cpe = part.cpe.iter().map(|cpe| reference(ExternalPackageReferenceCategory::Security, "cpe23Type", cpe));
    let facts: Vec<String> = part.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    Ok(PackageInformation {
        package_name: part.name.clone(),
        package_spdx_identifier: identifier.to_owned(),
        // An unknown version is said in the comment: the field has no word for it that is no version.
        package_version: part.version.clone(),
        package_file_name: part.file.map(|file| plain(&file.name).into_owned()),
        package_supplier: Some(producer.clone()),
        package_originator: Some(producer),
        package_download_location: match part.kind {
            // The file itself has no download location; where its source is, is said below.
            Kind::Artifact(_) => NOASSERTION.to_owned(),
            _ => part.source.as_ref().map_or_else(|| NOASSERTION.to_owned(), super::super::part::Source::spdx),
        },
        files_analyzed: Some(false),
        package_verification_code: None,
        package_checksum: checksums(part),
        package_home_page: part.repository.clone(),
        source_information: source_information(part),
        concluded_license: Some(expression(NOASSERTION)?),
        all_licenses_information_from_files: Vec::new(),
        declared_license: Some(declared),
        comments_on_license: licence_comment,
        copyright_text: Some(NOASSERTION.to_owned()),
        package_summary_description: part.description.clone(),
        package_detailed_description: None,
        package_comment: Some(facts.join("; ")),
        external_reference: purl.chain(cpe).collect(),
        package_attribution_text: Vec::new(),
        files: Vec::new(),
        annotations: Vec::new(),
        built_date: None,
        release_date: None,
        valid_until_date: None,
        primary_package_purpose: Some(purpose(part.kind)),
    })
}

fn checksums(part: &Part<'_>) -> Vec<Checksum> {
    let sha256 = part.sha256.iter().map(|digest| Checksum::new(Algorithm::SHA256, &digest.to_string()));
    let sha512 = part.file.iter().map(|file| Checksum::new(Algorithm::SHA512, &file.sha512.to_string()));
    sha256.chain(sha512).collect()
}

fn reference(category: ExternalPackageReferenceCategory, kind: &str, locator: &str) -> ExternalPackageReference {
    ExternalPackageReference::new(category, kind.to_owned(), locator.to_owned(), None)
}

fn purpose(kind: Kind) -> PrimaryPackagePurpose {
    match kind {
        Kind::Artifact(ArtifactKind::Bin | ArtifactKind::Example) | Kind::Compiler => PrimaryPackagePurpose::Application,
        Kind::Artifact(ArtifactKind::Crate) => PrimaryPackagePurpose::Source,
        Kind::Artifact(ArtifactKind::Derived) => PrimaryPackagePurpose::File,
        Kind::Artifact(_) | Kind::Package(_) | Kind::Native(_) | Kind::StandardLibrary => PrimaryPackagePurpose::Library,
    }
}

/// Where the artifact's source is, the manifest's authors, and what a source took the place of.
fn source_information(part: &Part<'_>) -> Option<String> {
    let mut words = Vec::new();
    if let (Kind::Artifact(_), Some(source)) = (part.kind, &part.source) {
        words.push(format!("built from {}", source.spdx()));
    }
    if let Producer::Authors(authors) = &part.producer {
        let names: Vec<String> = authors.iter().map(author).collect();
        words.push(format!("authors of the manifest: {}", names.join(", ")));
    }
    if let Some(pedigree) = &part.pedigree {
        words.push(format!("in the place of {}: {}", pedigree.ancestor, pedigree.note));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

fn author(author: &Author) -> String {
    match &author.email {
        Some(email) => format!("{} <{email}>", author.name),
        None => author.name.clone(),
    }
}

/// What is declared, and what there is to say of it.
fn licence(part: &Part<'_>) -> Result<(spdx_rs::models::SpdxExpression, Option<String>)> {
    let none = || expression(NOASSERTION);
    Ok(match &part.licence {
        // An expression that the library's own parser does not take stays as a comment.
        Declared::Expression { text, .. } => match expression(text) {
            Ok(read) => (read, part.licence_as_written.as_ref().map(|written| format!("Declared as: {written}"))),
            Err(_) => (none()?, Some(format!("Declared: {text}"))),
        },
        Declared::Unparsed(text) => (none()?, Some(format!("Declared, but no SPDX expression: {}", plain(text)))),
        Declared::File(file) => (none()?, Some(format!("Declared in the file {} of the package.", plain(file)))),
        Declared::Missing => match part.kind {
            Kind::Native(_) => (none()?, None),
            _ => (none()?, Some("The manifest declares no licence.".to_owned())),
        },
    })
}
