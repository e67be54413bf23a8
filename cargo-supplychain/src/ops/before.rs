//! The earlier state that a change is judged against: `--base REV`, else the committed baseline. With a revision, policy and baseline
//! are that revision's too (ARCHITECTURE.md, invariant 10).

use camino::{Utf8Path, Utf8PathBuf};

use super::Error;
use crate::base::Location;
use crate::check::OwnFile;
use crate::collect;
use crate::collect::revision::Revision;
use crate::files;
use crate::model::audits::AuditFiles;
use crate::model::change::{Before, ChangeSet, EarlierPackage};
use crate::model::manifest::{Manifest, Requirement};
use crate::model::{Lockfile, lockfile, manifest};

/// The policy's name at the workspace root.
pub(super) const POLICY_FILE: &str = "supplychain.toml";
/// The baseline's name at the workspace root.
pub(super) const BASELINE_FILE: &str = "supplychain.lock";
/// The largest file of ours that is read.
pub(super) const OWN_FILE_LIMIT: u64 = 64 << 20;

/// `--base`.
pub struct Base {
    before: Before,
    /// None: a lockfile alone, which has no files of ours beside it.
    revision: Option<Revision>,
    /// Its lockfile; `None` when it had none.
    pub lockfile: Option<Lockfile>,
    /// Its manifests, as far as they can be read.
    pub manifests: Vec<Manifest>,
    /// Which files of ours differ between it and the work tree.
    pub own_files_changed: Vec<OwnFile>,
}

impl std::fmt::Debug for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Base").field("before", &self.before).finish_non_exhaustive()
    }
}

impl Base {
    /// Reads what the revision has.
    pub(super) fn open(root: &Utf8Path, given: &str) -> Result<Self, Error> {
        let revision = Revision::open(root, given).map_err(|error| {
            Error::usage(&error).with_help("name a branch, tag or commit with --base; a shallow clone may lack it")
        })?;
        let lockfile = match read(&revision, "Cargo.lock", lockfile::MAX_BYTES as u64)? {
            Some(bytes) => {
                Some(lockfile::parse(&format!("Cargo.lock of {given}"), &bytes).map_err(|error| Error::usage(&error))?)
            }
            None => None,
        };
        let mut own_files_changed = Vec::new();
        for (name, file) in [(POLICY_FILE, OwnFile::Policy), (BASELINE_FILE, OwnFile::Baseline)] {
            let now = files::read(&root.join(name), OWN_FILE_LIMIT).ok();
            if read(&revision, name, OWN_FILE_LIMIT)? != now {
                own_files_changed.push(file);
            }
        }
        let manifests = manifests(&revision)?;
        let before = Before::Revision { given: given.to_owned(), commit: revision.commit() };
        Ok(Self { before, revision: Some(revision), lockfile, manifests, own_files_changed })
    }

    /// A lockfile alone.
    pub(super) fn file(path: &str, lockfile: Lockfile) -> Self {
        let before = Before::File { path: path.to_owned() };
        Self { before, revision: None, lockfile: Some(lockfile), manifests: Vec::new(), own_files_changed: Vec::new() }
    }

    /// What people call it: the revision or file as given.
    pub(super) fn name(&self) -> &str {
        match &self.before {
            Before::Revision { given, .. } => given,
            Before::File { path } => path,
            Before::Baseline => BASELINE_FILE,
        }
    }

    /// A file of ours as the revision has it, as text.
    pub(super) fn own_file(&self, name: &str) -> Result<Option<String>, Error> {
        let Some(revision) = &self.revision else { return Ok(None) };
        let Some(bytes) = read(revision, name, OWN_FILE_LIMIT)? else { return Ok(None) };
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|_| Error::usage(&format!("{name} of the revision `{}` is not UTF-8", revision.given())))
    }

    /// What the lockfile brings in against it. Without a lockfile there, everything is new.
    pub(super) fn changes(&self, lockfile: &Lockfile) -> ChangeSet {
        let earlier = self.lockfile.iter().flat_map(|earlier| &earlier.packages).map(EarlierPackage::from).collect();
        ChangeSet::between(self.before.clone(), earlier, lockfile)
    }

    /// The audits of others, as the revision has them.
    pub(super) fn audit_files(&self) -> Result<AuditFiles, Error> {
        let read = |name: &str| self.own_file(&format!("{}/{name}", collect::audits::FOLDER));
        let [audits, imports, config] = collect::audits::FILES;
        Ok(AuditFiles { audits: read(audits)?, imports: read(imports)?, config: read(config)? })
    }

    /// Whether one of these manifests asks for other dependencies than the revision's of the same path.
    pub(super) fn asks_for_others(&self, manifests: &[Manifest]) -> bool {
        let before = |path: &str| self.manifests.iter().find(|manifest| manifest.path == path);
        manifests.iter().any(|manifest| before(&manifest.path).is_none_or(|before| !asks_the_same(before, manifest)))
    }
}

/// Whether both have the same requirements and patches, wherever they stand.
fn asks_the_same(one: &Manifest, other: &Manifest) -> bool {
    let asked = |list: &[Requirement]| {
        let mut list = list.to_vec();
        list.iter_mut().for_each(|requirement| requirement.location = Location::file(""));
        list
    };
    asked(&one.requirements) == asked(&other.requirements) && asked(&one.patches) == asked(&other.patches)
}

fn read(revision: &Revision, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
    revision.read(name.into(), limit).map_err(|error| Error::usage(&error))
}

/// A manifest that was broken then says nothing about now: it is left out.
fn manifests(revision: &Revision) -> Result<Vec<Manifest>, Error> {
    let paths: Vec<Utf8PathBuf> = revision.files_named("Cargo.toml").map_err(|error| Error::usage(&error))?;
    let mut found = Vec::new();
    for path in paths {
        if let Ok(Some(bytes)) = revision.read(&path, manifest::MAX_BYTES as u64)
            && let Ok(text) = String::from_utf8(bytes)
            && let Ok(manifest) = manifest::parse(path.as_str(), &text)
        {
            found.push(manifest);
        }
    }
    Ok(found)
}
