//! What was found to be as it should be, and is not read again while the system says that no file of it changed. One file for all
//! packages, whole or not there. Never used where it could speak for another machine (CI) or where a release depends on it.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::Sha256;
use crate::files;

/// The largest memory that is read, in bytes, and the most packages that are kept beyond those of this run.
const LIMIT: u64 = 16 << 20;
const KEPT: usize = 20_000;
/// First line: what is below was found by this version of us.
const HEAD: &str = concat!("cargo-supplychain ", env!("CARGO_PKG_VERSION"), " integrity 1");

/// By package and checksum: the digest of what the system said of its files.
#[derive(Debug, Default)]
pub(super) struct Memory {
    path: Option<Utf8PathBuf>,
    known: BTreeMap<Sha256, Sha256>,
}

impl Memory {
    /// Reads the memory of a cache folder; without one nothing is remembered.
    pub(super) fn open(cache_dir: Option<&Utf8Path>) -> Self {
        let Some(cache_dir) = cache_dir else { return Self::default() };
        let path = cache_dir.join("integrity");
        let text = files::read_text(&path, LIMIT).unwrap_or_default();
        Self { path: Some(path), known: parse(&text) }
    }

    /// Whether a memory is kept at all.
    pub(super) fn is_kept(&self) -> bool {
        self.path.is_some()
    }

    pub(super) fn holds(&self, package: &Sha256, digest: &Sha256) -> bool {
        self.known.get(package) == Some(digest)
    }

    /// Adds what this run found. A cache that cannot be written costs time only.
    pub(super) fn keep(mut self, found: BTreeMap<Sha256, Sha256>) {
        let Some(path) = self.path else { return };
        if found.iter().all(|(package, digest)| self.known.get(package) == Some(digest)) {
            return;
        }
        if self.known.len() > KEPT {
            self.known.clear();
        }
        self.known.extend(found);
        let lines: String = self.known.iter().map(|(package, digest)| format!("{package} {digest}\n")).collect();
        let _ = files::write(&path, format!("{HEAD}\n{lines}").as_bytes());
    }
}

/// A broken memory knows nothing.
fn parse(text: &str) -> BTreeMap<Sha256, Sha256> {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        return BTreeMap::new();
    }
    let pair = |line: &str| {
        let (package, digest) = line.split_once(' ')?;
        Some((Sha256::from_str(package).ok()?, Sha256::from_str(digest).ok()?))
    };
    lines.map(pair).collect::<Option<_>>().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_and_found_again_and_broken_ones_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Utf8Path::from_path(folder.path()).unwrap();
        let (package, digest) = (Sha256::of("a"), Sha256::of("b"));
        Memory::open(Some(cache)).keep(BTreeMap::from([(package, digest)]));
        Memory::open(Some(cache)).keep(BTreeMap::from([(digest, package)]));
        let memory = Memory::open(Some(cache));
        assert!(memory.is_kept() && memory.holds(&package, &digest) && memory.holds(&digest, &package));
        assert!(!memory.holds(&package, &package));
        assert!(!Memory::open(None).is_kept());
        let text = std::fs::read_to_string(cache.join("integrity")).unwrap();
        for broken in [text.replace("integrity 1", "integrity 0"), text.clone() + "x\n", text.replacen(' ', "", 4)] {
            assert!(parse(&broken).is_empty(), "{broken}");
        }
        assert_eq!(parse(&text).len(), 2);
    }
}
