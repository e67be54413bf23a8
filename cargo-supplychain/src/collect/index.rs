//! The registry index: cargo's own copy, read only and offline, or a snapshot folder. Of the locked versions only their lines are
//! read, of crates whose releases are judged the whole entry. (Parsing all entries is what makes such a check slow: one of them holds every version ever published.)
//!
//! An entry of the cache, as cargo's `src/cargo/sources/registry/index/cache.rs` documents it: a byte 3, the index format as a
//! 32-bit little-endian number (2), the revision and a NUL; then, for each version, its text, a NUL, its JSON line, a NUL.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use camino::{Utf8Path, Utf8PathBuf};
use tame_index::KrateName;
use tame_index::utils::{get_index_details, split};

use crate::base::parallel::in_pieces;
use crate::files;
use crate::model::index::{IndexFacts, IndexGap, IndexVersion, parse_line, parse_release};
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, History};
use crate::model::{CargoConfig, Lockfile};

/// Cache format 3, index format 2.
const HEADER: &[u8] = &[3, 2, 0, 0, 0];
/// Of a long entry the end is read first: locked versions are mostly recent ones.
const TAIL: u64 = 48 << 10;
/// The largest entry that is read, in bytes; the largest real ones have a few mebibytes.
const MAX_ENTRY: u64 = 64 << 20;
/// Packages below which a second thread costs more than it brings.
const PACKAGES_PER_THREAD: usize = 64;

/// Where the index is read from.
#[derive(Clone, Copy)]
pub struct IndexReader<'a> {
    /// Says whether a source is replaced; then the replacement's index counts, as it does for cargo, and the source's own only where
    /// that has no entry.
    pub config: &'a CargoConfig,
    /// Cargo's own copies of indexes are below it.
    pub cargo_home: Option<&'a Utf8Path>,
    /// `--registry-snapshot`: stands for crates.io, index files in `index/` in the sparse layout. What is not there does not exist.
    pub snapshot: Option<&'a Utf8Path>,
}

impl IndexReader<'_> {
    /// Looks up every registry package of the lockfile.
    #[must_use]
    pub fn locked(&self, lockfile: &Lockfile) -> IndexFacts {
        let packages: Vec<_> = lockfile.packages.iter().filter(|package| package.is_registry()).collect();
        let places = self.places(packages.iter().filter_map(|package| package.source.as_deref()));
        let versions = in_parallel(&packages, |package| {
            let source = package.source.clone().unwrap_or_default();
            let facts = self.version(&places, &package.name, &package.version, &source);
            ((package.name.clone(), package.version.clone(), source), facts)
        });
        // A snapshot of the API alone says nothing of the index.
        let is_current = self.snapshot.is_some_and(|snapshot| snapshot.join("index").is_dir());
        IndexFacts { is_current, versions }
    }

    /// The whole entries of these crates.
    #[must_use]
    pub fn histories(&self, crates: &BTreeSet<CrateKey>) -> BTreeMap<CrateKey, Result<History, IndexGap>> {
        let places = self.places(crates.iter().map(|key| key.source.as_str()));
        let crates: Vec<_> = crates.iter().collect();
        in_parallel(&crates, |key| ((*key).clone(), self.history(&places, key)))
    }

    fn places<'s>(&self, sources: impl Iterator<Item = &'s str>) -> Places<'s> {
        let sources: BTreeSet<_> = sources.collect();
        let Some(home) = self.cargo_home else { return Places::new() };
        sources.into_iter().map(|source| (source, cache_folders(source, self.config, home))).collect()
    }

    fn snapshot_of(&self, source: &str) -> Option<&Utf8Path> {
        self.snapshot.filter(|_| CRATES_IO.contains(&source))
    }

    fn version(
        &self,
        places: &Places<'_>,
        name: &str,
        version: &semver::Version,
        source: &str,
    ) -> Result<IndexVersion, IndexGap> {
        if let Some(snapshot) = self.snapshot_of(source) {
            let history = snapshot_history(snapshot, name)?;
            let release = history.release(version).ok_or(IndexGap::NoSuchVersion)?;
            return Ok(IndexVersion { checksum: release.checksum, yanked: release.yanked, published: release.published });
        }
        first_known(places, source, |folder| look_up(folder, name, version))
    }

    fn history(&self, places: &Places<'_>, key: &CrateKey) -> Result<History, IndexGap> {
        match self.snapshot_of(&key.source) {
            Some(snapshot) => snapshot_history(snapshot, &key.name),
            None => first_known(places, &key.source, |folder| cached_history(folder, &key.name)),
        }
    }
}

