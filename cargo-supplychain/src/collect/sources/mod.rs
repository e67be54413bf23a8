//! The sources of packages as they lie on this machine, compared with what was locked: the `.crate` with its checksum, each unpacked or
//! vendored file with the `.crate`, each file of a checkout with its commit. What could not be compared is said, per package.
//! Nothing is judged here, and nothing is repaired.

pub mod crate_file;
mod directory;
mod folder;
mod git;
mod memory;
mod place;
mod registry;
mod vendor;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::{Sha256, text};
use crate::model::integrity::{Deviation, IntegrityFacts};
use crate::model::{CargoConfig, LockedPackage};
use folder::{Listing, Stat};
use memory::Memory;
use place::Place;
pub use vendor::ChecksumList;

/// More threads than this wait for the disk.
const MAX_THREADS: usize = 8;

/// What to verify, and where it lies.
pub struct Request<'a> {
    pub cargo_home: Option<&'a Utf8Path>,
    /// Paths below it are shown relative to it.
    pub workspace: &'a Utf8Path,
    /// Says where sources are replaced.
    pub config: &'a CargoConfig,
    pub sources: Vec<Source<'a>>,
    /// The cache folder that remembers what was found in order; none: everything is read.
    pub remember_in: Option<&'a Utf8Path>,
}

/// A package to verify.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    pub package: &'a LockedPackage,
    /// The locked checksum, or that of the index where the lockfile has none.
    pub checksum: Option<Sha256>,
    /// Its folder as cargo named it; none: looked for.
    pub folder: Option<Utf8PathBuf>,
}

/// How paths are shown to people.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    home: Option<&'a Utf8Path>,
    workspace: &'a Utf8Path,
}

impl Shown<'_> {
    /// Relative to the workspace, or to `$CARGO_HOME`; harmless to show.
    fn path(&self, path: &Utf8Path) -> String {
        let path = match (self.home.and_then(|home| path.strip_prefix(home).ok()), path.strip_prefix(self.workspace)) {
            (Some(inside), _) => Utf8Path::new("$CARGO_HOME").join(inside),
            (None, Ok(inside)) => inside.to_owned(),
            (None, Err(_)) => path.to_owned(),
        };
        text::plain(&path.as_str().replace('\\', "/")).into_owned()
    }
}

impl Request<'_> {
    fn shown(&self) -> Shown<'_> {
        Shown { home: self.cargo_home, workspace: self.workspace }
    }
}

type Key = (String, semver::Version, String);

/// What was verified, and what the system said of the files just before they were read.
#[derive(Debug, Default)]
pub struct Verified {
    pub facts: IntegrityFacts,
    seen: BTreeMap<Key, Seen>,
}

/// A package's files at one moment.
#[derive(Debug, Clone)]
struct Seen {
    listing: Listing,
    crate_stat: Option<Stat>,
    begun: SystemTime,
}

/// Compares every source with what was locked.
#[must_use]
pub fn verify(request: &Request<'_>) -> Verified {
    let memory = Memory::open(request.remember_in);
    let units = units(request);
    let done = in_parallel(&units, |unit| unit.verify(request, &memory));
    let (mut verified, mut found) = (Verified::default(), BTreeMap::new());
    for (unit, done) in units.iter().zip(done) {
        if let (Some(key), Some(digest)) = (unit.memory_key(), done.digest) {
            found.insert(key, digest);
        }
        verified.add(unit, done);
    }
    memory.keep(found);
    verified
}

/// After a build: what is not what it was. Files that the system says nothing happened to are not read again.
#[must_use]
pub fn verify_again(request: &Request<'_>, before: &Verified) -> IntegrityFacts {
    let units = units(request);
    let changes = in_parallel(&units, |unit| unit.changes(request, before));
    let mut facts = IntegrityFacts::default();
    for (unit, changes) in units.iter().zip(changes) {
        for (source, changes) in unit.share(changes) {
            facts.packages.insert(key(source), changes);
        }
    }
    facts
}

fn key(source: &Source<'_>) -> Key {
    let package = source.package;
    (package.name.clone(), package.version.clone(), package.source.clone().unwrap_or_default())
}

/// What is compared at once: a package, or a checkout with all the packages in it.
struct Unit<'a> {
    place: Result<Place, String>,
    /// With the folder of each.
    sources: Vec<&'a Source<'a>>,
    size: u64,
}

/// The outcome of a unit.
struct Done {
    result: Result<Vec<Deviation>, String>,
    seen: Option<Seen>,
    digest: Option<Sha256>,
}

