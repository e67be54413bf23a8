//! A release put into a registry: first its files, then its manifest by digest, then what refers to it, and the tag last, so that whoever finds the
//! tag finds all of it. Nothing is replaced: a tag that stands for something else is an error.

use std::io::Read;

use super::client::Registry;
use super::manifest::{
    EMPTY_CONFIG, IMAGE_INDEX, IMAGE_MANIFEST, Index, Layer, ReleaseManifest, check_paths, fallback_tag, of_bundle, of_release,
    referrer, to_bytes,
};
use super::{Error, reference};
use crate::attest::{Content, SigstoreBundle, Statement};
use crate::base::Sha256;

/// A file of a release to push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: String,
    pub sha256: Sha256,
    pub size: u64,
    pub executable: bool,
}

/// What is pushed.
pub struct Release<'r> {
    pub name: &'r str,
    pub version: &'r str,
    pub target: &'r str,
    /// In any order.
    pub files: &'r [File],
    /// Opens a file's bytes; compared with their digest by whoever opens them, and by the registry.
    pub open: &'r dyn Fn(&File) -> std::io::Result<Box<dyn Read + Send>>,
}

/// What stands in the registry now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// `oci://…:tag@sha256:…`.
    pub reference: String,
    pub digest: Sha256,
    /// Bytes that the registry did not have.
    pub uploaded: u64,
    pub bundles: usize,
    /// Whether the registry lists referrers by itself; else a tag does.
    pub has_referrers: bool,
}

/// Puts a release under the tag of the registry's reference, or the one of its version and target.
///
/// # Errors
/// [`Error`].
pub fn push(registry: &Registry<'_>, release: &Release<'_>) -> Result<Pushed, Error> {
    let tag = match &registry.reference().tag {
        Some(tag) => tag.clone(),
        None => tag_of(release.version, release.target)?,
    };
    let mut files = release.files.to_vec();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    check_paths(files.iter().map(|file| file.path.as_str())).map_err(Error::Release)?;
    let (bundles, others): (Vec<_>, Vec<_>) = files.iter().partition(|file| is_bundle(&file.path));
    let described = ReleaseManifest {
        name: release.name.to_owned(),
        version: release.version.to_owned(),
        target: release.target.to_owned(),
        files: others.iter().map(|file| layer(file)).collect(),
    };
    let manifest = to_bytes(&of_release(&described));
    let digest = Sha256::of(&manifest);
    let reference = reference::Reference { tag: Some(tag.clone()), digest: Some(digest), ..registry.reference().clone() };
    is_free(registry, &tag, digest)?;

    let mut uploaded = 0;
    put(registry, Sha256::of(EMPTY_CONFIG), EMPTY_CONFIG.len() as u64, &mut uploaded, &|| Ok(Box::new(EMPTY_CONFIG)))?;
    for file in &others {
        put(registry, file.sha256, file.size, &mut uploaded, &|| Ok((release.open)(file)?))?;
    }
    registry.put_manifest(&format!("sha256:{digest}"), IMAGE_MANIFEST, &manifest)?;
    let mut unlisted = Vec::new();
    for file in &bundles {
        let bytes = read(release, file)?;
        put(registry, file.sha256, file.size, &mut uploaded, &|| Ok(Box::new(bytes.as_slice())))?;
        let refers = of_bundle(&layer(file), predicate(&bytes).as_deref(), &manifest);
        let own = to_bytes(&refers);
        if !registry.put_manifest(&format!("sha256:{}", Sha256::of(&own)), IMAGE_MANIFEST, &own)? {
            unlisted.push(referrer(&refers, &own));
        }
    }
    let has_referrers = unlisted.is_empty() || registry.referrers(digest)?.is_some();
    if !has_referrers {
        list(registry, digest, unlisted)?;
    }
    is_free(registry, &tag, digest)?;
    registry.put_manifest(&tag, IMAGE_MANIFEST, &manifest)?;
    Ok(Pushed { reference: reference.to_string(), digest, uploaded, bundles: bundles.len(), has_referrers })
}

/// The tag stands for nothing yet, or for just this.
fn is_free(registry: &Registry<'_>, tag: &str, digest: Sha256) -> Result<(), Error> {
    match registry.manifest(tag)?.map(|there| Sha256::of(&there)) {
        Some(there) if there != digest => {
            let reference = reference::Reference { tag: Some(tag.to_owned()), digest: None, ..registry.reference().clone() };
            Err(Error::TagTaken { reference: reference.to_string(), there: format!("sha256:{there}") })
        }
        _ => Ok(()),
    }
}

fn put(
    registry: &Registry<'_>,
    digest: Sha256,
    size: u64,
    uploaded: &mut u64,
    open: super::client::Open<'_>,
) -> Result<(), Error> {
    if !registry.has_blob(digest)? {
        registry.put_blob(digest, size, open)?;
        *uploaded += size;
    }
    Ok(())
}

/// Adds to the index that stands for the list which the registry does not keep: what it has stays.
fn list(registry: &Registry<'_>, subject: Sha256, more: Vec<super::manifest::Descriptor>) -> Result<(), Error> {
    let tag = fallback_tag(subject);
    let corrupt = |why| Error::Corrupt { url: registry.url(&format!("manifests/{tag}")), why };
    let mut index = match registry.manifest(&tag)? {
        Some(bytes) => Index::parse(&bytes).map_err(corrupt)?,
        None => Index::new(Vec::new()),
    };
    let before = index.manifests.len();
    for one in more {
        if !index.manifests.iter().any(|there| there.digest == one.digest) {
            index.manifests.push(one);
        }
    }
    match index.manifests.len() == before {
        true => Ok(()),
        false => registry.put_manifest(&tag, IMAGE_INDEX, &to_bytes(&index)).map(drop),
    }
}

fn is_bundle(path: &str) -> bool {
    path.starts_with("attestations/") && path.ends_with(".sigstore.json")
}

fn layer(file: &File) -> Layer {
    Layer { path: file.path.clone(), sha256: file.sha256, size: file.size, executable: file.executable }
}

fn read(release: &Release<'_>, file: &File) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Io { action: "read", path: file.path.clone(), source };
    let mut bytes = Vec::new();
    (release.open)(file).and_then(|content| content.take(file.size).read_to_end(&mut bytes)).map_err(failed)?;
    match Sha256::of(&bytes) == file.sha256 {
        true => Ok(bytes),
        false => Err(Error::Release(format!("{} does not have the digest that the release names", file.path))),
    }
}

/// The predicate type of a bundle's statement, for the annotation by which others choose.
fn predicate(bytes: &[u8]) -> Option<String> {
    let bundle = SigstoreBundle::parse(bytes).ok()?;
    let Content::Statement(statement) = bundle.content() else { return None };
    Some(Statement::parse(statement).ok()?.predicate_type)
}

/// `1.0.0+build` cannot be a tag: `+` becomes `_`, as Helm does it.
fn tag_of(version: &str, target: &str) -> Result<String, Error> {
    let tag = format!("{version}-{target}").replace('+', "_");
    match reference::is_tag(&tag) {
        true => Ok(tag),
        false => Err(Error::Release(format!("{tag:?} cannot be a tag: give one"))),
    }
}
