//! Another place to build the same sources in: a folder with a home, a `CARGO_HOME` and a temporary folder of its own, and the sources
//! as git has them or as they lie there. Read with libgit2, never by the git program inside the project.

use std::fmt;
use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use git2::build::CheckoutBuilder;
use git2::{ErrorCode, ObjectType, Oid, Repository, ResetType, TreeWalkMode, TreeWalkResult};

use super::cargo::link;
use super::cargo_config::cargo_home;
use super::toolchain::home_folder;
use crate::base::{Context, text};

/// How deep submodules may lie in submodules.
const MAX_DEPTH: usize = 8;

/// What a build there has otherwise than the one here; in words.
pub const VARIED: [&str; 5] = ["folder of the sources", "target folder", "CARGO_HOME", "home folder", "temporary folder"];

/// Why there is no such place.
#[derive(Debug)]
pub enum Error {
    /// Files could not be written.
    Io { path: Utf8PathBuf, source: io::Error },
    /// No repository, or one that cannot be read.
    Repository { path: Utf8PathBuf, message: String },
    /// The repository has no such commit.
    UnknownCommit { path: Utf8PathBuf, commit: String },
    /// A submodule is not there.
    Submodule { path: String },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "cannot write {path}: {source}"),
            Self::Repository { path, message } => write!(f, "cannot read the git repository {path}: {}", text::plain(message)),
            Self::UnknownCommit { path, commit } => write!(f, "the git repository {path} has no commit {commit}"),
            Self::Submodule { path } => write!(f, "the submodule {} is not checked out", text::plain(path)),
        }
    }
}

impl std::error::Error for Error {}

/// The place; removed with all that is in it when it is dropped.
#[derive(Debug)]
pub struct Elsewhere {
    _guard: tempfile::TempDir,
    folder: Utf8PathBuf,
}

impl Elsewhere {
    /// Makes the place, empty, in the system's temporary folder.
    pub fn new() -> Result<Self, Error> {
        let failed = |source| Error::Io { path: "the temporary folder".into(), source };
        let guard = tempfile::Builder::new().prefix("supplychain-again-").tempdir().map_err(failed)?;
        let folder = Utf8PathBuf::from_path_buf(guard.path().to_owned())
            .map_err(|path| failed(io::Error::other(format!("{} is not UTF-8", path.display()))))?;
        // As cargo sees it, so that one path is one path.
        let folder = folder.canonicalize_utf8().unwrap_or(folder);
        for part in ["sources", "home", "cargo-home", "tmp", "cache"] {
            fs::create_dir(folder.join(part)).map_err(failed)?;
        }
        Ok(Self { _guard: guard, folder })
    }

    #[must_use]
    pub fn folder(&self) -> &Utf8Path {
        &self.folder
    }

    /// Where sources go.
    #[must_use]
    pub fn sources(&self) -> Utf8PathBuf {
        self.folder.join("sources")
    }

    /// A target folder of its own.
    #[must_use]
    pub fn target(&self) -> Utf8PathBuf {
        self.folder.join("target")
    }

    /// The surroundings of a build here: what `context` has, with other homes and without network. What cargo has fetched and the
    /// user's configuration of it are linked; credentials are not.
    pub fn context(&self, context: &Context, cwd: Utf8PathBuf) -> Result<Context, Error> {
        let mut there = Context { cwd, offline: true, cache_dir: self.folder.join("cache"), ..context.clone() };
        if let Some(home) = cargo_home(&context.env, &context.cwd) {
            let private = self.folder.join("cargo-home");
            for name in ["registry", "git", "config.toml", "config"] {
                let (from, to) = (home.join(name), private.join(name));
                if from.exists() {
                    link(from.as_std_path(), to.as_std_path()).map_err(|source| Error::Io { path: to, source })?;
                }
            }
            there.env.insert("CARGO_HOME".to_owned(), private.into_string());
        }
        if let Some(home) = home_folder(context).filter(|_| context.var("RUSTUP_HOME").is_none()) {
            there.env.insert("RUSTUP_HOME".to_owned(), home.join(".rustup").into_string());
        }
        for name in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "OLDPWD", "CARGO_TARGET_DIR"] {
            there.env.remove(name);
        }
        for (name, part) in [("HOME", "home"), ("USERPROFILE", "home"), ("TMPDIR", "tmp"), ("TEMP", "tmp"), ("TMP", "tmp")] {
            if there.env.contains_key(name) || matches!(name, "HOME" | "TMPDIR") {
                there.env.insert(name.to_owned(), self.folder.join(part).into_string());
            }
        }
        if there.env.contains_key("PWD") {
            there.env.insert("PWD".to_owned(), there.cwd.to_string());
        }
        Ok(there)
    }
}

