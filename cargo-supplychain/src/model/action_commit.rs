//! Commits of GitHub repositories that workflows pin (`uses: owner/repo@COMMIT`), and whether they belong to those repositories. Pure
//! types; who asks is `feeds`, what it means is `check`'s.

use std::collections::BTreeMap;
use std::fmt;

use super::lockfile::is_full_revision;

/// A commit of a repository, as a workflow names it. All in lower case: GitHub does not tell them apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActionCommit {
    owner: String,
    repository: String,
    commit: String,
}

/// The longest name of an owner or a repository; GitHub's own limits are 39 and 100 characters.
const MAX_NAME: usize = 100;

impl ActionCommit {
    /// Of the text of a `uses:`: `owner/repo@COMMIT` or `owner/repo/folder@COMMIT`, the commit in full (40 hexadecimal digits). `None`
    /// for everything else: local actions, images, tags and branches. Its parts are safe in a path and a URL.
    #[must_use]
    pub fn of(uses: &str) -> Option<Self> {
        let (action, commit) = uses.trim().split_once('@')?;
        let mut parts = action.split('/');
        let (owner, repository) = (parts.next()?, parts.next()?);
        let is_owner = is_name(owner, "-_") && !owner.starts_with('-');
        let is_repository = is_name(repository, "-_.") && !matches!(repository, "." | "..");
        let is_commit = commit.len() == 40 && is_full_revision(commit);
        (is_owner && is_repository && is_commit).then(|| Self {
            owner: owner.to_ascii_lowercase(),
            repository: repository.to_ascii_lowercase(),
            commit: commit.to_ascii_lowercase(),
        })
    }

    /// `owner/repo`.
    #[must_use]
    pub fn repository(&self) -> String {
        format!("{}/{}", self.owner, self.repository)
    }

    /// 40 hexadecimal digits in lower case.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }
}

/// `owner/repo@0123456789ab`, for people.
impl fmt::Display for ActionCommit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.owner, self.repository, &self.commit[..12])
    }
}

fn is_name(name: &str, besides: &str) -> bool {
    let is_fine = |one: char| one.is_ascii_alphanumeric() || besides.contains(one);
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_fine)
}

/// Whether a commit belongs to the repository that it is said to be of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Belonging {
    /// A branch or a tag leads to it.
    Proved,
    /// All of so many branches and tags were asked about, and none leads to it.
    ToNone { branches: usize, tags: usize },
    /// Not known, and why: a fragment.
    Unknown(String),
}

/// What is known of the commits that were asked about.
pub type ActionCommits = BTreeMap<ActionCommit, Belonging>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_full_commits_of_repositories() {
        let hex = "0123456789ABCDEF0123456789abcdef01234567";
        let of = |uses: &str| ActionCommit::of(&uses.replace("HEX", hex));
        for (uses, expected) in [
            ("actions/checkout@HEX", Some("actions/checkout")),
            (" Org_x/Repo.rs/.github/workflows/w.yml@HEX ", Some("org_x/repo.rs")),
            ("actions/checkout@v4", None),
            ("actions/checkout@0123456", None),
            ("actions/checkout@HEXHEX", None),
            ("actions/checkout", None),
            ("./.github/actions/mine@HEX", None),
            ("actions@HEX", None),
            ("docker://ghcr.io/x/y@HEX", None),
            ("x/..@HEX", None),
            ("../y@HEX", None),
            ("x/y?z@HEX", None),
            ("x /y@HEX", None),
            ("/y@HEX", None),
            ("x/@HEX", None),
        ] {
            assert_eq!(of(uses).map(|found| found.repository()).as_deref(), expected, "{uses}");
        }
        assert_eq!(of("x/y@HEX").unwrap().commit(), hex.to_lowercase());
        assert_eq!(of("X/y@HEX").unwrap().to_string(), "x/y@0123456789ab");
        assert!(ActionCommit::of(&format!("{}/y@{hex}", "x".repeat(101))).is_none());
    }
}
