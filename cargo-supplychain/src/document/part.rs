//! What is said of each thing that a bill of materials lists, in no format's words: all formats say the same of it. Unknown is a word of
//! its own here, never an omission (CISA 2026 minimum elements, practice "known unknowns").

use std::collections::BTreeMap;

use super::identity::{public_url, rustc_release, stated};
use super::inventory::{Entry, Inventory, has_standard_library};
use super::native as words;
use super::producer::{Author, Contact, Producer};
use super::sbom::Subject;
use crate::base::text::{one_line, plain, without_credentials};
use crate::base::{Sha256, purl};
use crate::config::DocumentSettings;
use crate::model::licence::{Declared, declared};
use crate::model::native::{Evidence, NativeVersion, Supply};
use crate::model::{ArtifactFile, ArtifactKind, Build, Component, Linkage, NativeLibrary, Origin, Role, Toolchain};

/// Reference of the standard library.
pub(super) const STANDARD_LIBRARY: &str = "rust-std";
/// Reference of the compiler.
pub(super) const COMPILER: &str = "rustc";

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Artifact(ArtifactKind),
    Package(Role),
    Native(Linkage),
    StandardLibrary,
    Compiler,
}

/// See the module's head. All text is harmless to print.
#[derive(Debug, Clone)]
pub(super) struct Part<'a> {
    /// Unique within the document.
    pub reference: String,
    pub kind: Kind,
    pub name: String,
    /// None: unknown, which `facts` say.
    pub version: Option<String>,
    pub description: Option<String>,
    pub is_linked: bool,
    pub purl: Option<String>,
    pub cpe: Option<String>,
    /// The released file; only the artifact is one.
    pub file: Option<&'a ArtifactFile>,
    /// Of the released file, or of the `.crate` that the registry gave.
    pub sha256: Option<Sha256>,
    pub licence: Declared,
    /// What the manifest says where `licence` says it in today's identifiers.
    pub licence_as_written: Option<String>,
    /// The texts of the declaration's `LicenseRef-…`, as far as they are known; of a `license-file`, by the empty name.
    pub licence_texts: Vec<(String, &'a str)>,
    pub producer: Producer,
    /// Where it is developed.
    pub repository: Option<String>,
    /// Where exactly this source is had.
    pub source: Option<Source>,
    /// Whether the system that it runs on has to bring it.
    pub is_external: bool,
    pub pedigree: Option<Pedigree>,
    /// What says that the version is this one.
    pub evidence: Option<&'a Evidence>,
    /// Words of our own: name and value, in this order.
    pub facts: Vec<(&'static str, String)>,
}

/// A place of a source, and how a version control system is told to give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// A URL.
    pub url: String,
    /// The commit, where it is a repository.
    pub commit: Option<String>,
}

impl Source {
    /// As SPDX writes it (SPDX 2.3, section 7.7): `https://…` or `git+https://…@COMMIT`.
    pub(super) fn spdx(&self) -> String {
        match &self.commit {
            Some(commit) => format!("git+{}@{commit}", self.url),
            None => self.url.clone(),
        }
    }
}

/// What a source that took the place of another one descends from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pedigree {
    /// The package of that name and version that it stands for, if it was published.
    pub ancestor: String,
    pub note: String,
}

/// Everything that is listed, the artifact first: its packages, native libraries, the standard library, the compiler.
pub(super) fn all<'a>(subject: &Subject<'a>, inventory: &Inventory<'a>) -> Vec<Part<'a>> {
    let toolchain = &subject.build.toolchain;
    let mut parts = vec![artifact(subject, inventory)];
    parts.extend(inventory.entries.iter().map(|entry| package(subject, entry)));
    parts.extend(inventory.native.values().flatten().map(|library| native(library)));
    if has_standard_library(subject.artifact) {
        parts.push(standard_library(toolchain));
    }
    parts.push(compiler(toolchain));
    parts
}

/// The part that the document is about: the artifact, which stands for its own package as well.
pub(super) fn artifact<'a>(subject: &Subject<'a>, inventory: &Inventory<'a>) -> Part<'a> {
    let Subject { build, artifact, settings, .. } = *subject;
    let version = inventory.own.map_or(build.version.as_str(), |own| own.version.as_str());
    let mut part = Part::new(inventory.root.clone(), Kind::Artifact(artifact.kind), &artifact.name, Some(version));
    part.is_linked = true;
    part.fact("kind", kind_word(artifact.kind));
    match &artifact.file {
        Some(file) => {
            part.file = Some(file);
            part.sha256 = Some(file.sha256);
            part.fact("file", &file.name);
            part.fact("size", &file.size.to_string());
        }
        None => part.fact("hash", "unknown: not built"),
    }
    if let Some(own) = inventory.own {
        part.describe(subject, own);
        part.fact("package", &own.name);
    }
    if let Some(used) = inventory.own_part {
        part.fact("features", &used.features.join(","));
    }
    // A derived artifact is made by the user's own command: it is theirs too.
    part.produced_by(inventory.own, settings, true);
    part.repository = build.source.remote.as_deref().and_then(public_url);
    part.source = workspace_source(build);
    part.facts.extend(subject.support_fact());
    part
}

