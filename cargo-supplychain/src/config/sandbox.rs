//! `[sandbox]` of the policy: how a build is sealed, and what single crates may do all the same. Every exception is pinned to one version
//! of one crate, has a reason and a day on which it ends.

mod proposal;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use toml::{Spanned, Value};

pub use self::proposal::Proposal;
use super::parse::{Error, Place};
use crate::base::{Lines, Location, Timestamp};
use crate::model::sandbox::SandboxMode;

/// The most exceptions: each is compared with every process of a build.
pub(super) const MAX_ALLOW: usize = 1000;

/// The most paths of one list: each is a rule that the kernel walks.
const MAX_PATHS: usize = 100;

/// The longest name of a crate, in bytes.
const MAX_NAME: usize = 255;

/// The longest path, in bytes: that of Linux.
const MAX_PATH: usize = 4095;

/// `[sandbox]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SandboxSettings {
    pub mode: SandboxMode,
    /// What everything that the build starts may read, besides what it always may. Never relative to the workspace.
    pub read: Vec<SandboxPath>,
    pub allow: Vec<SandboxAllow>,
}

impl SandboxSettings {
    /// The exceptions that count at this instant.
    pub fn in_force(&self, now: Timestamp) -> impl Iterator<Item = &SandboxAllow> {
        self.allow.iter().filter(move |allow| !allow.is_expired(now))
    }
}

/// `[[sandbox.allow]]`: what one version of one crate may do while it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxAllow {
    /// Package name.
    pub package: String,
    /// Exact version.
    pub version: String,
    /// What its build script, its macros and their children may read.
    pub read: Vec<SandboxPath>,
    /// What they may write, and read.
    pub write: Vec<SandboxPath>,
    /// Whether they may use the network.
    pub net: bool,
    pub reason: String,
    /// From this instant on it no longer counts.
    pub expires: Timestamp,
    pub location: Location,
}

impl SandboxAllow {
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires <= now
    }

    #[must_use]
    pub fn is_for(&self, package: &str, version: &str) -> bool {
        self.package == package && self.version == version
    }
}

/// A file or folder of an exception, as the policy names it; a folder stands for all below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SandboxPath {
    /// `/opt/vendor-sdk`.
    Absolute(Utf8PathBuf),
    /// `~/sdk`, held without its `~/`.
    Home(Utf8PathBuf),
    /// `proto/common`, relative to the workspace root.
    Workspace(Utf8PathBuf),
}

impl SandboxPath {
    /// Reads a path. An error is a fragment that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty");
        }
        if text.len() > MAX_PATH {
            return Err("is longer than 4095 bytes");
        }
        if text.chars().any(char::is_control) {
            return Err("has a control character");
        }
        if text.contains('*') {
            return Err("has a `*`, and there are no patterns here: a folder stands for all below it");
        }
        let (path, is_home) = match text.strip_prefix('~') {
            None => (text, false),
            Some(rest) => (rest.strip_prefix('/').ok_or("begins with `~` but not with `~/`")?, true),
        };
        let mut parts = Utf8PathBuf::new();
        for part in Utf8Path::new(path).components() {
            match part {
                Utf8Component::Normal(part) => parts.push(part),
                Utf8Component::ParentDir => return Err("has a `..`"),
                Utf8Component::CurDir | Utf8Component::RootDir | Utf8Component::Prefix(_) => {}
            }
        }
        match (parts.as_str().is_empty(), is_home, path.starts_with('/')) {
            (true, true, _) => Err("is the whole home folder"),
            (true, false, true) => Err("is the whole file system"),
            (true, false, false) => Err("is the whole workspace"),
            (false, true, _) => Ok(Self::Home(parts)),
            (false, false, true) => Ok(Self::Absolute(Utf8Path::new("/").join(parts))),
            (false, false, false) => Ok(Self::Workspace(parts)),
        }
    }

    /// Where it is. `None`: below a home folder that is not known.
    #[must_use]
    pub fn resolve(&self, home: Option<&Utf8Path>, workspace: &Utf8Path) -> Option<Utf8PathBuf> {
        match self {
            Self::Absolute(path) => Some(path.clone()),
            Self::Home(path) => home.map(|home| home.join(path)),
            Self::Workspace(path) => Some(workspace.join(path)),
        }
    }
}

