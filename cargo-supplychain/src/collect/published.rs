//! A published package as the digests of its files, read from the `.crate`. Writes nothing and judges nothing.

use super::sources::crate_file::{CrateFile, Error};
use crate::model::manifest::MAX_BYTES;
use crate::model::published::{self, FileDigest, Package, PackagedAt};

/// The largest file that is read, in bytes: larger ones fail the comparison, which then is not made.
const MAX_FILE: u64 = 64 << 20;

/// Reads the bytes of a `.crate`; `folder` is `NAME-VERSION`.
///
/// # Errors
/// Why it cannot be read, a fragment.
pub fn read(folder: &str, bytes: &[u8]) -> Result<Package, String> {
    let failed = |error: Error| format!("its .crate cannot be read: {error}");
    let mut package = Package::default();
    let (mut manifest, mut original) = (None, None);
    let mut archive = CrateFile::from_bytes(folder, bytes).map_err(failed)?;
    while let Some(mut file) = archive.next_file().map_err(failed)? {
        let (path, size) = (file.path().to_owned(), file.size());
        if size > MAX_FILE {
            return Err(format!("one of its files is larger than {} MiB", MAX_FILE >> 20));
        }
        let content = file.bytes(usize::try_from(size).unwrap_or(usize::MAX)).map_err(failed)?;
        let text = || std::str::from_utf8(&content).ok().filter(|text| text.len() <= MAX_BYTES).map(str::to_owned);
        match path.as_str() {
            "Cargo.toml" => manifest = text(),
            "Cargo.toml.orig" => original = text(),
            ".cargo_vcs_info.json" => package.commit = PackagedAt::parse(&content),
            _ => {}
        }
        package.files.insert(path, FileDigest::of(&content));
    }
    package.repository = manifest.as_deref().and_then(published::repository);
    if let (Some(manifest), Some(original)) = (&manifest, &original) {
        package.further_dependencies = published::further_dependencies(manifest, original);
    }
    Ok(package)
}
