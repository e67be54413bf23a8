//! What stands in the tables of an index: components with the releases that they are in, and releases with their files. A component is one
//! key for all releases; releases in which it takes the same part share one description, so that a component of ten thousand releases is
//! a few bytes a release.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::release::Texts;
pub use super::release::{IndexedArtifact, IndexedRelease, Releases};
use super::table::{Pair, ReadAt, Table, TableWriter};
use super::{Corrupt, Cursor, put_number};
use crate::archived::inventory::{MAX_BYTES, MAX_COMPONENTS};
use crate::archived::{Inventory, InventoryArtifact, InventoryComponent, InventoryNative, InventoryUse, RELEASES_PER_THREAD};
use crate::base::Sha256;
use crate::base::parallel::{in_pieces, joined};

const COMPONENT: u8 = b'c';
const RELEASE: u8 = b'r';

/// A component as advisories see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ComponentKey {
    pub name: String,
    pub version: String,
    /// As a lockfile writes it.
    pub source: Option<String>,
}

/// What is said of a component in one release, or in many.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    pub purl: String,
    pub checksum: Option<Sha256>,
    pub license: Option<String>,
    pub uses: Vec<InventoryUse>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub native: Vec<InventoryNative>,
}

/// The releases (by the sequence of their entries, ascending) of which the same is said of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    pub detail: Detail,
    pub releases: Vec<u64>,
}

/// A component with where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedComponent {
    pub key: ComponentKey,
    pub postings: Vec<Posting>,
}

/// The distinct components of inventories, each with a number. Most components of a release are, to the letter, those of the one before:
/// they are found by their text, and read once.
#[derive(Debug, Default)]
pub struct Interner(RwLock<Interned>);

#[derive(Debug, Default)]
struct Interned {
    numbers: HashMap<Box<str>, usize>,
    components: Vec<KnownComponent>,
}

#[derive(Debug)]
struct KnownComponent {
    key: Vec<u8>,
    detail: Vec<u8>,
    purl: String,
    /// How many artifacts a release has to have for its uses.
    artifacts: usize,
}

/// An inventory whose components are not read yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unread<'a> {
    format_version: u32,
    artifacts: Vec<InventoryArtifact>,
    #[serde(borrow)]
    components: Vec<&'a RawValue>,
    rustc: String,
}

/// A release with its components, by their numbers; can be made on many threads beside each other.
#[derive(Debug)]
pub struct Prepared {
    release: IndexedRelease,
    components: Vec<usize>,
}

impl Interner {
    /// Reads the bytes of the inventory of `release`, whose artifacts and compiler are taken from it. What [`Inventory::read`] refuses is
    /// refused, but for the form of what is around the components.
    ///
    /// # Errors
    /// What is wrong with the inventory, a fragment.
    pub fn prepare(&self, release: IndexedRelease, inventory: &[u8]) -> Result<Prepared, String> {
        if inventory.len() > MAX_BYTES {
            return Err(format!("it has {} bytes, the limit is {MAX_BYTES}", inventory.len()));
        }
        let unread: Unread<'_> = serde_json::from_slice(inventory).map_err(|error| error.to_string())?;
        let Unread { format_version, artifacts, components: texts, rustc } = unread;
        let around = Inventory { format_version, artifacts, components: Vec::new(), rustc };
        around.check()?;
        if texts.len() > MAX_COMPONENTS {
            return Err(format!("it has more than {MAX_COMPONENTS} components"));
        }
        let components = self.numbers(&texts)?;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of = |number: &usize| known.components.get(*number);
        if !components.is_sorted_by(|a, b| of(a).map(|one| &one.purl) < of(b).map(|one| &one.purl)) {
            return Err("its components are not sorted by package URL, or one is there twice".to_owned());
        }
        if components.iter().filter_map(of).any(|one| one.artifacts > around.artifacts.len()) {
            return Err("a component is in an artifact that is not there".to_owned());
        }
        let artifacts = around.artifacts.into_iter().map(IndexedArtifact::from).collect();
        let release = IndexedRelease { artifacts, rustc: around.rustc.into(), ..release };
        Ok(Prepared { release, components })
    }

