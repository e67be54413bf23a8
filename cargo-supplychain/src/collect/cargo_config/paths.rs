//! Whose a configuration file is, and how its path is shown.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::ConfigRequest;
use crate::files;
use crate::model::Scope;

/// The folders that decide, all as the system sees them: cargo's own working folder is free of symbolic links too.
pub(super) struct Places {
    pub(super) cwd: Utf8PathBuf,
    pub(super) workspace: Utf8PathBuf,
    pub(super) home: Option<Utf8PathBuf>,
    repository: Utf8PathBuf,
}

impl Places {
    pub(super) fn new(request: &ConfigRequest<'_>) -> Self {
        let workspace = canonical(request.workspace_root);
        Self {
            cwd: canonical(request.cwd),
            home: request.cargo_home.map(canonical),
            repository: request.repository_root.map_or_else(|| workspace.clone(), canonical),
            workspace,
        }
    }

    /// `$CARGO_HOME` inside the repository (a CI cache in the checkout, say) holds what the repository committed there.
    pub(super) fn home_in_repository(&self) -> bool {
        self.home.as_deref().is_some_and(|home| self.is_in_repository(home))
    }

    /// The scope of the configuration file of `folder`: a `.cargo`, or `$CARGO_HOME`.
    pub(super) fn scope_of_folder(&self, folder: &Utf8Path) -> Scope {
        if self.is_in_repository(folder) {
            Scope::Repository
        } else if self.home.as_deref() == Some(&*canonical(folder)) {
            Scope::User
        } else {
            Scope::Parent
        }
    }

    /// The scope of an included file: that of the file that includes it, except that nothing inside the repository is the user's.
    pub(super) fn scope_of_include(&self, includer: Scope, path: &Utf8Path) -> Scope {
        match includer {
            Scope::User | Scope::Parent if self.is_in_repository(&files::normal(path)) => Scope::Repository,
            scope => scope,
        }
    }

    fn is_in_repository(&self, path: &Utf8Path) -> bool {
        let real = canonical(path);
        [path, &*real].iter().any(|path| path.starts_with(&self.repository) || path.starts_with(&self.workspace))
    }

    /// Relative to the workspace root, or to `$CARGO_HOME`, else absolute; with forward slashes.
    pub(super) fn shown(&self, path: &Utf8Path) -> String {
        let path = files::normal(path);
        let slashes = |path: &Utf8Path| path.components().map(|part| part.as_str()).collect::<Vec<_>>().join("/");
        if let Ok(relative) = path.strip_prefix(&self.workspace) {
            return slashes(relative);
        }
        match self.home.as_deref().and_then(|home| path.strip_prefix(home).ok()) {
            Some(relative) => format!("$CARGO_HOME/{}", slashes(relative)),
            None => path.to_string(),
        }
    }
}

/// The path without symbolic links and `..`; where there is nothing, the path itself without `..`.
pub(super) fn canonical(path: &Utf8Path) -> Utf8PathBuf {
    let real = path.canonicalize_utf8().unwrap_or_else(|_| files::normal(path));
    // Windows answers in the verbatim form, which nobody writes and which joins differently.
    match real.as_str().strip_prefix(r"\\?\") {
        Some(plain) if plain.as_bytes().get(1) == Some(&b':') => Utf8PathBuf::from(plain),
        _ => real,
    }
}

/// `$CARGO_HOME` as cargo finds it: the variable, relative to `cwd`, else `.cargo` in the user's home folder.
#[must_use]
pub fn cargo_home(env: &BTreeMap<String, String>, cwd: &Utf8Path) -> Option<Utf8PathBuf> {
    let var = |name: &str| env.get(name).filter(|value| !value.is_empty());
    match var("CARGO_HOME") {
        Some(home) => Some(cwd.join(home)),
        None => var(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(|home| cwd.join(home).join(".cargo")),
    }
}
