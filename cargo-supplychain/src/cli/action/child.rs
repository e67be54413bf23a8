//! Our own binary, started for the work: by its absolute path, without the runner's secrets and command files. What it and what it starts say
//! goes into the log where no line of it is a command; what outlives it cannot write there any more.

use std::collections::BTreeMap;
use std::io::{self, Read, Write as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use camino::Utf8Path;

use super::super::exit::Exit;
use super::super::handed;
use super::inputs::PREFIX;
use crate::ops::Interrupt;
use crate::ops::key::PASSPHRASE;

/// The largest result: a report of ten thousand findings has a tenth of it.
const MAX_RESULT: usize = 256 << 20;
/// How often it is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(20);
/// How long its last words are waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Which secrets a run needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Needs {
    /// To ask the job's identity provider for a token.
    pub(super) identity: bool,
}

/// How it ended.
pub(super) struct Ended {
    pub(super) code: i32,
    pub(super) result: Vec<u8>,
}

/// Variables that no child has: secrets of the runner, the action's own inputs, and the files by which a process speaks for the workflow.
fn is_kept_back(name: &str) -> bool {
    const NAMES: [&str; 8] = [
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "GITHUB_ENV",
        "GITHUB_OUTPUT",
        "GITHUB_PATH",
        "GITHUB_STATE",
        "GITHUB_STEP_SUMMARY",
        "SIGSTORE_ID_TOKEN",
    ];
    let name = name.to_ascii_uppercase();
    name.starts_with(PREFIX) || name.starts_with("INPUT_") || name.starts_with("ACTIONS_") || NAMES.contains(&name.as_str())
}

pub(super) fn environment(env: &BTreeMap<String, String>, needs: Needs) -> BTreeMap<String, String> {
    let is_identity = |name: &str| matches!(name, "ACTIONS_ID_TOKEN_REQUEST_URL" | "ACTIONS_ID_TOKEN_REQUEST_TOKEN");
    let passes = |name: &str| !is_kept_back(name) || needs.identity && is_identity(name);
    env.iter().filter(|(name, _)| passes(name)).map(|(name, value)| (name.clone(), value.clone())).collect()
}

enum Said {
    Log(Vec<u8>),
    Result(Vec<u8>),
    End,
}

/// Begins anew without them in the environment: what a process began with stands in `/proc` as long as it lives. Where nothing has to be
/// taken out, nothing is done; the error is why it cannot be.
pub(super) fn forget(env: &BTreeMap<String, String>) -> io::Result<()> {
    #[cfg(unix)]
    if std::env::vars_os().any(|(name, _)| name.to_str().is_some_and(is_secret)) {
        use std::os::unix::process::CommandExt as _;
        let (secret, open) = parted(env.clone());
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["supplychain", "action"]).env_clear().envs(open);
        handed::over(&mut command, &secret)?;
        return Err(command.exec());
    }
    let _ = env;
    Ok(())
}

/// What is handed over by a pipe: whatever no child has, and what a key is opened with.
fn is_secret(name: &str) -> bool {
    is_kept_back(name) || name == PASSPHRASE
}

fn parted(env: BTreeMap<String, String>) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    env.into_iter().partition(|(name, _)| is_secret(name))
}

/// Runs it to its end. `fence` is a word that nobody can guess: between two of it the runner takes no commands.
pub(super) fn run(
    cwd: &Utf8Path,
    arguments: &[String],
    env: &BTreeMap<String, String>,
    fence: &str,
    interrupt: &Interrupt,
) -> io::Result<Ended> {
    let mut command = Command::new(std::env::current_exe()?);
    let (secret, open) = parted(env.clone());
    command.arg("supplychain").args(arguments).env_clear().envs(open).current_dir(cwd).stdin(Stdio::null());
    if !secret.is_empty() {
        handed::over(&mut command, &secret)?;
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    interrupt.lock().child = Some(child.id());
    let (send, receive) = mpsc::channel();
    let own = send.clone();
    let (out, err) = (child.stdout.take().expect("it is piped"), child.stderr.take().expect("it is piped"));
    // A reader ends with the pipe, which somebody may hold longer than we run: nobody waits for its thread.
    std::thread::spawn(move || pass_on(out, &own, Said::Result));
    std::thread::spawn(move || pass_on(err, &send, Said::Log));
    let mut log = Fenced::begin(fence);
    let mut result = Vec::new();
    let (mut open, mut ended) = (2, None);
    while open > 0 {
        match receive.recv_timeout(LOOK) {
            Ok(Said::Log(bytes)) => log.write(&bytes),
            Ok(Said::Result(bytes)) if result.len() + bytes.len() <= MAX_RESULT => result.extend(bytes),
            Ok(Said::Result(_)) => {
                let _ = child.kill();
                return Err(io::Error::other("its result is larger than anybody reads"));
            }
            Ok(Said::End) => open -= 1,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if ended.is_none() {
            ended = child.try_wait()?.map(|status| (status, Instant::now()));
        }
        if ended.is_some_and(|(_, since)| since.elapsed() > LAST_WORDS) {
            break;
        }
    }
    let status = child.wait()?;
    interrupt.lock().child = None;
    Ok(Ended { code: code(status), result })
}

fn pass_on(mut from: impl Read, to: &mpsc::Sender<Said>, what: fn(Vec<u8>) -> Said) {
    let mut buffer = [0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if to.send(what(buffer[..length].to_vec())).is_err() {
            return;
        }
    }
    let _ = to.send(Said::End);
}

fn code(status: std::process::ExitStatus) -> i32 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128 + signal;
    }
    status.code().unwrap_or(Exit::Bug as i32)
}

/// The part of the log that others write. It ends with a line of its own, whatever they wrote.
struct Fenced<'f> {
    fence: &'f str,
    is_at_start: bool,
}

impl<'f> Fenced<'f> {
    fn begin(fence: &'f str) -> Self {
        say(format!("::stop-commands::{fence}\n").as_bytes());
        Self { fence, is_at_start: true }
    }

    fn write(&mut self, bytes: &[u8]) {
        say(bytes);
        self.is_at_start = bytes.last().is_none_or(|last| *last == b'\n');
    }
}

impl Drop for Fenced<'_> {
    fn drop(&mut self) {
        let start = if self.is_at_start { "" } else { "\n" };
        say(format!("{start}::{}::\n", self.fence).as_bytes());
    }
}

/// Standard output; a log that nobody reads ends no run.
pub(super) fn say(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_command_files_stay_here() {
        let kept = [
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "ACTIONS_RUNTIME_TOKEN",
            "ACTIONS_CACHE_URL",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "INPUT_TOKEN",
            "SUPPLYCHAIN_ACTION_TOKEN",
            "GITHUB_ENV",
            "GITHUB_OUTPUT",
            "GITHUB_PATH",
            "GITHUB_STATE",
            "GITHUB_STEP_SUMMARY",
        ];
        let passed = ["PATH", "HOME", "CI", "GITHUB_SHA", "SUPPLYCHAIN_KEY_PASSPHRASE", "RUNNER_OS"];
        let env = kept.iter().chain(&passed).map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        let names = |needs| environment(&env, needs).into_keys().collect::<Vec<_>>();
        let mut expected = passed.to_vec();
        expected.sort_unstable();
        assert_eq!(names(Needs::default()), expected);
        expected.extend(["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);
        expected.sort_unstable();
        assert_eq!(names(Needs { identity: true }), expected);
    }
}
