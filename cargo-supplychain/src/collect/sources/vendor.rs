//! A vendored package (directory source): `.cargo-checksum.json` against the lockfile, the files against it and, where the `.crate` is in
//! cargo's cache, against that. Cargo itself checks only what the list names.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use serde::Deserialize;

use super::Shown;
use super::crate_file::Error;
use super::folder::{self, Listing};
use super::registry::{self, Trusted};
use crate::base::Sha256;
use crate::files;
use crate::model::integrity::Deviation;

/// The list's name.
pub(super) const LIST: &str = ".cargo-checksum.json";
/// The largest list that is read, in bytes.
const MAX_LIST: u64 = 16 << 20;

/// `.cargo-checksum.json`, as cargo reads it (`src/cargo/sources/directory.rs`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChecksumList {
    /// The `.crate`'s digest; none for packages that came from git.
    pub package: Option<Sha256>,
    pub files: BTreeMap<String, Sha256>,
}

impl ChecksumList {
    /// Reads the list.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|error| format!("it is no list of checksums (line {})", error.line()))
    }
}

/// A vendored package.
pub(super) struct Vendored<'a> {
    pub folder: &'a Utf8Path,
    pub listing: &'a Listing,
    /// As locked; none for packages from git.
    pub checksum: Option<Sha256>,
    /// The `.crate` in cargo's cache.
    pub crate_path: Option<&'a Utf8Path>,
}

pub(super) fn verify(vendored: &Vendored<'_>, shown: &Shown<'_>) -> Result<Vec<Deviation>, String> {
    let path = vendored.folder.join(LIST);
    let unreadable = |why: String| format!("{} cannot be read: {why}", shown.path(&path));
    let bytes = files::read(&path, MAX_LIST).map_err(|error| unreadable(error.kind().to_string()))?;
    let list = ChecksumList::parse(&bytes).map_err(unreadable)?;
    let mut deviations = Vec::new();
    if let (Some(expected), Some(actual)) = (vendored.checksum, list.package)
        && expected != actual
    {
        deviations.push(Deviation::CrateChecksum { path: shown.path(&path), expected, actual });
    }
    let trusted = match (vendored.crate_path, vendored.checksum) {
        (Some(path), Some(expected)) => match Trusted::read(path, expected, shown) {
            Ok(trusted) => Some((trusted, path)),
            // The cache is not what is compiled here, but a `.crate` that is not what was locked is told all the same.
            Err(wrong) => {
                deviations.push(wrong?);
                None
            }
        },
        _ => None,
    };
    let mut missing = Vec::new();
    if vendored.checksum.is_some() && list.package.is_none() {
        missing.push("package".to_owned());
    }
    if !list.files.contains_key("Cargo.toml") {
        missing.push("Cargo.toml".to_owned());
    }
    match trusted {
        Some((trusted, path)) => match with_crate(vendored, &list, &trusted, &mut missing, shown) {
            Ok(found) => deviations.extend(found),
            Err(error) => deviations.push(registry::refused(&error, path, shown)?),
        },
        None => deviations.extend(with_list(vendored, &list, &mut missing, shown)),
    }
    if !missing.is_empty() {
        missing.sort();
        missing.dedup();
        deviations.push(Deviation::VendorIncomplete { path: shown.path(&path), missing });
    }
    deviations.extend(registry::odd(vendored.folder, vendored.listing, shown));
    Ok(deviations)
}

