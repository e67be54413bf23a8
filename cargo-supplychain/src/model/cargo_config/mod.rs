//! Cargo's configuration hierarchy as evidence: every key with its value, the file and line that set it, and whose file that is;
//! and what follows from it by cargo's own rules: effective rustflags, targets, profile settings. Pure: reading the files is
//! `collect`'s, judging them is `check`'s.

mod append;
pub mod environment;
mod flags;
mod repeat;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::Location;

pub use append::{Appended, FlagsFrom, append};
pub use flags::{build_targets, is_shallow, rustflags};
pub use repeat::allow_listed;

/// Who set a configuration value; what the repository sets is judged as written, what the user's own machine sets is low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// A file in the workspace or a folder above it that belongs to the same repository, or one that such a file includes.
    Repository,
    /// A folder above the repository: nobody's in particular, judged as the repository's.
    Parent,
    /// `$CARGO_HOME`, or a file that it includes.
    User,
    /// `--config` on our own command line: judged as the repository's configuration (docs/exit-codes.md).
    CommandLine,
    /// A variable of the environment.
    Environment,
}

impl Scope {
    /// Whether the setting is the user's own machine's rather than the repository's.
    #[must_use]
    pub fn is_user(self) -> bool {
        matches!(self, Self::User | Self::Environment)
    }
}

/// One leaf of the configuration: the dotted key with its value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfigEntry {
    /// The path of keys: `["target", "cfg(unix)", "linker"]`.
    pub key: Vec<String>,
    /// The value as TOML; arrays are one leaf, tables are not leaves (an empty table is).
    pub value: toml::Value,
    pub location: Location,
    pub scope: Scope,
    /// The absolute folder that relative paths in the value start from: the parent of the file's folder (cargo book,
    /// "Config-relative paths"), the working folder for the command line and the environment.
    #[serde(skip)]
    pub base: String,
    /// Whether cargo reads it when it is started in the invocation's working folder. A file between that folder and the
    /// workspace's is not discovered by this call, and is judged all the same: the next call may start elsewhere.
    pub effective: bool,
}

impl ConfigEntry {
    /// Whether the key is `path`, where `*` stands for any one part.
    #[must_use]
    pub fn is(&self, path: &[&str]) -> bool {
        self.key.len() == path.len() && self.starts_with(path)
    }

    /// Whether the key begins with `path`, where `*` stands for any one part.
    #[must_use]
    pub fn starts_with(&self, path: &[&str]) -> bool {
        self.key.len() >= path.len() && self.key.iter().zip(path).all(|(part, wanted)| *wanted == "*" || part == wanted)
    }

    /// `target.x86_64-unknown-linux-gnu.linker`, for people.
    #[must_use]
    pub fn dotted(&self) -> String {
        self.key.join(".")
    }

    /// The value's strings: itself, or the strings of an array (cargo's `StringList`; a string is split at blanks).
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        match &self.value {
            toml::Value::String(text) => text.split_whitespace().map(str::to_owned).collect(),
            toml::Value::Array(items) => items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        }
    }
}

/// The whole hierarchy, strongest first: command line, environment, then files from the project outwards to `$CARGO_HOME`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CargoConfig {
    pub entries: Vec<ConfigEntry>,
    /// The files that were read, strongest first, as shown to people.
    pub files: Vec<String>,
    /// Whether `$CARGO_HOME` lies inside the repository. Then its configuration is the repository's, and cargo reads it wherever
    /// it is started: an empty working folder alone does not keep it out.
    pub cargo_home_in_repository: bool,
}

impl CargoConfig {
    /// The strongest effective entry of this key.
    #[must_use]
    pub fn get(&self, path: &[&str]) -> Option<&ConfigEntry> {
        self.effective().find(|entry| entry.is(path))
    }

    /// What cargo reads when it is started in the invocation's working folder, strongest first.
    pub fn effective(&self) -> impl DoubleEndedIterator<Item = &ConfigEntry> {
        self.entries.iter().filter(|entry| entry.effective)
    }

    /// What the configuration says of a profile: the keys below `profile.NAME`, dotted (`package.foo.opt-level`), with the
    /// strongest value of each.
    #[must_use]
    pub fn profile(&self, name: &str) -> BTreeMap<String, &toml::Value> {
        let mut settings = BTreeMap::new();
        for entry in self.effective().filter(|entry| entry.starts_with(&["profile", name])) {
            settings.entry(entry.key[2..].join(".")).or_insert(&entry.value);
        }
        settings
    }

    /// All entries whose key begins so, strongest first.
    pub fn under<'a>(&'a self, path: &'a [&'a str]) -> impl Iterator<Item = &'a ConfigEntry> {
        self.entries.iter().filter(move |entry| entry.starts_with(path))
    }
}
