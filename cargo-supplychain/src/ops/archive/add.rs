//! `archive add`: a release is verified, and what was verified is what is stored; the entry that names it comes last.

use camino::{Utf8Path, Utf8PathBuf};

use super::super::verify as judged;
use super::super::{Class, Error, Progress};
use super::{Request, changed, check_record, open_store};
use crate::advisory::FeedInfo;
use crate::archive::{Access, Chain, Generations, objects};
use crate::archived::inventory::{MAX_BUILD_BYTES, inventory_of};
use crate::archived::{Admission, ArchivedRelease, Event, FORMAT_VERSION, Head, Record, RecordFile, ReleaseKey};
use crate::base::{Context, Sha256};
use crate::collect::release_folder::{self, is_executable};
use crate::files;
use crate::ops::progress::Stage;
use crate::verify::{self, Entry, FileEntry, LOCKFILE, Rejection, ReleaseContents, TrustRoots, VerificationPolicy, Verified};

const BUILD: &str = "evidence/build.json";
const FEEDS: &str = "evidence/feeds.json";
const MAX_FEEDS_BYTES: u64 = 4 * 1024 * 1024;

/// What came of one release folder.
#[derive(Debug)]
pub enum Outcome {
    Added(Box<Added>),
    /// It does not verify, and was not archived.
    Rejected(Rejection),
}

/// A release that is in the archive now.
#[derive(Debug)]
pub struct Added {
    pub key: ReleaseKey,
    /// The entry that it came in with.
    pub sequence: u64,
    /// Digest of its record.
    pub record: Sha256,
    pub files: usize,
    pub admission: Admission,
    /// Whether it was there before, file by file the same.
    pub existed: bool,
    /// The archive's head now: to be kept elsewhere.
    pub head: Head,
    pub place: String,
}

/// Archives release folders. `signer` says whose releases come in; with `unsigned` everything but the signatures is judged, and that is
/// recorded.
pub fn add(
    context: &Context,
    request: &Request,
    signer: &judged::Request,
    unsigned: bool,
    folders: &[Utf8PathBuf],
    progress: &mut dyn Progress,
) -> Result<Vec<(Utf8PathBuf, Outcome)>, Error> {
    // Whom to accept is settled before anything is written.
    let (policy, roots) = match unsigned {
        true => (None, judged::trusted_roots(context, signer)?),
        false => {
            let policy = judged::policy(context, signer)?;
            let roots = policy.roots().cloned().unwrap_or_else(TrustRoots::embedded);
            (Some(policy), roots)
        }
    };
    let mut outcomes = Vec::new();
    for folder in folders {
        let stage = Stage::begin(progress, "verify", folder.as_str());
        let place = context.cwd.join(folder);
        let contents = release_folder::read(&place)
            .map_err(|error| Error::usage(&error).with_help("name release folders, as `build` writes them"))?;
        let incoming = match judge(&contents, policy.as_ref()) {
            Ok(incoming) => incoming,
            Err(rejection) => {
                stage.end(progress, "rejected");
                outcomes.push((folder.clone(), Outcome::Rejected(rejection)));
                continue;
            }
        };
        stage.end(progress, &incoming.key.to_string());
        let stage = Stage::begin(progress, "archive", &incoming.key.to_string());
        let (store, _, _) = open_store(context, request.archive.as_deref(), request.policy.as_deref(), Access::Write, progress)?;
        let mut chain = Chain::open_or_begin(&store, context.now, &nonce()?)?;
        if let Some(head) = request.expect_head {
            chain.expect_head(head)?;
        }
        let folder_at = &place;
        let adding = Adding { context, store: &store, folder: folder_at, contents: &contents };
        let added = adding.add(&mut chain, incoming, &roots)?;
        stage.end(progress, if added.existed { "exists, identical" } else { "added" });
        outcomes.push((folder.clone(), Outcome::Added(Box::new(added))));
    }
    Ok(outcomes)
}

