//! A store in a folder of this machine. A file is written under `tmp/`, made durable, and given its name in one step that replaces nothing; so a
//! process that is killed leaves a file whole or not at all, and what it left in `tmp/` the next writer removes. What is in the files is not
//! known here.

use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions, TryLockError};
use std::io::{self, Read};

use camino::{Utf8Path, Utf8PathBuf};

use super::Access;
use super::platform::{install, owner_alone_writes};
use super::store::{Creation, Error, Listed, Store};
use crate::files::stamp::{self, Stamp};
use crate::files::{self, sync_folder};

const LOCK: &str = ".lock";
const TEMPORARY: &str = "tmp";
/// What a store has at its top; anything else in it was not put there by an archive.
const FOLDERS: [&str; 3] = ["log", "objects", TEMPORARY];
/// Deepest folder that is listed.
const MAX_DEPTH: usize = 8;

/// A folder with an archive in it, held as long as the value lives: shared by readers and writers, or alone.
#[derive(Debug)]
pub struct Local {
    folder: Utf8PathBuf,
    /// None where nothing can be locked: a medium that cannot be written to, which nobody prunes either.
    _lock: Option<File>,
}

fn io_error(action: &'static str, path: &Utf8Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_string();
    move |source| match source.kind() {
        io::ErrorKind::NotFound if action == "read" => Error::NotFound { path },
        _ => Error::Io { action, path, source },
    }
}

impl Local {
    /// Opens the store in `folder`. It has to be there for [`Access::Read`] and [`Access::Exclusive`] and is made for [`Access::Write`];
    /// whoever writes first removes what killed runs left. `on_wait` is called once where another run has to end before.
    ///
    /// # Errors
    /// It does not exist, cannot be made or locked, or others can write to it.
    pub fn open(folder: &Utf8Path, access: Access, on_wait: &mut dyn FnMut()) -> Result<Self, Error> {
        if access == Access::Write {
            make_folder(folder)?;
        }
        check_folder(folder)?;
        for name in FOLDERS {
            let part = folder.join(name);
            match access {
                Access::Read => match check_part(&part) {
                    Err(Error::NotFound { .. }) => {}
                    other => other?,
                },
                Access::Write | Access::Exclusive => {
                    make_folder(&part)?;
                    check_part(&part)?;
                }
            }
        }
        let lock = match access {
            Access::Read => reader_lock(&folder.join(LOCK), on_wait)?,
            Access::Write => Some(writer_lock(folder, on_wait)?),
            Access::Exclusive => {
                let lock = lock_file(&folder.join(LOCK))?;
                wait(&lock, Locking::Alone, &folder.join(LOCK), on_wait)?;
                remove_leftovers(folder)?;
                Some(lock)
            }
        };
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// What stands at the top of the folder, or in `tmp/`, and is not an archive's, sorted.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn strangers(&self) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(io_error("read", &self.folder))? {
            let name = entry.map_err(io_error("read", &self.folder))?.file_name().to_string_lossy().into_owned();
            if name != LOCK && !FOLDERS.contains(&name.as_str()) {
                found.push(name);
            }
        }
        found.sort();
        Ok(found)
    }

    fn path(&self, path: &str) -> Result<Utf8PathBuf, Error> {
        let is_part = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
        };
        if path.split('/').all(is_part) {
            return Ok(self.folder.join(path));
        }
        Err(Error::Place(format!("{path:?} is no path of a store")))
    }

    /// Calls `each` with the path of every file below the folder of `prefix`; a folder that is not there has none.
    fn walk(&self, prefix: &str, each: &mut dyn FnMut(String, &DirEntry) -> Result<(), Error>) -> Result<(), Error> {
        let below = prefix.strip_suffix('/').unwrap_or(prefix);
        let folder = self.path(below)?;
        match walk(&folder, below, 0, each) {
            Err(Error::NotFound { path }) if path == folder.as_str() => Ok(()),
            other => other,
        }
    }
}