/// The cache folders of each source.
type Places<'s> = BTreeMap<&'s str, Vec<Utf8PathBuf>>;

/// The answer of the first folder that has the crate.
fn first_known<T>(places: &Places<'_>, source: &str, ask: impl Fn(&Utf8Path) -> Result<T, IndexGap>) -> Result<T, IndexGap> {
    let folders = places.get(source).map(Vec::as_slice).unwrap_or_default();
    let answers = folders.iter().map(|folder| ask(folder));
    answers.into_iter().find(|answer| !matches!(answer, Err(IndexGap::NotCached))).unwrap_or(Err(IndexGap::NotCached))
}

/// Maps over threads, when there is enough to do for more than one.
fn in_parallel<T: Sync, K: Ord + Send, V: Send>(items: &[T], map: impl Fn(&T) -> (K, V) + Sync) -> BTreeMap<K, V> {
    in_pieces(items, PACKAGES_PER_THREAD, |piece| piece.iter().map(&map).collect::<Vec<_>>()).into_iter().flatten().collect()
}

/// A file of the sparse protocol: a JSON line for each version.
fn snapshot_history(snapshot: &Utf8Path, name: &str) -> Result<History, IndexGap> {
    let Ok(krate) = KrateName::cargo(name) else { return Err(IndexGap::NotCached) };
    let bytes = match files::read(&snapshot.join("index").join(krate.relative_path(None)), MAX_ENTRY) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(IndexGap::NotCached),
        Err(error) => return Err(IndexGap::Unreadable(error.kind().to_string())),
    };
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    Ok(History { releases: lines.map(parse_release).collect::<Result<_, _>>()? })
}

fn cached_history(folder: &Utf8Path, name: &str) -> Result<History, IndexGap> {
    let Ok(krate) = KrateName::cargo(name) else { return Err(IndexGap::NotCached) };
    let bytes = match files::read(&folder.join(krate.relative_path(None)), MAX_ENTRY) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(IndexGap::NotCached),
        Err(error) => return Err(IndexGap::Unreadable(error.kind().to_string())),
    };
    let Some(entries) = bytes.strip_prefix(HEADER) else {
        return Err(IndexGap::Unreadable("it is of another cache format".into()));
    };
    // After the revision: pairs of a version and its line.
    let lines = split(entries, 0).skip(2).step_by(2).filter(|line| !line.is_empty());
    Ok(History { releases: lines.map(parse_release).collect::<Result<_, _>>()? })
}

/// The cache folders of a registry, the one that counts first.
fn cache_folders(source: &str, config: &CargoConfig, cargo_home: &Utf8Path) -> Vec<Utf8PathBuf> {
    let folders = index_folders(source, config, cargo_home).into_iter().map(|folder| folder.join(".cache"));
    folders.filter(|cache| cache.is_dir()).collect()
}

/// The names of a registry's folders below `registry/cache` and `registry/src`, the one that counts first.
pub(super) fn folder_names(source: &str, config: &CargoConfig, cargo_home: &Utf8Path) -> Vec<String> {
    let folders = index_folders(source, config, cargo_home).into_iter();
    folders.filter_map(|folder| folder.file_name().map(str::to_owned)).collect()
}