/// Where the repository around a folder has its work tree.
pub fn work_tree(around: &Utf8Path) -> Option<Utf8PathBuf> {
    let repository = Repository::discover(around).ok()?;
    Utf8Path::from_path(repository.workdir()?)?.canonicalize_utf8().ok()
}

/// Makes a repository at `place` that has the commit checked out, with the tags and the branch that the repository around `from` has.
/// Objects are not copied: they stay where they are. Without `files` only the repository is made.
pub fn check_out(from: &Utf8Path, commit: &str, place: &Utf8Path, files: bool) -> Result<(), Error> {
    let failed = |error: &git2::Error| Error::Repository { path: from.to_owned(), message: error.message().to_owned() };
    let repository = Repository::discover(from).map_err(|error| failed(&error))?;
    check_out_of(&repository, from, commit, place, files, MAX_DEPTH)
}

fn check_out_of(
    source: &Repository,
    from: &Utf8Path,
    commit: &str,
    place: &Utf8Path,
    files: bool,
    depth: usize,
) -> Result<(), Error> {
    let failed = |error: git2::Error| Error::Repository { path: from.to_owned(), message: error.message().to_owned() };
    let unknown = || Error::UnknownCommit { path: from.to_owned(), commit: commit.to_owned() };
    let id = Oid::from_str(commit).map_err(|_| unknown())?;
    match source.find_commit(id) {
        Ok(_) => {}
        Err(error) if error.code() == ErrorCode::NotFound => return Err(unknown()),
        Err(error) => return Err(failed(error)),
    }
    let git = Repository::init(place).map_err(failed)?.path().to_owned();
    borrow_objects(source, &git).map_err(|source| Error::Io { path: place.to_owned(), source })?;
    let repository = Repository::open(place).map_err(failed)?;
    name_references(source, &repository, id).map_err(failed)?;
    let object = repository.find_object(id, Some(ObjectType::Commit)).map_err(failed)?;
    if !files {
        return repository.reset(&object, ResetType::Mixed, None).map_err(failed);
    }
    repository.checkout_tree(&object, Some(CheckoutBuilder::new().force())).map_err(failed)?;
    for (path, pinned) in submodules(&repository, id).map_err(failed)? {
        let missing = || Error::Submodule { path: path.clone() };
        let inner = source.find_submodule(&path).and_then(|submodule| submodule.open()).map_err(|_| missing())?;
        if depth == 0 {
            return Err(missing());
        }
        check_out_of(&inner, &from.join(&path), &pinned, &place.join(&path), true, depth - 1)?;
    }
    Ok(())
}

/// The new repository reads the objects of the old one (`objects/info/alternates`, gitrepository-layout(5)).
fn borrow_objects(source: &Repository, git: &std::path::Path) -> io::Result<()> {
    let common = source.commondir().canonicalize()?;
    let objects = common.join("objects");
    let objects = objects.to_str().ok_or_else(|| io::Error::other("the path of the repository is not UTF-8"))?;
    fs::create_dir_all(git.join("objects/info"))?;
    fs::write(git.join("objects/info/alternates"), format!("{objects}\n"))?;
    if source.is_shallow() {
        fs::copy(common.join("shallow"), git.join("shallow"))?;
    }
    Ok(())
}

