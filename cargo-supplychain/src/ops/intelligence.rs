//! What the rules know beyond the project itself: advisories, the registry's index and API, the sources on this machine. Each is brought
//! only where an area that is judged looks at it.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::before::POLICY_FILE;
use super::gather::Gathered;
use super::judge::Request;
use super::{Error, Progress, action_commits, advisories as database, integrity as sources, published, registry_api};
use crate::advisory;
use crate::base::Context;
use crate::check::archived::Known;
use crate::check::{Advisories, LockState, Scope, Sources, crates_for_fix_paths, further_crates};
use crate::collect;
use crate::collect::capabilities::{CapabilityReader, Wanted};
use crate::collect::cargo_config::cargo_home;
use crate::collect::index::IndexReader;
use crate::collect::sources::Verified;
use crate::collect::workflows::{self, Workflows};
use crate::feeds::Which;
use crate::finding::Area;
use crate::model::Lockfile;
use crate::model::action_commit::ActionCommits;
use crate::model::audits::{self, Audits};
use crate::model::baseline::Baseline;
use crate::model::capability::CapabilityFacts;
use crate::model::change::{Before, ChangeSet, EarlierPackage, RECENT_DAYS};
use crate::model::index::{IndexFacts, IndexGap};
use crate::model::integrity::IntegrityFacts;
use crate::model::published::PublishedFacts;
use crate::model::registry::{CrateKey, Registry};

/// All of it.
#[derive(Debug)]
pub struct Intelligence {
    pub advisories: Advisories,
    pub sources: Sources,
    pub audits: Audits,
    pub index: IndexFacts,
    pub changes: ChangeSet,
    pub baseline: Option<Baseline>,
    pub registry: Registry,
    pub capabilities: CapabilityFacts,
    pub published: PublishedFacts,
    pub integrity: Result<IntegrityFacts, String>,
    pub workflows: Workflows,
    pub action_commits: ActionCommits,
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
    let (advisories, sources) = if scope.includes(Area::Advisories) || scope.includes(Area::Workflows) {
        advisories(context, gathered, request, scope, progress)?
    } else {
        (Advisories::Unavailable { why: "not asked for".to_owned(), help: String::new() }, Sources::default())
    };
    let snapshot = snapshot(context, request)?;
    // In CI `env/compiler-override` asks which variables a workflow sets.
    let workflows = match scope.includes(Area::Workflows) || (scope.includes(Area::Config) && context.in_ci()) {
        true => workflows::read(&gathered.workspace.root),
        false => Workflows::default(),
    };
    let action_commits = action_commits::bring(context, &gathered.settings, &workflows.read, scope, progress);
    let baseline = super::baseline::read(gathered)?;
    let mut brought = Intelligence {
        advisories,
        sources,
        audits: audits(gathered)?,
        index: IndexFacts::default(),
        changes: ChangeSet::default(),
        baseline,
        registry: Registry::default(),
        capabilities: CapabilityFacts::new(),
        published: PublishedFacts::new(),
        integrity: Ok(IntegrityFacts::default()),
        workflows,
        action_commits,
        verified: Verified::default(),
    };
    if let Some(lockfile) = gathered.lock.lockfile() {
        locked(context, gathered, request, scope, (lockfile, snapshot.as_deref()), &mut brought, progress)?;
    }
    Ok(brought)
}

/// What is known of the packages that are locked: nothing without a lockfile.
fn locked(
    context: &Context,
    gathered: &Gathered,
    request: &Request,
    scope: &Scope,
    (lockfile, snapshot): (&Lockfile, Option<&Utf8Path>),
    brought: &mut Intelligence,
    progress: &mut dyn Progress,
) -> Result<(), Error> {
    let home = cargo_home(&context.env, &context.cwd);
    let (config, cargo_home) = (&gathered.cargo_config, home.as_deref());
    let reader = IndexReader { config, cargo_home, snapshot };
    let index = reader.locked(lockfile);
    let changes = changes(context, gathered, brought.baseline.as_ref(), lockfile, &index);
    let mut judged = judged_crates(lockfile, &changes, &index);
    judged.extend(crates_for_fix_paths(&brought.advisories, lockfile));
    let mut histories = reader.histories(&judged);
    let further = further_crates(lockfile, &changes, &histories);
    histories.extend(reader.histories(&further));
    let known = registry_api::Known { lockfile, changes: &changes, index: &index, histories, snapshot };
    brought.registry = registry_api::bring(context, &gathered.settings, request, scope, known, progress)?;
    let packages = CapabilityReader { context, config, cargo_home, snapshot };
    if LOOK_AT_CAPABILITIES.iter().any(|area| scope.includes(*area)) {
        brought.capabilities = packages.read(&judged_versions(lockfile, &changes, &brought.registry));
    }
    brought.published = published::bring(context, gathered, scope, (lockfile, &changes), &packages, progress);
    brought.integrity = Err("not asked for".to_owned());
    if scope.includes(Area::Integrity) {
        brought.verified = sources::verify(context, gathered, &index, request.is_release);
        brought.integrity = Ok(brought.verified.facts.clone());
    }
    (brought.index, brought.changes) = (index, changes);
    Ok(())
}

