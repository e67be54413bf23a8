//! Where paths really lead, as the kernel sees it at this moment; the next moment it can be elsewhere. And what lies below which folder.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// Absolute paths of folders and files. There are hundreds, and they are asked about every file that a build opens: what is asked is
/// found by halving, so that neither time nor the processor's cache goes into all the others.
#[derive(Debug)]
pub(super) struct Roots {
    all: Vec<PathBuf>,
    /// Those that are below no other one, in [`order`].
    tops: Vec<Box<[u8]>>,
}

impl Roots {
    pub(super) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        // Spelled as their parts are, so that bytes tell what is equal. A relative one would hold what it does not mean.
        let absolute = paths.into_iter().filter(|path| path.is_absolute());
        let mut all: Vec<PathBuf> = absolute.map(|path| path.components().collect()).collect();
        all.sort_by(|one, other| order(one.as_os_str().as_bytes(), other.as_os_str().as_bytes()));
        all.dedup();
        let mut tops: Vec<Box<[u8]>> = Vec::new();
        for path in &all {
            let path = path.as_os_str().as_bytes();
            if !tops.last().is_some_and(|top| holds(top, path)) {
                tops.push(path.into());
            }
        }
        Self { all, tops }
    }

    /// Whether the path is one of them.
    pub(super) fn contains(&self, path: &Path) -> bool {
        self.all.iter().any(|root| root == path)
    }

    /// Whether the path, as it is spelled, is one of them or below one. A doubled slash can make that false, never true.
    pub(super) fn hold(&self, path: &Path) -> bool {
        let path = path.as_os_str().as_bytes();
        // What lies below a root follows it at once, and no top lies below another: the last one that is not behind the path is the only
        // one that can hold it.
        let behind = self.tops.partition_point(|root| order(root, path) != Ordering::Greater);
        behind.checked_sub(1).is_some_and(|last| holds(&self.tops[last], path))
    }
}

/// Whether a path is `root` or below it.
fn holds(root: &[u8], path: &[u8]) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || root == b"/")
}

/// Byte by byte, with the slash before all else: nothing comes between a folder and what lies in it, as `/a-b` would between `/a` and
/// `/a/b`. No path has a zero.
fn order(one: &[u8], other: &[u8]) -> Ordering {
    let rank = |byte: &u8| if *byte == b'/' { 0 } else { *byte };
    one.iter().map(rank).cmp(other.iter().map(rank))
}

/// [`real`] for many paths that lie in few folders: each folder is looked up once.
#[derive(Debug, Default)]
pub(super) struct RealFolders(HashMap<PathBuf, Option<PathBuf>>);

impl RealFolders {
    pub(super) fn real(&mut self, path: &Path) -> Option<PathBuf> {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return real(path) };
        if path.symlink_metadata().ok()?.is_symlink() {
            return real(path);
        }
        let folder = self.0.entry(folder.to_owned()).or_insert_with(|| real(folder));
        folder.as_ref().map(|folder| folder.join(name))
    }
}

pub(super) fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// Where a path leads, links followed; none where nothing is, or nothing with a path (a pipe). The kernel walks once, where
/// `canonicalize` asks about every folder on the way: this is asked about most files that a build opens.
pub(super) fn real(path: &Path) -> Option<PathBuf> {
    let file = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let link = rustix::fs::readlink(format!("/proc/self/fd/{}", file.as_raw_fd()), Vec::new()).ok()?;
    let real = PathBuf::from(OsString::from_vec(link.into_bytes()));
    real.is_absolute().then_some(real)
}

/// Where a write would go; none where the kernel will say that there is no such place.
pub(super) fn real_for_writing(path: &Path, follows: bool) -> Option<PathBuf> {
    if follows && let Some(real) = real(path) {
        return Some(real);
    }
    let name = path.file_name()?;
    let mut place = real(path.parent()?)?.join(name);
    // A link that leads to nothing yet: `open` would make what it names.
    for _ in 0..8 {
        let Some(next) = follows.then(|| std::fs::read_link(&place).ok()).flatten() else { break };
        let next = place.parent()?.join(next);
        place = real(next.parent()?)?.join(next.file_name()?);
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_path_leads_where_the_kernel_says() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("home")).unwrap();
        std::fs::write(root.join("home/key"), "").unwrap();
        symlink("home", root.join("link")).unwrap();
        symlink("home/none", root.join("to-nothing")).unwrap();
        assert_eq!(real(&root.join("link/key")), Some(root.join("home/key")));
        assert_eq!(real(&root.join("link/../home/./key")), Some(root.join("home/key")));
        assert_eq!(real(&root.join("link/none")), None);
        assert_eq!(real(&root.join("home/key/below")), None);
        assert_eq!(real_for_writing(&root.join("to-nothing"), true), Some(root.join("home/none")));
        assert_eq!(real_for_writing(&root.join("to-nothing"), false), Some(root.join("to-nothing")));
        assert_eq!(real_for_writing(&root.join("no/folder"), true), None);
        let mut folders = RealFolders::default();
        for path in ["link/key", "home/key", "link", "link/none", "to-nothing", "link/..", "link/../home/key"] {
            assert_eq!(folders.real(&root.join(path)), real(&root.join(path)), "{path}");
        }
    }

    #[test]
    fn what_lies_below_a_root() {
        let roots = ["/usr/", "/home/u//p", "/usr", "/usr/lib", "/home/u/p/deep/er", "/home/u/p-q", "/home/u/p.q", "/b"];
        let roots = Roots::new(roots.map(PathBuf::from));
        for (path, expected) in [
            ("/usr", true),
            ("/usr/", true),
            ("/usr/lib/x", true),
            ("/usrx", false),
            ("/us", false),
            ("/home/u/p", true),
            ("/home/u/p/x", true),
            ("/home/u/px", false),
            ("/home/u/p/deep", true),
            ("/home/u/p-q", true),
            ("/home/u/p-q/x", true),
            ("/home/u/p-r", false),
            ("/home/u/p-q-r", false),
            ("/home/u/p.q/x", true),
            ("/home/u/p!q", false),
            ("/a", false),
            ("/b/ü", true),
            ("/c", false),
            ("", false),
            ("/home/u", false),
            ("/", false),
            ("usr/x", false),
        ] {
            assert_eq!(roots.hold(Path::new(path)), expected, "{path}");
        }
        assert!(roots.contains(Path::new("/usr/lib")) && !roots.contains(Path::new("/usr/lib/x")));
        assert!(Roots::new(["/".into()]).hold(Path::new("/x")));
        assert!(!Roots::new(["".into(), "usr".into()]).hold(Path::new("/usr/x")));
    }

    #[test]
    fn a_pipe_has_no_path() {
        let (pipe, _other) = std::io::pipe().unwrap();
        assert_eq!(real(Path::new(&format!("/proc/self/fd/{}", pipe.as_raw_fd()))), None);
    }
}
