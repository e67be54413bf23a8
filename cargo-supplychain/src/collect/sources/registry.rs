//! A package of a registry: the `.crate` against its checksum, and what was unpacked of it, byte for byte.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use camino::Utf8Path;

use super::Shown;
use super::crate_file::{CrateFile, Error, ErrorKind, MAX_COMPRESSED};
use super::folder::{self, Listing};
use crate::base::digest::Hasher;
use crate::base::{Sha256, text};
use crate::files;
use crate::model::integrity::Deviation;

/// What cargo puts beside the files when it has unpacked them all.
pub(super) const MARKER: &str = ".cargo-ok";
/// What is compared at once.
const BUFFER: usize = 64 << 10;

/// A `.crate` whose digest is the one that was locked.
pub(super) struct Trusted {
    bytes: Vec<u8>,
    /// `NAME-VERSION`.
    folder: String,
}

/// Where a folder and the `.crate` differ.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub differs: BTreeSet<String>,
    pub missing: BTreeSet<String>,
    pub extra: Vec<String>,
}

impl Trusted {
    /// Reads a `.crate`. `Err(Ok(…))` is what is wrong with it, `Err(Err(…))` why it could not be looked at.
    pub(super) fn read(path: &Utf8Path, expected: Sha256, shown: &Shown<'_>) -> Result<Self, Result<Deviation, String>> {
        let bytes = files::read(path, MAX_COMPRESSED)
            .map_err(|error| Err(format!("{} cannot be read: {}", shown.path(path), error.kind())))?;
        let actual = Sha256::of(&bytes);
        if actual != expected {
            return Err(Ok(Deviation::CrateChecksum { path: shown.path(path), expected, actual }));
        }
        Ok(Self { bytes, folder: path.file_stem().unwrap_or_default().to_owned() })
    }

    /// Compares with the files of a folder. Both are read as streams, side by side.
    pub(super) fn compare(&self, folder: &Utf8Path, listing: &Listing) -> Result<Compared, Error> {
        let mut found = Compared::default();
        let mut seen = BTreeSet::new();
        let mut archive = CrateFile::from_bytes(&self.folder, &self.bytes)?;
        let mut buffer = vec![0; BUFFER];
        while let Some(mut entry) = archive.next_file()? {
            let path = entry.path().to_owned();
            match listing.get(&path) {
                None => drop(found.missing.insert(path)),
                Some(stat) => {
                    if stat.size != entry.size() || !is_same(&mut entry, &folder.join(&path), &mut buffer)? {
                        found.differs.insert(path.clone());
                    }
                    seen.insert(path);
                }
            }
        }
        found.extra = listing.files.iter().map(|(path, _)| path).filter(|path| !seen.contains(*path)).cloned().collect();
        Ok(found)
    }

    /// The digests of these files as the `.crate` has them.
    pub(super) fn digests(&self, wanted: &BTreeSet<String>) -> Result<BTreeMap<String, Sha256>, Error> {
        let mut found = BTreeMap::new();
        let mut archive = CrateFile::from_bytes(&self.folder, &self.bytes)?;
        while found.len() < wanted.len()
            && let Some(mut entry) = archive.next_file()?
        {
            if wanted.contains(entry.path()) {
                let mut hasher = Hasher::default();
                loop {
                    let bytes = entry.fill()?;
                    if bytes.is_empty() {
                        break;
                    }
                    hasher.update(bytes);
                    let count = bytes.len();
                    entry.consume(count);
                }
                found.insert(entry.path().to_owned(), hasher.finish());
            }
        }
        Ok(found)
    }

    /// What differs, as deviations of files that were unpacked.
    pub(super) fn tampered(
        &self,
        folder: &Utf8Path,
        wanted: &BTreeSet<String>,
        shown: &Shown<'_>,
    ) -> Result<Vec<Deviation>, Error> {
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let digests = self.digests(wanted)?.into_iter().map(|(path, expected)| {
            let whole = folder.join(&path);
            Deviation::Tampered { path: shown.path(&whole), expected, actual: folder::digest(&whole).ok() }
        });
        Ok(digests.collect())
    }
}

/// Whether the entry and the file have the same bytes. A file that cannot be read has not.
fn is_same(entry: &mut super::crate_file::CrateEntry<'_, &[u8]>, path: &Utf8Path, buffer: &mut [u8]) -> Result<bool, Error> {
    let Ok(mut file) = folder::open(path) else { return Ok(false) };
    loop {
        let expected = entry.fill()?;
        let wanted = expected.len().min(buffer.len());
        if wanted == 0 {
            // The end of the file, or more of it than there was.
            return Ok(matches!(file.read(&mut buffer[..1]), Ok(0)));
        }
        if file.read_exact(&mut buffer[..wanted]).is_err() || buffer[..wanted] != expected[..wanted] {
            return Ok(false);
        }
        entry.consume(wanted);
    }
}

/// What is wrong with an archive, as a deviation; not being readable is none.
pub(super) fn refused(error: &Error, path: &Utf8Path, shown: &Shown<'_>) -> Result<Deviation, String> {
    let whole = match &error.path {
        Some(inside) => format!("{}: {inside}", shown.path(path)),
        None => shown.path(path),
    };
    match error.kind {
        ErrorKind::Unreadable => Err(format!("{whole} cannot be read: {}", error.why)),
        ErrorKind::Malformed => Ok(Deviation::Malformed { path: whole, why: error.why.clone() }),
        ErrorKind::NotRegular => Ok(Deviation::NotRegular { path: whole, what: error.why.clone() }),
    }
}

/// What is no regular file, as deviations.
pub(super) fn odd<'a>(folder: &'a Utf8Path, listing: &'a Listing, shown: &'a Shown<'_>) -> impl Iterator<Item = Deviation> + 'a {
    listing.odd.iter().map(|odd| {
        let what = match &odd.target {
            Some(target) => format!("{} to {}", odd.what, text::plain(target)),
            None => odd.what.to_owned(),
        };
        Deviation::NotRegular { path: shown.path(&folder.join(&odd.path)), what }
    })
}

/// Compares what was unpacked below `$CARGO_HOME/registry/src` with the `.crate`.
pub(super) fn verify(
    crate_path: &Utf8Path,
    expected: Sha256,
    folder: &Utf8Path,
    listing: &Listing,
    shown: &Shown<'_>,
) -> Result<Vec<Deviation>, String> {
    let trusted = match Trusted::read(crate_path, expected, shown) {
        Ok(trusted) => trusted,
        Err(wrong) => return Ok(vec![wrong?]),
    };
    let compared = || -> Result<Vec<Deviation>, Error> {
        let found = trusted.compare(folder, listing)?;
        // What is missing is not compiled, but another file may be found in its place.
        let wanted = found.differs.into_iter().chain(found.missing).filter(|path| path != MARKER).collect();
        let mut deviations = trusted.tampered(folder, &wanted, shown)?;
        let extra = found.extra.iter().filter(|path| *path != MARKER);
        deviations.extend(extra.map(|path| Deviation::Extra { path: shown.path(&folder.join(path)) }));
        Ok(deviations)
    };
    let mut deviations = match compared() {
        Ok(deviations) => deviations,
        Err(error) => return Ok(vec![refused(&error, crate_path, shown)?]),
    };
    deviations.extend(odd(folder, listing, shown));
    Ok(deviations)
}
