//! One folder's entries. On Linux each is asked for relative to its open folder, which neither resolves long paths again and again nor
//! follows a link that was put in the way; elsewhere by the standard library.

#[cfg(target_os = "linux")]
pub(super) use linux::Directory;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::Directory;

/// What the system gave for an entry.
pub(super) enum Entry<S> {
    Folder,
    File(S),
    /// Neither, in words.
    Odd(&'static str),
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;

    use camino::Utf8Path;
    use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat};
    use rustix::io::Errno;

    use super::Entry;
    use crate::collect::sources::folder::Stat;

    /// Room for the entries that the system gives at once.
    const ROOM: usize = 32 << 10;

    pub(in crate::collect::sources) struct Directory(OwnedFd);

    impl Directory {
        pub(in crate::collect::sources) fn open(path: &Utf8Path) -> io::Result<Self> {
            Self::at(CWD, path.as_str())
        }

        fn at(folder: impl std::os::fd::AsFd, name: &str) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            openat(folder, name, flags, Mode::empty()).map(Self).map_err(|error| match error {
                Errno::LOOP | Errno::NOTDIR => io::Error::new(io::ErrorKind::NotADirectory, "not a folder"),
                error => error.into(),
            })
        }

        pub(in crate::collect::sources) fn folder(&self, name: &str) -> io::Result<Self> {
            Self::at(&self.0, name)
        }

        /// Names and kinds of what is in it; the bytes of a name that is not UTF-8 are shown as well as they can be.
        pub(in crate::collect::sources) fn each(
            &self,
            wants: &dyn Fn(&str) -> bool,
            visit: &mut dyn FnMut(&str, Entry<Stat>),
        ) -> io::Result<()> {
            let mut room = [MaybeUninit::uninit(); ROOM];
            let mut entries = RawDir::new(&self.0, &mut room);
            while let Some(entry) = entries.next() {
                let entry = entry?;
                let name = match entry.file_name().to_str() {
                    Ok("." | "..") => continue,
                    Ok(name) => name,
                    Err(_) => {
                        visit(&entry.file_name().to_string_lossy(), Entry::Odd("a name that is not UTF-8"));
                        continue;
                    }
                };
                if !wants(name) {
                    continue;
                }
                // The folder itself says what is a folder, on most file systems: that saves a question about each.
                if entry.file_type() == FileType::Directory {
                    visit(name, Entry::Folder);
                    continue;
                }
                let stat = statat(&self.0, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
                visit(
                    name,
                    match FileType::from_raw_mode(stat.st_mode) {
                        FileType::RegularFile => Entry::File(Stat::of_raw(&stat)),
                        FileType::Directory => Entry::Folder,
                        FileType::Symlink => Entry::Odd("a symbolic link"),
                        FileType::Fifo => Entry::Odd("a pipe"),
                        FileType::Socket => Entry::Odd("a socket"),
                        _ => Entry::Odd("a device"),
                    },
                );
            }
            Ok(())
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod portable {
    use std::{fs, io};

    use camino::{Utf8Path, Utf8PathBuf};

    use super::Entry;
    use crate::collect::sources::folder::Stat;

    pub(in crate::collect::sources) struct Directory(Utf8PathBuf);

    impl Directory {
        pub(in crate::collect::sources) fn open(path: &Utf8Path) -> io::Result<Self> {
            // A link in its place would lead to another package, or out of the cache.
            match fs::symlink_metadata(path)?.is_dir() {
                true => Ok(Self(path.to_owned())),
                false => Err(io::Error::new(io::ErrorKind::NotADirectory, "not a folder")),
            }
        }

        pub(in crate::collect::sources) fn folder(&self, name: &str) -> io::Result<Self> {
            Self::open(&self.0.join(name))
        }

        pub(in crate::collect::sources) fn each(
            &self,
            wants: &dyn Fn(&str) -> bool,
            visit: &mut dyn FnMut(&str, Entry<Stat>),
        ) -> io::Result<()> {
            for entry in fs::read_dir(&self.0)? {
                let entry = entry?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else {
                    visit(&name.to_string_lossy(), Entry::Odd("a name that is not UTF-8"));
                    continue;
                };
                if !wants(name) {
                    continue;
                }
                let metadata = entry.metadata()?;
                visit(
                    name,
                    match metadata.file_type() {
                        kind if kind.is_dir() => Entry::Folder,
                        kind if kind.is_file() => Entry::File(Stat::of(&metadata)),
                        kind if kind.is_symlink() => Entry::Odd("a symbolic link"),
                        _ => Entry::Odd("a pipe or device"),
                    },
                );
            }
            Ok(())
        }
    }
}
