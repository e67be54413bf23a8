//! Which trusted roots count: a file that the user named, those renewed from a repository, those embedded; how old they may be, and their
//! renewal. Only `fetch` and signing ask a network; a verification never does.

use std::time::Duration;

use camino::Utf8Path;

use super::progress::Stage;
use super::{Class, Error, Progress};
use crate::base::text::plain;
use crate::base::{Context, Timestamp};
use crate::config::{MaxAge, Settings, TrustRootSettings};
use crate::feeds::tuf::{self, GITHUB, Instance, Question, SIGSTORE, Trusted};
use crate::files;
use crate::http::{Client, Patience};
use crate::sign::keyless::{Services, TrustRoot};
use crate::verify::{PublicInstance, RootFacts, TrustRoots, Verified};

/// Larger than any `root.json`.
const MAX_ROOT_BYTES: u64 = 1 << 20;
/// The longest that one answer is waited for, and the whole of a renewal.
const ANSWER: Duration = Duration::from_secs(20);
const RENEWAL: Duration = Duration::from_secs(60);
/// What a renewal before signing may take: there is a root already.
const BEFORE_SIGNING: Duration = Duration::from_secs(15);

const RENEW: &str = "renew it with `cargo supplychain fetch trust-root`";

/// An instance that one run knows: the user's own, or a public one.
struct Known {
    name: String,
    url: String,
    root: Vec<u8>,
    public: Option<PublicInstance>,
}

impl Known {
    fn of(instance: &Instance<'_>, public: PublicInstance) -> Self {
        let Instance { name, url, root } = *instance;
        Self { name: name.to_owned(), url: url.to_owned(), root: root.to_vec(), public: Some(public) }
    }

    fn instance(&self) -> Instance<'_> {
        Instance { name: &self.name, url: &self.url, root: &self.root }
    }

    /// What was fetched, where it is not older than what came with this program.
    fn cached(&self, context: &Context) -> Option<Trusted> {
        let embedded = self.public.map(TrustRoots::embedded_of);
        let embedded = embedded.and_then(|roots| roots.facts().find_map(|facts| facts.current_until));
        tuf::cached(&context.cache_dir, &self.instance()).filter(|trusted| Some(trusted.current_until) >= embedded)
    }

    fn roots(&self, trusted: &Trusted) -> Result<TrustRoots, String> {
        TrustRoots::renewed(&self.name, &trusted.trusted_root, trusted.current_until).map_err(|error| error.to_string())
    }

    fn renew(&self, context: &Context, within: Duration) -> Result<Trusted, tuf::Error> {
        let client = Client::new(&context.env, Patience { whole: ANSWER, ..Patience::default() });
        tuf::refresh(Question {
            http: Box::new(client),
            cache_dir: &context.cache_dir,
            instance: self.instance(),
            now: context.now,
            within,
            is_usable: &|trusted| self.roots(trusted).map(|_| ()),
        })
    }
}

/// The instances of a run; `root` is what the policy's paths are relative to.
fn known(settings: &TrustRootSettings, root: &Utf8Path) -> Result<Vec<Known>, Error> {
    let (Some(url), Some(file)) = (&settings.url, &settings.root) else {
        return Ok(vec![Known::of(&SIGSTORE, PublicInstance::Sigstore), Known::of(&GITHUB, PublicInstance::GitHub)]);
    };
    let path = root.join(file);
    let unreadable = |error: std::io::Error| {
        Error::usage(&format!("cannot read {path}: {error}"))
            .with_help("[trust-root] root is a root.json of the repository, from whoever runs the instance")
    };
    let bytes = files::read(&path, MAX_ROOT_BYTES).map_err(unreadable)?;
    Ok(vec![Known { name: plain(url).into_owned(), url: url.clone(), root: bytes, public: None }])
}

/// The roots that signatures are verified against where no file is named. Asks nobody.
pub(super) fn for_verification(context: &Context, settings: &Settings, root: &Utf8Path) -> Result<TrustRoots, Error> {
    let mut all = Vec::new();
    for one in known(&settings.trust_root, root)? {
        let renewed = one.cached(context).and_then(|trusted| one.roots(&trusted).ok());
        all.push(match (renewed, one.public) {
            (Some(roots), _) => roots,
            (None, Some(public)) => TrustRoots::embedded_of(public),
            (None, None) => return Err(never_fetched(&one.name)),
        });
    }
    Ok(TrustRoots::joined(all))
}

fn never_fetched(name: &str) -> Error {
    Error::new(Class::Undetermined, &format!("there is no trusted root of {name} in the cache"))
        .with_help("fetch it with `cargo supplychain fetch trust-root`")
}

/// What keyless signing asks, and what its signatures are judged by.
pub(super) struct ForSigning {
    pub(super) services: Services,
    pub(super) root: TrustRoot,
    /// The same root, for the verification of what was signed.
    pub(super) roots: TrustRoots,
}

