//! A sorted table of keys and values in blocks: written once, from the smallest key to the largest, and read block by block, so that a
//! question reads as much as its answer needs. Every block has its digest in the list of blocks, the list has its own at the end.
//!
//! ```text
//! "supplychain-index-1\n"  blocks  list  footer
//! block:  (key length, key, value length, value) …        list:  (first key length, first key, offset, length, digest[16]) …
//! footer: offset of the list (8 bytes, little endian), its length (8), its SHA-256 (32)
//! ```

use std::io::{self, Write};
use std::ops::Range;

use super::{Corrupt, Cursor, put_number};
use crate::base::Sha256;

const MAGIC: &[u8] = b"supplychain-index-1\n";
/// A block is closed when it has so many bytes.
const BLOCK: usize = 32 << 10;
const DIGEST: usize = 16;
const FOOTER: u64 = 48;

/// Where the bytes of a table are.
pub trait ReadAt {
    /// How many bytes there are.
    ///
    /// # Errors
    /// Why it cannot be told.
    fn length(&self) -> io::Result<u64>;

    /// Exactly so many bytes from `offset` on. The caller has compared them with [`ReadAt::length`].
    ///
    /// # Errors
    /// Why they cannot be read.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

impl ReadAt for Vec<u8> {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = start.checked_add(length).and_then(|end| self.get(start..end));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// Writes a table.
pub struct TableWriter<W> {
    out: W,
    offset: u64,
    block: Vec<u8>,
    first: Option<Vec<u8>>,
    last: Option<Vec<u8>>,
    list: Vec<u8>,
}

impl<W: Write> TableWriter<W> {
    /// Begins.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        Ok(Self { out, offset: MAGIC.len() as u64, block: Vec::new(), first: None, last: None, list: Vec::new() })
    }

    /// Appends; `key` has to be larger than the one before.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if self.last.as_deref().is_some_and(|last| last >= key) {
            return Err(io::Error::other("the keys of a table have to ascend"));
        }
        self.first.get_or_insert_with(|| key.to_vec());
        for part in [key, value] {
            put_number(&mut self.block, part.len() as u64);
            self.block.extend_from_slice(part);
        }
        self.last = Some(key.to_vec());
        if self.block.len() >= BLOCK { self.close_block() } else { Ok(()) }
    }

    fn close_block(&mut self) -> io::Result<()> {
        let Some(first) = self.first.take() else { return Ok(()) };
        put_number(&mut self.list, first.len() as u64);
        self.list.extend_from_slice(&first);
        put_number(&mut self.list, self.offset);
        put_number(&mut self.list, self.block.len() as u64);
        self.list.extend_from_slice(&Sha256::of(&self.block).as_bytes()[..DIGEST]);
        self.out.write_all(&self.block)?;
        self.offset += self.block.len() as u64;
        self.block.clear();
        Ok(())
    }

    /// Ends the table.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.close_block()?;
        self.out.write_all(&self.list)?;
        self.out.write_all(&self.offset.to_le_bytes())?;
        self.out.write_all(&(self.list.len() as u64).to_le_bytes())?;
        self.out.write_all(Sha256::of(&self.list).as_bytes())?;
        Ok(self.out)
    }
}

#[derive(Debug)]
struct Block {
    first: Vec<u8>,
    offset: u64,
    length: usize,
    digest: [u8; DIGEST],
}

/// A table that can be read.
#[derive(Debug)]
pub struct Table<R> {
    bytes: R,
    blocks: Vec<Block>,
}

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

