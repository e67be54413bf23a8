//! A git checkout of cargo's, against the tree of the locked commit. What is in the objects is what their names say: libgit2 counts the
//! digest of each that it reads. The checkout's own index and HEAD are never asked, and nothing that a repository configures is run.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use git2::{ObjectType, Oid, Repository, Tree};

use super::Shown;
use super::folder::{self, Listing};
use super::registry::MARKER;
use crate::base::text;
use crate::files;
use crate::model::integrity::Deviation;

/// The deepest nesting of submodules and folders, and the largest file.
const MAX_SUBMODULES: usize = 8;
const MAX_DEPTH: usize = 64;
const MAX_FILE: u64 = 512 << 20;

/// `git2`'s file modes.
const LINK: i32 = 0o120_000;

/// A checkout: `$CARGO_HOME/git/checkouts/REPOSITORY/SHORT`, and where its objects are.
pub(super) struct Checkout<'a> {
    pub folder: &'a Utf8Path,
    /// `$CARGO_HOME/git/db`.
    pub databases: &'a Utf8Path,
    /// The full locked revision.
    pub revision: &'a str,
}

/// Everything in a checkout but the repository itself.
pub(super) fn listing(folder: &Utf8Path) -> std::io::Result<Listing> {
    Listing::of(folder, &|name| name == ".git")
}

/// Compares; paths of the deviations are whole.
pub(super) fn verify(checkout: &Checkout<'_>, listing: &Listing, shown: &Shown<'_>) -> Result<Vec<Deviation>, String> {
    let commit = Oid::from_str(checkout.revision).map_err(|error| plain(&error))?;
    let mut comparison = Comparison { checkout, listing, shown, seen: Vec::new(), deviations: Vec::new() };
    let name = checkout.folder.parent().and_then(Utf8Path::file_name).unwrap_or_default();
    let own = checkout.databases.join(name);
    comparison.commit(commit, "", &own, 0)?;
    comparison.extra();
    Ok(comparison.deviations)
}

struct Comparison<'a> {
    checkout: &'a Checkout<'a>,
    listing: &'a Listing,
    shown: &'a Shown<'a>,
    /// Paths that the trees name.
    seen: Vec<String>,
    deviations: Vec<Deviation>,
}

impl Comparison<'_> {
    /// The tree of a commit whose files lie below `prefix` (empty, or ending in `/`).
    fn commit(&mut self, commit: Oid, prefix: &str, database: &Utf8Path, depth: usize) -> Result<(), String> {
        if depth > MAX_SUBMODULES {
            return Err(format!("submodules nested deeper than {MAX_SUBMODULES}"));
        }
        let here = self.checkout.folder.join(prefix);
        let repository = self
            .repository(commit, &here, database)
            .ok_or_else(|| format!("the commit {commit} of {} is in none of cargo's git databases", self.shown.path(&here)))?;
        let tree = repository.find_commit(commit).and_then(|commit| commit.tree()).map_err(|error| plain(&error))?;
        let conversions = Conversions::of(&repository, &tree);
        self.seen.push(format!("{prefix}{MARKER}"));
        self.tree(&Place { repository: &repository, conversions, depth }, &tree, prefix, 0)
    }

    /// A repository that has the commit: cargo's database, the one below the folder, or that of a submodule.
    fn repository(&self, commit: Oid, here: &Utf8Path, database: &Utf8Path) -> Option<Repository> {
        let has = |repository: &Repository| repository.find_commit(commit).and_then(|commit| commit.tree()).is_ok();
        let open = |path: &Utf8Path| Repository::open(path).ok().filter(has);
        open(database).or_else(|| open(here)).or_else(|| {
            let mut others: Vec<_> =
                self.checkout.databases.read_dir_utf8().ok()?.filter_map(|entry| Some(entry.ok()?.path().to_owned())).collect();
            others.sort();
            others.iter().find_map(|path| open(path))
        })
    }

    fn tree(&mut self, place: &Place<'_>, tree: &Tree<'_>, prefix: &str, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("folders nested deeper than {MAX_DEPTH} in the commit"));
        }
        for entry in tree {
            let Ok(name) = entry.name() else {
                return Err(format!("a name that is not UTF-8 in the commit, in {prefix}"));
            };
            let path = format!("{prefix}{name}");
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let below = place.repository.find_tree(entry.id()).map_err(|error| plain(&error))?;
                    self.tree(place, &below, &(path + "/"), depth + 1)?;
                }
                Some(ObjectType::Commit) => self.submodule(entry.id(), &path, place.depth)?,
                _ if entry.filemode() == LINK => self.link(entry.id(), path),
                _ => self.file(place, entry.id(), path),
            }
        }
        Ok(())
    }

    /// Cargo leaves out a submodule whose `update` is `none`: its folder is empty then.
    fn submodule(&mut self, commit: Oid, path: &str, depth: usize) -> Result<(), String> {
        let prefix = format!("{path}/");
        let at = self.listing.files.partition_point(|(path, _)| *path < prefix);
        let is_there = self.listing.files.get(at).is_some_and(|(path, _)| path.starts_with(&prefix));
        if is_there { self.commit(commit, &prefix, &self.checkout.folder.join(path), depth + 1) } else { Ok(()) }
    }

    fn link(&mut self, expected: Oid, path: String) {
        let odd = self.listing.odd.iter().find(|odd| odd.path == path);
        let target = odd.and_then(|odd| odd.target.as_ref());
        let actual = target.and_then(|target| Oid::hash_object(ObjectType::Blob, target.as_bytes()).ok());
        if actual != Some(expected) {
            self.differs(&path, Some(expected), actual);
        }
        self.seen.push(path);
    }

    fn file(&mut self, place: &Place<'_>, expected: Oid, path: String) {
        let whole = self.checkout.folder.join(&path);
        let bytes = self.listing.get(&path).filter(|stat| stat.size <= MAX_FILE).and_then(|_| {
            let file = folder::open(&whole).ok()?;
            files::read_open(&file, MAX_FILE).ok()
        });
        let actual = bytes.as_ref().and_then(|bytes| Oid::hash_object(ObjectType::Blob, bytes).ok());
        let is_same = actual == Some(expected) || bytes.is_some_and(|bytes| place.conversions.undo(bytes, expected));
        if !is_same {
            self.differs(&path, Some(expected), actual);
        }
        self.seen.push(path);
    }

    /// What no tree names: neither file, link nor pipe belongs here.
    fn extra(&mut self) {
        self.seen.sort_unstable();
        let files = self.listing.files.iter().map(|(path, _)| path);
        let extra: Vec<_> = files
            .chain(self.listing.odd.iter().map(|odd| &odd.path))
            .filter(|path| self.seen.binary_search(path).is_err())
            .cloned()
            .collect();
        for path in extra {
            let whole = self.checkout.folder.join(&path);
            let actual = folder::open(&whole).ok().and_then(|file| files::read_open(&file, MAX_FILE).ok());
            let actual = actual.and_then(|bytes| Oid::hash_object(ObjectType::Blob, &bytes).ok());
            self.differs(&path, None, actual);
        }
    }

    fn differs(&mut self, path: &str, expected: Option<Oid>, actual: Option<Oid>) {
        self.deviations.push(Deviation::GitTampered {
            path: self.shown.path(&self.checkout.folder.join(path)),
            expected: expected.map(|id| id.to_string()),
            actual: actual.map(|id| id.to_string()),
        });
    }
}

