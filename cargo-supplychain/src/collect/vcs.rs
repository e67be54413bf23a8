//! The state of the git repository around the workspace, read with libgit2, which runs no hook, filter program or file-system monitor.
//! Never the git program: it would execute what the repository configures.

use camino::{Utf8Path, Utf8PathBuf};
use git2::{Repository, Status, StatusOptions};

use crate::base::{Timestamp, text};
use crate::files;
use crate::model::{Gap, Source};

/// What the repository says; without one every field is empty. What could not be read is a gap.
#[must_use]
pub fn read(workspace: &Utf8Path, target_directory: &Utf8Path) -> (Source, Vec<Gap>) {
    let mut gaps = Vec::new();
    let mut gap = |subject: &str, message: String| gaps.push(Gap { subject: subject.to_owned(), message });
    let repository = match Repository::discover(workspace) {
        Ok(repository) => repository,
        // No repository is a fact, not a gap: every field of the source is empty, and documents say so.
        Err(error) if error.code() == git2::ErrorCode::NotFound => return (Source::default(), gaps),
        Err(error) => {
            gap("source", format!("the git repository cannot be read: {}", text::plain(error.message())));
            return (Source::default(), gaps);
        }
    };
    let mut source =
        Source { remote: remote(&repository), subdirectory: subdirectory(&repository, workspace), ..Source::default() };
    match repository.head().and_then(|head| head.peel_to_commit()) {
        Ok(commit) => {
            source.commit = Some(commit.id().to_string());
            source.commit_time = Timestamp::from_unix(commit.time().seconds());
            source.tags = tags(&repository, commit.id());
        }
        Err(error) if matches!(error.code(), git2::ErrorCode::UnbornBranch | git2::ErrorCode::NotFound) => {}
        Err(error) => gap("source", format!("HEAD cannot be read: {}", text::plain(error.message()))),
    }
    if let Ok(head) = repository.head()
        && head.is_branch()
        && let Ok(branch) = head.shorthand()
    {
        source.branch = Some(branch.to_owned());
    }
    match is_dirty(&repository, target_directory) {
        Ok(dirty) => source.dirty = Some(dirty),
        Err(error) => gap("source", format!("the state of the work tree cannot be read: {}", text::plain(error.message()))),
    }
    (source, gaps)
}

/// Where the repository around a folder is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    pub work_tree: Option<Utf8PathBuf>,
    /// Git's own folders: that of the work tree, the common one, and object folders of other repositories that it borrows from.
    pub data: Vec<Utf8PathBuf>,
}

/// Empty without a repository.
#[must_use]
pub fn places(workspace: &Utf8Path) -> Places {
    let Ok(repository) = Repository::discover(workspace) else { return Places::default() };
    let path = |path: &std::path::Path| Utf8PathBuf::from_path_buf(path.to_owned()).ok();
    let mut data: Vec<_> = [repository.path(), repository.commondir()].into_iter().filter_map(path).collect();
    data.dedup();
    let borrowed: Vec<_> = data.iter().flat_map(|folder| borrowed(&folder.join("objects"))).collect();
    data.extend(borrowed);
    Places { work_tree: repository.workdir().and_then(path), data }
}

/// How many repositories may borrow from each other in a row; git's own limit.
const BORROWED_DEPTH: usize = 5;
const ALTERNATES_MAX: u64 = 64 << 10;

/// Object folders that a repository reads besides its own (`objects/info/alternates`, gitrepository-layout(5)): `git clone --shared` and
/// our own second build make them. What is not a folder of objects by its name and its content is passed over.
fn borrowed(objects: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut found: Vec<Utf8PathBuf> = Vec::new();
    let mut level = vec![objects.to_owned()];
    for _ in 0..BORROWED_DEPTH {
        let read = |objects: &Utf8PathBuf| files::read_text(&objects.join("info/alternates"), ALTERNATES_MAX).unwrap_or_default();
        let lines: Vec<_> =
            level.iter().flat_map(|from| read(from).lines().map(|line| from.join(line)).collect::<Vec<_>>()).collect();
        let real = lines.into_iter().filter_map(|place| place.canonicalize_utf8().ok());
        level = real.filter(|place| place.file_name() == Some("objects") && place.join("pack").is_dir()).collect();
        level.retain(|place| !found.contains(place));
        level.dedup();
        found.extend(level.iter().cloned());
    }
    found
}

