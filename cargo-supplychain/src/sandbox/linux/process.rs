//! What the kernel tells of a sealed process while it waits for an answer: memory, parents, arguments, open files. All of it can be
//! gone the next moment, and the process itself decides what stands in its memory: every answer is an `Option` and bounded.

use std::ffi::{CStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::kernel;

/// The kernel's `PATH_MAX`, in bytes.
const PATH_MAX: usize = 4096;
/// How many arguments or variables of a started program are read, and how long one may be.
const WORDS_MAX: usize = 16_384;
const WORD_MAX: usize = 4096;
/// How much of a word is read at first, in bytes.
const SHORT: usize = 128;
/// How far up a process is looked for, so that a cycle made of reused numbers ends.
pub(super) const DEPTH_MAX: usize = 64;

/// A thread or process, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Process(pub u32);

/// A process beyond the reuse of its number: when it started, in clock ticks since boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub id: u32,
    pub started: u64,
}

/// One line of `/proc/PID/stat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    pub parent: u32,
    pub key: Key,
}

/// The memory of a process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Memory(Process);

impl Process {
    fn place(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }

    pub(super) fn memory(self) -> Memory {
        Memory(self)
    }

    /// The beginning of a small file in its folder, by one read: the library's own way is to grow a buffer from 32 bytes on.
    fn beginning(self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = vec![0; 4096];
        let read = File::open(self.place(name)).ok()?.read(&mut bytes).ok()?;
        bytes.truncate(read);
        Some(bytes)
    }

    pub(super) fn stat(self) -> Option<Stat> {
        let text = self.beginning("stat")?;
        let (parent, started) = parse_stat(&text)?;
        Some(Stat { parent, key: Key { id: self.0, started } })
    }

    /// The process that the thread belongs to.
    pub(super) fn group(self) -> Option<u32> {
        // The name above it is escaped there.
        let text = self.beginning("status")?;
        let id = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Tgid:"))?;
        std::str::from_utf8(id).ok()?.trim().parse().ok()
    }

    pub(super) fn is_thread_of(self, process: u32) -> bool {
        self.0 == process || Path::new(&format!("/proc/{process}/task/{}", self.0)).exists()
    }

    pub(super) fn folder(self) -> Option<PathBuf> {
        std::fs::read_link(self.place("cwd")).ok()
    }

    pub(super) fn program(self) -> Option<PathBuf> {
        std::fs::read_link(self.place("exe")).ok()
    }

    /// Where an open file of it is.
    pub(super) fn file(self, descriptor: i32) -> Option<PathBuf> {
        std::fs::read_link(self.place(&format!("fd/{descriptor}"))).ok()
    }

    /// A variable of the environment that it was started with, as the process leaves it there.
    pub(super) fn variable(self, name: &str) -> Option<String> {
        let mut bytes = Vec::new();
        let file = File::open(self.place("environ")).ok()?;
        file.take(1 << 20).read_to_end(&mut bytes).ok()?;
        let prefix = format!("{name}=");
        let value = bytes.split(|byte| *byte == 0).find_map(|entry| entry.strip_prefix(prefix.as_bytes()))?;
        Some(String::from_utf8_lossy(value).into_owned())
    }

    /// Libraries that it runs code of: where each lies in its memory.
    pub(super) fn code(self) -> Vec<(std::ops::Range<u64>, PathBuf)> {
        let Ok(text) = std::fs::read_to_string(self.place("maps")) else { return Vec::new() };
        text.lines().filter_map(parse_mapping).collect()
    }

    /// Stack pointer and instruction of a waiting thread.
    pub(super) fn stack(self) -> Option<(u64, u64)> {
        let text = std::fs::read_to_string(self.place("syscall")).ok()?;
        let mut words = text.split_whitespace().rev().map(|word| u64::from_str_radix(word.trim_start_matches("0x"), 16).ok());
        let (instruction, stack) = (words.next()??, words.next()??);
        Some((stack, instruction))
    }
}

impl Memory {
    /// As many of the bytes as there are.
    pub(super) fn up_to(self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let read = kernel::read_memory(self.0.0, address, &mut bytes);
        bytes.truncate(read);
        bytes
    }

    pub(super) fn word(self, address: u64) -> Option<u64> {
        let mut word = [0; 8];
        (kernel::read_memory(self.0.0, address, &mut word) == word.len()).then(|| u64::from_ne_bytes(word))
    }

