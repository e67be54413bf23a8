//! `fetch`: brings the advisory database and trusted roots into the cache.

use std::sync::Mutex;

use camino::Utf8Path;

use super::judge::DATABASE_HELP;
use super::progress::Stage;
use super::trust_root::Fetched;
use super::{Class, Error, Progress, gather, trust_root};
use crate::advisory::FeedInfo;
use crate::base::Context;
use crate::base::text::without_credentials;
use crate::collect::cargo_config::cargo_home;
use crate::feeds::rustsec;

/// Renews the trusted roots of the policy's instance, or of the public ones.
pub fn trust_roots(context: &Context, policy: Option<&Utf8Path>, progress: &mut dyn Progress) -> Result<Vec<Fetched>, Error> {
    if context.offline {
        return Err(Error::usage(&"--offline leaves nothing to fetch with"));
    }
    let (settings, _) = gather::settings(context, policy, &context.cwd, None)?;
    trust_root::fetch(context, &settings, &context.cwd, progress)
}

/// Fetches the database of the URL, or RustSec's own.
pub fn fetch(context: &Context, url: Option<&str>, progress: &mut dyn Progress) -> Result<FeedInfo, Error> {
    if context.offline {
        return Err(Error::usage(&"--offline leaves nothing to fetch with"));
    }
    let stage = Stage::begin(progress, "fetch", &without_credentials(url.unwrap_or(rustsec::DEFAULT_URL)));
    let home = cargo_home(&context.env, &context.cwd);
    let workspace = super::workspace::find(context, None).ok().map(|workspace| workspace.root);
    let loaded = {
        let progress = Mutex::new(&mut *progress);
        rustsec::load(&rustsec::RustsecRequest {
            revision: None,
            database: url,
            base: &context.cwd,
            cache_dir: &context.cache_dir,
            cargo_home: home.as_deref(),
            workspace: workspace.as_deref(),
            env: &context.env,
            offline: false,
            packages: None,
            progress: &|line| progress.lock().expect("no progress panics").status(line),
        })
    };
    let database = loaded.map_err(|error| match error {
        rustsec::Error::Unavailable { why, help } => Error::new(Class::Undetermined, &why).with_help(help),
        error => Error::usage(&error).with_help(DATABASE_HELP),
    })?;
    stage.end(progress, &format!("{} advisories", database.info.entries));
    Ok(database.info)
}
