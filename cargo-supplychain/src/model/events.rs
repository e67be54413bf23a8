//! What cargo said while it built: the witness of a [`super::Build`] (docs/accuracy.md).

use camino::Utf8PathBuf;

/// The messages of one `cargo build`, reduced to what the model needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuildEvents {
    pub targets: Vec<BuiltTarget>,
    pub scripts: Vec<ScriptRun>,
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
}
