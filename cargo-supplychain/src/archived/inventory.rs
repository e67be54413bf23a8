//! An [`Inventory`] from the evidence of a release: `evidence/build.json` (the model as `document::evidence` writes it) and its Cargo.lock.
//! Both are files of a release that anybody may have made: read within bounds, contradictions are errors. Nothing is judged here.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{FORMAT_VERSION, Inventory, InventoryArtifact, InventoryComponent, InventoryNative, InventoryUse};
use crate::base::Sha256;
use crate::base::text::without_credentials;
use crate::model::lockfile::{self, CRATES_IO, GitSource};
use crate::model::{LockedPackage, Role, release_path};

/// The largest `evidence/build.json` that is read, in bytes: one of 10,000 components has 20 MiB.
pub const MAX_BUILD_BYTES: usize = 64 << 20;
/// The largest inventory that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
/// The most components, artifacts, and parts of components in artifacts.
pub(super) const MAX_COMPONENTS: usize = 50_000;
const MAX_ARTIFACTS: usize = 10_000;
const MAX_USES: usize = 2_000_000;
/// The most features of one use, and the most native libraries of one artifact.
const MAX_LIST: usize = 10_000;
/// The longest text, in bytes.
const MAX_TEXT: usize = 8192;

/// Reads the inventory of a release out of its evidence. `lockfile` is `evidence/Cargo.lock`: it knows the sources to the letter, of which
/// the model leaves out the branch.
///
/// # Errors
/// What is wrong with the evidence, a fragment.
pub fn inventory_of(build_json: &[u8], lockfile: Option<&[u8]>) -> Result<Inventory, String> {
    if build_json.len() > MAX_BUILD_BYTES {
        return Err(format!("it has {} bytes, the limit is {MAX_BUILD_BYTES}", build_json.len()));
    }
    let build: RawBuild = serde_json::from_slice(build_json).map_err(|error| error.to_string())?;
    let locked = match lockfile {
        Some(bytes) => lockfile::parse("Cargo.lock", bytes).map_err(|error| error.to_string())?.packages,
        None => Vec::new(),
    };
    let mut components = components(&build, &locked)?;
    let mut artifacts = Vec::new();
    let mut uses = 0_usize;
    let mut sorted: Vec<_> = build.artifacts.0.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for (index, artifact) in (0_u32..).zip(sorted) {
        artifacts.push(released(artifact)?);
        uses += artifact.linked.0.len() + artifact.host.0.len();
        if uses > MAX_USES {
            return Err(format!("its artifacts use more than {MAX_USES} components"));
        }
        take_part(artifact, index, &mut components)?;
    }
    for component in components.values_mut() {
        component.uses.sort();
        component.uses.dedup();
        component.native.sort();
        component.native.dedup();
    }
    let components = components.into_values().collect();
    let inventory = Inventory { format_version: FORMAT_VERSION, artifacts, components, rustc: build.toolchain.rustc };
    inventory.check()?;
    Ok(inventory)
}

fn components<'b>(build: &'b RawBuild, locked: &[LockedPackage]) -> Result<BTreeMap<&'b str, InventoryComponent>, String> {
    let mut by_name: BTreeMap<&str, Vec<&LockedPackage>> = BTreeMap::new();
    for package in locked {
        by_name.entry(package.name.as_str()).or_default().push(package);
    }
    let mut components = BTreeMap::new();
    for (purl, raw) in &build.components.0 {
        if *purl != raw.purl {
            return Err(format!("the component {purl:?} says that it is {:?}", raw.purl));
        }
        let version: semver::Version = raw.version.parse().map_err(|_| format!("the version of {purl:?} is none"))?;
        let packages = by_name.get(raw.name.as_str()).map_or(&[][..], Vec::as_slice);
        let component = InventoryComponent {
            purl: raw.purl.clone(),
            name: raw.name.clone(),
            source: source(&raw.origin, packages.iter().copied().filter(|package| package.version == version)),
            version: raw.version.clone(),
            checksum: raw.checksum,
            license: raw.license.clone(),
            uses: Vec::new(),
            native: Vec::new(),
        };
        if components.insert(purl.as_str(), component).is_some() {
            return Err(format!("the component {purl:?} is there twice"));
        }
    }
    Ok(components)
}

fn released(artifact: &RawArtifact) -> Result<InventoryArtifact, String> {
    let Some(file) = &artifact.file else { return Err(format!("the artifact {:?} was not built", artifact.name)) };
    Ok(InventoryArtifact { name: artifact.name.clone(), path: format!("artifacts/{}", file.name), sha256: file.sha256 })
}

