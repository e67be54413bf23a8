//! `archive index` and `archive supported`: what the index holds, made again, forgotten, or written as tables that others can query.

use camino::{Utf8Path, Utf8PathBuf};

use super::archived::{Archive, Opened, Request, bring, told};
use super::{Class, Error, Progress};
use crate::archive::Access;
use crate::archive::index::export::{Error as Failed, Export};
use crate::archive::index::{self, Index};
use crate::archived::answer::{ListedRelease, listed};
use crate::base::Context;
use crate::document::affected::AskedArchive;
use crate::finding::NotEvaluated;

/// What the index holds.
#[derive(Debug, Clone)]
pub struct Status {
    pub archive: AskedArchive,
    pub folder: Utf8PathBuf,
    pub releases: u64,
    pub components: u64,
    pub bytes: u64,
    pub unreadable: Vec<NotEvaluated>,
}

/// Brings the index up to date, or makes it again.
///
/// # Errors
/// The policy, the archive or the cache cannot be used.
pub fn status(context: &Context, request: &Request, remake: bool, progress: &mut dyn Progress) -> Result<Status, Error> {
    if remake {
        let archive = archive(context, request, progress)?;
        bring(context, &archive, true, progress)?;
    }
    let mut opened = Opened::new(context, request, Access::Read, progress)?;
    let components = opened.ask(context, progress, Index::component_count)?;
    let index = opened.index();
    Ok(Status {
        archive: opened.asked(),
        folder: Index::folder(&context.cache_dir, index.archive()),
        releases: index.release_count(),
        components,
        bytes: index.bytes(),
        unreadable: opened.unknown(),
    })
}

/// Forgets the index and where the chain ended.
///
/// # Errors
/// The policy, the archive or the cache cannot be used.
pub fn forget(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<(), Error> {
    let archive = archive(context, request, progress)?;
    index::forget(&archive, &context.cache_dir).map_err(|error| told(&error))
}

fn archive(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Archive, Error> {
    Archive::open(context, request.archive.as_deref(), request.policy.as_deref(), Access::Read, progress)
}

/// All releases that are kept.
#[derive(Debug, Clone)]
pub struct Supported {
    pub archive: AskedArchive,
    /// Sorted by name, version, target and entry.
    pub releases: Vec<ListedRelease>,
}

/// Which releases are supported.
///
/// # Errors
/// The policy, the archive or the cache cannot be used.
pub fn supported(context: &Context, request: &Request, progress: &mut dyn Progress) -> Result<Supported, Error> {
    let mut opened = Opened::new(context, request, Access::Read, progress)?;
    let releases = opened.ask(context, progress, Index::all_releases)?;
    let releases = listed(&releases, &opened.settings.supported, context.now);
    Ok(Supported { archive: opened.asked(), releases })
}

/// What an export wrote.
#[derive(Debug, Clone, Default)]
pub struct Exported {
    pub releases: u64,
    /// Paths below the folder, sorted.
    pub written: Vec<String>,
    /// Files that were there with the same bytes.
    pub unchanged: usize,
}

/// Writes the tables.
///
/// # Errors
/// As [`status`]; or the folder cannot be written, or this build has no Parquet.
pub fn export(context: &Context, request: &Request, folder: &Utf8Path, progress: &mut dyn Progress) -> Result<Exported, Error> {
    let mut opened = Opened::new(context, request, Access::Read, progress)?;
    let failed = |error: Failed| {
        let class = if error.is_unsupported() { Class::Usage } else { Class::Output };
        Error::new(class, &error)
    };
    let releases = opened.ask(context, progress, Index::all_releases)?;
    let history = opened.ask(context, progress, Index::history)?;
    let export = Export::new(opened.index(), releases, history, folder).map_err(failed)?;
    let components = if export.needs_components() { opened.ask(context, progress, Index::all_components)? } else { Vec::new() };
    let outcome = export.write(&components).map_err(failed)?;
    Ok(Exported { releases: opened.index().release_count(), written: outcome.written, unchanged: outcome.unchanged })
}
