//! Cargo itself: `cargo metadata` for analysis (neutral folder, neutral environment), `cargo build` and `cargo package` for the build
//! (the project's own folder and configuration, an environment without secrets).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_metadata::{Message, TargetKind};

use super::cargo_config::cargo_home;
use super::{memo, process, toolchain::Programs};
use crate::base::Context;
use crate::files;
use crate::model::events::{BuildEvents, BuiltTarget, ScriptRun};

/// Why a call of cargo gave nothing.
#[derive(Debug)]
pub enum Error {
    /// `Cargo.lock` does not satisfy the manifests; cargo's own message.
    LockOutOfDate(String),
    /// A checksum of `Cargo.lock` is not the one of the registry index; cargo's own message.
    ChecksumChanged(String),
    /// The network was needed and not allowed, or did not answer.
    Unreachable(String),
    /// Cargo refused: broken manifest, unknown package or feature, …; its message.
    Refused(String),
    /// The build failed; its messages went to standard error already.
    BuildFailed,
    /// A signal that asks to end has ended the build.
    Interrupted,
    /// `cargo package` failed, likewise.
    PackageFailed,
    Start {
        program: Utf8PathBuf,
        source: std::io::Error,
    },
    /// Cargo's messages could not be read.
    Messages(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LockOutOfDate(message)
            | Self::ChecksumChanged(message)
            | Self::Unreachable(message)
            | Self::Refused(message) => f.write_str(message),
            Self::BuildFailed => f.write_str("cargo build failed"),
            Self::Interrupted => f.write_str("cargo build was interrupted"),
            Self::PackageFailed => f.write_str("cargo package failed"),
            Self::Start { program, source } => write!(f, "cannot start {program}: {source}"),
            Self::Messages(message) => write!(f, "cannot read cargo's messages: {message}"),
        }
    }
}

impl std::error::Error for Error {}

/// A `cargo metadata` call.
#[derive(Debug, Clone, Copy)]
pub struct MetadataRequest<'a> {
    /// Absolute.
    pub manifest: &'a Utf8Path,
    /// Allow-listed configuration, as `KEY=VALUE`.
    pub config: &'a [String],
    /// `$CARGO_HOME` when it lies inside the repository: cargo would read its configuration even from the root folder, so a private
    /// home with links to its registry and git folders takes its place.
    pub untrusted_home: Option<&'a Utf8Path>,
    /// Whether only the workspace's own packages are wanted, which needs neither lockfile nor sources.
    pub no_deps: bool,
    /// Features of the command line. Those of dependencies (`name/feature`) count: all features of the members need not turn them on,
    /// and what they bring would be missing.
    pub features: &'a [String],
}

/// Runs `cargo metadata --all-features --locked`. `progress` hears cargo's status lines (`Downloading crates ...`).
pub fn metadata(
    context: &Context,
    programs: &Programs,
    request: MetadataRequest<'_>,
    progress: &mut dyn FnMut(&str),
) -> Result<String, Error> {
    let mut command = process::analysis(context, &programs.cargo);
    let home = request.untrusted_home.map(private_home).transpose()?;
    if let Some(home) = &home {
        command.env("CARGO_HOME", home.path());
    }
    // Set even though the environment is cleared: an empty wrapper and an explicit rustc overrule any configuration file.
    command.env("RUSTC", &programs.rustc).env("RUSTC_WRAPPER", "").env("RUSTC_WORKSPACE_WRAPPER", "");
    if let Some(name) = &programs.name {
        command.env("RUSTUP_TOOLCHAIN", name);
    }
    command.args(["metadata", "--format-version", "1", "--color", "never", "--manifest-path", request.manifest.as_str()]);
    if request.no_deps {
        command.args(["--no-deps", "--offline"]);
    } else {
        command.args(["--all-features", "--locked"]);
        command.args(request.features.iter().filter(|feature| feature.contains('/')).flat_map(|feature| ["--features", feature]));
        if context.offline {
            command.arg("--offline");
        }
    }
    for entry in request.config {
        command.args(["--config", entry]);
    }
    let question = question(&command, programs);
    let ask = || {
        let (stdout, stderr, success) = run(command, progress)?;
        if success { Ok(stdout) } else { Err(classify(&stderr, context.offline)) }
    };
    // A private home has another path each time, and no call without dependencies is worth remembering.
    if request.no_deps || home.is_some() || configuration(context).iter().any(|file| includes(file)) {
        return ask();
    }
    memo::remembered(context, "metadata", &question, ask, |answer| witnesses(context, request.manifest, answer))
}

