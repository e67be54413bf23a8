use std::collections::BTreeMap;
use std::sync::Mutex;

use super::*;
use crate::archived::{
    Admission, Event, FORMAT_VERSION, Hit, Inventory, InventoryArtifact, InventoryComponent, InventoryUse, Record, Rescan,
    to_bytes,
};
use crate::base::Timestamp;
use crate::model::Role;

/// An archive in memory.
#[derive(Default)]
struct Memory {
    entries: Vec<Vec<u8>>,
    /// Entries that are not there any more.
    taken_out: BTreeSet<u64>,
    objects: BTreeMap<Sha256, Vec<u8>>,
    stamp: Option<Stamp>,
    /// How often the entries were listed.
    listed: Mutex<usize>,
    /// Objects that were read.
    read: Mutex<Vec<Sha256>>,
}

impl Source for Memory {
    fn entry(&self, sequence: u64) -> Result<Option<Vec<u8>>, Unread> {
        Ok(self.entries.get(sequence as usize - 1).filter(|_| !self.taken_out.contains(&sequence)).cloned())
    }

    fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    fn sequences(&self) -> Result<Vec<u64>, Unread> {
        *self.listed.lock().unwrap() += 1;
        Ok((1..=self.entries.len() as u64).filter(|sequence| !self.taken_out.contains(sequence)).collect())
    }

    fn object(&self, digest: Sha256, _: u64) -> Result<Vec<u8>, Unread> {
        self.read.lock().unwrap().push(digest);
        let missing = || Unread::Unreadable(format!("{digest} is not there"));
        self.objects.get(&digest).cloned().ok_or_else(missing)
    }
}

impl Memory {
    fn new() -> Self {
        let mut memory = Self::default();
        memory.append(Event::Begin { nonce: "n".into() });
        memory
    }

    fn append(&mut self, event: Event) {
        let time = Timestamp::from_unix(1_790_000_000 + 86_400 * self.entries.len() as i64).unwrap();
        let previous = self.entries.last().map(Sha256::of);
        let sequence = self.entries.len() as u64 + 1;
        self.entries.push(Entry { format_version: FORMAT_VERSION, sequence, previous, time, event }.to_bytes());
    }

    fn put(&mut self, bytes: Vec<u8>) -> Sha256 {
        let digest = Sha256::of(&bytes);
        self.objects.insert(digest, bytes);
        digest
    }

    /// A release of one file with these components; the digest of its inventory.
    fn release(&mut self, version: &str, components: &[&str]) -> Sha256 {
        let component = |text: &&str| {
            let (name, version) = text.split_once(' ').unwrap();
            InventoryComponent {
                purl: format!("pkg:cargo/{name}@{version}"),
                name: name.into(),
                version: version.into(),
                source: Some("registry+x".into()),
                checksum: None,
                license: None,
                uses: vec![InventoryUse { artifact: 0, role: Role::Runtime, features: Vec::new() }],
                native: Vec::new(),
            }
        };
        let artifact = InventoryArtifact { name: "app".into(), path: "artifacts/app".into(), sha256: Sha256::of(version) };
        let inventory = Inventory {
            format_version: FORMAT_VERSION,
            artifacts: vec![artifact],
            components: components.iter().map(component).collect(),
            rustc: "1".into(),
        };
        let inventory = self.put(to_bytes(&inventory));
        let record = self.put(to_bytes(&Record {
            format_version: FORMAT_VERSION,
            name: "app".into(),
            version: version.into(),
            target: "t".into(),
            files: Vec::new(),
            admission: Admission::Unsigned,
            trusted_roots: Vec::new(),
            feeds: Vec::new(),
            inventory,
        }));
        self.append(Event::Release { name: "app".into(), version: version.into(), target: "t".into(), record });
        inventory
    }
}

struct Cache {
    _guard: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Cache {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        Self { path: Utf8Path::from_path(guard.path()).unwrap().to_owned(), _guard: guard }
    }

    fn open(&self, memory: &Memory) -> Result<(Index, Brought), Error> {
        open(memory, &self.path, false, &mut |_| ())
    }

    fn files(&self, memory: &Memory) -> Vec<Utf8PathBuf> {
        let folder = folder(&self.path, Sha256::of(&memory.entries[0]));
        folder.read_dir_utf8().unwrap().map(|entry| entry.unwrap().path().to_owned()).collect()
    }
}

fn versions(index: &Index, name: &str) -> Vec<String> {
    let components = index.components(&BTreeSet::from([name.to_owned()])).unwrap();
    let shown = components.iter().map(|one| format!("{}: {:?}", one.key.version, one.releases().collect::<Vec<_>>()));
    shown.collect()
}