fn units<'a>(request: &'a Request<'a>) -> Vec<Unit<'a>> {
    let mut units: Vec<Unit<'a>> = Vec::new();
    let mut checkouts = BTreeMap::new();
    for source in &request.sources {
        let place = place::of(request, source);
        if let Ok(Place::Git { checkout, .. }) = &place {
            if let Some(at) = checkouts.get(checkout) {
                let unit: &mut Unit<'a> = &mut units[*at];
                unit.sources.push(source);
                continue;
            }
            checkouts.insert(checkout.clone(), units.len());
        }
        let size = match &place {
            Ok(Place::Registry { crate_path, .. }) => Stat::read(crate_path).map_or(0, |stat| stat.size),
            _ => 0,
        };
        units.push(Unit { place, sources: vec![source], size });
    }
    // The largest first: at the end no thread is left alone with a long one.
    units.sort_by_key(|unit| std::cmp::Reverse(unit.size));
    units
}

impl Unit<'_> {
    fn first(&self) -> &Source<'_> {
        self.sources[0]
    }

    fn verify(&self, request: &Request<'_>, memory: &Memory) -> Done {
        let nothing = |why: &String| Done { result: Err(why.clone()), seen: None, digest: None };
        let place = match &self.place {
            Ok(place) => place,
            Err(why) => return nothing(why),
        };
        let seen = match see(place, request) {
            Ok(seen) => seen,
            Err(Ok(deviation)) => return Done { result: Ok(vec![deviation]), seen: None, digest: None },
            Err(Err(why)) => return nothing(&why),
        };
        let digest = if memory.is_kept() { seen.listing.digest(seen.crate_stat.as_ref(), seen.begun) } else { None };
        if let (Some(digest), Some(package)) = (&digest, self.memory_key())
            && memory.holds(&package, digest)
        {
            return Done { result: Ok(Vec::new()), seen: Some(seen), digest: Some(*digest) };
        }
        let result = compare(place, self.first(), &seen, request);
        let digest = digest.filter(|_| result.as_ref().is_ok_and(Vec::is_empty));
        Done { result, seen: Some(seen), digest }
    }

    /// What a package is remembered by.
    fn memory_key(&self) -> Option<Sha256> {
        let (source, place) = (self.first(), self.place.as_ref().ok()?);
        let package = source.package;
        let checksum = source.checksum.map(|checksum| checksum.to_string()).unwrap_or_default();
        Some(Sha256::of(format!("{}\n{}\n{:?}\n{checksum}\n{place:?}", package.name, package.version, package.source)))
    }

    /// After the build.
    fn changes(&self, request: &Request<'_>, before: &Verified) -> Result<Vec<Deviation>, String> {
        let keys = self.sources.iter().map(|source| key(source));
        let (place, earlier) = (self.place.as_ref()?, keys.clone().find_map(|key| before.seen.get(&key)));
        // What could not be compared before the build was said then.
        let (place, earlier) = match (place, earlier) {
            (place, Some(earlier)) => (place, earlier),
            (_, None) => return Ok(Vec::new()),
        };
        let now = match see(place, request) {
            Ok(now) => now,
            Err(Ok(deviation)) => return Ok(vec![deviation]),
            Err(Err(why)) => return Err(why),
        };
        let is_settled = earlier.listing.digest(earlier.crate_stat.as_ref(), earlier.begun).is_some();
        if is_settled && now.listing == earlier.listing && now.crate_stat == earlier.crate_stat {
            return Ok(Vec::new());
        }
        let known: BTreeSet<_> = keys.filter_map(|key| before.facts.packages.get(&key)?.as_ref().ok()).flatten().collect();
        let found = compare(place, self.first(), &now, request)?;
        let changed: BTreeSet<_> = found.iter().filter(|deviation| !known.contains(deviation)).map(Deviation::path).collect();
        let mut changes: Vec<_> =
            changed.iter().map(|path| Deviation::ChangedDuringBuild { path: (*path).to_owned(), restored: false }).collect();
        for path in touched(&earlier.listing, &now.listing) {
            let path = request.shown().path(&place.root().join(path));
            if !changed.contains(path.as_str()) {
                changes.push(Deviation::ChangedDuringBuild { path, restored: true });
            }
        }
        Ok(changes)
    }

    /// What was found in a checkout, each for the package whose folder it is in; what is in none is the first one's.
    fn share(&self, result: Result<Vec<Deviation>, String>) -> Vec<(&Source<'_>, Result<Vec<Deviation>, String>)> {
        if self.sources.len() == 1 || result.is_err() {
            return self.sources.iter().map(|source| (*source, result.clone())).collect();
        }
        let mut shares: Vec<(&Source<'_>, Vec<Deviation>)> = self.sources.iter().map(|source| (*source, Vec::new())).collect();
        for deviation in result.unwrap_or_default() {
            let depth = |source: &Source<'_>| {
                let folder = source.folder.as_ref()?.as_str().rsplit_once("/checkouts/")?.1.to_owned() + "/";
                deviation.path().contains(&folder).then_some(folder.len())
            };
            let deepest = (0..shares.len()).max_by_key(|at| (depth(shares[*at].0), std::cmp::Reverse(*at)));
            shares[deepest.unwrap_or(0)].1.push(deviation);
        }
        shares.into_iter().map(|(source, deviations)| (source, Ok(deviations))).collect()
    }
}