/// All that goes into the call: arguments, environment, programs.
fn question(command: &Command, programs: &Programs) -> String {
    let identity = |program: &Utf8Path| memo::stat(program).unwrap_or_default();
    format!(
        "{command:?}\n{:?}\n{}\n{}",
        command.get_envs().collect::<Vec<_>>(),
        identity(&programs.cargo),
        identity(&programs.rustc)
    )
}

/// The configuration files that a call from the root folder reads.
fn configuration(context: &Context) -> Vec<Utf8PathBuf> {
    let folders = [cargo_home(&context.env, &context.cwd), Some(Utf8PathBuf::from("/.cargo"))];
    folders.iter().flatten().flat_map(|folder| ["config", "config.toml"].map(|name| folder.join(name))).collect()
}

/// Whether a configuration file brings others, which nobody watches; one that cannot be read may.
fn includes(file: &Utf8Path) -> bool {
    if !file.exists() {
        return false;
    }
    let table: Option<toml::Table> = files::read_text(file, 1 << 20).ok().and_then(|text| text.parse().ok());
    table.is_none_or(|table| table.contains_key("include"))
}

/// What determines the output of `cargo metadata` besides its call (docs/accuracy.md).
fn witnesses(context: &Context, manifest: &Utf8Path, answer: &str) -> Vec<memo::Witness> {
    #[derive(serde::Deserialize)]
    struct Package {
        source: Option<String>,
        manifest_path: Utf8PathBuf,
    }
    #[derive(serde::Deserialize)]
    struct Answer {
        packages: Vec<Package>,
        workspace_root: Utf8PathBuf,
    }
    let Ok(answer) = serde_json::from_str::<Answer>(answer) else { return Vec::new() };
    // Each is looked at once, however many packages lie below it.
    let (mut contents, mut folders) = (BTreeSet::new(), BTreeSet::new());
    contents.extend(configuration(context));
    contents.insert(answer.workspace_root.join("Cargo.lock"));
    let locals = answer.packages.iter().filter(|package| package.source.is_none()).map(|package| &*package.manifest_path);
    for local in locals.chain([manifest]) {
        let folder = local.parent().unwrap_or(local);
        // Manifests above it may hold the workspace that it inherits from; folders beside it may be members by a pattern.
        contents.extend(folder.ancestors().map(|ancestor| ancestor.join("Cargo.toml")));
        let beside = folder.ancestors().take_while(|ancestor| ancestor.starts_with(&answer.workspace_root));
        folders.extend(beside.map(Utf8Path::to_owned));
        folders.insert(folder.to_owned());
        folders.extend(["src", "src/bin", "examples", "tests", "benches"].map(|name| folder.join(name)));
    }
    let mut witnesses: BTreeSet<memo::Witness> = contents.into_iter().map(memo::Witness::content).collect();
    witnesses.extend(folders.into_iter().map(memo::Witness::names));
    let foreign = answer.packages.iter().filter(|package| package.source.is_some());
    witnesses.extend(foreign.map(|package| memo::Witness::stat(package.manifest_path.clone())));
    witnesses.into_iter().collect()
}

/// A home without configuration and credentials, whose `registry` and `git` are those of `home`.
fn private_home(home: &Utf8Path) -> Result<tempfile::TempDir, Error> {
    let failed = |source| Error::Start { program: home.to_owned(), source };
    let private = tempfile::Builder::new().prefix("cargo-home-").tempdir().map_err(failed)?;
    for folder in ["registry", "git"] {
        std::fs::create_dir_all(home.join(folder)).map_err(failed)?;
        link(home.join(folder).as_std_path(), &private.path().join(folder)).map_err(failed)?;
    }
    Ok(private)
}

#[cfg(unix)]
pub(super) fn link(target: &std::path::Path, link: &std::path::Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
pub(super) fn link(target: &std::path::Path, link: &std::path::Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_dir(target, link)
}

/// Runs a command, hands the status lines of its standard error on as they come, and keeps the rest.
fn run(mut command: Command, progress: &mut dyn FnMut(&str)) -> Result<(String, String, bool), Error> {
    let program = Utf8PathBuf::from(command.get_program().to_string_lossy().into_owned());
    let failed = |source| Error::Start { program: program.clone(), source };
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(failed)?;
    let mut stdout = child.stdout.take().expect("stdout is piped");
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut stdout, &mut text).map(|_| text)
    });
    let mut stderr = String::new();
    for line in BufReader::new(child.stderr.take().expect("stderr is piped")).split(b'\n') {
        let line = line.map_err(failed)?;
        let line = String::from_utf8_lossy(&line);
        let is_status =
            ["Updating", "Downloading", "Downloaded", "Blocking"].iter().any(|word| line.trim_start().starts_with(word));
        if is_status {
            progress(line.trim());
        } else {
            stderr.push_str(&line);
            stderr.push('\n');
        }
    }
    let stdout = reader.join().expect("the reader does not panic").map_err(failed)?;
    let status = child.wait().map_err(failed)?;
    Ok((String::from_utf8_lossy(&stdout).into_owned(), stderr, status.success()))
}

