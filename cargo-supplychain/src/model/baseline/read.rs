//! The strict parser of `supplychain.lock`: what is not as it is written is an error with its place. A typo or a bad merge must not make
//! an owner unknown.
//!
//! Blocks are read one after the other: reading TOML takes many times its size in memory, and the file of a large workspace is large.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use toml::{Spanned, Value};

use super::{Baseline, KnownCrate, KnownFlags, KnownOwner, KnownPublisher, KnownVersion};
use crate::base::{Location, Sha256, Timestamp, text};
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, Owner, OwnerKind};

/// The format that is written and read.
pub(super) const VERSION: i64 = 1;
/// The largest file that is read, in bytes; 50,000 crates of the usual size have half of it.
pub const MAX_BYTES: usize = 64 << 20;
/// The largest block of a crate, in bytes: some thousand owners and versions.
const MAX_BLOCK: usize = 256 << 10;
const MAX_CRATES: usize = 100_000;
/// Owners, publishers, dependencies and versions of all crates.
const MAX_ENTRIES: usize = 2_000_000;
/// The longest name, login or address, in bytes.
pub(super) const MAX_TEXT: usize = 2048;
/// The header of a crate's block, alone in its line.
const HEADER: &str = "[[crate]]";

/// Why a baseline is refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub location: Location,
    pub message: String,
    /// The bytes of the text that are wrong.
    pub span: Option<Range<usize>>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

impl std::error::Error for Error {}

