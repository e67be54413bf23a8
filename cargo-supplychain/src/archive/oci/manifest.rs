//! The manifests: what they hold and how they are read, strictly and within bounds. Pure. Their form is that of the OCI image specification 1.1
//! ("Guidelines for artifact usage"): an empty configuration, `artifactType`, one layer a file with its path as title. They hold no time, so
//! that the same release has the same manifest.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::attest::strict_json;
use crate::base::Sha256;
use crate::model::release_path;

pub const IMAGE_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const IMAGE_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// What a release is.
pub const RELEASE: &str = "application/vnd.cargo-supplychain.release.v1";
/// What a Sigstore bundle is, as cosign and others look for it.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Registries take manifests up to this size, by the distribution specification.
pub const MAX_MANIFEST: u64 = 4 << 20;
/// The empty configuration: `{}`.
pub const EMPTY_CONFIG: &[u8] = b"{}";
/// Most values of the JSON of a manifest.
const MAX_VALUES: usize = 400_000;
/// Largest file of a release.
const MAX_FILE: u64 = 64 << 30;
const TITLE: &str = "org.opencontainers.image.title";
const VERSION: &str = "org.opencontainers.image.version";
const TARGET: &str = "io.github.cargo-supplychain.target";
const EXECUTABLE: &str = "io.github.cargo-supplychain.executable";
const CONTENT: &str = "dev.sigstore.bundle.content";
const PREDICATE: &str = "dev.sigstore.bundle.predicateType";

/// What another manifest or a blob is called by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    fn of(media_type: &str, sha256: Sha256, size: u64) -> Self {
        let digest = format!("sha256:{sha256}");
        Self { media_type: media_type.to_owned(), digest, size, data: None, artifact_type: None, annotations: BTreeMap::new() }
    }

    fn empty() -> Self {
        let of = Self::of(EMPTY, Sha256::of(EMPTY_CONFIG), EMPTY_CONFIG.len() as u64);
        Self { data: Some("e30=".to_owned()), ..of }
    }

    /// Its digest.
    ///
    /// # Errors
    /// It is of another kind than SHA-256; a fragment.
    pub fn sha256(&self) -> Result<Sha256, String> {
        let digest = self.digest.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
        digest.ok_or_else(|| format!("the digest {:?} is not of the kind sha256", shortened(&self.digest)))
    }
}

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema_version: u32,
    pub media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests: what refers to one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    pub schema_version: u32,
    pub media_type: String,
    pub manifests: Vec<Descriptor>,
}

impl Index {
    #[must_use]
    pub fn new(manifests: Vec<Descriptor>) -> Self {
        Self { schema_version: 2, media_type: IMAGE_INDEX.to_owned(), manifests }
    }

    /// Reads one.
    ///
    /// # Errors
    /// It is none; a fragment.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let index: Self = read(bytes)?;
        check_head(index.schema_version, &index.media_type, IMAGE_INDEX)?;
        Ok(index)
    }
}

/// A file of a release, as a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub path: String,
    pub sha256: Sha256,
    pub size: u64,
    pub executable: bool,
}

/// What a manifest of a release says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseManifest {
    pub name: String,
    pub version: String,
    pub target: String,
    /// Sorted by path.
    pub files: Vec<Layer>,
}

/// The bytes of a manifest or an index.
///
/// # Panics
/// Never: the types have string keys.
#[must_use]
pub fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("manifests have string keys and cannot fail to serialise")
}

/// The manifest of a release.
#[must_use]
pub fn of_release(release: &ReleaseManifest) -> Manifest {
    let layer = |file: &Layer| {
        let mut layer = Descriptor::of(media_type(&file.path), file.sha256, file.size);
        layer.annotations.insert(TITLE.to_owned(), file.path.clone());
        if file.executable {
            layer.annotations.insert(EXECUTABLE.to_owned(), "true".to_owned());
        }
        layer
    };
    let annotations = [(TITLE, &release.name), (VERSION, &release.version), (TARGET, &release.target)];
    Manifest {
        schema_version: 2,
        media_type: IMAGE_MANIFEST.to_owned(),
        artifact_type: Some(RELEASE.to_owned()),
        config: Descriptor::empty(),
        layers: release.files.iter().map(layer).collect(),
        subject: None,
        annotations: annotations.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect(),
    }
}