    fn numbers(&self, texts: &[&RawValue]) -> Result<Vec<usize>, String> {
        let found: Vec<Option<usize>> = {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            texts.iter().map(|text| known.numbers.get(text.get()).copied()).collect()
        };
        let number = |(text, found): (&&RawValue, Option<usize>)| match found {
            Some(number) => Ok(number),
            None => KnownComponent::read(text.get()).map(|component| self.add(text.get(), component)),
        };
        texts.iter().zip(found).map(number).collect()
    }

    fn add(&self, text: &str, component: KnownComponent) -> usize {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = known.numbers.get(text) {
            return *number;
        }
        let number = known.components.len();
        known.components.push(component);
        known.numbers.insert(text.into(), number);
        number
    }
}

impl KnownComponent {
    fn read(text: &str) -> Result<Self, String> {
        let one: InventoryComponent = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if json(&one) != text.as_bytes() {
            return Err("a component is not in canonical form".to_owned());
        }
        one.check(usize::MAX)?;
        let highest = one.uses.iter().map(|part| part.artifact).max();
        let artifacts = highest.map_or(0, |highest| usize::try_from(highest).map_or(usize::MAX, |at| at.saturating_add(1)));
        let key = ComponentKey { name: one.name, version: one.version, source: one.source }.to_bytes();
        let purl = one.purl.clone();
        let detail = Detail { purl: one.purl, checksum: one.checksum, license: one.license, uses: one.uses, native: one.native };
        Ok(Self { key, detail: json(&detail), purl, artifacts })
    }
}

/// Collects releases for a new table.
#[derive(Debug, Default)]
pub struct Builder {
    /// By the number of the component: its releases.
    postings: Vec<Vec<u64>>,
    releases: BTreeMap<u64, IndexedRelease>,
    count: usize,
}

impl Builder {
    /// Adds a release; their sequences ascend.
    pub fn add(&mut self, prepared: Prepared) {
        let sequence = prepared.release.sequence;
        self.count += prepared.components.len();
        for number in prepared.components {
            if self.postings.len() <= number {
                self.postings.resize_with(number + 1, Vec::new);
            }
            self.postings[number].push(sequence);
        }
        self.releases.insert(sequence, prepared.release);
    }

    /// How many parts of components in releases were added.
    #[must_use]
    pub fn postings(&self) -> usize {
        self.count
    }

    /// How many releases were added.
    #[must_use]
    pub fn releases(&self) -> usize {
        self.releases.len()
    }

    /// Writes them; the numbers are those of `interner`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write<W: Write>(self, interner: &Interner, out: W) -> io::Result<W> {
        let known = interner.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut groups: BTreeMap<&[u8], BTreeMap<&[u8], &[u64]>> = BTreeMap::new();
        for (component, releases) in known.components.iter().zip(&self.postings).filter(|(_, releases)| !releases.is_empty()) {
            groups.entry(&component.key).or_default().insert(&component.detail, releases);
        }
        let mut writer = TableWriter::new(out)?;
        for (key, groups) in groups {
            writer.push(key, &encode(groups.into_iter()))?;
        }
        for (sequence, release) in &self.releases {
            writer.push(&release_key(*sequence), &release.to_bytes())?;
        }
        writer.finish()
    }
}

