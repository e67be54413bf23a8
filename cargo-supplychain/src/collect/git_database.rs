//! Cargo's copies of git repositories, `$CARGO_HOME/git/db`, read with libgit2 and never fetched: whether a locked commit is on a branch or
//! tag, as far as the copy knows.
//!
//! What cargo fetches (its `sources/git/utils.rs`, tried with 1.95.0): for a branch or tag that one, without either `HEAD`, into
//! `refs/remotes/origin/`; for a `rev`, or a locked commit that it lacks, every branch and tag and `HEAD`; but at GitHub only the commit, into
//! `refs/commit/`. A copy has no remote in its configuration; which repository it is of, and what the last fetch was, stands in
//! `FETCH_HEAD`, as git writes it: commit, tab, `not-for-merge` or nothing, tab, `branch 'main' of URL` (or `tag …`; `HEAD` has the URL alone).

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use git2::{ErrorCode, ObjectType, Oid, Repository};

use crate::base::text::without_credentials;
use crate::files;
use crate::model::machine::{Fetched, LockedRevision, Reach};

/// The most copies that are looked at.
const MAX_COPIES: usize = 10_000;
/// The largest `FETCH_HEAD`: one line a branch and tag.
const MAX_FETCH_HEAD: u64 = 16 << 20;
/// So many commits are walked in search of one.
const MAX_COMMITS: usize = 500_000;

const ONLY_THE_COMMIT: &str = "cargo fetched other things than the branch since, or only the commit itself";

/// What is known of each revision; of a repository that cargo has no copy of nothing is said.
#[must_use]
pub fn reaches(cargo_home: &Utf8Path, revisions: &BTreeSet<LockedRevision>) -> BTreeMap<LockedRevision, Reach> {
    if revisions.is_empty() {
        return BTreeMap::new();
    }
    let copies = copies(&cargo_home.join("git/db"));
    let mut found = BTreeMap::new();
    for locked in revisions {
        let url = comparable(&locked.url);
        let of_url = copies.iter().filter(|copy| copy.url == url);
        if let Some(reach) = of_url.map(|copy| copy.reach(locked)).min_by_key(rank) {
            found.insert(locked.clone(), reach);
        }
    }
    found
}

/// Of several copies (each format of cargo's has its own) the one that knows counts, and the one that says nothing is wrong first.
fn rank(reach: &Reach) -> u8 {
    match reach {
        Reach::Reachable => 0,
        Reach::Unreachable { .. } => 1,
        Reach::Unknown(_) => 2,
    }
}

/// A copy, with what the last fetch brought.
struct Copy {
    path: Utf8PathBuf,
    url: String,
    tips: Vec<Tip>,
}

#[derive(Debug)]
struct Tip {
    commit: Oid,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    Branch(String),
    Tag(String),
    Head,
    Other,
}

/// URLs are compared without what does not make another repository of them; git, too, leaves `.git` out of `FETCH_HEAD`.
fn comparable(url: &str) -> String {
    without_credentials(url).trim_end_matches('/').trim_end_matches(".git").to_lowercase()
}

fn copies(folder: &Utf8Path) -> Vec<Copy> {
    let entries = folder.read_dir_utf8().into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.take(MAX_COPIES).map(|entry| entry.path().to_owned()).collect();
    paths.sort();
    paths.into_iter().filter_map(copy).collect()
}

fn copy(path: Utf8PathBuf) -> Option<Copy> {
    let (url, tips) = last_fetch(&files::read_text(&path.join("FETCH_HEAD"), MAX_FETCH_HEAD).ok()?)?;
    Some(Copy { path, url, tips })
}

/// The repository of a `FETCH_HEAD`, and what was fetched.
fn last_fetch(text: &str) -> Option<(String, Vec<Tip>)> {
    let mut url = None;
    let mut tips = Vec::new();
    for line in text.lines() {
        let mut fields = line.splitn(3, '\t');
        let (commit, _, note) = (fields.next()?, fields.next()?, fields.next()?);
        let (what, of) = what(note);
        // One fetch is of one repository.
        if url.get_or_insert_with(|| comparable(of)) != &comparable(of) {
            return None;
        }
        tips.push(Tip { commit: Oid::from_str(commit).ok()?, what });
    }
    Some((url?, tips))
}

