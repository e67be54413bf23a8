//! `Cargo.lock`, formats 1 to 4, with the line of each package. A pure parser of a file that others can write: bounded, no panic.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde::Serialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::{Lines, Location, Sha256};

/// The largest lockfile that is read, in bytes; the largest real ones are below one mebibyte. Reading hostile TOML takes up to 200
/// times its size in memory.
pub const MAX_BYTES: usize = 4 << 20;
/// The most packages that a lockfile may have.
const MAX_PACKAGES: usize = 50_000;
/// The longest package name, in bytes; crates.io allows 64.
const MAX_NAME: usize = 255;

/// The exact source strings of crates.io, git protocol and sparse protocol; nothing that merely looks like them is crates.io.
pub const CRATES_IO: [&str; 2] = ["registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"];

/// A parsed lockfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lockfile {
    /// As shown to people: relative to the workspace root.
    pub path: String,
    /// Format version, 1 to 4.
    pub version: u32,
    /// In file order.
    pub packages: Vec<LockedPackage>,
    /// Digest of the file's bytes.
    pub sha256: Sha256,
}

/// A `[[package]]` of the lockfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockedPackage {
    pub name: String,
    pub version: semver::Version,
    /// The source as written (`registry+…`, `sparse+…`, `git+…?…#rev`); none for path packages.
    pub source: Option<String>,
    pub checksum: Option<Sha256>,
    /// Indices into [`Lockfile::packages`].
    pub dependencies: Vec<usize>,
    /// Line of its `[[package]]` header, from 1.
    pub line: u32,
}

impl LockedPackage {
    /// Whether it is the other one: of one name, version and source.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.version, &self.source) == (&other.name, &other.version, &other.source)
    }

    /// Whether it comes from crates.io, by the exact URL.
    #[must_use]
    pub fn is_crates_io(&self) -> bool {
        self.source.as_deref().is_some_and(|source| CRATES_IO.contains(&source))
    }

    /// The git source's parts, where it is one.
    #[must_use]
    pub fn git(&self) -> Option<GitSource<'_>> {
        GitSource::parse(self.source.as_deref()?)
    }

    /// Whether it comes from a registry of either protocol.
    #[must_use]
    pub fn is_registry(&self) -> bool {
        self.source.as_deref().is_some_and(|source| source.starts_with("registry+") || source.starts_with("sparse+"))
    }
}

/// The parts of a git source: `git+URL?branch=B#REV`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GitSource<'a> {
    pub url: &'a str,
    /// The query as written: `branch=…`, `tag=…` or `rev=…`.
    pub reference: Option<&'a str>,
    /// The full revision; none when it is missing or abbreviated.
    pub rev: Option<&'a str>,
}

impl<'a> GitSource<'a> {
    /// The parts of a source as the lockfile writes it; none when it is no git source.
    #[must_use]
    pub fn parse(source: &'a str) -> Option<Self> {
        let written = source.strip_prefix("git+")?;
        let (rest, rev) = written.split_once('#').map_or((written, None), |(rest, rev)| (rest, Some(rev)));
        let (url, reference) = rest.split_once('?').map_or((rest, None), |(url, query)| (url, Some(query)));
        Some(GitSource { url, reference, rev: rev.filter(|rev| is_full_revision(rev)) })
    }
}

/// Whether `text` is a full git object name: 40 (SHA-1) or 64 (SHA-256) hexadecimal digits.
#[must_use]
pub fn is_full_revision(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Why a lockfile could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub location: Location,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

impl std::error::Error for Error {}

/// Reads a lockfile of any format. `path` is what people are shown. A dependency that names no package of the file is left
/// out, as cargo does (it resolves again, which `--locked` refuses); everything else that is not as cargo writes it is an error.
///
/// The format is cargo's `src/cargo/core/resolver/encode.rs`: no `version` is format 1 or 2, which differ in where checksums
/// stand (`[metadata]`, or with the package).
pub fn parse(path: &str, bytes: &[u8]) -> Result<Lockfile, Error> {
    let whole = |message: String| Error { location: Location::file(path), message };
    if bytes.len() > MAX_BYTES {
        return Err(whole(format!("lockfile has {} bytes, the limit is {MAX_BYTES}", bytes.len())));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
        Error { location: Location::at(path, &before, before.len()), message: "lockfile is not valid UTF-8".into() }
    })?;
    let document = DeTable::parse(text).map_err(|error| Error {
        location: error.span().map_or_else(|| Location::file(path), |span| Location::at(path, text, span.start)),
        message: format!("lockfile is not valid TOML: {}", error.message()),
    })?;
    let reader = Reader { path, text };
    let root = document.get_ref();
    let raw = reader.packages(root)?;
    let version = reader.version(root, &raw)?;
    let checksums = if version == 1 { reader.metadata_checksums(root)? } else { HashMap::new() };
    let packages = reader.resolve(&raw, &checksums)?;
    Ok(Lockfile { path: path.to_owned(), version, packages, sha256: Sha256::of(bytes) })
}