/// Writes one table out of two, of which `earlier` has the releases that came before.
///
/// # Errors
/// One is not as it was written (the inner error), or the new one cannot be written.
pub fn merge<R: ReadAt, W: Write>(earlier: &Table<R>, later: &Table<R>, out: W) -> io::Result<Result<W, Corrupt>> {
    let mut writer = TableWriter::new(out)?;
    let (mut left, mut right) = (Walk::new(earlier), Walk::new(later));
    loop {
        let order = match (left.peek(), right.peek()) {
            (Err(error), _) | (_, Err(error)) => return Ok(Err(error)),
            (Ok(None), Ok(None)) => return writer.finish().map(Ok),
            (Ok(Some(_)), Ok(None)) => std::cmp::Ordering::Less,
            (Ok(None), Ok(Some(_))) => std::cmp::Ordering::Greater,
            (Ok(Some(left)), Ok(Some(right))) => left.0.cmp(&right.0),
        };
        let next = match order {
            std::cmp::Ordering::Less => left.take(),
            std::cmp::Ordering::Greater => right.take(),
            std::cmp::Ordering::Equal => match (left.take(), right.take()) {
                (Some((key, a)), Some((_, b))) => match join(&a, &b) {
                    Ok(value) => Some((key, value)),
                    Err(error) => return Ok(Err(error)),
                },
                _ => None,
            },
        };
        if let Some((key, value)) = next {
            writer.push(&key, &value)?;
        }
    }
}

/// Goes through a table pair by pair.
struct Walk<'a, R> {
    table: &'a Table<R>,
    block: usize,
    pairs: std::iter::Peekable<std::vec::IntoIter<Pair>>,
}

impl<'a, R: ReadAt> Walk<'a, R> {
    fn new(table: &'a Table<R>) -> Self {
        Self { table, block: 0, pairs: Vec::new().into_iter().peekable() }
    }

    fn peek(&mut self) -> Result<Option<&Pair>, Corrupt> {
        while self.pairs.peek().is_none() && self.block < self.table.block_count() {
            self.pairs = self.table.block(self.block)?.into_iter().peekable();
            self.block += 1;
        }
        Ok(self.pairs.peek())
    }

    fn take(&mut self) -> Option<Pair> {
        self.pairs.next()
    }
}

fn join(earlier: &[u8], later: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let mut groups: BTreeMap<Vec<u8>, Vec<u64>> = BTreeMap::new();
    for value in [earlier, later] {
        for (detail, releases) in decode(value)? {
            groups.entry(detail.to_vec()).or_default().extend(releases);
        }
    }
    // A release that could not be read at first comes later than those after it.
    groups.values_mut().for_each(|releases| releases.sort_unstable());
    Ok(encode(groups.iter().map(|(detail, releases)| (detail.as_slice(), releases.as_slice()))))
}

fn encode<'a>(groups: impl Iterator<Item = (&'a [u8], &'a [u64])>) -> Vec<u8> {
    let mut out = Vec::new();
    for (detail, releases) in groups {
        put_number(&mut out, detail.len() as u64);
        out.extend_from_slice(detail);
        put_number(&mut out, releases.len() as u64);
        let mut before = 0;
        for release in releases {
            put_number(&mut out, release.saturating_sub(before));
            before = *release;
        }
    }
    out
}

/// A description and the releases that it is true of.
type Group<'a> = (&'a [u8], Vec<u64>);

fn decode(value: &[u8]) -> Result<Vec<Group<'_>>, Corrupt> {
    let mut cursor = Cursor::new(value);
    let mut groups = Vec::new();
    while !cursor.is_empty() {
        let detail = cursor.text()?;
        let count = cursor.number()?;
        let mut releases = Vec::new();
        let mut before = 0_u64;
        for _ in 0..count {
            before = before.checked_add(cursor.number()?).ok_or_else(|| Corrupt::new("a number is too large"))?;
            releases.push(before);
        }
        groups.push((detail, releases));
    }
    Ok(groups)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("the types of an index have string keys and cannot fail to serialise")
}

fn release_key(sequence: u64) -> [u8; 9] {
    let mut key = [RELEASE; 9];
    key[1..].copy_from_slice(&sequence.to_be_bytes());
    key
}

/// The prefix of all components of a name.
fn name_prefix(name: &str) -> Vec<u8> {
    let mut prefix = vec![COMPONENT];
    prefix.extend_from_slice(name.as_bytes());
    prefix.push(0);
    prefix
}