/// The manifest of a Sigstore bundle over `subject`. `predicate`: the type that its statement has, where it has one.
#[must_use]
pub fn of_bundle(file: &Layer, predicate: Option<&str>, subject: &[u8]) -> Manifest {
    let mut layer = Descriptor::of(BUNDLE, file.sha256, file.size);
    layer.annotations.insert(TITLE.to_owned(), file.path.clone());
    let mut annotations = BTreeMap::new();
    let content = if predicate.is_some() { "dsse-envelope" } else { "message-signature" };
    annotations.insert(CONTENT.to_owned(), content.to_owned());
    if let Some(predicate) = predicate {
        annotations.insert(PREDICATE.to_owned(), predicate.to_owned());
    }
    Manifest {
        schema_version: 2,
        media_type: IMAGE_MANIFEST.to_owned(),
        artifact_type: Some(BUNDLE.to_owned()),
        config: Descriptor::empty(),
        layers: vec![layer],
        subject: Some(Descriptor::of(IMAGE_MANIFEST, Sha256::of(subject), subject.len() as u64)),
        annotations,
    }
}

/// How an index names a manifest of a bundle.
#[must_use]
pub fn referrer(manifest: &Manifest, bytes: &[u8]) -> Descriptor {
    let of = Descriptor::of(IMAGE_MANIFEST, Sha256::of(bytes), bytes.len() as u64);
    Descriptor { artifact_type: manifest.artifact_type.clone(), annotations: manifest.annotations.clone(), ..of }
}

/// The tag that an index of referrers has where the registry keeps none by itself.
#[must_use]
pub fn fallback_tag(digest: Sha256) -> String {
    format!("sha256-{digest}")
}

/// Reads the manifest of a release. Its paths are such as a release may have, and each there once.
///
/// # Errors
/// It is none; a fragment.
pub fn read_release(bytes: &[u8]) -> Result<ReleaseManifest, String> {
    let manifest: Manifest = read(bytes)?;
    check_head(manifest.schema_version, &manifest.media_type, IMAGE_MANIFEST)?;
    match manifest.artifact_type.as_deref() {
        Some(RELEASE) => {}
        Some(other) => return Err(format!("it is no release but {:?}", shortened(other))),
        None => return Err("it is no release: it has no artifactType".to_owned()),
    }
    let mut files = manifest.layers.iter().map(layer).collect::<Result<Vec<_>, _>>()?;
    files.sort_by(|a, b| a.path.cmp(&b.path));
    check_paths(files.iter().map(|file| file.path.as_str()))?;
    let said = |key: &str| {
        let value = manifest.annotations.get(key).filter(|value| !value.is_empty() && value.len() <= 256);
        value.cloned().ok_or_else(|| format!("its annotation {key} is missing"))
    };
    Ok(ReleaseManifest { name: said(TITLE)?, version: said(VERSION)?, target: said(TARGET)?, files })
}

/// Reads a manifest that should hold a bundle for `subject`; `None`: it holds none of a release's own, but what somebody else put beside it.
///
/// # Errors
/// It is no manifest, or of something else; a fragment.
pub fn read_bundle(bytes: &[u8], subject: Sha256) -> Result<Option<Layer>, String> {
    let manifest: Manifest = read(bytes)?;
    check_head(manifest.schema_version, &manifest.media_type, IMAGE_MANIFEST)?;
    if manifest.artifact_type.as_deref() != Some(BUNDLE) {
        return Ok(None);
    }
    let names = manifest.subject.as_ref().ok_or("it refers to nothing")?.sha256()?;
    if names != subject {
        return Err(format!("it refers to sha256:{names}"));
    }
    let [only] = manifest.layers.as_slice() else { return Ok(None) };
    if !only.annotations.contains_key(TITLE) || only.media_type != BUNDLE {
        return Ok(None);
    }
    let file = layer(only)?;
    Ok((file.path.starts_with("attestations/") && file.path.ends_with(".sigstore.json")).then_some(file))
}

/// Whether the paths are each there once, whatever case a file system folds, and none is below another.
///
/// # Errors
/// Which is not; a fragment.
pub fn check_paths<'p>(paths: impl Iterator<Item = &'p str>) -> Result<(), String> {
    let (mut files, mut folders) = (BTreeSet::new(), BTreeSet::new());
    for path in paths {
        let folded = release_path::fold(path);
        let above: Vec<_> = folded.match_indices('/').map(|(at, _)| folded[..at].to_owned()).collect();
        if files.contains(&folded) || folders.contains(&folded) || above.iter().any(|folder| files.contains(folder)) {
            return Err(format!("the path {path:?} is there twice"));
        }
        folders.extend(above);
        files.insert(folded);
    }
    Ok(())
}

