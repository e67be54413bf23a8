//! What is known now of the locked crates: Cargo.lock, the index, the registry's API where it may be asked, the sources on this machine.

use std::collections::BTreeSet;

use super::super::gather::Gathered;
use super::super::progress::Stage;
use super::super::{Error, Progress, intelligence, judge, registry_api};
use super::{Request, no_lockfile};
use crate::base::text::counted;
use crate::base::{Context, Timestamp};
use crate::check::Scope;
use crate::collect::capabilities::{CapabilityReader, Wanted};
use crate::collect::cargo_config::cargo_home;
use crate::collect::index::IndexReader;
use crate::finding::Area;
use crate::model::Lockfile;
use crate::model::baseline::{Baseline, Known};
use crate::model::capability::CapabilityFacts;
use crate::model::change::{Before, Change, ChangeSet};
use crate::model::index::IndexFacts;
use crate::model::registry::{CrateKey, Registry};

/// All of it.
pub(super) struct Now {
    pub index: IndexFacts,
    pub registry: Registry,
    pub capabilities: CapabilityFacts,
}

impl Now {
    pub fn of<'a>(&'a self, lockfile: &'a Lockfile, today: Timestamp) -> Known<'a> {
        let Self { index, registry, capabilities } = self;
        Known { lockfile, index, registry, capabilities, today }
    }

    pub fn not_asked(&self) -> Option<String> {
        self.registry.not_asked.as_ref().map(|not_asked| not_asked.why.clone())
    }
}

/// Gathers what accepting needs. Owners and publishers are asked about for what has changed against the baseline, and for crates that are
/// named; with no baseline for nobody: `baseline refresh` looks them up in its own time.
pub(super) fn gather(
    context: &Context,
    request: &Request,
    gathered: &Gathered,
    before: Option<&Baseline>,
    named: Option<&BTreeSet<String>>,
    progress: &mut dyn Progress,
) -> Result<Now, Error> {
    let lockfile = gathered.lock.lockfile().ok_or_else(no_lockfile)?;
    let is_meant = |key: &CrateKey| named.is_none_or(|names| names.contains(&key.name));
    let meant: BTreeSet<_> =
        lockfile.packages.iter().filter_map(crate::model::LockedPackage::crate_key).filter(is_meant).collect();
    let changes = match (before, named) {
        (_, Some(_)) => those(lockfile, &meant),
        (Some(before), None) => intelligence::against(before, lockfile),
        // Asked of nobody: that would take a second for each of hundreds of crates.
        (None, None) => ChangeSet { before: Some(Before::Baseline), ..ChangeSet::default() },
    };
    let now = look_up(context, request, gathered, lockfile, &meant, &changes, progress)?;
    let versions = unread(lockfile, before, named, &meant);
    if versions.is_empty() {
        return Ok(now);
    }
    let stage = Stage::begin(progress, "read", &format!("sources of {}", counted(versions.len(), "version")));
    let home = cargo_home(&context.env, &context.cwd);
    let snapshot = request.registry_snapshot.as_ref().map(|folder| context.cwd.join(folder));
    let config = &gathered.cargo_config;
    let reader = CapabilityReader { context, config, cargo_home: home.as_deref(), snapshot: snapshot.as_deref() };
    let capabilities = reader.read(&versions);
    stage.end(progress, &counted(capabilities.len(), "version"));
    Ok(Now { capabilities, ..now })
}

/// The locked versions whose sources are looked at: not again what the baseline knows of them.
fn unread(
    lockfile: &Lockfile,
    before: Option<&Baseline>,
    named: Option<&BTreeSet<String>>,
    meant: &BTreeSet<CrateKey>,
) -> Wanted {
    let mut wanted = Wanted::new();
    for package in &lockfile.packages {
        let Some(key) = package.crate_key().filter(|key| meant.contains(key)) else { continue };
        let known = before.and_then(|before| before.crates.get(&key)).filter(|_| named.is_none());
        let is_read =
            known.is_some_and(|known| known.flags.build_script.is_some() && known.versions.contains_key(&package.version));
        if !is_read {
            wanted.insert((key, package.version.clone()), package.checksum);
        }
    }
    wanted
}

/// The packages of these crates, as a change.
pub(super) fn those(lockfile: &Lockfile, crates: &BTreeSet<CrateKey>) -> ChangeSet {
    let is_one = |key: Option<CrateKey>| key.is_some_and(|key| crates.contains(&key));
    let packages = lockfile.packages.iter().enumerate().filter(|(_, package)| is_one(package.crate_key()));
    let changes = packages.map(|(package, _)| Change { package, previous: None }).collect();
    ChangeSet { before: Some(Before::Baseline), earlier: Vec::new(), changes }
}

/// Index of all that is locked, histories of these crates, owners and publishers of the changes.
pub(super) fn look_up(
    context: &Context,
    request: &Request,
    gathered: &Gathered,
    lockfile: &Lockfile,
    crates: &BTreeSet<CrateKey>,
    changes: &ChangeSet,
    progress: &mut dyn Progress,
) -> Result<Now, Error> {
    let home = cargo_home(&context.env, &context.cwd);
    let asked = judge::Request {
        registry_snapshot: request.registry_snapshot.clone(),
        registry_api: request.registry_api.clone(),
        ..judge::Request::default()
    };
    let snapshot = intelligence::snapshot(context, &asked)?;
    let reader = IndexReader { config: &gathered.cargo_config, cargo_home: home.as_deref(), snapshot: snapshot.as_deref() };
    let index = reader.locked(lockfile);
    let histories = reader.histories(crates);
    let scope = Scope { only: vec![Area::Maintainers], require: Vec::new() };
    let known = registry_api::Known { lockfile, changes, index: &index, histories, snapshot: snapshot.as_deref() };
    let registry = registry_api::bring(context, &gathered.settings, &asked, &scope, known, progress)?;
    Ok(Now { index, registry, capabilities: CapabilityFacts::new() })
}