fn take_part(artifact: &RawArtifact, index: u32, components: &mut BTreeMap<&str, InventoryComponent>) -> Result<(), String> {
    let unknown = |purl: &str| format!("the artifact {:?} uses {purl:?}, which is no component", artifact.name);
    for part in artifact.linked.0.iter().chain(&artifact.host.0) {
        let component = components.get_mut(part.purl.as_str()).ok_or_else(|| unknown(&part.purl))?;
        let mut features = part.features.0.clone();
        features.sort();
        component.uses.push(InventoryUse { artifact: index, role: part.role, features });
    }
    for native in &artifact.native.0 {
        let component = components.get_mut(native.component.as_str()).ok_or_else(|| unknown(&native.component))?;
        component.native.push(InventoryNative {
            name: native.name.clone(),
            version: native.version.as_ref().and_then(|version| version.version.clone()),
            linkage: native.linkage.clone(),
        });
    }
    Ok(())
}

/// The source as the lockfile writes it, where a locked package is the one of this origin; else put together from the origin.
fn source<'l>(origin: &RawOrigin, mut locked: impl Iterator<Item = &'l LockedPackage>) -> Option<String> {
    let composed = match origin {
        RawOrigin::Registry { crates_io: true, .. } => return Some(CRATES_IO[0].to_owned()),
        RawOrigin::Registry { index, .. } => format!("registry+{index}"),
        RawOrigin::Git { url, rev } => format!("git+{url}#{rev}"),
        RawOrigin::Replaced { by } => by.clone(),
        RawOrigin::Workspace { .. } | RawOrigin::Path { .. } => return None,
    };
    locked.find_map(|package| as_written(package.source.as_deref()?, origin)).or(Some(composed))
}

/// The written source without credentials, if it is that of `origin`.
fn as_written(written: &str, origin: &RawOrigin) -> Option<String> {
    match origin {
        RawOrigin::Git { url, rev } => {
            let git = GitSource::parse(written)?;
            let is_it = without_credentials(git.url) == *url && git.rev == Some(rev.as_str());
            let reference = git.reference.map(|reference| format!("?{reference}")).unwrap_or_default();
            is_it.then(|| format!("git+{url}{reference}#{rev}"))
        }
        RawOrigin::Registry { index, .. } => {
            let (scheme, url) = written.split_once('+')?;
            (matches!(scheme, "registry" | "sparse") && without_credentials(url) == *index).then(|| format!("{scheme}+{index}"))
        }
        _ => None,
    }
}

impl Inventory {
    /// Reads the canonical bytes of an inventory and checks it.
    ///
    /// # Errors
    /// What is wrong, a fragment.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > MAX_BYTES {
            return Err(format!("it has {} bytes, the limit is {MAX_BYTES}", bytes.len()));
        }
        let inventory: Self = super::from_bytes(bytes)?;
        inventory.check()?;
        Ok(inventory)
    }

    /// Whether it is such as [`inventory_of`] makes: sorted, nothing twice, every index inside.
    ///
    /// # Errors
    /// What is wrong, a fragment.
    pub fn check(&self) -> Result<(), String> {
        if self.format_version != FORMAT_VERSION {
            return Err(format!("its format version is not {FORMAT_VERSION}: a newer cargo-supplychain may read it"));
        }
        if self.artifacts.len() > MAX_ARTIFACTS || self.components.len() > MAX_COMPONENTS {
            return Err(format!("it has more than {MAX_ARTIFACTS} artifacts or {MAX_COMPONENTS} components"));
        }
        if !self.artifacts.is_sorted_by(|a, b| a.name < b.name) {
            return Err("its artifacts are not sorted by name, or one is there twice".to_owned());
        }
        if !self.components.is_sorted_by(|a, b| a.purl < b.purl) {
            return Err("its components are not sorted by package URL, or one is there twice".to_owned());
        }
        bounded(&self.rustc)?;
        for artifact in &self.artifacts {
            bounded(&artifact.name)?;
            release_path::check(&artifact.path).map_err(|why| format!("the path {:?}: {why}", artifact.path))?;
        }
        self.components.iter().try_for_each(|component| component.check(self.artifacts.len()))
    }
}

