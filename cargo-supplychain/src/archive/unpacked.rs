//! A folder that is filled with the files of an archived release, and stands in its place complete or not at all.

use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use super::objects::{self, CopyError};
use super::store::{self, Store};
use crate::archived::RecordFile;
use crate::files::{self, sync_folder};
use crate::model::release_path;

/// A folder of ours alone beside the place; removed unless it is committed.
#[derive(Debug)]
pub struct Unpacked {
    staging: tempfile::TempDir,
    path: Utf8PathBuf,
    place: Utf8PathBuf,
}

/// Why it was not filled.
#[derive(Debug)]
pub enum Error {
    Object(objects::Error),
    /// It cannot be written; a failure of a store in form.
    Output(store::Error),
    /// A path that may not stand in a release.
    Path(String),
}

fn failed(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_string();
    move |source| Error::Output(store::Error::Io { action, path, source })
}

impl Unpacked {
    /// Begins a folder that is to stand at `place`, where nothing may be.
    ///
    /// # Errors
    /// Something is there, or it cannot be made.
    pub fn begin(place: &Utf8Path) -> Result<Self, Error> {
        if place.symlink_metadata().is_ok() {
            return Err(Error::Output(store::Error::Place(format!("{place} exists"))));
        }
        let parent = place.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        fs::create_dir_all(parent).map_err(failed("make the folder", parent))?;
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
        let staging = builder.prefix(".restore-").tempdir_in(parent).map_err(failed("write to", parent))?;
        let path = Utf8PathBuf::from_path_buf(staging.path().to_owned())
            .map_err(|_| Error::Output(store::Error::Place(format!("{parent} is not UTF-8"))))?;
        Ok(Self { staging, path, place: place.to_owned() })
    }

    /// Where the files are until it is committed.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Copies the files out of a store. The folder was empty and is ours alone, so that no link is on the way. Of a mode the executable bit is
    /// kept and nothing else: no setuid, no write permission beyond the umask.
    ///
    /// # Errors
    /// An object is missing or damaged, or a file cannot be written.
    pub fn write(&self, store: &dyn Store, files: &[RecordFile]) -> Result<(), Error> {
        for file in files {
            let mut out = self.create(&file.path, file.executable)?;
            let path = self.path.join(&file.path);
            objects::copy(store, file.sha256, &mut out).map_err(|error| match error {
                CopyError::Object(error) => Error::Object(error),
                CopyError::Sink(error) => failed("write", &path)(error),
            })?;
            out.sync_all().map_err(failed("write", &path))?;
        }
        Ok(())
    }

    /// Creates one file, and the folders above it.
    ///
    /// # Errors
    /// The path may not stand in a release, is taken, or cannot be written.
    pub fn create(&self, path: &str, executable: bool) -> Result<fs::File, Error> {
        release_path::check(path).map_err(|why| Error::Path(format!("the path {path:?}: {why}")))?;
        let place = self.path.join(path);
        let parent = place.parent().unwrap_or(&self.path);
        fs::create_dir_all(parent).map_err(failed("make the folder", parent))?;
        files::create_new(&place, executable).map_err(failed("write", &place))
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// It cannot be renamed; nothing is left of it then.
    pub fn commit(self) -> Result<Utf8PathBuf, Error> {
        fs::rename(&self.path, &self.place).map_err(failed("rename to", &self.place))?;
        // It is not there any more under that name, so that nothing is removed.
        let _ = self.staging.keep();
        let parent = self.place.parent().filter(|parent| !parent.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
        sync_folder(parent).map_err(failed("write", parent))?;
        Ok(self.place)
    }
}