/// Cargo has no machine-readable errors; these phrases are those of cargo 1.80 to 1.95, and an unknown one is a refusal, never a pass.
fn classify(stderr: &str, offline: bool) -> Error {
    let message = stderr.trim().strip_prefix("error: ").unwrap_or(stderr.trim()).to_owned();
    let has = |phrases: &[&str]| phrases.iter().any(|phrase| stderr.contains(phrase));
    if has(&["because --locked was passed", "--locked was passed to prevent this", "needs to be updated but --locked"]) {
        Error::LockOutOfDate(message)
    } else if has(&["changed between lock files"]) {
        Error::ChecksumChanged(message)
    } else if (offline
        && has(&[
            "--offline was specified",
            "attempting to make an HTTP request, but --offline",
            "offline mode (--offline)",
            "network",
        ]))
        || has(&[
            "failed to download",
            "Could not resolve host",
            "failed to fetch",
            "spurious network error",
            "download of config.json failed",
        ])
    {
        Error::Unreachable(message)
    } else {
        Error::Refused(message)
    }
}

/// A `cargo build` or `cargo package` call.
#[derive(Debug, Clone)]
pub struct BuildRequest<'a> {
    /// Where cargo runs: the folder that the user started us in, so that cargo finds the configuration it always finds.
    pub cwd: &'a Utf8Path,
    pub target_dir: &'a Utf8Path,
    /// Without secrets; see [`super::environment::for_build`].
    pub environment: &'a BTreeMap<String, String>,
    /// Everything after `cargo build` that the user chose.
    pub arguments: &'a [String],
    /// For the compiler of the one target that `arguments` select (`cargo rustc`); never for its dependencies.
    pub compiler: &'a [String],
    pub offline: bool,
}

fn command(programs: &Programs, request: &BuildRequest<'_>, verb: &str) -> Command {
    let mut command = Command::new(&programs.cargo);
    command.env_clear().envs(request.environment).current_dir(request.cwd).stdin(Stdio::null());
    command.env_remove("CARGO_TARGET_DIR").env_remove("CARGO");
    // `build.build-dir` of a configuration file would put intermediate files elsewhere, and a fresh target folder would not be fresh.
    command.env("CARGO_BUILD_BUILD_DIR", request.target_dir);
    if let Some(name) = &programs.name {
        command.env("RUSTUP_TOOLCHAIN", name);
    }
    command.arg(verb).arg("--locked").arg("--target-dir").arg(request.target_dir).args(request.arguments);
    if request.offline {
        command.arg("--offline");
    }
    command
}

/// Starts a command whose standard output is a pipe, sealed or not; how, is not for here.
pub type Start<'a> = dyn FnMut(Command) -> std::io::Result<Child> + 'a;

/// Runs `cargo build`, or `cargo rustc` where the selected target has arguments of its own; standard error is cargo's own, so colours and progress are as always.
pub fn build(programs: &Programs, request: &BuildRequest<'_>, start: &mut Start<'_>) -> Result<BuildEvents, Error> {
    let mut command = command(programs, request, if request.compiler.is_empty() { "build" } else { "rustc" });
    command.args(["--message-format", "json-render-diagnostics"]).stdout(Stdio::piped());
    if !request.compiler.is_empty() {
        command.arg("--").args(request.compiler);
    }
    let failed = |source| Error::Start { program: programs.cargo.clone(), source };
    let mut child = start(command).map_err(failed)?;
    let events = events(BufReader::new(child.stdout.take().expect("stdout is piped")));
    let status = child.wait().map_err(failed)?;
    if status.success() { events } else { Err(failure(status, Error::BuildFailed)) }
}

/// The longest line of cargo's messages that is read, in bytes.
const MESSAGE_MAX: u64 = 64 << 20;

