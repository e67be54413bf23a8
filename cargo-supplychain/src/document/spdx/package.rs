//! Packages of an SPDX document: the artifact, crates, native libraries, the standard library and the compiler.

use spdx_rs::models::{
    Algorithm, Checksum, ExternalPackageReference, ExternalPackageReferenceCategory, PackageInformation, PrimaryPackagePurpose,
};

use super::{COMPILER, NOASSERTION, STANDARD_LIBRARY, expression};
use crate::base::Sha256;
use crate::base::text::{one_line, plain};
use crate::config::DocumentSettings;
use crate::document::identity::{public_url, rustc_release, stated};
use crate::document::inventory::{Entry, Inventory};
use crate::document::native as words;
use crate::model::licence::{Declared, declared};
use crate::model::{Artifact, ArtifactKind, Build, Component, NativeLibrary, Origin, Role, Toolchain};

type Result<T> = std::result::Result<T, serde_json::Error>;

/// `SPDXRef-KIND-LABEL-DIGEST`: the label for people, the digest of what it stands for so that two never meet.
pub(super) fn identifier(kind: &str, label: &str, unique: &str) -> String {
    let label: String =
        label.chars().map(|one| if one.is_ascii_alphanumeric() || one == '.' { one } else { '-' }).take(60).collect();
    format!("SPDXRef-{kind}-{label}-{}", &Sha256::of(unique).to_string()[..12])
}

/// An organisation as SPDX writes it (section 6.8). Round brackets would be read as an e-mail address.
pub(super) fn organisation(name: &str) -> String {
    format!("Organization: {}", plain(name.trim()).replace('(', "[").replace(')', "]"))
}

/// A package about which nothing is asserted yet.
fn unasserted(identifier: &str, name: &str, version: Option<&str>) -> Result<PackageInformation> {
    Ok(PackageInformation {
        package_name: plain(name).into_owned(),
        package_spdx_identifier: identifier.to_owned(),
        package_version: version.map(|version| plain(version).into_owned()),
        package_file_name: None,
        package_supplier: Some(NOASSERTION.to_owned()),
        package_originator: None,
        package_download_location: NOASSERTION.to_owned(),
        files_analyzed: Some(false),
        package_verification_code: None,
        package_checksum: Vec::new(),
        package_home_page: None,
        source_information: None,
        concluded_license: Some(expression(NOASSERTION)?),
        all_licenses_information_from_files: Vec::new(),
        declared_license: Some(expression(NOASSERTION)?),
        comments_on_license: None,
        copyright_text: Some(NOASSERTION.to_owned()),
        package_summary_description: None,
        package_detailed_description: None,
        package_comment: None,
        external_reference: Vec::new(),
        package_attribution_text: Vec::new(),
        files: Vec::new(),
        annotations: Vec::new(),
        built_date: None,
        release_date: None,
        valid_until_date: None,
        primary_package_purpose: None,
    })
}

fn purl_reference(purl: &str) -> ExternalPackageReference {
    ExternalPackageReference::new(ExternalPackageReferenceCategory::PackageManager, "purl".to_owned(), purl.to_owned(), None)
}

fn checksum(digest: &Sha256) -> Vec<Checksum> {
    vec![Checksum::new(Algorithm::SHA256, &digest.to_string())]
}

/// What the document describes; it stands for its own package as well.
pub(super) fn artifact(
    build: &Build,
    artifact: &Artifact,
    settings: &DocumentSettings,
    inventory: &Inventory<'_>,
    identifier: &str,
) -> Result<PackageInformation> {
    let version = inventory.own.map_or(build.version.as_str(), |own| own.version.as_str());
    let mut package = unasserted(identifier, &artifact.name, Some(version))?;
    package.primary_package_purpose = Some(match artifact.kind {
        ArtifactKind::Bin | ArtifactKind::Example => PrimaryPackagePurpose::Application,
        ArtifactKind::Cdylib | ArtifactKind::Dylib | ArtifactKind::Staticlib => PrimaryPackagePurpose::Library,
        ArtifactKind::Crate => PrimaryPackagePurpose::Source,
        ArtifactKind::Derived => PrimaryPackagePurpose::File,
    });
    if let Some(own) = inventory.own {
        describe(&mut package, own)?;
    }
    if let Some(file) = &artifact.file {
        package.package_file_name = Some(plain(&file.name).into_owned());
        package.package_checksum = checksum(&file.sha256);
    } else {
        package.package_comment = Some("Not built: its digest is unknown.".to_owned());
    }
    if let Some(supplier) = stated(settings.supplier.as_ref()) {
        package.package_supplier = Some(organisation(supplier));
    }
    // The file itself has no download location; where its source is, is.
    package.package_download_location = NOASSERTION.to_owned();
    package.source_information = source(build);
    Ok(package)
}

fn source(build: &Build) -> Option<String> {
    let commit = build.source.commit.as_deref()?;
    let remote = build.source.remote.as_deref().and_then(public_url);
    let state = match build.source.dirty {
        Some(false) => "",
        Some(true) => ", with uncommitted changes",
        None => ", with or without uncommitted changes",
    };
    Some(format!(
        "built from commit {commit} of {}{state}",
        remote.as_deref().unwrap_or("a repository without a public location")
    ))
}

