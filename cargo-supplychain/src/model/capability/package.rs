//! What a package's own files say of it: its `Cargo.toml` and `.cargo_vcs_info.json`.

use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::VcsInfo;
use crate::model::manifest;

/// The longest value that is kept.
const MAX_VALUE: usize = 2048;

/// The part of a manifest that decides what runs when the package is built.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Package {
    /// `build`: none is the default, `build.rs` where there is one.
    pub build: Option<Vec<String>>,
    pub proc_macro: bool,
    /// `[lib] path`.
    pub library: Option<String>,
    pub links: Option<String>,
    pub repository: Option<String>,
    pub license: Option<String>,
}

/// Reads a manifest (the Cargo book, "The Manifest Format"). `None` when it is none.
pub(super) fn manifest(bytes: &[u8]) -> Option<Package> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= manifest::MAX_BYTES)?;
    let document = DeTable::parse(text).ok()?;
    let root = document.get_ref();
    let package = table(root, "package").or_else(|| table(root, "project"))?;
    let library = table(root, "lib");
    let types = library.and_then(|library| library.get("crate-type").or_else(|| library.get("crate_type")));
    let is_proc_macro = types
        .and_then(|types| types.get_ref().as_array())
        .is_some_and(|types| types.iter().any(|kind| kind.get_ref().as_str() == Some("proc-macro")));
    let flag = |name: &str| library.and_then(|library| library.get(name)?.get_ref().as_bool()) == Some(true);
    Some(Package {
        build: package.get("build").and_then(|build| scripts(build.get_ref())),
        proc_macro: is_proc_macro || flag("proc-macro") || flag("proc_macro"),
        library: library.and_then(|library| string(library, "path")),
        links: string(package, "links"),
        repository: string(package, "repository"),
        license: string(package, "license"),
    })
}

/// `build = false`, a path, or (unstable) several paths; `true` is the default.
fn scripts(build: &DeValue<'_>) -> Option<Vec<String>> {
    let path = |value: &DeValue<'_>| value.as_str().map(|path| path.trim_start_matches("./").replace('\\', "/"));
    match build {
        DeValue::Boolean(false) => Some(Vec::new()),
        DeValue::Array(paths) => Some(paths.iter().filter_map(|one| path(one.get_ref())).collect()),
        one => path(one).map(|path| vec![path]),
    }
}

fn table<'d, 't>(table: &'d DeTable<'t>, name: &str) -> Option<&'d DeTable<'t>> {
    table.get(name)?.get_ref().as_table()
}

fn string(table: &DeTable<'_>, name: &str) -> Option<String> {
    table.get(name)?.get_ref().as_str().filter(|value| value.len() <= MAX_VALUE).map(str::to_owned)
}

/// Reads `.cargo_vcs_info.json` (the Cargo book, "cargo package").
pub(super) fn vcs_info(bytes: &[u8]) -> Option<VcsInfo> {
    #[derive(Deserialize)]
    struct File {
        git: Git,
    }
    #[derive(Deserialize)]
    struct Git {
        sha1: String,
        #[serde(default)]
        dirty: bool,
    }
    let file: File = serde_json::from_slice(bytes.get(..bytes.len().min(64 << 10))?).ok()?;
    Some(VcsInfo { commit: file.git.sha1, dirty: file.git.dirty }).filter(|info| info.commit.len() <= 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_to_have_a_build_script_or_to_be_a_macro() {
        let list = |paths: &[&str]| Some(paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
        for (text, build, proc_macro) in [
            ("", None, false),
            ("build = true", None, false),
            ("build = false", list(&[]), false),
            ("build = './build/main.rs'", list(&["build/main.rs"]), false),
            ("build = ['a.rs', 'b.rs']", list(&["a.rs", "b.rs"]), false),
            ("[lib]\nproc-macro = true", None, true),
            ("[lib]\nproc_macro = true", None, true),
            ("[lib]\nproc-macro = false", None, false),
            ("[lib]\ncrate-type = ['proc-macro']", None, true),
            ("[lib]\ncrate-type = ['cdylib', 'rlib']", None, false),
        ] {
            let package = manifest(format!("[package]\nname = 'a'\n{text}").as_bytes()).unwrap();
            assert_eq!((package.build, package.proc_macro), (build, proc_macro), "{text}");
        }
        assert_eq!(manifest(b"[workspace]"), None);
        assert_eq!(manifest(b"\xff"), None);
    }

    #[test]
    fn what_it_was_packaged_from() {
        let info = |commit: &str, dirty| Some(VcsInfo { commit: commit.into(), dirty });
        for (text, expected) in [
            ("{\"git\":{\"sha1\":\"ab\"},\"path_in_vcs\":\"\"}", info("ab", false)),
            ("{\"git\":{\"sha1\":\"ab\",\"dirty\":true}}", info("ab", true)),
            ("{}", None),
            ("", None),
        ] {
            assert_eq!(vcs_info(text.as_bytes()), expected, "{text}");
        }
    }
}