impl Verified {
    fn add(&mut self, unit: &Unit<'_>, done: Done) {
        if let Some(seen) = done.seen {
            self.seen.insert(key(unit.first()), seen);
        }
        let mut result = done.result;
        if let Ok(deviations) = &mut result {
            deviations.sort();
        }
        for (source, result) in unit.share(result) {
            if matches!((&unit.place, &result), (Ok(Place::Vendored { crate_path: None, .. }), Ok(_))) {
                self.facts.by_list_only.insert(key(source));
            }
            self.facts.packages.insert(key(source), result);
        }
    }
}

impl Place {
    /// The folder that is walked.
    fn root(&self) -> &Utf8Path {
        match self {
            Self::Registry { folder, .. } | Self::Vendored { folder, .. } => folder,
            Self::Git { checkout, .. } => checkout,
        }
    }
}

/// What the system says of a package's files, before any is read.
fn see(place: &Place, request: &Request<'_>) -> Result<Seen, Result<Deviation, String>> {
    let begun = SystemTime::now();
    let root = place.root();
    let listing = match place {
        Place::Git { .. } => git::listing(root),
        _ => Listing::of(root, &|_| false),
    };
    let listing = listing.map_err(|error| {
        let path = request.shown().path(root);
        match error.kind() {
            std::io::ErrorKind::NotADirectory => {
                Ok(Deviation::NotRegular { path, what: "no folder, but a link or file in its place".to_owned() })
            }
            kind => Err(format!("{path} cannot be read: {kind}")),
        }
    })?;
    let crate_path = match place {
        Place::Registry { crate_path, .. } => Some(crate_path),
        Place::Vendored { crate_path, .. } => crate_path.as_ref(),
        Place::Git { .. } => None,
    };
    let crate_stat = crate_path.and_then(|path| Stat::read(path).ok());
    Ok(Seen { listing, crate_stat, begun })
}

fn compare(place: &Place, source: &Source<'_>, seen: &Seen, request: &Request<'_>) -> Result<Vec<Deviation>, String> {
    let shown = request.shown();
    match place {
        Place::Registry { folder, crate_path } => {
            let checksum = source.checksum.ok_or("neither Cargo.lock nor the index has its checksum")?;
            registry::verify(crate_path, checksum, folder, &seen.listing, &shown)
        }
        Place::Vendored { folder, crate_path } => {
            let vendored =
                vendor::Vendored { folder, listing: &seen.listing, checksum: source.checksum, crate_path: crate_path.as_deref() };
            vendor::verify(&vendored, &shown)
        }
        Place::Git { checkout, .. } => {
            let revision = source.package.git().and_then(|git| git.rev).ok_or("Cargo.lock has no full revision of it")?;
            let databases = request.cargo_home.unwrap_or(Utf8Path::new("")).join("git").join("db");
            let checkout = git::Checkout { folder: checkout, databases: &databases, revision };
            git::verify(&checkout, &seen.listing, &shown)
        }
    }
}

/// The files that something happened to, whatever is in them now.
fn touched<'l>(before: &'l Listing, now: &'l Listing) -> impl Iterator<Item = &'l str> {
    let changed = |(path, stat): &&(String, Stat)| before.get(path).is_some_and(|earlier| earlier != stat);
    now.files.iter().filter(changed).map(|(path, _)| path.as_str())
}

/// Maps over threads, which take the next item when they are done with one; results in the order of the items.
fn in_parallel<T: Sync, R: Send>(items: &[T], map: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS).min(items.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, map(item)));
        }
    };
    let mut results: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker does not panic")).collect()
    });
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests;