/// `branch 'main' of URL`, `tag 'v1' of URL`, `'abc' of URL`, `URL`.
fn what(note: &str) -> (What, &str) {
    let Some((name, url)) = note.rsplit_once("' of ") else { return (What::Head, note) };
    let named = |kind: &str| name.strip_prefix(kind).map(str::to_owned);
    let what = named("branch '").map(What::Branch).or_else(|| named("tag '").map(What::Tag));
    (what.unwrap_or(What::Other), url)
}

impl Copy {
    fn reach(&self, locked: &LockedRevision) -> Reach {
        self.look(locked).unwrap_or_else(|_| Reach::Unknown("cargo's copy of the repository cannot be read".to_owned()))
    }

    fn look(&self, locked: &LockedRevision) -> Result<Reach, git2::Error> {
        let repository = Repository::open_bare(&self.path)?;
        if repository.is_shallow() {
            return Ok(Reach::Unknown("cargo's copy of the repository has no history".to_owned()));
        }
        let commit = Oid::from_str(&locked.revision)?;
        if let Err(error) = repository.find_commit(commit) {
            return match error.code() {
                ErrorCode::NotFound => Ok(Reach::Unknown("cargo has not fetched the commit".to_owned())),
                _ => Err(error),
            };
        }
        match self.is_reached(&repository, commit)? {
            Some(true) => Ok(Reach::Reachable),
            None => Ok(Reach::Unknown(format!("no branch leads to the commit within {MAX_COMMITS} commits"))),
            Some(false) => Ok(match self.fetched(locked.reference.as_deref()) {
                Some(fetched) => Reach::Unreachable { fetched },
                None => Reach::Unknown(ONLY_THE_COMMIT.to_owned()),
            }),
        }
    }

