//! Whether the list of names in a folder changed, by the time of its last change: nobody sets that but the kernel. So a folder that was
//! listed need not be listed again.

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

/// While a folder has the same stamp no name was added to it, taken away, or given to another file. Files can have been written to all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    device: u64,
    inode: u64,
    /// Seconds since 1970, and nanoseconds.
    changed: (i64, i64),
}

/// A folder, and the stamps of those in it; those of its file system are known to tell.
#[derive(Debug)]
#[cfg_attr(not(all(target_os = "linux", target_pointer_width = "64")), expect(dead_code, reason = "nothing tells there"))]
pub struct Stamps {
    #[cfg(unix)]
    folder: std::os::fd::OwnedFd,
    device: u64,
    now: i64,
}

/// What a regular file is known by besides its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileState {
    pub size: u64,
    /// Nanoseconds since 1970; 0 before.
    pub modified: u128,
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux {
    use std::time::{SystemTime, UNIX_EPOCH};

    use camino::Utf8Path;
    use rustix::fs::{AtFlags, FileType, FsWord, Mode, OFlags, Stat, fstat, fstatfs, open, statat};

    use super::{FileState, Stamp, Stamps};

    /// ext2 to ext4, XFS, Btrfs, F2FS, tmpfs (`statfs(2)`): they keep that time. Others may.
    const KEEP_IT: [FsWord; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994];
    /// Seconds, in which a further change need not show: the clock of a file system has ticks.
    const JUST_NOW: i64 = 2;

    impl Stamps {
        /// None where the file system of the folder is not known to keep the time.
        #[must_use]
        pub fn new(folder: &Utf8Path) -> Option<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let folder = open(folder.as_str(), flags, Mode::empty()).ok()?;
            KEEP_IT.contains(&fstatfs(&folder).ok()?.f_type).then_some(())?;
            let device = fstat(&folder).ok()?.st_dev;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
            Some(Self { folder, device, now: i64::try_from(now).ok()? })
        }

        /// That of the folder itself.
        #[must_use]
        pub fn own(&self) -> Option<Stamp> {
            self.stamp(&fstat(&self.folder).ok()?)
        }

        /// That of a folder in it. None: it is no folder of this file system, or was changed just now.
        #[must_use]
        pub fn of(&self, name: &str) -> Option<Stamp> {
            self.stamp(&self.stat(name)?)
        }

        /// A regular file below it; the kernel walks a short way only.
        #[must_use]
        pub fn file(&self, path: &str) -> Option<FileState> {
            let stat = self.stat(path).filter(|stat| FileType::from_raw_mode(stat.st_mode).is_file())?;
            let nanoseconds = i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec);
            Some(FileState { size: u64::try_from(stat.st_size).ok()?, modified: u128::try_from(nanoseconds).unwrap_or(0) })
        }

        /// Links are not followed.
        fn stat(&self, path: &str) -> Option<Stat> {
            statat(&self.folder, path, AtFlags::SYMLINK_NOFOLLOW).ok()
        }

        fn stamp(&self, stat: &Stat) -> Option<Stamp> {
            let is_here = FileType::from_raw_mode(stat.st_mode).is_dir() && stat.st_dev == self.device;
            let changed = (stat.st_ctime, i64::try_from(stat.st_ctime_nsec).ok()?);
            let age = self.now.checked_sub(changed.0)?;
            (is_here && age > JUST_NOW).then_some(Stamp { device: self.device, inode: stat.st_ino, changed })
        }
    }
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
impl Stamps {
    /// Nothing tells.
    #[must_use]
    pub fn new(_folder: &Utf8Path) -> Option<Self> {
        None
    }

    /// Nothing tells.
    #[must_use]
    pub fn own(&self) -> Option<Stamp> {
        None
    }

    /// Nothing tells.
    #[must_use]
    pub fn of(&self, _name: &str) -> Option<Stamp> {
        None
    }

    /// Nothing tells.
    #[must_use]
    pub fn file(&self, _path: &str) -> Option<FileState> {
        None
    }
}

/// The stamp of one folder.
#[must_use]
pub fn of(folder: &Utf8Path) -> Option<Stamp> {
    Stamps::new(folder)?.own()
}