impl<R: ReadAt> Table<R> {
    /// Opens a table: its list of blocks is read, no block.
    ///
    /// # Errors
    /// It is none, or cannot be read.
    pub fn open(bytes: R) -> Result<Self, Corrupt> {
        let length = bytes.length().map_err(|error| Corrupt::new(error.to_string()))?;
        let at = length.checked_sub(FOOTER).ok_or_else(|| Corrupt::new("it is cut short"))?;
        let footer = read(&bytes, at, FOOTER, length)?;
        let mut numbers =
            footer[..16].chunks_exact(8).map(|eight| eight.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)));
        let (offset, size) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        if offset.checked_add(size) != Some(at) {
            return Err(Corrupt::new("its list of blocks is not at its end"));
        }
        let list = read(&bytes, offset, size, length)?;
        if Sha256::of(&list).as_bytes()[..] != footer[16..] {
            return Err(Corrupt::new("its list of blocks is not as it was written"));
        }
        if read(&bytes, 0, MAGIC.len() as u64, length)? != MAGIC {
            return Err(Corrupt::new("it is of another version"));
        }
        Ok(Self { blocks: blocks(&list, offset)?, bytes })
    }

    /// The pairs whose keys begin with `prefix`, in order.
    ///
    /// # Errors
    /// A block is not as it was written, or cannot be read.
    pub fn with_prefix(&self, prefix: &[u8]) -> Result<Vec<Pair>, Corrupt> {
        let mut found = Vec::new();
        for index in self.blocks_of(prefix) {
            self.each_of_block(index, |key, value| {
                if key.starts_with(prefix) {
                    found.push((key.to_vec(), value.to_vec()));
                }
            })?;
        }
        Ok(found)
    }

    /// Every pair whose key begins with one of the prefixes, which are sorted and of which none begins with another; each block is read once.
    ///
    /// # Errors
    /// A block is not as it was written, or cannot be read.
    pub fn with_prefixes(&self, prefixes: &[impl AsRef<[u8]>], mut each: impl FnMut(&[u8], &[u8])) -> Result<(), Corrupt> {
        let (mut next_block, mut rest) = (0, prefixes);
        while let [prefix, later @ ..] = rest {
            let wanted = self.blocks_of(prefix.as_ref());
            for index in wanted.start.max(next_block)..wanted.end {
                self.each_of_block(index, |key, value| {
                    // Keys ascend as prefixes do: one that a key has passed is not needed any more.
                    while let [passed, _, ..] = rest
                        && passed.as_ref() < key
                        && !key.starts_with(passed.as_ref())
                    {
                        rest = &rest[1..];
                    }
                    if rest.first().is_some_and(|prefix| key.starts_with(prefix.as_ref())) {
                        each(key, value);
                    }
                })?;
                next_block = index + 1;
            }
            if rest.first().is_some_and(|first| first.as_ref() == prefix.as_ref()) {
                rest = later;
            }
        }
        Ok(())
    }

    /// Every pair, in order.
    ///
    /// # Errors
    /// A block is not as it was written, or cannot be read.
    pub fn each(&self, mut each: impl FnMut(&[u8], &[u8])) -> Result<(), Corrupt> {
        (0..self.blocks.len()).try_for_each(|index| self.each_of_block(index, &mut each))
    }

    /// How many blocks it has.
    #[must_use]
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// The pairs of a block.
    ///
    /// # Errors
    /// It is not as it was written, or cannot be read.
    pub fn block(&self, index: usize) -> Result<Vec<Pair>, Corrupt> {
        let mut pairs = Vec::new();
        self.each_of_block(index, |key, value| pairs.push((key.to_vec(), value.to_vec())))?;
        Ok(pairs)
    }

    /// The blocks that may hold keys with this prefix.
    fn blocks_of(&self, prefix: &[u8]) -> Range<usize> {
        let start = self.blocks.partition_point(|block| block.first.as_slice() <= prefix).saturating_sub(1);
        let end = start
            + self.blocks[start..].partition_point(|block| block.first.as_slice() <= prefix || block.first.starts_with(prefix));
        start..end
    }

    fn each_of_block(&self, index: usize, mut each: impl FnMut(&[u8], &[u8])) -> Result<(), Corrupt> {
        let Some(block) = self.blocks.get(index) else { return Ok(()) };
        let bytes = self.bytes.read_at(block.offset, block.length).map_err(|error| Corrupt::new(error.to_string()))?;
        if Sha256::of(&bytes).as_bytes()[..DIGEST] != block.digest {
            return Err(Corrupt::new("a block is not as it was written"));
        }
        let mut cursor = Cursor::new(&bytes);
        while !cursor.is_empty() {
            let (key, value) = (cursor.text()?, cursor.text()?);
            each(key, value);
        }
        Ok(())
    }
}

/// Bytes that are there: what a hostile table claims allocates nothing.
fn read(bytes: &impl ReadAt, offset: u64, length: u64, whole: u64) -> Result<Vec<u8>, Corrupt> {
    let is_inside = offset.checked_add(length).is_some_and(|end| end <= whole);
    match usize::try_from(length) {
        Ok(length) if is_inside => bytes.read_at(offset, length).map_err(|error| Corrupt::new(error.to_string())),
        _ => Err(Corrupt::new("it is cut short")),
    }
}

