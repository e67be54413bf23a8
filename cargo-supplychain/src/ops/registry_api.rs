//! Owners and publishers: which crates are asked about, and where. A snapshot is asked about all that is locked; the API itself only about
//! what changed, because it is asked once a second and hears what a project uses.

use std::collections::BTreeMap;
use std::sync::Mutex;

use camino::Utf8Path;

use super::judge::Request;
use super::{Error, Progress};
use crate::base::http::is_allowed;
use crate::base::text::without_credentials;
use crate::base::{Context, Http, Sha256};
use crate::check::{Scope, young_crates};
use crate::config::Settings;
use crate::feeds::crates_io::{self, ApiRequest, DEFAULT_API, Records, Wanted};
use crate::finding::Area;
use crate::http::{Client, Patience};
use crate::model::Lockfile;
use crate::model::change::ChangeSet;
use crate::model::index::{IndexFacts, IndexGap};
use crate::model::lockfile::CRATES_IO;
use crate::model::registry::{CrateKey, History, NoRecord, NotAsked, Registry};

/// What is known so far.
pub(super) struct Known<'a> {
    pub lockfile: &'a Lockfile,
    pub changes: &'a ChangeSet,
    pub index: &'a IndexFacts,
    pub histories: BTreeMap<CrateKey, Result<History, IndexGap>>,
    /// The folder of `--registry-snapshot`.
    pub snapshot: Option<&'a Utf8Path>,
}

/// Brings owners and publishers, where they are judged.
pub(super) fn bring(
    context: &Context,
    settings: &Settings,
    request: &Request,
    scope: &Scope,
    known: Known<'_>,
    progress: &mut dyn Progress,
) -> Result<Registry, Error> {
    let Known { lockfile, changes, index, histories, snapshot } = known;
    let api = base_url(request, settings)?;
    let mut registry = Registry { histories, ..Registry::default() };
    if let Some(folder) = snapshot {
        // The rules about what vanished look at it, too.
        if scope.includes(Area::Maintainers) || scope.includes(Area::Lock) {
            let crates = wanted(lockfile, 0..lockfile.packages.len(), changes, &registry.histories);
            registry.records = crates_io::snapshot(folder, &crates);
            gone_from_snapshot(&mut registry.records, lockfile, index);
        }
        return Ok(registry);
    }
    if !scope.includes(Area::Maintainers) {
        return Ok(registry);
    }
    if changes.before.is_none() {
        registry.not_asked = is_from_registry(lockfile).then(nothing_to_compare);
        return Ok(registry);
    }
    let crates = wanted(lockfile, changes.changes.iter().map(|change| change.package), changes, &registry.histories);
    let client = (!context.offline).then(|| Client::new(&context.env, Patience::default()));
    let progress = Mutex::new(progress);
    registry.records = crates_io::live(&ApiRequest {
        api: &api,
        index: None,
        http: client.as_ref().map(|client| client as &dyn Http),
        cache_dir: &context.cache_dir,
        now: context.now,
        crates: &crates,
        progress: &|line| progress.lock().expect("no progress panics").status(line),
    });
    if registry.records.len() < crates.len() {
        registry.not_asked = Some(NotAsked {
            why: "--offline, and the cache does not have them".to_owned(),
            help: "run once without --offline, or name a snapshot with --registry-snapshot".to_owned(),
        });
    }
    Ok(registry)
}

/// `--registry-api`, else `[registry] api`, else crates.io; without a slash at the end.
fn base_url(request: &Request, settings: &Settings) -> Result<String, Error> {
    let url = request.registry_api.as_deref().or(settings.registry.api.as_deref()).unwrap_or(DEFAULT_API);
    if !is_allowed(url) || url.contains(['?', '#']) {
        return Err(Error::usage(&format!("`{}` is not the URL of a registry's API", without_credentials(url)))
            .with_help("name the base URL of an API like that of crates.io: https, or http on this machine"));
    }
    Ok(url.trim_end_matches('/').to_owned())
}

fn is_from_registry(lockfile: &Lockfile) -> bool {
    lockfile.packages.iter().any(crate::model::LockedPackage::is_registry)
}

fn nothing_to_compare() -> NotAsked {
    NotAsked {
        why: "there is no earlier state to compare with: no supplychain.lock, no --base".to_owned(),
        help: "record one with `cargo supplychain baseline accept`, or name a revision with --base".to_owned(),
    }
}

/// The crates of these packages, each with its locked versions and the digest of its index entry; and the young ones that what changed
/// depends on, whose people the rules compare.
fn wanted(
    lockfile: &Lockfile,
    packages: impl Iterator<Item = usize>,
    changes: &ChangeSet,
    histories: &BTreeMap<CrateKey, Result<History, IndexGap>>,
) -> BTreeMap<CrateKey, Wanted> {
    let mut wanted = BTreeMap::<CrateKey, Wanted>::new();
    for package in packages.filter_map(|index| lockfile.packages.get(index)) {
        if let Some(key) = package.crate_key() {
            wanted.entry(key).or_default().versions.insert(package.version.clone());
        }
    }
    for key in young_crates(lockfile, changes, histories) {
        wanted.entry(key).or_default();
    }
    for (key, wanted) in &mut wanted {
        let history = histories.get(key).and_then(|history| history.as_ref().ok());
        wanted.entry = history.and_then(|history| serde_json::to_vec(history).ok()).map(Sha256::of);
    }
    wanted
}

/// With a snapshot, its index says whether a crate that the API does not know is gone.
fn gone_from_snapshot(records: &mut Records, lockfile: &Lockfile, index: &IndexFacts) {
    for package in lockfile.packages.iter().filter(|_| index.is_current) {
        let Some(source) = package.source.as_deref().filter(|source| CRATES_IO.contains(source)) else { continue };
        let indexed = index.versions.get(&(package.name.clone(), package.version.clone(), source.to_owned()));
        if matches!(indexed, Some(Err(IndexGap::NotCached)))
            && let Some(record) = package.crate_key().and_then(|key| records.get_mut(&key))
            && matches!(record, Err(NoRecord::NotFound))
        {
            *record = Err(NoRecord::Gone);
        }
    }
}
