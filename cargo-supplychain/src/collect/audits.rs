//! The files in which `cargo vet` keeps audits, from the work tree. What they say is read in `model::audits`.

use std::fmt;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::files;
use crate::model::audits::{AuditFiles, MAX_BYTES};

/// Where they stand, below the workspace's root.
pub const FOLDER: &str = "supply-chain";
/// Their names: the project's own audits, those of others, and what those mean here.
pub const FILES: [&str; 3] = ["audits.toml", "imports.lock", "config.toml"];

/// Why a file could not be read.
#[derive(Debug)]
pub struct Error {
    path: Utf8PathBuf,
    error: io::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the audits {}: {}", self.path, self.error)
    }
}

impl std::error::Error for Error {}

/// Reads them; a file that is not there is none.
pub fn read(root: &Utf8Path) -> Result<AuditFiles, Error> {
    let read = |name: &str| {
        let path = root.join(FOLDER).join(name);
        match files::read_text(&path, MAX_BYTES as u64) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error { path, error }),
        }
    };
    let [audits, imports, config] = FILES;
    Ok(AuditFiles { audits: read(audits)?, imports: read(imports)?, config: read(config)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        assert_eq!(read(root).unwrap(), AuditFiles::default());
        std::fs::create_dir_all(root.join("supply-chain/config.toml")).unwrap();
        assert!(read(root).is_err(), "a folder is no file");
        std::fs::remove_dir(root.join("supply-chain/config.toml")).unwrap();
        std::fs::write(root.join("supply-chain/audits.toml"), "x").unwrap();
        assert_eq!(read(root).unwrap(), AuditFiles { audits: Some("x".into()), ..AuditFiles::default() });
    }
}