/// A crate that is linked into the artifact or only helped to build it.
pub(super) fn component(
    build: &Build,
    entry: &Entry<'_>,
    settings: &DocumentSettings,
    identifier: &str,
) -> Result<PackageInformation> {
    let component = entry.component;
    let mut package = unasserted(identifier, &component.name, Some(&component.version))?;
    describe(&mut package, component)?;
    package.primary_package_purpose = Some(PrimaryPackagePurpose::Library);
    package.package_checksum = component.checksum.as_ref().map(checksum).unwrap_or_default();
    package.package_download_location = download_location(build, component);
    if let (Origin::Workspace { .. }, Some(supplier)) = (&component.origin, stated(settings.supplier.as_ref())) {
        package.package_supplier = Some(organisation(supplier));
    }
    let role = match entry.part.role {
        Role::Runtime => "linked",
        Role::Build => "only helped to build: build dependency",
        Role::ProcMacro => "only helped to build: procedural macro",
        Role::Test => "only for tests",
    };
    package.package_comment = Some(format!("Role: {role}. Features: {}.", plain(&entry.part.features.join(", "))));
    Ok(package)
}

/// Where exactly this source can be had, in SPDX's form (section 7.7), else NOASSERTION.
fn download_location(build: &Build, component: &Component) -> String {
    let location = match &component.origin {
        // The form that crates.io documents for downloads.
        Origin::Registry { crates_io: true, .. } => {
            public_url(&format!("https://crates.io/api/v1/crates/{}/{}/download", component.name, component.version))
        }
        Origin::Git { url, rev } if is_commit(rev) => public_url(url).map(|url| format!("git+{url}@{rev}")),
        Origin::Workspace { .. } if build.source.dirty == Some(false) => {
            let remote = build.source.remote.as_deref().and_then(public_url);
            remote.zip(build.source.commit.as_deref()).map(|(url, commit)| format!("git+{url}@{commit}"))
        }
        _ => None,
    };
    location.unwrap_or_else(|| NOASSERTION.to_owned())
}

fn is_commit(rev: &str) -> bool {
    matches!(rev.len(), 40 | 64) && rev.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the manifest says.
fn describe(package: &mut PackageInformation, component: &Component) -> Result<()> {
    package.external_reference = vec![purl_reference(&component.purl)];
    package.package_home_page = component.repository.as_deref().and_then(public_url);
    package.package_summary_description = component.description.as_deref().map(one_line);
    match declared(component) {
        // An expression that the library's own parser does not take stays as a comment.
        Declared::Expression { text, .. } => match expression(&text) {
            Ok(expression) => package.declared_license = Some(expression),
            Err(_) => package.comments_on_license = Some(format!("Declared: {text}")),
        },
        Declared::Unparsed(text) => {
            package.comments_on_license = Some(format!("Declared, but no SPDX expression: {}", plain(&text)));
        }
        Declared::File(file) => {
            package.comments_on_license = Some(format!("Declared in the file {} of the package.", plain(&file)));
        }
        Declared::Missing => package.comments_on_license = Some("The manifest declares no licence.".to_owned()),
    }
    let authors: Vec<_> =
        component.authors.iter().map(|author| plain(author.trim())).filter(|author| !author.is_empty()).collect();
    if !authors.is_empty() {
        // The manifest's authors are many and not the supplier: SPDX's originator is one.
        package.source_information = Some(format!("authors of the manifest: {}", authors.join(", ")));
    }
    Ok(())
}

pub(super) fn native_identifier(library: &NativeLibrary) -> String {
    identifier("Native", &library.name, &format!("{:?} {} {}", library.linkage, library.name, library.component))
}

/// A library outside Rust; what is not known of it is said.
pub(super) fn native(library: &NativeLibrary) -> Result<PackageInformation> {
    let mut package = unasserted(&native_identifier(library), &library.name, library.version.known())?;
    package.primary_package_purpose = Some(PrimaryPackagePurpose::Library);
    package.external_reference = library.purl.iter().map(|purl| purl_reference(purl)).collect();
    if let Some(cpe) = &library.cpe {
        let (category, kind) = (ExternalPackageReferenceCategory::Security, "cpe23Type".to_owned());
        package.external_reference.push(ExternalPackageReference::new(category, kind, cpe.clone(), None));
    }
    package.package_comment = Some(words::sentence(library));
    Ok(package)
}

pub(super) fn standard_library(toolchain: &Toolchain) -> Result<PackageInformation> {
    let release = rustc_release(&toolchain.rustc);
    let mut package = unasserted(STANDARD_LIBRARY, "std", Some(release))?;
    package.package_supplier = Some("Organization: The Rust Project".to_owned());
    package.declared_license = Some(expression("MIT OR Apache-2.0")?);
    package.primary_package_purpose = Some(PrimaryPackagePurpose::Library);
    package.external_reference = vec![purl_reference(&format!("pkg:generic/rust-std@{}", purl_version(release)))];
    package.package_comment =
        Some("Assumed: the toolchain links it unless every crate is no_std. Its digest is unknown.".to_owned());
    Ok(package)
}

pub(super) fn compiler(toolchain: &Toolchain) -> Result<PackageInformation> {
    let release = rustc_release(&toolchain.rustc);
    let mut package = unasserted(COMPILER, "rustc", Some(release))?;
    package.package_supplier = Some("Organization: The Rust Project".to_owned());
    package.primary_package_purpose = Some(PrimaryPackagePurpose::Application);
    package.external_reference = vec![purl_reference(&format!("pkg:generic/rustc@{}", purl_version(release)))];
    package.package_comment = toolchain.rustc_commit.as_ref().map(|commit| format!("Commit {}.", plain(commit)));
    Ok(package)
}

/// A release number as it may stand in a package URL.
fn purl_version(release: &str) -> String {
    release.chars().filter(|one| one.is_ascii_alphanumeric() || matches!(one, '.' | '-' | '_' | '~')).collect()
}