/// A package that is linked into the artifact or only helped to build it.
pub(super) fn package<'a>(subject: &Subject<'a>, entry: &Entry<'a>) -> Part<'a> {
    let Subject { build, settings, .. } = *subject;
    let package = entry.component;
    let kind = Kind::Package(entry.part.role);
    let mut part = Part::new(entry.part.purl.clone(), kind, &package.name, Some(&package.version));
    part.is_linked = entry.is_linked;
    part.describe(subject, package);
    part.fact("role", role_word(entry.part.role));
    part.fact("features", &entry.part.features.join(","));
    if let Some(host) = entry.also_host {
        part.fact("also-role", role_word(host.role));
        part.fact("host-features", &host.features.join(","));
    }
    part.origin(package);
    if package.has_build_script {
        part.fact("build-script", "true");
    }
    if let Some(links) = &package.links {
        part.fact("links", links);
    }
    if let Some(replaces) = &package.replaces {
        part.fact("replaces", replaces);
        let note =
            format!("A `[patch]` puts this in the place of the package of {}; how they differ is not known.", plain(replaces));
        part.pedigree = Some(Pedigree { ancestor: published(package), note });
    }
    part.sha256 = package.checksum;
    match &package.checksum {
        Some(_) => part.fact("hash", "of the .crate file; what was compiled from it has no file of its own"),
        None => part.fact("hash", "unknown: not a registry package"),
    }
    part.produced_by(Some(package), settings, matches!(package.origin, Origin::Workspace { .. }));
    part.repository = package.repository.as_deref().and_then(public_url);
    part.source = source(build, package);
    part
}

/// A library outside Rust. The linker's name (`z`) is no identity: one is claimed only of what is known by upstream's name.
pub(super) fn native(library: &NativeLibrary) -> Part<'_> {
    let kind = Kind::Native(library.linkage);
    let mut part = Part::new(native_reference(library), kind, &library.name, library.version.known());
    part.is_linked = true;
    part.is_external = library.linkage != Linkage::Static && !matches!(library.supply, Supply::Bundled | Supply::Prebuilt);
    part.purl.clone_from(&library.purl);
    part.cpe.clone_from(&library.cpe);
    part.fact("role", "native");
    part.fact("linkage", linkage_word(library.linkage));
    part.fact("supply", words::supply(library.supply));
    part.fact("witness", words::witness(library.witness));
    if !library.link_names.is_empty() {
        part.fact("link-names", &library.link_names.join(","));
    }
    match &library.version {
        NativeVersion::Known { evidence, .. } => {
            part.fact("version:evidence", &words::evidence(evidence));
            part.evidence = Some(evidence);
        }
        NativeVersion::Unknown { why } => part.fact("version", &format!("unknown: {why}")),
    }
    if let Some(import) = &library.import {
        part.fact("import", &words::import(import));
    }
    if part.purl.is_none() {
        part.fact("identifiers", "unknown: only the name by which it is linked");
    }
    part.fact("hash", "unknown: the linker takes it");
    part.fact("licence", "unknown: that of the crate is not that of the library");
    part.fact("producer", Producer::Unknown.word());
    part
}

/// The toolchain's standard library, precompiled, linked into every binary unless the crates are all `no_std`.
pub(super) fn standard_library(toolchain: &Toolchain) -> Part<'_> {
    let release = rustc_release(&toolchain.rustc);
    let mut part = Part::new(STANDARD_LIBRARY.to_owned(), Kind::StandardLibrary, "std", Some(release));
    part.is_linked = true;
    part.licence = Declared::Expression { text: "MIT OR Apache-2.0".to_owned(), references: Vec::new() };
    part.of_the_toolchain("rust-std", release, toolchain);
    part.fact("role", "runtime");
    part.fact("origin", "toolchain");
    part.fact("evidence", "assumed: the toolchain links it unless every crate is no_std");
    part.fact("hash", "unknown: part of the toolchain");
    part
}

