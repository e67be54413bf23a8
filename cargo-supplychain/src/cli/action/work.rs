//! The work of one use, from judged inputs to the exit code.

use camino::{Utf8Path, Utf8PathBuf};

use super::assets::{self, Assets};
use super::child::{self, Ended, Needs};
use super::inputs::{AssetNames, Command, Inputs, Invalid};
use super::plan::{self, Plan, Signing};
use super::result::{self, Answer};
use super::{Exit, Failed, Session, composition, outputs, publish};
use crate::attest::RELEASE_MANIFEST;
use crate::base::Context;
use crate::base::text::counted;
use crate::document;
use crate::document::run::{Release, Run};
use crate::files;
use crate::finding::{Report, Severity};
use crate::model::release::{ReleaseManifest, Signing as Signed};
use crate::ops::{self, Interrupt};
use crate::sign::keyless::Services;

/// What is in hand during the work.
pub(super) struct Bench<'a> {
    /// As the session's, in the working directory.
    context: Context,
    pub(super) inputs: &'a Inputs,
    interrupt: &'a Interrupt,
    plan: Plan,
    /// Where the results go.
    to: Utf8PathBuf,
    /// The workspace's root.
    pub(super) root: Utf8PathBuf,
    /// What names the services that sign.
    keyless: Vec<String>,
}

pub(super) fn work(session: &mut Session<'_>, inputs: &Inputs, interrupt: &Interrupt) -> Result<i32, Failed> {
    let mut bench = bench(session, inputs, interrupt)?;
    for notice in std::mem::take(&mut bench.plan.notices) {
        session.notice(&notice);
    }
    let (mut code, mut answer, assets) = match bench.plan.command {
        Command::Sbom => sboms(session, &bench)?,
        Command::Attest => attest(session, &bench)?,
        Command::Build => build(session, &bench)?,
        Command::Check | Command::Archive | Command::Verify => {
            let (code, answer) = once(&bench, &plan::arguments(inputs, &bench.plan, &bench.to, &[]))?;
            (code, answer, None)
        }
    };
    let sarif = tell(session, &bench, &mut answer)?;
    let changes = bench.plan.base.clone().and_then(|base| Some((changes(session, &bench, &base)?, base)));
    let composition = changes.as_ref().map(|(_, base)| {
        composition::of_change(&bench, base).unwrap_or_else(|why| format!("It cannot be told: {}.\n", document::run::shown(&why)))
    });
    if publish::publish(session, inputs, &bench.plan, assets.as_ref(), sarif.as_deref()) && code == 0 {
        code = Exit::Output as i32;
    }
    outputs_of(session, &bench, &answer, assets.as_ref());
    let notices = session.notices.clone();
    let mut run = Run {
        command: bench.plan.command.word(),
        result: outputs::result(code),
        report: answer.report.as_ref(),
        error: answer.error.as_ref().map(|(message, help)| (message.as_str(), help.as_slice())),
        notices: &notices,
        changes: changes.as_ref().map(|(changes, base)| (base.as_str(), changes.as_str())),
        composition: composition.as_deref(),
        release: answer.release.as_ref().map(|released| release(session, &released.manifest, assets.as_ref())),
        ..Run::default()
    };
    publish::comment(session, inputs, &bench.plan, &run, code);
    let (done, notices) = (session.done.clone(), session.notices.clone());
    (run.done, run.notices) = (&done, &notices);
    session.summarise(&run);
    Ok(code)
}

fn bench<'a>(session: &Session<'_>, inputs: &'a Inputs, interrupt: &'a Interrupt) -> Result<Bench<'a>, Failed> {
    let cwd = inputs
        .working_directory
        .as_ref()
        .map_or_else(|| session.runner.workspace.clone(), |path| session.runner.workspace.join(path));
    let cwd = cwd
        .canonicalize_utf8()
        .ok()
        .filter(|path| path.is_dir())
        .ok_or_else(|| Failed::Input(Invalid { input: "working-directory", why: format!("there is no folder {cwd}") }))?;
    let context = Context { cwd, offline: inputs.offline, ..session.context.clone() };
    let project = super::project(&context, inputs);
    let has_commit = |commit: &str| super::has_commit(&project.root, commit);
    let plan = plan::plan(inputs, &session.runner, project.has_key, &has_commit).map_err(Failed::Input)?;
    let to = super::results_folder(session, inputs)?;
    let keyless = keyless(session, inputs, &plan, &to)?;
    Ok(Bench { context, inputs, interrupt, plan, to, root: project.root, keyless })
}