/// A package before its dependencies are resolved.
struct Raw<'t> {
    name: &'t str,
    version_text: &'t str,
    version: semver::Version,
    source: Option<&'t str>,
    checksum: Option<(&'t str, usize)>,
    dependencies: Vec<&'t str>,
    offset: usize,
}

/// (name, version, source) as written, without the revision of a git source.
type Key<'t> = (&'t str, &'t str, &'t str);

struct Reader<'t> {
    path: &'t str,
    text: &'t str,
}

impl<'t> Reader<'t> {
    fn error(&self, offset: usize, message: impl Into<String>) -> Error {
        Error { location: Location::at(self.path, self.text, offset), message: message.into() }
    }

    fn packages<'d>(&self, root: &'d DeTable<'t>) -> Result<Vec<Raw<'d>>, Error> {
        let listed = match root.get("package") {
            None => None,
            Some(value) => {
                let array = value.get_ref().as_array();
                Some(array.ok_or_else(|| self.error(value.span().start, "`package` is not an array of tables"))?)
            }
        };
        let count = listed.map_or(0, |array| array.len());
        if count > MAX_PACKAGES {
            return Err(self.error(0, format!("lockfile has {count} packages, the limit is {MAX_PACKAGES}")));
        }
        let legacy_root = root.get("root");
        legacy_root
            .into_iter()
            .chain(listed.into_iter().flat_map(|array| array.iter()))
            .map(|entry| self.package(entry))
            .collect()
    }

    fn package<'d>(&self, entry: &'d Spanned<DeValue<'t>>) -> Result<Raw<'d>, Error> {
        let offset = entry.span().start;
        let table = entry.get_ref().as_table().ok_or_else(|| self.error(offset, "a package is not a table"))?;
        let name = self.string(table, "name")?.ok_or_else(|| self.error(offset, "a package has no `name`"))?;
        if name.0.is_empty() || name.0.len() > MAX_NAME {
            let message = format!("a package name has {} bytes, 1 to {MAX_NAME} are allowed", name.0.len());
            return Err(self.error(name.1, message));
        }
        let version = self.string(table, "version")?;
        let version = version.ok_or_else(|| self.error(offset, format!("package `{}` has no `version`", name.0)))?;
        let parsed = version.0.parse().map_err(|error| {
            self.error(version.1, format!("package `{}` has the version `{}`: {error}", name.0, shortened(version.0)))
        })?;
        Ok(Raw {
            name: name.0,
            version_text: version.0,
            version: parsed,
            source: self.string(table, "source")?.map(|(text, _)| text),
            checksum: self.string(table, "checksum")?,
            dependencies: self.dependencies(table)?,
            offset,
        })
    }