/// Versions are often made of tags and the branch.
fn name_references(source: &Repository, repository: &Repository, id: Oid) -> Result<(), git2::Error> {
    for tag in source.references_glob("refs/tags/*")?.flatten() {
        if let (Ok(name), Some(target)) = (tag.name(), tag.target()) {
            // A tag of an object that is not there is nobody's.
            let _ = repository.reference(name, target, true, "");
        }
    }
    let head = source.head().ok().filter(|head| head.is_branch() && head.target() == Some(id));
    match head.as_ref().and_then(|head| head.name().ok()) {
        Some(branch) => {
            repository.reference(branch, id, true, "")?;
            repository.set_head(branch)
        }
        None => repository.set_head_detached(id),
    }
}

fn submodules(repository: &Repository, id: Oid) -> Result<Vec<(String, String)>, git2::Error> {
    let tree = repository.find_commit(id)?.tree()?;
    let mut found = Vec::new();
    tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
        if let (Some(ObjectType::Commit), Ok(name)) = (entry.kind(), entry.name()) {
            found.push((format!("{folder}{name}"), entry.id().to_string()));
        }
        TreeWalkResult::Ok
    })?;
    Ok(found)
}

/// Copies the files of a folder, without `.git` and without the folder `target` (as a path). Links stay links.
pub fn copy(from: &Utf8Path, to: &Utf8Path, target: &Utf8Path) -> Result<(), Error> {
    let mut folders = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = folders.pop() {
        let failed = |source| Error::Io { path: to.clone(), source };
        fs::create_dir_all(&to).map_err(failed)?;
        for entry in from.read_dir_utf8().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let (path, place) = (entry.path().to_owned(), to.join(entry.file_name()));
            let kind = entry.file_type().map_err(failed)?;
            if entry.file_name() == ".git" || path == target {
                continue;
            } else if kind.is_dir() {
                folders.push((path, place));
            } else if kind.is_symlink() {
                let leads_to = fs::read_link(&path).map_err(failed)?;
                link(&leads_to, place.as_std_path()).map_err(failed)?;
            } else if kind.is_file() {
                fs::copy(&path, &place).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// Copies one file where there is none yet.
pub fn add_file(bytes: &[u8], to: &Utf8Path) -> Result<(), Error> {
    if to.exists() {
        return Ok(());
    }
    fs::write(to, bytes).map_err(|source| Error::Io { path: to.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(repository: &Repository) -> Oid {
        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::new("a", "a@example.org", &git2::Time::new(1_700_000_000, 0)).unwrap();
        let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
        repository.commit(Some("HEAD"), &who, &who, "c", &tree, &parent.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_commit_elsewhere_has_its_files_tags_and_nothing_else() {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(guard.path()).unwrap().canonicalize_utf8().unwrap();
        let repository = Repository::init(root.join("a")).unwrap();
        fs::write(root.join("a/x"), "one").unwrap();
        let first = commit(&repository);
        repository.tag_lightweight("v1", &repository.find_object(first, None).unwrap(), false).unwrap();
        fs::write(root.join("a/x"), "two").unwrap();
        fs::write(root.join("a/untracked"), "u").unwrap();

        check_out(&root.join("a"), &first.to_string(), &root.join("b"), true).unwrap();
        assert_eq!(fs::read_to_string(root.join("b/x")).unwrap(), "one");
        assert!(!root.join("b/untracked").exists());
        let (source, _) = crate::collect::vcs::read(&root.join("b"), &root.join("b/target"));
        assert_eq!((source.dirty, source.commit, source.tags), (Some(false), Some(first.to_string()), vec!["v1".to_owned()]));

        check_out(&root.join("a"), &first.to_string(), &root.join("c"), false).unwrap();
        copy(&root.join("a"), &root.join("c"), &root.join("a/target")).unwrap();
        let (source, _) = crate::collect::vcs::read(&root.join("c"), &root.join("c/target"));
        assert_eq!((source.dirty, source.commit), (Some(true), Some(first.to_string())));
        let unknown = check_out(&root.join("a"), &"0".repeat(40), &root.join("d"), true).unwrap_err();
        assert!(matches!(unknown, Error::UnknownCommit { .. }), "{unknown}");
        assert!(matches!(check_out(&root, "x", &root.join("e"), true), Err(Error::Repository { .. })));
    }
}
