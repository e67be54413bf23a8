//! What differs between systems: exchanging folders, durability of folders, links, modes.

use std::fs::{self, File};
use std::io;

use camino::Utf8Path;

/// Exchanges two folders in one step; false where the system or the file system cannot.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn exchange(a: &Utf8Path, b: &Utf8Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, a.as_str(), CWD, b.as_str(), RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn exchange(_a: &Utf8Path, _b: &Utf8Path) -> bool {
    false
}

#[cfg(unix)]
pub(super) fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
pub(super) fn is_executable(_metadata: &fs::Metadata) -> bool {
    false
}

#[cfg(unix)]
pub(super) fn make_executable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    // The umask has shaped the mode of the new file: whoever may read it may run it, and no one else.
    let mode = file.metadata()?.permissions().mode();
    file.set_permissions(fs::Permissions::from_mode(mode & 0o666 | (mode & 0o444) >> 2))
}

#[cfg(not(unix))]
pub(super) fn make_executable(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Names the state of a folder: while it stays the same no file was added to it, removed from it, or put in the place of another. Nobody sets the
/// time of a change but the kernel. None where the file system is not known to keep it, or where the last change was just now, so that a further
/// one may not show.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(super) fn stamp(folder: &Utf8Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    use std::time::{SystemTime, UNIX_EPOCH};
    // ext2 to ext4, XFS, Btrfs, F2FS, tmpfs (`statfs(2)`).
    const KEEP_IT: [rustix::fs::FsWord; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994];
    const JUST_NOW: i64 = 2;
    let file_system = rustix::fs::statfs(folder.as_str()).ok()?.f_type;
    let metadata = fs::symlink_metadata(folder).ok().filter(|_| KEEP_IT.contains(&file_system))?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let age = i64::try_from(now).ok()?.checked_sub(metadata.ctime())?;
    let (device, inode) = (metadata.dev(), metadata.ino());
    (age > JUST_NOW).then(|| format!("{device}:{inode}:{}.{:09}", metadata.ctime(), metadata.ctime_nsec()))
}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub(super) fn stamp(_folder: &Utf8Path) -> Option<String> {
    None
}

/// A temporary folder is its owner's alone; a release is for others as the umask says. The umask is read off a new folder.
#[cfg(unix)]
pub(super) fn make_public(folder: &Utf8Path) -> io::Result<()> {
    let probe = folder.join(".umask");
    fs::create_dir(&probe)?;
    let permissions = fs::metadata(&probe)?.permissions();
    fs::remove_dir(&probe)?;
    fs::set_permissions(folder, permissions)
}

#[cfg(not(unix))]
pub(super) fn make_public(_folder: &Utf8Path) -> io::Result<()> {
    Ok(())
}

/// Gives a file its name in one step, unless something has it; that is [`io::ErrorKind::AlreadyExists`].
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn install(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from.as_str(), CWD, to.as_str(), RenameFlags::NOREPLACE) {
        // The file system does not know it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::hard_link(from, to),
        other => Ok(other?),
    }
}

/// Gives a file its name in one step, unless something has it; that is [`io::ErrorKind::AlreadyExists`].
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub(super) fn install(from: &Utf8Path, to: &Utf8Path) -> io::Result<()> {
    fs::hard_link(from, to)
}

/// Whether neither the group nor everybody can write to it, as far as the system says.
#[cfg(unix)]
pub(super) fn owner_alone_writes(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o022 == 0
}

#[cfg(not(unix))]
pub(super) fn owner_alone_writes(_metadata: &fs::Metadata) -> bool {
    true
}
