//! Compares changed packages with their repositories, for those that the policy lists: nothing is fetched that nobody asked for.

use std::cell::RefCell;

use super::Progress;
use super::gather::Gathered;
use crate::base::Context;
use crate::check::{Scope, is_to_be_compared};
use crate::collect::capabilities::{CapabilityReader, NOT_HERE};
use crate::collect::published;
use crate::feeds::origins::Origins;
use crate::finding::Area;
use crate::model::change::ChangeSet;
use crate::model::published::{Comparison, PublishedFacts, clone_url, compare};
use crate::model::{LockedPackage, Lockfile};

/// So many packages are compared in one run; the others are not evaluated.
const MAX_PACKAGES: usize = 100;

pub(super) fn bring(
    context: &Context,
    gathered: &Gathered,
    scope: &Scope,
    (lockfile, changes): (&Lockfile, &ChangeSet),
    reader: &CapabilityReader<'_>,
    progress: &mut dyn Progress,
) -> PublishedFacts {
    let mut facts = PublishedFacts::new();
    if !scope.includes(Area::Sources) {
        return facts;
    }
    let progress = RefCell::new(progress);
    let origins = Origins {
        cache_dir: &context.cache_dir,
        workspace: Some(&gathered.workspace.root),
        env: &context.env,
        offline: context.offline,
        progress: &|line| progress.borrow_mut().status(line),
    };
    let changed = changes.changes.iter().filter_map(|change| lockfile.packages.get(change.package));
    for package in changed.filter(|package| is_to_be_compared(&gathered.settings, &package.name)) {
        let Some(key) = package.crate_key() else { continue };
        let found = match facts.len() < MAX_PACKAGES {
            true => one(package, reader, &origins),
            false => Err(format!("more than {MAX_PACKAGES} changed packages are asked for")),
        };
        facts.insert((key, package.version.clone()), found);
    }
    facts
}

fn one(package: &LockedPackage, reader: &CapabilityReader<'_>, origins: &Origins<'_>) -> Result<Comparison, String> {
    let (key, checksum) = package.crate_key().zip(package.checksum).ok_or("the lockfile has no checksum")?;
    let bytes = reader.crate_bytes(&key, &package.version, checksum).ok_or(NOT_HERE)?;
    let read = published::read(&format!("{}-{}", package.name, package.version), &bytes)?;
    drop(bytes);
    let at = read.commit.as_ref().ok_or("it does not say which commit it was packaged from")?;
    if at.dirty {
        return Err("it was packaged with changes that were not committed".to_owned());
    }
    let named = read.repository.as_deref().ok_or("its manifest names no repository")?;
    let url = clone_url(named).ok_or("its manifest names no repository that is fetched from (https)")?;
    let commit = origins.commit(&url, &at.commit)?;
    compare(&read, &url, at, |path| commit.look(path))
}
