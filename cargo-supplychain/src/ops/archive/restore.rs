//! `archive restore`: the folder as it was, complete or not at all, and verified before it stands in its place.

use camino::{Utf8Path, Utf8PathBuf};

use super::super::verify as judged;
use super::super::{Class, Error, Progress};
use super::{Day, Request, open};
use crate::archive::unpacked::{self, Unpacked};
use crate::archive::{Access, store};
use crate::archived::{Record, ReleaseKey};
use crate::base::Context;
use crate::collect::release_folder::{self, is_executable};
use crate::model::release_path;
use crate::verify::{Entry, Rejection, Verified};

/// A release that was given back.
#[derive(Debug)]
pub struct Restored {
    pub key: ReleaseKey,
    pub folder: Utf8PathBuf,
    pub files: usize,
    /// None where nobody was named whose signature counts: then the bytes are those that were archived, and no more is known.
    pub signatures: Option<(Result<Box<Verified>, Rejection>, Day)>,
}

/// Restores a release to `to`, which must not exist, else to a folder of its name in the working folder.
pub fn restore(
    context: &Context,
    request: &Request,
    signer: Option<&judged::Request>,
    entry: &str,
    to: Option<&Utf8Path>,
    progress: &mut dyn Progress,
) -> Result<Restored, Error> {
    let policy = signer.map(|signer| judged::policy(context, signer)).transpose()?;
    let opened = open(context, request, Access::Read, progress)?;
    let release = opened.find_one(entry)?;
    let record = opened.record(release)?;
    let key = release.key.clone();
    let own = format!("{}-{}-{}", key.name, key.version, key.target).replace(['/', '\\', ':'], "-");
    let place = context.cwd.join(to.map_or_else(|| Utf8PathBuf::from(&own), Utf8Path::to_owned));
    if to.is_none() {
        release_path::check(&own)
            .map_err(|why| Error::usage(&format!("{own:?}: {why}")).with_help("name a folder with --to DIR"))?;
    }
    let unpacked = Unpacked::begin(&place)?;
    unpacked.write(&opened.store, &record.files)?;
    compare(&record, unpacked.path())?;
    let signatures = match policy {
        None => None,
        Some(policy) => {
            let (outcome, day) = opened.judge(release, &record, &policy)?;
            Some((outcome.map(Box::new), day))
        }
    };
    if let Some((Err(_), _)) = &signatures {
        // Whoever asked for a signer does not get what is not the signer's.
        return Ok(Restored { key, folder: place, files: record.files.len(), signatures });
    }
    let folder = unpacked.commit()?;
    Ok(Restored { key, folder, files: record.files.len(), signatures })
}

impl From<unpacked::Error> for Error {
    fn from(error: unpacked::Error) -> Self {
        match error {
            unpacked::Error::Object(error) => error.into(),
            unpacked::Error::Output(error @ store::Error::Place(_)) => {
                Self::usage(&error).with_help("name a folder that does not exist with --to DIR")
            }
            unpacked::Error::Output(error) => Self::new(Class::Output, &error).with_help("nothing was left behind"),
            unpacked::Error::Path(why) => Self::usage(&why),
        }
    }
}

/// What stands on the disk is what the record says, no more and no less.
fn compare(record: &Record, folder: &Utf8Path) -> Result<(), Error> {
    let written = release_folder::read(folder).map_err(|error| Error::new(Class::Output, &error))?;
    let differs = |path: &str| Error::new(Class::Output, &format!("{path} was not written as it is in the archive"));
    let mut files = 0;
    for (path, entry) in written.iter() {
        let Entry::File(file) = entry else { continue };
        files += 1;
        let wanted = record.files.binary_search_by(|one| one.path.as_str().cmp(path)).map_err(|_| differs(path))?;
        let wanted = &record.files[wanted];
        let executable = is_executable(&folder.join(path)).map_err(|_| differs(path))?;
        let same = (file.size(), file.sha256()) == (wanted.size, wanted.sha256);
        if !same || cfg!(unix) && executable != wanted.executable {
            return Err(differs(path));
        }
    }
    if files == record.files.len() { Ok(()) } else { Err(differs(folder.as_str())) }
}
