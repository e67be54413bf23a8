//! What the rules know beyond the project itself: advisories, the registry's index and API, the sources on this machine. Each is brought
//! only where an area that is judged looks at it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::gather::Gathered;
use super::judge::{DATABASE_HELP, Request};
use super::{Error, Progress, integrity as sources};
use crate::advisory;
use crate::base::Context;
use crate::check::{Advisories, LockState, Scope};
use crate::collect::cargo_config::cargo_home;
use crate::collect::index::IndexReader;
use crate::collect::sources::Verified;
use crate::feeds::rustsec;
use crate::finding::Area;
use crate::model::Lockfile;
use crate::model::baseline::Baseline;
use crate::model::capability::CapabilityFacts;
use crate::model::change::{Before, ChangeSet, EarlierPackage, RECENT_DAYS};
use crate::model::index::IndexFacts;
use crate::model::integrity::IntegrityFacts;
use crate::model::registry::{CrateKey, Registry};

/// All of it.
pub(super) struct Intelligence {
    pub advisories: Advisories,
    pub index: IndexFacts,
    pub changes: ChangeSet,
    pub baseline: Option<Baseline>,
    pub registry: Registry,
    pub capabilities: CapabilityFacts,
    pub integrity: Result<IntegrityFacts, String>,
    /// What was verified, for the second look after a build.
    pub verified: Verified,
}

/// Brings what the scope needs.
pub(super) fn bring(
    context: &Context,
    gathered: &Gathered,
    request: &Request,
    scope: &Scope,
    progress: &mut dyn Progress,
) -> Result<Intelligence, Error> {
    let advisories = if scope.includes(Area::Advisories) {
        advisories(context, gathered, request, progress)?
    } else {
        Advisories::Unavailable { why: "not asked for".to_owned(), help: String::new() }
    };
    let home = cargo_home(&context.env, &context.cwd);
    let snapshot = request.registry_snapshot.as_ref().map(|folder| context.cwd.join(folder));
    let reader = IndexReader { config: &gathered.cargo_config, cargo_home: home.as_deref(), snapshot: snapshot.as_deref() };
    let baseline = None;
    let Some(lockfile) = gathered.lock.lockfile() else {
        return Ok(Intelligence {
            advisories,
            index: IndexFacts::default(),
            changes: ChangeSet::default(),
            baseline,
            registry: Registry::default(),
            capabilities: CapabilityFacts::new(),
            integrity: Ok(IntegrityFacts::default()),
            verified: Verified::default(),
        });
    };
    let index = reader.locked(lockfile);
    let changes = changes(context, gathered, baseline.as_ref(), lockfile, &index);
    let histories = reader.histories(&judged_crates(lockfile, &changes, &index));
    let registry = Registry { histories, ..Registry::default() };
    let capabilities = CapabilityFacts::new();
    let mut verified = Verified::default();
    let mut integrity = Err("not asked for".to_owned());
    if scope.includes(Area::Integrity) {
        verified = sources::verify(context, gathered, &index, request.is_release);
        integrity = Ok(verified.facts.clone());
    }
    Ok(Intelligence { advisories, index, changes, baseline, registry, capabilities, integrity, verified })
}

/// What is judged as new: against the base, else the baseline, else what was published lately.
fn changes(
    context: &Context,
    gathered: &Gathered,
    baseline: Option<&Baseline>,
    lockfile: &Lockfile,
    index: &IndexFacts,
) -> ChangeSet {
    if let Some(base) = &gathered.base {
        return base.changes(lockfile);
    }
    if let Some(baseline) = baseline {
        return ChangeSet::between(Before::Baseline, earlier(baseline), lockfile);
    }
    let is_recent = |(_, package): &(usize, &crate::model::LockedPackage)| {
        let key = (package.name.clone(), package.version.clone(), package.source.clone().unwrap_or_default());
        let published = index.versions.get(&key).and_then(|known| known.as_ref().ok()?.published);
        published.is_some_and(|published| context.now.days_since(published) < RECENT_DAYS)
    };
    ChangeSet::recent(lockfile.packages.iter().enumerate().filter(is_recent).map(|(index, _)| index))
}

fn earlier(baseline: &Baseline) -> Vec<EarlierPackage> {
    let mut packages = Vec::new();
    for (key, known) in &baseline.crates {
        packages.extend(known.versions.iter().map(|(version, known)| EarlierPackage {
            name: key.name.clone(),
            version: version.clone(),
            source: Some(key.source.clone()),
            checksum: known.checksum,
        }));
    }
    packages
}

/// The crates whose whole index entry is looked at: what changed, and what was yanked.
fn judged_crates(lockfile: &Lockfile, changes: &ChangeSet, index: &IndexFacts) -> BTreeSet<CrateKey> {
    let changed = changes.changes.iter().filter_map(|change| lockfile.packages.get(change.package)?.crate_key());
    let yanked = lockfile.packages.iter().filter(|package| {
        let key = (package.name.clone(), package.version.clone(), package.source.clone().unwrap_or_default());
        matches!(index.versions.get(&key), Some(Ok(known)) if known.yanked)
    });
    changed.chain(yanked.filter_map(crate::model::LockedPackage::crate_key)).collect()
}

fn advisories(
    context: &Context,
    gathered: &Gathered,
    request: &Request,
    progress: &mut dyn Progress,
) -> Result<Advisories, Error> {
    let LockState::Present { lockfile, .. } = &gathered.lock else {
        return Ok(Advisories::Unavailable { why: "Cargo.lock is missing".to_owned(), help: String::new() });
    };
    // A path on the command line is relative to the working folder, one in the policy to the workspace root.
    let (database, base) = match &request.advisory_db {
        Some(database) => (Some(database.as_str()), &context.cwd),
        None => (gathered.settings.advisories.database.as_deref(), &gathered.workspace.root),
    };
    let names: BTreeSet<_> = lockfile.packages.iter().map(|package| package.name.clone()).collect();
    let home = cargo_home(&context.env, &context.cwd);
    let progress = Mutex::new(progress);
    let loaded = rustsec::load(&rustsec::RustsecRequest {
        database,
        base,
        cache_dir: &context.cache_dir,
        cargo_home: home.as_deref(),
        workspace: Some(&gathered.workspace.root),
        env: &context.env,
        offline: context.offline,
        packages: Some(&names),
        progress: &|line| progress.lock().expect("no progress panics").status(line),
    });
    match loaded {
        Ok(database) => {
            let hits = advisory::hits(&database, lockfile);
            Ok(Advisories::Loaded { database, hits })
        }
        Err(rustsec::Error::Unavailable { why, help }) => Ok(Advisories::Unavailable { why, help }),
        Err(error) => Err(Error::usage(&error).with_help(DATABASE_HELP)),
    }
}
