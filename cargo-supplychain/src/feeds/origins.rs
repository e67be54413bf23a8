//! The commits that published packages say they were made from: each fetched without history into a bare copy of its repository in the
//! cache, and read with libgit2. The URL is a stranger's (`NamedBy::Package`). There is no working tree, so nothing that a repository
//! holds is ever written out as a file, a link or a hook.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8Path;
use git2::{ObjectType, Oid, Repository};

use super::git::{self, Fetch, NamedBy};
use crate::base::text::plain;
use crate::model::published::{FileDigest, InRepository, lfs_digest};

/// A fetch takes no longer, and a copy grows no larger.
const PATIENCE: Duration = Duration::from_secs(180);
const MAX_COPY: u64 = 1 << 30;
/// The largest file that is compared, in bytes.
const MAX_FILE: usize = 64 << 20;
/// So many links are followed on the way to a file.
const MAX_LINKS: usize = 8;
/// The longest target of a link, in bytes.
const MAX_LINK: usize = 1024;
/// What a link is in a tree.
const LINK: i32 = 0o120_000;

/// What to fetch with.
pub struct Origins<'a> {
    /// The product's cache folder.
    pub cache_dir: &'a Utf8Path,
    /// No program below it is run.
    pub workspace: Option<&'a Utf8Path>,
    pub env: &'a BTreeMap<String, String>,
    pub offline: bool,
    /// Told what takes time.
    pub progress: &'a dyn Fn(&str),
}

/// The files of one commit.
pub struct Commit {
    repository: Repository,
    tree: Oid,
}

impl Origins<'_> {
    /// The commit of the repository at `url` (one of [`crate::model::published::clone_url`]'s), fetched if it is not there yet.
    ///
    /// # Errors
    /// Why there is none, a fragment.
    pub fn commit(&self, url: &str, commit: &str) -> Result<Commit, String> {
        let id = Oid::from_str(commit).ok().filter(|id| id.to_string() == commit);
        let id = id.ok_or("its .cargo_vcs_info.json names no commit")?;
        let home = self.cache_dir.join("origins").join(git::folder_name(url, url));
        let copy = home.join("repository");
        if let Ok(found) = open(&copy, id) {
            return Ok(found);
        }
        if self.offline {
            return Err("its repository is not in the cache, and the network may not be used".to_owned());
        }
        (self.progress)(&format!("fetching {} of {}", &commit[..12], plain(url)));
        let fetch = |into: &Utf8Path| self.fetch(into, url, commit);
        let fetched =
            if copy.join("HEAD").exists() { fetch(&copy) } else { git::make_copy(&home, &copy, "refs/heads/none", fetch) };
        fetched.map_err(|why| format!("cannot fetch {commit} of {}: {}", plain(url), plain(&why)))?;
        open(&copy, id).map_err(|error| format!("cannot read {commit} of {}: {}", plain(url), error.message()))
    }

    fn fetch(&self, into: &Utf8Path, url: &str, commit: &str) -> Result<(), String> {
        let fetch = Fetch {
            env: self.env,
            workspace: self.workspace,
            into,
            url,
            shown: url,
            refspec: &format!("+{commit}:refs/commits/{commit}"),
            named_by: NamedBy::Package,
            patience: PATIENCE,
            limit: MAX_COPY,
        };
        fetch.run()
    }
}

fn open(copy: &Utf8Path, commit: Oid) -> Result<Commit, git2::Error> {
    let repository = Repository::open_bare(copy)?;
    let tree = repository.find_commit(commit)?.tree_id();
    Ok(Commit { repository, tree })
}

impl Commit {
    /// What is at this path; links are followed within the repository.
    ///
    /// # Errors
    /// The copy cannot be read.
    pub fn look(&self, path: &str) -> Result<InRepository, String> {
        self.find(path).map_err(|error| format!("its repository cannot be read: {}", error.message()))
    }

    fn find(&self, path: &str) -> Result<InRepository, git2::Error> {
        let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
        for _ in 0..=MAX_LINKS {
            match self.walk(&parts)? {
                Step::End(found) => return Ok(found),
                Step::Link(next) => parts = next,
            }
        }
        Ok(InRepository::Unknown("a link without end".to_owned()))
    }

    fn walk(&self, parts: &[String]) -> Result<Step, git2::Error> {
        let mut tree = self.repository.find_tree(self.tree)?;
        for (place, part) in parts.iter().enumerate() {
            let Some(entry) = tree.get_name(part) else { return Ok(Step::End(InRepository::Absent)) };
            let (id, mode, kind) = (entry.id(), entry.filemode(), entry.kind());
            drop(entry);
            match kind {
                Some(ObjectType::Tree) => tree = self.repository.find_tree(id)?,
                Some(ObjectType::Commit) => {
                    let why = format!("the submodule {}", plain(&parts[..=place].join("/")));
                    return Ok(Step::End(InRepository::Unknown(why)));
                }
                Some(ObjectType::Blob) if mode == LINK => {
                    let target = self.bytes(id, MAX_LINK)?;
                    let target = target.and_then(|bytes| String::from_utf8(bytes).ok());
                    let next = target.and_then(|target| led_to(&parts[..place], &target, &parts[place + 1..]));
                    return Ok(next.map_or(Step::End(InRepository::Absent), Step::Link));
                }
                Some(ObjectType::Blob) if place + 1 == parts.len() => return self.file(id).map(Step::End),
                _ => return Ok(Step::End(InRepository::Absent)),
            }
        }
        Ok(Step::End(InRepository::Absent))
    }

