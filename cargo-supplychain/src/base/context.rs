//! What a run knows of the world besides its request: read once at start, handed down, never read again.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::time::Timestamp;

/// The surroundings of one run.
#[derive(Debug, Clone)]
pub struct Context {
    /// The folder the command was started in, absolute.
    pub cwd: Utf8PathBuf,
    /// The environment at start; values that are not UTF-8 are left out.
    pub env: BTreeMap<String, String>,
    /// The instant that ages, expiries and staleness are judged by: the clock at start, or `--now`.
    pub now: Timestamp,
    /// Whether `now` was given by `--now` (recorded in the report).
    pub now_is_given: bool,
    /// The instant stamped into documents: `SOURCE_DATE_EPOCH` when set, else `now`.
    pub stamp: Timestamp,
    /// Whether the network may not be used.
    pub offline: bool,
    /// Where feeds and parsed data are cached: `--cache-dir`, else the platform's cache folder.
    pub cache_dir: Utf8PathBuf,
}

impl Context {
    /// A variable of the environment at start; an empty one counts as unset.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether a CI system runs us: `CI` is set to something other than `false` or `0`, as all the large ones do.
    #[must_use]
    pub fn in_ci(&self) -> bool {
        self.var("CI").is_some_and(|value| value != "false" && value != "0")
    }
}