/// Makes a new archive's identity its own.
fn nonce() -> Result<String, Error> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::new(Class::Output, &"the system has no random numbers"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub(super) struct Incoming {
    pub(super) key: ReleaseKey,
    pub(super) admission: Admission,
}

fn judge(contents: &ReleaseContents, policy: Option<&VerificationPolicy>) -> Result<Incoming, Rejection> {
    let Some(policy) = policy else {
        let unsigned = verify::unsigned(contents)?;
        let manifest = unsigned.manifest();
        let key = ReleaseKey { name: manifest.name.clone(), version: manifest.version.clone(), target: manifest.target.clone() };
        return Ok(Incoming { key, admission: Admission::Unsigned });
    };
    let verified = verify::release(contents, policy)?;
    let word = |word: Option<&str>| word.unwrap_or_default().to_owned();
    let key = ReleaseKey { name: verified.name().to_owned(), version: word(verified.version()), target: word(verified.target()) };
    Ok(Incoming { key, admission: admission(&verified, policy) })
}

fn admission(verified: &Verified, policy: &VerificationPolicy) -> Admission {
    // Of several keys, the one that has signed.
    if let Some(key) = policy.keys().iter().find(|key| key.fingerprint() == verified.signer()) {
        return Admission::Key { fingerprint: key.fingerprint(), pem: key.to_pem() };
    }
    let identity = verified.signatures().iter().find_map(|one| one.identity.as_ref());
    let issuer = identity.map_or_else(String::new, |identity| identity.issuer.clone());
    Admission::Identity { subject: verified.signer().to_owned(), issuer }
}

pub(super) struct Adding<'a> {
    pub(super) context: &'a Context,
    pub(super) store: &'a Generations,
    pub(super) folder: &'a Utf8Path,
    pub(super) contents: &'a ReleaseContents,
}

