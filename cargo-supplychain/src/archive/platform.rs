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