impl ComponentKey {
    /// No part of it has a NUL ([`Inventory::check`]).
    fn to_bytes(&self) -> Vec<u8> {
        let mut key = name_prefix(&self.name);
        key.extend_from_slice(self.version.as_bytes());
        key.push(0);
        key.extend_from_slice(self.source.as_deref().unwrap_or_default().as_bytes());
        key
    }

    fn from_bytes(key: &[u8]) -> Result<Self, Corrupt> {
        let text = std::str::from_utf8(&key[1..]).map_err(|_| Corrupt::new("a key is no text"))?;
        let mut parts = text.splitn(3, '\0').map(str::to_owned);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(name), Some(version), Some(source)) => {
                Ok(Self { name, version, source: Some(source).filter(|source| !source.is_empty()) })
            }
            _ => Err(Corrupt::new("a key is cut short")),
        }
    }
}

/// The components of these names, in the order of name, version and source.
///
/// # Errors
/// The table is not as it was written.
pub fn components<R: ReadAt>(table: &Table<R>, names: &BTreeSet<String>) -> Result<Vec<IndexedComponent>, Corrupt> {
    let prefixes: Vec<_> = names.iter().map(|name| name_prefix(name)).collect();
    let (mut found, mut failed) = (Vec::new(), None);
    table.with_prefixes(&prefixes, |key, value| match component(key, value) {
        Ok(component) => found.push(component),
        Err(error) => failed = Some(error),
    })?;
    failed.map_or(Ok(found), Err)
}

/// Every component.
///
/// # Errors
/// The table is not as it was written.
pub fn all_components<R: ReadAt>(table: &Table<R>, mut each: impl FnMut(IndexedComponent)) -> Result<(), Corrupt> {
    let mut failed = None;
    table.with_prefixes(&[vec![COMPONENT]], |key, value| match component(key, value) {
        Ok(component) => each(component),
        Err(error) => failed = Some(error),
    })?;
    failed.map_or(Ok(()), Err)
}

fn component(key: &[u8], value: &[u8]) -> Result<IndexedComponent, Corrupt> {
    let posting = |(detail, releases): Group<'_>| {
        let detail = serde_json::from_slice(detail).map_err(|error| Corrupt::new(error.to_string()))?;
        Ok(Posting { detail, releases })
    };
    let postings = decode(value)?.into_iter().map(posting).collect::<Result<_, Corrupt>>()?;
    Ok(IndexedComponent { key: ComponentKey::from_bytes(key)?, postings })
}

/// The releases of these sequences that the table has, in order.
///
/// # Errors
/// The table is not as it was written.
pub fn releases<R: ReadAt + Sync>(table: &Table<R>, sequences: &BTreeSet<u64>) -> Result<Vec<Arc<IndexedRelease>>, Corrupt> {
    let prefixes: Vec<_> = sequences.iter().map(|sequence| release_key(*sequence)).collect();
    let parts = in_pieces(&prefixes, RELEASES_PER_THREAD, |piece| read_releases(table, piece));
    parts.into_iter().collect::<Result<Vec<_>, _>>().map(joined)
}

/// Every release, in order.
///
/// # Errors
/// The table is not as it was written.
pub fn all_releases<R: ReadAt>(table: &Table<R>) -> Result<Vec<Arc<IndexedRelease>>, Corrupt> {
    read_releases(table, &[[RELEASE]])
}

fn read_releases<R: ReadAt>(table: &Table<R>, prefixes: &[impl AsRef<[u8]>]) -> Result<Vec<Arc<IndexedRelease>>, Corrupt> {
    let (mut found, mut failed, mut texts) = (Vec::new(), None, Texts::default());
    table.with_prefixes(prefixes, |_, value| match IndexedRelease::from_bytes(value, &mut texts) {
        Ok(release) => found.push(Arc::new(release)),
        Err(error) => failed = Some(error),
    })?;
    failed.map_or(Ok(found), Err)
}

#[cfg(test)]
mod tests;