/// The compiler: a tool of the build.
pub(super) fn compiler(toolchain: &Toolchain) -> Part<'_> {
    let release = rustc_release(&toolchain.rustc);
    let mut part = Part::new(COMPILER.to_owned(), Kind::Compiler, "rustc", Some(release));
    part.licence = Declared::Expression { text: "MIT OR Apache-2.0".to_owned(), references: Vec::new() };
    part.of_the_toolchain("rustc", release, toolchain);
    part.fact("role", "build");
    part.fact("hash", "unknown: part of the toolchain");
    part
}

impl<'a> Part<'a> {
    fn new(reference: String, kind: Kind, name: &str, version: Option<&str>) -> Self {
        Self {
            reference,
            kind,
            name: plain(name).into_owned(),
            version: version.map(|version| plain(version).into_owned()),
            description: None,
            is_linked: false,
            purl: None,
            cpe: None,
            file: None,
            sha256: None,
            licence: Declared::Missing,
            licence_as_written: None,
            licence_texts: Vec::new(),
            producer: Producer::Unknown,
            repository: None,
            source: None,
            is_external: false,
            pedigree: None,
            evidence: None,
            facts: Vec::new(),
        }
    }

    fn fact(&mut self, name: &'static str, value: &str) {
        self.facts.push((name, plain(value).into_owned()));
    }

    /// What manifest and lockfile say of the package.
    fn describe(&mut self, subject: &Subject<'a>, package: &Component) {
        self.purl = Some(package.purl.clone());
        self.description = package.description.as_deref().map(one_line).filter(|text| !text.is_empty());
        self.licence = declared(package);
        let references: &[String] = match &self.licence {
            Declared::Expression { references, .. } => references,
            Declared::File(_) => &[String::new()],
            Declared::Unparsed(_) | Declared::Missing => &[],
        };
        let text = |reference: &String| Some((reference.clone(), subject.licence_text(package, reference)?.text.as_str()));
        self.licence_texts = references.iter().filter_map(text).collect();
        let written = package.license.as_deref().map(str::trim).unwrap_or_default();
        match &self.licence {
            Declared::Expression { text, .. } if text != written => {
                self.licence_as_written = Some(plain(written).into_owned());
                self.fact("licence:as-written", written);
            }
            Declared::Missing => self.fact("licence", "unknown: the manifest declares none"),
            _ => {}
        }
    }

    fn produced_by(&mut self, package: Option<&Component>, settings: &DocumentSettings, is_ours: bool) {
        let configured = stated(settings.supplier.as_ref()).filter(|_| is_ours);
        let authors: Vec<Author> =
            package.map(|package| package.authors.iter().filter_map(|one| Author::read(one)).collect()).unwrap_or_default();
        let repository = package.and_then(|package| package.repository.as_deref()).and_then(public_url);
        self.producer = match (configured, repository) {
            (Some(name), _) => {
                Producer::Configured { name: one_line(name), contact: Contact::of(settings.supplier_contact.as_ref()) }
            }
            (None, _) if !authors.is_empty() => Producer::Authors(authors),
            (None, Some(url)) => Producer::Project { name: format!("{} project", self.name), url },
            (None, None) => Producer::Unknown,
        };
        self.fact("producer", self.producer.word());
    }

    fn of_the_toolchain(&mut self, name: &str, release: &str, toolchain: &Toolchain) {
        self.purl = Some(format!("pkg:generic/{name}@{}", purl_version(release)));
        self.repository = Some("https://github.com/rust-lang/rust".to_owned());
        self.producer = Producer::Known("The Rust Project", "https://www.rust-lang.org");
        self.fact("producer", self.producer.word());
        if let Some(commit) = &toolchain.rustc_commit {
            self.fact("origin:rev", commit);
        }
    }

    fn origin(&mut self, package: &Component) {
        match &package.origin {
            Origin::Registry { crates_io: true, .. } => self.fact("origin", "crates.io"),
            Origin::Registry { index, .. } => {
                self.fact("origin", "registry");
                self.fact("origin:index", &without_credentials(index));
            }
            Origin::Git { url, rev } => {
                self.fact("origin", "git");
                self.fact("origin:url", &without_credentials(url));
                self.fact("origin:rev", rev);
            }
            // Paths of this machine are nobody else's business; those within the workspace are.
            Origin::Workspace { path } => {
                self.fact("origin", "workspace");
                self.fact("origin:path", path);
            }
            Origin::Path { .. } => self.fact("origin", "path"),
            Origin::Replaced { by } => {
                let by = if by.starts_with(['/', '~']) { "a local folder".to_owned() } else { without_credentials(by) };
                self.fact("origin", "replaced");
                self.fact("origin:by", &by);
                self.pedigree = Some(Pedigree {
                    ancestor: published(package),
                    note: format!("The configuration replaced this source by {}; how they differ is not known.", plain(&by)),
                });
            }
        }
    }
}