    /// A text that ends with a zero, up to `longest` bytes.
    fn text(self, address: u64, longest: usize) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        while text.len() < longest {
            // Up to the end of the page: the next one may not be there.
            let at = address.checked_add(text.len() as u64)?;
            let page = 4096 - usize::try_from(at % 4096).ok()?;
            // Most paths are short. This is done for every file that a build opens: one buffer, and nothing copied.
            let before = text.len();
            text.resize(before + page.min(if before == 0 { 256 } else { 4096 }), 0);
            let read = kernel::read_memory(self.0.0, at, &mut text[before..]);
            if read == 0 {
                return None;
            }
            text.truncate(before + read);
            if let Ok(part) = CStr::from_bytes_until_nul(&text[before..]) {
                let end = before + part.count_bytes();
                text.truncate(end);
                return Some(text);
            }
        }
        None
    }

    pub(super) fn path(self, address: u64) -> Option<PathBuf> {
        self.text(address, PATH_MAX).map(|bytes| PathBuf::from(OsString::from_vec(bytes)))
    }

    /// A list of texts that ends with a null pointer: arguments, environment.
    pub(super) fn words(self, address: u64) -> Vec<String> {
        let pointers = self.pointers(address);
        let mut words = Vec::with_capacity(pointers.len());
        // Most words are short, so that many are read by one call.
        let mut pieces = vec![0; kernel::PIECES_MAX * SHORT];
        for pointers in pointers.chunks(kernel::PIECES_MAX) {
            let length = pointers.len() * SHORT;
            let read = kernel::read_pieces(self.0.0, pointers, &mut pieces[..length]);
            for (pointer, piece) in
                pointers.iter().zip(pieces[..read].chunks_exact(SHORT).map(Some).chain(std::iter::repeat(None)))
            {
                let short = piece.and_then(|piece| Some(piece[..piece.iter().position(|byte| *byte == 0)?].to_vec()));
                // One that is too long is none of those that we look for.
                let word = short.or_else(|| self.text(*pointer, WORD_MAX)).unwrap_or_default();
                words.push(String::from_utf8_lossy(&word).into_owned());
            }
        }
        words
    }

    /// Addresses up to a null pointer.
    fn pointers(self, address: u64) -> Vec<u64> {
        let (mut pointers, mut at) = (Vec::new(), address);
        while pointers.len() < WORDS_MAX {
            // Up to the end of the page: the next one may not be there.
            let page = 4096 - usize::try_from(at % 4096).unwrap_or_default();
            let part = self.up_to(at, page.max(8));
            let before = pointers.len();
            for word in part.chunks_exact(8) {
                match word.try_into().map(u64::from_ne_bytes) {
                    Ok(pointer) if pointer != 0 && pointers.len() < WORDS_MAX => pointers.push(pointer),
                    _ => return pointers,
                }
            }
            if pointers.len() == before {
                break;
            }
            at += 8 * (pointers.len() - before) as u64;
        }
        pointers
    }
}

/// Parent and start time. The name in parentheses is the process's own choice and may hold anything.
fn parse_stat(text: &[u8]) -> Option<(u32, u64)> {
    let after = text.iter().rposition(|byte| *byte == b')')? + 1;
    let rest = std::str::from_utf8(&text[after..]).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some((parent, started))
}

/// A line of `/proc/PID/maps` about executable code of a file.
fn parse_mapping(line: &str) -> Option<(std::ops::Range<u64>, PathBuf)> {
    let mut fields = line.splitn(6, ' ');
    let (range, rights) = (fields.next()?, fields.next()?);
    let path = fields.nth(3)?.trim_start();
    if !rights.contains('x') || !path.starts_with('/') {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    let number = |text| u64::from_str_radix(text, 16).ok();
    Some((number(start)?..number(end)?, PathBuf::from(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let stat = b"42 (a) b) R) S 7 42 42 0 -1 4194304 1 0 0 0 1 2 0 0 20 0 1 0 98765 1 2 3";
        assert_eq!(parse_stat(stat), Some((7, 98_765)));
        assert_eq!(parse_stat(b"42 (x"), None);
        let line = "7f0000000000-7f0000001000 r-xp 00000000 fe:00 123                        /t/deps/libm-1.so";
        assert_eq!(parse_mapping(line), Some((0x7f00_0000_0000..0x7f00_0000_1000, PathBuf::from("/t/deps/libm-1.so"))));
        assert_eq!(parse_mapping("7f0000000000-7f0000001000 rw-p 00000000 00:00 0"), None);
        assert_eq!(parse_mapping("7f0000000000-7f0000001000 r-xp 00000000 00:00 0      [vdso]"), None);
    }

    #[test]
    fn this_process_can_be_looked_at() {
        let own = Process(std::process::id());
        assert_eq!(own.stat().unwrap().key.id, own.0);
        assert_eq!(own.group(), Some(own.0));
        assert!(own.is_thread_of(own.0));
        let word = *b"here\0";
        let memory = own.memory();
        assert_eq!(memory.text(word.as_ptr() as u64, 16).unwrap(), b"here");
        assert_eq!(memory.text(8, 16), None, "nothing is mapped there");
        assert!(!own.code().is_empty());
        let long = format!("{}\0", "x".repeat(WORD_MAX - 1));
        let endless = "y".repeat(3 * WORD_MAX) + "\0";
        let mut texts: Vec<String> = (0..600).map(|number| format!("NAME{number}=value\0")).collect();
        texts[70] = long;
        texts[71] = endless;
        let mut pointers: Vec<u64> = texts.iter().map(|text| text.as_ptr() as u64).collect();
        pointers.push(0);
        let words = memory.words(pointers.as_ptr() as u64);
        let mut expected: Vec<_> = texts.iter().map(|text| text.trim_end_matches('\0').to_owned()).collect();
        expected[71] = String::new();
        assert!(words == expected);
        pointers[3] = 8;
        assert_eq!(
            memory.words(pointers.as_ptr() as u64)[2..5],
            ["NAME2=value", "", "NAME4=value"],
            "nothing is mapped at one of them"
        );
        assert!(memory.words(8).is_empty());
    }
}
