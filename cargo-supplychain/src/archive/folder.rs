//! The release folder on disk, all or nothing (ARCHITECTURE.md, invariant 6): written under a name that no one takes for a
//! release, made durable, and put in its place by one rename. A process that is killed at any moment leaves the old folder,
//! the new folder, or none under the release's name; what else it left, the next run removes.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};

use camino::{Utf8Path, Utf8PathBuf};

use super::platform::{exchange, is_executable, make_executable, make_public};
use crate::base::digest::{Hasher, Hasher512};
use crate::base::{Sha256, Sha512};
use crate::files::{self, sync_folder};
use crate::model::release_path;

const STAGING: &str = ".staging-";
const ASIDE: &str = ".aside-";
const LOCK: &str = ".lock";
const BUFFER: usize = 256 * 1024;

/// Why a release folder was not written.
#[derive(Debug)]
pub enum Error {
    /// The output cannot be written: full disk, permission, … (exit 74). `action` is an infinitive: `write`, `rename`.
    Output { action: &'static str, path: Utf8PathBuf, source: io::Error },
    /// A source of a copy cannot be read (exit 2).
    Source { path: Utf8PathBuf, source: io::Error },
    /// A source of a copy is a link, a folder, a pipe, … (exit 2).
    NotRegular { path: Utf8PathBuf },
    /// The path may not stand in a release (exit 2).
    Path { path: String, why: release_path::UnsafePath },
    /// The path was written before.
    Twice { path: String },
    /// Another run holds the folder of releases.
    Locked { path: Utf8PathBuf },
}

impl Error {
    /// Whether output could not be written (exit 74) rather than input not be used (exit 2).
    #[must_use]
    pub fn is_output(&self) -> bool {
        matches!(self, Self::Output { .. })
    }

    /// What to do next; empty where the message says it all.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Output { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "free some space, or name another folder with `--release-dir DIR`"
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "make the folder writable, or name another with `--release-dir DIR`"
                }
                _ => "name another folder with `--release-dir DIR`",
            },
            Self::NotRegular { .. } => "release the file itself, not a link to it",
            Self::Path { .. } => "rename the file: a release has to mean the same on every system",
            Self::Locked { .. } => "wait for the other run to end",
            Self::Source { .. } | Self::Twice { .. } => "",
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Output { action, path, source } => write!(f, "cannot {action} {path}: {source}"),
            Self::Source { path, source } => write!(f, "cannot read {path}: {source}"),
            Self::NotRegular { path } => write!(f, "{path} is not a regular file"),
            Self::Path { path, why } => write!(f, "{path:?} cannot be a file of a release: {why}"),
            Self::Twice { path } => write!(f, "two files of the release are called {path}"),
            Self::Locked { path } => write!(f, "another run of cargo-supplychain is writing to {path}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Output { source, .. } | Self::Source { source, .. } => Some(source),
            Self::Path { why, .. } => Some(why),
            Self::NotRegular { .. } | Self::Twice { .. } | Self::Locked { .. } => None,
        }
    }
}

fn output(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Output { action, path, source }
}

/// The folder of releases (`target/supplychain`), held by one run at a time. The lock ends with the value or the process.
#[derive(Debug)]
pub struct Releases {
    folder: Utf8PathBuf,
    _lock: File,
}

