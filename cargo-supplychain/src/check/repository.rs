//! Repository URLs as manifests write them, compared by host and path. They are claims: anybody can write another's.

/// The host and the path of a repository, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    host: String,
    /// `owner`, `name`; more of them in nested groups.
    path: Vec<String>,
}

impl Repository {
    /// Reads `https://github.com/Org/Repo.git`, `git@github.com:org/repo`, `https://gitlab.com/a/b/c/-/tree/main`. `None` for what names
    /// no repository.
    pub(super) fn parse(url: &str) -> Option<Self> {
        let url = url.trim().to_ascii_lowercase();
        let url = url.strip_prefix("git+").unwrap_or(&url);
        let (authority, path) = match url.split_once("://") {
            Some((_, rest)) => rest.split_once('/')?,
            None => url.split_once(':')?,
        };
        let host = authority.rsplit('@').next().unwrap_or_default();
        let host = host.split(':').next().unwrap_or_default();
        let host = host.strip_prefix("www.").unwrap_or(host);
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let parts = path.split('/').filter(|part| !part.is_empty());
        let mut path: Vec<String> = parts.take_while(|part| *part != "-").map(str::to_owned).collect();
        if host != "gitlab.com" {
            path.truncate(2);
        }
        if let Some(name) = path.last_mut()
            && let Some(short) = name.strip_suffix(".git")
        {
            *name = short.to_owned();
        }
        (path.len() >= 2 && !host.is_empty()).then(|| Self { host: host.to_owned(), path })
    }

    /// The repository of a trusted publisher: `github`, `org/repo`.
    pub(super) fn of_provider(provider: &str, repository: &str) -> Option<Self> {
        let host = match provider {
            "github" => "github.com",
            "gitlab" => "gitlab.com",
            other => other,
        };
        Self::parse(&format!("https://{host}/{repository}"))
    }

    /// Whether both are one repository. Of nested groups the shorter path may lack a folder's: `group/repo/tree/main`.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.host == other.host && self.is_path_of(other)
    }

    /// The same owner and name, perhaps elsewhere: a mirror.
    pub(super) fn is_path_of(&self, other: &Self) -> bool {
        let short = self.path.len().min(other.path.len());
        self.path[..short] == other.path[..short]
    }

    pub(super) fn owner(&self) -> &str {
        &self.path[0]
    }

    pub(super) fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// Whether two URLs name one repository; `None` when one of them names none.
pub(super) fn same(one: &str, other: &str) -> Option<bool> {
    Some(Repository::parse(one)?.is_same(&Repository::parse(other)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_of_writing_one_repository_and_others_that_look_like_it() {
        for (other, expected) in [
            ("https://github.com/org/foo", Some(true)),
            ("http://www.github.com/Org/Foo.git", Some(true)),
            ("https://github.com/org/foo/tree/main/crates/bar", Some(true)),
            ("https://github.com/org/foo/#readme", Some(true)),
            ("git@github.com:org/foo.git", Some(true)),
            ("git+ssh://git@github.com:22/org/foo", Some(true)),
            ("https://github.com/org/foo2", Some(false)),
            ("https://github.com/evil/foo", Some(false)),
            ("https://github.com.evil.org/org/foo", Some(false)),
            ("https://github.com@evil.org/org/foo", Some(false)),
            ("https://github.com/org", None),
            ("", None),
            ("\u{1b}:", None),
        ] {
            assert_eq!(same("https://github.com/org/foo/", other), expected, "{other}");
        }
        let group = Repository::of_provider("gitlab", "group/sub/repo").unwrap();
        for (url, expected) in [
            ("https://gitlab.com/group/sub/repo/-/tree/main/x", true),
            ("https://gitlab.com/group/sub/repo/tree/main", true),
            ("https://gitlab.com/group/sub/other", false),
        ] {
            assert_eq!(group.is_same(&Repository::parse(url).unwrap()), expected, "{url}");
        }
    }
}
