//! A single file, or only its digest, with the bundles that may be about it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Error, MAX_ENTRIES, each_block, open_regular, read_bounded, unreadable};
use crate::attest::{Collection, MAX_BUNDLE_BYTES, collection};
use crate::base::Sha256;
use crate::base::digest::{Hasher, Hasher512};
use crate::verify::{BundleFile, FileEvidence, MAX_CONTROL_BYTES, Origin, needs_file_bytes, needs_sha512};

/// Largest file whose bytes are kept, for signatures that cannot be judged by a digest.
const MAX_MESSAGE_BYTES: u64 = 64 * 1024 * 1024;
/// Most bytes of bundles that are kept at once.
const MAX_KEPT_BYTES: u64 = 128 * 1024 * 1024;
/// Most bundles in one file of JSON lines.
const MAX_LINES: usize = 1000;

/// Reads a single file and the bundles about it: those in `given`; without any, those that lie beside it (`FILE.sigstore.json`,
/// `FILE.*.sigstore.json`, `FILE.sigstore`, `FILE.bundle`, and PEP 740's `FILE.*.attestation`, `FILE.provenance`) and, where it lies in the `artifacts` folder of a release, the release's.
///
/// # Errors
/// A file cannot be read, is no regular file, or exceeds the bounds. A bundle that is too large is read in part, and rejected as
/// such by the verification.
pub fn read_file(path: &Utf8Path, given: &[Utf8PathBuf]) -> Result<FileEvidence, Error> {
    let not_a_file = || Error::NotA { path: path.to_owned(), expected: "file" };
    // What the user named may be a link; it is resolved here and not followed any further.
    let resolved = path.canonicalize_utf8().map_err(unreadable(path))?;
    if !fs::symlink_metadata(&resolved).map_err(unreadable(path))?.is_file() {
        return Err(not_a_file());
    }
    let name = path.file_name().ok_or_else(not_a_file)?.to_owned();
    let bundles = if given.is_empty() { beside(path, &name)? } else { named(given)? };
    read(path, &resolved, name, bundles)
}

/// Reads a single file that these bundles may be about.
///
/// # Errors
/// The file cannot be read, or is no regular file.
pub fn read_file_with(path: &Utf8Path, bundles: Vec<BundleFile>) -> Result<FileEvidence, Error> {
    let resolved = path.canonicalize_utf8().map_err(unreadable(path))?;
    let name = path.file_name().ok_or_else(|| Error::NotA { path: path.to_owned(), expected: "file" })?.to_owned();
    read(path, &resolved, name, bundles)
}

fn read(path: &Utf8Path, resolved: &Utf8Path, name: String, bundles: Vec<BundleFile>) -> Result<FileEvidence, Error> {
    let file = open_regular(resolved)?;
    let keep = needs_file_bytes(&bundles) && file.metadata().is_ok_and(|metadata| metadata.len() <= MAX_MESSAGE_BYTES);
    let (mut short, mut bytes) = (Hasher::default(), keep.then(Vec::new));
    let mut long = needs_sha512(&bundles).then(Hasher512::default);
    let read = each_block(&mut &file, |block| {
        short.update(block);
        if let Some(long) = &mut long {
            long.update(block);
        }
        if let Some(bytes) = &mut bytes {
            bytes.extend_from_slice(block);
        }
    });
    read.map_err(unreadable(path))?;
    let sha512 = long.map(Hasher512::finish);
    Ok(FileEvidence { name: Some(name), sha256: short.finish(), sha512, bytes, bundles })
}

/// Reads the bundles in `given`, which are about something of which only the digest is known.
///
/// # Errors
/// A bundle cannot be read.
pub fn read_digest(sha256: Sha256, given: &[Utf8PathBuf]) -> Result<FileEvidence, Error> {
    Ok(FileEvidence { name: None, sha256, sha512: None, bytes: None, bundles: named(given)? })
}

