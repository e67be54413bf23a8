//! The supervisor: a thread of ours that hears of the calls of a sealed build and answers each. It ends when the last sealed process
//! has ended.

use std::collections::BTreeMap;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, poll};

use super::actors::{Actors, Place};
use super::filter::{FCHMODAT2, REFUSED, REMOVEXATTRAT, SETXATTRAT};
use super::judge::{Judge, Verdict, Wish};
use super::kernel::{self, Answer, Notification};
use super::process::{Memory, Process};
use super::scratch::{self, Scratch};
use crate::model::sandbox::{Act, Actor, Attempt};

/// How many different attempts are listed.
const ATTEMPTS_MAX: usize = 1000;
/// `AT_FDCWD` as the kernel sees it in the low half of an argument.
const HERE: i32 = libc::AT_FDCWD;

pub(super) struct Supervisor {
    pub listener: OwnedFd,
    pub judge: Judge,
    pub actors: Actors,
    pub scratch: Scratch,
    pub heard: Heard,
}

/// What was refused.
#[derive(Debug, Default)]
pub(super) struct Heard {
    attempts: BTreeMap<(Actor, Act), u64>,
    unlisted: u64,
}

impl Heard {
    fn hear(&mut self, actor: Actor, act: Act) {
        let is_full = self.attempts.len() >= ATTEMPTS_MAX;
        match self.attempts.get_mut(&(actor.clone(), act.clone())) {
            Some(count) => *count += 1,
            None if is_full => self.unlisted += 1,
            None => drop(self.attempts.insert((actor, act), 1)),
        }
    }

    pub(super) fn list(self) -> (Vec<Attempt>, u64) {
        let attempts = self.attempts.into_iter().map(|((actor, act), count)| Attempt { actor, act, count }).collect();
        (attempts, self.unlisted)
    }
}

impl Supervisor {
    /// Answers until nobody is left who could ask.
    pub(super) fn run(mut self) -> Heard {
        kernel::answer_in_step(self.listener.as_fd());
        let tells_the_end = kernel::receive_tells_the_end();
        loop {
            if !tells_the_end && self.has_ended(true) {
                return self.heard;
            }
            match kernel::receive(self.listener.as_fd()) {
                Ok(notification) => self.answer(&notification),
                // Or the caller has died in between.
                Err(_) if self.has_ended(false) => return self.heard,
                Err(_) => {}
            }
        }
    }

    /// Whether nobody is left; with patience it waits until there is a call to be heard.
    fn has_ended(&self, waits: bool) -> bool {
        let mut waiting = [PollFd::new(&self.listener, PollFlags::IN)];
        let at_once = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        while poll(&mut waiting, (!waits).then_some(&at_once)).is_err() {}
        let events = waiting[0].revents();
        !events.contains(PollFlags::IN) && events.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
    }

    fn answer(&mut self, notification: &Notification) {
        let process = Process(notification.pid);
        let Some(wishes) = self.wishes(process, notification) else {
            // Nothing can be read of it: it died, or hides. Either way nothing is done for it.
            return kernel::answer(self.listener.as_fd(), notification.id, Answer::Refuse(libc::EACCES));
        };
        for wish in wishes {
            match self.verdict(process, notification, &wish) {
                Verdict::Go => {}
                Verdict::Done => return kernel::answer(self.listener.as_fd(), notification.id, Answer::Done),
                Verdict::TellAndGo(act) => self.tell(process, notification, act),
                Verdict::Quiet(error) => return kernel::answer(self.listener.as_fd(), notification.id, Answer::Refuse(error)),
                Verdict::Tell(act, error) => {
                    self.tell(process, notification, act);
                    return kernel::answer(self.listener.as_fd(), notification.id, Answer::Refuse(error));
                }
                Verdict::Give(file) => {
                    // Whoever links to such a file, for instance, has no use for it.
                    let close = open_flags(process, notification).map(|flags| flags & libc::O_CLOEXEC != 0);
                    let given = close.map(|close| kernel::give(self.listener.as_fd(), notification.id, file.as_fd(), close));
                    if !matches!(given, Some(Ok(()))) {
                        kernel::answer(self.listener.as_fd(), notification.id, Answer::Refuse(libc::EACCES));
                    }
                    return;
                }
            }
        }
        kernel::answer(self.listener.as_fd(), notification.id, Answer::Go);
    }

    fn verdict(&mut self, process: Process, notification: &Notification, wish: &Wish) -> Verdict {
        if let Wish::Read(path) | Wish::Write { path, .. } = wish
            && !self.scratch.is_empty()
            && let Some(flags) = open_flags(process, notification)
            && let Some(opened) = self.scratch.open(process, path, flags)
        {
            return opened.map_or_else(|error| Verdict::Quiet(error.raw_os_error().unwrap_or(libc::EACCES)), Verdict::Give);
        }
        let verdict = self.judge.judge(process, wish, &self.actors);
        if let (Verdict::Tell(..), Wish::Make(path)) = (&verdict, wish)
            && scratch::is_name(path)
            && process.program().is_some_and(|program| self.judge.is_tool(&program, "rustc"))
            && self.scratch.make(process, path)
        {
            return Verdict::Done;
        }
        verdict
    }

