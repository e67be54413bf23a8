//! `[archive] on-build`: what `build` has released is archived. The release stands whatever comes of it.

use camino::{Utf8Path, Utf8PathBuf};

use super::super::build::Released;
use super::super::verify as judged;
use super::super::{Class, Error, Progress};
use super::{Added, Outcome, Request, add};
use crate::base::Context;
use crate::config::Settings;
use crate::model::release::Signing;
use crate::verify::IdentityConditions;

/// The workspace and its policy, as the build saw them.
pub struct Project<'a> {
    pub root: &'a Utf8Path,
    pub settings: &'a Settings,
    /// The policy file that was named, absolute.
    pub policy: Option<Utf8PathBuf>,
    /// The trusted root that the release was signed under, absolute.
    pub trusted_root: Option<Utf8PathBuf>,
}

/// Archives a release that was just built: signed by whom `[verify]` names, or else by whoever has just signed it.
pub fn after_build(
    context: &Context,
    project: &Project<'_>,
    released: &Released,
    progress: &mut dyn Progress,
) -> Result<Added, Error> {
    let again = format!("the release stands in {}; `cargo supplychain archive add` it", released.folder);
    if released.manifest.signing != Signing::Signed {
        return Err(Error::new(
            Class::Undetermined,
            &"the release was not archived: its signatures are pending, and a release never changes in an archive",
        )
        .with_help(format!("`cargo supplychain sign --pending {}` first, then `archive add` it", released.folder)));
    }
    // The policy's paths are relative to the workspace root.
    let context = Context { cwd: project.root.to_owned(), ..context.clone() };
    let mut signer = judged::Request { policy: project.policy.clone(), ..judged::Request::default() };
    if !judged::names_signer(&context, &signer)? {
        match (&released.identity, &released.public_key) {
            (Some(identity), _) => {
                signer.trusted_root.clone_from(&project.trusted_root);
                signer.signer = IdentityConditions {
                    identity: Some(identity.name.clone()),
                    issuer: Some(identity.issuer.clone()),
                    ..IdentityConditions::default()
                };
            }
            (None, Some(key)) => signer.keys = vec![key.clone()],
            (None, None) => {
                return Err(Error::usage(&"the release was not archived: nothing says who has to have signed it")
                    .with_help("set [verify] key in supplychain.toml")
                    .with_help(again));
            }
        }
    }
    let request = Request { policy: project.policy.clone(), ..Request::default() };
    let outcomes = add(&context, &request, &signer, false, std::slice::from_ref(&released.folder), progress)
        .map_err(|error| error.with_help(again.clone()))?;
    match outcomes.into_iter().next() {
        Some((_, Outcome::Added(added))) => Ok(*added),
        Some((_, Outcome::Rejected(rejection))) => {
            let why = rejection.reasons().first().map(ToString::to_string).unwrap_or_default();
            Err(Error::new(Class::Rejected, &format!("the release was not archived: {why}")).with_help(again))
        }
        None => Err(Error::usage(&"the release was not archived").with_help(again)),
    }
}

impl Project<'_> {
    /// Whether the policy wants it.
    #[must_use]
    pub fn wants(&self) -> bool {
        self.settings.archive.on_build
    }
}
