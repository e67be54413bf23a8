//! Finds and reads the toolchain file that rustup would use: `rust-toolchain`, else `rust-toolchain.toml`, in the workspace root or
//! the nearest folder above. Says what it asks for; installs and runs nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::text::plain;
use crate::files;
use crate::model::toolchain_file::ToolchainFile;

/// Largest toolchain file that is read, in bytes.
const FILE_MAX: u64 = 64 * 1024;

/// A toolchain file that cannot be read; `line` counts from 1, 0 is the file as a whole.
#[derive(Debug)]
pub enum Error {
    Io { path: String, source: std::io::Error },
    Invalid { path: String, line: u32, reason: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "{}: cannot read the toolchain file: {source}", plain(path)),
            Self::Invalid { path, line: 0, reason } => write!(f, "{}: invalid toolchain file: {}", plain(path), plain(reason)),
            Self::Invalid { path, line, reason } => {
                write!(f, "{}:{line}: invalid toolchain file: {}", plain(path), plain(reason))
            }
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Invalid { .. } => None,
        }
    }
}

/// The nearest toolchain file from `workspace_root` (absolute) upwards; `None` without one. Its path is shown relative to the
/// workspace root, or absolute above it.
///
/// # Errors
/// The file cannot be read, is larger than 64 KiB, no regular file, or not what rustup would accept.
pub fn read(workspace_root: &Utf8Path) -> Result<Option<ToolchainFile>, Error> {
    nearest(workspace_root, workspace_root.ancestors())
}

/// The toolchain files in these folders of members and in those between them and the workspace root (absolute): rustup takes the one that
/// is nearest to where it is started. What cannot be read is left out: rustup refuses it, too.
#[must_use]
pub fn below(workspace_root: &Utf8Path, members: impl Iterator<Item = Utf8PathBuf>) -> Vec<ToolchainFile> {
    let mut folders = BTreeSet::new();
    for member in members {
        let between = member.ancestors().take_while(|folder| *folder != workspace_root && folder.starts_with(workspace_root));
        let outside = (!member.starts_with(workspace_root)).then_some(member.as_path());
        folders.extend(between.chain(outside).map(Utf8Path::to_owned));
    }
    let found = folders.iter().filter_map(|folder| nearest(workspace_root, std::iter::once(folder.as_path())).ok()?);
    found.collect()
}

fn nearest<'f>(workspace_root: &Utf8Path, folders: impl Iterator<Item = &'f Utf8Path>) -> Result<Option<ToolchainFile>, Error> {
    for folder in folders {
        for (name, legacy) in [("rust-toolchain", true), ("rust-toolchain.toml", false)] {
            let path = folder.join(name);
            // A folder of that name is none of rustup's business; a pipe or device must not be opened.
            if !fs::metadata(&path).is_ok_and(|metadata| !metadata.is_dir()) {
                continue;
            }
            let shown = path.strip_prefix(workspace_root).map_or_else(|_| path.to_string(), ToString::to_string);
            return one(&path, shown, legacy).map(Some);
        }
    }
    Ok(None)
}

fn one(path: &Utf8Path, shown: String, legacy: bool) -> Result<ToolchainFile, Error> {
    let text = files::read_text(path, FILE_MAX).map_err(|source| match source.kind() {
        ErrorKind::InvalidInput | ErrorKind::FileTooLarge | ErrorKind::InvalidData => {
            Error::Invalid { path: shown.clone(), line: 0, reason: source.to_string() }
        }
        _ => Error::Io { path: shown.clone(), source },
    })?;
    ToolchainFile::parse(shown.clone(), &text, legacy).map_err(|error| Error::Invalid {
        path: shown,
        line: error.line,
        reason: error.reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().to_owned();
        fs::create_dir_all(root.join("a/b")).unwrap();
        for (path, text) in files {
            fs::write(root.join(path), text).unwrap();
        }
        (folder, root)
    }

    #[test]
    fn the_nearest_file_counts_and_the_legacy_name_wins() {
        let modern = "toolchain.channel = 'modern'";
        for (files, file, channel) in [
            (&[("a/b/rust-toolchain.toml", modern)][..], "rust-toolchain.toml", "modern"),
            (&[("a/b/rust-toolchain.toml", modern), ("a/b/rust-toolchain", "legacy")], "rust-toolchain", "legacy"),
            (&[("a/b/rust-toolchain.toml", modern), ("a/rust-toolchain", "legacy")], "rust-toolchain.toml", "modern"),
            (&[("rust-toolchain", "above")], "T/rust-toolchain", "above"),
        ] {
            let (_folder, root) = tree(files);
            let found = read(&root.join("a/b")).unwrap().unwrap();
            assert_eq!(found.file.replace(root.as_str(), "T"), file);
            assert_eq!(found.channel.as_deref(), Some(channel));
        }
    }

    #[test]
    fn members_and_the_folders_above_them() {
        let (_folder, root) = tree(&[
            ("rust-toolchain.toml", "toolchain.channel = 'root'"),
            ("a/rust-toolchain.toml", "toolchain.path = 'tools'"),
            ("a/b/rust-toolchain", "nightly"),
        ]);
        let found = below(&root, [root.join("a/b"), root.join("a"), root.join("none")].into_iter());
        let found: Vec<_> = found.iter().map(|file| (file.file.as_str(), file.path.as_deref())).collect();
        assert_eq!(found, [("a/rust-toolchain.toml", Some("tools")), ("a/b/rust-toolchain", None)]);
        assert!(below(&root, [root.clone()].into_iter()).is_empty());
    }

    #[test]
    fn broken_and_huge_files_are_named() {
        let huge = "#".repeat(65_537);
        for (text, expected) in [
            ("x", "rust-toolchain.toml:1: invalid toolchain file: "),
            (&huge, "rust-toolchain.toml: invalid toolchain file: larger than the limit of 65536 bytes"),
        ] {
            let (_folder, root) = tree(&[("a/b/rust-toolchain.toml", text)]);
            let error = read(&root.join("a/b")).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
