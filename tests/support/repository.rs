//! The project as a git repository: commits to compare with, and repositories beside it that it depends on.

use camino::Utf8Path;
use git2::{IndexAddOption, Oid, Repository, Signature, Time};

use super::Project;

impl Project {
    /// Commits all files of the project (on the branch `main`, which is made first) and gives back the commit.
    pub fn commit(&self, message: &str) -> String {
        commit_all(&self.folder(), "main", message)
    }

    /// Commits all files of a folder beside the project to a branch of its repository; the repository is made first.
    pub fn commit_beside(&self, folder: &str, branch: &str) -> String {
        commit_all(&self.root().join(folder), branch, "c")
    }

    /// Cargo as the project's own user would start it, in the project; its outcome does not matter.
    pub fn plain_cargo(&self, arguments: &[&str]) {
        super::command::plain_cargo(self, arguments);
    }
}

fn commit_all(folder: &Utf8Path, branch: &str, message: &str) -> String {
    let repository = Repository::open(folder).or_else(|_| Repository::init(folder)).unwrap();
    let mut index = repository.index().unwrap();
    index.add_all(["*"], IndexAddOption::DEFAULT, None).unwrap();
    index.update_all(["*"], None).unwrap();
    index.write().unwrap();
    let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
    let who = Signature::new("a", "a@example.org", &Time::new(1_780_000_000, 0)).unwrap();
    let name = format!("refs/heads/{branch}");
    let parent = repository.find_reference(&name).ok().and_then(|head| head.peel_to_commit().ok());
    let parents: Vec<_> = parent.iter().collect();
    let commit: Oid = repository.commit(Some(&name), &who, &who, message, &tree, &parents).unwrap();
    repository.set_head(&name).unwrap();
    commit.to_string()
}