/// GitHub's own instance signs what not everybody may read: the public log would tell its name.
fn keyless(session: &Session<'_>, inputs: &Inputs, plan: &Plan, to: &Utf8Path) -> Result<Vec<String>, Failed> {
    let is_named = |option: &str| inputs.args.iter().any(|one| one.split('=').next() == Some(option));
    let is_wanted = matches!(plan.signing, Signing::Keyless { post: true, .. }) && !session.runner.event.is_public;
    if !is_wanted || is_named("--signing-config") || is_named("--identity-token") {
        return Ok(Vec::new());
    }
    let (config, root) = Services::of_github(&session.runner.server);
    let mut arguments = Vec::new();
    for (option, name, text) in
        [("--signing-config", "github-signing-config.json", config), ("--trusted-root", "github-trusted-root.json", root)]
    {
        let path = to.join(name);
        files::write(&path, text.as_bytes()).map_err(Failed::io(&format!("cannot write {path}")))?;
        arguments.push(format!("{option}={path}"));
    }
    Ok(arguments)
}

/// Starts our own binary.
pub(super) fn start(bench: &Bench<'_>, arguments: &[String]) -> Result<Ended, Failed> {
    let needs = Needs { identity: matches!(bench.plan.signing, Signing::Keyless { .. }) };
    let mut env = child::environment(&bench.context.env, needs);
    // Where no code of the project runs, the host may be asked with the token: it answers more often then.
    let analyses = matches!(bench.plan.command, Command::Check | Command::Verify) && !bench.inputs.offline;
    if let (true, Some(token)) = (analyses, &bench.inputs.token) {
        env.insert("GITHUB_TOKEN".to_owned(), token.clone());
    }
    let fence = super::random_word().map_err(Failed::io("no word for the log"))?;
    child::run(&bench.context.cwd, arguments, &env, &fence, bench.interrupt).map_err(Failed::io("cannot run our own binary"))
}

fn once(bench: &Bench<'_>, arguments: &[String]) -> Result<(i32, Answer), Failed> {
    let ended = start(bench, arguments)?;
    let mut answer = result::read(&ended.result);
    if answer.error.is_none() && ended.code != 0 && !answer.rejected.is_empty() {
        answer.error = Some((answer.rejected.join("\n"), Vec::new()));
    }
    Ok((ended.code, answer))
}

type Worked = (i32, Answer, Option<Assets>);

fn build(session: &mut Session<'_>, bench: &Bench<'_>) -> Result<Worked, Failed> {
    let (mut code, mut answer) = once(bench, &plan::arguments(bench.inputs, &bench.plan, &bench.to, &bench.keyless))?;
    let Some(released) = &answer.release else { return Ok((code, answer, None)) };
    if let Some(why) = &released.outage {
        session.warn(&format!("the release is complete, but not signed: {why}"));
        // What was asked for by name has to be there.
        if code == 0 && matches!(bench.inputs.attest, super::inputs::Attest::GitHub | super::inputs::Attest::Sigstore) {
            code = Exit::Undetermined as i32;
        }
    }
    let assets = published(bench, &bench.to.join("assets"), &released.folder, &released.manifest)?;
    if let Some(place) = &bench.inputs.archive {
        let (folder, signer) = (released.folder.clone(), signer(session, &released.folder, &released.manifest));
        let (archived_code, archived) = once(bench, &plan::archive_arguments(bench.inputs, place, &folder, &signer))?;
        answer.archived = archived.archived;
        if let Some((message, _)) = archived.error {
            session.error(&format!("the release was not archived: {message}"));
        }
        code = if code == 0 { archived_code } else { code };
    }
    Ok((code, answer, Some(assets)))
}

fn published(bench: &Bench<'_>, into: &Utf8Path, release: &Utf8Path, manifest: &ReleaseManifest) -> Result<Assets, Failed> {
    assets::collect(release, manifest, bench.inputs.asset_names, into)
        .map_err(Failed::io(&format!("cannot write the files to publish into {into}")))
}

