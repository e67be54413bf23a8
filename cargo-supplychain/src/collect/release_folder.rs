//! Reads a release folder, or (`file.rs`) a file with its bundles, for `verify`. Follows no symbolic link below the folder that was
//! named, opens nothing but regular files, keeps bounds, and reads each file once.

use std::fs::{self, File};
use std::io::{self, Read as _};

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::digest::Hasher;
use crate::files;
use crate::verify::{MAX_CONTROL_BYTES, ReleaseContents, needs_bytes};

mod file;

pub use file::{read_digest, read_file, read_file_with};

/// Most entries of a folder and deepest nesting; a release has a dozen or two.
const MAX_ENTRIES: usize = 200_000;
const MAX_DEPTH: usize = 32;
/// Most bytes of control files that are kept at once.
const MAX_KEPT_BYTES: u64 = 512 * 1024 * 1024;
const BUFFER: usize = 256 * 1024;

/// Why a release could not be read (exit 2: it is not a verdict).
#[derive(Debug)]
pub enum Error {
    Unreadable {
        path: Utf8PathBuf,
        source: io::Error,
    },
    /// Neither a folder nor a regular file, as the caller expected.
    NotA {
        path: Utf8PathBuf,
        expected: &'static str,
    },
    TooMany {
        path: Utf8PathBuf,
        what: &'static str,
        limit: u64,
    },
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable { path, source } => write!(f, "cannot read {path}: {source}"),
            Self::NotA { path, expected } => write!(f, "{path} is not a {expected}"),
            Self::TooMany { path, what, limit } => write!(f, "{path} holds more than {limit} {what}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { source, .. } => Some(source),
            Self::NotA { .. } | Self::TooMany { .. } => None,
        }
    }
}

/// Reads the release folder at `folder` (which may itself be reached through a link).
///
/// # Errors
/// It is no folder, cannot be read, or exceeds the bounds. Links, pipes and the like within it are no errors: they are
/// recorded, and rejected by the verification.
pub fn read(folder: &Utf8Path) -> Result<ReleaseContents, Error> {
    let metadata = fs::metadata(folder).map_err(unreadable(folder))?;
    if !metadata.is_dir() {
        return Err(Error::NotA { path: folder.to_owned(), expected: "folder" });
    }
    let mut reader = Reader { root: folder, contents: ReleaseContents::default(), entries: 0, kept: 0 };
    reader.folder("", 0)?;
    Ok(reader.contents)
}

/// Whether a file of a release may be run by anybody; a link is not followed.
///
/// # Errors
/// It cannot be read, or is no regular file.
pub fn is_executable(path: &Utf8Path) -> io::Result<bool> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        Ok(metadata.permissions().mode() & 0o111 != 0)
    }
    #[cfg(not(unix))]
    {
        Ok(false)
    }
}

struct Reader<'a> {
    root: &'a Utf8Path,
    contents: ReleaseContents,
    entries: usize,
    kept: u64,
}

impl Reader<'_> {
    fn folder(&mut self, relative: &str, depth: usize) -> Result<(), Error> {
        let path = self.root.join(relative);
        if depth > MAX_DEPTH {
            return Err(Error::TooMany { path, what: "levels of folders", limit: MAX_DEPTH as u64 });
        }
        for entry in fs::read_dir(&path).map_err(unreadable(&path))? {
            let entry = entry.map_err(unreadable(&path))?;
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(Error::TooMany { path: self.root.to_owned(), what: "entries", limit: MAX_ENTRIES as u64 });
            }
            let name = entry.file_name();
            let join = |name: &str| if relative.is_empty() { name.to_owned() } else { format!("{relative}/{name}") };
            let Some(name) = name.to_str() else {
                // Not listable in release.json, so that it is rejected whatever it is.
                self.contents.insert_other(join(&name.to_string_lossy()), "file whose name is not UTF-8");
                continue;
            };
            self.entry(&join(name), depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, relative: &str, depth: usize) -> Result<(), Error> {
        let path = self.root.join(relative);
        let metadata = fs::symlink_metadata(&path).map_err(unreadable(&path))?;
        if metadata.is_dir() {
            self.contents.insert_folder(relative);
            return self.folder(relative, depth + 1);
        }
        if !metadata.is_file() {
            self.contents.insert_other(relative, kind(&metadata));
            return Ok(());
        }
        let file = open_regular(&path)?;
        if needs_bytes(relative)
            && let Some(bytes) = read_bounded(&file, MAX_CONTROL_BYTES).map_err(unreadable(&path))?
        {
            self.kept += bytes.len() as u64;
            if self.kept > MAX_KEPT_BYTES {
                let path = self.root.to_owned();
                return Err(Error::TooMany { path, what: "bytes of statements and SBOMs", limit: MAX_KEPT_BYTES });
            }
            self.contents.insert_bytes(relative, bytes);
            return Ok(());
        }
        // A control file that is too large was read in part: begin again, to hash it as a whole.
        let file = if needs_bytes(relative) { open_regular(&path)? } else { file };
        let (size, sha256) = hash(&file).map_err(unreadable(&path))?;
        self.contents.insert_digest(relative, size, sha256);
        Ok(())
    }
}

