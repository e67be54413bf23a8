//! Scratch folders of the compiler that it wants beside sources. `rustc --emit=metadata -o -` makes one (`rmeta` and six letters) in the folder
//! that it is started in and removes it again; for a build script that asks what the compiler can do (that of rustix before 1.0.8) this is the crate's own
//! folder in cargo's registry, which a build may not write. The compiler gets such a folder elsewhere, under the name that it gave it: its
//! files are opened by us and handed over.
//!
//! Nobody in the build can reach these folders by a path, so that nothing in them leads elsewhere.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use super::process::Process;

/// What the compiler calls them, and how many random letters follow.
const NAME: &str = "rmeta";
const LETTERS: usize = 6;
/// How many there can be at a time: a build script asks a handful of questions.
const FOLDERS_MAX: usize = 256;

/// Those that were made, by the process that made them and the path that it gave.
#[derive(Debug, Default)]
pub(super) struct Scratch(HashMap<(u32, PathBuf), Folder>);

#[derive(Debug)]
struct Folder {
    open: OwnedFd,
    _place: tempfile::TempDir,
}

/// Whether the path is one that the compiler gives a scratch folder.
pub(super) fn is_name(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_prefix(NAME));
    name.is_some_and(|letters| letters.len() == LETTERS && letters.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

impl Scratch {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes one; whether it is there.
    pub(super) fn make(&mut self, process: Process, path: &Path) -> bool {
        let Some(owner) = process.group() else { return false };
        // Their makers have mostly ended.
        self.0.retain(|(owner, _), _| Process(*owner).stat().is_some());
        let key = (owner, path.to_owned());
        if self.0.len() >= FOLDERS_MAX || self.0.contains_key(&key) {
            return false;
        }
        let Ok(place) = tempfile::tempdir() else { return false };
        let Ok(open) = rustix::fs::open(place.path(), OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()) else { return false };
        self.0.insert(key, Folder { open, _place: place });
        true
    }

    /// Opens a file in one that the process has made, as it would have; none where the path is not in one.
    pub(super) fn open(&self, process: Process, path: &Path, flags: i32) -> Option<io::Result<File>> {
        let (folder, name) = (path.parent()?, path.file_name()?);
        let folder = self.0.get(&(process.group()?, folder.to_owned()))?;
        let kept = OFlags::ACCMODE | OFlags::CREATE | OFlags::EXCL | OFlags::TRUNC | OFlags::APPEND;
        let asked = OFlags::from_bits_retain(flags.cast_unsigned());
        let flags = (asked & kept) | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mode = Mode::RUSR | Mode::WUSR;
        Some(rustix::fs::openat(&folder.open, name, flags, mode).map(File::from).map_err(io::Error::from))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    #[test]
    fn names_of_the_compiler() {
        for (path, expected) in [
            ("/r/rmetaAb09xY", true),
            ("/r/rmeta", false),
            ("/r/rmetaAb09x", false),
            ("/r/rmetaAb0.xY", false),
            ("/r/xmetaAb09xY", false),
        ] {
            assert_eq!(is_name(Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn a_file_is_written_and_read_under_the_name_that_was_given() {
        let own = Process(std::process::id());
        let mut scratch = Scratch::default();
        let file = Path::new("/r/crate/rmetaAb09xY/full.rmeta");
        assert!(scratch.open(own, file, libc::O_RDONLY).is_none(), "nothing was made");
        assert!(scratch.make(own, Path::new("/r/crate/rmetaAb09xY")));
        assert!(!scratch.make(own, Path::new("/r/crate/rmetaAb09xY")), "it is there");
        let missing = scratch.open(own, file, libc::O_RDONLY).unwrap().unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
        scratch.open(own, file, flags).unwrap().unwrap().write_all(b"metadata").unwrap();
        let mut text = String::new();
        scratch.open(own, file, libc::O_RDONLY).unwrap().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "metadata");
        assert!(scratch.open(own, Path::new("/r/crate/other"), flags).is_none());
        assert!(scratch.open(own, Path::new("/r/crate/rmetaAb09xY/.."), flags).is_none());
        assert!(scratch.open(own, Path::new("/r/crate/rmetaAb09xY"), flags).is_none());
        assert!(scratch.open(Process(1), file, libc::O_RDONLY).is_none(), "of another process");
    }
}