/// Reads a baseline. `path` is what people are shown. Order is of no matter; a crate, owner, publisher or version that is there twice
/// is an error.
pub fn parse(path: &str, text: &str) -> Result<Baseline, Error> {
    let mut reader = Reader { path, text, entries: 0 };
    if text.len() > MAX_BYTES {
        return Err(reader.error(None, format!("baseline has {} bytes, the limit is {MAX_BYTES}", text.len())));
    }
    let blocks = reader.blocks()?;
    reader.head(blocks[0].clone())?;
    let mut baseline = Baseline::default();
    for block in &blocks[1..] {
        let (key, known, name) = reader.krate(block.clone())?;
        if let Some(source) = baseline.crates.get(&key).map(|_| &key.source) {
            let of = if source == CRATES_IO[0] { String::new() } else { format!(" of {source}") };
            return Err(reader.error(Some(name), format!("crate `{}`{of} is listed twice", key.name)));
        }
        baseline.crates.insert(key, known);
    }
    Ok(baseline)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHead {
    version: Spanned<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBlock {
    #[serde(rename = "crate")]
    crates: [RawCrate; 1],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawCrate {
    name: Spanned<String>,
    source: Option<Spanned<String>>,
    repository: Option<Spanned<String>>,
    build_script: Option<bool>,
    proc_macro: Option<bool>,
    native_code: Option<bool>,
    blobs: Option<bool>,
    links: Option<Spanned<String>>,
    owners: Option<Vec<RawOwner>>,
    #[serde(default)]
    publishers: Vec<Spanned<RawPublisher>>,
    #[serde(default)]
    dependencies: Vec<Spanned<String>>,
    #[serde(default)]
    versions: Vec<RawVersion>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawOwner {
    kind: OwnerKind,
    id: Spanned<u64>,
    login: Spanned<String>,
    first_seen: Spanned<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPublisher {
    id: Option<u64>,
    login: Option<Spanned<String>>,
    provider: Option<Spanned<String>>,
    repository: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawVersion {
    version: Spanned<String>,
    checksum: Option<Spanned<String>>,
    published: Option<Spanned<Value>>,
    publisher: Option<Spanned<RawPublisher>>,
}

struct Reader<'t> {
    path: &'t str,
    text: &'t str,
    entries: usize,
}

impl Reader<'_> {
    fn error(&self, span: Option<Range<usize>>, message: impl Into<String>) -> Error {
        let location = match &span {
            Some(span) => Location::at(self.path, self.text, span.start),
            None => Location::file(self.path),
        };
        Error { location, message: message.into(), span }
    }

    /// The head, then the block of each crate, as bytes of the text.
    fn blocks(&self) -> Result<Vec<Range<usize>>, Error> {
        let (mut blocks, mut start, mut offset) = (Vec::new(), 0, 0);
        for line in self.text.split_inclusive('\n') {
            let here = offset..offset + line.trim_end().len();
            if is_conflict_mark(line.trim_end()) {
                let message = "an unresolved merge conflict";
                return Err(self.error(Some(here), message));
            }
            if line.trim_start().starts_with(HEADER) {
                if blocks.len() >= MAX_CRATES {
                    return Err(self.error(Some(here), format!("more than {MAX_CRATES} crates")));
                }
                blocks.push(start..offset);
                start = offset;
            }
            offset += line.len();
        }
        blocks.push(start..offset);
        match blocks.iter().find(|block| block.len() > MAX_BLOCK) {
            Some(block) => {
                let message = format!("a block of {} bytes, the limit is {MAX_BLOCK}", block.len());
                Err(self.error(Some(block.start..block.start), message))
            }
            None => Ok(blocks),
        }
    }

    fn toml<T: serde::de::DeserializeOwned>(&self, block: &Range<usize>) -> Result<T, Error> {
        toml::from_str(&self.text[block.clone()]).map_err(|error| {
            let span = error.span().map_or(block.start..block.start, |span| shifted(&span, block));
            self.error(Some(span), error.message().replace("unknown field", "unknown key"))
        })
    }

    fn head(&self, block: Range<usize>) -> Result<(), Error> {
        // A version that is not known may bring other keys: it is looked at first.
        let table: toml::Table = self.toml(&block)?;
        let newer = table.get("version").and_then(Value::as_integer).filter(|version| *version > VERSION);
        if let Some(version) = newer {
            let message = format!(
                "format `version = {version}` is of a newer cargo-supplychain, this one reads {VERSION}: update cargo-supplychain"
            );
            return Err(self.error(None, message));
        }
        let head: RawHead = self.toml(&block)?;
        if *head.version.get_ref() == VERSION {
            return Ok(());
        }
        let message = format!("format `version = {}` is not known: {VERSION} is", head.version.get_ref());
        Err(self.error(Some(shifted(&head.version.span(), &block)), message))
    }

    /// The crate of a block, and where its name stands.
    fn krate(&mut self, block: Range<usize>) -> Result<(CrateKey, KnownCrate, Range<usize>), Error> {
        let RawBlock { crates: [raw] } = self.toml(&block)?;
        let count = raw.owners.as_ref().map_or(0, Vec::len) + raw.publishers.len() + raw.dependencies.len() + raw.versions.len();
        self.entries += count;
        if self.entries > MAX_ENTRIES {
            return Err(self.error(Some(block), format!("more than {MAX_ENTRIES} owners, publishers, dependencies and versions")));
        }
        let place = Block { reader: self, block };
        let name_span = shifted(&raw.name.span(), &place.block);
        let source = raw.source.map(|source| place.text(source)).transpose()?;
        let source = match source {
            Some(source) if CRATES_IO.contains(&source.as_str()) => CRATES_IO[0].to_owned(),
            Some(source) => source,
            None => CRATES_IO[0].to_owned(),
        };
        let mut known = KnownCrate {
            owners: raw.owners.map(|owners| place.owners(owners)).transpose()?,
            publishers: place.publishers(raw.publishers)?,
            repository: raw.repository.map(|repository| place.text(repository)).transpose()?,
            flags: KnownFlags {
                build_script: raw.build_script,
                proc_macro: raw.proc_macro,
                links: raw.links.map(|links| place.text(links)).transpose()?,
                blobs: raw.blobs,
                native_code: raw.native_code,
            },
            dependencies: raw.dependencies.into_iter().map(|name| place.text(name)).collect::<Result<_, _>>()?,
            versions: BTreeMap::new(),
        };
        known.dependencies.sort();
        known.dependencies.dedup();
        for version in raw.versions {
            place.version(version, &mut known)?;
        }
        Ok((CrateKey { name: place.text(raw.name)?, source }, known, name_span))
    }
}

/// A block whose values are judged.
struct Block<'r, 't> {
    reader: &'r Reader<'t>,
    block: Range<usize>,
}

impl Block<'_, '_> {
    fn error(&self, span: &Range<usize>, message: impl Into<String>) -> Error {
        self.reader.error(Some(shifted(span, &self.block)), message)
    }

    /// A text that is neither empty nor long.
    fn text(&self, value: Spanned<String>) -> Result<String, Error> {
        let length = value.get_ref().len();
        if length == 0 || length > MAX_TEXT {
            return Err(self.error(&value.span(), format!("a text of {length} bytes, 1 to {MAX_TEXT} are allowed")));
        }
        Ok(value.into_inner())
    }

    /// A TOML date, a TOML time with offset, or either as a string.
    fn time(&self, value: &Spanned<Value>) -> Result<Timestamp, Error> {
        let text = match value.get_ref() {
            Value::Datetime(date) => date.to_string(),
            Value::String(text) => text.clone(),
            _ => String::new(),
        };
        text.parse().map_err(|error: crate::base::time::InvalidTime| self.error(&value.span(), error.to_string()))
    }

    fn owners(&self, raw: Vec<RawOwner>) -> Result<Vec<KnownOwner>, Error> {
        let mut owners = BTreeMap::new();
        for raw in raw {
            let (first_seen, span) = (self.time(&raw.first_seen)?, raw.id.span());
            let owner = Owner { kind: raw.kind, id: raw.id.into_inner(), login: self.text(raw.login)? };
            let shown = text::plain(&owner.to_string()).into_owned();
            if owners.insert(owner.key(), KnownOwner { owner, first_seen }).is_some() {
                return Err(self.error(&span, format!("owner {shown} is listed twice")));
            }
        }
        Ok(owners.into_values().collect())
    }

    fn publishers(&self, raw: Vec<Spanned<RawPublisher>>) -> Result<Vec<KnownPublisher>, Error> {
        let mut publishers = BTreeMap::new();
        for raw in raw {
            let span = raw.span();
            let publisher = self.publisher(raw)?;
            let shown = text::plain(&publisher.to_string()).into_owned();
            if publishers.insert(identity(&publisher), publisher).is_some() {
                return Err(self.error(&span, format!("publisher {shown} is listed twice")));
            }
        }
        let mut publishers: Vec<_> = publishers.into_values().collect();
        publishers.sort();
        Ok(publishers)
    }

    fn publisher(&self, raw: Spanned<RawPublisher>) -> Result<KnownPublisher, Error> {
        let span = raw.span();
        match raw.into_inner() {
            RawPublisher { id: Some(id), login: Some(login), provider: None, repository: None } => {
                Ok(KnownPublisher::User { id, login: self.text(login)? })
            }
            RawPublisher { id: None, login: None, provider: Some(provider), repository: Some(repository) } => {
                Ok(KnownPublisher::Trusted { provider: self.text(provider)?, repository: self.text(repository)? })
            }
            _ => Err(self.error(&span, "a publisher has `id` and `login`, or `provider` and `repository`")),
        }
    }

    fn version(&self, raw: RawVersion, known: &mut KnownCrate) -> Result<(), Error> {
        let (written, span) = (raw.version.get_ref(), raw.version.span());
        let version: semver::Version = written.parse().map_err(|error| self.error(&span, format!("not a version: {error}")))?;
        let checksum =
            raw.checksum.map(|hex| hex.get_ref().parse::<Sha256>().map_err(|error| self.error(&hex.span(), error.to_string())));
        let entry = KnownVersion {
            checksum: checksum.transpose()?,
            published: raw.published.map(|time| self.time(&time)).transpose()?,
            publisher: raw.publisher.map(|publisher| self.publisher(publisher)).transpose()?,
        };
        if known.versions.insert(version, entry).is_some() {
            return Err(self.error(&span, "a version that is listed twice"));
        }
        Ok(())
    }
}

/// What a publisher is known by.
pub(super) fn identity(publisher: &KnownPublisher) -> (u64, String) {
    match publisher {
        KnownPublisher::User { id, .. } => (*id, String::new()),
        KnownPublisher::Trusted { provider, repository } => (0, format!("{provider} {repository}")),
    }
}

/// A place within a block as one of the file.
fn shifted(span: &Range<usize>, block: &Range<usize>) -> Range<usize> {
    let at = |offset: usize| block.start.saturating_add(offset).min(block.end);
    at(span.start)..at(span.end)
}

/// The lines that git leaves where two changes met.
fn is_conflict_mark(line: &str) -> bool {
    ["<<<<<<<", "|||||||", ">>>>>>>"].iter().any(|mark| line.starts_with(mark)) || line == "======="
}
