//! Components of a CycloneDX document: the artifact, packages, native libraries and the standard library.

use std::str::FromStr as _;

use cyclonedx_bom::external_models::normalized_string::NormalizedString;
use cyclonedx_bom::external_models::uri::{Purl, Uri};
use cyclonedx_bom::models::component::{Classification, Component as Part, Components, Cpe, Scope};
use cyclonedx_bom::models::external_reference::{ExternalReference, ExternalReferenceType, ExternalReferences};
use cyclonedx_bom::models::hash::{Hash, HashAlgorithm, HashValue, Hashes};
use cyclonedx_bom::models::license::{LicenseChoice, Licenses};
use cyclonedx_bom::models::organization::OrganizationalEntity;
use cyclonedx_bom::models::property::{Properties, Property};

use crate::base::Sha256;
use crate::base::text::{one_line, plain, without_credentials};
use crate::config::DocumentSettings;
use crate::document::identity::{public_url, rustc_release, stated};
use crate::document::inventory::{Entry, Inventory};
use crate::document::native as words;
use crate::model::licence::{Declared, declared};
use crate::model::native::NativeVersion;
use crate::model::{Artifact, ArtifactKind, Build, Component, Linkage, NativeLibrary, Origin, Role, Toolchain};

/// Reference of the standard library.
pub(super) const STANDARD_LIBRARY: &str = "rust-std";

/// Collects properties under our namespace.
#[derive(Default)]
pub(super) struct PropertyList(Vec<Property>);

impl PropertyList {
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.0.push(Property::new(format!("cargo-supplychain:{name}"), value));
    }

    pub(super) fn finish(self) -> Properties {
        Properties(self.0)
    }
}

/// An organisation by name; the library does not normalise this one itself.
pub(super) fn entity(name: &str) -> OrganizationalEntity {
    OrganizationalEntity::new(&NormalizedString::new(name))
}

/// The component that the document is about: the artifact, which stands for its own package as well.
pub(super) fn artifact(build: &Build, artifact: &Artifact, settings: &DocumentSettings, inventory: &Inventory<'_>) -> Part {
    let kind = match artifact.kind {
        ArtifactKind::Bin | ArtifactKind::Example => Classification::Application,
        ArtifactKind::Cdylib | ArtifactKind::Dylib | ArtifactKind::Staticlib | ArtifactKind::Crate => Classification::Library,
        ArtifactKind::Derived => Classification::File,
    };
    let version = inventory.own.map_or(build.version.as_str(), |own| own.version.as_str());
    let mut part = Part::new(kind, &artifact.name, version, Some(inventory.root.clone()));
    let mut list = PropertyList::default();
    list.add("kind", kind_word(artifact.kind));
    if let Some(file) = &artifact.file {
        part.hashes = Some(sha256(&file.sha256));
        list.add("file", &file.name);
        list.add("size", &file.size.to_string());
    } else {
        list.add("hash", "unknown: not built");
    }
    if let Some(own) = inventory.own {
        describe(&mut part, own);
        list.add("package", &own.name);
    }
    if let Some(used) = inventory.own_part {
        list.add("features", &used.features.join(","));
    }
    // A derived artifact is made by the user's own command: it is theirs too.
    produced_by(&mut part, &mut list, inventory.own, stated(settings.supplier.as_ref()));
    if let Some(url) = build.source.remote.as_deref().and_then(public_url) {
        part.external_references = Some(ExternalReferences(vec![reference(&url)]));
    }
    part.components = native(inventory, &inventory.root);
    part.properties = Some(list.finish());
    part
}

fn kind_word(kind: ArtifactKind) -> &'static str {
    match kind {
        ArtifactKind::Bin => "bin",
        ArtifactKind::Example => "example",
        ArtifactKind::Cdylib => "cdylib",
        ArtifactKind::Dylib => "dylib",
        ArtifactKind::Staticlib => "staticlib",
        ArtifactKind::Crate => "crate",
        ArtifactKind::Derived => "derived",
    }
}