fn index_folders(source: &str, config: &CargoConfig, cargo_home: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut urls = Vec::new();
    urls.extend(replacement(source, config));
    if CRATES_IO.contains(&source) {
        // The lockfile names the git index whichever protocol cargo speaks; the sparse one is the default since cargo 1.70.
        urls.extend([CRATES_IO[1].to_owned(), CRATES_IO[0].to_owned()]);
    } else {
        urls.push(source.to_owned());
    }
    let mut folders: Vec<Utf8PathBuf> = Vec::new();
    for url in urls {
        // The hash in the folder's name changed with cargo 1.85; a folder of either may be there.
        for stable in [true, false] {
            let Ok((folder, _)) = get_index_details(&url, Some(cargo_home.to_owned()), stable) else { continue };
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    folders
}

/// The registry that `[source]` puts in the place of this one (the Cargo book, "Source Replacement"); `None` when there is none
/// or when it is a folder, which has no index cache.
fn replacement(source: &str, config: &CargoConfig) -> Option<String> {
    let url = source.strip_prefix("registry+").unwrap_or(source);
    let mut name = if CRATES_IO.contains(&source) {
        "crates-io".to_owned()
    } else {
        let defined = config.entries.iter().find(|entry| {
            let value = entry.value.as_str();
            (entry.is(&["source", "*", "registry"]) || entry.is(&["registries", "*", "index"])) && value == Some(url)
        });
        defined?.key.get(1)?.clone()
    };
    let mut replaced = false;
    // Bounded: the configuration may name a circle, which cargo refuses.
    for _ in 0..8 {
        let Some(next) = config.get(&["source", &name, "replace-with"]) else { break };
        name = next.value.as_str()?.to_owned();
        replaced = true;
    }
    let of_source = || config.get(&["source", &name, "registry"]);
    let entry = if replaced { of_source().or_else(|| config.get(&["registries", &name, "index"])) } else { None }?;
    let url = entry.value.as_str()?;
    Some(if url.contains('+') { url.to_owned() } else { format!("registry+{url}") })
}

fn look_up(folder: &Utf8Path, name: &str, version: &semver::Version) -> Result<IndexVersion, IndexGap> {
    let Ok(krate) = KrateName::cargo(name) else { return Err(IndexGap::NotCached) };
    let path = folder.join(krate.relative_path(None));
    match search(&path, version.to_string().as_bytes()) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(IndexGap::NotCached),
        Err(error) => Err(IndexGap::Unreadable(error.kind().to_string())),
    }
}

/// Searches a short entry as a whole; of a long one the end, then the whole.
fn search(path: &Utf8Path, version: &[u8]) -> io::Result<Result<IndexVersion, IndexGap>> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let length = metadata.len();
    if !metadata.is_file() || length > MAX_ENTRY {
        return Ok(Err(IndexGap::Unreadable("not a regular file of a sensible size".into())));
    }
    let is_long = length > 2 * TAIL;
    if is_long {
        let header = read_at(&mut file, 0, HEADER.len() as u64)?;
        let tail = read_at(&mut file, length - TAIL, TAIL)?;
        // What stands before the first NUL of the tail is the rest of something that begins earlier; it is skipped.
        if header == HEADER
            && let Some(line) = line_of(&tail, version)
        {
            return Ok(parse_line(line, version));
        }
    }
    let whole = read_at(&mut file, 0, length)?;
    let Some(entries) = whole.strip_prefix(HEADER) else {
        let why = if whole.is_empty() { "it is empty" } else { "it is of another cache format" };
        return Ok(Err(IndexGap::Unreadable(why.into())));
    };
    Ok(line_of(entries, version).map_or(Err(IndexGap::NoSuchVersion), |line| parse_line(line, version)))
}