    fn tell(&mut self, process: Process, notification: &Notification, act: Act) {
        let place = self.actors.place(process);
        if place != Place::Cargo {
            let actor = self.actors.actor(process, &place, notification.data.instruction_pointer);
            self.heard.hear(actor, act);
        }
    }

    /// What the call asks for; none when the caller's memory cannot be read.
    fn wishes(&mut self, process: Process, notification: &Notification) -> Option<Vec<Wish>> {
        let call = libc::c_long::from(notification.data.nr);
        let args = notification.data.args;
        if let Some((_, name)) = REFUSED.iter().find(|(number, _)| *number == call) {
            return Some(vec![self.refused(process, name, args)?]);
        }
        if call == libc::SYS_socket || call == libc::SYS_socketpair {
            return Some(vec![Wish::Network(family(args))]);
        }
        let memory = process.memory();
        let caller = Caller { process, memory };
        if call == libc::SYS_execve || call == libc::SYS_execveat {
            let (path, arguments, environment) = if call == libc::SYS_execve {
                (caller.path(HERE, args[0])?, args[1], args[2])
            } else {
                (caller.path(descriptor(args[0]), args[1])?, args[2], args[3])
            };
            self.actors.starts(process, memory, arguments, environment);
            return Some(vec![Wish::Run(path)]);
        }
        caller.wishes(call, args)
    }

    fn refused(&self, process: Process, name: &'static str, args: [u64; 6]) -> Option<Wish> {
        Some(match name {
            "connect" => match process.memory().up_to(args[1], 110) {
                address if address.first_chunk() == Some(&1_u16.to_ne_bytes()) => {
                    let length = usize::try_from(args[2]).unwrap_or(0).clamp(2, address.len());
                    let path = address[2..length].split(|byte| *byte == 0).next().unwrap_or_default();
                    Wish::Connect(PathBuf::from(String::from_utf8_lossy(path).into_owned()))
                }
                _ => Wish::Network("a connection".to_owned()),
            },
            // libuv, which cmake is made with, asks whether there is one, and does without.
            "io_uring_setup" if process.program().is_some_and(|path| self.judge.is_tool(&path, "cmake")) => Wish::Unknown,
            "io_uring_setup" => Wish::Network("io_uring".to_owned()),
            name => Wish::System(name),
        })
    }
}

fn family(args: [u64; 6]) -> String {
    const NAMES: [(i32, &str); 10] = [
        (libc::AF_UNIX, "AF_UNIX datagram"),
        (libc::AF_INET, "AF_INET"),
        (libc::AF_INET6, "AF_INET6"),
        (libc::AF_NETLINK, "AF_NETLINK"),
        (libc::AF_PACKET, "AF_PACKET"),
        (libc::AF_ALG, "AF_ALG"),
        (libc::AF_VSOCK, "AF_VSOCK"),
        (libc::AF_BLUETOOTH, "AF_BLUETOOTH"),
        (libc::AF_KEY, "AF_KEY"),
        (libc::AF_XDP, "AF_XDP"),
    ];
    let number = descriptor(args[0]);
    NAMES.iter().find(|(family, _)| *family == number).map_or_else(|| format!("family {number}"), |(_, name)| (*name).to_owned())
}

/// The low half of an argument as the kernel reads an `int`.
#[expect(clippy::cast_possible_truncation, reason = "the kernel takes the low half too")]
fn descriptor(argument: u64) -> i32 {
    argument as i32
}