    fn file(&self, id: Oid) -> Result<InRepository, git2::Error> {
        let Some(bytes) = self.bytes(id, MAX_FILE)? else {
            return Ok(InRepository::Unknown(format!("files larger than {} MiB", MAX_FILE >> 20)));
        };
        Ok(lfs_digest(&bytes).map_or_else(|| InRepository::File(FileDigest::of(&bytes)), InRepository::Stored))
    }

    /// The content; `None` when it is larger than that.
    fn bytes(&self, id: Oid, limit: usize) -> Result<Option<Vec<u8>>, git2::Error> {
        let database = self.repository.odb()?;
        let (size, _) = database.read_header(id)?;
        if size > limit {
            return Ok(None);
        }
        Ok(Some(database.read(id)?.data().to_vec()))
    }
}

enum Step {
    End(InRepository),
    /// The path that a link leads to.
    Link(Vec<String>),
}

/// Where a link in `folder` leads to, with what comes behind it; `None` out of the repository.
fn led_to(folder: &[String], target: &str, rest: &[String]) -> Option<Vec<String>> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts = folder.to_vec();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name.to_owned()),
        }
    }
    parts.extend_from_slice(rest);
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(path: &str) -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn links_stay_in_the_repository() {
        for (folder, target, rest, expected) in [
            ("a/b", "../../LICENSE", "", Some("LICENSE")),
            ("a", "./c/d", "e", Some("a/c/d/e")),
            ("", "x", "", Some("x")),
            ("a", "../../etc", "", None),
            ("a", "/etc/passwd", "", None),
        ] {
            let found = led_to(&parts(folder), target, &parts(rest)).map(|parts| parts.join("/"));
            assert_eq!(found.as_deref(), expected, "{folder} {target}");
        }
    }

    /// A repository with a file, links, a folder and a submodule; read as it would be after a fetch.
    #[test]
    fn files_links_and_submodules() {
        let guard = tempfile::tempdir().unwrap();
        let cache = Utf8Path::from_path(guard.path()).unwrap();
        let url = "https://example.org/org/lib";
        let copy = cache.join("origins").join(git::folder_name(url, url)).join("repository");
        let repository = Repository::init_bare(&copy).unwrap();
        let blob = |bytes: &[u8]| repository.blob(bytes).unwrap();
        let mut inner = repository.treebuilder(None).unwrap();
        inner.insert("lib.rs", blob(b"a\n"), 0o100_644).unwrap();
        inner.insert("LICENSE", blob(b"../LICENSE"), LINK).unwrap();
        inner.insert("round", blob(b"round"), LINK).unwrap();
        inner.insert("out", blob(b"../../x"), LINK).unwrap();
        let inner = inner.write().unwrap();
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 3\n", "ab".repeat(32));
        let mut root = repository.treebuilder(None).unwrap();
        root.insert("src", inner, 0o040_000).unwrap();
        root.insert("LICENSE", blob(b"mit"), 0o100_644).unwrap();
        root.insert("big.bin", blob(pointer.as_bytes()), 0o100_644).unwrap();
        let author = git2::Signature::new("a", "a@example.org", &git2::Time::new(1_700_000_000, 0)).unwrap();
        let empty = repository.find_tree(repository.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let other = repository.commit(None, &author, &author, "other", &empty, &[]).unwrap();
        root.insert("vendored", other, 0o160_000).unwrap();
        let tree = repository.find_tree(root.write().unwrap()).unwrap();
        let commit = repository.commit(None, &author, &author, "m", &tree, &[]).unwrap().to_string();

        let env = BTreeMap::new();
        let origins = Origins { cache_dir: cache, workspace: None, env: &env, offline: true, progress: &|_| {} };
        let read = origins.commit(url, &commit).unwrap();
        let mit = InRepository::File(FileDigest::of(b"mit"));
        for (path, expected) in [
            ("src/lib.rs", InRepository::File(FileDigest::of(b"a\n"))),
            ("LICENSE", mit.clone()),
            ("src/LICENSE", mit),
            ("src/round", InRepository::Unknown("a link without end".into())),
            ("src/out", InRepository::Absent),
            ("src", InRepository::Absent),
            ("src/none.rs", InRepository::Absent),
            ("LICENSE/x", InRepository::Absent),
            ("big.bin", InRepository::Stored("ab".repeat(32).parse().unwrap())),
            ("vendored/src/x.c", InRepository::Unknown("the submodule vendored".into())),
        ] {
            assert_eq!(read.look(path).unwrap(), expected, "{path}");
        }
        let none = origins.commit("https://example.org/none", &commit).err().unwrap();
        assert_eq!(none, "its repository is not in the cache, and the network may not be used");
        for bad in ["", "main", "--upload-pack=x", &commit[..12], &commit.to_uppercase().replace(char::is_numeric, "A")] {
            assert_eq!(origins.commit(url, bad).err().unwrap(), "its .cargo_vcs_info.json names no commit", "{bad}");
        }
    }
}