impl Releases {
    /// Makes the folder where it is missing, takes its lock (`.lock`) and removes what killed runs left. While another run
    /// holds it, `on_wait` is called once and the call waits.
    ///
    /// # Errors
    /// The folder cannot be made or written to.
    pub fn open(folder: &Utf8Path, on_wait: impl FnOnce()) -> Result<Self, Error> {
        let (path, lock) = Self::lock_file(folder)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                on_wait();
                lock.lock().map_err(output("lock", &path))?;
            }
            Err(TryLockError::Error(error)) => return Err(output("lock", &path)(error)),
        }
        Self::locked(folder, lock)
    }

    /// As [`Releases::open`], but does not wait.
    ///
    /// # Errors
    /// [`Error::Locked`] while another run holds the folder; else as [`Releases::open`].
    pub fn try_open(folder: &Utf8Path) -> Result<Self, Error> {
        let (path, lock) = Self::lock_file(folder)?;
        match lock.try_lock() {
            Ok(()) => Self::locked(folder, lock),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path: folder.to_owned() }),
            Err(TryLockError::Error(error)) => Err(output("lock", &path)(error)),
        }
    }

    fn lock_file(folder: &Utf8Path) -> Result<(Utf8PathBuf, File), Error> {
        fs::create_dir_all(folder).map_err(output("make the folder", folder))?;
        let path = folder.join(LOCK);
        let lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        lock.map(|lock| (path.clone(), lock)).map_err(output("write", &path))
    }

    fn locked(folder: &Utf8Path, lock: File) -> Result<Self, Error> {
        let releases = Self { folder: folder.to_owned(), _lock: lock };
        releases.remove_leftovers()?;
        Ok(releases)
    }

    /// Removes staging folders: we hold the lock, so that whoever made them is dead. A folder that a killed exchange had
    /// moved aside comes back where its place is empty.
    fn remove_leftovers(&self) -> Result<(), Error> {
        for entry in fs::read_dir(&self.folder).map_err(output("read", &self.folder))? {
            let entry = entry.map_err(output("read", &self.folder))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = self.folder.join(&name);
            if name.starts_with(STAGING) {
                remove_folder(&path)?;
            } else if let Some(place) = name.strip_prefix(ASIDE) {
                if self.folder.join(place).symlink_metadata().is_ok() {
                    remove_folder(&path)?;
                } else {
                    fs::rename(&path, self.folder.join(place)).map_err(output("rename", &path))?;
                }
            }
        }
        Ok(())
    }

    /// Begins a release called `name`, one part of a path.
    ///
    /// # Errors
    /// The name is no safe part of a path, or the staging folder cannot be made.
    pub fn stage(&self, name: &str) -> Result<Staging<'_>, Error> {
        let unsafe_name = |why| Error::Path { path: name.to_owned(), why };
        release_path::check(name).map_err(unsafe_name)?;
        if name.contains('/') || name.starts_with('.') {
            return Err(unsafe_name(release_path::UnsafePath("the name of a release is one visible part of a path")));
        }
        let staging = tempfile::Builder::new().prefix(STAGING).rand_bytes(12).tempdir_in(&self.folder);
        // Kept as a plain path: `Drop` below removes it, and the interrupt handler may do so too.
        let path = staging.map_err(output("make a folder in", &self.folder))?.keep();
        let path = Utf8PathBuf::from_path_buf(path)
            .map_err(|path| output("use", &self.folder)(io::Error::other(format!("{} is not UTF-8", path.display()))))?;
        make_public(&path).map_err(output("make", &path))?;
        Ok(Staging { releases: self, path, place: self.folder.join(name), is_done: false })
    }
}

/// A file that was copied into a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    pub size: u64,
    pub sha256: Sha256,
    pub sha512: Sha512,
}

/// A release that is being written. Dropped without [`Staging::commit`], it is removed.
#[derive(Debug)]
pub struct Staging<'a> {
    releases: &'a Releases,
    path: Utf8PathBuf,
    place: Utf8PathBuf,
    is_done: bool,
}