/// The repository that a tree is of.
struct Place<'r> {
    repository: &'r Repository,
    conversions: Conversions,
    depth: usize,
}

/// What `.gitattributes` of the commit has checked-out files converted by, as libgit2 does it whatever the configuration says.
#[derive(Debug, Clone, Copy, Default)]
struct Conversions {
    lines: bool,
    ident: bool,
}

impl Conversions {
    fn of(repository: &Repository, tree: &Tree<'_>) -> Self {
        let mut found = Self::default();
        // What cannot be read converts nothing; the files of the commit then have to be there as they are.
        let _ = tree.walk(git2::TreeWalkMode::PreOrder, |_, entry| {
            if entry.name() == Ok(".gitattributes")
                && let Ok(blob) = repository.find_blob(entry.id())
            {
                let text = String::from_utf8_lossy(blob.content());
                found.lines |= text.contains("eol=crlf");
                found.ident |= text.contains("ident");
            }
            git2::TreeWalkResult::Ok
        });
        found
    }

    /// Whether the bytes are those of the blob once the conversion is undone.
    fn undo(self, bytes: Vec<u8>, expected: Oid) -> bool {
        let mut bytes = bytes;
        if self.lines {
            bytes = replaced(&bytes, b"\r\n", b"\n");
        }
        if self.ident {
            bytes = replaced(&bytes, format!("$Id: {expected} $").as_bytes(), b"$Id$");
        }
        (self.lines || self.ident) && Oid::hash_object(ObjectType::Blob, &bytes).ok() == Some(expected)
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        if rest.starts_with(from) {
            out.extend_from_slice(to);
            rest = &rest[from.len()..];
        } else {
            out.push(*first);
            rest = &rest[1..];
        }
    }
    out
}

/// The checkout that a package's folder is in: `…/git/checkouts/REPOSITORY/SHORT`.
pub(super) fn checkout_of(folder: &Utf8Path, home: &Utf8Path) -> Option<Utf8PathBuf> {
    let checkouts = home.join("git").join("checkouts");
    let mut inside = folder.strip_prefix(&checkouts).ok()?.components();
    let (repository, short) = (inside.next()?, inside.next()?);
    Some(checkouts.join(repository).join(short))
}

/// The checkout of a revision, where nobody told: its folder is named by the revision's first digits.
pub(super) fn find_checkout(home: &Utf8Path, revision: &str) -> Option<Utf8PathBuf> {
    let mut repositories: Vec<_> = subfolders(&home.join("git").join("checkouts"));
    repositories.sort();
    let of_revision =
        |folder: &Utf8PathBuf| folder.file_name().is_some_and(|short| short.len() >= 7 && revision.starts_with(short));
    repositories.iter().flat_map(|repository| subfolders(repository)).find(of_revision)
}

fn subfolders(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|entry| Utf8PathBuf::from_path_buf(entry.ok()?.path()).ok()).filter(|path| path.is_dir()).collect()
}

fn plain(error: &git2::Error) -> String {
    format!("the git database cannot be read: {}", text::plain(error.message()))
}
