//! Files of the repository at an earlier commit, read with libgit2: what `--base` and `diff` compare with. Never the git program, which
//! would execute what the repository configures.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};
use git2::{ErrorCode, ObjectType, Repository};

use crate::base::text;
use crate::files;

/// A commit of the repository around the workspace.
pub struct Revision {
    repository: Repository,
    commit: git2::Oid,
    /// As the user wrote it.
    given: String,
    /// The workspace's root within the work tree; empty for its top.
    below: Utf8PathBuf,
}

/// Why a revision, or a file of it, could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl Revision {
    /// Finds the commit that `given` names (a branch, tag, commit, or `HEAD~1`) in the repository around the workspace.
    pub fn open(workspace: &Utf8Path, given: &str) -> Result<Self, Error> {
        let failed = |what: &str, error: &git2::Error| Error(format!("{what}: {}", text::plain(error.message())));
        let repository = Repository::discover(workspace)
            .map_err(|error| failed(&format!("no git repository around {workspace} to look up `{given}` in"), &error))?;
        let commit = repository
            .revparse_single(given)
            .and_then(|object| object.peel_to_commit())
            .map_err(|error| failed(&format!("the repository has no revision `{given}`"), &error))?
            .id();
        let canonical = |path: &Utf8Path| path.canonicalize_utf8().map_err(|error| Error(format!("cannot read {path}: {error}")));
        let root = repository.workdir().and_then(Utf8Path::from_path);
        let root = canonical(root.ok_or_else(|| Error(format!("the repository of {workspace} has no work tree")))?)?;
        let below = canonical(workspace)?.strip_prefix(&root).map(Utf8Path::to_owned).unwrap_or_default();
        Ok(Self { repository, commit, given: given.to_owned(), below })
    }

    /// The full commit.
    #[must_use]
    pub fn commit(&self) -> String {
        self.commit.to_string()
    }

    #[must_use]
    pub fn given(&self) -> &str {
        &self.given
    }

    /// A file, its path relative to the workspace's root; `None` when the commit has none. At most `limit` bytes.
    pub fn read(&self, path: &Utf8Path, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let whole = files::normal(&self.below.join(path));
        let failed = |error: &dyn fmt::Display| {
            Error(format!("cannot read {path} of the revision `{}`: {}", self.given, text::plain(&error.to_string())))
        };
        let tree = self
            .repository
            .find_commit(self.commit)
            .and_then(|commit| commit.tree())
            .map_err(|error| failed(&error.message()))?;
        let entry = match tree.get_path(whole.as_std_path()) {
            Ok(entry) => entry,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(failed(&error.message())),
        };
        // A link is no file of this revision: what it leads to is the work tree's, or nobody's.
        if entry.kind() != Some(ObjectType::Blob) || entry.filemode() == 0o120_000 {
            return Err(failed(&"not a regular file"));
        }
        // The size first: a blob is loaded whole.
        let odb = self.repository.odb().map_err(|error| failed(&error.message()))?;
        let (size, _) = odb.read_header(entry.id()).map_err(|error| failed(&error.message()))?;
        if size as u64 > limit {
            return Err(failed(&format!("{size} bytes, the limit is {limit}")));
        }
        let blob = self.repository.find_blob(entry.id()).map_err(|error| failed(&error.message()))?;
        Ok(Some(blob.content().to_vec()))
    }

    /// The paths of all files of a name below the workspace's root, relative to it, sorted: `Cargo.toml` of every package.
    pub fn files_named(&self, name: &str) -> Result<Vec<Utf8PathBuf>, Error> {
        let failed =
            |error: &git2::Error| Error(format!("cannot list the revision `{}`: {}", self.given, text::plain(error.message())));
        let tree = self.repository.find_commit(self.commit).and_then(|commit| commit.tree()).map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
            if entry.kind() == Some(ObjectType::Blob) && entry.name() == Ok(name) {
                let path = Utf8PathBuf::from(folder).join(name);
                if let Ok(inside) = path.strip_prefix(&self.below) {
                    found.push(inside.to_owned());
                }
            }
            git2::TreeWalkResult::Ok
        })
        .map_err(|error| failed(&error))?;
        found.sort();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_an_earlier_commit() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let repository = Repository::init(&root).unwrap();
        std::fs::create_dir_all(root.join("ws/a")).unwrap();
        let commit = |text: &str| {
            std::fs::write(root.join("ws/Cargo.lock"), text).unwrap();
            std::fs::write(root.join("ws/a/Cargo.toml"), text).unwrap();
            let mut index = repository.index().unwrap();
            index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
            index.write().unwrap();
            let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
            let who = git2::Signature::new("a", "a@example.org", &git2::Time::new(1_700_000_000, 0)).unwrap();
            let parent = repository.head().ok().and_then(|head| head.peel_to_commit().ok());
            let parents: Vec<_> = parent.iter().collect();
            repository.commit(Some("HEAD"), &who, &who, "c", &tree, &parents).unwrap()
        };
        let first = commit("one");
        commit("two");
        let revision = Revision::open(&root.join("ws"), "HEAD~1").unwrap();
        assert_eq!((revision.commit(), revision.given()), (first.to_string(), "HEAD~1"));
        assert_eq!(revision.read("Cargo.lock".into(), 9).unwrap().unwrap(), b"one");
        assert_eq!(revision.read("a/../Cargo.lock".into(), 9).unwrap().unwrap(), b"one");
        assert_eq!(revision.read("none".into(), 9).unwrap(), None);
        assert!(revision.read("a".into(), 9).is_err());
        assert!(revision.read("Cargo.lock".into(), 2).is_err());
        assert_eq!(revision.files_named("Cargo.toml").unwrap(), ["a/Cargo.toml"]);
        assert!(Revision::open(&root, "nowhere").is_err());
    }
}
