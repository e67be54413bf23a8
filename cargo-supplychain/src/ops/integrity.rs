//! The sources on this machine against what was locked: which packages are compared, before a build and after it.

use super::gather::Gathered;
use crate::base::Context;
use crate::collect::cargo_config::cargo_home;
use crate::collect::sources::{self, Source, Verified};
use crate::model::index::IndexFacts;
use crate::model::integrity::IntegrityFacts;
use crate::model::{LockedPackage, Lockfile};

/// Compares what takes part in the planned build; without a plan every locked package whose source is on this machine. For a release
/// everything is read, elsewhere only what has changed since it was last found in order. In CI nothing is remembered: a cache restored
/// from elsewhere could speak for the machine.
pub(super) fn verify(context: &Context, gathered: &Gathered, index: &IndexFacts, is_release: bool) -> Verified {
    let remember = !is_release && !context.in_ci();
    with_request(context, gathered, Some(index), remember, sources::verify)
}

/// After the build: what is not what it was.
pub(super) fn changes(context: &Context, gathered: &Gathered, before: &Verified) -> IntegrityFacts {
    with_request(context, gathered, None, false, |request| sources::verify_again(request, before))
}

fn with_request<T: Default>(
    context: &Context,
    gathered: &Gathered,
    index: Option<&IndexFacts>,
    remember: bool,
    look: impl FnOnce(&sources::Request<'_>) -> T,
) -> T {
    let Some(lockfile) = gathered.lock.lockfile() else { return T::default() };
    let home = cargo_home(&context.env, &context.cwd);
    look(&sources::Request {
        cargo_home: home.as_deref(),
        workspace: &gathered.workspace.root,
        config: &gathered.cargo_config,
        sources: sources_of(gathered, lockfile, index),
        remember_in: remember.then_some(&*context.cache_dir),
    })
}

fn sources_of<'a>(gathered: &Gathered, lockfile: &'a Lockfile, index: Option<&IndexFacts>) -> Vec<Source<'a>> {
    let indexed = |package: &LockedPackage| {
        let key = (package.name.clone(), package.version.clone(), package.source.clone().unwrap_or_default());
        Some(index?.versions.get(&key)?.as_ref().ok()?.checksum)
    };
    match &gathered.plan {
        Ok(plan) => {
            let planned = plan.sources.iter().filter_map(|one| Some((lockfile.packages.get(one.package)?, one.folder.clone())));
            let source = |(package, folder): (&'a LockedPackage, _)| Source {
                package,
                checksum: package.checksum.or_else(|| indexed(package)),
                folder: Some(folder),
            };
            planned.map(source).collect()
        }
        // A lockfile that cargo refuses may be what is wrong; where it and the index disagree, that is a finding of its own.
        Err(_) => {
            let source = |package| Source { package, checksum: indexed(package).or(package.checksum), folder: None };
            lockfile.packages.iter().filter(|package| package.source.is_some()).map(source).collect()
        }
    }
}