fn layer(of: &Descriptor) -> Result<Layer, String> {
    let path = of.annotations.get(TITLE).ok_or("a layer has no title")?;
    release_path::check(path).map_err(|why| format!("the path {:?}: {why}", shortened(path)))?;
    if of.size > MAX_FILE {
        return Err(format!("{path} has more than {MAX_FILE} bytes"));
    }
    let executable = of.annotations.get(EXECUTABLE).is_some_and(|value| value == "true");
    Ok(Layer { path: path.clone(), sha256: of.sha256()?, size: of.size, executable })
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let value = strict_json::parse_within(bytes, MAX_VALUES).map_err(|error| error.to_string())?;
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn check_head(version: u32, media_type: &str, expected: &str) -> Result<(), String> {
    match version == 2 && media_type == expected {
        true => Ok(()),
        false => Err(format!("it is of type {:?}, not {expected}", shortened(media_type))),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

fn media_type(path: &str) -> &'static str {
    const KNOWN: [(&str, &str); 7] = [
        (".cdx.json", "application/vnd.cyclonedx+json"),
        (".spdx.json", "application/spdx+json"),
        (".sarif", "application/sarif+json"),
        (".json", "application/json"),
        (".md", "text/markdown"),
        (".toml", "application/toml"),
        (".pub", "application/x-pem-file"),
    ];
    KNOWN.iter().find(|(end, _)| path.ends_with(end)).map_or("application/octet-stream", |(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> ReleaseManifest {
        let file = |path: &str, executable| Layer { path: path.into(), sha256: Sha256::of(path.as_bytes()), size: 3, executable };
        let files = vec![file("artifacts/app", true), file("release.json", false)];
        ReleaseManifest { name: "app".into(), version: "1.0.0".into(), target: "x86_64-unknown-linux-gnu".into(), files }
    }

    #[test]
    fn a_release_is_read_as_it_is_written() {
        let bytes = to_bytes(&of_release(&release()));
        assert_eq!(read_release(&bytes), Ok(release()));
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("},", "},\n");
        insta::assert_snapshot!(shown(&bytes), @r#"
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.cargo-supplychain.release.v1","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},
        "layers":[{"mediaType":"application/octet-stream","digest":"sha256:44b13f8f0ee1edcd66b39f93753b4bc261e8e1f3ee41f45a9817c6f12929ccac","size":3,"annotations":{"io.github.cargo-supplychain.executable":"true","org.opencontainers.image.title":"artifacts/app"}},
        {"mediaType":"application/json","digest":"sha256:16903c7a4898d982fab69d1f9b86f84345e498ec58965bf6047383688818b4c3","size":3,"annotations":{"org.opencontainers.image.title":"release.json"}}],"annotations":{"io.github.cargo-supplychain.target":"x86_64-unknown-linux-gnu","org.opencontainers.image.title":"app","org.opencontainers.image.version":"1.0.0"}}
        "#);
        let bundle = Layer {
            path: "attestations/app.provenance.sigstore.json".into(),
            sha256: Sha256::of(b"b"),
            size: 1,
            executable: false,
        };
        let manifest = of_bundle(&bundle, Some("https://slsa.dev/provenance/v1"), &bytes);
        insta::assert_snapshot!(shown(&to_bytes(&manifest)), @r#"
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},
        "layers":[{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","digest":"sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d","size":1,"annotations":{"org.opencontainers.image.title":"attestations/app.provenance.sigstore.json"}}],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:157d6d129ae69c99dbb53f578c668c5f512a8d07080beedd5dc56b313076374a","size":911},
        "annotations":{"dev.sigstore.bundle.content":"dsse-envelope","dev.sigstore.bundle.predicateType":"https://slsa.dev/provenance/v1"}}
        "#);
        assert_eq!(read_bundle(&to_bytes(&manifest), Sha256::of(&bytes)), Ok(Some(bundle)));
        assert!(read_bundle(&to_bytes(&manifest), Sha256::of(b"other")).is_err());
    }

    #[test]
    fn hostile_manifests_are_refused() {
        let text = String::from_utf8(to_bytes(&of_release(&release()))).unwrap();
        for (from, to, why) in [
            ("artifacts/app", "../app", "parts are not allowed"),
            ("artifacts/app", "/etc/passwd", "parts are not allowed"),
            ("artifacts/app", "Release.JSON", "is there twice"),
            ("artifacts/app", "release.json/x", "is there twice"),
            (RELEASE, "application/vnd.other", "no release"),
            (IMAGE_MANIFEST, IMAGE_INDEX, "not application/vnd.oci.image.manifest"),
            ("\"size\":3", "\"size\":99999999999999", "has more than"),
            ("\"size\":3", "\"size\":-3", "invalid value"),
            ("\"size\":3", "\"size\":3,\"size\":4", "size"),
            ("sha256:44b1", "md5:44b1", "not of the kind sha256"),
            (TARGET, "x", "is missing"),
            ("\"schemaVersion\":2", "\"schemaVersion\":1", "not application"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            let error = read_release(changed.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{from} -> {to}: {error}");
        }
        for text in ["", "[]", "{}", "null"] {
            assert!(read_release(text.as_bytes()).is_err() && Index::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