/// As the policy writes it.
impl std::fmt::Display for SandboxPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absolute(path) | Self::Workspace(path) => f.write_str(path.as_str()),
            Self::Home(path) => write!(f, "~/{path}"),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawSandbox {
    mode: Option<Spanned<String>>,
    #[serde(default)]
    read: Vec<Spanned<String>>,
    #[serde(default)]
    allow: Vec<Spanned<RawAllow>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawAllow {
    #[serde(rename = "crate")]
    package: Option<Spanned<String>>,
    version: Option<Spanned<String>>,
    #[serde(default)]
    read: Vec<Spanned<String>>,
    #[serde(default)]
    write: Vec<Spanned<String>>,
    #[serde(default)]
    net: bool,
    reason: Option<Spanned<String>>,
    expires: Option<Spanned<Value>>,
}

impl RawSandbox {
    pub(super) fn read(self, place: &Place<'_>) -> Result<SandboxSettings, Error> {
        let mode = self.mode.map_or(Ok(SandboxMode::default()), |mode| {
            mode.get_ref().parse().map_err(|message: String| {
                let words = SandboxMode::ALL.into_iter().map(SandboxMode::as_str);
                Error { suggestion: place.suggest(mode.get_ref(), words), ..place.error(Some(mode.span()), message) }
            })
        })?;
        let read = paths(place, "`read` of `[sandbox]`", &self.read)?;
        if let Some((_, raw)) = read.iter().zip(&self.read).find(|(path, _)| matches!(path, SandboxPath::Workspace(_))) {
            let message = format!(
                "`{}` in `read` of `[sandbox]` is neither absolute nor below `~/`; the workspace may be read anyway",
                raw.get_ref()
            );
            return Err(place.error(Some(raw.span()), message));
        }
        if let Some(allow) = self.allow.get(MAX_ALLOW) {
            return Err(place.error(Some(allow.span()), format!("more than {MAX_ALLOW} exceptions of the sandbox")));
        }
        let mut lines = place.lines();
        let allow = self.allow.into_iter().map(|raw| allow(place, raw, &mut lines)).collect::<Result<_, _>>()?;
        Ok(SandboxSettings { mode, read, allow })
    }
}

fn allow(place: &Place<'_>, raw: Spanned<RawAllow>, lines: &mut Lines<'_>) -> Result<SandboxAllow, Error> {
    let header = raw.span();
    let raw = raw.into_inner();
    let missing = |of: &str, what: &str| place.error(Some(header.clone()), format!("{of} has no `{what}`"));
    let package = raw.package.ok_or_else(|| missing("an exception of the sandbox", "crate"))?;
    let name = package.get_ref();
    if name.trim().is_empty() || name.len() > MAX_NAME {
        return Err(
            place.error(Some(package.span()), format!("an exception of the sandbox has no `crate` of 1 to {MAX_NAME} bytes"))
        );
    }
    let who = format!("sandbox exception of `{name}`");
    let version = raw.version.ok_or_else(|| missing(&who, "version"))?;
    if let Err(error) = semver::Version::parse(version.get_ref()) {
        let message = format!("{who} has the version `{}`, not one exact version: {error}", version.get_ref());
        return Err(place.error(Some(version.span()), message));
    }
    let reason = place.reason(&who, &header, raw.reason)?;
    let expires = place.expiry(&who, &header, raw.expires)?;
    let read = paths(place, &format!("`read` of {who}"), &raw.read)?;
    let write = paths(place, &format!("`write` of {who}"), &raw.write)?;
    if read.is_empty() && write.is_empty() && !raw.net {
        return Err(
            place.error(Some(header), format!("{who} allows nothing: it has neither `read` nor `write` nor `net = true`"))
        );
    }
    let location = place.location(header.start, lines);
    let (package, version) = (package.into_inner(), version.into_inner());
    Ok(SandboxAllow { package, version, read, write, net: raw.net, reason, expires, location })
}

fn paths(place: &Place<'_>, of: &str, raw: &[Spanned<String>]) -> Result<Vec<SandboxPath>, Error> {
    if let Some(path) = raw.get(MAX_PATHS) {
        return Err(place.error(Some(path.span()), format!("more than {MAX_PATHS} paths in {of}")));
    }
    let path = |raw: &Spanned<String>| {
        SandboxPath::parse(raw.get_ref())
            .map_err(|why| place.error(Some(raw.span()), format!("the path `{}` in {of} {why}", raw.get_ref())))
    };
    raw.iter().map(path).collect()
}

#[cfg(test)]
mod tests;
