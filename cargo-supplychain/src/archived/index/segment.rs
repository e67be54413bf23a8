//! What stands in the tables of an index: components with the releases that they are in, and releases with their files. A component is one
//! key for all releases; releases in which it takes the same part share one description, so that a component of ten thousand releases is
//! a few bytes a release.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::table::{Pair, ReadAt, Table, TableWriter};
use super::{Corrupt, Cursor, put_number};
use crate::archived::{Inventory, InventoryArtifact, InventoryNative, InventoryUse};
use crate::base::{Sha256, Timestamp};

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

/// An archived release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexedRelease {
    /// Of its entry in the chain.
    pub sequence: u64,
    pub name: String,
    pub version: String,
    pub target: String,
    /// When it came in, by its entry.
    pub archived: Timestamp,
    pub record: Sha256,
    pub rustc: String,
    pub artifacts: Vec<InventoryArtifact>,
}

/// A release and its inventory as the pairs of a table, which can be made beside each other on many threads.
#[derive(Debug)]
pub struct Prepared {
    release: IndexedRelease,
    components: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Prepared {
    /// Prepares. The artifacts of `release` are those of the inventory.
    #[must_use]
    pub fn new(release: IndexedRelease, inventory: Inventory) -> Self {
        let prepare = |one: crate::archived::InventoryComponent| {
            let key = ComponentKey { name: one.name, version: one.version, source: one.source };
            let detail =
                Detail { purl: one.purl, checksum: one.checksum, license: one.license, uses: one.uses, native: one.native };
            (key.to_bytes(), json(&detail))
        };
        let components = inventory.components.into_iter().map(prepare).collect();
        Self { release: IndexedRelease { artifacts: inventory.artifacts, rustc: inventory.rustc, ..release }, components }
    }
}

/// Collects releases for a new table.
#[derive(Debug, Default)]
pub struct Builder {
    /// Component → description → releases.
    components: BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u64>>>,
    releases: BTreeMap<u64, IndexedRelease>,
    postings: usize,
}

impl Builder {
    /// Adds a release; their sequences ascend.
    pub fn add(&mut self, prepared: Prepared) {
        let sequence = prepared.release.sequence;
        self.postings += prepared.components.len();
        for (key, detail) in prepared.components {
            self.components.entry(key).or_default().entry(detail).or_default().push(sequence);
        }
        self.releases.insert(sequence, prepared.release);
    }

    /// How many parts of components in releases were added.
    #[must_use]
    pub fn postings(&self) -> usize {
        self.postings
    }

    /// How many releases were added.
    #[must_use]
    pub fn releases(&self) -> usize {
        self.releases.len()
    }

    /// Writes them.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write<W: Write>(self, out: W) -> io::Result<W> {
        let mut writer = TableWriter::new(out)?;
        for (key, groups) in self.components {
            let groups = groups.iter().map(|(detail, releases)| (detail.as_slice(), releases.as_slice()));
            writer.push(&key, &encode(groups))?;
        }
        for (sequence, release) in self.releases {
            writer.push(&release_key(sequence), &json(&release))?;
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

fn decode(value: &[u8]) -> Result<Vec<(&[u8], Vec<u64>)>, Corrupt> {
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

fn release_key(sequence: u64) -> Vec<u8> {
    let mut key = vec![RELEASE];
    key.extend_from_slice(&sequence.to_be_bytes());
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
    let posting = |(detail, releases): (&[u8], Vec<u64>)| {
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
pub fn releases<R: ReadAt>(table: &Table<R>, sequences: &BTreeSet<u64>) -> Result<Vec<IndexedRelease>, Corrupt> {
    let prefixes: Vec<_> = sequences.iter().map(|sequence| release_key(*sequence)).collect();
    read_releases(table, &prefixes)
}

/// Every release, in order.
///
/// # Errors
/// The table is not as it was written.
pub fn all_releases<R: ReadAt>(table: &Table<R>) -> Result<Vec<IndexedRelease>, Corrupt> {
    read_releases(table, &[vec![RELEASE]])
}

fn read_releases<R: ReadAt>(table: &Table<R>, prefixes: &[Vec<u8>]) -> Result<Vec<IndexedRelease>, Corrupt> {
    let (mut found, mut failed) = (Vec::new(), None);
    table.with_prefixes(prefixes, |_, value| match serde_json::from_slice(value) {
        Ok(release) => found.push(release),
        Err(error) => failed = Some(Corrupt::new(error.to_string())),
    })?;
    failed.map_or(Ok(found), Err)
}

#[cfg(test)]
mod tests;