impl Adding<'_> {
    pub(super) fn add(&self, chain: &mut Chain, incoming: Incoming, roots: &TrustRoots) -> Result<Added, Error> {
        let Incoming { key, admission } = incoming;
        let files = self.files()?;
        let added = |chain: &Chain, sequence, record, existed| Added {
            key: key.clone(),
            sequence,
            record,
            files: files.len(),
            admission: admission.clone(),
            existed,
            head: chain.head(),
            place: chain.place().to_owned(),
        };
        let (mut stored, mut there) = (None, None);
        let head = chain.append_if(self.store, self.context.now, |chain| {
            // Another writer may have brought it in meanwhile.
            there = self.existing(chain, &key, &files)?;
            if there.is_some() {
                return Ok(None);
            }
            let last = self.store.last()?;
            let record = match stored {
                Some((before, record)) if before == last => record,
                // The first time; or something was given up since, which may be ours.
                _ => self.put_in_place(&key, &admission, &files, roots)?,
            };
            stored = Some((last, record));
            let ReleaseKey { name, version, target } = key.clone();
            Ok::<_, Error>(Some(Event::Release { name, version, target, record }))
        })?;
        Ok(match (head, there, stored) {
            (Some(head), _, Some((_, record))) => added(chain, head.sequence, record, false),
            (None, Some(there), _) => added(chain, there.sequence, there.record, true),
            _ => return Err(Error::new(Class::Output, &"nothing was archived")),
        })
    }

    /// Puts everything in place that the release needs; the digest of its record.
    fn put_in_place(
        &self,
        key: &ReleaseKey,
        admission: &Admission,
        files: &[RecordFile],
        roots: &TrustRoots,
    ) -> Result<Sha256, Error> {
        for file in files {
            let path = self.folder.join(&file.path);
            objects::put_stream(self.store, file.sha256, || files::open_no_follow(&path)).map_err(|error| match error {
                objects::Error::Changed { .. } => changed(&format!("{path} is not what was verified")),
                objects::Error::Source(error) => self.gone(&file.path, &error),
                error => error.into(),
            })?;
        }
        let mut trusted_roots = Vec::new();
        for (_, document) in roots.documents() {
            trusted_roots.push(objects::put(self.store, document)?);
        }
        trusted_roots.sort();
        trusted_roots.dedup();
        let record = Record {
            format_version: FORMAT_VERSION,
            name: key.name.clone(),
            version: key.version.clone(),
            target: key.target.clone(),
            files: files.to_vec(),
            admission: admission.clone(),
            trusted_roots,
            feeds: self.feeds()?,
            inventory: self.inventory()?,
        };
        record.check().map_err(|why| Error::usage(&format!("{} cannot be archived: {why}", self.folder)))?;
        objects::put_value(self.store, &record).map_err(Error::from)
    }

    /// The release as it is in the archive; that it is there with other files is an error.
    fn existing(&self, chain: &Chain, key: &ReleaseKey, files: &[RecordFile]) -> Result<Option<ArchivedRelease>, Error> {
        let Some(there) = chain.state().latest(key) else { return Ok(None) };
        let record: Record = objects::get_value(self.store, there.record)?;
        check_record(&record, there).map_err(|why| super::corrupt(&format!("the record of {key}: {why}")))?;
        if record.files == files {
            // One that was pruned may come back as it was.
            return Ok(there.is_kept().then(|| there.clone()));
        }
        let differs = differing(&record.files, files);
        Err(Error::new(
            Class::Refused,
            &format!("archive/immutable: {key} is in the archive {} with other files: {differs}", chain.place()),
        )
        .with_help("a release is never replaced: give the new one a version of its own")
        .with_help(format!("what is archived: `cargo supplychain archive show {key}`")))
    }

    fn files(&self) -> Result<Vec<RecordFile>, Error> {
        let mut files = Vec::new();
        for (path, entry) in self.contents.iter() {
            let Entry::File(file) = entry else { continue };
            let executable = is_executable(&self.folder.join(path)).map_err(|error| self.gone(path, &error))?;
            files.push(RecordFile { path: path.to_owned(), size: file.size(), sha256: file.sha256(), executable });
        }
        Ok(files)
    }

    fn gone(&self, path: &str, error: &std::io::Error) -> Error {
        changed(&format!("{} was verified and cannot be read any more: {error}", self.folder.join(path)))
    }

    /// The bytes of a file that were verified.
    fn bytes(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let Some(Entry::File(file)) = self.contents.get(path) else { return Ok(None) };
        if let Some(bytes) = FileEntry::bytes(file) {
            return Ok(Some(bytes.to_vec()));
        }
        let place = self.folder.join(path);
        let bytes = files::read(&place, limit).map_err(|error| self.gone(path, &error))?;
        match Sha256::of(&bytes) == file.sha256() {
            true => Ok(Some(bytes)),
            false => Err(changed(&format!("{place} is not what was verified"))),
        }
    }

    fn inventory(&self) -> Result<Sha256, Error> {
        let cannot = |why: &str| {
            Error::usage(&format!("what is in {} cannot be told: {why}", self.folder.join(BUILD)))
                .with_help("an archive finds releases by their components, so that it takes only those that name them")
        };
        let build = self.bytes(BUILD, MAX_BUILD_BYTES as u64)?.ok_or_else(|| cannot("it is missing"))?;
        let lockfile = self.bytes(LOCKFILE, verify::MAX_CONTROL_BYTES)?;
        let inventory = inventory_of(&build, lockfile.as_deref()).map_err(|why| cannot(&why))?;
        objects::put_value(self.store, &inventory).map_err(Error::from)
    }

    fn feeds(&self) -> Result<Vec<FeedInfo>, Error> {
        let Some(bytes) = self.bytes(FEEDS, MAX_FEEDS_BYTES)? else { return Ok(Vec::new()) };
        serde_json::from_slice(&bytes).map_err(|error| Error::usage(&format!("{}: {error}", self.folder.join(FEEDS))))
    }
}

/// The first few paths that differ, for the message.
fn differing(archived: &[RecordFile], other: &[RecordFile]) -> String {
    let differs = |one: &&RecordFile, list: &[RecordFile]| !list.contains(one);
    let mut paths: Vec<_> = archived.iter().filter(|one| differs(one, other)).map(|one| one.path.as_str()).collect();
    paths.extend(other.iter().filter(|one| differs(one, archived)).map(|one| one.path.as_str()));
    paths.sort_unstable();
    paths.dedup();
    let more = paths.len().saturating_sub(5);
    paths.truncate(5);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    paths.join(", ") + &rest
}
