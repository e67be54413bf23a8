//! The 512-byte header of a tar entry, and the two ways in which a name can be longer than its field. Pure.

/// Everything in a tar archive comes in blocks of this size.
pub(super) const BLOCK: usize = 512;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// GNU's `L`: its content is the name of the next entry.
    LongName,
    /// POSIX's `x`: its content are records about the next entry.
    Extended,
    /// Something that has no place among sources, in words.
    Other(&'static str),
    Unknown(u8),
}

#[derive(Debug)]
pub(super) struct Header {
    pub name: Vec<u8>,
    pub size: u64,
    pub kind: Kind,
}

/// Reads a header whose sum is right.
pub(super) fn parse(block: &[u8; BLOCK]) -> Result<Header, &'static str> {
    let sum = octal(&block[148..156]).ok_or("a header without a sum")?;
    let counted: u64 =
        block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
    if sum != counted {
        return Err("a header with a wrong sum");
    }
    let kind = kind(block[156]);
    // Links and devices have no content, whatever they claim; they are refused by what they are.
    let size = number(&block[124..136]).ok_or("a header without a size")?;
    let name = until_nul(&block[..100]);
    // GNU's variant (`ustar` and blanks) keeps other things where POSIX keeps the first part of a long name.
    let prefix = if &block[257..265] == b"ustar\x0000" { until_nul(&block[345..500]) } else { b"" };
    let name = if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() };
    Ok(Header { name, size, kind })
}

fn kind(byte: u8) -> Kind {
    match byte {
        b'0' | 0 | b'7' => Kind::File,
        b'5' => Kind::Folder,
        b'L' => Kind::LongName,
        b'x' => Kind::Extended,
        b'1' => Kind::Other("a hard link"),
        b'2' | b'K' => Kind::Other("a symbolic link"),
        b'3' => Kind::Other("a character device"),
        b'4' => Kind::Other("a block device"),
        b'6' => Kind::Other("a pipe"),
        other => Kind::Unknown(other),
    }
}

fn until_nul(field: &[u8]) -> &[u8] {
    let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
    &field[..end]
}

/// Octal digits, with blanks before and a blank or NUL behind.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = until_nul(field).trim_ascii();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// Octal, or GNU's way for large numbers: the first bit set, then big-endian binary.
fn number(field: &[u8]) -> Option<u64> {
    let Some((first, rest)) = field.split_first().filter(|(first, _)| **first & 0x80 != 0) else { return octal(field) };
    rest.iter().try_fold(u64::from(first & 0x7f), |value, byte| value.checked_mul(256)?.checked_add(u64::from(*byte)))
}

/// The name that an `L` entry holds.
pub(super) fn gnu_name(content: &[u8]) -> Vec<u8> {
    until_nul(content).to_vec()
}

/// `path` among the records `LENGTH KEY=VALUE\n`. Records that would change what the next entry's content is are refused.
pub(super) fn pax_path(content: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    const BROKEN: &str = "a broken extended header";
    let (mut rest, mut path) = (content, None);
    while !rest.is_empty() {
        let blank = rest.iter().position(|byte| *byte == b' ').ok_or(BROKEN)?;
        let length = std::str::from_utf8(&rest[..blank]).ok().and_then(|digits| digits.parse::<usize>().ok()).ok_or(BROKEN)?;
        let record = rest.get(blank + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or(BROKEN)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or(BROKEN)?;
        match &record[..equals] {
            b"path" => path = Some(record[equals + 1..].to_vec()),
            b"size" => return Err("an extended header that changes a size"),
            key if key.starts_with(b"GNU.sparse") => return Err("a sparse file"),
            _ => {}
        }
        rest = &rest[length..];
    }
    Ok(path)
}