    fn string<'d>(&self, table: &'d DeTable<'t>, key: &str) -> Result<Option<(&'d str, usize)>, Error> {
        let Some(value) = table.get(key) else { return Ok(None) };
        let offset = value.span().start;
        let text = value.get_ref().as_str().ok_or_else(|| self.error(offset, format!("`{key}` is not a string")))?;
        Ok(Some((text, offset)))
    }

    fn dependencies<'d>(&self, table: &'d DeTable<'t>) -> Result<Vec<&'d str>, Error> {
        let Some(value) = table.get("dependencies") else { return Ok(Vec::new()) };
        let wrong = |offset: usize| self.error(offset, "`dependencies` is not an array of strings");
        let array = value.get_ref().as_array().ok_or_else(|| wrong(value.span().start))?;
        array.iter().map(|item| item.get_ref().as_str().ok_or_else(|| wrong(item.span().start))).collect()
    }

    /// Format 1 and 2 carry no number: a checksum with a package, or a dependency without a version, is 2.
    fn version(&self, root: &DeTable<'t>, packages: &[Raw<'_>]) -> Result<u32, Error> {
        let Some(value) = root.get("version") else {
            let is_second = |package: &Raw<'_>| {
                package.checksum.is_some() || package.dependencies.iter().any(|dependency| !dependency.contains(' '))
            };
            return Ok(if packages.iter().any(is_second) { 2 } else { 1 });
        };
        let number = value.get_ref().as_integer().and_then(|integer| integer.as_str().parse().ok());
        match number {
            Some(known @ 1..=4) => Ok(known),
            _ => {
                let written = self.text.get(value.span()).unwrap_or_default();
                let message = format!("lockfile format `version = {}` is not known: 1 to 4 are", shortened(written));
                Err(self.error(value.span().start, message))
            }
        }
    }

    /// Format 1: `[metadata]` with `"checksum NAME VERSION (SOURCE)" = "HEX"`.
    fn metadata_checksums<'d>(&self, root: &'d DeTable<'t>) -> Result<HashMap<Key<'d>, (&'d str, usize)>, Error> {
        let Some(value) = root.get("metadata") else { return Ok(HashMap::new()) };
        let table = value.get_ref().as_table().ok_or_else(|| self.error(value.span().start, "`metadata` is not a table"))?;
        let checksum_of = |(key, value): (&'d Spanned<Cow<'t, str>>, &'d Spanned<DeValue<'t>>)| {
            let (name, version, source) = split_reference(key.get_ref().strip_prefix("checksum ")?);
            let hex = value.get_ref().as_str().filter(|hex| *hex != "<none>")?;
            Some(((name, version?, source.unwrap_or_default()), (hex, value.span().start)))
        };
        Ok(table.iter().filter_map(checksum_of).collect())
    }

    fn resolve(&self, raw: &[Raw<'_>], checksums: &HashMap<Key<'_>, (&str, usize)>) -> Result<Vec<LockedPackage>, Error> {
        let lookup = self.lookup(raw)?;
        let mut lines = Lines::new(self.text);
        raw.iter()
            .map(|package| {
                let checksum = package.checksum.or_else(|| checksums.get(&package.key()).copied());
                let checksum = checksum.map(|(hex, offset)| {
                    hex.parse().map_err(|error| self.error(offset, format!("checksum of `{}`: {error}", package.name)))
                });
                let mut dependencies: Vec<_> = package.dependencies.iter().filter_map(|text| lookup.find(text)).collect();
                dependencies.dedup();
                Ok(LockedPackage {
                    name: package.name.to_owned(),
                    version: package.version.clone(),
                    source: package.source.map(str::to_owned),
                    checksum: checksum.transpose()?,
                    dependencies,
                    line: lines.at(package.offset).0,
                })
            })
            .collect()
    }

    fn lookup<'d>(&self, raw: &'d [Raw<'d>]) -> Result<Lookup<'d>, Error> {
        let mut lookup = Lookup::default();
        for (index, package) in raw.iter().enumerate() {
            let key = package.key();
            if lookup.by_source.insert(key, index).is_some() {
                let message = format!("package `{} {}` is listed twice", package.name, package.version);
                return Err(self.error(package.offset, message));
            }
            let only = |entry: &mut Option<usize>| *entry = None;
            lookup.by_name.entry(key.0).and_modify(only).or_insert(Some(index));
            lookup.by_version.entry((key.0, key.1)).and_modify(only).or_insert(Some(index));
        }
        Ok(lookup)
    }
}

impl<'t> Raw<'t> {
    fn key(&self) -> Key<'t> {
        (self.name, self.version_text, self.source.map_or("", without_revision))
    }
}

/// Packages by what a dependency may say of them; `None` stands for several. Only looked up, never iterated.
#[derive(Default)]
struct Lookup<'t> {
    by_name: HashMap<&'t str, Option<usize>>,
    by_version: HashMap<(&'t str, &'t str), Option<usize>>,
    by_source: HashMap<Key<'t>, usize>,
}

impl Lookup<'_> {
    /// `NAME`, `NAME VERSION` or `NAME VERSION (SOURCE)`. Without a source the only candidate is meant, else the path package.
    fn find(&self, dependency: &str) -> Option<usize> {
        match split_reference(dependency) {
            (name, None, _) => self.by_name.get(name).copied().flatten(),
            (name, Some(version), None) => {
                let only = self.by_version.get(&(name, version)).copied()?;
                only.or_else(|| self.by_source.get(&(name, version, "")).copied())
            }
            (name, Some(version), Some(source)) => self.by_source.get(&(name, version, source)).copied(),
        }
    }
}

/// `NAME [VERSION [(SOURCE)]]`; the source without revision.
fn split_reference(text: &str) -> (&str, Option<&str>, Option<&str>) {
    let mut words = text.splitn(3, ' ');
    let name = words.next().unwrap_or_default();
    let version = words.next();
    let source = words.next().and_then(|word| word.strip_prefix('(')?.strip_suffix(')')).map(without_revision);
    (name, version, source)
}

fn without_revision(source: &str) -> &str {
    source.split_once('#').map_or(source, |(before, _)| before)
}

/// The beginning of a text that is quoted in a message.
fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(64) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests;
