//! A program is asked: found without surprises, given a bounded time and a bounded answer. Knows nothing of what is asked.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use crate::base::Context;

/// The longest answer.
const MAX_ANSWER: u64 = 1 << 20;
/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The program that a name stands for: in an absolute folder of `PATH`, never in the working folder.
pub(super) fn find(context: &Context, name: &str) -> Option<Utf8PathBuf> {
    if name.contains('/') {
        return Some(context.cwd.join(name));
    }
    let folders = context.var("PATH")?.split(if cfg!(windows) { ';' } else { ':' });
    let names = if cfg!(windows) { vec![format!("{name}.exe")] } else { vec![name.to_owned()] };
    let mut paths = folders
        .map(Utf8Path::new)
        .filter(|folder| folder.is_absolute())
        .flat_map(|folder| names.iter().map(|name| folder.join(name)).collect::<Vec<_>>());
    paths.find(|path| path.is_file())
}

/// A program with its arguments and its whole environment.
pub(super) struct Program<'a> {
    pub(super) path: &'a Utf8Path,
    pub(super) arguments: &'a [String],
    pub(super) env: &'a BTreeMap<String, String>,
    /// Whether what it says on standard error is dropped; else the user sees it.
    pub(super) quiet: bool,
}

impl Program<'_> {
    /// What it writes to standard output, given `input`; it ends by itself with success and in time, or is ended.
    ///
    /// # Errors
    /// Why there is no answer, a fragment that holds nothing of input or output.
    pub(super) fn run(&self, input: &[u8], within: Duration) -> Result<Vec<u8>, String> {
        let until = Instant::now() + within;
        let mut command = Command::new(self.path);
        command.args(self.arguments).env_clear().envs(self.env).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(if self.quiet { Stdio::null() } else { Stdio::inherit() });
        // A group of its own, so that what it starts ends with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(|error| format!("cannot be started: {error}"))?;
        let outcome = talk(&mut child, input, until);
        if outcome.is_err() {
            end(&mut child);
        }
        outcome
    }
}

fn talk(child: &mut Child, input: &[u8], until: Instant) -> Result<Vec<u8>, String> {
    let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else { return Err("it has no pipes".to_owned()) };
    let input = input.to_vec();
    // A program may answer without reading all that it was given.
    std::thread::spawn(move || drop(to.write_all(&input)));
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut out = Vec::new();
        let read = from.take(MAX_ANSWER + 1).read_to_end(&mut out).map(|_| out);
        // Nobody listens any more where the deadline has passed.
        let _ = sender.send(read);
    });
    let late = || "it did not end in time".to_owned();
    let left = || until.saturating_duration_since(Instant::now());
    let out =
        receiver.recv_timeout(left()).map_err(|_| late())?.map_err(|error| format!("its answer cannot be read: {error}"))?;
    if out.len() as u64 > MAX_ANSWER {
        return Err(format!("its answer is larger than {MAX_ANSWER} bytes"));
    }
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(out),
            Ok(Some(status)) => return Err(format!("it failed ({status})")),
            Ok(None) if left().is_zero() => return Err(late()),
            Ok(None) => std::thread::sleep(LOOK),
            Err(error) => return Err(format!("it cannot be waited for: {error}")),
        }
    }
}

fn end(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(script: &str, input: &[u8], within: Duration) -> Result<Vec<u8>, String> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let env = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        Program { path: Utf8Path::new("/bin/sh"), arguments: &arguments, env: &env, quiet: true }.run(input, within)
    }

    #[test]
    fn answers_are_bounded_in_time_and_size() {
        let long = Duration::from_secs(20);
        assert_eq!(run("cat", b"hello", long).unwrap(), b"hello");
        assert_eq!(run("echo x", &[b'i'; 1 << 18], long).unwrap(), b"x\n");
        assert!(run("echo out; exit 3", b"", long).unwrap_err().contains("it failed"));
        assert!(run("head -c 2000000 /dev/zero", b"", long).unwrap_err().contains("larger than"));
        assert_eq!(run("env | grep -c SECRET || true", b"", long).unwrap(), b"0\n");
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_children() {
        let begin = Instant::now();
        for script in ["sleep 60", "sleep 60 & sleep 60", "exec >&-; sleep 60"] {
            assert!(run(script, b"", Duration::from_millis(300)).unwrap_err().contains("in time"), "{script}");
        }
        assert!(begin.elapsed() < Duration::from_secs(20));
    }
}