/// A package that is linked into the artifact or only helped to build it.
pub(super) fn component(entry: &Entry<'_>, inventory: &Inventory<'_>, settings: &DocumentSettings) -> Part {
    let package = entry.component;
    let mut part = Part::new(Classification::Library, &package.name, &package.version, Some(entry.part.purl.clone()));
    part.scope = Some(if entry.is_linked { Scope::Required } else { Scope::Excluded });
    describe(&mut part, package);
    let mut list = PropertyList::default();
    list.add("role", role_word(entry.part.role));
    list.add("features", &entry.part.features.join(","));
    if let Some(host) = entry.also_host {
        list.add("also-role", role_word(host.role));
        list.add("host-features", &host.features.join(","));
    }
    origin(&mut list, &package.origin);
    if let Some(replaces) = &package.replaces {
        list.add("replaces", &plain(replaces));
    }
    if package.has_build_script {
        list.add("build-script", "true");
    }
    if let Some(links) = &package.links {
        list.add("links", links);
    }
    match &package.checksum {
        Some(checksum) => part.hashes = Some(sha256(checksum)),
        None => list.add("hash", "unknown: not a registry package"),
    }
    let supplier = stated(settings.supplier.as_ref()).filter(|_| matches!(package.origin, Origin::Workspace { .. }));
    produced_by(&mut part, &mut list, Some(package), supplier);
    if let Some(url) = package.repository.as_deref().and_then(public_url) {
        part.external_references = Some(ExternalReferences(vec![reference(&url)]));
    }
    part.components = native(inventory, &entry.part.purl);
    part.properties = Some(list.finish());
    part
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Runtime => "runtime",
        Role::Build => "build",
        Role::ProcMacro => "proc-macro",
        Role::Test => "test",
    }
}

/// What manifest and lockfile say of the package; authors are added by `raise`, whose format lists them.
fn describe(part: &mut Part, package: &Component) {
    // A package URL that the library refuses would make the whole document invalid; the name still identifies the package.
    part.purl = Purl::from_str(&package.purl).ok();
    part.description = package.description.as_deref().map(|text| NormalizedString::new(&one_line(text)));
    part.licenses = licences(package);
}

fn licences(package: &Component) -> Option<Licenses> {
    let choice = match declared(package) {
        Declared::Expression { text, .. } => LicenseChoice::expression(&text),
        Declared::Unparsed(text) => LicenseChoice::license(&plain(&text)),
        Declared::File(file) => LicenseChoice::license(&format!("see the file {} of the package", plain(&file))),
        Declared::Missing => return None,
    };
    Some(Licenses(vec![choice]))
}

/// Exactly one statement about the producer: configured, the manifest's authors, or that it is unknown (CISA 2026 minimum
/// elements, "Component Producer"). Owners of a registry account are not producers.
fn produced_by(part: &mut Part, list: &mut PropertyList, package: Option<&Component>, supplier: Option<&str>) {
    let has_authors = package.is_some_and(|package| package.authors.iter().any(|author| !author.trim().is_empty()));
    match supplier {
        Some(supplier) => {
            part.supplier = Some(entity(supplier));
            list.add("producer", "configured");
        }
        None if has_authors => list.add("producer", "declared-authors"),
        None => {
            part.supplier = Some(OrganizationalEntity::new("unknown"));
            list.add("producer", "unknown");
        }
    }
}

fn origin(list: &mut PropertyList, origin: &Origin) {
    match origin {
        Origin::Registry { crates_io: true, .. } => list.add("origin", "crates.io"),
        Origin::Registry { index, .. } => {
            list.add("origin", "registry");
            list.add("origin:index", &without_credentials(index));
        }
        Origin::Git { url, rev } => {
            list.add("origin", "git");
            list.add("origin:url", &without_credentials(url));
            list.add("origin:rev", rev);
        }
        // Paths of this machine are nobody else's business; those within the workspace are.
        Origin::Workspace { path } => {
            list.add("origin", "workspace");
            list.add("origin:path", path);
        }
        Origin::Path { .. } => list.add("origin", "path"),
        Origin::Replaced { by } => {
            list.add("origin", "replaced");
            list.add(
                "origin:by",
                &if by.starts_with(['/', '~']) { "a local folder".to_owned() } else { without_credentials(by) },
            );
        }
    }
}

