//! An archive written without the tool: chain and objects of releases that were never built, so that many of them, of any day, cost
//! nothing. That the tool writes the same is shown where it archives what it built.

use std::fs;

use camino::Utf8PathBuf;
use cargo_supplychain::archive::{chain::path_of, objects};
use cargo_supplychain::archived::{
    Admission, Entry, Event, FORMAT_VERSION, Inventory, InventoryArtifact, InventoryComponent, InventoryNative, InventoryUse,
    Record, to_bytes,
};
use cargo_supplychain::base::Sha256;
use cargo_supplychain::model::Role;
use cargo_supplychain::model::lockfile::CRATES_IO;

/// An archive in a folder.
pub struct Archive {
    folder: Utf8PathBuf,
    entries: Vec<Vec<u8>>,
}

/// A component of a release: `name version`, then the libraries that it was built with (`openssl@3.3.0`, without a version the system's; `+` behind
/// it: the system's, and static); and for each use the file and the role; none: it is only locked.
pub type Part<'a> = (&'a str, &'a [(&'a str, Role)]);

impl Archive {
    pub fn new(folder: Utf8PathBuf) -> Self {
        let mut archive = Self { folder, entries: Vec::new() };
        archive.append("2026-01-01", Event::Begin { nonce: "test".into() });
        archive
    }

    /// Where an entry of the chain is.
    pub fn entry_path(&self, sequence: u64) -> Utf8PathBuf {
        self.folder.join(path_of(sequence))
    }

    /// Where an object is.
    pub fn object_path(&self, digest: Sha256) -> Utf8PathBuf {
        self.folder.join(objects::path_of(digest))
    }

    /// Appends an event; its sequence.
    pub fn append(&mut self, day: &str, event: Event) -> u64 {
        self.read_others();
        let sequence = self.entries.len() as u64 + 1;
        let previous = self.entries.last().map(Sha256::of);
        let entry = Entry { format_version: FORMAT_VERSION, sequence, previous, time: day.parse().unwrap(), event };
        let bytes = entry.to_bytes();
        write(&self.entry_path(sequence), &bytes);
        self.entries.push(bytes);
        sequence
    }

    /// What the tool appended since.
    fn read_others(&mut self) {
        while let Ok(bytes) = fs::read(self.entry_path(self.entries.len() as u64 + 1)) {
            self.entries.push(bytes);
        }
    }

    /// How many entries there are.
    pub fn entries(&mut self) -> usize {
        self.read_others();
        self.entries.len()
    }

    /// The event of an entry, as JSON.
    pub fn event(&mut self, sequence: u64) -> serde_json::Value {
        self.read_others();
        let entry: serde_json::Value = serde_json::from_slice(&self.entries[sequence as usize - 1]).unwrap();
        entry["event"].clone()
    }

    pub fn put(&self, bytes: &[u8]) -> Sha256 {
        let digest = Sha256::of(bytes);
        write(&self.object_path(digest), bytes);
        digest
    }

    /// A release with these components; its sequence and the digest of its inventory.
    pub fn release_of(&mut self, day: &str, name: &str, version: &str, parts: &[Part<'_>]) -> (u64, Sha256) {
        let mut files: Vec<&str> = parts.iter().flat_map(|(_, uses)| uses.iter().map(|(file, _)| *file)).collect();
        files.sort_unstable();
        files.dedup();
        let artifact = |file: &&str| InventoryArtifact {
            name: (*file).to_owned(),
            path: format!("artifacts/{file}"),
            sha256: Sha256::of(format!("{name} {version} {file}")),
        };
        let component = |(package, uses): &Part<'_>| {
            let mut words = package.split(' ');
            let (name, version) = (words.next().unwrap(), words.next().unwrap());
            let native = |word: &str| {
                let (name, version) = word.split_once('@').unwrap_or((word, ""));
                let linkage = if version.is_empty() && !name.ends_with('+') { "dynamic" } else { "static" };
                let version = Some(version.to_owned()).filter(|version| !version.is_empty());
                InventoryNative { name: name.trim_end_matches('+').to_owned(), version, linkage: linkage.to_owned() }
            };
            let mut uses: Vec<_> = uses
                .iter()
                .map(|(file, role)| InventoryUse {
                    artifact: files.iter().position(|one| one == file).unwrap() as u32,
                    role: *role,
                    features: vec!["std".into()],
                })
                .collect();
            uses.sort();
            InventoryComponent {
                purl: format!("pkg:cargo/{name}@{version}"),
                name: name.into(),
                version: version.into(),
                source: Some(CRATES_IO[0].into()),
                checksum: None,
                license: Some("MIT".into()),
                uses,
                native: words.map(native).collect(),
            }
        };
        let mut components: Vec<_> = parts.iter().map(component).collect();
        components.sort_by(|a, b| a.purl.cmp(&b.purl));
        let inventory = Inventory {
            format_version: FORMAT_VERSION,
            artifacts: files.iter().map(artifact).collect(),
            components,
            rustc: "1.95.0".into(),
        };
        let inventory = self.put(&to_bytes(&inventory));
        let target = "x86_64-unknown-linux-gnu".to_owned();
        let record = self.put(&to_bytes(&Record {
            format_version: FORMAT_VERSION,
            name: name.into(),
            version: version.into(),
            target: target.clone(),
            files: Vec::new(),
            admission: Admission::Unsigned,
            trusted_roots: Vec::new(),
            feeds: Vec::new(),
            inventory,
        }));
        (self.append(day, Event::Release { name: name.into(), version: version.into(), target, record }), inventory)
    }

    /// A release of one file that these packages (`name version`) are linked into.
    pub fn release(&mut self, day: &str, name: &str, version: &str, packages: &[&str]) -> u64 {
        let uses = [(name, Role::Runtime)];
        let parts: Vec<Part<'_>> = packages.iter().map(|package| (*package, &uses[..])).collect();
        self.release_of(day, name, version, &parts).0
    }
}

fn write(path: &Utf8PathBuf, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}