impl Store for Local {
    fn place(&self) -> String {
        self.folder.to_string()
    }

    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, Error> {
        let place = self.path(path)?;
        let file = files::open_no_follow(&place).map_err(io_error("read", &place))?;
        files::read_open(&file, limit).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => Error::TooLarge { path: place.to_string(), limit },
            _ => io_error("read", &place)(error),
        })
    }

    fn open(&self, path: &str) -> Result<Box<dyn Read + Send>, Error> {
        let place = self.path(path)?;
        Ok(Box::new(files::open_no_follow(&place).map_err(io_error("read", &place))?))
    }

    fn create(&self, path: &str, content: &mut dyn Read) -> Result<Creation, Error> {
        let place = self.path(path)?;
        let temporary = self.folder.join(TEMPORARY);
        let mut builder = tempfile::Builder::new();
        // Nobody has a reason to write to it again; whoever may read the folder may read it, as far as the umask allows.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o444));
        let mut file = builder.prefix("new-").rand_bytes(16).tempfile_in(&temporary).map_err(io_error("write", &temporary))?;
        io::copy(content, &mut file).map_err(io_error("write", &place))?;
        file.as_file().sync_all().map_err(io_error("write", &place))?;
        let folder = place.parent().unwrap_or(&self.folder);
        make_folder(folder)?;
        let from = Utf8PathBuf::from_path_buf(file.path().to_owned()).unwrap_or_else(|_| temporary.clone());
        let creation = match install(&from, &place) {
            Ok(()) => Creation::Created,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Creation::Exists,
            Err(error) => return Err(io_error("write", &place)(error)),
        };
        drop(file);
        // Of what another writer created this moment, too: it may be about to do it.
        sync_folder(folder).map_err(io_error("write", folder))?;
        Ok(creation)
    }

    fn list(&self, prefix: &str) -> Result<Vec<Listed>, Error> {
        let mut found = Vec::new();
        self.walk(prefix, &mut |path, entry| {
            match entry.metadata() {
                Ok(metadata) => found.push(Listed { path, size: metadata.len() }),
                // Removed since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(io_error("read", &self.folder.join(path))(error)),
            }
            Ok(())
        })?;
        found.sort();
        Ok(found)
    }

    fn paths(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        self.walk(prefix, &mut |path, _| {
            found.push(path);
            Ok(())
        })?;
        Ok(found)
    }

    fn stamp(&self, prefix: &str) -> Option<Stamp> {
        stamp::of(&self.path(prefix.strip_suffix('/').unwrap_or(prefix)).ok()?)
    }

    fn remove(&self, path: &str) -> Result<(), Error> {
        let place = self.path(path)?;
        match fs::remove_file(&place) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io_error("remove", &place)(error)),
        }
        let folder = place.parent().unwrap_or(&self.folder);
        sync_folder(folder).map_err(io_error("write", folder))
    }
}

/// `below` is the path of `folder` in the store.
fn walk(
    folder: &Utf8Path,
    below: &str,
    depth: usize,
    each: &mut dyn FnMut(String, &DirEntry) -> Result<(), Error>,
) -> Result<(), Error> {
    for entry in fs::read_dir(folder).map_err(io_error("read", folder))? {
        let entry = entry.map_err(io_error("read", folder))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = format!("{below}/{name}");
        let kind = entry.file_type().map_err(|error| io_error("read", &folder.join(name.as_ref()))(error))?;
        if kind.is_dir() && depth < MAX_DEPTH {
            walk(&folder.join(name.as_ref()), &path, depth + 1, each)?;
        } else {
            each(path, &entry)?;
        }
    }
    Ok(())
}

/// Makes a folder, and those above it, that only its owner can write to, and makes its entry durable.
fn make_folder(folder: &Utf8Path) -> Result<(), Error> {
    let parent = folder.parent().filter(|parent| !parent.as_str().is_empty());
    if !folder.is_dir() {
        if let Some(parent) = parent {
            fs::create_dir_all(parent).map_err(io_error("make the folder", parent))?;
        }
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o755);
        match builder.create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(io_error("make the folder", folder)(error));
            }
            _ => {}
        }
        if let Some(parent) = parent {
            sync_folder(parent).map_err(io_error("write", parent))?;
        }
    }
    Ok(())
}