fn stamp(inode: u64) -> Option<Stamp> {
    serde_json::from_value(serde_json::json!({"device": 1, "inode": inode, "changed": [1, 2]})).unwrap()
}

#[test]
fn entries_are_listed_when_something_may_have_changed() {
    let mut archive = Memory::new();
    let cache = Cache::new();
    archive.release("1.0.0", &["a 1.0.0"]);
    archive.release("1.1.0", &["a 1.0.0"]);
    let listings = |archive: &Memory| {
        let before = *archive.listed.lock().unwrap();
        (cache.open(archive).is_ok(), *archive.listed.lock().unwrap() - before)
    };
    assert_eq!(listings(&archive), (true, 1));
    assert_eq!(listings(&archive), (true, 1), "nothing tells that it is the same");
    archive.stamp = stamp(1);
    assert_eq!(listings(&archive), (true, 1));
    assert_eq!(listings(&archive), (true, 0));
    archive.release("1.2.0", &["a 1.0.0"]);
    assert_eq!(listings(&archive), (true, 1), "an entry has come");
    assert_eq!(listings(&archive), (true, 0));
    archive.taken_out.insert(2);
    archive.stamp = stamp(2);
    assert_eq!(listings(&archive), (false, 1));
    archive.stamp = None;
    assert_eq!(listings(&archive), (false, 1));
}

#[test]
fn what_came_since_is_read_and_nothing_else() {
    let (mut memory, cache) = (Memory::new(), Cache::new());
    assert_eq!(cache.open(&memory).unwrap().1, Brought::default());
    memory.release("1.0.0", &["a 1.0.0", "b 1.0.0"]);
    memory.release("1.1.0", &["a 1.1.0", "b 1.0.0"]);
    let (index, brought) = cache.open(&memory).unwrap();
    assert_eq!((brought.releases, versions(&index, "b")), (2, vec!["1.0.0: [2, 3]".to_owned()]));
    memory.read.lock().unwrap().clear();
    for number in 2..40 {
        memory.release(&format!("1.{number}.0"), &["a 1.2.0"]);
        let (index, brought) = cache.open(&memory).unwrap();
        assert_eq!((brought.releases, brought.remade), (1, None));
        assert_eq!(index.all_releases().unwrap().len(), number + 1);
    }
    assert_eq!(memory.read.lock().unwrap().len(), 2 * 38);
    assert_eq!(cache.open(&memory).unwrap().1.releases, 0);
    let tables = cache.files(&memory).iter().filter(|path| path.extension() == Some("table")).count();
    assert!(tables <= 6, "{tables}");
    let (index, _) = cache.open(&memory).unwrap();
    assert_eq!(versions(&index, "a")[..2], ["1.0.0: [2]", "1.1.0: [3]"]);
    assert_eq!(index.releases(&BTreeSet::from([3])).unwrap()[&3].version.as_ref(), "1.1.0");
}

#[test]
fn pruned_releases_are_in_no_answer() {
    let (mut memory, cache) = (Memory::new(), Cache::new());
    memory.release("1.0.0", &["a 1.0.0"]);
    memory.release("1.1.0", &["a 1.0.0"]);
    cache.open(&memory).unwrap();
    memory.append(Event::Prune { releases: vec![2], reason: "old".into() });
    let (index, _) = cache.open(&memory).unwrap();
    assert_eq!(versions(&index, "a"), ["1.0.0: [3]"]);
    assert!(index.releases(&BTreeSet::from([2])).unwrap().is_empty());
    memory.append(Event::Prune { releases: vec![3], reason: "old".into() });
    assert_eq!(versions(&cache.open(&memory).unwrap().0, "a"), Vec::<String>::new());
}

#[test]
fn a_chain_that_was_set_back_or_rewritten_is_told() {
    let (mut memory, cache) = (Memory::new(), Cache::new());
    memory.release("1.0.0", &["a 1.0.0"]);
    memory.release("1.1.0", &["a 1.0.0"]);
    cache.open(&memory).unwrap();
    let last = memory.entries.pop().unwrap();
    assert!(matches!(cache.open(&memory), Err(Error::RolledBack { before: Head { sequence: 3, .. }, .. })));
    memory.release("1.2.0", &["a 1.0.0"]);
    assert!(matches!(cache.open(&memory), Err(Error::RolledBack { .. })), "another entry in its place");
    *memory.entries.last_mut().unwrap() = last;
    cache.open(&memory).unwrap();
    memory.entries.pop();
    forget(&memory, &cache.path).unwrap();
    assert_eq!(cache.open(&memory).unwrap().0.head().sequence, 2);
    memory.append(Event::Begin { nonce: "m".into() });
    assert!(matches!(cache.open(&memory), Err(Error::Broken { sequence: 3, .. })));
    memory.entries[1] = b"{}".to_vec();
    forget(&memory, &cache.path).unwrap();
    assert!(matches!(cache.open(&memory), Err(Error::Broken { sequence: 2, .. })));
}

