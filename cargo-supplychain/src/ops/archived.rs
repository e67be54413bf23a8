//! What `affected`, `rescan` and `archive index` stand on: the policy, the archive, and its index brought up to date.

mod place;

use std::thread;

use camino::Utf8PathBuf;

use super::advisories::NamedFeed;
use super::progress::Shared;
use super::{Class, Error, Progress, advisories, gather};
use crate::archive::Access;
use crate::archive::index::{self, Index, Source, Unread};
use crate::archived::Head;
use crate::archived::index::Corrupt;
use crate::base::Context;
use crate::base::text::counted;
use crate::check::archived::Known;
use crate::config::Settings;
use crate::document::affected::AskedArchive;
use crate::feeds::Which;
use crate::finding::{Area, NotEvaluated};
use crate::model::native::known;

pub(super) use place::Archive;

/// Which archive, by which policy.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--archive`, over `[archive]` of the policy.
    pub archive: Option<String>,
    /// `--policy`, instead of supplychain.toml in the working folder.
    pub policy: Option<Utf8PathBuf>,
    /// `--advisory-db`, over `[advisories] database`.
    pub advisory_db: Option<String>,
    /// `--feed`: in the place of those of the policy that are of the same kind.
    pub feeds: Vec<NamedFeed>,
    /// `--vex`: documents of others about vulnerabilities, besides those of the policy.
    pub vex: Vec<Utf8PathBuf>,
    /// A head that was kept elsewhere: the archive has to continue it.
    pub expect_head: Option<Head>,
    /// `--supported`: only releases that the policy says are supported.
    pub supported: bool,
}

/// An archive with its index.
pub(super) struct Opened {
    pub settings: Settings,
    pub archive: Archive,
    index: Index,
}

impl Opened {
    /// Reads the policy, opens the archive and brings the index up to date.
    pub(super) fn new(context: &Context, request: &Request, access: Access, progress: &mut dyn Progress) -> Result<Self, Error> {
        Self::by(settings(context, request)?, context, request, access, progress)
    }

    /// That, and those advisories of today that are asked for. Neither waits for the other.
    pub(super) fn with_advisories(
        context: &Context,
        request: &Request,
        which: Which<'_>,
        access: Access,
        progress: &mut dyn Progress,
    ) -> Result<(Self, Known), Error> {
        let settings = settings(context, request)?;
        let progress = Shared::new(progress);
        let (opened, advisories) = thread::scope(|scope| {
            let advisories = scope.spawn(|| load_advisories(context, request, &settings, which, &mut &progress));
            let opened = Self::by(settings.clone(), context, request, access, &mut &progress);
            (opened, advisories.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        Ok((opened?, advisories?))
    }

    fn by(
        settings: Settings,
        context: &Context,
        request: &Request,
        access: Access,
        progress: &mut dyn Progress,
    ) -> Result<Self, Error> {
        let archive = Archive::open(context, request.archive.as_deref(), request.policy.as_deref(), access, progress)?;
        let index = bring(context, &archive, false, progress)?;
        if let Some(expected) = request.expect_head {
            archive.expect_head(expected, index.head())?;
        }
        Ok(Self { settings, archive, index })
    }

    /// The index.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Asks the index; one that turns out to be damaged is made again, once.
    pub(super) fn ask<T>(
        &mut self,
        context: &Context,
        progress: &mut dyn Progress,
        question: impl Fn(&Index) -> Result<T, Corrupt>,
    ) -> Result<T, Error> {
        match question(&self.index) {
            Ok(answer) => return Ok(answer),
            Err(why) => progress.note(&format!("the index of the archive is made again: {why}")),
        }
        self.index = bring(context, &self.archive, true, progress)?;
        question(&self.index).map_err(|why| {
            let folder = Index::folder(&context.cache_dir, self.index.archive());
            Error::usage(&format!("cannot read the index in {folder}: {why}"))
                .with_help("name another cache with --cache-dir DIR")
        })
    }

    /// The archive, for an answer.
    pub(super) fn asked(&self) -> AskedArchive {
        AskedArchive { place: self.archive.place(), id: self.index.archive(), head: self.index.head().to_string() }
    }

    /// What is not known of what is archived: a release whose inventory could not be read may have anything in it.
    pub(super) fn unknown(&self) -> Vec<NotEvaluated> {
        let unknown = |(sequence, why): (u64, &str)| NotEvaluated {
            area: Area::Advisories,
            check: "inventory".to_owned(),
            why: format!("what is in the release of entry {sequence} is not known: {why}"),
            required: true,
            help: "run `cargo supplychain archive verify`, and bring the object back from a copy".to_owned(),
        };
        self.index.unreadable().map(unknown).collect()
    }
}

fn settings(context: &Context, request: &Request) -> Result<Settings, Error> {
    gather::settings(context, request.policy.as_deref(), &context.cwd, None).map(|(settings, _)| settings)
}

/// The advisories of today; all of them for what is archived, which may have any crate in it.
pub(super) fn load_advisories(
    context: &Context,
    request: &Request,
    settings: &Settings,
    which: Which<'_>,
    progress: &mut dyn Progress,
) -> Result<Known, Error> {
    let wanted = advisories::Wanted {
        given: request.advisory_db.as_deref(),
        revision: None,
        feeds: &request.feeds,
        settings,
        root: &context.cwd,
        workspace: None,
        which,
        libraries: &known::libraries().into_iter().map(str::to_owned).collect(),
        vex: &request.vex,
        base: None,
    };
    advisories::load(context, &wanted, progress)
}

/// Brings the index of an archive up to date, or makes it again.
pub(super) fn bring(context: &Context, source: &dyn Source, remake: bool, progress: &mut dyn Progress) -> Result<Index, Error> {
    let opened = index::open(source, &context.cache_dir, remake, &mut |count| {
        progress.status(&format!("Reading {}", counted(count, "archived release")));
    });
    let (index, brought) = opened.map_err(|error| told(&error))?;
    if let Some(why) = brought.remade {
        progress.note(&format!("the index of the archive was made again: {why}"));
    }
    Ok(index)
}

/// An error of the index, with its exit code.
pub(super) fn told(error: &index::Error) -> Error {
    match error {
        index::Error::Archive(Unread::Unreadable(_)) | index::Error::Empty | index::Error::Corrupt(_) => Error::usage(error),
        index::Error::Archive(Unread::Corrupt(_)) | index::Error::Broken { .. } => {
            Error::new(Class::Rejected, &format!("archive/corrupt: {error}"))
                .with_help("run `cargo supplychain archive verify` to see what is damaged")
        }
        index::Error::RolledBack { .. } => Error::new(Class::Refused, error).with_help(
            "entries were removed or rewritten: bring back the newer state; if the older one is meant, say so with \
             `cargo supplychain archive index forget`",
        ),
        index::Error::Cache { .. } => Error::new(Class::Output, error).with_help("name another cache with --cache-dir DIR"),
    }
}
