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

/// Reads the stamps of folders of one file system.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(all(target_os = "linux", target_pointer_width = "64")), expect(dead_code, reason = "nothing tells there"))]
pub struct Stamps {
    device: u64,
    now: i64,
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod linux {
    use std::fs::symlink_metadata;
    use std::os::unix::fs::MetadataExt as _;
    use std::time::{SystemTime, UNIX_EPOCH};

    use camino::Utf8Path;
    use rustix::fs::{FsWord, statfs};

    use super::{Stamp, Stamps};

    /// ext2 to ext4, XFS, Btrfs, F2FS, tmpfs (`statfs(2)`): they keep that time. Others may.
    const KEEP_IT: [FsWord; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994];
    /// Seconds, in which a further change need not show: the clock of a file system has ticks.
    const JUST_NOW: i64 = 2;

    impl Stamps {
        /// None where the file system of the folder is not known to keep the time.
        #[must_use]
        pub fn new(folder: &Utf8Path) -> Option<Self> {
            let file_system = statfs(folder.as_str()).ok()?.f_type;
            let device = symlink_metadata(folder).ok().filter(|_| KEEP_IT.contains(&file_system))?.dev();
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
            Some(Self { device, now: i64::try_from(now).ok()? })
        }

        /// None: it is no folder of this file system, or was changed just now.
        #[must_use]
        pub fn of(&self, folder: &Utf8Path) -> Option<Stamp> {
            let metadata = symlink_metadata(folder).ok().filter(|one| one.is_dir() && one.dev() == self.device)?;
            let age = self.now.checked_sub(metadata.ctime())?;
            let stamp = Stamp { device: self.device, inode: metadata.ino(), changed: (metadata.ctime(), metadata.ctime_nsec()) };
            (age > JUST_NOW).then_some(stamp)
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
    pub fn of(&self, _folder: &Utf8Path) -> Option<Stamp> {
        None
    }
}

/// The stamp of one folder.
#[must_use]
pub fn of(folder: &Utf8Path) -> Option<Stamp> {
    Stamps::new(folder)?.of(folder)
}