fn unreadable(path: &Utf8Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Unreadable { path, source }
}

/// Opens a regular file without following a link at its end.
fn open_regular(path: &Utf8Path) -> Result<File, Error> {
    files::open_no_follow(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Error::NotA { path: path.to_owned(), expected: "file" },
        _ => unreadable(path)(error),
    })
}

/// The file's bytes; `None` when there are more than `limit`.
fn read_bounded(mut file: &File, limit: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.by_ref().take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

fn hash(mut file: &File) -> io::Result<(u64, crate::base::Sha256)> {
    let (mut hasher, mut size) = (Hasher::default(), 0);
    each_block(&mut file, |block| {
        hasher.update(block);
        size += block.len() as u64;
    })?;
    Ok((size, hasher.finish()))
}

/// Hands the rest of the file over, block by block.
fn each_block(file: &mut &File, mut block: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => block(&buffer[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn kind(metadata: &fs::Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "named pipe";
        } else if kind.is_socket() {
            return "socket";
        } else if kind.is_block_device() || kind.is_char_device() {
            return "device";
        }
    }
    if metadata.is_symlink() { "symbolic link" } else { "special file" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Sha256;
    use crate::verify::Entry;

    pub(super) fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    pub(super) fn write(folder: &Utf8Path, path: &str, bytes: &[u8]) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn files_are_hashed_and_control_files_kept() {
        let (_guard, folder) = folder();
        write(&folder, "release.json", b"{}");
        write(&folder, "artifacts/tool", b"elf");
        write(&folder, "attestations/a.sigstore.json", b"[]");
        fs::create_dir(folder.join("empty")).unwrap();
        let contents = read(&folder).unwrap();
        let paths: Vec<_> = contents.iter().map(|(path, _)| path).collect();
        let expected = ["artifacts", "artifacts/tool", "attestations", "attestations/a.sigstore.json", "empty", "release.json"];
        assert_eq!(paths, expected);
        for (path, bytes, kept) in
            [("release.json", "{}", true), ("artifacts/tool", "elf", false), ("attestations/a.sigstore.json", "[]", true)]
        {
            let Some(Entry::File(file)) = contents.get(path) else { panic!("{path}") };
            assert_eq!((file.size(), file.sha256()), (bytes.len() as u64, Sha256::of(bytes)));
            assert_eq!(file.bytes(), kept.then_some(bytes.as_bytes()));
        }
        assert!(matches!(contents.get("empty"), Some(Entry::Folder)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn links_and_specials_are_recorded_and_never_opened() {
        use std::os::unix::ffi::OsStrExt as _;
        let (_guard, folder) = folder();
        write(&folder, "outside/secret", b"secret");
        let release = folder.join("release");
        fs::create_dir(&release).unwrap();
        for (target, name) in [("../outside/secret", "file"), ("../outside", "folder"), ("absent", "dangling"), (".", "loop")] {
            std::os::unix::fs::symlink(target, release.join(name)).unwrap();
        }
        rustix::fs::mknodat(rustix::fs::CWD, release.join("pipe").as_str(), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let odd = release.as_std_path().join(std::ffi::OsStr::from_bytes(b"\xff"));
        fs::write(odd, b"").unwrap();
        let contents = read(&release).unwrap();
        for name in ["file", "folder", "dangling", "loop"] {
            assert_eq!(contents.get(name), Some(&Entry::Other("symbolic link")), "{name}");
        }
        assert_eq!(contents.get("pipe"), Some(&Entry::Other("named pipe")));
        assert_eq!(contents.get("\u{fffd}"), Some(&Entry::Other("file whose name is not UTF-8")));
        assert_eq!(contents.iter().count(), 6);
        // A link that takes a file's place after the look is refused at the opening.
        assert!(open_regular(&release.join("file")).is_err());
        assert!(matches!(open_regular(&release.join("pipe")), Err(Error::NotA { .. })));
    }

    #[test]
    fn depth_is_bounded_and_other_things_are_errors_with_their_path() {
        let (_guard, folder) = folder();
        write(&folder, &format!("{}x", "d/".repeat(MAX_DEPTH + 1)), b"");
        assert!(read(&folder).unwrap_err().to_string().contains("more than 32 levels"));
        let absent = folder.join("absent");
        assert!(read(&absent).unwrap_err().to_string().contains(absent.as_str()));
        write(&folder, "file", b"");
        assert!(matches!(read(&folder.join("file")), Err(Error::NotA { .. })));
        assert!(matches!(read_file(&folder, &[]), Err(Error::NotA { .. })));
        assert!(read_file(&absent, &[]).is_err());
        assert!(read_file(&folder.join("file"), &[absent]).is_err());
    }
}
