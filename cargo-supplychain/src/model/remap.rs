//! Folders of the machine that are given fixed names in what is compiled, so that the same sources give the same bytes in any folder
//! (docs/rebuild.md). Pure: which folders, in which order, as which flags.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

/// The workspace root.
pub const WORKSPACE: &str = "/workspace";
/// The repository around the workspace, where path dependencies lie beside it.
pub const REPOSITORY: &str = "/repository";
/// `CARGO_HOME`: `registry/src` and `git/checkouts` below it.
pub const CARGO_HOME: &str = "/cargo";
/// The target folder, and so `OUT_DIR`.
pub const TARGET_FOLDER: &str = "/target";

/// What was given other names, as it is recorded: the names, never the machine's folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathRemapping {
    pub workspace: &'static str,
    pub cargo_home: &'static str,
    pub target_folder: &'static str,
    /// Only where there is something outside of the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<&'static str>,
    /// Whether compilers of C were told as well: `applied`, `not needed`, or `not applied: ` and why.
    pub c: String,
}

/// Folders and their names, the more general first: of several that fit, rustc and gcc take the last one given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefixes(Vec<(Utf8PathBuf, String)>);

impl Prefixes {
    /// Each folder with its name; the same folder twice keeps its first name. Relative paths are left out: they would fit anywhere.
    #[must_use]
    pub fn new(folders: impl IntoIterator<Item = (Utf8PathBuf, String)>) -> Self {
        let mut list: Vec<(Utf8PathBuf, String)> = Vec::new();
        for (folder, name) in folders {
            let is_root = folder.parent().is_none();
            if folder.is_absolute() && !is_root && list.iter().all(|(known, _)| *known != folder) {
                list.push((folder, name));
            }
        }
        list.sort_by(|(a, _), (b, _)| (depth(a), a).cmp(&(depth(b), b)));
        Self(list)
    }

    /// `--remap-path-prefix=FROM=TO`, in the order that rustc wants.
    #[must_use]
    pub fn rustc(&self) -> Vec<String> {
        self.0.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")).collect()
    }

    /// `-ffile-prefix-map=FROM=TO` of gcc 8 and clang 10, as one string of words.
    ///
    /// # Errors
    /// A path that cannot stand in such a variable: words are split at blanks, and the first `=` ends the path.
    pub fn c(&self) -> Result<String, &'static str> {
        if self.0.iter().any(|(from, _)| from.as_str().contains(|one: char| one.is_whitespace() || "='\"\\".contains(one))) {
            return Err("a folder's name has a blank, a quote or `=` in it");
        }
        let flags: Vec<_> = self.0.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")).collect();
        Ok(flags.join(" "))
    }
}

fn depth(folder: &Utf8Path) -> usize {
    folder.components().count()
}

/// The variables that the crate `cc` reads its flags from, for a target: by its own documentation the first that is set counts, and
/// newer versions join them.
#[must_use]
pub fn flag_variables(language: &str, target: &str) -> [String; 5] {
    [
        format!("{language}_{target}"),
        format!("{language}_{}", target.replace(['-', '.'], "_")),
        format!("TARGET_{language}"),
        format!("HOST_{language}"),
        language.to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes(folders: &[(&str, &str)]) -> Prefixes {
        Prefixes::new(folders.iter().map(|(from, to)| (Utf8PathBuf::from(from), (*to).to_owned())))
    }

    #[test]
    fn the_deeper_folder_comes_last() {
        let some = prefixes(&[("/w/target", "/target"), ("/w", "/workspace"), ("/w", "/again"), ("w", "/no"), ("/", "/no")]);
        assert_eq!(some.rustc(), ["--remap-path-prefix=/w=/workspace", "--remap-path-prefix=/w/target=/target"]);
        assert_eq!(some.c().unwrap(), "-ffile-prefix-map=/w=/workspace -ffile-prefix-map=/w/target=/target");
    }

    #[test]
    fn what_cannot_be_said_to_a_c_compiler_is_told() {
        for folder in ["/a b", "/a=b", "/a'b", "/a\"b", "/a\\b"] {
            assert!(prefixes(&[(folder, "/x")]).c().is_err(), "{folder}");
            assert_eq!(prefixes(&[(folder, "/x")]).rustc().len(), 1);
        }
    }

    #[test]
    fn variables_of_cc() {
        assert_eq!(
            flag_variables("CFLAGS", "x86_64-unknown-linux-gnu"),
            ["CFLAGS_x86_64-unknown-linux-gnu", "CFLAGS_x86_64_unknown_linux_gnu", "TARGET_CFLAGS", "HOST_CFLAGS", "CFLAGS"]
        );
    }
}
