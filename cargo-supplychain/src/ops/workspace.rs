//! Finds manifest and workspace root by cargo's rules, reading only (The Cargo Book, "Workspaces").

use camino::{Utf8Path, Utf8PathBuf};

use super::Error;
use crate::base::{Context, Location};
use crate::files;

/// The largest manifest that is read.
const MANIFEST_LIMIT: u64 = 4 << 20;

/// Where the workspace is.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// The manifest that the command is about, absolute.
    pub manifest: Utf8PathBuf,
    /// The folder of the root manifest, absolute.
    pub root: Utf8PathBuf,
    /// The root manifest, parsed.
    pub table: toml::Table,
}

/// Finds the workspace of `--manifest-path`, or of the nearest `Cargo.toml` above the working folder.
pub fn find(context: &Context, manifest_path: Option<&Utf8Path>) -> Result<Workspace, Error> {
    let manifest = match manifest_path {
        Some(path) => given(context, path)?,
        None => nearest(&context.cwd).ok_or_else(|| {
            Error::usage(&format!("no Cargo.toml in {} or any folder above it", context.cwd))
                .with_help("run in the folder of a Rust package, or name its manifest with --manifest-path")
        })?,
    };
    let table = parse(&manifest)?;
    let explicit = table.get("package").and_then(|package| package.get("workspace")).and_then(toml::Value::as_str);
    let folder = manifest.parent().unwrap_or(Utf8Path::new("/")).to_owned();
    if let Some(root) = explicit {
        let root = files::normal(&folder.join(root));
        let table = parse(&root.join("Cargo.toml"))?;
        return Ok(Workspace { manifest, root, table });
    }
    if table.contains_key("workspace") {
        return Ok(Workspace { manifest, root: folder, table });
    }
    for ancestor in folder.ancestors().skip(1) {
        let candidate = ancestor.join("Cargo.toml");
        if !candidate.is_file() {
            continue;
        }
        let above = parse(&candidate)?;
        if let Some(workspace) = above.get("workspace") {
            if excludes(workspace, ancestor, &folder) {
                break;
            }
            return Ok(Workspace { manifest, root: ancestor.to_owned(), table: above });
        }
    }
    Ok(Workspace { manifest, root: folder, table })
}

/// The target folder of the workspace.
pub(super) fn target_directory(context: &Context, root: &Utf8Path) -> Utf8PathBuf {
    match context.var("CARGO_TARGET_DIR") {
        Some(folder) => files::normal(&context.cwd.join(folder)),
        None => root.join("target"),
    }
}

fn given(context: &Context, path: &Utf8Path) -> Result<Utf8PathBuf, Error> {
    let path = files::normal(&context.cwd.join(path));
    if path.file_name() != Some("Cargo.toml") {
        return Err(Error::usage(&format!("--manifest-path {path} is not a Cargo.toml"))
            .with_help("name the file itself, for example --manifest-path app/Cargo.toml"));
    }
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::usage(&format!("cannot find the manifest {path}")).with_help("name the Cargo.toml of a package or workspace"))
}

fn nearest(folder: &Utf8Path) -> Option<Utf8PathBuf> {
    folder.ancestors().map(|folder| folder.join("Cargo.toml")).find(|manifest| manifest.is_file())
}

fn parse(manifest: &Utf8Path) -> Result<toml::Table, Error> {
    let text =
        files::read_text(manifest, MANIFEST_LIMIT).map_err(|error| Error::usage(&format!("cannot read {manifest}: {error}")))?;
    text.parse().map_err(|error: toml::de::Error| {
        let place = error
            .span()
            .map_or_else(|| Location::file(manifest.as_str()), |span| Location::at(manifest.as_str(), &text, span.start));
        let message = format!("cannot parse the manifest {place}: {}", error.message());
        let snippet = error.span().map(|span| {
            Box::new(super::error::Snippet {
                file: manifest.to_string(),
                text: text.clone(),
                span,
                label: error.message().to_owned(),
            })
        });
        Error { snippet, ..Error::usage(&message) }
    })
}

/// Whether the workspace excludes the folder, and does not list it as a member all the same.
fn excludes(workspace: &toml::Value, root: &Utf8Path, folder: &Utf8Path) -> bool {
    let list = |key: &str| {
        let items = workspace.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        items.into_iter().filter_map(|item| item.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let excluded = list("exclude").iter().any(|path| folder.starts_with(files::normal(&root.join(path))));
    let listed = list("members").iter().any(|path| folder == files::normal(&root.join(path)));
    excluded && !listed
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "fixtures")]
mod tests {
    use super::*;

    fn context(cwd: &Utf8Path) -> Context {
        let stamp = crate::base::Timestamp::from_unix(0).unwrap();
        Context {
            cwd: cwd.to_owned(),
            env: std::collections::BTreeMap::new(),
            now: stamp,
            now_is_given: false,
            stamp,
            offline: true,
            cache_dir: cwd.to_owned(),
        }
    }

    #[test]
    fn roots() {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap();
        let write = |path: &str, text: &str| {
            std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            std::fs::write(root.join(path), text).unwrap();
        };
        write("ws/Cargo.toml", "[workspace]\nmembers = [\"a\"]\nexclude = [\"x\"]");
        write("ws/a/Cargo.toml", "[package]\nname = \"a\"");
        write("ws/x/y/Cargo.toml", "[package]\nname = \"y\"");
        write("far/Cargo.toml", "[package]\nname = \"far\"\nworkspace = \"../ws\"");
        write("broken/Cargo.toml", "[package\n");
        std::fs::create_dir_all(root.join("ws/a/src")).unwrap();
        for (cwd, expected) in [("ws/a/src", "ws"), ("ws", "ws"), ("ws/x/y", "ws/x/y"), ("far", "ws")] {
            assert_eq!(find(&context(&root.join(cwd)), None).unwrap().root, root.join(expected), "{cwd}");
        }
        let broken = find(&context(&root.join("broken")), None).unwrap_err();
        assert!(broken.message.contains("broken/Cargo.toml:1:"), "{broken}");
        assert!(broken.snippet.is_some());
        assert!(find(&context(root), Some("ws/b/Cargo.toml".into())).is_err());
    }
}