fn remote(repository: &Repository) -> Option<String> {
    let named = |name: &str| Some(text::without_credentials(repository.find_remote(name).ok()?.url().ok()?));
    named("origin").or_else(|| {
        let remotes = repository.remotes().ok()?;
        let first = remotes.iter().flatten().flatten().next()?.to_owned();
        named(&first)
    })
}

fn subdirectory(repository: &Repository, workspace: &Utf8Path) -> Option<String> {
    let root = Utf8Path::from_path(repository.workdir()?)?.canonicalize_utf8().ok()?;
    let inside = workspace.canonicalize_utf8().ok()?;
    let below = inside.strip_prefix(&root).ok()?;
    Some(if below.as_str().is_empty() { ".".to_owned() } else { below.as_str().replace('\\', "/") })
}

/// Tags, annotated ones peeled, that point to the commit.
fn tags(repository: &Repository, commit: git2::Oid) -> Vec<String> {
    let Ok(references) = repository.references_glob("refs/tags/*") else { return Vec::new() };
    let mut tags: Vec<_> = references
        .flatten()
        .filter(|tag| tag.peel_to_commit().is_ok_and(|tagged| tagged.id() == commit))
        .filter_map(|tag| tag.shorthand().ok().map(str::to_owned))
        .collect();
    tags.sort();
    tags
}

/// Whether anything tracked differs from HEAD, or anything untracked is neither ignored nor below our target folder.
fn is_dirty(repository: &Repository, target_directory: &Utf8Path) -> Result<bool, git2::Error> {
    let root = repository.workdir().and_then(Utf8Path::from_path).map(Utf8Path::to_owned);
    let own = root.and_then(|root| target_directory.strip_prefix(root).ok().map(Utf8Path::to_owned));
    let mut options = StatusOptions::new();
    options.include_untracked(true).include_ignored(false).exclude_submodules(false).no_refresh(true);
    let statuses = repository.statuses(Some(&mut options))?;
    Ok(statuses.iter().any(|entry| {
        let is_own = entry.status() == Status::WT_NEW
            && own.as_ref().is_some_and(|own| entry.path().is_ok_and(|path| Utf8Path::new(path).starts_with(own)));
        !is_own
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(repository: &Repository) -> git2::Oid {
        let mut index = repository.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let who = git2::Signature::new("a", "a@example.org", &git2::Time::new(1_700_000_000, 0)).unwrap();
        repository.commit(Some("HEAD"), &who, &who, "c", &tree, &[]).unwrap()
    }

    #[test]
    fn commit_tags_dirt_and_remote() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        let target = root.join("target");
        let (none, gaps) = read(&root, &target);
        assert_eq!((none, gaps.len()), (Source::default(), 0));

        let repository = Repository::init(&root).unwrap();
        std::fs::write(root.join("a.txt"), "a").unwrap();
        let id = commit(&repository);
        repository.tag_lightweight("v1.0.0", &repository.find_object(id, None).unwrap(), false).unwrap();
        repository.remote("origin", "https://user:pw@example.org/a.git").unwrap();
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("x"), "x").unwrap();
        let (source, gaps) = read(&root, &target);
        assert_eq!(gaps, []);
        assert_eq!(source.commit, Some(id.to_string()));
        assert_eq!(source.commit_time.unwrap().unix(), 1_700_000_000);
        assert_eq!((source.tags.as_slice(), source.dirty), (["v1.0.0".to_owned()].as_slice(), Some(false)));
        assert_eq!(source.remote.as_deref(), Some("https://example.org/a.git"));
        assert_eq!(source.subdirectory.as_deref(), Some("."));

        std::fs::write(root.join("a.txt"), "b").unwrap();
        assert_eq!(read(&root, &target).0.dirty, Some(true));
    }
}
