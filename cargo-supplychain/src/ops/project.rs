//! What is known of a project before anything is done with it: where its root is, and whether it has a key to sign with.

use camino::{Utf8Path, Utf8PathBuf};

use super::{Error, gather, workspace};
use crate::base::Context;

/// A project, as its manifest and policy say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The workspace's root, absolute.
    pub root: Utf8PathBuf,
    /// Whether `[sign]` names a key or a program that signs.
    pub has_key: bool,
}

/// Reads manifest and policy.
///
/// # Errors
/// There is no manifest, or one of them cannot be read.
pub fn project(context: &Context, manifest_path: Option<&Utf8Path>, policy: Option<&Utf8Path>) -> Result<Project, Error> {
    let root = workspace::find(context, manifest_path)?.root;
    let (settings, _) = gather::settings(context, policy, &root, None)?;
    let has_key = settings.sign.key.is_some() || !settings.sign.command.is_empty();
    Ok(Project { root, has_key })
}