/// The folder is one, and only its owner can change what is in it: what the chain pins is pinned by that alone.
fn check_folder(folder: &Utf8Path) -> Result<(), Error> {
    let metadata = fs::metadata(folder).map_err(io_error("read", folder))?;
    if !metadata.is_dir() {
        return Err(Error::Place(format!("{folder} is not a folder")));
    }
    if !owner_alone_writes(&metadata) {
        return Err(Error::Unsafe { path: folder.to_string(), why: "can be written to by others than its owner" });
    }
    Ok(())
}

/// A folder of the store, which is no link to another place.
fn check_part(folder: &Utf8Path) -> Result<(), Error> {
    if fs::symlink_metadata(folder).is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(Error::Place(format!("{folder} is a link, not a folder of the archive")));
    }
    check_folder(folder)
}

fn lock_file(path: &Utf8Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o644).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    }
    options.open(path).map_err(io_error("write", path))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Locking {
    Shared,
    Alone,
}

fn wait(lock: &File, kind: Locking, path: &Utf8Path, on_wait: &mut dyn FnMut()) -> Result<(), Error> {
    let tried = if kind == Locking::Alone { lock.try_lock() } else { lock.try_lock_shared() };
    match tried {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            on_wait();
            let waited = if kind == Locking::Alone { lock.lock() } else { lock.lock_shared() };
            waited.map_err(io_error("lock", path))
        }
        Err(TryLockError::Error(error)) => Err(io_error("lock", path)(error)),
    }
}

/// Nobody prunes while somebody reads. Where there is no lock file, or locking is not possible, nobody wrote here.
fn reader_lock(path: &Utf8Path, on_wait: &mut dyn FnMut()) -> Result<Option<File>, Error> {
    let Ok(lock) = files::open_no_follow(path) else { return Ok(None) };
    match wait(&lock, Locking::Shared, path, on_wait) {
        Ok(()) => Ok(Some(lock)),
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::Unsupported => Ok(None),
        Err(error) => Err(error),
    }
}

/// Alone for a moment, if nobody else is here, to remove what killed runs left; then beside others.
fn writer_lock(folder: &Utf8Path, on_wait: &mut dyn FnMut()) -> Result<File, Error> {
    let path = folder.join(LOCK);
    let lock = lock_file(&path)?;
    match lock.try_lock() {
        Ok(()) => {
            remove_leftovers(folder)?;
            lock.unlock().map_err(io_error("lock", &path))?;
        }
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(io_error("lock", &path)(error)),
    }
    wait(&lock, Locking::Shared, &path, on_wait)?;
    Ok(lock)
}

