//! What is known of vulnerabilities, brought for whoever judges by it: `check` for what is locked, `affected` and `rescan` for what was archived.
//! The RustSec database with what other databases add to it, and the sources of signals.

use std::collections::BTreeSet;
use std::sync::Mutex;

use camino::{Utf8Path, Utf8PathBuf};

use super::before::Base;
use super::judge::DATABASE_HELP;
use super::{Error, Progress, vex_sources};
use crate::advisory::signals::is_cve;
use crate::advisory::{Advisory, Signals};
use crate::base::{Context, Http, Timestamp};
use crate::check::archived::{Database, Known};
use crate::check::{Feed, Sources};
use crate::collect::cargo_config::cargo_home;
use crate::config::{MaxAge, Settings, SourcePlace};
use crate::feeds::Which;
use crate::feeds::rustsec;
use crate::feeds::sources::{self, Place, Source, Surroundings};
use crate::http::{Client, Patience};
use crate::model::feed::FeedKind;

/// A source as `--feed KIND=PLACE` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFeed {
    pub kind: FeedKind,
    /// A path, relative to the working folder, or a URL.
    pub place: String,
}

/// Which of it.
pub(super) struct Wanted<'a> {
    /// `--advisory-db`: a path is relative to the working folder.
    pub given: Option<&'a str>,
    /// `--advisory-db-rev`: the commit that it has to be at.
    pub revision: Option<&'a str>,
    /// `--feed`: in the place of those of the policy that are of the same kind.
    pub feeds: &'a [NamedFeed],
    pub settings: &'a Settings,
    /// What a path of the policy is relative to.
    pub root: &'a Utf8Path,
    /// No program below it is run.
    pub workspace: Option<&'a Utf8Path>,
    /// Which advisories.
    pub which: Which<'a>,
    /// Libraries that are no crates, whose release lines and records are looked up.
    pub libraries: &'a BTreeSet<String>,
    /// `--vex`: besides the documents that the policy names.
    pub vex: &'a [Utf8PathBuf],
    /// `--base`: what the policy names is read as of this revision.
    pub base: Option<&'a Base>,
}

/// Loads it; the inner error of the database is why there is none, and what to do.
pub(super) fn load(context: &Context, wanted: &Wanted<'_>, progress: &mut dyn Progress) -> Result<Known, Error> {
    let (mut database, of_database) = database(context, wanted, progress)?;
    let brought = bring(context, wanted, false, progress)?;
    if let Ok(database) = &mut database {
        let others = brought.iter().filter_map(|one| one.source.as_ref().ok()).filter(|source| source.kind == FeedKind::Osv);
        let before = database.advisories.len();
        database.advisories.extend(others.flat_map(|source| source.advisories(wanted.which)));
        if database.advisories.len() > before {
            database.advisories.sort_by(|a, b| (&a.package, &a.id).cmp(&(&b.package, &b.id)));
        }
    }
    let advisories = database.as_ref().map_or(&[][..], |database| &database.advisories);
    let signals = signals(&brought, advisories, wanted);
    let feeds = brought.into_iter().map(Brought::feed).collect();
    let vex = vex_sources::read(context, wanted, &mut |line| progress.note(line))?;
    Ok(Known { database, sources: Sources { feeds, signals, vex, ..of_database } })
}

/// The sources without the database.
pub(super) fn sources(context: &Context, wanted: &Wanted<'_>, progress: &mut dyn Progress) -> Result<Sources, Error> {
    let brought = bring(context, wanted, false, progress)?;
    let signals = signals(&brought, &[], wanted);
    Ok(Sources { feeds: brought.into_iter().map(Brought::feed).collect(), signals, ..Sources::default() })
}

/// The database, and what is to be said of where it comes from.
fn database(context: &Context, wanted: &Wanted<'_>, progress: &mut dyn Progress) -> Result<(Database, Sources), Error> {
    let (database, base) = match wanted.given {
        Some(database) => (Some(database), context.cwd.as_path()),
        None => (wanted.settings.advisories.database.as_deref(), wanted.root),
    };
    let home = cargo_home(&context.env, &context.cwd);
    let progress = Mutex::new(progress);
    let request = rustsec::RustsecRequest {
        database,
        revision: wanted.revision,
        base,
        cache_dir: &context.cache_dir,
        cargo_home: home.as_deref(),
        workspace: wanted.workspace,
        env: &context.env,
        offline: context.offline,
        which: wanted.which,
        progress: &|line| progress.lock().expect("no progress panics").status(line),
    };
    let database = match rustsec::load(&request) {
        Ok(database) => Ok(database),
        Err(rustsec::Error::Unavailable { why, help }) => Err((why, help)),
        Err(error) => return Err(Error::usage(&error).with_help(DATABASE_HELP)),
    };
    let (database_rolled_back, database_modified) = (rustsec::rolled_back(&request), rustsec::modified(&request));
    Ok((database, Sources { database_rolled_back, database_modified, ..Sources::default() }))
}

