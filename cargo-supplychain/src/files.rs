//! Layer 3, its ground floor (IO): regular files, opened without traps, read within bounds, written whole or not at all. Knows nothing of
//! what is in them. A file that others can put in our way may be a pipe that never answers, a device, a link, or larger than memory.

pub mod stamp;

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// Opens a regular file. A link is followed; a folder, pipe, socket or device is [`io::ErrorKind::InvalidInput`] and never waited for.
pub fn open(path: &Utf8Path) -> io::Result<File> {
    // Before it is opened, because opening a pipe would wait for its writer; and after, because it may be another file by then.
    require_regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    require_regular(&file.metadata()?)?;
    Ok(file)
}

/// Opens a regular file as [`open`] does, but not through a link at the end of its path.
pub fn open_no_follow(path: &Utf8Path) -> io::Result<File> {
    require_regular(&fs::symlink_metadata(path)?)?;
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
    }
    let file = options.open(path)?;
    require_regular(&file.metadata()?)?;
    Ok(file)
}

fn require_regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")) }
}

/// Who besides the user of this process can write into a folder; `None` where nobody can, or where the system does not say.
#[must_use]
pub fn others_who_can_write(folder: &Utf8Path) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = fs::metadata(folder).ok()?;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Some("another user");
        }
        if metadata.mode() & 0o002 != 0 { Some("everybody") } else { None }
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// The path without `.` and `..` parts, symbolic links left alone.
#[must_use]
pub fn normal(path: &Utf8Path) -> Utf8PathBuf {
    let mut out = Utf8PathBuf::new();
    for part in path.components() {
        match part {
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

/// Reads a regular file of at most `limit` bytes; a larger one is [`io::ErrorKind::FileTooLarge`].
pub fn read(path: &Utf8Path, limit: u64) -> io::Result<Vec<u8>> {
    read_open(&open(path)?, limit)
}

/// Room for so much is made before a file is read, in bytes.
const FIRST_READ: u64 = 1 << 20;

/// Reads what is left of an open file, as [`read`] does.
pub fn read_open(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    // What it says of its length only saves calls: it may be none (`/proc`), or change.
    let expected = file.metadata().map_or(0, |metadata| metadata.len()).min(limit).min(FIRST_READ);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0) + 1);
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 <= limit {
        return Ok(bytes);
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than the limit of {limit} bytes")))
}

/// Reads a regular file of at most `limit` bytes that holds UTF-8; other text is [`io::ErrorKind::InvalidData`].
pub fn read_text(path: &Utf8Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8 text"))
}

/// Makes the entries of a folder durable. Systems that cannot open folders do so by themselves.
pub fn sync_folder(folder: &Utf8Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// A new file, executable or not, as far as the umask lets it; none is replaced and no link at its end followed.
///
/// # Errors
/// Something is there, or it cannot be made.
pub fn create_new(path: &Utf8Path, executable: bool) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o755 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = executable;
    options.open(path)
}

/// Writes a file whole or not at all: temporary file beside it, fsync, rename, fsync of the folder (ARCHITECTURE.md, invariant 6). Folders
/// above it are made; an older file of that name is replaced.
pub fn write(path: &Utf8Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    // A document is for all to read, unlike what temporary files are; the umask still narrows it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
    let mut file = builder.prefix(".supplychain-").tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_kinds() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let path = root.join("a");
        fs::write(&path, "abc").unwrap();
        assert_eq!(read(&path, 3).unwrap(), b"abc");
        assert_eq!(read(&path, 2).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(read(root, 9).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(read(&root.join("b"), 9).unwrap_err().kind(), io::ErrorKind::NotFound);
        fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path, 9).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(root.join("a"), "abc").unwrap();
        std::os::unix::fs::symlink(root.join("a"), root.join("link")).unwrap();
        assert!(open(&root.join("link")).is_ok());
        assert!(open_no_follow(&root.join("link")).is_err());
        assert!(open_no_follow(&root.join("a")).is_ok());
        rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe").as_str(), rustix::fs::Mode::RWXU).unwrap();
        assert!(open(&root.join("pipe")).is_err());
        assert!(open_no_follow(&root.join("pipe")).is_err());
    }

    #[test]
    fn replaces_whole_files_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let path = root.join("a/b.json");
        for text in ["one", "two"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(root.join("a").read_dir_utf8().unwrap().count(), 1);
        assert!(write(&root.join("a/b.json/c"), b"x").is_err());
    }
}
