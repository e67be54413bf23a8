//! What the kernel tells of a sealed process while it waits for an answer: memory, parents, arguments, open files. All of it can be
//! gone the next moment, and the process itself decides what stands in its memory: every answer is an `Option` and bounded.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The kernel's `PATH_MAX`, in bytes.
const PATH_MAX: usize = 4096;
/// How many arguments or variables of a started program are read, and how long one may be.
const WORDS_MAX: usize = 16_384;
const WORD_MAX: usize = 4096;
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

/// The memory of a process, open.
pub(super) struct Memory(File);

impl Process {
    fn place(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }

    pub(super) fn memory(self) -> Option<Memory> {
        File::open(self.place("mem")).ok().map(Memory)
    }

    pub(super) fn stat(self) -> Option<Stat> {
        let text = std::fs::read(self.place("stat")).ok()?;
        let (parent, started) = parse_stat(&text)?;
        Some(Stat { parent, key: Key { id: self.0, started } })
    }

    /// The process that the thread belongs to.
    pub(super) fn group(self) -> Option<u32> {
        let text = std::fs::read_to_string(self.place("status")).ok()?;
        text.lines().find_map(|line| line.strip_prefix("Tgid:")).and_then(|id| id.trim().parse().ok())
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
        std::io::Read::read_to_end(&mut std::io::Read::take(file, 1 << 20), &mut bytes).ok()?;
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
    pub(super) fn bytes(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.0.read_exact_at(&mut bytes, address).ok()?;
        Some(bytes)
    }

    /// As many of the bytes as there are.
    pub(super) fn up_to(&self, address: u64, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        let read = self.0.read_at(&mut bytes, address).unwrap_or(0);
        bytes.truncate(read);
        bytes
    }

    pub(super) fn word(&self, address: u64) -> Option<u64> {
        self.bytes(address, 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_ne_bytes)
    }

    /// A text that ends with a zero, up to `longest` bytes.
    fn text(&self, address: u64, longest: usize) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        while text.len() < longest {
            // Up to the end of the page: the next one may not be there.
            let at = address.checked_add(text.len() as u64)?;
            let page = 4096 - usize::try_from(at % 4096).ok()?;
            // Most paths are short.
            let part = self.up_to(at, page.min(if text.is_empty() { 256 } else { 4096 }));
            if part.is_empty() {
                return None;
            }
            if let Some(end) = part.iter().position(|byte| *byte == 0) {
                text.extend(&part[..end]);
                return Some(text);
            }
            text.extend(part);
        }
        None
    }

    pub(super) fn path(&self, address: u64) -> Option<PathBuf> {
        self.text(address, PATH_MAX).map(|bytes| PathBuf::from(OsString::from_vec(bytes)))
    }

    /// A list of texts that ends with a null pointer: arguments, environment.
    pub(super) fn words(&self, address: u64) -> Vec<String> {
        let mut words = Vec::new();
        let mut at = address;
        while words.len() < WORDS_MAX {
            let Some(pointer) = self.word(at).filter(|pointer| *pointer != 0) else { break };
            // One that is too long is none of those that we look for.
            words
                .push(self.text(pointer, WORD_MAX).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default());
            at += 8;
        }
        words
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
        let memory = own.memory().unwrap();
        assert_eq!(memory.text(word.as_ptr() as u64, 16).unwrap(), b"here");
        assert_eq!(memory.text(8, 16), None, "nothing is mapped there");
        assert!(!own.code().is_empty());
    }
}