/// A source, or why there is none.
pub(super) struct Brought {
    pub kind: FeedKind,
    pub place: Place,
    max_age: MaxAge,
    pub source: Result<Source, (String, String)>,
}

impl Brought {
    fn feed(self) -> Feed {
        let place = self.place.shown();
        match self.source {
            Ok(source) => {
                let (state, rolled_back) = (Ok(source.info), source.rolled_back);
                Feed { kind: self.kind, place, max_age: self.max_age, state, rolled_back }
            }
            Err(why) => Feed { kind: self.kind, place, max_age: self.max_age, state: Err(why), rolled_back: None },
        }
    }
}

/// Brings every source that is named: on the command line, else by the policy, else what `fetch` has brought from where it is published.
pub(super) fn bring(
    context: &Context,
    wanted: &Wanted<'_>,
    renew: bool,
    progress: &mut dyn Progress,
) -> Result<Vec<Brought>, Error> {
    let client = (!context.offline).then(|| Client::new(&context.env, Patience::default()));
    let progress = Mutex::new(progress);
    let tell = |line: &str| progress.lock().expect("no progress panics").status(line);
    let with = Surroundings {
        cache_dir: &context.cache_dir,
        http: client.as_ref().map(|client| client as &dyn Http),
        now: latest(context.now),
        renew,
        progress: &tell,
    };
    let mut all = Vec::new();
    for kind in FeedKind::ALL {
        let named = named(context, wanted, kind);
        if named.is_empty() {
            // Nobody asked for it: it is used where it is, and fetched by `fetch` only.
            let fetched = kind.default_url().and_then(|url| Some((url, sources::cached(kind, url, &with)?)));
            let max_age = MaxAge::Days(kind.default_max_age());
            all.extend(fetched.map(|(url, source)| Brought {
                kind,
                place: Place::Url(url.to_owned()),
                max_age,
                source: Ok(source),
            }));
        }
        for (place, max_age) in named {
            let source = match sources::bring(kind, &place, &with) {
                Ok(source) => Ok(source),
                Err(sources::Error::Unavailable { why, help }) => Err((why, help)),
                Err(error) => return Err(Error::usage(&error).with_help(format!("name a file with `--feed {kind}=PATH`"))),
            };
            all.push(Brought { kind, place, max_age, source });
        }
    }
    Ok(all)
}

/// What a source says of its day is compared with the later of the two clocks: `--now` may lie in the past of a file that is in order.
#[expect(clippy::disallowed_methods, reason = "whether a day has come is a fact of the machine, not of the judgement")]
fn latest(now: Timestamp) -> Timestamp {
    let seconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    i64::try_from(seconds).ok().and_then(Timestamp::from_unix).map_or(now, |clock| clock.max(now))
}

fn named(context: &Context, wanted: &Wanted<'_>, kind: FeedKind) -> Vec<(Place, MaxAge)> {
    let of_policy: Vec<_> = wanted.settings.advisories.sources.iter().filter(|source| source.kind == kind).collect();
    let max_age = of_policy.first().map_or(MaxAge::Days(kind.default_max_age()), |source| source.max_age);
    let given = wanted.feeds.iter().filter(|feed| feed.kind == kind);
    let given: Vec<_> = given.map(|feed| (place_of(&feed.place, &context.cwd), max_age)).collect();
    if !given.is_empty() {
        return given;
    }
    let of_policy = of_policy.into_iter().map(|source| match &source.place {
        SourcePlace::Path(path) => (Place::Path(wanted.root.join(path)), source.max_age),
        SourcePlace::Url(url) => (Place::Url(url.clone()), source.max_age),
    });
    of_policy.collect()
}

fn place_of(text: &str, base: &Utf8Path) -> Place {
    if text.contains("://") { Place::Url(text.to_owned()) } else { Place::Path(base.join(text)) }
}

/// What the sources say of all that may turn out to be hit.
fn signals(brought: &[Brought], advisories: &[Advisory], wanted: &Wanted<'_>) -> Signals {
    let of_advisories = advisories.iter().flat_map(Advisory::ids).filter(|id| is_cve(id)).map(str::to_owned);
    let mut asked = sources::Wanted { cves: of_advisories.collect(), libraries: wanted.libraries.clone() };
    let sources = || brought.iter().filter_map(|one| one.source.as_ref().ok());
    match wanted.which {
        Which::Named(id) => asked.cves.extend(Some(id.to_ascii_uppercase()).filter(|id| is_cve(id))),
        Which::All | Which::OfPackages(_) => {
            for source in sources().filter(|source| source.kind == FeedKind::Cve) {
                asked.cves.extend(source.records_of(wanted.libraries));
            }
            asked.cves.extend(crate::check::exploited_elsewhere());
        }
    }
    let mut signals = Signals::default();
    for source in sources() {
        source.tell(&asked, &mut signals);
    }
    signals
}