impl Staging<'_> {
    /// Where the files are until `commit`: what an interrupt handler removes, and what may be verified before it is committed.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Where the release will stand.
    #[must_use]
    pub fn place(&self) -> &Utf8Path {
        &self.place
    }

    /// Writes a file of the release; its size and digest.
    ///
    /// # Errors
    /// The path may not stand in a release or was written before, or the file cannot be written.
    pub fn write(&self, path: &str, bytes: &[u8]) -> Result<(u64, Sha256), Error> {
        let (place, mut file) = self.create(path)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(output("write", &place))?;
        Ok((bytes.len() as u64, Sha256::of(bytes)))
    }

    /// Copies a regular file into the release; size and digest are those of the bytes that were written. Its executable bit
    /// is kept, its other permissions, owner and times are not.
    ///
    /// # Errors
    /// As [`Staging::write`]; the source cannot be read or is no regular file.
    pub fn copy_file(&self, path: &str, source: &Utf8Path) -> Result<Copied, Error> {
        let mut from = open_source(source)?;
        let executable = is_executable(&from.metadata().map_err(|error| source_error(source, error))?);
        let (place, mut file) = self.create(path)?;
        let (mut sha256, mut sha512) = (Hasher::default(), Hasher512::default());
        let (mut size, mut buffer) = (0, vec![0; BUFFER]);
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(source_error(source, error)),
            };
            sha256.update(&buffer[..read]);
            sha512.update(&buffer[..read]);
            size += read as u64;
            file.write_all(&buffer[..read]).map_err(output("write", &place))?;
        }
        if executable {
            make_executable(&file).map_err(output("set the permissions of", &place))?;
        }
        file.sync_all().map_err(output("write", &place))?;
        Ok(Copied { size, sha256: sha256.finish(), sha512: sha512.finish() })
    }

    fn create(&self, path: &str) -> Result<(Utf8PathBuf, File), Error> {
        release_path::check(path).map_err(|why| Error::Path { path: path.to_owned(), why })?;
        let place = self.path.join(path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(output("make the folder", folder))?;
        }
        match OpenOptions::new().write(true).create_new(true).open(&place) {
            Ok(file) => Ok((place, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Twice { path: path.to_owned() }),
            Err(error) => Err(output("write", &place)(error)),
        }
    }

    /// Puts the release in its place, in exchange for the one that stands there; where it stands now.
    ///
    /// # Errors
    /// The folder cannot be renamed: the old release still stands. Or the rename cannot be made durable: one of the two stands,
    /// complete.
    pub fn commit(mut self) -> Result<Utf8PathBuf, Error> {
        sync_folders(&self.path)?;
        let parent = &self.releases.folder;
        if self.place.symlink_metadata().is_err() {
            fs::rename(&self.path, &self.place).map_err(output("rename to", &self.place))?;
            self.is_done = true;
            sync_folder(parent).map_err(output("write", parent))?;
            return Ok(self.place.clone());
        }
        if exchange(&self.path, &self.place) {
            // The old release now bears the staging name.
            self.is_done = true;
            sync_folder(parent).map_err(output("write", parent))?;
            // What cannot be removed now, the next run removes.
            let _ = remove_folder(&self.path);
            return Ok(self.place.clone());
        }
        let name = self.place.file_name().unwrap_or_default();
        let aside = parent.join(format!("{ASIDE}{name}"));
        fs::rename(&self.place, &aside).map_err(output("rename", &self.place))?;
        if let Err(error) = fs::rename(&self.path, &self.place) {
            // Best effort: should this fail too, the next run brings it back.
            let _ = fs::rename(&aside, &self.place);
            return Err(output("rename to", &self.place)(error));
        }
        self.is_done = true;
        sync_folder(parent).map_err(output("write", parent))?;
        let _ = remove_folder(&aside);
        Ok(self.place.clone())
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            // What cannot be removed now, the next run removes.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes a folder (or a file or link in its place) without following links.
fn remove_folder(path: &Utf8Path) -> Result<(), Error> {
    let is_folder = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    let removed = if is_folder { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(output("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Makes the entries of the folder and of those below it durable; the files' bytes were synced when they were written.
fn sync_folders(folder: &Utf8Path) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(output("read", folder))? {
        let entry = entry.map_err(output("read", folder))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Ok(name) = entry.file_name().into_string()
        {
            sync_folders(&folder.join(name))?;
        }
    }
    sync_folder(folder).map_err(output("write", folder))
}

fn source_error(path: &Utf8Path, source: io::Error) -> Error {
    Error::Source { path: path.to_owned(), source }
}

/// Opens the source of a copy: a regular file, not through a link.
fn open_source(path: &Utf8Path) -> Result<File, Error> {
    files::open_no_follow(path).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Error::NotRegular { path: path.to_owned() },
        _ => source_error(path, error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    fn names(folder: &Utf8Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_visible_before_commit_and_all_of_it_after() {
        let (_guard, folder) = folder();
        let releases = Releases::open(&folder.join("target/supplychain"), || panic!("no one else holds it")).unwrap();
        let staging = releases.stage("tool-1.0.0").unwrap();
        assert_eq!(staging.write("release.json", b"{}").unwrap(), (2, Sha256::of(b"{}")));
        fs::write(folder.join("bin"), b"elf").unwrap();
        let copied = Copied { size: 3, sha256: Sha256::of(b"elf"), sha512: Sha512::of(b"elf") };
        assert_eq!(staging.copy_file("artifacts/tool", &folder.join("bin")).unwrap(), copied);
        assert!(!staging.place().exists());
        assert!(staging.path().file_name().unwrap().starts_with(".staging-"));
        let place = staging.commit().unwrap();
        assert_eq!(fs::read(place.join("artifacts/tool")).unwrap(), b"elf");
        assert_eq!(names(&folder.join("target/supplychain")), [".lock", "tool-1.0.0"]);
    }

    #[test]
    fn a_release_is_exchanged_as_a_whole() {
        let (_guard, folder) = folder();
        let releases = Releases::open(&folder, || ()).unwrap();
        for (round, file) in ["a", "b", "c"].into_iter().enumerate() {
            let staging = releases.stage("r").unwrap();
            staging.write(file, b"").unwrap();
            let place = staging.commit().unwrap();
            assert_eq!(names(&place), [file], "round {round}");
        }
        assert_eq!(names(&folder), [".lock", "r"]);
    }

    #[test]
    fn a_dropped_release_leaves_nothing_and_the_old_one_stands() {
        let (_guard, folder) = folder();
        let releases = Releases::open(&folder, || ()).unwrap();
        let staging = releases.stage("r").unwrap();
        staging.write("a", b"").unwrap();
        staging.commit().unwrap();
        let staging = releases.stage("r").unwrap();
        staging.write("b/c", b"").unwrap();
        drop(staging);
        assert_eq!(names(&folder), [".lock", "r"]);
        assert_eq!(names(&folder.join("r")), ["a"]);
    }

    #[test]
    fn what_killed_runs_left_is_removed_or_brought_back() {
        let (_guard, folder) = folder();
        for path in [".staging-dead/artifacts", ".aside-lost/x", ".aside-kept/x", "kept/y", "other"] {
            fs::create_dir_all(folder.join(path)).unwrap();
        }
        fs::write(folder.join(".staging-file"), b"").unwrap();
        drop(Releases::open(&folder, || ()).unwrap());
        assert_eq!(names(&folder), [".lock", "kept", "lost", "other"]);
        assert_eq!(names(&folder.join("lost")), ["x"]);
        assert_eq!(names(&folder.join("kept")), ["y"]);
    }

    #[test]
    fn one_run_at_a_time() {
        let (_guard, folder) = folder();
        let first = Releases::open(&folder, || ()).unwrap();
        let staging = first.stage("r").unwrap();
        let error = Releases::try_open(&folder).unwrap_err();
        assert!(matches!(error, Error::Locked { .. }), "{error}");
        assert!(staging.path().exists(), "a living run's staging folder is no leftover");
        drop(staging);
        drop(first);
        assert!(Releases::try_open(&folder).is_ok());
    }

    #[test]
    fn hostile_paths_and_sources_are_refused() {
        let (_guard, folder) = folder();
        let releases = Releases::open(&folder.join("releases"), || ()).unwrap();
        for name in ["", "..", "a/b", ".hidden", "/abs", "-rf"] {
            assert!(matches!(releases.stage(name), Err(Error::Path { .. })), "{name}");
        }
        let staging = releases.stage("r").unwrap();
        for path in ["../x", "/x", "a/../x", "a\\b", "con", "x\0"] {
            assert!(matches!(staging.write(path, b""), Err(Error::Path { .. })), "{path}");
        }
        staging.write("a", b"1").unwrap();
        assert!(matches!(staging.write("a", b"2"), Err(Error::Twice { .. })));
        assert!(staging.write("a/b", b"2").unwrap_err().is_output());
        let absent = folder.join("absent");
        let error = staging.copy_file("b", &absent).unwrap_err();
        assert!(matches!(error, Error::Source { .. }) && error.to_string().contains(absent.as_str()), "{error}");
        assert!(matches!(staging.copy_file("b", &folder), Err(Error::NotRegular { .. })));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.join("releases/.lock"), folder.join("link")).unwrap();
            assert!(matches!(staging.copy_file("b", &folder.join("link")), Err(Error::NotRegular { .. })));
        }
        assert!(!folder.join("x").exists());
    }

    #[cfg(unix)]
    #[test]
    fn the_executable_bit_is_kept_and_nothing_else() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_guard, folder) = folder();
        let releases = Releases::open(&folder.join("releases"), || ()).unwrap();
        let staging = releases.stage("r").unwrap();
        let mode = |path: &Utf8Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let plain = {
            staging.write("plain", b"").unwrap();
            mode(&staging.path().join("plain"))
        };
        for (name, source_mode, executable) in [("a", 0o4700, true), ("b", 0o600, false), ("c", 0o755, true)] {
            let source = folder.join(name);
            fs::write(&source, b"").unwrap();
            fs::set_permissions(&source, fs::Permissions::from_mode(source_mode)).unwrap();
            staging.copy_file(name, &source).unwrap();
            let expected = if executable { plain | (plain & 0o444) >> 2 } else { plain };
            assert_eq!(mode(&staging.path().join(name)), expected, "{name}");
        }
        let other = folder.join("plain-folder");
        fs::create_dir(&other).unwrap();
        assert_eq!(mode(staging.path()), mode(&other));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_output_error_with_its_path() {
        let error = output("write", Utf8Path::new("/dev/full"))(fs::write("/dev/full", b"x").unwrap_err());
        assert!(error.is_output());
        insta::assert_snapshot!(format!("{error}\nhelp: {}", error.help()), @r"
        cannot write /dev/full: No space left on device (os error 28)
        help: free some space, or name another folder with `--release-dir DIR`
        ");
    }
}