/// The list of blocks, which lie one after the other before `end`.
fn blocks(list: &[u8], end: u64) -> Result<Vec<Block>, Corrupt> {
    let mut cursor = Cursor::new(list);
    let mut blocks: Vec<Block> = Vec::new();
    let mut expected = MAGIC.len() as u64;
    while !cursor.is_empty() {
        let first = cursor.text()?.to_vec();
        let (offset, length) = (cursor.number()?, cursor.number()?);
        let digest = cursor.bytes(DIGEST)?.try_into().map_err(|_| Corrupt::new("it is cut short"))?;
        let ascends = blocks.last().is_none_or(|before| before.first < first);
        let length_here = usize::try_from(length).map_err(|_| Corrupt::new("a block is too large"))?;
        if offset != expected || !ascends {
            return Err(Corrupt::new("its blocks are not in order"));
        }
        expected =
            expected.checked_add(length).filter(|next| *next <= end).ok_or_else(|| Corrupt::new("a block is too large"))?;
        blocks.push(Block { first, offset, length: length_here, digest });
    }
    if expected != end {
        return Err(Corrupt::new("its blocks are not all listed"));
    }
    Ok(blocks)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn table(pairs: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
        let mut writer = TableWriter::new(Vec::new()).unwrap();
        pairs.iter().for_each(|(key, value)| writer.push(key, value).unwrap());
        writer.finish().unwrap()
    }

    fn large() -> BTreeMap<Vec<u8>, Vec<u8>> {
        (0..500_u32).map(|at| (format!("c{:03}\0{at}", at / 3).into_bytes(), vec![at as u8; 700])).collect()
    }

    #[test]
    fn keys_ascend() {
        let mut writer = TableWriter::new(Vec::new()).unwrap();
        writer.push(b"b", b"").unwrap();
        assert!(writer.push(b"b", b"").is_err() && writer.push(b"a", b"").is_err());
    }

    #[test]
    fn a_table_of_many_blocks_answers_as_a_map_does() {
        let pairs = large();
        let table = Table::open(table(&pairs)).unwrap();
        assert!(table.block_count() > 5);
        let mut all = BTreeMap::new();
        table.each(|key, value| drop(all.insert(key.to_vec(), value.to_vec()))).unwrap();
        assert_eq!(all, pairs);
        for number in 0..170 {
            let prefix = format!("c{number:03}\0").into_bytes();
            let expected: Vec<_> =
                pairs.iter().filter(|(key, _)| key.starts_with(&prefix)).map(|(k, v)| (k.clone(), v.clone())).collect();
            assert_eq!(table.with_prefix(&prefix).unwrap(), expected, "{number}");
        }
    }

    #[test]
    fn any_changed_byte_is_found() {
        let bytes = table(&large());
        for at in (0..bytes.len()).step_by(97).chain(bytes.len() - 60..bytes.len()) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x40;
            let read = Table::open(changed).and_then(|table| table.each(|_, _| {}));
            assert!(read.is_err(), "{at}");
        }
        for length in (0..bytes.len()).step_by(1009) {
            assert!(Table::open(bytes[..length].to_vec()).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn prefixes_answer_as_a_map_does(
            pairs in proptest::collection::btree_map(proptest::collection::vec(0_u8..4, 0..5), proptest::collection::vec(any::<u8>(), 0..9000), 0..40),
            prefixes in proptest::collection::btree_set(proptest::collection::vec(0_u8..4, 1..4), 0..8),
        ) {
            // One prefix is never that of another, as with whole names.
            let mut prefixes: Vec<_> = prefixes.into_iter().map(|prefix| [prefix.as_slice(), &[9]].concat()).collect();
            prefixes.sort();
            let pairs: BTreeMap<_, _> = pairs.into_iter().map(|(mut key, value)| { key.push(9); key.push(value.len() as u8); (key, value) }).collect();
            let table = Table::open(table(&pairs)).unwrap();
            let mut found = Vec::new();
            table.with_prefixes(&prefixes, |key, value| found.push((key.to_vec(), value.to_vec()))).unwrap();
            let expected: Vec<_> = pairs.clone().into_iter().filter(|(key, _)| prefixes.iter().any(|prefix| key.starts_with(prefix))).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Table::open(bytes).map(|table| table.each(|_, _| {}));
        }
    }
}
