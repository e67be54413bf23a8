//! `fetch`: brings the advisory database and trusted roots into the cache.

use std::collections::BTreeSet;
use std::sync::Mutex;

use camino::Utf8Path;

use super::advisories::{self, NamedFeed};
use super::judge::DATABASE_HELP;
use super::progress::Stage;
use super::trust_root::Fetched;
use super::{Class, Error, Progress, gather, trust_root};
use crate::advisory::FeedInfo;
use crate::base::Context;
use crate::base::text::without_credentials;
use crate::collect::cargo_config::cargo_home;
use crate::config::SourcePlace;
use crate::feeds::Which;
use crate::feeds::rustsec;
use crate::model::feed::FeedKind;

/// Renews the trusted roots of the policy's instance, or of the public ones.
pub fn trust_roots(context: &Context, policy: Option<&Utf8Path>, progress: &mut dyn Progress) -> Result<Vec<Fetched>, Error> {
    if context.offline {
        return Err(Error::usage(&"--offline leaves nothing to fetch with"));
    }
    let (settings, _) = gather::settings(context, policy, &context.cwd, None)?;
    trust_root::fetch(context, &settings, &context.cwd, progress)
}

/// Brings the sources of these kinds into the cache: those that the policy or the command line names by URL, else where they are published.
/// With no kind, those that the policy names.
pub fn sources(
    context: &Context,
    policy: Option<&Utf8Path>,
    kinds: &[FeedKind],
    named: &[NamedFeed],
    progress: &mut dyn Progress,
) -> Result<Vec<FeedInfo>, Error> {
    if context.offline {
        return Err(Error::usage(&"--offline leaves nothing to fetch with"));
    }
    let (mut settings, _) = gather::settings(context, policy, &context.cwd, None)?;
    let is_wanted = |kind: FeedKind| kinds.contains(&kind) || named.iter().any(|feed| feed.kind == kind) || kinds.is_empty();
    settings.advisories.sources.retain(|source| is_wanted(source.kind) && matches!(source.place, SourcePlace::Url(_)));
    let mut named = named.to_vec();
    for kind in kinds {
        let is_named =
            settings.advisories.sources.iter().any(|source| source.kind == *kind) || named.iter().any(|feed| feed.kind == *kind);
        match kind.default_url() {
            _ if is_named => {}
            Some(url) => named.push(NamedFeed { kind: *kind, place: url.to_owned() }),
            None => {
                return Err(Error::usage(&format!("there is no one place that {} are fetched from", kind.name()))
                    .with_help("name a folder of records with `[[advisories.source]]` or `--feed cve=PATH`"));
            }
        }
    }
    let libraries = BTreeSet::new();
    let wanted = advisories::Wanted {
        given: None,
        revision: None,
        feeds: &named,
        settings: &settings,
        root: &context.cwd,
        workspace: None,
        which: Which::All,
        libraries: &libraries,
        vex: &[],
        base: None,
    };
    let mut infos = Vec::new();
    let mut failed: Option<Error> = None;
    // What can be had is had, whatever another comes to.
    for one in advisories::bring(context, &wanted, true, progress)? {
        let is_asked = named.iter().any(|feed| feed.kind == one.kind)
            || settings.advisories.sources.iter().any(|source| source.kind == one.kind);
        match one.source {
            _ if !is_asked => {}
            Ok(source) => {
                if let Some(offered) = &source.rolled_back {
                    progress.note(&format!("{}: {offered}; the copy stays", source.info.name));
                }
                infos.push(source.info);
            }
            Err((why, help)) => {
                let message = failed.map_or_else(|| why.clone(), |before| format!("{}\n{why}", before.message));
                failed = Some(Error::new(Class::Undetermined, &message).with_help(help));
            }
        }
    }
    failed.map_or(Ok(infos), Err)
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
            which: Which::All,
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
