//! What cargo said while it built: the witness of a [`super::Build`] (docs/accuracy.md).

use camino::Utf8PathBuf;

/// The messages of one `cargo build`, reduced to what the model needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildEvents {
    pub targets: Vec<BuiltTarget>,
    pub scripts: Vec<ScriptRun>,
}

impl BuildEvents {
    /// Adds what a later call said, over the same target folder: what was built again takes the place of what it was.
    pub fn add(&mut self, later: Self) {
        let same = |a: &BuiltTarget, b: &BuiltTarget| {
            (&a.package_id, &a.name, &a.kinds, &a.features, a.is_test)
                == (&b.package_id, &b.name, &b.kinds, &b.features, b.is_test)
                && a.files == b.files
        };
        self.targets.retain(|one| !later.targets.iter().any(|other| same(one, other)));
        self.targets.extend(later.targets);
        self.scripts.retain(|one| !later.scripts.contains(one));
        self.scripts.extend(later.scripts);
    }
}

/// A `compiler-artifact` message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltTarget {
    /// Cargo's package id, opaque.
    pub package_id: String,
    pub name: String,
    /// The target's kinds: `bin`, `lib`, `cdylib`, `custom-build`, `proc-macro`, …
    pub kinds: Vec<String>,
    /// Sorted.
    pub features: Vec<String>,
    pub files: Vec<Utf8PathBuf>,
    pub executable: Option<Utf8PathBuf>,
    /// Whether a test harness was built.
    pub is_test: bool,
}

/// A `build-script-executed` message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptRun {
    pub package_id: String,
    /// As the script printed them: `static=z`, `dylib=ssl`, `foo`.
    pub linked_libs: Vec<String>,
    /// Where the linker is to look, as printed: `native=/path`, `/path`.
    pub linked_paths: Vec<String>,
    pub out_dir: Utf8PathBuf,
}
