//! The files below a folder with what the system says of each: the walk that everything here begins with, and that has to be cheap.

use std::fs::{self, File};
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::Utf8Path;

use super::directory::{Directory, Entry};
use crate::base::Sha256;
use crate::base::digest::Hasher;

/// The deepest folder and the most files that are looked at.
const MAX_DEPTH: usize = 64;
const MAX_FILES: usize = 500_000;
/// A file changed so short before it was read may be changed once more without its times telling.
const UNSETTLED: Duration = Duration::from_secs(1);

/// What the system says of a file. Whoever changes a file can set its size and modification time as they were; the change time and the
/// inode of a replaced file they cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stat {
    pub size: u64,
    modified: u64,
    changed: u64,
    inode: u64,
}

impl Stat {
    #[cfg(unix)]
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            size: metadata.len(),
            modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }

    /// The fields have other types from one architecture to another.
    #[cfg(target_os = "linux")]
    #[allow(clippy::useless_conversion, clippy::unnecessary_fallible_conversions, reason = "see above")]
    pub(super) fn of_raw(stat: &rustix::fs::Stat) -> Self {
        let signed = |value: i128| i64::try_from(value).unwrap_or(i64::MAX);
        let time = |seconds: i128, rest: i128| nanoseconds(signed(seconds), signed(rest));
        Self {
            size: u64::try_from(stat.st_size).unwrap_or(u64::MAX),
            modified: time(i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)),
            changed: time(i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec)),
            inode: u64::from(stat.st_ino),
        }
    }

    /// Without a change time nothing is ever taken for unchanged.
    #[cfg(not(unix))]
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
        Self { size: metadata.len(), modified, changed: u64::MAX, inode: 0 }
    }

    /// Of a regular file, not through a link.
    pub(super) fn read(path: &Utf8Path) -> io::Result<Self> {
        let metadata = fs::symlink_metadata(path)?;
        if metadata.is_file() { Ok(Self::of(&metadata)) } else { Err(io::Error::from(io::ErrorKind::InvalidInput)) }
    }

    /// Whether a change after `since` is sure to show.
    pub(super) fn is_settled(&self, since: SystemTime) -> bool {
        let limit = (since - UNSETTLED).duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        u128::from(self.changed.max(self.modified)) < limit
    }

    fn feed(&self, hasher: &mut Hasher) {
        for field in [self.size, self.modified, self.changed, self.inode] {
            hasher.update(&field.to_le_bytes());
        }
    }
}

#[cfg(unix)]
fn nanoseconds(seconds: i64, rest: i64) -> u64 {
    seconds.wrapping_mul(1_000_000_000).wrapping_add(rest).cast_unsigned()
}

/// Something that is neither a folder nor a regular file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Odd {
    pub path: String,
    pub what: &'static str,
    /// Where a symbolic link leads.
    pub target: Option<String>,
}

/// What lies below a folder; paths are relative to it, with `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Sorted by path.
    pub files: Vec<(String, Stat)>,
    pub odd: Vec<Odd>,
}

impl Listing {
    /// Walks the folder; entries of a name for which `skip` holds are left out with what is below them.
    pub(super) fn of(folder: &Utf8Path, skip: &dyn Fn(&str) -> bool) -> io::Result<Self> {
        let mut listing = Self::default();
        listing.add(&Directory::open(folder)?, "", 0, skip)?;
        for odd in &mut listing.odd {
            odd.target = fs::read_link(folder.join(&odd.path)).ok().map(|target| target.to_string_lossy().into_owned());
        }
        listing.files.sort_unstable();
        listing.odd.sort_unstable();
        Ok(listing)
    }

