//! The index over the components of an archive, as bytes: sorted tables of blocks, each with its digest, and the keys and values in them. It
//! is a cache of what the archive says, never a source: whatever is not as it was written is an error, upon which it is made again. Where
//! its files are is `crate::archive::index`'s.

mod release;
pub mod segment;
pub mod table;

use std::fmt;

/// The bytes are no part of an index as this version writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrupt(pub String);

impl Corrupt {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Corrupt {}

/// Appends a number, seven bits a byte, the least first (LEB128).
pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Reads bytes from their start.
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn number(&mut self) -> Result<u64, Corrupt> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = *self.bytes(1)? else { return Err(Corrupt::new("a number is cut short")) };
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Corrupt::new("a number is too large"))
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Corrupt> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(|| Corrupt::new("it is cut short"))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Bytes with their length before them.
    pub(crate) fn text(&mut self) -> Result<&'a [u8], Corrupt> {
        let length = usize::try_from(self.number()?).map_err(|_| Corrupt::new("a length is too large"))?;
        self.bytes(length)
    }
}
