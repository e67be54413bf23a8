//! Reads the workspace's own manifests. What they mean is [`crate::model::manifest`]'s.

use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::files;
use crate::model::manifest::{self, Manifest};

/// Why a manifest could not be had.
#[derive(Debug)]
pub enum Error {
    Io {
        path: String,
        source: io::Error,
    },
    /// It is not UTF-8.
    Text {
        path: String,
    },
    Parse(manifest::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "cannot read {path}: {source}"),
            Self::Text { path } => write!(f, "{path} is not valid UTF-8"),
            Self::Parse(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

/// Reads the root manifest of the workspace at `root` and the manifests of its `members` (paths of their `Cargo.toml`, absolute or
/// relative to the root). Sorted by path, the root first, each once.
pub fn read(root: &Utf8Path, members: &[Utf8PathBuf]) -> Result<Vec<Manifest>, Error> {
    let mut paths: Vec<String> = members.iter().map(|member| shown(root, member)).filter(|path| path != "Cargo.toml").collect();
    paths.sort();
    paths.dedup();
    std::iter::once("Cargo.toml".to_owned()).chain(paths).map(|path| read_one(root, path)).collect()
}

fn read_one(root: &Utf8Path, path: String) -> Result<Manifest, Error> {
    let bytes = match files::read(&root.join(&path), manifest::MAX_BYTES as u64) {
        Ok(bytes) => bytes,
        Err(source) => return Err(Error::Io { path, source }),
    };
    let text = String::from_utf8(bytes).map_err(|_| Error::Text { path: path.clone() })?;
    manifest::parse(&path, &text).map_err(Error::Parse)
}

/// Relative to the root where it lies below it, with forward slashes.
fn shown(root: &Utf8Path, path: &Utf8Path) -> String {
    path.strip_prefix(root).unwrap_or(path).as_str().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_first_then_members_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        std::fs::create_dir(root.join("b")).unwrap();
        std::fs::write(root.join("Cargo.toml"), "[workspace]\nmembers = [\"b\"]\n").unwrap();
        std::fs::write(root.join("b/Cargo.toml"), "[package]\nname = \"b\"\n").unwrap();
        let members = [root.join("b/Cargo.toml"), "b/Cargo.toml".into(), root.join("Cargo.toml")];
        let paths: Vec<_> = read(&root, &members).unwrap().into_iter().map(|manifest| manifest.path).collect();
        assert_eq!(paths, ["Cargo.toml", "b/Cargo.toml"]);
        let error = read(&root, &["c/Cargo.toml".into()]).unwrap_err().to_string();
        assert!(error.starts_with("cannot read c/Cargo.toml: "), "{error}");
        std::fs::write(root.join("b/Cargo.toml"), b"\xff").unwrap();
        assert_eq!(read(&root, &members).unwrap_err().to_string(), "b/Cargo.toml is not valid UTF-8");
    }
}