/// Up to `length` bytes from `start` on.
fn read_at(file: &mut File, start: u64, length: u64) -> io::Result<Vec<u8>> {
    if start > 0 || file.stream_position()? > 0 {
        file.seek(SeekFrom::Start(start))?;
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The JSON after `NUL version NUL`. A JSON line holds no NUL and begins with `{`, so no part of one can pass for a version.
fn line_of<'b>(bytes: &'b [u8], version: &[u8]) -> Option<&'b [u8]> {
    let mut parts = split(bytes, 0);
    parts.next()?;
    parts.find(|part| *part == version)?;
    parts.next()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Location;
    use crate::model::{ConfigEntry, Scope};

    const HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn entry(versions: &[(&str, &str)]) -> Vec<u8> {
        let mut bytes = b"\x03\x02\0\0\0etag: \"x\"\0".to_vec();
        for (version, rest) in versions {
            let line = format!("{{\"name\":\"a\",\"vers\":\"{version}\",\"deps\":[],\"cksum\":\"{HEX}\"{rest}}}");
            bytes.extend([version.as_bytes(), b"\0", line.as_bytes(), b"\0"].concat());
        }
        bytes
    }

    struct Home(tempfile::TempDir);

    impl Home {
        /// A cargo home whose cache of `index` holds an entry of the crate `abcd`.
        fn with(index: &str, entry: &[u8]) -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            let (folder, _) = get_index_details(index, Some(home.path().to_owned()), true).unwrap();
            std::fs::create_dir_all(folder.join(".cache/ab/cd")).unwrap();
            std::fs::write(folder.join(".cache/ab/cd/abcd"), entry).unwrap();
            home
        }

        fn path(&self) -> &Utf8Path {
            Utf8Path::from_path(self.0.path()).unwrap()
        }
    }

    fn facts(home: &Home, version: &str, source: &str, config: &CargoConfig) -> Result<IndexVersion, IndexGap> {
        let text = format!("version = 4\n[[package]]\nname = \"abcd\"\nversion = \"{version}\"\nsource = \"{source}\"\n");
        let lockfile = crate::model::lockfile::parse("Cargo.lock", text.as_bytes()).unwrap();
        IndexReader { config, cargo_home: Some(home.path()), snapshot: None }
            .locked(&lockfile)
            .versions
            .into_values()
            .next()
            .unwrap()
    }

    #[test]
    fn folder_name_is_cargos() {
        let (folder, _) = get_index_details(CRATES_IO[1], Some("/c".into()), true).unwrap();
        assert_eq!(folder, "/c/registry/index/index.crates.io-1949cf8c6b5b557f");
    }

    #[test]
    fn wanted_line_of_each_kind_of_entry() {
        let long: Vec<_> = (0..2000).map(|patch| format!("1.0.{patch}")).collect();
        let long: Vec<_> = long.iter().map(|version| (version.as_str(), "")).collect();
        let short =
            entry(&[("1.0.0", ",\"yanked\":true"), ("1.0.1+b.2", ",\"yanked\":false,\"pubtime\":\"2026-01-02T03:04:05Z\"")]);
        let old_format = [&[1, 2, 0, 0, 0][..], &short[5..]].concat();
        let no_checksum = entry(&[("1.0.0", "")]).iter().map(|byte| if *byte == b'e' { b'X' } else { *byte }).collect();
        let unreadable = |why: &str| Err(IndexGap::Unreadable(why.to_owned()));
        let yanked = |yanked, published: Option<&str>| {
            let published = published.map(|time| time.parse().unwrap());
            Ok(IndexVersion { checksum: HEX.parse().unwrap(), yanked, published })
        };
        for (bytes, version, expected) in [
            (short.clone(), "1.0.0", yanked(true, None)),
            (short.clone(), "1.0.1+b.2", yanked(false, Some("2026-01-02T03:04:05Z"))),
            (short.clone(), "1.0.2", Err(IndexGap::NoSuchVersion)),
            (entry(&long), "1.0.0", yanked(false, None)),
            (entry(&long), "1.0.1999", yanked(false, None)),
            (entry(&long), "1.0.2000", Err(IndexGap::NoSuchVersion)),
            (old_format, "1.0.0", unreadable("it is of another cache format")),
            (no_checksum, "1.0.0", unreadable("its line is not an index line")),
            (Vec::new(), "1.0.0", unreadable("it is empty")),
        ] {
            let home = Home::with(CRATES_IO[1], &bytes);
            assert_eq!(facts(&home, version, CRATES_IO[0], &CargoConfig::default()), expected, "{version}");
        }
    }

    #[test]
    fn replaced_and_other_registries() {
        let corp = "sparse+https://corp.example/index/";
        let home = Home::with(corp, &entry(&[("1.0.0", "")]));
        let none = CargoConfig::default();
        assert!(facts(&home, "1.0.0", corp, &none).is_ok());
        assert_eq!(facts(&home, "1.0.0", CRATES_IO[0], &none), Err(IndexGap::NotCached));
        let set = |key: [&str; 3], value: &str| ConfigEntry {
            key: key.map(str::to_owned).to_vec(),
            value: value.into(),
            location: Location::file("config.toml"),
            scope: Scope::User,
            base: String::new(),
            effective: true,
        };
        let replaced = CargoConfig {
            entries: vec![set(["source", "crates-io", "replace-with"], "corp"), set(["source", "corp", "registry"], corp)],
            ..CargoConfig::default()
        };
        assert!(facts(&home, "1.0.0", CRATES_IO[0], &replaced).is_ok());
        let circle = CargoConfig {
            entries: vec![set(["source", "crates-io", "replace-with"], "b"), set(["source", "b", "replace-with"], "crates-io")],
            ..CargoConfig::default()
        };
        assert_eq!(facts(&home, "1.0.0", CRATES_IO[0], &circle), Err(IndexGap::NotCached));
    }

    proptest! {
        #[test]
        fn hostile_entries_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in "[0-9.]{0,8}") {
            if let Some(line) = line_of(&bytes, version.as_bytes()) {
                let _ = parse_line(line, version.as_bytes());
            }
        }
    }
}