/// We are alone, so that whoever made them is dead.
fn remove_leftovers(folder: &Utf8Path) -> Result<(), Error> {
    let temporary = folder.join(TEMPORARY);
    for entry in fs::read_dir(&temporary).map_err(io_error("read", &temporary))? {
        let entry = entry.map_err(io_error("read", &temporary))?;
        let path = temporary.join(entry.file_name().to_string_lossy().as_ref());
        match fs::remove_file(entry.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io_error("remove", &path)(error)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("a/store")).unwrap();
        (folder, path)
    }

    fn open(folder: &Utf8Path, access: Access) -> Local {
        Local::open(folder, access, &mut || panic!("nobody else is here")).unwrap()
    }

    #[test]
    fn exactly_one_creates_and_nothing_is_replaced() {
        let (_guard, folder) = root();
        let store = open(&folder, Access::Write);
        let created = std::thread::scope(|scope| {
            let run = |text: &'static str| open(&folder, Access::Write).create("log/1.json", &mut text.as_bytes()).unwrap();
            let runs: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h"].map(|text| scope.spawn(move || run(text))).into();
            runs.into_iter().map(|run| run.join().unwrap()).filter(|one| *one == Creation::Created).count()
        });
        assert_eq!(created, 1);
        let bytes = store.read("log/1.json", 9).unwrap();
        assert_eq!(store.create("log/1.json", &mut &b"other"[..]).unwrap(), Creation::Exists);
        assert_eq!(store.read("log/1.json", 9).unwrap(), bytes);
        assert_eq!(store.list("tmp/").unwrap(), []);
        assert_eq!(store.list("log/").unwrap(), [Listed { path: "log/1.json".into(), size: 1 }]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &str| fs::metadata(folder.join(path)).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode("log/1.json") & 0o333, 0);
            assert_eq!(mode("log") & 0o022, 0);
        }
        store.remove("log/1.json").unwrap();
        store.remove("log/1.json").unwrap();
        assert!(matches!(store.read("log/1.json", 9), Err(Error::NotFound { .. })));
    }

    #[test]
    fn a_reader_makes_nothing() {
        let (_guard, folder) = root();
        assert!(matches!(Local::open(&folder, Access::Read, &mut || ()), Err(Error::NotFound { .. })));
        assert!(!folder.exists());
        fs::create_dir_all(&folder).unwrap();
        let store = open(&folder, Access::Read);
        assert_eq!(store.list("log/").unwrap(), []);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }

    #[test]
    fn leftovers_go_with_the_next_writer_that_is_alone() {
        let (_guard, folder) = root();
        let first = open(&folder, Access::Write);
        fs::write(folder.join("tmp/new-x"), b"half").unwrap();
        let second = open(&folder, Access::Write);
        assert_eq!(second.list("tmp/").unwrap().len(), 1, "the first may be writing it");
        drop((first, second));
        assert_eq!(open(&folder, Access::Write).list("tmp/").unwrap(), []);
    }

    #[test]
    fn who_prunes_is_alone() {
        let (_guard, folder) = root();
        drop(open(&folder, Access::Write));
        for other in [Access::Read, Access::Write] {
            let store = open(&folder, other);
            let (told, tell) = std::sync::mpsc::channel();
            std::thread::scope(|scope| {
                let pruner =
                    scope.spawn(|| Local::open(&folder, Access::Exclusive, &mut || told.send(()).unwrap()).map(|_| ()).unwrap());
                tell.recv().unwrap();
                drop(store);
                pruner.join().unwrap();
            });
        }
    }

    #[test]
    fn paths_stay_inside() {
        let (_guard, folder) = root();
        let store = open(&folder, Access::Write);
        for path in ["", "..", "../x", "/x", "log/../../x", "log//x", "a\\b", "log/x\0", ".lock", "log/é"] {
            assert!(matches!(store.read(path, 9), Err(Error::Place(_))), "{path}");
            assert!(matches!(store.create(path, &mut &b""[..]), Err(Error::Place(_))), "{path}");
            assert!(matches!(store.remove(path), Err(Error::Place(_))), "{path}");
        }
        fs::write(folder.join("more"), b"").unwrap();
        assert_eq!(store.strangers().unwrap(), ["more"]);
    }

    #[cfg(unix)]
    #[test]
    fn folders_that_others_can_write_to_are_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_guard, folder) = root();
        drop(open(&folder, Access::Write));
        for part in ["", "log", "objects", "tmp"] {
            for (mode, safe) in [(0o775, false), (0o757, false), (0o755, true), (0o750, true), (0o700, true)] {
                fs::set_permissions(folder.join(part), fs::Permissions::from_mode(mode)).unwrap();
                for access in [Access::Read, Access::Write, Access::Exclusive] {
                    let outcome = Local::open(&folder, access, &mut || ());
                    assert_eq!(outcome.is_ok(), safe, "{part} {mode:o}");
                    assert!(safe || matches!(outcome, Err(Error::Unsafe { .. })));
                }
            }
        }
        fs::remove_dir(folder.join("log")).unwrap();
        std::os::unix::fs::symlink("objects", folder.join("log")).unwrap();
        assert!(Local::open(&folder, Access::Write, &mut || ()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_not_read() {
        let (_guard, folder) = root();
        let store = open(&folder, Access::Write);
        fs::write(folder.join("secret"), b"x").unwrap();
        std::os::unix::fs::symlink(folder.join("secret"), folder.join("log/1.json")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, folder.join("log/2.json").as_str(), rustix::fs::Mode::RWXU).unwrap();
        for path in ["log/1.json", "log/2.json"] {
            assert!(store.read(path, 9).is_err() && store.open(path).is_err(), "{path}");
            assert_eq!(store.create(path, &mut &b""[..]).unwrap(), Creation::Exists);
        }
        assert_eq!(fs::read(folder.join("secret")).unwrap(), b"x");
    }
}
