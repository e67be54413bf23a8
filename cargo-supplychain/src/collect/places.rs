//! Where the folders of manifests and of path dependencies really are when symbolic links are followed. What that means is `check`'s.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::files;
use crate::model::machine::RealFolder;
use crate::model::manifest::Manifest;

/// Folders of manifests by their path, and path dependencies by (path of the manifest, path as written).
pub type Places = (BTreeMap<String, RealFolder>, BTreeMap<(String, String), RealFolder>);

/// Looks where they are. `root` is the workspace's, `repository` that of the repository around it. What does not exist is left out.
#[must_use]
pub fn find(root: &Utf8Path, repository: Option<&Utf8Path>, manifests: &[Manifest]) -> Places {
    let (mut folders, mut paths) = Places::default();
    let Ok(real_root) = root.canonicalize_utf8() else { return (folders, paths) };
    let real_repository = repository.and_then(|folder| folder.canonicalize_utf8().ok()).unwrap_or_else(|| real_root.clone());
    let place = |folder: Utf8PathBuf| {
        let real = folder.canonicalize_utf8().ok()?;
        let in_repository = real.starts_with(&real_repository) || real.starts_with(&real_root);
        let below = real.strip_prefix(&real_root).ok();
        let path = below.unwrap_or(&real).as_str().replace('\\', "/");
        Some(RealFolder { path, in_workspace: below.is_some(), in_repository })
    };
    for manifest in manifests {
        let file = root.join(&manifest.path);
        let Some(folder) = file.parent() else { continue };
        folders.extend(place(folder.to_owned()).map(|real| (manifest.path.clone(), real)));
        for requirement in manifest.requirements.iter().chain(&manifest.patches) {
            // Cargo resolves `..` in the text, before any link.
            let Some(path) = &requirement.path else { continue };
            let target = files::normal(&folder.join(path.replace('\\', "/")));
            paths.extend(place(target).map(|real| ((manifest.path.clone(), path.clone()), real)));
        }
    }
    (folders, paths)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::model::manifest;

    #[test]
    fn links_are_followed_and_what_is_not_there_is_left_out() {
        let guard = tempfile::tempdir().unwrap();
        let top = Utf8Path::from_path(guard.path()).unwrap().canonicalize_utf8().unwrap();
        for folder in ["repo/ws/a", "repo/shared", "out"] {
            std::fs::create_dir_all(top.join(folder)).unwrap();
        }
        let link = |to: &str, at: &str| std::os::unix::fs::symlink(top.join(to), top.join("repo/ws").join(at)).unwrap();
        link("out", "x");
        link("repo/shared", "a/shared");
        link("repo/ws/a", "b");
        let text = "[dependencies]\nx = { path = '../x' }\nshared = { path = 'shared' }\nb = { path = '../b' }\nnone = { path = 'none' }\n";
        let manifests = [manifest::parse("a/Cargo.toml", text).unwrap(), manifest::parse("x/Cargo.toml", "").unwrap()];
        let (folders, paths) = find(&top.join("repo/ws"), Some(&top.join("repo")), &manifests);
        let told =
            |real: &RealFolder| format!("{} {} {}", real.path.replace(top.as_str(), ""), real.in_workspace, real.in_repository);
        let folders: Vec<_> = folders.iter().map(|(path, real)| format!("{path} {}", told(real))).collect();
        assert_eq!(folders, ["a/Cargo.toml a true true", "x/Cargo.toml /out false false"]);
        let paths: Vec<_> = paths.iter().map(|((_, path), real)| format!("{path} {}", told(real))).collect();
        assert_eq!(paths, ["../b a true true", "../x /out false false", "shared /repo/shared false true"]);
    }
}