/// The `LicenseRef-…` of all declarations, each with its text. Where packages mean different texts by one name, each is given with the
/// packages that mean it; where no text is known, that is said.
pub(super) fn reference_texts(parts: &[Part<'_>]) -> BTreeMap<String, String> {
    let mut meant: BTreeMap<&str, BTreeMap<Option<&str>, Vec<&str>>> = BTreeMap::new();
    for part in parts {
        let Declared::Expression { references, .. } = &part.licence else { continue };
        for reference in references {
            let text = part.licence_texts.iter().find(|(name, _)| name == reference).map(|(_, text)| *text);
            meant.entry(reference).or_default().entry(text).or_default().push(&part.reference);
        }
    }
    let words = |(text, packages): (&Option<&str>, &Vec<&str>), is_only: bool| match text {
        Some(text) if is_only => (*text).to_owned(),
        Some(text) => format!("{} mean by it:\n{text}", packages.join(", ")),
        None => format!("The text is in the packages that declare it: {}", packages.join(", ")),
    };
    let text = |texts: &BTreeMap<Option<&str>, Vec<&str>>| {
        texts.iter().map(|one| words(one, texts.len() == 1)).collect::<Vec<_>>().join("\n\n")
    };
    meant.iter().map(|(reference, texts)| ((*reference).to_owned(), text(texts))).collect()
}

/// The package URL that the package of this name and version has in the registry.
fn published(package: &Component) -> String {
    purl::cargo(&package.name, &package.version, purl::Qualifier::CratesIo)
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

/// What BSI TR-03183-2 asks of a file (sections 8.1.4 to 8.1.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileTraits {
    pub is_executable: bool,
    pub is_archive: bool,
    /// Whether its parts are still files of their own.
    pub is_structured: bool,
}

/// None for a derived file: what it is, its maker knows.
pub(super) fn file_traits(kind: ArtifactKind) -> Option<FileTraits> {
    let (is_executable, is_archive) = match kind {
        ArtifactKind::Bin | ArtifactKind::Example | ArtifactKind::Cdylib | ArtifactKind::Dylib => (true, false),
        // `ar` and `tar` keep what is put into them.
        ArtifactKind::Staticlib | ArtifactKind::Crate => (false, true),
        ArtifactKind::Derived => return None,
    };
    Some(FileTraits { is_executable, is_archive, is_structured: is_archive })
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Runtime => "runtime",
        Role::Build => "build",
        Role::ProcMacro => "proc-macro",
        Role::Test => "test",
    }
}

pub(super) fn linkage_word(linkage: Linkage) -> &'static str {
    match linkage {
        Linkage::Static => "static",
        Linkage::Dynamic => "dynamic",
        Linkage::Framework => "framework",
        Linkage::Unspecified => "unspecified",
    }
}

/// Unique within a document: a crate binds a library of one name in one way once.
pub(super) fn native_reference(library: &NativeLibrary) -> String {
    format!("native:{}:{}:{}", linkage_word(library.linkage), plain(&library.name), library.component)
}

/// Where exactly this source can be had.
fn source(build: &Build, package: &Component) -> Option<Source> {
    match &package.origin {
        // The form that crates.io documents for downloads.
        Origin::Registry { crates_io: true, .. } => {
            let url = public_url(&format!("https://crates.io/api/v1/crates/{}/{}/download", package.name, package.version))?;
            Some(Source { url, commit: None })
        }
        Origin::Git { url, rev } if is_commit(rev) => Some(Source { url: public_url(url)?, commit: Some(rev.clone()) }),
        Origin::Workspace { .. } => workspace_source(build),
        _ => None,
    }
}

fn workspace_source(build: &Build) -> Option<Source> {
    let commit = build.source.commit.clone().filter(|commit| build.source.dirty == Some(false) && is_commit(commit))?;
    Some(Source { url: build.source.remote.as_deref().and_then(public_url)?, commit: Some(commit) })
}

fn is_commit(rev: &str) -> bool {
    matches!(rev.len(), 40 | 64) && rev.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A name or release number as it may stand in a package URL.
fn purl_version(text: &str) -> String {
    text.chars().filter(|one| one.is_ascii_alphanumeric() || matches!(one, '.' | '-' | '_' | '~')).collect()
}