/// By whom a release that was made here is judged when it is archived.
fn signer(session: &Session<'_>, release: &Utf8Path, manifest: &ReleaseManifest) -> Vec<String> {
    let key = release.join("evidence/signer.pub");
    match (manifest.signing, &session.runner.repository) {
        (Signed::Signed, _) if key.is_file() => vec![format!("--key={key}")],
        (Signed::Signed, Some(repository)) => vec![format!("--repo={repository}")],
        _ => vec!["--unsigned".to_owned()],
    }
}

/// SBOMs of what would be built, each format by a run of its own.
fn sboms(session: &mut Session<'_>, bench: &Bench<'_>) -> Result<Worked, Failed> {
    let into = bench.to.join("sbom");
    for format in &bench.inputs.sbom_formats {
        let ended = start(bench, &plan::sbom_arguments(bench.inputs, *format, &bench.to))?;
        if ended.code != 0 {
            return Ok((ended.code, result::read(&ended.result), None));
        }
    }
    let mut paths: Vec<_> = into.read_dir_utf8().into_iter().flatten().flatten().map(|entry| entry.path().to_owned()).collect();
    paths.sort();
    for path in paths {
        let list =
            if path.as_str().ends_with(".spdx.json") { &mut session.outputs.spdx_path } else { &mut session.outputs.sbom_path };
        list.push(path.into_string());
    }
    Ok((0, Answer::default(), None))
}

/// Signs releases that a job without permissions has built, or single files.
fn attest(session: &mut Session<'_>, bench: &Bench<'_>) -> Result<Worked, Failed> {
    if bench.plan.signing == Signing::Nobody {
        return Err(Failed::Input(Invalid {
            input: "attest",
            why: "nobody is there to sign: the job has no identity (`permissions: id-token: write`), and the policy names no key"
                .to_owned(),
        }));
    }
    let mut all = Assets::default();
    let paths: Vec<_> = bench.inputs.subject_path.iter().flat_map(|subject| releases(bench.context.cwd.join(subject))).collect();
    if paths.len() > 1 && bench.inputs.upload_release_assets && bench.inputs.asset_names == AssetNames::Plain {
        let why =
            format!("there are {}, and their files would have the same names: use `target`", counted(paths.len(), "release"));
        return Err(Failed::Input(Invalid { input: "asset-names", why }));
    }
    for path in paths {
        let (code, answer) = once(bench, &plan::sign_arguments(bench.inputs, &path, &bench.keyless))?;
        if code != 0 {
            return Ok((code, answer, Some(all)));
        }
        if !path.is_dir() {
            all.bundles.push(Utf8PathBuf::from(format!("{path}.sigstore.json")));
            session.notice(&format!(
                "{path} is a single file: its bundle is a signature, which a repository does not take as an attestation"
            ));
            continue;
        }
        let list = files::read(&path.join(RELEASE_MANIFEST), 64 << 20)
            .map_err(Failed::io(&format!("cannot read {path}/release.json")))?;
        let manifest = serde_json::from_slice(&list).map_err(|error| Failed::io("release.json")(error.into()))?;
        // Releases for several targets have files of one name.
        all.add(published(bench, &bench.to.join("assets").join(path.file_name().unwrap_or_default()), &path, &manifest)?);
    }
    Ok((0, Answer::default(), Some(all)))
}

/// The releases in a folder that is none itself, as an artifact of a run brings them.
fn releases(path: Utf8PathBuf) -> Vec<Utf8PathBuf> {
    if !path.is_dir() || path.join(RELEASE_MANIFEST).is_file() {
        return vec![path];
    }
    let entries = path.read_dir_utf8().into_iter().flatten().flatten().map(|entry| entry.path().to_owned());
    let mut found: Vec<_> = entries.filter(|folder| folder.join(RELEASE_MANIFEST).is_file()).collect();
    found.sort();
    // Who signs tells what is wrong with it.
    if found.is_empty() { vec![path] } else { found }
}