    fn add(&mut self, folder: &Directory, below: &str, depth: usize, skip: &dyn Fn(&str) -> bool) -> io::Result<()> {
        if depth > MAX_DEPTH || self.files.len() > MAX_FILES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more files or folders than a package has"));
        }
        let mut folders = Vec::new();
        let path = |name: &str| [below, name].concat();
        folder.each(&|name| !skip(name), &mut |name, entry| match entry {
            Entry::Folder => folders.push(name.to_owned()),
            Entry::File(stat) => self.files.push((path(name), stat)),
            Entry::Odd(what) => self.odd.push(Odd { path: path(name), what, target: None }),
        })?;
        for name in folders {
            self.add(&folder.folder(&name)?, &(path(&name) + "/"), depth + 1, skip)?;
        }
        Ok(())
    }

    /// What the system says of a file.
    pub(super) fn get(&self, path: &str) -> Option<&Stat> {
        let at = self.files.binary_search_by(|(known, _)| known.as_str().cmp(path)).ok()?;
        Some(&self.files[at].1)
    }

    /// A digest of all that the system says of the files, and of `beside` (the `.crate`); none when a change might not show.
    pub(super) fn digest(&self, beside: Option<&Stat>, since: SystemTime) -> Option<Sha256> {
        let stats = || self.files.iter().map(|(_, stat)| stat).chain(beside);
        if !stats().all(|stat| stat.is_settled(since)) {
            return None;
        }
        let mut hasher = Hasher::default();
        hasher.update(&[u8::from(beside.is_some())]);
        for (path, stat) in &self.files {
            hasher.update(path.as_bytes());
            hasher.update(b"\0");
            stat.feed(&mut hasher);
        }
        // A link is its target, which was read with the rest.
        for odd in &self.odd {
            hasher.update(format!("{odd:?}\0").as_bytes());
        }
        beside.iter().for_each(|stat| stat.feed(&mut hasher));
        Some(hasher.finish())
    }
}

/// Opens a file of a walked folder: never through a link, never waiting for a pipe.
pub(super) fn open(path: &Utf8Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.cast_signed());
    }
    let file = options.open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::from(io::ErrorKind::InvalidInput)) }
}

/// The digest of a file of a walked folder.
pub(super) fn digest(path: &Utf8Path) -> io::Result<Sha256> {
    let mut hasher = Hasher::default();
    io::copy(&mut open(path)?, &mut hasher)?;
    Ok(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(folder: &tempfile::TempDir) -> &Utf8Path {
        Utf8Path::from_path(folder.path()).unwrap()
    }

    #[test]
    fn files_sorted_with_what_is_skipped_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let root = root(&folder);
        for path in ["src/b.rs", "src/a.rs", "Cargo.toml", ".git/x", "src/.git"] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), path).unwrap();
        }
        let listing = Listing::of(root, &|name| name == ".git").unwrap();
        let names: Vec<_> = listing.files.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(names, ["Cargo.toml", "src/a.rs", "src/b.rs"]);
        assert_eq!(listing.get("src/a.rs").unwrap().size, 8);
        assert_eq!(listing.get("src/c.rs"), None);
        assert!(Listing::of(&root.join("Cargo.toml"), &|_| false).is_err());
        assert_eq!(digest(&root.join("src/a.rs")).unwrap(), Sha256::of("src/a.rs"));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_told_and_never_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = root(&folder);
        fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("link")).unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("folder")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe").as_str(), rustix::fs::Mode::RWXU).unwrap();
        let listing = Listing::of(root, &|_| false).unwrap();
        let odd: Vec<_> = listing.odd.iter().map(|odd| format!("{} {}", odd.path, odd.what)).collect();
        assert_eq!(odd, ["folder a symbolic link", "link a symbolic link", "pipe a pipe"]);
        assert_eq!(listing.odd[1].target.as_deref(), Some("/etc/passwd"));
        assert!(Listing::of(&root.join("folder"), &|_| false).is_err());
        assert!(open(&root.join("link")).is_err() && open(&root.join("pipe")).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_change_shows_even_with_its_time_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = root(&folder).join("a");
        fs::write(&path, "one").unwrap();
        let old = SystemTime::now() - Duration::from_secs(3600);
        let set_back = || File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        set_back();
        let soon = SystemTime::now() + Duration::from_secs(60);
        let digest = || Listing::of(root(&folder), &|_| false).unwrap().digest(None, soon);
        let before = digest();
        assert!(before.is_some() && before == digest());
        std::thread::sleep(Duration::from_millis(20));
        fs::write(&path, "two").unwrap();
        set_back();
        assert_ne!(before, digest());
        // Changed just now, and once more within the same tick: not to be told apart, so never remembered.
        assert_eq!(Listing::of(root(&folder), &|_| false).unwrap().digest(None, SystemTime::now()), None);
    }
}
