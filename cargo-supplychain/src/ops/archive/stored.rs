//! A release judged out of the archive: its files are the objects that its record names, its trusted roots those of the day on which it came in.

use super::super::Error;
use super::Opened;
use crate::archive::objects;
use crate::archived::{ArchivedRelease, Record};
use crate::base::Timestamp;
use crate::verify::{
    self, MAX_CONTROL_BYTES, MAX_TRUSTED_ROOT_BYTES, Rejection, ReleaseContents, Rotated, TrustRoots, VerificationPolicy,
    Verified, needs_bytes,
};

/// By which trusted roots a release was judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// When it came in.
    pub archived: Timestamp,
    /// What of the roots of that day is in none of today, or has ended.
    pub rotated: Vec<Rotated>,
}

impl Opened {
    /// The release folder, as far as verification looks at it. Digests of files whose bytes it does not need are those of the record: who
    /// wants them compared with the objects compares them beside.
    pub(super) fn contents(&self, record: &Record) -> Result<ReleaseContents, Error> {
        let mut contents = ReleaseContents::default();
        for file in &record.files {
            if needs_bytes(&file.path) && file.size <= MAX_CONTROL_BYTES {
                let bytes = objects::get(&self.store, file.sha256, MAX_CONTROL_BYTES)?;
                contents.insert_bytes(&file.path, bytes);
            } else {
                contents.insert_digest(&file.path, file.size, file.sha256);
            }
        }
        Ok(contents)
    }

    /// The trusted roots of the day.
    pub(super) fn roots(&self, record: &Record) -> Result<TrustRoots, Error> {
        let mut roots = Vec::new();
        for &digest in &record.trusted_roots {
            let bytes = objects::get(&self.store, digest, MAX_TRUSTED_ROOT_BYTES as u64)?;
            let root = TrustRoots::parse(&format!("archive, sha256:{digest}"), &bytes)
                .map_err(|error| super::corrupt(&format!("the trusted root sha256:{digest} of {}: {error}", record.name)))?;
            roots.push(root);
        }
        Ok(TrustRoots::joined(roots))
    }

    /// Verifies a release by the roots of its day: the chain pins them (DESIGN: a root of an earlier day counts through the local store's pin).
    pub(super) fn judge(
        &self,
        release: &ArchivedRelease,
        record: &Record,
        policy: &VerificationPolicy,
    ) -> Result<(Result<Verified, Rejection>, Day), Error> {
        let roots = self.roots(record)?;
        let today = policy.roots().cloned().unwrap_or_else(TrustRoots::embedded);
        let day = Day { archived: release.time, rotated: verify::rotated(&roots, &today) };
        let contents = self.contents(record)?;
        Ok((verify::release(&contents, &policy.clone().with_roots(roots)), day))
    }

    /// That every file's object is what the record says.
    pub(super) fn check_files(&self, record: &Record) -> Result<(), Error> {
        for file in &record.files {
            if objects::check(&self.store, file.sha256)? != file.size {
                return Err(super::corrupt(&format!("{} of {} has another size than its record says", file.path, record.name)));
            }
        }
        Ok(())
    }
}

/// `verify archive:ENTRY`: one release of an archive, its objects compared with their digests.
pub(in crate::ops) fn verify_entry(
    opened: &Opened,
    entry: &str,
    policy: &VerificationPolicy,
) -> Result<(Result<Verified, Rejection>, Day), Error> {
    let release = opened.find_one(entry)?;
    let record = opened.record(release)?;
    opened.check_files(&record)?;
    opened.judge(release, &record, policy)
}
