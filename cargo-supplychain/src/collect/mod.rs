//! Layer 3 (IO): evidence from the machine: cargo configuration, metadata, lockfile, toolchain, version control, CI, files.

pub mod cargo;
pub mod cargo_config;
pub mod ci;
pub mod environment;
pub mod index;
pub mod lockfile;
pub mod manifests;
pub mod memo;
pub mod process;
pub mod release_folder;
pub mod toolchain;
pub mod toolchain_file;
pub mod vcs;

use std::io::Read as _;

use camino::Utf8Path;

/// Reads a regular file as UTF-8 text of at most `limit` bytes; a larger or special one is an error, never a hang.
pub fn read_text(path: &Utf8Path, limit: u64) -> std::io::Result<String> {
    let bytes = read_bytes(path, limit)?;
    String::from_utf8(bytes).map_err(|_| std::io::Error::new(std::io::ErrorKind::InvalidData, "not UTF-8 text"))
}

/// Reads a regular file of at most `limit` bytes.
pub fn read_bytes(path: &Utf8Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let too_large = || std::io::Error::new(std::io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes"));
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}
