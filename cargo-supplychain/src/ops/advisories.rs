//! The advisory database, brought for whoever judges by it: `check` for what is locked, `affected` and `rescan` for what was archived.

use std::collections::BTreeSet;
use std::sync::Mutex;

use camino::Utf8Path;

use super::judge::DATABASE_HELP;
use super::{Error, Progress};
use crate::base::Context;
use crate::check::archived::Database;
use crate::collect::cargo_config::cargo_home;
use crate::config::Settings;
use crate::feeds::rustsec;

/// Which database.
pub(super) struct Wanted<'a> {
    /// `--advisory-db`: a path is relative to the working folder.
    pub given: Option<&'a str>,
    /// `--advisory-db-rev`: the commit that it has to be at.
    pub revision: Option<&'a str>,
    pub settings: &'a Settings,
    /// What a path of the policy is relative to.
    pub root: &'a Utf8Path,
    /// No program below it is run.
    pub workspace: Option<&'a Utf8Path>,
    /// The advisories of these packages only; none: all.
    pub packages: Option<&'a BTreeSet<String>>,
}

/// Loads it; the inner error is why there is none, and what to do.
pub(super) fn load(context: &Context, wanted: &Wanted<'_>, progress: &mut dyn Progress) -> Result<Database, Error> {
    let (database, base) = match wanted.given {
        Some(database) => (Some(database), context.cwd.as_path()),
        None => (wanted.settings.advisories.database.as_deref(), wanted.root),
    };
    let home = cargo_home(&context.env, &context.cwd);
    let progress = Mutex::new(progress);
    let loaded = rustsec::load(&rustsec::RustsecRequest {
        database,
        revision: wanted.revision,
        base,
        cache_dir: &context.cache_dir,
        cargo_home: home.as_deref(),
        workspace: wanted.workspace,
        env: &context.env,
        offline: context.offline,
        packages: wanted.packages,
        progress: &|line| progress.lock().expect("no progress panics").status(line),
    });
    match loaded {
        Ok(database) => Ok(Ok(database)),
        Err(rustsec::Error::Unavailable { why, help }) => Ok(Err((why, help))),
        Err(error) => Err(Error::usage(&error).with_help(DATABASE_HELP)),
    }
}