/// Every file against the `.crate`. What the list leaves out is the list's fault, whatever the file is.
fn with_crate(
    vendored: &Vendored<'_>,
    list: &ChecksumList,
    trusted: &Trusted,
    missing: &mut Vec<String>,
    shown: &Shown<'_>,
) -> Result<Vec<Deviation>, Error> {
    let folder = vendored.folder;
    let found = trusted.compare(folder, vendored.listing)?;
    let is_of_crate = |path: &String| !found.extra.contains(path);
    let files = vendored.listing.files.iter().map(|(path, _)| path).filter(|path| is_listed(path) && is_of_crate(path));
    for path in files.filter(|path| !list.files.contains_key(*path)) {
        missing.push(if found.differs.contains(path) { format!("{path} (not the file of the .crate)") } else { path.clone() });
    }
    let is_gone = |path: &&String| list.files.contains_key(*path) || !may_be_left_out(path, &found.missing);
    let listed = found.differs.iter().filter(|path| list.files.contains_key(*path));
    let wanted: BTreeSet<_> = listed.chain(found.missing.iter().filter(is_gone)).cloned().collect();
    let mut deviations = trusted.tampered(folder, &wanted, shown)?;
    let extra = found.extra.iter().filter(|path| is_listed(path));
    deviations.extend(extra.map(|path| Deviation::VendorExtra { path: shown.path(&folder.join(path)) }));
    Ok(deviations)
}

/// Every file against the list alone.
fn with_list(vendored: &Vendored<'_>, list: &ChecksumList, missing: &mut Vec<String>, shown: &Shown<'_>) -> Vec<Deviation> {
    let folder = vendored.folder;
    let mut deviations = Vec::new();
    // A list without the manifest is no list of this package; nothing is beyond it.
    let is_list = list.files.contains_key("Cargo.toml");
    for (path, _) in vendored.listing.files.iter().filter(|(path, _)| is_listed(path)) {
        match list.files.get(path) {
            None if is_list => deviations.push(Deviation::VendorExtra { path: shown.path(&folder.join(path)) }),
            None => missing.push(path.clone()),
            Some(_) => {}
        }
    }
    for (path, expected) in &list.files {
        // A path that leads out of the folder is not in the listing either, and is never opened.
        let whole = folder.join(path);
        let actual = vendored.listing.get(path).and_then(|_| folder::digest(&whole).ok());
        if actual != Some(*expected) {
            deviations.push(Deviation::Tampered { path: shown.path(&whole), expected: *expected, actual });
        }
    }
    deviations
}

/// What `cargo vendor` never lists: its own files, and those of git at the package's top (`vendor_this` in cargo's `ops/vendor.rs`).
fn is_listed(path: &str) -> bool {
    ![LIST, registry::MARKER, ".gitattributes", ".gitignore", ".git"].contains(&path)
}

/// What one `cargo vendor` or another leaves out of the `.crate`'s files: those of git, what patches left behind, and, by older
/// cargos, hidden folders, `target`, and packages inside of the package.
fn may_be_left_out(path: &str, missing: &BTreeSet<String>) -> bool {
    let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
    !is_listed(path)
        || path.ends_with(".orig")
        || path.ends_with(".rej")
        || path.starts_with("target/")
        || path.split('/').any(|part| part.starts_with('.'))
        || folders.any(|folder| missing.contains(&format!("{folder}/Cargo.toml")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn lists() {
        let list = |text: &str| ChecksumList::parse(text.as_bytes());
        let good = list(&format!("{{\"$message\":\"x\",\"files\":{{\"a\":\"{HEX}\"}},\"package\":\"{HEX}\"}}")).unwrap();
        assert_eq!((good.files.len(), good.package), (1, Some(HEX.parse().unwrap())));
        assert_eq!(list("{\"files\":{},\"package\":null}").unwrap().package, None);
        assert_eq!(list("{\"files\":{}}").unwrap().files.len(), 0);
        for bad in ["?", "{}", "[]", "{\"files\":{\"a\":\"A\"}}", "{\"files\":[]}"] {
            assert_eq!(list(bad).unwrap_err(), "it is no list of checksums (line 1)");
        }
    }

    #[test]
    fn what_cargo_vendor_leaves_out() {
        let missing = BTreeSet::from(["inner/Cargo.toml".to_owned()]);
        for (path, left_out) in [
            (".gitignore", true),
            ("Cargo.toml.orig", true),
            (".github/x", true),
            ("target/x", true),
            ("inner/src/lib.rs", true),
            ("build.rs", false),
            ("other/src/lib.rs", false),
        ] {
            assert_eq!(may_be_left_out(path, &missing), left_out, "{path}");
        }
    }

    proptest! {
        #[test]
        fn any_list_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = ChecksumList::parse(&bytes);
        }
    }
}