/// Reads the messages of `cargo build --message-format json` to their end, so that cargo does not die of a closed pipe and its
/// own message is seen. What is no message is passed over: cargo repeats what compiler wrappers and procedural macros print.
///
/// Not by `Message::parse_stream`, which reads nesting without a limit, so that such a line could exhaust the stack.
///
/// # Errors
/// The stream cannot be read, or a line is too long.
pub fn events(mut stream: impl BufRead) -> Result<BuildEvents, Error> {
    let mut events = BuildEvents::default();
    let mut is_too_long = false;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = stream.by_ref().take(MESSAGE_MAX).read_until(b'\n', &mut line);
        match read.map_err(|error| Error::Messages(error.to_string()))? {
            0 if is_too_long => return Err(Error::Messages(format!("a line is longer than {MESSAGE_MAX} bytes"))),
            0 => return Ok(events),
            length => is_too_long |= length as u64 == MESSAGE_MAX && !line.ends_with(b"\n"),
        }
        match serde_json::from_slice(&line) {
            Ok(Message::CompilerArtifact(artifact)) => events.targets.push(built_target(artifact)),
            Ok(Message::BuildScriptExecuted(script)) => events.scripts.push(ScriptRun {
                package_id: script.package_id.repr,
                linked_libs: script.linked_libs.into_iter().map(Utf8PathBuf::into_string).collect(),
                linked_paths: script.linked_paths.into_iter().map(Utf8PathBuf::into_string).collect(),
                out_dir: script.out_dir,
            }),
            _ => {}
        }
    }
}

/// Ctrl-C reaches the child as well as us, and the child's end may come first.
fn failure(status: std::process::ExitStatus, otherwise: Error) -> Error {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status)
        && [rustix::process::Signal::INT, rustix::process::Signal::TERM, rustix::process::Signal::HUP]
            .iter()
            .any(|asked| asked.as_raw() == signal)
    {
        return Error::Interrupted;
    }
    let _ = status;
    otherwise
}

fn built_target(artifact: cargo_metadata::Artifact) -> BuiltTarget {
    let mut features = artifact.features;
    features.sort();
    BuiltTarget {
        package_id: artifact.package_id.repr,
        name: artifact.target.name,
        kinds: artifact.target.kind.iter().map(TargetKind::to_string).collect(),
        features,
        files: artifact.filenames,
        executable: artifact.executable,
        is_test: artifact.profile.test,
    }
}

/// Runs `cargo package --no-verify` (the library was compiled already) and returns the `.crate` file's path.
pub fn package(
    programs: &Programs,
    request: &BuildRequest<'_>,
    name: &str,
    version: &str,
    dirty: bool,
) -> Result<Utf8PathBuf, Error> {
    let mut command = command(programs, request, "package");
    command.args(["--no-verify", "--package", name]);
    if dirty {
        command.arg("--allow-dirty");
    }
    let status =
        command.stdout(Stdio::null()).status().map_err(|source| Error::Start { program: programs.cargo.clone(), source })?;
    if !status.success() {
        return Err(failure(status, Error::PackageFailed));
    }
    Ok(request.target_dir.join("package").join(format!("{name}-{version}.crate")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_among_whatever_else_is_printed() {
        let script = r#"{"reason":"build-script-executed","package_id":"p","linked_libs":["static=z"],"linked_paths":["native=/o"],"cfgs":[],"env":[],"out_dir":"/o"}"#;
        let deep = "{\"a\":".repeat(100_000);
        let stream = format!("printed by a macro\n{deep}\n{{\"reason\":\"later\"}}\n{script}\n\u{fffd}\n{script}");
        let run = ScriptRun {
            package_id: "p".into(),
            linked_libs: vec!["static=z".into()],
            linked_paths: vec!["native=/o".into()],
            out_dir: "/o".into(),
        };
        assert_eq!(events(stream.as_bytes()).unwrap().scripts, [run.clone(), run.clone()]);
        let bytes = [b"\xff\xfe\n", script.as_bytes()].concat();
        assert_eq!(events(&*bytes).unwrap().scripts, [run]);
    }

    #[test]
    fn a_configuration_that_may_bring_others_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = Utf8Path::from_path(folder.path()).unwrap().join("config.toml");
        assert!(!includes(&file));
        for (text, expected) in [("[net]\ninclude = 1\n", false), ("include = ['a.toml']\n", true), ("[broken", true)] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(includes(&file), expected, "{text}");
        }
    }

    #[test]
    fn messages_of_cargo_are_told_apart() {
        let stale = "error: cannot update the lock file /x/Cargo.lock because --locked was passed to prevent this\nhelp: …";
        assert!(matches!(classify(stale, false), Error::LockOutOfDate(_)));
        let offline = "error: failed to download `a v1.0.0`\n\nCaused by:\n  attempting to make an HTTP request, but --offline was specified";
        assert!(matches!(classify(offline, true), Error::Unreachable(_)));
        let changed = "error: checksum for `itoa v1.0.19` changed between lock files\n\nthis could be indicative of";
        assert!(matches!(classify(changed, true), Error::ChecksumChanged(_)));
        let absent = "error: failed to select a version\nAs a reminder, you're using offline mode (--offline) which can";
        assert!(matches!(classify(absent, true), Error::Unreachable(_)));
        assert!(matches!(classify("error: failed to parse manifest at `/x/Cargo.toml`", false), Error::Refused(_)));
    }
}