fn sha256(digest: &Sha256) -> Hashes {
    Hashes(vec![Hash { alg: HashAlgorithm::SHA_256, content: HashValue(digest.to_string()) }])
}

fn reference(url: &str) -> ExternalReference {
    ExternalReference::new(ExternalReferenceType::Vcs, Uri::new(url))
}

/// Unique within a document: a crate binds a library of one name in one way once.
pub(super) fn native_reference(library: &NativeLibrary) -> String {
    format!("native:{}:{}:{}", linkage_word(library.linkage), library.name, library.component)
}

fn linkage_word(linkage: Linkage) -> &'static str {
    match linkage {
        Linkage::Static => "static",
        Linkage::Dynamic => "dynamic",
        Linkage::Framework => "framework",
        Linkage::Unspecified => "unspecified",
    }
}

/// Native libraries under the crate that asked for them. The linker's name (`z`) is no identity: one is claimed only of what is known by
/// upstream's name.
fn native(inventory: &Inventory<'_>, holder: &str) -> Option<Components> {
    let libraries = inventory.native.get(holder)?;
    let nested = libraries.iter().map(|library| {
        let mut part = Part::new(Classification::Library, &library.name, "", Some(native_reference(library)));
        part.version = library.version.known().map(NormalizedString::new);
        part.scope = Some(Scope::Required);
        part.supplier = Some(OrganizationalEntity::new("unknown"));
        part.purl = library.purl.as_deref().and_then(|purl| Purl::from_str(purl).ok());
        part.cpe = library.cpe.clone().map(Cpe::from);
        part.properties = Some(native_properties(library));
        part
    });
    Some(Components(nested.collect()))
}

fn native_properties(library: &NativeLibrary) -> Properties {
    let mut list = PropertyList::default();
    list.add("role", "native");
    list.add("linkage", linkage_word(library.linkage));
    list.add("supply", words::supply(library.supply));
    list.add("witness", words::witness(library.witness));
    if !library.link_names.is_empty() {
        list.add("link-names", &library.link_names.join(","));
    }
    match &library.version {
        NativeVersion::Known { evidence, .. } => list.add("version:evidence", &words::evidence(evidence)),
        NativeVersion::Unknown { why } => list.add("version", &format!("unknown: {why}")),
    }
    if let Some(import) = &library.import {
        list.add("import", &words::import(import));
    }
    list.add("hash", "unknown: the linker takes it");
    list.finish()
}

/// The toolchain's standard library, precompiled, linked into every binary unless the crates are all `no_std`.
pub(super) fn standard_library(toolchain: &Toolchain) -> Part {
    let release = rustc_release(&toolchain.rustc);
    let mut part = Part::new(Classification::Library, "std", release, Some(STANDARD_LIBRARY.to_owned()));
    part.scope = Some(Scope::Required);
    part.supplier = Some(OrganizationalEntity::new("The Rust Project"));
    part.licenses = Some(Licenses(vec![LicenseChoice::expression("MIT OR Apache-2.0")]));
    part.purl = Purl::new("generic", "rust-std", release).ok();
    part.external_references = Some(ExternalReferences(vec![reference("https://github.com/rust-lang/rust")]));
    let mut list = PropertyList::default();
    list.add("role", "runtime");
    list.add("origin", "toolchain");
    list.add("evidence", "assumed: the toolchain links it unless every crate is no_std");
    list.add("hash", "unknown: part of the toolchain");
    if let Some(commit) = &toolchain.rustc_commit {
        list.add("origin:rev", commit);
    }
    part.properties = Some(list.finish());
    part
}
