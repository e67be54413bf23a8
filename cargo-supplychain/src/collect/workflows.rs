//! Reads the repository's GitHub workflows and its own actions. What they mean is [`crate::model::workflow`]'s.

use std::io;

use camino::{Utf8Path, Utf8PathBuf};

use crate::files;
use crate::model::workflow::{self, Workflow};

/// So many files are read; GitHub itself allows fewer.
const MAX_FILES: usize = 1000;

/// The workflows of a repository, and what could not be read.
#[derive(Debug, Default)]
pub struct Workflows {
    pub read: Vec<Workflow>,
    /// Path or place, and why.
    pub unreadable: Vec<String>,
}

/// Reads `.github/workflows/*.yml`, `.github/actions/*/action.yml` and `action.yml` of the repository that holds the workspace. Paths are
/// shown relative to the workspace, with `../` where the repository lies above it.
#[must_use]
pub fn read(workspace: &Utf8Path) -> Workflows {
    let repository = workspace.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(workspace);
    let up = workspace.strip_prefix(repository).map_or(0, |below| below.components().count());
    let mut workflows = Workflows::default();
    for path in paths(repository).into_iter().take(MAX_FILES) {
        let below = path.strip_prefix(repository).unwrap_or(&path);
        let shown = format!("{}{}", "../".repeat(up), below.as_str().replace('\\', "/"));
        match files::read_text(&path, workflow::MAX_BYTES as u64) {
            Ok(text) => match workflow::parse(&shown, &text) {
                Ok(workflow) => workflows.read.push(workflow),
                Err(error) => workflows.unreadable.push(error.to_string()),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => workflows.unreadable.push(format!("{shown}: {error}")),
        }
    }
    workflows
}

fn paths(repository: &Utf8Path) -> Vec<Utf8PathBuf> {
    let github = repository.join(".github");
    let is_yaml = |path: &Utf8PathBuf| matches!(path.extension(), Some("yml" | "yaml"));
    let mut paths: Vec<_> = entries(&github.join("workflows")).into_iter().filter(is_yaml).collect();
    let actions = entries(&github.join("actions"));
    let folders = actions.iter().map(Utf8PathBuf::as_path).chain([repository]);
    paths.extend(folders.flat_map(|folder| ["action.yml", "action.yaml"].map(|name| folder.join(name))));
    paths
}

/// The entries of a folder, sorted; none where there is no such folder.
fn entries(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let Ok(entries) = folder.read_dir_utf8() else { return Vec::new() };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path().to_owned()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_repository_around_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        for (path, text) in [
            (".git/HEAD", ""),
            (".github/workflows/b.yml", "jobs: {}"),
            (".github/workflows/a.yaml", "jobs: ["),
            (".github/workflows/readme.md", "x"),
            (".github/actions/mine/action.yml", "runs: {steps: [{run: x}]}"),
            ("ws/Cargo.toml", ""),
        ] {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        }
        let found = read(&root.join("ws"));
        let paths: Vec<_> = found.read.iter().map(|workflow| workflow.path.as_str()).collect();
        assert_eq!(paths, ["../.github/workflows/b.yml", "../.github/actions/mine/action.yml"]);
        assert!(found.unreadable[0].starts_with("../.github/workflows/a.yaml:2"), "{:?}", found.unreadable);
    }
}