/// The bundles that the user named. One whose name ends in `.jsonl` holds one a line, as `gh attestation download` writes them.
fn named(given: &[Utf8PathBuf]) -> Result<Vec<BundleFile>, Error> {
    let mut kept = Kept::default();
    for path in given {
        let resolved = path.canonicalize_utf8().map_err(unreadable(path))?;
        if path.extension() == Some("jsonl") {
            kept.lines(path, &resolved)?;
        } else {
            kept.bundle(path.clone(), &resolved, Origin::Given)?;
        }
    }
    Ok(kept.bundles)
}

fn beside(path: &Utf8Path, name: &str) -> Result<Vec<BundleFile>, Error> {
    let mut kept = Kept::default();
    for path in find_bundles(path, name)? {
        // A `.bundle` may be something else altogether, one of git for instance; so may a `.provenance`.
        let is_named = !matches!(path.extension(), Some("bundle" | "provenance" | "attestation"));
        let is_sigstore = |bundle: &BundleFile| is_named || bundle.bytes.trim_ascii_start().starts_with(b"{");
        kept.bundle(path.clone(), &path, Origin::Beside)?;
        kept.bundles.pop_if(|bundle| !is_sigstore(bundle));
    }
    Ok(kept.bundles)
}

/// The bundles that were read, within a bound.
#[derive(Default)]
struct Kept {
    bundles: Vec<BundleFile>,
    bytes: u64,
}

impl Kept {
    fn bundle(&mut self, path: Utf8PathBuf, place: &Utf8Path, origin: Origin) -> Result<(), Error> {
        let file = open_regular(place)?;
        let mut bytes = Vec::new();
        let most = MAX_BUNDLE_BYTES as u64 + 1;
        std::io::Read::read_to_end(&mut std::io::Read::take(&file, most), &mut bytes).map_err(unreadable(&path))?;
        self.push(path.into_string(), bytes, origin)
    }

    fn lines(&mut self, path: &Utf8Path, place: &Utf8Path) -> Result<(), Error> {
        let too_many = |what, limit| Error::TooMany { path: path.to_owned(), what, limit };
        let bytes = read_bounded(&open_regular(place)?, MAX_CONTROL_BYTES).map_err(unreadable(path))?;
        let bytes = bytes.ok_or_else(|| too_many("bytes", MAX_CONTROL_BYTES))?;
        for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
            if index >= MAX_LINES {
                return Err(too_many("bundles", MAX_LINES as u64));
            }
            self.push(format!("{path}:{}", index + 1), line.to_vec(), Origin::Offered)?;
        }
        Ok(())
    }

    /// A file, or those that it holds where it is a collection; a broken one stays as it is, and is rejected as no bundle.
    fn push(&mut self, path: String, bytes: Vec<u8>, origin: Origin) -> Result<(), Error> {
        match collection(&bytes) {
            Ok(Some(Collection::One(bundle))) => self.one(path, bundle, origin),
            Ok(Some(Collection::Many(bundles))) => {
                let mut each = bundles.into_iter().enumerate();
                each.try_for_each(|(index, bundle)| self.one(format!("{path}#{}", index + 1), bundle, Origin::Offered))
            }
            Ok(None) | Err(_) => self.one(path, bytes, origin),
        }
    }

    fn one(&mut self, path: String, bytes: Vec<u8>, origin: Origin) -> Result<(), Error> {
        self.bytes += bytes.len() as u64;
        if self.bytes > MAX_KEPT_BYTES {
            return Err(Error::TooMany { path: path.into(), what: "bytes of bundles", limit: MAX_KEPT_BYTES });
        }
        self.bundles.push(BundleFile { path, bytes, origin });
        Ok(())
    }
}

