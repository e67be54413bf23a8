//! One file, complete or not at all: temporary file beside it, fsync, rename, fsync of the folder (DESIGN.md, invariant 6).

use std::fs::{self, File};
use std::io::{self, Write as _};

use camino::Utf8Path;

/// Writes the file, and the folders above it where they are missing. An older file of that name is replaced.
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
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn replaces_whole_files_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let root = camino::Utf8Path::from_path(folder.path()).unwrap();
        let path = root.join("a/b.json");
        for text in ["one", "two"] {
            write(&path, text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        assert_eq!(root.join("a").read_dir_utf8().unwrap().count(), 1);
        assert!(write(&root.join("a/b.json/c"), b"x").is_err());
    }
}