    /// Whether a branch or tag of this fetch, or one that is left of an earlier fetch, leads to the commit; `None`: too long a walk.
    fn is_reached(&self, repository: &Repository, commit: Oid) -> Result<Option<bool>, git2::Error> {
        let mut walk = repository.revwalk()?;
        let mut push = |id: Oid| -> Result<(), git2::Error> {
            // A tag may name a file or a tree, which lead to no commit.
            match repository.find_object(id, None).and_then(|object| object.peel(ObjectType::Commit)) {
                Ok(commit) => walk.push(commit.id()),
                Err(_) => Ok(()),
            }
        };
        for tip in self.tips.iter().filter(|tip| tip.what != What::Other) {
            push(tip.commit)?;
        }
        for pattern in ["refs/remotes/origin/*", "refs/tags/*"] {
            for reference in repository.references_glob(pattern)? {
                if let Some(id) = reference?.target() {
                    push(id)?;
                }
            }
        }
        for (count, id) in walk.enumerate() {
            if count == MAX_COMMITS {
                return Ok(None);
            }
            if id? == commit {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    /// What the last fetch was, as far as it can answer: everything, or just what the package is locked by.
    fn fetched(&self, reference: Option<&str>) -> Option<Fetched> {
        let has = |wanted: &dyn Fn(&What) -> bool| self.tips.iter().any(|tip| wanted(&tip.what));
        if has(&|what| *what == What::Head) && has(&|what| matches!(what, What::Branch(_))) {
            return Some(Fetched::All);
        }
        let is_locked_by = |what: &What| match (what, reference.and_then(|reference| reference.split_once('='))) {
            (What::Branch(name), Some(("branch", wanted))) | (What::Tag(name), Some(("tag", wanted))) => name == wanted,
            (What::Head, None) => reference.is_none(),
            _ => false,
        };
        has(&is_locked_by).then_some(Fetched::Reference)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_no_fetch_or_one(text in "([0-9a-f]{0,41}\t(not-for-merge)?\t(branch |tag )?'?\\PC{0,8}'? of \\PC{0,8}\n|\\PC{0,20}\n){0,4}") {
            if let Some((_, tips)) = last_fetch(&text) {
                prop_assert_eq!(tips.len(), text.lines().count());
            }
        }
    }

    /// A copy of `https://example.org/Lib.git`: commits 1 and 2 on `main`, 3 on nothing; `FETCH_HEAD` as given, `N` for commit N.
    fn with_copy<T>(fetch_head: &str, test: impl FnOnce(&Utf8Path, &[Oid]) -> T) -> T {
        let guard = tempfile::tempdir().unwrap();
        let home = Utf8Path::from_path(guard.path()).unwrap();
        let folder = home.join("git/db/lib-0123");
        let repository = Repository::init_bare(&folder).unwrap();
        let who = git2::Signature::new("a", "a@example.org", &git2::Time::new(1_700_000_000, 0)).unwrap();
        let tree = repository.treebuilder(None).unwrap().write().unwrap();
        let tree = repository.find_tree(tree).unwrap();
        let mut commits: Vec<Oid> = Vec::new();
        for message in ["1", "2", "3"] {
            let parent = commits.last().map(|&id| repository.find_commit(id).unwrap());
            let parents: Vec<_> = parent.iter().collect();
            commits.push(repository.commit(None, &who, &who, message, &tree, &parents).unwrap());
        }
        let mut text = fetch_head.to_owned();
        for (number, id) in commits.iter().enumerate() {
            text = text.replace(&format!("<{}>", number + 1), &id.to_string());
        }
        std::fs::write(folder.join("FETCH_HEAD"), text).unwrap();
        test(home, &commits)
    }

    fn reach(fetch_head: &str, reference: Option<&str>, commit: usize) -> String {
        with_copy(fetch_head, |home, commits| {
            let url = "https://user:pw@example.org/lib".to_owned();
            let revision = commits.get(commit - 1).map_or("0".repeat(40), ToString::to_string);
            let locked = LockedRevision { url, reference: reference.map(str::to_owned), revision };
            match reaches(home, &[locked].into()).into_values().next() {
                None => "no copy".to_owned(),
                Some(Reach::Reachable) => "reachable".to_owned(),
                Some(Reach::Unreachable { fetched }) => format!("not in {fetched:?}"),
                Some(Reach::Unknown(why)) => why,
            }
        })
    }

    #[test]
    fn only_what_the_last_fetch_can_tell_is_told() {
        let branch = "<2>\t\tbranch 'main' of https://example.org/Lib.git\n";
        let tag = "<1>\t\ttag 'v1' of https://example.org/lib\n";
        let head = "<2>\t\thttps://example.org/lib\n";
        let all = "<1>\tnot-for-merge\tbranch 'old' of https://example.org/lib\n<2>\tnot-for-merge\tbranch 'main' of https://example.org/lib\n<2>\t\thttps://example.org/lib\n";
        let only_commit = "<3>\t\t'<3>' of https://example.org/lib\n";
        for (fetch_head, reference, commit, expected) in [
            (branch, Some("branch=main"), 1, "reachable"),
            (branch, Some("branch=main"), 2, "reachable"),
            (branch, Some("branch=main"), 3, "not in Reference"),
            (branch, Some("branch=rel"), 3, ONLY_THE_COMMIT),
            (branch, None, 3, ONLY_THE_COMMIT),
            (head, None, 3, "not in Reference"),
            (tag, Some("tag=v1"), 2, "not in Reference"),
            (tag, Some("tag=v1"), 1, "reachable"),
            (all, Some("rev=abc"), 3, "not in All"),
            (all, Some("branch=other"), 3, "not in All"),
            (all, None, 1, "reachable"),
            (only_commit, Some("rev=abc"), 3, ONLY_THE_COMMIT),
            (all, None, 4, "cargo has not fetched the commit"),
            ("<2>\t\thttps://example.org/other\n", None, 3, "no copy"),
            ("<2>\t\thttps://example.org/lib\n<2>\t\thttps://example.org/other\n", None, 3, "no copy"),
            ("nonsense\n", None, 3, "no copy"),
            ("", None, 3, "no copy"),
        ] {
            assert_eq!(reach(fetch_head, reference, commit), expected, "{fetch_head} {reference:?} {commit}");
        }
    }

    #[test]
    fn branches_of_earlier_fetches_count() {
        with_copy("<1>\t\thttps://example.org/lib\n", |home, commits| {
            let repository = Repository::open_bare(home.join("git/db/lib-0123")).unwrap();
            let locked =
                LockedRevision { url: "https://example.org/lib".into(), reference: None, revision: commits[2].to_string() };
            let look = || reaches(home, &[locked.clone()].into()).into_values().next().unwrap();
            repository.reference("refs/commit/x", commits[2], true, "").unwrap();
            assert_eq!(look(), Reach::Unreachable { fetched: Fetched::Reference });
            repository.reference("refs/remotes/origin/dev", commits[2], true, "").unwrap();
            assert_eq!(look(), Reach::Reachable);
        });
    }
}
