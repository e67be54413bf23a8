//! What is told to the repository's host after the work, each as far as it is wanted: attestations, code scanning, files of a release, the
//! comment. What the host refuses is told with the permission that it takes, and loses nothing of what is there.

use camino::Utf8Path;

use super::Session;
use super::assets::Assets;
use super::inputs::{Comment, Inputs};
use super::outputs;
use super::plan::{Plan, Signing};
use crate::attest::SigstoreBundle;
use crate::base::Sha256;
use crate::document::run::{self as document, Run};
use crate::files;
use crate::github::{Host, assets, attestations, code_scanning, comment};
use crate::http::{Client, Patience};

/// The largest file that is read to be sent.
const MAX_FILE: u64 = 2 << 30;

/// Asks the host for all that is wanted but the comment. Gives back whether something failed that the run stands for.
pub(super) fn publish(
    session: &mut Session<'_>,
    inputs: &Inputs,
    plan: &Plan,
    release: Option<&Assets>,
    sarif: Option<&[u8]>,
) -> bool {
    let post = matches!(plan.signing, Signing::Keyless { post: true, .. });
    let attestations = release.filter(|_| post).map(|release| release.attestations.as_slice()).unwrap_or_default();
    let sarif = sarif.filter(|_| inputs.upload_sarif);
    let release = release.filter(|_| inputs.upload_release_assets);
    if !plan.writes || attestations.is_empty() && sarif.is_none() && release.is_none() {
        return false;
    }
    let client = Client::new(&session.context.env, Patience::default());
    let has_to = matches!(plan.signing, Signing::Keyless { has_to: true, .. });
    let Some(host) = host(session, inputs, &client) else { return release.is_some() || has_to && !attestations.is_empty() };
    let mut failed = attest(session, &host, attestations) && has_to;
    if let Some(sarif) = sarif {
        let (commit, reference) =
            (session.runner.sha.clone().unwrap_or_default(), session.runner.reference.clone().unwrap_or_default());
        match code_scanning::upload(&host, sarif, &commit, &reference) {
            Ok(()) => session.done.push("the SARIF file was given to code scanning".to_owned()),
            // A repository without code scanning refuses it, and is checked all the same.
            Err(error) => session.warn(&error.to_string()),
        }
    }
    if let Some(release) = release {
        failed |= upload(session, &host, inputs, release);
    }
    failed
}

fn host<'c>(session: &mut Session<'_>, inputs: &Inputs, client: &'c Client) -> Option<Host<'c>> {
    let repository = session.runner.repository.clone().unwrap_or_default();
    let token = inputs.token.as_deref().unwrap_or_default();
    let host = Host::new(client, &session.runner.api, &repository, token);
    if host.is_none() {
        session.error("nothing can be told to the repository: the input `token`, GITHUB_REPOSITORY or GITHUB_API_URL is missing or no such thing");
    }
    host
}

/// Whether one was not taken. All bundles stand beside their files already.
fn attest(session: &mut Session<'_>, host: &Host<'_>, bundles: &[camino::Utf8PathBuf]) -> bool {
    let mut failed = false;
    for path in bundles {
        let outcome = match files::read(path, MAX_FILE) {
            Err(error) => Err(format!("cannot read {path}: {error}")),
            Ok(bytes) if !SigstoreBundle::parse(&bytes).is_ok_and(|bundle| bundle.is_keyless()) => {
                Err(format!("{} was signed by a key: a repository takes keyless attestations only", name(path)))
            }
            Ok(bytes) => attestations::post(host, &bytes).map_err(|error| error.to_string()),
        };
        match outcome {
            Ok(id) => {
                let (server, repository) = (&session.runner.server, session.runner.repository.as_deref().unwrap_or_default());
                session.outputs.attestation_url.push(format!("{server}/{repository}/attestations/{id}"));
                session.outputs.attestation_id.push(id.to_string());
            }
            Err(why) => {
                failed = true;
                session.warn(&format!("{why}; the bundle is at {path}"));
                // Who may not, or is not there, would not be better off with the next one.
                break;
            }
        }
    }
    if !session.outputs.attestation_id.is_empty() {
        let count = session.outputs.attestation_id.len();
        session.done.push(format!("{} given to the repository", crate::base::text::counted(count, "attestation")));
    }
    failed
}

/// Whether a file is missing in the release afterwards.
fn upload(session: &mut Session<'_>, host: &Host<'_>, inputs: &Inputs, release: &Assets) -> bool {
    let Some(tag) = inputs.release_tag.as_deref().or(session.runner.tag()).map(str::to_owned) else {
        session.error("upload-release-assets: there is no tag; name one by the input `release-tag`, or run for a tag");
        return true;
    };
    let put = || -> Result<usize, String> {
        let found = assets::release(host, &tag).map_err(|error| error.to_string())?;
        for path in &release.files {
            let bytes = files::read(path, MAX_FILE).map_err(|error| format!("cannot read {path}: {error}"))?;
            assets::put(host, &found, name(path), &bytes).map_err(|error| error.to_string())?;
        }
        Ok(release.files.len())
    };
    match put() {
        Ok(count) => {
            session.done.push(format!("{} in the release {tag}", crate::base::text::counted(count, "file")));
            false
        }
        Err(why) => {
            session.error(&format!("{why} (release {tag})"));
            true
        }
    }
}

fn name(path: &Utf8Path) -> &str {
    path.file_name().unwrap_or_default()
}

/// The comment on the pull request. With `on-failure` one that is there is renewed when all is well again.
pub(super) fn comment(session: &mut Session<'_>, inputs: &Inputs, plan: &Plan, run: &Run<'_>, code: i32) {
    let number = session.runner.event.pull_request.as_ref().and_then(|request| request.number);
    let (Some(number), true, true) = (number, plan.writes, inputs.comment != Comment::Never) else { return };
    let only_renew = inputs.comment == Comment::OnFailure && outputs::result(code) == "pass";
    // Several uses in one workflow have a comment each.
    let use_of = [
        session.context.var("GITHUB_WORKFLOW").unwrap_or_default(),
        session.context.var("GITHUB_JOB").unwrap_or_default(),
        inputs.working_directory.as_deref().unwrap_or_default(),
        inputs.manifest_path.as_ref().map_or("", |path| path.as_str()),
        inputs.command.word(),
    ];
    let marker = format!("<!-- cargo-supplychain {} -->", &Sha256::of(use_of.join("\0")).to_string()[..16]);
    let client = Client::new(&session.context.env, Patience::default());
    let Some(host) = host(session, inputs, &client) else { return };
    match comment::put(&host, number, &marker, &document::comment(run, &marker), only_renew) {
        Ok(comment::Done::Created) => session.done.push("the pull request has a comment".to_owned()),
        Ok(comment::Done::Updated) => session.done.push("the comment on the pull request was renewed".to_owned()),
        Ok(comment::Done::Nothing) => {}
        Err(error) => session.warn(&error.to_string()),
    }
}