/// How a file is to be opened; none for a call that opens none.
fn open_flags(process: Process, notification: &Notification) -> Option<i32> {
    let args = notification.data.args;
    match libc::c_long::from(notification.data.nr) {
        libc::SYS_openat => Some(descriptor(args[2])),
        libc::SYS_openat2 => process.memory().word(args[2]).map(descriptor),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => Some(descriptor(args[1])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_creat => Some(libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC),
        _ => None,
    }
}

/// A waiting caller.
struct Caller {
    process: Process,
    memory: Memory,
}

impl Caller {
    /// The path of an argument, absolute as the caller means it; a null pointer or an empty text is the open file itself.
    fn path(&self, folder: i32, address: u64) -> Option<PathBuf> {
        let path = if address == 0 { PathBuf::new() } else { self.memory.path(address)? };
        if path.is_absolute() {
            return Some(path);
        }
        let base = if folder == HERE { self.process.folder()? } else { self.process.file(folder)? };
        Some(if path == Path::new("") { base } else { base.join(path) })
    }

    fn opens(&self, folder: i32, path: u64, flags: u64) -> Option<Vec<Wish>> {
        let flags = descriptor(flags);
        // Opens nothing: what is done with it is judged then.
        if flags & libc::O_PATH != 0 {
            return Some(Vec::new());
        }
        let path = self.path(folder, path)?;
        let writes = flags & libc::O_ACCMODE != libc::O_RDONLY || flags & (libc::O_CREAT | libc::O_TRUNC) != 0;
        let follows = flags & libc::O_NOFOLLOW == 0 && flags & (libc::O_CREAT | libc::O_EXCL) != libc::O_CREAT | libc::O_EXCL;
        Some(vec![if writes { Wish::Write { path, follows } } else { Wish::Read(path) }])
    }

    fn writes(&self, folder: i32, path: u64, follows: bool) -> Option<Vec<Wish>> {
        Some(vec![Wish::Write { path: self.path(folder, path)?, follows }])
    }

    /// A hard link: the old name has to be readable, and a link to it can be written.
    fn links(&self, old: (i32, u64), new: (i32, u64)) -> Option<Vec<Wish>> {
        let new = Wish::Write { path: self.path(new.0, new.1)?, follows: false };
        Some(vec![Wish::Read(self.path(old.0, old.1)?), new])
    }

    fn renames(&self, old: (i32, u64), new: (i32, u64)) -> Option<Vec<Wish>> {
        let mut wishes = self.writes(old.0, old.1, false)?;
        wishes.extend(self.writes(new.0, new.1, false)?);
        Some(wishes)
    }

    /// An existing folder: the kernel says so, whoever asks.
    fn makes(&self, folder: i32, path: u64) -> Option<Vec<Wish>> {
        let path = self.path(folder, path)?;
        Some(if path.exists() { Vec::new() } else { vec![Wish::Make(path)] })
    }

    /// What is not there cannot be removed.
    fn removes(&self, folder: i32, path: u64) -> Option<Vec<Wish>> {
        let path = self.path(folder, path)?;
        Some(if path.symlink_metadata().is_err() { Vec::new() } else { vec![Wish::Write { path, follows: false }] })
    }

    fn wishes(&self, call: libc::c_long, args: [u64; 6]) -> Option<Vec<Wish>> {
        let [a, b, c, d, ..] = args;
        let fd = descriptor;
        match call {
            libc::SYS_openat => self.opens(fd(a), b, c),
            libc::SYS_openat2 => self.opens(fd(a), b, self.memory.word(c)?),
            libc::SYS_mkdirat => self.makes(fd(a), b),
            libc::SYS_mknodat => self.writes(fd(a), b, false),
            libc::SYS_renameat | libc::SYS_renameat2 => self.renames((fd(a), b), (fd(c), d)),
            libc::SYS_linkat => self.links((fd(a), b), (fd(c), d)),
            libc::SYS_symlinkat => self.writes(fd(b), c, false),
            libc::SYS_unlinkat => self.removes(fd(a), b),
            libc::SYS_truncate => self.writes(HERE, a, true),
            libc::SYS_fchmodat | FCHMODAT2 | libc::SYS_fchownat | libc::SYS_utimensat | SETXATTRAT | REMOVEXATTRAT => {
                self.writes(fd(a), b, true)
            }
            libc::SYS_setxattr | libc::SYS_removexattr => self.writes(HERE, a, true),
            libc::SYS_lsetxattr | libc::SYS_lremovexattr => self.writes(HERE, a, false),
            _ => self.older(call, args),
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn older(&self, call: libc::c_long, args: [u64; 6]) -> Option<Vec<Wish>> {
        let [a, b, c, ..] = args;
        match call {
            libc::SYS_open => self.opens(HERE, a, b),
            libc::SYS_creat | libc::SYS_chmod | libc::SYS_chown | libc::SYS_utime | libc::SYS_utimes => {
                self.writes(HERE, a, true)
            }
            libc::SYS_mkdir => self.makes(HERE, a),
            libc::SYS_mknod | libc::SYS_lchown => self.writes(HERE, a, false),
            libc::SYS_rmdir | libc::SYS_unlink => self.removes(HERE, a),
            libc::SYS_rename => self.renames((HERE, a), (HERE, b)),
            libc::SYS_link => self.links((HERE, a), (HERE, b)),
            libc::SYS_symlink => self.writes(HERE, b, false),
            libc::SYS_futimesat => self.writes(descriptor(a), b, true),
            // The filter passes on no other call.
            _ => {
                let _ = c;
                None
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn older(&self, _: libc::c_long, _: [u64; 6]) -> Option<Vec<Wish>> {
        None
    }
}
