//! The process that becomes cargo: it hears what its walls are, raises them around itself, hands the listener over and runs the
//! program. It is a program of its own start, not a fork of ours, so that nothing of ours (keys, memory, open files) is in it.
//!
//! What is said goes over its standard input, a socket: one JSON order in, then one JSON answer with the listener out.

use std::ffi::{OsStr, OsString};
use std::io::{self, IoSlice, IoSliceMut, Read as _, Write as _};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreated, RulesetCreatedAttr as _, Scope,
};
use rustix::fs::FileType;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use serde::{Deserialize, Serialize};

use super::super::Error;
use super::super::walls::Walls;
use super::{filter, kernel};

/// The newest ABI whose rights are asked for; older kernels enforce what they know of it.
const NEWEST: ABI = ABI::V6;
/// Below it a file cannot be moved to another folder, and builds fail.
const OLDEST: u32 = 2;
/// How long an order may be, in bytes.
const ORDER_MAX: u64 = 64 << 20;

/// What the launcher is to become, and inside which walls.
#[derive(Serialize, Deserialize)]
struct Order {
    walls: Walls,
    program: OsString,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: Option<OsString>,
}

#[derive(Serialize, Deserialize)]
enum Answer {
    Sealed { abi: u32 },
    Failed { why: String },
}

/// In our process: says what it is to become.
pub(super) fn tell_order(socket: &OwnedFd, walls: &Walls, command: &Command) -> Result<(), Error> {
    let order = Order {
        walls: walls.clone(),
        program: command.get_program().to_owned(),
        arguments: command.get_args().map(OsStr::to_owned).collect(),
        environment: command.get_envs().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect(),
        folder: command.get_current_dir().map(|folder| folder.as_os_str().to_owned()),
    };
    let mut stream = std::os::unix::net::UnixStream::from(socket.try_clone().map_err(Error::Start)?);
    // In one piece: written as it is made, each word would be a call of its own.
    let text = serde_json::to_vec(&order).map_err(|error| Error::Start(error.into()))?;
    stream.write_all(&text).map_err(Error::Start)?;
    stream.shutdown(std::net::Shutdown::Write).map_err(Error::Start)
}

/// In our process: the answer, Landlock's ABI and seccomp's listener.
pub(super) fn hear(socket: &OwnedFd) -> Result<(u32, OwnedFd), Error> {
    let broken = |error: rustix::io::Errno| Error::Start(error.into());
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut text = [0; 4096];
    let length = rustix::net::recvmsg(socket, &mut [IoSliceMut::new(&mut text)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
        .map_err(broken)?
        .bytes;
    let listener = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    });
    match (serde_json::from_slice(&text[..length]), listener) {
        (Ok(Answer::Sealed { abi }), Some(listener)) => Ok((abi, listener)),
        (Ok(Answer::Failed { why }), _) => Err(Error::Unavailable(why)),
        _ => Err(Error::Unavailable("the sealed process ended before it was sealed".to_owned())),
    }
}

/// In the new process: does not return when the program could be started. None: there is no order.
pub(in crate::sandbox) fn launch() -> Option<io::Error> {
    let socket = io::stdin();
    let mut text = Vec::new();
    if let Err(error) = socket.lock().take(ORDER_MAX).read_to_end(&mut text) {
        return Some(error);
    }
    (!text.is_empty()).then(|| follow(&text, &socket))
}

fn follow(order: &[u8], socket: &io::Stdin) -> io::Error {
    let order: Order = match serde_json::from_slice(order) {
        Ok(order) => order,
        Err(error) => return error.into(),
    };
    let (answer, listener) = match enclose(&order.walls) {
        Ok((abi, listener)) => (Answer::Sealed { abi }, Some(listener)),
        Err(why) => (Answer::Failed { why }, None),
    };
    if let Err(error) = tell(socket, &answer, listener.as_ref()) {
        return error;
    }
    if listener.is_none() {
        return io::ErrorKind::Unsupported.into();
    }
    drop(listener);
    let mut command = Command::new(order.program);
    command.args(order.arguments).env_clear().envs(order.environment).stdin(Stdio::null());
    if let Some(folder) = order.folder {
        command.current_dir(folder);
    }
    command.exec()
}

/// Raises the walls around this thread and all that it starts, for ever. Landlock's ABI and the listener.
pub(super) fn enclose(walls: &Walls) -> Result<(u32, OwnedFd), String> {
    let abi = raise(walls)?;
    let listener = kernel::install(&filter::program()).map_err(|error| match error.raw_os_error() {
        Some(libc::EBUSY) => "another supervisor hears of this process's calls already".to_owned(),
        Some(libc::ENOSYS | libc::EINVAL) => "the kernel has no seccomp with user notification".to_owned(),
        _ => format!("seccomp refuses: {error}"),
    })?;
    Ok((abi, listener))
}

/// Landlock's part. The effective ABI.
fn raise(walls: &Walls) -> Result<u32, String> {
    let failed = |error: landlock::RulesetError| format!("Landlock refuses: {error}");
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))
        .map_err(failed)?
        .scope(Scope::from_all(NEWEST))
        .map_err(failed)?;
    if !walls.network {
        ruleset = ruleset.handle_access(AccessNet::from_all(NEWEST)).map_err(failed)?;
    }
    let mut created = ruleset.create().map_err(failed)?;
    let (read, all) = (AccessFs::from_read(NEWEST), AccessFs::from_all(NEWEST));
    for (paths, rights) in [
        (&walls.read, read),
        (&walls.list, AccessFs::ReadDir.into()),
        (&walls.write, all),
        (&walls.devices, AccessFs::ReadFile | AccessFs::WriteFile),
    ] {
        for path in paths {
            created = allow(created, path, rights).map_err(failed)?;
        }
    }
    let status = created.restrict_self().map_err(failed)?;
    match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if effective_abi as u32 >= OLDEST => {
            Ok((effective_abi as u32).min(NEWEST as u32))
        }
        LandlockStatus::Available { effective_abi, .. } => {
            Err(format!("the kernel's Landlock is too old (ABI {}, {OLDEST} is needed)", effective_abi as u32))
        }
        LandlockStatus::NotEnabled => Err("the kernel's Landlock is not enabled (boot with lsm=landlock,…)".to_owned()),
        LandlockStatus::NotImplemented => Err("the kernel has no Landlock".to_owned()),
    }
}

fn allow(
    ruleset: RulesetCreated,
    path: &camino::Utf8Path,
    rights: landlock::BitFlags<AccessFs>,
) -> Result<RulesetCreated, landlock::RulesetError> {
    // What is not there needs no rule.
    let Ok(file) = PathFd::new(path) else { return Ok(ruleset) };
    let kind = rustix::fs::fstat(&file).map(|file| FileType::from_raw_mode(file.st_mode));
    let rights = if kind == Ok(FileType::Directory) { rights } else { rights & AccessFs::from_file(NEWEST) };
    if rights.is_empty() { Ok(ruleset) } else { ruleset.add_rule(PathBeneath::new(file, rights)) }
}

fn tell(socket: &io::Stdin, answer: &Answer, listener: Option<&OwnedFd>) -> io::Result<()> {
    let text = serde_json::to_vec(answer)?;
    let files: Vec<_> = listener.iter().map(|listener| listener.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(&files));
    }
    rustix::net::sendmsg(socket, &[IoSlice::new(&text)], &mut ancillary, SendFlags::NOSIGNAL)?;
    io::stdout().flush()
}