#[test]
fn an_entry_that_was_taken_out_is_told() {
    let (mut memory, cache, fresh) = (Memory::new(), Cache::new(), Cache::new());
    memory.release("1.0.0", &["a 1.0.0"]);
    memory.release("1.1.0", &["a 1.0.0"]);
    cache.open(&memory).unwrap();
    memory.release("1.2.0", &["a 1.0.0"]);
    memory.release("1.3.0", &["a 1.0.0"]);
    for sequence in [2, 4] {
        memory.taken_out = BTreeSet::from([sequence]);
        for cache in [&cache, &fresh] {
            let error = cache.open(&memory).unwrap_err();
            assert!(matches!(error, Error::Broken { sequence: at, .. } if at == sequence), "{error}");
        }
    }
    memory.taken_out.clear();
    assert_eq!(versions(&cache.open(&memory).unwrap().0, "a"), ["1.0.0: [2, 3, 4, 5]"]);
}

#[test]
fn an_index_that_is_damaged_is_made_again() {
    let (mut memory, cache) = (Memory::new(), Cache::new());
    memory.release("1.0.0", &["a 1.0.0"]);
    cache.open(&memory).unwrap();
    for round in 0..40 {
        let files = cache.files(&memory);
        for path in files.iter().filter(|path| path.file_name() != Some("lock")) {
            let mut bytes = fs::read(path).unwrap();
            let at = (round * 131) % bytes.len();
            bytes[at] ^= 1;
            fs::write(path, bytes).unwrap();
            let index = match cache.open(&memory) {
                Ok((index, _)) => index,
                Err(error) => panic!("{path} {at}: {error}"),
            };
            // A damaged block is found when it is read.
            if index.components(&BTreeSet::from(["a".to_owned()])).is_err() {
                open(&memory, &cache.path, true, &mut |_| ()).unwrap();
            }
            let (index, _) = cache.open(&memory).unwrap();
            assert_eq!(versions(&index, "a"), ["1.0.0: [2]"], "{path} {at}");
        }
    }
    for path in cache.files(&memory) {
        fs::remove_file(path).unwrap();
    }
    assert_eq!(cache.open(&memory).unwrap().1.releases, 1);
}

#[test]
fn a_release_whose_inventory_is_lost_is_told_until_it_is_back() {
    let (mut memory, cache) = (Memory::new(), Cache::new());
    let lost = memory.release("1.0.0", &["a 1.0.0"]);
    let bytes = memory.objects.remove(&lost).unwrap();
    memory.release("1.1.0", &["a 1.0.0", "b 1.0.0"]);
    for _ in 0..2 {
        let (index, _) = cache.open(&memory).unwrap();
        assert_eq!(index.unreadable().map(|(sequence, _)| sequence).collect::<Vec<_>>(), [2]);
        assert_eq!(versions(&index, "a"), ["1.0.0: [3]"]);
    }
    memory.objects.insert(lost, bytes);
    let (index, _) = cache.open(&memory).unwrap();
    assert_eq!((index.unreadable().count(), versions(&index, "a")), (0, vec!["1.0.0: [2, 3]".to_owned()]));
    assert_eq!(index.releases(&BTreeSet::from([2])).unwrap()[&2].archived, Timestamp::from_unix(1_790_086_400).unwrap());
}

#[test]
fn rescans_are_folded() {
    let (mut memory, cache) = (Memory::new(), Cache::new());
    memory.release("1.0.0", &["a 1.0.0"]);
    let hit = Hit { advisory: "RUSTSEC-2026-0001".into(), purl: "pkg:cargo/a@1.0.0".into() };
    let rescan = Rescan {
        format_version: FORMAT_VERSION,
        up_to: 2,
        feeds: Vec::new(),
        appeared: vec![hit.clone()],
        disappeared: Vec::new(),
    };
    let outcome = memory.put(to_bytes(&rescan));
    memory.append(Event::Rescan { outcome });
    for _ in 0..2 {
        let (index, _) = cache.open(&memory).unwrap();
        assert_eq!(index.history().unwrap().first_seen(&hit), Timestamp::from_unix(1_790_172_800));
    }
    memory.objects.insert(outcome, b"{}".to_vec());
    forget(&memory, &cache.path).unwrap();
    assert!(matches!(cache.open(&memory), Err(Error::Broken { sequence: 3, .. })));
}
