//! `add`, `prune` and `hold` of several who share an object store, in many orders of their single operations, and with one of them killed
//! before each. What is kept has to be whole then, also after a remover that wakes late, and what is left over has to go by the next prune.

#![expect(clippy::disallowed_methods, reason = "tests write their release folders")]

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use camino::Utf8Path;

use super::add::{Adding, Incoming};
use super::prune::{Pruning, Wish, about};
use super::*;
use crate::archive::objects::path_of;
use crate::archive::store::{Creation, Listed};
use crate::archived::retention::Retention;
use crate::archived::{Admission, Event, ReleaseKey};
use crate::base::{Sha256, Timestamp};
use crate::collect::release_folder;
use crate::config::SupportedReleases;
use crate::verify::{ReleaseContents, TrustRoots};

/// Orders that are tried of each case.
const ORDERS: u64 = 100;

/// Whose turn it is: one operation at a time, of whom a number decides.
struct Turns {
    turn: Mutex<Turn>,
    changed: Condvar,
}

struct Turn {
    waiting: BTreeSet<usize>,
    /// Who has not ended.
    running: usize,
    next: Option<usize>,
    random: u64,
}

impl Turn {
    /// Once all wait, one of them goes on.
    fn choose(&mut self) {
        if self.next.is_some() || self.waiting.is_empty() || self.waiting.len() < self.running {
            return;
        }
        // Xorshift, which takes no zero.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let at = usize::try_from(self.random % self.waiting.len() as u64).unwrap();
        self.next = self.waiting.iter().nth(at).copied();
    }
}

impl Turns {
    fn new(running: usize, order: u64) -> Arc<Self> {
        let random = (order + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let turn = Turn { waiting: BTreeSet::new(), running, next: None, random };
        Arc::new(Self { turn: Mutex::new(turn), changed: Condvar::new() })
    }

    fn wait(&self, actor: usize) {
        let mut turn = self.turn.lock().unwrap();
        turn.waiting.insert(actor);
        turn.choose();
        self.changed.notify_all();
        while turn.next != Some(actor) {
            turn = self.changed.wait(turn).unwrap();
        }
        turn.next = None;
        turn.waiting.remove(&actor);
    }

    fn leave(&self) {
        let mut turn = self.turn.lock().unwrap();
        turn.running -= 1;
        turn.choose();
        self.changed.notify_all();
    }
}

/// The bucket as one of them sees it.
struct Actor {
    bucket: Arc<dyn Store>,
    turns: Option<(Arc<Turns>, usize)>,
    /// Operations until it is killed.
    left: AtomicUsize,
}

impl Actor {
    fn turn(&self) -> Result<(), store::Error> {
        if let Some((turns, actor)) = &self.turns {
            turns.wait(*actor);
        }
        match self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Ok(()),
            Err(_) => Err(store::Error::Io { action: "write", path: "it".into(), source: io::Error::other("killed") }),
        }
    }
}