/// The report's files, and the annotations. Gives back the SARIF.
fn tell(session: &mut Session<'_>, bench: &Bench<'_>, answer: &mut Answer) -> Result<Option<Vec<u8>>, Failed> {
    let mut sarif = None;
    if let Some(report) = &answer.report {
        let here = session.in_repository(report, &bench.root);
        child::say(document::github::annotations(&here).as_bytes());
        let bytes = document::sarif::document(&here, &ops::rule_infos()).bytes;
        for (name, bytes) in [("report.json", &document::report::document(report).bytes), ("report.sarif", &bytes)] {
            let path = bench.to.join(name);
            files::write(&path, bytes).map_err(Failed::io(&format!("cannot write {path}")))?;
        }
        session.outputs.report_path = bench.to.join("report.json").into_string();
        session.outputs.sarif_path = bench.to.join("report.sarif").into_string();
        count(session, &here);
        sarif = Some(bytes);
        answer.report = Some(here);
    }
    if let Some((message, help)) = &answer.error {
        let words = [message.clone()].into_iter().chain(help.iter().cloned()).collect::<Vec<_>>().join("; ");
        child::say(document::github::message("error", "cargo supplychain", &words).as_bytes());
    }
    Ok(sarif)
}

/// Three numbers that part the findings: each is in one of them, those of info in none.
fn count(session: &mut Session<'_>, report: &Report) {
    for finding in report.findings.iter().filter(|finding| finding.severity > Severity::Info) {
        let outputs = &mut session.outputs;
        let counter = match finding.id.split('/').next() {
            Some("advisory") => &mut outputs.advisories,
            Some("maintainer" | "identity" | "campaign") => &mut outputs.maintainer_alerts,
            _ => &mut outputs.policy_violations,
        };
        *counter += 1;
    }
}

/// What the change brings in, as Markdown. That it cannot be told changes no verdict.
fn changes(session: &mut Session<'_>, bench: &Bench<'_>, base: &str) -> Option<String> {
    let ended = start(bench, &plan::diff_arguments(bench.inputs, base));
    match ended {
        Ok(Ended { code: 0, result }) => String::from_utf8(result).ok(),
        _ => {
            session.notice(&format!("what the change since {base} brings in cannot be told"));
            None
        }
    }
}

fn outputs_of(session: &mut Session<'_>, bench: &Bench<'_>, answer: &Answer, assets: Option<&Assets>) {
    let outputs = &mut session.outputs;
    let text = |paths: &[Utf8PathBuf]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    if let Some(assets) = assets {
        outputs.sbom_path = text(&assets.cyclonedx);
        outputs.spdx_path = text(&assets.spdx);
        outputs.bundle_path = text(&assets.bundles);
        outputs.checksums_path = text(&assets.checksums);
    }
    if let Some((place, digest)) = &answer.archived {
        outputs.archive_path.clone_from(place);
        outputs.archive_digest = format!("sha256:{digest}");
    }
    if bench.inputs.upload_artifact {
        outputs.artifact_path = bench.to.to_string();
        outputs.artifact_name.clone_from(&bench.inputs.artifact_name);
    }
}

fn release<'a>(session: &Session<'_>, manifest: &'a ReleaseManifest, assets: Option<&Assets>) -> Release<'a> {
    let artifacts: Vec<_> = assets.map(|assets| assets.artifacts.clone()).unwrap_or_default();
    let listed = manifest.files.iter().filter(|file| file.role == crate::model::release::FileRole::Artifact);
    let name = |path: &Utf8PathBuf| path.file_name().unwrap_or_default().to_owned();
    let verify = |path: &Utf8PathBuf| {
        let repository = session.runner.repository.as_deref().unwrap_or("OWNER/NAME");
        let file = name(path);
        let by_gh = ["gh", "attestation", "verify", &file, "--repo", repository].map(str::to_owned).to_vec();
        let ours = ["cargo", "supplychain", "verify", &file, "--repo", repository].map(str::to_owned).to_vec();
        if session.outputs.attestation_id.is_empty() { vec![ours] } else { vec![by_gh, ours] }
    };
    let is_keyless = manifest.signing == Signed::Signed && !manifest.files.iter().any(|file| file.path == "evidence/signer.pub");
    Release {
        name: &manifest.name,
        version: &manifest.version,
        target: &manifest.target,
        signing: match manifest.signing {
            Signed::Signed => "signed",
            Signed::Pending => "signatures pending",
            Signed::Unsigned => "not signed",
        },
        artifacts: artifacts
            .iter()
            .map(name)
            .zip(listed)
            .map(|(name, file)| (name, file.size, file.sha256.to_string()))
            .collect(),
        files: manifest.files.len(),
        verify: if is_keyless { artifacts.iter().flat_map(verify).collect() } else { Vec::new() },
    }
}
