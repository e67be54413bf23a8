//! `archive push` and `pull`: a release of the archive put into an OCI registry, and one that stands there taken in. A registry is a place to fetch
//! from and no more: what came out of it is judged as any folder is, before anything is said of it.

use std::io;

use super::super::verify as judged;
use super::super::{Class, Error, Progress};
use super::{Day, Outcome, Request, add, open};
use crate::archive::oci::{self, Credentials, File, Pulled, Pushed, Reference, Registry};
use crate::archive::unpacked::Unpacked;
use crate::archive::{Access, Store as _, objects};
use crate::archived::ReleaseKey;
use crate::base::Context;
use crate::base::text::counted;
use crate::http::{Client, Patience};
use crate::ops::progress::Stage;
use crate::verify::{Rejection, Verified};

/// A release that was to be put into a registry.
#[derive(Debug)]
pub struct Sent {
    pub key: ReleaseKey,
    /// None where its signatures were rejected.
    pub pushed: Option<Pushed>,
    /// None where nobody was named whose signature counts.
    pub signatures: Option<(Result<Box<Verified>, Rejection>, Day)>,
}

/// Puts a release into a registry, its objects compared with their digests before; with a signer its signatures are verified too.
pub fn push(
    context: &Context,
    request: &Request,
    signer: Option<&judged::Request>,
    (entry, reference): (&str, &str),
    progress: &mut dyn Progress,
) -> Result<Sent, Error> {
    let place = place(context, reference, "push to")?;
    if place.digest.is_some() {
        return Err(Error::usage(&format!("{place} names a digest, which follows from the release"))
            .with_help("name a tag, or none for the tag of version and target"));
    }
    let policy = signer.map(|signer| judged::policy(context, signer)).transpose()?;
    let opened = open(context, request, Access::Read, progress)?;
    let release = opened.find_one(entry)?;
    let record = opened.record(release)?;
    let stage = Stage::begin(progress, "verify", &release.key.to_string());
    opened.check_files(&record)?;
    let signatures = match policy {
        None => None,
        Some(policy) => {
            let (outcome, day) = opened.judge(release, &record, &policy)?;
            Some((outcome.map(Box::new), day))
        }
    };
    let key = release.key.clone();
    if let Some((Err(_), _)) = &signatures {
        stage.end(progress, "rejected");
        return Ok(Sent { key, pushed: None, signatures });
    }
    stage.end(progress, &counted(record.files.len(), "file"));

    let stage = Stage::begin(progress, "push", &place.to_string());
    let files: Vec<_> = record
        .files
        .iter()
        .map(|file| File { path: file.path.clone(), sha256: file.sha256, size: file.size, executable: file.executable })
        .collect();
    let content = |file: &File| opened.store.open(&objects::path_of(file.sha256)).map_err(io::Error::other);
    let release = oci::Release { name: &key.name, version: &key.version, target: &key.target, files: &files, open: &content };
    let client = Client::new(&context.env, Patience::default());
    let registry = registry(context, &client, place, true)?;
    let pushed = oci::push(&registry, &release).map_err(|error| told(&error, Class::Output))?;
    stage.end(progress, &pushed.reference);
    Ok(Sent { key, pushed: Some(pushed), signatures })
}

/// Takes in the release that stands in a registry, verified as any other; its files have `limit` bytes at most.
pub fn pull(
    context: &Context,
    request: &Request,
    signer: &judged::Request,
    unsigned: bool,
    (reference, limit): (&str, u64),
    progress: &mut dyn Progress,
) -> Result<(Pulled, Outcome), Error> {
    let place = place(context, reference, "pull from")?;
    // Before anything is fetched.
    if !unsigned {
        judged::policy(context, signer)?;
    }
    let stage = Stage::begin(progress, "fetch", &place.to_string());
    let folder = Unpacked::begin(&context.cache_dir.join(format!("pull-{}", std::process::id())))?;
    let client = Client::new(&context.env, Patience::default());
    let registry = registry(context, &client, place, false)?;
    let pulled = oci::pull(&registry, folder.path(), limit).map_err(|error| told(&error, Class::Undetermined))?;
    stage.end(progress, &counted(pulled.size, "byte"));
    let outcomes = add(context, request, signer, unsigned, &[folder.path().to_owned()], progress)?;
    let outcome = outcomes.into_iter().next().map(|(_, outcome)| outcome);
    outcome.map(|outcome| (pulled, outcome)).ok_or_else(|| Error::usage(&"the registry holds no release under that name"))
}

fn place(context: &Context, reference: &str, action: &str) -> Result<Reference, Error> {
    if context.offline {
        return Err(Error::usage(&format!("--offline leaves no registry to {action}")));
    }
    Reference::parse(reference).map_err(|error| told(&error, Class::Usage))
}

fn registry<'h>(context: &Context, client: &'h Client, place: Reference, writes: bool) -> Result<Registry<'h>, Error> {
    let credentials = Credentials::find(&place.registry, &context.env).map_err(|error| told(&error, Class::Usage))?;
    Ok(Registry::new(client, place, credentials, writes))
}

/// `unreached`: what it means that the registry did not answer, or not as it should.
fn told(error: &oci::Error, unreached: Class) -> Error {
    let (class, rule) = match error {
        oci::Error::Reference(_) | oci::Error::Credentials { .. } | oci::Error::Unauthorized { .. } | oci::Error::Release(_) => {
            (Class::Usage, "")
        }
        oci::Error::Refused { status: 404, .. } if unreached == Class::Undetermined => (Class::Usage, ""),
        oci::Error::Http { .. } | oci::Error::Refused { .. } => (unreached, ""),
        oci::Error::Io { action: "read", .. } => (unreached, ""),
        oci::Error::Io { .. } => (Class::Output, ""),
        oci::Error::Corrupt { .. } => (Class::Rejected, "archive/corrupt: "),
        oci::Error::TooLarge { .. } => (Class::Rejected, ""),
        oci::Error::TagTaken { .. } => (Class::Refused, "archive/immutable: "),
    };
    let told = Error::new(class, &format!("{rule}{error}"));
    match (error.help(), error) {
        (Some(help), _) => told.with_help(help),
        (None, oci::Error::Corrupt { .. }) => told.with_help("nothing of it was taken in; get the release from whoever made it"),
        (None, oci::Error::Http { .. } | oci::Error::Refused { .. }) => told.with_help("try again"),
        (None, _) => told,
    }
}
