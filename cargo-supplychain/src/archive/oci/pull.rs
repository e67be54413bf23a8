//! A release fetched from a registry into a folder: every file compared with the digest that the manifest names it by. Whether it is to be believed
//! is not known here.

use std::fs;
use std::io::{self, Read, Write};

use camino::Utf8Path;

use super::client::Registry;
use super::manifest::{BUNDLE, Descriptor, Index, Layer, check_paths, fallback_tag, read_bundle, read_release};
use super::{Error, Reference};
use crate::attest::MAX_BUNDLE_BYTES;
use crate::base::Sha256;
use crate::base::digest::Hasher;
use crate::files;

/// Most manifests that refer to a release and are looked at.
const MAX_REFERRERS: usize = 1000;
/// Most files of a release.
const MAX_FILES: usize = 100_000;

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// With its digest.
    pub reference: String,
    pub digest: Sha256,
    pub name: String,
    pub version: String,
    pub target: String,
    /// Bytes of all files.
    pub size: u64,
    pub bundles: usize,
}

/// Fetches the release that the registry's reference names into `folder`, which is there and empty; its files have `limit` bytes at most.
///
/// # Errors
/// [`Error`]; what was fetched until then is still in the folder.
pub fn pull(registry: &Registry<'_>, folder: &Utf8Path, limit: u64) -> Result<Pulled, Error> {
    let asked = registry.reference();
    let name = match (&asked.digest, &asked.tag) {
        (Some(digest), _) => format!("sha256:{digest}"),
        (None, Some(tag)) => tag.clone(),
        (None, None) => return Err(Error::Reference("it names neither tag nor digest")),
    };
    let url = registry.url(&format!("manifests/{name}"));
    let missing = || Error::Refused { url: url.clone(), status: 404, said: "there is no such manifest".to_owned() };
    let manifest = registry.manifest(&name)?.ok_or_else(missing)?;
    let digest = Sha256::of(&manifest);
    let release = read_release(&manifest).map_err(|why| Error::Corrupt { url: url.clone(), why })?;
    let bundles = bundles(registry, digest)?;
    let files: Vec<&Layer> = release.files.iter().chain(&bundles).collect();
    if files.len() > MAX_FILES {
        return Err(Error::Corrupt { url, why: format!("it has more than {MAX_FILES} files") });
    }
    let size = files.iter().fold(0, |sum: u64, file| sum.saturating_add(file.size));
    if size > limit {
        return Err(Error::TooLarge { url, size, limit });
    }
    check_paths(files.iter().map(|file| file.path.as_str())).map_err(|why| Error::Corrupt { url, why })?;
    for file in &files {
        fetch(registry, file, folder)?;
    }
    Ok(Pulled {
        reference: Reference { digest: Some(digest), ..asked.clone() }.to_string(),
        digest,
        size,
        bundles: bundles.len(),
        name: release.name,
        version: release.version,
        target: release.target,
    })
}

/// The bundles that refer to the manifest and name their place in a release. Others may have put more beside them, which is theirs.
fn bundles(registry: &Registry<'_>, subject: Sha256) -> Result<Vec<Layer>, Error> {
    let listed = match registry.referrers(subject)? {
        Some(index) if !index.manifests.is_empty() => index,
        // A list of none may be that of a registry which learned to keep them later.
        _ => fallback(registry, subject)?,
    };
    let mut found: Vec<Layer> = Vec::new();
    for descriptor in chosen(&listed) {
        let corrupt = |why| Error::Corrupt { url: registry.url(&format!("referrers/sha256:{subject}")), why };
        let digest = descriptor.sha256().map_err(corrupt)?;
        let listed = registry.manifest(&format!("sha256:{digest}"))?;
        let bytes = listed.ok_or_else(|| corrupt(format!("it lists sha256:{digest}, which is not there")))?;
        let corrupt = |why| Error::Corrupt { url: registry.url(&format!("manifests/sha256:{digest}")), why };
        let Some(file) = read_bundle(&bytes, subject).map_err(corrupt)? else { continue };
        if file.size > MAX_BUNDLE_BYTES as u64 {
            return Err(corrupt(format!("its bundle has more than {MAX_BUNDLE_BYTES} bytes")));
        }
        // The same bundle may be listed twice.
        if !found.contains(&file) {
            found.push(file);
        }
    }
    Ok(found)
}

fn fallback(registry: &Registry<'_>, subject: Sha256) -> Result<Index, Error> {
    let tag = fallback_tag(subject);
    let corrupt = |why| Error::Corrupt { url: registry.url(&format!("manifests/{tag}")), why };
    registry.manifest(&tag)?.map_or(Ok(Index::new(Vec::new())), |bytes| Index::parse(&bytes).map_err(corrupt))
}

fn chosen(index: &Index) -> impl Iterator<Item = &Descriptor> {
    let may_be = |descriptor: &&Descriptor| descriptor.artifact_type.as_deref().is_none_or(|artifact| artifact == BUNDLE);
    index.manifests.iter().filter(may_be).take(MAX_REFERRERS)
}

fn fetch(registry: &Registry<'_>, file: &Layer, folder: &Utf8Path) -> Result<(), Error> {
    let path = folder.join(&file.path);
    let failed = |action| {
        let path = path.to_string();
        move |source| Error::Io { action, path, source }
    };
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(failed("write"))?;
    }
    let mut written = files::create_new(&path, file.executable).map_err(failed("write"))?;
    let mut content = registry.blob(file.sha256, file.size.saturating_add(1))?;
    let url = registry.url(&format!("blobs/sha256:{}", file.sha256));
    let (mut hasher, mut size, mut buffer) = (Hasher::default(), 0, vec![0; 256 << 10]);
    loop {
        let read = match content.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(Error::Io { action: "read", path: url, source }),
        };
        size += read as u64;
        if size > file.size {
            break;
        }
        hasher.update(&buffer[..read]);
        written.write_all(&buffer[..read]).map_err(failed("write"))?;
    }
    match size == file.size && hasher.finish() == file.sha256 {
        true => Ok(()),
        false => Err(Error::Corrupt { url, why: "it does not have the size or digest that it is named by".to_owned() }),
    }
}
