//! Judges what was gathered: brings intelligence (registry index, advisories), runs the rules, makes the report.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::gather::{Fault, Gathered};
use super::progress::Stage;
use super::{Error, Progress};
use crate::advisory::{self, FeedInfo};
use crate::base::Context;
use crate::base::text::counted;
use crate::check::{self, Advisories, Facts, LockState, Scope};
use crate::collect::cargo_config::cargo_home;
use crate::collect::index;
use crate::feeds::rustsec;
use crate::finding::{Area, FailOn, Report};
use crate::model::cargo_config::environment;
use crate::model::index::IndexFacts;

/// What `--advisory-db` and `[advisories] database` take.
pub(super) const DATABASE_HELP: &str = "name a folder that holds `crates/NAME/RUSTSEC-….md`, or a git URL";

/// How to judge.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub fail_on: Option<FailOn>,
    pub only: Vec<Area>,
    pub require: Vec<Area>,
    /// `--advisory-db`, over `[advisories] database`.
    pub advisory_db: Option<String>,
}

/// The report, and the feeds that it stands on.
#[derive(Debug)]
pub struct Judged {
    pub report: Report,
    pub feeds: Vec<FeedInfo>,
}

/// Judges.
pub fn judge(context: &Context, gathered: &Gathered, request: &Request, progress: &mut dyn Progress) -> Result<Judged, Error> {
    let packages = gathered.lock.lockfile().map_or(0, |lockfile| lockfile.packages.len());
    let stage = Stage::begin(progress, "check", &counted(packages, "package"));
    let mut require = gathered.settings.require.clone();
    require.extend(&request.require);
    let scope = Scope { only: request.only.clone(), require };
    let advisories = if scope.includes(Area::Advisories) {
        advisories(context, gathered, request, progress)?
    } else {
        Advisories::Unavailable { why: "not asked for".to_owned(), help: String::new() }
    };
    let feeds = match &advisories {
        Advisories::Loaded { database, .. } => vec![database.info.clone()],
        Advisories::Unavailable { .. } => Vec::new(),
    };
    let index = match (gathered.lock.lockfile(), cargo_home(&context.env, &context.cwd)) {
        (Some(lockfile), Some(home)) => index::read(lockfile, &gathered.cargo_config, &home),
        _ => IndexFacts::default(),
    };
    let environment = environment::shaping(&context.env);
    let facts = Facts {
        settings: &gathered.settings,
        now: context.now,
        in_ci: context.in_ci(),
        lock: &gathered.lock,
        manifests: &gathered.manifests,
        cargo_config: &gathered.cargo_config,
        environment: &environment,
        toolchain_file: gathered.toolchain_file.as_ref(),
        toolchain: &gathered.toolchain,
        index: &index,
        advisories: &advisories,
        build: gathered.plan.as_ref().map(|plan| &plan.build).map_err(|missing| missing.why.lines().next().unwrap_or_default()),
    };
    let fail_on = request.fail_on.unwrap_or(gathered.settings.build.fail_on);
    let report = Report::new(check::check(&facts, &scope), fail_on, context.now, context.now_is_given);
    // Cargo refuses a checksum that no rule has found wrong (the rule is off, or another source stands in for the registry): without
    // a finding that would pass.
    if let Err(missing) = &gathered.plan
        && missing.fault == Fault::Checksum
        && !report.findings.iter().any(|finding| finding.id == "lock/checksum-mismatch")
    {
        gathered.planned()?;
    }
    stage.end(progress, &format!("{}, {} not evaluated", counted(report.findings.len(), "finding"), report.not_evaluated.len()));
    Ok(Judged { report, feeds })
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