impl Store for Actor {
    fn place(&self) -> String {
        self.bucket.place()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, store::Error> {
        self.turn().and_then(|()| self.bucket.read(path, limit))
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + Send>, store::Error> {
        self.turn().and_then(|()| self.bucket.open(path))
    }

    fn create(&self, path: &str, content: &mut dyn Read) -> Result<Creation, store::Error> {
        self.turn().and_then(|()| self.bucket.create(path, content))
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, store::Error> {
        self.turn().and_then(|()| self.bucket.list(prefix))
    }

    fn remove(&self, path: &str) -> Result<(), store::Error> {
        self.turn().and_then(|()| self.bucket.remove(path))
    }
}

/// A release folder that is as much of one as an archive looks at.
struct Release {
    folder: tempfile::TempDir,
    contents: ReleaseContents,
    version: &'static str,
}

/// Releases of all versions are the same but for one file.
fn release(version: &'static str) -> Release {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let build = "{\"name\":\"app\",\"toolchain\":{\"rustc\":\"1\"},\"components\":{},\"artifacts\":[]}";
    for (path, text) in [("artifacts/app", "the same"), ("evidence/build.json", build), ("NOTICE", version)] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let contents = release_folder::read(root).unwrap();
    Release { contents, folder, version }
}

fn now() -> Timestamp {
    "2026-11-29".parse().unwrap()
}

/// What one of them does.
#[derive(Clone, Copy)]
enum Act<'a> {
    Add(&'a Release),
    /// The release of this entry.
    Prune(u64),
    Hold(u64),
}

impl Act<'_> {
    fn run(self, store: &Generations) -> Result<(), Error> {
        match self {
            Act::Add(release) => {
                let mut chain = Chain::open_or_begin(store, now(), "n")?;
                let folder = Utf8Path::from_path(release.folder.path()).unwrap();
                let context = Context {
                    cwd: folder.to_owned(),
                    env: Default::default(),
                    now: now(),
                    now_is_given: true,
                    stamp: now(),
                    offline: true,
                    cache_dir: folder.to_owned(),
                };
                let adding = Adding { context: &context, store, folder, contents: &release.contents };
                let key = ReleaseKey { name: "app".into(), version: release.version.into(), target: "t".into() };
                adding.add(&mut chain, Incoming { key, admission: Admission::Unsigned }, &TrustRoots::joined([])).map(drop)
            }
            Act::Prune(entry) => {
                let mut chain = Chain::open(store)?;
                let supported = SupportedReleases::default();
                let wish = Wish { retention: Retention::default(), named: vec![entry], supported: &supported, now: now() };
                let pruning = Pruning::new(store, false, now());
                pruning.prune(&mut chain, &wish, "r")?;
                pruning.remove(&mut chain).map(drop)
            }
            Act::Hold(entry) => {
                let mut chain = Chain::open(store)?;
                about(&mut chain, store, now(), entry, |release| Event::Hold { release, reason: "r".into() })
            }
        }
    }
}

/// A bucket with the releases 1, 2, … of these.
fn bucket(releases: &[&Release]) -> Arc<dyn Store> {
    let bucket: Arc<dyn Store> = Arc::new(remote::in_memory());
    for release in releases {
        Act::Add(release).run(&alone(&bucket)).unwrap();
    }
    bucket
}

fn alone(bucket: &Arc<dyn Store>) -> Generations {
    let left = AtomicUsize::new(usize::MAX);
    Generations::new(Box::new(Actor { bucket: Arc::clone(bucket), turns: None, left }))
}

/// All of them at once, in the order of this number; `killed` of them after so many operations.
fn together(bucket: &Arc<dyn Store>, acts: &[Act<'_>], order: u64, killed: Option<(usize, usize)>) -> Vec<Result<(), Error>> {
    let turns = Turns::new(acts.len(), order);
    thread::scope(|scope| {
        let mut running = Vec::new();
        for (actor, &act) in acts.iter().enumerate() {
            let left = killed.filter(|(whom, _)| *whom == actor).map_or(usize::MAX, |(_, after)| after);
            let own = Some((Arc::clone(&turns), actor));
            let store =
                Generations::new(Box::new(Actor { bucket: Arc::clone(bucket), turns: own, left: AtomicUsize::new(left) }));
            let turns = Arc::clone(&turns);
            running.push(scope.spawn(move || {
                let outcome = act.run(&store);
                turns.leave();
                outcome
            }));
        }
        running.into_iter().map(|one| one.join().unwrap()).collect()
    })
}

/// The versions that are kept, each of them whole; now, and after whoever has not removed yet has.
fn kept(bucket: &Arc<dyn Store>, what: &str) -> Vec<String> {
    for _ in 0..2 {
        let store = alone(bucket);
        for release in Chain::open(&store).unwrap().state().all() {
            let record = record(&store, release).unwrap();
            let needed = record.files.iter().map(|file| file.sha256).chain([record.inventory]);
            for digest in needed.filter(|_| release.is_kept()) {
                objects::check(&store, digest).unwrap_or_else(|error| panic!("{what}: {}: {error}", release.key));
            }
        }
        store.sweep().unwrap();
    }
    // And the next prune leaves nothing that nobody needs.
    let store = alone(bucket);
    let mut chain = Chain::open(&store).unwrap();
    Pruning::new(&store, false, now()).remove(&mut chain).unwrap();
    let mut needed: BTreeSet<Sha256> = BTreeSet::new();
    for release in chain.state().all() {
        needed.insert(release.record);
        let record = record(&store, release).unwrap();
        if release.is_kept() {
            needed.extend(record.files.iter().map(|file| file.sha256).chain([record.inventory]));
        }
    }
    let listed: Vec<_> = store.list("objects/").unwrap().into_iter().map(|one| one.path).collect();
    assert_eq!(listed, needed.iter().map(|&digest| path_of(digest)).collect::<Vec<_>>(), "{what}");
    assert_eq!(bucket.list("objects/").unwrap().len(), listed.len(), "{what}");
    chain.state().kept_releases().map(|one| one.key.version.clone()).collect()
}

#[test]
fn a_release_comes_in_while_another_with_the_same_files_goes() {
    let (first, second) = (release("1"), release("2"));
    for order in 0..ORDERS {
        let bucket = bucket(&[&first]);
        let outcomes = together(&bucket, &[Act::Add(&second), Act::Prune(2)], order, None);
        outcomes.into_iter().for_each(|outcome| outcome.unwrap());
        assert_eq!(kept(&bucket, &format!("order {order}")), ["2"]);
    }
}

#[test]
fn two_prune_and_two_add() {
    let releases = [release("1"), release("2"), release("3"), release("4")];
    let [first, second, third, fourth] = &releases;
    for order in 0..ORDERS {
        let bucket = bucket(&[first, second]);
        let acts = [Act::Prune(2), Act::Add(third), Act::Prune(3), Act::Add(fourth)];
        together(&bucket, &acts, order, None).into_iter().for_each(|outcome| outcome.unwrap());
        let mut versions = kept(&bucket, &format!("order {order}"));
        versions.sort();
        assert_eq!(versions, ["3", "4"]);
    }
}

#[test]
fn the_same_is_pruned_by_two_and_comes_back() {
    let first = release("1");
    for order in 0..ORDERS {
        let bucket = bucket(&[&first]);
        let acts = [Act::Prune(2), Act::Prune(2), Act::Add(&first)];
        together(&bucket, &acts, order, None).into_iter().for_each(|outcome| outcome.unwrap());
        // Whoever added it may have found it there before it went.
        assert!(kept(&bucket, &format!("order {order}")).len() < 2);
        Act::Add(&first).run(&alone(&bucket)).unwrap();
        assert_eq!(kept(&bucket, &format!("order {order}, once more")), ["1"]);
    }
}

#[test]
fn what_is_held_meanwhile_stays() {
    let first = release("1");
    let mut held = 0;
    for order in 0..ORDERS {
        let bucket = bucket(&[&first]);
        let outcomes = together(&bucket, &[Act::Prune(2), Act::Hold(2)], order, None);
        let versions = kept(&bucket, &format!("order {order}"));
        match (&outcomes[0], &outcomes[1]) {
            (Ok(()), Err(error)) => assert!(versions.is_empty() && error.message.contains("was pruned"), "{error}"),
            (Err(error), Ok(())) => {
                assert!(versions == ["1"] && error.message.contains("stays: it is held by entry 3"), "{error}");
                held += 1;
            }
            other => panic!("order {order}: {other:?}"),
        }
    }
    assert!(held > 0 && held < ORDERS, "{held}");
}

#[test]
fn whoever_is_killed_at_any_operation_harms_nobody() {
    let (first, second) = (release("1"), release("2"));
    let acts = [Act::Add(&second), Act::Prune(2)];
    for whom in 0..acts.len() {
        for order in 0..6 {
            let mut after = 0;
            loop {
                let bucket = bucket(&[&first]);
                let outcomes = together(&bucket, &acts, order, Some((whom, after)));
                let what = format!("{whom} killed after {after} operations in order {order}");
                assert!(outcomes[1 - whom].is_ok(), "{what}: {outcomes:?}");
                kept(&bucket, &what);
                // What it was about is done by the next run.
                for act in acts {
                    act.run(&alone(&bucket)).unwrap();
                }
                assert_eq!(kept(&bucket, &what), ["2"], "{what}");
                if outcomes[whom].is_ok() {
                    assert!(after > 10, "{what}");
                    break;
                }
                after += 1;
            }
        }
    }
}