/// What an instance publishes for signing, renewed where it is no longer current. `None`: what came with this program.
pub(super) fn for_signing(
    context: &Context,
    settings: &Settings,
    root: &Utf8Path,
    progress: &mut dyn Progress,
) -> Result<Option<ForSigning>, Error> {
    let Some(one) = known(&settings.trust_root, root)?.into_iter().next() else { return Ok(None) };
    let mut trusted = one.cached(context);
    if !context.offline && trusted.as_ref().is_none_or(|trusted| trusted.current_until < context.now) {
        match one.renew(context, BEFORE_SIGNING) {
            Ok(renewed) => trusted = Some(renewed),
            // What is signed is judged by the root that is there, so that an older one can only refuse.
            Err(error) if trusted.is_some() || one.public.is_some() => progress.note(&error.to_string()),
            Err(error) => return Err(of_renewal(&error)),
        }
    }
    let Some(trusted) = trusted else {
        return if one.public.is_some() { Ok(None) } else { Err(never_fetched(&one.name)) };
    };
    let usable = || {
        let config = trusted.signing_config.as_ref().ok_or("there is no signing configuration")?;
        let (services, root) = (Services::parse(config)?, TrustRoot::parse(&trusted.trusted_root)?);
        Ok::<_, String>(ForSigning { services, root, roots: one.roots(&trusted)? })
    };
    match usable() {
        Ok(found) => Ok(Some(found)),
        Err(why) if one.public.is_some() => {
            progress.note(&format!("what {} publishes for signing cannot be used, what is built in is: {why}", one.name));
            Ok(None)
        }
        Err(why) => Err(Error::usage(&format!("what {} publishes for signing cannot be used: {why}", one.name))
            .with_help("name files with --signing-config and --trusted-root")),
    }
}

/// Why a success does not count: the root behind it was not known to be current for too long.
pub(super) fn too_old(context: &Context, settings: &Settings, verified: &Verified) -> Option<Error> {
    let MaxAge::Days(days) = settings.trust_root.max_age else { return None };
    let is_old = |facts: &&RootFacts| {
        facts.current_until.is_some_and(|until| context.now.unix() - until.unix() > i64::from(days) * 24 * 60 * 60)
    };
    let facts = verified.signatures().iter().filter_map(|one| one.trusted_root.as_ref()).find(is_old)?;
    let until = facts.current_until.map(Timestamp::date).unwrap_or_default();
    let message = format!(
        "{}: the signature holds by a trusted root of {} that was last known to be current on {until}, more than {days} days ago",
        verified.name(),
        facts.name
    );
    let error = Error::new(Class::Undetermined, &message);
    Some(error.with_help(RENEW).with_help("or name one with --trusted-root FILE, or allow it with [trust-root] max-age"))
}

/// A renewal.
#[derive(Debug)]
pub struct Fetched {
    pub url: String,
    pub root: RootFacts,
    pub root_version: u64,
    pub version: u64,
    /// Whether it is another root than the one that counted before.
    pub is_new: bool,
}

/// Renews the roots of all instances of the run. One that fails keeps no other from being renewed; the first failure is the run's.
pub fn fetch(
    context: &Context,
    settings: &Settings,
    root: &Utf8Path,
    progress: &mut dyn Progress,
) -> Result<Vec<Fetched>, Error> {
    let (mut fetched, mut failure) = (Vec::new(), None);
    for one in known(&settings.trust_root, root)? {
        let stage = Stage::begin(progress, "fetch", &plain(&one.url));
        let before = one.cached(context).map(|trusted| trusted.trusted_root);
        match one.renew(context, RENEWAL) {
            Ok(trusted) => {
                let roots = one.roots(&trusted).map_err(|why| Error::usage(&why))?;
                stage.end(progress, &format!("trusted root, current until {}", trusted.current_until));
                let facts = roots.facts().next().cloned();
                fetched.extend(facts.map(|root| Fetched {
                    url: one.url.clone(),
                    root,
                    root_version: trusted.root_version,
                    version: trusted.version,
                    is_new: before.as_ref() != Some(&trusted.trusted_root),
                }));
            }
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    failure.map_or(Ok(fetched), |error| Err(of_renewal(&error)))
}

fn of_renewal(error: &tuf::Error) -> Error {
    let (class, help) = match error {
        tuf::Error::Unavailable { .. } => (Class::Undetermined, "check the network; what was trusted before still is"),
        tuf::Error::Expired { .. } => {
            (Class::Undetermined, "somebody holds back what is newer, or the instance is no longer tended: ask by another way")
        }
        tuf::Error::Rejected { .. } => (Class::Rejected, "nothing of it was taken over; what was trusted before still is"),
        tuf::Error::Unwritable { .. } => (Class::Output, "name another cache with --cache-dir"),
    };
    Error::new(class, error).with_help(help)
}
