//! Linux: Landlock holds the walls, seccomp hands calls over to a supervisor in our process.
//!
//! Nothing here needs a privilege. A process of ours ([`launcher`]) raises the walls around itself and becomes cargo; all that cargo
//! starts is inside, for ever.

mod actors;
mod filter;
mod judge;
mod kernel;
pub(super) mod launcher;
mod paths;
mod process;
mod scratch;
mod supervisor;
mod target_folder;

use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use self::process::Process;
use super::walls::{Request, Walls};
use super::{Error, LAUNCH};
use crate::model::sandbox::{Attempt, Seal};

/// A sealed child and the thread that hears of its calls.
pub(super) struct Guard {
    thread: std::thread::JoinHandle<supervisor::Heard>,
    pub seal: Seal,
}

/// Whether this system can seal a build: tries it with a thread, which ends with its walls around it.
pub(super) fn probe() -> Result<u32, Error> {
    let sealed = std::thread::spawn(|| launcher::enclose(&Walls::default()).map(|(abi, _)| abi));
    sealed.join().unwrap_or_else(|_| Err("the probe failed".to_owned())).map_err(Error::Unavailable)
}

/// The launcher, which waits for its walls, and our end of what it hears and answers by. Empty once it has become something else.
pub(super) struct Launcher(Option<(Child, OwnedFd)>);

impl Launcher {
    pub(super) fn start() -> Result<Self, Error> {
        let (ours, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .map_err(|error| Error::Start(error.into()))?;
        // This very program, even if its file was replaced meanwhile.
        let mut launcher = Command::new("/proc/self/exe");
        launcher.arg0("cargo-supplychain").arg(LAUNCH).env_clear().stdin(Stdio::from(theirs)).stdout(Stdio::piped());
        // The child's end goes with the command, or we would never see that it was closed.
        let child = launcher.spawn().map_err(Error::Start)?;
        Ok(Self(Some((child, ours))))
    }

    /// How to judge is found out while the launcher raises its walls.
    pub(super) fn run(mut self, command: &Command, request: &Request) -> Result<(Child, Guard), Error> {
        let Some((child, socket)) = &self.0 else { return Err(Error::Start(std::io::ErrorKind::NotFound.into())) };
        // Whoever outlives cargo becomes our child, and is ended by us.
        rustix::process::set_child_subreaper(Some(rustix::process::getpid())).map_err(|error| Error::Start(error.into()))?;
        let cargo = child.id();
        let walls = request.walls();
        launcher::tell_order(socket, &walls, command)?;
        let judge = judge::Judge::new(request, &walls);
        let (abi, listener) = launcher::hear(socket)?;
        let supervisor = supervisor::Supervisor {
            listener,
            judge,
            actors: actors::Actors::new(cargo, request.packages.clone()),
            scratch: scratch::Scratch::default(),
            heard: supervisor::Heard::default(),
        };
        let thread =
            std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || supervisor.run()).map_err(Error::Start)?;
        let Some((child, _)) = self.0.take() else { return Err(Error::Start(std::io::ErrorKind::NotFound.into())) };
        Ok((child, Guard { thread, seal: request.seal(abi) }))
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        if let Some((mut child, socket)) = self.0.take() {
            // It ends when nobody is there to tell it more.
            drop(socket);
            let _ = child.wait();
        }
    }
}

impl Guard {
    /// After cargo has ended: ends what is left of the build, and tells what was refused.
    pub(super) fn finish(self) -> (Seal, Vec<Attempt>, u64) {
        end_orphans();
        // Without its supervisor nobody knows what was tried, which is no pass either.
        let (attempts, unlisted) = self.thread.join().map_or((Vec::new(), 1), supervisor::Heard::list);
        let _ = rustix::process::set_child_subreaper(None);
        (self.seal, attempts, unlisted)
    }
}

/// Ends every process of the build that is our child: what it has left behind, or all of it. Each round finds those that the last one orphaned.
pub(super) fn end_orphans() {
    for _ in 0..1000 {
        if has_no_children() {
            return;
        }
        let orphans = orphans();
        if orphans.is_empty() {
            return;
        }
        for orphan in orphans {
            let _ = rustix::process::kill_process(orphan, Signal::KILL);
            let _ = rustix::process::waitpid(Some(orphan), rustix::process::WaitOptions::empty());
        }
    }
}

/// Mostly nobody is left, and one question tells it; to look at every process of the machine takes a thousand.
fn has_no_children() -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    rustix::process::waitid(WaitId::All, look).is_err_and(|error| error == rustix::io::Errno::CHILD)
}

/// Our children that are sealed.
fn orphans() -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .filter(|id| Process(*id).stat().is_some_and(|stat| stat.parent == std::process::id()))
        .filter_map(|id| Pid::from_raw(i32::try_from(id).ok()?))
        .collect()
}