/// The folder of `--registry-snapshot`.
pub(super) fn snapshot(context: &Context, request: &Request) -> Result<Option<Utf8PathBuf>, Error> {
    let snapshot = request.registry_snapshot.as_ref().map(|folder| context.cwd.join(folder));
    match snapshot.as_ref().filter(|folder| !folder.is_dir()) {
        Some(folder) => Err(Error::usage(&format!("registry snapshot {folder}: no such folder"))
            .with_help("name a folder with `index/`, `api/` and `crates/` (docs/registry.md)")),
        None => Ok(snapshot),
    }
}

/// What others audited; with `--base` as the revision has it: a change must not bring its own absolution.
fn audits(gathered: &Gathered) -> Result<Audits, Error> {
    let files = match &gathered.base {
        Some(base) => base.audit_files()?,
        None => collect::audits::read(&gathered.workspace.root).map_err(|error| Error::usage(&error))?,
    };
    audits::parse(collect::audits::FOLDER, &files).map_err(|error| {
        Error::usage(&error).with_help("correct the file, for example with `cargo vet fmt`, or restore it from its history")
    })
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
        return against(baseline, lockfile);
    }
    let is_recent = |(_, package): &(usize, &crate::model::LockedPackage)| {
        let key = (package.name.clone(), package.version.clone(), package.source.clone().unwrap_or_default());
        let published = index.versions.get(&key).and_then(|known| known.as_ref().ok()?.published);
        published.is_some_and(|published| context.now.days_since(published) < RECENT_DAYS)
    };
    ChangeSet::recent(lockfile.packages.iter().enumerate().filter(is_recent).map(|(index, _)| index))
}

/// What is new against the baseline. It knows crates of registries only: of others it cannot say what is new.
pub(super) fn against(baseline: &Baseline, lockfile: &Lockfile) -> ChangeSet {
    let mut changes = ChangeSet::between(Before::Baseline, earlier(baseline), lockfile);
    changes.changes.retain(|change| lockfile.packages[change.package].is_registry());
    changes
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

/// The crates whose whole index entry is looked at: what changed, what was yanked, and what lacks the locked version.
fn judged_crates(lockfile: &Lockfile, changes: &ChangeSet, index: &IndexFacts) -> BTreeSet<CrateKey> {
    let changed = changes.changes.iter().filter_map(|change| lockfile.packages.get(change.package)?.crate_key());
    let striking = lockfile.packages.iter().filter(|package| {
        let key = (package.name.clone(), package.version.clone(), package.source.clone().unwrap_or_default());
        match index.versions.get(&key) {
            Some(Ok(known)) => known.yanked,
            Some(Err(gap)) => *gap == IndexGap::NoSuchVersion,
            None => false,
        }
    });
    changed.chain(striking.filter_map(crate::model::LockedPackage::crate_key)).collect()
}

/// Areas with rules that look at what packages can do.
const LOOK_AT_CAPABILITIES: [Area; 3] = [Area::Capabilities, Area::Maintainers, Area::Sources];

/// What changed, and the release before each: never all that is locked.
fn judged_versions(lockfile: &Lockfile, changes: &ChangeSet, registry: &Registry) -> Wanted {
    let mut wanted = Wanted::new();
    for change in &changes.changes {
        let Some(package) = lockfile.packages.get(change.package) else { continue };
        let Some(key) = package.crate_key() else { continue };
        if let Some((before, checksum)) = change.release_before(&key, &package.version, &registry.histories) {
            wanted.entry((key.clone(), before.clone())).or_insert(checksum);
        }
        wanted.insert((key, package.version.clone()), package.checksum);
    }
    wanted
}

fn advisories(
    context: &Context,
    gathered: &Gathered,
    request: &Request,
    scope: &Scope,
    progress: &mut dyn Progress,
) -> Result<(Advisories, Sources), Error> {
    let LockState::Present { lockfile, .. } = &gathered.lock else {
        return Ok((
            Advisories::Unavailable { why: "Cargo.lock is missing".to_owned(), help: String::new() },
            Sources::default(),
        ));
    };
    let names: BTreeSet<_> = lockfile.packages.iter().map(|package| package.name.clone()).collect();
    let natives = super::native::of_lockfile(lockfile, gathered.plan.as_ref().ok());
    let libraries = natives.keys().map(|(_, library)| (*library).to_owned()).chain(["rust".to_owned()]).collect();
    let wanted = database::Wanted {
        given: request.advisory_db.as_deref(),
        revision: request.advisory_db_rev.as_deref(),
        feeds: &request.feeds,
        settings: &gathered.settings,
        root: &gathered.workspace.root,
        workspace: Some(&gathered.workspace.root),
        which: Which::OfPackages(&names),
        libraries: &libraries,
        vex: &request.vex,
        base: gathered.base.as_ref().filter(|_| gathered.settings.file.as_deref() == Some(POLICY_FILE)),
    };
    if !scope.includes(Area::Advisories) {
        // Workflows are judged by the catalogue of what is exploited, not by the database.
        let sources = database::sources(context, &wanted, progress)?;
        return Ok((Advisories::Unavailable { why: "not asked for".to_owned(), help: String::new() }, sources));
    }
    let Known { database, sources } = database::load(context, &wanted, progress)?;
    let sources = Sources { natives, ..sources };
    let advisories = match database {
        Ok(database) => {
            let hits = advisory::hits(&database, lockfile);
            Advisories::Loaded { database, hits }
        }
        Err((why, help)) => Advisories::Unavailable { why, help },
    };
    Ok((advisories, sources))
}