impl InventoryComponent {
    /// Whether it is such as [`inventory_of`] makes, in a release of so many artifacts.
    pub(super) fn check(&self, artifacts: usize) -> Result<(), String> {
        let texts = [Some(&self.purl), Some(&self.name), self.source.as_ref(), self.license.as_ref()];
        texts.into_iter().flatten().try_for_each(|text| bounded(text))?;
        if self.name.is_empty() || self.version.len() > MAX_TEXT || self.version.parse::<semver::Version>().is_err() {
            return Err(format!("{:?} has no name or no version", self.purl));
        }
        if !self.uses.is_sorted_by(|a, b| a < b) || !self.native.is_sorted_by(|a, b| a < b) {
            return Err(format!("what is said of {:?} is not sorted, or there twice", self.purl));
        }
        for part in &self.uses {
            if usize::try_from(part.artifact).is_ok_and(|index| index >= artifacts) {
                return Err(format!("{:?} is in an artifact that is not there", self.purl));
            }
            if !part.features.is_sorted() {
                return Err(format!("the features of {:?} are not sorted", self.purl));
            }
            part.features.iter().try_for_each(|feature| bounded(feature))?;
        }
        self.native.iter().try_for_each(|native| {
            let texts = [Some(&native.name), native.version.as_ref(), Some(&native.linkage)];
            texts.into_iter().flatten().try_for_each(|text| bounded(text))
        })
    }
}

fn bounded(text: &str) -> Result<(), String> {
    if text.len() > MAX_TEXT || text.contains('\0') {
        return Err(format!("a text in it is longer than {MAX_TEXT} bytes, or has a NUL"));
    }
    Ok(())
}

/// What is read of [`crate::model::Build`]; newer versions may say more.
#[derive(Deserialize)]
struct RawBuild {
    toolchain: RawToolchain,
    components: Pairs<RawComponent, MAX_COMPONENTS>,
    artifacts: Bounded<RawArtifact, MAX_ARTIFACTS>,
}

#[derive(Deserialize)]
struct RawToolchain {
    rustc: String,
}

#[derive(Deserialize)]
struct RawComponent {
    purl: String,
    name: String,
    version: String,
    origin: RawOrigin,
    checksum: Option<Sha256>,
    license: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum RawOrigin {
    Registry { index: String, crates_io: bool },
    Git { url: String, rev: String },
    Workspace {},
    Path {},
    Replaced { by: String },
}

#[derive(Deserialize)]
struct RawArtifact {
    name: String,
    linked: Bounded<RawUse, MAX_COMPONENTS>,
    host: Bounded<RawUse, MAX_COMPONENTS>,
    native: Bounded<RawNative, MAX_LIST>,
    file: Option<RawFile>,
}

#[derive(Deserialize)]
struct RawUse {
    purl: String,
    role: Role,
    features: Bounded<String, MAX_LIST>,
}

#[derive(Deserialize)]
struct RawNative {
    name: String,
    /// Releases of before have none.
    version: Option<RawNativeVersion>,
    linkage: String,
    component: String,
}

/// Known or not, it is an object; only a known one has the text.
#[derive(Deserialize)]
struct RawNativeVersion {
    version: Option<String>,
}

#[derive(Deserialize)]
struct RawFile {
    name: String,
    sha256: Sha256,
}

/// A list of at most `N`.
struct Bounded<T, const N: usize>(Vec<T>);

/// The pairs of an object, at most `N`, each key as often as it is there.
struct Pairs<T, const N: usize>(Vec<(String, T)>);

impl<'de, T: DeserializeOwned, const N: usize> Deserialize<'de> for Bounded<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T, const N: usize>(PhantomData<T>);
        impl<'de, T: DeserializeOwned, const N: usize> Visitor<'de> for Reader<T, N> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {N}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Vec<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = access.next_element()? {
                    if list.len() == N {
                        return Err(serde::de::Error::custom(format_args!("a list has more than {N} values")));
                    }
                    list.push(item);
                }
                Ok(list)
            }
        }
        deserializer.deserialize_seq(Reader::<T, N>(PhantomData)).map(Self)
    }
}

impl<'de, T: DeserializeOwned, const N: usize> Deserialize<'de> for Pairs<T, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T, const N: usize>(PhantomData<T>);
        impl<'de, T: DeserializeOwned, const N: usize> Visitor<'de> for Reader<T, N> {
            type Value = Vec<(String, T)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "an object of at most {N} keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = access.next_entry()? {
                    if pairs.len() == N {
                        return Err(serde::de::Error::custom(format_args!("an object has more than {N} keys")));
                    }
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(Reader::<T, N>(PhantomData)).map(Self)
    }
}

#[cfg(test)]
mod tests;