/// Bundles that lie where bundles of the file would lie, sorted.
fn find_bundles(path: &Utf8Path, name: &str) -> Result<Vec<Utf8PathBuf>, Error> {
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let beside = |found: &str| {
        let rest = found.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'));
        let known = ["sigstore.json", "sigstore", "sigstore.bundle", "bundle", "attestation", "provenance"];
        let endings = [".sigstore.json", ".attestation"];
        rest.is_some_and(|rest| known.contains(&rest) || endings.iter().any(|ending| rest.ends_with(ending)))
    };
    let mut bundles = list(folder, beside)?;
    // In the folder of a release only: `release.json` stands where `artifacts` does.
    let release = folder.canonicalize_utf8().ok().filter(|folder| folder.file_name() == Some("artifacts"));
    if let Some(release) = release.as_deref().and_then(Utf8Path::parent)
        && release.join("release.json").is_file()
    {
        let attestations = release.join("attestations");
        if fs::symlink_metadata(&attestations).is_ok_and(|metadata| metadata.is_dir()) {
            bundles.extend(list(&attestations, |found| found.ends_with(".sigstore.json"))?);
        }
    }
    Ok(bundles)
}

fn list(folder: &Utf8Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<Utf8PathBuf>, Error> {
    let mut found = Vec::new();
    for (index, entry) in fs::read_dir(folder).map_err(unreadable(folder))?.enumerate() {
        if index >= MAX_ENTRIES {
            return Err(Error::TooMany { path: folder.to_owned(), what: "entries", limit: MAX_ENTRIES as u64 });
        }
        let entry = entry.map_err(unreadable(folder))?;
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if let Some(name) = entry.file_name().to_str().filter(|name| is_file && wanted(name)) {
            found.push(folder.join(name));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{folder, write};
    use super::*;

    #[test]
    fn a_file_finds_its_bundles() {
        let (_guard, folder) = folder();
        for path in
            ["tool", "tool.sigstore.json", "tool.spdx.sigstore.json", "tool2.sigstore.json", "tool.json", "other.sigstore.json"]
        {
            write(&folder, path, b"x");
        }
        let names = |evidence: &FileEvidence| -> Vec<String> {
            evidence.bundles.iter().map(|bundle| Utf8Path::new(&bundle.path).file_name().unwrap().to_owned()).collect()
        };
        let found = read_file(&folder.join("tool"), &[]).unwrap();
        assert_eq!(names(&found), ["tool.sigstore.json", "tool.spdx.sigstore.json"]);
        assert!(found.bundles.iter().all(|bundle| bundle.origin == Origin::Beside));
        assert_eq!((found.name.as_deref(), found.sha256), (Some("tool"), Sha256::of(b"x")));

        let given = read_file(&folder.join("tool"), &[folder.join("other.sigstore.json")]).unwrap();
        assert_eq!(names(&given), ["other.sigstore.json"]);
        assert_eq!(given.bundles[0].origin, Origin::Given);

        for path in ["r/release.json", "r/artifacts/tool", "r/attestations/tool.provenance.sigstore.json"] {
            write(&folder, path, b"{}");
        }
        let released = read_file(&folder.join("r/artifacts/tool"), &[]).unwrap();
        assert_eq!(names(&released), ["tool.provenance.sigstore.json"]);
        fs::remove_file(folder.join("r/release.json")).unwrap();
        assert!(read_file(&folder.join("r/artifacts/tool"), &[]).unwrap().bundles.is_empty());
    }

    #[test]
    fn a_collection_is_read_line_by_line() {
        let (_guard, folder) = folder();
        for (path, text) in [("tool", "x"), ("all.jsonl", "{}\n\n[]\n"), ("tool.bundle", "# v2 git bundle\n")] {
            write(&folder, path, text.as_bytes());
        }
        let read = read_file(&folder.join("tool"), &[folder.join("all.jsonl")]).unwrap();
        let lines: Vec<_> = read.bundles.iter().map(|bundle| (bundle.bytes.as_slice(), bundle.origin)).collect();
        assert_eq!(lines, [(b"{}".as_slice(), Origin::Offered), (b"[]", Origin::Offered)]);
        assert!(read.bundles[1].path.ends_with("all.jsonl:3"));
        assert!(read_file(&folder.join("tool"), &[]).unwrap().bundles.is_empty());
        let digest = read_digest(Sha256::of(b"x"), &[folder.join("all.jsonl")]).unwrap();
        assert_eq!((digest.name, digest.bundles.len()), (None, 2));
    }
}
