//! Executable files by their first bytes, and text that hides bytes (base64).

/// So many characters of base64 in a row are more than a key, a digest or an icon.
pub(super) const MAX_ENCODED: usize = 400;

/// Whether the file is one that a machine can run or a linker can link: ELF, Mach-O, PE, COFF import objects, WebAssembly, an archive
/// of objects.
pub(super) fn is_executable(bytes: &[u8]) -> bool {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    starts(b"\x7fELF")
        || starts(b"\0asm")
        || [b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"].iter().any(|magic| starts(*magic))
        || is_universal(bytes)
        || is_portable_executable(bytes)
        || (starts(b"!<arch>\n") && bytes.len() > 68)
}

/// A universal Mach-O; Java classes have the same first bytes, and a version of 45 and more where it counts its architectures.
fn is_universal(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xca\xfe\xba\xbe")
        && bytes.get(4..8).is_some_and(|count| count[..3] == [0; 3] && (1..30).contains(&count[3]))
}

/// `MZ`, and `PE` where its header says.
fn is_portable_executable(bytes: &[u8]) -> bool {
    let Some(place) = bytes.get(0x3c..0x40).filter(|_| bytes.starts_with(b"MZ")) else { return false };
    let place = u32::from_le_bytes([place[0], place[1], place[2], place[3]]) as usize;
    place.checked_add(4).and_then(|end| bytes.get(place..end)) == Some(b"PE\0\0")
}

/// Whether the text holds a run of base64 of more than [`MAX_ENCODED`] characters, line breaks within it left out.
pub(super) fn is_encoded(text: &[u8]) -> bool {
    if text.len() <= MAX_ENCODED {
        return false;
    }
    let mut run = Run::default();
    for byte in text {
        match byte {
            b'\n' | b'\r' => {}
            byte if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=') => {
                run.add(*byte);
                if run.is_telling() {
                    return true;
                }
            }
            _ => run = Run::default(),
        }
    }
    false
}

/// What has stood in a row, of each kind of character.
#[derive(Default)]
struct Run {
    length: usize,
    upper: usize,
    lower: usize,
    digits: usize,
    beyond_hex: usize,
    /// The same character again: a ruler is no data.
    repeated: usize,
    last: u8,
}

impl Run {
    fn add(&mut self, byte: u8) {
        self.length += 1;
        self.upper += usize::from(byte.is_ascii_uppercase());
        self.lower += usize::from(byte.is_ascii_lowercase());
        self.digits += usize::from(byte.is_ascii_digit());
        self.beyond_hex += usize::from(byte.is_ascii_alphabetic() && !byte.is_ascii_hexdigit());
        self.repeated += usize::from(byte == self.last);
        self.last = byte;
    }

    /// Long, and of the mixture that encoded bytes have: neither digits in hexadecimal nor a word list.
    fn is_telling(&self) -> bool {
        let share = |count: usize, percent: usize| count * 100 >= self.length * percent;
        self.length > MAX_ENCODED
            && share(self.upper, 10)
            && share(self.lower, 10)
            && share(self.digits, 6)
            && share(self.beyond_hex, 20)
            && !share(self.repeated, 60)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn executables_by_their_first_bytes() {
        let mut pe = b"MZ".to_vec();
        pe.resize(0x3c, 0);
        pe.extend([0x40, 0, 0, 0]);
        pe.extend(b"PE\0\0");
        let archive = [&b"!<arch>\n"[..], &[b' '; 80]].concat();
        for (bytes, expected) in [
            (&b"\x7fELF\x02"[..], true),
            (b"\0asm\x01\0\0\0", true),
            (b"\xcf\xfa\xed\xfe", true),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", true),
            (b"\xca\xfe\xba\xbe\0\0\0\x34", false),
            (&pe, true),
            (&archive, true),
            (b"!<arch>\n", false),
            (b"MZ is how a text may begin", false),
            (b"#!/bin/sh\n", false),
            (b"", false),
        ] {
            assert_eq!(is_executable(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn encoded_bytes_and_what_only_looks_like_them() {
        // The squares of the numbers, as a poor man's random bytes.
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let base64: String = (0..500_usize).map(|at| char::from(letters[(at * at * 7 + at * 13 + at / 3) % 64])).collect();
        let wrapped =
            base64.as_bytes().chunks(64).map(|line| String::from_utf8(line.to_vec()).unwrap()).collect::<Vec<_>>().join("\n");
        for (text, expected) in [
            (base64.clone(), true),
            (wrapped, true),
            (format!("data:text/plain;base64,{base64}"), true),
            (base64[..400].to_owned(), false),
            ("0123456789abcdefABCDEF".repeat(40), false),
            ("word_and_word-".repeat(60), false),
            ("=".repeat(900), false),
            ("Many words, and a sentence of them. ".repeat(40), false),
        ] {
            assert_eq!(is_encoded(text.as_bytes()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_something_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let pe = [b"MZ".as_slice(), &bytes].concat();
            let _ = (is_executable(&bytes), is_executable(&pe), is_encoded(&bytes));
        }
    }
}
