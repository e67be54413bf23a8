//! Where paths really lead, as the kernel sees it at this moment; the next moment it can be elsewhere. And what lies below which folder.

use std::ffi::OsString;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

/// Absolute paths of folders and files. There are a few dozen, and they are asked about every file that a build opens: comparing bytes is
/// quicker than hashing each folder on the way up.
#[derive(Debug)]
pub(super) struct Roots(Vec<PathBuf>);

impl Roots {
    pub(super) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        // Spelled as their parts are, so that bytes tell what is equal. A relative one would hold what it does not mean.
        let absolute = paths.into_iter().filter(|path| path.is_absolute());
        let mut paths: Vec<PathBuf> = absolute.map(|path| path.components().collect()).collect();
        paths.sort();
        paths.dedup();
        Self(paths)
    }

    /// Whether the path is one of them.
    pub(super) fn contains(&self, path: &Path) -> bool {
        self.0.iter().any(|root| root == path)
    }

    /// Whether the path, as it is spelled, is one of them or below one. A doubled slash can make that false, never true.
    pub(super) fn hold(&self, path: &Path) -> bool {
        let path = path.as_os_str().as_bytes();
        self.0.iter().any(|root| {
            let root = root.as_os_str().as_bytes();
            path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || root == b"/")
        })
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
    }

    #[test]
    fn what_lies_below_a_root() {
        let roots = Roots::new(["/usr/".into(), "/home/u//p".into(), "/usr".into()]);
        for (path, expected) in [
            ("/usr", true),
            ("/usr/", true),
            ("/usr/lib/x", true),
            ("/usrx", false),
            ("/us", false),
            ("/home/u/p", true),
            ("/home/u/p/x", true),
            ("/home/u/px", false),
            ("/home/u", false),
            ("/", false),
            ("usr/x", false),
        ] {
            assert_eq!(roots.hold(Path::new(path)), expected, "{path}");
        }
        assert!(roots.contains(Path::new("/usr")) && !roots.contains(Path::new("/usr/lib")));
        assert!(Roots::new(["/".into()]).hold(Path::new("/x")));
        assert!(!Roots::new(["".into(), "usr".into()]).hold(Path::new("/usr/x")));
    }

    #[test]
    fn a_pipe_has_no_path() {
        let (pipe, _other) = std::io::pipe().unwrap();
        assert_eq!(real(Path::new(&format!("/proc/self/fd/{}", pipe.as_raw_fd()))), None);
    }
}
